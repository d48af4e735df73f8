//! `plumb record`: receipts for an account that was managed otherwise.

use std::io::{self, Write};

use clap_complete::ArgValueCandidates;
use serde::Serialize;

use super::consent::{Asks, Deed, How};
use super::{Failed, Outcome, Output, Progress, Shared, clean, print_json, say, values};
use crate::compare::Why;
use crate::ops::schema::VERSION;
use crate::ops::{patience, record};

/// Arguments of `plumb record`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The commit that is live. Default: the environment's own ref.
    #[arg(long, value_name = "REF", add = ArgValueCandidates::new(values::commits))]
    at: Option<String>,
    #[command(flatten)]
    how: How,
}

#[derive(Serialize)]
struct RecordJson<'a> {
    version: u32,
    environment: &'a str,
    #[serde(rename = "ref")]
    reference: &'a str,
    commit: &'a str,
    written: bool,
    equal: &'a [String],
    different: &'a [String],
    absent: &'a [String],
    unknown: Vec<UnknownJson<'a>>,
}

#[derive(Serialize)]
struct UnknownJson<'a> {
    name: &'a str,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
}

/// Runs `plumb record`.
pub(super) async fn run(shared: &Shared, args: &Args) -> Result<Outcome, Failed> {
    if !shared.names_environment() {
        return Err(Why::new("which environment is to be recorded?")
            .hint("plumb record --env NAME; --dry-run shows what would be written")
            .into());
    }
    let mut session = shared.session().await?;
    let reference = args.at.clone().unwrap_or_else(|| session.reference());
    let environment = session.environment().name.clone();
    if !args.how.dry_run {
        let deed = Deed { command: "record", does: "write receipts of what is equal", asks: Asks::Protected };
        session = args.how.consent.obtain(&session, deed).await?;
    }
    say!("comparing {} with {}", clean(&environment), clean(&reference));
    let progress = Progress::begin();
    let tell = |text: &str| progress.tell(text);
    let work = Box::pin(record::record(&session, &reference, args.how.dry_run));
    // What writes is never given up halfway.
    let found = if args.how.dry_run {
        patience::wait(&session, &tell, work).await
    } else {
        patience::watch(&session, &tell, work).await
    };
    drop(progress);
    let found = found??;
    match args.how.output {
        Output::Json => print_json(&json(&environment, &reference, args.how.dry_run, &found))?,
        Output::Text => text(&environment, &reference, args.how.dry_run, &found)?,
    }
    if let Some(why) = &found.untold {
        say!("note: {}", clean(&why.reason));
    }
    shared.stats(&session);
    Ok(outcome(&found))
}

fn outcome(found: &record::Outcome) -> Outcome {
    if !found.unknown.is_empty() {
        Outcome::Problem
    } else if found.different.is_empty() && found.absent.is_empty() {
        Outcome::Clean
    } else {
        Outcome::Differences
    }
}

fn json<'a>(environment: &'a str, reference: &'a str, dry_run: bool, found: &'a record::Outcome) -> RecordJson<'a> {
    let unknown = found
        .unknown
        .iter()
        .map(|(name, why)| UnknownJson { name, reason: &why.reason, hint: why.hint.as_deref() })
        .collect();
    RecordJson {
        version: VERSION,
        environment,
        reference,
        commit: &found.commit,
        written: !dry_run,
        equal: &found.equal,
        different: &found.different,
        absent: &found.absent,
        unknown,
    }
}

fn text(environment: &str, reference: &str, dry_run: bool, found: &record::Outcome) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let commit = found.commit.get(..7).unwrap_or(&found.commit);
    let done = if dry_run { "would be recorded" } else { "recorded" };
    writeln!(out, "{}   git {} {commit}", clean(environment), clean(reference))?;
    for name in &found.equal {
        writeln!(out, "  = {}", clean(name))?;
    }
    for name in &found.different {
        writeln!(out, "  * {}   live is another value", clean(name))?;
    }
    for name in &found.absent {
        writeln!(out, "  - {}   not live", clean(name))?;
    }
    for (name, why) in &found.unknown {
        writeln!(out, "  ? {}   {}", clean(name), clean(&why.reason))?;
        if let Some(hint) = &why.hint {
            writeln!(out, "      try: {}", clean(hint))?;
        }
    }
    writeln!(
        out,
        "{} equal, {done}; {} different, {} absent, {} unknown",
        found.equal.len(),
        found.different.len(),
        found.absent.len(),
        found.unknown.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unknown_weighs_more_than_what_differs() {
        let found = record::Outcome { different: vec!["a".into()], ..record::Outcome::default() };
        assert_eq!(outcome(&found), Outcome::Differences);
        let found = record::Outcome { unknown: vec![("b".into(), Why::new("denied"))], ..found };
        assert_eq!(outcome(&found), Outcome::Problem);
        let equal = record::Outcome { equal: vec!["a".into()], ..record::Outcome::default() };
        assert_eq!(outcome(&equal), Outcome::Clean);
    }
}
