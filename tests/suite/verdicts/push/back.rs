//! Back to what was: undo, rollback, and the line of time that says where to.

use plumb::compare::Facet;
use plumb::ops::history::{self, Changed, What};
use plumb::ops::journal::{Action, Query, State};
use plumb::ops::push::{rollback, undo};

use super::*;
use crate::verdicts::by_hand::Act as By;

async fn take_back(shop: &Shop, id: Option<&str>) -> Pushed {
    let session = shop.session().await;
    let plan = undo::plan(&session, id).await.unwrap();
    push::apply(&session, &plan, &|_| ()).await.unwrap()
}

/// The action and the state of each entry of the journal, the oldest first.
fn deeds(shop: &Shop) -> Vec<(Action, State)> {
    let entries = shop.journal().read(&Query::default()).unwrap().entries;
    entries.iter().rev().map(|entry| (entry.action, entry.state())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_gives_back_values_and_records_so_that_git_is_pending_again() {
    let shop = pushed().await;
    shop.set(CONFIG, "pool", Some("30"));
    shop.set(CONFIG, "retries", Some("3"));
    shop.set(CONFIG, "host", None);
    shop.set(SECRETS, "stripe", Some("sk_2"));
    shop.set(SECRETS, "signing", None);
    shop.commit("Change this and that");
    let before = verdicts(&shop).await;
    let done = apply(&shop, &pruning(&shop).await).await;
    assert_eq!((done.written.len(), unlike(&shop).await), (5, of(&[])));

    let session = shop.session().await;
    let plan = undo::plan(&session, None).await.unwrap();
    assert_eq!(
        acts(&plan),
        [
            format!("update {POOL}"),
            "delete /billing/dev/retries".into(),
            format!("create {HOST}"),
            format!("update {STRIPE}"),
            format!("restore {SIGNING}"),
        ]
    );
    let value = |facet: &Facet| match facet {
        Facet::Secret(secret) => secret.expose().to_owned(),
        other => format!("{other:?}"),
    };
    assert_eq!((value(&plan.changes[0].before), value(&plan.changes[0].after)), ("30".into(), "20".into()));
    let taken = push::apply(&session, &plan, &|_| ()).await.unwrap();
    assert_eq!((taken.written.len(), &taken.failed[..]), (5, &[][..]));
    for (name, value) in [(POOL, Some("20")), (HOST, Some("db.dev")), (STRIPE, Some("sk_1")), (SIGNING, Some("s_1"))] {
        assert_eq!(live(&shop, name).await.as_deref(), value, "{name}");
    }
    assert_eq!(live(&shop, "/billing/dev/retries").await, None);
    assert_eq!(verdicts(&shop).await, before, "git has it, and it is to be rolled out: nothing has drifted");
    assert_eq!(deeds(&shop), [(Action::Push, State::Ok), (Action::Push, State::Ok), (Action::Undo, State::Ok)]);
    // What was taken back is not taken back again; the push before it is next, and an undo can be undone by its name.
    let next = undo::plan(&session, None).await.unwrap();
    let entries = shop.journal().read(&Query::default()).unwrap().entries;
    assert_eq!(next.undoes.as_ref(), Some(&entries[2].id));
    let redone = take_back(&shop, Some(&entries[0].id[..12])).await;
    assert_eq!((redone.written.len(), &redone.failed[..]), (5, &[][..]));
    assert_eq!(live(&shop, POOL).await.as_deref(), Some("30"));
    assert_eq!(live(&shop, "/billing/dev/retries").await.as_deref(), Some("3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_has_changed_since_is_not_taken_back() {
    let shop = pushed().await;
    shop.set(CONFIG, "pool", Some("30"));
    shop.set(CONFIG, "host", Some("db2.dev"));
    shop.set(SECRETS, "stripe", Some("sk_2"));
    shop.commit("Change this and that");
    apply(&shop, &plan(&shop).await).await;
    shop.act(By::PutParameter(POOL, "99")).await;
    shop.act(By::PutSecret(STRIPE, "sk_by_hand")).await;
    let plan = undo::plan(&shop.session().await, None).await.unwrap();
    assert_eq!(acts(&plan), [format!("update {HOST}")]);
    let kept: Vec<&str> = plan.kept.iter().map(|kept| kept.name.as_str()).collect();
    assert_eq!(kept, [POOL, STRIPE]);
    assert!(plan.kept[0].why.reason.starts_with("changed since: version 3 was written at 20"), "{:?}", plan.kept);
    apply(&shop, &plan).await;
    let now = (live(&shop, POOL).await, live(&shop, HOST).await, live(&shop, STRIPE).await);
    assert_eq!(now, (Some("99".into()), Some("db.dev".into()), Some("sk_by_hand".into())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_a_hand_had_put_comes_back_as_that_hands() {
    let shop = pushed().await;
    shop.act(By::PutParameter(POOL, "99")).await;
    assert_eq!(unlike(&shop).await, of(&[("parameter /billing/dev/pool", "drifted")]));
    apply(&shop, &plan(&shop).await).await;
    assert_eq!(unlike(&shop).await, of(&[]));
    take_back(&shop, None).await;
    assert_eq!(live(&shop, POOL).await.as_deref(), Some("99"));
    assert_eq!(unlike(&shop).await, of(&[("parameter /billing/dev/pool", "drifted")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_gets_an_earlier_value_of_its_own_and_git_still_says_what_it_says() {
    let shop = pushed().await;
    shop.set(CONFIG, "pool", Some("30"));
    shop.set(SECRETS, "stripe", Some("sk_2"));
    shop.commit("Change this and that");
    apply(&shop, &plan(&shop).await).await;
    let session = shop.session().await;
    for (name, to, value) in [(POOL, "1", "20"), (STRIPE, "AWSPREVIOUS", "sk_1")] {
        let plan = rollback::plan(&session, name, to).await.unwrap();
        assert_eq!(acts(&plan), [format!("update {name}")]);
        let done = push::apply(&session, &plan, &|_| ()).await.unwrap();
        assert_eq!((written(&done), &done.failed[..]), (vec![name], &[][..]));
        assert_eq!(live(&shop, name).await.as_deref(), Some(value));
    }
    assert_eq!(
        unlike(&shop).await,
        of(&[("parameter /billing/dev/pool", "drifted"), ("secret dev/shop/stripe", "drifted")])
    );
    assert_eq!(deeds(&shop)[2..], [(Action::Rollback, State::Ok), (Action::Rollback, State::Ok)]);
    let why = rollback::plan(&session, POOL, "7").await.unwrap_err();
    assert_eq!(
        (why.reason.as_str(), why.hint.as_deref()),
        ("/billing/dev/pool has no version 7", Some("one of 1, 2, 3"))
    );
    assert!(rollback::plan(&session, POOL, "3").await.unwrap_err().reason.contains("live already"));
    assert!(rollback::plan(&session, "/nowhere", "1").await.unwrap_err().reason.contains("is not live"));
    // A rollback is taken back like a push.
    take_back(&shop, None).await;
    assert_eq!(live(&shop, STRIPE).await.as_deref(), Some("sk_2"));
    assert_eq!(unlike(&shop).await, of(&[("parameter /billing/dev/pool", "drifted")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_of_an_item_is_one_line_of_commits_and_versions() {
    let shop = pushed().await;
    shop.set(CONFIG, "host", Some("db2.dev"));
    shop.commit("Move the database");
    shop.set(CONFIG, "pool", Some("30"));
    shop.commit("More connections");
    apply(&shop, &plan(&shop).await).await;
    shop.act(By::PutParameter(POOL, "99")).await;
    let session = shop.session().await;
    let past = history::of(&session, POOL, "HEAD", 10).await.unwrap();
    assert_eq!(past.problems, []);
    let told: Vec<String> = past
        .events
        .iter()
        .map(|event| {
            let value = match &event.value {
                Facet::Secret(secret) => secret.expose().to_owned(),
                other => format!("{other:?}"),
            };
            match &event.what {
                What::Commit { subject, change, .. } => format!("{subject} {:?} {value}", change.unwrap()),
                What::Version { id, live, commit, .. } => format!("v{id} {live} {} {value}", commit.is_some()),
            }
        })
        .collect();
    let mut lives: Vec<&String> = told.iter().filter(|line| line.starts_with('v')).collect();
    let commits: Vec<&String> = told.iter().filter(|line| !line.starts_with('v')).collect();
    assert_eq!(commits, ["More connections Changed 30", "Begin Added 20"], "the database's move is not of the pool");
    assert_eq!(lives, ["v3 true false 99", "v2 false true 30", "v1 false false 20"]);
    lives.sort();
    assert!(past.events.windows(2).all(|two| two[0].at >= two[1].at), "{told:?}");
    let first = history::of(&session, POOL, "HEAD", 1).await.unwrap();
    assert_eq!(first.events.len(), 2, "one of each side");
    assert!(first.events.iter().any(|event| matches!(event.what, What::Commit { change: Some(Changed::Changed), .. })));

    let past = history::of(&session, STRIPE, "HEAD", 10).await.unwrap();
    assert_eq!(past.events.len(), 2);
    shop.set(SECRETS, "signing", None);
    shop.commit("Nobody signs");
    let past = history::of(&shop.session().await, SIGNING, "HEAD", 10).await.unwrap();
    let gone =
        past.events.iter().find(|event| matches!(event.what, What::Commit { change: Some(Changed::Removed), .. }));
    assert_eq!(gone.unwrap().value, Facet::Absent, "{past:?}");
}
