//! The command palette: what is typed, and what that finds.

use std::cmp::Reverse;

use crate::compare::{Item, Kind};
use crate::config::CustomAction;
use crate::console::action::{ACTIONS, Action, Scope, Spec};
use crate::console::command::{self, Offers, VERBS, Verb};
use crate::console::fuzzy::Fuzzy;
use crate::console::memory::Recent;
use crate::console::model::Model;
use crate::console::page::{ItemId, Page};
use crate::console::text::nearest;
use crate::console::update::{context_below, own_offered};

/// How many finds are kept; nobody reads further, everybody types on.
const KEPT: usize = 200;

/// The state of the palette.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Palette {
    /// What is typed.
    pub text: String,
    /// The chosen line.
    pub line: usize,
    /// The first line drawn.
    pub(in crate::console) first: usize,
    /// What it finds, the best first.
    pub(in crate::console) found: Vec<What>,
    /// How many there are, shown or not.
    pub(in crate::console) total: usize,
}

/// Something that the palette offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::console) enum What {
    /// An action of the table.
    Action(Action),
    /// An action of the operator's own, by its place in the config.
    Own(usize),
    /// A command that still wants its argument, by its name.
    Verb(&'static str),
    /// What is typed, as a command.
    Typed(String),
    /// An environment, by its name.
    Environment(String),
    /// A branch or tag, by its name.
    Ref(String),
    /// A theme, by its name.
    Theme(String),
    /// An item of the current environment.
    Item(ItemId),
}

/// The same, borrowed: of ten thousand only the best few hundred are ever owned.
#[derive(Clone, Copy)]
enum Candidate<'a> {
    Action(Action),
    Own(usize, &'a CustomAction),
    Verb(&'static Verb),
    Environment(&'a str),
    Ref(&'a str),
    Theme(&'a str),
    Item(&'a Item),
}

impl Palette {
    /// Finds anew what is typed. The chosen line stays on its find, if that is still one and `keep` says so.
    pub(in crate::console) fn search(&mut self, model: &Model, keep: bool) {
        let chosen = self.found.get(self.line).cloned().filter(|_| keep);
        let (found, total) = find(model, &self.text);
        self.line = chosen.and_then(|what| found.iter().position(|found| *found == what)).unwrap_or(0);
        self.found = found;
        self.total = total;
    }

    /// What of the text is looked for: the argument, when a command's is being typed.
    pub(in crate::console) fn sought(&self) -> &str {
        let (_, rest) = command::split(&self.text);
        if argument_of(&self.text).is_some() { rest } else { self.text.trim() }
    }
}

/// The command whose argument is being typed.
fn argument_of(text: &str) -> Option<&'static Verb> {
    let (word, _) = command::split(text);
    let begun = text.trim_start().len() > word.len();
    Verb::named(word).filter(|verb| begun && !verb.takes.is_empty())
}

fn find(model: &Model, text: &str) -> (Vec<What>, usize) {
    let line = text.trim();
    if line.is_empty() {
        return unasked(model);
    }
    let recent: Vec<Recent> = model.memory.recent().collect();
    if let Some(verb) = argument_of(text) {
        let (_, rest) = command::split(text);
        let (mut found, mut total) = best(offered(model, verb.offers), rest, &recent);
        // A ref may be anything that git understands, and is taken as typed; of the others only what there is.
        let open =
            verb.offers == Offers::Refs && !found.iter().any(|what| matches!(what, What::Ref(name) if name == rest));
        if found.is_empty() || open {
            found.insert(if rest.is_empty() { 0 } else { found.len() }, What::Typed(line.to_owned()));
            total += 1;
        }
        return (found, total);
    }
    let (mut found, mut total) = best(everything(model), line, &recent);
    // Several words that begin almost like a command are perhaps one.
    let (word, rest) = command::split(line);
    let almost =
        !rest.is_empty() && Verb::named(word).is_none() && nearest(word, VERBS.iter().map(|verb| verb.name)).is_some();
    if almost && !found.is_empty() {
        found.push(What::Typed(line.to_owned()));
        total += 1;
    }
    // A command that is typed in full is meant; where nothing is found, the line says what is wrong with it.
    if found.is_empty() || Verb::named(line).is_some_and(|verb| verb.takes.is_empty()) {
        found.retain(|what| !matches!(what, What::Verb(name) if *name == line));
        found.insert(0, What::Typed(line.to_owned()));
        total = total.max(1);
    }
    (found, total)
}

/// What is offered before anything is typed: what was chosen lately, then what can be done here.
fn unasked(model: &Model) -> (Vec<What>, usize) {
    let recent = model.memory.recent().filter_map(|recent| match recent {
        Recent::Action(action) => Some(What::Action(action)),
        Recent::Environment(name) => {
            model.environments.iter().any(|env| env.title == name).then_some(What::Environment(name))
        }
        Recent::Command(name) => Some(What::Verb(name)),
        Recent::Item(id) => model.environment().item(&id).is_some().then_some(What::Item(id)),
    });
    let mut found: Vec<What> = recent.collect();
    let (can, cannot): (Vec<Action>, Vec<Action>) = actions()
        .filter(|action| action.spec().scope != Scope::Move)
        .partition(|action| why_not(model, *action).is_none());
    let others = model.environments.iter().enumerate().filter(|(index, _)| *index != model.current);
    let rest = (own_offered(model).into_iter().map(What::Own))
        .chain(can.into_iter().map(What::Action))
        .chain(others.map(|(_, env)| What::Environment(env.title.clone())))
        .chain(VERBS.iter().map(|verb| What::Verb(verb.name)))
        .chain(cannot.into_iter().map(What::Action));
    for what in rest {
        if !found.contains(&what) {
            found.push(what);
        }
    }
    let total = found.len();
    (found, total)
}

/// Why an action cannot be done on the page below the palette.
pub(in crate::console) fn why_not(model: &Model, action: Action) -> Option<String> {
    action.why_not(model, context_below(model))
}

/// The actions that make sense once the palette is closed.
fn actions() -> impl Iterator<Item = Action> {
    let wanted = |spec: &&Spec| !matches!(spec.scope, Scope::Input | Scope::Tour) && spec.action != Action::Palette;
    ACTIONS.iter().filter(wanted).map(|spec| spec.action)
}

fn everything(model: &Model) -> impl Iterator<Item = Candidate<'_>> {
    let env = model.environment();
    let items = Kind::ALL.into_iter().filter_map(|kind| env.section(kind).value()).flat_map(|section| &section.items);
    let own = model.home.settings.actions.iter().enumerate();
    actions()
        .map(Candidate::Action)
        .chain(own.map(|(index, (action, _))| Candidate::Own(index, action)))
        .chain(VERBS.iter().map(Candidate::Verb))
        .chain(offered(model, Offers::Environments))
        .chain(offered(model, Offers::Refs))
        .chain(offered(model, Offers::Themes))
        .chain(items.map(Candidate::Item))
}

fn offered(model: &Model, offers: Offers) -> Box<dyn Iterator<Item = Candidate<'_>> + '_> {
    match offers {
        Offers::Nothing => Box::new(std::iter::empty()),
        Offers::Environments => Box::new(model.environments.iter().map(|env| Candidate::Environment(&env.title))),
        Offers::Refs => {
            let refs = model.refs.value().map_or(&[][..], Vec::as_slice);
            Box::new(refs.iter().map(|found| Candidate::Ref(&found.name)))
        }
        Offers::Themes => Box::new(model.home.settings.themes.iter().map(|name| Candidate::Theme(name))),
        Offers::Pages => Box::new(Page::ALL.into_iter().map(|page| Candidate::Action(page.action()))),
    }
}

/// The best matches, and how many there are.
fn best<'a>(candidates: impl Iterator<Item = Candidate<'a>>, text: &str, recent: &[Recent]) -> (Vec<What>, usize) {
    let mut fuzzy = Fuzzy::new(text);
    // Where nothing is looked for, the project's order stands.
    let length = |candidate: Candidate<'a>| if text.is_empty() { 0 } else { candidate.length() };
    let mut found: Vec<Ranked<'a>> = candidates
        .enumerate()
        .filter_map(|(index, candidate)| {
            let score = candidate.score(|text| fuzzy.rough(text))? + candidate.bonus(recent);
            Some(Ranked { rank: (Reverse(score), length(candidate), index), candidate })
        })
        .collect();
    let total = found.len();
    // Ten thousand names are weighed roughly, and only the promising ones with care.
    keep_best(&mut found, 4 * KEPT);
    for ranked in &mut found {
        let score = ranked.candidate.score(|text| fuzzy.score(text)).unwrap_or(0);
        ranked.rank.0 = Reverse(score + ranked.candidate.bonus(recent));
    }
    keep_best(&mut found, KEPT);
    found.sort_unstable_by_key(|ranked| ranked.rank);
    (found.into_iter().map(|ranked| ranked.candidate.own()).collect(), total)
}

/// A match and its place among all: by its score, then the shorter, then as they came.
struct Ranked<'a> {
    rank: (Reverse<u32>, usize, usize),
    candidate: Candidate<'a>,
}

fn keep_best(found: &mut Vec<Ranked<'_>>, count: usize) {
    if found.len() > count {
        found.select_nth_unstable_by_key(count, |ranked| ranked.rank);
        found.truncate(count);
    }
}

impl Candidate<'_> {
    /// How well it matches, by a measure of one text.
    fn score(self, mut measure: impl FnMut(&str) -> Option<u32>) -> Option<u32> {
        match self {
            Self::Action(action) => measure(action.spec().title).max(measure(action.spec().id)),
            Self::Own(_, action) => measure(&action.title).max(measure(&action.id)),
            Self::Verb(verb) => measure(verb.name),
            Self::Environment(name) | Self::Ref(name) | Self::Theme(name) => measure(name),
            Self::Item(item) => measure(&item.name),
        }
    }

    /// What is few, what was chosen lately and what needs the operator comes before what is many and quiet.
    fn bonus(self, recent: &[Recent]) -> u32 {
        let own = match self {
            Self::Action(_) | Self::Own(..) | Self::Environment(_) | Self::Verb(_) => 16,
            Self::Ref(_) | Self::Theme(_) => 4,
            Self::Item(item) => 8 * u32::from(item.verdict.needs_attention()),
        };
        let lately = recent.iter().position(|recent| match (recent, self) {
            (Recent::Action(known), Self::Action(action)) => *known == action,
            (Recent::Environment(known), Self::Environment(name)) => known == name,
            (Recent::Command(known), Self::Verb(verb)) => *known == verb.name,
            (Recent::Item(known), Self::Item(item)) => known.is(item),
            _ => false,
        });
        own + lately.and_then(|at| u32::try_from(40_usize.saturating_sub(at)).ok()).unwrap_or(0)
    }

    fn length(self) -> usize {
        match self {
            Self::Action(action) => action.spec().title.len(),
            Self::Own(_, action) => action.title.len(),
            Self::Verb(verb) => verb.name.len(),
            Self::Environment(name) | Self::Ref(name) | Self::Theme(name) => name.len(),
            Self::Item(item) => item.name.len(),
        }
    }

    fn own(self) -> What {
        match self {
            Self::Action(action) => What::Action(action),
            Self::Own(index, _) => What::Own(index),
            Self::Verb(verb) => What::Verb(verb.name),
            Self::Environment(name) => What::Environment(name.to_owned()),
            Self::Ref(name) => What::Ref(name.to_owned()),
            Self::Theme(name) => What::Theme(name.to_owned()),
            Self::Item(item) => What::Item(ItemId::of(item)),
        }
    }
}
