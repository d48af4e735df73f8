//! The loop over a fake backend and a fake terminal. Nothing sleeps: every step waits for what it is about.

mod own;
pub(in crate::console::runtime) mod theme;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use futures::{FutureExt, stream};
use ratatui::backend::TestBackend;
use ratatui::style::Color;
use tokio::sync::Notify;

use super::*;
use crate::compare::{Item, Kind, Why};
use crate::console::fixture::{self, Fixture};
use crate::console::{
    Ask, BoxFuture, Command, Compared, Confirmation, CryptoAnswer, CryptoAsk, DataAnswer, DataAsk, Ended,
    EnvironmentInfo, FilePlace, Home, Note, Order, Permit, PipelineAnswer, PipelineAsk, Prepared, ProjectInfo,
    Promotion, RefInfo, Tailor, Target, Theme, Unlock, Wanted, Wardrobe, Watch, Work,
};
use crate::ops::crypto::smoke;
use crate::ops::history::Timeline;
use crate::ops::journal::{Found, Outcome};
use crate::ops::promote::Promoted;
use crate::ops::push::Pushed;
use crate::ops::report::{Identity, Part, Report};

impl From<std::convert::Infallible> for Error {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

/// A terminal that is given back by a function, and that keeps what it is sent.
impl<F: FnMut() -> io::Result<()>> Host for F {
    fn suspend(&mut self) -> io::Result<()> {
        self()
    }

    fn send(&mut self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn leave(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn enter(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Framed for TestBackend {
    fn begin(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }

    fn end(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// What happened at the backend; tests wait for it.
#[derive(Default)]
struct Seen {
    inspections: AtomicUsize,
    dropped: AtomicUsize,
    changed: Notify,
    /// What was written, unlocked and locked.
    deeds: Mutex<Vec<String>>,
}

impl Seen {
    fn did(&self, deed: String) {
        self.deeds.lock().unwrap().push(deed);
        self.changed.notify_waiters();
    }

    fn deeds(&self) -> Vec<String> {
        self.deeds.lock().unwrap().clone()
    }

    fn count(&self, counter: &AtomicUsize) {
        counter.fetch_add(1, Ordering::SeqCst);
        self.changed.notify_waiters();
    }

    async fn until(&self, done: impl Fn(&Self) -> bool) {
        loop {
            let changed = self.changed.notified();
            if done(self) {
                return;
            }
            changed.await;
        }
    }
}

/// How the fake's inspections go.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Answers,
    Hangs,
    Panics,
}

struct Fake {
    fixture: Fixture,
    seen: Arc<Seen>,
    mood: Mood,
}

struct Dropped(Arc<Seen>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.count(&self.0.dropped);
    }
}

impl Backend for Fake {
    fn project_name(&self) -> String {
        self.fixture.project_name()
    }

    fn environments(&self) -> Vec<EnvironmentInfo> {
        self.fixture.environments()
    }

    fn projects(&self) -> Vec<ProjectInfo> {
        self.fixture.projects()
    }

    fn project(&self, name: String) -> BoxFuture<'static, Result<Vec<EnvironmentInfo>, Why>> {
        self.fixture.project(name)
    }

    fn inspect(&self, target: Target, ask: Ask, sink: mpsc::UnboundedSender<Part>) -> BoxFuture<'static, Report> {
        let (seen, mood) = (Arc::clone(&self.seen), self.mood);
        let answer = self.fixture.inspect(target, ask, sink);
        async move {
            let _dropped = Dropped(Arc::clone(&seen));
            seen.count(&seen.inspections);
            match mood {
                Mood::Answers => answer.await,
                Mood::Hangs => futures::future::pending().await,
                Mood::Panics => panic!("a fault of the backend"),
            }
        }
        .boxed()
    }

    fn reveal(&self, target: Target, kind: Kind, name: String) -> BoxFuture<'static, Result<Item, Why>> {
        self.fixture.reveal(target, kind, name)
    }

    fn locate(&self, target: Target, file: String, name: String) -> BoxFuture<'static, Result<FilePlace, Why>> {
        self.fixture.locate(target, file, name)
    }

    fn refs(&self, project: String) -> BoxFuture<'static, Result<Vec<RefInfo>, Why>> {
        self.fixture.refs(project)
    }

    fn plan(&self, target: Target, wanted: Wanted) -> BoxFuture<'static, Result<Prepared, Why>> {
        self.fixture.plan(target, wanted)
    }

    fn write(&self, target: Target, work: Work) -> BoxFuture<'static, Result<Option<Why>, Why>> {
        self.seen.did(format!("write {}", target.environment));
        self.fixture.write(target, work)
    }

    fn push(&self, target: Target, work: Work, watch: Watch) -> BoxFuture<'static, Result<Pushed, Why>> {
        self.seen.did(format!("push {}", target.environment));
        self.fixture.push(target, work, watch)
    }

    fn begin(&self, target: Target, command: Arc<Command>) -> BoxFuture<'static, Result<Permit, Why>> {
        self.seen.did(format!("begin {} {}", target.environment, command.id));
        let note = Box::new(Noted(Arc::clone(&self.seen), command.id.clone(), false));
        async { Ok(Permit { variables: Vec::new(), note: note as Box<dyn Note> }) }.boxed()
    }

    fn unlock(&self, target: Target, unlock: Unlock) -> BoxFuture<'static, Result<(Identity, Option<Why>), Why>> {
        self.seen.did(format!("unlock {}", target.environment));
        self.fixture.unlock(target, unlock)
    }

    fn crypto(
        &self,
        target: Target,
        ask: CryptoAsk,
        sink: mpsc::UnboundedSender<smoke::Step>,
    ) -> BoxFuture<'static, CryptoAnswer> {
        self.fixture.crypto(target, ask, sink)
    }

    fn pipeline(&self, target: Target, ask: PipelineAsk) -> BoxFuture<'static, PipelineAnswer> {
        self.fixture.pipeline(target, ask)
    }

    fn data(&self, target: Target, ask: DataAsk) -> BoxFuture<'static, DataAnswer> {
        self.fixture.data(target, ask)
    }

    fn lock(&self, target: Target, ended: Ended) -> BoxFuture<'static, Option<Why>> {
        self.seen.did(format!("lock {}: {}", target.environment, ended.word()));
        self.fixture.lock(target, ended)
    }

    fn history(&self, target: Target, name: String) -> BoxFuture<'static, Result<Timeline, Why>> {
        self.fixture.history(target, name)
    }

    fn compare(&self, project: String, from: String, to: String) -> BoxFuture<'static, Result<Compared, Why>> {
        self.fixture.compare(project, from, to)
    }

    fn promote(&self, promotion: Promotion) -> BoxFuture<'static, Result<Promoted, Why>> {
        self.fixture.promote(promotion)
    }

    fn journal(&self, target: Target) -> BoxFuture<'static, Result<Found, Why>> {
        self.fixture.journal(target)
    }

    fn fetch(&self, target: Target) -> BoxFuture<'static, Result<(), Why>> {
        self.fixture.fetch(target)
    }
}

/// The note of a command, and whether it is settled.
struct Noted(Arc<Seen>, String, bool);

impl Note for Noted {
    fn settle(mut self: Box<Self>, outcome: Outcome, error: Option<String>) -> BoxFuture<'static, Option<Why>> {
        self.2 = true;
        let error = error.map(|error| format!(" {error}")).unwrap_or_default();
        self.0.did(format!("settle {} {outcome:?}{error}", self.1));
        async { None }.boxed()
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        if !self.2 {
            self.0.did(format!("given up {}", self.1));
        }
    }
}

struct Rig {
    console: Console,
    seen: Arc<Seen>,
    log: Arc<Mutex<Vec<String>>>,
    logged: Arc<Notify>,
    screen: Terminal<TestBackend>,
}

fn rig(mood: Mood) -> Rig {
    styled(mood, None)
}

/// A console whose theme is made by a tailor.
fn styled(mood: Mood, tailor: Option<Arc<dyn Tailor>>) -> Rig {
    let seen = Arc::new(Seen::default());
    let (log, logged) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Notify::new()));
    let sink: LogSink = {
        let (log, logged) = (Arc::clone(&log), Arc::clone(&logged));
        Arc::new(move |name: &str| {
            log.lock().unwrap().push(name.to_owned());
            logged.notify_one();
        })
    };
    let backend = Arc::new(Fake { fixture: Fixture::default(), seen: Arc::clone(&seen), mood });
    let options = ConsoleOptions {
        theme: tailor.as_ref().map_or_else(|| Theme::embedded("plumb-dark").unwrap(), |it| it.theme().unwrap()),
        tailor,
        keys: std::collections::BTreeMap::new(),
        environment: Some(String::from("prod")),
        git_ref: None,
        refresh: None,
        utc_offset: 0,
        clock: Some(fixture::NOW),
        fingerprint_key: [7; 32],
        tour: false,
        log: Some(sink),
        home: Home::default(),
    };
    let console = Console::new(model(&*backend, &options).unwrap(), backend, options);
    Rig { console, seen, log, logged, screen: Terminal::new(TestBackend::new(100, 30)).unwrap() }
}

fn press(c: char) -> Event {
    Event::Key(KeyEvent::from(KeyCode::Char(c)))
}

/// The keys of a line; each of its ends is enter.
fn typed(text: &'static str) -> impl Iterator<Item = Event> {
    text.chars().map(|c| if c == '\n' { Event::Key(KeyEvent::from(KeyCode::Enter)) } else { press(c) })
}

async fn until_logged(log: &Mutex<Vec<String>>, logged: &Notify, name: &str, times: usize) {
    while log.lock().unwrap().iter().filter(|line| *line == name).count() < times {
        logged.notified().await;
    }
}

fn text(screen: &Terminal<TestBackend>) -> String {
    screen.backend().buffer().content().iter().map(ratatui::buffer::Cell::symbol).collect()
}

#[tokio::test]
async fn every_environment_is_read_and_drawn_and_q_quits() {
    let Rig { console, log, logged, mut screen, .. } = rig(Mood::Answers);
    let names = Arc::clone(&log);
    let events = stream::once(async move {
        until_logged(&names, &logged, "inspected", 3).await;
        Ok(press('q'))
    });
    console.drive(&mut screen, Box::pin(events), stream::pending(), || Ok(())).await.unwrap();
    let screen = text(&screen);
    assert!(screen.contains("NEEDS YOU") && screen.contains("checkout-api"), "{screen}");
    let log = log.lock().unwrap();
    assert!(log.iter().all(|line| !line.contains('/') && line != "time"), "names only: {log:?}");
}

#[tokio::test]
async fn esc_aborts_a_hanging_call_while_keys_still_work() {
    let Rig { console, seen, mut screen, .. } = rig(Mood::Hangs);
    let (one, two) = (Arc::clone(&seen), Arc::clone(&seen));
    let events = stream::iter([false, true]).then(move |second| {
        let (one, two) = (Arc::clone(&one), Arc::clone(&two));
        async move {
            if second {
                two.until(|seen| seen.dropped.load(Ordering::SeqCst) > 0).await;
                Ok(press('q'))
            } else {
                one.until(|seen| seen.inspections.load(Ordering::SeqCst) > 0).await;
                Ok(Event::Key(KeyEvent::from(KeyCode::Esc)))
            }
        }
    });
    console.drive(&mut screen, Box::pin(events), stream::pending(), || Ok(())).await.unwrap();
    assert!(text(&screen).contains("cancelled"));
}

#[tokio::test]
async fn a_panic_of_the_backend_is_an_error_on_the_screen() {
    let Rig { console, log, logged, mut screen, .. } = rig(Mood::Panics);
    let events = stream::once(async move {
        until_logged(&log, &logged, "lost", 3).await;
        Ok(press('q'))
    });
    console.drive(&mut screen, Box::pin(events), stream::pending(), || Ok(())).await.unwrap();
    let screen = text(&screen);
    assert!(screen.contains("reading ended by a fault in plumb itself"), "{screen}");
}

#[tokio::test]
async fn a_signal_ends_it_and_aborts_what_runs() {
    let Rig { console, seen, mut screen, .. } = rig(Mood::Hangs);
    let waits = Arc::clone(&seen);
    let signals = stream::once(async move {
        waits.until(|seen| seen.inspections.load(Ordering::SeqCst) > 0).await;
        Signal::End(Ending::Terminate)
    });
    let outcome = console.drive(&mut screen, stream::pending(), Box::pin(signals), || Ok(())).await;
    assert!(matches!(outcome, Err(Error::Signal(Ending::Terminate))));
    seen.until(|seen| seen.dropped.load(Ordering::SeqCst) > 0).await;
}

#[tokio::test]
async fn suspending_gives_the_terminal_back_once_and_draws_anew() {
    let Rig { console, mut screen, .. } = rig(Mood::Hangs);
    let suspended = AtomicUsize::new(0);
    let stop = Ok(Event::Key(KeyEvent::new(KeyCode::Char('z'), KeyModifiers::CONTROL)));
    let leave = Event::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL));
    let events = stream::iter([stop, Ok(press('2')), Ok(leave)]);
    let count = || {
        suspended.fetch_add(1, Ordering::SeqCst);
        Ok(())
    };
    console.drive(&mut screen, events, stream::pending(), count).await.unwrap();
    assert_eq!(suspended.load(Ordering::SeqCst), 1);
    assert!(text(&screen).contains("2 STACKS"));
}

fn target(environment: &str) -> Target {
    Target { project: String::from("petshop"), environment: environment.to_owned(), git_ref: None }
}

/// The runner alone, with effects that no update has seen; its clock stands at the fixture's present.
struct Around {
    jobs: Jobs,
    replies: mpsc::UnboundedReceiver<Message>,
    seen: Arc<Seen>,
    now: Arc<std::sync::atomic::AtomicI64>,
}

impl Around {
    fn the_update() -> Self {
        let seen = Arc::new(Seen::default());
        let backend = Arc::new(Fake { fixture: Fixture::default(), seen: Arc::clone(&seen), mood: Mood::Answers });
        let (sender, replies) = mpsc::unbounded_channel();
        let now = Arc::new(std::sync::atomic::AtomicI64::new(fixture::NOW));
        let clock = Arc::clone(&now);
        let jobs = Jobs::new(backend, &fixture::actions(), sender, Arc::new(move || clock.load(Ordering::SeqCst)));
        Self { jobs, replies, seen, now }
    }

    async fn sends(&mut self, effect: Effect) -> Message {
        self.jobs.begin(effect);
        self.replies.recv().await.unwrap()
    }

    /// The order that follows a plan which the backend has worked out.
    async fn planned(&mut self, environment: &str, wanted: Wanted, confirmation: Confirmation) -> Order {
        let Message::Planned(plan, Ok(prepared)) = self.sends(Effect::Plan(7, target(environment), wanted)).await
        else {
            panic!("no plan");
        };
        Order { plan, target: target(environment), work: prepared.work, confirmation }
    }

    async fn writes(&mut self, order: Order) -> Result<Option<Why>, Why> {
        match self.sends(Effect::Write(8, order)).await {
            Message::Written(8, answer) => answer,
            other => panic!("{other:?}"),
        }
    }
}

fn by_name(name: &str) -> Confirmation {
    Confirmation::Name(name.to_owned())
}

#[tokio::test]
async fn an_order_that_comes_around_the_update_is_refused_and_never_reaches_the_backend() {
    let mut around = Around::the_update();
    let forged = |environment: &str, confirmation| Order {
        plan: 7,
        target: target(environment),
        work: fixture::prepared().work,
        confirmation,
    };
    for order in [forged("dev", Confirmation::Yes), forged("qa", by_name("qa")), forged("prod", by_name("prod"))] {
        assert!(around.writes(order).await.unwrap_err().reason.contains("not the plan"));
    }
    for (environment, confirmation) in
        [("prod", by_name("prod")), ("prod", Confirmation::Yes), ("qa", Confirmation::Yes), ("qa", by_name("prod"))]
    {
        let order = around.planned(environment, Wanted::Record, confirmation).await;
        let why = around.writes(order).await.unwrap_err();
        assert!(why.reason.starts_with("refused: "), "{why}");
    }
    let order = around.planned("dev", Wanted::Record, Confirmation::Yes).await;
    let elsewhere = Order { target: target("prod"), confirmation: by_name("prod"), ..order };
    assert!(around.writes(elsewhere).await.is_err(), "a plan of dev writes nothing to prod");
    let order = around.planned("dev", Wanted::Record, Confirmation::Yes).await;
    around.sends(Effect::Unlock(9, order)).await;
    assert_eq!(around.seen.deeds(), [""; 0]);

    let order = around.planned("dev", Wanted::Record, Confirmation::Yes).await;
    assert_eq!(around.writes(order.clone()).await, Ok(None));
    assert!(around.writes(order).await.is_err(), "once");
    assert_eq!(around.seen.deeds(), ["write dev"]);
}

#[tokio::test]
async fn the_runner_locks_by_its_own_clock_and_when_the_console_is_left() {
    let mut around = Around::the_update();
    let wish = || Wanted::Unlock(Unlock { minutes: 5, reason: String::from("prod is down") });
    let order = around.planned("prod", wish(), Confirmation::Yes).await;
    assert!(matches!(around.sends(Effect::Unlock(9, order)).await, Message::Unlocked(9, Err(_))), "y is not enough");
    let order = around.planned("prod", wish(), by_name("prod")).await;
    let Message::Unlocked(9, Ok(granted)) = around.sends(Effect::Unlock(9, order)).await else { panic!("locked") };
    assert_eq!(granted.until, fixture::NOW + 300_000);
    let order = around.planned("prod", Wanted::Record, by_name("prod")).await;
    assert_eq!(around.writes(order).await, Ok(None));
    around.now.store(granted.until, Ordering::SeqCst);
    let order = around.planned("prod", Wanted::Record, by_name("prod")).await;
    assert!(around.writes(order).await.is_err(), "nobody has told the runner to lock, and it does");
    around.jobs.close().await;
    assert_eq!(around.seen.deeds(), ["unlock prod", "write prod", "lock prod: the console was left"]);
}

#[tokio::test]
async fn leaving_the_console_locks_what_is_unlocked() {
    let Rig { console, seen, log, logged, mut screen } = rig(Mood::Answers);
    let names = Arc::clone(&log);
    let wait = move |name: &'static str, then: Event| {
        let (names, logged) = (Arc::clone(&names), Arc::clone(&logged));
        async move {
            until_logged(&names, &logged, name, 1).await;
            Ok(then)
        }
    };
    let unlocks = stream::iter(typed(":unlock 5m \"prod is down\"\n").map(Ok));
    let events = unlocks
        .chain(stream::once(wait.clone()("planned", press('p'))))
        .chain(stream::iter(typed("rod").map(Ok)))
        .chain(stream::once(wait("unlocked", press('q'))));
    console.drive(&mut screen, Box::pin(events), stream::pending(), || Ok(())).await.unwrap();
    assert_eq!(seen.deeds(), ["unlock prod", "lock prod: the console was left"]);
}
