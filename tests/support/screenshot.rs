//! A screen as a picture: SVG, and PNG by `resvg` with the font in `tests/fixtures/fonts`.
//!
//! The same screen gives the same bytes everywhere: no clock, no font of the machine. Lines, blocks and braille are
//! drawn and not set, so that they join whatever font a viewer has; so are the few marks that the font lacks.

mod colour;
mod committed;
mod drawn;
mod film;
mod font;
mod stand_in;

use std::fmt::Write as _;
use std::num::NonZeroU16;
use std::sync::Arc;

use resvg::{tiny_skia, usvg};

use colour::{Rgb, colours};

pub use colour::Paper;
pub use committed::{asked_to_write, differs, file, keep, write};
pub use film::Film;
pub use stand_in::StandIns;

use super::terminal::Terminal;

/// Takes the picture of a console at each of these sizes, once its screen begins so, this is seen, and nothing is read.
///
/// # Panics
/// When that is waited for in vain, or a picture is not what is committed.
pub fn take(
    console: &Terminal,
    (begins, seen): (&str, &str),
    pictures: &[(&str, (u16, u16))],
    drawn: impl Fn(&vt100::Screen) -> String,
) {
    for (name, (columns, rows)) in pictures {
        console.resize(*columns, *rows);
        let is_there = |screen: &vt100::Screen| {
            let size = screen.size();
            let text = screen.contents();
            // It is drawn anew when its size has changed, and nothing is on its way.
            let is_whole = text.starts_with(begins) && text.trim_end().ends_with("keys");
            (size.1.get(), size.0.get()) == (*columns, *rows)
                && is_whole
                && text.contains(seen)
                && !text.contains("reading")
        };
        if asked_to_write() {
            let screen = console.comes_to(is_there).unwrap_or_else(|_| panic!("{name}: waited in vain for {seen}"));
            write(name, &drawn(&screen));
            continue;
        }
        let differs = |screen: &vt100::Screen| differs(name, &drawn(screen));
        if let Err(screen) = console.comes_to(|screen| is_there(screen) && differs(screen).is_none()) {
            panic!("{}", differs(&screen).unwrap_or_default());
        }
    }
}

/// A cell's width and height, and the baseline below its top, in pixels: at 20 px the font's advance is 12 px.
const CELL: (u32, u32) = (12, 26);
const BASELINE: u32 = 20;
const FONT_SIZE: u32 = 20;
/// Around the cells.
const MARGIN: u32 = 20;

/// How a run of cells looks; neighbours that look the same are one run.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Style {
    foreground: Rgb,
    background: Rgb,
    bold: bool,
    italic: bool,
    underline: bool,
}

impl Style {
    fn of(cell: &vt100::Cell, paper: Paper) -> Self {
        let (foreground, background) = colours(cell, paper);
        Self { foreground, background, bold: cell.bold(), italic: cell.italic(), underline: cell.underline() }
    }
}

/// A stretch of one row with one look.
struct Run {
    column: u32,
    /// In cells.
    width: u32,
    style: Style,
    text: String,
    shape: Shape,
}

/// How a run's text gets onto the picture.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// One character a cell: set as one text.
    Text,
    /// A wide or a composed character: set alone.
    Alone,
    /// A line, block or braille character: drawn.
    Drawn,
    /// A horizontal line, as long as there are.
    Rule,
    /// What the font lacks: a box, so that nobody takes the hole for a blank.
    Missing,
}

/// Draws the screen as SVG, in a dark terminal. The text stays text.
pub fn svg(screen: &vt100::Screen) -> String {
    svg_on(screen, Paper::Dark)
}

/// Draws the screen as SVG. The text stays text.
pub fn svg_on(screen: &vt100::Screen, paper: Paper) -> String {
    let ground = ground(screen, paper);
    let mut svg = head(screen.size(), ground, "");
    for row in 0..screen.size().0.get() {
        svg.push_str(&drawn_row(screen, row, (paper, ground)));
    }
    if !screen.hide_cursor() {
        svg.push_str(&drawn_cursor(screen, paper));
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

/// What the screen is on, its margin with it: a program that has a background of its own has it in its last cell.
fn ground(screen: &vt100::Screen, paper: Paper) -> Rgb {
    let (rows, columns) = screen.size();
    screen.cell(rows.get() - 1, columns.get() - 1).map_or(paper.background(), |cell| colours(cell, paper).1)
}

/// What begins a picture, up to the rows; `style` goes between.
fn head((rows, columns): (NonZeroU16, NonZeroU16), ground: Rgb, style: &str) -> String {
    let (width, height) = (u32::from(columns.get()) * CELL.0 + 2 * MARGIN, u32::from(rows.get()) * CELL.1 + 2 * MARGIN);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"'JetBrains Mono', monospace\" font-size=\"{FONT_SIZE}\">\n{style}\
         <rect width=\"{width}\" height=\"{height}\" rx=\"10\" fill=\"{ground}\"/>\n\
         <g transform=\"translate({MARGIN} {MARGIN})\" xml:space=\"preserve\">\n"
    )
}

/// One row, where it stands.
fn drawn_row(screen: &vt100::Screen, row: u16, (paper, ground): (Paper, Rgb)) -> String {
    let mut svg = String::new();
    let runs = runs(screen, row, paper);
    let top = u32::from(row) * CELL.1;
    backgrounds(&mut svg, &runs, top, ground);
    for run in &runs {
        draw(&mut svg, run, top);
    }
    svg
}

fn drawn_cursor(screen: &vt100::Screen, paper: Paper) -> String {
    let mut svg = String::new();
    let (row, column) = screen.cursor_position();
    let (left, top) = (u32::from(column) * CELL.0, u32::from(row) * CELL.1);
    rect(&mut svg, (left, top + 2, 2, CELL.1 - 4), paper.foreground());
    svg
}

/// Draws the screen as PNG, in a dark terminal.
pub fn png(screen: &vt100::Screen) -> Vec<u8> {
    png_of(&svg(screen))
}

/// Draws a picture as PNG.
pub fn png_of(svg: &str) -> Vec<u8> {
    let mut fonts = usvg::fontdb::Database::new();
    fonts.load_font_data(include_bytes!("../fixtures/fonts/JetBrainsMono-Regular.ttf").to_vec());
    fonts.load_font_data(include_bytes!("../fixtures/fonts/JetBrainsMono-Bold.ttf").to_vec());
    let options = usvg::Options { fontdb: Arc::new(fonts), ..usvg::Options::default() };
    let tree = usvg::Tree::from_str(svg, &options).expect("the SVG is well-formed");
    let size = tree.size().to_int_size();
    let mut pixels = tiny_skia::Pixmap::new(size.width(), size.height()).expect("a picture has pixels");
    resvg::render(&tree, tiny_skia::Transform::identity(), &mut pixels.as_mut());
    pixels.encode_png().expect("pixels can be encoded")
}

fn runs(screen: &vt100::Screen, row: u16, paper: Paper) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for column in 0..screen.size().1.get() {
        let Some(cell) = screen.cell(row, column).filter(|cell| !cell.is_wide_continuation()) else { continue };
        let contents = if cell.has_contents() { cell.contents() } else { " " };
        let (style, shape) = (Style::of(cell, paper), shape(cell, contents));
        let width = if cell.is_wide() { 2 } else { 1 };
        match runs.last_mut() {
            Some(last) if last.style == style && last.shape == shape && matches!(shape, Shape::Text | Shape::Rule) => {
                last.text.push_str(contents);
                last.width += width;
            }
            _ => runs.push(Run { column: column.into(), width, style, text: contents.to_owned(), shape }),
        }
    }
    runs
}

fn shape(cell: &vt100::Cell, contents: &str) -> Shape {
    let mut characters = contents.chars();
    match (characters.next(), characters.next()) {
        (Some('─'), None) => Shape::Rule,
        (Some(character), None) if drawn::is_drawn(character) => Shape::Drawn,
        (Some(character), _) if !font::has(character) => Shape::Missing,
        (Some(_), None) if !cell.is_wide() => Shape::Text,
        _ => Shape::Alone,
    }
}

fn backgrounds(svg: &mut String, runs: &[Run], top: u32, ground: Rgb) {
    for group in runs.chunk_by(|one, next| one.style.background == next.style.background) {
        let Some(first) = group.first().filter(|run| run.style.background != ground) else { continue };
        let width: u32 = group.iter().map(|run| run.width).sum();
        rect(svg, (first.column * CELL.0, top, width * CELL.0, CELL.1), first.style.background);
    }
}

fn draw(svg: &mut String, run: &Run, top: u32) {
    let left = run.column * CELL.0;
    let fill = run.style.foreground;
    match run.shape {
        Shape::Rule => rect(svg, (left, top + CELL.1 / 2 - 1, run.width * CELL.0, 2), fill),
        Shape::Drawn => drawn::draw(svg, run.text.chars().next().unwrap_or(' '), (left, top), fill),
        Shape::Missing => {
            let (x, y, width, height) = (left + 2, top + 5, run.width * CELL.0 - 4, CELL.1 - 10);
            let _ = writeln!(
                svg,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"none\" stroke=\"{fill}\"/>"
            );
        }
        Shape::Text | Shape::Alone => text(svg, run, left, top),
    }
    if run.style.underline {
        rect(svg, (left, top + BASELINE + 3, run.width * CELL.0, 1), fill);
    }
}

fn text(svg: &mut String, run: &Run, left: u32, top: u32) {
    // Blanks at either end draw nothing; those within keep their cells.
    let trimmed = run.text.trim_start_matches(' ');
    let skipped = u32::try_from(run.text.len() - trimmed.len()).expect("a row is short");
    let trimmed = trimmed.trim_end_matches(' ');
    if trimmed.is_empty() {
        return;
    }
    let (x, y, fill) = (left + skipped * CELL.0, top + BASELINE, run.style.foreground);
    let _ = write!(svg, "<text x=\"{x}\" y=\"{y}\" fill=\"{fill}\"");
    if run.shape == Shape::Text {
        let cells = u32::try_from(trimmed.chars().count()).expect("a row is short");
        let _ = write!(svg, " textLength=\"{}\"", cells * CELL.0);
    }
    if run.style.bold {
        svg.push_str(" font-weight=\"700\"");
    }
    if run.style.italic {
        svg.push_str(" font-style=\"italic\"");
    }
    let escaped = trimmed.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let _ = writeln!(svg, ">{escaped}</text>");
}

/// A rectangle on whole pixels: left, top, width, height.
fn rect(svg: &mut String, (x, y, width, height): (u32, u32, u32, u32), fill: Rgb) {
    let _ = writeln!(svg, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\"/>");
}
