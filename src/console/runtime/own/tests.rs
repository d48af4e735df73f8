//! Real programs: what they say, how they end, and what the journal hears of that.

use std::io::Read;
use std::sync::{Arc, Mutex};

use futures::future::{pending, ready};
use tokio::sync::oneshot;

use super::*;
use crate::console::BoxFuture;
use crate::console::backend::Note;
use crate::secret::Secret;

fn command(argv: &[&str], output: Output) -> home::Command {
    let argv = argv.iter().map(|&arg| arg.to_owned()).collect();
    home::Command { id: String::from("own"), title: String::from("Own"), argv, output, wait: false }
}

/// A shell script.
fn script(text: &str) -> home::Command {
    command(&["sh", "-c", text], Output::Notice)
}

async fn runs(custom: &home::Command) -> Result<String, Why> {
    in_background(custom, None, pending()).await
}

/// What was noted of a command.
type Noted = Arc<Mutex<Vec<(Outcome, Option<String>)>>>;

/// Notes how something went, and whether that could be written.
struct Notes(Noted, Option<Why>);

impl Note for Notes {
    fn settle(self: Box<Self>, outcome: Outcome, error: Option<String>) -> BoxFuture<'static, Option<Why>> {
        self.0.lock().unwrap().push((outcome, error));
        Box::pin(ready(self.1))
    }
}

fn permit() -> (Permit, Noted) {
    let noted = Noted::default();
    (Permit { variables: Vec::new(), note: Box::new(Notes(Arc::clone(&noted), None)) }, noted)
}

fn only(noted: &Noted) -> (Outcome, Option<String>) {
    let noted = noted.lock().unwrap();
    let [one] = noted.as_slice() else { panic!("noted once: {noted:?}") };
    one.clone()
}

/// A pipe with a name: it ends for its reader when the last process is gone that holds it.
struct Held {
    directory: tempfile::TempDir,
}

impl Held {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let made = std::process::Command::new("mkfifo").arg(directory.path().join("held")).status().unwrap();
        assert!(made.success());
        Self { directory }
    }

    /// A script that holds it, says so, and then does this.
    fn script(&self, then: &str) -> home::Command {
        script(&format!("exec 3>{}; echo begun >&3; {then}", self.directory.path().join("held").display()))
    }

    /// The first answer comes when the script has begun, the second when all that hold the pipe are gone.
    fn watch(&self) -> (oneshot::Receiver<()>, oneshot::Receiver<()>) {
        self.watch_for(b"begun\n")
    }

    /// The same, where more has to be said before the first answer.
    fn watch_for(&self, words: &'static [u8]) -> (oneshot::Receiver<()>, oneshot::Receiver<()>) {
        let ((begins, begun), (ends, ended)) = (oneshot::channel(), oneshot::channel());
        let path = self.directory.path().join("held");
        std::thread::spawn(move || {
            let mut held = std::fs::File::open(path).unwrap();
            let mut said = vec![0; words.len()];
            held.read_exact(&mut said).unwrap();
            let _ = begins.send(());
            let _ = held.read_to_end(&mut Vec::new());
            let _ = ends.send(());
        });
        (begun, ended)
    }
}

/// Waits for that, and not for ever.
async fn hears(heard: oneshot::Receiver<()>) {
    timeout(Duration::from_secs(30), heard).await.expect("in time").unwrap();
}

#[tokio::test]
async fn a_command_in_the_background_tells_its_first_line() {
    let shell = ["sh", "-c", "echo; echo \"$1\"; echo more", "sh", "a $b; c"];
    assert_eq!(runs(&command(&shell, Output::Notice)).await.unwrap(), "own: a $b; c", "an argument is an argument");
    assert_eq!(runs(&command(&["true"], Output::Notice)).await.unwrap(), "own has ended");
    assert_eq!(runs(&command(&["echo", "x"], Output::None)).await.unwrap(), "own has ended");
}

#[tokio::test]
async fn its_failure_says_why() {
    let why = runs(&script("echo fine; echo no access >&2; exit 4")).await.unwrap_err();
    assert_eq!(why.reason, "own ended with exit status: 4: no access");
    let why = runs(&command(&["/nonexistent/program"], Output::Notice)).await.unwrap_err();
    assert!(why.reason.starts_with("/nonexistent/program cannot be started: "), "{}", why.reason);
}

#[tokio::test]
async fn the_journal_hears_how_a_command_ended_and_nothing_that_it_said() {
    let rows = [
        ("echo hunter2", Outcome::Ok, None),
        ("echo hunter2; echo hunter2 >&2; exit 4", Outcome::Failed, Some("exit status: 4")),
        ("kill -9 $$", Outcome::Failed, Some("signal: 9 (SIGKILL)")),
    ];
    for (text, outcome, error) in rows {
        let (permit, noted) = permit();
        let _ = in_background(&script(text), Some(permit), pending()).await;
        assert_eq!(only(&noted), (outcome, error.map(str::to_owned)), "{text}");
    }
    let (permit, noted) = permit();
    assert!(in_background(&command(&["/nonexistent"], Output::None), Some(permit), pending()).await.is_err());
    let (outcome, error) = only(&noted);
    assert_eq!(outcome, Outcome::Failed);
    assert!(error.unwrap().starts_with("it cannot be started: "));
}

#[tokio::test]
async fn what_the_journal_could_not_be_told_is_told_the_operator() {
    let untold =
        || Permit { note: Box::new(Notes(Noted::default(), Some(Why::new("the disk is full")))), ..permit().0 };
    let said = in_background(&script("echo done"), Some(untold()), pending()).await;
    assert_eq!(said.unwrap(), "own: done, but the disk is full");
    let why = in_background(&script("exit 1"), Some(untold()), pending()).await.unwrap_err();
    assert_eq!(why.reason, "own ended with exit status: 1, and the disk is full");
}

#[tokio::test]
async fn a_command_that_writes_finds_in_its_environment_who_it_is_to_be() {
    let variables = vec![("AWS_PROFILE", Some(Secret::new("deployer"))), ("CARGO_MANIFEST_DIR", None)];
    let permit = Permit { variables, ..permit().0 };
    let custom = script("echo ${AWS_PROFILE-none} ${CARGO_MANIFEST_DIR-gone}");
    assert_eq!(in_background(&custom, Some(permit), pending()).await.unwrap(), "own: deployer gone");
}

#[tokio::test]
async fn ending_a_command_ends_all_that_it_has_started() {
    let stubborn = "trap '' TERM; (sleep 600 & wait) & sleep 600 & wait";
    for then in ["(sleep 600 & wait) & sleep 600 & wait", stubborn] {
        let held = Held::new();
        let custom = held.script(then);
        let (begun, gone) = held.watch();
        let (permit, noted) = permit();
        let end = async {
            hears(begun).await;
            Ending::Asked
        };
        let why = in_background(&custom, Some(permit), end).await.unwrap_err();
        assert_eq!(why.reason, "own was ended");
        hears(gone).await;
        let told = "ended by the operator: how far it came is not known";
        assert_eq!(only(&noted), (Outcome::Unknown, Some(told.to_owned())), "{then}");
    }
}

#[tokio::test]
async fn whatever_it_has_started_has_the_time_to_put_its_house_in_order_when_it_is_ended() {
    let held = Held::new();
    let done = held.directory.path().join("done");
    // It says nothing more to whoever listens, and its parent is gone at once.
    let child =
        format!("trap 'sleep 0.2; echo done > {}; exit' TERM; echo begun >&3; sleep 600 & wait", done.display());
    let custom = held.script(&format!("({child}) > /dev/null 2>&1 & wait"));
    let (begun, gone) = held.watch_for(b"begun\nbegun\n");
    let end = async {
        hears(begun).await;
        Ending::Left
    };
    assert!(in_background(&custom, None, end).await.is_err());
    assert_eq!(std::fs::read_to_string(done).unwrap(), "done\n", "it is there when it is told to have ended");
    hears(gone).await;
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_is_killed_with_all_that_it_has_started() {
    let held = Held::new();
    let custom = held.script("sleep 600 & wait");
    let (begun, gone) = held.watch();
    let running = tokio::spawn(async move { in_background(&custom, None, pending()).await });
    hears(begun).await;
    running.abort();
    hears(gone).await;
}

#[tokio::test]
async fn a_command_that_is_ended_before_it_is_started_is_not_started() {
    let directory = tempfile::tempdir().unwrap();
    let mark = directory.path().join("mark");
    let (permit, noted) = permit();
    let custom = script(&format!("echo > {}", mark.display()));
    assert!(in_background(&custom, Some(permit), ready(Ending::Asked)).await.is_err());
    assert!(!mark.exists());
    assert_eq!(only(&noted), (Outcome::Failed, Some(String::from("ended by the operator before it was started"))));
}

#[tokio::test]
async fn on_the_terminal_it_is_noted_how_it_ended_before_its_output_is_read() {
    let (permit, noted) = permit();
    let home = Home { pager: Some(String::from("exit 3")), ..Home::default() };
    let mut signals = futures::stream::pending();
    let custom = home::Command { output: Output::Pager, ..script("echo value; exit 4") };
    let returned = on_the_terminal(&custom, Some(permit), &home, &mut signals).await;
    let Ok(Err(why)) = returned else { panic!("it failed") };
    assert_eq!(why.reason, "own ended with exit status: 4");
    assert_eq!(only(&noted), (Outcome::Failed, Some(String::from("exit status: 4"))));
}
