//! What was done to a stack: deployments and the ways back, by the team's journal and this machine's own.

use std::collections::{BTreeMap, BTreeSet};

use crate::compare::Why;
use crate::ops::journal::{Action, Entry, Outcome, Query, read_team};
use crate::ops::session::Session;

/// Entries of the team's journal that are looked at for those of one stack.
const ENTRIES: usize = 500;

/// The past of a stack.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Past {
    /// What was done, the newest first.
    pub entries: Vec<Entry>,
    /// First lines of the messages of their commits, as far as the clone has them.
    pub subjects: BTreeMap<String, String>,
    /// What could not be read, and so may be missing here.
    pub problems: Vec<Why>,
}

/// What was done to a stack, at most `limit` entries.
pub async fn history(session: &Session, stack: &str, limit: usize) -> Past {
    histories(session, &[stack], limit).await.pop().unwrap_or_default()
}

/// The same for several stacks, in their order; the journals are read once.
pub(super) async fn histories(session: &Session, stacks: &[&str], limit: usize) -> Vec<Past> {
    let query = Query {
        project: Some(session.project().name.clone()),
        environment: Some(session.environment().name.clone()),
        limit: None,
    };
    let here = session.journal().and_then(|journal| journal.read(&query));
    let team = read_team(session, ENTRIES).await;
    let mut problems = Vec::new();
    let mut entries: Vec<Entry> = Vec::new();
    let mut seen = BTreeSet::new();
    // The team's note of an entry is settled; this machine's may be under way.
    for found in [team, here] {
        match found {
            Ok(found) => {
                if found.unreadable > 0 {
                    problems.push(Why::new(format!("{} entries of a journal cannot be read", found.unreadable)));
                }
                entries.extend(found.entries.into_iter().filter(|entry| seen.insert(entry.id.clone())));
            }
            Err(why) => problems.push(why),
        }
    }
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.at));
    let of_stack = |stack: &&str| {
        let own = entries.iter().filter(|entry| is_of(entry, stack)).take(limit).cloned().collect::<Vec<_>>();
        Past { subjects: subjects(session, &own), entries: own, problems: problems.clone() }
    };
    stacks.iter().map(of_stack).collect()
}

fn subjects(session: &Session, entries: &[Entry]) -> BTreeMap<String, String> {
    let Ok(repository) = &session.repository else { return BTreeMap::new() };
    let commits: BTreeSet<&String> = entries.iter().filter_map(|entry| entry.commit.as_ref()).collect();
    let subject = |commit: &String| Some((commit.clone(), repository.resolve(commit).ok()?.subject));
    commits.into_iter().filter_map(subject).collect()
}

/// How long a deployment took that went well, in milliseconds; `None`: it is none.
pub(super) fn took(entry: &Entry) -> Option<i64> {
    let settled = entry.settled.as_ref()?;
    (entry.action == Action::Deploy && settled.outcome == Outcome::Ok).then(|| settled.at - entry.at)
}

/// Whether an entry is of the stack, or of a function of it. What was only looked at has changed nothing.
fn is_of(entry: &Entry, stack: &str) -> bool {
    let is_action =
        matches!(entry.action, Action::Deploy | Action::Cancel | Action::Recover | Action::Clean | Action::Alias);
    let names =
        |subject: &String| subject == stack || subject.strip_prefix(stack).is_some_and(|rest| rest.starts_with('/'));
    is_action && entry.subjects.iter().any(names)
}
