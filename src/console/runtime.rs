//! The loop that turns events into messages, effects into work, and the model into a screen.
//!
//! Input is drawn at once. Messages of the background are drawn together, at most every ten milliseconds.
//! There is no frame rate: time is sent only when the model says that something on the screen depends on it.

mod jobs;
mod terminal;

use std::io;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use futures::{Stream, StreamExt};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::backend::Backend;
use super::effect::Effect;
use super::keymap::{Key, Keymap};
use super::message::Message;
use super::model::{Model, Setup};
use super::theme::Theme;
use super::update::update;
use super::view::view;
use super::{ConsoleOptions, Error, LogSink};
use jobs::Jobs;
use terminal::{Events, Guard, Signals};

/// How long background messages are gathered before they are drawn.
const GATHER: Duration = Duration::from_millis(10);

/// How many background messages are taken before input is looked at again.
const BATCH: usize = 256;

/// Runs the console until it is quit, and leaves the terminal as it was found.
pub async fn run(backend: Arc<dyn Backend>, options: ConsoleOptions) -> Result<(), Error> {
    let model = model(&*backend, &options)?;
    let guard = Guard::enter()?;
    // Never dropped: it would show the cursor, which the guard does, and panic when the terminal is gone.
    let mut screen = ManuallyDrop::new(Terminal::new(CrosstermBackend::new(io::BufWriter::new(io::stdout())))?);
    let console = Console::new(model, backend, options);
    let outcome = console.drive(&mut screen, Events::read(), Signals::listen()?, Guard::suspend).await;
    drop(guard);
    outcome
}

fn model(backend: &dyn Backend, options: &ConsoleOptions) -> Result<Model, Error> {
    let environments = backend.environments();
    if environments.is_empty() {
        return Err(Error::NoEnvironment);
    }
    let current = match &options.environment {
        None => 0,
        Some(name) => environments.iter().position(|env| env.name == *name).ok_or_else(|| Error::Environment {
            name: name.clone(),
            known: environments.iter().map(|env| env.name.clone()).collect(),
        })?,
    };
    Ok(Model::new(Setup {
        project: backend.project_name(),
        projects: backend.projects(),
        environments,
        current,
        git_ref: options.git_ref.clone(),
        keymap: Keymap::new(&options.keys)?,
        refresh: options.refresh.and_then(|every| i64::try_from(every.as_millis()).ok()),
        utc_offset: options.utc_offset,
        fingerprint_key: options.fingerprint_key,
        memory: backend.memory(),
        tour: options.tour,
    }))
}

/// A signal that concerns the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// It has to end; the name of the signal.
    End(&'static str),
    /// It has to stop until it is continued.
    Stop,
}

struct Console {
    model: Model,
    theme: Theme,
    jobs: Jobs,
    replies: mpsc::UnboundedReceiver<Message>,
    clock: Option<i64>,
    log: Option<LogSink>,
    drawn_at: Option<Instant>,
    draw_at: Option<Instant>,
}

enum Step {
    Input(Option<io::Result<Event>>),
    Signal(Option<Signal>),
    Reply(Message),
    Draw,
    Time,
}

/// What the loop does after an effect.
#[derive(PartialEq, Eq)]
enum Flow {
    On,
    Suspend,
    Quit,
}

impl Console {
    fn new(model: Model, backend: Arc<dyn Backend>, options: ConsoleOptions) -> Self {
        let (sender, replies) = mpsc::unbounded_channel();
        Self {
            model,
            theme: options.theme,
            jobs: Jobs::new(backend, sender),
            replies,
            clock: options.clock,
            log: options.log,
            drawn_at: None,
            draw_at: None,
        }
    }

    async fn drive<B>(
        mut self,
        screen: &mut Terminal<B>,
        events: impl Stream<Item = io::Result<Event>> + Unpin,
        mut signals: impl Stream<Item = Signal> + Unpin,
        suspend: impl Fn() -> io::Result<()>,
    ) -> Result<(), Error>
    where
        B: ratatui::backend::Backend,
        Error: From<B::Error>,
    {
        // Fused, since a stream that has ended must not be asked again.
        let mut events = events.fuse();
        self.tell(Message::Start);
        self.draw(screen)?;
        loop {
            let wake = self.wake();
            let step = tokio::select! {
                biased;
                event = events.next() => Step::Input(event),
                signal = signals.next() => Step::Signal(signal),
                () = until(self.draw_at) => Step::Draw,
                Some(message) = self.replies.recv() => Step::Reply(message),
                () = until(wake) => Step::Time,
            };
            let flow = match step {
                Step::Input(Some(event)) => {
                    let mut flow = self.input(&event?);
                    while flow == Flow::On
                        && let Poll::Ready(Some(event)) = futures::poll!(events.next())
                    {
                        flow = self.input(&event?);
                    }
                    self.draw(screen)?;
                    flow
                }
                Step::Input(None) => Flow::Quit,
                Step::Signal(Some(Signal::Stop)) => Flow::Suspend,
                Step::Signal(Some(Signal::End(name))) => return Err(Error::Signal(name)),
                Step::Signal(None) => return Err(Error::Signal("the end of signals")),
                Step::Reply(message) => {
                    self.gather(message);
                    Flow::On
                }
                Step::Draw | Step::Time => {
                    self.time();
                    self.draw(screen)?;
                    Flow::On
                }
            };
            match flow {
                Flow::On => {}
                Flow::Quit => return Ok(()),
                Flow::Suspend => {
                    suspend()?;
                    // Not `clear`, which asks the terminal where its cursor is and waits for an answer that the
                    // stream of events has taken already.
                    let area = screen.get_frame().area();
                    screen.resize(area)?;
                    self.time();
                    self.draw(screen)?;
                }
            }
        }
    }

    fn input(&mut self, event: &Event) -> Flow {
        let Some(message) = message(event) else { return Flow::On };
        self.time();
        self.tell(message)
    }

    fn gather(&mut self, first: Message) {
        self.time();
        self.tell(first);
        for _ in 0..BATCH {
            let Ok(message) = self.replies.try_recv() else { break };
            self.tell(message);
        }
        if self.draw_at.is_none() {
            let now = Instant::now();
            self.draw_at = Some(self.drawn_at.map_or(now, |at| (at + GATHER).max(now)));
        }
    }

    /// Lets the model hear a message and begins what it wants done.
    fn tell(&mut self, message: Message) -> Flow {
        if let (Some(log), false) = (&self.log, matches!(message, Message::Time(_))) {
            log(message.name());
        }
        if matches!(message, Message::Start) {
            self.time();
        }
        let mut flow = Flow::On;
        for effect in update(&mut self.model, message) {
            match effect {
                Effect::Quit => flow = Flow::Quit,
                Effect::Suspend => flow = Flow::Suspend,
                work => self.jobs.begin(work),
            }
        }
        flow
    }

    fn time(&mut self) {
        let now = self.clock.unwrap_or_else(system_time);
        self.tell(Message::Time(now));
    }

    /// When the model wants to know the time; never, when it stands still.
    fn wake(&self) -> Option<Instant> {
        let at = self.model.wake().filter(|_| self.clock.is_none())?;
        let wait = u64::try_from(at - system_time()).unwrap_or(0);
        Some(Instant::now() + Duration::from_millis(wait.max(1)))
    }

    fn draw<B>(&mut self, screen: &mut Terminal<B>) -> Result<(), B::Error>
    where
        B: ratatui::backend::Backend,
    {
        screen.autoresize()?;
        let area = screen.get_frame().area();
        if (area.width, area.height) != self.model.size {
            self.tell(Message::Resize(area.width, area.height));
        }
        screen.draw(|frame| view(&self.model, &self.theme, frame))?;
        self.draw_at = None;
        self.drawn_at = Some(Instant::now());
        Ok(())
    }
}

fn system_time() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => futures::future::pending().await,
    }
}

fn message(event: &Event) -> Option<Message> {
    match event {
        Event::Key(event) if event.kind != KeyEventKind::Release => key(*event).map(Message::Key),
        Event::Paste(text) => Some(Message::Paste(text.clone())),
        Event::Resize(width, height) => Some(Message::Resize(*width, *height)),
        _ => None,
    }
}

fn key(event: KeyEvent) -> Option<Key> {
    let with = |modifier| event.modifiers.contains(modifier);
    Some(match event.code {
        KeyCode::Char(c) if with(KeyModifiers::CONTROL) => Key::Ctrl(c.to_ascii_lowercase()),
        KeyCode::Char(c) if with(KeyModifiers::ALT) => Key::Alt(c),
        KeyCode::Char(c) => Key::Char(c),
        KeyCode::F(number) => Key::F(number),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Esc,
        KeyCode::Tab if with(KeyModifiers::SHIFT) => Key::BackTab,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => Key::BackTab,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Delete => Key::Delete,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
