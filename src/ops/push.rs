//! Makes parameters and secrets say what a commit says.
//!
//! Only what differs is written; receipts are written last, of what is then live.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt};

use super::inspect::{GitItem, Loaded, Place};
use super::journal::{self, Action, Intent};
use super::record;
use super::session::Session;
use super::{hex, why};
use crate::aws::{Read, secretsmanager, ssm};
use crate::compare::{Side, Why};
use crate::config::ParameterType;
use crate::secret::Secret;

/// Writes under way at a time; Parameter Store allows few more before it throttles.
const AT_ONCE: usize = 4;

/// What a push did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pushed {
    /// The commit.
    pub commit: String,
    /// Items written.
    pub written: Vec<String>,
    /// Items that were what the commit says already.
    pub untouched: usize,
    /// Items that could not be read or written.
    pub failed: Vec<(String, Why)>,
    /// Why the journal does not hold how it went.
    pub untold: Option<Why>,
}

/// One value that has to be written.
struct Write<'a> {
    place: Place,
    name: &'a str,
    item: &'a GitItem,
    value: Secret,
    exists: bool,
}

/// Pushes all parameters and secrets of a commit.
pub async fn push(session: &Session, reference: &str) -> Result<Pushed, Why> {
    super::refuse_worktree(reference)?;
    let (session, writer) = session.for_writing().await?;
    let session = &session;
    let mut pushed = Pushed::default();
    let mut places = Vec::new();
    for place in [Place::Config, Place::Secrets] {
        let loaded = Loaded::at(session, reference, place).await?;
        pushed.commit.clone_from(&loaded.commit);
        places.push((place, loaded));
    }
    let mut unsent = Vec::new();
    for (place, loaded) in &places {
        unsent.extend(differences(session, loaded, *place, &mut pushed).await);
    }
    let intent = Intent {
        action: Action::Push,
        subjects: unsent.iter().map(|write| write.name.to_owned()).collect(),
        commit: Some(pushed.commit.clone()),
        reason: None,
    };
    let work = async {
        send(session, unsent, &mut pushed).await;
        let places = [Place::Config, Place::Secrets];
        let mut outcome = record::settle(session, &writer.arn, reference, &places).await?;
        pushed.failed.append(&mut outcome.unknown);
        pushed.failed.dedup_by(|a, b| a.0 == b.0);
        Ok(pushed)
    };
    let (pushed, untold) = Box::pin(journal::noted(session, &writer, intent, work, failures)).await?;
    Ok(Pushed { untold, ..pushed })
}

/// The items that failed, by name alone: AWS may repeat a value that it refuses.
fn failures(pushed: &Pushed) -> Option<String> {
    let names: Vec<&str> = pushed.failed.iter().map(|(name, _)| name.as_str()).collect();
    (!names.is_empty()).then(|| format!("{} failed: {}", names.len(), names.join(", ")))
}

/// What has to be written of a place. What cannot be compared is told as failed.
async fn differences<'a>(session: &Session, loaded: &'a Loaded, place: Place, pushed: &mut Pushed) -> Vec<Write<'a>> {
    let names: Vec<String> = loaded.side.items.keys().cloned().collect();
    let live: BTreeMap<String, Read<Secret>> = match place {
        Place::Config => values(ssm::values(&session.clients, &names).await, |value| value.value),
        Place::Secrets => values(secretsmanager::values(&session.clients, &names).await, |value| value.value),
    };
    let mut writes = Vec::new();
    for (name, item) in &loaded.side.items {
        let value = match loaded.value(name).await {
            Side::Value(value) => value,
            Side::Absent => continue,
            Side::Unreadable(why) => {
                pushed.failed.push((name.clone(), why));
                continue;
            }
        };
        let exists = match live.get(name) {
            Some(Read::Found(live)) if *live == value => {
                pushed.untouched += 1;
                continue;
            }
            Some(Read::Failed(error)) => {
                pushed.failed.push((name.clone(), why(error)));
                continue;
            }
            Some(Read::Found(_)) => true,
            Some(Read::Missing) | None => false,
        };
        writes.push(Write { place, name, item, value, exists });
    }
    writes
}

async fn send(session: &Session, writes: Vec<Write<'_>>, pushed: &mut Pushed) {
    let sent = stream::iter(writes.into_iter().map(|write| async move {
        let Write { place, name, item, value, exists } = write;
        let sent = match place {
            Place::Config => put_parameter(session, name, item, &value, exists).await,
            Place::Secrets => put_secret(session, name, item, &value, exists).await,
        };
        (name.to_owned(), sent)
    }))
    .buffer_unordered(AT_ONCE)
    .collect::<Vec<_>>()
    .await;
    for (name, sent) in sent {
        match sent {
            Ok(()) => pushed.written.push(name),
            Err(why) => pushed.failed.push((name, why)),
        }
    }
    pushed.written.sort();
}

fn values<T, U>(read: BTreeMap<String, Read<T>>, value: impl Fn(T) -> U) -> BTreeMap<String, Read<U>> {
    read.into_iter().map(|(name, read)| (name, read.map(&value))).collect()
}

async fn put_parameter(session: &Session, name: &str, item: &GitItem, value: &Secret, exists: bool) -> Result<(), Why> {
    let tree = session.project().config.get(item.source);
    let tags = tags(session);
    let put = ssm::Put {
        name,
        value,
        type_name: match tree.map(|tree| tree.parameter_type) {
            Some(ParameterType::String) => "String",
            Some(ParameterType::StringList) => "StringList",
            Some(ParameterType::SecureString) | None => "SecureString",
        },
        key_id: tree.and_then(|tree| tree.kms_key.as_deref()),
        overwrite: exists,
        description: None,
        tags: if exists { &[] } else { &tags },
    };
    ssm::put(&session.clients, put).await.map(|_| ()).map_err(|error| why(&error))
}

async fn put_secret(session: &Session, name: &str, item: &GitItem, value: &Secret, exists: bool) -> Result<(), Why> {
    // A token made from the content would make A -> B -> A a silent no-op.
    let token = random_token()?;
    if exists {
        return secretsmanager::put(&session.clients, name, value, &token).await.map(|_| ()).map_err(|e| why(&e));
    }
    let tags = tags(session);
    let create = secretsmanager::Create {
        name,
        value,
        token: &token,
        kms_key_id: session.project().secrets.get(item.source).and_then(|file| file.kms_key.as_deref()),
        description: None,
        tags: &tags,
    };
    secretsmanager::create(&session.clients, create).await.map(|_| ()).map_err(|error| why(&error))
}

fn tags(session: &Session) -> Vec<(String, String)> {
    vec![
        ("plumb:project".to_owned(), session.project().name.clone()),
        ("plumb:environment".to_owned(), session.environment().name.clone()),
    ]
}

/// 32 random hexadecimal digits: what Secrets Manager takes for a client request token.
fn random_token() -> Result<String, Why> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| Why::new(format!("the system gives no random numbers: {error}")))?;
    Ok(hex(&bytes))
}
