//! Deleting a stack with all that is in it: nothing goes that is to be kept, or whose fate is not known, and what went is told.

mod emptied;
mod forgotten;

use serde_json::json;

use super::refused::at_terminal;
use super::stack::{Stacked, TEMPLATE};
use crate::support::account::Account;
use crate::support::proxy::{Fault, Gate};
use crate::support::terminal::Program;

/// The stack with a bucket that has two versions of one object.
fn with_bucket(account: &Account) -> Stacked {
    let bin = r#"  Bin:
    Type: AWS::S3::Bucket
    Properties: { BucketName: !Sub "shop-bin-${AWS::AccountId}", VersioningConfiguration: { Status: Enabled } }
"#;
    let shop = Stacked::with(account, &TEMPLATE.replace("Outputs:", &format!("{bin}Outputs:")));
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(0);
    fill(account);
    shop
}

fn fill(account: &Account) {
    for _ in 0..2 {
        let reply = account.caller().send("s3", "PUT", &format!("/shop-bin-{}/a", account.id), &[], b"x").unwrap();
        assert!(reply.status < 300, "{reply:?}");
    }
}

/// How many versions the bucket has; `None`: it is gone.
fn versions(account: &Account) -> Option<usize> {
    let reply = account.caller().send("s3", "GET", &format!("/shop-bin-{}?versions", account.id), &[], b"").unwrap();
    (reply.status == 200).then(|| reply.text().matches("<Version>").count())
}

fn protect(shop: &Stacked) {
    let protection = [("StackName", "shop-dev"), ("EnableTerminationProtection", "true")];
    shop.cloudformation("UpdateTerminationProtection", &protection);
}

fn is_protected(shop: &Stacked) -> bool {
    let described = shop.cloudformation("DescribeStacks", &[("StackName", "shop-dev")]);
    described.to_lowercase().contains("<enableterminationprotection>true")
}

const CLEAN: [&str; 5] = ["clean", "shop-dev", "--env", "dev", "--yes"];

#[test]
fn where_nobody_can_tell_what_is_to_be_kept_nothing_goes() {
    let account = Account::fresh();
    let shop = with_bucket(&account);
    let (behind, proxy) = account.behind_proxy();
    let denied = "User: mara is not authorized to perform: cloudformation:GetTemplate";
    proxy.on("cloudformation:GetTemplate").reply(Fault::AccessDenied(denied.to_owned()));
    let refused = shop.through(&behind, &CLEAN);
    refused
        .ended(2)
        .complained(&["refused: it is not known what of shop-dev is to be kept", "cloudformation:GetTemplate"]);
    assert_eq!((versions(&account), shop.status().as_deref()), (Some(2), Some("CREATE_COMPLETE")));
    assert_eq!((proxy.count("s3:DeleteObjects"), proxy.count("cloudformation:DeleteStack")), (0, 0));
}

#[test]
fn nothing_is_emptied_before_the_stack_may_be_deleted() {
    let account = Account::fresh();
    let shop = with_bucket(&account);
    let (behind, proxy) = account.behind_proxy();
    let described = shop.cloudformation("DescribeStacks", &[("StackName", "shop-dev")]);
    let busy = described.replace("CREATE_COMPLETE", "UPDATE_IN_PROGRESS").into_bytes();
    let told = ["refused: CloudFormation is at work on shop-dev", "plumb deploy --follow shop-dev"];
    // As it is looked at, and between that and the deletion.
    for seen in [0, 1] {
        proxy.on("cloudformation:DescribeStacks").after(seen).times(1).reply(Fault::Body(200, busy.clone()));
        shop.through(&behind, &CLEAN).ended(2).complained(&told);
        proxy.heal();
    }
    // Somebody protects it meanwhile.
    let protected = described.replace(
        "<EnableTerminationProtection>false</EnableTerminationProtection>",
        "<EnableTerminationProtection>true</EnableTerminationProtection>",
    );
    if protected != described {
        proxy.on("cloudformation:DescribeStacks").after(1).times(1).reply(Fault::Body(200, protected.into_bytes()));
        shop.through(&behind, &CLEAN).ended(2).complained(&["is protected from being deleted"]);
        proxy.heal();
    }
    assert_eq!((versions(&account), proxy.count("cloudformation:DeleteStack")), (Some(2), 0));
}

#[test]
fn a_deletion_that_is_refused_has_emptied_nothing_and_the_protection_is_back() {
    let account = Account::fresh();
    let shop = with_bucket(&account);
    protect(&shop);
    assert!(is_protected(&shop));
    let (behind, proxy) = account.behind_proxy();
    let denied = "User: mara is not authorized to perform: cloudformation:DeleteStack";
    proxy.on("cloudformation:DeleteStack").reply(Fault::AccessDenied(denied.to_owned()));
    let done = shop.through(&behind, &[&CLEAN[..], &["--unprotect"]].concat());
    done.ended(2).complained(&[denied, "is protected from being deleted again"]);
    assert!(is_protected(&shop));
    assert_eq!((versions(&account), proxy.count("s3:DeleteObjects")), (Some(2), 0));
    assert_eq!(shop.journal().last().unwrap()[2], "failed");
}

#[test]
fn a_stack_that_another_one_imports_from_keeps_what_is_in_its_buckets() {
    let account = Account::fresh();
    let shop = with_bucket(&account);
    // The local account deletes what is imported.
    let (behind, proxy) = account.behind_proxy();
    let refused = "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code>\
        <Message>Export q cannot be deleted as it is in use by other</Message></Error></ErrorResponse>";
    proxy.on("cloudformation:DeleteStack").reply(Fault::Body(400, refused.into()));
    shop.through(&behind, &CLEAN).ended(2).complained(&["in use by other"]);
    assert_eq!((versions(&account), shop.status().as_deref()), (Some(2), Some("CREATE_COMPLETE")));
}

#[test]
fn the_name_of_the_stack_is_typed_and_nothing_else_deletes_it() {
    let account = Account::fresh();
    let shop = Stacked::live(&account);
    for wrong in ["y", "dev", "shop-de", "shop-dev2"] {
        let terminal = at_terminal(&shop, &["clean", "shop-dev", "--env", "dev"]);
        terminal.sees("Type shop-dev to delete shop-dev").type_text(&format!("{wrong}\r")).sees("was not confirmed");
        assert_eq!(terminal.exit_code(), 2, "{}", terminal.text());
    }
    assert_eq!(shop.status().as_deref(), Some("CREATE_COMPLETE"));
    let terminal = at_terminal(&shop, &["clean", "shop-dev", "--env", "dev"]);
    terminal.sees("Type shop-dev to delete shop-dev").type_text("shop-dev\r").sees("shop-dev is deleted");
    assert_eq!((terminal.exit_code(), shop.status()), (0, None), "{}", terminal.text());
}

#[test]
fn a_deletion_that_nobody_can_look_at_any_more_goes_on_and_is_not_called_failed() {
    let account = Account::fresh();
    let shop = Stacked::live(&account);
    let (behind, proxy) = account.behind_proxy();
    proxy.on("cloudformation:DescribeStackEvents").after(1).reply(Fault::ExpiredToken);
    let done = shop.through(&behind, &CLEAN);
    done.ended(2).complained(&["is not followed any more", "goes on", "plumb deploy --follow shop-dev looks on again"]);
    assert!(!done.stderr.contains("plumb deploy shop-dev"), "it would be made anew: {done}");
    assert_eq!(shop.journal().last().unwrap()[2], "unknown");
    assert_eq!(shop.status(), None);
}

#[test]
fn a_deletion_whose_answer_is_lost_is_followed() {
    let account = Account::fresh();
    let shop = Stacked::live(&account);
    let (behind, proxy) = account.behind_proxy();
    proxy.on("cloudformation:DeleteStack").times(1).reply(Fault::TruncatedBody);
    proxy.on("cloudformation:DeleteStack").reply(Fault::ServerError);
    shop.through(&behind, &CLEAN).ended(0).complained(&["shop-dev is deleted"]);
    assert_eq!(shop.journal().last().unwrap()[2], "ok");
}

#[test]
fn a_deletion_that_fails_leaves_the_stack_protected_as_it_was() {
    let account = Account::fresh();
    let images = "  Images: { Type: AWS::ECR::Repository, Properties: { RepositoryName: shop-images } }\n";
    let shop = Stacked::with(&account, &TEMPLATE.replace("Outputs:", &format!("{images}Outputs:")));
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(0);
    let image = json!({ "repositoryName": "shop-images", "imageManifest": "{}", "imageTag": "one" });
    let target = "AmazonEC2ContainerRegistry_V20150921.PutImage";
    assert_eq!(account.caller().json("ecr", target, &image).unwrap().status, 200);
    protect(&shop);
    let failed = shop.plumb(&[&CLEAN[..], &["--unprotect"]].concat());
    failed.ended(2).complained(&[
        "taking the protection off",
        "DELETE_FAILED",
        "is protected from being deleted again",
    ]);
    assert!(is_protected(&shop));
}

#[test]
fn what_another_stack_names_is_kept_and_so_is_what_one_elsewhere_may_name() {
    let account = Account::fresh();
    let shop = Stacked::at(&account);
    let api = "  Http:\n    Type: AWS::ApiGateway::RestApi\n    Properties: { Name: !Sub \"shop-${Environment}\", \
               BodyS3Location: api.json }\nOutputs:";
    shop.replace("stack.yaml", "Outputs:", api);
    shop.write("api.json", r#"{"openapi": "3.0.1", "info": {"title": "shop", "version": "1"}, "paths": {}}"#);
    shop.commit();
    for environment in ["dev", "qa"] {
        shop.plumb(&["deploy", "--env", environment, "--yes"]).ended(0);
    }
    let shown = || shop.plumb(&["clean", "shop-dev", "--with-artifacts", "--env", "dev", "--dry-run", "-o", "json"]);
    assert_eq!(shown().ended(1).json()["artifacts"], json!([]), "qa runs the same");
    // The stack of qa is gone, though its receipt is there: it may be another account's.
    shop.cloudformation("DeleteStack", &[("StackName", "shop-qa")]);
    let json = shown().ended(1).json();
    assert_eq!(json["artifacts"], json!([]), "{json:#}");
    let note = json["notes"][0].as_str().unwrap();
    assert!(note.contains("1 more stay") && note.contains("qa/shop-qa"), "{note}");
    let receipt = format!("/shop-state-{}/plumb/shop/qa/receipts/stack/shop-qa.json", account.id);
    account.caller().send("s3", "DELETE", &receipt, &[], b"").unwrap();
    let both = shown().ended(1).json()["artifacts"].as_array().unwrap().len();
    assert_eq!(both, 2, "the function's and the API's");
}

#[test]
fn who_stops_looking_on_is_told_that_it_goes_on_and_how_to_look_again() {
    let account = Account::fresh();
    let shop = Stacked::live(&account);
    let (behind, proxy) = account.behind_proxy();
    let gate = Gate::new();
    proxy.on("cloudformation:DescribeStackEvents").after(1).reply(Fault::Delay(gate.clone()));
    let program = Program::plumb().dir(shop.root()).env("HOME", shop.directory.path()).envs(behind.env());
    let terminal = program.args(CLEAN).start();
    gate.reached();
    terminal.press("^c").sees("what AWS is at with shop-dev goes on without you");
    terminal.sees("plumb deploy --follow shop-dev looks on again");
    assert_eq!(terminal.exit_code(), 130, "{}", terminal.text());
    gate.open();
    assert_eq!(shop.journal().last().unwrap()[2], "unknown");
}
