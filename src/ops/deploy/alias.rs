//! The fastest way back: a function's alias to its previous version, in seconds, whatever the stack is at.

use super::draft::{Ask, stacks};
use crate::aws::lambda::{self, Published};
use crate::aws::{ErrorKind, cloudformation};
use crate::compare::Why;
use crate::ops::journal::{Action, Begun, Intent};
use crate::ops::session::Session;
use crate::ops::why;

/// An alias that is to serve another version, as it was worked out by reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// The stack and the function's logical id: `shop-prod/Api`.
    pub name: String,
    /// The function's name in AWS.
    pub function: String,
    /// The alias.
    pub alias: String,
    /// What it serves: the version, or several with their shares.
    pub from: String,
    /// What it shall serve.
    pub to: Published,
    /// Whether that version's code is other than what is served now; `None`: several are.
    pub changes_code: Option<bool>,
    revision: Option<String>,
}

/// Works out how a function's alias gets back: to the version before the one that it serves, or to a given one.
///
/// `name` is the stack's name and the function's logical id, with a slash between.
pub async fn turn(session: &Session, name: &str, to: Option<&str>) -> Result<Turn, Why> {
    let clients = &session.clients;
    let (stack, resource) = name.split_once('/').ok_or_else(|| Why::new(format!("{name} names no function")))?;
    let known = stacks(session, &Ask::default()).await?;
    let described = known.iter().find(|known| known.name == stack);
    let function = described.and_then(|stack| stack.functions.iter().find(|function| function.resource == resource));
    let alias = function.and_then(|function| function.alias.clone()).ok_or_else(|| {
        Why::new(format!("{name} has no alias in plumb.toml, and so no way back but a deployment"))
            .hint(format!("plumb rollback {stack} --to COMMIT"))
    })?;
    let resources = cloudformation::resources(clients, stack).await.map_err(|error| why(&error))?;
    let physical = resources.into_iter().find(|found| found.logical_id == resource).and_then(|found| found.physical_id);
    let physical = physical.ok_or_else(|| Why::new(format!("{stack} has no {resource}")))?;
    let (routes, versions) =
        tokio::join!(lambda::alias(clients, &physical, &alias), lambda::versions(clients, &physical));
    let routes = routes.map_err(|error| why(&error))?;
    let routes = routes.ok_or_else(|| Why::new(format!("{physical} has no alias {alias}")))?;
    let versions = versions.map_err(|error| why(&error))?;
    let shares = routes.versions();
    let served: Option<u64> = routes.version.parse().ok();
    let to = match to {
        Some(wanted) => versions.iter().find(|version| version.number.to_string() == wanted).ok_or_else(|| {
            let numbers: Vec<String> = versions.iter().map(|version| version.number.to_string()).collect();
            Why::new(format!("{physical} has no version {wanted}")).hint(format!("one of {}", numbers.join(", ")))
        })?,
        None => versions
            .iter()
            .rfind(|version| served.is_some_and(|served| version.number < served))
            .ok_or_else(|| Why::new(format!("{physical} has no version before {}", routes.version)))?,
    };
    let is_one = shares.len() == 1;
    let now = versions.iter().find(|version| Some(version.number) == served).filter(|_| is_one);
    let from = if is_one {
        routes.version.clone()
    } else {
        let shares = shares.iter().map(|(version, share)| format!("{version} ({:.0} %)", share * 100.0));
        shares.collect::<Vec<_>>().join(", ")
    };
    Ok(Turn {
        name: name.to_owned(),
        function: physical,
        alias,
        from,
        changes_code: now.map(|now| now.code_sha256 != to.code_sha256),
        to: to.clone(),
        revision: routes.revision_id,
    })
}

/// Points the alias there, all of it. Answers why the journal does not hold that, if so. Receipts stay as they are: what
/// git says is something else until it is deployed, and that is what status then shows.
pub async fn turn_back(session: &Session, turn: &Turn) -> Result<Option<Why>, Why> {
    let (session, writer) = session.for_writing().await?;
    let begun = Begun::new(&session, &writer, Intent::new(Action::Alias, vec![turn.name.clone()]))?;
    let version = turn.to.number.to_string();
    let sent =
        lambda::update_alias(&session.clients, &turn.function, &turn.alias, &version, turn.revision.as_deref()).await;
    match sent {
        Ok(()) => Ok(begun.settle(&session, None).await),
        Err(error) => {
            let told = why(&error);
            let _ = begun.settle(&session, Some(told.reason.clone())).await;
            Err(match error.kind {
                ErrorKind::Conflict => Why { hint: Some("look again: it was moved meanwhile".to_owned()), ..told },
                _ => told,
            })
        }
    }
}
