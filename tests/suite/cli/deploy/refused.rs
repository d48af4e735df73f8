//! What is not confirmed, not allowed or overtaken leaves nothing behind.

use super::stack::Stacked;
use crate::support::account::Account;
use crate::support::proxy::{Fault, Gate};
use crate::support::terminal::{Program, Terminal};

pub fn at_terminal(shop: &Stacked, arguments: &[&str]) -> Terminal {
    let program = Program::plumb().dir(shop.root()).env("HOME", shop.directory.path()).envs(shop.env.iter().cloned());
    program.args(arguments.iter().copied()).start()
}

#[test]
fn what_is_not_confirmed_leaves_neither_a_change_set_nor_a_stack() {
    let account = Account::fresh();
    let shop = Stacked::at(&account);
    let terminal = at_terminal(&shop, &["deploy", "--env", "dev"]);
    terminal.sees("Type y to make shop-dev of 5 resources").type_text("n\r").sees("was not confirmed");
    assert_eq!(terminal.exit_code(), 2, "{}", terminal.text());
    assert_eq!(shop.status(), None, "the stack was there only to be reviewed");

    let terminal = at_terminal(&shop, &["deploy", "--env", "dev"]);
    terminal.sees("Type y to make shop-dev").press("^c").sees("is deleted again");
    assert_eq!(terminal.exit_code(), 130, "{}", terminal.text());
    assert_eq!(shop.status(), None);

    let terminal = at_terminal(&shop, &["deploy", "--env", "dev"]);
    terminal.sees("Type y to make shop-dev").type_text("y\r").sees("shop-dev: CREATE_COMPLETE");
    assert_eq!(terminal.exit_code(), 0, "{}", terminal.text());

    shop.replace("stack.yaml", "VisibilityTimeout: 30", "VisibilityTimeout: 60");
    shop.commit();
    let terminal = at_terminal(&shop, &["deploy", "--env", "dev"]);
    terminal.sees("Type y to change 1 resource of shop-dev").type_text("n\r").sees("is deleted again");
    assert_eq!(terminal.exit_code(), 2, "{}", terminal.text());
    assert_eq!(shop.status().as_deref(), Some("CREATE_COMPLETE"));
    assert_eq!(shop.waiting_change_sets(), 0);
}

#[test]
fn a_protected_environment_wants_its_name_and_a_read_only_one_leave() {
    let account = Account::fresh();
    let shop = Stacked::at(&account);
    shop.plumb(&["deploy", "--env", "prod", "--dry-run"]).ended(2).complained(&["refused: prod is read-only"]);
    shop.plumb(&["deploy", "--env", "prod", "--unlock", "prod is down", "--dry-run"]).ended(1);
    let terminal = at_terminal(&shop, &["deploy", "--env", "qa"]);
    terminal.sees("Type qa to make shop-qa").type_text("y\r").sees("was not confirmed");
    assert_eq!(terminal.exit_code(), 2, "{}", terminal.text());
    let terminal = at_terminal(&shop, &["deploy", "--env", "qa"]);
    terminal.sees("Type qa to make shop-qa").type_text("qa\r").sees("shop-qa: CREATE_COMPLETE");
    assert_eq!(terminal.exit_code(), 0, "{}", terminal.text());
}

#[test]
fn of_two_operators_the_second_is_told_that_somebody_was_faster() {
    let account = Account::fresh();
    let shop = Stacked::live(&account);
    shop.replace("stack.yaml", "VisibilityTimeout: 30", "VisibilityTimeout: 60");
    shop.commit();
    let (behind, proxy) = account.behind_proxy();
    let gate = Gate::new();
    // The first has its plan, and is about to execute it, when the second does so.
    proxy.on("cloudformation:ExecuteChangeSet").times(1).reply(Fault::Delay(gate.clone()));
    let mut first = shop.command(&["deploy", "--env", "dev", "--yes"]);
    first.envs(behind.env()).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let first = first.spawn().unwrap();
    gate.reached();
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(0);
    gate.open();
    let first = crate::cli::shop::Done::of(&first.wait_with_output().unwrap());
    first.ended(2).complained(&["shop-dev was not changed", "somebody else changes it", "plumb deploy shop-dev"]);
    assert_eq!(shop.status().as_deref(), Some("UPDATE_COMPLETE"));
    let journal = shop.journal();
    let ended: Vec<&str> = journal.iter().filter(|entry| entry[0] == "deploy").filter_map(|e| e[2].as_str()).collect();
    assert_eq!(ended, ["ok", "failed", "ok"], "{journal:?}");
}

#[test]
fn a_change_set_that_cannot_be_made_says_why_and_leaves_nothing() {
    let account = Account::fresh();
    let shop = Stacked::at(&account);
    // The local account asks for capabilities only where it enforces IAM.
    let (behind, proxy) = account.behind_proxy();
    let words = "Requires capabilities : [CAPABILITY_NAMED_IAM]";
    let body = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>InsufficientCapabilitiesException</Code>\
         <Message>{words}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
    );
    proxy.on("cloudformation:CreateChangeSet").times(1).reply(Fault::Body(400, body.into_bytes()));
    let done = shop.through(&behind, &["deploy", "--env", "dev", "--yes"]);
    done.ended(2).complained(&[words, "try: capabilities of shop-dev in plumb.toml"]);
    assert_eq!(shop.status(), None);

    shop.replace("stack.yaml", "  Topic:", "  Odd: { Type: AWS::Unheard::Of }\n  Topic:");
    shop.commit();
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(2).complained(&["AWS::Unheard::Of"]);
    assert_eq!(shop.status(), None);

    shop.write("stack.yaml", "Resources: [");
    shop.commit();
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(2).complained(&["stack.yaml:2:1: not YAML"]);

    let words = "User: mara is not authorized to perform: cloudformation:CreateChangeSet";
    proxy.on("cloudformation:CreateChangeSet").reply(Fault::AccessDenied(words.to_owned()));
    shop.git(&["checkout", "-q", "HEAD~2", "--", "stack.yaml"]);
    shop.commit();
    let done = shop.through(&behind, &["deploy", "--env", "dev", "--yes"]);
    done.ended(2).complained(&[words, "try: cloudformation:CreateChangeSet is needed"]);
    assert_eq!(shop.status(), None);
    assert_eq!(shop.journal().last().unwrap()[2], "failed");
}

#[test]
fn a_change_set_that_is_still_worked_out_is_waited_for_and_then_taken_back() {
    let account = Account::fresh();
    let shop = Stacked::at(&account);
    let (behind, proxy) = account.behind_proxy();
    let early = "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidChangeSetStatus</Code><Message>ChangeSet cannot be \
        deleted in status CREATE_IN_PROGRESS</Message></Error></ErrorResponse>";
    let busy = "<DescribeChangeSetResponse><DescribeChangeSetResult><Status>CREATE_IN_PROGRESS</Status>\
        </DescribeChangeSetResult></DescribeChangeSetResponse>";
    proxy.on("cloudformation:DeleteChangeSet").times(1).reply(Fault::Body(400, early.into()));
    let by_name = |call: &crate::support::proxy::Call| call.form("StackName").is_some();
    proxy.on("cloudformation:DescribeChangeSet").when(by_name).times(1).reply(Fault::Body(200, busy.into()));
    shop.through(&behind, &["deploy", "--env", "dev", "--dry-run"]).ended(1);
    assert_eq!((shop.status(), proxy.count("cloudformation:DeleteChangeSet")), (None, 2));
}

#[test]
fn a_plan_that_cannot_be_noted_is_taken_back() {
    let account = Account::fresh();
    let shop = Stacked::at(&account);
    let terminal = at_terminal(&shop, &["deploy", "--env", "dev"]);
    terminal.sees("Type y to make shop-dev of 5 resources");
    // What is not noted before is not done.
    let journal = shop.directory.path().join(".local/state/plumb/journal.jsonl");
    std::fs::rename(&journal, journal.with_extension("old")).unwrap();
    std::fs::create_dir(&journal).unwrap();
    terminal.type_text("y\r");
    assert_eq!(terminal.exit_code(), 2, "{}", terminal.text());
    assert_eq!(shop.status(), None, "{}", terminal.text());
}
