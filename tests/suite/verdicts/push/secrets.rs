//! Secrets: versions that nobody reads until they count, and deletions that can be taken back.

use plumb::aws::secretsmanager;

use super::*;
use crate::support::proxy::{Fault, Gate};
use crate::verdicts::by_hand::Act as By;
use crate::verdicts::shop::DEV;

#[tokio::test(flavor = "multi_thread")]
async fn there_and_back_makes_a_version_each_time() {
    let shop = pushed().await;
    let first = secret(&shop, STRIPE).await.current_version.unwrap();
    let mut versions = vec![first];
    for value in ["sk_2", "sk_1"] {
        shop.set(SECRETS, "stripe", Some(value));
        shop.commit("Another key");
        let (account, proxy) = shop.account.behind_proxy();
        let session = shop.session_of(DEV, &account, plumb::aws::Timeouts::default()).await;
        let plan = push::plan(&session, &Ask::default()).await.unwrap();
        let done = push::apply(&session, &plan, &|_| ()).await.unwrap();
        assert_eq!(done.failed, []);
        let put = proxy.calls().into_iter().find(|call| call.name() == "secretsmanager:PutSecretValue").unwrap();
        assert_eq!(put.json()["VersionStages"], serde_json::json!(["plumb-pending"]));
        let moved = proxy.calls().into_iter().find(|call| call.name() == "secretsmanager:UpdateSecretVersionStage");
        let moved = moved.unwrap().json();
        assert_eq!(moved["RemoveFromVersionId"], versions.last().unwrap().as_str());
        assert_eq!(moved["MoveToVersionId"], put.json()["ClientRequestToken"]);
        assert_eq!(live(&shop, STRIPE).await.as_deref(), Some(value));
        versions.push(secret(&shop, STRIPE).await.current_version.unwrap());
    }
    versions.dedup();
    assert_eq!(versions.len(), 3, "the same value again is another version");
    assert_eq!(unlike(&shop).await, of(&[]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_made_current_meanwhile_stays_current() {
    let shop = pushed().await;
    shop.set(SECRETS, "stripe", Some("sk_2"));
    shop.commit("Another key");
    let plan = plan(&shop).await;
    let (account, proxy) = shop.account.behind_proxy();
    let gate = Gate::new();
    proxy.on("secretsmanager:UpdateSecretVersionStage").times(1).reply(Fault::Delay(gate.clone()));
    let session = shop.session_of(DEV, &account, plumb::aws::Timeouts::default()).await;
    let push = tokio::spawn(async move { push::apply(&session, &plan, &|_| ()).await.unwrap() });
    gate.reached();
    assert_eq!(live(&shop, STRIPE).await.as_deref(), Some("sk_1"), "a pending version is nobody's value");
    shop.act(By::PutSecret(STRIPE, "sk_by_hand")).await;
    gate.open();
    let done = push.await.unwrap();
    assert_eq!(written(&done), [""; 0]);
    assert!(done.failed[0].1.reason.contains("somebody else was faster"), "{:?}", done.failed);
    assert_eq!(live(&shop, STRIPE).await.as_deref(), Some("sk_by_hand"));
    let stages = secret(&shop, STRIPE).await.stages;
    assert!(!stages.values().flatten().any(|stage| stage == "plumb-pending"), "{stages:?}");
    assert_eq!(unlike(&shop).await, of(&[("secret dev/shop/stripe", "diverged")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_scheduled_for_deletion_is_taken_back() {
    let shop = pushed().await;
    shop.act(By::DeleteSecret(STRIPE)).await;
    assert_eq!(unlike(&shop).await, of(&[("secret dev/shop/stripe", "drifted")]));
    let plan = plan(&shop).await;
    assert_eq!(acts(&plan), [format!("restore {STRIPE}")]);
    let done = apply(&shop, &plan).await;
    assert_eq!((written(&done), &done.failed[..]), (vec![STRIPE], &[][..]));
    assert_eq!(live(&shop, STRIPE).await.as_deref(), Some("sk_1"));
    assert_eq!(unlike(&shop).await, of(&[]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pruned_secret_waits_for_thirty_days() {
    let shop = pushed().await;
    shop.set(SECRETS, "signing", None);
    shop.commit("Nobody signs");
    let (account, proxy) = shop.account.behind_proxy();
    let session = shop.session_of(DEV, &account, plumb::aws::Timeouts::default()).await;
    let plan = push::plan(&session, &Ask { prune: true, ..Ask::default() }).await.unwrap();
    push::apply(&session, &plan, &|_| ()).await.unwrap();
    let deleted = proxy.calls().into_iter().find(|call| call.name() == "secretsmanager:DeleteSecret").unwrap();
    assert_eq!(deleted.json()["RecoveryWindowInDays"], 30);
    secretsmanager::restore(&shop.by_hand().await, SIGNING).await.unwrap();
    assert_eq!(live(&shop, SIGNING).await.as_deref(), Some("s_1"));
}
