//! How much comes in: a line over the last days, a bar for each of the last seven and for each source.

use ratatui::layout::Rect;

use super::super::ink::{Ink, Row};
use super::{Line, age, below, figure, head, is_open, nothing, records};
use crate::console::model::Model;
use crate::console::page::data::Part;
use crate::console::text;
use crate::console::theme::{Role, Symbols, UNICODE};
use crate::ops::intake::count::{Count, by_source};

/// How many days have a bar.
const DAYS: usize = 7;

/// The longest name of a source that is shown.
const LONGEST: usize = 16;

/// A bar: its name, its number, and whether that is all of it.
pub(super) type Bar = (String, u64, bool);

pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, area: Rect, spin: &str) -> usize {
    let asked = &model.environment().data.counts;
    let counts = asked.found.value().map_or(&[][..], Vec::as_slice);
    let symbols = *ink.symbols();
    let mut facts: Vec<Line> = Vec::new();
    if !counts.is_empty() {
        let total = counts.iter().map(|count| count.records).sum();
        let least = if counts.iter().all(|count| count.whole) { "" } else { "at least " };
        facts.push((format!("{least}{} in {} days", records(total), counts.len()), Role::Text));
        if !is_open(area) {
            facts.push((counts.iter().map(|count| level(count, counts, &symbols)).collect(), Role::Strong));
        }
    }
    facts.extend(age(ink, model, asked, spin));
    head(ink, model, area, Part::Rate, "RATE", facts);
    if !is_open(area) {
        return 0;
    }
    let list = below(area);
    if counts.is_empty() {
        let none = "nothing was counted";
        ink.rows(list, &nothing(asked, (spin, "counting the last days"), none, area.width), 0);
        return 0;
    }
    let rows = lines(counts, area.width, &symbols);
    let first = if model.data.part == Part::Rate { model.data.scroll } else { 0 };
    ink.rows(list, &rows, first);
    ink.more(Rect { height: 1, ..area }, first, true);
    rows.len().saturating_sub(first + usize::from(list.height))
}

/// How many lines there are.
pub(super) fn count(model: &Model, width: u16) -> usize {
    model.environment().data.counts.found.value().map_or(0, |counts| lines(counts, width, &UNICODE).len())
}

fn lines(counts: &[Count], width: u16, symbols: &Symbols) -> Vec<Row> {
    let mut line = Row::default();
    for (at, count) in (3..).zip(counts) {
        let role = if count.records == 0 { Role::Dim } else { Role::Strong };
        line = line.piece(at, 1, level(count, counts, symbols), role);
    }
    let most = counts.iter().map(|count| count.records).max().unwrap_or(0);
    let at = 3 + u16::try_from(counts.len()).unwrap_or(0) + 2;
    let mut rows =
        vec![line.piece(at, width.saturating_sub(at + 1), format!("{} a day at most", figure(most)), Role::Dim)];
    let days: Vec<Bar> =
        counts.iter().rev().take(DAYS).rev().map(|count| (count.day.to_string(), count.records, count.whole)).collect();
    let of_source = by_source(counts);
    let sources: Vec<Bar> = of_source.iter().map(|(source, records)| ((*source).to_owned(), *records, true)).collect();
    // All numbers end in one column.
    let widest = days.iter().chain(&sources).map(|bar| number(bar).len()).max().unwrap_or(0);
    for (title, bars) in [("BY DAY", days), ("BY SOURCE", sources)] {
        if !bars.is_empty() {
            rows.push(Row::default());
            rows.push(Row::default().piece(3, width, title, Role::Heading));
            rows.extend(chart(&bars, (width, widest), symbols));
        }
    }
    rows
}

/// How high a day is among the others. What is not nothing does not look like it.
fn level(count: &Count, counts: &[Count], symbols: &Symbols) -> &'static str {
    let most = counts.iter().map(|count| count.records).max().unwrap_or(0).max(1);
    let top = symbols.levels.len().saturating_sub(1);
    let height = share(count.records, most, top);
    symbols.levels.get(height).copied().unwrap_or_default()
}

/// How many of so many cells a number takes beside the greatest one: none is none, and some is at least one.
fn share(number: u64, most: u64, cells: usize) -> usize {
    let cells = u128::try_from(cells).unwrap_or(0);
    usize::try_from((u128::from(number) * cells).div_ceil(u128::from(most.max(1)))).unwrap_or(0)
}

fn number(bar: &Bar) -> String {
    format!("{}{}", figure(bar.1), if bar.2 { "" } else { "+" })
}

/// A line for each bar: its name, its number, and its length beside the greatest of them.
pub(super) fn chart(bars: &[Bar], (width, widest): (u16, usize), symbols: &Symbols) -> Vec<Row> {
    let names = bars.iter().map(|bar| text::width(&bar.0)).max().unwrap_or(0).clamp(10, LONGEST);
    let most = bars.iter().map(|bar| bar.1).max().unwrap_or(0);
    let (name, figures) = (u16::try_from(names).unwrap_or(0), u16::try_from(widest).unwrap_or(0));
    let at = 3 + name + 2 + figures + 2;
    let room = usize::from(width.saturating_sub(at + 2));
    let row = |bar: &Bar| {
        let full = symbols.lower.repeat(share(bar.1, most, room));
        Row::default()
            .piece(3, name, bar.0.clone(), Role::Text)
            .piece(3 + name + 2, figures, format!("{:>widest$}", number(bar)), Role::Strong)
            .piece(at, u16::try_from(room).unwrap_or(0), full, Role::Pending)
    };
    bars.iter().map(row).collect()
}

/// The width of the widest number of these bars.
pub(super) fn widest(bars: &[Bar]) -> usize {
    bars.iter().map(|bar| number(bar).len()).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn some_is_seen_and_the_greatest_takes_all() {
        for (number, most, cells, expected) in
            [(0, 10, 20, 0), (1, 1_000_000, 20, 1), (10, 10, 20, 20), (5, 10, 20, 10), (0, 0, 20, 0), (7, 7, 0, 0)]
        {
            assert_eq!(share(number, most, cells), expected, "{number} of {most}");
        }
        assert_eq!(share(u64::MAX, u64::MAX, 300), 300);
    }
}
