//! The last smoke test of an environment, kept on this machine: names, verdicts and times, and never a value.
//!
//! What it vouches for is a commit and a while: whoever wants to roll out behind it asks [`passed`].

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Crypto;
use super::smoke::{Line, Verdict};
use crate::compare::Why;
use crate::ops::inspect::now;
use crate::ops::kept;
use crate::ops::receipt::UnitId;
use crate::ops::session::Session;

/// The format that this version reads and writes.
const SCHEMA: u32 = 1;

/// Which environment of which project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The project's directory.
    pub root: PathBuf,
    /// The project's name.
    pub project: String,
    /// The environment's name.
    pub environment: String,
    /// The AWS endpoint, where it is another than AWS's own.
    pub endpoint: Option<String>,
}

/// How a smoke test went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Last {
    schema: u32,
    place: Place,
    /// When it ended, milliseconds since the Unix epoch.
    pub at: i64,
    /// The commit that the API's stack ran, where a receipt says so.
    pub commit: Option<String>,
    /// Whether only the safe subset was asked.
    pub safe: bool,
    /// The latest key version that was in use.
    pub key_version: Option<u32>,
    /// Half of the measured calls took no longer, in milliseconds.
    pub p50_ms: Option<f64>,
    /// 95 of a hundred measured calls took no longer, in milliseconds.
    pub p95_ms: Option<f64>,
    /// Each check with its verdict's word.
    pub checks: Vec<(String, String)>,
}

/// How it went as a whole: the worst of what its checks say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// All of it was proven.
    Passed,
    /// Nothing failed, and something could not be proven.
    Unproven,
    /// Something did not answer.
    Error,
    /// Something is not as it has to be.
    Failed,
}

/// What a smoke test has to be for something to rely on it.
#[derive(Debug, Clone, Copy)]
pub struct Condition<'a> {
    /// The commit that has to run.
    pub commit: &'a str,
    /// How old it may be.
    pub within: Duration,
    /// Whether the safe subset will do, and checks that could not be proven.
    pub lenient: bool,
}

impl Place {
    /// Where a session is; `None` where it looks at a stack without a project.
    #[must_use]
    pub fn of(session: &Session) -> Option<Self> {
        let project = session.settings.adhoc.is_none().then(|| session.project().name.clone())?;
        let environment = session.environment();
        Some(Self::new(&session.root, project, environment.name.clone(), environment.endpoint.clone()))
    }

    /// An environment of the project in a directory.
    #[must_use]
    pub fn new(root: &Path, project: String, environment: String, endpoint: Option<String>) -> Self {
        // Whoever comes another way comes to the same place.
        let root = std::fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
        Self { root, project, environment, endpoint }
    }

    fn file(&self, state: &Path) -> PathBuf {
        state.join("smoke").join(kept::name(self))
    }
}

impl Last {
    /// What there is to keep of these lines.
    #[must_use]
    pub fn new(place: Place, lines: &[Line], safe: bool, commit: Option<String>) -> Self {
        let latency = lines.iter().find_map(|line| line.latency);
        let millis = |took: Duration| took.as_secs_f64() * 1000.0;
        Self {
            schema: SCHEMA,
            place,
            at: now(),
            commit,
            safe,
            key_version: lines.iter().filter_map(|line| line.key_version).max(),
            p50_ms: latency.map(|latency| millis(latency.p50)),
            p95_ms: latency.map(|latency| millis(latency.p95)),
            checks: lines.iter().map(|line| (line.check.name().to_owned(), line.verdict.word().to_owned())).collect(),
        }
    }

    /// How it went.
    #[must_use]
    pub fn standing(&self) -> Standing {
        // Of nothing nothing was proven.
        self.checks.iter().map(|(_, word)| Standing::of(word)).max().unwrap_or(Standing::Unproven)
    }

    /// How many checks have this word.
    #[must_use]
    pub fn count(&self, word: &str) -> usize {
        self.checks.iter().filter(|(_, own)| own == word).count()
    }

    /// Keeps it below the state directory, in the place of the one before.
    pub fn keep(&self, state: &Path) -> std::io::Result<()> {
        kept::write(&self.place.file(state), self)
    }

    /// What was kept of a place. What cannot be used is as good as nothing.
    #[must_use]
    pub fn load(state: &Path, place: &Place) -> Option<Self> {
        let bytes = std::fs::read(place.file(state)).ok()?;
        let last: Self = serde_json::from_slice(&bytes).ok()?;
        (last.schema == SCHEMA && last.place == *place).then_some(last)
    }

    /// Whether it can be relied on, now (milliseconds since the Unix epoch); else why not.
    pub fn vouches(&self, condition: Condition<'_>, now: i64) -> Result<(), Why> {
        let name = &self.place.environment;
        let again = |reason: String| Err(Why::new(reason).hint(format!("plumb crypto smoke --env {name}")));
        let minutes = condition.within.as_secs() / 60;
        let age = now - self.at;
        if !(0..=i64::try_from(condition.within.as_millis()).unwrap_or(i64::MAX)).contains(&age) {
            return again(format!("the last smoke test of {name} is not of the last {minutes} minutes"));
        }
        match &self.commit {
            None => {
                return again(format!("nobody knows which commit {name} ran at its last smoke test: no receipt says"));
            }
            Some(commit) if commit != condition.commit => {
                return again(format!(
                    "the last smoke test of {name} was of commit {commit}, not {}",
                    condition.commit
                ));
            }
            Some(_) => {}
        }
        if self.safe && !condition.lenient {
            return again(format!("the last smoke test of {name} asked the safe subset alone"));
        }
        match self.standing() {
            Standing::Passed => Ok(()),
            Standing::Unproven if condition.lenient => Ok(()),
            _ => {
                let words = ["failed", "error", "unproven"].map(|word| format!("{} {word}", self.count(word)));
                again(format!("the last smoke test of {name} did not pass: {}", words.join(", ")))
            }
        }
    }
}

/// Whether the smoke test of an environment passed as the condition says; else why it cannot be relied on.
pub fn passed(state: &Path, place: &Place, condition: Condition<'_>) -> Result<(), Why> {
    let never = || {
        let name = &place.environment;
        Why::new(format!("no smoke test of {name} is known here")).hint(format!("plumb crypto smoke --env {name}"))
    };
    Last::load(state, place).ok_or_else(never)?.vouches(condition, now())
}

impl Crypto {
    /// What there is to keep of a smoke test of this API. `None` where there is no project to keep it for.
    pub async fn last(&self, lines: &[Line], safe: bool) -> Option<Last> {
        let place = Place::of(&self.session)?;
        Some(Last::new(place, lines, safe, self.commit().await))
    }

    /// The commit that the API's stack runs, as its receipt says.
    async fn commit(&self) -> Option<String> {
        let stack = self.place.stack()?;
        let store = self.session.receipts().await.ok()?;
        let recorded = store.load(&self.session.clients, &UnitId::Stack(stack.to_owned())).await;
        recorded.receipt().map(|receipt| receipt.commit.clone())
    }
}

impl Standing {
    /// That of a check, by its verdict's word.
    #[must_use]
    pub fn of(word: &str) -> Self {
        match word {
            "passed" => Self::Passed,
            "unproven" => Self::Unproven,
            "failed" => Self::Failed,
            _ => Self::Error,
        }
    }

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Unproven => "unproven",
            Self::Error => "error",
            Self::Failed => "failed",
        }
    }
}

impl From<&Verdict> for Standing {
    fn from(verdict: &Verdict) -> Self {
        Self::of(verdict.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::crypto::smoke::Check;

    const MINUTE: i64 = 60_000;

    fn line(check: Check, verdict: Verdict) -> Line {
        Line { check, verdict, took: Duration::ZERO, key_version: Some(2), request_id: None, latency: None }
    }

    fn place(root: &Path, environment: &str) -> Place {
        Place::new(root, "petshop".into(), environment.into(), None)
    }

    fn failed() -> Verdict {
        Verdict::Failed { expected: "HTTP 422".into(), got: "HTTP 200 pelican".into() }
    }

    #[test]
    fn it_vouches_for_its_commit_and_its_environment_for_a_while_and_only_when_it_passed() {
        let directory = tempfile::tempdir().unwrap();
        let (state, here) = (directory.path().join("state"), place(directory.path(), "uat"));
        let within = |minutes: u64| Duration::from_secs(minutes * 60);
        let strict = Condition { commit: "3f2a91c", within: within(10), lenient: false };
        let refused = |last: &Last, condition: Condition<'_>, age: i64, said: &str| {
            let why = last.vouches(condition, last.at + age).unwrap_err();
            assert!(why.reason.contains(said), "{why}");
        };
        assert!(passed(&state, &here, strict).unwrap_err().reason.contains("no smoke test of uat"));

        let lines = [line(Check::Health, Verdict::Passed), line(Check::Empty, Verdict::Passed)];
        let good = Last::new(here.clone(), &lines, false, Some("3f2a91c".into()));
        good.keep(&state).unwrap();
        assert!(passed(&state, &here, strict).is_ok());
        assert!(passed(&state, &place(directory.path(), "prod"), strict).is_err(), "it is of another environment");
        refused(&good, strict, 10 * MINUTE + 1, "not of the last 10 minutes");
        refused(&good, strict, -1, "not of the last 10 minutes");
        refused(&good, Condition { commit: "91abe07", ..strict }, 0, "of commit 3f2a91c, not 91abe07");
        refused(&Last { commit: None, ..good.clone() }, strict, 0, "no receipt says");

        let lenient = Condition { lenient: true, ..strict };
        let safe = Last { safe: true, ..good.clone() };
        refused(&safe, strict, 0, "the safe subset alone");
        assert!(safe.vouches(lenient, safe.at).is_ok());
        let unproven = [lines[0].clone(), line(Check::Logs, Verdict::Unproven("no leave".into()))];
        let unproven = Last::new(here.clone(), &unproven, false, good.commit.clone());
        refused(&unproven, strict, 0, "1 unproven");
        assert!(unproven.vouches(lenient, unproven.at).is_ok());
        for bad in [failed(), Verdict::Error(Why::new("no network"))] {
            let bad = Last::new(here.clone(), &[line(Check::Tampered, bad)], false, good.commit.clone());
            refused(&bad, lenient, 0, "did not pass");
        }
        refused(&Last::new(here, &[], false, good.commit.clone()), strict, 0, "did not pass");
    }

    #[test]
    fn what_is_kept_has_no_value_and_a_foreign_or_broken_file_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let (state, here) = (directory.path().join("state"), place(directory.path(), "uat"));
        Last::new(here.clone(), &[line(Check::Tampered, failed())], false, None).keep(&state).unwrap();
        let file = here.file(&state);
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(
            text.contains("tampered byte refused") && !text.contains("pelican") && !text.contains("HTTP 422"),
            "{text}"
        );
        assert_eq!(Last::load(&state, &here).unwrap().standing(), Standing::Failed);
        std::fs::write(&file, text.replace("\"schema\":1", "\"schema\":2")).unwrap();
        assert!(Last::load(&state, &here).is_none());
        std::fs::write(&file, "{").unwrap();
        assert!(Last::load(&state, &here).is_none());
    }
}
