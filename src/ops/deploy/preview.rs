//! A change set as whoever confirms it has to see it: what is done to each resource, property by property, and what is
//! lost by it.
//!
//! AWS's own values come first. Where it gives none, both templates are resolved as far as that can be known now.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::aws::cloudformation::changeset::{ChangeDetail, ResourceChange};
use crate::compare::{Facet, Why};
use crate::ops::inspect::shown;
use crate::secret::Secret;
use crate::template::{self, Resolved, ResourceRef, Scope, Template};

/// What is done to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// It is made.
    Add,
    /// It is changed.
    Modify,
    /// It is taken out of the stack.
    Remove,
    /// It exists, and is taken into the stack.
    Import,
    /// What is done is decided meanwhile.
    Dynamic,
    /// It stays as it is, and CloudFormation takes note of what that is.
    Sync,
}

impl Act {
    fn of(action: &str) -> Self {
        match action {
            "Add" => Self::Add,
            "Remove" => Self::Remove,
            "Import" => Self::Import,
            "Dynamic" => Self::Dynamic,
            "SyncWithActual" => Self::Sync,
            _ => Self::Modify,
        }
    }

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Modify => "modify",
            Self::Remove => "remove",
            Self::Import => "import",
            Self::Dynamic => "dynamic",
            Self::Sync => "sync",
        }
    }
}

/// Whether a modification makes a new resource in place of the old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replacement {
    /// It does not.
    No,
    /// It does.
    Yes,
    /// That is decided meanwhile.
    Perhaps,
}

impl Replacement {
    /// Its word, as AWS has it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Yes => "yes",
            Self::Perhaps => "perhaps",
        }
    }
}

/// What becomes of the resource that is there so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It goes on.
    Kept,
    /// It is deleted.
    Deleted,
    /// It stays, and no stack knows of it any more.
    Retained,
    /// It is deleted, after a snapshot was made of it.
    Snapshot,
}

/// One resource that is changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// What is done.
    pub act: Act,
    /// Its name in the template.
    pub logical_id: String,
    /// Its type.
    pub type_name: String,
    /// Its name or ARN in AWS, where it has one.
    pub physical_id: Option<String>,
    /// Whether a new one takes its place.
    pub replacement: Replacement,
    /// What becomes of the one that is there.
    pub fate: Fate,
    /// What of it changes; empty for one that is made or removed.
    pub properties: Vec<Property>,
}

/// A property that changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Property {
    /// Its path: `Environment.Variables.BATCH`; for other than properties the attribute: `Tags`.
    pub path: String,
    /// What it is.
    pub before: Facet,
    /// What it will be; unreadable where that is decided meanwhile.
    pub after: Facet,
    /// Whether its change makes a new resource; with `Conditionally` it may.
    pub recreates: bool,
    /// The parameter or attribute that causes it, where it is not the template itself.
    pub because: Option<String>,
}

impl Change {
    /// Whether it changes this property, a part of it, or what it is a part of.
    pub(super) fn touches(&self, path: &str) -> bool {
        let top = path.split('.').next().unwrap_or_default();
        self.properties.iter().any(|property| property.path.split('.').next() == Some(top))
    }

    /// Whether what is live of this property is gone after it.
    pub(super) fn overwrites(&self, path: &str) -> bool {
        match self.act {
            Act::Remove => true,
            Act::Sync => false,
            _ => self.replacement == Replacement::Yes || self.touches(path),
        }
    }

    /// What is lost by it, in a sentence; `None`: nothing that was there before.
    #[must_use]
    pub fn loss(&self) -> Option<String> {
        let verb = match (self.act, self.replacement) {
            (Act::Remove, _) => "is deleted",
            (_, Replacement::Yes) => "is replaced, and the old one deleted",
            (_, Replacement::Perhaps) => "may be replaced, and the old one deleted",
            _ => return None,
        };
        let subject = self.physical_id.as_deref().unwrap_or(&self.logical_id);
        match self.fate {
            Fate::Kept => None,
            Fate::Retained => Some(format!("{subject} stays, and no stack knows of it any more")),
            Fate::Snapshot => Some(format!("{subject} {verb}; a snapshot is made of it first")),
            Fate::Deleted => Some(match data(&self.type_name) {
                Some(data) => format!("{subject} {verb}, with {data}"),
                None => format!("{subject} {verb}"),
            }),
        }
    }

    /// Whether data, or an identity that others hold on to, is lost by it.
    #[must_use]
    pub fn destroys(&self) -> bool {
        self.fate == Fate::Deleted && template::is_stateful(&self.type_name)
    }
}

/// What goes with a resource, of the types of which that is known.
fn data(type_name: &str) -> Option<&'static str> {
    let data = match type_name {
        "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" => {
            "all its items: re-creating a deleted table brings back no data"
        }
        "AWS::S3::Bucket" => "all its objects, once it was emptied",
        "AWS::SecretsManager::Secret" => "all its versions",
        "AWS::Logs::LogGroup" => "all its log lines",
        "AWS::SQS::Queue" => "the messages that wait in it",
        "AWS::KMS::Key" => "whatever only it can decrypt, after its waiting period",
        "AWS::Cognito::UserPool" => "its users",
        _ if template::is_stateful(type_name) => "its data: re-creating it brings nothing back",
        _ => return None,
    };
    Some(data)
}

/// A template, and what it means in the stack.
pub(super) struct Sight<'a> {
    pub(super) template: &'a Template,
    pub(super) scope: &'a Scope,
}

impl Sight<'_> {
    /// A resource's properties as far as they can be known now; what stays open is its expression.
    pub(super) fn properties(&self, logical_id: &str) -> Option<Value> {
        let resource = self.template.resource(logical_id)?;
        Some(self.known(&resource.properties))
    }

    /// A resource's properties where all of them can be known now.
    pub(super) fn whole(&self, logical_id: &str) -> Option<Value> {
        match self.template.resolve(&self.template.resource(logical_id)?.properties, self.scope) {
            Resolved::Value(value) => Some(value),
            Resolved::Open { .. } | Resolved::NoValue => None,
        }
    }

    /// One property of a resource, where all of it can be known now.
    pub(super) fn settled(&self, logical_id: &str, property: &str) -> Option<Value> {
        match self.template.resolve(self.template.resource(logical_id)?.properties.get(property)?, self.scope) {
            Resolved::Value(value) => Some(value),
            Resolved::Open { .. } | Resolved::NoValue => None,
        }
    }

    fn known(&self, fragment: &Value) -> Value {
        match self.template.resolve(fragment, self.scope) {
            Resolved::Value(value) | Resolved::Open { expression: value, .. } => value,
            Resolved::NoValue => Value::Null,
        }
    }

    fn policy(&self, logical_id: &str, of: fn(&ResourceRef) -> Option<&Value>) -> Option<Fate> {
        let written = of(self.template.resource(logical_id)?).map(|policy| self.known(policy));
        written.as_ref().and_then(Value::as_str).map(fate)
    }
}

fn fate(policy: &str) -> Fate {
    match policy.trim_start_matches("ReplaceAnd") {
        "Retain" | "RetainExceptOnCreate" => Fate::Retained,
        "Snapshot" => Fate::Snapshot,
        _ => Fate::Deleted,
    }
}

/// The changes of a change set; `before` is missing for a stack that is to be made.
pub(super) fn changes(found: &[ResourceChange], before: Option<&Sight<'_>>, after: &Sight<'_>) -> Vec<Change> {
    found.iter().map(|change| self::change(change, before, after)).collect()
}

fn change(found: &ResourceChange, before: Option<&Sight<'_>>, after: &Sight<'_>) -> Change {
    let act = Act::of(&found.action);
    let replacement = match found.replacement.as_deref() {
        Some("True") => Replacement::Yes,
        Some("Conditional") => Replacement::Perhaps,
        _ => Replacement::No,
    };
    let id = &found.logical_id;
    let by_policy = || match act {
        Act::Remove => before.and_then(|sight| sight.policy(id, |resource| resource.deletion_policy.as_ref())),
        _ => after.policy(id, |resource| resource.update_replace_policy.as_ref()),
    };
    let fate = match (act, replacement) {
        (Act::Remove, _) | (_, Replacement::Yes | Replacement::Perhaps) => {
            found.policy.as_deref().map(self::fate).or_else(by_policy).unwrap_or(Fate::Deleted)
        }
        _ => Fate::Kept,
    };
    Change {
        act,
        logical_id: id.clone(),
        type_name: found.type_name.clone(),
        physical_id: found.physical_id.clone(),
        replacement,
        fate,
        properties: if act == Act::Modify { properties(found, before, after) } else { Vec::new() },
    }
}

fn properties(found: &ResourceChange, before: Option<&Sight<'_>>, after: &Sight<'_>) -> Vec<Property> {
    let (was, will) = trees(found, before, after);
    let (was, will) = (was.unwrap_or_default(), will.unwrap_or_default());
    let mut rows: Vec<Property> = Vec::new();
    let mut causes: BTreeMap<&str, Vec<&ChangeDetail>> = BTreeMap::new();
    for detail in &found.details {
        match (&*detail.attribute, detail.name.as_deref()) {
            ("Properties", Some(name)) => causes.entry(name).or_default().push(detail),
            (attribute, _) => rows.push(Property {
                path: attribute.to_owned(),
                before: Facet::Unread,
                after: Facet::Unread,
                recreates: recreates(&[detail]),
                because: None,
            }),
        }
    }
    for (name, details) in causes {
        let told: Vec<Property> = details.iter().filter_map(|detail| as_told(name, detail)).collect();
        if told.is_empty() {
            rows.extend(as_resolved(name, &details, was.get(name), will.get(name)));
        } else {
            rows.extend(told);
        }
    }
    rows
}

/// A resource's properties before and after, as far as they are known.
pub(super) fn trees(
    found: &ResourceChange,
    before: Option<&Sight<'_>>,
    after: &Sight<'_>,
) -> (Option<Value>, Option<Value>) {
    let was = context(found.before.as_ref()).or_else(|| before?.properties(&found.logical_id));
    let will = context(found.after.as_ref()).or_else(|| after.properties(&found.logical_id));
    (was, will)
}

/// The properties of a resource as AWS puts them into a change set.
fn context(text: Option<&Secret>) -> Option<Value> {
    let context: Value = serde_json::from_str(text?.expose()).ok()?;
    context.get("Properties").cloned()
}

/// A property with the values that AWS tells.
fn as_told(name: &str, detail: &ChangeDetail) -> Option<Property> {
    if detail.before.is_none() && detail.after.is_none() {
        return None;
    }
    let pointer = detail.path.as_deref().map(|path| path.trim_start_matches("/Properties/").replace('/', "."));
    let path = pointer.filter(|path| path.starts_with(name)).unwrap_or_else(|| name.to_owned());
    let side = |value: Option<&Secret>| match value {
        None => Facet::Absent,
        Some(value) => shown(&path, &Value::String(value.expose().to_owned())),
    };
    let (before, after) = (side(detail.before.as_ref()), side(detail.after.as_ref()));
    Some(Property { before, after, recreates: recreates(&[detail]), because: detail.caused_by.clone(), path })
}

/// A property's leaves that differ, as far as both templates tell.
fn as_resolved(name: &str, details: &[&ChangeDetail], was: Option<&Value>, will: Option<&Value>) -> Vec<Property> {
    let leaves = |value: Option<&Value>| -> BTreeMap<String, Value> {
        value.map(template::flatten).unwrap_or_default().into_iter().collect()
    };
    let (was, will) = (leaves(was), leaves(will));
    let paths: std::collections::BTreeSet<&String> = was.keys().chain(will.keys()).collect();
    let because = details.iter().find_map(|detail| detail.caused_by.clone());
    let recreates = recreates(details);
    let differing = paths.into_iter().filter(|path| match (was.get(*path), will.get(*path)) {
        (Some(was), Some(will)) => !template::same(was, will),
        _ => true,
    });
    let row = |path: &String| {
        let full = if path.is_empty() { name.to_owned() } else { format!("{name}.{path}") };
        let side = |value: Option<&Value>| value.map_or(Facet::Absent, |value| shown(&full, value));
        let (before, after) = (side(was.get(path)), side(will.get(path)));
        Property { path: full, before, after, recreates, because: because.clone() }
    };
    let rows: Vec<Property> = differing.map(row).collect();
    if !rows.is_empty() {
        return rows;
    }
    // It asks for the same; what that comes to changes, since what it refers to does.
    let why = Why::new(match &because {
        Some(cause) => format!("what {cause} comes to is known only then"),
        None => "known only then".to_owned(),
    });
    let before = match (was.len(), was.iter().next()) {
        (1, Some((path, value))) if path.is_empty() => shown(name, value),
        _ => Facet::Unread,
    };
    vec![Property { path: name.to_owned(), before, after: Facet::Unreadable(why), recreates, because }]
}

fn recreates(details: &[&ChangeDetail]) -> bool {
    details.iter().any(|detail| matches!(detail.requires_recreation.as_deref(), Some("Always" | "Conditionally")))
}

#[cfg(test)]
mod tests;
