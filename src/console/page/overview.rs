//! The overview: environments, and what needs the operator in the current one.

use super::Filter;
use crate::console::model::EnvState;
use crate::console::needs::{Need, needs};
use crate::console::page::Mark;

/// Which half hears the movement keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Half {
    /// The table of environments.
    Environments,
    /// What needs the operator.
    #[default]
    Needs,
}

/// What the overview remembers.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Which half hears the movement keys.
    pub half: Half,
    /// The environment under the cursor.
    pub environment: usize,
    /// What needs the operator, most important first.
    pub needs: Vec<Need>,
    /// What is selected.
    pub cursor: Option<Mark>,
    /// Whether the operator chose it; else the cursor stays on the first line while lines come in.
    pub chosen: bool,
    /// Its place in the list.
    pub line: usize,
    /// The first line drawn.
    pub offset: usize,
    /// Narrows the list by name.
    pub filter: Filter,
}

impl State {
    /// Makes the list anew and keeps the cursor on its item.
    pub(in crate::console) fn rebuild(&mut self, env: &EnvState) {
        self.needs = needs(env, &self.filter);
        let wanted = self.cursor.as_ref().filter(|_| self.chosen);
        let found = wanted.and_then(|mark| self.needs.iter().position(|need| need.mark(env).as_ref() == Some(mark)));
        self.go(found.unwrap_or(if self.chosen { self.line } else { 0 }), env);
    }

    /// Moves the cursor in the list.
    pub(in crate::console) fn step(&mut self, by: isize, env: &EnvState) {
        self.chosen = true;
        self.go(self.line.saturating_add_signed(by), env);
    }

    fn go(&mut self, line: usize, env: &EnvState) {
        self.line = line.min(self.needs.len().saturating_sub(1));
        self.cursor = self.needs.get(self.line).and_then(|need| need.mark(env));
    }
}
