//! A plan of values - pushed, taken back, given an earlier one, gone on with - and what came of it: as it is looked at
//! and chosen from, item by item. Values are masked before they get here.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::{Sheet, SheetRow};
use crate::compare::{Facet, Fingerprinter, Verdict, Why, masked};
use crate::console::page::ItemId;
use crate::ops::journal::{Act, Action, Entry, Mark};
use crate::ops::push::{self, Change, Kept, LEFT_OUT, Pushed};
use crate::ops::restart::{self, Restart};
use crate::ops::schema;

/// Up to so many items that are kept for the same reason are named.
const FEW: usize = 3;

/// What is to become of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Values {
    /// Live says what git says.
    Push {
        /// These items alone; empty: all.
        only: Vec<ItemId>,
        /// Whether what git no longer has is deleted.
        prune: bool,
        /// Whether the functions that read it are started anew.
        restart: bool,
    },
    /// A write is taken back: that of this entry of the journal, or the last one.
    Undo(Option<String>),
    /// An item gets the value of an earlier version of its own.
    Rollback {
        /// The item.
        name: String,
        /// The version: a parameter's number, a secret's version id.
        to: String,
    },
    /// What was cut off goes on.
    Resume,
}

impl Values {
    pub(super) fn title(&self) -> &'static str {
        match self {
            Self::Push { .. } => "PUSH PLAN",
            Self::Undo(_) => "UNDO PLAN",
            Self::Rollback { .. } => "ROLLBACK PLAN",
            Self::Resume => "RESUME PLAN",
        }
    }
}

/// The items of a plan, as they are looked at and chosen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Items {
    rows: Vec<Row>,
    /// The one that the cursor is on.
    pub line: usize,
    /// Those that are left out, by their places.
    pub left: BTreeSet<usize>,
    /// Of a deployment, what is done; of which nothing is chosen.
    changes: Vec<SheetRow>,
}

/// An item of a plan, masked.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    sign: char,
    act: Act,
    name: String,
    before: String,
    after: String,
    notes: Vec<(char, String)>,
}

impl Items {
    /// The items of a plan, all of them chosen.
    pub(in crate::console) fn of(plan: &push::Plan, print: &Fingerprinter) -> Self {
        let rows = plan.changes.iter().map(|change| Row::of(change, print)).collect();
        Self { rows, ..Self::default() }
    }

    /// The changes of a deployment.
    pub(in crate::console) fn of_changes(changes: Vec<SheetRow>) -> Self {
        Self { changes, ..Self::default() }
    }

    pub(super) fn changes(&self) -> &[SheetRow] {
        &self.changes
    }

    /// How many there are.
    pub(in crate::console) fn count(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub(in crate::console) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many are chosen.
    fn chosen(&self) -> usize {
        self.rows.len() - self.left.len()
    }

    /// Leaves the item under the cursor out, or takes it in again.
    pub(in crate::console) fn toggle(&mut self) {
        if !self.left.remove(&self.line) && self.line < self.rows.len() {
            self.left.insert(self.line);
        }
    }

    /// Leaves out what was left out of an earlier plan, by its names.
    pub(in crate::console) fn leave(&mut self, before: &Self) {
        let left: BTreeSet<&str> =
            before.left.iter().filter_map(|at| before.rows.get(*at)).map(|row| &*row.name).collect();
        let rows = self.rows.iter().enumerate();
        self.left = rows.filter(|(_, row)| left.contains(row.name.as_str())).map(|(at, _)| at).collect();
        self.line = before.line.min(self.rows.len().saturating_sub(1));
    }

    /// Leaves all of them out, or, where some are left out, takes all in again.
    pub(in crate::console) fn toggle_all(&mut self) {
        self.left = if self.left.is_empty() { (0..self.rows.len()).collect() } else { BTreeSet::new() };
    }
}

impl Row {
    fn of(change: &Change, print: &Fingerprinter) -> Self {
        let side = |facet: &Facet| match facet {
            Facet::Unreadable(why) => format!("? {}", why.reason),
            facet => masked(facet, print),
        };
        let act = change.step.act;
        let sign = match (act, &change.verdict) {
            (Act::Create, _) => '+',
            (Act::Delete, _) => '-',
            (_, Some(Verdict::Pending)) => '>',
            (_, Some(Verdict::Diverged)) => '!',
            (_, Some(Verdict::Differs)) => '*',
            (Act::Update | Act::Restore, _) => '~',
        };
        let version = change.version().map(|version| format!("  {version}")).unwrap_or_default();
        let only = change.only.map(|only| format!("  {only}")).unwrap_or_default();
        let notes = change.notes.iter().cloned().chain(change.read_by()).map(|note| ('i', note));
        Self {
            sign,
            act,
            name: change.step.name.clone(),
            before: format!("{}{version}", side(&change.before)),
            after: format!("{}{only}", side(&change.after)),
            notes: change.loss().map(|loss| ('!', loss)).into_iter().chain(notes).collect(),
        }
    }
}

/// How far each item is while it is written, by its name: whether it was.
pub(in crate::console) type Ended = BTreeMap<String, bool>;

/// A plan of values as it is drawn. `ended`: how far it is, once it is confirmed.
pub(super) fn sheet(plan: &push::Plan, items: &Items, ended: Option<&Ended>) -> Sheet {
    let count = |acts: &[Act]| {
        let rows = items.rows.iter().enumerate();
        rows.filter(|(at, row)| acts.contains(&row.act) && !items.left.contains(at)).count()
    };
    let counts = format!(
        "{} create   {} update   {} delete   {} left out   {} untouched",
        count(&[Act::Create]),
        count(&[Act::Update, Act::Restore]),
        count(&[Act::Delete]),
        items.left.len() + plan.kept.iter().filter(|kept| kept.why.reason == LEFT_OUT).count(),
        plan.untouched
    );
    let from = match (&plan.commit, plan.action) {
        (Some(commit), _) => {
            let short = crate::console::text::short(&commit.id);
            ("from", format!("{} {short}  \"{}\"", plan.reference, commit.subject))
        }
        (None, Action::Undo) => ("undoes", format!("the entry {} of the journal", plan.reference)),
        (None, _) => ("gives", format!("the value of {}", plan.reference)),
    };
    let row = |(at, row): (usize, &Row)| SheetRow {
        sign: match ended.map(|ended| ended.get(&row.name)) {
            _ if items.left.contains(&at) => row.sign,
            Some(Some(true)) => '=',
            Some(Some(false)) => '!',
            Some(None) => '.',
            None => row.sign,
        },
        mark: Some(!items.left.contains(&at)),
        texts: [format!("{}  {}", row.act.word(), row.name), row.before.clone(), row.after.clone()],
        notes: if items.left.contains(&at) { Vec::new() } else { row.notes.clone() },
    };
    let chosen = items.chosen();
    let records = plan.records();
    let restarts = plan.restarting(&items.left).iter().filter(|restart| restart.way.is_ok()).count();
    let mut facts = vec![from, ("plan", counts)];
    facts.extend((chosen > 0).then(|| ("takes", plan.pace(&items.left))));
    Sheet {
        facts,
        heads: if items.rows.is_empty() { Default::default() } else { ["ITEM", "LIVE NOW", "WILL BE"] },
        wide: true,
        rows: items.rows.iter().enumerate().map(row).collect(),
        cursor: ended.is_none().then_some(items.line),
        notes: notes(plan, items),
        verb: match (plan.action, chosen) {
            (Action::Undo, 0) => String::from("note that nothing of it was written"),
            (_, 0) => format!("write {}", counted(records.len(), "receipt")),
            (Action::Undo, _) => format!("take back {}", counted(chosen, "item")),
            (Action::Rollback, _) => format!("roll back {}", counted(chosen, "item")),
            _ if restarts > 0 => {
                format!("push {} and restart {}", counted(chosen, "item"), counted(restarts, "function"))
            }
            _ => format!("push {}", counted(chosen, "item")),
        },
        refused: refused(plan, items),
        ..Sheet::default()
    }
}

fn refused(plan: &push::Plan, items: &Items) -> Option<Why> {
    // What is undone although nothing of it was written is noted as that.
    let is_void = plan.undoes.is_some() && plan.kept.is_empty() && plan.unknown.is_empty();
    match items.chosen() {
        1.. => None,
        0 if !items.left.is_empty() => Some(Why::new("nothing is chosen").hint("choose an item, or leave")),
        0 if !plan.is_empty() || is_void => None,
        0 if plan.action == Action::Push && plan.unknown.is_empty() => {
            Some(Why::new("nothing to write: live is what git says"))
        }
        0 => Some(Why::new("nothing can be written")),
    }
}

/// What else is to be known of a plan, the gravest first.
fn notes(plan: &push::Plan, items: &Items) -> Vec<(char, String)> {
    let mut notes: Vec<(char, String)> = plan.warnings.iter().map(|warning| ('!', warning.clone())).collect();
    notes.extend(plan.problems.iter().map(|problem| ('?', format!("{}  {}", problem.subject, told(&problem.why)))));
    notes.extend(named('?', &plan.unknown));
    notes.extend(named('.', &plan.kept));
    if plan.action == Action::Push {
        notes.extend(readers(plan.readers(&items.left).len(), &plan.restarting(&items.left)));
    }
    let records = plan.records();
    notes.extend((!records.is_empty()).then(|| ('i', format!("receipts are written for {}", records.join(", ")))));
    notes
}

/// What becomes of the functions that read it.
fn readers(count: usize, restarting: &[&Restart]) -> Vec<(char, String)> {
    if count == 0 {
        return Vec::new();
    }
    let (verb, them) = if count == 1 { ("keeps", "it") } else { ("keep", "them") };
    let functions = counted(count, "function");
    let mut notes = vec![('i', format!("{functions} may read this, and {verb} the old values until started anew"))];
    let mark = if restarting.is_empty() { ' ' } else { 'x' };
    notes.push(('i', format!("[{mark}] restart {them} when done")));
    notes.extend(restarting.iter().map(|restart| (if restart.way.is_ok() { '>' } else { '.' }, restart.told())));
    notes
}

/// Functions that are going to be started anew, as they are drawn.
pub(super) fn restarts(plan: &restart::Plan) -> Sheet {
    let row = |restart: &Restart| match &restart.way {
        Ok(way) => {
            let (now, then) = match &way.alias {
                Some(served) => (format!("{} serves {}", served.alias, served.version), "a version like it"),
                None => (way.function.clone(), "started anew"),
            };
            SheetRow { sign: '>', texts: [restart.name.clone(), now, then.to_owned()], ..SheetRow::default() }
        }
        Err(why) => {
            let texts = [restart.name.clone(), String::from("is left"), told(why)];
            SheetRow { sign: '.', texts, ..SheetRow::default() }
        }
    };
    let count = plan.restarts.iter().filter(|restart| restart.way.is_ok()).count();
    let functions = counted(count, "function");
    let short = crate::console::text::short(&plan.commit.id);
    Sheet {
        facts: vec![
            ("item", plan.item.clone()),
            ("from", format!("{} {short}  \"{}\"", plan.reference, plan.commit.subject)),
        ],
        heads: if plan.restarts.is_empty() { Default::default() } else { ["FUNCTION", "NOW", "WILL BE"] },
        wide: true,
        rows: plan.restarts.iter().map(row).collect(),
        notes: vec![(
            'i',
            String::from("only their descriptions are changed, which no template states; no value is written"),
        )],
        verb: format!("restart {functions}"),
        done: format!("{functions} restarted"),
        refused: match (plan.restarts.is_empty(), count) {
            (true, _) => Some(Why::new("no template of the project says who reads it")),
            (false, 0) => Some(Why::new("none of them can be started anew")),
            (false, _) => None,
        },
        ..Sheet::default()
    }
}

/// Items by their reasons; of many that share one only the number.
fn named(sign: char, kept: &[Kept]) -> Vec<(char, String)> {
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    for item in kept.iter().filter(|item| item.why.reason != LEFT_OUT) {
        let told = told(&item.why);
        match reasons.iter_mut().find(|(reason, _)| *reason == told) {
            Some((_, names)) => names.push(&item.name),
            None => reasons.push((told, vec![&item.name])),
        }
    }
    let line = |(reason, names): (String, Vec<&str>)| match names.len() {
        count if count > FEW => format!("{count} items  {reason}"),
        _ => format!("{}  {reason}", names.join(", ")),
    };
    reasons.into_iter().map(|reason| (sign, line(reason))).collect()
}

fn told(why: &Why) -> String {
    // A flag of the command is a key here, which the footer names.
    let hint = why
        .hint
        .as_ref()
        .filter(|hint| !hint.starts_with("--"))
        .map(|hint| format!(" (try: {hint})"))
        .unwrap_or_default();
    format!("{}{hint}", why.reason)
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// What was cut off, as it is drawn before it goes on.
pub(super) fn cut_off(entry: &Entry, ended: Option<&Ended>) -> Sheet {
    let row = |(at, step): (usize, &crate::ops::journal::Step)| {
        let mark = entry.marks.get(&at);
        let (sign, word) = match (ended.and_then(|ended| ended.get(&step.name)), mark) {
            (Some(true), _) => ('=', "done"),
            (Some(false), _) => ('!', "failed"),
            (None, Some(Mark::Done(_))) => ('=', "done before"),
            (None, Some(Mark::Failed)) => ('!', "failed before: not tried again"),
            (None, Some(Mark::Sent)) => ('?', "may be done: it is looked at first"),
            (None, None) => ('>', "to be done"),
        };
        let texts = [step.name.clone(), step.act.word().to_owned(), word.to_owned()];
        SheetRow { sign, texts, ..SheetRow::default() }
    };
    Sheet {
        facts: vec![("what", summary(entry))],
        heads: ["ITEM", "STEP", "IS"],
        rows: entry.steps.iter().enumerate().map(row).collect(),
        notes: vec![
            ('i', String::from("what somebody else has changed since is left alone, and told")),
            ('i', format!("it can be taken back instead: from the journal, or by plumb undo {}", entry.id)),
        ],
        verb: String::from("go on with it"),
        ..Sheet::default()
    }
}

/// What is known of a write that was cut off.
pub(in crate::console) fn summary(entry: &Entry) -> String {
    let ended = entry.marks.values().filter(|mark| matches!(mark, Mark::Done(_) | Mark::Failed)).count();
    format!(
        "the {} of {} was cut off: {ended} of {} settled",
        entry.action.word(),
        schema::time(entry.at),
        entry.steps.len()
    )
}

/// What a write did, as it is drawn.
pub(super) fn result(pushed: &Pushed, items: Option<&Items>) -> Sheet {
    let counts =
        format!("{} written   {} not   {} untouched", pushed.written.len(), pushed.failed.len(), pushed.untouched);
    let done = pushed.written.iter().map(|written| SheetRow {
        sign: '=',
        texts: [
            written.name.clone(),
            written.past().to_owned(),
            written.version.as_ref().map(|version| format!("version {version}")).unwrap_or_default(),
        ],
        ..SheetRow::default()
    });
    let failed = |failed: &[(String, Why)], was: &str| {
        let row = |(name, why): &(String, Why)| SheetRow {
            sign: '?',
            texts: [name.clone(), was.to_owned(), told(why)],
            ..SheetRow::default()
        };
        failed.iter().map(row).collect::<Vec<_>>()
    };
    let not = failed(&pushed.failed, "not written").into_iter().chain(failed(&pushed.stale, "not restarted"));
    let restarted = pushed.restarted.iter().map(|restarted| SheetRow {
        sign: '=',
        texts: [restarted.name.clone(), String::from("restarted"), restarted.told()],
        ..SheetRow::default()
    });
    let left = items.into_iter().flat_map(|items| items.left.iter().filter_map(|at| items.rows.get(*at)));
    let left = left.map(|row| SheetRow {
        sign: '.',
        texts: [row.name.clone(), String::from("left out"), String::new()],
        ..SheetRow::default()
    });
    let mut notes: Vec<(char, String)> = Vec::new();
    notes.extend(pushed.races.iter().map(|race| ('!', format!("{}  {} ({})", race.name, race.told, race.hint))));
    notes.extend(pushed.notes.iter().map(|note| ('i', note.clone())));
    notes.extend(pushed.untold.iter().map(|why| ('!', why.reason.clone())));
    // What failed is what has to be read.
    let rows: Vec<SheetRow> = not.chain(done).chain(restarted).chain(left).collect();
    Sheet {
        facts: vec![("result", counts)],
        heads: if rows.is_empty() { Default::default() } else { ["ITEM", "WAS", ""] },
        rows,
        notes,
        ..Sheet::default()
    }
}

/// The same in a line.
pub(in crate::console) fn in_a_line(pushed: &Pushed) -> String {
    let written = match (pushed.written.len(), pushed.failed.len()) {
        (written, 0) => format!("{} written", counted(written, "item")),
        (written, failed) => format!("{written} written, {failed} not"),
    };
    match (pushed.restarted.len(), pushed.stale.len()) {
        (0, 0) => written,
        (restarted, 0) => format!("{written}, {} restarted", counted(restarted, "function")),
        (_, stale) => format!("{written}, {} not restarted", counted(stale, "function")),
    }
}
