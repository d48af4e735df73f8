//! A redeploy in words: what would be asked for, and what its run is at. All of it on stderr.

use crate::cli::{clean, say};
use crate::ops::redeploy::{Followed, Plan, Sent};
use crate::ops::session::Session;

pub(super) fn plan(session: &Session, plan: &Plan) {
    let (name, short) = (&session.environment().name, plan.commit.get(..7).unwrap_or(&plan.commit));
    say!("to      {}", clean(name));
    say!("commit  {short} \"{}\"   {}", clean(&plan.subject), clean(&session.reference()));
    match (&plan.workflow, &plan.reference) {
        (Some(workflow), Some(reference)) => {
            say!("via     {}   workflow {} on {}", clean(&plan.repository), clean(&workflow.name), clean(reference));
            say!("        {}", clean(&workflow.url));
        }
        _ => say!("via     {}   repository_dispatch, on the default branch", clean(&plan.repository)),
    }
    say!("at      {}   token from {}", clean(&plan.api), clean(&plan.token_from));
    for (input, value) in &plan.dispatch.inputs {
        say!("        {input:<12}{}", clean(value));
    }
}

/// What became of a dispatch that nobody waits for any more.
pub(super) fn sent(plan: &Plan) {
    let nonce = &plan.nonce;
    match plan.sent() {
        Sent::No => say!("nothing was dispatched"),
        Sent::Perhaps => say!("it may have been dispatched: its run, if there is one, has {nonce} in its name"),
        Sent::Yes => say!("it was dispatched, and goes on: its run has {nonce} in its name"),
    }
}

pub(super) fn followed(followed: Followed) {
    match followed {
        Followed::Run(run) => {
            let how = how(&run.status, run.conclusion.as_deref());
            say!("{how:<12} run {}   {}", run.id, clean(&run.url));
        }
        Followed::Job(job) => {
            let how = how(&job.status, job.conclusion.as_deref());
            say!("{how:<12} {}   {}", clean(&job.name), clean(job.url.as_deref().unwrap_or_default()));
        }
        Followed::Step(job, step) => {
            let how = how(&step.status, step.conclusion.as_deref());
            say!("{how:<12}   {} / {} {}", clean(&job), step.number, clean(&step.name));
        }
        Followed::Unanswered(why) => say!("? {}; asking again", clean(&why.reason)),
        Followed::Answered => say!("GitHub answers again"),
    }
}

fn how(status: &str, conclusion: Option<&str>) -> String {
    clean(conclusion.unwrap_or(status))
}
