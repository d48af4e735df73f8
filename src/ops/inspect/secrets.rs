//! Secrets: the encrypted documents of git against Secrets Manager.

use std::collections::{BTreeMap, BTreeSet};

use super::context::Context;
use super::documents::{Documents, GitSide, Place};
use super::examined::Examined;
use super::parameters::unit_of;
use super::values::{self, Candidate, Listed};
use crate::aws::secretsmanager::{self, SecretMeta};
use crate::compare::{Facet, Item, Kind, Verdict, Why};
use crate::ops::receipt::{Recorded, UnitId};
use crate::ops::report::Section;
use crate::ops::{schema, why};

const UNIT: &str = "secrets";

pub(super) async fn section(context: &Context) -> Result<Section, Why> {
    Ok(examine(context).await?.section)
}

/// The same, with what it was told from.
pub(super) async fn examine(context: &Context) -> Result<Examined<SecretMeta>, Why> {
    let documents = Documents::load(context, Place::Secrets).await?;
    if context.project().await?.secrets.is_empty() {
        return Ok(Examined::of(Section::default(), documents.into_current(), BTreeMap::new()));
    }
    let git = documents.side();
    let recorded = context.receipt(&UnitId::Secrets).await;
    let prefixes: Vec<String> = git.prefixes.iter().cloned().collect();
    let listing = async {
        match &context.only {
            // It is asked for by its name below.
            Some(_) => Ok(Vec::new()),
            None => secretsmanager::list(&context.session.clients, &prefixes).await,
        }
    };
    let (listing, (owned, unasked)) = tokio::join!(listing, context.owned("AWS::SecretsManager::Secret"));
    let listing = match listing {
        Ok(listing) => listing,
        Err(error) => {
            let section = values::unlisted(Kind::Secret, git, &why(&error));
            let receipts = BTreeMap::from([(UNIT.to_owned(), recorded)]);
            return Ok(Examined::of(section, documents.into_current(), receipts));
        }
    };
    let mut live: BTreeMap<String, SecretMeta> = listing
        .into_iter()
        .filter(|meta| !owned.contains(&meta.name) && !owned.contains(&meta.arn) && meta.owning_service.is_none())
        .map(|meta| (meta.name.clone(), meta))
        .collect();
    let mut names = names(git, &recorded, &live);
    if let Some(only) = &context.only {
        names = BTreeSet::from([only.clone()]);
    }
    let known = |name: &&String| git.items.contains_key(*name) || recorded.entry(name).is_some();
    let asked = names.iter().filter(|name| context.only.is_some() || known(name));
    let failed = confirm(context, asked, &mut live).await;
    let candidates = names.iter().map(|name| candidate(name, git, &recorded, live.get(name))).collect();
    let clients = context.session.clients.clone();
    let read = |names: Vec<String>| async move {
        let values = secretsmanager::values(&clients, &names).await;
        values.into_iter().map(|(name, read)| (name, read.map(|value| value.value))).collect::<BTreeMap<_, _>>()
    };
    let mut items = values::judge(context, Kind::Secret, &documents, candidates, read).await;
    values::doubt_ownership(&mut items, unasked.as_ref());
    let by_stacks = live.values().filter(|meta| owned.contains(&meta.name) || owned.contains(&meta.arn));
    values::refuse_owned(&mut items, &by_stacks.map(|meta| meta.name.clone()).collect());
    for item in &mut items {
        if let Some(why) = failed.get(&item.name) {
            item.sides.live = Facet::Unreadable(why.clone());
            item.verdict = Verdict::Unknown(why.clone());
            item.reason.clone_from(&why.reason);
        }
        rotation(item, live.get(&item.name));
    }
    let mut problems = git.problems.clone();
    let receipts = BTreeMap::from([(UNIT.to_owned(), recorded)]);
    problems.extend(super::documents::receipt_problems(&receipts));
    problems.extend(documents.lost_commits().await);
    let units = receipts.iter().map(|(unit, recorded)| unit_of(unit, recorded)).collect();
    let section = Section { items, problems, units };
    Ok(Examined { live, owner_unknown: unasked, ..Examined::of(section, documents.into_current(), receipts) })
}

fn names(git: &GitSide, recorded: &Recorded, live: &BTreeMap<String, SecretMeta>) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = git.items.keys().chain(live.keys()).cloned().collect();
    names.extend(recorded.receipt().into_iter().flat_map(|receipt| receipt.items.keys().cloned()));
    names
}

/// ListSecrets lags by minutes, so each secret that git or the receipt names is asked for by its name; the listing only
/// finds those that neither knows. Returns what could not be asked.
async fn confirm(
    context: &Context,
    names: impl Iterator<Item = &String>,
    live: &mut BTreeMap<String, SecretMeta>,
) -> BTreeMap<String, Why> {
    let names: Vec<String> = names.cloned().collect();
    let answers = secretsmanager::describe_each(&context.session.clients, &names).await;
    let mut failed = BTreeMap::new();
    for (name, answer) in answers {
        match answer {
            Ok(Some(meta)) => {
                live.insert(name, meta);
            }
            Ok(None) => {
                live.remove(&name);
            }
            Err(error) => {
                failed.insert(name, why(&error));
            }
        }
    }
    failed
}

fn candidate(name: &str, git: &GitSide, recorded: &Recorded, meta: Option<&SecretMeta>) -> Candidate {
    let tracked = git.items.get(name);
    // A secret that is scheduled for deletion answers no reader: it is gone, and can be restored until its date.
    let (live, note) = match meta {
        Some(SecretMeta { deletes_at: Some(at), .. }) => {
            (None, Some(format!("scheduled for deletion, can be restored until {}", schema::time(*at))))
        }
        Some(meta) => (Some(listed(meta)), None),
        None => (None, None),
    };
    Candidate {
        name: name.to_owned(),
        unit: UNIT.to_owned(),
        git: tracked.cloned(),
        git_unreadable: if tracked.is_none() { git.broken_for(name) } else { None },
        recorded: recorded.clone(),
        live,
        note,
    }
}

fn listed(meta: &SecretMeta) -> Listed {
    Listed {
        version: meta.current_version.clone().unwrap_or_default(),
        modified: None,
        modified_by: None,
        type_name: match (meta.rotation_enabled, meta.rotation_days) {
            (false, _) => String::new(),
            (true, Some(days)) => format!("rotated every {days} days"),
            (true, None) => "rotated".to_owned(),
        },
        physical_id: Some(meta.arn.clone()),
        public: false,
    }
}

/// A rotated secret's value is AWS's to state: that it differs from git is no news.
fn rotation(item: &mut Item, meta: Option<&SecretMeta>) {
    if let Some(meta) = meta {
        if let Some(changed) = &mut item.changed {
            changed.at = meta.changed_at;
        }
        // Only a value can have been rotated: a secret that is gone, or that git gave up, is news all the same.
        let both = item.file.is_some() && meta.deletes_at.is_none();
        if meta.rotation_enabled && both && item.verdict.is_difference() {
            item.verdict = super::rotated();
            item.reason = meta.last_rotated_at.map_or_else(
                || "rotation is on".to_owned(),
                |at| format!("rotated by Secrets Manager, last {}", schema::time(at)),
            );
        }
    }
}
