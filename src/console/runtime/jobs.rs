//! The effect runner: begins what the model wants done, and aborts it.

use std::collections::HashMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use crate::console::backend::{Ask, Backend, Target};
use crate::console::effect::Effect;
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
            Effect::Suspend | Effect::Quit => {}
        }
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
