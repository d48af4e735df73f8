//! From what was found to what is kept of it, and back.

use super::{Changed, Commit, Facet, File, Identity, Item, Problem, Row, Section, Sides, Unit, Verdict, Why, Word};
use crate::compare;
use crate::compare::{Fingerprinter, Kind, Rule};
use crate::ops::report;
use crate::ops::snapshot::{Kept, Snapshot};

/// Digits of a fingerprint; no more than screens show.
const DIGITS: usize = 4;

/// A section without its values.
pub(in crate::ops::snapshot) fn section(
    kind: Kind,
    section: &report::Section,
    read_at: i64,
    print: &Fingerprinter,
) -> Section {
    Section {
        kind: kind.into(),
        read_at,
        units: section.units.iter().map(Into::into).collect(),
        problems: section.problems.iter().map(Into::into).collect(),
        items: section.items.iter().map(|found| item(found, print)).collect(),
    }
}

fn item(item: &compare::Item, print: &Fingerprinter) -> Item {
    let sides = |found: &compare::Sides| Sides {
        git: facet(&found.git, item.kind, print),
        applied: facet(&found.applied, item.kind, print),
        live: facet(&found.live, item.kind, print),
    };
    Item {
        name: item.name.clone(),
        unit: item.unit.clone(),
        type_name: item.type_name.clone(),
        physical_id: item.physical_id.clone(),
        verdict: (&item.verdict).into(),
        reason: item.reason.clone(),
        sides: sides(&item.sides),
        rows: item
            .rows
            .iter()
            .map(|row| Row { path: row.path.clone(), verdict: (&row.verdict).into(), sides: sides(&row.sides) })
            .collect(),
        changed: item.changed.as_ref().map(|changed| Changed {
            by: changed.by.clone(),
            at: changed.at,
            event: changed.event.clone(),
            access_key: changed.access_key.clone(),
        }),
        version: item.version.clone(),
        file: item.file.clone(),
    }
}

/// What may lie on a disk of one side: a value that anyone may see on a screen is still a value.
fn facet(facet: &compare::Facet, kind: Kind, print: &Fingerprinter) -> Facet {
    match facet {
        compare::Facet::Absent => Facet::Absent,
        compare::Facet::Unrecorded => Facet::Unrecorded,
        compare::Facet::Unreadable(why) => Facet::Unreadable(why.into()),
        compare::Facet::Plain(id) if kind == Kind::Code => Facet::Id(id.clone()),
        compare::Facet::Unread | compare::Facet::Plain(_) => Facet::Unread,
        compare::Facet::Secret(secret) => {
            let mut fingerprint = print.fingerprint(secret.expose());
            fingerprint.truncate(DIGITS);
            Facet::Masked { fingerprint, chars: secret.chars() }
        }
        compare::Facet::Masked { fingerprint, chars } => {
            Facet::Masked { fingerprint: fingerprint.clone(), chars: *chars }
        }
    }
}

impl From<File> for Snapshot {
    fn from(file: File) -> Self {
        Self {
            identity: file.identity.map(|identity| report::Identity {
                account: identity.account,
                arn: identity.arn,
                region: identity.region,
                expected_account: identity.expected_account,
            }),
            commit: file.commit.map(|commit| report::Commit {
                reference: commit.reference,
                id: commit.id,
                subject: commit.subject,
                author: commit.author,
                at: commit.at,
                ahead: commit.ahead,
                behind: commit.behind,
                dirty: commit.dirty,
                fetched_at: commit.fetched_at,
            }),
            sections: file.sections.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Section> for Kept {
    fn from(section: Section) -> Self {
        let kind = section.kind.into();
        let items = section.items.into_iter().map(|item| compare::Item {
            kind,
            name: item.name,
            unit: item.unit,
            type_name: item.type_name,
            physical_id: item.physical_id,
            logical_id: None,
            verdict: item.verdict.into(),
            reason: item.reason,
            sides: item.sides.into(),
            rows: item
                .rows
                .into_iter()
                .map(|row| compare::Row { path: row.path, verdict: row.verdict.into(), sides: row.sides.into() })
                .collect(),
            changed: item.changed.map(|changed| compare::Changed {
                by: changed.by,
                at: changed.at,
                event: changed.event,
                access_key: changed.access_key,
            }),
            version: item.version,
            file: item.file,
        });
        let problems = section.problems.into_iter();
        let section_of = report::Section {
            items: items.collect(),
            problems: problems
                .map(|problem| report::Problem { subject: problem.subject, why: problem.why.into() })
                .collect(),
            units: section.units.into_iter().map(Into::into).collect(),
        };
        Self { kind, section: section_of, read_at: section.read_at }
    }
}

impl From<&report::Identity> for Identity {
    fn from(identity: &report::Identity) -> Self {
        Self {
            account: identity.account.clone(),
            arn: identity.arn.clone(),
            region: identity.region.clone(),
            expected_account: identity.expected_account.clone(),
        }
    }
}

impl From<&report::Commit> for Commit {
    fn from(commit: &report::Commit) -> Self {
        Self {
            reference: commit.reference.clone(),
            id: commit.id.clone(),
            subject: commit.subject.clone(),
            author: commit.author.clone(),
            at: commit.at,
            ahead: commit.ahead,
            behind: commit.behind,
            dirty: commit.dirty,
            fetched_at: commit.fetched_at,
        }
    }
}

impl From<&report::Unit> for Unit {
    fn from(unit: &report::Unit) -> Self {
        // `last_failure` is left out: it is AWS's own sentence, which may quote a property's value.
        Self {
            name: unit.name.clone(),
            status: unit.status.clone(),
            changed_at: unit.changed_at,
            drift_checked_at: unit.drift_checked_at,
            runs: unit.runs.clone(),
            rolled_out_at: unit.rolled_out_at,
            rolled_out_by: unit.rolled_out_by.clone(),
        }
    }
}

impl From<Unit> for report::Unit {
    fn from(unit: Unit) -> Self {
        Self {
            name: unit.name,
            status: unit.status,
            changed_at: unit.changed_at,
            drift_checked_at: unit.drift_checked_at,
            runs: unit.runs,
            rolled_out_at: unit.rolled_out_at,
            rolled_out_by: unit.rolled_out_by,
            last_failure: None,
        }
    }
}

impl From<&report::Problem> for Problem {
    fn from(problem: &report::Problem) -> Self {
        Self { subject: problem.subject.clone(), why: (&problem.why).into() }
    }
}

impl From<&compare::Why> for Why {
    fn from(why: &compare::Why) -> Self {
        Self { reason: why.reason.clone(), hint: why.hint.clone() }
    }
}

impl From<Why> for compare::Why {
    fn from(why: Why) -> Self {
        // What to make of it was for that moment.
        Self { hint: why.hint, ..Self::new(why.reason) }
    }
}

impl From<Kind> for Word {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Stack => Self::Stack,
            Kind::Code => Self::Code,
            Kind::Parameter => Self::Parameter,
            Kind::Secret => Self::Secret,
        }
    }
}

impl From<Word> for Kind {
    fn from(word: Word) -> Self {
        match word {
            Word::Stack => Self::Stack,
            Word::Code => Self::Code,
            Word::Parameter => Self::Parameter,
            Word::Secret => Self::Secret,
        }
    }
}

impl From<&compare::Verdict> for Verdict {
    fn from(verdict: &compare::Verdict) -> Self {
        match verdict {
            compare::Verdict::InSync => Self::InSync,
            compare::Verdict::Drifted => Self::Drifted,
            compare::Verdict::Pending => Self::Pending,
            compare::Verdict::Diverged => Self::Diverged,
            compare::Verdict::Differs => Self::Differs,
            compare::Verdict::GitOnly => Self::GitOnly,
            compare::Verdict::Unmanaged => Self::Unmanaged,
            compare::Verdict::Ignored(Rule::Project(text)) => Self::Ignored(text.clone()),
            compare::Verdict::Ignored(Rule::Rotation) => Self::Rotated,
            compare::Verdict::Ignored(Rule::NothingLive) => Self::NothingLive,
            compare::Verdict::Unknown(why) => Self::Unknown(why.into()),
        }
    }
}

impl From<Verdict> for compare::Verdict {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::InSync => Self::InSync,
            Verdict::Drifted => Self::Drifted,
            Verdict::Pending => Self::Pending,
            Verdict::Diverged => Self::Diverged,
            Verdict::Differs => Self::Differs,
            Verdict::GitOnly => Self::GitOnly,
            Verdict::Unmanaged => Self::Unmanaged,
            Verdict::Ignored(text) => Self::Ignored(Rule::Project(text)),
            Verdict::Rotated => Self::Ignored(Rule::Rotation),
            Verdict::NothingLive => Self::Ignored(Rule::NothingLive),
            Verdict::Unknown(why) => Self::Unknown(why.into()),
        }
    }
}

impl From<Sides> for compare::Sides {
    fn from(sides: Sides) -> Self {
        Self { git: sides.git.into(), applied: sides.applied.into(), live: sides.live.into() }
    }
}

impl From<Facet> for compare::Facet {
    fn from(facet: Facet) -> Self {
        match facet {
            Facet::Absent => Self::Absent,
            Facet::Unrecorded => Self::Unrecorded,
            Facet::Unread => Self::Unread,
            Facet::Unreadable(why) => Self::Unreadable(why.into()),
            Facet::Masked { fingerprint, chars } => Self::Masked { fingerprint, chars },
            Facet::Id(id) => Self::Plain(id),
        }
    }
}
