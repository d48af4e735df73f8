//! A deployment that fails, that is cut off, or that nobody can look at for a while.

use super::stack::{Stacked, TEMPLATE};
use crate::support::account::Account;
use crate::support::proxy::{Call, Fault, Gate, Outcome};

/// A parameter that fails to be made, after the queue was changed.
pub const CLASH: &str = "  Clash:\n    Type: AWS::SSM::Parameter\n    DependsOn: Queue\n    \
    Properties: { Name: /shop/clash, Type: String, Value: a }\n";

/// A stack whose next deployment fails at that.
pub fn clashing(account: &Account) -> Stacked {
    let shop = Stacked::live(account);
    shop.by_hand_parameter("/shop/clash");
    shop.replace("stack.yaml", "VisibilityTimeout: 30", "VisibilityTimeout: 60");
    shop.replace("stack.yaml", "Outputs:", &format!("{CLASH}Outputs:"));
    shop.commit();
    shop
}

#[test]
fn a_failed_update_is_followed_through_its_rollback_and_names_what_failed_first() {
    let account = Account::fresh();
    let shop = clashing(&account);
    let done = shop.plumb(&["deploy", "--env", "dev", "--yes", "-o", "json"]);
    done.ended(2).complained(&["! Clash failed first:", "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"]);
    let stack = &done.json()["stacks"][0];
    assert_eq!(stack["state"], "failed", "{stack:#}");
    assert_eq!(stack["failure"]["name"], "Clash");
    let reason = stack["problems"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("ended in UPDATE_ROLLBACK_COMPLETE, it runs what it ran before: Clash"), "{reason}");
    assert_eq!(stack["recorded"], false);
    let journal = shop.journal();
    assert_eq!(journal.last().unwrap()[2], "failed", "{journal:?}");
    let again = shop.plumb(&["deploy", "--env", "dev", "--dry-run", "-o", "json"]).json();
    let before = shop.git_text(&["rev-parse", "HEAD~1"]);
    assert_eq!(again["stacks"][0]["runs"], before, "the receipt is still that of what runs");
}

#[test]
fn a_failed_creation_names_the_way_out() {
    let account = Account::fresh();
    let shop = Stacked::with(&account, &TEMPLATE.replace("Outputs:", &format!("{CLASH}Outputs:")));
    shop.by_hand_parameter("/shop/clash");
    let done = shop.plumb(&["deploy", "--env", "dev", "--yes"]);
    assert!(done.ended(2).stdout.contains("shop-dev ended in ROLLBACK_COMPLETE"), "{done}");
    assert!(done.stdout.contains("plumb recover shop-dev"), "{done}");
    let again = shop.plumb(&["deploy", "--env", "dev", "--yes"]);
    again
        .ended(2)
        .complained(&["shop-dev is ROLLBACK_COMPLETE", "plumb recover shop-dev, to delete what is left of it"]);
}

#[test]
fn a_deployment_whose_follower_was_killed_is_followed_and_recorded_by_the_next() {
    let account = Account::fresh();
    let shop = Stacked::live(&account);
    shop.write("api/app.py", "def handler(event, context):\n    return 2\n");
    shop.commit();
    let (behind, proxy) = account.behind_proxy();
    let gate = Gate::new();
    proxy.on("cloudformation:ExecuteChangeSet").reply(Fault::Silence(gate.clone()));
    let mut child = shop.command(&["deploy", "--env", "dev", "--yes"]);
    let null = std::process::Stdio::null;
    let mut child = child.envs(behind.env()).stdout(null()).stderr(null()).spawn().unwrap();
    gate.reached();
    child.kill().unwrap();
    child.wait().unwrap();

    let next = shop.plumb(&["deploy", "--env", "dev", "--yes"]);
    assert!(next.ended(0).stdout.contains("nothing to change"), "{next}");
    shop.plumb(&["status", "--env", "dev", "--only", "code"]).ended(0);
    let journal = shop.journal();
    let deploys: Vec<&str> =
        journal.iter().filter(|entry| entry[0] == "deploy").filter_map(|e| e[2].as_str()).collect();
    assert_eq!(deploys, ["ok", "unknown", "ok"], "{journal:?}");
}

#[test]
fn what_is_under_way_is_followed_first_whoever_began_it() {
    let account = Account::fresh();
    let shop = Stacked::live(&account);
    let (behind, proxy) = account.behind_proxy();
    let described = shop.cloudformation("DescribeStacks", &[("StackName", "shop-dev")]);
    let busy = described.replace("CREATE_COMPLETE", "UPDATE_IN_PROGRESS");
    proxy.on("cloudformation:DescribeStacks").times(1).reply(Fault::Body(200, busy.clone().into_bytes()));
    let done = shop.through(&behind, &["deploy", "--env", "dev", "--yes"]);
    done.ended(0).complained(&["shop-dev is at work already: a plumb began it at ", "CREATE_COMPLETE"]);
    assert!(done.stdout.contains("nothing to change"), "{done}");

    proxy.on("cloudformation:DescribeStacks").times(1).reply(Fault::Body(200, busy.into_bytes()));
    let followed = shop.through(&behind, &["deploy", "--env", "dev", "--follow"]);
    assert!(followed.ended(0).stdout.contains("shop-dev: CREATE_COMPLETE"), "{followed}");
    let idle = shop.plumb(&["deploy", "--env", "dev", "--follow"]);
    idle.ended(0).complained(&["nothing is under way with shop-dev"]);
}

#[test]
fn questions_that_are_not_answered_end_nothing() {
    let account = Account::fresh();
    let shop = Stacked::live(&account);
    shop.replace("stack.yaml", "VisibilityTimeout: 30", "VisibilityTimeout: 60");
    shop.commit();
    let (behind, proxy) = account.behind_proxy();
    // More often than the SDK tries again by itself.
    proxy.on("cloudformation:DescribeStackEvents").times(7).reply(Fault::Throttling);
    let done = shop.through(&behind, &["deploy", "--env", "dev", "--yes"]);
    done.ended(0).complained(&["Rate exceeded", "asking again", "AWS answers again", "UPDATE_COMPLETE"]);

    shop.replace("stack.yaml", "VisibilityTimeout: 60", "VisibilityTimeout: 90");
    shop.commit();
    proxy.on("cloudformation:DescribeStackEvents").times(7).reply(Fault::Reset);
    let done = shop.through(&behind, &["deploy", "--env", "dev", "--yes"]);
    done.ended(0).complained(&["asking again", "AWS answers again", "UPDATE_COMPLETE"]);
}

#[test]
fn credentials_that_end_in_the_middle_leave_the_deployment_going_on_and_say_so() {
    let account = Account::fresh();
    let shop = Stacked::live(&account);
    shop.replace("stack.yaml", "VisibilityTimeout: 30", "VisibilityTimeout: 60");
    shop.commit();
    let (behind, proxy) = account.behind_proxy();
    proxy.on("cloudformation:DescribeStackEvents").reply(Fault::ExpiredToken);
    let done = shop.through(&behind, &["deploy", "--env", "dev", "--yes"]);
    done.ended(2)
        .complained(&["is not followed any more, and what AWS is at with it goes on", "plumb deploy shop-dev follows"]);
    assert_eq!(shop.journal().last().unwrap()[2], "unknown");
    proxy.heal();
    let next = shop.through(&behind, &["deploy", "--env", "dev", "--yes"]);
    assert!(next.ended(0).stdout.contains("receipt "), "{next}");
}

#[test]
fn an_execution_whose_answer_was_lost_is_followed_if_it_began() {
    let account = Account::fresh();
    let shop = Stacked::live(&account);
    shop.replace("stack.yaml", "VisibilityTimeout: 30", "VisibilityTimeout: 60");
    shop.commit();
    let (behind, proxy) = account.behind_proxy();
    proxy.on("cloudformation:ExecuteChangeSet").times(1).reply(Fault::TruncatedBody);
    proxy.on("cloudformation:ExecuteChangeSet").reply(Fault::Reset);
    let done = shop.through(&behind, &["deploy", "--env", "dev", "--yes"]);
    assert!(done.ended(0).stdout.contains("shop-dev: UPDATE_COMPLETE"), "{done}");
}

#[test]
fn an_execution_that_a_later_try_is_refused_for_has_begun() {
    let account = Account::fresh();
    let shop = Stacked::live(&account);
    let (behind, proxy) = account.behind_proxy();
    let refused = "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidChangeSetStatus</Code><Message>ChangeSet cannot be \
        executed in its current execution status of EXECUTE_IN_PROGRESS</Message></Error></ErrorResponse>";
    let nothing = "<DescribeStackEventsResponse><DescribeStackEventsResult><StackEvents/></DescribeStackEventsResult>\
        </DescribeStackEventsResponse>";
    for (seconds, hides_events, last) in [
        ("60", false, Fault::Body(400, refused.into())),
        ("90", true, Fault::Body(400, refused.into())),
        ("120", false, Fault::ServerError),
    ] {
        let text = std::fs::read_to_string(shop.root().join("stack.yaml")).unwrap();
        let (_, was) = text.split_once("VisibilityTimeout: ").unwrap();
        let was = was.split(' ').next().unwrap().to_owned();
        shop.replace("stack.yaml", &format!("VisibilityTimeout: {was}"), &format!("VisibilityTimeout: {seconds}"));
        shop.commit();
        proxy.heal();
        proxy.on("cloudformation:ExecuteChangeSet").times(1).reply(Fault::TruncatedBody);
        proxy.on("cloudformation:ExecuteChangeSet").reply(last);
        if hides_events {
            // The change set itself knows.
            proxy.on("cloudformation:DescribeStackEvents").times(1).reply(Fault::Body(200, nothing.into()));
        }
        let done = shop.through(&behind, &["deploy", "--env", "dev", "--yes"]);
        assert!(done.ended(0).stdout.contains("shop-dev: UPDATE_COMPLETE"), "{done}");
    }
}

#[test]
fn a_clock_that_is_an_hour_off_costs_a_few_refusals_and_no_deployment() {
    let account = Account::fresh();
    let shop = Stacked::live(&account);
    shop.replace("stack.yaml", "VisibilityTimeout: 30", "VisibilityTimeout: 60");
    shop.commit();
    let (behind, proxy) = account.behind_proxy();
    for ahead in [3600, -3600] {
        proxy.heal();
        proxy.on("*").reply(Fault::Skewed(ahead));
        proxy.forget();
        let done = shop.through(&behind, &["deploy", "--env", "dev", "--yes"]);
        done.ended(0);
        let refused = |call: &&Call| matches!(call.outcome, Outcome::Faulted { fault: "skewed", .. });
        let calls = proxy.calls();
        // Each client learns it once: one for a service, and one for the caller.
        let refused = calls.iter().filter(refused).count();
        assert!((1..=8).contains(&refused), "{refused} of {}: {calls:#?}", calls.len());
    }
    assert_eq!(shop.status().as_deref(), Some("UPDATE_COMPLETE"));
    assert!(shop.journal().iter().all(|entry| entry[2] == "ok"), "{:?}", shop.journal());
    // Who wonders is told of it.
    let doctor = shop.through(&behind, &["doctor", "--env", "dev"]);
    assert!(
        doctor.stdout.contains("this machine's clock is 36") && doctor.stdout.contains("ahead of AWS's"),
        "{doctor}"
    );
}

#[test]
fn an_upload_that_breaks_off_leaves_nothing_under_the_digest() {
    let account = Account::fresh();
    let shop = Stacked::at(&account);
    let (behind, proxy) = account.behind_proxy();
    proxy.on("s3:PutObject").when(|call| call.target.contains("/artifacts/")).reply(Fault::Reset);
    let done = shop.through(&behind, &["deploy", "--env", "dev", "--yes"]);
    done.ended(2).complained(&["cannot write s3://"]);
    assert_eq!(shop.status(), None);
    proxy.heal();
    shop.through(&behind, &["deploy", "--env", "dev", "--yes"]).ended(0);
}
