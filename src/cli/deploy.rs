//! `plumb deploy`: makes stacks and their code what a commit says.

mod json;
mod stage;
mod text;
pub(super) mod told;

use clap_complete::ArgValueCandidates;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::oneshot;

pub(super) use json::EndedJson;

use self::stage::Stage;
use super::consent::{Asks, Consent, Deed};
use super::markdown::{self, Form};
use super::{Failed, Outcome, Shared, clean, print_json, redeploy, say, values};
use crate::compare::Why;
use crate::ops::deploy::{self, Ask, Deployed, Draft, Operation, Plan};
use crate::ops::hold;
use crate::ops::session::Session;
use crate::secret::Secret;

/// Arguments of `plumb deploy`.
#[derive(Debug, clap::Args)]
#[allow(clippy::struct_excessive_bools, reason = "they are flags of a command line")]
pub(crate) struct Args {
    /// Only these stacks. Default: all of the environment, in the order of plumb.toml.
    #[arg(value_name = "STACK", add = ArgValueCandidates::new(values::stacks))]
    stacks: Vec<String>,
    /// Put back, too, what was changed by hand: drift of the stack, and code of its functions. With names of resources
    /// (`--revert-drift=Queue,Api`) only that of these, and nothing else is deployed.
    #[arg(long, value_name = "RESOURCE", num_args = 0.., require_equals = true, value_delimiter = ',')]
    revert_drift: Option<Vec<String>>,
    /// Have the change set worked out, show it, and delete it again.
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Follow what is under way, whoever began it, and deploy nothing.
    #[arg(long, conflicts_with_all = ["dry_run", "revert_drift", "yes", "unlock"])]
    follow: bool,
    /// Take the update back that is under way, whoever began it.
    #[arg(long, conflicts_with_all = ["dry_run", "revert_drift", "follow"])]
    cancel: bool,
    #[command(flatten)]
    consent: Consent,
    /// Text, JSON, or Markdown of a dry run, for a pull request.
    #[arg(long, short, value_enum, default_value_t = Form::Text)]
    output: Form,
}

/// What is to be deployed, and how that is let to.
pub(super) struct Order<'a> {
    /// The command's name.
    pub(super) command: &'a str,
    /// The stacks; none: all of the environment.
    pub(super) stacks: &'a [String],
    pub(super) ask: Ask,
    pub(super) dry_run: bool,
    pub(super) consent: &'a Consent,
    pub(super) output: Form,
    /// Whether this is how the project is redeployed.
    pub(super) redeploy: Option<Redeploy<'a>>,
}

/// What a redeploy asks beyond a deployment.
pub(super) struct Redeploy<'a> {
    /// Although redeploys are on hold. A hold may begin while the plan is looked at.
    pub(super) despite_hold: bool,
    /// Why, for the journal.
    pub(super) reason: Option<&'a str>,
}

/// What became of one stack.
struct Done {
    stack: String,
    plan: Option<(Draft, Plan)>,
    deployed: Option<Deployed>,
    /// The last lines of the function that is the cause of its failure.
    log: Vec<Secret>,
}

/// Runs `plumb deploy`.
pub(super) async fn run(shared: &Shared, args: &Args) -> Result<Outcome, Failed> {
    if !shared.names_environment() {
        let why = Why::new("which environment is to be deployed to?");
        return Err(why.hint("plumb deploy --env NAME; --dry-run shows what would be changed").into());
    }
    markdown::of_dry_runs(args.output, args.dry_run)?;
    let (revert_drift, only) = (args.revert_drift.is_some(), args.revert_drift.clone().unwrap_or_default());
    if !only.is_empty() && args.stacks.len() != 1 {
        let why = Why::new(format!("of which stack is {} to be put back?", clean(&only.join(", "))));
        return Err(why.hint("plumb deploy STACK --revert-drift=RESOURCE").into());
    }
    let ask = Ask { reference: None, revert_drift, only, dry_run: args.dry_run };
    if args.follow || args.cancel {
        let session = shared.session().await?;
        // Looking on needs nothing of the commit: a stack may be looked at that the project does not name.
        let names = match &*args.stacks {
            named if args.follow && !named.is_empty() => named.to_vec(),
            stacks => interruptible(names(&session, stacks, &ask)).await??,
        };
        return Box::pin(under_way(shared, &session, args, &names)).await;
    }
    let (stacks, dry_run, consent, output) = (&*args.stacks, args.dry_run, &args.consent, args.output);
    let order = Order { command: "deploy", stacks, ask, dry_run, consent, output, redeploy: None };
    Box::pin(carry_out(shared, &order)).await
}

/// Deploys one stack after the other, each by a plan of its own.
pub(super) async fn carry_out(shared: &Shared, order: &Order<'_>) -> Result<Outcome, Failed> {
    let session = shared.session().await?;
    let names = interruptible(names(&session, order.stacks, &order.ask)).await??;
    let opened = interruptible(order.consent.open(&session, order.command)).await??;
    let reason = order.redeploy.as_ref().and_then(|redeploy| redeploy.reason);
    let opened = reason.map_or_else(|| opened.clone(), |reason| opened.because(reason));
    let mut all = Vec::new();
    let mut outcome = Outcome::Clean;
    for name in &names {
        let done = Box::pin(one(&opened, order, name)).await;
        let (done, failed) = match done {
            Ok(done) => (done, None),
            Err(failed) => (Done::at(name.clone(), None), Some(failed)),
        };
        let of_this = if failed.is_some() { Outcome::Problem } else { done.outcome() };
        if let (Form::Text, Some(deployed)) = (order.output, &done.deployed) {
            text::done(&mut std::io::stdout().lock(), deployed)?;
        }
        all.push(done);
        outcome = worse(outcome, of_this);
        // What comes later may build on what was not deployed.
        if let Some(failed) = failed {
            if let Err(also) = told_after(shared, &opened, order, &all).await {
                also.print();
            }
            return Err(failed);
        }
        if of_this == Outcome::Problem {
            break;
        }
    }
    told_after(shared, &opened, order, &all).await?;
    Ok(outcome)
}

/// The stacks that are meant, all of which the commit has to have.
async fn names(session: &Session, stacks: &[String], ask: &Ask) -> Result<Vec<String>, Failed> {
    let known: Vec<String> = deploy::stacks(session, ask).await?.into_iter().map(|stack| stack.name).collect();
    if let Some(unknown) = stacks.iter().find(|name| !known.contains(name)) {
        let environment = &session.environment().name;
        let why = Why::new(format!("{} has no stack {}", clean(environment), clean(unknown)));
        return Err(why.hint(format!("one of {}", known.join(", "))).into());
    }
    Ok(known.into_iter().filter(|name| stacks.is_empty() || stacks.contains(name)).collect())
}

/// Works one stack's deployment out, shows it, has it confirmed, and does it.
async fn one(session: &Session, order: &Order<'_>, name: &str) -> Result<Done, Failed> {
    let draft = loop {
        let draft = interruptible(Box::pin(deploy::draft(session, name, &order.ask))).await??;
        let Some(operation) = interruptible(draft.under_way()).await?? else { break draft };
        say!("{} is at work already: {}", clean(name), told::by(&operation));
        told::follow(session, &operation).await?;
    };
    Box::pin(finish(session, order, draft)).await
}

/// Has a draft worked out, shows the plan, has it confirmed, and does it.
async fn finish(session: &Session, order: &Order<'_>, draft: Draft) -> Result<Done, Failed> {
    let name = draft.stack().to_owned();
    let plan = match interruptible(draft.plan(&told::progress)).await {
        Ok(plan) => plan?,
        Err(failed) => return Err(taken_back(&draft, failed).await),
    };
    if order.output == Form::Text {
        text::plan(&mut std::io::stdout().lock(), session, &draft, &plan)?;
    } else if !order.dry_run {
        // Whoever confirms has to see what; the JSON is for the script.
        text::plan(&mut std::io::stderr().lock(), session, &draft, &plan)?;
    }
    let stack = name.clone();
    if order.dry_run {
        draft.abandon().await?;
        return Ok(Done::at(stack, Some((draft, plan))));
    }
    if plan.is_empty() && draft.commit.is_none() {
        return Ok(Done::at(stack, Some((draft, plan))));
    }
    let does = text::intent(&draft, &plan);
    let asks = if plan.is_empty() { Asks::Protected } else { Asks::Always };
    let deed = Deed { command: order.command, does: &does, asks };
    let agreed = async {
        interruptible(order.consent.confirm(session, deed)).await??;
        if order.redeploy.as_ref().is_some_and(|redeploy| !redeploy.despite_hold) {
            interruptible(hold::refuse_held(session)).await??;
        }
        Ok::<(), Failed>(())
    };
    if let Err(failed) = agreed.await {
        return Err(taken_back(&draft, failed).await);
    }
    let stage = Stage::default();
    let hear = |progress| told::progress(stage.hear(progress));
    let deployed = match interruptible(Box::pin(deploy::execute(&draft, &plan, &hear))).await {
        Ok(deployed) => deployed?,
        Err(failed) if stage.is_before() => return Err(taken_back(&draft, failed).await),
        Err(failed) => {
            say!("{}", stage.told(&name));
            return Err(failed);
        }
    };
    let log = told::log(session, &stack, deployed.failure.as_ref()).await;
    Ok(Done { stack, plan: Some((draft, plan)), deployed: Some(deployed), log })
}

/// The same for a draft that came from elsewhere than a commit.
pub(super) async fn lay(
    shared: &Shared,
    session: &Session,
    order: &Order<'_>,
    draft: Draft,
) -> Result<Outcome, Failed> {
    let done = Box::pin(finish(session, order, draft)).await?;
    if let (Form::Text, Some(deployed)) = (order.output, &done.deployed) {
        text::done(&mut std::io::stdout().lock(), deployed)?;
    }
    let outcome = done.outcome();
    told_after(shared, session, order, &[done]).await?;
    Ok(outcome)
}

/// What is told when all of it is over.
async fn told_after(shared: &Shared, session: &Session, order: &Order<'_>, all: &[Done]) -> Result<(), Failed> {
    let verdicts = match order.redeploy {
        Some(_) => Some(redeploy::verdicts(session).await?),
        None => None,
    };
    match order.output {
        Form::Json => print_json(&json::of(session, &order.ask, all, verdicts.as_ref()))?,
        Form::Markdown => text::markdown(&mut std::io::stdout().lock(), session, all)?,
        Form::Text => {}
    }
    for untold in all.iter().filter_map(|done| done.deployed.as_ref()?.untold.as_ref()) {
        say!("note: {}", clean(&untold.reason));
    }
    shared.stats(session);
    Ok(())
}

/// Deletes what was only made to be looked at, and hands on why.
async fn taken_back(draft: &Draft, failed: Failed) -> Failed {
    // It may have to wait until AWS has worked it out; another ^C ends that.
    match interruptible(draft.abandon()).await.unwrap_or_else(|_| Err(Why::new("interrupted"))) {
        Ok(()) => say!("the change set of {} is deleted again", clean(draft.stack())),
        Err(why) => say!("the change set of {} is left behind: {}", clean(draft.stack()), clean(&why.reason)),
    }
    failed
}

/// Follows what is under way, or takes it back.
async fn under_way(shared: &Shared, session: &Session, args: &Args, names: &[String]) -> Result<Outcome, Failed> {
    let mut outcome = Outcome::Clean;
    for name in names {
        let Some(operation) = interruptible(deploy::under_way(session, name)).await?? else {
            say!("nothing is under way with {}", clean(name));
            continue;
        };
        say!("{} is at work: {}", clean(name), told::by(&operation));
        let (ended, untold) = if args.cancel {
            cancel(session, args, &operation).await?
        } else {
            (told::follow(session, &operation).await?, None)
        };
        // What is taken back ends as it should when it ends in what was there before.
        let is_back = args.cancel && ended.status == "UPDATE_ROLLBACK_COMPLETE";
        if let Some(why) = ended.why(name).filter(|_| !is_back) {
            Failed::from(why).print();
            outcome = Outcome::Problem;
        }
        let log = told::log(session, name, ended.failure.as_ref()).await;
        if args.output == Form::Json {
            print_json(&EndedJson::of(session, name, &ended, &log))?;
        } else {
            text::ended(&mut std::io::stdout().lock(), name, &ended)?;
        }
        if let Some(why) = untold {
            say!("note: {}", clean(&why.reason));
        }
    }
    shared.stats(session);
    Ok(outcome)
}

async fn cancel(session: &Session, args: &Args, operation: &Operation) -> Result<(deploy::Ended, Option<Why>), Failed> {
    let does = format!("take back what is under way with {}", operation.stack);
    let deed = Deed { command: "deploy --cancel", does: &does, asks: Asks::Always };
    let writer = interruptible(args.consent.obtain(session, deed)).await??;
    let work = Box::pin(deploy::cancel(&writer, operation, &told::progress));
    Ok(looked_on(&operation.stack, work).await??)
}

/// Work on a stack that AWS does: ^C ends the looking on and nothing else.
pub(super) async fn looked_on<T>(stack: &str, work: impl Future<Output = T>) -> Result<T, Failed> {
    let done = interruptible(work).await;
    if done.is_err() {
        say!("{}", stage::goes_on(stack));
    }
    done
}

/// Work that ^C asks to end in good order, and another one ends at once. Beside what came of it: whether it was asked to.
pub(super) async fn stoppable<T, Work: Future<Output = T>>(
    work: impl FnOnce(BoxFuture<'static, ()>) -> Work,
) -> Result<(T, bool), Failed> {
    let (stop, stopped) = oneshot::channel::<()>();
    let mut work = std::pin::pin!(work(stopped.map(drop).boxed()));
    tokio::select! {
        done = &mut work => return Ok((done, false)),
        _ = tokio::signal::ctrl_c() => {}
    }
    let _ = stop.send(());
    interruptible(work).await.map(|done| (done, true))
}

/// Work that ^C ends.
pub(super) async fn interruptible<T>(work: impl Future<Output = T>) -> Result<T, Failed> {
    tokio::select! {
        done = work => Ok(done),
        _ = tokio::signal::ctrl_c() => Err(Failed::Interrupted),
    }
}

fn worse(one: Outcome, other: Outcome) -> Outcome {
    match (one, other) {
        (Outcome::Problem, _) | (_, Outcome::Problem) => Outcome::Problem,
        (Outcome::Differences, _) | (_, Outcome::Differences) => Outcome::Differences,
        (Outcome::Clean, Outcome::Clean) => Outcome::Clean,
    }
}

impl Done {
    /// What nothing was done to.
    fn at(stack: String, plan: Option<(Draft, Plan)>) -> Self {
        Self { stack, plan, deployed: None, log: Vec::new() }
    }

    /// What is rolled out although something that was changed by hand stays as it is has not failed: it still differs.
    fn outcome(&self) -> Outcome {
        match (&self.deployed, &self.plan) {
            (Some(deployed), _) if deployed.failed.is_some() => Outcome::Problem,
            (Some(deployed), _) if !deployed.left.is_empty() => Outcome::Differences,
            (Some(_), _) => Outcome::Clean,
            (None, Some((_, plan))) if plan.is_empty() && plan.left.is_empty() => Outcome::Clean,
            (None, _) => Outcome::Differences,
        }
    }
}
