//! The last lines of the function by which something failed, where it writes them.

use serde_json::{Value, json};

use super::stack::Stacked;
use crate::support::account::Account;
use crate::support::proxy::Fault;

fn logs(account: &Account, operation: &str, body: &Value) {
    let reply = account.caller().json("logs", &format!("Logs_20140328.{operation}"), body).unwrap();
    assert_eq!(reply.status, 200, "{operation}: {reply:?}");
}

/// Such a failure has no resource that the local account could fail at, so that AWS's documented answer stands for it.
fn failed(stack_id: &str, at: jiff::Timestamp) -> String {
    let event = |id: &str, logical: &str, physical: &str, type_name: &str, status: &str| {
        format!(
            "<member><EventId>{id}</EventId><StackId>{stack_id}</StackId><StackName>shop-dev</StackName>\
             <LogicalResourceId>{logical}</LogicalResourceId><PhysicalResourceId>{physical}</PhysicalResourceId>\
             <ResourceType>{type_name}</ResourceType><ResourceStatus>{status}</ResourceStatus>\
             <Timestamp>{at}</Timestamp></member>"
        )
    };
    let stack = "AWS::CloudFormation::Stack";
    let events = [
        event("3", "shop-dev", stack_id, stack, "UPDATE_ROLLBACK_COMPLETE"),
        event("2", "Api", "shop-dev-api", "AWS::Lambda::Function", "UPDATE_FAILED"),
        event("1", "shop-dev", stack_id, stack, "UPDATE_IN_PROGRESS"),
    ];
    format!(
        "<DescribeStackEventsResponse><DescribeStackEventsResult><StackEvents>{}</StackEvents>\
         </DescribeStackEventsResult></DescribeStackEventsResponse>",
        events.concat()
    )
}

#[test]
fn the_last_lines_before_the_failure_are_told_from_the_group_that_the_function_names() {
    let account = Account::fresh();
    let shop = Stacked::live(&account);
    let (group, stream) = ("/shop/told", "one");
    logs(&account, "CreateLogGroup", &json!({ "logGroupName": group }));
    logs(&account, "CreateLogStream", &json!({ "logGroupName": group, "logStreamName": stream }));
    let at = jiff::Timestamp::now().as_millisecond() - 120_000;
    let line = |offset: i64, text: &str| json!({ "timestamp": at + offset, "message": text });
    let mut lines: Vec<Value> = (0..20).map(|number| line(number - 30, &format!("line {number}\n"))).collect();
    lines.push(line(60_000, "of the rollback"));
    logs(&account, "PutLogEvents", &json!({ "logGroupName": group, "logStreamName": stream, "logEvents": lines }));
    let path = "/2015-03-31/functions/shop-dev-api/configuration";
    let stated = json!({ "LoggingConfig": { "LogFormat": "Text", "LogGroup": group } }).to_string();
    let reply = account.caller().send("lambda", "PUT", path, &[], stated.as_bytes()).unwrap();
    assert_eq!(reply.status, 200, "{reply:?}");

    let described = shop.cloudformation("DescribeStacks", &[("StackName", "shop-dev")]);
    let id = described.split_once("<StackId>").and_then(|(_, rest)| rest.split_once('<')).unwrap().0.to_owned();
    let (behind, proxy) = account.behind_proxy();
    let busy = described.replace("CREATE_COMPLETE", "UPDATE_IN_PROGRESS").into_bytes();
    proxy.on("cloudformation:DescribeStacks").times(1).reply(Fault::Body(200, busy));
    let events = failed(&id, jiff::Timestamp::from_millisecond(at).unwrap());
    proxy.on("cloudformation:DescribeStackEvents").reply(Fault::Body(200, events.into_bytes()));
    let done = shop.through(&behind, &["deploy", "shop-dev", "--env", "dev", "--follow", "-o", "json"]);
    done.complained(&["! Api failed first", "  log  line 15", "  log  line 19"]);
    let told: Vec<String> = (15..20).map(|number| format!("line {number}")).collect();
    assert_eq!(done.json()["failure"]["log"], json!(told), "{done}");
    assert!(!done.stderr.contains("of the rollback"), "{done}");
}
