//! The plan of what is done to a stack: a deployment, an earlier commit of it, taking back what is under way, the way out of
//! where it is stuck, an alias back to its previous version; and of a redeploy, which the project's own workflow does to all. Values are masked before they get here.

mod asked;

use std::collections::BTreeSet;

pub(in crate::console) use self::asked::{PIPELINE, WORKFLOW};
pub use self::asked::{Piping, Redeploy};
use super::plan::{Sheet, SheetRow};
use crate::compare::{Facet, Fingerprinter, masked};
use crate::ops::deploy::{self, Act, Change, Drifted, Operation, Property, PutBack, Recovery, Replacement, Turn};
use crate::ops::report::Commit;
use crate::ops::schema;

/// What is to be done to a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// What `plumb redeploy` does: what is compared is rolled out the way that the project is, by its GitHub workflow, by
    /// its pipeline, or by change sets, one stack after the other, what was changed by hand included.
    Redeploy {
        /// By change sets, after which stack it goes on, and with which commit; `None`: it begins.
        after: Option<(String, String)>,
    },
    /// A commit of one stack is rolled out by a change set.
    Deploy {
        /// The stack.
        stack: String,
        /// An earlier commit; `None`: that which is compared.
        to: Option<String>,
        /// What is put back.
        revert: Revert,
    },
    /// What is under way is taken back.
    Cancel(String),
    /// The way out of where it is stuck is taken.
    Recover {
        /// The stack.
        stack: String,
        /// Whether what holds it there is skipped, or left behind.
        leave: bool,
    },
    /// A function's alias serves its previous version: the stack and the function, with a slash between.
    Turn(String),
}

/// What is put back of what was changed by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revert {
    /// Nothing.
    Nothing,
    /// All of the stack.
    All,
    /// This resource, by its logical id, to what the stack runs; and nothing else is done.
    One(String),
}

impl Way {
    pub(super) fn title(&self) -> &'static str {
        match self {
            Self::Deploy { revert: Revert::One(_), .. } => "REVERT PLAN",
            Self::Redeploy { .. } | Self::Deploy { to: None, .. } => "DEPLOY PLAN",
            Self::Deploy { to: Some(_), .. } => "ROLLBACK PLAN",
            Self::Cancel(_) => "CANCEL PLAN",
            Self::Recover { .. } => "RECOVERY PLAN",
            Self::Turn(_) => "ALIAS PLAN",
        }
    }
}

/// What was worked out.
#[derive(Debug, Clone, PartialEq)]
pub enum Rollout {
    /// A change set that waits.
    Deploy(Box<Deployment>),
    /// A workflow that would be asked.
    Redeploy(Redeploy),
    /// A pipeline that would be asked.
    Pipeline(Piping),
    /// What is taken back.
    Cancel(Operation),
    /// The way out.
    Recover(Recovery),
    /// The alias.
    Turn(Turn),
}

impl Rollout {
    /// The stack's name; of a redeploy what stands for all of them.
    #[must_use]
    pub fn stack(&self) -> &str {
        match self {
            Self::Deploy(deployment) => &deployment.stack,
            Self::Redeploy(_) => WORKFLOW,
            Self::Pipeline(_) => PIPELINE,
            Self::Cancel(operation) => &operation.stack,
            Self::Recover(recovery) => &recovery.stack.name,
            Self::Turn(turn) => turn.name.split('/').next().unwrap_or(&turn.name),
        }
    }

    /// What goes on then, in a word.
    pub(in crate::console) fn doing(&self) -> &'static str {
        match self {
            Self::Deploy(_) => "deploying",
            Self::Redeploy(_) => "redeploying by",
            Self::Pipeline(_) => "asking",
            Self::Cancel(_) => "taking back",
            Self::Recover(_) => "recovering",
            Self::Turn(_) => "turning the alias of",
        }
    }
}

/// A deployment whose change set waits in the account.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// The stack.
    pub stack: String,
    /// The commit.
    pub commit: Option<Commit>,
    /// The change set's name, by which the backend finds its draft again.
    pub change_set: String,
    /// What it does.
    pub plan: deploy::Plan,
    /// The one resource that is put back, where nothing else is done.
    pub only: Option<String>,
    /// Of a redeploy, the stacks that come after this one, each with a plan of its own; `None`: it is this one's alone.
    pub rest: Option<Vec<String>>,
}

impl PartialEq for Deployment {
    fn eq(&self, other: &Self) -> bool {
        // A change set is worked out once, and never changes.
        self.change_set == other.change_set && self.stack == other.stack
    }
}

/// The changes as they are drawn.
pub(in crate::console) fn rows(deployment: &Deployment, print: &Fingerprinter) -> Vec<SheetRow> {
    let plan = &deployment.plan;
    let drift = plan.drift.iter().map(|drift| drifted(drift, print));
    let back = plan.put_back.iter().map(put_back);
    plan.changes.iter().flat_map(|it| changed(it, print)).chain(drift).chain(back).collect()
}

fn put_back(one: &PutBack) -> SheetRow {
    let type_name = one.type_name.strip_prefix("AWS::").unwrap_or(&one.type_name);
    SheetRow {
        sign: '~',
        texts: [format!("put back  {}", one.logical_id), type_name.to_owned(), one.what()],
        ..SheetRow::default()
    }
}

fn side(facet: &Facet, print: &Fingerprinter) -> String {
    match facet {
        Facet::Unread => String::from("..."),
        Facet::Unreadable(why) => format!("? {}", why.reason),
        facet => masked(facet, print),
    }
}

fn changed(change: &Change, print: &Fingerprinter) -> Vec<SheetRow> {
    let (sign, word) = match (change.act, change.replacement) {
        (Act::Modify, Replacement::Yes) => ('!', "replace"),
        (Act::Add | Act::Import, _) => ('+', change.act.word()),
        (Act::Remove, _) => ('-', change.act.word()),
        _ => ('~', change.act.word()),
    };
    let replacement = match change.replacement {
        Replacement::No => String::new(),
        replacement => format!("replacement: {}", replacement.word()),
    };
    let type_name = change.type_name.strip_prefix("AWS::").unwrap_or(&change.type_name);
    let loss = change.loss().map(|loss| if change.destroys() { ('!', format!("lost: {loss}")) } else { ('-', loss) });
    let head = SheetRow {
        sign,
        texts: [format!("{word}  {}", change.logical_id), type_name.to_owned(), replacement],
        notes: loss.into_iter().collect(),
        ..SheetRow::default()
    };
    let property = |property: &Property| {
        let because = property.because.as_ref().map(|because| ('i', format!("because of {because}")));
        let recreates = property.recreates.then(|| ('!', String::from("makes a new resource")));
        SheetRow {
            sign: ' ',
            texts: [property.path.clone(), side(&property.before, print), side(&property.after, print)],
            notes: because.into_iter().chain(recreates).collect(),
            ..SheetRow::default()
        }
    };
    std::iter::once(head).chain(change.properties.iter().map(property)).collect()
}

fn drifted(drift: &Drifted, print: &Fingerprinter) -> SheetRow {
    let (name, live, expected) = if drift.path.is_empty() {
        (drift.logical_id.clone(), String::from("deleted"), String::from("there"))
    } else {
        let name = format!("{}.{}", drift.logical_id, drift.path);
        (name, side(&drift.live, print), side(&drift.expected, print))
    };
    let note = format!("changed by hand, which {}", drift.what.word());
    SheetRow {
        sign: '!',
        texts: [format!("by hand  {name}"), live, expected],
        notes: vec![('!', note)],
        ..SheetRow::default()
    }
}

/// A plan as it is drawn; `rows` were made when it came.
pub(super) fn sheet(rollout: &Rollout, rows: &[SheetRow]) -> Sheet {
    match rollout {
        Rollout::Deploy(deployment) => deploying(deployment, rows),
        Rollout::Redeploy(redeploy) => asked::workflow(redeploy),
        Rollout::Pipeline(piping) => asked::pipeline(piping),
        Rollout::Cancel(operation) => cancelling(operation),
        Rollout::Recover(recovery) => recovering(recovery),
        Rollout::Turn(turn) => turning(turn),
    }
}

fn deploying(deployment: &Deployment, rows: &[SheetRow]) -> Sheet {
    let Deployment { stack, commit, plan, only, rest, .. } = deployment;
    let short = |id: &str| crate::console::text::short(id);
    let runs = plan.runs.as_ref().map(|runs| format!("   (it runs {})", short(runs))).unwrap_or_default();
    let from = commit.as_ref().map_or_else(String::new, |commit| {
        format!("{} {}  \"{}\"{runs}", commit.reference, short(&commit.id), commit.subject)
    });
    let [add, modify, replace, remove] = plan.counts();
    let counts = format!("{stack}   {add} add   {modify} modify   {replace} replace   {remove} remove");
    let mut facts = vec![("from", from), ("stack", counts)];
    facts.extend(only.iter().map(|only| ("only", format!("{only}, to what the stack runs"))));
    let rest = rest.as_ref().filter(|rest| !rest.is_empty());
    facts.extend(rest.map(|rest| ("then", format!("{}, each by a plan of its own", rest.join(", ")))));
    let lost: Vec<&str> =
        plan.changes.iter().filter(|change| change.destroys()).map(|change| change.logical_id.as_str()).collect();
    if !lost.is_empty() {
        facts.push(("lost", format!("what {} holds, and nothing brings it back", lost.join(", "))));
    }
    let widened: BTreeSet<&str> = plan.widened.iter().map(|row| row.logical_id.as_str()).collect();
    if !widened.is_empty() {
        let names: Vec<&str> = widened.into_iter().collect();
        facts.push(("allows", format!("more than now, by {}", names.join(", "))));
    }
    let mut notes: Vec<(char, String)> = Vec::new();
    notes.extend(
        plan.widened
            .iter()
            .map(|row| ('!', format!("more is allowed: {} ({}) {}", row.logical_id, row.type_name, row.what))),
    );
    notes.extend(plan.left.iter().map(|why| {
        let hint = why.hint.as_ref().map(|hint| format!(" (try: {hint})")).unwrap_or_default();
        ('?', format!("{}{hint}", why.reason))
    }));
    notes.extend(plan.warnings.iter().map(|warning| ('!', warning.clone())));
    let is_direct = plan.changes.is_empty() && !plan.put_back.is_empty();
    let verb = match (plan.is_empty(), plan.creates) {
        (true, _) => format!("write the receipt of {stack}"),
        (false, true) => format!("make {stack}"),
        (false, false) if is_direct || only.is_some() => {
            format!("put back what was changed by hand in {}", only.as_ref().unwrap_or(stack))
        }
        (false, false) => format!("change {stack}"),
    };
    if plan.is_empty() {
        let nothing = match only {
            Some(only) if plan.left.is_empty() => format!("nothing to change: nothing of {only} was changed by hand"),
            Some(only) => format!("nothing of {only} can be put back"),
            None => String::from("nothing to change: the stack is what the commit describes"),
        };
        notes.push(('i', nothing));
    } else if is_direct {
        notes.push(('i', String::from("CloudFormation finds nothing to change, so it is put back without it")));
    } else {
        notes.push(('i', String::from("left, its change set is deleted; confirmed, it goes on without plumb")));
    }
    Sheet {
        facts,
        heads: if rows.is_empty() { Default::default() } else { ["RESOURCE", "LIVE NOW", "WILL BE"] },
        wide: true,
        rows: rows.to_vec(),
        notes,
        verb,
        done: format!("{stack} is deployed"),
        ..Sheet::default()
    }
}

fn cancelling(operation: &Operation) -> Sheet {
    let stack = &operation.stack;
    Sheet {
        facts: vec![("stack", stack.clone()), ("since", schema::time(operation.since)), ("by", whose(operation))],
        notes: vec![
            ('!', String::from("CloudFormation rolls back what it has changed so far")),
            ('i', String::from("only an update can be taken back; a stack that is being made cannot")),
        ],
        verb: format!("take back what is under way with {stack}"),
        done: format!("what was under way with {stack} is taken back"),
        ..Sheet::default()
    }
}

/// Whose operation it is, as far as that is known.
pub(in crate::console) fn whose(operation: &Operation) -> String {
    match operation.token.as_deref().and_then(|token| token.strip_prefix("plumb-")) {
        Some(id) => format!("a plumb (journal {id})"),
        None => String::from("somebody else, not plumb"),
    }
}

fn recovering(recovery: &Recovery) -> Sheet {
    let (matter, way) = recovery.stuck.told();
    let (info, wish) = (&recovery.stack, &recovery.wish);
    let row = |held: &deploy::Held| {
        let is_left = wish.skip.contains(&held.logical_id) || wish.retain.contains(&held.logical_id);
        let fate = if is_left { "left as it is" } else { "" };
        SheetRow {
            sign: if is_left { '.' } else { '!' },
            texts: [held.logical_id.clone(), held.status.clone(), fate.to_owned()],
            notes: held.reason.iter().map(|reason| ('i', reason.clone())).collect(),
            ..SheetRow::default()
        }
    };
    let mut notes = Vec::new();
    if recovery.stuck.deletes() {
        notes.push(('!', String::from("the stack is deleted; a deployment makes it anew")));
    }
    if recovery.stuck.deletes() && info.termination_protection {
        notes.push(('!', String::from("it is protected from deletion: that protection is taken off first")));
    }
    Sheet {
        facts: vec![("stack", format!("{}   {}", info.name, info.status)), ("matter", matter.to_owned())],
        heads: if recovery.resources.is_empty() { Default::default() } else { ["RESOURCE", "IS", "WILL BE"] },
        wide: true,
        rows: recovery.resources.iter().map(row).collect(),
        notes,
        verb: way.to_owned(),
        done: format!("{} is no longer stuck", info.name),
        ..Sheet::default()
    }
}

fn turning(turn: &Turn) -> Sheet {
    let code = match turn.changes_code {
        Some(true) => ('i', String::from("its code is another than what is served now")),
        Some(false) => ('i', String::from("its code is the same as what is served now")),
        None => ('i', String::from("several versions are served now")),
    };
    let note =
        "git still says the other version: the workflow and the loop undo this, unless a hold keeps them from it";
    Sheet {
        facts: vec![("function", turn.function.clone())],
        heads: ["ALIAS", "SERVES NOW", "WILL SERVE"],
        rows: vec![SheetRow {
            sign: '~',
            texts: [turn.alias.clone(), turn.from.clone(), turn.to.number.to_string()],
            ..SheetRow::default()
        }],
        notes: vec![code, ('i', String::from(note))],
        verb: format!("let {} serve version {}", turn.alias, turn.to.number),
        done: format!("{} serves version {}", turn.alias, turn.to.number),
        ..Sheet::default()
    }
}
