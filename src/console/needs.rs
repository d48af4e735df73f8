//! What needs the operator, most important first.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::model::EnvState;
use super::page::list::{FEW, GIT_ONLY};
use super::page::{Filter, ItemId, Mark};
use crate::compare::{Item, Kind, Verdict};

/// One thing that needs the operator.
#[derive(Debug, Clone, PartialEq)]
pub enum Need {
    /// A whole kind could not be read.
    Kind(Kind),
    /// A failure that is not one item's.
    Problem {
        /// The kind whose section has it.
        kind: Kind,
        /// Which of its problems.
        index: usize,
    },
    /// An item, and how many more are alike: unknown for the same reason, or in git only.
    Item {
        /// The kind whose section has it.
        kind: Kind,
        /// Which of its items.
        index: usize,
        /// How many more.
        more: usize,
    },
}

impl Need {
    /// What it is known by.
    pub(super) fn mark(&self, env: &EnvState) -> Option<Mark> {
        match self {
            Self::Item { .. } => self.item(env).map(|item| Mark::Item(ItemId::of(item))),
            Self::Problem { kind, index } => {
                let problem = env.section(*kind).value()?.problems.get(*index)?;
                Some(Mark::Problem(*kind, problem.subject.clone()))
            }
            Self::Kind(kind) => Some(Mark::Kind(*kind)),
        }
    }

    /// The item, if it is one.
    pub(super) fn item<'a>(&self, env: &'a EnvState) -> Option<&'a Item> {
        match self {
            Self::Item { kind, index, .. } => env.section(*kind).value()?.items.get(*index),
            Self::Kind(_) | Self::Problem { .. } => None,
        }
    }

    /// The kind whose page tells more.
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Kind(kind) | Self::Problem { kind, .. } | Self::Item { kind, .. } => *kind,
        }
    }
}

/// What could not be read at all; then differences by weight of verdict, the latest change first; then what else
/// could not be read, items with the same reason as one.
pub(super) fn needs(env: &EnvState, filter: &Filter) -> Vec<Need> {
    let matches = filter.matcher();
    let mut list = Vec::new();
    let mut problems = Vec::new();
    let mut items: Vec<(&Item, Kind, usize, usize)> = Vec::new();
    let mut alike: HashMap<(Kind, &str, &str), usize> = HashMap::new();
    for kind in Kind::ALL {
        // What concerns everything is told once, in the header.
        if env.why_failed(kind).is_some_and(|why| !why.is_of_everything()) && matches(kind.code()) {
            list.push(Need::Kind(kind));
        }
        let Some(section) = env.section(kind).value() else { continue };
        let named = section.problems.iter().enumerate().filter(|(_, problem)| matches(&problem.subject));
        problems.extend(named.map(|(index, _)| Need::Problem { kind, index }));
        let mut git_only: HashMap<&str, usize> = HashMap::new();
        for item in section.items.iter().filter(|item| item.verdict == Verdict::GitOnly) {
            *git_only.entry(item.unit.as_str()).or_default() += 1;
        }
        let many = |unit: &str| filter.text.is_empty() && git_only.get(unit).is_some_and(|count| *count > FEW);
        for (index, item) in section.items.iter().enumerate() {
            if !item.verdict.needs_attention() || !matches(&item.name) {
                continue;
            }
            let group = match &item.verdict {
                Verdict::Unknown(why) => (kind, "", why.reason.as_str()),
                Verdict::GitOnly if many(&item.unit) => (kind, item.unit.as_str(), GIT_ONLY),
                _ => {
                    items.push((item, kind, index, 0));
                    continue;
                }
            };
            match alike.entry(group) {
                Entry::Occupied(first) => items[*first.get()].3 += 1,
                Entry::Vacant(slot) => {
                    slot.insert(items.len());
                    items.push((item, kind, index, 0));
                }
            }
        }
    }
    let at = |item: &Item| item.changed.as_ref().and_then(|changed| changed.at).unwrap_or(i64::MIN);
    items.sort_by(|(a, ..), (b, ..)| b.verdict.weight().cmp(&a.verdict.weight()).then(at(b).cmp(&at(a))));
    let known = items.partition_point(|(item, ..)| item.verdict.is_difference());
    let need = |&(_, kind, index, more): &(&Item, Kind, usize, usize)| Need::Item { kind, index, more };
    list.extend(items[..known].iter().map(need));
    list.extend(problems);
    list.extend(items[known..].iter().map(need));
    list
}
