//! The effect runner: begins what the model wants done, and aborts it.
//!
//! What writes passes the [`Gate`] first, which knows by itself what may be written.

use std::collections::HashMap;
use std::future::{Future, pending};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::{join, join_all};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, JoinHandle};

use super::clipboard;
use super::gate::Gate;
use super::own::{self, Ending};
use crate::compare::Why;
use crate::config::CustomAction;
use crate::console::backend::{Ask, Backend, BoxFuture, Permit, Target};
use crate::console::clipboard::Sent;
use crate::console::crypto::{CryptoAnswer, CryptoAsk};
use crate::console::data::DataAsk;
use crate::console::deploy::{DeployAnswer, DeployAsk};
use crate::console::effect::{Effect, Order};
use crate::console::home::{Command, Copy, Outside};
use crate::console::keymap::Key;
use crate::console::message::{Generation, Granted, Message};
use crate::console::mode::Ended;
use crate::console::overlay::Work;
use crate::ops::config::changes::{Staged, generate};
use crate::ops::push::Progress;

/// Tells the time, in milliseconds since the Unix epoch.
pub(super) type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The requests under way, by generation. Dropping it aborts them all.
pub(super) struct Jobs {
    backend: Arc<dyn Backend>,
    sender: mpsc::UnboundedSender<Message>,
    running: HashMap<Generation, AbortHandle>,
    /// The operator's own commands in the background, and what ends them.
    commands: HashMap<Generation, (Option<oneshot::Sender<Ending>>, JoinHandle<()>)>,
    gate: Arc<Mutex<Gate>>,
    clock: Clock,
    handing: mpsc::UnboundedSender<Handover>,
    /// What is to have the terminal now.
    pub(super) handovers: mpsc::UnboundedReceiver<Handover>,
}

/// Something for which the console steps aside once it is prepared.
pub(super) enum Handover {
    /// A command that writes, noted as begun.
    Command {
        generation: Generation,
        command: Arc<Command>,
        permit: Permit,
        /// Until it has ended no other write to its environment passes.
        under_way: UnderWay,
    },
    /// A commit of the change list.
    Commit { generation: Generation, staged: Box<Staged> },
}

/// The gate, whatever became of others that held it.
fn pass(gate: &Mutex<Gate>) -> MutexGuard<'_, Gate> {
    gate.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Jobs {
    pub(super) fn new(
        backend: Arc<dyn Backend>,
        own: &[(CustomAction, Option<Key>)],
        sender: mpsc::UnboundedSender<Message>,
        clock: Clock,
    ) -> Self {
        let gate = Arc::new(Mutex::new(Gate::new(&backend.environments(), own)));
        let (handing, handovers) = mpsc::unbounded_channel();
        let (running, commands) = (HashMap::new(), HashMap::new());
        Self { backend, sender, running, commands, gate, clock, handing, handovers }
    }

    /// Ends what runs in the background and locks whatever is unlocked, before the console is left.
    pub(super) async fn close(&mut self) {
        let commands = self.commands.drain().map(|(_, (end, task))| {
            // One that has ended by itself does not listen.
            let _ = end.map(|end| end.send(Ending::Left));
            task
        });
        let left = pass(&self.gate).forget_all();
        let abandoned = join_all(left.into_iter().map(|work| self.backend.abandon(work)));
        let unlocked = pass(&self.gate).close();
        let lock = async {
            // While there is leave to write.
            abandoned.await;
            for target in unlocked {
                // Nobody is left to be told.
                let _ = self.backend.lock(target, Ended::Quit).await;
            }
        };
        join(join_all(commands), lock).await;
    }

    /// Begins or aborts work. What concerns the console itself is none.
    pub(super) fn begin(&mut self, effect: Effect) {
        self.running.retain(|_, handle| !handle.is_finished());
        self.commands.retain(|_, (_, task)| !task.is_finished());
        let backend = Arc::clone(&self.backend);
        match effect {
            Effect::Project(generation, name) => {
                let gate = Arc::clone(&self.gate);
                self.spawn(generation, async move {
                    let answer = backend.project(name).await;
                    if let Ok(environments) = &answer {
                        pass(&gate).learn(environments);
                    }
                    Message::Project(generation, answer)
                });
            }
            Effect::Inspect(generation, target, ask) => {
                let work = inspect(backend, self.sender.clone(), generation, target, ask);
                self.spawn(generation, work);
            }
            Effect::Reveal(generation, target, kind, name) => {
                self.spawn(generation, async move {
                    Message::Revealed(generation, backend.reveal(target, kind, name).await.map(Box::new))
                });
            }
            Effect::Read(generation, target, kind, name) => {
                self.spawn(generation, async move {
                    Message::Read(generation, backend.reveal(target, kind, name).await.map(Box::new))
                });
            }
            Effect::Locate(generation, target, file, name) => {
                self.spawn(generation, async move {
                    Message::Located(generation, backend.locate(target, file, name).await)
                });
            }
            Effect::Run(generation, command) => {
                let passed = pass(&self.gate).run(&command);
                match passed {
                    Ok(()) => self.run(generation, command.into(), async { Ok(None) }, None),
                    Err(why) => self.refuse(Message::Ran(generation, Err(why))),
                }
            }
            Effect::End(generation) => {
                let command = self.commands.get_mut(&generation);
                if let Some(end) = command.and_then(|(end, _)| end.take()) {
                    // One that has ended by itself does not listen.
                    let _ = end.send(Ending::Asked);
                }
            }
            Effect::Refs(generation, project) => {
                self.spawn(generation, async move { Message::Refs(generation, backend.refs(project).await) });
            }
            Effect::Fetch(generation, target) => {
                self.spawn(generation, async move { Message::Fetched(generation, backend.fetch(target).await) });
            }
            Effect::Plan(generation, target, wanted) => {
                let gate = Arc::clone(&self.gate);
                self.spawn(generation, async move {
                    let answer = backend.plan(target.clone(), wanted).await;
                    if let Ok(prepared) = &answer {
                        pass(&gate).remember(generation, &target, prepared);
                    }
                    Message::Planned(generation, answer.map(Box::new))
                });
            }
            Effect::Write(generation, order) => self.write(generation, order),
            Effect::Unlock(generation, order) => self.unlock(generation, order),
            Effect::Lock(target, ended) => {
                pass(&self.gate).lock(&target);
                let name = target.environment.clone();
                let locked = backend.lock(target, ended);
                let sender = self.sender.clone();
                tokio::spawn(async move {
                    let _ = sender.send(Message::Locked(name, locked.await));
                });
            }
            Effect::Crypto(generation, target, ask) => self.crypto(generation, target, ask),
            Effect::Data(generation, target, ask) => self.data(generation, target, ask),
            Effect::Deploy(generation, target, ask) => self.deploy(generation, target, ask),
            effect @ (Effect::Journal(..) | Effect::Pipeline(..)) => self.look(effect),
            Effect::Abandon(generation) => self.abandon(generation),
            effect @ (Effect::History(..) | Effect::Compare(..) | Effect::Promote(..) | Effect::Changes(..)) => {
                self.of_git(effect);
            }
            Effect::Commit(generation, target, message) => self.commit(generation, target, message),
            Effect::Generate(generation, length, alphabet) => {
                self.refuse(Message::Generated(generation, generate(length, alphabet)));
            }
            Effect::Remember(memory) => drop(tokio::spawn(backend.remember(memory))),
            Effect::Cancel(generation) => self.cancel(generation),
            Effect::Suspend
            | Effect::Quit
            | Effect::Copy(_)
            | Effect::Theme(_)
            | Effect::Outside(_)
            | Effect::Notify(_) => {}
        }
    }

    fn cancel(&mut self, generation: Generation) {
        if let Some(handle) = self.running.remove(&generation) {
            handle.abort();
        }
        // It may have been worked out just then.
        self.abandon(generation);
    }

    fn data(&mut self, generation: Generation, target: Target, ask: DataAsk) {
        let backend = Arc::clone(&self.backend);
        self.spawn(generation, async move { Message::Data(generation, backend.data(target, ask).await) });
    }

    /// Takes back what a plan has left in the account that nobody confirmed.
    fn abandon(&self, generation: Generation) {
        let Some((environment, work)) = pass(&self.gate).forget(generation) else { return };
        let (abandoned, sender) = (self.backend.abandon(work), self.sender.clone());
        tokio::spawn(async move {
            let _ = sender.send(Message::Abandoned(environment, abandoned.await));
        });
    }

    /// Asks how deployments stand, and hands on what is heard of one under way.
    fn deploy(&mut self, generation: Generation, target: Target, ask: DeployAsk) {
        let (backend, sender) = (Arc::clone(&self.backend), self.sender.clone());
        self.spawn(generation, async move {
            let (sink, heard) = mpsc::unbounded_channel();
            let work = backend.deployments(target, ask, sink);
            let hear = |heard| Message::Deploy(generation, DeployAnswer::Heard(heard));
            Message::Deploy(generation, passed_on(&sender, heard, hear, work).await)
        });
    }

    /// Asks the crypto API, and hands on how far a smoke test is.
    fn crypto(&mut self, generation: Generation, target: Target, ask: CryptoAsk) {
        let (backend, sender) = (Arc::clone(&self.backend), self.sender.clone());
        self.spawn(generation, async move {
            let (sink, steps) = mpsc::unbounded_channel();
            let work = backend.crypto(target, ask, sink);
            let step = |step| Message::Crypto(generation, CryptoAnswer::Step(step));
            Message::Crypto(generation, passed_on(&sender, steps, step, work).await)
        });
    }

    /// What is read for a page or an overlay of its own.
    fn look(&mut self, effect: Effect) {
        let backend = Arc::clone(&self.backend);
        match effect {
            Effect::Journal(generation, target) => {
                self.spawn(generation, async move { Message::Journal(generation, backend.journal(target).await) });
            }
            Effect::Pipeline(generation, target, ask) => {
                let answer = backend.pipeline(target, ask);
                self.spawn(generation, async move { Message::Pipeline(generation, answer.await) });
            }
            _ => {}
        }
    }

    /// What is asked of git beside the comparison with live, or committed there to a new branch.
    fn of_git(&mut self, effect: Effect) {
        let backend = Arc::clone(&self.backend);
        match effect {
            Effect::History(generation, target, name) => {
                self.spawn(generation, async move {
                    Message::History(generation, backend.history(target, name).await.map(Box::new))
                });
            }
            Effect::Compare(generation, project, from, to) => {
                self.spawn(generation, async move {
                    Message::Compared(generation, backend.compare(project, from, to).await.map(Box::new))
                });
            }
            Effect::Changes(generation, target, ask) => {
                self.spawn(generation, async move { Message::Changes(generation, backend.changes(target, ask).await) });
            }
            Effect::Promote(generation, promotion) => {
                self.spawn(generation, async move {
                    Message::Promoted(generation, backend.promote(promotion).await.map(Box::new))
                });
            }
            _ => {}
        }
    }

    /// Refuses a command that writes: it would have been planned.
    pub(super) fn permits(&self, outside: &Outside) -> Result<(), Why> {
        match outside {
            Outside::Command(command) => pass(&self.gate).run(command),
            Outside::Page { .. } | Outside::Edit(_) | Outside::Value { .. } => Ok(()),
        }
    }

    /// Lets a command take a text for the clipboard; `told` says what that means.
    pub(super) fn copy(
        &self,
        line: String,
        copy: Copy,
        told: impl FnOnce(Result<(), Why>) -> Result<Sent, Why> + Send + 'static,
    ) {
        let sender = self.sender.clone();
        tokio::spawn(async move {
            let outcome = told(clipboard::by_command(&line, &copy.text).await);
            // The console is over when nobody listens.
            let _ = sender.send(Message::Copied(copy.what, copy.text.chars(), outcome));
        });
    }

    /// Prepares a commit, for which the console then steps aside.
    fn commit(&mut self, generation: Generation, target: Target, message: String) {
        let (backend, handing) = (Arc::clone(&self.backend), self.handing.clone());
        self.spawn(generation, async move {
            match backend.stage(target, message).await {
                Ok(staged) => {
                    // The console is over when nobody listens.
                    let _ = handing.send(Handover::Commit { generation, staged: Box::new(staged) });
                    None
                }
                Err(why) => Some(Message::Committed(generation, Err(why))),
            }
        });
    }

    fn write(&mut self, generation: Generation, order: Order) {
        let passed = pass(&self.gate).write(&order, (self.clock)());
        if let Err(why) = passed {
            return self.refuse(Message::Written(generation, Err(why)));
        }
        let under_way = UnderWay { gate: Arc::clone(&self.gate), target: order.target.clone() };
        let backend = Arc::clone(&self.backend);
        match order.work {
            Work::Command(command) => {
                let leave = backend.begin(order.target, Arc::clone(&command));
                if !command.wait {
                    let leave = leave.map(|permit| permit.map(Some));
                    return self.run(generation, command, leave, Some(under_way));
                }
                let handing = self.handing.clone();
                self.spawn(generation, async move {
                    match leave.await {
                        Ok(permit) => {
                            // The console is over when nobody listens.
                            let _ = handing.send(Handover::Command { generation, command, permit, under_way });
                            None
                        }
                        Err(why) => {
                            drop(under_way);
                            Some(Message::Ran(generation, Err(why)))
                        }
                    }
                });
            }
            work @ (Work::Values(..) | Work::Resume(_)) => {
                let sender = self.sender.clone();
                let watch = Box::new(move |progress: &Progress| {
                    // The console is over when nobody listens.
                    let _ = sender.send(Message::Progress(generation, progress.clone()));
                });
                self.spawn(generation, async move {
                    let answer = backend.push(order.target, work, watch).await;
                    drop(under_way);
                    Message::Pushed(generation, answer.map(Box::new))
                });
            }
            work @ Work::Rollout(_) => {
                let sender = self.sender.clone();
                self.spawn(generation, async move {
                    let (sink, heard) = mpsc::unbounded_channel();
                    let work = backend.roll_out(order.target, work, sink);
                    let hear = |heard| Message::Deploy(generation, DeployAnswer::Heard(heard));
                    let over = passed_on(&sender, heard, hear, work).await;
                    drop(under_way);
                    Message::Deploy(generation, DeployAnswer::Over(over.map(Box::new)))
                });
            }
            work @ (Work::Record(_)
            | Work::Unlock(_)
            | Work::Rotate(_)
            | Work::Pipeline(_)
            | Work::Data(_)
            | Work::Restart(_)) => {
                self.spawn(generation, async move {
                    let answer = backend.write(order.target, work).await;
                    drop(under_way);
                    Message::Written(generation, answer)
                });
            }
        }
    }

    /// Runs a command in the background, once there is leave.
    fn run(
        &mut self,
        generation: Generation,
        command: Arc<Command>,
        leave: impl Future<Output = Result<Option<Permit>, Why>> + Send + 'static,
        under_way: Option<UnderWay>,
    ) {
        let (end, asked) = oneshot::channel();
        // Nobody can end it any more when nobody holds the other half; it ends by itself.
        let asked = async { if let Ok(ending) = asked.await { ending } else { pending().await } };
        let task = self.spawn(generation, async move {
            let outcome = match leave.await {
                Ok(permit) => own::in_background(&command, permit, asked).await,
                Err(why) => Err(why),
            };
            drop(under_way);
            Message::Ran(generation, outcome)
        });
        self.commands.insert(generation, (Some(end), task));
    }

    fn unlock(&mut self, generation: Generation, order: Order) {
        let passed = pass(&self.gate).unlock(&order);
        let (milliseconds, unlock) = match (passed, order.work) {
            (Ok(milliseconds), Work::Unlock(unlock)) => (milliseconds, unlock),
            (Ok(_), _) => return,
            (Err(why), _) => return self.refuse(Message::Unlocked(generation, Err(why))),
        };
        let (backend, gate, clock) = (Arc::clone(&self.backend), Arc::clone(&self.gate), Arc::clone(&self.clock));
        let target = order.target;
        self.spawn(generation, async move {
            let answer = backend.unlock(target.clone(), (*unlock).clone()).await;
            let granted = answer.map(|(identity, untold)| {
                let until = clock() + milliseconds;
                pass(&gate).opened(&target, until);
                Box::new(Granted { identity, until, untold })
            });
            Message::Unlocked(generation, granted)
        });
    }

    fn refuse(&self, message: Message) {
        // The console is over when nobody listens.
        let _ = self.sender.send(message);
    }

    fn spawn<M: Into<Option<Message>>>(
        &mut self,
        generation: Generation,
        work: impl Future<Output = M> + Send + 'static,
    ) -> JoinHandle<()> {
        let sender = self.sender.clone();
        let task = tokio::spawn(async move {
            let outcome = AssertUnwindSafe(work).catch_unwind().await;
            if let Some(message) = outcome.map_or(Some(Message::Lost(generation)), Into::into) {
                // The console is over when nobody listens.
                let _ = sender.send(message);
            }
        });
        self.running.insert(generation, task.abort_handle());
        task
    }
}

/// A write under way: no other to that environment passes until this is dropped, however it ended.
pub(super) struct UnderWay {
    gate: Arc<Mutex<Gate>>,
    target: Target,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        pass(&self.gate).written(&self.target);
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        for handle in self.running.values() {
            handle.abort();
        }
    }
}

/// Passes the parts on as they come, and each of them before the report.
async fn inspect(
    backend: Arc<dyn Backend>,
    sender: mpsc::UnboundedSender<Message>,
    generation: Generation,
    target: Target,
    ask: Ask,
) -> Message {
    let (sink, parts) = mpsc::unbounded_channel();
    let work = backend.inspect(target, ask, sink);
    let report = passed_on(&sender, parts, |part| Message::Part(generation, part), work).await;
    Message::Inspected(generation, Box::new(report))
}

/// Passes on what work sends while it goes on, and all of that before what it answers.
async fn passed_on<T, R>(
    sender: &mpsc::UnboundedSender<Message>,
    mut parts: mpsc::UnboundedReceiver<T>,
    message: impl Fn(T) -> Message,
    mut work: BoxFuture<'static, R>,
) -> R {
    let answer = loop {
        tokio::select! {
            biased;
            Some(part) = parts.recv() => { let _ = sender.send(message(part)); }
            answer = &mut work => break answer,
        }
    };
    while let Ok(part) = parts.try_recv() {
        let _ = sender.send(message(part));
    }
    answer
}
