//! A console that panics gives the terminal back, and says why where it can be read.
//!
//! The real binary has no fault to order. So this test starts itself again in a terminal of its own, as a console over a
//! backend that is made up, whose log panics in the middle of the loop.

use std::collections::BTreeMap;
use std::sync::Arc;

use plumb::compare::{Item, Kind, Why};
use plumb::config::Protection;
use plumb::console::{
    self, Ask, Backend, BoxFuture, Command, Compared, ConsoleOptions, CryptoAnswer, CryptoAsk, Depth, Ended,
    EnvironmentInfo, FilePlace, Home, Permit, Prepared, ProjectInfo, Promotion, RefInfo, Target, Theme, Unlock, Wanted,
    Watch, Work,
};
use plumb::ops::crypto::smoke::Step;
use plumb::ops::history::Timeline;
use plumb::ops::journal::Found;
use plumb::ops::promote::Promoted;
use plumb::ops::push::Pushed;
use plumb::ops::report::{Identity, Part, Report};
use plumb::secret::Secret;
use tokio::sync::mpsc;

use crate::support::terminal::{Program, Terminal};

/// Tells the started test that it is the console: the text that must not be seen.
const PLAINTEXT: &str = "PLUMB_TEST_PLAINTEXT";
/// The message at whose coming it panics.
const AT: &str = "PLUMB_TEST_PANICS_AT";

/// A project of which nothing is ever known.
struct Silent;

impl Backend for Silent {
    fn project_name(&self) -> String {
        "silent".to_owned()
    }

    fn environments(&self) -> Vec<EnvironmentInfo> {
        let (project, name, protection) = (self.project_name(), "prod".to_owned(), Protection::Confirm);
        let (profile, write_profile, region, endpoint, remotes) = (None, None, None, None, Vec::new());
        let info = EnvironmentInfo {
            project,
            name,
            protection,
            profile,
            write_profile,
            region,
            endpoint,
            remotes,
            crypto: false,
            pipeline: false,
            intake: false,
        };
        vec![info]
    }

    fn inspect(&self, _: Target, _: Ask, _: mpsc::UnboundedSender<Part>) -> BoxFuture<'static, Report> {
        Box::pin(std::future::pending())
    }

    fn reveal(&self, _: Target, _: Kind, _: String) -> BoxFuture<'static, Result<Item, Why>> {
        Box::pin(std::future::pending())
    }

    fn locate(&self, _: Target, _: String, _: String) -> BoxFuture<'static, Result<FilePlace, Why>> {
        Box::pin(std::future::pending())
    }

    fn projects(&self) -> Vec<ProjectInfo> {
        Vec::new()
    }

    fn project(&self, _: String) -> BoxFuture<'static, Result<Vec<EnvironmentInfo>, Why>> {
        Box::pin(std::future::pending())
    }

    fn refs(&self, _: String) -> BoxFuture<'static, Result<Vec<RefInfo>, Why>> {
        Box::pin(std::future::pending())
    }

    fn plan(&self, _: Target, _: Wanted) -> BoxFuture<'static, Result<Prepared, Why>> {
        Box::pin(std::future::pending())
    }

    fn write(&self, _: Target, _: Work) -> BoxFuture<'static, Result<Option<Why>, Why>> {
        Box::pin(std::future::pending())
    }

    fn push(&self, _: Target, _: Work, _: Watch) -> BoxFuture<'static, Result<Pushed, Why>> {
        Box::pin(std::future::pending())
    }

    fn begin(&self, _: Target, _: Arc<Command>) -> BoxFuture<'static, Result<Permit, Why>> {
        Box::pin(std::future::pending())
    }

    fn unlock(&self, _: Target, _: Unlock) -> BoxFuture<'static, Result<(Identity, Option<Why>), Why>> {
        Box::pin(std::future::pending())
    }

    fn lock(&self, _: Target, _: Ended) -> BoxFuture<'static, Option<Why>> {
        Box::pin(std::future::pending())
    }

    fn history(&self, _: Target, _: String) -> BoxFuture<'static, Result<Timeline, Why>> {
        Box::pin(std::future::pending())
    }

    fn compare(&self, _: String, _: String, _: String) -> BoxFuture<'static, Result<Compared, Why>> {
        Box::pin(std::future::pending())
    }

    fn promote(&self, _: Promotion) -> BoxFuture<'static, Result<Promoted, Why>> {
        Box::pin(std::future::pending())
    }

    fn crypto(&self, _: Target, _: CryptoAsk, _: mpsc::UnboundedSender<Step>) -> BoxFuture<'static, CryptoAnswer> {
        Box::pin(std::future::pending())
    }

    fn journal(&self, _: Target) -> BoxFuture<'static, Result<Found, Why>> {
        Box::pin(std::future::pending())
    }

    fn fetch(&self, _: Target) -> BoxFuture<'static, Result<(), Why>> {
        Box::pin(std::future::pending())
    }
}

/// The console itself; it is no test, and does nothing unless the one below starts it.
#[tokio::test]
#[ignore = "started by the test below"]
async fn the_console_that_panics() {
    let (Ok(plaintext), Ok(at)) = (std::env::var(PLAINTEXT), std::env::var(AT)) else { return };
    let secret = Secret::new(plaintext);
    let options = ConsoleOptions {
        theme: Theme::embedded("plumb-dark").unwrap().at(Depth::Rgb),
        keys: BTreeMap::new(),
        environment: None,
        git_ref: None,
        refresh: None,
        utc_offset: 0,
        clock: None,
        fingerprint_key: [0; 32],
        home: Home::default(),
        tailor: None,
        tour: false,
        log: Some(Arc::new(move |message| assert!(message != at, "a fault at {message}, with {secret:?} in hand"))),
    };
    let ended = console::run(Arc::new(Silent), options).await;
    panic!("it was to panic and ended with {ended:?}");
}

/// That console in a terminal, which panics when a message of this name comes.
fn panicking(plaintext: &Secret, at: &str) -> Terminal {
    let itself = std::env::current_exe().unwrap();
    let arguments = ["console::panics::the_console_that_panics", "--exact", "--ignored", "--nocapture"];
    let program = Program::new(itself).args(arguments).env("RUST_BACKTRACE", "0");
    program.env(PLAINTEXT, plaintext.expose()).env(AT, at).start()
}

/// Waits for the end and holds what has to be so after any panic.
fn ends_well(terminal: &Terminal, plaintext: &Secret, at: &str) {
    assert_eq!(terminal.exit_code(), 101);
    terminal.is_restored();
    let text = terminal.text();
    let said: Vec<&str> = text.lines().filter(|line| line.contains("a fault at")).collect();
    assert_eq!(said, [format!("a fault at {at}, with •••• in hand")], "{text}");
    assert!(text.contains("panicked at") && !text.contains("1 OVERVIEW"), "{text}");
    terminal.never_showed(plaintext.expose());
}

fn plaintext() -> Secret {
    let (_, identity) = plumb::sops::generate_age_key();
    identity
}

#[test]
fn a_panic_in_the_middle_of_the_loop_leaves_the_terminal_as_it_was() {
    let plaintext = plaintext();
    let terminal = panicking(&plaintext, "key");
    terminal.sees("1 OVERVIEW");
    assert!(terminal.screen().alternate_screen() && !terminal.is_cooked(), "the console holds the terminal");
    terminal.press("j");
    ends_well(&terminal, &plaintext, "key");
}

#[test]
fn so_does_one_before_the_first_picture() {
    let plaintext = plaintext();
    ends_well(&panicking(&plaintext, "start"), &plaintext, "start");
}

#[test]
fn so_does_one_in_the_middle_of_a_paste() {
    let plaintext = plaintext();
    let terminal = panicking(&plaintext, "paste");
    terminal.sees("1 OVERVIEW").paste("some text");
    ends_well(&terminal, &plaintext, "paste");
}
