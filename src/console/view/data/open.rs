//! What is opened: a record line by line, or a week with what its summary says and what was proven of it.

use ratatui::layout::Rect;

use super::super::ink::{Ink, Row};
use super::rate::{Bar, chart, widest};
use super::{Line, age, below, figure, nothing, records, size, told, weeks, wrapped};
use crate::console::action::Action;
use crate::console::model::Model;
use crate::console::page::data::{Opened, Text};
use crate::console::text;
use crate::console::theme::{Role, Symbols, UNICODE};
use crate::ops::intake::Record;
use crate::ops::schema::time;
use crate::ops::summary::verify::{Recomputed, Stored, Verified};
use crate::ops::summary::{Field, Manifest, Summary, Week};

/// The longest name of a field that is shown.
const LONGEST: usize = 40;

pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, body: Rect, spin: &str) -> usize {
    let Some(open) = &model.data.open else { return 0 };
    let symbols = *ink.symbols();
    let (title, facts) = match open {
        Opened::Record(record, _) => (format!("RECORD  {}", record.id), of_record(model, record)),
        Opened::Week(week) => (format!("SUMMARY  {week}"), of_week(ink, model, *week, spin)),
    };
    let pieces = std::iter::once((title, Role::Heading)).chain(facts);
    ink.row(Rect { height: 1, ..body }, &Row::default().flow(1, body.width.saturating_sub(1), pieces).ruled());
    let area = below(body);
    let first = model.data.scroll;
    let total = match open {
        Opened::Record(_, Text(lines)) => {
            let seen = lines.iter().skip(first).take(usize::from(area.height));
            let rows: Vec<Row> = seen
                .map(|line| Row::default().piece(3, area.width.saturating_sub(4), line.clone(), Role::Text))
                .collect();
            ink.rows(area, &rows, 0);
            lines.len()
        }
        Opened::Week(week) => {
            let rows = lines(model, *week, (area.width, spin), &symbols);
            ink.rows(area, &rows, first);
            rows.len()
        }
    };
    ink.more(Rect { height: 1, ..body }, first, true);
    total.saturating_sub(first + usize::from(area.height))
}

/// How many lines what is open has.
pub(super) fn count(model: &Model, width: u16) -> usize {
    match &model.data.open {
        None => 0,
        Some(Opened::Record(_, Text(lines))) => lines.len(),
        Some(Opened::Week(week)) => lines(model, *week, (width, ""), &UNICODE).len(),
    }
}

fn of_record(model: &Model, record: &Record) -> Vec<Line> {
    let ago = record.at().map(|at| format!("{} ago", model.clock.age(at)));
    let expires = record.expires.map(|at| format!("expires {}", time(at.saturating_mul(1000))));
    vec![
        (record.source.clone(), Role::Strong),
        (record.received.clone(), Role::Text),
        (ago.unwrap_or_default(), Role::Dim),
        (size(record.bytes), Role::Dim),
        (expires.unwrap_or_default(), Role::Dim),
    ]
}

fn of_week(ink: &Ink<'_>, model: &Model, week: Week, spin: &str) -> Vec<Line> {
    let known = &model.environment().data;
    known.summaries.get(&week).map(|asked| age(ink, model, asked, spin)).unwrap_or_default()
}

/// All there is to say of a week.
fn lines(model: &Model, week: Week, (width, spin): (u16, &str), symbols: &Symbols) -> Vec<Row> {
    let known = &model.environment().data;
    let listed = known.lines(model.clock.now);
    let line = listed.iter().find(|line| line.week == week);
    let row = line.and_then(|line| line.row);
    let mut rows = match row.map(|row| &row.manifest) {
        None => {
            let key = model.keymap.key(Action::DataSummarise);
            return wrapped(&format!("- it has no summary: {key} makes it"), Role::GitOnly, width);
        }
        Some(Err(why)) => told(why, width),
        Some(Ok(manifest)) => {
            let written = row.and_then(|row| row.written_at).map(|at| format!("written {} ago", model.clock.age(at)));
            stored(manifest, written.unwrap_or_default(), width)
        }
    };
    match line.and_then(|line| line.proof) {
        None => {
            let key = model.keymap.key(Action::DataVerify);
            rows.extend(wrapped(&format!(". not verified: {key} verifies it"), Role::Dim, width));
        }
        Some(proof) => {
            let (word, role) = weeks::proven(proof, spin);
            rows.extend(wrapped(&word, role, width));
            rows.extend(proof.found.value().into_iter().flat_map(|verified| proof_of(verified, width)));
        }
    }
    if let Some(asked) = known.summaries.get(&week) {
        rows.push(Row::default());
        match asked.found.value() {
            Some((_, summary)) => rows.extend(contents(summary, width, symbols)),
            None => rows.extend(nothing(asked, (spin, "reading the summary"), "", width)),
        }
    }
    rows
}

fn stored(manifest: &Manifest, written: String, width: u16) -> Vec<Row> {
    let facts = [
        (format!("{} to {}", manifest.from, manifest.to), Role::Dim),
        (records(manifest.records), Role::Strong),
        (size(manifest.bytes), Role::Text),
        (written, Role::Dim),
    ];
    vec![Row::default().flow(3, width.saturating_sub(1), facts)]
}

fn proof_of(verified: &Verified, width: u16) -> Vec<Row> {
    let names = verified.files.iter().map(|(name, _)| text::width(name)).max().unwrap_or(0).min(LONGEST);
    let at = 5 + u16::try_from(names).unwrap_or(0) + 2;
    let file = |(name, how): &(String, Stored)| {
        let word = match how {
            Stored::Whole => String::from("whole"),
            Stored::Differs(bytes, sha256) => format!("differs: {bytes} bytes, SHA-256 {sha256}"),
            Stored::Missing => String::from("is missing"),
            Stored::Unknown(why) => why.reason.clone(),
        };
        let (sign, role) = weeks::sign(how.standing());
        Row::default().piece(5, u16::try_from(names).unwrap_or(0), name.clone(), Role::Text).flow(
            at,
            width.saturating_sub(1),
            [(format!("{sign} {word}"), role)],
        )
    };
    let mut rows: Vec<Row> = verified.files.iter().map(file).collect();
    match &verified.table {
        Some(Recomputed::Differs(count, files)) => {
            let line = format!("  the table has {} now; other bytes: {}", records(*count), files.join(", "));
            rows.extend(wrapped(&line, Role::Diverged, width));
        }
        Some(Recomputed::Unknown(why)) => rows.extend(told(why, width)),
        Some(Recomputed::Same) | None => {}
    }
    rows
}

fn contents(summary: &Summary, width: u16, symbols: &Symbols) -> Vec<Row> {
    let mut rows = Vec::new();
    for (word, point) in [("first", &summary.first), ("last", &summary.last)] {
        let Some(point) = point else { continue };
        let pieces =
            [(format!("{word:<5}"), Role::Dim), (point.received.clone(), Role::Text), (point.id.clone(), Role::Dim)];
        rows.push(Row::default().flow(3, width.saturating_sub(1), pieces));
    }
    let bars = |counts: &std::collections::BTreeMap<String, u64>| -> Vec<Bar> {
        counts.iter().map(|(name, count)| (name.clone(), *count, true)).collect()
    };
    let days = bars(&summary.days);
    let mut sources = bars(&summary.sources);
    sources.sort_by_key(|source| std::cmp::Reverse(source.1));
    let column = widest(&days).max(widest(&sources));
    for (title, bars) in [("BY DAY", days), ("BY SOURCE", sources)] {
        if !bars.is_empty() {
            rows.extend([Row::default(), Row::default().piece(3, width, title, Role::Heading)]);
            rows.extend(chart(&bars, (width, column), symbols));
        }
    }
    if !summary.fields.is_empty() {
        rows.extend([Row::default(), Row::default().piece(3, width, "FIELDS", Role::Heading)]);
        let names = summary.fields.keys().map(|name| text::width(name)).max().unwrap_or(0).min(LONGEST);
        let present: Vec<String> = summary.fields.values().map(|field| figure(field.present)).collect();
        let column = present.iter().map(String::len).max().unwrap_or(0);
        let fields = summary.fields.iter().zip(&present);
        rows.extend(fields.map(|((name, of), count)| field(name, of, (names, &format!("{count:>column$}")), width)));
    }
    if summary.more_fields > 0 {
        rows.extend(wrapped(&format!("and {} more fields", figure(summary.more_fields)), Role::Dim, width));
    }
    rows
}

fn field(name: &str, field: &Field, (names, present): (usize, &str), width: u16) -> Row {
    let columns = u16::try_from(names).unwrap_or(0);
    let mut pieces: Vec<Line> = vec![(format!("in {present}"), Role::Text)];
    if let Some(numbers) = &field.numbers {
        for (word, value) in [("min", &numbers.min), ("mean", &numbers.mean), ("max", &numbers.max)] {
            pieces.push((format!("{word} {value}"), Role::Text));
        }
        let percentiles = numbers.percentiles.iter().map(|(percent, value)| format!("p{percent} {value}"));
        pieces.extend(percentiles.map(|line| (line, Role::Dim)));
    }
    Row::default().piece(3, columns, name, Role::Strong).flow(3 + columns + 2, width.saturating_sub(1), pieces)
}
