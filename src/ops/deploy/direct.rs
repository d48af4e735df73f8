//! Puts back directly what was changed by hand and no change set puts back: configuration of functions and plain
//! parameters that CloudFormation leaves, and code of functions, which it never looks at.
//!
//! What it puts back is what the template that is deployed says; it is worked out by reading alone and shown before.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::draft::Draft;
use super::drift::Drifted;
use super::follow::{LONGEST, Progress};
use super::plan::Plan;
use super::preview::{Act, Change, Sight};
use super::revert;
use crate::aws::cloudformation::NO_ECHO;
use crate::aws::cloudformation::drift::{DriftStatus, ResourceDrift};
use crate::aws::lambda::{self, Configuration};
use crate::aws::ssm;
use crate::compare::Why;
use crate::ops::why;
use crate::secret::Secret;
use crate::template;

const FUNCTION: &str = "AWS::Lambda::Function";
const PARAMETER: &str = "AWS::SSM::Parameter";

/// One resource that is put back without CloudFormation.
#[derive(Debug, Clone)]
pub struct PutBack {
    /// Its name in the template.
    pub logical_id: String,
    /// Its type.
    pub type_name: String,
    /// Its name in AWS.
    pub physical_id: String,
    /// What of it; empty: all, since it was deleted.
    pub properties: Vec<String>,
    how: How,
}

#[derive(Debug, Clone)]
enum How {
    Configuration(Box<Configuration>),
    Parameter(Box<Plain>),
    /// Publishing does it: it looks at the code of each function anyway.
    Code,
}

/// A parameter as the template has it.
#[derive(Debug, Clone)]
struct Plain {
    value: Secret,
    type_name: String,
    description: Option<String>,
    allowed_pattern: Option<String>,
    data_type: Option<String>,
    tier: Option<String>,
    tags: Vec<(String, String)>,
}

/// What was found changed by hand and the change set leaves: what Plumb puts back, and what it cannot. `after` is what is to
/// be; `None`: what was deployed last. `stays` says what to do about what stays so: of a property, or empty, of all of it.
pub(super) fn drifted<'a>(
    draft: &Draft,
    drifts: impl Iterator<Item = &'a ResourceDrift>,
    changes: &[Change],
    after: Option<&Sight<'_>>,
    stays: &dyn Fn(&ResourceDrift, &str) -> Why,
) -> (Vec<PutBack>, Vec<Why>) {
    let (mut put_back, mut left) = (Vec::new(), Vec::new());
    for drift in drifts.filter(|drift| matches!(drift.status, DriftStatus::Modified | DriftStatus::Deleted)) {
        let change = changes.iter().find(|change| change.logical_id == drift.logical_id);
        let (all, open) = (tops(drift), open(drift, change, after));
        let is_done = match drift.status {
            DriftStatus::Deleted => change.is_some(),
            _ => open.is_empty(),
        };
        if is_done {
            continue;
        }
        let expected = expected(drift, after);
        let found = match (&*drift.type_name, drift.status) {
            (FUNCTION, DriftStatus::Modified) => configuration(drift, &open, &expected),
            (PARAMETER, _) => parameter(drift, &open, &expected, &draft.stack.tags),
            _ => None,
        };
        let stay: BTreeSet<String> = match &found {
            Some(found) => open.difference(&found.properties.iter().cloned().collect()).cloned().collect(),
            None if open == all => BTreeSet::from([String::new()]),
            None => open,
        };
        left.extend(stay.iter().map(|property| stays(drift, property)));
        put_back.extend(found);
    }
    (put_back, left)
}

/// The properties that were changed and that neither the change set puts back, nor is now what git says.
fn open(drift: &ResourceDrift, change: Option<&Change>, after: Option<&Sight<'_>>) -> BTreeSet<String> {
    let is_adopted = |property: &str| {
        let live = drift.actual.as_ref().and_then(|actual| actual.get(property));
        let wanted = after.and_then(|sight| sight.settled(&drift.logical_id, property));
        matches!((live, wanted), (Some(live), Some(wanted)) if template::same(live, &wanted))
    };
    let is_met = |property: &String| {
        change.is_some_and(|change| change.act == Act::Sync || change.overwrites(property)) || is_adopted(property)
    };
    tops(drift).into_iter().filter(|property| !is_met(property)).collect()
}

/// What a resource is to be: as CloudFormation expects it, and where the template says something else now, as that says.
fn expected(drift: &ResourceDrift, after: Option<&Sight<'_>>) -> Value {
    let whole = || after.and_then(|sight| sight.whole(&drift.logical_id));
    let mut expected = drift.expected.clone().or_else(whole).unwrap_or_default();
    for (property, value) in expected.as_object_mut().into_iter().flatten() {
        let now = after.and_then(|sight| sight.settled(&drift.logical_id, property));
        if let Some(now) = now.filter(|now| !template::same(now, value) && !now.to_string().contains(NO_ECHO)) {
            *value = now;
        }
    }
    expected
}

/// The properties that were changed, without what lies in them.
fn tops(drift: &ResourceDrift) -> BTreeSet<String> {
    let top = |path: &str| path.trim_start_matches('/').split('/').next().unwrap_or_default().to_owned();
    drift.differences.iter().map(|difference| top(&difference.path)).collect()
}

/// What to do about what neither CloudFormation nor Plumb puts back; an empty property: all of it.
pub(super) fn stays_so(drift: &ResourceDrift, property: &str) -> Why {
    let id = &drift.logical_id;
    if drift.status == DriftStatus::Deleted {
        let told = format!("{id} was deleted by hand, and CloudFormation found nothing to put back");
        return Why::new(told).hint(format!(
            "take {id} out of the template, deploy, put it in again, deploy; what was in it does not come back"
        ));
    }
    let what = named(drift, property);
    Why::new(format!("{what} was changed by hand, and CloudFormation found nothing to put back"))
        .hint(format!("plumb diff shows what of {id}; put it back by hand, or change it in git and deploy"))
}

/// A property of a resource, or the resource.
pub(super) fn named(drift: &ResourceDrift, property: &str) -> String {
    let id = &drift.logical_id;
    if property.is_empty() { id.clone() } else { format!("{id}.{property}") }
}

fn configuration(drift: &ResourceDrift, changed: &BTreeSet<String>, expected: &Value) -> Option<PutBack> {
    let mut new = Configuration::default();
    let known = |property: &&String| expected.get(*property).and_then(|value| set(&mut new, property, value)).is_some();
    let properties: Vec<String> = changed.iter().filter(known).cloned().collect();
    of(drift, properties, How::Configuration(Box::new(new)))
}

/// Notes what a property shall be; `None`: Plumb cannot say, or not send it.
fn set(new: &mut Configuration, property: &str, value: &Value) -> Option<()> {
    match property {
        "Description" => new.description = Some(text(value)?),
        "Environment" => {
            let variables = value.get("Variables").and_then(Value::as_object);
            let pairs = variables.into_iter().flatten();
            let secrets = pairs.map(|(name, value)| Some((name.clone(), Secret::new(text(value)?))));
            new.environment = Some(secrets.collect::<Option<BTreeMap<_, _>>>()?);
        }
        "EphemeralStorage" => new.ephemeral_storage = Some(number(value.get("Size")?)?),
        "Handler" => new.handler = Some(text(value)?),
        "Layers" => new.layers = Some(value.as_array()?.iter().map(text).collect::<Option<_>>()?),
        "MemorySize" => new.memory = Some(number(value)?),
        "Role" => new.role = Some(text(value)?),
        "Runtime" => new.runtime = Some(text(value)?),
        "Timeout" => new.timeout = Some(number(value)?),
        "TracingConfig" => new.tracing = Some(text(value.get("Mode")?)?),
        _ => return None,
    }
    Some(())
}

fn parameter(
    drift: &ResourceDrift,
    changed: &BTreeSet<String>,
    expected: &Value,
    tags: &BTreeMap<String, String>,
) -> Option<PutBack> {
    let optional = |name: &str| expected.get(name).and_then(text);
    let type_name = optional("Type").filter(|name| name == "String" || name == "StringList")?;
    let own = expected.get("Tags").and_then(Value::as_object).into_iter().flatten();
    let own = own.filter_map(|(name, value)| Some((name.clone(), text(value)?)));
    let all: BTreeMap<String, String> = tags.clone().into_iter().chain(own).collect();
    let plain = Plain {
        value: Secret::new(optional("Value")?),
        type_name,
        description: optional("Description"),
        allowed_pattern: optional("AllowedPattern"),
        data_type: optional("DataType"),
        tier: optional("Tier"),
        tags: all.into_iter().collect(),
    };
    // Parameter Store gives none another type while it is there.
    if changed.contains("Type") {
        return None;
    }
    let sent = |property: &&String| matches!(&***property, "Value" | "Description" | "AllowedPattern");
    let properties: Vec<String> = changed.iter().filter(sent).cloned().collect();
    if drift.status == DriftStatus::Modified {
        return of(drift, properties, How::Parameter(Box::new(plain)));
    }
    Some(put_back(drift, Vec::new(), How::Parameter(Box::new(plain))))
}

fn of(drift: &ResourceDrift, properties: Vec<String>, how: How) -> Option<PutBack> {
    (!properties.is_empty()).then(|| put_back(drift, properties, how))
}

fn put_back(drift: &ResourceDrift, properties: Vec<String>, how: How) -> PutBack {
    let (logical_id, type_name) = (drift.logical_id.clone(), drift.type_name.clone());
    let physical_id = drift.physical_id.clone().unwrap_or_else(|| logical_id.clone());
    PutBack { logical_id, type_name, physical_id, properties, how }
}

/// A scalar as AWS's APIs take it. What CloudFormation hides (`NoEcho`) it shows as stars, and nobody can put that back.
fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => return None,
    };
    let is_hidden = text.len() >= 4 && text.bytes().all(|byte| byte == b'*');
    (!is_hidden).then_some(text)
}

fn number(value: &Value) -> Option<i32> {
    text(value)?.parse().ok()
}

/// Functions whose code is not what the commit's source comes to, where no change is made to it anyway.
pub(super) async fn codes(
    draft: &Draft,
    uploaded: &BTreeMap<String, super::artifacts::Uploaded>,
    drifts: &[ResourceDrift],
    changes: &[Change],
) -> Result<Vec<PutBack>, Why> {
    let mut found = Vec::new();
    for (id, artifact) in uploaded.iter().filter(|(id, _)| draft.ask.means(id)) {
        let is_other =
            |change: &Change| change.logical_id == *id && (change.act != Act::Modify || change.touches("Code"));
        let resource = drifts.iter().find(|drift| drift.logical_id == *id && drift.status != DriftStatus::Deleted);
        let Some((resource, physical)) = resource.and_then(|drift| Some((drift, drift.physical_id.as_deref()?))) else {
            continue;
        };
        if !changes.iter().any(is_other) && !super::publish::is_built(draft, physical, artifact).await? {
            found.push(put_back(resource, vec!["Code".to_owned()], How::Code));
        }
    }
    Ok(found)
}

/// What became of a plan's resources that are put back directly.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Those that are put back, by logical id.
    pub(super) ids: Vec<String>,
    /// The same in words.
    pub(super) notes: Vec<String>,
    /// Those that are not, and why.
    pub(super) failed: Vec<Why>,
}

/// Puts back what the plan shows, one after the other, and has CloudFormation look again, so that the next status does not
/// show what is over.
pub(super) async fn carry_out(draft: &Draft, plan: &Plan, progress: &(dyn Fn(Progress) + Send + Sync)) -> Done {
    let mut done = Done::default();
    for one in &plan.put_back {
        let name = &one.physical_id;
        let tell = || progress(Progress::Step(format!("putting {name} back")));
        let sent = match &one.how {
            How::Code => continue,
            How::Configuration(new) => {
                tell();
                reconfigure(draft, name, new).await
            }
            How::Parameter(wanted) => {
                tell();
                put(draft, one, wanted).await
            }
        };
        match sent {
            Ok(()) => {
                done.ids.push(one.logical_id.clone());
                done.notes.push(format!("{name} was put back: {}", one.what()));
            }
            Err(why) => {
                done.failed.push(Why { reason: format!("{name} was not put back: {}", why.reason), ..why });
            }
        }
    }
    if !done.ids.is_empty() {
        progress(Progress::Step(format!("looking at every resource of {} again", draft.stack.name)));
        // What is put back is; that CloudFormation has not looked is told by the age of its last look.
        let _ = revert::detect(draft).await;
    }
    done
}

impl PutBack {
    /// Whether it puts back something that was found.
    pub(super) fn undoes(&self, drift: &Drifted) -> bool {
        let is_of = |property: &String| drift.path.split('.').next() == Some(property);
        self.logical_id == drift.logical_id && (self.properties.is_empty() || self.properties.iter().any(is_of))
    }

    /// What of it is put back, in words.
    #[must_use]
    pub fn what(&self) -> String {
        if self.properties.is_empty() { "all of it".to_owned() } else { self.properties.join(", ") }
    }
}

async fn reconfigure(draft: &Draft, function: &str, new: &Configuration) -> Result<(), Why> {
    let clients = &draft.session.clients;
    lambda::update_configuration(clients, function, new).await.map_err(|error| why(&error))?;
    lambda::wait_updated(clients, function, LONGEST).await.map_err(|error| why(&error))
}

async fn put(draft: &Draft, one: &PutBack, plain: &Plain) -> Result<(), Why> {
    let (clients, name) = (&draft.session.clients, &one.physical_id);
    let was = ssm::one_meta(clients, name).await.map_err(|error| why(&error))?;
    let overwrite = was.is_some();
    // Policies, which the template does not have, stay.
    let like = ssm::ParameterMeta {
        description: plain.description.clone(),
        allowed_pattern: plain.allowed_pattern.clone(),
        data_type: plain.data_type.clone(),
        ..was.unwrap_or_else(|| ssm::ParameterMeta::named(name, &plain.type_name))
    };
    let put = ssm::Put {
        name,
        value: &plain.value,
        type_name: &plain.type_name,
        key_id: None,
        overwrite,
        tier: plain.tier.as_deref(),
        like: Some(&like),
        tags: &plain.tags,
    };
    ssm::put(clients, put).await.map(|_| ()).map_err(|error| why(&error))
}

#[cfg(test)]
mod tests;
