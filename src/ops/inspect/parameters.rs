//! Parameters: the config documents of git against Parameter Store.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;

use super::context::Context;
use super::documents::{Documents, GitSide, Place};
use super::examined::Examined;
use super::values::{self, Candidate, Listed};
use crate::aws::{self, ssm};
use crate::compare::{Kind, Why};
use crate::ops::receipt::{Recorded, UnitId};
use crate::ops::report::{Problem, Section, Unit};
use crate::ops::why;

pub(super) async fn section(context: &Context) -> Result<Section, Why> {
    Ok(examine(context).await?.section)
}

/// The same, with what it was told from.
pub(super) async fn examine(context: &Context) -> Result<Examined<ssm::ParameterMeta>, Why> {
    let documents = Documents::load(context, Place::Config).await?;
    let git = documents.side();
    let (receipts, unlisted) = receipts(context, git).await;
    let mut prefixes = prefixes(context, git, &receipts);
    let hold = context.hold_name();
    if prefixes.is_empty() {
        if hold.is_some() {
            context.tell_hold(Ok(true)).await;
        }
        // Neither a document nor a receipt speaks of any name, and everybody else's are not this project's.
        let problems = git.problems.iter().cloned().chain(unlisted).collect();
        return Ok(Examined::of(Section { problems, ..Section::default() }, documents.into_current(), receipts));
    }
    prefixes.extend(hold.clone());
    let (listing, (owned, unasked)) = tokio::join!(listing(context, &prefixes), context.owned("AWS::SSM::Parameter"));
    if let Some(hold) = &hold {
        let is_listed = listing.as_ref().map(|listing| listing.iter().any(|meta| meta.name == *hold));
        context.tell_hold(is_listed.map_err(why)).await;
    }
    let listing = match listing {
        Ok(listing) => listing,
        Err(mut error) => {
            // The hold is listed by the way; what cannot be listed is the project's own.
            error.subject = hold.map_or(error.subject.clone(), |hold| error.subject.replace(&format!(", {hold}"), ""));
            let section = values::unlisted(Kind::Parameter, git, &why(&error));
            return Ok(Examined::of(section, documents.into_current(), receipts));
        }
    };
    let metas: BTreeMap<String, ssm::ParameterMeta> = listing
        .into_iter()
        .filter(|meta| context.session.settings.adhoc.is_none() || is_below(context, &meta.name))
        .filter(|meta| hold.as_ref() != Some(&meta.name))
        // What a stack owns is compared with the stack, unless git has it too, which is a mistake that must be seen.
        .filter(|meta| !owned.contains(&meta.name) || git.items.contains_key(&meta.name))
        .map(|meta| (meta.name.clone(), meta))
        .collect();
    let live = metas.iter().map(|(name, meta)| (name.clone(), listed(meta.clone()))).collect();
    let mut candidates = candidates(git, &receipts, &live);
    candidates.retain(|candidate| context.is_wanted(&candidate.name));
    let clients = context.session.clients.clone();
    let read = |names: Vec<String>| async move {
        let values = ssm::values(&clients, &names).await;
        values.into_iter().map(|(name, read)| (name, read.map(|value| value.value))).collect::<BTreeMap<_, _>>()
    };
    let mut items = values::judge(context, Kind::Parameter, &documents, candidates, read).await;
    values::doubt_ownership(&mut items, unasked.as_ref());
    values::refuse_owned(&mut items, &owned);
    let mut problems = git.problems.clone();
    problems.extend(super::documents::receipt_problems(&receipts));
    problems.extend(documents.lost_commits().await);
    problems.extend(unlisted);
    let units = receipts.iter().map(|(unit, recorded)| unit_of(unit, recorded)).collect();
    let section = Section { items, problems, units };
    Ok(Examined { live: metas, owner_unknown: unasked, ..Examined::of(section, documents.into_current(), receipts) })
}

/// Everything below the prefixes, or the one that is asked about.
async fn listing(context: &Context, prefixes: &[String]) -> Result<Vec<ssm::ParameterMeta>, aws::Error> {
    let clients = &context.session.clients;
    match &context.only {
        Some(name) => Ok(ssm::one_meta(clients, name).await?.into_iter().collect()),
        None => ssm::describe(clients, prefixes).await,
    }
}

/// Whether a name is the path that was asked for, or below it: `/billing/prod2` is not below `/billing/prod`.
fn is_below(context: &Context, name: &str) -> bool {
    let path = context.session.settings.adhoc.as_ref().and_then(|adhoc| adhoc.path.as_deref()).unwrap_or_default();
    let path = path.trim_end_matches('/');
    name.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn listed(meta: ssm::ParameterMeta) -> Listed {
    Listed {
        version: meta.version.to_string(),
        modified: Some(meta.modified_at),
        modified_by: meta.modified_by,
        public: meta.type_name != "SecureString",
        type_name: meta.type_name,
        physical_id: None,
    }
}

/// One receipt per service that git knows, or knew when it was rolled out; and why the latter are not known.
async fn receipts(context: &Context, git: &GitSide) -> (BTreeMap<String, Recorded>, Option<Problem>) {
    let load = |services: BTreeSet<String>| {
        join_all(services.into_iter().map(|service| async move {
            let recorded = context.receipt(&UnitId::Config(service.clone())).await;
            (service, recorded)
        }))
    };
    let (known, recorded) = tokio::join!(load(git.services.clone()), context.recorded());
    let mut receipts: BTreeMap<String, Recorded> = known.into_iter().collect();
    match recorded {
        Ok(units) => {
            let services = units.iter().filter_map(|unit| match unit {
                UnitId::Config(service) => Some(service.clone()),
                UnitId::Stack(_) | UnitId::Secrets => None,
            });
            receipts.extend(load(services.filter(|service| !receipts.contains_key(service)).collect()).await);
            (receipts, None)
        }
        // The same is told of each receipt already.
        Err(_) if receipts.values().any(|recorded| matches!(recorded, Recorded::Unreadable(_))) => (receipts, None),
        Err(why) => (receipts, Some(Problem { subject: "receipts of services that left git".to_owned(), why })),
    }
}

/// What the names begin with, so that nobody else's parameters are listed.
fn prefixes(context: &Context, git: &GitSide, receipts: &BTreeMap<String, Recorded>) -> Vec<String> {
    let mut prefixes = git.prefixes.clone();
    // An item that left git and whose service's pattern changed is still found by its receipt.
    for name in receipts.values().filter_map(Recorded::receipt).flat_map(|receipt| receipt.items.keys()) {
        if !prefixes.iter().any(|prefix| name.starts_with(prefix)) {
            prefixes.insert(name.clone());
        }
    }
    prefixes.extend(context.session.settings.adhoc.iter().filter_map(|adhoc| adhoc.path.clone()));
    prefixes.into_iter().collect()
}

fn candidates(git: &GitSide, receipts: &BTreeMap<String, Recorded>, live: &BTreeMap<String, Listed>) -> Vec<Candidate> {
    let mut names: BTreeSet<&String> = git.items.keys().chain(live.keys()).collect();
    names.extend(receipts.values().filter_map(Recorded::receipt).flat_map(|receipt| receipt.items.keys()));
    names
        .into_iter()
        .map(|name| {
            let tracked = git.items.get(name);
            let unit = tracked
                .map(|item| item.unit.clone())
                .or_else(|| unit_by_receipt(name, receipts))
                .or_else(|| git.unit_by_prefix(name))
                .unwrap_or_default();
            Candidate {
                name: name.clone(),
                git: tracked.cloned(),
                git_unreadable: if tracked.is_none() { git.broken_for(name) } else { None },
                recorded: receipts.get(&unit).cloned().unwrap_or(Recorded::None),
                live: live.get(name).cloned(),
                note: None,
                unit,
            }
        })
        .collect()
}

fn unit_by_receipt(name: &str, receipts: &BTreeMap<String, Recorded>) -> Option<String> {
    receipts.iter().find(|(_, recorded)| recorded.entry(name).is_some()).map(|(unit, _)| unit.clone())
}

/// What a receipt says of its unit.
pub(super) fn unit_of(name: &str, recorded: &Recorded) -> Unit {
    let receipt = recorded.receipt();
    Unit {
        name: name.to_owned(),
        runs: receipt.map(|receipt| receipt.commit.clone()),
        rolled_out_at: receipt.map(|receipt| receipt.at),
        rolled_out_by: receipt.map(|receipt| receipt.by.clone()),
        ..Unit::default()
    }
}
