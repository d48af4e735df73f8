//! Gives one item an earlier value of its own, whatever git says: for the night, until git says it too.

use super::plan::{Change, Plan, Target, only};
use super::present::{Now, look};
use super::secret;
use crate::aws::{Read, secretsmanager, ssm};
use crate::compare::{Facet, Why};
use crate::ops::inspect::{self, Loaded, Place};
use crate::ops::journal::{Act, Action, Origin, Step, Thing, Version};
use crate::ops::session::Session;
use crate::ops::{readers, why};

/// Works out how an item gets the value of an earlier version: a parameter's number, or a secret's version id or stage.
pub async fn plan(session: &Session, name: &str, to: &str) -> Result<Plan, Why> {
    let writer = session.identity().await?;
    let (kind, unit) = place(session, name).await?;
    let step = Step {
        kind,
        name: name.to_owned(),
        unit,
        act: Act::Update,
        before: None,
        from: None,
        token: None,
        digest: None,
        recorded: None,
        shape: None,
    };
    let now = look(session, &[&step]).await.remove(&(kind, name.to_owned())).unwrap_or(Now::Absent);
    let change = match now {
        Now::Unknown(why) => return Err(why),
        Now::Absent => return Err(absent(name)),
        Now::Secret(meta) if meta.deletes_at.is_some() => {
            return Err(
                Why::new(format!("{name} is scheduled for deletion")).hint("a push restores what git still has")
            );
        }
        Now::Parameter(_) => of_parameter(session, step, to).await?,
        Now::Secret(meta) => of_secret(session, step, meta.current_version.unwrap_or_default(), to).await?,
    };
    let mut plan = Plan::new(Action::Rollback, format!("version {to}"), writer);
    plan.warnings
        .push("git says what it says: until a commit says this too, the next push writes git's value".to_owned());
    plan.changes.push(change);
    let mut found = readers::of(session, &session.reference(), vec![(kind, name.to_owned())]).await;
    for change in &mut plan.changes {
        change.readers = found.remove(&(kind, name.to_owned())).unwrap_or_default();
    }
    Ok(plan)
}

fn absent(name: &str) -> Why {
    Why::new(format!("{name} is not live")).hint("a deleted parameter has no past: push what git has")
}

/// What an item is and what it is rolled out with. What a stack of the project owns is the stack's.
async fn place(session: &Session, name: &str) -> Result<(Thing, String), Why> {
    let reference = session.reference();
    let mut found = None;
    for (kind, place) in [(Thing::Parameter, Place::Config), (Thing::Secret, Place::Secrets)] {
        let loaded = Loaded::at(session, &reference, place).await?;
        found = found.or_else(|| loaded.side.items.get(name).map(|item| (kind, item.unit.clone())));
    }
    let is_in_git = found.is_some();
    let (kind, unit) = match found {
        Some(found) => found,
        None if ssm::one_meta(&session.clients, name).await.map_err(|error| why(&error))?.is_some() => {
            (Thing::Parameter, String::new())
        }
        None if secretsmanager::describe(&session.clients, name).await.map_err(|error| why(&error))?.is_some() => {
            (Thing::Secret, String::new())
        }
        None => return Err(absent(name)),
    };
    let type_name = if kind == Thing::Parameter { "AWS::SSM::Parameter" } else { "AWS::SecretsManager::Secret" };
    let (owned, unasked) = inspect::owned(session, &reference, type_name).await;
    let is_it = |id: &String| id == name || id.contains(&format!(":secret:{name}-"));
    match unasked {
        _ if owned.iter().any(is_it) => Err(Why::new(format!("refused: a stack of this project owns {name}"))),
        Some(why) if !is_in_git => Err(Why { reason: format!("a stack may own {name}: {}", why.reason), ..why }),
        _ => Ok((kind, unit)),
    }
}

async fn of_parameter(session: &Session, step: Step, to: &str) -> Result<Change, Why> {
    let name = step.name.clone();
    let history = ssm::history(&session.clients, &name).await.map_err(|error| why(&error))?.unwrap_or_default();
    let live = history.last().ok_or_else(|| absent(&name))?;
    let meta =
        ssm::one_meta(&session.clients, &name).await.map_err(|error| why(&error))?.ok_or_else(|| absent(&name))?;
    let found = history.iter().find(|version| version.version.to_string() == to);
    let found = found.ok_or_else(|| {
        let known: Vec<String> = history.iter().map(|version| version.version.to_string()).collect();
        Why::new(format!("{name} has no version {to}")).hint(format!("one of {}", known.join(", ")))
    })?;
    if found.version == live.version {
        return Err(Why::new(format!("version {to} of {name} is live already")));
    }
    let before = Some(Version { id: meta.version.to_string(), modified: Some(meta.modified_at) });
    let step = Step { before, from: Some(Origin::Version(to.to_owned())), ..step };
    Ok(change(step, Facet::Secret(live.value.clone()), Facet::Secret(found.value.clone())))
}

async fn of_secret(session: &Session, step: Step, current: String, to: &str) -> Result<Change, Why> {
    let name = step.name.clone();
    let versions = secretsmanager::versions(&session.clients, &name).await.map_err(|error| why(&error))?;
    let versions = versions.unwrap_or_default();
    let mut fitting =
        versions.iter().filter(|version| version.id.starts_with(to) || version.stages.iter().any(|stage| stage == to));
    let found = match (fitting.next(), fitting.next()) {
        (Some(version), None) => version.id.clone(),
        (Some(_), Some(_)) => return Err(Why::new(format!("several versions of {name} begin with {to}"))),
        (None, _) => {
            return Err(
                Why::new(format!("{name} has no version {to}")).hint("plumb history lists them, or AWSPREVIOUS")
            );
        }
    };
    if found == current {
        return Err(Why::new(format!("version {to} of {name} is live already")));
    }
    let names = std::slice::from_ref(&name);
    let before = match secretsmanager::values(&session.clients, names).await.remove(&name) {
        Some(Read::Found(value)) => Facet::Secret(value.value),
        Some(Read::Failed(error)) => Facet::Unreadable(why(&error)),
        Some(Read::Missing) | None => Facet::Absent,
    };
    let after = secret::value_of(session, &name, &found).await?;
    let after = after.ok_or_else(|| Why::new(format!("version {found} of {name} has no value any more")))?;
    let step = Step {
        before: Some(Version { id: current, modified: None }),
        from: Some(Origin::Version(found.clone())),
        token: Some(found),
        ..step
    };
    Ok(change(step, before, Facet::Secret(after)))
}

fn change(step: Step, before: Facet, after: Facet) -> Change {
    Change {
        step,
        verdict: None,
        file: None,
        only: only(&before, &after),
        before,
        after,
        changed: None,
        overwrites: false,
        readers: Vec::new(),
        notes: Vec::new(),
        target: Target::default(),
    }
}
