//! `plumb crypto smoke`: what was checked, for people, scripts and CI.

use std::io::Write as _;

use clap::ValueEnum;
use serde::Serialize;

use super::super::consent::{Asks, Consent, Deed};
use super::super::table::Table;
use super::super::{Failed, Outcome, Progress, Shared, clean, print_json, say};
use super::{LatencyJson, Reach, junit, latency_text, millis};
use crate::ops::crypto::Crypto;
use crate::ops::crypto::smoke::{Line, Options, Step, Verdict, smoke};
use crate::ops::schema::VERSION;
use crate::ops::session::Session;

/// Arguments of `plumb crypto smoke`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    reach: Reach,
    /// Only the checks that trip no alarm: small calls that succeed. For prod.
    #[arg(long, conflicts_with = "rotate")]
    safe: bool,
    /// How many calls the latency is measured over.
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    calls: u16,
    /// Rotate the key too, and wait until functions use the new one: up to ten minutes. It writes.
    #[arg(long)]
    rotate: bool,
    #[command(flatten)]
    consent: Consent,
    /// What cannot be proven here is a failure: exit code 2.
    #[arg(long)]
    strict: bool,
    /// Text, JSON, or JUnit's XML for CI.
    #[arg(long, short, value_enum, default_value_t = Form::Text)]
    output: Form,
}

/// How it prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people.
    Text,
    /// For scripts.
    Json,
    /// For CI.
    Junit,
}

/// Runs `plumb crypto smoke`.
pub(super) async fn run(shared: &Shared, session: &Session, args: &Args) -> Result<Outcome, Failed> {
    let rotate = if args.rotate {
        let deed = Deed { command: "crypto smoke", does: "rotate the crypto API's key", asks: Asks::Protected };
        Some(args.consent.obtain(session, deed).await?)
    } else {
        None
    };
    let crypto = args.reach.open(session).await?;
    let options = Options { safe: args.safe, calls: usize::from(args.calls), rotate };
    let progress = Progress::begin();
    let hear = |step| match step {
        Step::Begun(check) => progress.tell(check.name()),
        Step::Doing(text) => progress.tell(&text),
        Step::Done(_) => {}
    };
    let lines = smoke(&crypto, &options, &hear).await;
    drop(progress);
    keep(shared, &crypto, &lines, args.safe).await;
    let environment = &session.environment().name;
    match args.output {
        Form::Text => text(crypto.place(), &lines)?,
        Form::Json => print_json(&json(environment, crypto.place(), args.safe, &lines))?,
        Form::Junit => std::io::stdout().lock().write_all(junit::document(environment, &lines).as_bytes())?,
    }
    Ok(outcome(&lines, args.strict))
}

/// Keeps the result for the console, and for whoever rolls out behind it. A disk that takes nothing costs only that.
async fn keep(shared: &Shared, crypto: &Crypto, lines: &[Line], safe: bool) {
    let (Ok(state), Some(last)) = (shared.directories().state(), crypto.last(lines, safe).await) else { return };
    if let Err(error) = last.keep(&state) {
        say!("the result is not kept in {}: {error}", clean(&state.display().to_string()));
    }
}

/// What could not be asked weighs more than what was answered wrongly, as everywhere.
fn outcome(lines: &[Line], strict: bool) -> Outcome {
    let any = |is: fn(&Verdict) -> bool| lines.iter().any(|line| is(&line.verdict));
    if any(|verdict| matches!(verdict, Verdict::Error(_)))
        || strict && any(|verdict| matches!(verdict, Verdict::Unproven(_)))
    {
        Outcome::Problem
    } else if any(|verdict| matches!(verdict, Verdict::Failed { .. })) {
        Outcome::Differences
    } else {
        Outcome::Clean
    }
}

fn text(place: &str, lines: &[Line]) -> Result<(), Failed> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", clean(place))?;
    let mut table = Table::new();
    for line in lines {
        let version = line.key_version.map(|version| format!("key {version}")).unwrap_or_default();
        let took = format!("{:>8.1} ms", millis(line.took));
        let sign = match line.verdict {
            Verdict::Passed => "=",
            Verdict::Failed { .. } => "!",
            Verdict::Error(_) | Verdict::Unproven(_) => "?",
        };
        let word = line.verdict.word().to_owned();
        table.row([sign.to_owned(), line.check.name().to_owned(), word, took, version, told(line)]);
    }
    table.print(&mut out, "  ")?;
    let count = |word: &str| lines.iter().filter(|line| line.verdict.word() == word).count();
    let words = ["passed", "failed", "error", "unproven"].map(|word| format!("{} {word}", count(word)));
    Ok(writeln!(out, "{}", words.join(", "))?)
}

/// What there is to say of a check beside how it went.
pub(super) fn told(line: &Line) -> String {
    let id = line.request_id.as_ref().map(|id| format!(" (request {})", clean(id))).unwrap_or_default();
    match &line.verdict {
        Verdict::Passed => line.latency.map(latency_text).unwrap_or_default(),
        Verdict::Failed { expected, got } => format!("expected {}, got {}{id}", clean(expected), clean(got)),
        Verdict::Error(why) => clean(&why.reason),
        Verdict::Unproven(reason) => clean(reason),
    }
}

#[derive(Serialize)]
struct SmokeJson<'a> {
    version: u32,
    environment: &'a str,
    place: &'a str,
    subset: &'static str,
    checks: Vec<CheckJson<'a>>,
}

#[derive(Serialize)]
struct CheckJson<'a> {
    name: &'static str,
    verdict: &'static str,
    took_ms: f64,
    key_version: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency: Option<LatencyJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    got: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

fn json<'a>(environment: &'a str, place: &'a str, safe: bool, lines: &'a [Line]) -> SmokeJson<'a> {
    let checks = lines.iter().map(|line| {
        let (expected, got, reason) = match &line.verdict {
            Verdict::Passed => (None, None, None),
            Verdict::Failed { expected, got } => (Some(expected.as_str()), Some(got.as_str()), None),
            Verdict::Error(why) => (None, None, Some(why.reason.as_str())),
            Verdict::Unproven(reason) => (None, None, Some(reason.as_str())),
        };
        CheckJson {
            name: line.check.name(),
            verdict: line.verdict.word(),
            took_ms: millis(line.took),
            key_version: line.key_version,
            latency: line.latency.map(LatencyJson::from),
            request_id: line.request_id.as_deref(),
            expected,
            got,
            reason,
        }
    });
    let subset = if safe { "safe" } else { "all" };
    SmokeJson { version: VERSION, environment, place, subset, checks: checks.collect() }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::compare::Why;
    use crate::ops::crypto::smoke::Check;

    #[test]
    fn what_was_not_answered_weighs_more_than_what_was_wrong_and_what_is_unproven_counts_when_asked_for() {
        let line = |verdict: &Verdict| Line {
            check: Check::Health,
            verdict: verdict.clone(),
            took: Duration::ZERO,
            key_version: None,
            request_id: None,
            latency: None,
        };
        let failed = Verdict::Failed { expected: "a".into(), got: "b".into() };
        let (error, unproven) = (Verdict::Error(Why::new("x")), Verdict::Unproven("x".into()));
        let rows: [(&[&Verdict], bool, Outcome); 6] = [
            (&[&Verdict::Passed], true, Outcome::Clean),
            (&[&Verdict::Passed, &unproven], false, Outcome::Clean),
            (&[&Verdict::Passed, &unproven], true, Outcome::Problem),
            (&[&failed, &unproven], false, Outcome::Differences),
            (&[&failed, &error], false, Outcome::Problem),
            (&[&error], false, Outcome::Problem),
        ];
        for (verdicts, strict, expected) in rows {
            let lines: Vec<Line> = verdicts.iter().map(|verdict| line(verdict)).collect();
            assert_eq!(outcome(&lines, strict), expected, "{verdicts:?}");
        }
    }
}
