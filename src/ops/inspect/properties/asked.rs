//! What a template asks of a resource that there is nothing to compare with.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Asking, property, property_names, shown};
use crate::compare::Facet;
use crate::template::{self, Resolved};

/// What a template asks of a resource, a line per leaf. What cannot be known before it is deployed is the asking itself,
/// since there is nothing that it could be compared with.
#[must_use]
pub(in crate::ops::inspect) fn asked(id: &str, asking: Asking<'_>) -> BTreeMap<String, Facet> {
    let leaves = |name: String| -> Vec<(String, Value)> {
        let known = property(asking.template, id, &name).map(|asked| asking.template.resolve(&asked, asking.scope));
        match known {
            Some(Resolved::Value(value)) => {
                let leaf = |(path, value): (String, Value)| {
                    (if path.is_empty() { name.clone() } else { format!("{name}.{path}") }, value)
                };
                template::flatten(&value).into_iter().map(leaf).collect()
            }
            Some(Resolved::Open { .. }) => {
                let open = asking.template.asks(id, &name, asking.scope);
                open.map(|value| (name, value)).into_iter().collect()
            }
            Some(Resolved::NoValue) | None => Vec::new(),
        }
    };
    let names = property_names(asking.template, id).into_iter();
    names.flat_map(leaves).map(|(path, value)| (path.clone(), shown(&path, &value))).collect()
}
