//! The files that a list of changes makes of those of HEAD, and what differs in them.

use std::collections::{BTreeMap, BTreeSet};

use super::base::Base;
use super::{Change, value_at};
use crate::compare::{TextRow, Why, text_rows};
use crate::config::Settings;
use crate::ops::config::keys;
use crate::ops::config::layer::rule_for;
use crate::ops::config::opener::{Opener, now, told};
use crate::sops::{self, Node};

/// Equal lines that are shown around a changed one.
const AROUND: usize = 1;

/// What a commit would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// How each change stands, in the order of the list.
    pub standings: Vec<Standing>,
    /// The files, by name.
    pub files: Vec<(String, Result<Made, Why>)>,
    /// The branch that is checked out, or why no commit can be made now.
    pub branch: Result<String, Why>,
    /// The new branch that the commit would be on, and why; `None`: on the one that is checked out.
    pub aside: Option<(String, String)>,
    /// What the commit would say.
    pub message: String,
}

/// How a change stands to HEAD.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// HEAD says what it said when the change was proposed.
    Fresh,
    /// HEAD says something else by now.
    Moved,
    /// HEAD says already what the change asks for.
    Done,
    /// The document cannot be read.
    Unknown,
}

/// A file as it would be committed. It holds ciphertext.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Whether HEAD has it not.
    pub new: bool,
    /// Whether it is removed.
    pub gone: bool,
    /// How many lines differ.
    pub changed: usize,
    /// The changed lines, with a little of what stands around them.
    pub lines: Vec<DiffLine>,
}

/// A line of a diff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffLine {
    /// `+`, `-`, a space, or `@` where lines are left out.
    pub sign: char,
    /// The line.
    pub text: String,
}

/// One file with its changes made.
pub(super) struct Written {
    pub(super) old: Option<Vec<u8>>,
    /// `None`: it is removed.
    pub(super) new: Option<Vec<u8>>,
    pub(super) node: Node,
}

/// What would be committed. Writes nothing.
pub fn preview(opener: &Opener, settings: &Settings, changes: &[Change]) -> Result<Preview, Why> {
    let base = Base::open(settings)?;
    let standings = standings(&base, opener, changes);
    let files = by_file(changes).into_iter().map(|(file, changes)| {
        let made = write(&base, opener, file, &changes).map(|written| made(&written));
        (file.to_owned(), made)
    });
    Ok(Preview {
        files: files.collect(),
        aside: super::commit::aside(&base, settings, &message(changes)),
        branch: base.branch,
        message: message(changes),
        standings,
    })
}

/// The changes of each file.
pub(super) fn by_file(changes: &[Change]) -> BTreeMap<&str, Vec<&Change>> {
    let mut files: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        files.entry(&change.place.file).or_default().push(change);
    }
    files
}

pub(super) fn standings(base: &Base, opener: &Opener, changes: &[Change]) -> Vec<Standing> {
    let nodes: BTreeMap<&str, Result<Option<Node>, Why>> =
        by_file(changes).into_keys().map(|file| (file, base.node(opener, file))).collect();
    let standing = |change: &Change| match nodes.get(change.place.file.as_str()) {
        Some(Ok(node)) => {
            let now = node.as_ref().and_then(|node| value_at(node, &change.place.path));
            if now == change.after {
                Standing::Done
            } else if now == change.before {
                Standing::Fresh
            } else {
                Standing::Moved
            }
        }
        Some(Err(_)) | None => Standing::Unknown,
    };
    changes.iter().map(standing).collect()
}

/// Makes the changes of one file; every other value keeps its ciphertext.
pub(super) fn write(base: &Base, opener: &Opener, file: &str, changes: &[&Change]) -> Result<Written, Why> {
    if changes.iter().any(|change| change.place.path.is_empty() && change.after.is_none()) {
        return Ok(Written { old: base.bytes(file)?, new: None, node: Node::Map(Vec::new()) });
    }
    let Some(document) = base.document(file)? else {
        let mut node = Node::Map(Vec::new());
        apply(&mut node, file, changes)?;
        let rule = rule_for(&base.root.join(file), file)?;
        let new = sops::encrypt_node(file, &node, &rule, opener.keys(), &now()).map_err(|error| told(&error))?;
        return Ok(Written { old: None, new: Some(new), node });
    };
    let old = base.bytes(file)?;
    let unlocked = opener.open(&document)?;
    let mut node = unlocked.node().map_err(|error| told(&error))?.clone();
    apply(&mut node, file, changes)?;
    let new = unlocked.replace(&node, &now()).map_err(|error| told(&error))?;
    Ok(Written { old, new: Some(new), node })
}

fn apply(node: &mut Node, file: &str, changes: &[&Change]) -> Result<(), Why> {
    for change in changes {
        let path = &change.place.path;
        match &change.after {
            Some(value) => keys::put(node, path, value.node()?).map_err(|why| Why {
                reason: format!("{file}: cannot set {}: {}", change.place.key(), why.reason),
                ..why
            })?,
            // One that is gone already is as it should be.
            None => drop(keys::take(node, path)),
        }
    }
    Ok(())
}

fn made(written: &Written) -> Made {
    let old = String::from_utf8_lossy(written.old.as_deref().unwrap_or_default());
    let new = String::from_utf8_lossy(written.new.as_deref().unwrap_or_default());
    let rows = text_rows(&old, &new);
    let changed = rows.iter().filter(|row| !row.equal).count();
    Made { new: written.old.is_none(), gone: written.new.is_none(), changed, lines: lines(&rows) }
}

fn lines(rows: &[TextRow<'_>]) -> Vec<DiffLine> {
    let is_near = |at: usize| {
        let near = at.saturating_sub(AROUND)..=(at + AROUND).min(rows.len().saturating_sub(1));
        rows[near].iter().any(|row| !row.equal)
    };
    let mut lines = Vec::new();
    let mut skipped = false;
    for (at, row) in rows.iter().enumerate() {
        if !is_near(at) {
            skipped = true;
            continue;
        }
        if std::mem::take(&mut skipped) {
            lines.push(DiffLine { sign: '@', text: format!("line {}", at + 1) });
        }
        let text =
            |line: &crate::compare::Line<'_>| line.segments.iter().map(|segment| segment.text).collect::<String>();
        let sign = |sign: char| if row.equal { ' ' } else { sign };
        lines.extend(row.left.iter().map(|line| DiffLine { sign: sign('-'), text: text(line) }));
        if !row.equal {
            lines.extend(row.right.iter().map(|line| DiffLine { sign: '+', text: text(line) }));
        }
    }
    lines
}

/// What a commit of these changes says, without their values.
#[must_use]
pub fn message(changes: &[Change]) -> String {
    let verb = |change: &Change| match change.verb() {
        "add" => "Add",
        "remove" => "Remove",
        _ => "Change",
    };
    match changes {
        [] => String::new(),
        [one] => {
            let place = &one.place;
            format!("{} {} of {} in {}", verb(one), place.key(), place.service, place.layer)
        }
        several => {
            let first = verb(&several[0]);
            let verb = if several.iter().all(|change| verb(change) == first) { first } else { "Change" };
            let places: BTreeSet<String> =
                several.iter().map(|change| format!("{} in {}", change.place.service, change.place.layer)).collect();
            let places: Vec<String> = places.into_iter().collect();
            let places = match places.as_slice() {
                [first, second, _, ..] => format!("{first}, {second} and others"),
                few => few.join(" and "),
            };
            format!("{verb} {} values of {places}", several.len())
        }
    }
}
