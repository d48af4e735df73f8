//! Leave to write to an environment that refuses it: for a while, or for one command.
//!
//! It is in the journal before anybody has it. Nothing here asks: whoever calls this has asked the operator.

use std::time::{Duration, Instant};

use super::journal::{Action, Begun, Intent};
use super::report::Identity;
use super::session::{self, Session};
use crate::compare::Why;

/// The longest that writing may be unlocked, in minutes. A command gets that long, since it ends by itself.
pub const LONGEST: u32 = 60;

/// The shortest reason that says something, in characters.
const SHORTEST_REASON: usize = 4;

/// For how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span {
    /// For so many minutes.
    Minutes(u32),
    /// For a single command, by its name.
    Command(String),
}

/// An environment that may be written to.
pub struct Opened {
    /// The environment as whoever may write to it.
    pub writer: Session,
    /// Who that is.
    pub identity: Identity,
    /// Until when.
    pub until: Instant,
    /// Why the journal does not hold it, if so.
    pub untold: Option<Why>,
}

/// Whether a reason says why.
pub fn check_reason(reason: &str) -> Result<(), String> {
    if reason.trim().chars().count() < SHORTEST_REASON {
        return Err(String::from("say why, in a few words: the journal keeps it"));
    }
    Ok(())
}

/// Unlocks an environment and notes that. Fails, and unlocks nothing, in another account than the expected one and where
/// the journal cannot be written.
pub async fn unlock(session: &Session, span: &Span, reason: &str) -> Result<Opened, Why> {
    check_reason(reason).map_err(|why| Why::new(format!("refused: {why}")))?;
    let (minutes, subject) = match span {
        Span::Minutes(minutes) => (*minutes, in_words(*minutes)),
        Span::Command(name) => (LONGEST, format!("this command alone: {name}")),
    };
    let until = Instant::now() + Duration::from_mins(u64::from(minutes));
    let leave = session::Unlock { until, reason: reason.to_owned() };
    let (writer, identity) = session.unlocked(leave).as_writer().await?;
    let intent = Intent { reason: Some(reason.to_owned()), ..Intent::new(Action::Unlock, vec![subject]) };
    let begun = Begun::new(&writer, &identity, intent)?;
    let untold = begun.settle(&writer, None).await;
    Ok(Opened { writer, identity, until, untold })
}

/// Minutes in words.
#[must_use]
pub fn in_words(minutes: u32) -> String {
    if minutes == 1 { "1 minute".to_owned() } else { format!("{minutes} minutes") }
}

#[cfg(test)]
mod tests {
    use super::in_words;

    #[test]
    fn one_minute_is_one() {
        assert_eq!((in_words(1).as_str(), in_words(15).as_str()), ("1 minute", "15 minutes"));
    }
}
