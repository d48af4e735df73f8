//! Deploying stacks as a shell sees it: the plan, the confirmation, what happens meanwhile, and every way in which it fails.

mod aliased;
mod blamed;
mod clean;
pub mod console;
mod failing;
mod founded;
mod halfway;
mod overtaken;
mod packaged;
pub mod readers;
mod refused;
mod reverted;
pub mod stack;
mod ways_out;

use serde_json::json;

use self::stack::{Stacked, TEMPLATE, change};
use crate::support::account::Account;
use crate::support::proxy::Fault;

#[test]
fn a_deployment_is_planned_confirmed_followed_and_told() {
    let account = Account::fresh();
    let shop = Stacked::at(&account);
    shop.plumb(&["deploy", "--dry-run"]).ended(2).complained(&["which environment is to be deployed to?"]);
    let planned = shop.plumb(&["deploy", "--env", "dev", "--dry-run"]);
    planned.ended(1);
    for part in [
        "to    dev   account ",
        "shop-dev   create   5 add   0 modify   0 replace   0 remove",
        "+ add  Api    AWS::Lambda::Function",
        "! more is allowed: Role (AWS::IAM::Role) allows sts:AssumeRole to lambda.amazonaws.com",
    ] {
        assert!(planned.stdout.contains(part), "{part}: {planned}");
    }
    assert_eq!(shop.status(), None, "a dry run leaves no stack");
    shop.plumb(&["deploy", "--env", "dev"]).ended(2).complained(&["there is no terminal to ask at", "deleted again"]);
    assert_eq!(shop.status(), None);

    let done = shop.plumb(&["deploy", "--env", "dev", "--yes", "-o", "json"]);
    done.ended(0).complained(&["CREATE_IN_PROGRESS", "AWS::SQS::Queue", "CREATE_COMPLETE"]);
    let stack = &done.json()["stacks"][0];
    assert_eq!((&stack["state"], &stack["status"]), (&json!("deployed"), &json!("CREATE_COMPLETE")), "{stack:#}");
    assert_eq!(stack["outputs"]["QueueName"], "shop-dev-refunds");
    assert_eq!((&stack["recorded"], &stack["functions"]["Api"]), (&json!(true), &json!("$LATEST")));
    let bucket = format!("/shop-state-{}", account.id);
    let reply = account.caller().send("s3", "GET", &format!("{bucket}?publicAccessBlock"), &[], b"").unwrap();
    assert!(reply.text().contains("<BlockPublicPolicy>true"), "{reply:?}");
    let reply = account.caller().send("s3", "GET", &format!("{bucket}?versioning"), &[], b"").unwrap();
    assert!(reply.text().contains("Enabled"), "{reply:?}");
    let reply = account.caller().send("s3", "GET", &format!("{bucket}?encryption"), &[], b"").unwrap();
    assert!(reply.text().contains("<SSEAlgorithm>AES256</SSEAlgorithm>"), "{reply:?}");

    let again = shop.plumb(&["deploy", "--env", "dev", "--yes"]);
    assert!(again.ended(0).stdout.contains("shop-dev   nothing to change"), "{again}");
    let status = shop.plumb(&["status", "--env", "dev", "--only", "code"]);
    status.ended(0);
}

#[test]
fn a_change_is_shown_property_by_property_with_what_it_loses_and_what_it_allows() {
    let account = Account::fresh();
    let shop = Stacked::live(&account);
    shop.replace("stack.yaml", "VisibilityTimeout: 30", "VisibilityTimeout: 60");
    shop.replace("stack.yaml", "BATCH: first-secret", "BATCH: second-secret");
    shop.replace("stack.yaml", "shop-${Environment}-orders", "shop-${Environment}-orders-2");
    shop.replace("stack.yaml", "Action: sqs:SendMessage", "Action: \"sqs:*\"");
    shop.write("api/app.py", "def handler(event, context):\n    return 2\n");
    shop.commit();
    let planned = shop.plumb(&["deploy", "shop-dev", "--env", "dev", "--dry-run"]);
    planned.ended(1);
    for part in [
        "1 replace",
        "Queue.VisibilityTimeout",
        "30  ->  60",
        "Api.Code.S3Key",
        "Api.Environment.Variables.BATCH",
        "•••• fp ",
        "Table.TableName",
        "! lost: shop-dev-orders is replaced, and the old one deleted, with all its items",
        "brings back no data",
        "! more is allowed: Role (AWS::IAM::Role) allows sqs:* on *",
    ] {
        assert!(planned.stdout.contains(part), "{part}: {planned}");
    }
    assert!(!planned.stdout.contains("-secret"), "{planned}");
    let json = shop.plumb(&["deploy", "--env", "dev", "--dry-run", "-o", "json"]);
    assert!(!json.stdout.contains("-secret"), "{json}");
    let stack = &json.ended(1).json()["stacks"][0];
    assert_eq!((&stack["state"], &change(stack, "Table")["destroys"]), (&json!("planned"), &json!(true)));
    assert_eq!(change(stack, "Queue")["properties"][0]["path"], "VisibilityTimeout");
    assert_eq!(shop.status().as_deref(), Some("CREATE_COMPLETE"));
    assert_eq!(shop.waiting_change_sets(), 0, "a dry run leaves no change set");
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(0);
    let journal = shop.journal();
    assert_eq!(journal.last(), Some(&json!(["deploy", ["shop-dev"], "ok"])), "{journal:?}");
    assert!(journal.contains(&json!(["prepare", ["shop-dev"], "ok"])), "{journal:?}");
}

#[test]
fn what_was_changed_by_hand_is_told_and_code_is_put_back_on_request() {
    let account = Account::fresh();
    let shop = Stacked::live(&account);
    shop.by_hand_visibility(90);
    shop.plumb(&["status", "--env", "dev", "--detect", "always"]);
    shop.replace("stack.yaml", "VisibilityTimeout: 30", "VisibilityTimeout: 45");
    shop.commit();
    let planned = shop.plumb(&["deploy", "--env", "dev", "--dry-run"]);
    let told = "! by hand: Queue.VisibilityTimeout is 90, not 30, which is overwritten";
    assert!(planned.ended(1).stdout.contains(told), "{planned}");

    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(0);
    let before = shop.code();
    shop.by_hand_code("def handler(event, context):\n    return 'by hand'\n");
    assert_ne!(shop.code(), before);
    let left = shop.plumb(&["deploy", "--env", "dev", "--yes"]);
    assert!(left.ended(1).stdout.contains("was changed by hand, which CloudFormation never looks at"), "{left}");
    assert!(left.stdout.contains("plumb deploy --revert-drift"), "{left}");
    let back = shop.plumb(&["deploy", "--env", "dev", "--yes", "--revert-drift"]);
    assert!(back.ended(0).stdout.contains("was put back"), "{back}");
    assert_eq!(shop.code(), before);

    // The local account answers that there is nothing to revert: what stays is said, and is no success.
    shop.by_hand_visibility(90);
    let (behind, proxy) = account.behind_proxy();
    let left = shop.through(&behind, &["deploy", "--env", "dev", "--yes", "--revert-drift"]);
    assert!(
        left.ended(1).stdout.contains("Queue was changed by hand, and CloudFormation found nothing to put back"),
        "{left}"
    );
    let calls = proxy.calls();
    let asked = calls.iter().find(|call| call.operation == "CreateChangeSet").unwrap();
    assert_eq!(asked.form("DeploymentMode").as_deref(), Some("REVERT_DRIFT"));
}

#[test]
fn a_redeploy_by_change_set_says_why_and_obeys_a_hold_that_begins_while_it_is_planned() {
    let account = Account::fresh();
    let shop = Stacked::live(&account);
    shop.replace("stack.yaml", "VisibilityTimeout: 30", "VisibilityTimeout: 60");
    shop.commit();
    let (behind, proxy) = account.behind_proxy();
    let arguments =
        ["redeploy", "--env", "dev", "--via", "change-set", "--yes", "--reason", "undo the night", "-o", "json"];
    let hold = json!({"until": "2999-01-01T00:00:00Z", "by": "mara", "reason": "a migration"}).to_string();
    let found =
        json!({"Parameters": [{"Name": "/plumb/shop/dev/hold", "Type": "String", "Value": hold, "Version": 1}]});
    let found = Fault::Body(200, found.to_string().into_bytes());
    proxy.on("ssm:GetParameters").when(|call| call.body_contains("/dev/hold")).after(1).reply(found);
    let refused = shop.through(&behind, &arguments);
    refused.ended(2).complained(&["refused: dev is on hold", "a migration", "is deleted again"]);
    assert_eq!((proxy.count("cloudformation:ExecuteChangeSet"), shop.waiting_change_sets()), (0, 0));
    proxy.heal();
    let json = shop.through(&behind, &arguments).ended(0).json();
    assert_eq!((&json["via"], &json["differences"]), (&json!("change-set"), &json!(0)), "{json:#}");
    assert!(json["unknown"].is_number(), "{json:#}");
    let executed = proxy.calls().into_iter().find(|call| call.operation == "ExecuteChangeSet").unwrap();
    assert!(
        executed.form("StackName").unwrap().contains(":stack/shop-dev/"),
        "whoever reads CloudTrail sees whose it is"
    );
    let journal = shop.plumb(&["journal", "--env", "dev", "--output", "json"]).ended(0).json();
    let deployed = journal["entries"].as_array().unwrap().iter().find(|entry| entry["action"] == "deploy").unwrap();
    assert_eq!(deployed["reason"], "undo the night", "{deployed:#}");
}

#[test]
fn a_template_that_is_too_long_for_a_request_goes_through_the_bucket() {
    let account = Account::fresh();
    let shop = Stacked::at(&account);
    let long = "#".repeat(60_000);
    shop.write("stack.yaml", &format!("{TEMPLATE}\n# {long}\n"));
    shop.commit();
    let (behind, proxy) = account.behind_proxy();
    shop.through(&behind, &["deploy", "--env", "dev", "--yes"]).ended(0);
    let calls = proxy.calls();
    let create = calls.iter().find(|call| call.operation == "CreateChangeSet").unwrap();
    assert_eq!(create.form("TemplateBody"), None);
    assert!(create.form("TemplateURL").unwrap().contains("/plumb/shop/templates/"), "{create:?}");
    let description = create.form("Description").unwrap();
    assert!(description.contains(&shop.head()), "{description}");
}

#[test]
fn an_artifact_that_is_there_is_not_sent_again_and_names_the_tree_that_it_is_made_of() {
    let account = Account::fresh();
    let shop = Stacked::live(&account);
    shop.replace("stack.yaml", "VisibilityTimeout: 30", "VisibilityTimeout: 60");
    shop.commit();
    let (behind, proxy) = account.behind_proxy();
    shop.through(&behind, &["deploy", "--env", "dev", "--yes"]).ended(0);
    let artifacts = |method: &str| {
        let is = |target: &str| target.contains("/artifacts/");
        proxy.calls().iter().filter(|call| call.method == method && is(&call.target)).count()
    };
    assert_eq!((artifacts("HEAD"), artifacts("PUT")), (1, 0));
    let tree = shop.git_text(&["rev-parse", "HEAD:api"]);
    let listing = format!("/shop-state-{}?list-type=2&prefix=plumb/shop/artifacts/", account.id);
    let listed = account.caller().send("s3", "GET", &listing, &[], b"").unwrap().text();
    let key = listed.split_once("<Key>").and_then(|(_, rest)| rest.split_once("</Key>")).unwrap().0.to_owned();
    let found = account.caller().send("s3", "GET", &format!("/shop-state-{}/{key}", account.id), &[], b"").unwrap();
    assert_eq!(found.header("x-amz-meta-plumb-tree"), Some(tree.as_str()));
}

/// What a deployment of one changed function costs in calls: the budget that ARCHITECTURE.md states.
#[test]
fn a_deployment_of_one_changed_function_makes_few_calls() {
    let account = Account::fresh();
    let shop = Stacked::live(&account);
    shop.write("api/app.py", "def handler(event, context):\n    return 2\n");
    shop.commit();
    let (behind, proxy) = account.behind_proxy();
    shop.through(&behind, &["deploy", "--env", "dev", "--yes"]).ended(0);
    let mut counted = std::collections::BTreeMap::<String, usize>::new();
    for call in proxy.calls() {
        *counted.entry(call.name()).or_default() += 1;
    }
    // Polls are as many as the deployment takes.
    let polled =
        ["cloudformation:DescribeStackEvents", "cloudformation:DescribeChangeSet", "cloudformation:DescribeStacks"];
    let fixed: usize =
        counted.iter().filter(|(name, _)| !polled.contains(&name.as_str())).map(|(_, calls)| calls).sum();
    assert!(fixed <= 16, "{fixed}: {counted:#?}");
    assert!(counted[polled[2]] <= 3 && counted[polled[1]] <= 3, "{counted:#?}");
    for once in ["cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet", "cloudformation:GetTemplate"] {
        assert_eq!(counted.get(once), Some(&1), "{counted:#?}");
    }
    assert_eq!(counted.get("cloudformation:DeleteChangeSet"), None, "{counted:#?}");
}
