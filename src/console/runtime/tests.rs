//! The loop over a fake backend and a fake terminal. Nothing sleeps: every step waits for what it is about.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::{FutureExt, stream};
use ratatui::backend::TestBackend;
use tokio::sync::Notify;

use super::*;
use crate::compare::{Item, Kind, Why};
use crate::console::fixture::{self, Fixture};
use crate::console::{Ask, BoxFuture, EnvironmentInfo, FilePlace, Home, ProjectInfo, RefInfo, Target, Theme};
use crate::ops::report::{Part, Report};

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

/// What happened at the backend; tests wait for it.
#[derive(Default)]
struct Seen {
    inspections: AtomicUsize,
    dropped: AtomicUsize,
    changed: Notify,
}

impl Seen {
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

    fn fetch(&self, target: Target) -> BoxFuture<'static, Result<(), Why>> {
        self.fixture.fetch(target)
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
        theme: Theme::embedded("plumb-dark").unwrap(),
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
        Signal::End("SIGTERM")
    });
    let outcome = console.drive(&mut screen, stream::pending(), Box::pin(signals), || Ok(())).await;
    assert!(matches!(outcome, Err(Error::Signal("SIGTERM"))));
    seen.until(|seen| seen.dropped.load(Ordering::SeqCst) > 0).await;
}

#[tokio::test]
async fn suspending_gives_the_terminal_back_once_and_draws_anew() {
    let Rig { console, mut screen, .. } = rig(Mood::Hangs);
    let suspended = AtomicUsize::new(0);
    let stop = Ok(Event::Key(KeyEvent::new(KeyCode::Char('z'), KeyModifiers::CONTROL)));
    let events = stream::iter([stop, Ok(press('2')), Ok(press('q'))]);
    let count = || {
        suspended.fetch_add(1, Ordering::SeqCst);
        Ok(())
    };
    console.drive(&mut screen, events, stream::pending(), count).await.unwrap();
    assert_eq!(suspended.load(Ordering::SeqCst), 1);
    assert!(text(&screen).contains("2 STACKS"));
}
