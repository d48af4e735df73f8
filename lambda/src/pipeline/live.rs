//! The registry in Parameter Store.

use serde_json::{Value, json};

use super::registry::{Fields, ROOT};
use crate::aws::{Aws, Error, unreadable};

const OPERATION: &str = "AmazonSSM.GetParametersByPath";

/// Where the projects lie: what `PLUMB_REGISTRY` names, or the usual place.
pub(crate) fn root() -> String {
    let named = std::env::var("PLUMB_REGISTRY").ok().filter(|path| !path.is_empty());
    named.unwrap_or_else(|| ROOT.to_owned())
}

/// A project's fields; none of a project that is not there.
pub(crate) async fn registry(aws: &Aws, root: &str, project: &str) -> Result<Fields, Error> {
    let path = format!("{}/{project}", root.trim_end_matches('/'));
    let (mut fields, mut next) = (Fields::new(), Value::Null);
    loop {
        let mut asked = json!({"Path": path, "Recursive": false, "MaxResults": 10});
        if next.is_string() {
            asked["NextToken"] = next;
        }
        let answer = aws.value("ssm", OPERATION, &asked).await?;
        // Nothing there is a refusal for good: it has to be said, and cannot be guessed from an answer that says something else.
        let unread = || unreadable("ssm", OPERATION);
        for parameter in answer.get("Parameters").and_then(Value::as_array).ok_or_else(unread)? {
            let text = |name: &str| parameter.get(name).and_then(Value::as_str).ok_or_else(unread);
            let (name, value) = (text("Name")?, text("Value")?);
            let field = name.rsplit('/').next().unwrap_or(name);
            fields.insert(field.to_owned(), value.to_owned());
        }
        next = answer.get("NextToken").cloned().unwrap_or_default();
        if !next.is_string() {
            return Ok(fields);
        }
    }
}
