//! What a push costs in calls, and how long its values take to be found.

use plumb::aws::s3;
use plumb::ops::receipt::UnitId;

use super::*;
use crate::support::proxy::Call;
use crate::verdicts::shop::DEV;

/// Plans and pushes; answers the calls of both together, by operation.
async fn counted(shop: &Shop) -> (Pushed, BTreeMap<String, usize>) {
    let (account, proxy) = shop.account.behind_proxy();
    let session = shop.session_of(DEV, &account, plumb::aws::Timeouts::default()).await;
    let plan = push::plan(&session, &Ask::default()).await.unwrap();
    let done = push::apply(&session, &plan, &|_| ()).await.unwrap();
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for name in proxy.calls().iter().map(Call::name) {
        *counted.entry(name).or_default() += 1;
    }
    (done, counted)
}

fn change_ten(shop: &Shop, value: &str) {
    for number in 0..10 {
        shop.set("config/many/dev.json", &format!("key{:04}", number * 97), Some(value));
    }
    shop.commit("Change ten of a thousand");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_changes_among_a_thousand_take_sixty_calls_with_a_receipt_and_160_without() {
    let shop = Shop::written(Account::fresh());
    let values: Vec<(String, String)> =
        (0..1000).map(|number| (format!("key{number:04}"), format!("value {number}"))).collect();
    let values: Vec<(&str, &str)> = values.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    shop.encrypt("config/many/dev.json", &values);
    shop.commit("A thousand keys");
    let done = push::push(&shop.session().await, "HEAD").await.unwrap();
    assert_eq!((done.written.len(), &done.failed[..]), (1007, &[][..]));

    change_ten(&shop, "with a receipt");
    let (done, calls) = counted(&shop).await;
    assert_eq!((done.written.len(), done.untouched), (10, 997));
    assert_eq!(calls["ssm:GetParameters"], 1, "only what differs is read: {calls:?}");
    let all: usize = calls.values().sum();
    assert!(all <= 60, "{all}: {calls:#?}");

    change_ten(&shop, "without a receipt");
    let session = shop.session().await;
    let store = session.receipts().await.unwrap();
    let bucket = store.bucket.clone().unwrap();
    for unit in ["many", "billing", "web", "jobs"].map(|service| UnitId::Config(service.into())) {
        s3::delete(&session.clients, &bucket, &store.key(&unit)).await.unwrap();
    }
    let (done, calls) = counted(&shop).await;
    assert_eq!((done.written.len(), done.untouched), (10, 997));
    let all: usize = calls.values().sum();
    assert!(all <= 160, "{all}: {calls:#?}");
    assert!(calls["ssm:GetParameters"] > 100, "every value is read: {calls:?}");

    // What was written is recorded, all of it: the next look reads no value.
    let (done, calls) = counted(&shop).await;
    assert_eq!((done.written.len(), calls.get("ssm:GetParameters"), calls.get("ssm:PutParameter")), (0, None, None));
}
