//! The template of the loop, held to what the function does: what its alarms watch is what the function writes, and who may
//! publish and read is who is meant.

use plumb_lambda::integrity::event::{self, What};
use plumb_lambda::integrity::judge::Flow;
use plumb_lambda::integrity::state::{Limits, Mode};
use plumb_lambda::integrity::{self, Failure, Settings};
use serde_json::{Value, json};

use crate::events;
use crate::openapi::document;

const TEMPLATE: &str = include_str!("../../integrity.yaml");

/// A resource; a function of CloudFormation is an object with its short name.
fn resource(name: &str) -> Value {
    document(TEMPLATE)["Resources"][name].clone()
}

/// A line of the log, as the deployed function writes it.
fn line() -> Value {
    let limits = Limits { mode: Mode::Heal, settle: 1, redeploys: 1, window: 2, again: 0 };
    let settings = Settings { name: "shop/prod".into(), flow: Flow::default(), limits };
    let event = event::read(&events::tick().to_string());
    assert_eq!(event.what, What::Tick);
    integrity::line(&settings, "loop-integrity", "r-1", &event, &Err(Failure("no".into())))
}

#[test]
fn what_an_alarm_watches_is_what_the_function_writes() {
    let line = line();
    let written = &line["_aws"]["CloudWatchMetrics"][0];
    let names: Vec<&str> =
        written["Metrics"].as_array().unwrap().iter().map(|metric| metric["Name"].as_str().unwrap()).collect();
    for (alarm, name) in
        [("BreakerOpened", "BreakerOpened"), ("RedeployInVain", "InVain"), ("HoldChanged", "HoldChanges")]
    {
        let watched = resource(alarm)["Properties"].clone();
        assert_eq!(watched["Namespace"], written["Namespace"], "{alarm}");
        assert_eq!(watched["MetricName"], name, "{alarm}");
        assert!(names.contains(&name) && line[name].is_u64(), "{alarm}: {names:?}");
        let by: Vec<&Value> = watched["Dimensions"].as_array().unwrap().iter().map(|by| &by["Name"]).collect();
        assert_eq!(json!([by]), written["Dimensions"], "{alarm}");
        assert_eq!(watched["Dimensions"][0]["Value"], json!({"!Ref": "Integrity"}), "{alarm}");
    }
    for name in names {
        assert!(line[name].is_u64(), "the metric {name} has no field: {line}");
    }
    let own = TEMPLATE.matches("Namespace: Plumb/Integrity").count();
    assert_eq!(own, 3, "an alarm more is looked at here as well");
    let alarms = TEMPLATE.matches("Type: AWS::CloudWatch::Alarm").count();
    let telling = TEMPLATE.matches("AlarmActions:\n        - !Ref Notices").count();
    assert_eq!(alarms, telling, "an alarm tells nobody");
}

#[test]
fn the_token_is_for_the_function_and_the_notices_are_the_loops() {
    let secret = resource("GithubSecretPolicy");
    assert_eq!(secret["Condition"], "MakesSecretPolicy");
    assert_eq!(secret["Properties"]["SecretId"], json!({"!Ref": "GithubSecret"}));
    assert_eq!(secret["Properties"]["BlockPublicPolicy"], true);
    let reads = json!({
        "Effect": "Allow",
        "Principal": {"AWS": {"!GetAtt": "IntegrityRole.Arn"}},
        "Action": "secretsmanager:GetSecretValue",
        "Resource": "*",
    });
    assert_eq!(secret["Properties"]["ResourcePolicy"]["Statement"], json!([reads]));

    let notices = resource("NoticesPolicy");
    assert_eq!(notices["Properties"]["Topics"], json!([{"!Ref": "Notices"}]));
    let alarms = json!({
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": {"!Ref": "Notices"},
        "Condition": {"StringEquals": {"aws:SourceAccount": {"!Ref": "AWS::AccountId"}}},
    });
    assert_eq!(notices["Properties"]["PolicyDocument"]["Statement"], json!([alarms]));
}
