//! The hold: until a time nothing is redeployed, neither by the loop nor by `plumb redeploy`.
//!
//! It is a plain parameter beside the project's own, so that whoever looks sees it, the loop obeys it without Plumb, and it
//! ends by itself. What cannot be read may be a hold, and is never taken for none.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::inspect::now;
use super::journal::{Action, Intent, noted};
use super::report::Identity;
use super::schema::time;
use super::session::Session;
use super::unlock::check_reason;
use super::why;
use crate::aws::{Read, ssm};
use crate::compare::Why;
use crate::secret::Secret;

/// The longest hold: a week. What lasts longer is a change of the project.
pub const LONGEST: Duration = Duration::from_hours(7 * 24);

/// A hold, ended or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Its end, milliseconds since the Unix epoch.
    pub until: i64,
    /// Who placed it: an ARN.
    pub by: String,
    /// Why.
    pub reason: String,
    /// By how much this machine's clock was ahead of AWS's when it was read, milliseconds. Its end is by AWS's clock, as the
    /// loop has it, and a clock that is off must neither end a hold nor prolong it.
    pub ahead: i64,
}

/// What was found when somebody looked.
pub type Found = Result<Option<Hold>, Why>;

/// The parameter's text. The loop's function reads the same.
#[derive(Serialize, Deserialize)]
struct Text {
    until: String,
    by: String,
    reason: String,
}

impl Hold {
    /// How long it still holds, in milliseconds; `now` is this machine's time.
    #[must_use]
    pub fn left(&self, now: i64) -> i64 {
        self.until.saturating_add(self.ahead).saturating_sub(now)
    }

    /// Whether it still holds.
    #[must_use]
    pub fn holds(&self, now: i64) -> bool {
        self.left(now) > 0
    }

    /// How long it still holds, in words, by whom and why, in one line.
    #[must_use]
    pub fn told(&self, now: i64) -> String {
        let (left, until) = (in_words(self.left(now)), time(self.until));
        format!("on hold for {left}, until {until}, by {}: {}", short(&self.by), self.reason)
    }

    /// How much earlier a hold of this length would end than this one does, in milliseconds; `None`: no earlier.
    #[must_use]
    pub fn shortened(&self, lasts: Duration, now: i64) -> Option<i64> {
        let lasts = i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX);
        // AWS tells its time to the second, and so what is left is known no better.
        Some(self.left(now).saturating_sub(lasts)).filter(|earlier| *earlier >= 5000)
    }

    fn is_same(&self, other: &Self) -> bool {
        (self.until, &self.by, &self.reason) == (other.until, &other.by, &other.reason)
    }

    fn parse(text: &str, ahead: i64) -> Option<Self> {
        let text: Text = serde_json::from_str(text).ok()?;
        let until: jiff::Timestamp = text.until.parse().ok()?;
        Some(Self { until: until.as_millisecond(), by: text.by, reason: text.reason, ahead })
    }

    fn text(&self) -> Result<String, Why> {
        let text = Text { until: time(self.until), by: self.by.clone(), reason: self.reason.clone() };
        serde_json::to_string(&text).map_err(|error| super::failed(&error))
    }
}

/// The parameter's name.
#[must_use]
pub fn name(project: &str, environment: &str) -> String {
    format!("/plumb/{project}/{environment}/hold")
}

/// The hold of the environment, unless there is none or it has ended.
pub async fn current(session: &Session) -> Found {
    Ok(read(session).await?.filter(|hold| hold.holds(now())))
}

/// What the parameter says, ended or not; `None`: there is none.
async fn read(session: &Session) -> Found {
    let name = name(&session.project().name, &session.environment().name);
    let mut found = ssm::values(&session.clients, std::slice::from_ref(&name)).await;
    let value = match found.remove(&name) {
        Some(Read::Found(value)) => value.value,
        Some(Read::Missing) => return Ok(None),
        Some(Read::Failed(error)) => return Err(why(&error)),
        None => return Err(Why::new(format!("nothing was answered of {name}"))),
    };
    let unread = || Why::new(format!("the hold in {name} cannot be read, and so counts")).hint("plumb release");
    Hold::parse(value.expose(), session.ahead()).ok_or_else(unread).map(Some)
}

/// Refuses while there is a hold, or while nobody can tell.
pub async fn refuse_held(session: &Session) -> Result<(), Why> {
    let name = &session.environment().name;
    match current(session).await {
        Ok(None) => Ok(()),
        Ok(Some(hold)) => Err(Why::new(format!("refused: {name} is {}", hold.told(now())))
            .hint("plumb release ends it; --despite-hold redeploys all the same")),
        Err(why) => {
            Err(Why { reason: format!("refused: whether {name} is on hold is not known: {}", why.reason), ..why })
        }
    }
}

/// Places a hold, or another one in the place of the one that was seen. Answers it, and why the journal does not hold
/// that, if so. Refused where another one is there meanwhile: nobody was shown what that would undo.
pub async fn place(session: &Session, lasts: Duration, reason: &str, seen: &Found) -> Result<(Hold, Option<Why>), Why> {
    check(lasts, reason)?;
    let there = read(session).await;
    unchanged(seen, &there, now())?;
    let ahead = session.ahead();
    let (session, writer) = session.for_writing().await?;
    let lasts = i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX);
    // To the second: nobody reads more.
    let until = (now() - ahead).saturating_add(lasts) / 1000 * 1000;
    let hold = Hold { until, by: writer.arn.clone(), reason: reason.trim().to_owned(), ahead };
    let value = Secret::new(hold.text()?);
    let name = name(&session.project().name, &session.environment().name);
    let put = ssm::Put {
        name: &name,
        value: &value,
        type_name: "String",
        key_id: None,
        // Where there was none, whoever else places one in this moment is not written over.
        overwrite: !matches!(there, Ok(None)),
        tier: None,
        like: None,
        tags: &[],
    };
    let work = async { ssm::put(&session.clients, put).await.map(|_| ()).map_err(|error| why(&error)) };
    let ((), untold) = Box::pin(written(&session, &writer, Action::Hold, &name, Some(&hold.reason), work)).await?;
    Ok((hold, untold))
}

/// Ends the hold that was seen. Answers whether there was one, and why the journal does not hold that, if so. Refused where
/// another one is there meanwhile.
pub async fn release(session: &Session, seen: &Found) -> Result<(bool, Option<Why>), Why> {
    unchanged(seen, &read(session).await, now())?;
    let (session, writer) = session.for_writing().await?;
    let name = name(&session.project().name, &session.environment().name);
    let work = async { ssm::delete(&session.clients, &name).await.map_err(|error| why(&error)) };
    Box::pin(written(&session, &writer, Action::Release, &name, None, work)).await
}

/// Refuses where what is there holds, or may hold, and is not what was seen.
fn unchanged(seen: &Found, there: &Found, now: i64) -> Result<(), Why> {
    let again = "the same command again shows what is there now";
    match (seen, there) {
        (_, Ok(None)) | (Err(_), Err(_)) => Ok(()),
        (Ok(Some(seen)), Ok(Some(there))) if seen.is_same(there) => Ok(()),
        (_, Ok(Some(there))) if !there.holds(now) => Ok(()),
        (_, Ok(Some(there))) => {
            let told = there.told(now);
            Err(Why::new(format!("refused: there is another hold than the one that was shown: {told}")).hint(again))
        }
        (Ok(_), Err(why)) => Err(Why { reason: format!("refused: {}", why.reason), ..why.clone() }),
    }
}

async fn written<T>(
    session: &Session,
    writer: &Identity,
    action: Action,
    name: &str,
    reason: Option<&str>,
    work: impl Future<Output = Result<T, Why>>,
) -> Result<(T, Option<Why>), Why> {
    let intent = Intent { reason: reason.map(str::to_owned), ..Intent::new(action, vec![name.to_owned()]) };
    noted(session, writer, intent, work, |_| None).await
}

/// Whether a hold may be placed so; asked before anybody confirms it.
pub fn check(lasts: Duration, reason: &str) -> Result<(), Why> {
    if lasts.is_zero() || lasts > LONGEST {
        return Err(Why::new("refused: a hold lasts from a second to a week").hint("--for 2h"));
    }
    if reason.chars().count() > 200 {
        return Err(Why::new("refused: a reason is one line of at most 200 characters"));
    }
    check_reason(reason).map_err(|why| Why::new(format!("refused: {why}")))
}

/// A length of time as it is typed: `90s`, `15m`, `2h`, `1d`.
pub fn parse_length(text: &str) -> Result<Duration, String> {
    let wrong = || format!("\"{text}\" is not a length of time: write 90s, 15m, 2h or 1d");
    let unit = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3_600,
        Some('d') => 86_400,
        _ => return Err(wrong()),
    };
    let digits = &text[..text.len() - 1];
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let seconds = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit)).ok_or_else(wrong)?;
    Ok(Duration::from_secs(seconds))
}

/// Milliseconds in the two largest units that count.
#[must_use]
pub fn in_words(milliseconds: i64) -> String {
    let seconds = milliseconds.max(0) / 1000;
    let (days, hours, minutes) = (seconds / 86_400, seconds % 86_400 / 3_600, seconds % 3_600 / 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, ..) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

/// What of an ARN a person goes by.
#[must_use]
pub fn short(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hold(until: i64, reason: &str) -> Hold {
        Hold { until, by: "arn:aws:iam::1:user/mara".into(), reason: reason.into(), ahead: 0 }
    }

    #[test]
    fn a_clock_that_is_off_neither_ends_a_hold_nor_prolongs_it() {
        const HOUR: i64 = 3_600_000;
        let now = 1_763_692_800_000;
        for ahead in [-2 * HOUR, 0, 2 * HOUR] {
            let there = now - ahead;
            let (live, over) = (hold(there + HOUR / 2, "live"), hold(there - HOUR / 2, "over"));
            let (live, over) = (Hold { ahead, ..live }, Hold { ahead, ..over });
            assert!(live.holds(now) && !over.holds(now), "{ahead}");
            assert!(live.told(now).starts_with("on hold for 30 min, "), "{}", live.told(now));
            assert_eq!(live.shortened(Duration::from_mins(10), now), Some(HOUR / 3));
            assert_eq!(live.shortened(Duration::from_mins(30), now), None);
        }
    }

    #[test]
    fn only_the_hold_that_was_seen_is_replaced_or_ended() {
        let now = 1_763_692_800_000;
        let (mine, other, over) = (hold(now + 1000, "mine"), hold(now + 2000, "another"), hold(now - 1, "over"));
        let unread = || Found::Err(Why::new("not allowed"));
        let skewed = Hold { ahead: 1000, ..mine.clone() };
        for (seen, there, fine) in [
            (Ok(None), Ok(None), true),
            (Ok(None), Ok(Some(over)), true),
            (Ok(None), Ok(Some(other.clone())), false),
            (Ok(None), unread(), false),
            (Ok(Some(mine.clone())), Ok(None), true),
            (Ok(Some(mine.clone())), Ok(Some(skewed)), true),
            (Ok(Some(mine)), Ok(Some(other.clone())), false),
            (unread(), unread(), true),
            (unread(), Ok(Some(other)), false),
        ] {
            assert_eq!(unchanged(&seen, &there, now).is_ok(), fine, "{seen:?} {there:?}");
        }
    }

    #[test]
    fn a_hold_is_read_as_it_was_written_and_as_the_loop_reads_it() {
        let hold = hold(1_763_692_800_000, "a migration");
        let text = hold.text().unwrap();
        assert_eq!(text, r#"{"until":"2025-11-21T02:40:00Z","by":"arn:aws:iam::1:user/mara","reason":"a migration"}"#);
        assert_eq!(Hold::parse(&text, 0), Some(hold.clone()));
        assert!(hold.holds(hold.until - 1) && !hold.holds(hold.until));
        let told = hold.told(hold.until - 5_400_000);
        assert_eq!(told, "on hold for 1 h 30 min, until 2025-11-21T02:40:00Z, by user/mara: a migration");
        for unread in ["", "for ever", r#"{"until": "soon", "by": "x", "reason": "y"}"#] {
            assert_eq!(Hold::parse(unread, 0), None, "{unread}");
        }
    }

    #[test]
    fn a_hold_has_an_end_and_a_reason() {
        let hour = Duration::from_hours(1);
        assert!(check(hour, "a migration").is_ok() && check(LONGEST, "a migration").is_ok());
        assert!(check(Duration::ZERO, "a migration").is_err());
        assert!(check(LONGEST + Duration::from_secs(1), "a migration").is_err());
        assert!(check(hour, " x ").is_err() && check(hour, &"x".repeat(201)).is_err());
        for (text, seconds) in [("90s", 90), ("15m", 900), ("2h", 7200), ("1d", 86_400)] {
            assert_eq!(parse_length(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for wrong in ["", "2", "h", "2 h", "-2h", "2w", "é", "99999999999999999999h"] {
            assert!(parse_length(wrong).is_err(), "{wrong}");
        }
        for (seconds, words) in [(-5, "0 s"), (59, "59 s"), (61, "1 min"), (7260, "2 h 1 min"), (90_000, "1 d 1 h")] {
            assert_eq!(in_words(seconds * 1000), words);
        }
    }
}
