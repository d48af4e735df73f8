//! `plumb hold` and `plumb release`: for a while nothing is redeployed.

use std::time::Duration;

use serde::Serialize;

use super::consent::{Asks, Deed, How};
use super::{Failed, Outcome, Output, Shared, clean, print_json, say};
use crate::compare::Why;
use crate::ops::hold::{self, Hold};
use crate::ops::inspect::now;
use crate::ops::schema::{VERSION, time};
use crate::ops::session::Session;

/// Arguments of `plumb hold`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How long: 90s, 15m, 2h, 1d; at most a week.
    #[arg(long = "for", value_name = "TIME", value_parser = hold::parse_length)]
    lasts: Duration,
    /// Why. Everybody sees it.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    how: How,
}

/// Arguments of `plumb release`.
#[derive(Debug, clap::Args)]
pub(crate) struct ReleaseArgs {
    #[command(flatten)]
    how: How,
}

#[derive(Serialize)]
struct Json<'a> {
    version: u32,
    environment: &'a str,
    held: bool,
    until: Option<String>,
    by: Option<&'a str>,
    reason: Option<&'a str>,
    written: bool,
}

/// Runs `plumb hold`.
pub(super) async fn run(shared: &Shared, args: &Args) -> Result<Outcome, Failed> {
    hold::check(args.lasts, &args.reason)?;
    let session = named(shared, "hold").await?;
    let before = hold::current(&session).await;
    show(&session, before.as_ref());
    let name = session.environment().name.clone();
    let lasts = hold::in_words(i64::try_from(args.lasts.as_millis()).unwrap_or(i64::MAX));
    say!("hold    {} for {lasts}: {}", clean(&name), clean(&args.reason));
    if args.how.dry_run {
        return ended(shared, &session, &args.how, before.ok().flatten().as_ref(), false);
    }
    let does = format!("hold {name} for {lasts}");
    let deed = Deed { command: "hold", does: &does, asks: Asks::Protected };
    let writer = args.how.consent.obtain(&session, deed).await?;
    let (hold, untold) = Box::pin(hold::place(&writer, args.lasts, &args.reason)).await?;
    say!("{} is {}", clean(&name), clean(&hold.told(now())));
    note(untold);
    ended(shared, &session, &args.how, Some(&hold), true)
}

/// Runs `plumb release`.
pub(super) async fn release(shared: &Shared, args: &ReleaseArgs) -> Result<Outcome, Failed> {
    let session = named(shared, "release").await?;
    let before = hold::current(&session).await;
    show(&session, before.as_ref());
    if args.how.dry_run {
        return ended(shared, &session, &args.how, before.ok().flatten().as_ref(), false);
    }
    let does = format!("end the hold of {}", session.environment().name);
    let deed = Deed { command: "release", does: &does, asks: Asks::Protected };
    let writer = args.how.consent.obtain(&session, deed).await?;
    let (was, untold) = Box::pin(hold::release(&writer)).await?;
    let name = clean(&session.environment().name);
    say!("{name} {}", if was { "is released: what waits is put back by the loop" } else { "had no hold" });
    note(untold);
    ended(shared, &session, &args.how, None, was)
}

async fn named(shared: &Shared, command: &str) -> Result<Session, Failed> {
    if !shared.names_environment() {
        let why = Why::new("which environment is meant?");
        return Err(why.hint(format!("plumb {command} --env NAME")).into());
    }
    shared.session().await
}

fn show(session: &Session, before: Result<&Option<Hold>, &Why>) {
    let name = clean(&session.environment().name);
    match before {
        Ok(None) => say!("now     {name} is not on hold"),
        Ok(Some(hold)) => say!("now     {name} is {}", clean(&hold.told(now()))),
        Err(why) => say!("now     ? {}", clean(&why.reason)),
    }
}

/// Says on stderr that an environment is on hold, or that nobody can tell.
pub(super) fn tell(environment: &str, found: &hold::Found) {
    match found {
        Ok(None) => {}
        Ok(Some(hold)) => say!("! {} is {}", clean(environment), clean(&hold.told(now()))),
        // What makes everything fail is told with everything else.
        Err(why) if why.is_of_everything() => {}
        Err(why) => say!("? hold of {}: {}", clean(environment), clean(&why.reason)),
    }
}

fn note(untold: Option<Why>) {
    if let Some(why) = untold {
        say!("note: {}", clean(&why.reason));
    }
}

fn ended(shared: &Shared, session: &Session, how: &How, hold: Option<&Hold>, written: bool) -> Result<Outcome, Failed> {
    if how.output == Output::Json {
        print_json(&Json {
            version: VERSION,
            environment: &session.environment().name,
            held: hold.is_some(),
            until: hold.map(|hold| time(hold.until)),
            by: hold.map(|hold| hold.by.as_str()),
            reason: hold.map(|hold| hold.reason.as_str()),
            written,
        })?;
    }
    shared.stats(session);
    Ok(Outcome::Clean)
}
