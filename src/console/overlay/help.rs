//! The searchable keys: what is typed, which actions that leaves, and the lines that they are listed in.

use crate::console::action::{ACTIONS, Action, Scope, Spec};
use crate::console::fuzzy::Fuzzy;
use crate::console::keymap::Keymap;
use crate::console::model::Model;

/// The state of the keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Help {
    /// What is typed.
    pub text: String,
    /// The chosen line among the actions.
    pub line: usize,
    /// The first row drawn, headings among the rows.
    pub(in crate::console) first: usize,
}

/// What the keys list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::console) enum Listed {
    /// An action of the table.
    Action(Action),
    /// An action of the operator's own, by its place in the config.
    Own(usize),
}

/// A row of the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::console) enum HelpRow {
    /// Nothing.
    Air,
    /// What follows is of this scope; `None`: it is the operator's own.
    Heading(Option<Scope>),
    /// What is listed at this place.
    Entry(usize, Listed),
}

impl Listed {
    fn scope(self) -> Option<Scope> {
        match self {
            Self::Action(action) => Some(action.spec().scope),
            Self::Own(_) => None,
        }
    }
}

impl Help {
    /// The actions that match: all of them by scope while nothing is typed, else the best match first.
    pub(in crate::console) fn found(&self, model: &Model) -> Vec<Listed> {
        let typed = self.text.trim();
        let by_scope = Scope::ALL.into_iter().flat_map(|scope| ACTIONS.iter().filter(move |spec| spec.scope == scope));
        let own = &model.home.settings.actions;
        if typed.is_empty() {
            let table = by_scope.map(|spec| Listed::Action(spec.action));
            return table.chain((0..own.len()).map(Listed::Own)).collect();
        }
        let mut fuzzy = Fuzzy::new(typed);
        let mut found: Vec<(u32, Listed)> = by_scope
            .filter_map(|spec| {
                score(&mut fuzzy, &model.keymap, spec, typed).map(|score| (score, Listed::Action(spec.action)))
            })
            .collect();
        found.extend(own.iter().enumerate().filter_map(|(index, (action, key))| {
            let is_its_key = key.is_some_and(|key| key.to_string() == typed);
            let score =
                if is_its_key { Some(u32::MAX) } else { fuzzy.score(&action.title).max(fuzzy.score(&action.id)) };
            score.map(|score| (score, Listed::Own(index)))
        }));
        found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        found.into_iter().map(|(_, listed)| listed).collect()
    }

    /// The rows. Unless something is typed what is listed stands below its scope.
    pub(in crate::console) fn rows(&self, model: &Model) -> Vec<HelpRow> {
        let headed = self.text.trim().is_empty();
        let (mut rows, mut scope) = (Vec::new(), None);
        for (index, listed) in self.found(model).into_iter().enumerate() {
            let own = Some(listed.scope());
            if headed && scope != own {
                rows.extend(scope.map(|_| HelpRow::Air));
                rows.push(HelpRow::Heading(listed.scope()));
                scope = own;
            }
            rows.push(HelpRow::Entry(index, listed));
        }
        rows
    }

    /// The row of the chosen line.
    pub(in crate::console) fn chosen(&self, rows: &[HelpRow]) -> usize {
        rows.iter().position(|row| matches!(row, HelpRow::Entry(index, _) if *index == self.line)).unwrap_or(0)
    }
}

/// A key that is typed as it is written finds its action before all others.
fn score(fuzzy: &mut Fuzzy, keymap: &Keymap, spec: &Spec, typed: &str) -> Option<u32> {
    if keymap.written(spec.action).iter().any(|keys| keys == typed) {
        return Some(u32::MAX);
    }
    fuzzy.score(spec.title).max(fuzzy.score(spec.id))
}
