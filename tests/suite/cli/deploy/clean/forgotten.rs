//! What is kept of a stack goes with it, as far as it is still that stack's and nobody else's.

use std::process::Stdio;

use super::CLEAN;
use crate::cli::deploy::stack::Stacked;
use crate::cli::shop::Done;
use crate::support::account::Account;
use crate::support::proxy::{Fault, Gate};

/// Cleans, and does something once the plan is confirmed and before the stack is deleted.
fn meanwhile(account: &Account, shop: &Stacked, does: impl FnOnce()) -> Done {
    let (behind, proxy) = account.behind_proxy();
    let gate = Gate::new();
    proxy.on("cloudformation:DeleteStack").times(1).reply(Fault::Delay(gate.clone()));
    let mut clean = shop.command(&[&CLEAN[..], &["--with-artifacts"]].concat());
    let clean = clean.envs(behind.env()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    gate.reached();
    does();
    gate.open();
    Done::of(&clean.wait_with_output().unwrap())
}

fn receipt(account: &Account) -> String {
    format!("/shop-state-{}/plumb/shop/dev/receipts/stack/shop-dev.json", account.id)
}

fn artifacts(account: &Account) -> usize {
    let listing = format!("/shop-state-{}?list-type=2&prefix=plumb/shop/artifacts/", account.id);
    account.caller().send("s3", "GET", &listing, &[], b"").unwrap().text().matches("<Key>").count()
}

#[test]
fn an_artifact_that_is_needed_since_it_was_shown_stays() {
    let account = Account::fresh();
    let shop = Stacked::live(&account);
    let done = meanwhile(&account, &shop, || drop(shop.plumb(&["deploy", "--env", "qa", "--yes"])));
    done.ended(0).complained(&["its receipt deleted", "1 artifacts stay", "shop-dev is deleted"]);
    assert!(done.stdout.contains("- goes  s3://"), "it was shown: {done}");
    assert_eq!((shop.status(), artifacts(&account)), (None, 1));
}

#[test]
fn a_receipt_that_was_written_anew_stays_and_so_do_the_artifacts() {
    let account = Account::fresh();
    let shop = Stacked::live(&account);
    let path = receipt(&account);
    let written = || {
        let was = account.caller().send("s3", "GET", &path, &[], b"").unwrap().text();
        let reply = account.caller().send("s3", "PUT", &path, &[], format!("{was}\n").as_bytes()).unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
    };
    let done = meanwhile(&account, &shop, written);
    done.ended(2).complained(&["shop-dev is gone, but not all that is kept of it", "its receipt was written anew"]);
    assert_eq!(account.caller().send("s3", "GET", &path, &[], b"").unwrap().status, 200);
    assert_eq!(artifacts(&account), 1);
}

#[test]
fn a_stack_that_was_made_anew_keeps_what_is_kept_under_its_name() {
    let account = Account::fresh();
    let shop = Stacked::live(&account);
    let described = shop.cloudformation("DescribeStacks", &[("StackName", "shop-dev")]);
    let id = described.split_once("<StackId>").and_then(|(_, rest)| rest.split_once('<')).unwrap().0;
    let (behind, proxy) = account.behind_proxy();
    // The fourth look is after the deletion.
    let other = described.replace(id, &format!("{id}-new")).into_bytes();
    proxy.on("cloudformation:DescribeStacks").after(3).times(1).reply(Fault::Body(200, other));
    let done = shop.through(&behind, &[&CLEAN[..], &["--with-artifacts"]].concat());
    done.ended(2).complained(&["there is another stack shop-dev already"]);
    assert_eq!(shop.status(), None);
    assert_eq!(account.caller().send("s3", "GET", &receipt(&account), &[], b"").unwrap().status, 200);
    assert_eq!(artifacts(&account), 1);
}
