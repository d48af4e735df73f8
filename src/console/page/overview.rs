//! The overview: the environments of all projects, and what needs the operator in the current one.

use super::Filter;
use crate::console::model::{EnvState, Model};
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
    /// What needs the operator, most important first.
    pub needs: Vec<Need>,
    /// What is selected.
    pub cursor: Option<Mark>,
    /// Whether the operator chose it; else the cursor stays on the first line while lines come in for the first time.
    pub chosen: bool,
    /// Its place in the list.
    pub line: usize,
    /// The first line drawn.
    pub offset: usize,
    /// Narrows the list by name.
    pub filter: Filter,
    /// The first row drawn of the table of environments, once the wheel has moved it; else it follows the current one.
    pub top: Option<usize>,
}

impl State {
    /// Makes the list anew and keeps the cursor on its item.
    pub(in crate::console) fn rebuild(&mut self, env: &EnvState) {
        // What narrows the environments to this one says nothing about its items.
        let named = self.filter.matcher()(&label(env));
        self.needs = if named { needs(env, &Filter::default()) } else { needs(env, &self.filter) };
        let wanted = self.cursor.as_ref().filter(|_| self.chosen || env.was_whole);
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

/// One line of the table of environments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::console) enum Row {
    /// The head of a project, by its index; only where there are several.
    Project(usize),
    /// An environment, by its index.
    Environment(usize),
}

/// The lines of the table, project by project, as far as the filter shows them. A filter that names neither a project
/// nor an environment is about items, and hides none.
pub(in crate::console) fn rows(model: &Model) -> Vec<Row> {
    let matches = model.overview.filter.matcher();
    let projects = &model.fleet.projects;
    let of = |env: &EnvState| projects.iter().position(|project| project.name == env.project()).unwrap_or(0);
    let any = model.environments.iter().any(|env| matches(&label(env)))
        || projects.iter().any(|project| matches(&project.name));
    let mut rows = Vec::new();
    for (index, project) in projects.iter().enumerate() {
        let environments = model.environments.iter().enumerate().filter(|(_, env)| of(env) == index);
        let shown: Vec<Row> = environments
            .filter(|(_, env)| !any || matches(&label(env)))
            .map(|(index, _)| Row::Environment(index))
            .collect();
        if projects.len() > 1 && (!any || !shown.is_empty() || matches(&project.name)) {
            rows.push(Row::Project(index));
        }
        rows.extend(shown);
    }
    rows
}

/// The environments of the table, by their indices.
pub(in crate::console) fn environments(model: &Model) -> impl Iterator<Item = usize> + use<> {
    rows(model).into_iter().filter_map(|row| match row {
        Row::Environment(index) => Some(index),
        Row::Project(_) => None,
    })
}

/// What an environment is found by.
fn label(env: &EnvState) -> String {
    let info = env.info.as_ref();
    let profile = info.and_then(|info| info.profile.as_deref()).unwrap_or_default();
    let region = info.and_then(|info| info.region.as_deref()).unwrap_or_default();
    let account = env.identity.value().map(|identity| identity.account.as_str()).unwrap_or_default();
    format!("{} {} {profile} {region} {account}", env.project(), env.name())
}
