//! Statuses in which a stack is stuck, and the ways out of them, by name.

use super::follow::Ended;
use crate::aws::cloudformation::StackInfo;
use crate::compare::Why;

/// Where a stack is stuck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stuck {
    /// It was never made, and waits for a change set to be executed.
    Review,
    /// It was never made whole.
    CreationFailed,
    /// Its rollback failed.
    RollbackFailed,
    /// Its update failed and was not rolled back.
    UpdateFailed,
    /// Its deletion failed halfway.
    DeletionFailed,
}

impl Stuck {
    /// Where a stack of this status is stuck, if it is.
    pub(super) fn of(status: &str) -> Option<Self> {
        Some(match status {
            "REVIEW_IN_PROGRESS" => Self::Review,
            "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "CREATE_FAILED" => Self::CreationFailed,
            "UPDATE_ROLLBACK_FAILED" => Self::RollbackFailed,
            "UPDATE_FAILED" => Self::UpdateFailed,
            "DELETE_FAILED" => Self::DeletionFailed,
            _ => return None,
        })
    }

    /// What is the matter, and what the way out does.
    #[must_use]
    pub fn told(self) -> (&'static str, &'static str) {
        match self {
            Self::Review => ("it was never made, and only waits for a change set", "delete it"),
            Self::CreationFailed => ("it was never made whole, and can only be deleted", "delete what is left of it"),
            Self::RollbackFailed => {
                ("its last rollback failed, and it takes no change until that has ended", "go on with the rollback")
            }
            Self::UpdateFailed => ("its last update failed and was not rolled back", "roll it back"),
            Self::DeletionFailed => ("its deletion failed halfway", "delete the rest"),
        }
    }

    /// Whether the way out deletes the stack.
    #[must_use]
    pub fn deletes(self) -> bool {
        matches!(self, Self::Review | Self::CreationFailed | Self::DeletionFailed)
    }

    /// Whether the way out has led out.
    #[must_use]
    pub fn is_left_by(self, ended: &Ended) -> bool {
        if self.deletes() { ended.stack.is_none() } else { ended.status.ends_with("_COMPLETE") }
    }

    /// What may be said besides.
    fn option(self) -> &'static str {
        match self {
            Self::RollbackFailed => "; --skip RESOURCE leaves one as it is",
            Self::DeletionFailed => "; --retain RESOURCE leaves one behind",
            Self::Review | Self::CreationFailed | Self::UpdateFailed => "",
        }
    }
}

/// Refuses to deploy a stack that is stuck, naming what leads out. One that only waits for a change set gets another.
pub(super) fn refuse(info: &StackInfo) -> Result<(), Why> {
    let Some(stuck) = Stuck::of(&info.status).filter(|stuck| *stuck != Stuck::Review) else { return Ok(()) };
    let (name, (matter, way)) = (&info.name, stuck.told());
    let hint = format!("plumb recover {name}, to {way}{}; then deploy again", stuck.option());
    Err(Why::new(format!("{name} is {}: {matter}", info.status)).hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_that_takes_no_change_has_a_way_out_and_no_other_has() {
        for (status, expected) in [
            ("REVIEW_IN_PROGRESS", Some(Stuck::Review)),
            ("ROLLBACK_COMPLETE", Some(Stuck::CreationFailed)),
            ("ROLLBACK_FAILED", Some(Stuck::CreationFailed)),
            ("CREATE_FAILED", Some(Stuck::CreationFailed)),
            ("UPDATE_ROLLBACK_FAILED", Some(Stuck::RollbackFailed)),
            ("UPDATE_FAILED", Some(Stuck::UpdateFailed)),
            ("DELETE_FAILED", Some(Stuck::DeletionFailed)),
            ("CREATE_COMPLETE", None),
            ("UPDATE_COMPLETE", None),
            ("UPDATE_ROLLBACK_COMPLETE", None),
            ("UPDATE_IN_PROGRESS", None),
            ("IMPORT_ROLLBACK_COMPLETE", None),
        ] {
            assert_eq!(Stuck::of(status), expected, "{status}");
        }
    }
}
