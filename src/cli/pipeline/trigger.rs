//! `plumb pipeline trigger`: asks for a job, and follows it where that is wanted.

use super::{json, note, told};
use crate::cli::consent::{Asks, Deed, How};
use crate::cli::{Failed, Outcome, Output, clean, print_json, say};
use crate::compare::Why;
use crate::ops::journal::Action;
use crate::ops::pipeline::Pipeline;
use crate::ops::pipeline::jobs::{Job, State};
use crate::ops::pipeline::message::Message;
use crate::ops::pipeline::trigger::Plan;
use crate::ops::schema::VERSION;
use crate::ops::session::Session;

/// Arguments of `plumb pipeline trigger`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The project.
    // --project is the project file.
    #[arg(id = "registered", value_name = "PROJECT")]
    project: String,
    /// The branch.
    branch: String,
    /// The whole id of a commit of that branch. Default: its latest.
    #[arg(long, value_name = "COMMIT")]
    commit: Option<String>,
    /// Why. The job's list shows it.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Follow the job to its end; the exit code is 0 only when it succeeded.
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    how: How,
}

pub(super) async fn run(session: &Session, args: &Args) -> Result<Outcome, Failed> {
    let message = Message {
        project: args.project.clone(),
        branch: args.branch.clone(),
        commit: args.commit.clone(),
        reason: args.reason.clone(),
    };
    let pipeline = Pipeline::open(session).await?;
    let plan = pipeline.plan(message).await?;
    shown(&plan);
    if args.how.dry_run {
        return ended(&plan, None, None, args.how.output, Outcome::Differences);
    }
    let does = format!("have {} built from {}", args.project, args.branch);
    let deed = Deed { command: "pipeline trigger", does: &does, asks: Asks::Protected };
    let writer = args.how.consent.obtain(session, deed).await?;
    let sent = pipeline.by(&writer).send(&plan, Action::Trigger).await?;
    note(sent.untold.as_ref());
    say!("sent    {}", clean(&sent.id));
    if !args.wait {
        say!("it goes on by itself; plumb pipeline logs -f {} follows it", clean(&sent.id));
        return ended(&plan, Some(&sent.id), None, args.how.output, Outcome::Clean);
    }
    match pipeline.follow(&sent.id, &told::followed).await {
        Ok(job) => ended(&plan, Some(&sent.id), Some(&job), args.how.output, outcome(&job)),
        Err(why) => {
            // It was sent, whatever is known of it.
            ended(&plan, Some(&sent.id), None, args.how.output, Outcome::Problem)?;
            Err(why.into())
        }
    }
}

fn shown(plan: &Plan) {
    let message = &plan.message;
    let commit = message.commit.as_deref().map(|commit| format!(" at {}", clean(commit))).unwrap_or_default();
    say!("project {}", clean(&message.project));
    say!("branch  {}{commit}", clean(&message.branch));
    say!("topic   {}", clean(&plan.topic));
    if let Some(why) = &plan.unchecked {
        say!("? the registry was not read, and the function decides: {}", clean(&why.reason));
    }
}

/// What a job came to, as a command's end; says so where it is no success.
pub(in crate::cli) fn outcome(job: &Job) -> Outcome {
    if job.state == State::Succeeded {
        return Outcome::Clean;
    }
    let why = job.why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
    let told = Why::new(format!("the job {} of {} {}{why}", job.id, job.project, ended_as(job.state)));
    Failed::from(told.hint(format!("plumb pipeline logs {}", job.id))).print();
    Outcome::Problem
}

fn ended_as(state: State) -> String {
    match state {
        State::Refused => "was refused".to_owned(),
        State::Unknown => "is not known to have ended".to_owned(),
        state => state.word().to_owned(),
    }
}

fn ended(
    plan: &Plan,
    message: Option<&str>,
    job: Option<&Job>,
    output: Output,
    outcome: Outcome,
) -> Result<Outcome, Failed> {
    if output == Output::Json {
        print_json(&json::TriggerJson {
            version: VERSION,
            project: &plan.message.project,
            branch: &plan.message.branch,
            commit: plan.message.commit.as_deref(),
            topic: &plan.topic,
            message,
            job: job.map(json::JobJson::from),
        })?;
    }
    Ok(outcome)
}
