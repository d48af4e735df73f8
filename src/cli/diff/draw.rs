//! An item's difference on paper: unified, or side by side.

use std::io::{self, Write};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::rows::{self, Row};
use crate::cli::clean;
use crate::compare::{Facet, Fingerprinter, Item, Kind, Sides, Verdict};
use crate::ops::schema;

const INDENT: &str = "    ";
const RED: &str = "31";
const GREEN: &str = "32";
const BOLD: &str = "1";
const DIM: &str = "2";

/// How the two sides stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Live below git.
    Unified,
    /// Git left, live right, in so many columns.
    SideBySide(usize),
}

/// How differences are drawn.
pub(super) struct Draw<'a> {
    pub(super) fingerprinter: &'a Fingerprinter,
    pub(super) reveal: bool,
    pub(super) colour: bool,
    pub(super) layout: Layout,
    /// Whether what is unknown is told once for each reason, without its sides.
    pub(super) fold: bool,
}

impl Draw<'_> {
    /// One item with all that differs in it.
    pub(super) fn item(&self, out: &mut Vec<u8>, item: &Item) -> io::Result<()> {
        writeln!(out, "{}", self.paint(BOLD, &title(item)))?;
        let detail = detail(item);
        if !detail.is_empty() {
            writeln!(out, "  {}", self.paint(DIM, &clean(&detail)))?;
        }
        let reason = reason(item);
        if !reason.is_empty() {
            writeln!(out, "  {}", clean(reason))?;
        }
        let differing: Vec<_> = item.rows.iter().filter(|row| row.verdict != Verdict::InSync).collect();
        let mut told: Vec<&str> = Vec::new();
        for row in &differing {
            let (symbol, word) = (row.verdict.symbol(), row.verdict.word());
            if let Verdict::Unknown(why) = &row.verdict
                && self.fold
            {
                if !told.contains(&why.reason.as_str()) {
                    told.push(&why.reason);
                    let same = |other: &&&crate::compare::Row| matches!(&other.verdict, Verdict::Unknown(also) if also.reason == why.reason);
                    let others = more(differing.iter().filter(same).count() - 1);
                    let path = format!("{}{others}", clean(&row.path));
                    writeln!(out, "  {}   {symbol} {word}   {}", self.paint(BOLD, &path), clean(&why.reason))?;
                }
                continue;
            }
            writeln!(out, "  {}   {symbol} {word}", self.paint(BOLD, &clean(&row.path)))?;
            self.sides(out, &row.sides)?;
        }
        if item.rows.is_empty() || differing.is_empty() {
            self.sides(out, &presence(item))?;
        }
        Ok(())
    }

    /// An item that is unknown, in place of all that are for the same reason.
    pub(super) fn folded(&self, out: &mut Vec<u8>, item: &Item, others: usize) -> io::Result<()> {
        writeln!(out, "{}", self.paint(BOLD, &format!("{}{}", title(item), more(others))))?;
        writeln!(out, "  {}", clean(reason(item)))
    }

    fn sides(&self, out: &mut Vec<u8>, sides: &Sides) -> io::Result<()> {
        if let Layout::SideBySide(columns) = self.layout {
            self.split(out, columns, "GIT", ' ', "LIVE", Some(DIM))?;
        } else {
            writeln!(out, "{INDENT}{}", self.paint(DIM, "- git   + live"))?;
        }
        for row in rows::rows(&sides.git, &sides.live, self.fingerprinter, self.reveal) {
            match self.layout {
                Layout::Unified => self.unified(out, &row)?,
                Layout::SideBySide(columns) => self.beside(out, columns, &row)?,
            }
        }
        if let Some(applied) = self.applied(sides) {
            writeln!(out, "{INDENT}{}", self.paint(DIM, &format!("last rolled out: {}", clean(&applied))))?;
        }
        Ok(())
    }

    /// What was rolled out last, where that says something that the sides do not.
    fn applied(&self, sides: &Sides) -> Option<String> {
        match &sides.applied {
            Facet::Unrecorded | Facet::Unread => None,
            // That two things cannot be read does not make them the same.
            Facet::Unreadable(_) if matches!(sides.git, Facet::Unreadable(_)) => None,
            applied if *applied == sides.git => Some("what git says".to_owned()),
            applied if *applied == sides.live => Some("what is live".to_owned()),
            applied => Some(rows::side(applied, self.fingerprinter, self.reveal)),
        }
    }

    fn unified(&self, out: &mut Vec<u8>, row: &Row) -> io::Result<()> {
        match row {
            Row::Heading(text) => writeln!(out, "{INDENT}{}", self.paint(DIM, &format!("@ {}", clean(text)))),
            Row::Equal(text) => writeln!(out, "{INDENT}  {}", clean(text)),
            Row::Differs(left, right) => {
                if let Some(text) = left {
                    writeln!(out, "{INDENT}{}", self.paint(RED, &format!("- {}", clean(text))))?;
                }
                if let Some(text) = right {
                    writeln!(out, "{INDENT}{}", self.paint(GREEN, &format!("+ {}", clean(text))))?;
                }
                Ok(())
            }
        }
    }

    fn beside(&self, out: &mut Vec<u8>, columns: usize, row: &Row) -> io::Result<()> {
        match row {
            Row::Heading(_) => self.unified(out, row),
            Row::Equal(text) => self.split(out, columns, text, '=', text, None),
            Row::Differs(left, right) => {
                let mark = match (left, right) {
                    (Some(_), Some(_)) => '|',
                    (Some(_), None) => '<',
                    _ => '>',
                };
                let (left, right) = (left.as_deref().unwrap_or_default(), right.as_deref().unwrap_or_default());
                self.split(out, columns, left, mark, right, None)
            }
        }
    }

    /// Two texts beside each other, each broken to its half; the mark says how they relate, as `sdiff` does.
    fn split(
        &self,
        out: &mut Vec<u8>,
        columns: usize,
        left: &str,
        mark: char,
        right: &str,
        colour: Option<&str>,
    ) -> io::Result<()> {
        let width = columns.saturating_sub(INDENT.len() + 3) / 2;
        let (left, right) = (broken(&clean(left), width), broken(&clean(right), width));
        let differs = matches!(mark, '|' | '<' | '>');
        for at in 0..left.len().max(right.len()) {
            let (one, two) = (left.get(at).map_or("", String::as_str), right.get(at).map_or("", String::as_str));
            let padded = format!("{one}{}", " ".repeat(width.saturating_sub(one.width())));
            let padded = self.paint(colour.unwrap_or(if differs { RED } else { "" }), &padded);
            let two = self.paint(colour.unwrap_or(if differs { GREEN } else { "" }), two);
            writeln!(out, "{}", format!("{INDENT}{padded} {mark} {two}").trim_end())?;
        }
        Ok(())
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour && !code.is_empty() && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

fn title(item: &Item) -> String {
    format!("{} {:<9} {} {}", item.verdict.symbol(), item.verdict.word(), item.kind.code(), clean(&item.name))
}

/// Why the verdict is what it is; may be empty.
pub(super) fn reason(item: &Item) -> &str {
    match &item.verdict {
        Verdict::Unknown(why) if item.reason.is_empty() => &why.reason,
        _ => &item.reason,
    }
}

/// `  +10`: so many others that the line stands for.
fn more(others: usize) -> String {
    if others > 0 { format!("  +{others}") } else { String::new() }
}

/// A resource as a whole has no value to be read: it is on a side, or it is not.
fn presence(item: &Item) -> Sides {
    let Sides { git, applied, live } = item.sides.clone();
    let word = |facet: Facet, there: &str, gone: &str| match facet {
        Facet::Unread => Facet::Plain(there.to_owned()),
        Facet::Absent => Facet::Plain(gone.to_owned()),
        other => other,
    };
    if item.kind != Kind::Stack || (git == Facet::Unread && live == Facet::Unread) {
        return Sides { git, applied, live };
    }
    // It was rolled out once when a receipt says so, or when the verdict could only come from that.
    let was_there = applied == Facet::Unread || matches!(item.verdict, Verdict::Drifted);
    let gone = if was_there { "deleted" } else { "not there" };
    Sides {
        git: word(git, "in the template", "not in the template"),
        applied: if applied == Facet::Absent { Facet::Plain("not in the template".into()) } else { applied },
        live: word(live, "there", gone),
    }
}

fn detail(item: &Item) -> String {
    let mut parts = Vec::new();
    if !item.type_name.is_empty() {
        parts.push(item.type_name.clone());
    }
    parts.extend(item.file.clone());
    if let Some(version) = &item.version {
        parts.push(format!("live version {version}"));
    }
    if let Some(changed) = &item.changed {
        let at = changed.at.map(schema::time).unwrap_or_default();
        let by = changed.by.as_deref().map(|by| format!("by {by}")).unwrap_or_default();
        let text = format!("{at} {by}");
        parts.extend(Some(text.trim().to_owned()).filter(|text| !text.is_empty()));
    }
    parts.join("   ")
}

/// A text in lines of at most so many columns.
fn broken(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for character in text.chars() {
        let columns = character.width().unwrap_or(0);
        if used + columns > width && used > 0 {
            lines.push(String::new());
            used = 0;
        }
        if let Some(line) = lines.last_mut() {
            line.push(character);
        }
        used += columns;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::{Row, Why};
    use crate::secret::Secret;

    fn item(git: Facet, live: Facet) -> Item {
        Item {
            kind: Kind::Parameter,
            name: "/a/\u{1b}[31mb".into(),
            unit: String::new(),
            type_name: String::new(),
            physical_id: None,
            logical_id: None,
            verdict: Verdict::Drifted,
            reason: "differs only in letter case".into(),
            sides: Sides { applied: git.clone(), git, live },
            rows: Vec::new(),
            changed: None,
            version: None,
            file: None,
        }
    }

    fn drawn(layout: Layout, colour: bool, reveal: bool) -> String {
        let print = Fingerprinter::new([3; 32]);
        let draw = Draw { fingerprinter: &print, reveal, colour, layout, fold: true };
        let mut out = Vec::new();
        let secret = |text: &str| Facet::Secret(Secret::new(text));
        draw.item(&mut out, &item(secret("hunter2"), secret("HUNTER2"))).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn unified_is_masked_clean_and_says_why() {
        let text = drawn(Layout::Unified, false, false);
        assert!(text.starts_with("~ drifted   parameter /a/␛[31mb\n  differs only in letter case\n"), "{text}");
        assert!(text.contains("    - •••• fp ") && text.contains("    + •••• fp ") && text.contains("len 7"), "{text}");
        assert!(text.contains("last rolled out: what git says"));
        assert!(!text.to_lowercase().contains("hunter2") && !text.contains('\u{1b}'));
    }

    fn plainly(item: &Item) -> String {
        let print = Fingerprinter::new([3; 32]);
        let draw = Draw { fingerprinter: &print, reveal: false, colour: false, layout: Layout::Unified, fold: true };
        let mut out = Vec::new();
        draw.item(&mut out, item).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_resource_that_was_deleted_is_told_as_present_on_one_side() {
        let deleted = Item { kind: Kind::Stack, ..item(Facet::Unread, Facet::Absent) };
        let text = plainly(&deleted);
        assert!(text.contains("- in the template") && text.contains("+ deleted"), "{text}");
    }

    #[test]
    fn two_sides_that_cannot_be_read_are_not_called_the_same() {
        let unreadable = Facet::Unreadable(Why::new("no key"));
        let text = plainly(&item(unreadable, Facet::Absent));
        assert!(!text.contains("last rolled out"), "{text}");
    }

    #[test]
    fn properties_that_are_unknown_for_one_reason_are_one_line() {
        let row = |path: &str| Row {
            path: path.into(),
            verdict: Verdict::Unknown(Why::new("a function of AWS")),
            sides: Sides { git: Facet::Unread, applied: Facet::Unread, live: Facet::Unread },
        };
        let rows = vec![row("Policy"), row("Role"), row("Timeout")];
        let text = plainly(&Item { rows, ..item(Facet::Unread, Facet::Unread) });
        assert!(text.contains("  Policy  +2   ? unknown   a function of AWS\n"), "{text}");
        assert!(!text.contains("Role"), "{text}");
    }

    #[test]
    fn values_are_revealed_on_demand_and_marked_beside_each_other() {
        let text = drawn(Layout::SideBySide(60), false, true);
        assert!(text.lines().any(|line| line.contains("hunter2") && line.contains(" | HUNTER2")), "{text}");
        assert!(text.lines().all(|line| line.width() <= 60), "{text}");
    }

    #[test]
    fn colour_adds_nothing_but_colour() {
        let plain: String = drawn(Layout::Unified, false, false);
        let mut coloured = drawn(Layout::Unified, true, false);
        assert_ne!(plain, coloured);
        for code in ["\u{1b}[31m", "\u{1b}[32m", "\u{1b}[1m", "\u{1b}[2m", "\u{1b}[0m"] {
            coloured = coloured.replace(code, "");
        }
        assert_eq!(plain, coloured);
    }

    #[test]
    fn long_texts_are_broken_by_what_a_terminal_shows() {
        assert_eq!(broken("日本語x", 4), ["日本", "語x"]);
        assert_eq!(broken("", 4), [""]);
    }
}
