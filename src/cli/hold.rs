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
    /// `null`: not known, and `why` says why.
    held: Option<bool>,
    until: Option<String>,
    by: Option<&'a str>,
    reason: Option<&'a str>,
    why: Option<&'a str>,
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
    let there = before.as_ref().ok().and_then(Option::as_ref);
    let earlier = there.and_then(|there| Some((there, there.shortened(args.lasts, now())?)));
    if let Some((there, earlier)) = earlier {
        say!("! it ends {} earlier than that of {}", hold::in_words(earlier), clean(hold::short(&there.by)));
    }
    if args.how.dry_run {
        return ended(shared, &session, &args.how, before.as_ref().map(Option::as_ref), false);
    }
    let does = format!("hold {name} for {lasts}");
    // Somebody counts on the longer one.
    let asks = if earlier.is_some() { Asks::Always } else { Asks::Protected };
    let deed = Deed { command: "hold", does: &does, asks };
    let writer = args.how.consent.obtain(&session, deed).await?;
    let (hold, untold) = Box::pin(hold::place(&writer, args.lasts, &args.reason, &before)).await?;
    say!("{} is {}", clean(&name), clean(&hold.told(now())));
    note(untold);
    ended(shared, &session, &args.how, Ok(Some(&hold)), true)
}

/// Runs `plumb release`.
pub(super) async fn release(shared: &Shared, args: &ReleaseArgs) -> Result<Outcome, Failed> {
    let session = named(shared, "release").await?;
    let before = hold::current(&session).await;
    show(&session, before.as_ref());
    if args.how.dry_run {
        return ended(shared, &session, &args.how, before.as_ref().map(Option::as_ref), false);
    }
    let does = format!("end the hold of {}", session.environment().name);
    let deed = Deed { command: "release", does: &does, asks: Asks::Protected };
    let writer = args.how.consent.obtain(&session, deed).await?;
    let (was, untold) = Box::pin(hold::release(&writer, &before)).await?;
    let name = clean(&session.environment().name);
    say!("{name} {}", if was { "is released: what waits is put back by the loop" } else { "had no hold" });
    note(untold);
    ended(shared, &session, &args.how, Ok(None), was)
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

/// What is there now, or what was there where nothing is written. Not to know that is no success.
fn ended(
    shared: &Shared,
    session: &Session,
    how: &How,
    hold: Result<Option<&Hold>, &Why>,
    written: bool,
) -> Result<Outcome, Failed> {
    if how.output == Output::Json {
        let there = hold.ok().flatten();
        print_json(&Json {
            version: VERSION,
            environment: &session.environment().name,
            held: hold.ok().map(|hold| hold.is_some()),
            until: there.map(|hold| time(hold.until)),
            by: there.map(|hold| hold.by.as_str()),
            reason: there.map(|hold| hold.reason.as_str()),
            why: hold.err().map(|why| why.reason.as_str()),
            written,
        })?;
    }
    shared.stats(session);
    Ok(if hold.is_ok() { Outcome::Clean } else { Outcome::Problem })
}
