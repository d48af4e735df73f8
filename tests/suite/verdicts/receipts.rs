//! Receipts under two writers, and those that the project has left behind.

use std::collections::BTreeMap;

use plumb::aws::Timeouts;
use plumb::compare::Changed;
use plumb::ops::receipt::{Receipt, Recorded, UnitId};
use plumb::ops::{push, record};

use super::by_hand::Act;
use super::shop::{DEV, Seen, Shop, verdicts};
use crate::support::account::{self, Options};
use crate::support::proxy::{Fault, Gate};

const POOL: &str = "/billing/dev/pool";

async fn receipt(shop: &Shop, unit: &UnitId) -> Receipt {
    let session = shop.session().await;
    match session.receipts().await.unwrap().load(&session.clients, unit).await {
        Recorded::Receipt(receipt) => Receipt::clone(&receipt),
        other => panic!("{unit}: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_was_overtaken_puts_nothing_older_back() {
    let shop = Shop::live().await;
    let first = shop.git(&["rev-parse", "HEAD"]);
    let (account, proxy) = shop.account.behind_proxy();
    let slow = shop.session_of(DEV, &account, Timeouts::default()).await;
    let gate = Gate::new();
    proxy.on("s3:PutObject").times(1).reply(Fault::Delay(gate.clone()));
    // The slow one has read the old value, and is about to write down what it has read.
    let slow = tokio::spawn(async move { record::record(&slow, &first, false).await.unwrap() });
    gate.reached();
    shop.set("config/billing/dev.json", "pool", Some("30"));
    shop.commit("More connections");
    let pushed = push::push(&shop.session().await, "HEAD").await.unwrap();
    assert_eq!(pushed.written.iter().map(|written| written.name.as_str()).collect::<Vec<_>>(), [POOL]);
    let before = receipt(&shop, &UnitId::Config("billing".into())).await;
    gate.open();
    let done = slow.await.unwrap();
    assert_eq!(done.different, [POOL], "it looked again");

    let after = receipt(&shop, &UnitId::Config("billing".into())).await;
    assert_eq!((&after.items[POOL], &after.commit), (&before.items[POOL], &before.commit));
    assert_eq!(after.items[POOL].version, "2");
    // So that what a hand does next is told as that hand's doing.
    super::by_hand::put_parameter(&shop.by_hand().await, POOL, "50").await;
    assert_eq!(shop.look().await.verdicts["parameter /billing/dev/pool"], "drifted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_that_left_the_project_file_is_told_as_long_as_its_receipt_is_there() {
    let shop = Shop::live().await;
    let project = shop.read("plumb.toml");
    let (before, rest) = project.split_once("[[stacks]]").unwrap();
    let (_, after) = rest.split_once("[environments.dev]").unwrap();
    shop.write("plumb.toml", &format!("{before}[environments.dev]{after}"));
    shop.commit("Forget the stack");
    let seen = shop.look().await;
    assert_eq!(
        seen.problems(),
        ["shop-dev: rolled out, and no longer in plumb.toml: it is not compared"],
        "{:#?}",
        seen.verdicts
    );
    shop.write("plumb.toml", &project);
    shop.commit("Remember it");
    shop.in_sync().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_writers_of_a_stack_the_one_that_saw_the_later_state_is_believed() {
    let shop = Shop::live().await;
    let unit = UnitId::Stack("shop-dev".into());
    let rolled_out = receipt(&shop, &unit).await;
    let session = shop.session().await;
    let store = session.receipts().await.unwrap();
    let later = Receipt { stack_changed_at: rolled_out.stack_changed_at.map(|at| at + 1), ..rolled_out.clone() };
    store.update(&session.clients, &unit, |_| later.clone()).await.unwrap();
    record::record(&session, "HEAD", false).await.unwrap();
    let now = Receipt { tag: later.tag.clone(), ..receipt(&shop, &unit).await };
    assert_eq!(now, later, "it was written of a state that is over");
    store.update(&session.clients, &unit, |_| rolled_out.clone()).await.unwrap();
    record::record(&session, "HEAD", false).await.unwrap();
    assert!(receipt(&shop, &unit).await.at >= rolled_out.at);
    assert_eq!(shop.look().await.moved_from(&shop.in_sync().await), verdicts(&[]));
}

/// Who moved each item that moved live, and when.
fn who(seen: &Seen) -> BTreeMap<String, Changed> {
    let moved = seen.report.items().filter_map(|item| Some((item.name.clone(), item.changed.clone()?)));
    moved.filter(|(_, changed)| changed.event.is_some()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn recording_keeps_who_moved_what_still_drifts_and_when() {
    // A key that is no account's id is a user of the emulator's first account, so nobody else is to be in it.
    let emulator = account::start(Options::default());
    let mut shop = Shop::live_in(emulator.account().with_key("deployer", "any")).await;
    let deployer = shop.account.clone();
    let unit = UnitId::Config("billing".into());
    let rolled_out = receipt(&shop, &unit).await;
    shop.account = deployer.with_key("mallory", "any");
    for act in [
        Act::Memory(1024),
        Act::DeleteTable,
        Act::Code("def handler(event, context):\n    return 2\n"),
        Act::PutParameter(POOL, "50"),
        Act::DeleteParameter("/billing/dev/host"),
        Act::PutParameter("/web/dev/debug", "true"),
        Act::PutSecret("dev/shop/stripe", "sk_2"),
    ] {
        shop.act(act).await;
    }
    shop.account = deployer;
    let before = who(&shop.look().await);
    let names: Vec<&str> = before.keys().map(String::as_str).collect();
    let moved = [
        "/billing/dev/host",
        POOL,
        "/web/dev/debug",
        "dev/shop/stripe",
        "shop-dev-api",
        "shop-dev/Api",
        "shop-dev/Table",
    ];
    assert_eq!(names, moved);
    for (name, changed) in &before {
        assert!(changed.by.as_deref() == Some("mallory") && changed.at.is_some(), "{name}: {changed:?}");
    }

    let done = record::record(&shop.session().await, "HEAD", false).await.unwrap();
    assert_eq!(done.different, [POOL, "dev/shop/stripe"]);
    assert_eq!(who(&shop.look().await), before, "nothing has moved since");
    // Nor was anything rolled out: what the unit runs, since when and by whom is as it was.
    let recorded = receipt(&shop, &unit).await;
    assert_eq!((recorded.commit, recorded.at, recorded.by), (rolled_out.commit, rolled_out.at, rolled_out.by));
}
