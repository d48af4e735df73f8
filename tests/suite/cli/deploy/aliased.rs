//! Functions that are served by an alias: what a deployment publishes, which alias it leaves, and that what it moves is no
//! drift.

use serde_json::{Value, json};

use super::readers::lambda;
use super::stack::Stacked;
use super::ways_out::with_alias;
use crate::cli::shop::item;
use crate::support::account::Account;
use crate::support::proxy::Fault;

const DEPLOY: [&str; 4] = ["deploy", "--env", "dev", "--yes"];
const REVERT: [&str; 5] = ["deploy", "--env", "dev", "--yes", "--revert-drift"];

/// Deployed twice, so that the alias serves version 2, where the template says 1.
fn moved(account: &Account) -> Stacked {
    let shop = with_alias(account);
    shop.plumb(&DEPLOY).ended(0);
    code(&shop, 2);
    let done = shop.plumb(&DEPLOY);
    assert!(done.ended(0).stdout.contains("shop-dev-api:live serves version 2"), "{done}");
    shop
}

fn code(shop: &Stacked, answer: u32) {
    shop.write("api/app.py", &format!("def handler(event, context):\n    return {answer}\n"));
    shop.commit();
}

fn memory(account: &Account, qualifier: &str) -> Value {
    lambda(account, "GET", &format!("/configuration?Qualifier={qualifier}"), &Value::Null)["MemorySize"].clone()
}

#[test]
fn a_change_of_the_configuration_alone_is_served_and_one_by_hand_is_not() {
    let account = Account::fresh();
    let shop = with_alias(&account);
    shop.plumb(&DEPLOY).ended(0);
    shop.replace("stack.yaml", "Handler: app.handler", "Handler: app.handler\n      MemorySize: 512");
    shop.commit();
    let done = shop.plumb(&DEPLOY);
    assert!(done.ended(0).stdout.contains("shop-dev-api:live serves version 2"), "{done}");
    assert_eq!(memory(&account, "live"), 512);
    assert!(shop.plumb(&DEPLOY).ended(0).stdout.contains("nothing to change"));

    lambda(&account, "PUT", "/configuration", &json!({ "MemorySize": 1024 }));
    let left = shop.plumb(&DEPLOY);
    let told = "version 2, which shop-dev-api:live serves, is configured otherwise than $LATEST";
    assert!(left.ended(1).stdout.contains(told), "{left}");
    assert_eq!(memory(&account, "live"), 512, "what nobody has committed is not rolled out");
    // Nor by the second deployment of a commit that has nothing to do with it.
    shop.replace("stack.yaml", "MemorySize: 512", "MemorySize: 512 # measured");
    shop.commit();
    for _ in 0..2 {
        assert!(shop.plumb(&DEPLOY).ended(1).stdout.contains(told));
        assert_eq!(memory(&account, "live"), 512);
    }
    shop.plumb(&REVERT).ended(0);
    assert_eq!((memory(&account, "$LATEST"), memory(&account, "live")), (json!(512), json!(512)));

    // Version 1 has the same code.
    lambda(&account, "PUT", "/aliases/live", &json!({ "FunctionVersion": "1" }));
    assert!(shop.plumb(&DEPLOY).ended(1).stdout.contains("configured otherwise"));
    let back = shop.plumb(&REVERT);
    assert!(back.ended(0).stdout.contains("shop-dev-api:live serves version "), "{back}");
    assert_eq!(memory(&account, "live"), 512);
}

#[test]
fn an_alias_that_splits_its_requests_or_was_moved_meanwhile_is_left_and_told() {
    let account = Account::fresh();
    let shop = moved(&account);
    let split = json!({ "FunctionVersion": "2", "RoutingConfig": { "AdditionalVersionWeights": { "1": 0.1 } } });
    lambda(&account, "PUT", "/aliases/live", &split);
    code(&shop, 3);
    let left = shop.plumb(&DEPLOY);
    for part in [
        "shop-dev-api:live splits its requests between versions 1 (10 %), 2 (90 %), and is left so",
        "plumb rollback shop-dev/Api --to VERSION",
    ] {
        assert!(left.ended(1).stdout.contains(part), "{part}: {left}");
    }
    let alias = || lambda(&account, "GET", "/aliases/live", &Value::Null);
    assert_eq!(alias()["RoutingConfig"], split["RoutingConfig"], "nobody has ended it");
    shop.plumb(&["rollback", "shop-dev/Api", "--to", "2", "--env", "dev", "--yes"]).ended(0);

    let (behind, proxy) = account.behind_proxy();
    let moved = br#"{"__type": "PreconditionFailedException", "Message": "The RevisionId provided does not match"}"#;
    proxy.on("lambda:UpdateAlias").times(1).reply(Fault::Body(412, moved.to_vec()));
    let revision = alias()["RevisionId"].clone();
    let left = shop.through(&behind, &DEPLOY);
    assert!(left.ended(1).stdout.contains("shop-dev-api:live was moved by somebody else meanwhile"), "{left}");
    let calls = proxy.calls();
    let sent = calls.iter().find(|call| call.name() == "lambda:UpdateAlias").unwrap().json();
    assert_eq!((&sent["RevisionId"], revision.is_string()), (&revision, true), "{sent}");
    let done = shop.through(&behind, &DEPLOY);
    assert!(done.ended(0).stdout.contains("shop-dev-api:live serves version 3"), "{done}");
}

/// What AWS documents of drift; the local account never looks at an alias. `LIVE`: the version that it serves.
const DRIFTS: &str = r#"<DescribeStackResourceDriftsResponse><DescribeStackResourceDriftsResult><StackResourceDrifts>
<member><StackId>arn:stack</StackId><LogicalResourceId>Api</LogicalResourceId><PhysicalResourceId>shop-dev-api</PhysicalResourceId>
<ResourceType>AWS::Lambda::Function</ResourceType><StackResourceDriftStatus>IN_SYNC</StackResourceDriftStatus>
<PropertyDifferences/><Timestamp>2999-01-01T00:00:00Z</Timestamp></member>
<member><StackId>arn:stack</StackId><LogicalResourceId>ApiLive</LogicalResourceId>
<PhysicalResourceId>arn:aws:lambda:eu-central-1:000000000000:function:shop-dev-api:live</PhysicalResourceId>
<ResourceType>AWS::Lambda::Alias</ResourceType><StackResourceDriftStatus>MODIFIED</StackResourceDriftStatus>
<ExpectedProperties>{"FunctionName":"shop-dev-api","FunctionVersion":"1","Name":"live"}</ExpectedProperties>
<ActualProperties>{"FunctionName":"shop-dev-api","FunctionVersion":"LIVE","Name":"live"}</ActualProperties>
<PropertyDifferences><member><PropertyPath>/FunctionVersion</PropertyPath><ExpectedValue>1</ExpectedValue>
<ActualValue>LIVE</ActualValue><DifferenceType>NOT_EQUAL</DifferenceType></member></PropertyDifferences>
<Timestamp>2999-01-01T00:00:00Z</Timestamp></member>
</StackResourceDrifts></DescribeStackResourceDriftsResult></DescribeStackResourceDriftsResponse>"#;

/// A drift-aware change set that points the alias back. `MORE`: what it does besides.
const AWARE: &str = r"<DescribeChangeSetResponse><DescribeChangeSetResult><ChangeSetName>plumb-recorded</ChangeSetName>
<ChangeSetId>arn:aws:cloudformation:eu-central-1:000000000000:changeSet/plumb-recorded/1</ChangeSetId>
<StackName>shop-dev</StackName><DeploymentMode>REVERT_DRIFT</DeploymentMode><Status>CREATE_COMPLETE</Status>
<ExecutionStatus>AVAILABLE</ExecutionStatus><CreationTime>2020-01-01T00:00:00Z</CreationTime><Changes>
<member><Type>Resource</Type><ResourceChange><Action>Modify</Action><LogicalResourceId>ApiLive</LogicalResourceId>
<ResourceType>AWS::Lambda::Alias</ResourceType><Replacement>False</Replacement><Scope><member>Properties</member></Scope>
<Details><member><Target><Attribute>Properties</Attribute><Name>FunctionVersion</Name>
<RequiresRecreation>Never</RequiresRecreation><Path>/Properties/FunctionVersion</Path><BeforeValue>2</BeforeValue>
<AfterValue>1</AfterValue><AttributeChangeType>Modify</AttributeChangeType></Target><Evaluation>Static</Evaluation>
<ChangeSource>NoModification</ChangeSource></member></Details></ResourceChange></member>MORE
</Changes></DescribeChangeSetResult></DescribeChangeSetResponse>";

const QUEUE: &str = r"<member><Type>Resource</Type><ResourceChange><Action>Modify</Action>
<LogicalResourceId>Queue</LogicalResourceId><ResourceType>AWS::SQS::Queue</ResourceType><Replacement>False</Replacement>
<Scope><member>Properties</member></Scope><Details><member><Target><Attribute>Properties</Attribute>
<Name>VisibilityTimeout</Name><RequiresRecreation>Never</RequiresRecreation><Path>/Properties/VisibilityTimeout</Path>
<BeforeValue>90</BeforeValue><AfterValue>30</AfterValue></Target><Evaluation>Static</Evaluation></member></Details>
</ResourceChange></member>";

#[test]
fn an_alias_that_plumb_has_moved_is_no_drift_and_is_not_pointed_back() {
    let account = Account::fresh();
    let shop = moved(&account);
    let (behind, proxy) = account.behind_proxy();
    let found = |live: &str| {
        proxy.heal();
        let drifts = DRIFTS.replace("LIVE", live).into_bytes();
        proxy.on("cloudformation:DescribeStackResourceDrifts").reply(Fault::Body(200, drifts));
    };
    let verdict = || {
        let asked = ["status", "--env", "dev", "--only", "stack", "--all", "--detect", "always", "-o", "json"];
        let json = shop.through(&behind, &asked).json();
        item(&json, "shop-dev/ApiLive")["verdict"].clone()
    };
    found("3");
    assert_eq!(verdict(), "drifted", "that version was never rolled out");
    found("2");
    assert_eq!(verdict(), "in_sync");

    let planned = |more: &str| {
        let aware = AWARE.replace("MORE", more).into_bytes();
        proxy.on("cloudformation:DescribeChangeSet").times(1).reply(Fault::Body(200, aware));
        shop.through(&behind, &["deploy", "--env", "dev", "--revert-drift", "--dry-run"])
    };
    let alone = planned("");
    assert!(alone.ended(0).stdout.contains("shop-dev   nothing to change"), "{alone}");
    assert!(!alone.stdout.contains("ApiLive"), "{alone}");
    let besides = planned(QUEUE);
    let told =
        "! CloudFormation points ApiLive to version 1, as the template says, until plumb moves it again right after";
    assert!(besides.ended(1).stdout.contains(told), "{besides}");
    found("3");
    let by_hand = planned("");
    let told = "! by hand: ApiLive.FunctionVersion is 3, not 1, which is overwritten";
    assert!(by_hand.ended(1).stdout.contains(told), "{by_hand}");
}
