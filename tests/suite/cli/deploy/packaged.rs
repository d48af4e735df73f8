//! Stacks that name files of the repository, and those that SAM and the CDK describe.

use base64::Engine;
use serde_json::{Value, json};
use sha2::Digest;

use super::stack::{PROJECT, Stacked, TEMPLATE};
use crate::support::account::Account;
use crate::support::proxy::{Call, Fault, Proxy};

/// The template that a change set was asked for with.
fn sent(proxy: &Proxy) -> (Call, Value) {
    let calls = proxy.calls();
    let call = calls.iter().rev().find(|call| call.operation == "CreateChangeSet").unwrap().clone();
    let template = serde_json::from_str(&call.form("TemplateBody").unwrap()).unwrap();
    (call, template)
}

#[test]
fn what_a_template_names_by_a_path_is_uploaded_from_the_commit() {
    let account = Account::fresh();
    let shop = Stacked::at(&account);
    shop.write(
        "plumb.toml",
        &PROJECT.replace("artifact_parameter = \"ApiKey\"\n", "").replace("stack.yaml", "infra/stack.yaml"),
    );
    let template = TEMPLATE
        .replace("  ApiKey: { Type: String }\n", "")
        .replace("Code: { S3Bucket: !Ref Bucket, S3Key: !Ref ApiKey }", "Code: ../api");
    let nested =
        "  Inner:\n    Type: AWS::CloudFormation::Stack\n    Properties: { TemplateURL: inner.yaml }\nOutputs:";
    shop.write("infra/stack.yaml", &template.replace("Outputs:", nested));
    let inner = "Resources:\n  Inside: { Type: AWS::SQS::Queue, Properties: { QueueName: shop-inside } }\n";
    shop.write("infra/inner.yaml", inner);
    shop.commit();
    // What is not committed is not deployed.
    shop.write("api/app.py", "uncommitted\n");
    let (behind, proxy) = account.behind_proxy();
    let done = shop.through(&behind, &["deploy", "--env", "dev", "--yes"]);
    done.ended(0).complained(&["packaging infra/inner.yaml", "Inner/Inside", "AWS::SQS::Queue"]);
    let (call, template) = sent(&proxy);
    let code = &template["Resources"]["Api"]["Properties"]["Code"];
    assert_eq!(code["S3Bucket"], format!("shop-state-{}", account.id), "{code}");
    assert!(code["S3Key"].as_str().unwrap().starts_with("plumb/shop/artifacts/"), "{code}");
    assert_eq!(call.form("Capabilities.member.2").as_deref(), Some("CAPABILITY_AUTO_EXPAND"));
    let again = shop.plumb(&["deploy", "--env", "dev", "--yes"]);
    assert!(again.ended(0).stdout.contains("nothing to change"), "{again}");
}

/// What writes `dist/fn.zip`, which git does not keep, and notes that it did.
const BUILD: &str =
    "mkdir -p dist && echo built >> dist/log && cd api && python3 -m zipfile -c ../dist/fn.zip app.py\n";

/// A function whose zip is written by a build.
pub fn built(account: &Account) -> Stacked {
    let shop = Stacked::at(account);
    let build = "source = \"api\"\nbuild = [\"sh\", \"build.sh\"]\noutput = \"dist/fn.zip\"";
    shop.write("plumb.toml", &PROJECT.replace("source = \"api\"", build));
    shop.write("build.sh", BUILD);
    shop.write(".gitignore", "dist/\n");
    shop.commit();
    shop
}

#[test]
fn a_zip_that_a_build_has_written_is_what_runs_and_so_is_one_that_is_there_already() {
    let account = Account::fresh();
    let shop = built(&account);
    let digest = || {
        let zip = std::fs::read(shop.root().join("dist/fn.zip")).unwrap();
        base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(zip))
    };
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(0);
    assert_eq!(shop.code(), digest());
    assert_eq!(shop.code(), digest(), "it is in no other zip, where the handler would not be found");

    shop.replace("plumb.toml", "build = [\"sh\", \"build.sh\"]\n", "");
    shop.write("api/app.py", "def handler(event, context):\n    return 2\n");
    shop.commit();
    let status = std::process::Command::new("sh").arg("build.sh").current_dir(shop.root()).status().unwrap();
    assert!(status.success());
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(0);
    assert_eq!(shop.code(), digest());
    std::fs::remove_file(shop.root().join("dist/fn.zip")).unwrap();
    let refused = shop.plumb(&["deploy", "--env", "dev", "--yes"]);
    refused.ended(2).complained(&["dist/fn.zip of Api is not there, and nothing in plumb.toml builds it"]);
    // Nothing that lies about is taken for another commit's.
    shop.write("api/more.py", "");
    shop.commit();
    let refused = shop.plumb(&["deploy", "--env", "dev", "--ref", "HEAD~1", "--yes"]);
    refused.ended(2).complained(&["what is built comes from the working tree, which is not commit"]);
}

/// The local account makes no change sets of stacks within, so that AWS's documented answers stand for them.
fn make(account: &Account, bucket: &str) {
    let place =
        "<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>";
    let made = account.caller().send("s3", "PUT", bucket, &[], place.as_bytes()).unwrap();
    assert_eq!(made.status, 200, "{made:?}");
}

#[test]
fn what_is_done_to_a_stack_within_is_shown_by_its_own_change_set() {
    let account = Account::fresh();
    make(&account, &format!("/shop-state-{}", account.id));
    let nested =
        "  Inner:\n    Type: AWS::CloudFormation::Stack\n    Properties: { TemplateURL: inner.yaml }\nOutputs:";
    let shop = Stacked::with(&account, &TEMPLATE.replace("Outputs:", nested));
    let inner = "Resources:\n  Inside: { Type: AWS::SQS::Queue, Properties: { QueueName: shop-inside } }\n";
    shop.write("inner.yaml", inner);
    shop.commit();
    let answer = |id: &str, type_name: &str, more: &str| {
        format!(
            "<DescribeChangeSetResponse><DescribeChangeSetResult><ChangeSetId>arn:{id}</ChangeSetId>\
             <StackId>arn:stack</StackId><Status>CREATE_COMPLETE</Status><ExecutionStatus>AVAILABLE</ExecutionStatus>\
             <Changes><member><Type>Resource</Type><ResourceChange><Action>Modify</Action>\
             <LogicalResourceId>{id}</LogicalResourceId><ResourceType>{type_name}</ResourceType>{more}\
             </ResourceChange></member></Changes></DescribeChangeSetResult></DescribeChangeSetResponse>"
        )
    };
    let detail = "<Replacement>True</Replacement><PolicyAction>ReplaceAndDelete</PolicyAction><Details><member><Target>\
                  <Attribute>Properties</Attribute><Name>QueueName</Name><Path>/Properties/QueueName</Path>\
                  <BeforeValue>shop-one</BeforeValue><AfterValue>shop-two</AfterValue>\
                  <RequiresRecreation>Always</RequiresRecreation></Target></member></Details>";
    let (behind, proxy) = account.behind_proxy();
    let outer = answer("Inner", "AWS::CloudFormation::Stack", "<ChangeSetId>arn:nested</ChangeSetId>");
    proxy.on("cloudformation:DescribeChangeSet").times(1).reply(Fault::Body(200, outer.into_bytes()));
    let inside = answer("Inside", "AWS::SQS::Queue", detail);
    proxy.on("cloudformation:DescribeChangeSet").reply(Fault::Body(200, inside.into_bytes()));
    let planned = shop.through(&behind, &["deploy", "--env", "dev", "--dry-run"]);
    for part in [
        "± replace  Inner/Inside",
        "Inner/Inside.QueueName",
        "shop-one  ->  shop-two",
        "! lost: Inner/Inside is replaced",
    ] {
        assert!(planned.stdout.contains(part), "{part}: {planned}");
    }
    let calls = proxy.calls();
    let asked = calls.iter().find(|call| call.operation == "CreateChangeSet").unwrap();
    assert_eq!(asked.form("IncludeNestedStacks").as_deref(), Some("true"));
}

#[test]
fn a_stack_that_sam_describes_is_packaged_and_its_transform_acknowledged() {
    let account = Account::fresh();
    let shop = Stacked::with(&account, include_str!("../../../fixtures/templates/sam-shop.yaml"));
    let project = PROJECT.replace("template = \"stack.yaml\"", "template = \"stack.yaml\"\nkind = \"sam\"");
    let project =
        project.replace("resource = \"Api\"", "resource = \"Hello\"").replace("source = \"api\"", "source = \"hello\"");
    shop.write("plumb.toml", &project.replace("artifact_parameter = \"ApiKey\"\n", "alias = \"live\"\n"));
    shop.write("hello/app.py", "def handler(event, context):\n    return 1\n");
    shop.write("shared/shared.py", "ONE = 1\n");
    shop.commit();
    // The local account does not run the transform, so that only what is asked of it is looked at.
    let (behind, proxy) = account.behind_proxy();
    proxy.on("cloudformation:CreateChangeSet").reply(Fault::AccessDenied("not today".to_owned()));
    shop.through(&behind, &["deploy", "--env", "dev", "--yes"]).ended(2).complained(&["not today"]);
    let (call, template) = sent(&proxy);
    let start = format!("s3://shop-state-{}/plumb/shop/artifacts/", account.id);
    for (resource, property) in [("Hello", "CodeUri"), ("Shared", "ContentUri")] {
        let uri = template["Resources"][resource]["Properties"][property].as_str().unwrap();
        assert!(uri.starts_with(&start), "{resource}: {uri}");
    }
    assert_eq!(template["Transform"], "AWS::Serverless-2016-10-31");
    assert_eq!(template["Globals"]["Function"]["Runtime"], "python3.13");
    assert_eq!(call.form("Capabilities.member.2").as_deref(), Some("CAPABILITY_AUTO_EXPAND"));
}

const CDK: &str = r#"name = "shop"
[state]
bucket = "shop-state-{account}"
[[stacks]]
name = "Shop"
template = "cdk.out/Shop.template.json"
kind = "cdk"
synth = ["sh", "synth.sh"]
capabilities = ["CAPABILITY_IAM"]
[environments.dev]
"#;

/// What `cdk synth` would write, from what the commit has.
const SYNTH: &str = r#"set -e
mkdir -p cdk.out/asset.8f0e
cp api/app.py cdk.out/asset.8f0e/app.py
cat > cdk.out/Shop.assets.json <<'JSON'
{ "version": "36.0.0", "dockerImages": {}, "files": {
  "8f0e": { "source": { "path": "asset.8f0e", "packaging": "zip" }, "destinations": { "current": {
    "bucketName": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}", "objectKey": "8f0e.zip" } } },
  "1234": { "source": { "path": "Shop.template.json", "packaging": "file" }, "destinations": { "current": {
    "bucketName": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}", "objectKey": "1234.json" } } } } }
JSON
cat > cdk.out/Shop.template.json <<'JSON'
{ "Resources": { "Jobs3F1C": { "Type": "AWS::SQS::Queue", "Properties": { "QueueName": "cdk-jobs" } } } }
JSON
"#;

#[test]
fn a_stack_of_the_cdk_with_container_images_is_refused_before_anything_is_sent() {
    let image = r#"{ "abc1234567890def": { "source": { "directory": "asset.abc" }, "destinations": { "current": {
        "repositoryName": "cdk-assets", "imageTag": "abc" } } } }"#;
    let command = r#""9d9d": { "source": { "executable": ["make"] }, "destinations": {} }, "1234":"#;
    for (synth, words) in [
        (
            SYNTH.replace("\"dockerImages\": {}", &format!("\"dockerImages\": {image}")),
            "container images (abc123456789)",
        ),
        (SYNTH.replace("\"1234\":", command), "asset 9d9d of Shop is made by a command"),
    ] {
        let account = Account::fresh();
        let shop = Stacked::at(&account);
        shop.write("plumb.toml", CDK);
        shop.write("synth.sh", &synth);
        shop.write(".gitignore", "/cdk.out/\n");
        shop.git(&["rm", "-q", "stack.yaml"]);
        shop.commit();
        let (behind, proxy) = account.behind_proxy();
        for more in ["--dry-run", "--yes"] {
            let refused = shop.through(&behind, &["deploy", "--env", "dev", more]);
            refused.ended(2).complained(&[words, "plumb does not", "try: `cdk deploy`", "plumb compares"]);
        }
        assert_eq!((proxy.count("s3:PutObject"), proxy.count("cloudformation:CreateChangeSet")), (0, 0));
    }
}

#[test]
fn a_stack_of_the_cdk_is_synthesised_its_assets_published_and_deployed() {
    let account = Account::fresh();
    let shop = Stacked::at(&account);
    shop.write("plumb.toml", CDK);
    shop.write("synth.sh", SYNTH);
    shop.write(".gitignore", "/cdk.out/\n");
    shop.git(&["rm", "-q", "stack.yaml"]);
    shop.commit();
    let lacking = shop.plumb(&["deploy", "--env", "dev", "--yes"]);
    lacking.ended(2).complained(&["there is no bucket cdk-hnb659fds-assets-", "npx cdk bootstrap"]);
    let bucket = format!("/cdk-hnb659fds-assets-{}-eu-central-1", account.id);
    make(&account, &bucket);
    let done = shop.plumb(&["deploy", "--env", "dev", "--yes", "-o", "json"]);
    let stack = &done.ended(0).complained(&["publishing asset.8f0e"]).json()["stacks"][0];
    assert_eq!((&stack["state"], &stack["status"]), (&json!("deployed"), &json!("CREATE_COMPLETE")), "{stack:#}");
    let listed = account.caller().send("s3", "GET", &bucket, &[], b"").unwrap().text();
    assert!(listed.contains("<Key>8f0e.zip</Key>") && !listed.contains("1234.json"), "{listed}");
    let marker = std::fs::read_to_string(shop.root().join("cdk.out/.commit")).unwrap();
    assert_eq!(marker.trim(), shop.head());
    shop.write("api/app.py", "changed\n");
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(2).complained(&["which has uncommitted changes"]);
}
