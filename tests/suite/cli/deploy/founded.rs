//! An account's foundation: what is there already is found, whoever made it, and nobody is trusted who is not meant.

use serde_json::json;

use super::stack::{PROJECT, Stacked};
use crate::support::account::Account;

/// The local account makes neither a provider nor a trail by CloudFormation, so that both are there already here.
#[test]
fn an_account_gets_what_the_project_needs_and_nothing_twice() {
    let account = Account::fresh();
    let shop = Stacked::at(&account);
    let provider =
        [("Url", "https://token.actions.githubusercontent.com"), ("ClientIDList.member.1", "sts.amazonaws.com")];
    let made = account.caller().query("iam", "CreateOpenIDConnectProvider", &provider).unwrap();
    assert_eq!(made.status, 200, "{made:?}");
    let trail = json!({ "Name": "audit", "S3BucketName": "audit-logs" });
    let target = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.CreateTrail";
    let made = account.caller().json("cloudtrail", target, &trail).unwrap();
    assert_eq!(made.status, 200, "{made:?}");
    // A trail that is off records nothing, and so is none.
    let off = shop.plumb(&["bootstrap", "--env", "dev", "--github", "team/shop", "--dry-run"]);
    off.complained(&["the trail audit is switched off, so the loop would hear of nothing by it"]);
    assert!(!off.stderr.contains("the trail audit is there already"), "{off}");
    let on = json!({ "Name": "audit" });
    let target = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.StartLogging";
    assert_eq!(account.caller().json("cloudtrail", target, &on).unwrap().status, 200);
    let arguments = ["bootstrap", "--env", "dev", "--github", "team/shop"];
    let planned = shop.plumb(&[&arguments[..], &["--dry-run"]].concat());
    planned.ended(1).complained(&["is there already, and is trusted", "the trail audit is there already"]);
    for part in ["+ add  StateBucket", "+ add  DeployRole", "+ add  CheckRole", "! more is allowed: DeployRole"] {
        assert!(planned.stdout.contains(part), "{part}: {planned}");
    }
    let done = shop.plumb(&[&arguments[..], &["--yes"]].concat());
    assert!(done.ended(0).stdout.contains("DeployRole = arn:aws:iam::"), "{done}");
    let role = account.caller().query("iam", "GetRole", &[("RoleName", "shop-deploy")]).unwrap().text();
    assert!(
        role.contains("repo%3Ateam%2Fshop%3Aref%3Arefs%2Fheads%2Fmain")
            || role.contains("repo:team/shop:ref:refs/heads/main"),
        "{role}"
    );
    let check = account.caller().query("iam", "GetRole", &[("RoleName", "shop-check")]).unwrap().text();
    assert!(
        check.contains("repo%3Ateam%2Fshop%3Apull_request") || check.contains("repo:team/shop:pull_request"),
        "{check}"
    );
    let named = [("RoleName", "shop-check"), ("PolicyName", "plumb")];
    let policy = account.caller().query("iam", "GetRolePolicy", &named).unwrap().text();
    for (action, may) in [
        ("CreateChangeSet", true),
        ("DescribeParameters", true),
        ("ExecuteChangeSet", false),
        ("GetSecretValue", false),
        ("GetParameters", false),
        ("Decrypt", false),
        ("PutObject", false),
    ] {
        assert_eq!(policy.contains(action), may, "{action}: {policy}");
    }
    let made = account.caller().query("cloudformation", "ListStackResources", &[("StackName", "shop-plumb")]).unwrap();
    let made = made.text();
    assert!(made.contains("AWS::KMS::Key") && !made.contains("OIDCProvider") && !made.contains("Trail"), "{made}");
    // What it made itself stays its own, and a stack is deployed through the bucket.
    let again = shop.plumb(&[&arguments[..], &["--yes"]].concat());
    assert!(again.ended(0).stdout.contains("nothing to change"), "{again}");
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(0);
}

/// A trail that records, so that none is wanted of the local account.
fn with_trail(account: &Account) -> Stacked {
    let operation = |name: &str, body: &serde_json::Value| {
        let target = format!("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.{name}");
        let reply = account.caller().json("cloudtrail", &target, body).unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
    };
    operation("CreateTrail", &json!({ "Name": "audit", "S3BucketName": "audit-logs" }));
    operation("StartLogging", &json!({ "Name": "audit" }));
    Stacked::at(account)
}

#[test]
fn a_foundation_whose_stack_is_gone_is_laid_again_around_what_stayed() {
    let account = Account::fresh();
    let shop = with_trail(&account);
    let arguments = ["bootstrap", "--env", "dev", "--yes", "-o", "json"];
    let first = shop.plumb(&arguments).ended(0).json();
    let key = first["stacks"][0]["outputs"]["SopsKey"].clone();
    shop.cloudformation("DeleteStack", &[("StackName", "shop-plumb")]);
    let again = shop.plumb(&arguments);
    again.ended(0).complained(&["alias/shop-sops is there already", "alias/shop-parameters is there already"]);
    let json = again.json();
    assert_eq!(json["stacks"][0]["outputs"]["SopsKey"], key, "documents are still opened by it: {json:#}");
    let idle = shop.plumb(&arguments).ended(0).json();
    assert_eq!(idle["stacks"][0]["changes"], json!([]), "{idle:#}");
}

#[test]
fn what_a_foundation_was_told_once_stays_until_something_else_is_said() {
    let account = Account::fresh();
    let shop = with_trail(&account);
    let bootstrap = |more: &[&str]| shop.plumb(&[&["bootstrap", "--env", "dev", "--yes"], more].concat());
    let role = || account.caller().query("iam", "GetRole", &[("RoleName", "shop-deploy")]).unwrap().text();
    let attached = || {
        let asked = [("RoleName", "shop-deploy")];
        account.caller().query("iam", "ListAttachedRolePolicies", &asked).unwrap().text()
    };
    let provider =
        [("Url", "https://token.actions.githubusercontent.com"), ("ClientIDList.member.1", "sts.amazonaws.com")];
    account.caller().query("iam", "CreateOpenIDConnectProvider", &provider).unwrap();
    let policy = "arn:aws:iam::aws:policy/AmazonSQSFullAccess";
    bootstrap(&["--github", "team/shop", "--branch", "release", "--attach", policy]).ended(0);
    assert!(role().contains("release") && attached().contains(policy), "{}", role());
    // Nobody says anything of repository, branch and policies.
    let again = bootstrap(&[]);
    again.ended(0).complained(&["team/shop stay trusted", "release stays the branch", &format!("keeps {policy}")]);
    assert!(again.stdout.contains("nothing to change"), "{again}");
    bootstrap(&["--attach", "none", "--attach", policy]).ended(2);
    bootstrap(&["--attach", "none", "--branch", "main"]).ended(0);
    assert!(!attached().contains(policy) && !role().contains("release"), "{} {}", attached(), role());
}

#[test]
fn a_repository_on_a_server_of_ones_own_is_trusted_by_that_servers_tokens_alone() {
    let account = Account::fresh();
    let shop = with_trail(&account);
    let at_server = "[redeploy]\nrepository = \"team/shop\"\napi = \"https://git.example/api/v3\"\n[state]";
    shop.write("plumb.toml", &PROJECT.replacen("[state]", at_server, 1));
    shop.commit();
    let role = || account.caller().query("iam", "GetRole", &[("RoleName", "shop-deploy")]).unwrap();
    // A name alone is one at the project's own server.
    for more in [&[][..], &["--github", "team/shop"]] {
        let done = shop.plumb(&[&["bootstrap", "--env", "dev", "--yes"], more].concat());
        done.ended(0).complained(&[
            "team/shop is on git.example",
            "no deploy role is made",
            "https://git.example/_services/token",
        ]);
        assert_eq!(role().status, 404, "{done}");
    }

    let issuer = "https://git.example/_services/token";
    let provider = [("Url", issuer), ("ClientIDList.member.1", "sts.amazonaws.com")];
    let made = account.caller().query("iam", "CreateOpenIDConnectProvider", &provider).unwrap();
    assert_eq!(made.status, 200, "{made:?}");
    let done = shop.plumb(&["bootstrap", "--env", "dev", "--issuer", issuer, "--yes"]);
    done.ended(0).complained(&["oidc-provider/git.example/_services/token is there already, and is trusted"]);
    let trusted = role().text();
    assert!(trusted.contains("git.example") && !trusted.contains("githubusercontent"), "{trusted}");
}
