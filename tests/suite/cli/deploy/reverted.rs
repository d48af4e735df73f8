//! `plumb deploy --revert-drift`: what CloudFormation puts back, what is put back without it, and what nobody puts back.

use serde_json::{Value, json};

use super::packaged::built;
use super::stack::{Stacked, TEMPLATE, change};
use crate::cli::shop::put;
use crate::support::account::Account;
use crate::support::proxy::Fault;

/// The stack with two plain parameters, and a function whose memory is stated.
pub fn template() -> String {
    let parameters = r#"  Flag:
    Type: AWS::SSM::Parameter
    Properties: { Name: !Sub "/shop/${Environment}/flag", Type: String, Value: "on", Description: A flag }
  Gone:
    Type: AWS::SSM::Parameter
    Properties: { Name: !Sub "/shop/${Environment}/gone", Type: String, Value: here, Tags: { own: "1" } }
Outputs:
"#;
    TEMPLATE
        .replace("Outputs:\n", parameters)
        .replace("Handler: app.handler", "Handler: app.handler\n      MemorySize: 128")
}

fn ssm(account: &Account, operation: &str, body: &Value) -> Value {
    let reply = account.caller().json("ssm", &format!("AmazonSSM.{operation}"), body).unwrap();
    if reply.status == 200 { reply.json() } else { Value::Null }
}

pub fn value(account: &Account, name: &str) -> Value {
    ssm(account, "GetParameter", &json!({ "Name": name }))["Parameter"]["Value"].clone()
}

/// The function's configuration, after a change where there is one.
fn function(account: &Account, change: Option<&Value>) -> Value {
    let path = "/2015-03-31/functions/shop-dev-api/configuration";
    let (method, body) = change.map_or(("GET", String::new()), |change| ("PUT", change.to_string()));
    let reply = account.caller().send("lambda", method, path, &[], body.as_bytes()).unwrap();
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()
}

/// Somebody has been at parameters, configuration and code.
pub(super) fn night(account: &Account) -> Stacked {
    let shop = Stacked::with(account, &template());
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(0);
    put(account, "/shop/dev/flag", "by-hand-value");
    ssm(account, "DeleteParameter", &json!({"Name": "/shop/dev/gone"}));
    let by_hand = json!({"MemorySize": 512, "Environment": {"Variables": {"BATCH": "by-hand-secret", "MORE": "1"}}});
    function(account, Some(&by_hand));
    shop
}

#[test]
fn what_no_change_set_puts_back_is_shown_then_put_back_and_noted() {
    let account = Account::fresh();
    let shop = night(&account);
    let code = shop.code();
    shop.by_hand_code("def handler(event, context):\n    return 'by hand'\n");
    let planned = shop.plumb(&["deploy", "--env", "dev", "--revert-drift", "--dry-run"]);
    for part in [
        "nothing to change   4 put back without CloudFormation",
        "! by hand: Api.MemorySize is ",
        "which is overwritten",
        "! by hand: Gone was deleted, and is made anew",
        "~ put back  Api   AWS::Lambda::Function   shop-dev-api   Environment, MemorySize",
        "~ put back  Api   AWS::Lambda::Function   shop-dev-api   Code",
        "~ put back  Flag   AWS::SSM::Parameter   /shop/dev/flag   ",
        "~ put back  Gone   AWS::SSM::Parameter   /shop/dev/gone   all of it",
    ] {
        assert!(planned.ended(1).stdout.contains(part), "{part}: {planned}");
    }
    assert!(!planned.to_string().contains("-secret"), "{planned}");
    assert_eq!(value(&account, "/shop/dev/flag"), "by-hand-value", "a dry run puts nothing back");

    let back = shop.plumb(&["deploy", "--env", "dev", "--revert-drift", "--yes"]);
    for part in
        ["/shop/dev/flag was put back: ", "the code of shop-dev-api was put back", "shop-dev: put back   receipt "]
    {
        assert!(back.ended(0).stdout.contains(part), "{part}: {back}");
    }
    assert!(!back.to_string().contains("-secret"), "{back}");
    assert_eq!((value(&account, "/shop/dev/flag"), value(&account, "/shop/dev/gone")), (json!("on"), json!("here")));
    let tags = json!({"ResourceType": "Parameter", "ResourceId": "/shop/dev/gone"});
    let tags = ssm(&account, "ListTagsForResource", &tags)["TagList"].to_string();
    assert!(tags.contains("own") && tags.contains("pets"), "{tags}");
    let now = function(&account, None);
    let variables = &now["Environment"]["Variables"];
    assert_eq!((&now["MemorySize"], variables), (&json!(128), &json!({"BATCH": "first-secret"})));
    assert_eq!(shop.code(), code);
    let journal = shop.journal();
    let noted = json!(["deploy", ["shop-dev", "shop-dev/Api", "shop-dev/Flag", "shop-dev/Gone"], "ok"]);
    assert_eq!(journal.last(), Some(&noted), "{journal:?}");
    let again = shop.plumb(&["deploy", "--env", "dev", "--revert-drift", "--yes", "-o", "json"]);
    let stack = &again.ended(0).json()["stacks"][0];
    assert_eq!((&stack["put_back"], &stack["drift"]), (&json!([]), &json!([])), "{stack:#}");
}

#[test]
fn what_cannot_be_put_back_says_what_to_do_and_holds_up_nothing_else() {
    let account = Account::fresh();
    let shop = night(&account);
    shop.by_hand_visibility(90);
    let (behind, proxy) = account.behind_proxy();
    let refused = Fault::AccessDenied("not authorized to perform ssm:PutParameter".to_owned());
    proxy.on("ssm:PutParameter").when(|call| call.json()["Name"] == "/shop/dev/flag").reply(refused);
    let back = shop.through(&behind, &["deploy", "--env", "dev", "--revert-drift", "--yes", "-o", "json"]);
    let json = back.ended(1).json();
    let stack = &json["stacks"][0];
    let problems = stack["problems"].to_string();
    for part in [
        "/shop/dev/flag was not put back: ",
        "Queue was changed by hand, and CloudFormation found nothing to put back",
        "put it back by hand, or change it in git and deploy",
    ] {
        assert!(problems.contains(part), "{part}: {stack:#}");
    }
    assert_eq!(
        (value(&account, "/shop/dev/gone"), function(&account, None)["MemorySize"].clone()),
        (json!("here"), json!(128))
    );
    assert_eq!(shop.journal().last().map(|entry| entry[2].clone()), Some(json!("failed")));
}

/// What AWS documents of a drift-aware change set; the local account knows none.
const AWARE: &str = r#"<DescribeChangeSetResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">
<DescribeChangeSetResult><ChangeSetName>plumb-recorded</ChangeSetName>
<ChangeSetId>arn:aws:cloudformation:eu-central-1:000000000000:changeSet/plumb-recorded/1</ChangeSetId>
<StackName>shop-dev</StackName><DeploymentMode>REVERT_DRIFT</DeploymentMode><StackDriftStatus>DRIFTED</StackDriftStatus>
<Status>CREATE_COMPLETE</Status><ExecutionStatus>AVAILABLE</ExecutionStatus>
<CreationTime>2020-01-01T00:00:00Z</CreationTime><Changes>
<member><Type>Resource</Type><ResourceChange><Action>Modify</Action><LogicalResourceId>Queue</LogicalResourceId>
<PhysicalResourceId>shop-dev-refunds</PhysicalResourceId><ResourceType>AWS::SQS::Queue</ResourceType>
<Replacement>False</Replacement><Scope><member>Properties</member></Scope>
<ResourceDriftStatus>MODIFIED</ResourceDriftStatus>
<ResourceDriftIgnoredAttributes><member><Path>/Properties/KmsMasterKeyId</Path><Reason>MANAGED_BY_AWS</Reason></member>
</ResourceDriftIgnoredAttributes>
<BeforeContext>{"Properties":{"VisibilityTimeout":"90"}}</BeforeContext>
<AfterContext>{"Properties":{"VisibilityTimeout":"30"}}</AfterContext>
<PreviousDeploymentContext>{"Properties":{"VisibilityTimeout":"30"}}</PreviousDeploymentContext>
<Details><member><Target><Attribute>Properties</Attribute><Name>VisibilityTimeout</Name>
<RequiresRecreation>Never</RequiresRecreation><Path>/Properties/VisibilityTimeout</Path>
FROM<AfterValue>30</AfterValue><AfterValueFrom>TEMPLATE</AfterValueFrom>
<Drift><PreviousValue>30</PreviousValue><ActualValue>90</ActualValue>
<DriftDetectionTimestamp>2020-01-01T00:00:00Z</DriftDetectionTimestamp></Drift>
<AttributeChangeType>Modify</AttributeChangeType></Target><Evaluation>Static</Evaluation>
<ChangeSource>NoModification</ChangeSource></member></Details></ResourceChange></member>
<member><Type>Resource</Type><ResourceChange><Action>Add</Action><LogicalResourceId>Table</LogicalResourceId>
<PhysicalResourceId>shop-dev-orders</PhysicalResourceId><ResourceType>AWS::DynamoDB::Table</ResourceType>
<Scope/><ResourceDriftStatus>DELETED</ResourceDriftStatus><Details/></ResourceChange></member>
<member><Type>Resource</Type><ResourceChange><Action>SyncWithActual</Action><LogicalResourceId>Topic</LogicalResourceId>
<ResourceType>AWS::SNS::Topic</ResourceType><ResourceDriftStatus>MODIFIED</ResourceDriftStatus><Details/></ResourceChange></member>
</Changes></DescribeChangeSetResult></DescribeChangeSetResponse>"#;

/// A refusal of a kind that the local account knows nothing of.
fn refusal(code: &str, message: &str) -> Fault {
    let body = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>r</RequestId></ErrorResponse>"
    );
    Fault::Body(400, body.into_bytes())
}

#[test]
fn what_a_drift_aware_change_set_leaves_is_put_back_directly_or_told() {
    let account = Account::fresh();
    let other =
        "  Other: { Type: AWS::SQS::Queue, Properties: { QueueName: shop-other, VisibilityTimeout: 30 } }\nOutputs:";
    let shop = Stacked::with(&account, &template().replace("Outputs:", other));
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(0);
    shop.by_hand_visibility(90);
    shop.by_hand_queue("shop-other", 60);
    put(&account, "/shop/dev/flag", "off");
    let (behind, proxy) = account.behind_proxy();
    let aware = AWARE.replace("FROM", "<BeforeValue>90</BeforeValue>").into_bytes();
    proxy.on("cloudformation:DescribeChangeSet").times(1).reply(Fault::Body(200, aware));
    proxy.on("cloudformation:ExecuteChangeSet").times(1).reply(Fault::Body(200, EXECUTED.as_bytes().to_vec()));
    let done = shop.through(&behind, &["deploy", "--env", "dev", "--revert-drift", "--yes"]);
    for part in [
        "! by hand: Queue.VisibilityTimeout is 90, not 30, which is overwritten",
        "! by hand: Other.VisibilityTimeout is 60, not 30, which stays",
        "! by hand: Flag.Value is ",
        "~ put back  Flag   AWS::SSM::Parameter   /shop/dev/flag   Value",
        "/shop/dev/flag was put back: Value",
        "? Other was changed by hand, and CloudFormation found nothing to put back",
    ] {
        assert!(done.stdout.contains(part), "{part}: {done}");
    }
    assert_ne!(done.code, 0, "{done}");
    assert_eq!(value(&account, "/shop/dev/flag"), json!("on"));
}

#[test]
fn a_look_for_drift_that_is_under_way_is_waited_for_and_one_that_fails_is_not_taken_for_no_drift() {
    let account = Account::fresh();
    let shop = Stacked::with(&account, &template());
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(0);
    put(&account, "/shop/dev/flag", "off");
    let (behind, proxy) = account.behind_proxy();
    let busy = refusal("ValidationError", "Drift detection is already in progress for stack shop-dev");
    proxy.on("cloudformation:DetectStackDrift").times(1).reply(busy);
    let planned = shop.through(&behind, &["deploy", "--env", "dev", "--revert-drift", "--dry-run"]);
    assert!(planned.ended(1).stdout.contains("~ put back  Flag"), "{planned}");
    assert_eq!(proxy.count("cloudformation:DetectStackDrift"), 2);

    let failed = "<DescribeStackDriftDetectionStatusResponse><DescribeStackDriftDetectionStatusResult>\
        <DetectionStatus>DETECTION_FAILED</DetectionStatus><DetectionStatusReason>Failed to detect drift on Flag\
        </DetectionStatusReason><StackId>arn:stack</StackId><StackDriftDetectionId>d</StackDriftDetectionId>\
        <Timestamp>2026-11-22T00:00:00Z</Timestamp></DescribeStackDriftDetectionStatusResult>\
        </DescribeStackDriftDetectionStatusResponse>";
    proxy.on("cloudformation:DescribeStackDriftDetectionStatus").times(1).reply(Fault::Body(200, failed.into()));
    let planned = shop.through(&behind, &["deploy", "--env", "dev", "--revert-drift", "--dry-run", "-o", "json"]);
    assert_ne!(planned.code, 0, "{planned}");
    let json = planned.json();
    let told = json["stacks"][0]["problems"].to_string();
    assert!(told.contains("it is not known what of shop-dev was changed by hand"), "{json:#}");
    assert!(told.contains("Failed to detect drift on Flag"), "{json:#}");
}

#[test]
fn the_drift_of_one_resource_is_put_back_and_nothing_else_is_done() {
    let account = Account::fresh();
    let shop = night(&account);
    shop.by_hand_visibility(90);
    // What git says since is not rolled out by it.
    shop.replace(
        "stack.yaml",
        "TopicName: !Sub \"shop-${Environment}-told\"",
        "TopicName: !Sub \"shop-${Environment}-new\"",
    );
    shop.commit();
    shop.plumb(&["deploy", "--env", "dev", "--revert-drift=Flag", "--yes"])
        .ended(2)
        .complained(&["of which stack is Flag"]);
    let unknown = shop.plumb(&["deploy", "shop-dev", "--env", "dev", "--revert-drift=Flog", "--yes"]);
    unknown.ended(2).complained(&["has no resource Flog"]);
    let done = shop.plumb(&["deploy", "shop-dev", "--env", "dev", "--revert-drift=Flag", "--yes"]);
    assert!(done.ended(0).stdout.contains("/shop/dev/flag was put back: Value"), "{done}");
    assert!(!done.stdout.contains("shop-dev-new"), "{done}");
    let left = (value(&account, "/shop/dev/flag"), value(&account, "/shop/dev/gone"), function(&account, None));
    assert_eq!((&left.0, &left.1, &left.2["MemorySize"]), (&json!("on"), &Value::Null, &json!(512)));
    let queue = shop.plumb(&["deploy", "shop-dev", "--env", "dev", "--revert-drift=Queue", "--yes"]);
    assert_ne!(queue.code, 0, "{queue}");
    assert!(queue.stdout.contains("Queue was changed by hand, and CloudFormation found nothing"), "{queue}");
    let journal = shop.journal();
    assert!(journal.contains(&json!(["deploy", ["shop-dev", "shop-dev/Flag"], "ok"])), "{journal:?}");
    let planned = shop.plumb(&["deploy", "--env", "dev", "--dry-run", "-o", "json"]).json();
    let runs = &planned["stacks"][0]["runs"];
    assert_eq!(runs, &json!(shop.git_text(&["rev-parse", "HEAD~1"])), "the receipt is still of what was rolled out");

    // Where CloudFormation would do more than was asked for, it does nothing.
    let (behind, proxy) = account.behind_proxy();
    let aware = AWARE.replace("FROM", "<BeforeValue>90</BeforeValue>").into_bytes();
    proxy.on("cloudformation:DescribeChangeSet").times(1).reply(Fault::Body(200, aware));
    let arguments = ["deploy", "shop-dev", "--env", "dev", "--revert-drift=Queue", "--dry-run"];
    let alone = shop.through(&behind, &arguments);
    assert_ne!(alone.code, 0, "{alone}");
    let told = "Queue cannot be put back alone: CloudFormation would change Table as well";
    assert!(alone.stdout.contains(told), "{alone}");
    assert!(alone.stdout.contains("plumb deploy shop-dev --revert-drift puts all of shop-dev back"), "{alone}");
}

#[test]
fn code_is_put_back_from_the_artifact_that_was_deployed_though_git_has_moved_on() {
    let account = Account::fresh();
    let shop = built(&account);
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(0);
    let deployed = (shop.head(), shop.code());
    shop.write("api/app.py", "def handler(event, context):\n    return 2\n");
    shop.commit();
    shop.by_hand_code("def handler(event, context):\n    return 'by hand'\n");
    let arguments = ["deploy", "shop-dev", "--env", "dev", "--revert-drift=Api", "--yes"];
    let back = shop.plumb(&arguments);
    assert!(back.ended(0).stdout.contains("the code of shop-dev-api was put back"), "{back}");
    assert_eq!(shop.code(), deployed.1);
    let log = std::fs::read_to_string(shop.root().join("dist/log")).unwrap();
    assert_eq!(log, "built\n", "nothing is built again");
    let planned = shop.plumb(&["deploy", "--env", "dev", "--dry-run", "-o", "json"]).json();
    assert_eq!(planned["stacks"][0]["runs"], json!(deployed.0));

    // What is not there any more has to be built, which takes the commit.
    let artifacts = format!("/shop-state-{}?list-type=2&prefix=plumb/shop/artifacts/", account.id);
    let listed = account.caller().send("s3", "GET", &artifacts, &[], b"").unwrap().text();
    for key in listed.split("<Key>").skip(1).filter_map(|rest| rest.split_once("</Key>")).map(|(key, _)| key) {
        let path = format!("/shop-state-{}/{key}", account.id);
        account.caller().send("s3", "DELETE", &path, &[], b"").unwrap();
    }
    shop.plumb(&arguments).ended(2).complained(&["what is built comes from the working tree, which is not commit"]);
}

const EXECUTED: &str = r#"<ExecuteChangeSetResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">
<ExecuteChangeSetResult/></ExecuteChangeSetResponse>"#;

#[test]
fn a_drift_aware_change_set_as_aws_describes_it_is_previewed_and_executed() {
    let account = Account::fresh();
    let shop = Stacked::live(&account);
    shop.by_hand_visibility(90);
    let gone = json!({"TableName": "shop-dev-orders"});
    assert_eq!(account.caller().json("dynamodb", "DynamoDB_20120810.DeleteTable", &gone).unwrap().status, 200);
    let (behind, proxy) = account.behind_proxy();
    for from in [
        "<BeforeValue>90</BeforeValue><BeforeValueFrom>ACTUAL_STATE</BeforeValueFrom>",
        "<BeforeValue>30</BeforeValue><BeforeValueFrom>PREVIOUS_DEPLOYMENT_STATE</BeforeValueFrom>",
    ] {
        let aware = AWARE.replace("FROM", from).into_bytes();
        proxy.on("cloudformation:DescribeChangeSet").times(1).reply(Fault::Body(200, aware));
        let planned = shop.through(&behind, &["deploy", "--env", "dev", "--revert-drift", "--dry-run"]);
        for part in [
            "update   1 add   1 modify   0 replace   0 remove",
            "90  ->  30",
            "+ add     Table",
            "~ sync    Topic",
            "! by hand: Queue.VisibilityTimeout is 90, not 30, which is overwritten",
            "! by hand: Table was deleted, and is made anew: what was in it does not come back",
            "! CloudFormation leaves Queue.KmsMasterKeyId as it was changed by hand: MANAGED_BY_AWS",
        ] {
            assert!(planned.ended(1).stdout.contains(part), "{part}: {planned}");
        }
        assert!(!planned.stdout.contains("put back"), "what CloudFormation does is not done twice: {planned}");
    }
    let aware = AWARE.replace("FROM", "<BeforeValue>90</BeforeValue>").into_bytes();
    proxy.on("cloudformation:DescribeChangeSet").times(1).reply(Fault::Body(200, aware));
    proxy.on("cloudformation:ExecuteChangeSet").times(1).reply(Fault::Body(200, EXECUTED.as_bytes().to_vec()));
    let done = shop.through(&behind, &["deploy", "--env", "dev", "--revert-drift", "--yes", "-o", "json"]);
    let json = done.ended(0).json();
    let stack = &json["stacks"][0];
    assert_eq!((&stack["recorded"], &change(stack, "Topic")["act"]), (&json!(true), &json!("sync")), "{stack:#}");
    let calls = proxy.calls();
    let sent = |operation: &str, field: &str| {
        calls.iter().rev().find(|call| call.operation == operation).and_then(|call| call.form(field))
    };
    assert_eq!(sent("CreateChangeSet", "DeploymentMode").as_deref(), Some("REVERT_DRIFT"));
    assert!(sent("ExecuteChangeSet", "ChangeSetName").is_some_and(|id| id.ends_with("changeSet/plumb-recorded/1")));
}
