//! One environment as text.

use std::io::Write;

use crate::cli::table::Table;
use crate::cli::{brief, clean};
use crate::compare::{Item, Kind, Tally, Verdict};
use crate::ops::report::{Commit, Report, Section, Unit};
use crate::ops::schema;

/// The status of a stack that is not there.
const ABSENT: &str = "does not exist";
/// Characters of a commit's subject: what git itself advises, and half as much again.
pub(super) const SUBJECT: usize = 100;
/// The status of a stack that AWS did not tell of.
const UNREAD: &str = "could not be read";

pub(in crate::cli) fn text(
    out: &mut impl Write,
    report: &Report,
    shown: &dyn Fn(&Item) -> bool,
) -> std::io::Result<()> {
    header(out, report)?;
    writeln!(out)?;
    let cause = common_cause(report);
    for (kind, section) in &report.sections {
        match section {
            Ok(section) => {
                writeln!(out, "  {:<11} {}", plural(*kind), counts(section))?;
                if *kind == Kind::Stack {
                    drift(out, section, report.read_at)?;
                }
            }
            Err(why) if cause.as_deref().is_some_and(|cause| why.reason.ends_with(cause)) => {
                writeln!(out, "  {:<11} ? could not be read", plural(*kind))?;
            }
            Err(why) => writeln!(out, "  {:<11} ? {}", plural(*kind), clean(&why.reason))?,
        }
    }
    list(out, report, shown)?;
    notes(out, report)?;
    unrecorded(out, report)?;
    failures(out, report)
}

/// The items, what needs the operator most first. Items that are unknown for the same reason are one line.
fn list(out: &mut impl Write, report: &Report, shown: &dyn Fn(&Item) -> bool) -> std::io::Result<()> {
    let mut items: Vec<&Item> = report.items().filter(|item| shown(item)).collect();
    items.sort_by_key(|item| std::cmp::Reverse(item.verdict.weight()));
    if items.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let mut table = Table::new();
    let mut told: Vec<(Kind, String)> = Vec::new();
    for item in &items {
        let reason = reason(item);
        let mut name = clean(&item.name);
        if matches!(item.verdict, Verdict::Unknown(_)) {
            let same = (item.kind, reason.clone());
            if told.contains(&same) {
                continue;
            }
            let alike = |other: &&&Item| {
                matches!(other.verdict, Verdict::Unknown(_)) && (other.kind, self::reason(other)) == same
            };
            let others = items.iter().filter(alike).count() - 1;
            if others > 0 {
                name = format!("{name}  +{others}");
            }
            told.push(same);
        }
        table.row([
            format!("{} {}", item.verdict.symbol(), item.verdict.word()),
            item.kind.code().to_owned(),
            name,
            changed(item),
            clean(&reason),
        ]);
    }
    table.print(out, "  ")
}

/// What to know that is no failure.
pub(in crate::cli) fn notes(out: &mut impl Write, report: &Report) -> std::io::Result<()> {
    if !report.notes.is_empty() {
        writeln!(out)?;
    }
    report.notes.iter().try_for_each(|note| writeln!(out, "  i {}", clean(note)))
}

/// Where no receipt says what was rolled out, values had to be compared, and nobody can say who moved.
fn unrecorded(out: &mut impl Write, report: &Report) -> std::io::Result<()> {
    let sections = report.sections.iter().filter_map(|(_, section)| section.as_ref().ok());
    let mut units: Vec<&str> = sections
        .flat_map(|section| &section.units)
        .filter(|unit| unit.runs.is_none() && was_read(unit))
        .map(|unit| unit.name.as_str())
        .collect();
    units.dedup();
    if units.is_empty() || report.commit.as_ref().is_ok_and(|commit| commit.id.is_empty()) {
        return Ok(());
    }
    writeln!(out)?;
    writeln!(
        out,
        "  i no receipt of {}: values were compared, and nobody can say who moved",
        clean(&units.join(", "))
    )?;
    writeln!(out, "    try: plumb record --env {}", clean(&report.environment))
}

/// Failures that are not one item's, each with what to try.
pub(in crate::cli) fn failures(out: &mut impl Write, report: &Report) -> std::io::Result<()> {
    let failures = schema::failures(report);
    if !failures.is_empty() {
        writeln!(out)?;
    }
    let cause = common_cause(report);
    for (subject, why) in failures {
        // Told once, with the account.
        if subject != "account" && cause.as_deref().is_some_and(|cause| why.reason.ends_with(cause)) {
            continue;
        }
        writeln!(out, "  ? {}: {}", clean(&subject), clean(&why.reason))?;
        if let Some(hint) = &why.hint {
            writeln!(out, "    try: {}", clean(hint))?;
        }
    }
    Ok(())
}

/// Why nobody answered who is asking: what fails for the same reason needs no word of its own.
fn common_cause(report: &Report) -> Option<String> {
    let why = report.identity.as_ref().err()?;
    why.reason.split_once(": ").map(|(_, cause)| cause.to_owned()).filter(|cause| !cause.is_empty())
}

/// Who asks what of where.
pub(in crate::cli) fn header(out: &mut impl Write, report: &Report) -> std::io::Result<()> {
    match &report.identity {
        Ok(identity) => writeln!(
            out,
            "{}   account {}   {}   {}",
            clean(&report.environment),
            clean(&identity.account),
            clean(&identity.region),
            clean(&identity.arn)
        )?,
        Err(_) => writeln!(out, "{}   account unknown", clean(&report.environment))?,
    }
    if let Ok(commit) = &report.commit {
        let id = commit.id.get(..7).unwrap_or(&commit.id);
        writeln!(out, "git {} {id} \"{}\"", clean(&commit.reference), brief(&commit.subject, SUBJECT))?;
        if !commit.id.is_empty() {
            writeln!(out, "    {}", about(commit, report.read_at))?;
        }
    }
    Ok(())
}

/// By whom, how old, and how sure it is that this is the newest.
fn about(commit: &Commit, now: i64) -> String {
    let mut parts = vec![format!("by {}, {}", clean(&commit.author), ago(commit.at, now))];
    let counts = [(commit.ahead, "ahead"), (commit.behind, "behind")];
    let counts: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    if !counts.is_empty() {
        parts.push(format!("HEAD is {}", counts.join(", ")));
    }
    if let Some(at) = commit.fetched_at {
        parts.push(format!("fetched {}", ago(at, now)));
    }
    if commit.dirty {
        parts.push("working tree has changes".to_owned());
    }
    parts.join("   ")
}

/// Whether the unit is there, as far as is known.
fn was_read(unit: &Unit) -> bool {
    unit.status != ABSENT && unit.status != UNREAD
}

/// How long ago something was, in the largest unit that fits; times are milliseconds.
pub(super) fn ago(at: i64, now: i64) -> String {
    let seconds = now.saturating_sub(at).max(0) / 1000;
    let units = [(86_400, "d"), (3_600, "h"), (60, "m")];
    let fits = units.iter().find(|(length, _)| seconds >= *length);
    fits.map_or_else(|| format!("{seconds} s ago"), |(length, unit)| format!("{} {unit} ago", seconds / length))
}

/// When CloudFormation last looked at each stack: what it says of drift is as old as that.
fn drift(out: &mut impl Write, section: &Section, now: i64) -> std::io::Result<()> {
    for unit in section.units.iter().filter(|unit| was_read(unit)) {
        let name = clean(&unit.name);
        match unit.drift_checked_at {
            Some(at) => writeln!(out, "    {name}: drift was detected {}", ago(at, now))?,
            None => writeln!(out, "    {name}: drift was never detected")?,
        }
    }
    Ok(())
}

fn reason(item: &Item) -> String {
    match &item.verdict {
        Verdict::Unknown(why) if item.reason.is_empty() => why.reason.clone(),
        _ => item.reason.clone(),
    }
}

/// When and by whom live was changed: `2026-11-21 09:47  oncall-mara`, in UTC.
fn changed(item: &Item) -> String {
    let Some(changed) = &item.changed else { return String::new() };
    let at = changed.at.map(schema::time).unwrap_or_default();
    let minute = at.get(..16).unwrap_or(&at).replace('T', " ");
    let by = changed.by.as_deref().unwrap_or_default();
    // Of an ARN the part after the account says who it is.
    let short = by.splitn(6, ':').nth(5).unwrap_or(by);
    format!("{minute}  {}", clean(short)).trim().to_owned()
}

fn plural(kind: Kind) -> &'static str {
    match kind {
        Kind::Stack => "stacks",
        Kind::Code => "code",
        Kind::Parameter => "parameters",
        Kind::Secret => "secrets",
    }
}

pub(super) fn counts(section: &Section) -> String {
    let tally = Tally::of(&section.items);
    let parts = [
        ("=", tally.in_sync),
        ("!", tally.diverged),
        ("~", tally.drifted),
        (">", tally.pending),
        ("*", tally.differs),
        ("-", tally.git_only),
        ("?", tally.unknown),
        (".", tally.unmanaged),
        ("i", tally.ignored),
    ];
    let shown: Vec<String> =
        parts.iter().filter(|(_, count)| *count > 0).map(|(symbol, count)| format!("{symbol} {count}")).collect();
    match (shown.is_empty(), section.problems.is_empty()) {
        (true, true) => "none".to_owned(),
        (true, false) => "? could not be read".to_owned(),
        (false, _) => shown.join("   "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_its_largest_unit() {
        for (milliseconds, told) in [
            (-5, "0 s ago"),
            (59_999, "59 s ago"),
            (60_000, "1 m ago"),
            (7_200_000, "2 h ago"),
            (172_800_000, "2 d ago"),
        ] {
            assert_eq!(ago(0, milliseconds), told);
        }
    }
}
