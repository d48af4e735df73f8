//! The effect runner: begins what the model wants done, and aborts it.

use std::collections::HashMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::{clipboard, outside};
use crate::compare::Why;
use crate::console::backend::{Ask, Backend, Target};
use crate::console::effect::Effect;
use crate::console::home::{Command, Copy, Outside};
use crate::console::message::{Generation, Message};

/// The requests under way, by generation. Dropping it aborts them all.
pub(super) struct Jobs {
    backend: Arc<dyn Backend>,
    sender: mpsc::UnboundedSender<Message>,
    running: HashMap<Generation, AbortHandle>,
}

impl Jobs {
    pub(super) fn new(backend: Arc<dyn Backend>, sender: mpsc::UnboundedSender<Message>) -> Self {
        Self { backend, sender, running: HashMap::new() }
    }

    /// Begins or aborts work. What concerns the console itself is none.
    pub(super) fn begin(&mut self, effect: Effect) {
        self.running.retain(|_, handle| !handle.is_finished());
        let backend = Arc::clone(&self.backend);
        match effect {
            Effect::Project(generation, name) => {
                self.spawn(generation, async move { Message::Project(generation, backend.project(name).await) });
            }
            Effect::Inspect(generation, target, ask) => {
                let work = inspect(backend, self.sender.clone(), generation, target, ask);
                self.spawn(generation, work);
            }
            Effect::Reveal(generation, target, kind, name) => self.spawn(generation, async move {
                Message::Revealed(generation, backend.reveal(target, kind, name).await.map(Box::new))
            }),
            Effect::Read(generation, target, kind, name) => self.spawn(generation, async move {
                Message::Read(generation, backend.reveal(target, kind, name).await.map(Box::new))
            }),
            Effect::Locate(generation, target, file, name) => {
                self.spawn(
                    generation,
                    async move { Message::Located(generation, backend.locate(target, file, name).await) },
                )
            }
            Effect::Run(generation, command) => self.spawn(generation, async move {
                let outcome = match permits(&*backend, &command).await {
                    Ok(()) => outside::in_background(&command).await,
                    Err(why) => Err(why),
                };
                Message::Ran(generation, outcome)
            }),
            Effect::Refs(generation, project) => {
                self.spawn(generation, async move { Message::Refs(generation, backend.refs(project).await) });
            }
            Effect::Fetch(generation, target) => {
                self.spawn(generation, async move { Message::Fetched(generation, backend.fetch(target).await) });
            }
            Effect::Remember(memory) => drop(tokio::spawn(backend.remember(memory))),
            Effect::Cancel(generation) => {
                if let Some(handle) = self.running.remove(&generation) {
                    handle.abort();
                }
            }
            Effect::Suspend | Effect::Quit | Effect::Copy(_) | Effect::Outside(_) | Effect::Notify(_) => {}
        }
    }

    /// Refuses a command that is not permitted where it is to be run.
    pub(super) async fn permits(&self, outside: &Outside) -> Result<(), Why> {
        match outside {
            Outside::Command(command) => permits(&*self.backend, command).await,
            Outside::Page { .. } | Outside::Edit(_) => Ok(()),
        }
    }

    /// Lets a command of the operator's take a text for the clipboard.
    pub(super) fn copy(&self, line: String, copy: Copy) {
        let sender = self.sender.clone();
        tokio::spawn(async move {
            let outcome = clipboard::by_command(&line, &copy.text).await;
            // The console is over when nobody listens.
            let _ = sender.send(Message::Copied(copy.what, copy.text.chars(), outcome));
        });
    }

    fn spawn(&mut self, generation: Generation, work: impl Future<Output = Message> + Send + 'static) {
        let sender = self.sender.clone();
        let task = tokio::spawn(async move {
            let outcome = AssertUnwindSafe(work).catch_unwind().await;
            // The console is over when nobody listens.
            let _ = sender.send(outcome.unwrap_or(Message::Lost(generation)));
        });
        self.running.insert(generation, task.abort_handle());
    }
}

/// Asks the backend how the command's environment is protected, whatever the model thinks.
async fn permits(backend: &dyn Backend, command: &Command) -> Result<(), Why> {
    let known = if command.project == backend.project_name() {
        backend.environments()
    } else {
        backend.project(command.project.clone()).await?
    };
    outside::permitted(command, &known)
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
    let (sink, mut parts) = mpsc::unbounded_channel();
    let mut work = backend.inspect(target, ask, sink);
    let report = loop {
        tokio::select! {
            biased;
            Some(part) = parts.recv() => { let _ = sender.send(Message::Part(generation, part)); }
            report = &mut work => break report,
        }
    };
    while let Ok(part) = parts.try_recv() {
        let _ = sender.send(Message::Part(generation, part));
    }
    Message::Inspected(generation, Box::new(report))
}
