//! The one derived part of a template with an API: the deployment's name.
//!
//! An API Gateway deployment is a picture of an API that never changes, so a changed API is served only when the template
//! asks for another deployment. Its logical id therefore ends in a hash of the API's resources.

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::compare::Why;
use crate::ops::{failed, hex};
use crate::template::Template;

/// What the deployment's logical id begins with: the API's own and this.
const SUFFIX: &str = "Deployment";
/// How many digits follow.
const DIGITS: usize = 10;
const DEPLOYMENT: &str = "AWS::ApiGateway::Deployment";
/// These are about a deployment and not in it.
const OUTSIDE: [&str; 3] = [DEPLOYMENT, "AWS::ApiGateway::Stage", "AWS::ApiGateway::Account"];

/// The hash of the API that a template describes: other resources, other properties, another hash; comments, order and
/// layout do not count.
pub fn api_hash(name: &str, text: &str) -> Result<String, Why> {
    hash_of(name, &Template::parse(name, text).map_err(|error| failed(&error))?)
}

fn hash_of(name: &str, template: &Template) -> Result<String, Why> {
    let mut parts: Vec<(&str, Value)> = template
        .resources()
        .iter()
        .filter(|resource| resource.type_name.starts_with("AWS::ApiGateway::"))
        .filter(|resource| !OUTSIDE.contains(&resource.type_name.as_str()))
        .map(|resource| {
            let what = json!([resource.type_name, resource.condition, sorted(&resource.properties)]);
            (resource.logical_id.as_str(), what)
        })
        .collect();
    if parts.is_empty() {
        return Err(Why::new(format!("{name} has no API")).hint("plumb lambda eject writes the template out again"));
    }
    parts.sort_by_key(|(logical_id, _)| *logical_id);
    let digest = Sha256::digest(parts.into_iter().map(|(id, what)| json!([id, what])).collect::<Value>().to_string());
    Ok(hex(&digest).chars().take(DIGITS).collect())
}

/// The template with its API's hash in the deployment's name; the same text when it has it already.
pub fn rendered(name: &str, text: &str) -> Result<String, Why> {
    let template = Template::parse(name, text).map_err(|error| failed(&error))?;
    let hash = hash_of(name, &template)?;
    let deployment = template.resources().iter().find(|resource| resource.type_name == DEPLOYMENT);
    let prefix =
        deployment.and_then(|resource| resource.logical_id.get(..resource.logical_id.len().checked_sub(DIGITS)?));
    let prefix = prefix.filter(|prefix| prefix.ends_with(SUFFIX)).ok_or_else(|| {
        Why::new(format!("{name} has no deployment whose name ends in {SUFFIX} and a hash"))
            .hint("plumb lambda eject writes it out again")
    })?;
    let mut rest = text;
    let mut written = String::with_capacity(text.len());
    while let Some(at) = rest.find(prefix) {
        let (before, after) = rest.split_at(at + prefix.len());
        written.push_str(before);
        // Elsewhere, as in a comment, the name may stand alone.
        let named = after.bytes().take_while(u8::is_ascii_hexdigit).count() == DIGITS;
        if named {
            written.push_str(&hash);
        }
        rest = after.get(if named { DIGITS } else { 0 }..).unwrap_or_default();
    }
    written.push_str(rest);
    Ok(written)
}

/// The same value with the keys of each object in order.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut pairs: Vec<_> = fields.iter().collect();
            pairs.sort_by_key(|(key, _)| *key);
            Value::Object(pairs.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect::<Map<_, _>>())
        }
        Value::Array(values) => values.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/lambda/template.yaml"));
    const PREFIX: &str = "CryptoApiDeployment";

    fn hash(text: &str) -> String {
        api_hash("t", text).unwrap()
    }

    #[test]
    fn each_committed_template_has_the_hash_of_its_api() {
        for name in ["template.yaml", "intake.yaml"] {
            let path = format!("{}/lambda/{name}", env!("CARGO_MANIFEST_DIR"));
            let text = std::fs::read_to_string(&path).unwrap();
            let right = rendered(name, &text).unwrap();
            if std::env::var_os("PLUMB_WRITE_PAPERS").is_some() {
                std::fs::write(path, right).unwrap();
            } else {
                assert!(right == text, "{name}: PLUMB_WRITE_PAPERS=1 writes {} into it", hash(&text));
            }
        }
    }

    #[test]
    fn a_changed_api_is_another_deployment_and_nothing_else_is() {
        let before = rendered("t", OWN).unwrap();
        for (name, from, to, same) in [
            ("another path", "PathPart: rewrap", "PathPart: wrap", false),
            ("another authorization", "AuthorizationType: AWS_IAM", "AuthorizationType: NONE", false),
            ("another answer", "try again later", "try again soon", false),
            ("another function", "functions/${CryptoLive}/", "functions/${Crypto}/", false),
            ("a comment", "Resources:\n", "Resources:\n  # said\n", true),
            ("another limit", "Default: 200\n", "Default: 100\n", true),
            ("another memory", "MemorySize: 256", "MemorySize: 512", true),
        ] {
            let changed = before.replace(from, to);
            assert_ne!(changed, before, "{name}: the template has no {from:?} any more");
            let after = rendered("t", &changed).unwrap();
            assert_eq!(hash(&changed) == hash(&before), same, "{name}");
            assert_eq!(after.matches(&format!("{PREFIX}{}", hash(&changed))).count(), 2, "{name}: resource and stage");
        }
    }

    #[test]
    fn a_template_without_an_api_says_so() {
        assert!(rendered("t", "Resources:\n  Q:\n    Type: AWS::SQS::Queue\n").is_err());
        let other = OWN.replace(&format!("{PREFIX}{}", hash(OWN)), "Another");
        assert!(rendered("t", &other).unwrap_err().to_string().contains("Deployment"), "nor one without a deployment");
    }
}
