//! Several policies as one that allows the same in fewer words: a role holds so many characters and no more.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// One document of several: statements that differ in their resources alone are one.
#[must_use]
pub fn merged(documents: &[Value]) -> Value {
    let mut statements: Vec<(Value, BTreeSet<String>)> = Vec::new();
    for statement in documents.iter().filter_map(|document| document["Statement"].as_array()).flatten() {
        let (rest, resources) = parted(statement);
        match statements.iter_mut().find(|(known, _)| *known == rest) {
            Some((_, known)) => known.extend(resources),
            None => statements.push((rest, resources)),
        }
    }
    let mut named = BTreeSet::new();
    let whole = |(mut statement, resources): (Value, BTreeSet<String>)| {
        let fields = statement.as_object_mut();
        // A name is good for one statement.
        if let Some(fields) = fields.filter(|fields| !named.insert(fields.get("Sid").map(Value::to_string))) {
            fields.remove("Sid");
        }
        statement["Resource"] = json!(resources);
        statement
    };
    let statements: Vec<Value> = statements.into_iter().map(whole).collect();
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// A statement without its resources, and these.
fn parted(statement: &Value) -> (Value, BTreeSet<String>) {
    let mut rest = statement.clone();
    let resources = rest.as_object_mut().and_then(|fields| fields.remove("Resource")).unwrap_or_default();
    let resources = match resources {
        Value::Array(all) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::String(one) => BTreeSet::from([one]),
        _ => BTreeSet::new(),
    };
    (rest, resources)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_in_resources_alone_is_one_statement_and_no_name_comes_twice() {
        let document = |environment: &str, action: &str| {
            json!({ "Version": "2012-10-17", "Statement": [
                { "Sid": "Stacks", "Effect": "Allow", "Action": ["a:B"], "Resource": [format!("stack/{environment}")] },
                { "Sid": "Drift", "Effect": "Allow", "Action": [action], "Resource": "*" },
            ] })
        };
        let merged = merged(&[document("dev", "x:Y"), document("prod", "x:Z"), document("prod", "x:Z")]);
        let expected = json!({ "Version": "2012-10-17", "Statement": [
            { "Sid": "Stacks", "Effect": "Allow", "Action": ["a:B"], "Resource": ["stack/dev", "stack/prod"] },
            { "Sid": "Drift", "Effect": "Allow", "Action": ["x:Y"], "Resource": ["*"] },
            { "Effect": "Allow", "Action": ["x:Z"], "Resource": ["*"] },
        ] });
        assert_eq!(merged, expected);
    }
}
