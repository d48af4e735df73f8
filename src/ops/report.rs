//! What an inspection finds, part by part and as a whole.

use super::journal::Entry;
use crate::compare::{Item, Kind, Tally, Verdict, Why, WhyKind};

/// Who is asking, as STS answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account's twelve digits.
    pub account: String,
    /// The caller's ARN.
    pub arn: String,
    /// The region requests go to.
    pub region: String,
    /// The account that the project expects, when that is another one: then only reading is allowed.
    pub expected_account: Option<String>,
}

/// The commit that the git side is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The ref as asked for: `origin/main`, `HEAD`, `WORKTREE`.
    pub reference: String,
    /// The full commit id; for `WORKTREE` that of HEAD.
    pub id: String,
    /// First line of the message.
    pub subject: String,
    /// Author's name.
    pub author: String,
    /// Author's time, milliseconds since the Unix epoch.
    pub at: i64,
    /// Commits that HEAD has and the ref has not.
    pub ahead: usize,
    /// Commits that the ref has and HEAD has not.
    pub behind: usize,
    /// Whether the working tree differs from HEAD.
    pub dirty: bool,
    /// When the remote was last fetched, milliseconds since the Unix epoch; `None`: never, or no remote.
    pub fetched_at: Option<i64>,
}

/// All items of one kind, or why there are none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Section {
    /// The items, in the order of their names.
    pub items: Vec<Item>,
    /// Failures that are not one item's: a stack that cannot be described, a document that cannot be decrypted.
    pub problems: Vec<Problem>,
    /// Facts about the whole, such as a stack's status: one per unit.
    pub units: Vec<Unit>,
}

impl Section {
    /// The failure that all of it comes to: a lack of credentials, or of a network where nothing else was found out.
    #[must_use]
    pub fn whole_failure(&self) -> Option<&Why> {
        let is_read = self.items.iter().any(|item| !matches!(item.verdict, Verdict::Unknown(_)));
        self.failures().find(|why| why.kind.is_of_credentials() || (why.kind == WhyKind::Network && !is_read))
    }

    /// Every reason for which something of it is not known.
    pub fn failures(&self) -> impl Iterator<Item = &Why> {
        let unknown = self.items.iter().filter_map(|item| match &item.verdict {
            Verdict::Unknown(why) => Some(why),
            _ => None,
        });
        self.problems.iter().map(|problem| &problem.why).chain(unknown)
    }
}

/// A failure that is not one item's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// On what: a file, a stack, a service.
    pub subject: String,
    /// What failed and what to try.
    pub why: Why,
}

/// A unit that is rolled out together: a stack, a service's config, the secrets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unit {
    /// Its name: the stack's, the service's, `secrets`.
    pub name: String,
    /// A stack's status: `UPDATE_COMPLETE`; empty for other units.
    pub status: String,
    /// When AWS last changed it, milliseconds since the Unix epoch.
    pub changed_at: Option<i64>,
    /// When its drift was last detected, milliseconds since the Unix epoch.
    pub drift_checked_at: Option<i64>,
    /// The commit that runs there, by its receipt.
    pub runs: Option<String>,
    /// When that was rolled out, milliseconds since the Unix epoch.
    pub rolled_out_at: Option<i64>,
    /// By whom.
    pub rolled_out_by: Option<String>,
    /// What went wrong last, of a stack whose status tells of a failure: `CheckoutFn UPDATE_FAILED: …`.
    pub last_failure: Option<String>,
}

/// One result of an inspection; they arrive in any order, each as soon as it is known.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Who is asking.
    Identity(Result<Identity, Why>),
    /// The commit that is compared.
    Commit(Result<Commit, Why>),
    /// What is known of a kind already, while more is asked: who moved what is not yet told, nor a newer detection's result.
    Provisional(Kind, Section),
    /// One kind is done.
    Section(Kind, Result<Section, Why>),
    /// What is going on right now: "detecting drift of petshop-prod, 12 of 18 resources".
    Progress(Kind, String),
    /// How much was asked of AWS so far.
    Calls(Calls),
    /// A write of values from this machine that was cut off, if the last one was.
    CutOff(Option<Box<Entry>>),
}

/// A whole inspection.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The environment's name.
    pub environment: String,
    /// Who asked.
    pub identity: Result<Identity, Why>,
    /// The commit that was compared.
    pub commit: Result<Commit, Why>,
    /// One section per kind asked for, in the order of [`Kind::ALL`].
    pub sections: Vec<(Kind, Result<Section, Why>)>,
    /// What to know about the whole that is no failure.
    pub notes: Vec<String>,
    /// When reading was done, milliseconds since the Unix epoch.
    pub read_at: i64,
    /// AWS API calls made.
    pub calls: Calls,
}

/// AWS API calls, counted attempt by attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Calls {
    /// Sent, retries included.
    pub made: u64,
    /// Of them, those that AWS answered with "slow down".
    pub throttled: u64,
}

impl Calls {
    /// What was sent since an earlier count.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self { made: self.made - before.made, throttled: self.throttled - before.throttled }
    }
}

impl std::ops::AddAssign for Calls {
    fn add_assign(&mut self, other: Self) {
        self.made += other.made;
        self.throttled += other.throttled;
    }
}

impl std::fmt::Display for Calls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.made, if self.made == 1 { "call" } else { "calls" })?;
        if self.throttled > 0 {
            write!(f, ", {} throttled", self.throttled)?;
        }
        Ok(())
    }
}

impl Report {
    /// That of an environment which cannot even be asked.
    #[must_use]
    pub fn failed(environment: String, kinds: &[Kind], why: &Why, read_at: i64) -> Self {
        Self {
            environment,
            identity: Err(why.clone()),
            commit: Err(why.clone()),
            sections: kinds.iter().map(|kind| (*kind, Err(why.clone()))).collect(),
            notes: Vec::new(),
            read_at,
            calls: Calls::default(),
        }
    }

    /// Takes over what became known meanwhile.
    pub fn learn(&mut self, part: Part) {
        match part {
            Part::Identity(identity) => self.identity = identity,
            Part::Commit(commit) => self.commit = commit,
            Part::Calls(calls) => self.calls = calls,
            Part::Provisional(kind, section) => self.know(kind, Ok(section)),
            Part::Section(kind, section) => self.know(kind, section),
            // They are no part of what git and live are.
            Part::Progress(..) | Part::CutOff(_) => {}
        }
    }

    fn know(&mut self, kind: Kind, section: Result<Section, Why>) {
        if let Some((_, known)) = self.sections.iter_mut().find(|(of, _)| *of == kind) {
            *known = section;
        }
    }

    /// Whether AWS did not take the credentials of whoever asked, at its beginning or later.
    #[must_use]
    pub fn lacks_credentials(&self) -> bool {
        let whole = self.sections.iter().filter_map(|(_, section)| section.as_ref().err());
        whole.chain(self.identity.as_ref().err()).any(|why| why.kind.is_of_credentials())
            || self
                .sections
                .iter()
                .filter_map(|(_, section)| section.as_ref().ok())
                .any(|section| section.failures().any(|why| why.kind.is_of_credentials()))
    }

    /// All items, kind by kind.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.sections.iter().filter_map(|(_, section)| section.as_ref().ok()).flat_map(|section| &section.items)
    }

    /// How many items have each verdict.
    #[must_use]
    pub fn tally(&self) -> Tally {
        Tally::of(self.items())
    }
}
