use serde_json::{Value, json};

use super::*;
use crate::aws::cloudformation::drift::{Difference, DifferenceKind};
use crate::compare::combine;

const QUEUE: &str = "Q";

fn template(timeout: &str) -> Template {
    let text = format!(
        "Resources:\n  Q:\n    Type: AWS::SQS::Queue\n    Properties:\n      VisibilityTimeout: {timeout}\n      \
         RedrivePolicy:\n        deadLetterTargetArn: !GetAtt Dead.Arn\n        maxReceiveCount: 5\n      \
         KmsMasterKeyId: alias/a\n  Dead:\n    Type: AWS::SQS::Queue\n"
    );
    Template::parse("t.yaml", &text).unwrap()
}

/// What CloudFormation found; it never looks at `KmsMasterKeyId` here.
fn found(expected: u32, actual: u32) -> ResourceDrift {
    let state = |timeout: u32| {
        json!({
            "VisibilityTimeout": timeout.to_string(),
            "RedrivePolicy": { "deadLetterTargetArn": "arn:dead", "maxReceiveCount": 5 },
        })
    };
    let differs = expected != actual;
    ResourceDrift {
        logical_id: QUEUE.into(),
        physical_id: None,
        type_name: "AWS::SQS::Queue".into(),
        status: if differs { DriftStatus::Modified } else { DriftStatus::InSync },
        status_reason: None,
        expected: Some(state(expected)),
        actual: Some(state(actual)),
        differences: if differs {
            vec![Difference {
                path: "/VisibilityTimeout".into(),
                expected: expected.to_string().into(),
                actual: actual.to_string().into(),
                kind: DifferenceKind::NotEqual,
            }]
        } else {
            Vec::new()
        },
        checked_at: 0,
    }
}

/// The verdicts by property; `None` for no receipt.
fn verdicts(git: &str, applied: Option<&str>, deployed: &str, drift: &ResourceDrift) -> Vec<(String, Verdict)> {
    let scope = Scope::default();
    let (git, deployed) = (template(git), template(deployed));
    let applied = applied.map(template);
    let asking = |template| Asking { template, scope: &scope };
    let applied =
        applied.as_ref().map_or(AppliedAsking::Unrecorded, |applied| AppliedAsking::Template(asking(applied)));
    rows(QUEUE, asking(&git), applied, asking(&deployed), None, &Looked::At(drift), &[])
        .into_iter()
        .map(|row| (row.path, row.verdict))
        .collect()
}

fn of(verdicts: &[(String, Verdict)], path: &str) -> Verdict {
    verdicts.iter().find(|(found, _)| found == path).unwrap_or_else(|| panic!("no row {path}: {verdicts:?}")).1.clone()
}

/// A name, git's timeout, the applied one, the deployed one, what was expected and found, and the verdict.
type Case = (&'static str, &'static str, Option<&'static str>, &'static str, (u32, u32), Verdict);

#[test]
fn a_property_gets_the_verdict_of_its_three_sides() {
    let rows: [Case; 9] = [
        ("nothing moved", "30", Some("30"), "30", (30, 30), Verdict::InSync),
        ("changed by hand", "30", Some("30"), "30", (30, 45), Verdict::Drifted),
        ("changed in git", "60", Some("30"), "30", (30, 30), Verdict::Pending),
        ("changed in git and by hand", "60", Some("30"), "30", (30, 45), Verdict::Diverged),
        ("changed in git and by hand to the same", "60", Some("30"), "30", (30, 60), Verdict::InSync),
        ("deployed by somebody else's template", "30", Some("30"), "45", (45, 45), Verdict::Drifted),
        ("no receipt, equal", "30", None, "30", (30, 30), Verdict::InSync),
        ("no receipt, different", "60", None, "30", (30, 30), Verdict::Differs),
        ("spelled as text", "\"30\"", Some("30"), "30", (30, 30), Verdict::InSync),
    ];
    for (name, git, applied, deployed, (expected, actual), verdict) in rows {
        let found = verdicts(git, applied, deployed, &found(expected, actual));
        assert_eq!(of(&found, "VisibilityTimeout"), verdict, "{name}");
    }
}

#[test]
fn an_expression_that_nobody_can_resolve_is_in_sync_where_both_templates_ask_for_it() {
    let verdicts = verdicts("30", Some("30"), "30", &found(30, 30));
    assert_eq!(of(&verdicts, "RedrivePolicy.deadLetterTargetArn"), Verdict::InSync);
    assert_eq!(of(&verdicts, "RedrivePolicy.maxReceiveCount"), Verdict::InSync);
}

#[test]
fn a_property_that_cloudformation_never_looks_at_is_never_in_sync() {
    let verdicts = verdicts("30", Some("30"), "30", &found(30, 30));
    assert!(matches!(of(&verdicts, "KmsMasterKeyId"), Verdict::Unknown(_)));
    assert!(matches!(combine(verdicts.iter().map(|(_, verdict)| verdict)), Verdict::Unknown(_)));
}

fn text(properties: &str) -> Template {
    let text = format!("Resources:\n  Q:\n    Type: AWS::IAM::Role\n    Properties:\n{properties}");
    Template::parse("t.yaml", &text).unwrap()
}

fn by_asking(git: &str, applied: &str, deployed: &str) -> Vec<Verdict> {
    let scope = Scope::default();
    let (git, applied, deployed) = (text(git), text(applied), text(deployed));
    let asking = |template| Asking { template, scope: &scope };
    let looked = Looked::Unknown(Why::new("not checked"));
    let applied = AppliedAsking::Template(asking(&applied));
    rows(QUEUE, asking(&git), applied, asking(&deployed), None, &looked, &[])
        .into_iter()
        .map(|row| row.verdict)
        .collect()
}

#[test]
fn without_a_check_only_a_known_difference_of_the_templates_counts() {
    let path = |value: &str| format!("      Path: {value}\n");
    let (a, b, c) = (path("/a/"), path("/b/"), path("/c/"));
    let open = path("!ImportValue elsewhere");
    assert_eq!(by_asking(&b, &a, &a), [Verdict::Pending]);
    assert_eq!(by_asking(&a, &a, &b), [Verdict::Drifted]);
    assert_eq!(by_asking(&b, &a, &c), [Verdict::Diverged]);
    assert!(matches!(by_asking(&a, &a, &a)[..], [Verdict::Unknown(_)]));
    // Another wording proves nothing.
    assert!(matches!(by_asking(&open, &a, &a)[..], [Verdict::Unknown(_)]));
    assert!(matches!(by_asking(&path("!Sub /a/"), &a, &a)[..], [Verdict::Unknown(_)]));
}

#[test]
fn setting_a_property_for_the_first_time_is_pending() {
    let (with, without) = ("      Path: /a/\n      RoleName: r\n", "      RoleName: r\n");
    let verdicts = by_asking(with, without, without);
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::Pending).count(), 1, "{verdicts:?}");
}

#[test]
fn what_cloudformation_does_not_call_a_difference_is_as_expected() {
    let mut drift = found(30, 45);
    drift.expected = Some(json!({ "VisibilityTimeout": "30", "Tags": [{ "Key": "a" }, { "Key": "b" }] }));
    drift.actual = Some(json!({ "VisibilityTimeout": "45", "Tags": [{ "Key": "b" }, { "Key": "a" }] }));
    let tags = drift.expected.as_ref().and_then(|all| all.get("Tags")).cloned();
    assert_eq!(live_value("Tags", tags.as_ref(), &drift), tags);
    let timeout = Value::from("30");
    assert_eq!(live_value("VisibilityTimeout", Some(&timeout), &drift), Some(Value::from("45")));
}

#[test]
fn environment_variables_are_masked() {
    assert!(is_secret("Environment.Variables.API_KEY"));
    assert!(is_secret("Environment"));
    assert!(!is_secret("EnvironmentConfiguration.Size"));
}

#[test]
fn what_is_not_live_is_told_by_what_its_template_asks() {
    let scope = Scope::default();
    let text = "Resources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties:\n      MemorySize: 512\n      \
                Role: !GetAtt R.Arn\n      Environment:\n        Variables:\n          KEY: hunter\n  \
                R:\n    Type: AWS::IAM::Role\n";
    let template = Template::parse("t.yaml", text).unwrap();
    let asking = |id: &str| asked(id, Asking { template: &template, scope: &scope });
    let all = asking("F");
    assert_eq!(all["MemorySize"], Facet::Plain("512".into()));
    // What nobody can know before it is deployed is the asking itself.
    assert!(matches!(&all["Role"], Facet::Plain(text) if text.contains("GetAtt")), "{all:?}");
    assert!(matches!(&all["Environment.Variables.KEY"], Facet::Secret(_)), "{all:?}");
    assert_eq!(asking("R").len(), 0);
    assert_eq!(asking("Nobody").len(), 0);
}
