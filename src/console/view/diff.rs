//! Git and live line by line: beside each other when there is room, else one below the other.

use std::ops::Range;

use ratatui::layout::Rect;

use super::detail::fade_old;
use super::ink::{Ink, Row};
use super::list::{foreign, label};
use super::window::{self, Window};
use crate::console::diff::{Comparison, Layout, Line, Span, changed, layout, shown};
use crate::console::model::Model;
use crate::console::page::ItemId;
use crate::console::text;
use crate::console::theme::Role;

/// Draws the diff; returns how many lines there are below what is seen.
pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, area: Rect) -> usize {
    let (Some(item), Some(comparison)) = (model.shown(), shown(model)) else {
        ink.rule(area.x, area.y, area.width);
        return 0;
    };
    let pieces = [
        (label(item).to_owned(), Role::Strong),
        (foreign(model.environment()), Role::Loud),
        (item.reason.clone(), Role::Text),
    ];
    ink.row(area, &Row::default().flow(1, area.width.saturating_sub(1), pieces).ruled());
    let pen = Pen::new(model, comparison, area.width, ink.symbols().ellipsis);
    let right = area.right().saturating_sub(1);
    let place = place(model, comparison);
    let long = u16::try_from(text::width(&place)).unwrap_or(0);
    ink.row(Rect { y: area.y + 1, width: area.width.saturating_sub(long + 2), ..area }, &pen.titles(model));
    ink.put_right(right, area.y + 1, long, &place, Role::Dim);
    let room = Rect { y: area.y + 2, height: area.height.saturating_sub(2), ..area };
    let offset = model.list().scroll;
    let rows = pen.rows(offset, usize::from(room.height));
    ink.rows(room, &rows, 0);
    let drawn = u16::try_from(rows.len()).unwrap_or(room.height);
    for column in 1..pen.columns {
        ink.bar(area.x + pen.width * column, room.y, drawn);
    }
    if let Some(start) = model.diff.change.and_then(|change| comparison.starts.get(change))
        && let Some(y) = start.checked_sub(offset).filter(|y| *y < rows.len())
        && let Ok(y) = u16::try_from(y)
    {
        ink.put(area.x + 1, room.y + y, 1, ink.symbols().cursor, Role::Cursor);
    }
    fade_old(ink, model, area, item);
    ink.more(Rect { height: 1, ..area }, offset, true);
    comparison.lines.len().saturating_sub(offset + rows.len())
}

/// Which change this is, and how far the lines are shifted.
fn place(model: &Model, comparison: &Comparison) -> String {
    let total = comparison.starts.len();
    let change = match (model.diff.change, total) {
        (_, 0) if comparison.unknown > 0 => String::from("not known"),
        (_, 0) if comparison.unread > 0 => String::from("not read"),
        (_, 0) => String::from("no change"),
        (Some(change), _) => format!("change {} of {total}", change + 1),
        (None, 1) => String::from("1 change"),
        (None, _) => format!("{total} changes"),
    };
    let rest = [(comparison.unknown, "unknown"), (comparison.unread, "not read")];
    let rest = rest.into_iter().filter(|(count, _)| *count > 0 && total > 0);
    let change = rest.fold(change, |change, (count, word)| format!("{change}, {count} {word}"));
    if model.diff.across == 0 { change } else { format!("from column {}  {change}", model.diff.across + 1) }
}

/// Draws lines of one comparison.
struct Pen<'a> {
    comparison: &'a Comparison,
    layout: Layout,
    /// How many sides stand beside each other.
    columns: u16,
    /// How wide each is.
    width: u16,
    across: usize,
    ellipsis: &'a str,
}

impl<'a> Pen<'a> {
    fn new(model: &Model, comparison: &'a Comparison, width: u16, ellipsis: &'a str) -> Self {
        let layout = layout(model);
        let columns = match layout {
            Layout::Unified => 1,
            Layout::Beside => 2,
            Layout::Three => 3,
        };
        Self { comparison, layout, columns, width: width / columns, across: model.diff.across, ellipsis }
    }

    fn titles(&self, model: &Model) -> Row {
        let env = model.environment();
        let compared = model.shown().and_then(|item| env.times.commit_of_item(&ItemId::of(item)));
        let git = compared.map_or_else(|| String::from("GIT"), |commit| format!("GIT {}", text::short(commit)));
        let unit = model.shown().and_then(|item| env.unit(item.kind, &item.unit));
        let applied = unit.and_then(|unit| unit.runs.as_deref()).map(text::short).unwrap_or_default();
        let read = model.shown().and_then(|item| env.times.of_item(&ItemId::of(item)));
        let live = read.map_or_else(|| String::from("LIVE"), |at| format!("LIVE {}", model.clock.moment(at)));
        let titles = match self.layout {
            Layout::Unified => {
                let titles = [(format!("- {git}"), Role::Removed), (format!("+ {live}"), Role::Added)];
                return Row::default().flow(3, self.width, titles);
            }
            Layout::Beside => vec![git, live],
            Layout::Three => vec![git, format!("APPLIED {applied}"), live],
        };
        let add = |row: Row, (column, title): (u16, String)| {
            row.piece(column * self.width + 3, self.width.saturating_sub(4), title, Role::Heading)
        };
        (0..).zip(titles).fold(Row::default(), add)
    }

    /// The lines that are in sight, and no more.
    fn rows(&self, offset: usize, height: usize) -> Vec<Row> {
        self.comparison.lines.iter().skip(offset).take(height).map(|line| self.row(line)).collect()
    }

    fn row(&self, line: &Line) -> Row {
        let full = (self.width * self.columns).saturating_sub(6);
        match line {
            Line::Head(path, verdict) => {
                let verdict = (format!("{} {}", verdict.symbol(), verdict.word()), Role::from(verdict));
                Row::default().flow(1, full, [(path.clone(), Role::Heading), verdict])
            }
            Line::Note(text) => Row::default().piece(3, full, text, Role::Notice),
            Line::Skipped { count, indent } => {
                let indent = " ".repeat((*indent).min(40));
                Row::default().piece(5, full, format!("{indent}{} {count} equal", self.ellipsis), Role::Dim)
            }
            Line::Both(span) => self.cell(Row::default(), 0, "", span, None, [Role::Text; 2]),
            Line::Git(span, other) => {
                self.cell(Row::default(), 0, "-", span, other.as_ref(), [Role::Removed, Role::RemovedPart])
            }
            Line::Live(span, other) => {
                self.cell(Row::default(), 0, "+", span, other.as_ref(), [Role::Added, Role::AddedPart])
            }
            Line::Beside { cells, equal } => self.beside(cells, *equal),
        }
    }

    fn beside(&self, cells: &[Option<Span>; 3], equal: bool) -> Row {
        let [git, applied, live] = cells;
        let last = self.columns - 1;
        let mut row = Row::default();
        let looks = if equal {
            [[Role::Text; 2]; 2]
        } else {
            [[Role::Removed, Role::RemovedPart], [Role::Added, Role::AddedPart]]
        };
        let signs = if equal { ["", ""] } else { ["-", "+"] };
        if let Some(span) = git {
            row = self.cell(row, 0, signs[0], span, live.as_ref(), looks[0]);
        }
        if let Some(span) = applied.as_ref().filter(|_| self.layout == Layout::Three) {
            row = self.cell(row, 1, "", span, git.as_ref(), [Role::Text, Role::Strong]);
        }
        if let Some(span) = live {
            row = self.cell(row, last, signs[1], span, git.as_ref(), looks[1]);
        }
        row
    }

    /// One side's line, with what its counterpart lacks marked.
    fn cell(&self, row: Row, column: u16, sign: &str, span: &Span, other: Option<&Span>, roles: [Role; 2]) -> Row {
        let spoken = self.comparison.spoken(span);
        // Words about a side are no line of it.
        let ([plain, part], sign) = spoken.map_or((roles, sign), |role| ([role; 2], ""));
        let text = self.comparison.text(span);
        let other = other.filter(|other| self.comparison.spoken(other).is_none());
        let marked = match other {
            Some(other) if plain != part => changed(text, self.comparison.text(other)).0,
            _ => Vec::new(),
        };
        let at = column * self.width;
        let row = if sign.is_empty() { row } else { row.piece(at + 3, 1, sign, plain) };
        let window = Window { at: at + 5, room: self.width.saturating_sub(6), across: self.across };
        window::add(row, window, &segments(text, &marked, plain, part), self.ellipsis)
    }
}

fn segments<'a>(text: &'a str, marked: &[Range<usize>], plain: Role, part: Role) -> Vec<(&'a str, Role)> {
    let mut segments = Vec::with_capacity(marked.len() * 2 + 1);
    let mut at = 0;
    for range in marked {
        segments.push((&text[at..range.start], plain));
        segments.push((&text[range.clone()], part));
        at = range.end;
    }
    segments.push((&text[at..], plain));
    segments.retain(|(text, _)| !text.is_empty());
    segments
}
