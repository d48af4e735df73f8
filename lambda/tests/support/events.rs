//! Events as EventBridge delivers them, in the shape that CloudTrail and CloudFormation document: calls of each watched
//! service, and by whom.

use serde_json::{Value, json};

/// The account of the events.
pub const ACCOUNT: &str = "471100004242";
pub const STACK: &str = "shop-prod";
/// Deploys, by a role that GitHub takes on.
pub const DEPLOYER: &str = "arn:aws:iam::471100004242:role/ci/shop-deploy";
/// What CloudFormation deploys under.
pub const SERVICE_ROLE: &str = "arn:aws:iam::471100004242:role/shop-cloudformation";
pub const HOLD: &str = "/plumb/shop/prod/hold";

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A person, in a role's session.
    Operator,
    /// A user with a key of its own.
    User,
    Root,
    Deployer,
    /// CloudFormation, in the caller's name.
    DeployersCloudFormation,
    OperatorsCloudFormation,
    /// CloudFormation, under its service role.
    ServiceRole,
    /// Somebody who has taken on CloudFormation's role.
    ServiceRoleByHand,
    /// A role that only a service of AWS can take on.
    LinkedRole,
    /// The stack's own function.
    OwnRole,
    /// A role that is named like the deployer's, in another path.
    Namesake,
    /// A role of somebody's own whose path reads like that of AWS's roles.
    Pretender,
}

/// What is expected of the loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Is {
    Change,
    Hold,
    /// Ignored, with a reason that has this text.
    Nothing(&'static str),
}

/// One call.
#[derive(Debug, Clone)]
pub struct Row {
    pub name: &'static str,
    /// The rule that matches it; `None` where none may.
    pub rule: Option<&'static str>,
    pub event: Value,
    pub is: Is,
}

/// Resources of the stack, by type and physical id.
pub const RESOURCES: [(&str, &str); 12] = [
    ("AWS::Lambda::Function", "shop-prod-checkout"),
    ("AWS::Lambda::Alias", "arn:aws:lambda:eu-central-1:471100004242:function:shop-prod-checkout:live"),
    ("AWS::Lambda::EventSourceMapping", "14e0db71-5d35-4eb5-b481-8945cf9d10c2"),
    ("AWS::S3::BucketPolicy", "shop-prod-exports"),
    ("AWS::ApiGateway::RestApi", "a1b2c3d4e5"),
    ("AWS::DynamoDB::Table", "shop-prod-orders"),
    ("AWS::S3::Bucket", "shop-prod-invoices"),
    ("AWS::SNS::Topic", "arn:aws:sns:eu-central-1:471100004242:shop-prod-orders"),
    ("AWS::SQS::Queue", "https://sqs.eu-central-1.amazonaws.com/471100004242/shop-prod-jobs"),
    ("AWS::Events::Rule", "shop-prod-nightly"),
    ("AWS::SecretsManager::Secret", "arn:aws:secretsmanager:eu-central-1:471100004242:secret:shop-prod/stripe-AbCdEf"),
    ("AWS::IAM::Role", "shop-prod-RotateRole-1A2B3C"),
];

/// A call as EventBridge delivers it.
pub fn call(service: &str, operation: &str, parameters: &Value, by: By) -> Value {
    json!({
        "version": "0",
        "id": "6f0f9d9e-1111-4222-8333-444455556666",
        "detail-type": "AWS API Call via CloudTrail",
        "source": format!("aws.{service}"),
        "account": ACCOUNT,
        "time": "2026-11-21T02:13:30Z",
        "region": "eu-central-1",
        "resources": [],
        "detail": {
            "eventVersion": "1.11",
            "userIdentity": identity(by),
            "eventTime": "2026-11-21T02:13:07Z",
            "eventSource": format!("{service}.amazonaws.com"),
            "eventName": operation,
            "awsRegion": "eu-central-1",
            "sourceIPAddress": "203.0.113.7",
            // Whoever calls may write here what they like.
            "userAgent": "cloudformation.amazonaws.com",
            "requestParameters": parameters,
            "responseElements": null,
            "requestID": "9c1c7a0e-aaaa-4bbb-8ccc-ddddeeeeffff",
            "eventID": "0b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9",
            "readOnly": false,
            "eventType": "AwsApiCall",
            "managementEvent": true,
            "recipientAccountId": ACCOUNT,
            "eventCategory": "Management",
            "sessionCredentialFromConsole": "true",
        },
    })
}

/// CloudTrail's `userIdentity`.
fn identity(by: By) -> Value {
    let session = |role: &str, name: &str| {
        let short = role.rsplit('/').next().unwrap_or(role);
        json!({
            "type": "AssumedRole",
            "principalId": format!("AROAEXAMPLEEXAMPLE:{name}"),
            "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/{short}/{name}"),
            "accountId": ACCOUNT,
            "accessKeyId": "ASIAEXAMPLEEXAMPLE",
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": "AROAEXAMPLEEXAMPLE",
                    "arn": role,
                    "accountId": ACCOUNT,
                    "userName": short,
                },
                "attributes": {"creationDate": "2026-11-21T02:00:00Z", "mfaAuthenticated": "false"},
            },
        })
    };
    let through = |mut identity: Value| {
        identity["invokedBy"] = json!("cloudformation.amazonaws.com");
        identity
    };
    let operator = format!("arn:aws:iam::{ACCOUNT}:role/oncall");
    match by {
        By::Operator => session(&operator, "mara"),
        By::OperatorsCloudFormation => through(session(&operator, "mara")),
        By::Deployer => session(DEPLOYER, "GitHubActions"),
        By::DeployersCloudFormation => through(session(DEPLOYER, "GitHubActions")),
        By::ServiceRole => through(session(SERVICE_ROLE, "AWSCloudFormation")),
        By::ServiceRoleByHand => session(SERVICE_ROLE, "mara"),
        By::OwnRole => session(&format!("arn:aws:iam::{ACCOUNT}:role/shop-prod-RotateRole-1A2B3C"), "shop-prod-rotate"),
        By::Namesake => session(&format!("arn:aws:iam::{ACCOUNT}:role/shop-deploy"), "GitHubActions"),
        By::Pretender => session(&format!("arn:aws:iam::{ACCOUNT}:role/x:role/aws-service-role/mine"), "mara"),
        By::LinkedRole => {
            let role = "aws-service-role/dynamodb.application-autoscaling.amazonaws.com/\
                        AWSServiceRoleForApplicationAutoScaling_DynamoDBTable";
            let mut identity = session(&format!("arn:aws:iam::{ACCOUNT}:role/{role}"), "auto-scaling");
            identity["invokedBy"] = json!("dynamodb.application-autoscaling.amazonaws.com");
            identity
        }
        By::User => json!({
            "type": "IAMUser",
            "principalId": "AIDAEXAMPLEEXAMPLE",
            "arn": format!("arn:aws:iam::{ACCOUNT}:user/mara"),
            "accountId": ACCOUNT,
            "accessKeyId": "AKIAEXAMPLEEXAMPLE",
            "userName": "mara",
        }),
        By::Root => json!({
            "type": "Root",
            "principalId": ACCOUNT,
            "arn": format!("arn:aws:iam::{ACCOUNT}:root"),
            "accountId": ACCOUNT,
            "accessKeyId": "",
        }),
    }
}

/// The end of a drift detection.
pub fn drift(status: &str, drifted: i64) -> Value {
    json!({
        "version": "0",
        "id": "6f0f9d9e-1111-4222-8333-444455557777",
        "detail-type": "CloudFormation Drift Detection Status Change",
        "source": "aws.cloudformation",
        "account": ACCOUNT,
        "time": "2026-11-21T02:20:00Z",
        "region": "eu-central-1",
        "resources": [stack_id()],
        "detail": {
            "stack-id": stack_id(),
            "stack-drift-detection-id": "b78ac9b0-dec1-11e7-a451-503a3example",
            "status-details": {"stack-drift-status": status, "detection-status": "DETECTION_COMPLETE"},
            "drift-detection-details": {"drifted-stack-resource-count": drifted},
            "client-request-token": "",
        },
    })
}

fn stack_id() -> String {
    format!("arn:aws:cloudformation:eu-central-1:{ACCOUNT}:stack/{STACK}/1f2e3d4c-0000-11ee-be56-0242ac120002")
}

/// What the schedule sends.
pub fn tick() -> Value {
    json!({
        "version": "0",
        "id": "6f0f9d9e-1111-4222-8333-444455558888",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": "2026-11-21T02:25:00Z",
        "region": "eu-central-1",
        "resources": [format!("arn:aws:events:eu-central-1:{ACCOUNT}:rule/loop-schedule")],
        "detail": {},
    })
}

/// A canary, that claims to be a call of somebody who changed the stack.
pub fn canary() -> Value {
    let mut event =
        call("lambda", "UpdateFunctionCode20150331v2", &json!({"functionName": "shop-prod-checkout"}), By::User);
    event["source"] = json!("plumb.canary");
    event
}

/// Changes of the stack: name, service, operation, request parameters.
const CHANGES: &str = r#"
code | lambda | UpdateFunctionCode20150331v2 | {"functionName": "shop-prod-checkout", "publish": false, "dryRun": false}
configuration, by ARN | lambda | UpdateFunctionConfiguration20150331v2 | {"functionName": "arn:aws:lambda:eu-central-1:471100004242:function:shop-prod-checkout", "timeout": 3, "environment": {}}
an alias | lambda | UpdateAlias20150331 | {"functionName": "shop-prod-checkout", "name": "live", "functionVersion": "3"}
a function's end | lambda | DeleteFunction20150331 | {"functionName": "shop-prod-checkout"}
a limit | lambda | PutFunctionConcurrency20171031 | {"functionName": "shop-prod-checkout", "reservedConcurrentExecutions": 0}
a permission | lambda | AddPermission20150331v2 | {"functionName": "shop-prod-checkout:live", "statementId": "x", "action": "lambda:InvokeFunction", "principal": "*"}
a mapping | lambda | UpdateEventSourceMapping20150331 | {"uUID": "14e0db71-5d35-4eb5-b481-8945cf9d10c2", "enabled": false, "functionName": "other"}
a mapping's end | lambda | DeleteEventSourceMapping20150331 | {"uUID": "14e0db71-5d35-4eb5-b481-8945cf9d10c2"}
an API's method | apigateway | UpdateMethod | {"restApiId": "a1b2c3d4e5", "resourceId": "x", "httpMethod": "POST", "updateMethodInput": {"patchOperations": []}}
an API's stage | apigateway | UpdateStage | {"restApiId": "a1b2c3d4e5", "stageName": "live"}
an API's deployment | apigateway | CreateDeployment | {"restApiId": "a1b2c3d4e5", "createDeploymentInput": {}}
a table | dynamodb | UpdateTable | {"tableName": "shop-prod-orders", "billingMode": "PROVISIONED"}
a table, by ARN | dynamodb | DeleteTable | {"tableName": "arn:aws:dynamodb:eu-central-1:471100004242:table/shop-prod-orders"}
a table's policy | dynamodb | PutResourcePolicy | {"resourceArn": "arn:aws:dynamodb:eu-central-1:471100004242:table/shop-prod-orders", "policy": ""}
a table's policy's end | dynamodb | DeleteResourcePolicy | {"resourceArn": "arn:aws:dynamodb:eu-central-1:471100004242:table/shop-prod-orders"}
a policy on another's bucket | s3 | DeleteBucketPolicy | {"bucketName": "shop-prod-exports"}
a bucket's policy | s3 | PutBucketPolicy | {"bucketName": "shop-prod-invoices", "Host": "shop-prod-invoices.s3.eu-central-1.amazonaws.com", "policy": ""}
a bucket's public access | s3 | DeleteBucketPublicAccessBlock | {"bucketName": "shop-prod-invoices", "publicAccessBlock": ""}
a topic | sns | SetTopicAttributes | {"topicArn": "arn:aws:sns:eu-central-1:471100004242:shop-prod-orders", "attributeName": "Policy"}
a subscription | sns | Unsubscribe | {"subscriptionArn": "arn:aws:sns:eu-central-1:471100004242:shop-prod-orders:2bcfbf39-05c3-41de-beaa-fcfcc21c8f55"}
a topic's data policy | sns | PutDataProtectionPolicy | {"resourceArn": "arn:aws:sns:eu-central-1:471100004242:shop-prod-orders"}
a queue | sqs | SetQueueAttributes | {"queueUrl": "https://sqs.eu-central-1.amazonaws.com/471100004242/shop-prod-jobs", "attributes": {}}
a rule | events | DisableRule | {"name": "shop-prod-nightly"}
a rule's targets | events | RemoveTargets | {"rule": "shop-prod-nightly", "ids": ["1"]}
a parameter | ssm | PutParameter | {"name": "/shop/prod/db/pool_size", "value": "HIDDEN_DUE_TO_SECURITY_REASONS", "type": "SecureString", "overwrite": true}
parameters | ssm | DeleteParameters | {"names": ["/other/x", "/shop/prod/x"]}
a secret | secretsmanager | PutSecretValue | {"secretId": "shop-prod/stripe", "clientRequestToken": "x"}
a secret, by ARN | secretsmanager | DeleteSecret | {"secretId": "arn:aws:secretsmanager:eu-central-1:471100004242:secret:shop-prod/stripe-AbCdEf"}
a secret that git states | secretsmanager | UpdateSecret | {"secretId": "arn:aws:secretsmanager:eu-central-1:471100004242:secret:/shop/prod/mail-AbCdEf"}
the stack | cloudformation | UpdateStack | {"stackName": "shop-prod", "capabilities": ["CAPABILITY_IAM"]}
the stack, by ARN | cloudformation | ExecuteChangeSet | {"stackName": "arn:aws:cloudformation:eu-central-1:471100004242:stack/shop-prod/1f2e3d4c", "changeSetName": "x"}
"#;

/// The same elsewhere.
const ELSEWHERE: &str = r#"
another function | lambda | UpdateFunctionCode20150331v2 | {"functionName": "shop-prod-checkout2"}
another mapping | lambda | DeleteEventSourceMapping20150331 | {"uUID": "00000000-5d35-4eb5-b481-8945cf9d10c2"}
another project's parameter | ssm | PutParameter | {"name": "/shop/production/x"}
another secret | secretsmanager | PutSecretValue | {"secretId": "shop-prod/stripe2"}
another stack | cloudformation | UpdateStack | {"stackName": "shop-prod-2"}
"#;

/// Every kind of call.
pub fn rows() -> Vec<Row> {
    let mut rows = called(CHANGES, By::Operator, Is::Change);
    rows.extend(called(ELSEWHERE, By::Operator, Is::Nothing("belongs to no watched stack")));
    let code =
        |by: By| call("lambda", "UpdateFunctionCode20150331v2", &json!({"functionName": "shop-prod-checkout"}), by);
    for (name, by, is) in [
        ("by a user", By::User, Is::Change),
        ("by root", By::Root, Is::Change),
        ("by an operator's own stack update", By::OperatorsCloudFormation, Is::Change),
        ("by CloudFormation's role in somebody's hands", By::ServiceRoleByHand, Is::Change),
        ("by a role of the deployer's name in another path", By::Namesake, Is::Change),
        ("by a role whose path reads like AWS's own", By::Pretender, Is::Change),
        ("by the deployer itself", By::Deployer, Is::Nothing("the deploy flow did it")),
        ("by the deployer's stack update", By::DeployersCloudFormation, Is::Nothing("through CloudFormation")),
        ("by CloudFormation's service role", By::ServiceRole, Is::Nothing("service role")),
        ("by AWS itself", By::LinkedRole, Is::Nothing("AWS did it by itself")),
        ("a stack's own role changes a function", By::OwnRole, Is::Change),
    ] {
        rows.push(Row { name, rule: Some("FunctionsChanged"), event: code(by), is });
    }
    let hold = |by: By| call("ssm", "PutParameter", &json!({"name": HOLD, "type": "String"}), by);
    rows.extend([
        Row { name: "a hold", rule: Some("ParametersChanged"), event: hold(By::Operator), is: Is::Hold },
        Row {
            name: "a hold by the deployer",
            rule: Some("ParametersChanged"),
            event: hold(By::Deployer),
            is: Is::Hold,
        },
    ]);
    let both = call("ssm", "DeleteParameters", &json!({"names": ["/other/x", HOLD]}), By::Deployer);
    rows.push(Row { name: "a hold among others", rule: Some("ParametersChanged"), event: both, is: Is::Hold });
    let rotated = r#"
a secret that the stack's own function rotates | secretsmanager | PutSecretValue | {"secretId": "shop-prod/stripe"}
the label of its value | secretsmanager | UpdateSecretVersionStage | {"secretId": "shop-prod/stripe", "versionStage": "AWSCURRENT"}
its value by another call | secretsmanager | UpdateSecret | {"secretId": "shop-prod/stripe", "clientRequestToken": "x"}
"#;
    rows.extend(called(rotated, By::OwnRole, Is::Nothing("a role of the stack itself")));
    let taken = r#"
its key, by the same function | secretsmanager | UpdateSecret | {"secretId": "shop-prod/stripe", "kmsKeyId": "alias/mine"}
its end | secretsmanager | DeleteSecret | {"secretId": "shop-prod/stripe", "forceDeleteWithoutRecovery": true}
its policy | secretsmanager | PutResourcePolicy | {"secretId": "shop-prod/stripe", "resourcePolicy": ""}
its rotation's end | secretsmanager | CancelRotateSecret | {"secretId": "shop-prod/stripe"}
"#;
    rows.extend(called(taken, By::OwnRole, Is::Change));
    let nameless = call("lambda", "UpdateFunctionCode20150331v2", &Value::Null, By::Operator);
    rows.push(Row {
        name: "no name",
        rule: Some("FunctionsChanged"),
        event: nameless,
        is: Is::Nothing("names no resource"),
    });
    let mut denied = code(By::User);
    denied["detail"]["errorCode"] = json!("AccessDenied");
    denied["detail"]["errorMessage"] = json!("User: mara is not authorized");
    rows.push(Row { name: "a call that failed", rule: None, event: denied, is: Is::Nothing("failed (AccessDenied)") });
    let invoke = call("lambda", "Invoke", &json!({"functionName": "shop-prod-checkout"}), By::User);
    rows.push(Row { name: "an invocation", rule: None, event: invoke, is: Is::Nothing("changes nothing") });
    rows
}

/// The calls of a table, by somebody.
fn called(table: &'static str, by: By, is: Is) -> Vec<Row> {
    let row = |line: &'static str| {
        let mut columns = line.splitn(4, " | ");
        let [name, service, operation, parameters] = [(); 4].map(|()| columns.next().expect("four columns"));
        let parameters = serde_json::from_str(parameters).expect("parameters in JSON");
        Row { name, rule: Some(rule(service)), event: call(service, operation, &parameters, by), is }
    };
    table.lines().filter(|line| !line.is_empty()).map(row).collect()
}

fn rule(service: &str) -> &'static str {
    match service {
        "lambda" => "FunctionsChanged",
        "apigateway" => "ApisChanged",
        "dynamodb" => "TablesChanged",
        "s3" => "BucketsChanged",
        "sns" => "TopicsChanged",
        "sqs" => "QueuesChanged",
        "events" => "RulesChanged",
        "ssm" => "ParametersChanged",
        "secretsmanager" => "SecretsChanged",
        "cloudformation" => "StacksChanged",
        other => panic!("no rule of {other}"),
    }
}
