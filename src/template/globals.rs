//! What `Globals` of a SAM template gives its resources, as the transform does it.

use serde_json::{Map, Value};

/// The properties of a resource with what `Globals` adds to them. `root` is the whole template, `resource` the
/// resource as it is written there.
pub(super) fn merged(root: &Value, type_name: &str, resource: &Value, own: Value) -> Value {
    let section = type_name.strip_prefix("AWS::Serverless::");
    let Some(Value::Object(all)) = section.and_then(|section| root.get("Globals")?.get(section)) else { return own };
    let ignored = resource.get("IgnoreGlobals");
    let applies = |name: &str| match ignored {
        Some(Value::String(all)) => all != "*",
        Some(Value::Array(names)) => !names.iter().any(|ignored| ignored.as_str() == Some(name)),
        _ => true,
    };
    let all: Map<String, Value> =
        all.iter().filter(|(name, _)| applies(name)).map(|(name, value)| (name.clone(), value.clone())).collect();
    merge(Value::Object(all), own)
}

/// Maps are joined, lists put one after the other, and for the rest the resource's own word counts.
fn merge(global: Value, own: Value) -> Value {
    match (global, own) {
        (Value::Object(global), Value::Object(own)) if !is_function(&global) && !is_function(&own) => {
            let mut merged = global;
            for (name, value) in own {
                let value = match merged.remove(&name) {
                    Some(global) => merge(global, value),
                    None => value,
                };
                merged.insert(name, value);
            }
            Value::Object(merged)
        }
        (Value::Array(global), Value::Array(own)) => Value::Array(global.into_iter().chain(own).collect()),
        (_, own) => own,
    }
}

/// `Ref` and `Fn::…` stand for a value that only the deployment knows.
fn is_function(map: &Map<String, Value>) -> bool {
    map.len() == 1 && map.keys().all(|key| key == "Ref" || key == "Condition" || key.starts_with("Fn::"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::template::Template;

    const GLOBALS: &str = "Transform: AWS::Serverless-2016-10-31\nGlobals:\n  Function:\n    Timeout: 5\n    Layers: [a]\n    \
                           Environment: { Variables: { STAGE: dev, LEVEL: info } }\n    VpcConfig: !Ref Vpc\nResources:\n";

    fn properties(resource: &str) -> serde_json::Value {
        let template = Template::parse("t.yaml", &format!("{GLOBALS}{resource}")).unwrap();
        template.resource("F").unwrap().properties.clone()
    }

    #[test]
    fn maps_are_joined_lists_appended_and_the_own_scalar_counts() {
        let own = "  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      Timeout: 9\n      Layers: [b]\n      \
                   Environment: { Variables: { LEVEL: debug } }\n      VpcConfig: { SubnetIds: [s] }\n";
        let merged = json!({
            "Timeout": 9, "Layers": ["a", "b"], "VpcConfig": { "SubnetIds": ["s"] },
            "Environment": { "Variables": { "STAGE": "dev", "LEVEL": "debug" } },
        });
        assert_eq!(properties(own), merged);
    }

    #[test]
    fn a_resource_without_properties_gets_them_all() {
        let merged = properties("  F:\n    Type: AWS::Serverless::Function\n");
        assert_eq!(merged["Timeout"], 5);
        assert_eq!(merged["VpcConfig"], json!({ "Ref": "Vpc" }));
    }

    #[test]
    fn other_types_and_those_that_ignore_them_get_none() {
        assert_eq!(properties("  F:\n    Type: AWS::Lambda::Function\n"), json!({}));
        assert_eq!(properties("  F:\n    Type: AWS::Serverless::Function\n    IgnoreGlobals: '*'\n"), json!({}));
        let some =
            properties("  F:\n    Type: AWS::Serverless::Function\n    IgnoreGlobals: [Timeout, VpcConfig, Layers]\n");
        assert_eq!(some, json!({ "Environment": { "Variables": { "STAGE": "dev", "LEVEL": "info" } } }));
    }
}
