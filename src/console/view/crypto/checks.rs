//! The smoke test: a line per check, and below one that did not pass what there is to say of it.

use ratatui::layout::Rect;

use super::super::ink::Ink;
use super::{head, is_open};
use crate::config::Protection;
use crate::console::action::Action;
use crate::console::model::Model;
use crate::console::page::crypto::{Part, Row as Check, took};
use crate::console::text;
use crate::console::theme::Role;
use crate::ops::crypto::last::Standing;
use crate::ops::crypto::smoke::{Line as Made, Verdict};

/// Where the name of a check begins, and how long it may be.
const NAME: u16 = 15;
const LONGEST: u16 = 28;

/// A line of the list: pieces with the columns where they begin or, of a latency, end.
pub(super) struct Line {
    /// The check whose first line it is.
    pub(super) check: Option<usize>,
    /// What of it, and where.
    pieces: Vec<(u16, String, Role)>,
    faded: bool,
}

pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, area: Rect, spin: &str) -> usize {
    let mut facts = facts(model, spin);
    if !is_open(area) && facts.is_empty() {
        facts.push((String::from("not run yet"), Role::Dim));
    }
    head(ink, model, area, Part::Checks, "SMOKE TEST", facts);
    if !is_open(area) {
        return 0;
    }
    let list = Rect { y: area.y + 1, height: area.height - 1, ..area };
    let lines = lines(model, area.width, spin);
    for (y, line) in (list.y..list.bottom()).zip(lines.iter().skip(model.crypto.offset)) {
        for (at, text, role) in &line.pieces {
            ink.put(list.x + at, y, list.width.saturating_sub(at + 1), text, *role);
        }
        let here = Rect { y, height: 1, ..list };
        if line.faded {
            ink.fade(here);
        }
        if line.check == Some(model.crypto.row) {
            ink.select(here, model.crypto.part == Part::Checks);
        }
    }
    ink.more(Rect { height: 1, ..area }, model.crypto.offset, true);
    lines.len().saturating_sub(model.crypto.offset + usize::from(list.height))
}

/// Sign and colour of how a check stands. What was not proven is never green.
pub(in crate::console::view) fn sign(standing: Standing) -> (&'static str, Role) {
    match standing {
        Standing::Passed => ("=", Role::InSync),
        Standing::Unproven => ("?", Role::Unknown),
        Standing::Error => ("?", Role::Error),
        Standing::Failed => ("!", Role::Diverged),
    }
}

fn facts(model: &Model, spin: &str) -> Vec<(String, Role)> {
    let known = &model.environment().crypto;
    let mut facts = Vec::new();
    if known.smoke.job.is_some() {
        facts.push((format!("{spin} {} of {} done", known.smoke.done(), known.smoke.rows.len()), Role::Notice));
    }
    let counts = known.tally().map(|(_, counts)| counts).unwrap_or_default();
    let all = counts.len() == 1;
    facts.extend(counts.into_iter().map(|(count, standing)| {
        let all = if all && known.smoke.job.is_none() { "all " } else { "" };
        (format!("{all}{count} {}", standing.word()), sign(standing).1)
    }));
    let safe =
        if known.smoke.rows.is_empty() { known.last.as_ref().is_some_and(|last| last.safe) } else { known.smoke.safe };
    if safe {
        facts.push((String::from("safe subset"), Role::Dim));
    }
    if let (Some(at), None) = (known.ended_at(), known.smoke.job) {
        facts.push((format!("{} ago", model.clock.age(at)), Role::Dim));
    }
    facts
}

/// All lines of the list.
pub(super) fn lines(model: &Model, width: u16, spin: &str) -> Vec<Line> {
    let known = &model.environment().crypto;
    let rows = known.rows();
    if rows.is_empty() {
        return none(model, width);
    }
    let mut lines = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let (state, role) = match row {
            Check::Waiting(_) => (String::from(". waiting"), Role::Dim),
            Check::Running(_) => (format!("{spin} running"), Role::Notice),
            Check::Cancelled(_) => (String::from("? cancelled"), Role::Unknown),
            Check::Done(made) => {
                let (sign, role) = sign(Standing::from(&made.verdict));
                (format!("{sign} {}", made.verdict.word()), role)
            }
            Check::Before(_, word) => {
                let (sign, role) = sign(Standing::of(word));
                (format!("{sign} {word}"), role)
            }
        };
        let name = text::fit(row.name(), usize::from(LONGEST), "…").into_owned();
        let strong = if row.needs_attention() { Role::Strong } else { Role::Text };
        let mut pieces = vec![(3, state, role), (NAME, name, strong)];
        if let Check::Done(made) = row {
            let latency = took(made.took);
            let long = u16::try_from(text::width(&latency)).unwrap_or(0);
            pieces.push((NAME + LONGEST + 9 - long, latency, Role::Dim));
            pieces.extend(made.key_version.map(|version| (NAME + LONGEST + 11, format!("key {version}"), Role::Dim)));
        }
        lines.push(Line { check: Some(index), pieces, faded: matches!(row, Check::Before(..)) });
        let room = usize::from(width.saturating_sub(NAME + 2));
        for (text, role) in details(model, row) {
            let wrapped = text::wrap(&text, room).into_iter();
            lines.extend(wrapped.map(|line| Line { check: None, pieces: vec![(NAME, line, role)], faded: false }));
        }
    }
    lines
}

/// What there is to say of a check beside how it went.
fn details(model: &Model, row: &Check) -> Vec<(String, Role)> {
    let Check::Done(Made { verdict, request_id, latency, .. }) = row else {
        let doing = model.environment().crypto.smoke.doing.iter().filter(|_| matches!(row, Check::Running(_)));
        return doing.map(|doing| (doing.clone(), Role::Dim)).collect();
    };
    let mut lines = match verdict {
        Verdict::Passed => latency
            .iter()
            .map(|of| (format!("p50 {:>8}   p95 {:>8}   of {}", took(of.p50), took(of.p95), of.calls), Role::Text))
            .collect(),
        Verdict::Failed { expected, got } => {
            vec![(format!("expected {expected}"), Role::Text), (format!("got      {got}"), Role::Strong)]
        }
        Verdict::Error(why) => {
            let hint = why.hint.iter().map(|hint| (format!("try: {hint}"), Role::Dim));
            std::iter::once((why.reason.clone(), Role::Error)).chain(hint).collect()
        }
        Verdict::Unproven(reason) => vec![(reason.clone(), Role::Dim)],
    };
    lines.extend(request_id.iter().map(|id| (format!("request  {id}"), Role::Dim)));
    lines
}

/// What stands where the checks would.
fn none(model: &Model, width: u16) -> Vec<Line> {
    let env = model.environment();
    let key = |action| model.keymap.key(action);
    let said = match &env.crypto.smoke.failed {
        Some(why) => {
            let hint = why.hint.iter().map(|hint| (format!("try: {hint}"), Role::Dim));
            std::iter::once((format!("? {}", why.reason), Role::Error)).chain(hint).collect()
        }
        None if env.protection() == Protection::Open => {
            vec![(format!("not run yet: {} runs it", key(Action::CryptoSmoke)), Role::Dim)]
        }
        None => vec![
            (format!("not run yet: {} runs its safe subset,", key(Action::CryptoSmoke)), Role::Dim),
            (String::from("small calls that succeed, and trip no alarm;"), Role::Dim),
            (format!("{} runs all of it", key(Action::CryptoSmokeAll)), Role::Dim),
        ],
    };
    let room = usize::from(width.saturating_sub(5));
    let line = |(text, role): (String, Role)| {
        let wrapped = text::wrap(&text, room).into_iter();
        wrapped.map(move |line| Line { check: None, pieces: vec![(3, line, role)], faded: false }).collect::<Vec<_>>()
    };
    said.into_iter().flat_map(line).collect()
}
