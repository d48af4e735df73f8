//! A plan of writes and what came of it, for people. Values are masked.

use std::collections::BTreeSet;
use std::io::{self, Write};

use crate::cli::clean;
use crate::cli::markdown::section;
use crate::cli::table::Table;
use crate::compare::{Facet, Fingerprinter, Why, masked};
use crate::ops::journal::{Act, Action};
use crate::ops::push::{Change, Kept, Plan, Pushed};
use crate::ops::report::Identity;
use crate::ops::session::Session;

/// What confirming a plan would do.
pub(super) fn intent(plan: &Plan) -> String {
    let verb = match plan.action {
        Action::Undo => "take back",
        Action::Rollback => "roll back",
        _ => "write",
    };
    match plan.changes.len() {
        0 => format!("{verb} {} receipts", plan.records().len()),
        1 => format!("{verb} 1 item"),
        count => format!("{verb} {count} items"),
    }
}

/// Where a plan leads, and as whom.
pub(in crate::cli) fn destination(session: &Session, writer: &Identity) -> String {
    let environment = session.environment();
    format!(
        "to    {}   account {}   {}   {}   protection {}",
        clean(&environment.name),
        clean(&writer.account),
        clean(&writer.region),
        clean(&writer.arn),
        environment.protection.word()
    )
}

/// A plan.
pub(super) fn plan(out: &mut impl Write, session: &Session, plan: &Plan) -> io::Result<()> {
    writeln!(out, "{}", destination(session, &plan.writer))?;
    match &plan.commit {
        Some(commit) => {
            let short = commit.id.get(..7).unwrap_or(&commit.id);
            writeln!(out, "from  {} {short}  \"{}\"", clean(&plan.reference), clean(&commit.subject))?;
        }
        None => writeln!(out, "from  {}", clean(&plan.reference))?,
    }
    let (create, update, delete) = plan.counts();
    let kept = plan.kept.len();
    writeln!(out, "{create} create   {update} update   {delete} delete   {kept} kept   {} untouched", plan.untouched)?;
    for change in &plan.changes {
        self::change(out, &session.fingerprinter, change)?;
    }
    self::kept(out, '.', &plan.kept)?;
    self::kept(out, '?', &plan.unknown)?;
    for problem in &plan.problems {
        writeln!(out, "? {}   {}", clean(&problem.subject), told(&problem.why))?;
    }
    if !plan.records().is_empty() {
        writeln!(out, "  receipts: {}", clean(&plan.records().join(", ")))?;
    }
    for restart in plan.restarting(&BTreeSet::new()) {
        writeln!(out, "  {} {}", if restart.way.is_ok() { '>' } else { '.' }, clean(&restart.told()))?;
    }
    if !plan.changes.is_empty() {
        writeln!(out, "  {}", plan.pace(&BTreeSet::new()))?;
    }
    for warning in &plan.warnings {
        writeln!(out, "! {}", clean(warning))?;
    }
    if plan.is_empty() {
        writeln!(out, "nothing to write")?;
    }
    Ok(())
}

/// A plan that was only worked out, for a pull request.
pub(super) fn markdown(out: &mut impl Write, session: &Session, plan: &Plan) -> io::Result<()> {
    let mut text = Vec::new();
    self::plan(&mut text, session, plan)?;
    let what = match plan.changes.len() {
        0 => "nothing to push".to_owned(),
        1 => "1 value to push".to_owned(),
        count => format!("{count} values to push"),
    };
    let heading = format!("{}: {what}", session.environment().name);
    write!(out, "{}", section(&heading, &String::from_utf8_lossy(&text)))
}

fn change(out: &mut impl Write, print: &Fingerprinter, change: &Change) -> io::Result<()> {
    let step = &change.step;
    let sign = match step.act {
        Act::Create => '+',
        Act::Update | Act::Restore => '~',
        Act::Delete => '-',
    };
    let version = change.version().map(|version| format!("  {version}")).unwrap_or_default();
    let only = change.only.map(|only| format!("   {only}")).unwrap_or_default();
    writeln!(
        out,
        "  {sign} {}  {}   {}{version}  ->  {}{only}",
        step.act.word(),
        clean(&step.name),
        side(&change.before, print),
        side(&change.after, print)
    )?;
    let notes = change.notes.iter().cloned().chain(change.read_by()).map(|note| ('i', note));
    for (sign, note) in change.loss().map(|loss| ('!', loss)).into_iter().chain(notes) {
        writeln!(out, "      {sign} {}", clean(&note))?;
    }
    Ok(())
}

fn side(facet: &Facet, print: &Fingerprinter) -> String {
    // What anybody may see is shown as it is: it is not masked anywhere else either.
    clean(&masked(facet, print))
}

fn kept(out: &mut impl Write, sign: char, kept: &[Kept]) -> io::Result<()> {
    let mut table = Table::new();
    for item in kept {
        table.row([format!("{sign} {}", clean(&item.name)), told(&item.why)]);
    }
    table.print(out, "  ")
}

fn told(why: &Why) -> String {
    let hint = why.hint.as_ref().map(|hint| format!(" (try: {})", clean(hint))).unwrap_or_default();
    format!("{}{hint}", clean(&why.reason))
}

/// What a write did: what was written and what was not.
pub(super) fn done(out: &mut impl Write, session: &Session, done: &Pushed) -> io::Result<()> {
    for written in &done.written {
        let version = written.version.as_deref().unwrap_or_default();
        writeln!(out, "  = {}  {}  {}", written.past(), clean(&written.name), clean(version))?;
    }
    for restarted in &done.restarted {
        writeln!(out, "  = restarted  {}  {}", clean(&restarted.name), clean(&restarted.told()))?;
    }
    for race in &done.races {
        writeln!(out, "  ! {}   {} (try: {})", clean(&race.name), clean(&race.told), clean(&race.hint))?;
    }
    for (name, why) in done.failed.iter().chain(&done.stale) {
        writeln!(out, "  ? {}   {}", clean(name), told(why))?;
    }
    for note in &done.notes {
        writeln!(out, "  i {}", clean(note))?;
    }
    let (written, failed) = (done.written.len(), done.failed.len());
    let undo = if written > 0 { format!("   plumb undo {} takes it back", done.id) } else { String::new() };
    writeln!(out, "{}: {written} written, {failed} not{undo}", clean(&session.environment().name))
}
