//! Every call of a refresh broken in every way: what is affected is unknown or failed with the reason, never wrong.

use std::collections::BTreeSet;

use futures::stream::{self, StreamExt as _};
use plumb::compare::{Kind, Verdict};

use super::by_hand::Act;
use super::shop::{DEV, IMPATIENT, Seen, Shop};
use crate::support::proxy::{Call, Fault};

/// Refreshes under way at a time: what hangs costs nothing but time.
const AT_ONCE: usize = 4;

/// A shop that has moved in every way, so that a refresh needs every call that it can need.
async fn moved() -> Shop {
    let shop = Shop::live().await;
    for act in [
        Act::Memory(1024),
        Act::DeleteTable,
        Act::Code("def handler(event, context):\n    return 7\n"),
        Act::Publish,
        Act::PutParameter("/billing/dev/pool", "50"),
        Act::PutParameter("/web/dev/extra", "1"),
        Act::DeleteParameter("/web/dev/title"),
        Act::PutSecret("dev/shop/stripe", "sk_2"),
    ] {
        shop.act(act).await;
    }
    std::fs::remove_file(shop.path("config/jobs/dev.json")).unwrap();
    // Neither listed nor there: what the listing lacks is asked for by name.
    shop.set("secrets/dev.json", "pepper", Some("p"));
    shop.replace("stack.yaml", "Timeout: 10", "Timeout: 15");
    shop.commit("More");
    shop
}

/// All operations of a clean refresh, found out rather than written down, so that a new one is not forgotten.
async fn operations(shop: &Shop) -> (Seen, BTreeSet<String>) {
    let (account, proxy) = shop.account.behind_proxy();
    let session = shop.session_of(DEV, &account, IMPATIENT).await;
    let clean = Seen::by(&session).await;
    clean.is_whole();
    (clean, proxy.calls().iter().map(Call::name).collect())
}

/// CloudTrail only names who did it; without it the verdicts are the same.
fn is_only_for_names(operation: &str) -> bool {
    operation.starts_with("cloudtrail:")
}

/// Where drift is not known, that git moved still is; the reason says that live may have moved too.
fn is_half_of_it(seen: &Seen, name: &str, was: Option<&str>) -> bool {
    let says = || seen.item(name).reason.contains("whether live moved is not known: ");
    name.starts_with("stack ") && was == Some("diverged") && seen.verdicts[name] == "pending" && says()
}

/// Where a receipt is not known, nobody is said to have moved; the receipt is told as a problem. The name of the bucket
/// that holds it takes the account's id.
fn is_without_receipt(operation: &str, was: Option<&str>, is: &str) -> bool {
    ["s3:GetObject", "sts:GetCallerIdentity"].contains(&operation)
        && matches!(was, Some("drifted" | "pending" | "diverged"))
        && matches!(is, "differs" | "git_only" | "unmanaged")
}

/// Breaks each operation for good, some at a time, and asserts that no verdict is wrong.
async fn break_each(fault: Fault, says: &[&str]) {
    let shop = moved().await;
    let (clean, operations) = operations(&shop).await;
    for needed in ["ssm:GetParameters", "secretsmanager:DescribeSecret", "cloudtrail:LookupEvents"] {
        assert!(operations.contains(needed), "{needed}: {operations:?}");
    }
    stream::iter(&operations)
        .map(|operation| break_one(&shop, &clean, operation, &fault, says))
        .buffer_unordered(AT_ONCE)
        .collect::<()>()
        .await;
    // Two secrets are read by another operation than one.
    shop.act(Act::PutSecret("dev/shop/signing", "s_2")).await;
    let (clean, more) = self::operations(&shop).await;
    let more: Vec<&String> = more.difference(&operations).collect();
    assert_eq!(more, ["secretsmanager:BatchGetSecretValue"]);
    break_one(&shop, &clean, more[0], &fault, says).await;
}

async fn break_one(shop: &Shop, clean: &Seen, operation: &str, fault: &Fault, says: &[&str]) {
    let (account, proxy) = shop.account.behind_proxy();
    proxy.on(operation).reply(fault.clone());
    let session = shop.session_of(DEV, &account, IMPATIENT).await;
    let seen = Seen::by(&session).await;
    let context = format!("{operation} {fault:?}: {:#?} {:#?}", seen.verdicts, seen.problems());
    assert!(proxy.count(operation) > 0, "{context}");
    for (name, verdict) in &seen.verdicts {
        let was = clean.verdicts.get(name);
        let was = was.copied();
        let fits = *verdict == "unknown"
            || was == Some(verdict)
            || is_half_of_it(&seen, name, was)
            || is_without_receipt(operation, was, verdict);
        assert!(fits, "{name} was {was:?}, is {verdict}; {context}");
    }
    for (kind, section) in &seen.report.sections {
        let Ok(section) = section else { continue };
        let prefix = format!("{} ", kind.code());
        let lost = clean.verdicts.keys().filter(|name| name.starts_with(&prefix) && !seen.verdicts.contains_key(*name));
        let lost: Vec<&String> = lost.collect();
        assert!(lost.is_empty() || !section.problems.is_empty(), "{lost:?} are gone without a word; {context}");
    }
    // Where reading many at once is not allowed, each is read alone.
    let one_by_one = operation.ends_with(":BatchGetSecretValue") && proxy.count("secretsmanager:GetSecretValue") > 0;
    if is_only_for_names(operation) {
        // One question by each kind, sent twice; the rest of them are not asked any more.
        assert!(proxy.count(operation) <= 2 * Kind::ALL.len(), "{context}");
    }
    if is_only_for_names(operation) || one_by_one {
        assert_eq!(seen.verdicts, clean.verdicts, "{context}");
        return;
    }
    // Somewhere it is told, in words that one can act on.
    let unknown = seen.report.items().filter_map(|item| match &item.verdict {
        Verdict::Unknown(why) => Some(why.to_string()),
        _ => None,
    });
    let told: Vec<String> = seen.problems().into_iter().chain(unknown).collect();
    let heard = told.iter().any(|text| says.iter().any(|word| text.to_lowercase().contains(word)));
    assert!(heard, "nobody says {says:?}: {told:#?}; {context}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_throttled_once_is_sent_again_and_changes_nothing() {
    let shop = moved().await;
    let (clean, operations) = operations(&shop).await;
    for operation in operations {
        let (account, proxy) = shop.account.behind_proxy();
        proxy.on(&operation).times(1).reply(Fault::Throttling);
        let session = shop.session_of(DEV, &account, IMPATIENT).await;
        let seen = Seen::by(&session).await;
        seen.is_whole();
        assert_eq!(seen.verdicts, clean.verdicts, "{operation}");
        assert!(proxy.count(&operation) > 1, "{operation} was sent again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_throttled_for_good_makes_no_wrong_verdict() {
    break_each(Fault::Throttling, &["throttling", "toomanyrequests", "slowdown"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_fails_makes_no_wrong_verdict() {
    break_each(Fault::ServerError, &["internal", "serviceexception"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_hangs_makes_no_wrong_verdict() {
    break_each(Fault::Hang, &["no answer in time"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_makes_no_wrong_verdict() {
    break_each(Fault::Reset, &["reset", "connection", "broke", "closed"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_cut_makes_no_wrong_verdict() {
    break_each(Fault::TruncatedBody, &["http 200", "broke off", "body", "connection"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ended_makes_no_wrong_verdict() {
    break_each(Fault::ExpiredToken, &["expired"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_is_missing_makes_no_wrong_verdict() {
    let words = "User: arn:aws:iam::1:user/a is not authorized to perform: that";
    break_each(Fault::AccessDenied(words.to_owned()), &["is not authorized to perform: that"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_something_between_here_and_aws_makes_no_wrong_verdict() {
    let portal = b"<html><body>Please log in</body></html>".to_vec();
    break_each(
        Fault::Body(200, portal),
        &["between here", "unreadable", "http 200", "the answer has no", "deserial", "invalid", "error"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_an_unchanged_environment_no_broken_call_makes_a_difference() {
    let shop = Shop::live().await;
    let before = shop.in_sync().await;
    for operation in operations(&shop).await.1 {
        let (account, proxy) = shop.account.behind_proxy();
        proxy.on(&operation).reply(Fault::AccessDenied("no".to_owned()));
        let seen = Seen::by(&shop.session_of(DEV, &account, IMPATIENT).await).await;
        let changed = seen.moved_from(&before);
        let harmless = changed.values().all(|verdict| ["unknown", "gone"].contains(verdict));
        assert!(harmless, "{operation}: {changed:#?} {:#?}", seen.problems());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_network_everything_says_so_and_nothing_is_wrong() {
    let shop = moved().await;
    let (account, proxy) = shop.account.behind_proxy();
    proxy.on("*").reply(Fault::Reset);
    let session = shop.session_of(DEV, &account, IMPATIENT).await;
    let seen = Seen::by(&session).await;
    assert!(seen.verdicts.values().all(|verdict| *verdict == "unknown"), "{seen:#?}");
    assert!(seen.report.identity.is_err());
    for kind in [Kind::Parameter, Kind::Secret] {
        let told = seen.section(kind).as_ref().is_ok_and(|section| !section.problems.is_empty());
        assert!(told, "{seen:#?}");
    }
    // Healed, the same session reads again.
    proxy.heal();
    let seen = Seen::by(&session).await;
    seen.is_whole();
}
