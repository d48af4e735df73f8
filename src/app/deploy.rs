//! Stacks, as the console asks for them: how they stand, plans of what is done to one, and doing it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use tokio::sync::{mpsc, oneshot};

use super::live::Inner;
use crate::compare::Why;
use crate::console::{Deployment, Heard, Over, Prepared, Rollout, Target, Wanted, Way, Work};
use crate::ops::deploy::{self, Ask, Deployed, Draft, Ended, Failure, Operation, Progress, Standing, Wish};
use crate::ops::session::Session;

/// The drafts whose change sets wait in an account, by the names of these.
#[derive(Default)]
pub(super) struct Drafts(Mutex<HashMap<String, Arc<Draft>>>);

impl Drafts {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Arc<Draft>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Sink = mpsc::UnboundedSender<Heard>;

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
            Way::Deploy { stack, to, revert_drift } => {
                let ask = Ask { reference: to.or_else(|| target.git_ref.clone()), revert_drift };
                let stack = match stack {
                    Some(stack) => stack,
                    None => next(session, &ask).boxed().await?,
                };
                let draft = deploy::draft(session, &stack, &ask).boxed().await?;
                if let Some(operation) = draft.under_way().boxed().await? {
                    return Err(Why::new(format!("CloudFormation is at work on {} already", operation.stack))
                        .hint("the deploy page looks on, and takes it back"));
                }
                let plan = draft.plan(&|_| {}).boxed().await?;
                let (commit, change_set) = (draft.commit.clone(), draft.change_set().to_owned());
                self.drafts.all().insert(change_set.clone(), Arc::new(draft));
                Ok(Rollout::Deploy(Deployment { stack, commit, change_set, plan }))
            }
            Way::Cancel(stack) => {
                let operation = deploy::under_way(session, &stack).boxed().await?;
                operation.map(Rollout::Cancel).ok_or_else(|| Why::new(format!("nothing is under way with {stack}")))
            }
            Way::Recover { stack, leave } => recover(session, &stack, leave).boxed().await,
            Way::Turn(name) => deploy::turn(session, &name, None).boxed().await.map(Rollout::Turn),
        }
    }

    pub(super) async fn roll_out(&self, target: &Target, work: &Work, sink: &Sink) -> Result<Over, Why> {
        let Work::Rollout(rollout) = work else { return Err(Why::new("refused: nothing is done to a stack by this")) };
        let session = self.session(&target.project, &target.environment).await?;
        let told = hear(&session, rollout.stack(), sink);
        match &**rollout {
            Rollout::Deploy(deployment) => {
                let draft = self.drafts.all().remove(&deployment.change_set);
                let draft = draft.ok_or_else(|| Why::new("refused: the change set was taken back"))?;
                let deployed = deploy::execute(&draft, &deployment.plan, &told).boxed().await?;
                if let Some(failure) = &deployed.failure {
                    blame(&session, &deployed.stack, failure, sink).await;
                }
                Ok(deployed_over(deployed))
            }
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

/// The first stack that does not run the commit, or else the first.
async fn next(session: &Session, ask: &Ask) -> Result<String, Why> {
    let reference = ask.reference.clone().unwrap_or_else(|| session.reference());
    let repository = session.repository.clone()?;
    let commit = repository.resolve(&reference).map_err(|error| Why::new(error.to_string()))?.id;
    let standings = deploy::standings(session, Some(reference)).boxed().await?;
    let behind = standings.iter().find(|standing| standing.runs.as_deref() != Some(&*commit));
    let found = behind.or(standings.first()).map(|standing| standing.name.clone());
    found.ok_or_else(|| Why::new("the project has no stack here"))
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
    Over { status: Some(ended.status), why, outputs, notes: Vec::new(), took: Some(ended.took) }
}

fn deployed_over(deployed: Deployed) -> Over {
    let mut notes = deployed.notes;
    notes.extend(deployed.functions.iter().map(|(name, version)| format!("{name} serves {version}")));
    notes.extend(deployed.untold.map(|why| why.reason));
    let mut left = deployed.left.into_iter();
    let why = deployed.failed.or_else(|| left.next());
    notes.extend(left.map(|why| why.reason));
    Over { status: deployed.status, why, outputs: deployed.outputs, notes, took: deployed.took }
}
