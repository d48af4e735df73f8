//! The selected item: what each side says, property by property, and who changed it.

mod facts;

use std::ops::Range;

use ratatui::layout::Rect;

use super::header::spinner;
use super::ink::{Ink, Row};
use super::list::{foreign, label, short_type};
use crate::compare::{Facet, Item, Kind, Verdict, Why};
use crate::console::action::Action;
use crate::console::layout::BESIDE;
use crate::console::looks::{self, Look, Whole};
use crate::console::model::{Model, Revealing};
use crate::console::page::list::shown_rows;
use crate::console::page::{ItemId, Pane, Zoom};
use crate::console::text;
use crate::console::theme::Role;

/// Draws the item; returns how many lines there are below what is seen.
pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, area: Rect) -> usize {
    let beside = area.x > 0;
    if beside {
        ink.bar(area.x - 1, area.y, area.height);
    }
    let Some(item) = model.shown() else {
        let failure = model.list().cursor.as_ref().and_then(|mark| model.environment().failure(mark));
        return draw_failure(ink, area, failure);
    };
    ink.row(area, &head(model, item, area.width));
    let lines = Lines::of(model, item, area.width, spinner(model, ink));
    let (room, offset) = lines.window(model, area);
    for (y, at) in (room.y..room.bottom()).zip(offset..) {
        lines.draw(ink, Rect { y, height: 1, ..room }, at);
    }
    fade_old(ink, model, area, item);
    ink.more(Rect { height: 1, ..area }, offset, true);
    lines.len().saturating_sub(offset + usize::from(room.height))
}

/// Takes the colours from an item that is from before this session; the values that were just read of it keep theirs.
pub(super) fn fade_old(ink: &mut Ink<'_>, model: &Model, area: Rect, item: &Item) {
    if !model.is_revealed() && model.environment().is_remembered(item) {
        ink.fade(area);
    }
}

/// Which of the shown properties is drawn on a line of the terminal.
pub(in crate::console) fn row_at(model: &Model, area: Rect, line: u16) -> Option<usize> {
    let lines = Lines::of(model, model.shown()?, area.width, "");
    let (room, offset) = lines.window(model, area);
    let at = offset + usize::from(line.checked_sub(room.y)?);
    lines.stops.iter().position(|stop| stop.contains(&at))
}

/// A failure in full, since a line of the list has room for its beginning only.
fn draw_failure(ink: &mut Ink<'_>, area: Rect, failure: Option<(&str, &Why)>) -> usize {
    let Some((subject, why)) = failure else {
        ink.rule(area.x, area.y, area.width);
        return 0;
    };
    ink.row(area, &Row::default().flow(1, area.width, [(subject.to_owned(), Role::Strong)]).ruled());
    let room = area.width.saturating_sub(4);
    let wrap = |text: &str, role| {
        let lines = text::wrap(text, usize::from(room)).into_iter();
        lines.map(move |line| Row::default().piece(3, room, line, role)).collect::<Vec<_>>()
    };
    let mut rows = wrap(&why.reason, Role::Error);
    if let Some(hint) = &why.hint {
        rows.extend(wrap(&format!("try: {hint}"), Role::Text));
    }
    let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    ink.rows(below, &rows, 0);
    rows.len().saturating_sub(usize::from(below.height))
}

/// How many lines the selected item takes, its head included.
pub(in crate::console) fn height(model: &Model, area: Rect) -> usize {
    model.shown().map_or(0, |item| Lines::of(model, item, area.width, "").len() + 1)
}

/// Columns for one side of a value, where the sides stand beside each other or below each other.
pub(in crate::console) fn cell(width: u16) -> u16 {
    if width >= BESIDE { Columns::of(width, 5).side } else { width.saturating_sub(17) }
}

fn head(model: &Model, item: &Item, width: u16) -> Row {
    let physical = item.physical_id.clone().filter(|id| id != &item.name).unwrap_or_default();
    let version = item.version.as_ref().map(|v| format!("version {}", text::fit(v, 12, "…"))).unwrap_or_default();
    let pieces = [
        (label(item).to_owned(), Role::Strong),
        (if model.list().zoom == Zoom::Full { item.unit.clone() } else { String::new() }, Role::Dim),
        (foreign(model.environment()), Role::Loud),
        (short_type(item).to_owned(), Role::Dim),
        (version, Role::Text),
        (physical, Role::Dim),
    ];
    Row::default().flow(1, width.saturating_sub(1), pieces).ruled()
}

struct Lines<'a> {
    rows: Vec<Row>,
    cursor: Option<usize>,
    /// What follows the rows, of which there may be very many.
    whole: &'a [Whole],
    /// The lines of each shown property.
    stops: Vec<Range<usize>>,
}

/// Left edges of the table of sides.
struct Columns {
    git: u16,
    applied: u16,
    live: u16,
    verdict: u16,
    side: u16,
}

impl Columns {
    /// For properties whose longest name takes so many columns.
    fn of(width: u16, longest: u16) -> Self {
        let verdict = width.saturating_sub(12);
        let property = longest.clamp(8, width / 4);
        let git = property + 5;
        let side = verdict.saturating_sub(git) / 3;
        Self { git, applied: git + side, live: git + side * 2, verdict, side: side.saturating_sub(2) }
    }
}

impl<'a> Lines<'a> {
    fn of(model: &'a Model, item: &Item, width: u16, spinner: &str) -> Self {
        let looks = looks::shown(model);
        let whole = looks.map(|looks| looks.whole.as_slice()).unwrap_or_default();
        let mut lines = Self { rows: Vec::new(), cursor: None, whole, stops: Vec::new() };
        lines.summary(item, width);
        lines.alike(model, item, width);
        lines.revealing(model, width, spinner);
        let looks = looks.map(|looks| looks.rows.as_slice()).unwrap_or_default();
        if item.rows.is_empty() {
            let name = if item.kind == Kind::Code { "code" } else { "value" };
            let columns = (width >= BESIDE).then(|| Columns::of(width, 5));
            lines.titles(model, item, columns.as_ref());
            if let Some(look) = looks.first() {
                lines.property(name, &item.verdict, look, width, columns.as_ref());
            }
        } else {
            lines.properties(model, item, looks, width);
        }
        lines.unread(model, item, width);
        lines.facts(model, item, width);
        lines
    }

    fn len(&self) -> usize {
        self.rows.len() + self.whole.len()
    }

    fn draw(&self, ink: &mut Ink<'_>, line: Rect, at: usize) {
        if let Some(row) = self.rows.get(at) {
            ink.row(line, row);
        } else if let Some(whole) = at.checked_sub(self.rows.len()).and_then(|at| self.whole.get(at)) {
            ink.put(line.x + whole.indent, line.y, line.width.saturating_sub(8), &whole.text, whole.role);
        }
    }

    /// Where the lines are drawn below the head, and the first one of them.
    fn window(&self, model: &Model, area: Rect) -> (Rect, usize) {
        let room = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        let height = usize::from(room.height);
        let last = self.len().saturating_sub(height);
        let offset = match self.cursor {
            // The line under the cursor stays in the middle, with what belongs to it below.
            Some(at) => at.saturating_sub(height / 2).min(last),
            None => model.list().scroll.min(last),
        };
        (room, offset)
    }

    fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    fn summary(&mut self, item: &Item, width: u16) {
        let room = usize::from(width.saturating_sub(16));
        let symbol = format!("{} {}", item.verdict.symbol(), item.verdict.word());
        let mut row = Row::default().piece(3, 12, symbol, Role::from(&item.verdict));
        let mut say = |lines: &mut Self, text: &str, role: Role| {
            for line in text::wrap(text, room) {
                lines.add(std::mem::take(&mut row).piece(15, width.saturating_sub(16), line, role));
            }
        };
        match &item.verdict {
            Verdict::Unknown(why) => {
                say(self, &why.reason, Role::Error);
                if let Some(hint) = &why.hint {
                    say(self, &format!("try: {hint}"), Role::Text);
                }
            }
            Verdict::Ignored(rule) => say(self, &format!("by rule: {rule}"), Role::Text),
            _ => say(self, &item.reason, Role::Text),
        }
    }

    /// The items that the line of the list stands for beside this one, by name.
    fn alike(&mut self, model: &Model, item: &Item, width: u16) {
        /// Names that somebody still reads.
        const MOST: usize = 60;
        /// Lines of them where the list stands beside or above.
        const FEW: usize = 2;
        let state = model.list();
        let names = state.alike(model.environment(), model.page);
        if names.is_empty() {
            return;
        }
        let why = if matches!(item.verdict, Verdict::Unknown(_)) { "for the same reason" } else { "like it" };
        let left = names.len().saturating_sub(MOST);
        let told = names.iter().take(MOST).map(|item| label(item)).collect::<Vec<_>>().join(", ");
        let rest = if left > 0 { format!(" and {left} more") } else { String::new() };
        let text = format!("{} more {why}: {told}{rest}", names.len());
        let mut lines = text::wrap(&text, usize::from(width.saturating_sub(16)));
        if state.zoom != Zoom::Full && lines.len() > FEW {
            lines.truncate(FEW);
            if let Some(last) = lines.last_mut() {
                last.push('…');
            }
        }
        for line in lines {
            self.add(Row::default().piece(15, width.saturating_sub(16), line, Role::Dim));
        }
    }

    fn revealing(&mut self, model: &Model, width: u16, spinner: &str) {
        let room = width.saturating_sub(4);
        match model.revealed() {
            Some(Revealing::Reading(job)) => {
                let seconds = (model.clock.now - job.since).max(0) / 1000;
                let text = format!("{spinner} reading the values {seconds} s, esc cancels");
                self.add(Row::default().piece(3, room, text, Role::Notice));
            }
            Some(Revealing::Failed(why)) => {
                let hint = why.hint.as_ref().map(|hint| format!("  try: {hint}")).unwrap_or_default();
                for line in text::wrap(&format!("? {}{hint}", why.reason), usize::from(room)) {
                    self.add(Row::default().piece(3, room, line, Role::Error));
                }
            }
            Some(Revealing::Shown { .. }) | None => {}
        }
    }

    fn titles(&mut self, model: &Model, item: &Item, columns: Option<&Columns>) {
        let Some(columns) = columns else { return };
        let env = model.environment();
        let git = env.times.commit_of_item(&ItemId::of(item)).map(text::short).unwrap_or_default();
        let unit = env.unit(item.kind, &item.unit);
        let applied = unit.and_then(|unit| unit.runs.as_deref()).map(text::short).unwrap_or_default();
        let read = env.times.of_item(&ItemId::of(item));
        let live = read.map(|at| format!("{} ago", model.clock.age(at))).unwrap_or_default();
        let side = columns.side;
        self.add(
            Row::default()
                .piece(3, columns.git.saturating_sub(5), "PROPERTY", Role::Heading)
                .piece(columns.git, side, format!("GIT {git}"), Role::Heading)
                .piece(columns.applied, side, format!("APPLIED {applied}"), Role::Heading)
                .piece(columns.live, side, format!("LIVE {live}"), Role::Heading)
                .piece(columns.verdict, 11, "VERDICT", Role::Heading),
        );
    }

    fn properties(&mut self, model: &Model, item: &Item, looks: &[Look], width: u16) {
        let state = model.list();
        let shown = shown_rows(item, state.show);
        let hears = state.zoom == Zoom::Full || state.pane == Pane::Detail;
        let cursor = hears.then(|| state.row.min(shown.len().saturating_sub(1)));
        let named = |at: usize| {
            item.rows[at]
                .path
                .rsplit_once('.')
                .map_or((None, item.rows[at].path.as_str()), |(above, name)| (Some(above), name))
        };
        let long = |at: &usize| text::width(named(*at).1) + if named(*at).0.is_some() { 2 } else { 0 };
        let longest = u16::try_from(shown.iter().map(long).max().unwrap_or(0)).unwrap_or(u16::MAX);
        let columns = (width >= BESIDE).then(|| Columns::of(width, longest));
        self.titles(model, item, columns.as_ref());
        let mut parent = None;
        for (index, &at) in shown.iter().enumerate() {
            let (above, name) = named(at);
            if let Some(above) = above.filter(|_| above != parent) {
                self.add(Row::default().piece(3, width.saturating_sub(4), above, Role::Dim));
            }
            parent = above;
            let indent = if above.is_none() { "" } else { "  " };
            let first = self.rows.len();
            if let Some(look) = looks.get(at) {
                self.property(&format!("{indent}{name}"), &item.rows[at].verdict, look, width, columns.as_ref());
            }
            self.stops.push(first..self.rows.len());
            if cursor == Some(index) {
                self.cursor = Some(first);
                if let Some(row) = self.rows.get_mut(first) {
                    row.selected = true;
                }
            }
        }
        let hidden = item.rows.len() - shown.len();
        if hidden > 0 {
            let noun = if hidden == 1 { "property" } else { "properties" };
            let text = format!("{hidden} equal {noun}");
            let key = model.keymap.keys(Action::Show).next().map(|key| key.to_string());
            let hint = format!("{} to show", key.unwrap_or_default());
            let at = width.saturating_sub(u16::try_from(hint.len()).unwrap_or(10) + 1);
            self.add(Row::default().piece(3, 30, text, Role::Dim).piece(at, 16, hint, Role::Dim));
        }
    }

    /// One property: its sides beside each other, or below each other where there are no columns for them.
    fn property(&mut self, name: &str, verdict: &Verdict, look: &Look, width: u16, columns: Option<&Columns>) {
        let judged = format!("{} {}", verdict.symbol(), verdict.word());
        let note = look.note.clone();
        if let Some(columns) = columns {
            let mut row = Row::default().piece(3, columns.git.saturating_sub(5), name, Role::Strong);
            for (at, (text, role)) in [columns.git, columns.applied, columns.live].into_iter().zip(&look.sides) {
                row = row.piece(at, columns.side, text.as_str(), *role);
            }
            self.add(row.piece(columns.verdict, 11, judged, Role::from(verdict)));
            if let Some(note) = note {
                let room = width.saturating_sub(columns.git + 1);
                self.add(Row::default().piece(columns.git, room, note, Role::Dim));
            }
            return;
        }
        let at = width.saturating_sub(12);
        let head = Row::default().piece(3, at.saturating_sub(4), name, Role::Strong);
        self.add(head.piece(at, 11, judged, Role::from(verdict)));
        for (title, (text, role)) in ["git", "applied", "live"].into_iter().zip(&look.sides) {
            let row = Row::default().piece(7, 8, title, Role::Heading);
            self.add(row.piece(16, width.saturating_sub(17), text.as_str(), *role));
        }
        if let Some(note) = note {
            self.add(Row::default().piece(16, width.saturating_sub(17), note, Role::Dim));
        }
    }

    /// How to see what versions and digests have settled without being looked at.
    fn unread(&mut self, model: &Model, item: &Item, width: u16) {
        let rows = item.rows.iter().map(|row| &row.sides);
        let mut sides = std::iter::once(&item.sides).filter(|_| item.rows.is_empty()).chain(rows);
        let is_unread = sides.any(|sides| [&sides.git, &sides.applied, &sides.live].contains(&&Facet::Unread));
        let key = model.keymap.keys(Action::Reveal).next();
        if let Some(key) = key.filter(|_| is_unread && model.revealed().is_none()) {
            let text = format!("not read: {key} reads it");
            self.add(Row::default().piece(3, width.saturating_sub(4), text, Role::Dim));
        }
    }

    fn facts(&mut self, model: &Model, item: &Item, width: u16) {
        let facts = facts::of(model, item);
        if facts.is_empty() {
            return;
        }
        self.add(Row::default());
        for (title, text) in facts {
            let row = Row::default().piece(3, 8, title, Role::Heading);
            self.add(row.piece(15, width.saturating_sub(16), text, Role::Text));
        }
    }
}
