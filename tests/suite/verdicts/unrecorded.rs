//! An account that was never rolled out to by Plumb: no receipt, and so nobody is accused.

use std::collections::BTreeSet;

use plumb::ops::{deploy, record};

use super::by_hand::{create_secret, put_parameter};
use super::shop::{Shop, verdicts};
use crate::support::account::Account;

const STATE: &str = "shop-state";

/// What another tool put there: equal, different, missing and more than git has.
async fn filled() -> Shop {
    let shop = Shop::written(Account::fresh());
    let clients = shop.by_hand().await;
    put_parameter(&clients, "/billing/global/currency", "EUR").await;
    put_parameter(&clients, "/billing/dev/pool", "50").await;
    put_parameter(&clients, "/web/dev/title", "The shop").await;
    put_parameter(&clients, "/web/dev/more", "1").await;
    create_secret(&clients, "dev/shop/stripe", "sk_1").await;
    create_secret(&clients, "dev/shop/more", "1").await;
    // What another project made would not be told apart from a missing bucket otherwise.
    plumb::aws::s3::ensure_bucket(&clients, &format!("{STATE}-{}", shop.account.id)).await.unwrap();
    shop
}

const SEEN: [(&str, &str); 9] = [
    ("parameter /billing/dev/host", "git_only"),
    ("parameter /billing/dev/pool", "differs"),
    ("parameter /billing/global/currency", "in_sync"),
    ("parameter /jobs/dev/every", "git_only"),
    ("parameter /web/dev/more", "unmanaged"),
    ("parameter /web/dev/title", "in_sync"),
    ("secret dev/shop/more", "unmanaged"),
    ("secret dev/shop/signing", "git_only"),
    ("secret dev/shop/stripe", "in_sync"),
];

fn receipts(shop: &Shop) -> BTreeSet<String> {
    let reply = shop.account.caller().send("s3", "GET", &format!("/{STATE}-{}", shop.account.id), &[], b"").unwrap();
    let text = reply.text();
    let keys = text.split("<Key>").skip(1).filter_map(|rest| rest.split_once("</Key>"));
    keys.map(|(key, _)| key.to_owned()).filter(|key| key.contains("/receipts/")).collect()
}

/// The verdicts on what the account of [`filled`] may hold; there is no stack, so its resources are all git's.
async fn values(shop: &Shop) -> super::shop::Verdicts {
    let seen = shop.look().await;
    seen.is_whole();
    let mut found = seen.verdicts;
    let stack: Vec<&str> =
        found.iter().filter(|(name, _)| name.starts_with("stack ")).map(|(_, verdict)| *verdict).collect();
    assert_eq!(stack, ["git_only"; 6], "there is no stack yet");
    assert_eq!(found.remove("code shop-dev/Api"), Some("git_only"), "nor its function");
    found.retain(|name, _| !name.starts_with("stack "));
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn without_receipts_values_are_compared_and_nobody_is_said_to_have_moved() {
    let shop = filled().await;
    assert_eq!(values(&shop).await, verdicts(&SEEN));
}

#[tokio::test(flavor = "multi_thread")]
async fn recording_writes_receipts_for_what_is_equal_and_lists_the_rest() {
    let shop = filled().await;
    let session = shop.session().await;
    let planned = record::record(&session, "HEAD", true).await.unwrap();
    assert_eq!(receipts(&shop), BTreeSet::new(), "a dry run writes nothing");
    assert_eq!(values(&shop).await, verdicts(&SEEN));

    let done = record::record(&session, "HEAD", false).await.unwrap();
    assert_eq!(done, planned, "a dry run says what is done");
    assert_eq!(done.equal, ["/billing/global/currency", "/web/dev/title", "dev/shop/stripe"]);
    assert_eq!(done.different, ["/billing/dev/pool"]);
    assert_eq!(done.absent, ["/billing/dev/host", "/jobs/dev/every", "dev/shop/signing", "shop-dev"]);
    assert_eq!(done.unknown, []);
    let written = ["config/billing", "config/jobs", "config/web", "secrets"]
        .map(|unit| format!("plumb/shop/dev/receipts/{unit}.json"));
    assert_eq!(receipts(&shop), BTreeSet::from(written));

    // What was never equal has no record: nobody knows which of the two moved.
    let mut now = verdicts(&SEEN);
    assert_eq!(values(&shop).await, now);
    put_parameter(&shop.by_hand().await, "/web/dev/title", "Their shop").await;
    now.insert("parameter /web/dev/title".to_owned(), "drifted");
    assert_eq!(values(&shop).await, now, "from now on it is known who moved");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_stack_drifts_and_its_code_stays_unknown() {
    let shop = Shop::written(Account::fresh());
    let session = shop.session().await;
    // Another tool deployed the same template: there is a stack, and no receipt of it.
    deploy::deploy(&session, &session.project().stacks[0], "HEAD", &|_| ()).await.unwrap();
    let key = "plumb/shop/dev/receipts/stack/shop-dev.json";
    plumb::aws::s3::delete(&session.clients, &format!("{STATE}-{}", shop.account.id), key).await.unwrap();
    let seen = shop.look().await;
    assert_eq!(seen.verdicts["stack shop-dev/Queue"], "in_sync");
    assert!(seen.unknown("code shop-dev-api").contains("no receipt says what this code was built from"));
    shop.act(super::by_hand::Act::Visibility(60)).await;
    assert_eq!(shop.look().await.verdicts["stack shop-dev/Queue"], "differs");
    let done = record::record(&session, "HEAD", false).await.unwrap();
    assert_eq!(done.equal, ["shop-dev"]);
    let seen = shop.look().await;
    assert_eq!(seen.verdicts["stack shop-dev/Queue"], "drifted");
    assert!(seen.unknown("code shop-dev-api").contains("no receipt says what this code was built from"));
}
