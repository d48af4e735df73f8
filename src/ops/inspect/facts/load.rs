//! What is read of one stack: templates of git and of CloudFormation, resources, receipt.

use std::sync::Arc;

use super::Facts;
use crate::aws::cloudformation::{self, StackInfo, Stage};
use crate::compare::Why;
use crate::config::Stack;
use crate::ops::inspect::context::Context;
use crate::ops::inspect::templates::{self, Side as TemplateSide};
use crate::ops::receipt::{Recorded, UnitId};
use crate::ops::why;
use crate::template::Template;

impl Facts {
    pub(in crate::ops::inspect) async fn load(context: &Context, config: Stack) -> Result<Self, Why> {
        let clients = &context.session.clients;
        let name = config.name.clone();
        let unit = UnitId::Stack(name.clone());
        let (info, recorded, git) = tokio::join!(
            cloudformation::stack(clients, &name),
            context.receipt(&unit),
            templates::at_commit(context, &config)
        );
        let info = info.map_err(|error| why(&error))?;
        let applied = match recorded.receipt() {
            Some(receipt) if context.commit.as_ref().is_ok_and(|commit| commit.id == receipt.commit) => None,
            Some(receipt) => Some(templates::at(context, &config, &receipt.commit).await),
            None => None,
        };
        let (resources, deployed) = if info.is_some() {
            let (resources, text) =
                tokio::join!(context.resources(&name), cloudformation::template(clients, &name, Stage::Original));
            let deployed = text.map_err(|error| why(&error)).and_then(|text| templates::parse(&name, &text));
            (resources?, Some(deployed))
        } else {
            (Arc::default(), None)
        };
        let processed = match &deployed {
            Some(Ok(template)) if template.expanded_by_aws().is_some() => {
                let text = cloudformation::template(clients, &name, Stage::Processed).await;
                Some(text.map_err(|error| why(&error)).and_then(|text| templates::parse(&name, &text)))
            }
            _ => None,
        };
        let running = deployed.as_ref().and_then(|deployed| deployed.as_ref().ok());
        let deployed_scope = templates::deployed_scope(context, &name, info.as_ref(), &resources, running).await;
        let (git, git_scope, applied, recorded, last_failure) = if context.session.settings.adhoc.is_some() {
            let (git, applied) = (stand_in(&name, deployed.as_ref()), stand_in(&name, deployed.as_ref()));
            let scope = deployed_scope.clone();
            (git, scope.clone(), Some((applied, scope)), Recorded::None, None)
        } else {
            let git_scope = templates::scope_of(&git, &deployed_scope, running);
            let applied = applied.map(|side| match (side, running) {
                // An assembly is of one commit alone, and no longer of the one that was rolled out; but the stack is.
                (TemplateSide::Unreadable(_), Some(running)) if is_untouched(info.as_ref(), &recorded) => {
                    (TemplateSide::deployed(running.clone(), info.as_ref()), deployed_scope.clone())
                }
                (side, _) => {
                    let scope = templates::scope_of(&side, &deployed_scope, running);
                    (side, scope)
                }
            });
            (git, git_scope, applied, recorded, last_failure(context, info.as_ref()).await)
        };
        Ok(Self {
            config,
            name,
            info,
            resources,
            deployed,
            processed,
            deployed_scope,
            last_failure,
            git,
            git_scope,
            applied,
            recorded,
        })
    }
}

/// Without a project the deployed template stands for git: what drifted is still what CloudFormation finds.
fn stand_in(name: &str, deployed: Option<&Result<Template, Why>>) -> TemplateSide {
    match deployed {
        Some(Ok(template)) => TemplateSide::bare(template.clone()),
        Some(Err(why)) => TemplateSide::Unreadable(why.clone()),
        None => TemplateSide::Unreadable(Why::new(format!("there is no stack {name}"))),
    }
}

/// Whether a stack has not changed since its receipt was written.
fn is_untouched(info: Option<&StackInfo>, recorded: &Recorded) -> bool {
    let then = recorded.receipt().and_then(|receipt| receipt.stack_changed_at);
    then.is_some() && then == info.map(|info| info.changed_at)
}

/// The newest failure among a stack's events, when its status tells of one.
async fn last_failure(context: &Context, info: Option<&StackInfo>) -> Option<String> {
    const EVENTS: usize = 50;
    let info = info.filter(|info| info.status.contains("FAILED") || info.status.contains("ROLLBACK"))?;
    let events = cloudformation::events::newest(&context.session.clients, &info.name, EVENTS).await.ok()?;
    // A cancelled resource only followed the one that failed.
    let failed = events.into_iter().find(|event| {
        event.status.ends_with("_FAILED") && event.reason.as_deref().is_none_or(|reason| !reason.contains("cancelled"))
    })?;
    Some(format!("{} {}: {}", failed.logical_id, failed.status, failed.reason.unwrap_or_default()))
}
