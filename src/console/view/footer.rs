//! What can be pressed here, from the table of actions.

use ratatui::layout::Rect;

use super::ink::Ink;
use crate::console::action::{ACTIONS, Action, Spec};
use crate::console::changes::pending;
use crate::console::keymap::Key;
use crate::console::model::{Model, Revealing};
use crate::console::overlay::Overlay;
use crate::console::page::crypto::Row;
use crate::console::page::deploy::{Choice, chosen};
use crate::console::page::list::Line;
use crate::console::page::{Page, Zoom, data};
use crate::console::text;
use crate::console::theme::Role;
use crate::console::update::push::restarts;
use crate::console::update::{context, filter, is_at_rest, is_open};

/// Hints of at least this priority stand at the right end, where the eye finds them on every page.
const STANDING: u8 = 90;

/// Columns between two hints. A key and its word differ in style, so that no more is needed to tell hints apart.
const GAP: usize = 2;

pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, area: Rect) {
    ink.rule(area.x, area.y, area.width);
    let (x, y, right) = (area.x + 1, area.y + 1, area.right().saturating_sub(1));
    let hints = hints(model);
    let standing = length(hints.iter().filter(|hint| hint.priority >= STANDING));
    let mut x = x;
    if model.overlays.is_empty() && filter(model).editing {
        let found = found(model);
        let count = columns(text::width(&found));
        x = ink.put(x, y, 2, "/", Role::Key);
        x = ink.put(x, y, right.saturating_sub(x + count + standing + 6), &filter(model).text, Role::Input);
        x = ink.put(x, y, 1, ink.symbols().caret, Role::Key) + 2;
        x = ink.put(x, y, count, &found, Role::Dim) + 3;
    } else if let Some(notice) = &model.notice {
        x = ink.put(x, y, right.saturating_sub(x), notice, Role::Notice) + 3;
        // The notice goes with the next key; what it hides comes back then.
        if x.saturating_add(standing) > right {
            return;
        }
    } else if let Some(Revealing::Shown { until, .. }) = model.revealed() {
        let left = (until - model.clock.now + 999).max(0) / 1000;
        x = ink.put(x, y, 30, &format!("revealed, masks in {left} s"), Role::Revealed) + 3;
    }
    let kept = fitting(&hints, usize::from(right.saturating_sub(x)));
    let (standing, passing): (Vec<&Hint>, Vec<&Hint>) = kept.iter().partition(|hint| hint.priority >= STANDING);
    put(ink, x, y, &passing);
    put(ink, right.saturating_sub(length(standing.iter().copied())), y, &standing);
}

/// A key and what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hint {
    key: String,
    word: &'static str,
    priority: u8,
}

impl Hint {
    fn width(&self) -> usize {
        text::width(&self.key) + 1 + text::width(self.word)
    }
}

/// Whatever can be pressed here, in the order of the table.
fn hints(model: &Model) -> Vec<Hint> {
    let scopes = context(model);
    if let Some(Overlay::Menu(_)) = model.overlays.last() {
        return vec![Hint { key: Key::Esc.to_string(), word: "leave", priority: 99 }];
    }
    let heard = ACTIONS.iter().filter(|spec| scopes.contains(&spec.scope) && !spec.hint.is_empty());
    heard
        .filter(|spec| (spec.disabled)(model).is_none() && !is_idle(model, spec.action))
        .filter_map(|spec| {
            let key = model.keymap.keys(spec.action).next()?.to_string();
            Some(Hint { key, word: word(model, spec), priority: priority(model, spec) })
        })
        .collect()
}

/// The hints that there is room for: the most wanted ones, and no other in place of one that was wanted more.
fn fitting(hints: &[Hint], room: usize) -> Vec<Hint> {
    let mut wanted: Vec<usize> = (0..hints.len()).collect();
    wanted.sort_by_key(|&at| std::cmp::Reverse(hints[at].priority));
    let mut used = 0;
    let mut kept: Vec<usize> = wanted
        .into_iter()
        .take_while(|&at| {
            used += hints[at].width() + if used == 0 { 0 } else { GAP };
            used <= room
        })
        .collect();
    kept.sort_unstable();
    kept.into_iter().map(|at| hints[at].clone()).collect()
}

fn put(ink: &mut Ink<'_>, mut x: u16, y: u16, hints: &[&Hint]) {
    for hint in hints {
        let long = columns(hint.width());
        x = ink.put(x, y, long, &hint.key, Role::Key) + 1;
        x = ink.put(x, y, long, hint.word, Role::Hint) + columns(GAP);
    }
}

fn length<'a>(hints: impl Iterator<Item = &'a Hint>) -> u16 {
    columns(hints.map(|hint| hint.width() + GAP).sum::<usize>().saturating_sub(GAP))
}

fn columns(width: usize) -> u16 {
    u16::try_from(width).unwrap_or(u16::MAX)
}

/// The word of a hint; of those that lead away, where to.
fn word(model: &Model, spec: &Spec) -> &'static str {
    match spec.action {
        Action::Accept if matches!(model.overlays.last(), Some(Overlay::Changes(_))) => "commit",
        Action::Back if model.overlays.is_empty() && model.waiting().is_some() => "cancel",
        Action::Back if model.overlays.is_empty() && !is_open(model) => "show all",
        Action::Readers if restarts(model) == Some(true) => "restart: yes",
        Action::Quit if model.page != Page::Overview => "back",
        Action::Open if model.page == Page::Crypto => "type",
        Action::Filter if model.page == Page::Pipeline => "search",
        Action::NextDifference if model.page == Page::Pipeline => "next found",
        Action::PipelineFollow if model.pipeline.log.follows => "follow: yes",
        Action::Open if model.page == Page::Deploy => match chosen(model) {
            Some(Choice::Function(_)) => "turn back",
            Some(Choice::Entry(_)) => "roll back",
            None => "history",
        },
        _ => spec.hint,
    }
}

/// Where but one part of a page is open, the way to the others is wanted more, and on its own page what it is for.
fn priority(model: &Model, spec: &Spec) -> u8 {
    match spec.action {
        Action::NextPane if matches!(model.page, Page::Crypto | Page::Data) => 87,
        Action::NextPane if model.page == Page::Pipeline => 84,
        Action::Deploy if model.page == Page::Deploy => 78,
        _ => spec.priority,
    }
}

/// What can be pressed and is not worth a hint: going back where there is nothing to go back from, a second way to leave
/// what is open.
fn is_idle(model: &Model, action: Action) -> bool {
    let over = model.overlays.last();
    match action {
        Action::Back => is_at_rest(model) && model.waiting().is_none(),
        Action::Quit => over.is_some() || is_open(model),
        Action::Diff | Action::Show => model.page.is_list() && model.list().zoom == Zoom::Diff,
        // The page says of nothing else that something differs.
        Action::NextDifference => {
            model.page == Page::Deploy
                || model.page == Page::Pipeline && model.pipeline.find.text.is_empty()
                || model.page == Page::Data && !needs_attention(model)
                || model.page == Page::Crypto && !model.environment().crypto.rows().iter().any(Row::needs_attention)
        }
        // It is about values, which these pages have none of.
        Action::Push => matches!(model.page, Page::Crypto | Page::Data | Page::Deploy | Page::Pipeline),
        Action::Changes => over.is_none() && pending(model).is_none(),
        Action::HelpHere => matches!(over, Some(Overlay::Help(_))),
        Action::Accept => matches!(over, Some(Overlay::Plan(_))),
        _ => false,
    }
}

/// Whether a week of the data page is to be looked at.
fn needs_attention(model: &Model) -> bool {
    model.environment().data.lines(model.clock.now).iter().any(data::Line::needs_attention)
}

fn found(model: &Model) -> String {
    if model.page == Page::Overview {
        return format!("{} found", model.overview.needs.len());
    }
    if model.page == Page::Pipeline {
        return format!("{} found", model.pipeline.hits());
    }
    let items: usize =
        model.list().lines.iter().map(|line| if let Line::Item { more, .. } = line { 1 + more } else { 0 }).sum();
    format!("{items} found")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hint() -> impl Strategy<Value = Hint> {
        ("[a-z^]{1,5}", prop::sample::select(vec!["open", "back", "environment"]), 0_u8..100)
            .prop_map(|(key, word, priority)| Hint { key, word, priority })
    }

    proptest! {
        #[test]
        fn more_room_never_hides_a_hint_and_less_hides_the_least_wanted(
            hints in prop::collection::vec(hint(), 0..12),
            room in 0_usize..200,
        ) {
            let (narrow, wide) = (fitting(&hints, room), fitting(&hints, room + 1));
            prop_assert!(narrow.iter().all(|hint| wide.contains(hint)));
            prop_assert!(usize::from(length(narrow.iter())) <= room);
            let least = narrow.iter().map(|hint| hint.priority).min().unwrap_or(u8::MAX);
            let hidden = hints.iter().filter(|hint| !narrow.contains(hint));
            prop_assert!(hidden.into_iter().all(|hint| hint.priority <= least));
        }
    }
}
