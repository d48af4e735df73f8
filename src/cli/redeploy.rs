//! `plumb redeploy`: asks the project's own deploy flow to roll a commit out, follows it, and looks what is live then.

mod json;
mod pipeline;
mod told;

use std::time::Duration;

use super::consent::{Asks, Deed, How};
use super::deploy::{self, interruptible};
use super::{Failed, Outcome, Output, Shared, clean, print_json, say};
use crate::compare::{Tally, Why};
use crate::config::RedeployMethod;
use crate::ops::crypto::last;
use crate::ops::deploy::Ask as DeployAsk;
use crate::ops::hold;
use crate::ops::inspect::{self, Wish};
use crate::ops::redeploy::{self, Ask, Plan, Run, Sent};
use crate::ops::session::Session;

/// So old may a smoke test be that vouches for a commit.
const SMOKE: Duration = Duration::from_hours(1);

/// Arguments of `plumb redeploy`.
#[derive(Debug, clap::Args)]
#[allow(clippy::struct_excessive_bools, reason = "they are flags of a command line")]
pub(crate) struct Args {
    /// The way, instead of the project's.
    #[arg(long, value_enum)]
    via: Option<Via>,
    /// Follow the workflow's run, or the pipeline's job, to its end, and no longer than this. A change set is always followed.
    #[arg(long, value_name = "LENGTH", num_args = 0..=1, require_equals = true, default_missing_value = "2h",
        value_parser = hold::parse_length)]
    wait: Option<Duration>,
    /// Only when the smoke test of the last hour passed for this commit, here or in another environment.
    #[arg(long, value_name = "ENV", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    if_smoke: Option<String>,
    /// Why. The journal keeps it, and the workflow or the pipeline gets it.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Although redeploys are on hold.
    #[arg(long)]
    despite_hold: bool,
    /// Ask a run of the workflow to end, by its number, and redeploy nothing.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["via", "if_smoke", "dry_run", "despite_hold"])]
    cancel: Option<u64>,
    #[command(flatten)]
    how: How,
}

/// The way a commit is rolled out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Via {
    /// The project's GitHub workflow.
    Github,
    /// The deploy pipeline, by a message to its topic.
    Pipeline,
    /// A change set from here: plumb deploy --revert-drift.
    ChangeSet,
}

/// What is live after all of it, as far as it was looked at.
type Verdicts = Option<Tally>;

/// Runs `plumb redeploy`.
pub(super) async fn run(shared: &Shared, args: &Args) -> Result<Outcome, Failed> {
    if !shared.names_environment() {
        let why = Why::new("which environment is to be redeployed?");
        return Err(why.hint("plumb redeploy --env NAME; --dry-run shows what would be asked for").into());
    }
    let session = shared.session().await?;
    if let Some(id) = args.cancel {
        return cancel(shared, &session, args, id).await;
    }
    let via = match (args.via, session.project().redeploy.method) {
        (Some(via), _) => via,
        (None, RedeployMethod::GitHub) => Via::Github,
        (None, RedeployMethod::ChangeSet) => Via::ChangeSet,
        (None, RedeployMethod::Pipeline) => Via::Pipeline,
    };
    // A plan may be looked at on hold, and says so.
    if args.how.dry_run || args.despite_hold {
        super::hold::tell(&session.environment().name, &interruptible(hold::current(&session)).await?);
    } else {
        interruptible(hold::refuse_held(&session)).await??;
    }
    match via {
        Via::Github => github(shared, &session, args).await,
        Via::Pipeline => Box::pin(pipeline::run(shared, &session, args)).await,
        Via::ChangeSet => {
            if let Some(environment) = &args.if_smoke {
                let commit = redeploy::commit(&session)?;
                proven(shared, &session, environment, &commit)?;
            }
            let order = deploy::Order {
                command: "redeploy",
                stacks: &[],
                ask: DeployAsk { revert_drift: true, dry_run: args.how.dry_run, ..DeployAsk::default() },
                dry_run: args.how.dry_run,
                consent: &args.how.consent,
                output: args.how.output.into(),
                redeploy: Some(deploy::Redeploy { despite_hold: args.despite_hold, reason: args.reason.as_deref() }),
            };
            Box::pin(deploy::carry_out(shared, &order)).await
        }
    }
}

async fn github(shared: &Shared, session: &Session, args: &Args) -> Result<Outcome, Failed> {
    let ask = Ask { reason: args.reason.clone(), despite_hold: args.despite_hold, reference: None };
    let plan = interruptible(Box::pin(redeploy::plan(session, &shared.environ, ask))).await??;
    if let Some(environment) = &args.if_smoke {
        proven(shared, session, environment, &plan.commit)?;
    }
    told::plan(session, &plan);
    let before = Some(verdicts(session).await?);
    if args.how.dry_run {
        return ended(shared, session, args, &json::of(session, &plan, None, &[], before), Outcome::Differences);
    }
    let name = clean(&session.environment().name);
    let does = format!("have {} roll it out to {name}", plan.repository);
    let deed = Deed { command: "redeploy", does: &does, asks: Asks::Always };
    let writer = interruptible(args.how.consent.obtain(session, deed)).await??;
    let tell = |text: &str| say!("{}", clean(text));
    let asked = match interruptible(Box::pin(redeploy::dispatch(&writer, &plan, &tell))).await {
        Ok(Ok(asked)) => asked,
        Ok(Err(why)) if plan.sent() == Sent::No => return Err(why.into()),
        // What was sent, or may have been, is told with the word by which it is found, however this ends.
        Ok(Err(why)) => {
            Failed::from(why).print();
            told::sent(&plan);
            let json = json::of(session, &plan, None, &[], before);
            return ended(shared, session, args, &json, Outcome::Problem);
        }
        Err(failed) => {
            told::sent(&plan);
            let json = json::of(session, &plan, None, &[], before);
            ended(shared, session, args, &json, Outcome::Problem)?;
            return Err(failed);
        }
    };
    if let Some(why) = &asked.untold {
        say!("note: {}", clean(&why.reason));
    }
    let Some(run) = &asked.run else {
        say!("GitHub took it, and none of the runs that it lists is called {}", asked.nonce);
        say!(
            "try: run-name: \"... ${{{{ inputs.nonce }}}}\" in the workflow; until then look at the repository's Actions"
        );
        let json = json::of(session, &plan, None, &[], before);
        return ended(
            shared,
            session,
            args,
            &json,
            if args.wait.is_some() { Outcome::Problem } else { Outcome::Clean },
        );
    };
    say!("run     {}   {}", run.id, clean(&run.url));
    let Some(longest) = args.wait else {
        say!("it goes on by itself; --wait follows it");
        let json = json::of(session, &plan, Some(run), &[], before);
        return ended(shared, session, args, &json, Outcome::Clean);
    };
    followed(shared, session, args, &Dispatched { plan: &plan, run, longest }).await
}

/// A run that is followed.
struct Dispatched<'a> {
    plan: &'a Plan,
    run: &'a Run,
    /// No longer than this.
    longest: Duration,
}

async fn followed(shared: &Shared, session: &Session, args: &Args, of: &Dispatched<'_>) -> Result<Outcome, Failed> {
    let Dispatched { plan, run, longest } = *of;
    let work = Box::pin(redeploy::follow(plan, run, longest, &told::followed));
    let (run, jobs) = match interruptible(work).await {
        Ok(Ok(followed)) => followed,
        // It was asked for, and goes on: whoever reads the JSON is told of what.
        Ok(Err(why)) => {
            Failed::from(why).print();
            let json = json::of(session, plan, Some(run), &[], None);
            return ended(shared, session, args, &json, Outcome::Problem);
        }
        Err(failed) => {
            say!("the run goes on without you: {}; plumb redeploy --cancel {} ends it", clean(&run.url), run.id);
            let json = json::of(session, plan, Some(run), &[], None);
            ended(shared, session, args, &json, Outcome::Problem)?;
            return Err(failed);
        }
    };
    let after = Some(verdicts(session).await?);
    let outcome = if run.succeeded() {
        say!("{} was rolled out by {}", clean(plan.commit.get(..7).unwrap_or(&plan.commit)), clean(&run.url));
        Outcome::Clean
    } else {
        Failed::from(redeploy::why_failed(&run, &jobs)).print();
        Outcome::Problem
    };
    ended(shared, session, args, &json::of(session, plan, Some(&run), &jobs, after), outcome)
}

async fn cancel(shared: &Shared, session: &Session, args: &Args, id: u64) -> Result<Outcome, Failed> {
    let does = format!("cancel run {id}");
    let deed = Deed { command: "redeploy --cancel", does: &does, asks: Asks::Always };
    let writer = interruptible(args.how.consent.obtain(session, deed)).await??;
    let done = interruptible(Box::pin(redeploy::cancel(&writer, &shared.environ, id))).await.inspect_err(|_| {
        say!("whether run {id} was asked to end is not known: look at it");
    })??;
    match &done.run {
        Ok(run) => say!("asked to end: {}   {}", clean(&run.status), clean(&run.url)),
        Err(why) => say!("asked to end: run {id}; how it is now is not known: {}", clean(&why.reason)),
    }
    if let Some(why) = done.untold {
        say!("note: {}", clean(&why.reason));
    }
    if args.how.output == Output::Json {
        print_json(&done.run.as_ref().map_or_else(|_| json::RunJson::unseen(id), json::RunJson::of))?;
    }
    shared.stats(session);
    Ok(Outcome::Clean)
}

/// That the smoke test passed for this commit, in an environment; with no name in the session's own.
fn proven(shared: &Shared, session: &Session, environment: &str, commit: &str) -> Result<(), Failed> {
    let environment = if environment.is_empty() { &session.environment().name } else { environment };
    let endpoint = shared.in_environment(environment).settings()?.environment.endpoint;
    let place = last::Place::new(&session.root, session.project().name.clone(), environment.to_owned(), endpoint);
    let condition = last::Condition { commit, within: SMOKE, lenient: false };
    let passed = last::passed(&shared.directories().state()?, &place, condition);
    passed.map_err(|why| Why { reason: format!("refused: {}", why.reason), ..why })?;
    Ok(())
}

/// Looks at everything again, and says in a line how it stands.
pub(super) async fn verdicts(session: &Session) -> Result<Tally, Failed> {
    let report = interruptible(Box::pin(inspect::report(session, &Wish::of(session)))).await?;
    let tally = report.tally();
    say!("live    {} differ, {} in sync, {} unknown", tally.differences(), tally.in_sync, tally.unknown);
    Ok(tally)
}

fn ended(
    shared: &Shared,
    session: &Session,
    args: &Args,
    json: &json::RedeployJson<'_>,
    outcome: Outcome,
) -> Result<Outcome, Failed> {
    if args.how.output == Output::Json {
        print_json(json)?;
    }
    shared.stats(session);
    Ok(outcome)
}
