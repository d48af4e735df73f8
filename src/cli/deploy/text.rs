//! A deployment for people: what it would do, and what came of it. Secrets are masked.

use std::io::{self, Write};

use super::Done;
use crate::cli::clean;
use crate::cli::markdown::section;
use crate::cli::push::destination;
use crate::cli::table::Table;
use crate::compare::{Facet, Fingerprinter, masked};
use crate::ops::deploy::{Act, Change, Deployed, Draft, Ended, Plan, Property, Replacement};
use crate::ops::schema::time;
use crate::ops::session::Session;

/// What confirming a plan would do.
pub(super) fn intent(draft: &Draft, plan: &Plan) -> String {
    let stack = draft.stack();
    let resources = if plan.changes.len() == 1 { "resource" } else { "resources" };
    if plan.changes.is_empty() && !plan.put_back.is_empty() {
        return format!("put back {} of {stack}", put_back(plan).join(", "));
    }
    match (plan.is_empty(), plan.creates) {
        (true, _) => format!("write the receipt of {stack}"),
        (false, true) => format!("make {stack} of {} {resources}", plan.changes.len()),
        (false, false) => format!("change {} {resources} of {stack}", plan.changes.len()),
    }
}

/// What is put back without CloudFormation, each resource once.
fn put_back(plan: &Plan) -> Vec<&str> {
    let mut ids: Vec<&str> = plan.put_back.iter().map(|one| one.logical_id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// A plan.
pub(super) fn plan(out: &mut impl Write, session: &Session, draft: &Draft, plan: &Plan) -> io::Result<()> {
    let short = |id: &str| id.get(..7).unwrap_or(id).to_owned();
    writeln!(out, "{}", destination(session, &draft.writer))?;
    let runs = plan.runs.as_ref().map(|runs| format!("   ({} runs {})", draft.stack(), short(runs)));
    match &draft.commit {
        Some(commit) => {
            let (reference, subject) = (clean(&commit.reference), clean(&commit.subject));
            let runs = clean(&runs.unwrap_or_default());
            writeln!(out, "from  {reference} {}  \"{subject}\"{runs}", short(&commit.id))?;
        }
        None => writeln!(out, "from  a template of plumb's own")?,
    }
    let stack = clean(draft.stack());
    if plan.is_empty() {
        writeln!(out, "{stack}   nothing to change")?;
    } else if plan.changes.is_empty() && !plan.put_back.is_empty() {
        writeln!(out, "{stack}   nothing to change   {} put back without CloudFormation", plan.put_back.len())?;
    } else {
        let [add, modify, replace, remove] = plan.counts();
        let verb = if plan.creates { "create" } else { "update" };
        writeln!(out, "{stack}   {verb}   {add} add   {modify} modify   {replace} replace   {remove} remove")?;
    }
    changes(out, &plan.changes)?;
    properties(out, &plan.changes, &session.fingerprinter)?;
    for (destroys, loss) in plan.losses() {
        writeln!(out, "{} {}", if destroys { "! lost:" } else { "- gone:" }, clean(&loss))?;
    }
    for widening in &plan.widened {
        let (id, type_name, what) = (clean(&widening.logical_id), clean(&widening.type_name), clean(&widening.what));
        writeln!(out, "! more is allowed: {id} ({type_name}) {what}")?;
    }
    drift(out, plan, &session.fingerprinter)?;
    for one in &plan.put_back {
        let (id, name, what) = (clean(&one.logical_id), clean(&one.physical_id), clean(&one.what()));
        writeln!(out, "~ put back  {id}   {}   {name}   {what}", clean(&one.type_name))?;
    }
    for why in &plan.left {
        let hint = why.hint.as_ref().map(|hint| format!(" (try: {})", clean(hint))).unwrap_or_default();
        writeln!(out, "? {}{hint}", clean(&why.reason))?;
    }
    for warning in &plan.warnings {
        writeln!(out, "! {}", clean(warning))?;
    }
    Ok(())
}

fn changes(out: &mut impl Write, changes: &[Change]) -> io::Result<()> {
    let mut table = Table::new();
    for change in changes {
        let (sign, word) = match (change.act, change.replacement) {
            (Act::Modify, Replacement::Yes) => ('±', "replace"),
            (Act::Modify, Replacement::Perhaps) => ('±', "modify"),
            (act @ (Act::Add | Act::Import), _) => ('+', act.word()),
            (act @ Act::Remove, _) => ('-', act.word()),
            (act, _) => ('~', act.word()),
        };
        let replacement = match change.replacement {
            Replacement::No => String::new(),
            replacement => format!("replacement {}", replacement.word()),
        };
        let name = change.physical_id.as_deref().map(clean).unwrap_or_default();
        table.row([format!("{sign} {word}"), clean(&change.logical_id), clean(&change.type_name), name, replacement]);
    }
    table.print(out, "  ")
}

fn properties(out: &mut impl Write, changes: &[Change], print: &Fingerprinter) -> io::Result<()> {
    let mut table = Table::new();
    for change in changes {
        for property in &change.properties {
            let name = format!("{}.{}", change.logical_id, property.path);
            table.row([clean(&name), told(property, print), clean(&notes(property))]);
        }
    }
    table.print(out, "    ")
}

fn told(property: &Property, print: &Fingerprinter) -> String {
    match (&property.before, &property.after) {
        (Facet::Unread, Facet::Unread) => "changes".to_owned(),
        (before, Facet::Unreadable(why)) => format!("{}  ->  {}", side(before, print), clean(&why.reason)),
        (before, after) => format!("{}  ->  {}", side(before, print), side(after, print)),
    }
}

fn side(facet: &Facet, print: &Fingerprinter) -> String {
    match facet {
        Facet::Unread => "…".to_owned(),
        facet => clean(&masked(facet, print)),
    }
}

fn notes(property: &Property) -> String {
    let because = property.because.as_ref().map(|because| format!("because of {because}"));
    let recreates = property.recreates.then(|| "makes a new resource".to_owned());
    because.into_iter().chain(recreates).collect::<Vec<_>>().join(", ")
}

fn drift(out: &mut impl Write, plan: &Plan, print: &Fingerprinter) -> io::Result<()> {
    for drift in &plan.drift {
        let id = clean(&drift.logical_id);
        if drift.path.is_empty() {
            writeln!(out, "! by hand: {id} was deleted, {}", drift.deleted())?;
            continue;
        }
        let (live, expected) = (side(&drift.live, print), side(&drift.expected, print));
        let (path, what) = (clean(&drift.path), drift.what.word());
        writeln!(out, "! by hand: {id}.{path} is {live}, not {expected}, which {what}")?;
    }
    match plan.drift_checked_at {
        Some(at) if !plan.drift.is_empty() => writeln!(out, "  drift as it was found {}", time(at)),
        _ => Ok(()),
    }
}

/// Plans that were only worked out, for a pull request.
pub(super) fn markdown(out: &mut impl Write, session: &Session, all: &[Done]) -> io::Result<()> {
    let environment = &session.environment().name;
    if all.is_empty() {
        return writeln!(out, "### {environment}: there are no stacks\n");
    }
    for done in all {
        let Some((draft, plan)) = &done.plan else {
            write!(
                out,
                "{}",
                section(&format!("{environment}: {} cannot be planned", done.stack), "the log says why")
            )?;
            continue;
        };
        let mut text = Vec::new();
        self::plan(&mut text, session, draft, plan)?;
        let what = match plan.changes.len() {
            _ if plan.is_empty() => "nothing to change".to_owned(),
            1 => "1 resource to change".to_owned(),
            count => format!("{count} resources to change"),
        };
        let heading = format!("{environment}: {}, {what}", done.stack);
        write!(out, "{}", section(&heading, &String::from_utf8_lossy(&text)))?;
    }
    Ok(())
}

/// What a deployment did.
pub(super) fn done(out: &mut impl Write, done: &Deployed) -> io::Result<()> {
    let stack = clean(&done.stack);
    for (name, version) in &done.functions {
        writeln!(out, "  = serves  {}  {}", clean(name), clean(version))?;
    }
    for note in &done.notes {
        writeln!(out, "  i {}", clean(note))?;
    }
    for (name, value) in &done.outputs {
        writeln!(out, "  {} = {}", clean(name), clean(value))?;
    }
    for why in done.failed.iter().chain(&done.left) {
        let hint = why.hint.as_ref().map(|hint| format!(" (try: {})", clean(hint))).unwrap_or_default();
        writeln!(out, "  ? {}{hint}", clean(&why.reason))?;
    }
    let idle = if done.put_back.is_empty() { "nothing to change" } else { "put back" };
    let status = done.status.as_deref().unwrap_or(idle);
    let took = done.took.map(|took| format!("   {} s", (took + 500) / 1000)).unwrap_or_default();
    let receipt = match done.commit.as_deref() {
        Some(commit) if done.recorded => format!("   receipt {}", commit.get(..7).unwrap_or(commit)),
        Some(_) => "   no receipt".to_owned(),
        None => String::new(),
    };
    writeln!(out, "{stack}: {}{took}{receipt}", clean(status))
}

/// How an operation of whomever ended.
pub(super) fn ended(out: &mut impl Write, stack: &str, ended: &Ended) -> io::Result<()> {
    writeln!(out, "{}: {}   {} s", clean(stack), clean(&ended.status), (ended.took + 500) / 1000)
}
