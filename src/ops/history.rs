//! The past of one parameter or secret: git's commits and the live versions on one line of time.

use crate::aws::secretsmanager::{self, SecretVersion};
use crate::aws::{Read, ssm};
use crate::compare::{Facet, Side, Why};
use crate::git::Touch;
use crate::ops::inspect::{Loaded, Place};
use crate::ops::journal::Thing;
use crate::ops::receipt::Recorded;
use crate::ops::session::Session;
use crate::ops::{git_why, why};

/// Commits that are looked at for one that changed the item: of a document many change something else.
const COMMITS: usize = 200;

/// The past of an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    /// What it is.
    pub kind: Thing,
    /// Its name.
    pub name: String,
    /// What happened, the newest first.
    pub events: Vec<Event>,
    /// What could not be read, and so may be missing here.
    pub problems: Vec<Why>,
}

/// Something that happened to an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When, milliseconds since the Unix epoch.
    pub at: i64,
    /// What.
    pub what: What,
    /// The value since then.
    pub value: Facet,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A commit changed what git says.
    Commit {
        /// Its id.
        id: String,
        /// First line of its message.
        subject: String,
        /// Its author.
        author: String,
        /// In which way; `None`: its history is cut off there, and it may be older.
        change: Option<Changed>,
    },
    /// A live version was made.
    Version {
        /// A parameter's number, a secret's version id.
        id: String,
        /// ARN of who made it, where AWS tells.
        by: Option<String>,
        /// Its stages or labels.
        stages: Vec<String>,
        /// Whether it is the live one.
        live: bool,
        /// The commit that was rolled out with it, by the receipt.
        commit: Option<String>,
    },
}

/// In which way a commit changed an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// It was not there before.
    Added,
    /// It has another value.
    Changed,
    /// It is not there any more.
    Removed,
}

impl Changed {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}

/// The past of an item; of each side at most `limit` events.
pub async fn of(session: &Session, name: &str, reference: &str, limit: usize) -> Result<Timeline, Why> {
    let (kind, git) = kind(session, name, reference).await?;
    let mut timeline = Timeline { kind, name: name.to_owned(), events: Vec::new(), problems: Vec::new() };
    let (commits, versions) =
        tokio::join!(Box::pin(commits(session, kind, name, &git, limit)), versions(session, kind, name, &git, limit));
    for found in [commits, versions] {
        match found {
            Ok(events) => timeline.events.extend(events),
            Err(why) => timeline.problems.push(why),
        }
    }
    // Of a commit and a version of the same second, the version came of the commit.
    timeline.events.sort_by_key(|event| (std::cmp::Reverse(event.at), matches!(event.what, What::Commit { .. })));
    Ok(timeline)
}

/// What an item is: by git, else by what is live. Beside it the documents that such items come from.
async fn kind(session: &Session, name: &str, reference: &str) -> Result<(Thing, Loaded), Why> {
    let config = Loaded::at(session, reference, Place::Config).await?;
    let secrets = Loaded::at(session, reference, Place::Secrets).await?;
    if config.side.items.contains_key(name) {
        return Ok((Thing::Parameter, config));
    }
    if secrets.side.items.contains_key(name) {
        return Ok((Thing::Secret, secrets));
    }
    // One that left git, and perhaps live too: only a secret has a name without a first slash by habit.
    let is_secret = secretsmanager::describe(&session.clients, name).await.map_err(|error| why(&error))?.is_some();
    Ok(if is_secret { (Thing::Secret, secrets) } else { (Thing::Parameter, config) })
}

async fn commits(session: &Session, kind: Thing, name: &str, git: &Loaded, limit: usize) -> Result<Vec<Event>, Why> {
    let repository = session.repository.clone()?;
    let place = if kind == Thing::Parameter { Place::Config } else { Place::Secrets };
    // What git no longer has may have been in any document.
    let file = git.side.items.get(name).map(|item| item.file.clone()).unwrap_or_default();
    let path = [session.prefix.as_str(), &file].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
    let (path, commit) = (path.join("/"), git.commit.clone());
    let history = move || repository.history(&commit, &path, COMMITS).map_err(|error| git_why(&error));
    let touches = tokio::task::spawn_blocking(history).await.map_err(|error| Why::new(error.to_string()))??;
    let mut events = Vec::new();
    let mut newer: Option<(Touch, Said)> = None;
    let is_whole = touches.len() < COMMITS;
    for touch in touches {
        if events.len() >= limit {
            return Ok(events);
        }
        let loaded = Loaded::at(session, &touch.id, place).await?;
        let said = Said::by(&loaded, name).await;
        if let Some((commit, then)) = newer.replace((touch, said.clone())) {
            events.extend(event(&commit, &then, &said));
        }
    }
    if let Some((commit, then)) = newer
        && events.len() < limit
        && then.value != Facet::Absent
    {
        let change = (is_whole && !commit.boundary).then_some(Changed::Added);
        events.push(Event { at: commit.at, value: then.value, what: of_commit(&commit, change) });
    }
    Ok(events)
}

/// What a commit says of an item.
#[derive(Clone)]
struct Said {
    digest: Option<String>,
    value: Facet,
}

impl Said {
    async fn by(loaded: &Loaded, name: &str) -> Self {
        let item = loaded.side.items.get(name);
        let is_plain = item.is_some_and(|item| !item.encrypted);
        let value = match loaded.value(name).await {
            Side::Absent => Facet::Absent,
            Side::Value(value) if is_plain => Facet::Plain(value.expose().to_owned()),
            Side::Value(value) => Facet::Secret(value),
            Side::Unreadable(why) => Facet::Unreadable(why),
        };
        Self { digest: item.map(|item| item.digest.clone()), value }
    }
}

/// What a commit did to an item, by what was said before it.
fn event(commit: &Touch, now: &Said, before: &Said) -> Option<Event> {
    let change = match (&before.digest, &now.digest) {
        (None, None) => return None,
        (None, Some(_)) => Changed::Added,
        (Some(_), None) => Changed::Removed,
        // The same ciphertext is the same value; another one may be too, when it was encrypted anew.
        (Some(before), Some(now)) if before == now => return None,
        _ if before.value == now.value => return None,
        _ => Changed::Changed,
    };
    Some(Event { at: commit.at, value: now.value.clone(), what: of_commit(commit, Some(change)) })
}

fn of_commit(commit: &Touch, change: Option<Changed>) -> What {
    What::Commit { id: commit.id.clone(), subject: commit.subject.clone(), author: commit.author.clone(), change }
}

async fn versions(session: &Session, kind: Thing, name: &str, git: &Loaded, limit: usize) -> Result<Vec<Event>, Why> {
    let recorded = recorded(session, kind, name, git).await;
    let commit = |id: &str| recorded.as_ref().filter(|(version, _)| version == id).map(|(_, commit)| commit.clone());
    match kind {
        Thing::Parameter => {
            let past = ssm::history(&session.clients, name).await.map_err(|error| why(&error))?.unwrap_or_default();
            let live = past.last().map(|last| last.version);
            let event = |version: ssm::ParameterVersion| {
                let id = version.version.to_string();
                let what = What::Version {
                    by: version.modified_by,
                    stages: version.labels,
                    live: Some(version.version) == live,
                    commit: commit(&id),
                    id,
                };
                Event { at: version.modified_at, what, value: Facet::Secret(version.value) }
            };
            Ok(past.into_iter().rev().take(limit).map(event).collect())
        }
        Thing::Secret => {
            let past = secretsmanager::versions(&session.clients, name).await.map_err(|error| why(&error))?;
            let past: Vec<SecretVersion> = past.unwrap_or_default().into_iter().rev().take(limit).collect();
            let mut events = Vec::new();
            for version in past {
                let value = match secretsmanager::value_of(&session.clients, name, &version.id).await {
                    Read::Found(found) => Facet::Secret(found.value),
                    Read::Missing => Facet::Absent,
                    Read::Failed(error) => Facet::Unreadable(why(&error)),
                };
                let what = What::Version {
                    by: None,
                    live: version.stages.iter().any(|stage| stage == secretsmanager::CURRENT),
                    commit: commit(&version.id),
                    stages: version.stages,
                    id: version.id,
                };
                events.push(Event { at: version.created_at.unwrap_or_default(), what, value });
            }
            Ok(events)
        }
    }
}

/// The version that was rolled out, and its commit.
async fn recorded(session: &Session, kind: Thing, name: &str, git: &Loaded) -> Option<(String, String)> {
    let store = session.receipts().await.ok()?;
    let unit = git.side.items.get(name).map(|item| item.unit.clone()).or_else(|| git.side.unit_by_prefix(name));
    match store.load(&session.clients, &kind.unit(&unit.unwrap_or_default())).await {
        Recorded::Receipt(receipt) => {
            receipt.items.get(name).map(|entry| (entry.version.clone(), entry.commit.clone()))
        }
        Recorded::None | Recorded::Unreadable(_) => None,
    }
}
