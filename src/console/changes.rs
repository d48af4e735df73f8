//! What the console knows of the change lists: one for each project, as it is kept on this machine.

use std::collections::BTreeMap;

use super::message::Generation;
use super::model::Model;
use super::page::ItemId;
use super::remote::Remote;
use crate::compare::Why;
use crate::ops::config::changes::{Change, Desk, Place, Preview, Proposal, Subject};
use crate::secret::Secret;

/// How long the values of a field or of the list are shown, in milliseconds.
pub(super) const SHOWN: i64 = 30_000;

/// What is asked about a project's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeAsk {
    /// What is kept.
    List,
    /// Where a subject's value may be put; and what is live of it, where that is wanted.
    Desk(Subject, bool),
    /// To take a change in.
    Propose(Box<Proposal>),
    /// To drop changes; those of no place: all.
    Drop(Vec<Place>),
    /// What a commit would be.
    Preview,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeAnswer {
    /// The list, as it is on the disk.
    List(Vec<Change>),
    /// Where a value may be put, and the live one.
    Desk(Box<Desk>, Option<Secret>),
    /// The list, and what a commit of it would be.
    Preview(Vec<Change>, Box<Preview>),
}

/// The lists, and what was asked about them.
#[derive(Debug, Default)]
pub struct State {
    lists: BTreeMap<String, Result<Vec<Change>, Why>>,
    /// The layers of the item that was opened last.
    pub(super) layers: Option<Layers>,
    /// Requests that are not an overlay's, with what is told once they are answered.
    pub(super) asked: Vec<Asked>,
}

/// The layers that an item's key stands in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layers {
    pub(super) generation: Generation,
    /// Index of the environment.
    pub(super) environment: usize,
    pub(super) id: ItemId,
    pub(super) desk: Remote<Desk>,
}

/// A request about a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) generation: Generation,
    /// The project.
    pub(super) project: String,
    /// What was done, when it is; empty: nothing that somebody waits for.
    pub(super) told: String,
}

impl State {
    /// Takes over what is kept of a project.
    pub fn know(&mut self, project: &str, list: Result<Vec<Change>, Why>) {
        self.lists.insert(project.to_owned(), list);
    }

    /// Whether a project's list was ever asked for.
    #[must_use]
    pub fn is_known(&self, project: &str) -> bool {
        self.lists.contains_key(project)
    }

    /// A project's changes; none while they are not known.
    #[must_use]
    pub fn of(&self, project: &str) -> &[Change] {
        self.lists.get(project).and_then(|list| list.as_ref().ok()).map_or(&[], Vec::as_slice)
    }

    /// Why a project's list cannot be opened.
    #[must_use]
    pub fn why(&self, project: &str) -> Option<&Why> {
        self.lists.get(project)?.as_ref().err()
    }

    /// Takes a request out that an answer is for.
    pub(super) fn answered(&mut self, generation: Generation) -> Option<Asked> {
        let at = self.asked.iter().position(|asked| asked.generation == generation)?;
        Some(self.asked.remove(at))
    }
}

/// `3 changes pending`; nothing where there is none.
pub(super) fn pending(model: &Model) -> Option<String> {
    let project = model.project();
    if model.changes.why(project).is_some() {
        return Some(String::from("changes cannot be opened"));
    }
    match model.changes.of(project).len() {
        0 => None,
        1 => Some(String::from("1 change pending")),
        count => Some(format!("{count} changes pending")),
    }
}
