//! What a comparison finds, since an event may never come: code, parameters and secrets that are not what was rolled out,
//! and drift.
//!
//! Pure. Everything is compared as everywhere in Plumb: code by the receipt's digest of the artifact that was built from git,
//! values by the receipt's version alone, since a version never changes. No value is looked at, of either side.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::Failure;
use super::state::{Change, Found};
use crate::digest::sha256;

/// What a comparison found, and what it could not look at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Compared {
    /// What it found of the rest.
    pub found: Found,
    /// Why something was not looked at.
    pub failures: Vec<Failure>,
}

impl Compared {
    /// What was read. A failure is kept: of what was not read nothing is known, and the rest counts.
    pub fn read<T>(&mut self, read: Result<T, Failure>) -> Option<T> {
        let failed = |failure| {
            self.found.partial = true;
            self.failures.push(failure);
        };
        read.map_err(failed).ok()
    }

    /// All that failed, as one.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        const NAMED: usize = 3;
        let named: Vec<String> = self.failures.iter().take(NAMED).map(ToString::to_string).collect();
        let more = self.failures.len().saturating_sub(NAMED);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        let all = || Failure(format!("not everything could be compared: {}{more}", named.join("; ")));
        (!named.is_empty()).then(all)
    }
}

/// So many values are named one by one: a redeploy puts all of them back anyway.
const MOST: usize = 20;

/// As much of a receipt as counts here.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Receipt {
    items: BTreeMap<String, Item>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Item {
    code_sha256: Option<String>,
    #[serde(default)]
    version: String,
    /// The alias that was pointed to that version.
    alias: Option<String>,
    modified: Option<i64>,
}

impl Receipt {
    /// Of a receipt's text, as `plumb deploy` and `plumb push` write it.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The logical ids of functions whose code it knows.
    pub fn functions(&self) -> impl Iterator<Item = &str> {
        self.items.iter().filter(|(_, item)| item.code_sha256.is_some()).map(|(id, _)| id.as_str())
    }
}

/// The code of a function that is live: of `$LATEST`, or of the version behind an alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// The function's logical id.
    pub logical_id: String,
    /// Its name, with the alias.
    pub name: String,
    /// SHA-256 of the artifact, as Lambda shows it.
    pub sha256: String,
    /// When it was made, in milliseconds; of an alias, which may point to something old since a moment ago, unknown.
    pub modified: Option<i64>,
}

/// The functions that run what was not rolled out. One that is younger than `grace` may be of a deployment whose receipt
/// is not written yet.
#[must_use]
pub fn code(receipt: &Receipt, live: &[Code], now: i64, grace: i64) -> Vec<Change> {
    let other = |code: &&Code| {
        let expected = receipt.items.get(&code.logical_id).and_then(|item| item.code_sha256.as_ref());
        expected.is_some_and(|expected| *expected != code.sha256) && now - code.modified.unwrap_or(0) >= grace
    };
    let found = live.iter().filter(other).map(|code| Change {
        what: format!("the code of function {} is not what was rolled out", code.name),
        who: String::new(),
        at: code.modified.unwrap_or(now),
        lasting: Some(format!("code {} {}", code.name, code.sha256)),
        seen: now,
    });
    found.collect()
}

/// What was rolled out and is not there any more.
#[must_use]
pub fn gone(noun: &str, name: &str, now: i64) -> Change {
    Change {
        what: format!("{noun} {name} was rolled out, and is gone"),
        who: String::new(),
        at: now,
        lasting: Some(format!("{noun} {name} gone")),
        seen: now,
    }
}

/// A parameter or a secret as AWS lists it, without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// A parameter's number, a secret's current version id.
    pub version: String,
    /// When it was changed last, in milliseconds.
    pub modified: i64,
    /// Whether its value is AWS's to state, which rotates it.
    pub rotates: bool,
}

/// What is compared by versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// A parameter that was deleted and made anew counts its versions from 1 again, so that its time counts too.
    Parameters,
    /// A secret's version ids never come twice.
    Secrets,
}

impl Receipt {
    /// Leaves out what could not be looked at, which else would look gone.
    pub fn forget(&mut self, name: &str) {
        self.items.remove(name);
    }

    /// Its names that begin with one of these.
    pub fn names<'a>(&'a self, prefixes: &'a [String]) -> impl Iterator<Item = &'a str> {
        let stated = |name: &&str| prefixes.iter().any(|prefix| name.starts_with(prefix));
        self.items.keys().map(String::as_str).filter(stated)
    }
}

/// The values that are not what was rolled out. One that is younger than `grace` may be of a push whose receipt is not
/// written yet.
#[must_use]
pub fn values(
    kind: Values,
    receipt: &Receipt,
    prefixes: &[String],
    live: &BTreeMap<String, Listed>,
    (now, grace): (i64, i64),
) -> Found {
    let noun = match kind {
        Values::Parameters => "parameter",
        Values::Secrets => "secret",
    };
    let change = |what: String, at: i64, lasting: String| Change {
        what,
        who: String::new(),
        at,
        lasting: Some(format!("{noun} {lasting}")),
        seen: now,
    };
    let compared = |name: &str| {
        let item = receipt.items.get(name)?;
        let Some(found) = live.get(name) else {
            return Some(gone(noun, name, now));
        };
        // Who reads a decimal of seconds may be a millisecond off.
        let same_time = item.modified.is_none_or(|modified| modified.abs_diff(found.modified) <= 1);
        let is_same = item.version == found.version && (kind == Values::Secrets || same_time);
        if is_same || found.rotates || now - found.modified < grace {
            return None;
        }
        let lasting = format!("{name} {} {}", found.version, found.modified);
        Some(change(format!("{noun} {name} is not what was rolled out"), found.modified, lasting))
    };
    let mut changes: Vec<Change> = receipt.names(prefixes).filter_map(compared).collect();
    let partial = changes.len() > MOST;
    changes.truncate(MOST);
    Found { changes, partial, ..Found::default() }
}

/// One resource that CloudFormation found to be otherwise than its stack says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Differing {
    /// Its name in the template.
    pub logical_id: String,
    /// Its type.
    pub kind: String,
    /// Its name or ARN in AWS.
    pub physical_id: String,
    /// `MODIFIED` or `DELETED`.
    pub status: String,
    /// What of it differs, and what that is live.
    pub properties: Vec<(String, String)>,
}

impl Differing {
    /// A line that names it, so that the same drift has the same name: how it differs and where, never what stands there.
    #[must_use]
    pub fn line(&self) -> String {
        let mut paths: Vec<&str> = self.properties.iter().map(|(path, _)| path.as_str()).collect();
        paths.sort_unstable();
        format!("{} {} {}", self.logical_id, self.status, paths.join(" "))
    }
}

impl Receipt {
    /// Takes out of what CloudFormation found that an alias serves the version which a deployment has pointed it to, whatever
    /// its template says. `functions`: their names in AWS, by logical id.
    pub fn settle(&self, differing: &mut Vec<Differing>, functions: &BTreeMap<String, String>) {
        let served = |(id, item): (&String, &Item)| {
            let name = functions.get(id)?.rsplit(':').next()?.to_owned();
            Some((format!("{name}:{}", item.alias.as_ref()?), item.version.clone()))
        };
        let served: Vec<(String, String)> = self.items.iter().filter_map(served).collect();
        differing.retain_mut(|resource| {
            if resource.kind != "AWS::Lambda::Alias" || resource.status != "MODIFIED" {
                return true;
            }
            let physical = &resource.physical_id;
            let is_of =
                |name: &str| physical.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with(':'));
            let Some((_, version)) = served.iter().find(|(name, _)| is_of(name)) else { return true };
            let before = resource.properties.len();
            resource.properties.retain(|(path, live)| path != "/FunctionVersion" || live != version);
            !resource.properties.is_empty() || before == 0
        });
    }
}

/// Drift that CloudFormation found in a stack: what differs of each resource, by name, so that the same drift has the same
/// name when it is found again, and any other another one.
#[must_use]
pub fn drift(stack: &str, differences: impl IntoIterator<Item = String>, at: i64) -> Change {
    let differences: BTreeSet<String> = differences.into_iter().collect();
    // A whole stack may differ: its list is no name.
    let all = differences.into_iter().collect::<Vec<_>>().join("\n");
    Change {
        what: format!("CloudFormation found drift in stack {stack}"),
        who: String::new(),
        at,
        lasting: Some(format!("drift {stack} {}", sha256(&[all.as_bytes()]))),
        seen: at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: i64 = 300_000;

    #[test]
    fn code_is_another_when_its_digest_is_and_it_has_been_there_for_a_while() {
        let text =
            r#"{"schema": 1, "items": {"Fn": {"code_sha256": "abc", "version": "3"}, "Other": {"version": "1"}}}"#;
        let receipt = Receipt::parse(text).unwrap();
        assert_eq!(receipt.functions().collect::<Vec<_>>(), ["Fn"]);
        let live = |logical_id: &str, sha256: &str, age: i64| Code {
            logical_id: logical_id.into(),
            name: "checkout:live".into(),
            sha256: sha256.into(),
            modified: Some(1_000_000_000 - age),
        };
        let found = |live: Code| code(&receipt, &[live], 1_000_000_000, GRACE).len();
        assert_eq!(found(live("Fn", "xyz", GRACE)), 1);
        assert_eq!(found(live("Fn", "abc", GRACE)), 0, "as it was rolled out");
        assert_eq!(found(live("Fn", "xyz", GRACE - 1)), 0, "a deployment may be under way");
        assert_eq!(found(live("Other", "xyz", GRACE)), 0, "the receipt does not know its code");
    }

    #[test]
    fn a_value_is_another_when_its_version_is_and_nobody_but_git_states_it() {
        let text = r#"{"schema": 1, "items": {
            "/shop/prod/size": {"version": "3", "modified": 1000, "digest": "sha256:x", "commit": "c"},
            "/shop/production/size": {"version": "3", "modified": 1000}}}"#;
        let receipt = Receipt::parse(text).unwrap();
        let prefixes = ["/shop/prod/".to_owned()];
        let name = "/shop/prod/size".to_owned();
        let at = |version: &str, modified: i64| Listed { version: version.into(), modified, rotates: false };
        let found = |kind: Values, live: Option<Listed>| {
            let live = live.into_iter().map(|listed| (name.clone(), listed)).collect();
            let found = values(kind, &receipt, &prefixes, &live, (1_000_000_000, GRACE));
            found.changes.into_iter().map(|change| change.what).collect::<Vec<_>>()
        };
        let other = ["parameter /shop/prod/size is not what was rolled out"];
        assert_eq!(found(Values::Parameters, Some(at("3", 1001))), Vec::<String>::new());
        assert_eq!(found(Values::Parameters, Some(at("4", 2000))), other);
        assert_eq!(found(Values::Parameters, Some(at("3", 2000))), other, "deleted and made anew");
        assert_eq!(found(Values::Parameters, Some(at("4", 1_000_000_000 - GRACE + 1))), Vec::<String>::new());
        assert_eq!(found(Values::Parameters, None), ["parameter /shop/prod/size was rolled out, and is gone"]);
        assert_eq!(
            found(Values::Secrets, Some(at("3", 2000))),
            Vec::<String>::new(),
            "a label was moved and came back"
        );
        assert_eq!(found(Values::Secrets, Some(Listed { rotates: true, ..at("4", 2000) })), Vec::<String>::new());
    }

    #[test]
    fn of_many_values_some_are_named_and_the_rest_is_not_taken_for_put_back() {
        let items: Vec<String> = (0..30).map(|number| format!(r#""/a/{number}": {{"version": "1"}}"#)).collect();
        let receipt = Receipt::parse(&format!(r#"{{"items": {{{}}}}}"#, items.join(","))).unwrap();
        let all = values(Values::Parameters, &receipt, &["/a/".to_owned()], &BTreeMap::new(), (5, 0));
        assert_eq!((all.changes.len(), all.partial), (MOST, true));
    }

    #[test]
    fn an_alias_that_serves_what_was_rolled_out_has_not_drifted_and_any_other_has() {
        let text = r#"{"items": {"Fn": {"code_sha256": "abc", "version": "2", "alias": "live"},
            "Old": {"code_sha256": "abc", "version": "2"}}}"#;
        let receipt = Receipt::parse(text).unwrap();
        let functions = [("Fn", "shop-fn"), ("Old", "shop-old")].map(|(id, name)| (id.to_owned(), name.to_owned()));
        let left = |kind: &str, alias: &str, live: &[(&str, &str)]| {
            let mut found = vec![Differing {
                logical_id: "Live".to_owned(),
                kind: kind.to_owned(),
                physical_id: format!("arn:aws:lambda:eu-central-1:1:function:{alias}"),
                status: "MODIFIED".to_owned(),
                properties: live.iter().map(|(path, live)| ((*path).to_owned(), (*live).to_owned())).collect(),
            }];
            receipt.settle(&mut found, &functions.clone().into());
            found.iter().map(Differing::line).collect::<Vec<_>>()
        };
        let (alias, version) = ("AWS::Lambda::Alias", "/FunctionVersion");
        assert_eq!(left(alias, "shop-fn:live", &[(version, "2")]), Vec::<String>::new());
        let besides = left(alias, "shop-fn:live", &[(version, "2"), ("/Description", "x")]);
        assert_eq!(besides, ["Live MODIFIED /Description"]);
        for (kind, of, live) in [
            (alias, "shop-fn:live", "3"),
            (alias, "shop-fn:beta", "2"),
            (alias, "my-shop-fn:live", "2"),
            (alias, "shop-old:live", "2"),
            ("AWS::Lambda::Function", "shop-fn:live", "2"),
        ] {
            assert_eq!(left(kind, of, &[(version, live)]), ["Live MODIFIED /FunctionVersion"], "{kind} {of} {live}");
        }
        assert_eq!(left(alias, "shop-fn:live", &[]), ["Live MODIFIED "], "in what is not known");
    }

    #[test]
    fn what_failed_is_named_and_the_rest_is_not_all_there_is() {
        let mut compared = Compared::default();
        assert_eq!((compared.read(Ok(1)), compared.failure(), compared.found.partial), (Some(1), None, false));
        for number in 0..5 {
            assert_eq!(compared.read::<()>(Err(Failure(format!("receipt {number}")))), None);
        }
        let said = compared.failure().unwrap().to_string();
        assert_eq!(said, "not everything could be compared: receipt 0; receipt 1; receipt 2; and 2 more");
        assert!(compared.found.partial);
    }

    #[test]
    fn the_same_drift_has_the_same_name_in_any_order_and_another_has_another() {
        let names = |list: &[&str]| drift("shop", list.iter().map(|&text| text.to_owned()), 5).lasting.unwrap();
        let queue = "Queue MODIFIED /DelaySeconds";
        assert_eq!(names(&[queue, "Fn MODIFIED /Timeout"]), names(&["Fn MODIFIED /Timeout", queue]));
        assert_ne!(names(&[queue, "Fn MODIFIED /Timeout"]), names(&[queue, "Fn MODIFIED /MemorySize"]));
        // Of a whole stack, where the last alone is new.
        let many: Vec<String> = (100..200).map(|number| format!("A{number} MODIFIED /Timeout")).collect();
        let all: Vec<&str> = many.iter().map(String::as_str).collect();
        let more: Vec<&str> = all.iter().copied().chain(["Z DELETED "]).collect();
        assert_ne!(names(&all), names(&more));
        assert!(names(&more).len() < 100);
    }
}
