//! That the function's log has nothing of what was sent to it.
//!
//! An absence is proven only where the presence is: every request of the test has to be in the log before the plaintexts
//! can be missing there. CloudWatch takes seconds to show a line.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::checks::{Miss, Proof};
use super::{Run, Step};
use crate::aws::logs::{self, Line, Query};
use crate::ops::crypto::trail::Trail;
use crate::ops::why;

/// How long lines are waited for.
const LONGEST: Duration = Duration::from_secs(90);

const LOOK: Duration = Duration::from_secs(2);

/// A log with more lines than this within a test is another's work to search.
const MOST: usize = 50_000;

/// Clocks differ, and the log goes by AWS's.
const SLACK: i64 = 60_000;

/// Looks for what the test has sent.
pub(super) async fn check(run: &Run<'_>) -> Result<Proof, Miss> {
    let Run { crypto, since, hear, .. } = *run;
    let unproven = |reason: String| Miss::Unproven(reason);
    let Some(trail) = &crypto.trail else { return Err(unproven(String::from("nothing was sent"))) };
    let group = crypto.place.log_group().map_err(|why| unproven(format!("where the log is: {}", why.reason)))?;
    let wanted = trail.requests();
    if wanted.is_empty() {
        return Err(unproven(String::from("no request succeeded that its log could show")));
    }
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let began = Instant::now();
    loop {
        look.tick().await;
        let query = Query { group: &group, from: since - SLACK, until: None, filter: None, limit: MOST };
        let read = logs::filter(&crypto.session.clients, query).await;
        let read = read.map_err(|error| unproven(why(&error).reason))?;
        // What is there is there, whatever else is still to come.
        if let Some(line) = found(&read.lines, trail) {
            return Err(Miss::Wrong {
                expected: format!("no plaintext in {group}"),
                got: format!("one in a line of {}, stream {}", told(line.at), line.stream),
                request_id: wanted.iter().find(|id| line.message.expose().contains(id.as_str())).cloned(),
            });
        }
        let missing = wanted.iter().filter(|id| !read.lines.iter().any(|line| line.message.expose().contains(*id)));
        let missing = missing.count();
        if missing == 0 && !read.is_cut {
            return Ok(Proof::default());
        }
        if read.is_cut {
            return Err(unproven(format!("{group} has more than {MOST} lines of this time")));
        }
        hear(Step::Doing(format!("waiting for {missing} of {} requests to be there", wanted.len())));
        if began.elapsed() >= LONGEST {
            let (of, seconds) = (wanted.len(), LONGEST.as_secs());
            return Err(unproven(format!("{missing} of {of} requests are not in {group} after {seconds} s")));
        }
    }
}

fn found<'a>(lines: &'a [Line], trail: &Trail) -> Option<&'a Line> {
    let forms = trail.forms();
    lines.iter().find(|line| forms.iter().any(|form| line.message.expose().contains(form.as_str())))
}

fn told(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |time| time.to_string())
}
