//! Two writers at once: one is kept out, or told.

use plumb::ops::journal::Query;

use super::*;
use crate::support::proxy::{Fault, Gate};
use crate::verdicts::by_hand::Act as By;
use crate::verdicts::shop::DEV;

#[tokio::test(flavor = "multi_thread")]
async fn the_second_of_two_pushes_is_told_who_holds_the_lock_and_until_when() {
    let shop = pushed().await;
    shop.set(CONFIG, "pool", Some("30"));
    shop.commit("More connections");
    let plan = plan(&shop).await;
    let (account, proxy) = shop.account.behind_proxy();
    let gate = Gate::new();
    proxy.on("ssm:PutParameter").times(1).reply(Fault::Delay(gate.clone()));
    let session = shop.session_of(DEV, &account, plumb::aws::Timeouts::default()).await;
    let first = tokio::spawn({
        let plan = plan.clone();
        async move { push::apply(&session, &plan, &|_| ()).await.unwrap() }
    });
    gate.reached();
    let entries = shop.journal().read(&Query::default()).unwrap().entries.len();
    let why = push::apply(&shop.session().await, &plan, &|_| ()).await.unwrap_err();
    let by = format!("refused: arn:aws:iam::{}:root has been writing to dev since 20", shop.account.id);
    assert!(why.reason.starts_with(&by), "{why}");
    assert!(why.reason.contains(", and holds the lock until 20"), "{why}");
    assert_eq!(shop.journal().read(&Query::default()).unwrap().entries.len(), entries, "what is refused is no write");
    gate.open();
    assert_eq!(written(&first.await.unwrap()), [POOL]);
    // The lock is given back.
    shop.set(CONFIG, "pool", Some("40"));
    shop.commit("Even more");
    assert_eq!(written(&apply(&shop, &super::plan(&shop).await).await), [POOL]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_pushes_that_begin_at_the_same_time_are_never_both_at_it() {
    let shop = pushed().await;
    shop.set(CONFIG, "pool", Some("30"));
    shop.commit("More connections");
    let plan = plan(&shop).await;
    let (account, proxy) = shop.account.behind_proxy();
    // Both have read that nobody holds the lock, before either takes it.
    let gate = Gate::new();
    proxy.on("s3:PutObject").times(2).reply(Fault::Delay(gate.clone()));
    let pushes: Vec<_> = (0..2)
        .map(|_| {
            let (plan, shop, account) = (plan.clone(), &shop, account.clone());
            async move {
                let session = shop.session_of(DEV, &account, plumb::aws::Timeouts::default()).await;
                push::apply(&session, &plan, &|_| ()).await
            }
        })
        .collect();
    let opener = tokio::task::spawn_blocking(move || {
        gate.reached_by(2);
        gate.open();
    });
    let done = futures::future::join_all(pushes).await;
    opener.await.unwrap();
    let (written, refused): (Vec<_>, Vec<_>) = done.into_iter().partition(Result::is_ok);
    assert_eq!((written.len(), refused.len()), (1, 1));
    assert_eq!(parameter(&shop, POOL).await.version, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_of_somebody_elses_that_was_overwritten_is_told_with_the_way_back() {
    let shop = pushed().await;
    shop.set(CONFIG, "pool", Some("30"));
    shop.commit("More connections");
    let plan = plan(&shop).await;
    let (account, proxy) = shop.account.behind_proxy();
    let gate = Gate::new();
    proxy.on("ssm:PutParameter").times(1).reply(Fault::Delay(gate.clone()));
    let session = shop.session_of(DEV, &account, plumb::aws::Timeouts::default()).await;
    let push = tokio::spawn(async move { push::apply(&session, &plan, &|_| ()).await.unwrap() });
    gate.reached();
    shop.act(By::PutParameter(POOL, "99")).await;
    gate.open();
    let done = push.await.unwrap();
    assert_eq!((written(&done), &done.failed[..]), (vec![POOL], &[][..]));
    let race = &done.races[0];
    assert!(race.told.starts_with("version 2 of /billing/dev/pool, written at 20"), "{race:?}");
    assert!(race.told.ends_with("was overwritten by version 3 of this push"), "{race:?}");
    assert_eq!(race.hint, "plumb rollback /billing/dev/pool --to 2 brings theirs back");
    assert_eq!(live(&shop, POOL).await.as_deref(), Some("30"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_of_somebody_elses_that_came_after_ours_is_told_as_the_live_one() {
    let shop = pushed().await;
    shop.set(CONFIG, "pool", Some("30"));
    shop.commit("More connections");
    let plan = plan(&shop).await;
    let (account, proxy) = shop.account.behind_proxy();
    let gate = Gate::new();
    // The listing after the writes.
    proxy.on("ssm:DescribeParameters").after(1).times(1).reply(Fault::Delay(gate.clone()));
    let session = shop.session_of(DEV, &account, plumb::aws::Timeouts::default()).await;
    let push = tokio::spawn(async move { push::apply(&session, &plan, &|_| ()).await.unwrap() });
    gate.reached();
    shop.act(By::PutParameter(POOL, "99")).await;
    gate.open();
    let done = push.await.unwrap();
    assert!(done.races[0].told.contains("written as version 2, and then version 3 was written at"), "{done:?}");
    assert_eq!(unlike(&shop).await, of(&[("parameter /billing/dev/pool", "diverged")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_no_race() {
    let shop = pushed().await;
    shop.set(CONFIG, "pool", Some("30"));
    shop.set(CONFIG, "retries", Some("3"));
    shop.set(SECRETS, "stripe", Some("sk_2"));
    shop.commit("Change this and that");
    let plan = plan(&shop).await;
    let (account, proxy) = shop.account.behind_proxy();
    for write in ["ssm:PutParameter", "secretsmanager:UpdateSecretVersionStage", "secretsmanager:PutSecretValue"] {
        proxy.on(write).times(2).reply(Fault::TruncatedBody);
    }
    let session = shop.session_of(DEV, &account, plumb::aws::Timeouts::default()).await;
    let done = push::apply(&session, &plan, &|_| ()).await.unwrap();
    assert_eq!((done.written.len(), &done.failed[..], &done.races[..]), (3, &[][..], &[][..]));
    assert_eq!(unlike(&shop).await, of(&[]));
}
