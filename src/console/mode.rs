//! What may be written to an environment, and how it has to be confirmed.
//!
//! Pure. The rules are asked twice: by the update, which refuses what they forbid, and by the effect runner, which
//! trusts nothing that it has not seen itself.

use crate::compare::Why;
use crate::config::Protection;
use crate::console::remote::Remote;
use crate::ops::report::Identity;
use crate::ops::unlock::{LONGEST, check_reason, in_words};

/// What may be written to an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Nothing.
    Read,
    /// What is confirmed.
    Write,
    /// What is confirmed, until then, in milliseconds since the Unix epoch.
    Unlocked(i64),
}

/// An environment that may be written to for a while.
#[derive(Debug, Clone, PartialEq)]
pub struct Unlocked {
    /// Until when, milliseconds since the Unix epoch.
    pub until: i64,
    /// Why, in the operator's words.
    pub reason: String,
    /// Who asked before, to be shown again after.
    pub(super) reader: Remote<Identity>,
}

/// A wish to write to an environment for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlock {
    /// For how long.
    pub minutes: u32,
    /// Why, in the operator's words.
    pub reason: String,
}

/// Why an environment is locked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Its time was over.
    Time,
    /// The operator said so.
    Asked,
    /// The console was left.
    Quit,
}

impl Ended {
    /// As the journal says it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Time => "its time was over",
            Self::Asked => "locked by the operator",
            Self::Quit => "the console was left",
        }
    }
}

/// How something is confirmed. Enter never does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    /// Not at all: it is refused.
    Nothing,
    /// By `y`.
    Yes,
    /// By the environment's name, typed.
    Name,
}

/// What the operator did to confirm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirmation {
    /// Pressed `y`.
    Yes,
    /// Typed this.
    Name(String),
}

impl Unlock {
    /// Reads what follows `:unlock`: `15m "prod is down"`.
    pub fn read(text: &str) -> Result<Self, String> {
        const USAGE: &str = "write it so: unlock 15m \"why\"";
        let (duration, reason) = text.trim().split_once(char::is_whitespace).ok_or(USAGE)?;
        let (number, factor) = match duration.strip_suffix('h') {
            Some(hours) => (hours, LONGEST),
            None => (duration.strip_suffix('m').unwrap_or(duration), 1),
        };
        // A sign is not part of a number here, though `parse` takes one.
        let number = Some(number).filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
        let number: u32 = number.and_then(|number| number.parse().ok()).ok_or(USAGE)?;
        let reason = reason.trim();
        let reason = reason.strip_prefix('"').map_or(reason, |rest| rest.strip_suffix('"').unwrap_or(rest)).trim();
        let unlock = Self { minutes: number.saturating_mul(factor), reason: reason.to_owned() };
        unlock.check().map(|()| unlock)
    }

    /// Whether it is not too long, and says why.
    pub fn check(&self) -> Result<(), String> {
        if !(1..=LONGEST).contains(&self.minutes) {
            return Err(format!("unlock for 1 to {LONGEST} minutes"));
        }
        check_reason(&self.reason)
    }

    /// How long, in words.
    #[must_use]
    pub fn length(&self) -> String {
        in_words(self.minutes)
    }

    /// How long, in milliseconds.
    #[must_use]
    pub fn milliseconds(&self) -> i64 {
        i64::from(self.minutes) * 60_000
    }
}

impl Mode {
    /// What may be written where writing is protected so, at that time.
    #[must_use]
    pub fn of(protection: Protection, unlocked_until: Option<i64>, now: i64) -> Self {
        match (unlocked_until, protection) {
            (Some(until), _) if now < until => Self::Unlocked(until),
            (_, Protection::ReadOnly) => Self::Read,
            (_, Protection::Open | Protection::Confirm) => Self::Write,
        }
    }
}

/// How a write is confirmed.
#[must_use]
pub(super) fn asks_to_write(protection: Protection, mode: Mode) -> Asks {
    match mode {
        Mode::Read => Asks::Nothing,
        Mode::Write | Mode::Unlocked(_) => asks_to_unlock(protection),
    }
}

/// How unlocking is confirmed.
#[must_use]
pub(super) fn asks_to_unlock(protection: Protection) -> Asks {
    match protection {
        Protection::Open => Asks::Yes,
        Protection::Confirm | Protection::ReadOnly => Asks::Name,
    }
}

/// Whether that confirms it.
pub(super) fn confirmed(asks: Asks, environment: &str, confirmation: &Confirmation) -> Result<(), Why> {
    match (asks, confirmation) {
        (Asks::Yes, Confirmation::Yes) => Ok(()),
        (Asks::Yes | Asks::Name, Confirmation::Name(name)) if name == environment => Ok(()),
        (Asks::Nothing, _) => {
            Err(Why::new(format!("refused: {environment} is read-only")).hint(":unlock 15m \"why\", or plumb.toml"))
        }
        (Asks::Yes | Asks::Name, _) => Err(Why::new(format!("refused: writing to {environment} was not confirmed"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_to_unlock_says_how_long_and_why() {
        let rows = [
            ("15m \"prod is down\"", Ok((15, "prod is down"))),
            ("5 prod is down", Ok((5, "prod is down"))),
            ("1h \"prod is down", Ok((60, "prod is down"))),
            ("60m down", Ok((60, "down"))),
            ("61m down", Err("unlock for 1 to 60 minutes")),
            ("2h down", Err("unlock for 1 to 60 minutes")),
            ("0m down", Err("unlock for 1 to 60 minutes")),
            ("99999999999m down", Err("write it so: unlock 15m \"why\"")),
            ("-5m down", Err("write it so: unlock 15m \"why\"")),
            ("+5m down", Err("write it so: unlock 15m \"why\"")),
            ("15m", Err("write it so: unlock 15m \"why\"")),
            ("", Err("write it so: unlock 15m \"why\"")),
            ("15m \"   a \"", Err("say why, in a few words: the journal keeps it")),
        ];
        for (text, expected) in rows {
            let read = Unlock::read(text).map(|unlock| (unlock.minutes, unlock.reason));
            let expected = expected.map(|(minutes, reason)| (minutes, reason.to_owned())).map_err(str::to_owned);
            assert_eq!(read, expected, "{text:?}");
        }
    }

    #[test]
    fn what_may_be_written_and_how_it_is_confirmed() {
        use Protection::{Confirm, Open, ReadOnly};
        let rows = [
            (Open, None, Mode::Write, Asks::Yes),
            (Confirm, None, Mode::Write, Asks::Name),
            (ReadOnly, None, Mode::Read, Asks::Nothing),
            (ReadOnly, Some(11), Mode::Unlocked(11), Asks::Name),
            (ReadOnly, Some(10), Mode::Read, Asks::Nothing),
            (Open, Some(11), Mode::Unlocked(11), Asks::Yes),
            (Confirm, Some(10), Mode::Write, Asks::Name),
        ];
        for (protection, until, mode, asks) in rows {
            assert_eq!(Mode::of(protection, until, 10), mode);
            assert_eq!(asks_to_write(protection, mode), asks, "{protection:?} {mode:?}");
        }
    }

    #[test]
    fn only_what_was_asked_for_confirms() {
        let name = |name: &str| Confirmation::Name(name.to_owned());
        assert!(confirmed(Asks::Yes, "prod", &Confirmation::Yes).is_ok());
        assert!(confirmed(Asks::Name, "prod", &name("prod")).is_ok());
        for wrong in [Confirmation::Yes, name(""), name("pro"), name("Prod"), name("prod ")] {
            assert!(confirmed(Asks::Name, "prod", &wrong).is_err(), "{wrong:?}");
        }
        for any in [Confirmation::Yes, name("prod")] {
            assert!(confirmed(Asks::Nothing, "prod", &any).is_err());
        }
    }
}
