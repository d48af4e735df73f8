//! Aliases that a deployment of Plumb points to another version than the template says. CloudFormation takes that for a
//! change by hand, and would undo it.
//!
//! Pure. What counts is the receipt: an alias that serves another version than was recorded is drift, whoever moved it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::receipt::Receipt;
use crate::aws::cloudformation::drift::{Difference, DriftStatus, ResourceDrift};
use crate::config::Function;

const ALIAS: &str = "AWS::Lambda::Alias";
const PROPERTY: &str = "FunctionVersion";

/// Takes out of what CloudFormation found that the aliases of these functions serve what the receipt records. Answers
/// those aliases' logical ids with the version that the template says, which is not served.
pub(super) fn settle(
    drifts: &mut [ResourceDrift],
    functions: &[Function],
    receipt: Option<&Receipt>,
) -> BTreeMap<String, String> {
    let served: Vec<(String, String)> = functions.iter().filter_map(|it| served(drifts, it, receipt?)).collect();
    let mut settled = BTreeMap::new();
    for drift in drifts.iter_mut().filter(|it| it.type_name == ALIAS && it.status == DriftStatus::Modified) {
        let physical = drift.physical_id.as_deref().unwrap_or_default();
        let is_of = |name: &str| physical.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with(':'));
        let Some((_, version)) = served.iter().find(|(name, _)| is_of(name)) else { continue };
        let path = format!("/{PROPERTY}");
        let is_move = |it: &Difference| it.path == path && text(&it.actual) == *version;
        let Some(found) = drift.differences.iter().position(is_move) else { continue };
        let expected = drift.differences.remove(found).expected;
        settled.insert(drift.logical_id.clone(), text(&expected));
        if let Some(actual) = drift.actual.as_mut().and_then(|actual| actual.get_mut(PROPERTY)) {
            *actual = expected;
        }
        if drift.differences.is_empty() {
            drift.status = DriftStatus::InSync;
        }
    }
    settled
}

/// The alias of a function, as `function:alias`, and the version that it was pointed to last.
fn served(drifts: &[ResourceDrift], function: &Function, receipt: &Receipt) -> Option<(String, String)> {
    let alias = function.alias.as_ref()?;
    let entry = receipt.items.get(&function.resource)?;
    if entry.alias.as_ref().is_some_and(|recorded| recorded != alias) {
        return None;
    }
    let physical = drifts.iter().find(|drift| drift.logical_id == function.resource)?.physical_id.as_deref()?;
    let name = physical.rsplit(':').next().unwrap_or(physical);
    Some((format!("{name}:{alias}"), entry.version.clone()))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::aws::cloudformation::drift::DifferenceKind;
    use crate::ops::receipt::Entry;

    fn drift(id: &str, type_name: &str, physical: &str, differences: &[(&str, &str, &str)]) -> ResourceDrift {
        let difference = |(path, expected, actual): &(&str, &str, &str)| Difference {
            path: format!("/{path}"),
            expected: json!(expected),
            actual: json!(actual),
            kind: DifferenceKind::NotEqual,
        };
        let side = |of: fn(&(&str, &str, &str)) -> (String, Value)| Some(differences.iter().map(of).collect());
        ResourceDrift {
            logical_id: id.to_owned(),
            physical_id: Some(physical.to_owned()),
            type_name: type_name.to_owned(),
            status: if differences.is_empty() { DriftStatus::InSync } else { DriftStatus::Modified },
            status_reason: None,
            expected: side(|(path, expected, _)| ((*path).to_owned(), json!(expected))),
            actual: side(|(path, _, actual)| ((*path).to_owned(), json!(actual))),
            differences: differences.iter().map(difference).collect(),
            checked_at: 0,
        }
    }

    fn receipt(alias: Option<&str>) -> Receipt {
        let entry = Entry {
            commit: "c".to_owned(),
            version: "2".to_owned(),
            modified: None,
            at: None,
            digest: "t".to_owned(),
            code_sha256: Some("s".to_owned()),
            alias: alias.map(str::to_owned),
        };
        Receipt {
            schema: crate::ops::receipt::SCHEMA,
            project: "shop".to_owned(),
            environment: "dev".to_owned(),
            unit: "stack/shop-dev".to_owned(),
            commit: "c".to_owned(),
            at: 0,
            by: String::new(),
            items: [("Api".to_owned(), entry)].into(),
            unsettled: BTreeSet::new(),
            stack_changed_at: None,
            tag: None,
        }
    }

    #[test]
    fn an_alias_that_serves_what_was_recorded_has_not_drifted_and_any_other_has() {
        const LIVE: &str = "arn:aws:lambda:eu-central-1:1:function:shop-api:live";
        let function = Function {
            resource: "Api".to_owned(),
            source: "api".to_owned(),
            also: Vec::new(),
            alias: Some("live".to_owned()),
            artifact_parameter: None,
            build: None,
            output: None,
        };
        let moved: &[(&str, &str, &str)] = &[("FunctionVersion", "1", "2")];
        let more: &[(&str, &str, &str)] = &[("FunctionVersion", "1", "2"), ("Description", "a", "b")];
        let known = receipt(Some("live"));
        for (case, physical, differences, receipt, expected) in [
            ("as recorded", LIVE, moved, Some(&known), 0),
            ("by an older receipt", LIVE, moved, Some(&receipt(None)), 0),
            ("with a description besides", LIVE, more, Some(&known), 1),
            ("another version", LIVE, &[("FunctionVersion", "1", "3")], Some(&known), 1),
            ("another alias", "arn:aws:lambda:eu-central-1:1:function:shop-api:beta", moved, Some(&known), 1),
            ("another function", "arn:aws:lambda:eu-central-1:1:function:my-shop-api:live", moved, Some(&known), 1),
            ("recorded of another alias", LIVE, moved, Some(&receipt(Some("beta"))), 1),
            ("nothing recorded", LIVE, moved, None, 1),
        ] {
            let mut drifts = [
                drift("Api", "AWS::Lambda::Function", "shop-api", &[]),
                drift("ApiLive", ALIAS, physical, differences),
            ];
            let settled = settle(&mut drifts, std::slice::from_ref(&function), receipt);
            let left = &drifts[1];
            let is_taken = left.differences.len() < differences.len();
            assert_eq!(left.differences.len(), expected, "{case}");
            assert_eq!(left.status == DriftStatus::InSync, expected == 0, "{case}");
            assert_eq!(settled.get("ApiLive").map(String::as_str), is_taken.then_some("1"), "{case}");
            let actual = left.actual.as_ref().and_then(|actual| actual.get(PROPERTY));
            assert_eq!(actual == Some(&json!("1")), is_taken, "{case}");
        }
    }
}
