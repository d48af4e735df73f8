//! Something that has to be asked for.

use crate::compare::Why;

/// A remote thing, in every state it can be in.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Remote<T> {
    /// Not asked for.
    #[default]
    Idle,
    /// Asked for the first time.
    Loading {
        /// When, in milliseconds since the Unix epoch.
        since: i64,
    },
    /// Here.
    Ready(T),
    /// Here from before; a newer answer was asked for, or could not be had.
    Stale(T),
    /// Could not be had, and there is none from before.
    Failed(Why),
}

impl<T> Remote<T> {
    /// What there is to show, new or old.
    #[must_use]
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Ready(value) | Self::Stale(value) => Some(value),
            Self::Idle | Self::Loading { .. } | Self::Failed(_) => None,
        }
    }

    /// The same, to be changed in part.
    pub(super) fn value_mut(&mut self) -> Option<&mut T> {
        match self {
            Self::Ready(value) | Self::Stale(value) => Some(value),
            Self::Idle | Self::Loading { .. } | Self::Failed(_) => None,
        }
    }

    /// Asks: what was here stays, marked as old.
    pub fn ask(&mut self, now: i64) {
        *self = match std::mem::take(self) {
            Self::Ready(value) | Self::Stale(value) => Self::Stale(value),
            Self::Idle | Self::Failed(_) | Self::Loading { .. } => Self::Loading { since: now },
        };
    }

    /// Takes the answer. A failure does not blank what was here before; it is handed back then, to be shown
    /// beside it.
    pub fn answer(&mut self, answer: Result<T, Why>) -> Option<Why> {
        match (answer, std::mem::take(self)) {
            (Ok(value), _) => {
                *self = Self::Ready(value);
                None
            }
            (Err(why), Self::Ready(value) | Self::Stale(value)) => {
                *self = Self::Stale(value);
                Some(why)
            }
            (Err(why), _) => {
                *self = Self::Failed(why);
                None
            }
        }
    }

    /// Gives up waiting for an answer.
    pub fn give_up(&mut self, why: &Why) {
        if matches!(self, Self::Loading { .. }) {
            *self = Self::Failed(why.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_refresh_keeps_what_was_there() {
        let mut remote = Remote::Ready(1);
        remote.ask(5);
        assert_eq!(remote, Remote::Stale(1));
        assert_eq!(remote.answer(Err(Why::new("denied"))), Some(Why::new("denied")));
        assert_eq!(remote, Remote::Stale(1));
    }

    #[test]
    fn a_first_failure_is_shown_where_the_data_would_be() {
        let mut remote = Remote::<u8>::Idle;
        remote.ask(5);
        assert_eq!(remote, Remote::Loading { since: 5 });
        assert_eq!(remote.answer(Err(Why::new("denied"))), None);
        assert_eq!(remote, Remote::Failed(Why::new("denied")));
    }
}
