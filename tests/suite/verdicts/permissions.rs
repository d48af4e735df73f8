//! IAM enforced: what a permission is missing for is unknown, in AWS's own words; the rest is as it is.

use plumb::aws::Timeouts;
use serde_json::{Value, json};

use super::by_hand::Act;
use super::shop::{DEV, Seen, Shop, Verdicts};
use crate::support::account::Account;
use crate::support::proxy::Fault;

/// A user who may do everything but this.
fn everything_but(shop: &Shop, name: &str, denied: &Value) -> Account {
    let all = json!({ "Effect": "Allow", "Action": "*", "Resource": "*" });
    shop.account.user(name, &[all, denied.clone()])
}

fn deny(action: &str, resource: &str) -> Value {
    json!({ "Effect": "Deny", "Action": action, "Resource": resource })
}

/// Verdicts with these items unknown.
fn unknown(before: &Verdicts, names: &[&str]) -> Verdicts {
    let mut verdicts = before.clone();
    for name in names {
        assert!(verdicts.insert((*name).to_owned(), "unknown").is_some(), "{name}");
    }
    verdicts
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_permission_makes_exactly_its_items_unknown() {
    let shop = Shop::live_in(Account::enforcing_iam()).await;
    for act in [
        Act::PutParameter("/billing/dev/pool", "50"),
        Act::PutParameter("/web/dev/title", "Their shop"),
        Act::PutSecret("dev/shop/stripe", "sk_2"),
        Act::PutSecret("dev/shop/signing", "s_2"),
        Act::Visibility(60),
    ] {
        shop.act(act).await;
    }
    let clean = shop.look().await;
    clean.is_whole();
    let stack = ["Api", "Queue", "Role", "Table"].map(|id| format!("stack shop-dev/{id}"));
    let stack: Vec<&str> = stack.iter().map(String::as_str).collect();
    let rows: [(&str, Value, &[&str]); 5] = [
        ("nothing", json!({ "Effect": "Deny", "Action": "sns:Publish", "Resource": "*" }), &[]),
        (
            "ssm:GetParameters",
            deny("ssm:GetParameters", "*"),
            &["parameter /billing/dev/pool", "parameter /web/dev/title"],
        ),
        (
            "secretsmanager:GetSecretValue",
            deny("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:*:*:secret:dev/shop/stripe*"),
            &["secret dev/shop/stripe"],
        ),
        ("lambda:GetFunctionConfiguration", deny("lambda:GetFunctionConfiguration", "*"), &["code shop-dev-api"]),
        ("cloudformation:DetectStackDrift", deny("cloudformation:DetectStackDrift", "*"), &stack),
    ];
    for (row, (action, denied, expected)) in rows.into_iter().enumerate() {
        let user = everything_but(&shop, &format!("reader-{row}"), &denied);
        let session = shop.session_of(DEV, &user, Timeouts::default()).await;
        let seen = Seen::by(&session).await;
        let context = format!("without {denied}: {:#?}", seen.problems());
        assert_eq!(seen.verdicts, unknown(&clean.verdicts, expected), "{context}");
        for name in expected {
            let why = seen.unknown(name);
            assert!(why.contains("is not authorized to perform") && why.contains(action), "{name}: {why}; {context}");
        }
    }
}

/// The emulator's IAM knows no single parameter in a call for ten, nor the key of one; AWS refuses such a call as a whole.
#[tokio::test(flavor = "multi_thread")]
async fn one_parameter_that_may_not_be_read_does_not_take_the_others_with_it() {
    let shop = Shop::live().await;
    for name in ["/billing/dev/pool", "/billing/dev/host", "/web/dev/title", "/jobs/dev/every"] {
        shop.act(Act::PutParameter(name, "other")).await;
    }
    let clean = shop.look().await;
    let (account, proxy) = shop.account.behind_proxy();
    let words = "User: a is not authorized to perform: kms:Decrypt on resource: alias/web";
    let refused = proxy.on("ssm:GetParameters").when(|call| call.body_contains("/web/dev/title"));
    refused.reply(Fault::AccessDenied(words.to_owned()));
    let seen = Seen::by(&shop.session_of(DEV, &account, Timeouts::default()).await).await;
    assert_eq!(seen.verdicts, unknown(&clean.verdicts, &["parameter /web/dev/title"]));
    assert!(seen.unknown("parameter /web/dev/title").contains(words));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_receipts_nobody_is_said_to_have_moved() {
    let shop = Shop::live_in(Account::enforcing_iam()).await;
    shop.act(Act::PutParameter("/billing/dev/pool", "50")).await;
    shop.act(Act::Visibility(60)).await;
    let clean = shop.look().await;
    let user = everything_but(&shop, "reader", &deny("s3:GetObject", "arn:aws:s3:::shop-state-*/plumb/*"));
    let seen = Seen::by(&shop.session_of(DEV, &user, Timeouts::default()).await).await;
    let mut expected = unknown(&clean.verdicts, &["code shop-dev-api"]);
    for name in ["parameter /billing/dev/pool", "stack shop-dev/Queue"] {
        expected.insert(name.to_owned(), "differs");
    }
    assert_eq!(seen.verdicts, expected, "{:#?}", seen.problems());
    let problems = seen.problems();
    for unit in ["billing", "jobs", "web", "secrets", "shop-dev"] {
        let told = problems
            .iter()
            .any(|text| text.starts_with(&format!("receipt of {unit}: ")) && text.contains("s3:GetObject"));
        assert!(told, "{unit}: {problems:#?}");
    }
}
