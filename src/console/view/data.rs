//! The data page: the last records and the weeks, and beside them how much comes in; where there is little room, one of
//! them is open and the others are a line each. What is opened takes the whole page.

mod open;
mod rate;
mod records;
mod weeks;

use ratatui::layout::{Position, Rect};

use super::header::spinner;
use super::ink::{Ink, Row};
use super::parts::{self, is_open, stacked};
use super::said::{told, wrapped};
use crate::console::model::Model;
use crate::console::page::data::{Asked, Part, Place};
use crate::console::pointer::Spot;
use crate::console::remote::Remote;
use crate::console::theme::Role;

/// Columns from which all parts are open.
const WIDE: u16 = 100;

/// A line of text.
type Line = (String, Role);

/// Where the parts are. One that is closed is a line high.
struct Places {
    records: Rect,
    weeks: Rect,
    rate: Rect,
}

/// How much of the lists is seen, and how far down what is open can be scrolled, and what comes in.
pub(in crate::console) struct Sight {
    pub(in crate::console) records: usize,
    pub(in crate::console) weeks: usize,
    pub(in crate::console) open: usize,
    pub(in crate::console) rate: usize,
}

impl Places {
    fn of(model: &Model, body: Rect) -> Self {
        if body.width >= WIDE {
            let right = (body.width * 2 / 5).clamp(40, 72);
            let left = Rect { width: body.width - right - 1, ..body };
            let wanted = model.environment().data.lines(model.clock.now).len().max(1) + 1;
            let height = u16::try_from(wanted).unwrap_or(u16::MAX).min(body.height / 3).max(2);
            let records = Rect { height: body.height - height - 1, ..left };
            return Self {
                records,
                weeks: Rect { y: records.bottom() + 1, height, ..left },
                rate: Rect { x: left.right() + 1, width: right, ..body },
            };
        }
        let [records, weeks, rate] =
            stacked(body, [Part::Records, Part::Weeks, Part::Rate].map(|part| model.data.part == part));
        Self { records, weeks, rate }
    }
}

/// What of a part lies below its head.
fn below(area: Rect) -> Rect {
    Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area }
}

/// Draws the page; returns how many lines there are below what is seen of each part that has more.
pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, body: Rect) -> Vec<(Rect, usize)> {
    let spin = spinner(model, ink);
    if model.data.open.is_some() {
        return vec![(body, open::draw(ink, model, body, spin))];
    }
    let places = Places::of(model, body);
    let records = records::draw(ink, model, places.records, spin);
    let weeks = weeks::draw(ink, model, places.weeks, spin);
    if places.rate.x > body.x {
        ink.bar(places.rate.x - 1, body.y, body.height);
    }
    let rate = rate::draw(ink, model, places.rate, spin);
    let parts = [(places.records, records), (places.weeks, weeks), (places.rate, rate)];
    // Where there is no line between two parts, the one below is another part's.
    let told = |(area, more): (Rect, usize)| {
        let heads = [places.records.y, places.weeks.y, places.rate.y];
        let is_taken = places.rate.x == body.x && heads.contains(&area.bottom());
        (area, if is_taken { 0 } else { more })
    };
    parts.into_iter().map(told).collect()
}

pub(in crate::console) fn sight(model: &Model, body: Rect) -> Sight {
    let places = Places::of(model, body);
    let height = |area: Rect| usize::from(area.height.saturating_sub(1));
    Sight {
        records: height(places.records),
        weeks: height(places.weeks),
        open: open::count(model, body.width).saturating_sub(height(body)),
        rate: rate::count(model, places.rate.width).saturating_sub(height(places.rate)),
    }
}

/// What lies under the mouse.
pub(in crate::console) fn spot_at(model: &Model, body: Rect, here: Position) -> Option<Spot> {
    if model.data.open.is_some() {
        return Some(Spot::Data(Place::Open));
    }
    let places = Places::of(model, body);
    let known = &model.environment().data;
    let line =
        |area: Rect, first: usize| usize::from(here.y.saturating_sub(area.y)).checked_sub(1).map(|at| at + first);
    let place = if places.records.contains(here) {
        let at = line(places.records, model.data.first_record).filter(|at| *at < known.records().len());
        at.map_or(Place::Part(Part::Records), Place::Record)
    } else if places.weeks.contains(here) {
        let at = line(places.weeks, model.data.first_week);
        let at = at.filter(|at| *at < known.lines(model.clock.now).len());
        at.map_or(Place::Part(Part::Weeks), Place::Week)
    } else if places.rate.contains(here) {
        Place::Part(Part::Rate)
    } else {
        return None;
    };
    Some(Spot::Data(place))
}

/// The head of a part, strong where it hears the movement keys.
fn head(ink: &mut Ink<'_>, model: &Model, area: Rect, part: Part, title: &str, facts: Vec<Line>) {
    parts::head(ink, area, model.data.part == part, title, facts);
}

/// How old something is, what is going on with it, and what went wrong.
fn age<T>(ink: &Ink<'_>, model: &Model, asked: &Asked<T>, spin: &str) -> Vec<Line> {
    if asked.reading.is_some() {
        return vec![(format!("{spin} reading"), Role::Notice)];
    }
    let stale = if asked.trouble.is_some() { ink.symbols().stale } else { "" };
    let read = asked.read_at.map(|at| (format!("{stale}read {} ago", model.clock.age(at)), Role::Dim));
    let why = match &asked.found {
        Remote::Failed(why) => Some(why),
        _ => asked.trouble.as_ref(),
    };
    read.into_iter().chain(why.map(|why| (format!("? {}", why.reason), Role::Error))).collect()
}

/// What stands where there is nothing to be listed: that it is asked for, why it is not there, or that there is none.
fn nothing<T>(asked: &Asked<T>, (spin, doing): (&str, &str), none: &str, width: u16) -> Vec<Row> {
    match &asked.found {
        Remote::Failed(why) => told(why, width),
        Remote::Loading { .. } => wrapped(&format!("{spin} {doing}"), Role::Dim, width),
        Remote::Idle => wrapped("not read: r reads it", Role::Dim, width),
        Remote::Ready(_) | Remote::Stale(_) => wrapped(none, Role::Dim, width),
    }
}

/// A number as people read it: `1,234,567`.
fn figure(number: u64) -> String {
    let digits = number.to_string();
    let mut figure = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            figure.push(',');
        }
        figure.push(digit);
    }
    figure
}

/// `312 B`, `4.2 KB`, `1.3 GB`.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    // In tenths of the unit, so that no number is rounded to four digits.
    let (mut tenths, mut unit) = (bytes.div_ceil(100), 0);
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        (tenths, unit) = (tenths.div_ceil(1000), unit + 1);
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS.get(unit).unwrap_or(&"TB"))
}

fn records(count: u64) -> String {
    if count == 1 { String::from("1 record") } else { format!("{} records", figure(count)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_and_sizes_are_read_at_a_glance() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(figure(number), text);
        }
        for (bytes, text) in
            [(999, "999 B"), (1000, "1.0 KB"), (4210, "4.3 KB"), (262_144, "262.2 KB"), (1_300_000_000, "1.3 GB")]
        {
            assert_eq!(size(bytes), text);
        }
        assert_eq!((records(1), records(2000)), (String::from("1 record"), String::from("2,000 records")));
    }
}
