//! Starts functions anew that have read a value: they keep it for as long as their execution environments live.
//!
//! Lambda has no call for it. What it documents is that a change of a function's configuration provisions new instances,
//! and that `LastUpdateStatus` tells when events are processed with the new one (API reference, UpdateFunctionConfiguration). So
//! what is changed is the description, of all properties the one that changes nothing of what runs, and only where the
//! deployed template does not state it: CloudFormation compares what a template states, and so does Plumb.
//!
//! A published version never changes, nor do its environments. Behind an alias that Plumb's own deployment moves, the same
//! code and configuration become a version of their own, and the alias is moved there, from exactly where it was.
//! Versions and aliases that a template makes are never touched.

mod way;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::join_all;

use self::way::Deployed;
pub(super) use self::way::is_same;
use super::journal::{Action, Begun, Intent, Thing};
use super::readers::{self, Reader, Reads};
use super::report::{Commit, Identity};
use super::session::Session;
use super::{deploy, git_why, refuse_elsewhere, refuse_worktree, why};
use crate::aws::lambda::{self, Configuration};
use crate::aws::{Clients, Error, ErrorKind};
use crate::compare::Why;
use crate::config::Stack;

/// How long a function is waited for. With a network of its own it takes a minute.
const LONGEST: Duration = Duration::from_mins(5);
/// The longest description that Lambda takes, in characters.
const LONGEST_DESCRIPTION: usize = 256;
/// What the part of a description begins with that is ours.
const MARK: &str = "[started anew by plumb ";

/// A function that keeps what it has read, and how it gets to read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restart {
    /// Its stack and logical id: `shop-prod/Api`.
    pub name: String,
    /// How; or why it is left as it is.
    pub way: Result<Way, Why>,
}

/// How a function is started anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Its name in AWS.
    pub function: String,
    /// The alias that is moved; `None`: `$LATEST` is what is called.
    pub alias: Option<Served>,
    description: Option<String>,
    revision: Option<String>,
    code: String,
}

/// What an alias serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// The alias.
    pub alias: String,
    /// The version.
    pub version: String,
    revision: Option<String>,
}

/// What is planned for the functions that read one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The ref, as it was asked for.
    pub reference: String,
    /// The commit whose templates say who reads.
    pub commit: Commit,
    /// Who would write, as far as whoever planned knows.
    pub writer: Identity,
    /// The name of what is read.
    pub item: String,
    /// Its readers, and how each is started anew.
    pub restarts: Vec<Restart>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ended {
    /// Functions that were started anew.
    pub restarted: Vec<Restarted>,
    /// Those that were not, and why.
    pub stale: Vec<(String, Why)>,
    /// Why the journal does not hold it, if so.
    pub untold: Option<Why>,
}

/// A function that was started anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restarted {
    /// Its stack and logical id.
    pub name: String,
    /// The alias that was moved, and the version that it serves now.
    pub serves: Option<(String, String)>,
}

impl Ended {
    /// Why the journal does not hold it, if so; fails where a function was left as it is.
    pub fn whole(self) -> Result<Option<Why>, Why> {
        let (done, left) = (self.restarted.len(), self.stale.len());
        match self.stale.into_iter().next() {
            None => Ok(self.untold),
            Some((name, why)) => {
                let reason = format!("{done} restarted, {left} not: {name}: {}", why.reason);
                Err(Why { reason, ..why })
            }
        }
    }
}

impl Restarted {
    /// What its alias serves now, if it has one: `live serves version 3`.
    #[must_use]
    pub fn told(&self) -> String {
        self.serves.as_ref().map(|(alias, version)| format!("{alias} serves version {version}")).unwrap_or_default()
    }
}

impl Restart {
    /// A restart as the console's tests need it: of nobody's function.
    #[cfg(test)]
    pub(crate) fn fake(name: &str, function: &str, alias: Option<(&str, &str)>) -> Self {
        let served = |(alias, version): (&str, &str)| Served {
            alias: alias.to_owned(),
            version: version.to_owned(),
            revision: None,
        };
        let (function, alias) = (function.to_owned(), alias.map(served));
        let way = Way { function, alias, description: None, revision: None, code: String::new() };
        Self { name: name.to_owned(), way: Ok(way) }
    }

    /// What would be done, in one line.
    #[must_use]
    pub fn told(&self) -> String {
        match &self.way {
            Ok(Way { function, alias: None, .. }) => format!("restart {}   {function}", self.name),
            Ok(Way { function, alias: Some(served), .. }) => {
                format!("restart {}   {function}:{} to a version like {}", self.name, served.alias, served.version)
            }
            Err(why) => {
                let hint = why.hint.as_ref().map(|hint| format!(" (try: {hint})")).unwrap_or_default();
                format!("{} keeps what it has read: {}{hint}", self.name, why.reason)
            }
        }
    }
}

/// Works out, by reading alone, how each of these functions is started anew. `commit` says which aliases Plumb moves.
pub async fn plan(session: &Session, commit: &str, readers: &[Reader]) -> Vec<Restart> {
    let mut by_stack: BTreeMap<&str, BTreeMap<&str, Reads>> = BTreeMap::new();
    for reader in readers {
        let Some((stack, resource)) = reader.function.split_once('/') else { continue };
        let reads = by_stack.entry(stack).or_default().entry(resource).or_insert(reader.reads);
        // What a deployment puts in needs one, whatever else is read.
        *reads = (*reads).min(reader.reads);
    }
    if by_stack.is_empty() {
        return Vec::new();
    }
    let ask = deploy::Ask { reference: Some(commit.to_owned()), ..deploy::Ask::default() };
    let known = deploy::stacks(session, &ask).await;
    let deployed = join_all(by_stack.keys().map(|stack| way::deployed(&session.clients, stack))).await;
    let mut restarts = Vec::new();
    for ((stack, functions), deployed) in by_stack.iter().zip(&deployed) {
        for (resource, reads) in functions {
            restarts.push(of(&session.clients, stack, resource, *reads, deployed.as_ref(), known.as_deref()));
        }
    }
    join_all(restarts).await
}

/// How one function is started anew. `known`: the project's stacks, which say what alias Plumb moves.
async fn of(
    clients: &Clients,
    stack: &str,
    resource: &str,
    reads: Reads,
    deployed: Result<&Deployed, &Why>,
    known: Result<&[Stack], &Why>,
) -> Restart {
    let way = match (deployed, known) {
        (Err(why), _) | (_, Err(why)) => Err(why.clone()),
        (Ok(deployed), Ok(known)) => {
            let stack = known.iter().find(|known| known.name == stack);
            let function = stack.and_then(|it| it.functions.iter().find(|it| it.resource == resource));
            let alias = function.and_then(|function| function.alias.as_deref());
            way::way(clients, deployed, resource, reads, alias).await
        }
    };
    Restart { name: format!("{stack}/{resource}"), way }
}

/// Works out, by reading alone, how the functions that read one item are started anew. The commit says who they are.
pub async fn survey(session: &Session, reference: &str, kind: Thing, name: &str) -> Result<Plan, Why> {
    refuse_worktree(reference)?;
    let repository = session.repository.clone()?;
    let commit = Commit::from(repository.resolve(reference).map_err(|error| git_why(&error))?);
    let writer = session.identity().await?;
    let item = (kind, name.to_owned());
    let readers = readers::of(session, &commit.id, vec![item.clone()]).await.remove(&item).unwrap_or_default();
    let restarts = plan(session, &commit.id, &readers).await;
    Ok(Plan { reference: reference.to_owned(), commit, writer, item: item.1, restarts })
}

/// Starts the functions of a plan anew; what has been changed since is left alone, and told.
///
/// Refused where the environment is read-only, and in another account than the one of the plan.
pub async fn write(session: &Session, plan: &Plan) -> Result<Ended, Why> {
    let (session, writer) = session.for_writing().await?;
    refuse_elsewhere(&plan.writer, &writer)?;
    let restarts: Vec<&Restart> = plan.restarts.iter().collect();
    let begun = begin(&session, &writer, &restarts)?.ok_or_else(|| Why::new("no function can be started anew"))?;
    let all = restarts.iter().map(|restart| restart.name.as_str()).collect();
    Ok(carry_out(&session, begun, &restarts, &all).await)
}

/// The description that tells of it; what somebody else wrote there stays.
fn described(live: Option<&str>, id: &str) -> Result<String, Why> {
    let theirs = live.unwrap_or_default().split(MARK).next().unwrap_or_default().trim_end();
    let space = if theirs.is_empty() { "" } else { " " };
    let text = format!("{theirs}{space}{MARK}{id}]");
    // Ids of the journal are no longer than this.
    if text.chars().count() + 32_usize.saturating_sub(id.len()) > LONGEST_DESCRIPTION {
        return Err(Why::new("its description, written by hand, leaves no room for another word").hint("plumb deploy"));
    }
    Ok(text)
}

/// Notes that functions are going to be started anew; `None`: none is. To be called before anything is sent that they read.
pub(super) fn begin(session: &Session, writer: &Identity, restarts: &[&Restart]) -> Result<Option<Begun>, Why> {
    let names: Vec<String> = restarts.iter().filter(|it| it.way.is_ok()).map(|it| it.name.clone()).collect();
    if names.is_empty() {
        return Ok(None);
    }
    Begun::new(session, writer, Intent::new(Action::Restart, names)).map(Some)
}

/// Starts those functions anew that are wanted, and settles the note.
pub(super) async fn carry_out(
    session: &Session,
    begun: Begun,
    restarts: &[&Restart],
    wanted: &BTreeSet<&str>,
) -> Ended {
    let id = begun.entry().id.clone();
    let due = restarts.iter().filter(|restart| wanted.contains(restart.name.as_str()));
    let due: Vec<(&str, &Way)> = due.filter_map(|it| Some((it.name.as_str(), it.way.as_ref().ok()?))).collect();
    let answers = join_all(due.iter().map(|(_, way)| start(&session.clients, way, &id))).await;
    let mut ended = Ended::default();
    for ((name, _), answer) in due.into_iter().zip(answers) {
        match answer {
            Ok(serves) => ended.restarted.push(Restarted { name: name.to_owned(), serves }),
            Err(why) => ended.stale.push((name.to_owned(), why)),
        }
    }
    let names: Vec<&str> = ended.stale.iter().map(|(name, _)| name.as_str()).collect();
    let told = match (ended.restarted.is_empty(), names.is_empty()) {
        (true, true) => Some("left alone: nothing that they read was written".to_owned()),
        (_, true) => None,
        (_, false) => Some(format!("{} failed: {}", names.len(), names.join(", "))),
    };
    ended.untold = begun.settle(session, told).await;
    ended
}

async fn start(clients: &Clients, way: &Way, id: &str) -> Result<Option<(String, String)>, Why> {
    let told = |error: Error| match error.kind {
        ErrorKind::Conflict => Why { hint: Some("plan again: it was changed meanwhile".to_owned()), ..why(&error) },
        _ => why(&error),
    };
    let description = described(way.description.as_deref(), id)?;
    let new =
        Configuration { description: Some(description), only_if: way.revision.clone(), ..Configuration::default() };
    lambda::update_configuration(clients, &way.function, &new).await.map_err(told)?;
    lambda::wait_updated(clients, &way.function, LONGEST).await.map_err(told)?;
    let Some(served) = &way.alias else { return Ok(None) };
    let version = lambda::publish_version(clients, &way.function, Some(&way.code)).await.map_err(told)?;
    lambda::update_alias(clients, &way.function, &served.alias, &version, served.revision.as_deref())
        .await
        .map_err(told)?;
    Ok(Some((served.alias.clone(), version)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_changes_each_time_and_keeps_what_was_written_by_hand() {
        assert_eq!(described(None, "a1").unwrap(), "[started anew by plumb a1]");
        let first = described(Some("the shop"), "a1").unwrap();
        assert_eq!(first, "the shop [started anew by plumb a1]");
        assert_eq!(described(Some(&first), "b2").unwrap(), "the shop [started anew by plumb b2]");
        assert!(described(Some(&"x".repeat(250)), "").is_err());
    }
}
