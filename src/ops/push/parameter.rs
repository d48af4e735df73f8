//! One write of a parameter. PutParameter compares nothing, so the version that it answers tells whether somebody else
//! wrote at the same time.

use super::plan::Race;
use super::present::expected;
use super::send::{Attempt, Task};
use crate::aws::ssm::{self, ParameterMeta};
use crate::aws::{ErrorKind, Read};
use crate::compare::Why;
use crate::config::mapping::STANDARD;
use crate::ops::journal::{Act, Shape, Version};
use crate::ops::session::Session;
use crate::ops::{schema, why};
use crate::secret::Secret;

/// Writes or deletes a parameter. `live` is what is there right now.
pub(super) async fn write(session: &Session, task: &Task, live: Option<&ParameterMeta>) -> Attempt {
    let name = task.step.name.as_str();
    if task.step.act == Act::Delete {
        return match ssm::delete(&session.clients, name).await {
            Ok(_) => Attempt::Done(None, None),
            Err(error) => Attempt::of(why(&error)),
        };
    }
    let Some(value) = &task.value else { return Attempt::Failed(Why::new("its value is not known")) };
    // Of one that was deleted, the journal says what it was like.
    let shape = task.step.shape.as_ref().map(|shape| like(name, shape));
    let model = live.or(shape.as_ref());
    let tier = tier(model.and_then(|model| model.tier.as_deref()), value);
    let type_name = model.map_or(task.target.type_name.as_str(), |model| model.type_name.as_str());
    let is_secure = type_name == "SecureString";
    let key = task.target.key_id.as_deref().or(model.and_then(|model| model.key_id.as_deref()));
    let put = ssm::Put {
        name,
        value,
        type_name,
        key_id: key.filter(|_| is_secure),
        overwrite: live.is_some(),
        tier: tier.as_deref(),
        like: model,
        tags: &task.target.tags,
    };
    match ssm::put(&session.clients, put).await {
        Ok(version) => {
            let race = if version == expected(&task.step) { None } else { race(session, task, value, version).await };
            Attempt::Done(Some(Version { id: version.to_string(), modified: None }), race)
        }
        Err(error) if error.kind == ErrorKind::Conflict && error.code.as_deref() == Some("TooManyUpdates") => {
            Attempt::Again(why(&error))
        }
        // Made by whoever was faster, or by the attempt before, whose answer was lost: the next round tells.
        Err(error) if error.kind == ErrorKind::Conflict => Attempt::Again(why(&error)),
        Err(error) => Attempt::of(why(&error)),
    }
}

/// The tier to write with: that of what is there, and the next one where the value does not fit it.
fn tier(live: Option<&str>, value: &Secret) -> Option<String> {
    let is_large = value.expose().len() > STANDARD;
    match live {
        None | Some("Standard") if is_large => Some("Advanced".to_owned()),
        live => live.map(str::to_owned),
    }
}

/// Who wrote between the plan and this write, and was overwritten by it. The versions between may be this write's own:
/// a request whose answer was lost is sent again, and makes one more.
async fn race(session: &Session, task: &Task, value: &Secret, version: i64) -> Option<Race> {
    let name = &task.step.name;
    let between = match ssm::history(&session.clients, name).await {
        Ok(Some(history)) => history,
        Ok(None) | Err(_) => Vec::new(),
    };
    let before = expected(&task.step) - 1;
    let other = between.iter().rev().find(|it| it.version > before && it.version < version && it.value != *value);
    let told = match other {
        Some(other) => format!(
            "version {} of {}, written at {} by {}, was overwritten by version {version} of this push",
            other.version,
            name,
            schema::time(other.modified_at),
            other.modified_by.as_deref().unwrap_or("somebody"),
        ),
        None if between.is_empty() => {
            format!("version {version} was made instead of {}, and its history cannot be read", expected(&task.step))
        }
        None => return None,
    };
    let back = other.map_or(before, |other| other.version);
    Some(Race { name: name.clone(), told, hint: format!("plumb rollback {name} --to {back} brings theirs back") })
}

/// The value of one version; `None`: there is none.
pub(super) async fn value_of(session: &Session, name: &str, version: &str) -> Result<Option<Secret>, Why> {
    let selector = format!("{name}:{version}");
    match ssm::values(&session.clients, std::slice::from_ref(&selector)).await.remove(&selector) {
        Some(Read::Found(found)) => Ok(Some(found.value)),
        Some(Read::Missing) | None => Ok(None),
        Some(Read::Failed(error)) if error.kind == ErrorKind::NotFound => Ok(None),
        Some(Read::Failed(error)) => Err(why(&error)),
    }
}

fn like(name: &str, shape: &Shape) -> ParameterMeta {
    ParameterMeta {
        name: name.to_owned(),
        type_name: shape.type_name.clone(),
        version: 0,
        modified_at: 0,
        modified_by: None,
        tier: shape.tier.clone(),
        key_id: shape.key_id.clone(),
        description: shape.description.clone(),
        allowed_pattern: shape.allowed_pattern.clone(),
        data_type: shape.data_type.clone(),
        policies: shape.policies.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tier_is_kept_until_a_value_outgrows_it() {
        let (small, large) = (Secret::new("x"), Secret::new("x".repeat(STANDARD + 1)));
        for (live, value, expected) in [
            (None, &small, None),
            (None, &large, Some("Advanced")),
            (Some("Standard"), &small, Some("Standard")),
            (Some("Standard"), &large, Some("Advanced")),
            (Some("Advanced"), &small, Some("Advanced")),
            (Some("Intelligent-Tiering"), &large, Some("Intelligent-Tiering")),
        ] {
            assert_eq!(tier(live, value).as_deref(), expected);
        }
    }
}
