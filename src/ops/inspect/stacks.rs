//! Stacks: the templates of git against what CloudFormation deployed and what it finds live.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;

use super::context::Context;
use super::facts::{Facts, unsure};
use super::templates::{self, Side as TemplateSide};
use super::{Detect, Wish};
use crate::aws::cloudformation::drift::{self, Detection, DetectionStatus, ResourceDrift};
use crate::compare::{Facet, Item, Kind, Sides, Verdict, Why};
use crate::config::Stack;
use crate::ops::moves;
use crate::ops::receipt::UnitId;
use crate::ops::report::{Problem, Section, Unit};
use crate::ops::session::Session;
use crate::ops::why;
use crate::template::Template;

/// A detection of the largest stacks takes minutes; one that takes longer is shown as failed, and goes on at AWS.
const LONGEST_DETECTION: Duration = Duration::from_mins(15);

pub(super) async fn section(context: &Context) -> Result<Section, Why> {
    let stacks = context.stacks().await;
    let one = |stack: Stack| async move {
        match Box::pin(stack_section(context, stack.clone())).await {
            Ok(section) => section,
            Err(why) => unasked(context, &stack, why).await,
        }
    };
    let (sections, left) =
        tokio::join!(join_all(stacks.0.iter().cloned().map(one)), left(context, &stacks.0, stacks.1.is_empty()));
    let mut section = merge(sections);
    section.problems.extend(stacks.1.iter().cloned().chain(left));
    Ok(section)
}

/// Stacks that were rolled out and that the project no longer names: nobody compares them any more, and they go on
/// running. Where the project's stacks are not all known, nobody can tell.
async fn left(context: &Context, stacks: &[Stack], all_known: bool) -> Vec<Problem> {
    if !all_known || context.session.settings.adhoc.is_some() {
        return Vec::new();
    }
    // Why it cannot be listed is told with the parameters, whose receipts lie beside it.
    let Ok(units) = context.recorded().await else { return Vec::new() };
    let gone = units.iter().filter_map(|unit| match unit {
        UnitId::Stack(name) if !stacks.iter().any(|stack| stack.name == *name) => Some(name),
        _ => None,
    });
    gone.map(|name| Problem {
        subject: name.clone(),
        why: Why::new("rolled out, and no longer in plumb.toml: it is not compared")
            .hint("name it in [[stacks]] again; or delete the stack, then its receipt in the state bucket"),
    })
    .collect()
}

/// What git's template names, when the stack could not be asked: nothing may be concluded of any of it.
async fn unasked(context: &Context, stack: &Stack, why: Why) -> Section {
    let git = templates::at_commit(context, stack).await;
    let resources = git.template().map(Template::resources).unwrap_or_default();
    let items = resources.iter().map(|resource| Item {
        kind: Kind::Stack,
        name: format!("{}/{}", stack.name, resource.logical_id),
        unit: stack.name.clone(),
        type_name: resource.type_name.clone(),
        physical_id: None,
        logical_id: None,
        verdict: Verdict::Unknown(why.clone()),
        reason: why.reason.clone(),
        sides: Sides { git: Facet::Unread, applied: Facet::Unread, live: Facet::Unreadable(why.clone()) },
        rows: Vec::new(),
        changed: None,
        version: None,
        file: Some(stack.template.clone()),
    });
    let items = items.collect();
    let unit = Unit { name: stack.name.clone(), status: "could not be read".to_owned(), ..Unit::default() };
    Section { items, problems: vec![Problem { subject: stack.name.clone(), why }], units: vec![unit] }
}

fn merge(parts: Vec<Section>) -> Section {
    parts.into_iter().fold(Section::default(), |mut all, part| {
        all.items.extend(part.items);
        all.problems.extend(part.problems);
        all.units.extend(part.units);
        all
    })
}

async fn stack_section(context: &Context, stack: Stack) -> Result<Section, Why> {
    let facts = Box::pin(Facts::load(context, stack)).await?;
    let Some(info) = &facts.info else { return Ok(facts.section(&BTreeMap::new(), None)) };
    let clients = &context.session.clients;
    let last = async { drift::drifts(clients, &facts.name).await.map_err(|error| why(&error)) };
    let checked = info.drift_checked_at;
    if !facts.wants_detection(context, checked) {
        let drifts = if checked.is_some() { last.await? } else { Vec::new() };
        return Ok(facts.section(&by_resource(&facts, drifts), checked));
    }
    // What CloudFormation found last time is shown at once, with its age; the detection may take a minute.
    // With several stacks the section would lack the others.
    if checked.is_some()
        && context.stacks().await.0.len() == 1
        && let Ok(drifts) = last.await
    {
        let mut section = facts.section(&by_resource(&facts, drifts), checked);
        section.items.sort_by(|a, b| a.name.cmp(&b.name));
        context.provisional(Kind::Stack, section);
    }
    context.progress(Kind::Stack, format!("detecting drift of {}", facts.name));
    match detect(context, &facts.name).await {
        Ok(detection) => {
            let drifts = drift::drifts(clients, &facts.name).await.map_err(|error| why(&error))?;
            let mut section = facts.section(&by_resource(&facts, drifts), Some(detection.at));
            if let DetectionStatus::Failed(reason) = detection.status {
                let why = Why::new(format!("CloudFormation could not check every resource: {reason}"));
                section.problems.push(Problem { subject: facts.name.clone(), why });
            }
            Ok(section)
        }
        Err(why) => {
            let mut section = facts.section(&BTreeMap::new(), None);
            for item in &mut section.items {
                blame_detection(item, &why);
            }
            section.problems.push(Problem { subject: facts.name.clone(), why });
            Ok(section)
        }
    }
}

/// An item that is unknown since no drift is known says what kept the detection from finding it.
fn blame_detection(item: &mut Item, why: &Why) {
    if matches!(item.verdict, Verdict::Unknown(_)) {
        item.reason.clone_from(&why.reason);
        item.verdict = Verdict::Unknown(why.clone());
    } else if item.verdict.is_difference() && !item.rows.is_empty() && item.sides.live != Facet::Absent {
        item.reason = unsure(&item.rows, why);
    }
}

/// What CloudFormation found, but for aliases that serve what was rolled out.
fn by_resource(facts: &Facts, mut drifts: Vec<ResourceDrift>) -> BTreeMap<String, ResourceDrift> {
    moves::settle(&mut drifts, &facts.config.functions, facts.recorded.receipt());
    drifts.into_iter().map(|drift| (drift.logical_id.clone(), drift)).collect()
}

async fn detect(context: &Context, stack: &str) -> Result<Detection, Why> {
    let clients = &context.session.clients;
    let id = drift::detect(clients, stack).await.map_err(|error| why(&error))?;
    drift::wait_detection(clients, &id, LONGEST_DETECTION).await.map_err(|error| why(&error))
}

/// Whether the template that a stack runs asks for the same as a commit's, and when the stack last changed; `None`: there
/// is no such stack.
pub(crate) async fn stack_asks_the_same(
    session: &Session,
    reference: &str,
    stack: &Stack,
) -> Result<Option<(bool, i64)>, Why> {
    let (sink, _parts) = tokio::sync::mpsc::unbounded_channel();
    let wish = Wish { reference: reference.to_owned(), detect: Detect::Never, ..Wish::of(session) };
    let context = Context::open(session, &wish, sink).await;
    let facts = Box::pin(Facts::load(&context, stack.clone())).await?;
    match (&facts.info, &facts.deployed, &facts.git) {
        (None, ..) => Ok(None),
        (Some(info), Some(Ok(deployed)), TemplateSide::Template(git)) => {
            let git = (&git.template, &facts.git_scope);
            Ok(Some((templates::ask_the_same(git, (deployed, &facts.deployed_scope)), info.changed_at)))
        }
        (_, Some(Err(why)), _) | (_, _, TemplateSide::Unreadable(why)) => Err(why.clone()),
        (Some(_), None, _) => Err(Why::new(format!("the template of {} could not be read", facts.name))),
    }
}
