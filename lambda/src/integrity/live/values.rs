//! What is read of parameters and secrets: the receipts' names, and of each what AWS lists of it. Never a value.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::Failure;
use super::super::found::{self, Compared, Listed, Receipt, Values};
use super::{Live, Receipts, failed};
use crate::aws::{element, elements, encoded};

/// So many names DescribeParameters takes, and so many it answers.
const NAMES: usize = 50;

impl Live {
    /// Adds the parameters and secrets that are not what was rolled out, of those with a watched prefix.
    pub(super) async fn compare_values(&self, now: i64, all: &mut Compared) {
        let Some(receipts) = &self.receipts else { return };
        if self.flow.parameters.is_empty() && self.flow.secrets.is_empty() {
            return;
        }
        // A push writes its receipts after its values.
        let Some(is_being_pushed) = all.read(self.is_being_pushed(receipts, now).await) else { return };
        if is_being_pushed {
            all.found.partial = true;
            return;
        }
        self.compare_parameters(receipts, now, all).await;
        self.compare_secrets(receipts, now, all).await;
    }

    async fn compare_parameters(&self, receipts: &Receipts, now: i64, all: &mut Compared) {
        let prefixes = &self.flow.parameters;
        if prefixes.is_empty() {
            return;
        }
        for key in all.read(self.keys(receipts, "receipts/config/").await).unwrap_or_default() {
            let Some(Some(receipt)) = all.read(self.receipt_at(receipts, &key).await) else { continue };
            let Some(live) = all.read(self.listed(receipt.names(prefixes)).await) else { continue };
            let found = found::values(Values::Parameters, &receipt, prefixes, &live, (now, self.grace));
            all.found.add(found);
        }
    }

    async fn compare_secrets(&self, receipts: &Receipts, now: i64, all: &mut Compared) {
        let prefixes = &self.flow.secrets;
        if prefixes.is_empty() {
            return;
        }
        let key = format!("{}/receipts/secrets.json", receipts.prefix);
        let Some(Some(mut receipt)) = all.read(self.receipt_at(receipts, &key).await) else { return };
        let names: Vec<String> = receipt.names(prefixes).map(str::to_owned).collect();
        let mut live = BTreeMap::new();
        for name in names {
            match all.read(self.described(&name).await) {
                Some(listed) => live.extend(listed.map(|listed| (name, listed))),
                None => receipt.forget(&name),
            }
        }
        all.found.add(found::values(Values::Secrets, &receipt, prefixes, &live, (now, self.grace)));
    }

    /// A receipt by its whole key.
    pub(super) async fn receipt_at(&self, receipts: &Receipts, key: &str) -> Result<Option<Receipt>, Failure> {
        let text = self.object(receipts, key).await?;
        let parsed = text.map(|text| Receipt::parse(&text)).transpose();
        parsed.map_err(|error| Failure(format!("receipt {key}: {error}")))
    }

    async fn object(&self, receipts: &Receipts, key: &str) -> Result<Option<String>, Failure> {
        let path: Vec<String> = key.split('/').map(encoded).collect();
        match self.aws.get("s3", "GetObject", &format!("/{}/{}", receipts.bucket, path.join("/"))).await {
            Ok(text) => Ok(Some(text.to_string())),
            Err(error) if error.code == "NoSuchKey" => Ok(None),
            Err(error) => Err(failed(&error)),
        }
    }

    /// Whether somebody holds the lock that `plumb push` takes.
    async fn is_being_pushed(&self, receipts: &Receipts, now: i64) -> Result<bool, Failure> {
        let text = self.object(receipts, &format!("{}/lock.json", receipts.prefix)).await?;
        let lock: Value = serde_json::from_str(&text.unwrap_or_default()).unwrap_or_default();
        Ok(lock.get("until").and_then(Value::as_i64).is_some_and(|until| until > now))
    }

    /// The keys below a part of the environment's place.
    async fn keys(&self, receipts: &Receipts, below: &str) -> Result<Vec<String>, Failure> {
        let (mut keys, mut token) = (Vec::new(), None::<String>);
        let prefix = encoded(&format!("{}/{below}", receipts.prefix));
        loop {
            let next = token.map_or_else(String::new, |token| format!("&continuation-token={}", encoded(&token)));
            let path = format!("/{}?list-type=2&prefix={prefix}{next}", receipts.bucket);
            let page = self.aws.get("s3", "ListBucket", &path).await.map_err(|error| failed(&error))?;
            keys.extend(elements(&page, "Key"));
            token = element(&page, "NextContinuationToken").filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(keys);
            }
        }
    }

    /// Versions and times of parameters; one that is not there is left out.
    async fn listed<'a>(&self, names: impl Iterator<Item = &'a str>) -> Result<BTreeMap<String, Listed>, Failure> {
        let names: Vec<&str> = names.collect();
        let mut listed = BTreeMap::new();
        for some in names.chunks(NAMES) {
            let filter = json!([{"Key": "Name", "Option": "Equals", "Values": some}]);
            let mut token = Value::Null;
            loop {
                let mut asked = json!({"ParameterFilters": filter, "MaxResults": NAMES});
                if !token.is_null() {
                    asked["NextToken"] = token;
                }
                let page = self.aws.json("ssm", "AmazonSSM.DescribeParameters", &asked).await;
                let mut page: Value =
                    serde_json::from_str(&page.map_err(|error| failed(&error))?).map_err(|_| unread("parameters"))?;
                let parameters = page.get("Parameters").and_then(Value::as_array);
                for parameter in parameters.ok_or_else(|| unread("parameters"))? {
                    let name = parameter.get("Name").and_then(Value::as_str).ok_or_else(|| unread("parameters"))?;
                    let version = parameter.get("Version").and_then(Value::as_i64).unwrap_or_default().to_string();
                    let modified = milliseconds(parameter, "LastModifiedDate");
                    listed.insert(name.to_owned(), Listed { version, modified, rotates: false });
                }
                token = page.get_mut("NextToken").map(Value::take).unwrap_or_default();
                if token.as_str().is_none_or(str::is_empty) {
                    break;
                }
            }
        }
        Ok(listed)
    }

    /// The current version of a secret; `None` of one that is not there, or about to go.
    async fn described(&self, name: &str) -> Result<Option<Listed>, Failure> {
        let asked = json!({"SecretId": name});
        let answer = match self.aws.json("secretsmanager", "secretsmanager.DescribeSecret", &asked).await {
            Ok(answer) => answer,
            Err(error) if error.code == "ResourceNotFoundException" => return Ok(None),
            Err(error) => return Err(failed(&error)),
        };
        let secret: Value = serde_json::from_str(&answer).map_err(|_| unread(name))?;
        let current = |stages: &Value| stages.as_array().is_some_and(|all| all.iter().any(|it| it == "AWSCURRENT"));
        let versions = secret.get("VersionIdsToStages").and_then(Value::as_object).into_iter().flatten();
        let version = versions.filter(|(_, stages)| current(stages)).map(|(id, _)| id.clone()).next();
        let gone = secret.get("DeletedDate").is_some_and(|date| !date.is_null());
        Ok(version.filter(|_| !gone).map(|version| Listed {
            version,
            modified: milliseconds(&secret, "LastChangedDate"),
            rotates: secret.get("RotationEnabled").and_then(Value::as_bool) == Some(true),
        }))
    }
}

/// A time as these services write it: seconds with a fraction.
fn milliseconds(value: &Value, name: &str) -> i64 {
    let seconds = value.get(name).and_then(Value::as_f64).unwrap_or_default();
    #[allow(clippy::cast_possible_truncation, reason = "it saturates, and such times are none")]
    let milliseconds = (seconds * 1000.0).round() as i64;
    milliseconds
}

fn unread(what: &str) -> Failure {
    Failure(format!("AWS's answer about {what} cannot be read"))
}
