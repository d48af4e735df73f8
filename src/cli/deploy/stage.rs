//! How far a deployment is, for whoever ends it in the middle: who is at work, and so whether anything goes on.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::cli::clean;
use crate::ops::deploy::Progress;

/// How far a deployment is.
#[derive(Default)]
pub(super) struct Stage(Mutex<At>);

#[derive(Default)]
enum At {
    /// Nothing of it is begun.
    #[default]
    Before,
    /// CloudFormation is at work.
    Aws,
    /// Plumb is, at this.
    Own(Option<String>),
}

impl Stage {
    /// Takes notice of what is told, and hands it on.
    pub(super) fn hear(&self, progress: Progress) -> Progress {
        match &progress {
            Progress::Begun => *self.at() = At::Aws,
            Progress::Own => *self.at() = At::Own(None),
            Progress::Step(step) => {
                if let At::Own(own) = &mut *self.at() {
                    *own = Some(step.clone());
                }
            }
            _ => {}
        }
        progress
    }

    /// Whether nothing of it is begun.
    pub(super) fn is_before(&self) -> bool {
        matches!(*self.at(), At::Before)
    }

    /// What becomes of it when nobody looks on any more.
    pub(super) fn told(&self, stack: &str) -> String {
        match &*self.at() {
            At::Before => format!("nothing was changed of {}", clean(stack)),
            At::Aws => format!("{}, --cancel takes it back", goes_on(stack)),
            At::Own(step) => {
                let step = step.as_deref().map(|step| format!(" while {}", clean(step))).unwrap_or_default();
                let stack = clean(stack);
                format!(
                    "AWS is done with {stack}, and nothing goes on: what comes after was interrupted{step}; the same \
                     command again (plumb deploy {stack}) does what is left"
                )
            }
        }
    }

    fn at(&self) -> MutexGuard<'_, At> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What AWS is at goes on.
pub(super) fn goes_on(stack: &str) -> String {
    let stack = clean(stack);
    format!("what AWS is at with {stack} goes on without you: plumb deploy --follow {stack} looks on again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_ends_it_is_told_that_it_goes_on_only_while_somebody_else_is_at_work() {
        let stage = Stage::default();
        let step = |text: &str| drop(stage.hear(Progress::Step(text.to_owned())));
        step("executing the change set of shop");
        assert!(stage.is_before());
        stage.hear(Progress::Begun);
        assert!(!stage.is_before());
        assert!(
            stage.told("shop").contains("goes on without you: plumb deploy --follow shop"),
            "{}",
            stage.told("shop")
        );
        stage.hear(Progress::Own);
        step("looking at the code of Api");
        let told = stage.told("shop");
        assert!(!told.contains("without you") && told.contains("nothing goes on"), "{told}");
        assert!(
            told.contains("interrupted while looking at the code of Api") && told.contains("plumb deploy shop"),
            "{told}"
        );
    }
}
