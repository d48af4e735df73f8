//! What happens during a deployment, on stderr, line by line as it arrives.

use super::{interruptible, looked_on};
use crate::cli::{Failed, clean, say};
use crate::ops::deploy::{self, Ended, Failure, Happened, Operation, Progress};
use crate::ops::schema::time;
use crate::ops::session::Session;
use crate::secret::Secret;

/// Says how far a deployment is.
pub(in crate::cli) fn progress(progress: Progress) {
    match progress {
        Progress::Step(text) => say!("{}", clean(&text)),
        Progress::Happened(happened) => say!("{}", line(&happened)),
        Progress::Failed(failure) => {
            let event = &failure.event;
            let reason = event.reason.as_deref().unwrap_or("AWS says no reason");
            say!("! {} failed first: {}", clean(&event.name()), clean(reason));
        }
        Progress::Unanswered(why) => say!("? {}; asking again", clean(&why.reason)),
        Progress::Answered => say!("AWS answers again"),
        Progress::Begun | Progress::Own => {}
    }
}

/// The last lines of the log of the function that is the cause of a failure, which are said as well.
pub(in crate::cli) async fn log(session: &Session, stack: &str, failure: Option<&Failure>) -> Vec<Secret> {
    let Some(failure) = failure else { return Vec::new() };
    match Box::pin(interruptible(deploy::last_lines(session, stack, failure))).await {
        Ok(Some(Ok(lines))) => {
            if lines.is_empty() {
                say!("? its log has no line of that time");
            }
            for line in &lines {
                say!("  log  {}", clean(line.expose().trim_end()));
            }
            lines
        }
        Ok(Some(Err(why))) => {
            say!("? its log: {}", clean(&why.reason));
            Vec::new()
        }
        Ok(None) | Err(_) => Vec::new(),
    }
}

/// Follows an operation; ^C ends the looking on and nothing else.
pub(in crate::cli) async fn follow(session: &Session, operation: &Operation) -> Result<Ended, Failed> {
    Ok(looked_on(&operation.stack, Box::pin(deploy::follow(session, operation, &progress))).await??)
}

/// Whose operation it is, as far as that is known.
pub(in crate::cli) fn by(operation: &Operation) -> String {
    let since = time(operation.since);
    match operation.token.as_deref().and_then(|token| token.strip_prefix("plumb-")) {
        Some(id) => format!("a plumb began it at {since} (journal {})", clean(id)),
        None => format!("somebody began it at {since}, not plumb"),
    }
}

fn line(happened: &Happened) -> String {
    let at = time(happened.at);
    // The day is the same for all of them.
    let at = at.get(11..19).unwrap_or(&at);
    let reason = happened.reason.as_ref().map(|reason| format!("   {}", clean(reason))).unwrap_or_default();
    let (status, type_name) = (clean(&happened.status), clean(&happened.type_name));
    format!("{at}  {status:<28}  {type_name:<32}  {}{reason}", clean(&happened.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_time_what_where_and_why_and_nothing_that_a_terminal_acts_on() {
        let happened = Happened {
            at: 1_763_692_800_000,
            path: vec!["Database".into()],
            logical_id: "Table".into(),
            type_name: "AWS::DynamoDB::Table".into(),
            status: "CREATE_FAILED".into(),
            reason: Some("exists\u{1b}[31m".into()),
        };
        let line = line(&happened);
        assert!(line.starts_with("02:40:00  CREATE_FAILED  "), "{line}");
        assert!(line.ends_with("  Database/Table   exists␛[31m"), "{line}");
    }
}
