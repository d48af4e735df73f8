//! What is put back, of which resources, and what never is.

use serde_json::json;

use super::*;
use crate::aws::cloudformation::drift::{Difference, DifferenceKind};

fn drift(type_name: &str, status: DriftStatus, paths: &[&str], expected: Option<Value>) -> ResourceDrift {
    let difference = |path: &&str| Difference {
        path: (*path).to_owned(),
        expected: Value::Null,
        actual: Value::Null,
        kind: DifferenceKind::NotEqual,
    };
    ResourceDrift {
        logical_id: "It".into(),
        physical_id: Some("it".into()),
        type_name: type_name.into(),
        status,
        status_reason: None,
        expected,
        actual: None,
        differences: paths.iter().map(difference).collect(),
        checked_at: 0,
    }
}

#[test]
fn of_a_function_what_can_be_sent_is_put_back_and_nothing_hidden() {
    let expected =
        json!({"MemorySize": 128, "Timeout": "30", "VpcConfig": {}, "Environment": {"Variables": {"A": "b", "N": 1}}});
    let paths = ["/MemorySize", "/Timeout", "/Environment/Variables/A", "/VpcConfig/SubnetIds/0"];
    let found = drift(FUNCTION, DriftStatus::Modified, &paths, Some(expected.clone()));
    let found = configuration(&found, &tops(&found), &expected).unwrap();
    assert_eq!(found.properties, ["Environment", "MemorySize", "Timeout"]);
    let How::Configuration(new) = &found.how else { panic!("{found:?}") };
    assert_eq!((new.memory, new.timeout, new.handler.clone()), (Some(128), Some(30), None));
    let environment = new.environment.as_ref().unwrap();
    assert_eq!((environment["A"].expose(), environment["N"].expose()), ("b", "1"));
    let hidden = json!({"Environment": {"Variables": {"A": "****"}}});
    let found = drift(FUNCTION, DriftStatus::Modified, &["/Environment/Variables/A"], Some(hidden.clone()));
    assert!(configuration(&found, &tops(&found), &hidden).is_none());
}

#[test]
fn of_parameters_the_plain_ones_are_put_back_and_made_anew() {
    let tags = BTreeMap::from([("team".to_owned(), "pets".to_owned())]);
    let expected = |kind: &str| json!({"Name": "/a", "Type": kind, "Value": "on", "Tags": {"own": "1"}});
    let found = drift(PARAMETER, DriftStatus::Modified, &["/Value"], None);
    let parameter = |drift: &ResourceDrift, expected: &Value| parameter(drift, &tops(drift), expected, &tags);
    assert_eq!(parameter(&found, &expected("String")).unwrap().properties, ["Value"]);
    assert!(parameter(&found, &expected("SecureString")).is_none());
    assert!(parameter(&found, &json!({"Type": "String", "Value": "****"})).is_none());
    let other = drift(PARAMETER, DriftStatus::Modified, &["/Type", "/Value"], None);
    assert!(parameter(&other, &expected("String")).is_none());
    let gone = drift(PARAMETER, DriftStatus::Deleted, &[], None);
    let gone = parameter(&gone, &expected("StringList")).unwrap();
    let How::Parameter(plain) = &gone.how else { panic!("{gone:?}") };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!((gone.what(), &plain.tags), ("all of it".to_owned(), &vec![pair("own", "1"), pair("team", "pets")]));
}

#[test]
fn what_nobody_puts_back_says_what_to_do() {
    let queue = drift("AWS::SQS::Queue", DriftStatus::Modified, &["/VisibilityTimeout"], None);
    assert!(stays_so(&queue, "").reason.contains("It was changed by hand, and CloudFormation"));
    let gone = drift("AWS::SQS::Queue", DriftStatus::Deleted, &[], None);
    assert!(stays_so(&gone, "").hint.unwrap().contains("does not come back"));
}
