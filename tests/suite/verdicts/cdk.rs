//! Stacks that the CDK writes: the template is no file of git, and counts only for the commit that it was made from.

use plumb::aws::{Timeouts, lambda};
use plumb::compare::Kind;
use plumb::ops::record;

use super::by_hand::put_parameter;
use super::shop::{Change, DEV, Seen, Shop, Verdicts, verdicts};
use crate::support::account::Account;

const STACK: &str = "Shop";
const ASSEMBLY: &str = "cdk.out/Shop.template.json";

const PROJECT: &str = r#"
name = "shop"

[state]
bucket = "shop-state-{account}"

[[stacks]]
name = "Shop"
template = "cdk.out/Shop.template.json"
kind = "cdk"

[environments.dev]
drift_max_age = "15m"
"#;

/// As `cdk synth` writes it.
const TEMPLATE: &str = r#"{
 "Resources": {
  "Jobs3F1C": {
   "Type": "AWS::SQS::Queue",
   "Properties": { "QueueName": "cdk-jobs", "VisibilityTimeout": 30 },
   "UpdateReplacePolicy": "Delete",
   "DeletionPolicy": "Delete",
   "Metadata": { "aws:cdk:path": "Shop/Jobs/Resource" }
  },
  "WorkerRole2A77": {
   "Type": "AWS::IAM::Role",
   "Properties": {
    "AssumeRolePolicyDocument": {
     "Statement": [
      { "Action": "sts:AssumeRole", "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" } }
     ],
     "Version": "2012-10-17"
    }
   }
  },
  "Worker9B0E": {
   "Type": "AWS::Lambda::Function",
   "Properties": {
    "FunctionName": "cdk-worker",
    "Code": { "S3Bucket": { "Fn::Sub": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}" }, "S3Key": "8f0e0b1d.zip" },
    "Environment": { "Variables": { "JOBS": { "Ref": "Jobs3F1C" } } },
    "Handler": "index.handler",
    "MemorySize": 256,
    "Role": { "Fn::GetAtt": [ "WorkerRole2A77", "Arn" ] },
    "Runtime": "nodejs22.x"
   },
   "DependsOn": [ "WorkerRole2A77" ],
   "Metadata": { "aws:cdk:path": "Shop/Worker/Resource", "aws:asset:path": "asset.8f0e0b1d", "aws:asset:property": "Code" }
  },
  "CDKMetadata": {
   "Type": "AWS::CDK::Metadata",
   "Properties": { "Analytics": "v2:deflate64:H4sIAAAA" },
   "Condition": "CDKMetadataAvailable"
  }
 },
 "Conditions": { "CDKMetadataAvailable": { "Fn::Equals": [ { "Ref": "AWS::Region" }, "eu-central-1" ] } },
 "Parameters": {
  "BootstrapVersion": { "Type": "AWS::SSM::Parameter::Value<String>", "Default": "/cdk-bootstrap/hnb659fds/version" }
 }
}"#;

/// A project whose stack was deployed by the CDK from HEAD.
struct CdkShop(Shop);

impl CdkShop {
    async fn deployed(recorded: bool) -> Self {
        let shop = Shop::written(Account::fresh());
        shop.git(&["rm", "-r", "--quiet", "config", "secrets", "api", "stack.yaml"]);
        shop.write("plumb.toml", PROJECT);
        shop.write(".gitignore", "/cdk.out/\n");
        shop.write("bin/app.ts", "new App();\n");
        shop.commit("Describe the shop by the CDK");
        put_parameter(&shop.by_hand().await, "/cdk-bootstrap/hnb659fds/version", "21").await;
        let cdk = Self(shop);
        cdk.synthesise(TEMPLATE);
        cdk.cloudformation("CreateStack", TEMPLATE);
        if recorded {
            let session = cdk.0.session().await;
            let done = Box::pin(record::record(&session, "HEAD", false)).await.unwrap();
            assert_eq!((done.equal, done.different, done.unknown), (vec![STACK.to_owned()], vec![], vec![]));
        }
        cdk
    }

    /// `cdk synth && git rev-parse HEAD > cdk.out/.commit`
    fn synthesise(&self, template: &str) {
        self.0.write(ASSEMBLY, template);
        self.0.write("cdk.out/.commit", &format!("{}\n", self.0.git(&["rev-parse", "HEAD"])));
    }

    /// A commit, and the assembly of it.
    fn commits(&self, subject: &str, template: &str) {
        self.0.commit(subject);
        self.synthesise(template);
    }

    fn cloudformation(&self, action: &str, template: &str) {
        let fields = [("StackName", STACK), ("TemplateBody", template), ("Capabilities.member.1", "CAPABILITY_IAM")];
        let reply = self.0.account.caller().query("cloudformation", action, &fields).unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
    }

    async fn look(&self) -> Seen {
        Seen::by(&self.0.session_of(DEV, &self.0.account, Timeouts::default()).await).await
    }

    async fn remembers(&self, memory: i32) {
        let new = lambda::Configuration { memory: Some(memory), ..Default::default() };
        lambda::update_configuration(&self.0.by_hand().await, "cdk-worker", &new).await.unwrap();
    }
}

const DEPLOYED: [(&str, &str); 5] = [
    // Nobody says where its source is.
    ("code cdk-worker", "unknown"),
    ("stack Shop/CDKMetadata", "ignored"),
    ("stack Shop/Jobs3F1C", "in_sync"),
    ("stack Shop/Worker9B0E", "in_sync"),
    ("stack Shop/WorkerRole2A77", "in_sync"),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_assembly_of_the_commit_is_compared() {
    let cdk = CdkShop::deployed(true).await;
    let seen = cdk.look().await;
    seen.is_whole();
    assert_eq!(seen.verdicts, verdicts(&DEPLOYED), "{seen:#?}");
    cdk.remembers(512).await;
    assert_eq!(cdk.look().await.moved_from(&seen.verdicts), verdicts(&[("stack Shop/Worker9B0E", "drifted")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_app_is_pending_although_the_old_assembly_is_gone() {
    let rows: [Change; 5] = [
        ("a property", "\"VisibilityTimeout\": 30", "\"VisibilityTimeout\": 60", &[("stack Shop/Jobs3F1C", "pending")]),
        ("an asset", "8f0e0b1d.zip", "77c0de00.zip", &[("stack Shop/Worker9B0E", "pending")]),
        (
            "a policy of deletion",
            "\"DeletionPolicy\": \"Delete\"",
            "\"DeletionPolicy\": \"Retain\"",
            &[("stack Shop/Jobs3F1C", "pending")],
        ),
        ("another version of the CDK", "H4sIAAAA", "H4sIBBBB", &[]),
        ("a renamed construct", "Shop/Jobs/Resource", "Shop/Work/Resource", &[]),
    ];
    let cdk = CdkShop::deployed(true).await;
    for (story, from, to, expected) in rows {
        assert_eq!(TEMPLATE.matches(from).count(), 1, "{story}");
        cdk.commits(story, &TEMPLATE.replace(from, to));
        let seen = cdk.look().await;
        seen.is_whole();
        assert_eq!(seen.moved_from(&verdicts(&DEPLOYED)), verdicts(expected), "{story}: {seen:#?}");
    }
    let faster = TEMPLATE.replace("\"VisibilityTimeout\": 30", "\"VisibilityTimeout\": 60");
    cdk.commits("Both move", &faster.replace("\"MemorySize\": 256", "\"MemorySize\": 1024"));
    cdk.remembers(512).await;
    let moved = cdk.look().await.moved_from(&verdicts(&DEPLOYED));
    assert_eq!(moved, verdicts(&[("stack Shop/Jobs3F1C", "pending"), ("stack Shop/Worker9B0E", "diverged")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_that_changed_since_its_receipt_is_no_word_on_who_moved() {
    let cdk = CdkShop::deployed(true).await;
    cdk.cloudformation("UpdateStack", &TEMPLATE.replace("\"VisibilityTimeout\": 30", "\"VisibilityTimeout\": 45"));
    cdk.commits("Faster", &TEMPLATE.replace("\"VisibilityTimeout\": 30", "\"VisibilityTimeout\": 60"));
    let seen = cdk.look().await;
    assert_eq!(seen.item("stack Shop/Jobs3F1C").verdict.code(), "differs", "{seen:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assembly_of_another_commit_or_of_none_that_is_known_leaves_all_unknown_and_says_what_to_do() {
    let cdk = CdkShop::deployed(true).await;
    let unknown = |seen: &Seen, reason: &str| {
        let stack: Verdicts =
            seen.verdicts.iter().filter(|(name, _)| name.starts_with("stack ")).map(|(n, v)| (n.clone(), *v)).collect();
        assert!(
            stack.iter().all(|(name, verdict)| *verdict == "unknown" || name.ends_with("CDKMetadata")),
            "{stack:?}"
        );
        assert!(seen.unknown("stack Shop/Jobs3F1C").contains(reason), "{seen:#?}");
        let problems = &seen.section(Kind::Stack).as_ref().unwrap().problems;
        let hints = problems.iter().filter_map(|problem| problem.why.hint.as_deref());
        assert_eq!(hints.collect::<Vec<_>>(), ["cdk synth && git rev-parse HEAD > cdk.out/.commit"]);
    };
    let made_from = cdk.0.git(&["rev-parse", "HEAD"]);
    cdk.0.commit("One commit on");
    unknown(&cdk.look().await, &format!("was synthesised from commit {made_from}, not from"));
    std::fs::remove_file(cdk.0.path("cdk.out/.commit")).unwrap();
    unknown(&cdk.look().await, "it is not known which commit it was synthesised from");
    cdk.synthesise(TEMPLATE);
    assert_eq!(cdk.look().await.verdicts, verdicts(&DEPLOYED), "made anew");
}
