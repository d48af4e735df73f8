//! The loop that turns events into messages, effects into work, and the model into a screen.
//!
//! Input is drawn at once. Messages of the background are drawn together, at most every ten milliseconds.
//! There is no frame rate: time is sent only when the model says that something on the screen depends on it.

mod clipboard;
mod commit;
mod door;
mod ending;
mod gate;
mod ground;
mod host;
mod input;
mod jobs;
mod outside;
mod own;
mod sheet;
mod terminal;
mod value;
mod watch;

use std::io;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crossterm::event::Event;
use futures::stream::FusedStream;
use futures::{Stream, StreamExt};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use tokio::sync::mpsc;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::backend::{Backend, Target};
use super::clipboard::{Multiplexer, Sent, TMUX, sequence};
use super::effect::Effect;
use super::home::{Copy, Outside};
use super::keymap::Keymap;
use super::message::Message;
use super::model::{Model, Setup};
use super::theme::Theme;
use super::title;
use super::update::update;
use super::view::view;
use super::{ConsoleOptions, Error, LogSink, Tailor};
use crate::compare::Why;
use crate::config::Clipboard;
use door::Door;
pub use ending::Ending;
use ending::Signal;
use ground::Ground;
use host::Host;
use input::message;
use jobs::{Handover, Jobs};
use sheet::{Framed, Sheet};
use terminal::{Desk, Events, Guard, Signals};
use watch::Watch;

/// How long background messages are gathered before they are drawn.
const GATHER: Duration = Duration::from_millis(10);

/// How long noting that everything is locked again may take at the end.
const CLOSE: Duration = Duration::from_secs(3);

/// How many background messages are taken before input is looked at again.
const BATCH: usize = 256;

/// Runs the console until it is quit, and leaves the terminal as it was found.
pub async fn run(backend: Arc<dyn Backend>, options: ConsoleOptions) -> Result<(), Error> {
    let model = model(&*backend, &options)?;
    let guard = Guard::enter(&options.home)?;
    let door = Arc::new(Door::new());
    // Never dropped: it would show the cursor, which the guard does, and panic when the terminal is gone.
    let mut screen = ManuallyDrop::new(Terminal::new(CrosstermBackend::new(Sheet::new(io::stdout())))?);
    let console = Console::new(model, backend, options);
    let events = Events::read(Arc::clone(&door));
    let outcome = console.drive(&mut screen, events, Signals::listen()?, Desk { door }).await;
    drop(guard);
    outcome.map_err(|error| match error {
        // Reading it may fail before anything tells that it is gone.
        Error::Terminal(gone) if gone.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => {
            Error::Signal(Ending::NoTerminal)
        }
        other => other,
    })
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
    let targets: Vec<Target> = environments
        .iter()
        .map(|env| Target {
            project: env.project.clone(),
            environment: env.name.clone(),
            git_ref: options.git_ref.clone(),
        })
        .collect();
    let mut model = Model::new(Setup {
        project: backend.project_name(),
        projects: backend.projects(),
        environments,
        current,
        git_ref: options.git_ref.clone(),
        keymap: Keymap::new(&options.keys)?,
        refresh: options.refresh.and_then(|every| i64::try_from(every.as_millis()).ok()),
        utc_offset: options.utc_offset,
        fingerprint_key: options.fingerprint_key,
        home: options.home.clone(),
        memory: backend.memory(),
        tour: options.tour,
    });
    model.changes.know(&backend.project_name(), backend.pending());
    for (index, target) in targets.iter().enumerate() {
        if let Some(snapshot) = backend.last(target) {
            model.show_last(index, snapshot);
        }
        if let Some(last) = backend.last_smoke(target) {
            model.show_last_smoke(index, last);
        }
    }
    Ok(model)
}

struct Console {
    model: Model,
    theme: Theme,
    tailor: Option<Arc<dyn Tailor>>,
    watch: Watch,
    ground: Ground,
    jobs: Jobs,
    replies: mpsc::UnboundedReceiver<Message>,
    clock: Option<i64>,
    log: Option<LogSink>,
    drawn_at: Option<Instant>,
    draw_at: Option<Instant>,
    /// What goes to the terminal before the next picture.
    outbox: Vec<Zeroizing<Vec<u8>>>,
    /// The title that the terminal has.
    titled: Option<String>,
}

enum Step {
    Input(Option<io::Result<Event>>),
    Signal(Option<Signal>),
    Reply(Message),
    Handover(Handover),
    Theme(Result<Theme, Why>),
    /// What was held back was no answer of the terminal.
    Keys,
    Draw,
    Time,
}

/// What the loop does after an effect.
enum Flow {
    On,
    Suspend,
    Outside(Outside),
    Handover(Handover),
    Quit,
}

impl Console {
    fn new(model: Model, backend: Arc<dyn Backend>, options: ConsoleOptions) -> Self {
        let (sender, replies) = mpsc::unbounded_channel();
        Self {
            model,
            theme: options.theme,
            watch: Watch::begin(options.tailor.clone()),
            tailor: options.tailor,
            ground: Ground::default(),
            jobs: Jobs::new(backend, &options.home.actions, sender, clock(options.clock)),
            replies,
            clock: options.clock,
            log: options.log,
            drawn_at: None,
            draw_at: None,
            outbox: Vec::new(),
            titled: None,
        }
    }

    async fn drive<B>(
        mut self,
        screen: &mut Terminal<B>,
        events: impl Stream<Item = io::Result<Event>> + Unpin,
        signals: impl Stream<Item = Signal> + Unpin,
        host: impl Host,
    ) -> Result<(), Error>
    where
        B: Framed,
        Error: From<B::Error>,
    {
        // Fused, since a stream that has ended must not be asked again.
        let mut events = events.fuse();
        let outcome = self.attend(screen, &mut events, signals, host).await;
        self.ground.settle(&mut events).await;
        // Whatever ended it. AWS may not answer any more, and the shell must not wait for that.
        let _ = tokio::time::timeout(CLOSE, self.jobs.close()).await;
        outcome
    }

    async fn attend<B>(
        &mut self,
        screen: &mut Terminal<B>,
        events: &mut (impl FusedStream<Item = io::Result<Event>> + Unpin),
        mut signals: impl Stream<Item = Signal> + Unpin,
        mut host: impl Host,
    ) -> Result<(), Error>
    where
        B: Framed,
        Error: From<B::Error>,
    {
        // Nothing is asked of git or AWS before what is known already is on the screen.
        self.time();
        let begun = self.hear(Message::Start);
        self.draw(screen, &mut host)?;
        if self.tailor.as_ref().is_some_and(|tailor| tailor.wonders()) {
            host.send(ground::QUESTION)?;
            self.ground.asked();
        }
        self.begin(begun);
        loop {
            let wake = self.wake();
            let step = tokio::select! {
                biased;
                event = events.next() => Step::Input(event),
                signal = signals.next() => Step::Signal(signal),
                () = until(self.ground.deadline()) => Step::Keys,
                () = until(self.draw_at) => Step::Draw,
                Some(message) = self.replies.recv() => Step::Reply(message),
                Some(handover) = self.jobs.handovers.recv() => Step::Handover(handover),
                theme = self.watch.next() => Step::Theme(theme),
                () = until(wake) => Step::Time,
            };
            let flow = match step {
                Step::Input(Some(event)) => {
                    let mut flow = self.take(event?);
                    while matches!(flow, Flow::On)
                        && let Poll::Ready(Some(event)) = futures::poll!(events.next())
                    {
                        flow = self.take(event?);
                    }
                    self.draw(screen, &mut host)?;
                    flow
                }
                Step::Input(None) => Flow::Quit,
                Step::Signal(Some(Signal::Stop)) => Flow::Suspend,
                Step::Signal(Some(Signal::End(ending))) => return Err(Error::Signal(ending)),
                Step::Signal(None) => return Err(Error::Signal(Ending::Deaf)),
                Step::Keys => {
                    let keys = self.ground.release();
                    let flow = self.inputs(&keys);
                    self.draw(screen, &mut host)?;
                    flow
                }
                Step::Reply(message) => self.gather(message),
                Step::Handover(handover) => Flow::Handover(handover),
                Step::Theme(theme) => {
                    let outcome = theme.map(|theme| self.theme = theme);
                    self.tell(Message::Restyled(outcome));
                    self.draw(screen, &mut host)?;
                    Flow::On
                }
                Step::Draw | Step::Time => {
                    self.time();
                    self.draw(screen, &mut host)?;
                    Flow::On
                }
            };
            if matches!(flow, Flow::Suspend | Flow::Outside(_) | Flow::Handover(_)) {
                self.ground.settle(events).await;
            }
            match flow {
                Flow::On => continue,
                Flow::Quit => {
                    return self.model.unfinished().map_or(Ok(()), |name| Err(Error::Unfinished(name.to_owned())));
                }
                Flow::Suspend => host.suspend()?,
                Flow::Outside(outside) => self.step_aside(outside, &mut host, &mut signals).await?,
                Flow::Handover(handover) => self.hand_over(handover, &mut host, &mut signals).await?,
            }
            // Not `clear`, which asks the terminal where its cursor is and waits for an answer that the stream of events
            // has taken already.
            let area = screen.get_frame().area();
            screen.resize(area)?;
            self.titled = None;
            self.time();
            self.draw(screen, &mut host)?;
        }
    }

    /// Lets another program have the terminal.
    async fn step_aside(
        &mut self,
        outside: Outside,
        host: &mut impl Host,
        signals: &mut (impl Stream<Item = Signal> + Unpin),
    ) -> Result<(), Error> {
        let left = self.jobs.permits(&outside).and_then(|()| leave(host));
        let home = &self.model.home.settings;
        let message = match (&left, &outside) {
            (Ok(()), Outside::Value { name, text }) => {
                Message::Typed(Box::pin(value::edit(name, text, home, signals)).await?)
            }
            (Ok(()), outside) => Message::Returned(Box::pin(outside::run(outside, home, signals)).await?),
            (Err(why), _) => Message::Returned(Err(why.clone())),
        };
        drop(outside);
        if left.is_ok() {
            host.enter()?;
        }
        self.tell(message);
        Ok(())
    }

    /// The same for what was prepared for it.
    async fn hand_over(
        &mut self,
        handover: Handover,
        host: &mut impl Host,
        signals: &mut (impl Stream<Item = Signal> + Unpin),
    ) -> Result<(), Error> {
        let left = leave(host);
        let message = match handover {
            Handover::Commit { generation, staged } => {
                let outcome = match &left {
                    Ok(()) => Box::pin(commit::run(*staged, signals)).await?,
                    Err(why) => Err(why.clone()),
                };
                Message::Committed(generation, outcome.map(Box::new))
            }
            Handover::Command { generation, command, permit, under_way } => {
                let home = &self.model.home.settings;
                let returned = match &left {
                    Ok(()) => Box::pin(own::on_the_terminal(&command, Some(permit), home, signals)).await?,
                    Err(why) => own::not_begun(permit, why).await,
                };
                drop(under_way);
                Message::Ran(generation, returned.map(Option::unwrap_or_default))
            }
        };
        if left.is_ok() {
            host.enter()?;
        }
        self.tell(message);
        Ok(())
    }

    /// Takes what the terminal sent, which may be the answer to what it was asked.
    fn take(&mut self, event: Event) -> Flow {
        let heard = self.ground.take(event);
        if let Some(light) = heard.light
            && let Some(theme) = self.tailor.as_ref().and_then(|tailor| tailor.lit(light))
        {
            self.theme = theme;
        }
        self.inputs(&heard.events)
    }

    fn inputs(&mut self, events: &[Event]) -> Flow {
        for event in events {
            match self.input(event) {
                Flow::On => {}
                other => return other,
            }
        }
        Flow::On
    }

    fn input(&mut self, event: &Event) -> Flow {
        let Some(message) = message(event) else { return Flow::On };
        self.time();
        self.tell(message)
    }

    fn gather(&mut self, first: Message) -> Flow {
        self.time();
        let mut flow = self.tell(first);
        for _ in 0..BATCH {
            let Flow::On = flow else { break };
            let Ok(message) = self.replies.try_recv() else { break };
            flow = self.tell(message);
        }
        if self.draw_at.is_none() {
            let now = Instant::now();
            self.draw_at = Some(self.drawn_at.map_or(now, |at| (at + GATHER).max(now)));
        }
        flow
    }

    /// Lets the model hear a message and begins what it wants done.
    fn tell(&mut self, message: Message) -> Flow {
        let effects = self.hear(message);
        self.begin(effects)
    }

    fn hear(&mut self, message: Message) -> Vec<Effect> {
        if let (Some(log), false) = (&self.log, matches!(message, Message::Time(_))) {
            log(message.name());
        }
        update(&mut self.model, message)
    }

    fn begin(&mut self, effects: Vec<Effect>) -> Flow {
        let mut flow = Flow::On;
        for effect in effects {
            match effect {
                Effect::Quit => flow = Flow::Quit,
                Effect::Suspend => flow = Flow::Suspend,
                Effect::Outside(outside) => flow = Flow::Outside(outside),
                Effect::Copy(copy) => self.copy(copy),
                Effect::Theme(name) => self.wear(name),
                Effect::Notify(text) => {
                    let through = self.model.home.settings.multiplexer;
                    self.outbox.push(through.pass(&title::notification(&text)));
                }
                work => self.jobs.begin(work),
            }
        }
        flow
    }

    /// Changes the theme; its files are small, and read at once.
    fn wear(&mut self, name: String) {
        let changed = match &self.tailor {
            Some(tailor) => tailor.change(&name),
            None => Err(Why::new("this console has one theme")),
        };
        let outcome = changed.map(|theme| self.theme = theme);
        self.tell(Message::Themed(name, outcome));
    }

    fn copy(&mut self, copy: Copy) {
        let settings = &self.model.home.settings;
        let through = settings.multiplexer;
        let outcome = match &settings.clipboard {
            Clipboard::Command(line) => {
                return self.jobs.copy(line.clone(), copy, |taken| taken.map(|()| Sent::Command));
            }
            Clipboard::Off => Err(Why::new("not copied: clipboard = \"off\" in config.toml")),
            Clipboard::Osc52 => sequence(&copy.text, through),
        };
        let sent = outcome.map(|sequence| {
            self.outbox.push(sequence);
            if through == Multiplexer::Tmux { Sent::PastTmux } else { Sent::Terminal }
        });
        if self.model.home.settings.tmux && sent.is_ok() {
            // Beside the sequences, which are for what tmux itself cannot do: a terminal that it does not know.
            return self.jobs.copy(String::from(TMUX), copy, move |taken| taken.map_or(sent, |()| Ok(Sent::Tmux)));
        }
        self.tell(Message::Copied(copy.what, copy.text.chars(), sent));
    }

    /// Sends what waits to the terminal, before a picture: a picture ends with the cursor where it belongs.
    fn post(&mut self, host: &mut impl Host) -> io::Result<()> {
        for sequence in self.outbox.drain(..) {
            host.send(&sequence)?;
        }
        if self.model.home.settings.title {
            let title = title::title(&self.model);
            if self.titled.as_ref() != Some(&title) {
                host.send(&title::sequence(&title))?;
                self.titled = Some(title);
            }
        }
        Ok(())
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

    fn draw<B>(&mut self, screen: &mut Terminal<B>, host: &mut impl Host) -> Result<(), Error>
    where
        B: Framed,
        Error: From<B::Error>,
    {
        self.post(host)?;
        screen.backend_mut().begin()?;
        screen.autoresize()?;
        let area = screen.get_frame().area();
        if (area.width, area.height) != self.model.size {
            self.tell(Message::Resize(area.width, area.height));
        }
        screen.draw(|frame| view(&self.model, &self.theme, frame))?;
        screen.backend_mut().end()?;
        self.draw_at = None;
        self.drawn_at = Some(Instant::now());
        Ok(())
    }
}

fn leave(host: &mut impl Host) -> Result<(), Why> {
    host.leave().map_err(|error| Why::new(error.to_string()))
}

impl From<outside::Ended> for Error {
    fn from(outside::Ended(name): outside::Ended) -> Self {
        Self::Signal(name)
    }
}

fn clock(standing_still: Option<i64>) -> jobs::Clock {
    Arc::new(move || standing_still.unwrap_or_else(system_time))
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

#[cfg(test)]
mod tests;
