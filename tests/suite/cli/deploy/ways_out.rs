//! Out of where a stack got stuck, back to what ran before, and away altogether.

use serde_json::{Value, json};

use super::failing::CLASH;
use super::stack::{PROJECT, Stacked, TEMPLATE};
use crate::support::account::Account;

/// A bucket of the stack, a log group that stays, and an alias of the function.
const MORE: &str = r#"  Bin:
    Type: AWS::S3::Bucket
    Properties: { BucketName: !Sub "shop-bin-${AWS::AccountId}", VersioningConfiguration: { Status: Enabled } }
  Logs:
    Type: AWS::Logs::LogGroup
    DeletionPolicy: Retain
    Properties: { LogGroupName: !Sub "/shop/${Environment}" }
"#;

const ALIAS: &str = r"  ApiVersion:
    Type: AWS::Lambda::Version
    DeletionPolicy: Retain
    Properties: { FunctionName: !Ref Api }
  ApiLive:
    Type: AWS::Lambda::Alias
    Properties: { Name: live, FunctionName: !Ref Api, FunctionVersion: !GetAtt ApiVersion.Version }
";

fn with(account: &Account, more: &str) -> Stacked {
    Stacked::with(account, &TEMPLATE.replace("Outputs:", &format!("{more}Outputs:")))
}

/// The function behind an alias, which nobody has deployed yet.
pub fn with_alias(account: &Account) -> Stacked {
    let shop = with(account, ALIAS);
    shop.write("plumb.toml", &PROJECT.replace("source = \"api\"", "source = \"api\"\nalias = \"live\""));
    shop.commit();
    shop
}

fn by_hand(account: &Account, method: &str, path: &str) -> String {
    let reply = account.caller().send("s3", method, path, &[], b"x").unwrap();
    assert!(reply.status < 300, "{method} {path}: {reply:?}");
    reply.text()
}

#[test]
fn what_was_never_made_whole_is_deleted_and_made_anew() {
    let account = Account::fresh();
    let shop = with(&account, CLASH);
    shop.by_hand_parameter("/shop/clash");
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(2);
    shop.plumb(&["recover", "shop-dev", "--skip", "Queue", "--env", "dev", "--yes"])
        .ended(2)
        .complained(&["is ROLLBACK_COMPLETE, which --skip does not help"]);
    let shown = shop.plumb(&["recover", "shop-dev", "--env", "dev", "--dry-run"]);
    shown.ended(1).complained(&["it was never made whole", "the way out: delete what is left of it"]);
    assert_eq!(shop.status().as_deref(), Some("ROLLBACK_COMPLETE"));
    let done = shop.plumb(&["recover", "shop-dev", "--env", "dev", "--yes"]);
    done.ended(0).complained(&["shop-dev: DELETE_COMPLETE; plumb deploy shop-dev goes on"]);
    assert_eq!(shop.status(), None);
    shop.replace("stack.yaml", CLASH, "");
    shop.commit();
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(0);
    shop.plumb(&["recover", "shop-dev", "--env", "dev", "--yes"]).ended(0).complained(&["shop-dev is not stuck"]);
}

#[test]
fn a_rollback_that_failed_is_continued_without_what_it_fails_at() {
    let account = Account::fresh();
    let shop = Stacked::live(&account);
    // What the function ran is gone, so that the rollback cannot bring it back.
    let artifacts = format!("/shop-state-{}?list-type=2&prefix=plumb/shop/artifacts/", account.id);
    let listed = by_hand(&account, "GET", &artifacts);
    let key = listed.split_once("<Key>").and_then(|(_, rest)| rest.split_once("</Key>")).unwrap().0.to_owned();
    by_hand(&account, "DELETE", &format!("/shop-state-{}/{key}", account.id));
    shop.by_hand_parameter("/shop/clash");
    shop.write("api/app.py", "def handler(event, context):\n    return 2\n");
    shop.replace("stack.yaml", "Outputs:", &format!("{}Outputs:", CLASH.replace("DependsOn: Queue", "DependsOn: Api")));
    shop.commit();
    let done = shop.plumb(&["deploy", "--env", "dev", "--yes"]);
    assert!(done.ended(2).stdout.contains("ended in UPDATE_ROLLBACK_FAILED"), "{done}");
    assert!(done.stdout.contains("plumb recover shop-dev goes on with the rollback"), "{done}");
    let again = shop.plumb(&["deploy", "--env", "dev", "--yes"]);
    again.ended(2).complained(&["its last rollback failed", "--skip RESOURCE leaves one as it is"]);

    shop.plumb(&["recover", "shop-dev", "--skip", "Queue", "--env", "dev", "--yes"])
        .ended(2)
        .complained(&["Queue is not what holds shop-dev", "--skip takes one of Api"]);
    let done = shop.plumb(&["recover", "shop-dev", "--skip", "Api", "--env", "dev", "--yes", "-o", "json"]);
    let json = done.ended(0).complained(&["the way out: go on with the rollback, without Api"]).json();
    assert_eq!(json["ended"]["status"], "UPDATE_ROLLBACK_COMPLETE", "{json:#}");
    let journal = shop.journal();
    assert_eq!(journal.last(), Some(&json!(["recover", ["shop-dev"], "ok"])), "{journal:?}");
}

#[test]
fn a_deletion_that_failed_goes_on_without_what_it_fails_at() {
    let account = Account::fresh();
    let images = "  Images: { Type: AWS::ECR::Repository, Properties: { RepositoryName: shop-images } }\n";
    let shop = with(&account, images);
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(0);
    // A repository that has an image is not deleted, here and on AWS.
    let ecr = |action: &str, body: &Value| {
        let target = format!("AmazonEC2ContainerRegistry_V20150921.{action}");
        account.caller().json("ecr", &target, body).unwrap()
    };
    let image = json!({ "repositoryName": "shop-images", "imageManifest": "{}", "imageTag": "one" });
    let pushed = ecr("PutImage", &image);
    assert_eq!(pushed.status, 200, "{pushed:?}");
    let failed = shop.plumb(&["clean", "shop-dev", "--env", "dev", "--yes"]);
    failed.ended(2).complained(&["shop-dev ended in DELETE_FAILED", "try: plumb recover shop-dev"]);
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(2).complained(&["its deletion failed halfway"]);
    let done = shop.plumb(&["recover", "shop-dev", "--retain", "Images", "--env", "dev", "--yes"]);
    done.ended(0).complained(&["Images", "the way out: delete the rest, leaving behind Images"]);
    assert_eq!(shop.status(), None);
    let left = ecr("DescribeRepositories", &json!({ "repositoryNames": ["shop-images"] }));
    assert_eq!(left.status, 200, "{left:?}");
}

#[test]
fn cleaning_shows_all_that_goes_and_keeps_what_is_to_be_kept() {
    let account = Account::fresh();
    let shop = with(&account, MORE);
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(0);
    for _ in 0..2 {
        by_hand(&account, "PUT", &format!("/shop-bin-{}/a", account.id));
    }
    let shown = shop.plumb(&["clean", "shop-dev", "--with-artifacts", "--env", "dev", "--dry-run", "-o", "json"]);
    let json = shown.ended(1).json();
    let of = |id: &str| -> Value {
        let all = json["resources"].as_array().unwrap();
        all.iter().find(|resource| resource["logical_id"] == id).unwrap().clone()
    };
    assert_eq!((&of("Bin")["fate"], &of("Bin")["objects"]), (&json!("deleted"), &json!(2)), "{json:#}");
    assert_eq!((&of("Logs")["fate"], &of("Table")["destroys"]), (&json!("retained"), &json!(true)));
    assert_eq!(json["artifacts"].as_array().unwrap().len(), 1);

    let protection = [("StackName", "shop-dev"), ("EnableTerminationProtection", "true")];
    shop.cloudformation("UpdateTerminationProtection", &protection);
    let refused = shop.plumb(&["clean", "shop-dev", "--env", "dev", "--yes"]);
    refused.ended(2).complained(&["shop-dev is protected from being deleted", "try: --unprotect"]);
    assert_eq!(shop.status().as_deref(), Some("CREATE_COMPLETE"));

    let done = shop.plumb(&["clean", "shop-dev", "--with-artifacts", "--unprotect", "--env", "dev", "--yes"]);
    done.ended(0).complained(&["its receipt deleted", "1 artifacts deleted", "is deleted"]);
    assert!(done.stdout.contains("= stays  Logs"), "{done}");
    assert_eq!(shop.status(), None);
    let logs = json!({ "logGroupNamePrefix": "/shop/dev" });
    let found = account.caller().json("logs", "Logs_20140328.DescribeLogGroups", &logs).unwrap().text();
    assert!(found.contains("/shop/dev"), "{found}");
    shop.plumb(&["clean", "shop-dev", "--env", "dev", "--yes"]).ended(2).complained(&["there is no stack shop-dev"]);
}

#[test]
fn an_artifact_that_another_environment_runs_is_kept() {
    let account = Account::fresh();
    let shop = Stacked::live(&account);
    shop.plumb(&["deploy", "--env", "qa", "--yes"]).ended(0);
    let shown = shop.plumb(&["clean", "shop-dev", "--with-artifacts", "--env", "dev", "--dry-run", "-o", "json"]);
    assert_eq!(shown.ended(1).json()["artifacts"], json!([]), "{shown}");
}

#[test]
fn stacks_go_back_to_a_commit_by_the_same_plan_and_their_past_is_told() {
    let account = Account::fresh();
    let shop = Stacked::live(&account);
    let first = shop.head();
    shop.replace("stack.yaml", "VisibilityTimeout: 30", "VisibilityTimeout: 60");
    shop.commit();
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(0);
    shop.plumb(&["rollback", "--env", "dev"]).ended(2).complained(&["where is the stacks to be rolled back to?"]);
    let back = shop.plumb(&["rollback", "--to", &first, "--env", "dev", "--dry-run"]);
    assert!(back.ended(1).stdout.contains("60  ->  30"), "{back}");
    assert!(back.stdout.contains("! this goes back: dev runs "), "{back}");
    shop.plumb(&["rollback", "shop-dev", "--to", &first, "--env", "dev", "--yes"]).ended(0);
    let past = shop.plumb(&["history", "shop-dev", "--env", "dev", "-o", "json"]).ended(0).json();
    let commits: Vec<&Value> = past["deployments"].as_array().unwrap().iter().map(|one| &one["commit"]).collect();
    assert_eq!(commits, [&json!(first), &json!(shop.head()), &json!(first)], "{past:#}");
    assert_eq!(
        (&past["deployments"][0]["state"], &past["deployments"][0]["message"]),
        (&json!("ok"), &json!("Change"))
    );
    let text = shop.plumb(&["history", "shop-dev", "--env", "dev"]);
    assert_eq!(text.ended(0).stdout.lines().count(), 3, "{text}");
}

#[test]
fn an_alias_goes_back_to_its_previous_version_in_one_call() {
    let account = Account::fresh();
    let shop = with_alias(&account);
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(0);
    shop.plumb(&["rollback", "shop-dev/Api", "--env", "dev", "--yes"]).ended(2).complained(&["no version before 1"]);
    shop.write("api/app.py", "def handler(event, context):\n    return 2\n");
    shop.commit();
    let done = shop.plumb(&["deploy", "--env", "dev", "--yes"]);
    assert!(done.ended(0).stdout.contains("shop-dev-api:live serves version 2"), "{done}");
    let (behind, proxy) = account.behind_proxy();
    let back = shop.through(&behind, &["rollback", "shop-dev/Api", "--env", "dev", "--yes", "-o", "json"]);
    let undone = "its workflow and its loop undo this, unless plumb hold keeps them from it";
    let json = back.ended(0).complained(&["shop-dev-api:live   version 2 -> 1", undone]).json();
    assert!(json["warnings"][0].as_str().unwrap().contains(undone), "{json:#}");
    assert_eq!((&json["to"], &json["changes_code"], &json["written"]), (&json!(1), &json!(true), &json!(true)));
    assert_eq!(proxy.count("lambda:UpdateAlias"), 1);
    assert_eq!(proxy.count("cloudformation:CreateChangeSet"), 0);
    shop.plumb(&["status", "--env", "dev", "--only", "code"]).ended(1);
    let past = shop.plumb(&["history", "shop-dev", "--env", "dev"]);
    assert!(past.ended(0).stdout.lines().next().unwrap().contains("alias"), "{past}");
    // The next deployment says what git says again.
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(0);
    shop.plumb(&["status", "--env", "dev", "--only", "code"]).ended(0);
}

#[test]
fn an_alias_that_is_not_there_is_told_and_holds_up_nothing_else() {
    let account = Account::fresh();
    let shop = Stacked::at(&account);
    shop.write("plumb.toml", &PROJECT.replace("source = \"api\"", "source = \"api\"\nalias = \"live\""));
    shop.commit();
    let done = shop.plumb(&["deploy", "--env", "dev", "--yes", "-o", "json"]);
    assert_ne!(done.code, 0, "{done}");
    let json = done.json();
    let stack = &json["stacks"][0];
    assert_eq!((&stack["status"], &stack["recorded"]), (&json!("CREATE_COMPLETE"), &json!(true)), "{stack:#}");
    let problem = &stack["problems"][0];
    assert_eq!(problem["reason"], "shop-dev-api has no alias live, which plumb.toml says serves it");
    assert!(problem["hint"].as_str().unwrap().contains("AWS::Lambda::Alias of Api"), "{problem}");
}
