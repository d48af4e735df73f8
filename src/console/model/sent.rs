//! What is chosen to be written, and what is being written.

use super::{Job, Model, list_index};
use crate::compare::Kind;
use crate::console::overlay::{EndedItems, Plan, Work};
use crate::console::page::{ItemId, Page};
use crate::ops::push::Progress;

/// What was confirmed and is being done, whether or not its plan is still open.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The request.
    pub job: Job,
    /// The environment's index.
    pub environment: usize,
    /// What is done.
    pub work: Work,
    /// Of values, the plan to be shown again.
    pub plan: Option<Box<Plan>>,
    /// How far a write of values is.
    pub progress: Option<Progress>,
    /// Whether each item that has ended was written, by its name.
    pub(in crate::console) ended: EndedItems,
}

impl Sent {
    pub(in crate::console) fn new(job: Job, environment: usize, work: Work) -> Self {
        Self { job, environment, work, plan: None, progress: None, ended: EndedItems::new() }
    }
}

impl Model {
    /// The environment that is being written to, when something is. A command of the operator's own is ended, and
    /// waited for, by leaving.
    pub(in crate::console) fn unfinished(&self) -> Option<&str> {
        let mut sent = self.sent.iter().filter(|sent| !matches!(sent.work, Work::Command(_)));
        sent.next().map(|sent| self.environments[sent.environment].name())
    }

    /// What is chosen to be pushed.
    pub(in crate::console) fn chosen(&self) -> Vec<ItemId> {
        let of = |page: Page, kind| {
            self.lists[list_index(page)].marks.iter().map(move |name| ItemId { kind, name: name.clone() })
        };
        of(Page::Parameters, Kind::Parameter).chain(of(Page::Secrets, Kind::Secret)).collect()
    }

    /// Chooses nothing any more.
    pub(in crate::console) fn choose_nothing(&mut self) {
        self.lists.iter_mut().for_each(|list| list.marks.clear());
    }
}
