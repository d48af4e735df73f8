//! The three sides of a stack resource, property by property.
//!
//! Pure. A property is known in two ways: by what a template *asks* for (text, with parameters filled in) and
//! by the value that CloudFormation expected and found when it last looked. Where git asks for the same as the
//! deployed template, git's value is what CloudFormation expects, even of a `GetAtt` that nobody could resolve
//! here. Where CloudFormation never looks at a property, only the asking can be compared: a difference there is
//! certain, an equality is Unknown, since live may have been changed by hand.

mod beside;

use std::collections::BTreeSet;

use serde_json::Value;

use super::packaged;
use crate::aws::cloudformation::drift::{DriftStatus, ResourceDrift};
use crate::compare::{Applied, Facet, Row, Side, Sides, Verdict, Why, verdict};
use crate::secret::Secret;
use crate::template::{self, Resolved, ResourceRef, Scope, Template};

pub(super) use beside::{asked, attributes, location, parts, tags};

/// A template together with what its expressions mean where it is used.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    /// The template.
    pub(super) template: &'a Template,
    /// Parameters, pseudo parameters and what is known of the stack.
    pub(super) scope: &'a Scope,
}

/// What the applied side can say of a stack.
#[derive(Clone, Copy)]
pub(super) enum AppliedAsking<'a> {
    /// No receipt.
    Unrecorded,
    /// The receipt's commit cannot be read.
    Unreadable(&'a Why),
    /// The template at the receipt's commit.
    Template(Asking<'a>),
}

/// What is known of one live resource.
pub(super) enum Looked<'a> {
    /// CloudFormation looked, recently enough.
    At(&'a ResourceDrift),
    /// It did not, or too long ago.
    Unknown(Why),
}

/// A property of an existing resource: unset is a value too, so that setting it is a change like any other.
#[derive(Debug, Clone)]
struct Property(Option<Value>);

impl PartialEq for Property {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(a), Some(b)) => template::same(a, b),
            (None, None) => true,
            _ => false,
        }
    }
}

/// Compares the properties of a resource that exists in git and live.
///
/// `processed` is the deployed template after its transforms, when it has any. `skip` are properties that are compared
/// elsewhere, such as a function's `Code`.
#[must_use]
pub(super) fn rows(
    logical_id: &str,
    git: Asking<'_>,
    applied: AppliedAsking<'_>,
    deployed: Asking<'_>,
    processed: Option<&Template>,
    looked: &Looked<'_>,
    skip: &[&str],
) -> Vec<Row> {
    let mut names = property_names(git.template, logical_id);
    names.extend(property_names(deployed.template, logical_id));
    names.extend(processed.into_iter().flat_map(|processed| property_names(processed, logical_id)));
    if let AppliedAsking::Template(applied) = applied {
        names.extend(property_names(applied.template, logical_id));
    }
    if let Looked::At(drift) = looked {
        names.extend(top_level(drift.expected.as_ref()));
        names.extend(top_level(drift.actual.as_ref()));
    }
    names.retain(|name| !skip.contains(&name.as_str()));
    let compare = |name| Compare { logical_id, name, git, applied, deployed, processed, looked };
    names.iter().flat_map(|name| compare(name).rows()).collect()
}

struct Compare<'a> {
    logical_id: &'a str,
    name: &'a str,
    git: Asking<'a>,
    applied: AppliedAsking<'a>,
    deployed: Asking<'a>,
    processed: Option<&'a Template>,
    looked: &'a Looked<'a>,
}

impl Compare<'_> {
    fn rows(&self) -> Vec<Row> {
        match self.looked {
            Looked::At(drift) if self.is_checked(drift) => self.rows_by_value(drift),
            _ if self.is_translated() => {
                if self.asks_the_same(self.git) {
                    return Vec::new();
                }
                self.row_by_asking(&Why::new(format!("the template's transform makes something else of {}", self.name)))
            }
            Looked::At(_) => self.row_by_asking(&Why::new(format!("CloudFormation never looks at {}", self.name))),
            Looked::Unknown(why) => self.row_by_asking(why),
        }
    }

    /// Whether drift detection covers the property: it expected or found it, or the stack does not set it.
    fn is_checked(&self, drift: &ResourceDrift) -> bool {
        let asked = match self.processed {
            Some(processed) => processed.asks(self.logical_id, self.name, self.deployed.scope),
            None => self.asked(self.deployed),
        };
        has(drift.expected.as_ref(), self.name)
            || has(drift.actual.as_ref(), self.name)
            || (asked.is_none() && !self.is_translated())
    }

    /// Whether a transform such as SAM's makes other properties or resources of this one: `Events`, `Policies`. Those
    /// are compared themselves, so this one is no more than what the template asks.
    fn is_translated(&self) -> bool {
        let serverless =
            |template: &Template| template.resource(self.logical_id).is_some_and(ResourceRef::is_serverless);
        let set = |template: &Template| property(template, self.logical_id, self.name).is_some();
        let asked = [self.git.template, self.deployed.template].into_iter().any(|it| serverless(it) && set(it));
        asked && self.processed.is_some_and(|processed| !set(processed))
    }

    /// Whether a template asks for what the deployed one does, in the same words or by the same known value.
    fn asks_the_same(&self, asking: Asking<'_>) -> bool {
        if same_asking(self.asked(asking).as_ref(), self.asked(self.deployed).as_ref()) {
            return true;
        }
        match (self.resolved(asking), self.resolved(self.deployed)) {
            (Side::Value(one), Side::Value(other)) => one == other,
            _ => false,
        }
    }

    fn asked(&self, asking: Asking<'_>) -> Option<Value> {
        asking.template.asks(self.logical_id, self.name, asking.scope)
    }

    fn rows_by_value(&self, drift: &ResourceDrift) -> Vec<Row> {
        let expected = drift.expected.as_ref().and_then(|all| all.get(self.name)).cloned();
        let live = live_value(self.name, expected.as_ref(), drift);
        let git = self.side(self.git, expected.as_ref());
        let applied = match self.applied {
            AppliedAsking::Unrecorded => Applied::Unrecorded,
            AppliedAsking::Unreadable(why) => Applied::Recorded(Side::Unreadable(why.clone())),
            AppliedAsking::Template(asking)
                if same_asking(self.asked(asking).as_ref(), self.asked(self.git).as_ref()) =>
            {
                Applied::Recorded(git.clone())
            }
            AppliedAsking::Template(asking) => Applied::Recorded(self.side(asking, expected.as_ref())),
        };
        self.leaves(&git, &applied, &Side::Value(Property(live)))
    }

    /// What a template says the property's value is.
    fn side(&self, asking: Asking<'_>, expected: Option<&Value>) -> Side<Property> {
        if self.asks_the_same(asking) {
            return Side::Value(Property(expected.cloned()));
        }
        self.resolved(asking)
    }

    /// One row per leaf where every side is an object, else one for the whole property.
    fn leaves(&self, git: &Side<Property>, applied: &Applied<Property>, live: &Side<Property>) -> Vec<Row> {
        let mut paths = BTreeSet::new();
        let mut collect = |side: &Side<Property>| {
            if let Side::Value(Property(Some(value))) = side {
                paths.extend(template::flatten(value).into_iter().map(|(path, _)| path));
            }
        };
        collect(git);
        collect(live);
        if let Applied::Recorded(side) = applied {
            collect(side);
        }
        if paths.is_empty() {
            paths.insert(String::new());
        }
        // Where one side has an object and another a scalar, the paths nest; then only the whole can be compared.
        let nested = paths.iter().any(|path| {
            paths.iter().any(|other| other != path && (path.is_empty() || other.starts_with(&format!("{path}."))))
        });
        if nested {
            paths = BTreeSet::from([String::new()]);
        }
        paths
            .iter()
            .filter_map(|path| {
                let git = git.clone().map(|property| property.at(path));
                let live = live.clone().map(|property| property.at(path));
                let applied = match applied {
                    Applied::Unrecorded => Applied::Unrecorded,
                    Applied::Recorded(side) => Applied::Recorded(side.clone().map(|property| property.at(path))),
                };
                let full = if path.is_empty() { self.name.to_owned() } else { format!("{}.{path}", self.name) };
                row(full, &git, &applied, &live)
            })
            .collect()
    }

    /// Compares what the templates ask for where live cannot be seen.
    ///
    /// That they ask in other words proves nothing; only two known values that differ do.
    fn row_by_asking(&self, unseen: &Why) -> Vec<Row> {
        let asked = self.asked(self.git);
        let asks_the_same = same_asking(asked.as_ref(), self.asked(self.deployed).as_ref());
        let git = if asks_the_same { Side::Value(Property(asked)) } else { self.resolved(self.git) };
        let deployed = self.resolved(self.deployed);
        let live = match (&git, &deployed) {
            _ if asks_the_same => Side::Unreadable(unseen.clone()),
            (Side::Value(git), Side::Value(deployed)) if git == deployed => Side::Unreadable(unseen.clone()),
            (Side::Value(_), Side::Value(_)) => deployed,
            _ => Side::Unreadable(Why::new(format!(
                "{unseen}; git's template asks for something else than the deployed one"
            ))),
        };
        let applied = match self.applied {
            AppliedAsking::Unrecorded => Applied::Unrecorded,
            AppliedAsking::Unreadable(why) => Applied::Recorded(Side::Unreadable(why.clone())),
            AppliedAsking::Template(asking) => Applied::Recorded(self.resolved(asking)),
        };
        row(self.name.to_owned(), &git, &applied, &live).into_iter().collect()
    }

    /// The value that a template gives the property, as far as it can be known.
    fn resolved(&self, asking: Asking<'_>) -> Side<Property> {
        let Some(fragment) = property(asking.template, self.logical_id, self.name) else {
            return Side::Value(Property(None));
        };
        let type_name = asking.template.resource(self.logical_id).map_or("", |resource| resource.type_name.as_str());
        match asking.template.resolve(&fragment, asking.scope) {
            Resolved::Value(value) => match packaged::file(type_name, self.name, &value) {
                Some(file) => Side::Unreadable(Why::new(format!(
                    "{} is packaged from {file}: what was uploaded cannot be told from git",
                    self.name
                ))),
                None => Side::Value(Property(Some(value))),
            },
            Resolved::NoValue => Side::Value(Property(None)),
            Resolved::Open { why, .. } => Side::Unreadable(Why::new(format!("{}: {why}", self.name))),
        }
    }
}

/// Whether two templates ask for the same, by the forms that [`Template::asks`] gives.
fn same_asking(a: Option<&Value>, b: Option<&Value>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => template::same(a, b),
        (None, None) => true,
        _ => false,
    }
}

impl Property {
    fn at(&self, path: &str) -> Self {
        if path.is_empty() {
            return self.clone();
        }
        let leaf = self.0.as_ref().and_then(|value| {
            template::flatten(value).into_iter().find(|(found, _)| found == path).map(|(_, value)| value)
        });
        Self(leaf)
    }
}

fn row(path: String, git: &Side<Property>, applied: &Applied<Property>, live: &Side<Property>) -> Option<Row> {
    let verdict = verdict(git, applied, live)?;
    let show = |side: &Side<Property>| {
        Facet::of(side, |Property(value)| value.as_ref().map_or(Facet::Absent, |value| shown(&path, value)))
    };
    let applied = match applied {
        Applied::Unrecorded => Facet::Unrecorded,
        Applied::Recorded(side) => show(side),
    };
    Some(Row { verdict, sides: Sides { git: show(git), applied, live: show(live) }, path })
}

/// A property's value as it may be seen.
pub(in crate::ops) fn shown(path: &str, value: &Value) -> Facet {
    if is_secret(path) { Facet::Secret(Secret::new(text(value))) } else { Facet::Plain(text(value)) }
}

/// Whether a property may hold a credential: environment variables, whatever its name calls one, and text that a
/// resource keeps as its content.
fn is_secret(path: &str) -> bool {
    const WORDS: [&str; 8] =
        ["password", "secret", "token", "apikey", "api_key", "credential", "privatekey", "variables"];
    const WHOLE: [&str; 5] = ["Value", "Environment", "ContainerDefinitions", "EnvironmentVariables", "UserData"];
    let top = path.split('.').next().unwrap_or_default();
    let lower = path.to_ascii_lowercase();
    WHOLE.contains(&top) || WHOLE.contains(&path) || WORDS.iter().any(|word| lower.contains(word))
}

/// A value as people write it: strings bare, the rest as JSON.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The property as it is live.
///
/// CloudFormation compares in its own way (lists as sets, numbers as text), so what it does not call a
/// difference is taken to be as expected.
fn live_value(name: &str, expected: Option<&Value>, drift: &ResourceDrift) -> Option<Value> {
    if drift.status == DriftStatus::InSync {
        return expected.cloned();
    }
    let actual = drift.actual.as_ref().and_then(|all| all.get(name));
    let prefix = format!("/{name}");
    let differs = |path: &str| {
        drift.differences.iter().any(|difference| under(&difference.path, path) || under(path, &difference.path))
    };
    if !differs(&prefix) {
        return expected.cloned();
    }
    match (expected, actual) {
        (Some(Value::Object(expected)), Some(Value::Object(actual))) => {
            let keys: BTreeSet<&String> = expected.keys().chain(actual.keys()).collect();
            let merged = keys.into_iter().filter_map(|key| {
                let path = format!("{prefix}/{}", escape(key));
                let side = if differs(&path) { actual.get(key) } else { expected.get(key) };
                side.map(|value| (key.clone(), value.clone()))
            });
            Some(Value::Object(merged.collect()))
        }
        (_, actual) => actual.cloned(),
    }
}

/// Whether a JSON pointer is another one or below it.
fn under(path: &str, ancestor: &str) -> bool {
    path == ancestor || path.strip_prefix(ancestor).is_some_and(|rest| rest.starts_with('/'))
}

/// A key as a step of a JSON pointer (RFC 6901).
fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn property(template: &Template, logical_id: &str, name: &str) -> Option<Value> {
    template
        .resources()
        .iter()
        .find(|resource| resource.logical_id == logical_id)
        .and_then(|resource| resource.properties.get(name).cloned())
}

fn property_names(template: &Template, logical_id: &str) -> BTreeSet<String> {
    template
        .resources()
        .iter()
        .find(|resource| resource.logical_id == logical_id)
        .map(|resource| top_level(Some(&resource.properties)))
        .unwrap_or_default()
}

fn top_level(value: Option<&Value>) -> BTreeSet<String> {
    value.and_then(Value::as_object).map(|object| object.keys().cloned().collect()).unwrap_or_default()
}

fn has(value: Option<&Value>, name: &str) -> bool {
    value.is_some_and(|value| value.get(name).is_some())
}

/// Whether CloudFormation names no differing property beyond those that are compared elsewhere.
#[must_use]
pub(super) fn shows_none(drift: &ResourceDrift, skip: &[&str]) -> bool {
    let top = |path: &str| path.trim_start_matches('/').split('/').next().unwrap_or_default().to_owned();
    drift.differences.iter().all(|difference| skip.contains(&top(&difference.path).as_str()))
}

/// One line that names what differs: `MemorySize, Timeout`.
#[must_use]
pub(super) fn reason(rows: &[Row]) -> String {
    let named = |wanted: fn(&Verdict) -> bool| -> Vec<String> {
        rows.iter().filter(|row| wanted(&row.verdict)).map(|row| short(&row.path).to_owned()).collect()
    };
    let differing = named(Verdict::is_difference);
    if !differing.is_empty() {
        return differing.join(", ");
    }
    rows.iter()
        .find_map(|row| match &row.verdict {
            Verdict::Unknown(why) => Some(why.reason.clone()),
            _ => None,
        })
        .unwrap_or_default()
}

/// The last step of a path, which is what one recognises.
fn short(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

#[cfg(test)]
mod tests;
