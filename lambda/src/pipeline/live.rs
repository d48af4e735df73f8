//! The registry in Parameter Store.

use serde_json::{Value, json};

use super::registry::{Fields, ROOT};
use crate::aws::{Aws, Error};

/// A project's fields; none of a project that is not there.
pub(crate) async fn registry(aws: &Aws, project: &str) -> Result<Fields, Error> {
    let path = format!("{ROOT}{project}");
    let (mut fields, mut next) = (Fields::new(), Value::Null);
    loop {
        let mut asked = json!({"Path": path, "Recursive": false, "MaxResults": 10});
        if next.is_string() {
            asked["NextToken"] = next;
        }
        let answer = aws.json("ssm", "AmazonSSM.GetParametersByPath", &asked).await?;
        let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
        for parameter in answer.get("Parameters").and_then(Value::as_array).into_iter().flatten() {
            let text = |name: &str| parameter.get(name).and_then(Value::as_str);
            if let (Some(name), Some(value)) = (text("Name"), text("Value")) {
                let field = name.rsplit('/').next().unwrap_or(name);
                fields.insert(field.to_owned(), value.to_owned());
            }
        }
        next = answer.get("NextToken").cloned().unwrap_or_default();
        if !next.is_string() {
            return Ok(fields);
        }
    }
}
