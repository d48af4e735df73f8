//! What is live and not in git: deleted where it is asked for and a receipt or this project's tag claims it, and never
//! else.

use std::collections::BTreeMap;

use futures::FutureExt;
use futures::stream::{self, StreamExt};

use super::plan::{Change, Kept, Plan, Target};
use super::survey::{ENVIRONMENT_TAG, PROJECT_TAG};
use crate::aws::ssm::{self, ParameterMeta};
use crate::aws::{self, secretsmanager::SecretMeta};
use crate::compare::{Facet, Item, Verdict, Why};
use crate::ops::inspect::Examined;
use crate::ops::journal::{Act, Origin, Shape, Step, Thing, Version};
use crate::ops::receipt::{Entry, Recorded};
use crate::ops::session::Session;
use crate::ops::why;

/// Questions under way at a time; AWS allows few of them a second.
const AT_ONCE: usize = 4;

/// What a receipt says of an item.
pub(super) fn claimed<'e, M>(examined: &'e Examined<M>, item: &Item) -> Option<&'e Entry> {
    examined.receipts.get(&item.unit).and_then(|recorded: &'e Recorded| recorded.entry(&item.name))
}

/// Plans the deletion of parameters. Answers what is kept.
pub(super) async fn parameters(
    session: &Session,
    examined: &Examined<ParameterMeta>,
    gone: Vec<(&Item, Version)>,
    prune: bool,
    plan: &mut Plan,
) -> Vec<Kept> {
    let clients = &session.clients;
    // Whose tags say nothing is only asked about when it would be deleted.
    let asked = gone.into_iter().filter(|(item, _)| prune || claimed(examined, item).is_some());
    let ask = |(item, version): (_, Version)| {
        let item: &Item = item;
        async move {
            let tags = if prune { ssm::tags(clients, &item.name).await } else { Ok(Vec::new()) };
            (item, version, tags)
        }
        .boxed()
    };
    let tagged: Vec<_> = stream::iter(asked.map(ask).collect::<Vec<_>>()).buffered(AT_ONCE).collect().await;
    let mut kept = Vec::new();
    for (item, version, tags) in tagged {
        let entry = claimed(examined, item);
        if !prune {
            kept.push(not_asked(Thing::Parameter, item));
            continue;
        }
        let mut note = None;
        let tags: BTreeMap<String, String> = match tags {
            Ok(tags) => tags.into_iter().collect(),
            Err(error) if entry.is_some() => {
                note = Some(untagged(&error));
                BTreeMap::new()
            }
            Err(error) => {
                plan.unknown.push(Kept { kind: Thing::Parameter, name: item.name.clone(), why: why(&error) });
                continue;
            }
        };
        if entry.is_none() && !is_ours(session, |tag| tags.get(tag).map(String::as_str)) {
            continue;
        }
        let shape = examined.live.get(&item.name).map(|meta| shape(meta, tags));
        let mut change = deletion(Thing::Parameter, item, version, entry, shape);
        change.notes.extend(note);
        // A deleted parameter has no past: its value must be in a commit, or it is lost.
        if change.step.from.is_none() {
            change.notes.push("its value is in no commit that was rolled out: no undo brings it back".to_owned());
        }
        plan.changes.push(change);
    }
    kept
}

/// Plans the deletion of secrets. Answers what is kept.
pub(super) fn secrets(
    session: &Session,
    examined: &Examined<SecretMeta>,
    gone: Vec<(&Item, Version)>,
    prune: bool,
    plan: &mut Plan,
) -> Vec<Kept> {
    let mut kept = Vec::new();
    for (item, version) in gone {
        let entry = claimed(examined, item);
        let tag = |name: &str| {
            let tags = examined.live.get(&item.name).map(|meta| meta.tags.as_slice()).unwrap_or_default();
            tags.iter().find(|(tag, _)| tag == name).map(|(_, value)| value.as_str())
        };
        if entry.is_none() && !is_ours(session, tag) {
            continue;
        }
        if prune {
            plan.changes.push(deletion(Thing::Secret, item, version, entry, None));
        } else {
            kept.push(not_asked(Thing::Secret, item));
        }
    }
    kept
}

fn is_ours<'t>(session: &Session, tag: impl Fn(&str) -> Option<&'t str>) -> bool {
    tag(PROJECT_TAG) == Some(session.project().name.as_str())
        && tag(ENVIRONMENT_TAG) == Some(session.environment().name.as_str())
}

fn not_asked(kind: Thing, item: &Item) -> Kept {
    let why = Why::new("git no longer has it").hint("--prune deletes it");
    Kept { kind, name: item.name.clone(), why }
}

fn deletion(kind: Thing, item: &Item, version: Version, entry: Option<&Entry>, shape: Option<Shape>) -> Change {
    // Only while live is what was rolled out does git have the value that is deleted.
    let unmoved = entry.filter(|entry| entry.version == version.id && entry.modified == version.modified);
    let moved = matches!(item.verdict, Verdict::Drifted | Verdict::Diverged | Verdict::Differs);
    Change {
        step: Step {
            kind,
            name: item.name.clone(),
            unit: item.unit.clone(),
            act: Act::Delete,
            before: Some(version),
            from: unmoved.map(|entry| Origin::Commit(entry.commit.clone())),
            token: None,
            digest: None,
            recorded: entry.cloned(),
            shape,
        },
        verdict: Some(item.verdict.clone()),
        file: None,
        before: item.sides.live.clone(),
        after: Facet::Absent,
        only: None,
        changed: item.changed.clone(),
        overwrites: moved,
        readers: Vec::new(),
        notes: Vec::new(),
        target: Target::default(),
    }
}

/// The tags that a deleted parameter is to get again; without them, a note that says so.
pub(super) async fn tags(session: &Session, name: &str) -> (BTreeMap<String, String>, Option<String>) {
    match ssm::tags(&session.clients, name).await {
        Ok(tags) => (tags.into_iter().collect(), None),
        Err(error) => (BTreeMap::new(), Some(untagged(&error))),
    }
}

fn untagged(error: &aws::Error) -> String {
    format!("an undo cannot bring its tags back: {}", why(error).reason)
}

/// What a parameter is like, for whoever makes it again.
pub(super) fn shape(meta: &ParameterMeta, tags: BTreeMap<String, String>) -> Shape {
    Shape {
        type_name: meta.type_name.clone(),
        tier: meta.tier.clone(),
        key_id: meta.key_id.clone(),
        description: meta.description.clone(),
        allowed_pattern: meta.allowed_pattern.clone(),
        data_type: meta.data_type.clone(),
        policies: meta.policies.clone(),
        tags,
    }
}
