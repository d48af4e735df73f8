//! What was done to a stack: deployments and the ways back, by the team's journal and this machine's own.

use std::collections::{BTreeMap, BTreeSet};

use crate::compare::Why;
use crate::ops::journal::{Action, Entry, Query, read_team};
use crate::ops::session::Session;

/// Entries of the team's journal that are looked at for those of one stack.
const ENTRIES: usize = 500;

/// The past of a stack.
#[derive(Debug, Clone, Default)]
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
    let mut past = Past::default();
    let query = Query {
        project: Some(session.project().name.clone()),
        environment: Some(session.environment().name.clone()),
        limit: None,
    };
    let here = session.journal().and_then(|journal| journal.read(&query));
    let team = read_team(session, ENTRIES).await;
    let mut seen = BTreeSet::new();
    // The team's note of an entry is settled; this machine's may be under way.
    for found in [team, here] {
        match found {
            Ok(found) => {
                if found.unreadable > 0 {
                    past.problems.push(Why::new(format!("{} entries of a journal cannot be read", found.unreadable)));
                }
                let of_stack = found.entries.into_iter().filter(|entry| is_of(entry, stack));
                past.entries.extend(of_stack.filter(|entry| seen.insert(entry.id.clone())));
            }
            Err(why) => past.problems.push(why),
        }
    }
    past.entries.sort_by_key(|entry| std::cmp::Reverse(entry.at));
    past.entries.truncate(limit);
    if let Ok(repository) = &session.repository {
        let commits: BTreeSet<&String> = past.entries.iter().filter_map(|entry| entry.commit.as_ref()).collect();
        for commit in commits {
            if let Ok(info) = repository.resolve(commit) {
                past.subjects.insert(commit.clone(), info.subject);
            }
        }
    }
    past
}

/// Whether an entry is of the stack, or of a function of it. What was only looked at has changed nothing.
fn is_of(entry: &Entry, stack: &str) -> bool {
    let is_action =
        matches!(entry.action, Action::Deploy | Action::Cancel | Action::Recover | Action::Clean | Action::Alias);
    let names =
        |subject: &String| subject == stack || subject.strip_prefix(stack).is_some_and(|rest| rest.starts_with('/'));
    is_action && entry.subjects.iter().any(names)
}
