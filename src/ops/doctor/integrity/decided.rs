//! What the loop decided last, by its log.

use serde_json::Value;

use super::{AREA, Loop};
use crate::aws::{Error, logs};
use crate::compare::Why;
use crate::ops::doctor::Check;
use crate::ops::schema::time;
use crate::ops::session::Session;
use crate::ops::why;

const MINUTE: i64 = 60_000;

/// How far back the log is looked through, in milliseconds: CloudWatch tells the earliest line first, so that the last one is
/// at the end of however many there are. Further back only where nothing is found.
const BACK: [i64; 4] = [15 * MINUTE, 60 * MINUTE, 6 * 60 * MINUTE, 24 * 60 * MINUTE];

/// The most lines of one look.
const MOST: usize = 10_000;

/// A line of a decision: when, which, and why.
type Said = (i64, String, String);

impl Loop {
    /// What it decided last.
    pub(super) async fn decided(&self, session: &Session) -> Check {
        let group = format!("/aws/lambda/{}", self.function);
        let look = async |from, until| {
            let query = logs::Query { group: &group, from, until: Some(until), filter: Some("decision"), limit: MOST };
            logs::filter(&session.clients, query).await
        };
        let told = match last(session.now(), look).await {
            Ok(told) => told,
            Err(error) => return Check::problem(AREA, "decisions", &why(&error)),
        };
        match told {
            Last::None => Check::note(
                AREA,
                "decisions",
                "none within a day, though its schedule makes it decide every few minutes",
            )
            .hint("plumb doctor loop --canary shows whether events arrive"),
            Last::TooMany(from) => {
                let told = format!("more than {MOST} lines since {}: which was the last is not known", time(from));
                Check::note(AREA, "decisions", told).hint(format!("aws logs tail {group} --filter-pattern decision"))
            }
            Last::Found((at, decision, reason))
                if decision == "failed" || decision == "broken" || decision == "in-vain" =>
            {
                Check::problem(AREA, "decisions", &Why::new(format!("{decision} at {}: {reason}", time(at))))
            }
            Last::Found((at, decision, reason)) => {
                Check::ok(AREA, "decisions", format!("{decision} at {}: {reason}", time(at)))
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Last {
    Found(Said),
    None,
    /// There are more lines than were read, from this time on.
    TooMany(i64),
}

/// The last decision before `now`, by `look`, which reads the lines from a time to another one.
async fn last(now: i64, look: impl AsyncFn(i64, i64) -> Result<logs::Lines, Error>) -> Result<Last, Error> {
    // A line may be a little later by its own machine's clock.
    let mut until = now + MINUTE;
    for back in BACK {
        let from = now - back;
        let lines = look(from, until).await?;
        if lines.is_cut {
            return Ok(Last::TooMany(from));
        }
        if let Some(said) = lines.lines.iter().rev().find_map(said) {
            return Ok(Last::Found(said));
        }
        until = from;
    }
    Ok(Last::None)
}

fn said(line: &logs::Line) -> Option<Said> {
    let said: Value = serde_json::from_str(line.message.expose()).ok()?;
    let text = |name: &str| said.get(name).and_then(Value::as_str).map(str::to_owned);
    let failure = text("failure").map(|failure| ("failed".to_owned(), failure));
    let (decision, reason) = failure.or_else(|| Some((text("decision")?, text("reason").unwrap_or_default())))?;
    Some((line.at, decision, reason))
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::secret::Secret;

    const NOW: i64 = 1_763_692_800_000;

    /// A log that tells the earliest lines first, and no more than so many of them.
    fn told(log: &[(i64, &str)], most: usize) -> Last {
        let look = async |from, until| {
            let within: Vec<_> = log.iter().filter(|(at, _)| (from..=until).contains(at)).collect();
            let line = |(at, decision): &&(i64, &str)| logs::Line {
                at: *at,
                stream: String::new(),
                message: Secret::new(format!("{{\"decision\": \"{decision}\", \"reason\": \"a test\"}}")),
            };
            Ok(logs::Lines { lines: within.iter().take(most).map(line).collect(), is_cut: within.len() > most })
        };
        block_on(last(NOW, look)).unwrap()
    }

    #[test]
    fn the_last_decision_is_the_last_however_many_there_were_before() {
        let found = |at: i64, decision: &str| Last::Found((at, decision.to_owned(), "a test".to_owned()));
        let many: Vec<(i64, &str)> = (1..300).rev().map(|ago| (NOW - ago * 5 * MINUTE, "quiet")).collect();
        let log = [&many[..], &[(NOW - 1000, "failed")]].concat();
        assert_eq!(told(&log, 10), found(NOW - 1000, "failed"));
        let silent_since = [&many[..200], &[(NOW - 7 * 60 * MINUTE, "broken")]].concat();
        assert_eq!(told(&silent_since, 1000), found(NOW - 7 * 60 * MINUTE, "broken"));
        assert_eq!(told(&[(NOW - 300 * MINUTE, "quiet")], 10), found(NOW - 300 * MINUTE, "quiet"));
        assert_eq!(told(&[(NOW - 25 * 60 * MINUTE, "quiet")], 10), Last::None);
        assert_eq!(told(&log, 1), Last::TooMany(NOW - 15 * MINUTE), "an earlier one is not taken for the last");
    }
}
