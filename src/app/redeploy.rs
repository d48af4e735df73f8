//! A redeploy, as the console asks for it: what `plumb redeploy` does, by the project's workflow, its pipeline, or change
//! sets.

use std::sync::{Mutex, PoisonError};

use futures::FutureExt;

use super::deploy::Sink;
use super::live::Inner;
use crate::compare::Why;
use crate::config::RedeployMethod;
use crate::console::{Heard, Over, Piping, Redeploy, Rollout, Target};
use crate::ops::deploy::{self, Ask as DeployAsk, Progress};
use crate::ops::hold;
use crate::ops::inspect::now;
use crate::ops::redeploy::pipeline::{self, Piped};
use crate::ops::redeploy::{self, Ask, Event, Followed, Plan, Run};
use crate::ops::session::Session;

/// The redeploy that was planned last, by its nonce. What was planned before and not confirmed is void.
#[derive(Default)]
pub(super) struct Redeploys(Mutex<Option<(String, Planned)>>);

/// What waits to be confirmed; of a workflow it has a token in it.
enum Planned {
    Workflow(Box<Plan>),
    Pipeline(Box<Piped>),
}

impl Redeploys {
    fn keep(&self, nonce: &str, planned: Planned) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((nonce.to_owned(), planned));
    }

    fn take(&self, nonce: &str) -> Result<Planned, Why> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let planned = last.take_if(|(of, _)| of == nonce).map(|(_, planned)| planned);
        planned.ok_or_else(|| Why::new("refused: what was planned is not known any more"))
    }
}

impl Inner {
    /// What a redeploy would do; by change sets, to the stack whose turn it is.
    pub(super) async fn redeploy(
        &self,
        session: &Session,
        target: &Target,
        after: Option<(String, String)>,
    ) -> Result<Rollout, Why> {
        hold::refuse_held(session).boxed().await?;
        let reference = target.git_ref.clone();
        match session.project().redeploy.method {
            RedeployMethod::GitHub => self.by_workflow(session, Ask { reference, ..Ask::default() }).await,
            RedeployMethod::Pipeline => self.by_pipeline(session, Ask { reference, ..Ask::default() }).await,
            RedeployMethod::ChangeSet => {
                let (done, commit) = after.unzip();
                let reference = commit.or(reference);
                let ask = DeployAsk { reference, revert_drift: true, ..DeployAsk::default() };
                let stacks = deploy::stacks(session, &ask).boxed().await?;
                let (stack, rest) = turn(stacks.into_iter().map(|stack| stack.name), done.as_deref())?;
                self.deployment(session, &stack, &ask, Some(rest)).boxed().await
            }
        }
    }

    /// What the project's workflow would be asked for.
    async fn by_workflow(&self, session: &Session, ask: Ask) -> Result<Rollout, Why> {
        let plan = redeploy::plan(session, self.environ(), ask).boxed().await?;
        let workflow = match (&plan.dispatch.event, &plan.reference) {
            (Event::Workflow { file, .. }, Some(reference)) => format!("{file} on {reference}"),
            (Event::Workflow { file, .. }, None) => file.clone(),
            (Event::Repository { kind }, _) => format!("whichever workflow listens for {kind}"),
        };
        let found = Redeploy {
            repository: plan.repository.clone(),
            workflow,
            environment: session.environment().name.clone(),
            commit: plan.commit.clone(),
            subject: plan.subject.clone(),
            token_from: plan.token_from.clone(),
            nonce: plan.nonce.clone(),
        };
        self.redeploys.keep(&found.nonce, Planned::Workflow(Box::new(plan)));
        Ok(Rollout::Redeploy(found))
    }

    /// What the deploy pipeline would be asked for.
    async fn by_pipeline(&self, session: &Session, ask: Ask) -> Result<Rollout, Why> {
        let piped = pipeline::plan(session, ask).boxed().await?;
        let message = &piped.plan.message;
        let found = Piping {
            project: message.project.clone(),
            branch: message.branch.clone(),
            environment: session.environment().name.clone(),
            commit: piped.commit.clone(),
            subject: piped.subject.clone(),
            topic: piped.plan.topic.clone(),
            unchecked: piped.plan.unchecked.clone(),
            nonce: format!("{} {}", piped.commit, now()),
        };
        self.redeploys.keep(&found.nonce, Planned::Pipeline(Box::new(piped)));
        Ok(Rollout::Pipeline(found))
    }

    /// Asks the workflow, and follows its run to the end.
    pub(super) async fn dispatch(&self, session: &Session, planned: &Redeploy, sink: &Sink) -> Result<Over, Why> {
        let Planned::Workflow(plan) = self.redeploys.take(&planned.nonce)? else {
            return Err(Why::new("refused: what was planned is no workflow's"));
        };
        let tell = |text: &str| drop(sink.send(Heard::Progress(Progress::Step(text.to_owned()))));
        tell(&format!("asking {}", planned.repository));
        let asked = redeploy::dispatch(session, &plan, &tell).boxed().await?;
        let notes = asked.untold.iter().map(|why| why.reason.clone()).collect();
        let Some(run) = &asked.run else {
            let none = format!("GitHub took it, and none of the runs that it lists is called {}", asked.nonce);
            let why = Why::new(none).hint("run-name: \"... ${{ inputs.nonce }}\" in the workflow");
            return Ok(Over { status: Some("taken".to_owned()), why: Some(why), notes, ..Over::default() });
        };
        let told = |followed| drop(sink.send(Heard::Followed(followed)));
        told(Followed::Run(run.clone()));
        let followed = redeploy::follow(&plan, run, redeploy::LONGEST, &told).boxed().await;
        Ok(dispatched(followed, notes))
    }

    /// Asks the pipeline, whose job goes on by itself.
    pub(super) async fn send(&self, session: &Session, planned: &Piping) -> Result<Over, Why> {
        let Planned::Pipeline(piped) = self.redeploys.take(&planned.nonce)? else {
            return Err(Why::new("refused: what was planned is no pipeline's"));
        };
        let sent = pipeline::send(session, &piped).boxed().await?;
        let notes = sent.untold.into_iter().map(|why| why.reason).collect();
        let status = format!("{} from {} is asked for", planned.project, planned.branch);
        Ok(Over { status: Some(status), job: Some(sent.id), notes, ..Over::default() })
    }
}

/// How a run ended that was asked for. It was, also where it could not be followed to its end.
fn dispatched(followed: Result<(Run, Vec<redeploy::Job>), Why>, notes: Vec<String>) -> Over {
    match followed {
        Ok((run, jobs)) => {
            let why = (!run.succeeded()).then(|| redeploy::why_failed(&run, &jobs));
            let took = Some((run.changed - run.began).max(0));
            Over { status: Some(run.conclusion.unwrap_or(run.status)), why, notes, took, ..Over::default() }
        }
        Err(why) => Over { status: Some("not followed".to_owned()), why: Some(why), notes, ..Over::default() },
    }
}

/// The stack whose turn it is, and those that come after it; `done`: after this one.
fn turn(mut stacks: impl Iterator<Item = String>, done: Option<&str>) -> Result<(String, Vec<String>), Why> {
    let is_known = done.is_none_or(|done| stacks.any(|stack| stack == done));
    let stack = stacks.next().filter(|_| is_known);
    let none = || Why::new(format!("the commit has no stack after {}", done.unwrap_or("these")));
    Ok((stack.ok_or_else(none)?, stacks.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stacks_take_turns_in_their_order() {
        let of = |done| turn(["a", "b", "c"].into_iter().map(str::to_owned), done);
        let found = |done| of(done).map(|(stack, rest)| format!("{stack} then {}", rest.join(" "))).unwrap();
        assert_eq!([found(None), found(Some("a")), found(Some("b"))], ["a then b c", "b then c", "c then "]);
        assert!(of(Some("c")).is_err() && of(Some("x")).is_err());
    }

    #[test]
    fn what_could_not_be_followed_was_asked_for_all_the_same_and_keeps_what_was_told_before() {
        let notes = || vec![String::from("the journal does not hold it")];
        let over = dispatched(Err(Why::new("no route")), notes());
        assert_eq!((over.status.as_deref(), over.notes), (Some("not followed"), notes()));
        assert_eq!(over.why.map(|why| why.reason).as_deref(), Some("no route"));
    }
}
