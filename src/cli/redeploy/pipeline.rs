//! `plumb redeploy --via pipeline`: a message to the pipeline's topic, and its job followed by its table and CodeBuild.

use serde::Serialize;

use super::{Args, proven, verdicts};
use crate::cli::consent::{Asks, Deed};
use crate::cli::deploy::interruptible;
use crate::cli::pipeline::{followed, outcome};
use crate::cli::{Failed, Outcome, Output, Shared, clean, print_json, say};
use crate::compare::{Tally, Why};
use crate::ops::pipeline::jobs::Job;
use crate::ops::redeploy::Ask;
use crate::ops::redeploy::pipeline::{self, Piped};
use crate::ops::schema::VERSION;
use crate::ops::session::Session;

#[derive(Serialize)]
struct Json<'a> {
    version: u32,
    environment: &'a str,
    via: &'static str,
    project: &'a str,
    branch: &'a str,
    commit: &'a str,
    topic: &'a str,
    dispatched: bool,
    message: Option<&'a str>,
    build: Option<&'a str>,
    state: Option<&'static str>,
    why: Option<&'a str>,
    differences: Option<usize>,
    unknown: Option<usize>,
}

/// What is known when the command ends.
struct Ended<'a> {
    message: Option<&'a str>,
    job: Option<&'a Job>,
    verdicts: Option<Tally>,
}

pub(super) async fn run(shared: &Shared, session: &Session, args: &Args) -> Result<Outcome, Failed> {
    let ask = Ask { reason: args.reason.clone(), despite_hold: args.despite_hold, reference: None };
    let piped = interruptible(Box::pin(pipeline::plan(session, ask))).await??;
    if let Some(environment) = &args.if_smoke {
        proven(shared, session, environment, &piped.commit)?;
    }
    shown(session, &piped);
    let before = Some(verdicts(session).await?);
    if args.how.dry_run {
        let ended = Ended { message: None, job: None, verdicts: before };
        return print(shared, session, args, &piped, &ended, Outcome::Differences);
    }
    let does = format!("have the pipeline roll it out to {}", clean(&session.environment().name));
    let deed = Deed { command: "redeploy", does: &does, asks: Asks::Always };
    let writer = interruptible(args.how.consent.obtain(session, deed)).await??;
    let sent = interruptible(Box::pin(pipeline::send(&writer, &piped))).await.inspect_err(|_| {
        say!("whether it was sent is not known: plumb pipeline jobs shows what was asked for");
    })??;
    if let Some(why) = &sent.untold {
        say!("note: {}", clean(&why.reason));
    }
    say!("sent    {}", clean(&sent.id));
    let Some(longest) = args.wait else {
        say!("it goes on by itself; --wait follows it, plumb pipeline logs -f {} too", clean(&sent.id));
        let ended = Ended { message: Some(&sent.id), job: None, verdicts: before };
        return print(shared, session, args, &piped, &ended, Outcome::Clean);
    };
    let job = tokio::time::timeout(longest, Box::pin(pipeline::follow(&piped, &sent.id, &followed)));
    let unended = Ended { message: Some(&sent.id), job: None, verdicts: None };
    let failed: Failed = match interruptible(job).await {
        Ok(Ok(Ok(job))) => {
            let verdicts = Some(verdicts(session).await?);
            let ended = Ended { message: Some(&sent.id), job: Some(&job), verdicts };
            return print(shared, session, args, &piped, &ended, outcome(&job));
        }
        Ok(Ok(Err(why))) => why.into(),
        Ok(Err(_)) => {
            let told = format!("the job has not ended within {} s, and goes on", longest.as_secs());
            Why::new(told).hint(format!("plumb pipeline logs -f {} follows it", clean(&sent.id))).into()
        }
        Err(failed) => {
            say!("the job goes on without you; plumb pipeline stop {} ends it", clean(&sent.id));
            failed
        }
    };
    // It was sent, whatever is known of it.
    print(shared, session, args, &piped, &unended, Outcome::Problem)?;
    Err(failed)
}

fn shown(session: &Session, piped: &Piped) {
    let (message, short) = (&piped.plan.message, piped.commit.get(..7).unwrap_or(&piped.commit));
    say!("to      {}", clean(&session.environment().name));
    say!("commit  {short} \"{}\"   {}", clean(&piped.subject), clean(&session.reference()));
    say!("via     the pipeline: {} from {}", clean(&message.project), clean(&message.branch));
    say!("topic   {}", clean(&piped.plan.topic));
    if let Some(why) = &piped.plan.unchecked {
        say!("? the registry was not read, and the function decides: {}", clean(&why.reason));
    }
}

fn print(
    shared: &Shared,
    session: &Session,
    args: &Args,
    piped: &Piped,
    ended: &Ended<'_>,
    outcome: Outcome,
) -> Result<Outcome, Failed> {
    if args.how.output == Output::Json {
        let build = ended.job.and_then(|job| job.build.as_ref());
        print_json(&Json {
            version: VERSION,
            environment: &session.environment().name,
            via: "pipeline",
            project: &piped.plan.message.project,
            branch: &piped.plan.message.branch,
            commit: &piped.commit,
            topic: &piped.plan.topic,
            dispatched: ended.message.is_some(),
            message: ended.message,
            build: build.map(|build| build.id.as_str()),
            state: ended.job.map(|job| job.state.word()),
            why: ended.job.and_then(|job| job.why.as_deref()),
            differences: ended.verdicts.as_ref().map(Tally::differences),
            unknown: ended.verdicts.as_ref().map(|tally| tally.unknown),
        })?;
    }
    shared.stats(session);
    Ok(outcome)
}
