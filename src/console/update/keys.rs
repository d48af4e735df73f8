//! What a key does.

use super::asks;
use super::menu;
use super::mode;
use super::moves::{half, seek, step, to_shown};
use super::opens::{back, go, leave, open, other_pane, quit, reveal, switch, to_selected, toggle_diff};
use super::palette;
use super::push;
use super::tour;
use super::{changes, custom, edit, outside, yank};
use super::{crypto, data, deploy, pipeline};
use crate::console::action::{ACTIONS, Action, Scope, Spec};
use crate::console::backend::Fresh;
use crate::console::diff;
use crate::console::effect::Effect;
use crate::console::home::Side;
use crate::console::keymap::{
    self, CHOOSING, FILLING, IN_HISTORY, Key, ON_CRYPTO, ON_DATA, ON_DEPLOY, ON_PAGE, ON_PIPELINE, PAST, PROMOTING,
    TYPING,
};
use crate::console::layout::Areas;
use crate::console::model::Model;
use crate::console::overlay::{Choice, Filling, Line, Overlay, Picker, Promoting, Stage, Wanted};
use crate::console::page::{Filter, Page, Pane, Zoom};
use crate::console::remote::Remote;

pub(super) fn press(model: &mut Model, key: Key) -> Vec<Effect> {
    if let Key::Alt(c) = key
        && !is_bound(model, key)
    {
        // A terminal tells alt by an escape before the letter; so does a slow line by which both keys came at once.
        let mut effects = press(model, Key::Esc);
        effects.extend(press(model, Key::Char(c)));
        return effects;
    }
    model.notice = None;
    if Areas::of(model).is_none() {
        return press_unseen(model, key);
    }
    if let Some(effects) = mode::press(model, key) {
        return effects;
    }
    if tour::hears(model, key) {
        return Vec::new();
    }
    if let Some(Overlay::Menu(scope)) = model.overlays.last() {
        return menu::press(model, *scope, key);
    }
    // The key that opened the keys closes them, as long as it cannot be a text to look for.
    if model.overlays.last().and_then(Overlay::field) == Some("")
        && matches!(model.overlays.last(), Some(Overlay::Help(_)))
        && model.keymap.action(key, &[Scope::Back]) == Some(Action::Help)
    {
        return act(model, Action::Help);
    }
    if let Some(action) = model.keymap.action(key, context(model)) {
        return act(model, action);
    }
    if let Some(own) = custom::of_key(model, key) {
        return custom::start(model, own);
    }
    if heard_as_text(model) {
        typed(model, key);
    } else {
        model.notice = not_heard(model, key);
    }
    Vec::new()
}

/// What a key does somewhere, of what is no action of the operator's own.
fn listed(model: &Model, key: Key) -> Option<&'static Spec> {
    ACTIONS.iter().find(|spec| model.keymap.keys(spec.action).any(|bound| bound == key))
}

/// Whether a key does anything anywhere.
fn is_bound(model: &Model, key: Key) -> bool {
    model.home.settings.actions.iter().any(|(_, own)| *own == Some(key)) || listed(model, key).is_some()
}

/// Where nothing is drawn, what a key would do is not seen: those that leave are heard, and no other.
fn press_unseen(model: &mut Model, key: Key) -> Vec<Effect> {
    match model.keymap.action(key, &[Scope::Always, Scope::Back]) {
        Some(Action::Quit | Action::Leave) => quit(model),
        Some(Action::Suspend) => vec![Effect::Suspend],
        _ => Vec::new(),
    }
}

/// Whether letters go into a text field.
fn heard_as_text(model: &Model) -> bool {
    context(model).contains(&Scope::Input)
}

/// What a key says that does nothing here: a key that is listed is never silent.
fn not_heard(model: &Model, key: Key) -> Option<String> {
    match listed(model, key) {
        Some(spec)
            if matches!(model.page, Page::Crypto | Page::Data | Page::Deploy | Page::Pipeline)
                && spec.scope == Scope::Items =>
        {
            Some(format!("{key} works only on items, of which this page has none"))
        }
        Some(spec) => Some(format!("{key} works only {}", spec.scope.where_it_is())),
        None if matches!(key, Key::Char(_)) => {
            let help = model.keymap.key(Action::Help);
            Some(format!("{key} does nothing: {help} shows the keys"))
        }
        None => None,
    }
}

/// Pasted text goes into a text field or nowhere; it never is a key.
pub(super) fn paste(model: &mut Model, text: &str) -> Vec<Effect> {
    if Areas::of(model).is_none() || mode::refuses_paste(model) {
        return Vec::new();
    }
    if crypto::is_typing(model) {
        crypto::paste(model, text);
        return Vec::new();
    }
    // A value is pasted as a whole, with its newlines; a name has none.
    let whole = |field: &mut String| field.push_str(text);
    if matches!(model.overlays.last(), Some(Overlay::Edit(edit)) if edit.line == Line::Value) {
        edit::change(model, text.len(), whole);
        return Vec::new();
    }
    change(model, |field| field.extend(text.chars().filter(|c| !c.is_control())));
    Vec::new()
}

/// The scopes that hear keys right now.
pub(in crate::console) fn context(model: &Model) -> &'static [Scope] {
    heard(model, model.overlays.last())
}

/// The scopes that will hear keys once the topmost overlay is closed.
pub(in crate::console) fn context_below(model: &Model) -> &'static [Scope] {
    heard(model, model.overlays.iter().nth_back(1))
}

fn heard(model: &Model, overlay: Option<&Overlay>) -> &'static [Scope] {
    match overlay {
        Some(Overlay::Plan(plan)) if plan.result().is_some() => PAST,
        Some(Overlay::Plan(plan)) if matches!(plan.wanted, Wanted::Values(_)) => CHOOSING,
        Some(Overlay::Picker(_) | Overlay::Help(_) | Overlay::Palette(_) | Overlay::Plan(_)) => TYPING,
        Some(Overlay::Journal(_)) => PAST,
        Some(Overlay::History(_)) => IN_HISTORY,
        Some(Overlay::Promote(_)) => PROMOTING,
        Some(Overlay::Edit(_)) => FILLING,
        Some(Overlay::Changes(list)) => changes::heard(list),
        Some(Overlay::Menu(scope)) => keymap::context_of(*scope),
        None if crypto::has_caret(model) || filter(model).editing => TYPING,
        None if model.page == Page::Crypto => ON_CRYPTO,
        None if model.page == Page::Data => ON_DATA,
        None if model.page == Page::Deploy => ON_DEPLOY,
        None if model.page == Page::Pipeline => ON_PIPELINE,
        None => ON_PAGE,
    }
}

/// The filter of the current page.
pub(in crate::console) fn filter(model: &Model) -> &Filter {
    filter_of(model, model.page)
}

/// The filter of a page.
pub(in crate::console) fn filter_of(model: &Model, page: Page) -> &Filter {
    static NONE: Filter = Filter { text: String::new(), editing: false };
    match page {
        Page::Overview => &model.overview.filter,
        Page::Crypto | Page::Data | Page::Deploy => &NONE,
        Page::Pipeline => &model.pipeline.find,
        Page::Stacks | Page::Parameters | Page::Secrets => &model.list_of(page).filter,
    }
}

pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    if let Some(why) = (action.spec().disabled)(model) {
        model.notice = Some(String::from(why));
        return Vec::new();
    }
    // It is said twice in a row, or it was not said.
    model.crypto.warned &= action == Action::CryptoSmokeAll;
    let effects = done(model, action);
    tour::heard(model, action);
    effects
}

fn done(model: &mut Model, action: Action) -> Vec<Effect> {
    if menu::open(model, action) {
        return Vec::new();
    }
    match action {
        // A menu, opened above; and the tour, which hears its key before all others.
        Action::Actions | Action::Yank | Action::TourNext => {}
        Action::Pager => return outside::page(model),
        Action::Editor => return outside::edit(model),
        Action::Neighbours => menu::neighbours(model),
        Action::Leave => return quit(model),
        Action::Suspend => return vec![Effect::Suspend],
        Action::Back => return back(model),
        Action::Quit => return leave(model),
        Action::Help | Action::HelpHere => palette::help(model),
        Action::Palette => return palette::open(model),
        Action::Open => return open(model),
        Action::Pick => {
            model.overlays.push(Overlay::Picker(Picker { line: model.current, ..Picker::default() }));
            return asks::ask_refs(model);
        }
        Action::Filter => edit_filter(model, |filter| filter.editing = true),
        Action::NextDifference => seek(model, true),
        Action::PreviousDifference => seek(model, false),
        Action::Show => {
            let page = model.page;
            let (state, env) = model.list_mut();
            state.show = state.show.next();
            state.row = 0;
            state.rebuild(page, env);
        }
        Action::Reveal => {
            to_selected(model);
            return reveal(model);
        }
        Action::Diff => toggle_diff(model),
        Action::Layout => model.diff.unified = Some(diff::layout(model) != diff::Layout::Unified),
        Action::Fold => {
            model.diff.unfolded = !model.diff.unfolded;
            let said = if model.diff.unfolded { "unfolded: everything is shown" } else { "what is the same is folded" };
            model.notice = Some(String::from(said));
        }
        Action::Left => diff::pan(model, false),
        Action::Right => diff::pan(model, true),
        Action::Journal => return mode::journal(model),
        Action::Record => return mode::record(model),
        Action::End => return custom::end(model),
        Action::Refresh => return asks::refresh(model),
        Action::RefreshAll => return asks::refresh_all(model, Fresh::Cached),
        Action::Detect => return asks::detect(model),
        Action::NextPane => other_pane(model),
        Action::Overview => go(model, Page::Overview),
        Action::Stacks => go(model, Page::Stacks),
        Action::Parameters => go(model, Page::Parameters),
        Action::Secrets => go(model, Page::Secrets),
        Action::Crypto => go(model, Page::Crypto),
        Action::Down => return step(model, 1),
        Action::Up => return step(model, -1),
        Action::First => return step(model, isize::MIN + 1),
        Action::Last => return step(model, isize::MAX),
        Action::HalfDown => return step(model, half(model)),
        Action::HalfUp => return step(model, -half(model)),
        Action::Accept => return accept(model),
        Action::Dismiss => return dismiss(model),
        Action::NextChoice => choose(model, 1),
        Action::PreviousChoice => choose(model, -1),
        Action::NextChoices => choose(model, 10),
        Action::PreviousChoices => choose(model, -10),
        Action::EraseWord => change(model, |field| {
            let kept = field.trim_end().rfind(char::is_whitespace).map_or(0, |at| at + 1);
            field.truncate(kept);
        }),
        Action::EraseAll => change(model, String::clear),
        action => return done_with_values(model, action),
    }
    Vec::new()
}

/// What is done with values: copying, pushing and changing them, and the crypto API.
fn done_with_values(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::YankLive => return yank::value(model, Side::Live),
        Action::YankGit => return yank::value(model, Side::Git),
        Action::YankName => return yank::name(model),
        Action::YankArn => return yank::arn(model),
        Action::YankJson => return yank::json(model),
        Action::YankCommand => return yank::command(model),
        Action::YankConsole => return yank::console(model),
        Action::YankCommit => return yank::commit(model),
        Action::Push
        | Action::Choose
        | Action::Revert
        | Action::Item
        | Action::AllItems
        | Action::Prune
        | Action::Readers
        | Action::Restart
        | Action::Undo
        | Action::Resume
        | Action::History
        | Action::Rollback
        | Action::Promote
        | Action::Take
        | Action::TakeAll
        | Action::Commit
        | Action::Target
        | Action::Source => return push::act(model, action),
        Action::Edit => return edit::edit(model),
        Action::Add => return edit::add(model),
        Action::Remove => return edit::remove(model),
        Action::Adopt => return edit::adopt(model),
        Action::Changes => return changes::open(model),
        Action::ChangeDiff => changes::diff(model),
        Action::ChangeReveal => changes::show(model),
        Action::ChangeDrop => return changes::drop_one(model),
        Action::ChangeDropAll => return changes::drop_all(model),
        Action::ChangeEdit => return changes::edit_again(model),
        Action::ChangeCommit => return changes::begin_commit(model),
        Action::ChangeCopy => return changes::copy(model),
        Action::FieldNext => edit::turn(model, true),
        Action::FieldPrevious => edit::turn(model, false),
        Action::FieldReveal => edit::show(model),
        Action::FieldGenerate => return edit::generate(model),
        Action::FieldEditor => return edit::editor(model),
        Action::FieldJson => edit::toggle_json(model),
        Action::DeployPage => go(model, Page::Deploy),
        Action::Deploy
        | Action::DeployRevert
        | Action::RevertOne
        | Action::DeployCancel
        | Action::DeployRecover
        | Action::DeployRecoverLeaving => return deploy::act(model, action),
        Action::CryptoRotate => return mode::rotate(model),
        Action::Pipeline => go(model, Page::Pipeline),
        Action::PipelineTrigger
        | Action::PipelineStop
        | Action::PipelineRetry
        | Action::PipelineReplay
        | Action::PipelineFollow => return pipeline::act(model, action),
        Action::Data | Action::DataPost | Action::DataVerify | Action::DataSummarise | Action::DataPager => {
            return data::act(model, action);
        }
        Action::CryptoEncrypt
        | Action::CryptoDecrypt
        | Action::CryptoRoundTrip
        | Action::CryptoRewrap
        | Action::CryptoSmoke
        | Action::CryptoSmokeAll
        | Action::CryptoUnmask
        | Action::CryptoForm
        | Action::CryptoBytes
        | Action::CryptoTake
        | Action::CryptoCopy
        | Action::CryptoClear => return crypto::act(model, action),
        // Everything else is done above.
        _ => {}
    }
    Vec::new()
}

fn typed(model: &mut Model, key: Key) {
    match key {
        _ if edit::letter(model, key) => {}
        Key::Char(c) => change(model, |field| field.push(c)),
        Key::Backspace => change(model, |field| {
            field.pop();
        }),
        _ => {}
    }
}

/// Changes the text field that hears keys, if one does.
fn change(model: &mut Model, change: impl FnOnce(&mut String)) {
    if matches!(model.overlays.last(), Some(Overlay::Edit(_))) {
        edit::change(model, 8, change);
        return;
    }
    if let Some(message) = changes::message(model) {
        change(message);
        return;
    }
    if let Some(overlay) = model.overlays.last_mut() {
        let Some((text, line)) = overlay.typing() else { return };
        change(text);
        *line = 0;
        palette::search(model, false);
    } else if crypto::is_typing(model) {
        crypto::edit(model, change);
    } else if filter(model).editing {
        edit_filter(model, |filter| change(&mut filter.text));
    }
}

pub(super) fn edit_filter(model: &mut Model, change: impl FnOnce(&mut Filter)) {
    let page = model.page;
    if page == Page::Overview {
        change(&mut model.overview.filter);
    } else if page == Page::Pipeline {
        change(&mut model.pipeline.find);
        model.pipeline.found = None;
    } else if page.is_list() {
        let (state, _) = model.list_mut();
        state.zoom = Zoom::Split;
        state.pane = Pane::List;
        change(&mut state.filter);
    }
    model.rebuild();
}

fn accept(model: &mut Model) -> Vec<Effect> {
    match model.overlays.last() {
        Some(Overlay::Picker(picker)) => {
            let line = picker.line;
            accept_choice(model, line)
        }
        Some(Overlay::Palette(_)) => palette::take(model),
        Some(Overlay::Help(_)) => palette::take_key(model),
        Some(Overlay::Menu(_) | Overlay::Plan(_) | Overlay::Journal(_) | Overlay::History(_) | Overlay::Promote(_)) => {
            Vec::new()
        }
        None if crypto::is_typing(model) => {
            model.crypto.editing = false;
            Vec::new()
        }
        Some(Overlay::Edit(_)) => edit::accept(model),
        Some(Overlay::Changes(_)) => changes::commit(model),
        None => {
            edit_filter(model, |filter| filter.editing = false);
            if model.page == Page::Overview {
                return to_shown(model);
            }
            if model.page == Page::Pipeline {
                seek(model, true);
            }
            if model.page.is_list() {
                model.list_mut().0.chosen = true;
            }
            Vec::new()
        }
    }
}

/// Takes a line of the picker.
pub(super) fn accept_choice(model: &mut Model, line: usize) -> Vec<Effect> {
    let Some(Overlay::Picker(picker)) = model.overlays.last() else { return Vec::new() };
    let choice = picker.choices(model).into_iter().nth(line);
    let Some(choice) = choice else { return Vec::new() };
    model.overlays.pop();
    match choice {
        Choice::Environment(index) => switch(model, index),
        Choice::OwnRef => asks::compare_with(model, None),
        Choice::Ref(info) => asks::compare_with(model, Some(info.name)),
        Choice::Typed(text) => asks::compare_with(model, Some(text)),
        Choice::Branch(branch) => pipeline::chosen(model, branch),
    }
}

fn dismiss(model: &mut Model) -> Vec<Effect> {
    if changes::back(model) {
        return Vec::new();
    }
    if crypto::is_typing(model) {
        model.crypto.editing = false;
    } else if model.overlays.is_empty() {
        edit_filter(model, |filter| *filter = Filter::default());
    }
    leave_overlay(model)
}

/// Leaves the topmost overlay, and what it waits for.
pub(super) fn leave_overlay(model: &mut Model) -> Vec<Effect> {
    match model.overlays.pop() {
        Some(Overlay::Picker(picker)) if picker.branches => pipeline::left_picker(model).into_iter().collect(),
        // What was confirmed goes on; its answer is told in a line.
        Some(Overlay::Plan(plan)) if plan.stage == Stage::Reading => vec![Effect::Cancel(plan.job.generation)],
        Some(Overlay::Plan(plan)) if plan.leaves_something() => vec![Effect::Abandon(plan.job.generation)],
        Some(Overlay::Journal(journal)) if matches!(journal.found, Remote::Loading { .. }) => {
            vec![Effect::Cancel(journal.job.generation)]
        }
        Some(Overlay::History(history)) if matches!(history.found, Remote::Loading { .. }) => {
            vec![Effect::Cancel(history.job.generation)]
        }
        Some(Overlay::Promote(promote)) if promote.stage == Promoting::Reading => {
            vec![Effect::Cancel(promote.job.generation)]
        }
        Some(Overlay::Edit(edit)) if edit.filling == Filling::Reading => vec![Effect::Cancel(edit.job.generation)],
        _ => Vec::new(),
    }
}

fn choose(model: &mut Model, by: isize) {
    if edit::choose(model, by) {
        return;
    }
    mode::scroll(model, by);
    crypto::choose(model, by);
    let Some(overlay) = model.overlays.last() else { return };
    let last = overlay.choices(model).saturating_sub(1);
    if let Some((_, line)) = model.overlays.last_mut().and_then(Overlay::typing) {
        *line = line.saturating_add_signed(by).min(last);
    }
}
