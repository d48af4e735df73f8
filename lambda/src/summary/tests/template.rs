//! The template that the function is deployed by: when it runs and with what, what is kept, and who is told.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::{Failure, line, read};
use crate::openapi::document;

fn template() -> Value {
    document(include_str!("../../../intake.yaml"))
}

#[test]
fn the_schedule_asks_for_the_week_that_is_over_in_every_time_zone() {
    let template = template();
    let (parameters, weekly) = (&template["Parameters"], &template["Resources"]["Weekly"]["Properties"]);
    assert_eq!(weekly["ScheduleExpression"], json!({"!Ref": "SummarySchedule"}));
    assert_eq!(weekly["ScheduleExpressionTimezone"], json!({"!Ref": "SummaryTimeZone"}));
    assert_eq!(weekly["FlexibleTimeWindow"], json!({"Mode": "OFF"}));
    assert_eq!(parameters["SummaryTimeZone"]["Default"], "UTC");
    assert_eq!(parameters["SummarySchedule"]["Default"], "cron(0 15 ? * MON *)", "a Monday at 15:00");
    let input = weekly["Target"]["Input"].as_str().unwrap();
    let asked = |time: &str| read(&input.replace("<aws.scheduler.scheduled-time>", time)).unwrap();
    // Kiritimati, Auckland, Tokyo, Berlin, UTC, Honolulu, and the last place where a day ends.
    for offset in ["+14:00", "+13:00", "+09:00", "+01:00", "Z", "-10:00", "-12:00"] {
        let asked = asked(&format!("2026-11-23T15:00:00{offset}"));
        assert_eq!((asked.week.to_string().as_str(), asked.write, asked.shrink), ("2026-W47", true, false), "{offset}");
        assert!(asked.scheduled);
    }
    // A call that Lambda does not take is made again for a day, and a run that fails twice more.
    assert_eq!(
        weekly["Target"]["RetryPolicy"],
        json!({"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 24})
    );
    let retries = &template["Resources"]["SummaryRetries"]["Properties"];
    assert_eq!((&retries["MaximumRetryAttempts"], &retries["Qualifier"]), (&json!(2), &json!("live")));
    assert_eq!(weekly["Target"]["Arn"], json!({"!Ref": "SummaryLive"}), "the alias that is tried again");
}

#[test]
fn what_is_kept_is_encrypted_versioned_and_outlives_the_stack() {
    let template = template();
    let bucket = &template["Resources"]["Summaries"];
    for kept in [bucket, &template["Resources"]["Records"]] {
        assert_eq!((&kept["DeletionPolicy"], &kept["UpdateReplacePolicy"]), (&json!("Retain"), &json!("Retain")));
    }
    let bucket = &bucket["Properties"];
    let encryption = "/BucketEncryption/ServerSideEncryptionConfiguration/0/ServerSideEncryptionByDefault/SSEAlgorithm";
    assert_eq!(bucket.pointer(encryption), Some(&json!("AES256")));
    assert_eq!(bucket["VersioningConfiguration"]["Status"], "Enabled", "manifests name versions");
    let rules = bucket["LifecycleConfiguration"]["Rules"].as_array().unwrap();
    assert!(rules.iter().all(|rule| rule["Status"] == "Enabled"));
    let of = |name: &str| rules.iter().filter_map(|rule| rule.get(name)).collect::<Vec<_>>();
    assert_eq!(of("AbortIncompleteMultipartUpload"), [&json!({"DaysAfterInitiation": 1})]);
    assert_eq!(of("NoncurrentVersionExpiration"), [&json!({"NoncurrentDays": {"!Ref": "OldVersionDays"}})]);
    assert!(of("ExpirationInDays").is_empty(), "no summary is ever removed");
    let table = &template["Resources"]["Records"]["Properties"];
    assert_eq!(table["SSESpecification"]["SSEEnabled"], true);
    assert_eq!(table["TimeToLiveSpecification"], json!({"AttributeName": "expires", "Enabled": true}));
}

#[test]
fn each_alarm_of_our_own_metrics_names_one_that_a_log_line_has() {
    let template = template();
    let failed = line("summary", "r", &Err(Failure::Refused("no".to_owned())), Duration::ZERO);
    let intake = crate::record::metrics(crate::intake::NAMESPACE, &[&["Service"]], &["Faults"], true);
    let stated = [&failed["_aws"]["CloudWatchMetrics"][0], &intake["CloudWatchMetrics"][0]];
    let resources = template["Resources"].as_object().unwrap().values();
    let alarms: Vec<&Value> =
        resources.filter(|it| it["Type"] == "AWS::CloudWatch::Alarm").map(|it| &it["Properties"]).collect();
    let own = alarms.iter().filter(|alarm| alarm["Namespace"].as_str().unwrap().starts_with("Plumb/"));
    let mut count = 0;
    for alarm in own {
        count += 1;
        let known = stated.iter().find(|known| known["Namespace"] == alarm["Namespace"]).unwrap();
        let names: Vec<&Value> = known["Metrics"].as_array().unwrap().iter().map(|metric| &metric["Name"]).collect();
        assert!(names.contains(&&alarm["MetricName"]), "{alarm}");
        let dimensions: Vec<&Value> =
            alarm["Dimensions"].as_array().unwrap().iter().map(|dimension| &dimension["Name"]).collect();
        assert!(known["Dimensions"].as_array().unwrap().contains(&json!(dimensions)), "{alarm}");
    }
    assert!(count >= 1 && alarms.iter().all(|alarm| alarm["AlarmActions"].is_object()), "each is sent somewhere");
}

#[test]
fn the_intake_reads_no_record_and_its_stage_waits_for_the_accounts_role() {
    let template = template();
    let statements = &template["Resources"]["IntakeRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"];
    let of = |action: &str| statements.as_array().unwrap().iter().find(|it| it["Action"] == action).unwrap();
    let health = json!({"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["health"]}});
    assert_eq!(of("dynamodb:GetItem")["Condition"], health);
    assert_eq!(of("dynamodb:PutItem").get("Condition"), None);
    let crypto = document(include_str!("../../../template.yaml"));
    for stage in [&template["Resources"]["IntakeApiStage"], &crypto["Resources"]["CryptoApiStage"]] {
        let waits = json!({"!If": ["MakesApiGatewayLogging", {"!Ref": "ApiGatewayAccount"}, ""]});
        assert_eq!(stage["Metadata"]["After"], waits);
    }
}
