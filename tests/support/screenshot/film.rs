//! Screens one after the other, as one animated SVG and as an asciicast.
//!
//! How long each is seen is said by whoever makes the film; nothing of it is measured. A row that stays is drawn once.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::committed::changes;
use super::{Paper, drawn_cursor, drawn_row, ground, head};

/// Screens of one size, each with the time for which it is seen, in milliseconds.
pub struct Film {
    title: String,
    frames: Vec<(vt100::Screen, u64)>,
}

impl Film {
    pub fn new(title: &str) -> Self {
        Self { title: title.to_owned(), frames: Vec::new() }
    }

    /// Shows a screen for so long.
    pub fn show(&mut self, screen: vt100::Screen, milliseconds: u64) {
        self.frames.push((screen, milliseconds));
    }

    /// How long it is, in milliseconds.
    pub fn length(&self) -> u64 {
        self.frames.iter().map(|(_, time)| time).sum()
    }

    /// The film as an asciicast, version 2.
    ///
    /// # Panics
    /// When nothing was shown.
    pub fn cast(&self) -> String {
        let (first, _) = self.frames.first().expect("a film has a frame");
        let (rows, columns) = first.size();
        let header = serde_json::json!({
            "version": 2, "width": columns.get(), "height": rows.get(), "title": self.title,
            "env": { "TERM": "xterm-256color" },
        });
        let mut cast = format!("{header}\n");
        let mut at = 0;
        let mut before: Option<&vt100::Screen> = None;
        for (screen, time) in &self.frames {
            let bytes = before.map_or_else(|| screen.contents_formatted(), |before| screen.contents_diff(before));
            let _ = writeln!(cast, "[{}, \"o\", {}]", seconds(at), serde_json::Value::from(bytes));
            at += time;
            before = Some(screen);
        }
        // Players stop at the last event, and the last screen is to be read.
        let _ = writeln!(cast, "[{}, \"o\", \"\"]", seconds(at));
        cast
    }

    /// The first frame that is not that of an asciicast, in words; `None` when all are.
    pub fn differs(&self, cast: &str) -> Option<String> {
        let (rows, columns) = self.frames.first()?.0.size();
        let mut parser = vt100::Parser::new(rows, columns, 0);
        let mut events = cast.lines().skip(1);
        for (number, (screen, _)) in self.frames.iter().enumerate() {
            let event: serde_json::Value =
                events.next().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
            parser.process(event[2].as_str().unwrap_or_default().as_bytes());
            if let Some(changes) = changes(&parser.screen().contents(), &screen.contents()) {
                return Some(format!("frame {number} (- committed, + now):\n{changes}"));
            }
        }
        (self.cast() != cast).then(|| "the frames say the same and look or last otherwise".to_owned())
    }

    /// The film as an SVG that plays again and again, by CSS alone. Its text is text.
    ///
    /// # Panics
    /// When nothing was shown.
    pub fn svg(&self, paper: Paper) -> String {
        let (first, _) = self.frames.first().expect("a film has a frame");
        let length = self.length();
        let ground = self.frames.last().map_or(paper.background(), |(screen, _)| ground(screen, paper));
        let mut stretches: BTreeMap<(u64, u64), usize> = BTreeMap::new();
        let mut body = String::new();
        let mut put = |drawn: &str, from: u64, to: u64| {
            if drawn.is_empty() {
                return;
            }
            if (from, to) == (0, length) {
                body.push_str(drawn);
                return;
            }
            let next = stretches.len();
            let class = *stretches.entry((from, to)).or_insert(next);
            let _ = write!(body, "<g class=\"f{class}\">\n{drawn}</g>\n");
        };
        for row in 0..first.size().0.get() {
            self.stretches(|screen| drawn_row(screen, row, (paper, ground)), &mut put);
        }
        let cursor = |screen: &vt100::Screen| {
            if screen.hide_cursor() { String::new() } else { drawn_cursor(screen, paper) }
        };
        self.stretches(cursor, &mut put);
        let mut style = String::from("<style>\n");
        for ((from, to), class) in &stretches {
            let _ = writeln!(
                style,
                ".f{class}{{visibility:hidden;animation:f{class} {}s step-end infinite}}",
                seconds(length)
            );
            let (begin, end) = (percent(*from, length), percent(*to, length));
            let before = if *from == 0 { String::new() } else { "0%{visibility:hidden}".to_owned() };
            let after = if *to == length { String::new() } else { format!("{end}{{visibility:hidden}}") };
            let _ = writeln!(style, "@keyframes f{class}{{{before}{begin}{{visibility:visible}}{after}}}");
        }
        style.push_str("</style>\n");
        let title = self.title.replace('&', "&amp;").replace('<', "&lt;");
        let head = head(first.size(), ground, &format!("<title>{title}</title>\n{style}"));
        format!("{head}{body}</g>\n</svg>\n")
    }

    /// Draws a part of each frame, and puts what is the same in neighbours once, from when until when.
    fn stretches(&self, draw: impl Fn(&vt100::Screen) -> String, put: &mut impl FnMut(&str, u64, u64)) {
        let mut at = 0;
        let mut seen: Option<(String, u64)> = None;
        for (screen, time) in &self.frames {
            let drawn = draw(screen);
            match &seen {
                Some((before, _)) if *before == drawn => {}
                _ => {
                    if let Some((before, from)) = seen.replace((drawn, at)) {
                        put(&before, from, at);
                    }
                }
            }
            at += time;
        }
        if let Some((drawn, from)) = seen {
            put(&drawn, from, at);
        }
    }
}

/// Milliseconds as seconds, exactly.
fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000)
}

/// A part of a whole, to a thousandth of a percent.
fn percent(part: u64, whole: u64) -> String {
    let thousandths = part * 100_000 / whole.max(1);
    format!("{}.{:03}%", thousandths / 1000, thousandths % 1000)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU16;

    use super::*;

    fn screen(text: &str) -> vt100::Screen {
        let mut parser = vt100::Parser::new(NonZeroU16::new(3).unwrap(), NonZeroU16::new(20).unwrap(), 0);
        parser.process(format!("\x1b[?25l{text}").as_bytes());
        parser.screen().clone()
    }

    fn film() -> Film {
        let mut film = Film::new("A & B");
        film.show(screen("stays\r\none"), 1500);
        film.show(screen("stays\r\ntwo"), 500);
        film.show(screen("stays\r\none"), 2000);
        film
    }

    #[test]
    fn what_stays_is_drawn_once_and_what_changes_for_its_time() {
        let svg = film().svg(Paper::Dark);
        assert_eq!((svg.matches(">stays<").count(), svg.matches(">one<").count()), (1, 2), "{svg}");
        for part in [
            "@keyframes f0{0.000%{visibility:visible}37.500%{visibility:hidden}}",
            "@keyframes f1{0%{visibility:hidden}37.500%{visibility:visible}50.000%{visibility:hidden}}",
            "@keyframes f2{0%{visibility:hidden}50.000%{visibility:visible}}",
            "animation:f1 4.000s step-end infinite",
            "<title>A &amp; B</title>",
        ] {
            assert!(svg.contains(part), "{part} in {svg}");
        }
    }

    #[test]
    fn a_cast_played_to_its_end_is_the_last_screen() {
        let cast = film().cast();
        let lines: Vec<serde_json::Value> = cast.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((lines[0]["version"].as_u64(), lines[0]["width"].as_u64()), (Some(2), Some(20)));
        let times: Vec<f64> = lines[1..].iter().map(|event| event[0].as_f64().unwrap()).collect();
        assert_eq!(times, [0.0, 1.5, 2.0, 4.0]);
        let mut parser = vt100::Parser::new(NonZeroU16::new(3).unwrap(), NonZeroU16::new(20).unwrap(), 0);
        lines[1..].iter().for_each(|event| parser.process(event[2].as_str().unwrap().as_bytes()));
        assert_eq!(parser.screen().contents(), screen("stays\r\none").contents());
        assert_eq!(film().differs(&cast), None);
        let said = film().differs(&cast.replace("two", "too")).unwrap();
        assert!(said.starts_with("frame 1 ") && said.contains("- too") && said.contains("+ two"), "{said}");
        assert!(film().differs(&cast.replace("1.500", "1.400")).is_some());
    }
}
