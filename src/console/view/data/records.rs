//! The last records: when, from whom, how long, and how each begins.

use ratatui::layout::Rect;

use super::super::ink::{Ink, Row};
use super::{age, below, head, is_open, nothing, size};
use crate::console::model::Model;
use crate::console::page::data::{Part, record_at};
use crate::console::text;
use crate::console::theme::Role;
use crate::ops::intake::Record;

/// The longest name of a source that is shown, where there is room, and where there is little.
const SOURCES: [(u16, usize); 2] = [(70, 20), (0, 12)];

/// How much of a record is looked at for a line of it.
const BEGINNING: usize = 400;

pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, area: Rect, spin: &str) -> usize {
    let asked = &model.environment().data.records;
    let records = model.environment().data.records();
    let mut facts = Vec::new();
    if let (false, Some(newest)) = (is_open(area), records.first().and_then(Record::at)) {
        facts.push((format!("last {} ago", model.clock.age(newest)), Role::Text));
    }
    facts.extend(age(ink, model, asked, spin));
    head(ink, model, area, Part::Records, "LAST RECORDS", facts);
    if !is_open(area) {
        return 0;
    }
    let list = below(area);
    if records.is_empty() {
        let none = "no record came in within the last two weeks";
        ink.rows(list, &nothing(asked, (spin, "asking for the last records"), none, area.width), 0);
        return 0;
    }
    let longest = SOURCES.iter().find(|(width, _)| area.width >= *width).map_or(12, |(_, longest)| *longest);
    let source = records.iter().map(|record| text::width(&record.source)).max().unwrap_or(0).min(longest);
    let here = record_at(model);
    let strong = model.data.part == Part::Records;
    for (y, (at, record)) in (list.y..list.bottom()).zip(records.iter().enumerate().skip(model.data.first_record)) {
        let line = Rect { y, height: 1, ..list };
        ink.row(line, &row(model, record, source, area.width));
        if at == here {
            ink.select(line, strong);
        }
    }
    ink.more(Rect { height: 1, ..area }, model.data.first_record, true);
    records.len().saturating_sub(model.data.first_record + usize::from(list.height))
}

fn row(model: &Model, record: &Record, source: usize, width: u16) -> Row {
    let when = record.at().map(|at| {
        let is_today = (model.clock.now - at) < 86_400_000;
        if is_today { model.clock.time(at) } else { model.clock.moment(at) }
    });
    let columns = u16::try_from(source).unwrap_or(0);
    let beginning: String = record.body.chars().take(BEGINNING).collect();
    let beginning = beginning.split_whitespace().collect::<Vec<_>>().join(" ");
    let at = 12 + columns + 2 + 8 + 2;
    Row::default()
        .piece(3, 8, when.unwrap_or_default(), Role::Dim)
        .piece(12, columns, record.source.clone(), Role::Strong)
        .piece(12 + columns + 2, 8, format!("{:>8}", size(record.bytes)), Role::Dim)
        .piece(at, width.saturating_sub(at + 1), beginning, Role::Text)
}
