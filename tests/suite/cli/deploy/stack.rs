//! A scratch project with a stack, in an account of its own, and what people do to it by hand.

use std::ops::Deref;

use serde_json::{Value, json};

use crate::cli::shop::{Done, Shop};
use crate::support::account::Account;

pub const PROJECT: &str = r#"name = "shop"
[state]
bucket = "shop-state-{account}"
[[stacks]]
name = "shop-{env}"
template = "stack.yaml"
parameters = { Environment = "{env}", Bucket = "shop-state-{account}" }
tags = { team = "pets" }
capabilities = ["CAPABILITY_NAMED_IAM"]
[[stacks.functions]]
resource = "Api"
source = "api"
artifact_parameter = "ApiKey"
[environments.dev]
[environments.qa]
protection = "confirm"
[environments.prod]
"#;

pub const TEMPLATE: &str = r#"Parameters:
  Environment: { Type: String }
  Bucket: { Type: String }
  ApiKey: { Type: String }
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: !Sub shop-${Environment}-orders
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{ AttributeName: id, AttributeType: S }]
      KeySchema: [{ AttributeName: id, KeyType: HASH }]
  Queue:
    Type: AWS::SQS::Queue
    Properties: { QueueName: !Sub "shop-${Environment}-refunds", VisibilityTimeout: 30 }
  Topic:
    Type: AWS::SNS::Topic
    Properties: { TopicName: !Sub "shop-${Environment}-told" }
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Sub shop-${Environment}-api
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{ Effect: Allow, Principal: { Service: lambda.amazonaws.com }, Action: sts:AssumeRole }]
      Policies:
        - PolicyName: queue
          PolicyDocument:
            Version: "2012-10-17"
            Statement: [{ Effect: Allow, Action: sqs:SendMessage, Resource: "*" }]
  Api:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: !Sub shop-${Environment}-api
      Runtime: python3.13
      Handler: app.handler
      Role: !GetAtt Role.Arn
      Code: { S3Bucket: !Ref Bucket, S3Key: !Ref ApiKey }
      Environment: { Variables: { BATCH: first-secret } }
Outputs:
  QueueName: { Value: !GetAtt Queue.QueueName }
"#;

/// The project and its account.
pub struct Stacked {
    shop: Shop,
    account: Account,
}

impl Deref for Stacked {
    type Target = Shop;

    fn deref(&self) -> &Shop {
        &self.shop
    }
}

impl Stacked {
    /// With one commit, and nothing in the account.
    pub fn at(account: &Account) -> Self {
        Self::with(account, TEMPLATE)
    }

    /// The same with another template.
    pub fn with(account: &Account, template: &str) -> Self {
        let mut shop = Shop::empty();
        shop.env = account.env();
        shop.write("plumb.toml", PROJECT);
        shop.write("stack.yaml", template);
        shop.write("api/app.py", "def handler(event, context):\n    return 1\n");
        shop.commit();
        Self { shop, account: account.clone() }
    }

    /// The same, deployed to dev.
    pub fn live(account: &Account) -> Self {
        let shop = Self::at(account);
        shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(0);
        shop
    }

    /// A command that asks AWS through something.
    pub fn through(&self, behind: &Account, arguments: &[&str]) -> Done {
        Done::of(&self.command(arguments).envs(behind.env()).output().unwrap())
    }

    /// Replaces text that is there exactly once.
    pub fn replace(&self, file: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.root().join(file)).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{file} says `{from}`");
        self.write(file, &text.replacen(from, to, 1));
    }

    pub fn head(&self) -> String {
        self.git_text(&["rev-parse", "HEAD"])
    }

    pub fn cloudformation(&self, action: &str, fields: &[(&str, &str)]) -> String {
        self.account.caller().query("cloudformation", action, fields).unwrap().text()
    }

    /// The status of dev's stack; `None`: there is none.
    pub fn status(&self) -> Option<String> {
        let text = self.cloudformation("DescribeStacks", &[("StackName", "shop-dev")]);
        let status = text.split_once("<StackStatus>").and_then(|(_, rest)| rest.split_once('<'));
        assert!(status.is_some() || text.contains("does not exist"), "{text}");
        status.map(|(status, _)| status.to_owned())
    }

    /// How many change sets of dev's stack could be executed.
    pub fn waiting_change_sets(&self) -> usize {
        let listed = self.cloudformation("ListChangeSets", &[("StackName", "shop-dev")]);
        listed.matches("<ExecutionStatus>AVAILABLE").count()
    }

    /// What was written, the oldest first: action, subjects and state.
    pub fn journal(&self) -> Vec<Value> {
        let found = self.plumb(&["journal", "--env", "dev", "--output", "json"]).ended(0).json();
        let entries = found["entries"].as_array().unwrap().iter().rev();
        entries.map(|entry| json!([entry["action"], entry["subjects"], entry["state"]])).collect()
    }

    /// Somebody sets the queue's timeout.
    pub fn by_hand_visibility(&self, seconds: u32) {
        self.by_hand_queue("shop-dev-refunds", seconds);
    }

    /// Somebody sets another queue's timeout.
    pub fn by_hand_queue(&self, queue: &str, seconds: u32) {
        let caller = self.account.caller();
        let found = caller.query("sqs", "GetQueueUrl", &[("QueueName", queue)]).unwrap().text();
        let url = found.split_once("<QueueUrl>").and_then(|(_, rest)| rest.split_once('<')).unwrap().0.to_owned();
        let fields = [
            ("QueueUrl", url.as_str()),
            ("Attribute.1.Name", "VisibilityTimeout"),
            ("Attribute.1.Value", &seconds.to_string()),
        ];
        let reply = caller.query("sqs", "SetQueueAttributes", &fields).unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
    }

    /// Somebody uploads other code.
    pub fn by_hand_code(&self, text: &str) {
        use base64::Engine;
        use std::io::Write;

        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        zip.start_file("app.py", zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
        let bytes = zip.finish().unwrap().into_inner();
        let body = json!({ "ZipFile": base64::engine::general_purpose::STANDARD.encode(bytes) }).to_string();
        let path = "/2015-03-31/functions/shop-dev-api/code";
        let reply = self.account.caller().send("lambda", "PUT", path, &[], body.as_bytes()).unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
    }

    /// The digest of the code that runs.
    pub fn code(&self) -> String {
        let path = "/2015-03-31/functions/shop-dev-api/configuration";
        let reply = self.account.caller().send("lambda", "GET", path, &[], b"").unwrap();
        reply.json()["CodeSha256"].as_str().unwrap().to_owned()
    }

    /// Somebody makes the parameter that a template wants to make.
    pub fn by_hand_parameter(&self, name: &str) {
        crate::cli::shop::put(&self.account, name, "there already");
    }
}

pub fn change<'a>(stack: &'a Value, id: &str) -> &'a Value {
    let changes = stack["changes"].as_array().unwrap();
    changes.iter().find(|change| change["logical_id"] == id).unwrap_or_else(|| panic!("no {id} in {stack:#}"))
}
