//! The searchable keys: what is typed, and which actions that leaves.

use crate::console::action::{ACTIONS, Action, Scope, Spec};
use crate::console::fuzzy::Fuzzy;
use crate::console::keymap::Keymap;

/// The state of the keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Help {
    /// What is typed.
    pub text: String,
    /// The chosen line among the actions.
    pub line: usize,
}

impl Help {
    /// The actions that match: all of them by scope while nothing is typed, else the best match first.
    pub(in crate::console) fn found(&self, keymap: &Keymap) -> Vec<Action> {
        let typed = self.text.trim();
        let by_scope = Scope::ALL.into_iter().flat_map(|scope| ACTIONS.iter().filter(move |spec| spec.scope == scope));
        if typed.is_empty() {
            return by_scope.map(|spec| spec.action).collect();
        }
        let mut fuzzy = Fuzzy::new(typed);
        let mut found: Vec<(u32, Action)> = by_scope
            .filter_map(|spec| score(&mut fuzzy, keymap, spec, typed).map(|score| (score, spec.action)))
            .collect();
        found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        found.into_iter().map(|(_, action)| action).collect()
    }
}

/// A key that is typed as it is written finds its action before all others.
fn score(fuzzy: &mut Fuzzy, keymap: &Keymap, spec: &Spec, typed: &str) -> Option<u32> {
    if keymap.written(spec.action).iter().any(|keys| keys == typed) {
        return Some(u32::MAX);
    }
    fuzzy.score(spec.title).max(fuzzy.score(spec.id))
}
