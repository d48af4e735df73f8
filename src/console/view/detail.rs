//! The selected item: what each side says, property by property, and who changed it.

use ratatui::layout::Rect;

use super::facet;
use super::header::spinner;
use super::ink::{Ink, Row};
use super::list::{label, short_type};
use crate::compare::{Changed, Facet, Item, Kind, Sides, Verdict, Why};
use crate::console::layout::WIDE;
use crate::console::model::{Model, Revealing};
use crate::console::page::list::shown_rows;
use crate::console::page::{ItemId, Pane, Zoom};
use crate::console::text;
use crate::console::theme::Role;

pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, area: Rect) {
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
    let room = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let height = usize::from(room.height);
    let last = lines.rows.len().saturating_sub(height);
    let offset = match lines.cursor {
        // The line under the cursor stays in the middle, with what belongs to it below.
        Some(at) => at.saturating_sub(height / 2).min(last),
        None => model.list().scroll.min(last),
    };
    ink.rows(room, &lines.rows, offset);
}

/// A failure in full, since a line of the list has room for its beginning only.
fn draw_failure(ink: &mut Ink<'_>, area: Rect, failure: Option<(&str, &Why)>) {
    let Some((subject, why)) = failure else { return ink.rule(area.x, area.y, area.width) };
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
}

/// How many lines the selected item takes, its head included.
pub(in crate::console) fn height(model: &Model, area: Rect) -> usize {
    model.shown().map_or(0, |item| Lines::of(model, item, area.width, "").rows.len() + 1)
}

fn head(model: &Model, item: &Item, width: u16) -> Row {
    let physical = item.physical_id.clone().filter(|id| id != &item.name).unwrap_or_default();
    let version = item.version.as_ref().map(|v| format!("version {}", text::fit(v, 12, "…"))).unwrap_or_default();
    let pieces = [
        (label(item).to_owned(), Role::Strong),
        (if model.list().zoom == Zoom::Full { item.unit.clone() } else { String::new() }, Role::Dim),
        (short_type(item).to_owned(), Role::Dim),
        (version, Role::Text),
        (physical, Role::Dim),
    ];
    Row::default().flow(1, width.saturating_sub(1), pieces).ruled()
}

struct Lines {
    rows: Vec<Row>,
    cursor: Option<usize>,
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
    fn of(width: u16) -> Self {
        let verdict = width.saturating_sub(13);
        let property = width / 5;
        let side = verdict.saturating_sub(property + 3) / 3;
        let git = property + 3;
        Self { git, applied: git + side, live: git + side * 2, verdict, side: side.saturating_sub(2) }
    }
}

impl Lines {
    fn of(model: &Model, item: &Item, width: u16, spinner: &str) -> Self {
        let mut lines = Self { rows: Vec::new(), cursor: None };
        lines.summary(item, width);
        lines.revealing(model, width, spinner);
        let wide = width >= WIDE;
        if wide {
            lines.titles(model, item, width);
        }
        if item.rows.is_empty() {
            let name = if item.kind == Kind::Code { "code" } else { "value" };
            lines.property(model, "", name, &item.verdict, &item.sides, width, wide);
            if model.list().zoom == Zoom::Full {
                lines.whole(model, &item.sides, width);
            }
        } else {
            lines.properties(model, item, width, wide);
        }
        lines.facts(model, item, width);
        lines
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

    fn titles(&mut self, model: &Model, item: &Item, width: u16) {
        let columns = Columns::of(width);
        let env = model.environment();
        let git = env.commit.value().map(|commit| text::short(&commit.id)).unwrap_or_default();
        let unit = env.unit(item.kind, &item.unit);
        let applied = unit.and_then(|unit| unit.runs.as_deref()).map(text::short).unwrap_or_default();
        let read = env.times.of_item(&ItemId::of(item)).or(env.read_at);
        let live = read.map(|at| format!("{} ago", model.clock.age(at))).unwrap_or_default();
        let side = columns.side;
        self.add(
            Row::default()
                .piece(3, columns.git.saturating_sub(5), "PROPERTY", Role::Heading)
                .piece(columns.git, side, format!("GIT {git}"), Role::Heading)
                .piece(columns.applied, side, format!("APPLIED {applied}"), Role::Heading)
                .piece(columns.live, side, format!("LIVE {live}"), Role::Heading)
                .piece(columns.verdict, 12, "VERDICT", Role::Heading),
        );
    }

    fn properties(&mut self, model: &Model, item: &Item, width: u16, wide: bool) {
        let state = model.list();
        let shown = shown_rows(item, state.show);
        let hears = state.zoom == Zoom::Full || state.pane == Pane::Detail;
        let cursor = hears.then(|| state.row.min(shown.len().saturating_sub(1)));
        let mut parent = "";
        for (index, &at) in shown.iter().enumerate() {
            let row = &item.rows[at];
            let (above, name) = row.path.rsplit_once('.').unwrap_or(("", &row.path));
            if above != parent && !above.is_empty() {
                self.add(Row::default().piece(3, width.saturating_sub(4), above, Role::Dim));
            }
            parent = above;
            let indent = if above.is_empty() { "" } else { "  " };
            if cursor == Some(index) {
                self.cursor = Some(self.rows.len());
            }
            let first = self.rows.len();
            self.property(model, indent, name, &row.verdict, &row.sides, width, wide);
            if cursor == Some(index)
                && let Some(row) = self.rows.get_mut(first)
            {
                row.selected = true;
            }
        }
        let hidden = item.rows.len() - shown.len();
        if hidden > 0 {
            let noun = if hidden == 1 { "property" } else { "properties" };
            let text = format!("{hidden} equal {noun}");
            let key = model.keymap.keys(crate::console::Action::Show).next().map(|key| key.to_string());
            let hint = format!("{} to show", key.unwrap_or_default());
            let at = width.saturating_sub(u16::try_from(hint.len()).unwrap_or(10) + 1);
            self.add(Row::default().piece(3, 30, text, Role::Dim).piece(at, 16, hint, Role::Dim));
        }
    }

    #[allow(clippy::too_many_arguments, reason = "they are the columns of one line")]
    fn property(
        &mut self,
        model: &Model,
        indent: &str,
        name: &str,
        verdict: &Verdict,
        sides: &Sides,
        width: u16,
        wide: bool,
    ) {
        let judged = format!("{} {}", verdict.symbol(), verdict.word());
        let look = |side: &Facet| (facet::line(model, side), facet::role(model, side));
        if wide {
            let columns = Columns::of(width);
            let name_room = columns.git.saturating_sub(5);
            let mut row = Row::default().piece(3, name_room, format!("{indent}{name}"), Role::Strong);
            for (at, side) in
                [(columns.git, &sides.git), (columns.applied, &sides.applied), (columns.live, &sides.live)]
            {
                let (text, role) = look(side);
                row = row.piece(at, columns.side, text, role);
            }
            self.add(row.piece(columns.verdict, 12, judged, Role::from(verdict)));
            return;
        }
        let at = width.saturating_sub(13);
        self.add(Row::default().piece(3, at.saturating_sub(4), format!("{indent}{name}"), Role::Strong).piece(
            at,
            12,
            judged,
            Role::from(verdict),
        ));
        for (title, side) in [("git", &sides.git), ("applied", &sides.applied), ("live", &sides.live)] {
            let (text, role) = look(side);
            self.add(Row::default().piece(7, 8, title, Role::Heading).piece(16, width.saturating_sub(17), text, role));
        }
    }

    /// Each side's whole text, for values that are longer than a cell of the table.
    fn whole(&mut self, model: &Model, sides: &Sides, width: u16) {
        let room = width.saturating_sub(8);
        for (title, side) in [("GIT", &sides.git), ("APPLIED", &sides.applied), ("LIVE", &sides.live)] {
            let text = facet::text(model, side);
            let cell = if width >= WIDE { Columns::of(width).side } else { width.saturating_sub(17) };
            let long = text.trim_end_matches('\n').contains('\n') || text::width(&text) > usize::from(cell);
            if !long {
                continue;
            }
            self.add(Row::default());
            self.add(Row::default().piece(3, room, title, Role::Heading));
            for line in text.lines().flat_map(|line| text::wrap(line, usize::from(room))) {
                self.add(Row::default().piece(7, room, line, facet::role(model, side)));
            }
        }
    }

    fn facts(&mut self, model: &Model, item: &Item, width: u16) {
        let mut facts = Vec::new();
        if let Some(changed) = &item.changed {
            facts.push(("changed", who(model, changed)));
        }
        if let Some(file) = &item.file {
            facts.push(("file", file.clone()));
        }
        if let Some(arn) = item.physical_id.as_ref().filter(|id| *id != &item.name) {
            facts.push((if item.kind == Kind::Secret { "arn" } else { "id" }, arn.clone()));
        }
        facts.extend(ages(model, item));
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

/// How old each side is: when live was read, when it was rolled out, and when git was fetched.
fn ages(model: &Model, item: &Item) -> Option<(&'static str, String)> {
    let (env, id) = (model.environment(), ItemId::of(item));
    let age = |at: i64| format!("{} ago", model.clock.age(at));
    let unit = env.unit(item.kind, &item.unit);
    let read = env.times.of_item(&id).map(|at| {
        let stale = if env.times.is_item_stale(&id) { ", stale: the last attempt failed" } else { "" };
        format!("live read {}{stale}", age(at))
    });
    let checked = unit.filter(|_| item.kind == Kind::Stack).and_then(|unit| unit.drift_checked_at);
    let parts = [
        read,
        checked.map(|at| format!("drift checked {}", age(at))),
        unit.and_then(|unit| unit.rolled_out_at).map(|at| format!("rolled out {}", age(at))),
        env.commit.value().and_then(|commit| commit.fetched_at).map(|at| format!("git fetched {}", age(at))),
    ];
    let text = parts.into_iter().flatten().collect::<Vec<_>>().join("   ");
    (!text.is_empty()).then_some(("age", text))
}

fn who(model: &Model, changed: &Changed) -> String {
    let at = changed.at.map(|at| format!("{}, {} ago", model.clock.moment(at), model.clock.age(at)));
    let by = changed.by.as_ref().map(|by| format!("by {by}"));
    let key = changed.access_key.as_deref().map(|key| format!("key {}", short_key(key)));
    let event = changed.event.as_ref().map(|event| format!("({event})"));
    at.into_iter().chain(by).chain(key).chain(event).collect::<Vec<_>>().join("  ")
}

/// `AKIA…7Q2F`: enough to find it, not enough to be copied from a screenshot.
fn short_key(key: &str) -> String {
    if key.len() > 12 && key.is_ascii() { format!("{}…{}", &key[..4], &key[key.len() - 4..]) } else { key.to_owned() }
}
