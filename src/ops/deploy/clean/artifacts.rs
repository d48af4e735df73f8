//! What of the state bucket nothing needs any more once a stack is gone: artifacts, packaged files, templates.
//!
//! What is kept there is named by its digest, and so one object may serve several stacks and environments. What another
//! one needs is read off its receipt and off the template that it runs; where that cannot be told, it stays.

use std::collections::BTreeSet;

use super::super::artifacts;
use crate::aws::cloudformation::{self, Stage};
use crate::aws::s3::versions::{self, Version};
use crate::aws::{Clients, s3};
use crate::compare::Why;
use crate::ops::receipt::{Receipt, UnitId};
use crate::ops::session::Session;
use crate::ops::why;

/// Objects of the state bucket that nothing else needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifacts {
    /// The state bucket.
    pub bucket: String,
    /// Their keys.
    pub keys: BTreeSet<String>,
    /// What stays, since nobody can tell from here whether it is needed.
    pub notes: Vec<String>,
    versions: Vec<Version>,
}

impl Artifacts {
    /// Deletes every version of those that were shown: whatever of these is not among them now is needed since.
    pub(super) async fn delete(&self, clients: &Clients, shown: &Self, notes: &mut Vec<String>) -> Result<(), Why> {
        let keys = self.keys.intersection(&shown.keys).count();
        if keys > 0 {
            let versions: Vec<Version> =
                self.versions.iter().filter(|version| shown.keys.contains(&version.key)).cloned().collect();
            versions::delete(clients, &self.bucket, &versions).await.map_err(|error| why(&error))?;
            notes.push(format!("{keys} artifacts deleted"));
        }
        let stay = shown.keys.len() - keys;
        if stay > 0 {
            notes.push(format!("{stay} artifacts stay, which are gone already or needed since"));
        }
        Ok(())
    }
}

/// What the project keeps and only this stack needs.
pub(super) async fn of(session: &Session, stack: &str) -> Result<Artifacts, Why> {
    let clients = &session.clients;
    let store = session.receipts().await?;
    let Some(bucket) = store.bucket.clone() else {
        return Err(Why::new("the project names no state bucket, and so has no artifacts"));
    };
    let root = format!("plumb/{}/", session.project().name);
    let own = store.key(&UnitId::Stack(stack.to_owned()));
    let listed = match s3::list(clients, &bucket, &root).await {
        Err(error) if error.code.as_deref() == Some("NoSuchBucket") => Vec::new(),
        listed => listed.map_err(|error| why(&error))?,
    };
    let (mut needed, mut of_this, mut unknown) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    // The receipts of all environments: they share the bucket, and an artifact is the same for the same source.
    for object in listed.iter().filter(|object| object.key.contains("/receipts/")) {
        let Some(codes) = codes(clients, &bucket, &object.key).await? else { continue };
        if object.key == own {
            of_this = codes;
            continue;
        }
        needed.extend(codes);
        let Some((environment, other)) = stack_of(object.key.strip_prefix(&root).unwrap_or_default()) else { continue };
        // A stack of this name in another environment is another account's, or another region's.
        match named_by(clients, other).await {
            Ok(Some(named)) if other != stack => needed.extend(named),
            Ok(_) => unknown.push(format!("{environment}/{other}, which is elsewhere")),
            Err(told) => unknown.push(format!("{environment}/{other}: {}", told.reason)),
        }
    }
    within(clients, &bucket, &root, &mut needed).await?;
    let mut found = Artifacts { bucket, keys: BTreeSet::new(), notes: Vec::new(), versions: Vec::new() };
    let mut stays = 0;
    for kind in ["artifacts/", "templates/"] {
        let all =
            versions::list(clients, &found.bucket, &format!("{root}{kind}")).await.map_err(|error| why(&error))?;
        for version in all {
            let digest = digest(&version.key);
            if needed.contains(digest) {
                continue;
            }
            // The code of functions is in receipts, wherever these are of; nothing else is.
            if unknown.is_empty() || of_this.contains(digest) {
                found.keys.insert(version.key.clone());
                found.versions.push(version);
            } else {
                stays += 1;
            }
        }
    }
    if stays > 0 {
        found.notes.push(format!(
            "{stays} more stay, since it cannot be told from here whether they are needed by {}",
            unknown.join(", ")
        ));
    }
    Ok(found)
}

/// Digests of the code that a receipt tells of; `None`: it is gone meanwhile.
async fn codes(clients: &Clients, bucket: &str, key: &str) -> Result<Option<BTreeSet<String>>, Why> {
    let Some((bytes, _)) = s3::get(clients, bucket, key).await.map_err(|error| why(&error))? else { return Ok(None) };
    let receipt: Receipt = serde_json::from_slice(&bytes).map_err(|error| {
        Why::new(format!("it is not known which artifacts are needed: receipt {key} cannot be read: {error}"))
    })?;
    let codes = receipt.items.values().filter_map(|entry| entry.code_sha256.as_deref());
    Ok(Some(codes.filter_map(artifacts::digest).collect()))
}

/// Environment and stack of a receipt, by what follows the project in its key.
fn stack_of(key: &str) -> Option<(&str, &str)> {
    let (environment, unit) = key.split_once("/receipts/")?;
    Some((environment, unit.strip_prefix("stack/")?.strip_suffix(".json")?))
}

/// Digests that a stack's template and parameters name; `None`: it is not in this account and region.
async fn named_by(clients: &Clients, stack: &str) -> Result<Option<BTreeSet<String>>, Why> {
    let Some(info) = cloudformation::stack(clients, stack).await.map_err(|error| why(&error))? else {
        return Ok(None);
    };
    let text = cloudformation::template(clients, &info.id, Stage::Original).await.map_err(|error| why(&error))?;
    let mut named = digests(&text);
    named.extend(info.parameters.values().flat_map(|value| digests(value)));
    Ok(Some(named))
}

/// Adds what templates name that are needed themselves.
async fn within(clients: &Clients, bucket: &str, root: &str, needed: &mut BTreeSet<String>) -> Result<(), Why> {
    let mut left: Vec<String> = needed.iter().cloned().collect();
    while let Some(digest) = left.pop() {
        let found = match s3::get(clients, bucket, &format!("{root}templates/{digest}")).await {
            Err(error) if error.code.as_deref() == Some("NoSuchBucket") => None,
            found => found.map_err(|error| why(&error))?,
        };
        let Some((bytes, _)) = found else { continue };
        for digest in digests(&String::from_utf8_lossy(&bytes)) {
            if needed.insert(digest.clone()) {
                left.push(digest);
            }
        }
    }
    Ok(())
}

/// The digest that an object is named by.
fn digest(key: &str) -> &str {
    let name = key.rsplit('/').next().unwrap_or_default();
    name.split('.').next().unwrap_or_default()
}

/// Everything in a text that may be a digest.
fn digests(text: &str) -> BTreeSet<String> {
    let words = text.split(|character: char| !character.is_ascii_hexdigit());
    words.filter(|word| word.len() == 64).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_template_names_is_found_however_it_names_it() {
        let (one, two) = ("a1".repeat(32), "b2".repeat(32));
        let text =
            format!(r#"{{"CodeUri": "s3://b/plumb/shop/artifacts/{one}.zip", "Key": "x/{two}", "No": "{one}c"}}"#);
        assert_eq!(digests(&text), BTreeSet::from([one.clone(), two]));
        assert_eq!(digest(&format!("plumb/shop/artifacts/{one}.zip")), one);
    }

    #[test]
    fn a_receipt_is_of_a_stack_by_its_key() {
        assert_eq!(stack_of("dev/receipts/stack/shop-dev.json"), Some(("dev", "shop-dev")));
        assert_eq!(stack_of("dev/receipts/config/billing.json"), None);
    }
}
