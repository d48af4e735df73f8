//! Live changed behind git's back: each kind of change of the demo's night, and each taken back by hand.

use super::by_hand::Act;
use super::shop::{CODE, Shop, verdicts};

/// A change, what it makes of which items, and how it is taken back.
type Row = (&'static str, &'static [Act], &'static [(&'static str, &'static str)], &'static [Act]);

const API: &str = "stack shop-dev/Api";
const CODE_OF_API: &str = "code shop-dev-api";
const POOL: &str = "parameter /billing/dev/pool";
const STRIPE: &str = "secret dev/shop/stripe";

/// Plays rows one after the other in one account; what each takes back is the next one's beginning.
async fn play(rows: &[Row]) {
    let shop = Shop::live().await;
    let before = shop.in_sync().await;
    for (story, acts, expected, taken_back) in rows {
        for act in *acts {
            shop.act(*act).await;
        }
        let seen = shop.look().await;
        seen.is_whole();
        assert_eq!(seen.moved_from(&before), verdicts(expected), "{story}: {seen:#?}");
        for act in *taken_back {
            shop.act(*act).await;
        }
        let seen = shop.look().await;
        seen.is_whole();
        assert_eq!(seen.moved_from(&before), verdicts(&[]), "{story}, taken back: {seen:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_resource_drifts_alone_until_it_is_put_back() {
    play(&[
        ("a function's memory is raised", &[Act::Memory(1024)], &[(API, "drifted")], &[Act::Memory(256)]),
        ("an environment variable is changed", &[Act::Variable("500")], &[(API, "drifted")], &[Act::Variable("25")]),
        (
            "a queue's attribute is changed",
            &[Act::Visibility(60)],
            &[("stack shop-dev/Queue", "drifted")],
            &[Act::Visibility(30)],
        ),
        ("a table is deleted", &[Act::DeleteTable], &[("stack shop-dev/Table", "drifted")], &[Act::CreateTable]),
        (
            "memory and a queue are changed",
            &[Act::Memory(512), Act::Visibility(31)],
            &[(API, "drifted"), ("stack shop-dev/Queue", "drifted")],
            &[Act::Memory(256), Act::Visibility(30)],
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_code_drifts_wherever_the_alias_or_the_next_version_would_serve_it() {
    const HOTFIX: &str = "def handler(event, context):\n    return 2\n";
    play(&[
        ("code is replaced on $LATEST only", &[Act::Code(HOTFIX)], &[(CODE_OF_API, "drifted")], &[Act::Code(CODE)]),
        (
            "code is replaced, published and served",
            &[Act::Code(HOTFIX), Act::Publish],
            &[(CODE_OF_API, "drifted")],
            &[Act::Code(CODE), Act::Alias("1")],
        ),
        ("the alias alone is moved to other code", &[Act::Alias("2")], &[(CODE_OF_API, "drifted")], &[Act::Alias("1")]),
        (
            "a tenth of the calls goes to other code",
            &[Act::Weight("2", 0.1)],
            &[(CODE_OF_API, "drifted")],
            &[Act::Alias("1")],
        ),
        ("the same code is published once more and served", &[Act::Publish], &[], &[Act::Alias("1")]),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_is_what_its_value_says_whatever_its_version() {
    play(&[
        (
            "a parameter is edited",
            &[Act::PutParameter("/billing/dev/pool", "50")],
            &[(POOL, "drifted")],
            &[Act::PutParameter("/billing/dev/pool", "20")],
        ),
        ("a parameter is edited to the same value", &[Act::PutParameter("/billing/dev/pool", "20")], &[], &[]),
        (
            "a parameter is deleted",
            &[Act::DeleteParameter("/billing/dev/pool")],
            &[(POOL, "drifted")],
            &[Act::PutParameter("/billing/dev/pool", "20")],
        ),
        (
            "a parameter is deleted and made anew with the same value",
            &[Act::DeleteParameter("/billing/dev/host"), Act::PutParameter("/billing/dev/host", "db.dev")],
            &[],
            &[],
        ),
        (
            "a parameter is deleted and made anew with another value, which is version 1 again",
            &[Act::DeleteParameter("/web/dev/title"), Act::PutParameter("/web/dev/title", "Their shop")],
            &[("parameter /web/dev/title", "drifted")],
            &[Act::PutParameter("/web/dev/title", "The shop")],
        ),
        (
            "a parameter is added",
            &[Act::PutParameter("/web/dev/debug", "true")],
            &[("parameter /web/dev/debug", "unmanaged")],
            &[Act::DeleteParameter("/web/dev/debug")],
        ),
        (
            "a parameter of the global layer is edited",
            &[Act::PutParameter("/billing/global/currency", "USD")],
            &[("parameter /billing/global/currency", "drifted")],
            &[Act::PutParameter("/billing/global/currency", "EUR")],
        ),
        (
            "a parameter of another environment or project is added",
            &[Act::PutParameter("/billing/prod/pool", "1"), Act::PutParameter("/elsewhere", "1")],
            &[],
            &[],
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_what_its_current_value_says() {
    play(&[
        (
            "a secret is changed",
            &[Act::PutSecret("dev/shop/stripe", "sk_2")],
            &[(STRIPE, "drifted")],
            &[Act::PutSecret("dev/shop/stripe", "sk_1")],
        ),
        (
            "a secret is scheduled for deletion",
            &[Act::DeleteSecret("dev/shop/stripe")],
            &[(STRIPE, "drifted")],
            &[Act::RestoreSecret("dev/shop/stripe")],
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_of_a_change_names_what_moved() {
    let shop = Shop::live().await;
    for act in [
        Act::Memory(1024),
        Act::Variable("500"),
        Act::DeleteTable,
        Act::DeleteParameter("/billing/dev/pool"),
        Act::DeleteSecret("dev/shop/stripe"),
        Act::Weight("1", 0.0),
        Act::Code("def handler(event, context):\n    return 3\n"),
    ] {
        shop.act(act).await;
    }
    let seen = shop.look().await;
    let reason = |name: &str| seen.item(name).reason.clone();
    assert_eq!(reason(API), "BATCH, MemorySize");
    assert_eq!(reason("stack shop-dev/Table"), "deleted behind the stack's back");
    assert_eq!(reason(POOL), "deleted live");
    assert!(reason(STRIPE).contains("scheduled for deletion, can be restored until"), "{}", reason(STRIPE));
    assert_eq!(reason(CODE_OF_API), "$LATEST: code that git did not build");
    let drifted: Vec<&str> =
        seen.item(API).rows.iter().filter(|row| row.verdict.is_difference()).map(|row| row.path.as_str()).collect();
    assert_eq!(drifted, ["Environment.Variables.BATCH", "MemorySize"]);
    assert!(!format!("{seen:?}").contains("sk_1"), "no value of a secret is printed");
}
