//! The data page: moving, opening, asking, and being answered.

mod answers;

use ratatui::layout::Rect;

pub(super) use self::answers::{answered, lost};
use super::mode::plan;
use super::opens::go;
use super::outside::with_hint;
use crate::compare::Why;
use crate::console::action::{Action, already_on};
use crate::console::data::DataAsk;
use crate::console::effect::Effect;
use crate::console::home::Outside;
use crate::console::layout::scrolled;
use crate::console::model::{Job, Model};
use crate::console::overlay::{DataWanted, DataWork, Wanted};
use crate::console::page::Page;
use crate::console::page::data::{Asked, Line, Opened, Part, Place, State, Text, record_at, week};
use crate::console::remote::Remote;
use crate::console::view::data_sight;
use crate::ops::intake::post::Draft;
use crate::ops::intake::pretty;
use crate::ops::summary::{Manifest, Summary};
use crate::secret::Secret;

/// Why there is no such page.
pub(in crate::console) const NONE: &str = "this project says of no intake: [intake] in plumb.toml names its stack";

const FOREIGN: &str = "the account is not the expected one: nothing is asked";

pub(in crate::console) fn no_page(model: &Model) -> Option<&'static str> {
    if model.environment().has_intake() { already_on(model, Page::Data) } else { Some(NONE) }
}

pub(in crate::console) fn no_post(model: &Model) -> Option<&'static str> {
    if super::is_writing(model) { Some("a write is under way") } else { None }
}

/// Why no week can be made.
pub(in crate::console) fn no_week(model: &Model) -> Option<&'static str> {
    no_post(model).or_else(|| week(model).is_none().then_some("no week is selected"))
}

/// Why no week can be proven.
pub(in crate::console) fn no_proof(model: &Model) -> Option<&'static str> {
    let (Some(week), known) = (week(model), &model.environment().data) else { return Some("no week is selected") };
    if model.environment().wrong_account().is_some() {
        return Some(FOREIGN);
    }
    if known.proofs.get(&week).is_some_and(|proof| proof.reading.is_some()) {
        return Some("it is being verified: esc cancels");
    }
    // The function reads the whole week, for minutes.
    if known.proofs.values().any(|proof| proof.reading.is_some()) {
        return Some("another week is being verified: esc cancels");
    }
    let lines = known.lines(model.clock.now);
    let is_there = lines.iter().any(|line| line.week == week && line.row.is_some());
    (!is_there).then_some("the week has no summary to be verified")
}

pub(in crate::console) fn reading_already(model: &Model) -> Option<&'static str> {
    let known = &model.environment().data;
    let all = known.counts.reading.and(known.records.reading).and(known.weeks.reading);
    all.map(|_| "already reading: esc cancels")
}

pub(in crate::console) fn nothing_to_open(model: &Model) -> Option<&'static str> {
    if model.data.open.is_some() {
        return Some("already open: esc goes back");
    }
    match model.data.part {
        Part::Records => model.environment().data.records().is_empty().then_some("there is no record to open"),
        Part::Weeks => week(model).is_none().then_some("there is no week to open"),
        Part::Rate => Some("all of it is shown"),
    }
}

pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match (action, week(model)) {
        (Action::Data, _) => go(model, Page::Data),
        (Action::DataPost, _) => {
            let text = model.data.draft.clone().unwrap_or_else(|| Secret::new(Draft::test(model.clock.now).body));
            model.data.draft = Some(text.clone());
            return vec![Effect::Outside(Outside::Value { name: String::from("record.json"), text })];
        }
        (Action::DataSummarise, Some(week)) => return plan(model, Wanted::Data(DataWanted::Summarise(week))),
        (Action::DataVerify, Some(week)) => {
            if model.data.open.is_none() {
                model.data.part = Part::Weeks;
            }
            let job = model.job();
            let env = model.environment_mut();
            env.data.proofs.entry(week).or_default().ask(job);
            return vec![Effect::Data(job.generation, env.target(), DataAsk::Verify(week))];
        }
        (Action::DataPager, _) => {
            if let Some(Opened::Record(_, text)) = &model.data.open {
                let text = Secret::new(text.0.join("\n"));
                return vec![Effect::Outside(Outside::Page { text, diff: false })];
            }
        }
        _ => {}
    }
    Vec::new()
}

/// The editor has ended: what it left is planned, and nothing of it posted before that is confirmed.
pub(super) fn typed(model: &mut Model, outcome: Result<Option<Secret>, Why>) -> Vec<Effect> {
    if model.page != Page::Data {
        return Vec::new();
    }
    match outcome {
        Ok(changed) => {
            let Some(text) = changed.or_else(|| model.data.draft.clone()) else { return Vec::new() };
            model.data.draft = Some(text.clone());
            plan(model, Wanted::Data(DataWanted::Post(text)))
        }
        Err(why) => {
            model.notice = Some(with_hint(why));
            Vec::new()
        }
    }
}

/// Why nothing is handed to the pager.
pub(in crate::console) fn no_record(model: &Model) -> Option<&'static str> {
    let is_open = matches!(model.data.open, Some(Opened::Record(..)));
    (!is_open).then_some("no record is open")
}

/// Keeps every cursor in sight, and what is open within its lines.
pub(super) fn scroll(model: &mut Model, body: Rect) {
    let sight = data_sight(model, body);
    let (records, weeks) = (model.environment().data.records().len(), model.data.week + 1);
    let (record, weeks) = (record_at(model), weeks.max(model.environment().data.lines(model.clock.now).len()));
    let state = &mut model.data;
    state.first_record = scrolled(state.first_record, record, records, sight.records);
    state.first_week = scrolled(state.first_week, state.week, weeks, sight.weeks);
    let most = match (&state.open, state.part) {
        (Some(_), _) => sight.open,
        (None, Part::Rate) => sight.rate,
        (None, Part::Records | Part::Weeks) => 0,
    };
    state.scroll = state.scroll.min(most);
}

/// Opens the selected record or week.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    model.data.scroll = 0;
    match model.data.part {
        Part::Records => {
            let record = model.environment().data.records().get(record_at(model)).cloned();
            model.data.open = record.map(|record| {
                let text = Text(pretty::lines(&record.body));
                Opened::Record(Box::new(record), text)
            });
        }
        Part::Weeks => {
            model.data.open = week(model).map(Opened::Week);
            return read_summary(model, |found| found.value().is_none()).into_iter().collect();
        }
        Part::Rate => {}
    }
    Vec::new()
}

/// Asks what the open week's summary says, where that is due.
fn read_summary(model: &mut Model, is_due: fn(&Remote<(Manifest, Summary)>) -> bool) -> Option<Effect> {
    let Some(Opened::Week(week)) = model.data.open else { return None };
    let lines = model.environment().data.lines(model.clock.now);
    let is_there = lines.iter().any(|line| line.week == week && line.row.is_some_and(|row| row.manifest.is_ok()));
    let asked = model.environment().data.summaries.get(&week);
    let is_asked = asked.is_some_and(|asked| asked.reading.is_some() || !is_due(&asked.found));
    if !is_there || is_asked {
        return None;
    }
    let job = model.job();
    let env = model.environment_mut();
    env.data.summaries.entry(week).or_default().ask(job);
    Some(Effect::Data(job.generation, env.target(), DataAsk::Summary(week)))
}

/// Closes what is open; false when nothing is.
pub(super) fn close(model: &mut Model) -> bool {
    model.data.scroll = 0;
    model.data.open.take().is_some()
}

pub(super) fn other_part(model: &mut Model) {
    close(model);
    model.data.part = model.data.part.next();
}

pub(super) fn step(model: &mut Model, by: isize) {
    if model.data.open.is_some() || model.data.part == Part::Rate {
        // What is drawn says how far it can go.
        model.data.scroll = model.data.scroll.saturating_add_signed(by);
        return;
    }
    let moved = |at: usize, count: usize| at.saturating_add_signed(by).min(count.saturating_sub(1));
    let known = &model.environments[model.current].data;
    match model.data.part {
        Part::Records => {
            let at = moved(record_at(model), known.records().len());
            model.data.record = known.records().get(at).map(|record| record.id.clone());
        }
        Part::Weeks => model.data.week = moved(model.data.week, known.lines(model.clock.now).len()),
        Part::Rate => {}
    }
}

/// Goes to the next week whose summary is not there or not proven; false: there is none.
pub(super) fn seek(model: &mut Model, forward: bool) -> bool {
    let lines = model.environment().data.lines(model.clock.now);
    let here = model.data.week;
    let wanted = |at: &usize| lines.get(*at).is_some_and(Line::needs_attention);
    let first = if model.data.part == Part::Weeks { here + 1 } else { 0 };
    let found = if forward { (first..lines.len()).find(wanted) } else { (0..here.min(lines.len())).rev().find(wanted) };
    let Some(found) = found else { return false };
    (model.data.open, model.data.part, model.data.week) = (None, Part::Weeks, found);
    true
}

/// A click.
pub(super) fn press(model: &mut Model, place: Place) -> Vec<Effect> {
    match place {
        Place::Part(part) => model.data.part = part,
        Place::Record(at) => {
            let again = model.data.part == Part::Records && record_at(model) == at;
            model.data.part = Part::Records;
            model.data.record = model.environment().data.records().get(at).map(|record| record.id.clone());
            return if again { open(model) } else { Vec::new() };
        }
        Place::Week(at) => {
            let again = model.data.part == Part::Weeks && model.data.week == at;
            (model.data.part, model.data.week) = (Part::Weeks, at);
            return if again { open(model) } else { Vec::new() };
        }
        Place::Open => {}
    }
    Vec::new()
}

/// The wheel moves what it is over.
pub(super) fn look(model: &mut Model, place: Place) {
    match place {
        Place::Part(part) => model.data.part = part,
        Place::Record(_) => model.data.part = Part::Records,
        Place::Week(_) => model.data.part = Part::Weeks,
        Place::Open => {}
    }
}

/// Reads all of the page again, with the summary that is open.
pub(super) fn refresh(model: &mut Model) -> Vec<Effect> {
    let current = model.current;
    let mut effects = read(model, current);
    effects.extend(read_summary(model, |_| true));
    effects
}

/// What is read when the page is looked at: each part is a request of its own, so that none waits for another.
fn read(model: &mut Model, index: usize) -> Vec<Effect> {
    model.environments[index].data.wanted = false;
    let mut effects = Vec::new();
    for ask in [DataAsk::Records, DataAsk::Weeks, DataAsk::Counts] {
        let known = &model.environments[index].data;
        let reading = match ask {
            DataAsk::Records => known.records.reading,
            DataAsk::Weeks => known.weeks.reading,
            _ => known.counts.reading,
        };
        if reading.is_some() {
            continue;
        }
        let job = model.job();
        let env = &mut model.environments[index];
        match ask {
            DataAsk::Records => env.data.records.ask(job),
            DataAsk::Weeks => env.data.weeks.ask(job),
            _ => env.data.counts.ask(job),
        }
        effects.push(Effect::Data(job.generation, env.target(), ask));
    }
    effects
}

/// Aborts what the page waits for.
pub(super) fn cancel(model: &mut Model) -> Option<Vec<Effect>> {
    if model.page != Page::Data {
        return None;
    }
    let known = &mut model.environments[model.current].data;
    let jobs = [known.counts.give_up(), known.records.give_up(), known.weeks.give_up()];
    let summaries = known.summaries.values_mut().map(Asked::give_up);
    let mut jobs: Vec<Job> = jobs.into_iter().chain(summaries).flatten().collect();
    jobs.extend(known.proofs.values_mut().filter_map(Asked::give_up));
    if jobs.is_empty() {
        return None;
    }
    model.notice = Some(String::from("cancelled: r reads the page"));
    Some(jobs.into_iter().map(|job| Effect::Cancel(job.generation)).collect())
}

/// Keeps what the page remembers that environment's which is looked at, and reads what is to be read of it.
pub(super) fn settle(model: &mut Model) -> Vec<Effect> {
    if model.data.environment != model.current {
        model.data = State { environment: model.current, ..State::default() };
    }
    if model.page != Page::Data {
        model.data.open = None;
    }
    let weeks = model.environment().data.lines(model.clock.now).len();
    model.data.week = model.data.week.min(weeks.saturating_sub(1));
    let env = model.environment();
    let looked_at = model.page == Page::Data && env.has_intake() && env.wrong_account().is_none();
    let unread = matches!(env.data.records.found, Remote::Idle) && env.data.records.reading.is_none();
    if !looked_at {
        return Vec::new();
    }
    let current = model.current;
    let mut effects = if env.data.wanted || unread { read(model, current) } else { Vec::new() };
    effects.extend(read_summary(model, |found| matches!(found, Remote::Idle)));
    effects
}

/// Something was written: what is known is read again, and what was proven of that week is no longer.
pub(super) fn written(model: &mut Model, environment: usize, work: &DataWork) {
    if matches!(work, DataWork::Post(_)) {
        model.data.draft = None;
    }
    let env = &mut model.environments[environment];
    env.data.wanted = true;
    if let Some(week) = work.week() {
        env.data.proofs.remove(&week);
        env.data.summaries.remove(&week);
    }
}
