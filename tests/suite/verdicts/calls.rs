//! What a refresh costs: calls are counted, and an unchanged environment reads no value.

use std::collections::BTreeMap;

use plumb::aws::Timeouts;
use plumb::compare::Kind;
use plumb::ops::inspect::{Detect, Reveal, Wish};

use super::by_hand::Act;
use super::shop::{DEV, Seen, Shop};
use crate::support::proxy::{Call, Proxy};

/// What reads a value of a parameter or a secret, or decrypts.
const READS_VALUES: [&str; 6] = [
    "ssm:GetParameter*",
    "ssm:GetParameterHistory",
    "secretsmanager:BatchGetSecretValue",
    "secretsmanager:GetSecretValue",
    "kms:*",
    "cloudtrail:*",
];

/// One refresh through a proxy that counts.
async fn refresh(shop: &Shop, wish: impl Fn(Wish) -> Wish) -> (Seen, Proxy, BTreeMap<String, usize>) {
    let (account, proxy) = shop.account.behind_proxy();
    let session = shop.session_of(DEV, &account, Timeouts::default()).await;
    let seen = Seen::with(&session, &wish(Wish::of(&session))).await;
    seen.is_whole();
    let mut counted = BTreeMap::new();
    for name in proxy.calls().iter().map(Call::name) {
        *counted.entry(name).or_default() += 1;
    }
    assert_eq!(seen.report.calls.made, proxy.calls().len() as u64, "what is told is what was sent");
    (seen, proxy, counted)
}

fn no_detection(wish: Wish) -> Wish {
    Wish { detect: Detect::Never, ..wish }
}

fn counts(of: &[(&str, usize)]) -> BTreeMap<String, usize> {
    of.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_environment_reads_no_value_and_makes_exactly_these_calls() {
    let shop = Shop::live().await;
    let before = shop.in_sync().await;
    let (seen, proxy, counted) = refresh(&shop, no_detection).await;
    assert_eq!(seen.verdicts, before);
    for pattern in READS_VALUES {
        assert_eq!(proxy.count(pattern), 0, "{pattern}");
    }
    let expected = counts(&[
        ("sts:GetCallerIdentity", 1),
        // Three services and the secrets; the stack's is read for its resources and for its code.
        ("s3:GetObject", 6),
        ("s3:ListObjectsV2", 1),
        ("cloudformation:DescribeStacks", 1),
        ("cloudformation:ListStackResources", 1),
        ("cloudformation:GetTemplate", 1),
        ("cloudformation:DescribeStackResourceDrifts", 1),
        ("lambda:GetAlias", 1),
        // Of `$LATEST`: what the alias serves is the recorded version.
        ("lambda:GetFunctionConfiguration", 1),
        ("ssm:DescribeParameters", 1),
        ("secretsmanager:ListSecrets", 1),
        // The listing lags by minutes, so each secret that git names is asked for.
        ("secretsmanager:DescribeSecret", 2),
    ]);
    assert_eq!(counted, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_moved_is_read() {
    let shop = Shop::live().await;
    shop.act(Act::PutParameter("/billing/dev/pool", "50")).await;
    shop.act(Act::PutSecret("dev/shop/stripe", "sk_2")).await;
    shop.act(Act::PutParameter("/web/dev/unmanaged", "1")).await;
    let (_, proxy, counted) = refresh(&shop, no_detection).await;
    assert_eq!((counted.get("ssm:GetParameters"), counted.get("secretsmanager:GetSecretValue")), (Some(&1), Some(&1)));
    let asked = |operation: &str| proxy.calls().iter().find(|call| call.name() == operation).unwrap().json();
    assert_eq!(asked("ssm:GetParameters")["Names"], serde_json::json!(["/billing/dev/pool"]));
    assert_eq!(asked("secretsmanager:GetSecretValue")["SecretId"], "dev/shop/stripe");

    // A change in git alone needs that one value, and nothing else.
    let shop = Shop::live().await;
    shop.set("config/billing/dev.json", "pool", Some("30"));
    shop.commit("More connections");
    let (seen, proxy, _) = refresh(&shop, no_detection).await;
    assert_eq!(seen.verdicts["parameter /billing/dev/pool"], "pending");
    let read: usize = READS_VALUES.iter().map(|pattern| proxy.count(pattern)).sum();
    assert_eq!((read, proxy.count("ssm:GetParameters")), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn opening_an_item_reads_that_value_and_no_other() {
    let shop = Shop::live().await;
    let opened = |wish| Wish {
        kinds: vec![Kind::Parameter],
        reveal: Reveal::One(Kind::Parameter, "/web/dev/title".to_owned()),
        ..no_detection(wish)
    };
    let (seen, proxy, _) = refresh(&shop, opened).await;
    assert_eq!(seen.verdicts["parameter /web/dev/title"], "in_sync");
    let read: Vec<Call> = proxy.calls().into_iter().filter(|call| call.name() == "ssm:GetParameters").collect();
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].json()["Names"], serde_json::json!(["/web/dev/title"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_is_detected_anew_only_when_it_is_asked_for_or_old() {
    let shop = Shop::live().await;
    let detected = |counted: &BTreeMap<String, usize>| counted.get("cloudformation:DetectStackDrift").copied();
    let stale = |wish| Wish { detect: Detect::Stale, ..wish };
    assert_eq!(detected(&refresh(&shop, no_detection).await.2), None, "never");
    assert_eq!(detected(&refresh(&shop, stale).await.2), Some(1), "there was none yet");
    assert_eq!(detected(&refresh(&shop, stale).await.2), None, "it is recent");
    assert_eq!(detected(&refresh(&shop, |wish| Wish { detect: Detect::Always, ..wish }).await.2), Some(1), "always");
    shop.replace("stack.yaml", "VisibilityTimeout: 30", "VisibilityTimeout: 40");
    shop.commit("Wait longer");
    shop.roll_out().await;
    let (seen, _, counted) = refresh(&shop, no_detection).await;
    assert_eq!(detected(&counted), None);
    let why = seen.unknown("stack shop-dev/Queue");
    assert!(why.contains("before the stack changed") || why.contains("did not check this resource since"), "{why}");
    assert_eq!(detected(&refresh(&shop, stale).await.2), Some(1), "the stack changed since");
    shop.in_sync().await;
}
