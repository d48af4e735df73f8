//! A plan: what is going to be written and to where, until it is confirmed or left.
//!
//! Whatever writes begins here. A new kind of work is a variant of [`Work`] and a [`Sheet`] for it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::data::{DataWanted, DataWork};
use super::pipeline::{self, PipelineWanted, PipelineWork};
use super::rollout::{self, Rollout, Way};
use super::values::{self, Ended, Items, Values};
use crate::compare::Why;
use crate::console::home::Command;
use crate::console::mode::Unlock;
use crate::console::model::{EnvState, Job};
use crate::console::page::ItemId;
use crate::ops::crypto::rotate;
use crate::ops::journal::Entry;
use crate::ops::push::{self, Pushed};
use crate::ops::record;
use crate::ops::report::{Commit, Identity};
use crate::ops::restart;

/// What a plan is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// To record what is equal.
    Record,
    /// To write for a while to an environment that refuses it.
    Unlock(Unlock),
    /// To run a command of the operator's own that writes.
    Command(Command),
    /// To rotate the crypto API's keyring.
    Rotate,
    /// To do something with the deploy pipeline.
    Pipeline(PipelineWanted),
    /// To post a record or to make a summary.
    Data(DataWanted),
    /// To start the functions anew that read an item.
    Restart(ItemId),
    /// To write values.
    Values(Values),
    /// To do something to a stack.
    Rollout(Way),
}

impl Wanted {
    fn title(&self) -> &'static str {
        match self {
            Self::Record => "RECORD PLAN",
            Self::Unlock(_) => "UNLOCK PLAN",
            Self::Command(_) => "RUN PLAN",
            Self::Rotate => "ROTATE PLAN",
            Self::Pipeline(wanted) => wanted.title(),
            Self::Data(wanted) => wanted.title(),
            Self::Restart(_) => "RESTART PLAN",
            Self::Values(values) => values.title(),
            Self::Rollout(way) => way.title(),
        }
    }
}

/// What is done once it is confirmed.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// Receipts are written.
    Record(Arc<record::Plan>),
    /// Writing is allowed for a while.
    Unlock(Arc<Unlock>),
    /// A command is run.
    Command(Arc<Command>),
    /// The crypto API's keyring gets a new key.
    Rotate(Arc<rotate::Plan>),
    /// Something is done with the deploy pipeline.
    Pipeline(Arc<PipelineWork>),
    /// A record is posted, or a summary made.
    Data(Arc<DataWork>),
    /// Functions are started anew.
    Restart(Arc<restart::Plan>),
    /// Values are written, all that are planned but those at these places.
    Values(Arc<push::Plan>, BTreeSet<usize>),
    /// A write of values that was cut off goes on.
    Resume(Arc<Entry>),
    /// Something is done to a stack.
    Rollout(Arc<Rollout>),
}

impl Work {
    /// Whether something waits in the account for it to be confirmed: a change set.
    #[must_use]
    pub fn waits(&self) -> bool {
        let Self::Rollout(rollout) = self else { return false };
        matches!(&**rollout, Rollout::Deploy(deployment) if !deployment.plan.is_empty())
    }

    /// Whether this is the very same work, and not one that looks like it.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Record(one), Self::Record(two)) => Arc::ptr_eq(one, two),
            (Self::Unlock(one), Self::Unlock(two)) => Arc::ptr_eq(one, two),
            (Self::Command(one), Self::Command(two)) => Arc::ptr_eq(one, two),
            (Self::Rotate(one), Self::Rotate(two)) => Arc::ptr_eq(one, two),
            (Self::Pipeline(one), Self::Pipeline(two)) => Arc::ptr_eq(one, two),
            (Self::Data(one), Self::Data(two)) => Arc::ptr_eq(one, two),
            (Self::Restart(one), Self::Restart(two)) => Arc::ptr_eq(one, two),
            // What is left out is not written, which needs nobody's leave.
            (Self::Values(one, _), Self::Values(two, _)) => Arc::ptr_eq(one, two),
            (Self::Resume(one), Self::Resume(two)) => Arc::ptr_eq(one, two),
            (Self::Rollout(one), Self::Rollout(two)) => Arc::ptr_eq(one, two),
            (
                Self::Record(_)
                | Self::Unlock(_)
                | Self::Command(_)
                | Self::Rotate(_)
                | Self::Pipeline(_)
                | Self::Data(_)
                | Self::Restart(_)
                | Self::Values(..)
                | Self::Resume(_)
                | Self::Rollout(_),
                _,
            ) => false,
        }
    }
}

/// A plan as it was worked out, by reading alone; of a deployment, with a change set that waits and changes nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// Whose name it would be done in; a failure refuses it.
    pub writer: Result<Identity, Why>,
    /// What would be done.
    pub work: Work,
}

/// A plan over the page.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What it is asked for.
    pub wanted: Wanted,
    /// Index of the environment.
    pub environment: usize,
    /// The request under way; of what is confirmed, the one that worked it out.
    pub job: Job,
    /// How far it is.
    pub stage: Stage,
    /// What was typed to confirm it.
    pub typed: String,
    /// The first row drawn.
    pub scroll: usize,
    /// Of a plan of values, its items; of a deployment, its changes.
    pub items: Items,
}

/// How far a plan is.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    /// It is being worked out.
    Reading,
    /// It waits to be confirmed.
    Ready(Box<Prepared>),
    /// It is being done, since it was confirmed; this is what.
    Doing(Box<Prepared>),
    /// Values were written; this is what came of it.
    Done(Box<Prepared>, Box<Pushed>),
    /// It could not be worked out, or failed.
    Failed(Why),
}

impl Plan {
    pub(in crate::console) fn new(wanted: Wanted, environment: usize, job: Job) -> Self {
        let (typed, items) = (String::new(), Items::default());
        Self { wanted, environment, job, stage: Stage::Reading, typed, scroll: 0, items }
    }

    /// Its heading.
    pub(in crate::console) fn title(&self) -> &'static str {
        self.wanted.title()
    }

    /// What is known of it.
    pub(in crate::console) fn prepared(&self) -> Option<&Prepared> {
        match &self.stage {
            Stage::Ready(prepared) | Stage::Doing(prepared) | Stage::Done(prepared, _) => Some(prepared),
            Stage::Reading | Stage::Failed(_) => None,
        }
    }

    /// Whether something waits in the account for it to be confirmed.
    pub(in crate::console) fn leaves_something(&self) -> bool {
        matches!(&self.stage, Stage::Ready(prepared) if prepared.work.waits())
    }

    /// Whether its items can be chosen right now.
    pub(in crate::console) fn can_choose(&self) -> bool {
        self.items.count() > 0 && matches!(self.stage, Stage::Ready(_))
    }

    /// What came of it, once values were written.
    pub(in crate::console) fn result(&self) -> Option<&Pushed> {
        if let Stage::Done(_, pushed) = &self.stage { Some(pushed) } else { None }
    }

    /// Whether time changes how it looks.
    pub(in crate::console) fn moves(&self) -> bool {
        matches!(self.stage, Stage::Reading | Stage::Doing(_))
    }
}

/// A plan as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::console) struct Sheet {
    /// Where from, and the like: a word and what it is.
    pub(in crate::console) facts: Vec<(&'static str, String)>,
    /// What has to be read to its end, over as many lines as it takes.
    pub(in crate::console) whole: Option<(&'static str, String)>,
    /// The heads of the three columns.
    pub(in crate::console) heads: [&'static str; 3],
    /// The rows.
    pub(in crate::console) rows: Vec<SheetRow>,
    /// The row that the cursor is on.
    pub(in crate::console) cursor: Option<usize>,
    /// Whether the second column takes values.
    pub(in crate::console) wide: bool,
    /// What else is to be known: a sign and a sentence.
    pub(in crate::console) notes: Vec<(char, String)>,
    /// What confirming does, as it follows "to": `write 3 receipts`.
    pub(in crate::console) verb: String,
    /// What was done, when it is: `3 receipts are written`.
    pub(in crate::console) done: String,
    /// Why it cannot be confirmed, whatever the environment's protection.
    pub(in crate::console) refused: Option<Why>,
}

/// A row of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::console) struct SheetRow {
    /// Its sign.
    pub(in crate::console) sign: char,
    /// Whether it is chosen, where that can be said.
    pub(in crate::console) mark: Option<bool>,
    /// Its three columns.
    pub(in crate::console) texts: [String; 3],
    /// What is to be known of it: a sign and a sentence.
    pub(in crate::console) notes: Vec<(char, String)>,
}

impl Sheet {
    /// How a plan looks. `ended`: of values that are being written, how far each is.
    pub(in crate::console) fn of_plan(plan: &Plan, env: &EnvState, ended: Option<&Ended>) -> Self {
        match &plan.stage {
            Stage::Done(prepared, pushed) => {
                let chosen = matches!(prepared.work, Work::Values(..)).then_some(&plan.items);
                values::result(pushed, chosen)
            }
            Stage::Ready(prepared) | Stage::Doing(prepared) => Self::of(prepared, &plan.items, env, ended),
            Stage::Reading | Stage::Failed(_) => Self::default(),
        }
    }

    pub(in crate::console) fn of(prepared: &Prepared, items: &Items, env: &EnvState, ended: Option<&Ended>) -> Self {
        let sheet = match &prepared.work {
            Work::Record(plan) => record(plan, env.commit.value()),
            Work::Unlock(unlock) => unlocking(unlock, env),
            Work::Command(command) => running(command, env),
            Work::Rotate(plan) => rotating(plan, env),
            Work::Pipeline(work) => pipeline::sheet(work),
            Work::Data(work) => work.sheet(),
            Work::Restart(plan) => values::restarts(plan),
            Work::Values(plan, _) => values::sheet(plan, items, ended),
            Work::Resume(entry) => values::cut_off(entry, ended),
            Work::Rollout(rollout) => rollout::sheet(rollout, items.changes()),
        };
        match &prepared.writer {
            Ok(_) => sheet,
            Err(why) => Self { refused: Some(why.clone()), ..sheet },
        }
    }
}

fn record(plan: &record::Plan, commit: Option<&Commit>) -> Sheet {
    let found = &plan.outcome;
    let short = crate::console::text::short(&found.commit);
    let subject = commit.filter(|commit| commit.id == found.commit);
    let subject = subject.map(|commit| format!("  \"{}\"", commit.subject)).unwrap_or_default();
    let counts = format!(
        "{} equal   {} different   {} absent   {} unknown",
        found.equal.len(),
        found.different.len(),
        found.absent.len(),
        found.unknown.len()
    );
    let rows = plan.units.iter().map(|unit| {
        let left = match unit.left.len() {
            0 => format!("all of it runs {short}"),
            1 => String::from("1 keeps its record"),
            left => format!("{left} keep their records"),
        };
        let equal = format!("{} equal", unit.equal);
        let sign = if unit.left.is_empty() { '=' } else { '~' };
        SheetRow { sign, texts: [unit.unit.to_string(), equal, left], ..SheetRow::default() }
    });
    let mut notes =
        vec![('i', String::from("only receipts are written: no value, parameter, secret or stack is touched"))];
    notes.extend(found.unknown.iter().map(|(name, why)| ('?', format!("{name}  {}", why.reason))));
    let count = plan.units.len();
    let receipts = if count == 1 { String::from("1 receipt") } else { format!("{count} receipts") };
    Sheet {
        facts: vec![("from", format!("{} {short}{subject}", plan.reference)), ("found", counts)],
        heads: ["RECEIPT", "ITEMS", "WILL SAY"],
        rows: rows.collect(),
        notes,
        verb: format!("write {receipts}"),
        done: format!("{receipts} written"),
        refused: (count == 0)
            .then(|| Why::new("nothing to record: the commit's config, secrets and stacks are not live here")),
        ..Sheet::default()
    }
}

fn running(command: &Command, env: &EnvState) -> Sheet {
    let profile = env.write_profile().map(|profile| format!(": AWS_PROFILE is {profile}")).unwrap_or_default();
    Sheet {
        facts: vec![("what", command.title.clone())],
        whole: Some(("command", command.line())),
        notes: vec![
            ('!', format!("it may change what is live in {}; plumb does not know what it does", env.name())),
            ('i', format!("it runs in the name above{profile}")),
            ('i', String::from("the journal keeps this line, when it began and how it ended")),
        ],
        verb: format!("run {}", command.id),
        done: format!("{} has ended", command.id),
        ..Sheet::default()
    }
}

fn rotating(plan: &rotate::Plan, env: &EnvState) -> Sheet {
    let keys = env.crypto.keyring.value().map(|keyring| &keyring.keys);
    let (now, then) = match keys {
        Some(keys) => (format!("version {}", keys.latest), format!("version {}", u64::from(keys.latest) + 1)),
        None => (String::from("not read"), String::from("the next version")),
    };
    let mut notes = vec![
        ('i', String::from("old ciphertexts still open: no version is taken from the keyring")),
        ('i', String::from("functions use the new key within five minutes; this waits for Secrets Manager alone")),
    ];
    if plan.pending {
        notes.insert(0, ('!', String::from("a rotation is under way, or was left: this one goes on with it")));
    }
    Sheet {
        facts: vec![("keyring", plan.secret.clone())],
        heads: ["WHAT", "NOW", "WILL BE"],
        rows: vec![SheetRow {
            sign: '~',
            texts: [String::from("messages are encrypted under"), now, then],
            ..SheetRow::default()
        }],
        notes,
        verb: String::from("rotate the keyring"),
        done: String::from("the keyring has a new key"),
        ..Sheet::default()
    }
}

fn unlocking(unlock: &Unlock, env: &EnvState) -> Sheet {
    let minutes = unlock.length();
    let name = env.name();
    Sheet {
        facts: vec![("for", minutes.clone()), ("reason", format!("\"{}\"", unlock.reason))],
        notes: vec![
            ('!', format!("{name} can be written to until then; every write is still planned and confirmed")),
            ('i', String::from("it is read as that role meanwhile; the journal keeps who, when and why")),
            ('i', String::from(":lock ends it at once; so do its time and leaving the console")),
        ],
        verb: format!("unlock it for {minutes}"),
        done: format!("{name} is unlocked for {minutes}"),
        ..Sheet::default()
    }
}
