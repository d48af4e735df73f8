//! What a template says beside the properties: types and policies, where code lies, outputs and tags.
//!
//! Nobody can change these by hand, so the deployed template is what is live.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{AppliedAsking, Asking, Compare, Looked, Property, row};
use crate::compare::{Applied, Row, Side, Verdict, Why};
use crate::template::{ResourceRef, Template};

/// What a template says of a resource beside its properties, where the sides differ: its type, and what becomes of it
/// when it is deleted or replaced. Nobody can change these by hand, so the deployed template is what is live.
#[must_use]
pub(in crate::ops::inspect) fn attributes(
    id: &str,
    git: Asking<'_>,
    applied: AppliedAsking<'_>,
    deployed: Asking<'_>,
) -> Vec<Row> {
    type Attribute = fn(&ResourceRef) -> Option<Value>;
    let attributes: [(&str, Attribute); 3] = [
        ("Type", |resource| Some(Value::from(resource.type_name.clone()))),
        ("DeletionPolicy", |resource| resource.deletion_policy.clone()),
        ("UpdateReplacePolicy", |resource| resource.update_replace_policy.clone()),
    ];
    let side =
        |template: &Template, attribute: Attribute| Side::Value(Property(template.resource(id).and_then(attribute)));
    let rows = attributes.into_iter().filter_map(|(name, attribute)| {
        let applied = match applied {
            AppliedAsking::Unrecorded => Applied::Unrecorded,
            AppliedAsking::Unreadable(why) => Applied::Recorded(Side::Unreadable(why.clone())),
            AppliedAsking::Template(asking) => Applied::Recorded(side(asking.template, attribute)),
        };
        // A resource that a transform made is in no template.
        deployed.template.resource(id)?;
        row(name.to_owned(), &side(git.template, attribute), &applied, &side(deployed.template, attribute))
    });
    rows.filter(|row| row.verdict != Verdict::InSync).collect()
}

/// Where a function's code lies, when git's template and the deployed one name different uploads, as with the CDK, whose
/// keys are digests of what was uploaded. That they name the same says nothing of what is live.
#[must_use]
pub(in crate::ops::inspect) fn location(
    id: &str,
    git: Asking<'_>,
    applied: AppliedAsking<'_>,
    deployed: Asking<'_>,
) -> Option<Row> {
    let unseen = Looked::Unknown(Why::new("the template does not say what code is live"));
    let compare = Compare { logical_id: id, name: "Code", git, applied, deployed, processed: None, looked: &unseen };
    let row = compare.row_by_asking(&Why::new("it is compared as code")).pop()?;
    row.verdict.is_difference().then_some(row)
}

/// The members of a part of the template, such as its outputs, each as it is written.
#[must_use]
pub(in crate::ops::inspect) fn parts(
    part: &str,
    git: &Template,
    applied: Option<Result<&Template, &Why>>,
    deployed: &Template,
) -> Vec<Row> {
    let of = |template: &Template| -> BTreeMap<String, Value> {
        let members = template.value().get(part).and_then(Value::as_object);
        members.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    named(part, &of(git), applied.map(|side| side.map(of)).as_ref(), &of(deployed))
}

/// A stack's tags, as far as the project names them: whoever else tags the stack may do so.
#[must_use]
pub(in crate::ops::inspect) fn tags(
    git: &BTreeMap<String, String>,
    applied: Option<Result<&BTreeMap<String, String>, &Why>>,
    live: &BTreeMap<String, String>,
) -> Vec<Row> {
    let of = |tags: &BTreeMap<String, String>| -> BTreeMap<String, Value> {
        tags.iter().map(|(name, value)| (name.clone(), Value::from(value.clone()))).collect()
    };
    let then = applied.as_ref().and_then(|applied| applied.ok());
    let named_tags = |name: &String| git.contains_key(name) || then.is_some_and(|then| then.contains_key(name));
    let live = live.iter().filter(|(name, _)| named_tags(name)).map(|(k, v)| (k.clone(), v.clone())).collect();
    named("Tags", &of(git), applied.map(|side| side.map(of)).as_ref(), &of(&live))
}

fn named(
    part: &str,
    git: &BTreeMap<String, Value>,
    applied: Option<&Result<BTreeMap<String, Value>, &Why>>,
    live: &BTreeMap<String, Value>,
) -> Vec<Row> {
    let then = applied.and_then(|applied| applied.as_ref().ok());
    let names: BTreeSet<&String> =
        git.keys().chain(live.keys()).chain(then.into_iter().flat_map(BTreeMap::keys)).collect();
    let rows = names.into_iter().filter_map(|name| {
        let side = |all: &BTreeMap<String, Value>| Side::Value(Property(all.get(name).cloned()));
        let applied = match applied {
            None => Applied::Unrecorded,
            Some(Ok(all)) => Applied::Recorded(side(all)),
            Some(Err(why)) => Applied::Recorded(Side::Unreadable((*why).clone())),
        };
        row(format!("{part}.{name}"), &side(git), &applied, &side(live))
    });
    rows.collect()
}
