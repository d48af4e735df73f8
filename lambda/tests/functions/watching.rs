//! The loop's real bootstrap over an AWS of ours that refuses, loses and differs: what it does all the same.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cloud::{Cloud, refusal};
use crate::events::{self, By};
use crate::runtime_api::{Function, Outcome};

const JOBS: &str = "arn:aws:sns:eu-central-1:471100004242:plumb-jobs";
const NOTICES: &str = "arn:aws:sns:eu-central-1:471100004242:loop-notices";

/// As much time as the template gives the function.
const TIMEOUT: Duration = Duration::from_mins(1);

/// The loop of two stacks, which asks a pipeline; with these variables instead of the usual ones.
fn watches(cloud: &Cloud, more: &[(&str, &str)]) -> Function {
    let usual = [
        ("PROJECT", "shop"),
        ("ENVIRONMENT", "prod"),
        ("MODE", "heal"),
        ("STACKS", "shop-data,shop-prod"),
        ("PARAMETER_PREFIXES", "/shop/prod/"),
        ("DEPLOYERS", events::DEPLOYER),
        ("HOLD_PARAMETER", events::HOLD),
        ("STATE_TABLE", "loop"),
        ("STATE_BUCKET", "state"),
        ("NOTICE_TOPIC", NOTICES),
        ("PIPELINE_TOPIC", JOBS),
        ("PIPELINE_PROJECT", "shop-prod"),
        ("GIT_REF", "main"),
        ("SETTLE_SECONDS", "600"),
        ("BREAKER_REDEPLOYS", "3"),
        ("BREAKER_SECONDS", "3600"),
        ("GRACE_SECONDS", "0"),
        ("DRIFT_SECONDS", "600"),
    ];
    let kept = usual.iter().filter(|(name, _)| more.iter().all(|(other, _)| other != name));
    let own = kept.chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let environment: Vec<(String, String)> = cloud.environment().into_iter().chain(own).collect();
    Function::start(Path::new(env!("CARGO_BIN_EXE_integrity")), TIMEOUT, &environment)
}

fn sends(function: &Function, event: &Value) -> Outcome {
    function.invoke(&event.to_string())
}

fn decides(function: &Function, event: &Value) -> String {
    sends(function, event).answer()["decision"].as_str().unwrap().to_owned()
}

fn parameter(name: &str) -> Value {
    events::call("ssm", "PutParameter", &json!({"name": name}), By::User)
}

/// A stack that was made long ago, and has this status.
fn stack(cloud: &Cloud, name: &str, status: &str, more: &str) {
    let body = format!(
        "<DescribeStacksResponse><member><StackId>{name}</StackId><StackStatus>{status}</StackStatus>\
         <CreationTime>2026-01-01T00:00:00Z</CreationTime>{more}</member></DescribeStacksResponse>"
    );
    cloud.answers(&format!("DescribeStacks {name}"), 200, &body);
}

/// Its function and an alias of that, which run this code, where the receipt has `abc`.
fn function(cloud: &Cloud, stack: &str, sha256: &str) {
    let member = |id: &str, kind: &str, physical: &str| {
        format!(
            "<member><LogicalResourceId>{id}</LogicalResourceId><ResourceType>AWS::Lambda::{kind}</ResourceType>\
             <PhysicalResourceId>{physical}</PhysicalResourceId></member>"
        )
    };
    let name = format!("{stack}-fn");
    let arn = format!("arn:aws:lambda:eu-central-1:471100004242:function:{name}:live");
    let resources = [member("Fn", "Function", &name), member("Live", "Alias", &arn)].concat();
    let list = format!("<R><StackResourceSummaries>{resources}</StackResourceSummaries></R>");
    cloud.answers(&format!("ListStackResources {stack}"), 200, &list);
    let code = json!({"CodeSha256": sha256, "LastModified": "2026-01-01T00:00:00.000+0000"});
    cloud.answers(&format!("/functions/{name}/configuration"), 200, &code);
    let receipt = json!({"items": {"Fn": {"version": "1", "code_sha256": "abc"}}});
    cloud.answers(&format!("/receipts/stack/{stack}.json"), 200, &receipt);
}

#[test]
fn a_claim_whose_answer_was_lost_is_acted_on_by_who_made_it() {
    let cloud = Cloud::start();
    let function = watches(&cloud, &[]);
    cloud.loses_a_put();
    assert_eq!(decides(&function, &parameter("/shop/prod/size")), "redeploy");
    let reason = "PutParameter of parameter /shop/prod/size";
    assert_eq!(cloud.published(JOBS), [json!({"project": "shop-prod", "branch": "main", "reason": reason})]);
    assert_eq!(decides(&function, &parameter("/shop/prod/size")), "covered");
    cloud.loses_a_put();
    let sent = sends(&function, &events::canary()).answer();
    assert_eq!(sent["decision"], "canary", "{sent}");
    assert!(sent["reason"].as_str().unwrap().contains("was not checked"), "the pipeline takes none: {sent}");
    assert_eq!(cloud.published(JOBS).len(), 1);
}

#[test]
fn what_cannot_be_read_of_one_stack_hides_nothing_of_another() {
    let cloud = Cloud::start();
    stack(&cloud, "shop-data", "UPDATE_COMPLETE", "");
    function(&cloud, "shop-data", "xyz");
    cloud.answers("/functions/shop-data-fn/configuration", 403, &json!({"code": "AccessDeniedException"}));
    cloud.answers("DetectStackDrift shop-data", 403, &refusal("AccessDenied", "not authorized"));
    stack(&cloud, "shop-prod", "CREATE_COMPLETE", "");
    function(&cloud, "shop-prod", "xyz");
    cloud.answers("/receipts/config/", 403, &refusal("AccessDenied", "no"));
    let function = watches(&cloud, &[]);
    let Outcome::Failed(failed) = sends(&function, &events::tick()) else { panic!("it is no calm") };
    assert!(failed.contains("not everything could be compared: lambda:GetFunctionConfiguration"), "{failed}");
    let [asked] = &cloud.published(JOBS)[..] else { panic!("{:?}", cloud.published(JOBS)) };
    assert_eq!(asked["reason"], "the code of function shop-prod-fn is not what was rolled out");
    let log = function.log_with("\"decision\":\"redeploy\"");
    assert!(log.contains("\"failure\":\"not everything could be compared") && log.contains("\"Redeploys\":1"), "{log}");
    assert_eq!(cloud.asked("DetectStackDrift shop-prod"), 1);
}

#[test]
fn a_stack_that_was_never_made_is_not_looked_for_drift_in_and_one_that_is_not_understood_is_a_failure() {
    let cloud = Cloud::start();
    for name in ["shop-data", "shop-prod"] {
        stack(&cloud, name, "ROLLBACK_COMPLETE", "");
    }
    cloud.answers("DetectStackDrift", 400, &refusal("ValidationError", "not in a valid state"));
    cloud.answers("/?list-type=2", 404, &refusal("NoSuchKey", "no such key"));
    let function = watches(&cloud, &[("PARAMETER_PREFIXES", "")]);
    assert_eq!(decides(&function, &events::tick()), "quiet");
    assert_eq!(cloud.asked("DetectStackDrift"), 0);
    let code = events::call("lambda", "UpdateFunctionCode", &json!({"functionName": "shop-prod-fn"}), By::User);
    assert_eq!(decides(&function, &code), "ignored", "neither stack has resources");
    cloud.answers("ListStackResources", 400, &refusal("ValidationError", "1 validation error detected"));
    let Outcome::Failed(failed) = sends(&function, &code) else { panic!("nobody knows whose it is") };
    assert!(failed.contains("1 validation error detected"), "{failed}");
}

#[test]
fn what_may_be_of_a_deployment_is_seen_twice_before_it_counts() {
    let cloud = Cloud::start();
    stack(&cloud, "shop-data", "ROLLBACK_COMPLETE", "");
    stack(&cloud, "shop-prod", "UPDATE_COMPLETE", "");
    function(&cloud, "shop-prod", "xyz");
    let function = watches(&cloud, &[("PARAMETER_PREFIXES", ""), ("GRACE_SECONDS", "300"), ("DRIFT_SECONDS", "")]);
    for _ in 0..2 {
        let answer = sends(&function, &events::tick()).answer();
        assert!(answer["reason"].as_str().unwrap().contains("counts when it is found again"), "{answer}");
    }
    assert_eq!(cloud.published(JOBS), Vec::<Value>::new());
}

#[test]
fn drift_of_one_more_resource_is_another_drift() {
    let cloud = Cloud::start();
    stack(&cloud, "shop-data", "ROLLBACK_COMPLETE", "");
    let drift = |id: &str, path: &str| {
        format!(
            "<member><PropertyDifferences><member><PropertyPath>{path}</PropertyPath></member></PropertyDifferences>\
             <StackResourceDriftStatus>MODIFIED</StackResourceDriftStatus><LogicalResourceId>{id}</LogicalResourceId></member>"
        )
    };
    let finds = |day: u8, drifts: &str| {
        let looked = format!("<LastCheckTimestamp>2026-02-0{day}T00:00:00Z</LastCheckTimestamp>");
        let drifted = format!("<StackDriftStatus>DRIFTED</StackDriftStatus>{looked}");
        stack(&cloud, "shop-prod", "UPDATE_COMPLETE", &drifted);
        let list = format!("<StackResourceDrifts>{drifts}</StackResourceDrifts>");
        cloud.answers("DescribeStackResourceDrifts shop-prod", 200, &list);
    };
    let function = watches(
        &cloud,
        &[("PARAMETER_PREFIXES", ""), ("MODE", "notify-only"), ("SETTLE_SECONDS", "0"), ("DRIFT_SECONDS", "")],
    );
    let (queue, timeout) = (drift("Queue", "/DelaySeconds"), drift("Fn", "/Timeout"));
    finds(1, &format!("{queue}{timeout}"));
    assert_eq!(decides(&function, &events::tick()), "notified");
    finds(2, &format!("{timeout}{queue}"));
    assert_eq!(decides(&function, &events::tick()), "covered");
    finds(3, &format!("{}{}", drift("Queue", "/Timeout"), drift("Fn", "/DelaySeconds")));
    assert_eq!(decides(&function, &events::tick()), "notified");
}

#[test]
fn a_hold_that_cannot_be_read_holds_and_what_was_changed_is_put_back_after_it() {
    let cloud = Cloud::start();
    let function = watches(&cloud, &[("STACKS", "shop-prod")]);
    let event = parameter("/shop/prod/size");
    cloud.answers("GetParameter", 200, &json!({"Parameter": {"Value": "for ever"}}));
    assert_eq!(decides(&function, &event), "held");
    assert!(cloud.published(NOTICES)[0].as_str().unwrap().contains("cannot be read; delete it"));
    cloud.answers("GetParameter", 400, &json!({"__type": "AccessDeniedException"}));
    let Outcome::Failed(failed) = sends(&function, &event) else { panic!("it is tried again") };
    assert!(failed.contains("ssm:GetParameter"), "{failed}");
    assert_eq!(cloud.published(JOBS), Vec::<Value>::new());
    cloud.answers("GetParameter", 400, &json!({"__type": "ParameterNotFound"}));
    assert_eq!(decides(&function, &event), "redeploy");

    let cloud = Cloud::start();
    cloud.answers("GetParameter", 400, &json!({"__type": "AccessDeniedException"}));
    let function = watches(&cloud, &[("MODE", "notify-only")]);
    assert_eq!(decides(&function, &event), "notified");
    assert_eq!(cloud.asked("GetParameter"), 0, "nothing is put back that it could stop");
}

#[test]
fn a_name_that_the_pipeline_would_refuse_is_none_to_begin_with() {
    let cloud = Cloud::start();
    let function = watches(&cloud, &[("PROJECT", "Shop_1"), ("PIPELINE_PROJECT", "")]);
    assert!(matches!(sends(&function, &parameter("/shop/prod/size")), Outcome::Crashed(_)));
    assert!(function.log_with("PipelineProject").contains("Shop_1"));
}
