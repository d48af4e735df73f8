//! Stacks, as the console asks for them: how they stand, plans of what is done to one, and doing it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use tokio::sync::{mpsc, oneshot};

use super::live::Inner;
use crate::compare::Why;
use crate::config::RedeployMethod;
use crate::console::{Deployment, Heard, Over, Prepared, Redeploy, Rollout, Target, Wanted, Way, Work};
use crate::ops::deploy::{self, Ask, Deployed, Draft, Ended, Failure, Operation, Progress, Standing, Wish};
use crate::ops::hold;
use crate::ops::redeploy::{self, Event, Followed};
use crate::ops::session::Session;

/// The drafts whose change sets wait in an account, by the names of these.
#[derive(Default)]
pub(super) struct Drafts(Mutex<HashMap<String, Arc<Draft>>>);

impl Drafts {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Arc<Draft>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Redeploys that were planned, by their nonces.
#[derive(Default)]
pub(super) struct Redeploys(Mutex<HashMap<String, Arc<redeploy::Plan>>>);

impl Redeploys {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Arc<redeploy::Plan>>> {
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
        let way = match way {
            Way::Redeploy { stack } => match session.project().redeploy.method {
                RedeployMethod::GitHub => return self.redeploy(session, target).await,
                RedeployMethod::ChangeSet => Way::Deploy { stack, to: None, revert_drift: false },
                RedeployMethod::Pipeline => {
                    let why = Why::new("the project is rolled out by its pipeline, which the console does not start");
                    return Err(why.hint("plumb redeploy --via github or --via change-set"));
                }
            },
            way => way,
        };
        match way {
            Way::Redeploy { .. } => Err(Why::new("nothing says how the project is rolled out")),
            Way::Deploy { stack, to, revert_drift } => {
                let reference = to.or_else(|| target.git_ref.clone());
                let ask = Ask { reference, revert_drift, ..Ask::default() };
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

    /// What the project's workflow would be asked for.
    async fn redeploy(&self, session: &Session, target: &Target) -> Result<Rollout, Why> {
        hold::refuse_held(session).boxed().await?;
        let ask = redeploy::Ask { reference: target.git_ref.clone(), ..redeploy::Ask::default() };
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
        let mut all = self.redeploys.all();
        // What was planned before and not confirmed is void, and has a token in it.
        all.clear();
        all.insert(plan.nonce.clone(), Arc::new(plan));
        Ok(Rollout::Redeploy(found))
    }

    /// Asks the workflow, and follows its run to the end.
    async fn dispatch(&self, session: &Session, planned: &Redeploy, sink: &Sink) -> Result<Over, Why> {
        let plan = self.redeploys.all().remove(&planned.nonce);
        let plan = plan.ok_or_else(|| Why::new("refused: what was planned is not known any more"))?;
        let tell = |text: &str| drop(sink.send(Heard::Progress(Progress::Step(text.to_owned()))));
        tell(&format!("asking {}", planned.repository));
        let asked = redeploy::dispatch(session, &plan, &tell).boxed().await?;
        let notes: Vec<String> = asked.untold.iter().map(|why| why.reason.clone()).collect();
        let Some(run) = &asked.run else {
            let none = format!("GitHub took it, and none of the runs that it lists is called {}", asked.nonce);
            let why = Why::new(none).hint("run-name: \"... ${{ inputs.nonce }}\" in the workflow");
            return Ok(Over { status: Some("taken".to_owned()), why: Some(why), notes, ..Over::default() });
        };
        let told = |followed| drop(sink.send(Heard::Followed(followed)));
        told(Followed::Run(run.clone()));
        let (run, jobs) = redeploy::follow(&plan, run, redeploy::LONGEST, &told).boxed().await?;
        let why = (!run.succeeded()).then(|| redeploy::why_failed(&run, &jobs));
        let status = run.conclusion.unwrap_or(run.status);
        let took = Some((run.changed - run.began).max(0));
        Ok(Over { status: Some(status), why, notes, took, ..Over::default() })
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
            Rollout::Redeploy(planned) => self.dispatch(&session, planned, sink).await,
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
