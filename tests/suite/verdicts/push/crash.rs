//! A push that is killed at any point: nothing is unknown after it, and it can be continued and taken back.
//!
//! A run of a push is cut off at its n-th call, once before the call reaches AWS and once after AWS has done it and
//! before the answer comes back; n goes up until the push comes to its end. Between two calls only the journal is
//! written: that its last line may be missing is a third way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use plumb::ops::journal::{Query, State};
use plumb::ops::push::undo;
use plumb::ops::session::Session;
use serde_json::{Value, json};

use super::*;
use crate::support::proxy::{Fault, Gate, Outcome, Proxy};
use crate::verdicts::by_hand::Act as By;
use crate::verdicts::shop::DEV;

/// Where a run is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// The call never reaches AWS.
    Before,
    /// The same, and what was noted last is not on the disk.
    BeforeItIsNoted,
    /// AWS does what the call asks for, and the answer never comes back.
    After,
}

/// How it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Resume,
    Undo,
}

/// The shop, and a commit that creates, updates, deletes and restores.
async fn ready() -> Shop {
    let shop = pushed().await;
    shop.set(CONFIG, "pool", Some("30"));
    shop.set(CONFIG, "retries", Some("3"));
    shop.set(CONFIG, "host", None);
    shop.set(SECRETS, "stripe", Some("sk_2"));
    shop.set(SECRETS, "added", Some("a_1"));
    shop.commit("Change this and that");
    shop.act(By::DeleteSecret(SIGNING)).await;
    shop
}

const RETRIES: &str = "/billing/dev/retries";
const ADDED: &str = "dev/shop/added";
const ALL: [&str; 9] = [POOL, HOST, TITLE, CURRENCY, RETRIES, "/jobs/dev/every", STRIPE, SIGNING, ADDED];

async fn values(shop: &Shop) -> Vec<(&'static str, Option<String>)> {
    let mut values = Vec::new();
    for name in ALL {
        values.push((name, live(shop, name).await));
    }
    values
}

/// What is live before the push, and after it.
fn expected(after: bool) -> Vec<(&'static str, Option<String>)> {
    let some = |before: &'static str, then: &'static str| {
        Some(if after { then } else { before }).filter(|value| !value.is_empty()).map(str::to_owned)
    };
    vec![
        (POOL, some("20", "30")),
        (HOST, some("db.dev", "")),
        (TITLE, some("The shop", "The shop")),
        (CURRENCY, some("EUR", "EUR")),
        (RETRIES, some("", "3")),
        ("/jobs/dev/every", some("5m", "5m")),
        (STRIPE, some("sk_1", "sk_2")),
        (SIGNING, some("", "s_1")),
        (ADDED, some("", "a_1")),
    ]
}

/// Runs the push until its n-th call and drops it there, as a kill would; what a dying process still writes is taken
/// away. `false`: it has come to its end before.
async fn cut(shop: &Shop, plan: &Plan, proxy: &Arc<Proxy>, session: &Session, n: usize, how: Cut) -> bool {
    let gate = Gate::new();
    let fault = match how {
        Cut::Before | Cut::BeforeItIsNoted => Fault::Delay(gate.clone()),
        Cut::After => Fault::Silence(gate.clone()),
    };
    proxy.forget();
    // The n-th call stands still, and so do all that come after it while it does.
    let seen = AtomicUsize::new(0);
    proxy.on("*:*").when(move |_| seen.fetch_add(1, Ordering::SeqCst) >= n).reply(fault);
    let reached = tokio::select! {
        _ = push::apply(session, plan, &|_| ()) => false,
        () = gate.came() => true,
    };
    if reached {
        let (all, what) = (Arc::clone(proxy), "nothing is on its way");
        let settled = move || all.wait_for(what, |calls| calls.iter().all(|call| call.outcome != Outcome::Pending));
        tokio::task::spawn_blocking(settled).await.unwrap();
        let standing = proxy.calls().into_iter().nth(n).map(|call| call.json()).unwrap_or_default();
        die(shop, how, &standing).await;
    }
    proxy.heal();
    reached
}

/// Makes what a killed process leaves behind out of what a dropped one does: nothing settled, and its process gone.
async fn die(shop: &Shop, how: Cut, standing: &Value) {
    let mut child = std::process::Command::new("true").spawn().unwrap();
    let dead = child.id();
    child.wait().unwrap();
    let path = shop.journal().path().to_owned();
    let text = std::fs::read_to_string(&path).unwrap();
    let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines.retain(|line| line["outcome"] != "unknown");
    if how == Cut::BeforeItIsNoted {
        // Only of the call that stands still is it certain that nothing of it was done.
        let steps = lines.iter().rev().find_map(|line| line.get("steps").cloned()).unwrap_or_default();
        let is_its_note = |line: &Value| {
            let step = line["step"].as_u64().and_then(|at| steps.get(usize::try_from(at).unwrap()));
            let name = step.map(|step| &step["name"]);
            line["mark"] == "sent" && [standing.get("Name"), standing.get("SecretId")].contains(&name)
        };
        if lines.last().is_some_and(is_its_note) {
            lines.pop();
        }
    }
    for line in lines.iter_mut().filter(|line| line.get("process").is_some()) {
        line["process"] = json!(dead);
    }
    let text: Vec<String> = lines.iter().map(Value::to_string).collect();
    std::fs::write(&path, text.join("\n") + "\n").unwrap();
    let clients = shop.by_hand().await;
    let (bucket, key) = (format!("shop-state-{}", shop.account.id), "plumb/shop/dev/lock.json");
    if let Some((bytes, _)) = plumb::aws::s3::get(&clients, &bucket, key).await.unwrap() {
        let mut lock: Value = serde_json::from_slice(&bytes).unwrap();
        lock["process"] = json!(dead);
        let none = plumb::aws::s3::Condition::None;
        let bytes = lock.to_string().into_bytes();
        plumb::aws::s3::put(&clients, &bucket, key, bytes, "application/json", none, &BTreeMap::new()).await.unwrap();
    }
}

/// Cuts the n-th call off, and goes on. `false`: the push has fewer calls.
async fn one(n: usize, how: Cut, then: Then) -> bool {
    let shop = ready().await;
    let (account, proxy) = shop.account.behind_proxy();
    let proxy = Arc::new(proxy);
    let session = shop.session_of(DEV, &account, plumb::aws::Timeouts::default()).await;
    let ask = Ask { prune: true, ..Ask::default() };
    let plan = push::plan(&session, &ask).await.unwrap();
    assert_eq!(plan.counts(), (2, 3, 1), "{:?}", acts(&plan));
    let point = format!("cut off at call {n} {how:?}, then {then:?}");
    if !cut(&shop, &plan, &proxy, &session, n, how).await {
        assert_eq!(values(&shop).await, expected(true), "{point}");
        return false;
    }
    let session = shop.session().await;
    let unfinished = push::unfinished(&session).unwrap();
    let Some(entry) = unfinished else {
        // Nothing was noted, and so nothing was written; or all of it was, and settled.
        let is_done = shop.journal().read(&Query::default()).unwrap().entries.len() > 1;
        assert_eq!(values(&shop).await, expected(is_done), "{point}");
        let done = apply(&shop, &pruning(&shop).await).await;
        assert_eq!((&done.failed[..], values(&shop).await), (&[][..], expected(true)), "{point}");
        return true;
    };
    assert_eq!(entry.state(), State::Unknown, "{point}");
    match then {
        Then::Resume => {
            let done = push::resume(&session, &entry, &|_| ()).await.unwrap();
            assert_eq!((&done.failed[..], &done.races[..]), (&[][..], &[][..]), "{point}");
            assert_eq!(values(&shop).await, expected(true), "{point}");
            assert_eq!(unlike(&shop).await, of(&[]), "{point}");
            assert!(pruning(&shop).await.is_empty(), "{point}");
        }
        Then::Undo => {
            let plan = undo::plan(&session, None).await.unwrap();
            assert_eq!((&plan.kept[..], &plan.unknown[..]), (&[][..], &[][..]), "{point}");
            let done = push::apply(&session, &plan, &|_| ()).await.unwrap();
            assert_eq!((&done.failed[..], &done.races[..]), (&[][..], &[][..]), "{point}");
            assert_eq!(values(&shop).await, expected(false), "{point}");
            // And from there the push can be done.
            let done = apply(&shop, &pruning(&shop).await).await;
            assert_eq!((&done.failed[..], values(&shop).await), (&[][..], expected(true)), "{point}");
            assert_eq!(unlike(&shop).await, of(&[]), "{point}");
        }
    }
    assert_eq!(push::unfinished(&session).unwrap(), None, "{point}");
    let entries = shop.journal().read(&Query::default()).unwrap().entries;
    let deeds: Vec<_> = entries.iter().map(|entry| (entry.action, entry.state())).collect();
    assert!(deeds.iter().all(|(_, state)| *state != State::Unknown), "{point}: {deeds:?}");
    true
}

/// Every n, a few at a time, until the push comes to its end.
async fn every_point(how: Cut, then: Then) {
    use futures::stream::{self, StreamExt};

    const AT_ONCE: usize = 4;
    let point = |n| Box::pin(async move { (n, one(n, how, then).await) });
    let mut points = stream::iter((0..).map(point)).buffered(AT_ONCE);
    let mut last = 0;
    while let Some((n, true)) = points.next().await {
        last = n;
    }
    // Fewer calls than writes would say that nothing was cut off at all.
    assert!(last > 12, "{last} points");
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_off_before_any_call_it_is_continued() {
    every_point(Cut::Before, Then::Resume).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_off_before_a_call_is_noted_it_is_continued() {
    every_point(Cut::BeforeItIsNoted, Then::Resume).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_off_after_any_call_it_is_continued() {
    every_point(Cut::After, Then::Resume).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_off_before_any_call_it_is_taken_back() {
    every_point(Cut::Before, Then::Undo).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_off_after_any_call_it_is_taken_back() {
    every_point(Cut::After, Then::Undo).await;
}
