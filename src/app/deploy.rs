//! Stacks, as the console asks for them: how they stand, plans of what is done to one, and doing it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use tokio::sync::{mpsc, oneshot};

use super::live::Inner;
use crate::compare::Why;
use crate::console::{Deployment, Heard, Over, Prepared, Revert, Rollout, Target, Wanted, Way, Work};
use crate::ops::deploy::{self, Ask, Deployed, Draft, Ended, Failure, Operation, Progress, Standing, Wish};
use crate::ops::hold;
use crate::ops::session::Session;

/// The drafts whose change sets wait in an account, by the names of these.
#[derive(Default)]
pub(super) struct Drafts(Mutex<HashMap<String, Arc<Draft>>>);

impl Drafts {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Arc<Draft>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) type Sink = mpsc::UnboundedSender<Heard>;

impl Inner {
    pub(super) async fn stacks(&self, target: &Target) -> Result<Vec<Standing>, Why> {
        let session = self.session(&target.project, &target.environment).await?;
        deploy::standings(&session, target.git_ref.clone()).boxed().await
    }

    pub(super) async fn follow(&self, target: &Target, operation: &Operation, sink: &Sink) -> Result<Over, Why> {
        let session = self.session(&target.project, &target.environment).await?;
        let told = hear(&session, &operation.stack, sink);
        let ended = deploy::follow(&session, operation, &told).boxed().await?;
        Ok(ended_over(&session, &operation.stack, ended, sink).await)
    }

    /// Works a plan out in a task of its own: whoever does not wait for it to its end leaves no change set behind.
    pub(super) async fn plan_or_take_back(self: Arc<Self>, target: Target, wanted: Wanted) -> Result<Prepared, Why> {
        let (told, answer) = oneshot::channel();
        tokio::spawn(async move {
            let made = self.plan(&target, wanted).await;
            if let Err(Ok(prepared)) = told.send(made) {
                // Nobody is left to be told; the journal holds it.
                let _ = self.abandon(&prepared.work).await;
            }
        });
        answer.await.map_err(|_| Why::new("the plan ended by a fault in plumb itself"))?
    }

    pub(super) async fn rollout(&self, session: &Session, target: &Target, way: Way) -> Result<Rollout, Why> {
        match way {
            Way::Redeploy { after } => self.redeploy(session, target, after).boxed().await,
            Way::Deploy { stack, to, revert } => {
                let (revert_drift, only) = match revert {
                    Revert::Nothing => (false, None),
                    Revert::All => (true, None),
                    Revert::One(resource) => (true, Some(resource)),
                };
                // One resource is put back to what the stack runs, whatever is compared.
                let reference = to.or_else(|| target.git_ref.clone().filter(|_| only.is_none()));
                let ask = Ask { reference, revert_drift, only: only.into_iter().collect(), ..Ask::default() };
                self.deployment(session, &stack, &ask, None).boxed().await
            }
            Way::Cancel(stack) => {
                let operation = deploy::under_way(session, &stack).boxed().await?;
                operation.map(Rollout::Cancel).ok_or_else(|| Why::new(format!("nothing is under way with {stack}")))
            }
            Way::Recover { stack, leave } => recover(session, &stack, leave).boxed().await,
            Way::Turn(name) => deploy::turn(session, &name, None).boxed().await.map(Rollout::Turn),
        }
    }

    /// Has a change set of one stack worked out. `rest`: of a redeploy, the stacks that come after it.
    pub(super) async fn deployment(
        &self,
        session: &Session,
        stack: &str,
        ask: &Ask,
        rest: Option<Vec<String>>,
    ) -> Result<Rollout, Why> {
        let draft = deploy::draft(session, stack, ask).boxed().await?;
        if let Some(operation) = draft.under_way().boxed().await? {
            return Err(Why::new(format!("CloudFormation is at work on {} already", operation.stack))
                .hint("the deploy page looks on, and takes it back"));
        }
        let plan = draft.plan(&|_| {}).boxed().await?;
        let (commit, change_set) = (draft.commit.clone(), draft.change_set().to_owned());
        self.drafts.all().insert(change_set.clone(), Arc::new(draft));
        let (stack, only) = (stack.to_owned(), ask.only.first().cloned());
        Ok(Rollout::Deploy(Box::new(Deployment { stack, commit, change_set, plan, only, rest })))
    }

    pub(super) async fn roll_out(&self, target: &Target, work: &Work, sink: &Sink) -> Result<Over, Why> {
        let Work::Rollout(rollout) = work else { return Err(Why::new("refused: nothing is done to a stack by this")) };
        let session = self.session(&target.project, &target.environment).await?;
        let told = hear(&session, rollout.stack(), sink);
        match &**rollout {
            Rollout::Deploy(deployment) => {
                let draft = self.drafts.all().remove(&deployment.change_set);
                let draft = draft.ok_or_else(|| Why::new("refused: the change set was taken back"))?;
                if deployment.rest.is_some() {
                    still_released(&session, &draft).await?;
                }
                let deployed = deploy::execute(&draft, &deployment.plan, &told).boxed().await?;
                if let Some(failure) = &deployed.failure {
                    blame(&session, &deployed.stack, failure, sink).await;
                }
                let then = next(deployment, &deployed);
                Ok(Over { then, ..deployed_over(deployed) })
            }
            Rollout::Redeploy(planned) => self.dispatch(&session, planned, sink).await,
            Rollout::Pipeline(planned) => self.send(&session, planned).await,
            Rollout::Cancel(operation) => {
                let (ended, untold) = deploy::cancel(&session, operation, &told).boxed().await?;
                let is_back = ended.status == "UPDATE_ROLLBACK_COMPLETE";
                let over = ended_over(&session, &operation.stack, ended, sink).await;
                let why = over.why.filter(|_| !is_back);
                Ok(Over { why, notes: untold.into_iter().map(|why| why.reason).collect(), ..over })
            }
            Rollout::Recover(recovery) => {
                let (ended, untold) = deploy::recover(&session, recovery, &told).boxed().await?;
                let is_left = recovery.stuck.is_left_by(&ended);
                let over = ended_over(&session, &recovery.stack.name, ended, sink).await;
                let why = over.why.filter(|_| !is_left);
                Ok(Over { why, notes: untold.into_iter().map(|why| why.reason).collect(), ..over })
            }
            Rollout::Turn(turn) => {
                let untold = deploy::turn_back(&session, turn).boxed().await?;
                let done = format!("{} serves version {}", turn.alias, turn.to.number);
                Ok(Over {
                    status: Some(done),
                    notes: untold.into_iter().map(|why| why.reason).collect(),
                    ..Over::default()
                })
            }
        }
    }

    /// Deletes the change set of a plan that nobody confirmed.
    pub(super) async fn abandon(&self, work: &Work) -> Result<(), Why> {
        let Work::Rollout(rollout) = work else { return Ok(()) };
        let Rollout::Deploy(deployment) = &**rollout else { return Ok(()) };
        let draft = self.drafts.all().remove(&deployment.change_set);
        match draft {
            Some(draft) => draft.abandon().boxed().await,
            None => Ok(()),
        }
    }
}

/// Tells what happens; and of what fails the log as soon as it does, since a rollback may take long.
fn hear(session: &Session, stack: &str, sink: &Sink) -> impl Fn(Progress) + Send + Sync + use<> {
    let (session, stack, sink) = (session.clone(), stack.to_owned(), sink.clone());
    move |progress| {
        if let Progress::Failed(failure) = &progress {
            let (session, stack, sink, failure) = (session.clone(), stack.clone(), sink.clone(), failure.clone());
            tokio::spawn(async move { blame(&session, &stack, &failure, &sink).await });
        }
        // The console is over when nobody listens.
        drop(sink.send(Heard::Progress(progress)));
    }
}

/// A hold may have begun while the plan of a redeploy was looked at.
async fn still_released(session: &Session, draft: &Draft) -> Result<(), Why> {
    let Err(held) = hold::refuse_held(session).boxed().await else { return Ok(()) };
    Err(match draft.abandon().boxed().await {
        Ok(()) => held,
        Err(left) => {
            let reason = format!("{}; its change set is left behind: {}", held.reason, left.reason);
            Why { reason, ..held }
        }
    })
}

/// What of a redeploy comes after a stack that is deployed. What comes later may build on what was not.
fn next(deployment: &Deployment, deployed: &Deployed) -> Option<Way> {
    let is_more = deployment.rest.as_ref().is_some_and(|rest| !rest.is_empty());
    let commit = deployed.commit.clone().filter(|_| is_more && deployed.failed.is_none())?;
    Some(Way::Redeploy { after: Some((deployment.stack.clone(), commit)) })
}

async fn recover(session: &Session, stack: &str, leave: bool) -> Result<Rollout, Why> {
    // What it is protected from is told in the plan, which has to be confirmed.
    let wish = Wish { unprotect: true, ..Wish::default() };
    let free = || Why::new(format!("{stack} is not stuck"));
    let found = deploy::recovery(session, stack, &wish).boxed().await?.ok_or_else(free)?;
    if !leave {
        return Ok(Rollout::Recover(found));
    }
    let held: Vec<String> = found.resources.iter().map(|held| held.logical_id.clone()).collect();
    let wish = match found.stuck {
        deploy::Stuck::RollbackFailed => Wish { skip: held, ..wish },
        deploy::Stuck::DeletionFailed => Wish { retain: held, ..wish },
        _ => return Err(Why::new(format!("there is nothing in {stack} that could be left as it is"))),
    };
    deploy::recovery(session, stack, &wish).boxed().await?.map(Rollout::Recover).ok_or_else(free)
}

async fn blame(session: &Session, stack: &str, failure: &Failure, sink: &Sink) {
    if let Some(lines) = deploy::last_lines(session, stack, failure).boxed().await {
        let _ = sink.send(Heard::Log(lines));
    }
}

async fn ended_over(session: &Session, stack: &str, ended: Ended, sink: &Sink) -> Over {
    if let Some(failure) = &ended.failure {
        blame(session, stack, failure, sink).await;
    }
    let why = ended.why(stack);
    let outputs = ended.stack.map(|info| info.outputs).unwrap_or_default();
    Over { status: Some(ended.status), why, outputs, took: Some(ended.took), ..Over::default() }
}

fn deployed_over(deployed: Deployed) -> Over {
    let receipt = match deployed.commit.as_ref().filter(|_| deployed.recorded) {
        Some(commit) => format!("written: {} runs {}", deployed.stack, commit.get(..7).unwrap_or(commit)),
        None => String::from("none was written"),
    };
    let mut notes = deployed.notes;
    notes.extend(deployed.functions.iter().map(|(name, version)| format!("{name} serves {version}")));
    notes.extend(deployed.untold.map(|why| why.reason));
    let mut left = deployed.left.into_iter();
    let why = deployed.failed.or_else(|| left.next());
    notes.extend(left.map(|why| why.reason));
    let (status, outputs, took) = (deployed.status, deployed.outputs, deployed.took);
    Over { status, why, outputs, notes, took, receipt: Some(receipt), ..Over::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployed(recorded: bool, failed: Option<Why>, left: Vec<Why>) -> Deployed {
        Deployed {
            id: String::from("1"),
            stack: String::from("shop"),
            commit: Some(String::from("91abe07c4d")),
            changes: 1,
            status: None,
            took: None,
            outputs: std::collections::BTreeMap::new(),
            put_back: Vec::new(),
            functions: std::collections::BTreeMap::new(),
            notes: Vec::new(),
            recorded,
            left,
            failure: None,
            failed,
            untold: None,
        }
    }

    #[test]
    fn whether_a_receipt_was_written_is_told_at_the_end_of_a_deployment() {
        let told = |recorded| deployed_over(deployed(recorded, None, Vec::new())).receipt.unwrap();
        assert_eq!([told(true), told(false)], ["written: shop runs 91abe07", "none was written"]);
    }

    #[test]
    fn a_redeploy_goes_on_after_what_is_deployed_and_ends_with_what_failed() {
        let of = |rest: Option<&[&str]>, deployed: &Deployed| {
            let rest = rest.map(|rest| rest.iter().map(|name| (*name).to_owned()).collect());
            let (stack, change_set) = (deployed.stack.clone(), String::from("plumb-1"));
            let plan = deploy::Plan::of_changes(Vec::new());
            next(&Deployment { stack, commit: None, change_set, plan, only: None, rest }, deployed)
        };
        let (well, left) = (deployed(true, None, Vec::new()), deployed(true, None, vec![Why::new("stays")]));
        let goes_on = Some(Way::Redeploy { after: Some((String::from("shop"), String::from("91abe07c4d"))) });
        assert_eq!(of(Some(&["data"]), &well), goes_on);
        assert_eq!(of(Some(&["data"]), &left), goes_on, "what only stays as it is holds nothing up");
        assert_eq!(of(Some(&["data"]), &deployed(false, Some(Why::new("no")), Vec::new())), None);
        assert_eq!((of(Some(&[]), &well), of(None, &well)), (None, None));
    }
}
