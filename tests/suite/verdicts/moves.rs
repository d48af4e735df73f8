//! Git moved: what waits to be rolled out, and what both sides moved.

use super::by_hand::Act;
use super::shop::{CODE, Shop, verdicts};

const BILLING: &str = "config/billing/dev.json";
const POOL: &str = "parameter /billing/dev/pool";

/// What is done in git, what meanwhile by hand, the verdicts, and how the hand's part is taken back.
struct Row {
    story: &'static str,
    git: fn(&Shop),
    by_hand: &'static [Act],
    expected: &'static [(&'static str, &'static str)],
    taken_back: &'static [Act],
}

impl Row {
    const fn in_git(story: &'static str, git: fn(&Shop), expected: &'static [(&'static str, &'static str)]) -> Self {
        Self { story, git, by_hand: &[], expected, taken_back: &[] }
    }
}

/// Plays rows one after the other; each is committed, and reverted by a commit of its own.
async fn play(rows: &[Row]) {
    let shop = Shop::live().await;
    let before = shop.in_sync().await;
    for Row { story, git, by_hand, expected, taken_back } in rows {
        git(&shop);
        shop.commit(story);
        for act in *by_hand {
            shop.act(*act).await;
        }
        let seen = shop.look().await;
        seen.is_whole();
        assert_eq!(seen.moved_from(&before), verdicts(expected), "{story}: {seen:#?}");
        shop.revert();
        for act in *taken_back {
            shop.act(*act).await;
        }
        let seen = shop.look().await;
        seen.is_whole();
        assert_eq!(seen.moved_from(&before), verdicts(&[]), "{story}, reverted: {seen:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_git_says_anew_is_pending_until_it_is_rolled_out() {
    play(&[
        Row::in_git("a value is changed", |shop| shop.set(BILLING, "pool", Some("30")), &[(POOL, "pending")]),
        Row::in_git("a key is removed", |shop| shop.set(BILLING, "pool", None), &[(POOL, "pending")]),
        Row::in_git(
            "a key is added",
            |shop| shop.set(BILLING, "port", Some("5432")),
            &[("parameter /billing/dev/port", "git_only")],
        ),
        Row::in_git(
            "a document is removed with all its keys",
            |shop| std::fs::remove_file(shop.path("config/jobs/dev.json")).unwrap(),
            &[("parameter /jobs/dev/every", "pending")],
        ),
        Row::in_git(
            "a document is encrypted anew, without a change of value",
            |shop| shop.encrypt(BILLING, &[("pool", "20"), ("host", "db.dev")]),
            &[],
        ),
        Row::in_git(
            "a document is encrypted anew, with one change of value",
            |shop| shop.encrypt(BILLING, &[("pool", "21"), ("host", "db.dev")]),
            &[(POOL, "pending")],
        ),
        Row::in_git(
            "a secret is changed",
            |shop| shop.set("secrets/dev.json", "stripe", Some("sk_2")),
            &[("secret dev/shop/stripe", "pending")],
        ),
        Row::in_git(
            "a secret is added and one removed",
            |shop| {
                shop.set("secrets/dev.json", "pepper", Some("p"));
                shop.set("secrets/dev.json", "signing", None);
            },
            &[("secret dev/shop/pepper", "git_only"), ("secret dev/shop/signing", "pending")],
        ),
        Row::in_git("a file that is no item is added", |shop| shop.write("README.md", "Hello\n"), &[]),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_or_a_source_that_changed_is_pending() {
    play(&[
        Row::in_git(
            "a property is changed",
            |shop| shop.replace("stack.yaml", "VisibilityTimeout: 30", "VisibilityTimeout: 60"),
            &[("stack shop-dev/Queue", "pending")],
        ),
        Row::in_git(
            "a property is added",
            |shop| {
                shop.replace(
                    "stack.yaml",
                    "      VisibilityTimeout: 30",
                    "      VisibilityTimeout: 30\n      DelaySeconds: 3",
                );
            },
            &[("stack shop-dev/Queue", "pending")],
        ),
        Row::in_git(
            "a variable is changed",
            |shop| shop.replace("stack.yaml", "BATCH: \"25\"", "BATCH: \"50\""),
            &[("stack shop-dev/Api", "pending")],
        ),
        Row::in_git(
            "the same is written in another way",
            |shop| {
                shop.replace(
                    "stack.yaml",
                    "QueueName: !Sub shop-${Environment}-refunds",
                    "QueueName: { \"Fn::Sub\": \"shop-${Environment}-refunds\" }",
                );
            },
            &[],
        ),
        Row::in_git(
            "a resource is added",
            |shop| {
                let with = format!("{}  Topic:\n    Type: AWS::SNS::Topic\n", shop.read("stack.yaml"));
                shop.write("stack.yaml", &with);
            },
            &[("stack shop-dev/Topic", "git_only")],
        ),
        Row::in_git(
            "the source is changed",
            |shop| shop.write("api/app.py", "def handler(event, context):\n    return 4\n"),
            &[("code shop-dev-api", "pending")],
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_both_moved_is_diverged_unless_they_moved_to_the_same() {
    play(&[
        Row {
            story: "git and live moved to different values",
            git: |shop| shop.set(BILLING, "pool", Some("30")),
            by_hand: &[Act::PutParameter("/billing/dev/pool", "50")],
            expected: &[(POOL, "diverged")],
            taken_back: &[Act::PutParameter("/billing/dev/pool", "20")],
        },
        Row {
            story: "git and live moved to the same value",
            git: |shop| shop.set(BILLING, "pool", Some("30")),
            by_hand: &[Act::PutParameter("/billing/dev/pool", "30")],
            expected: &[],
            taken_back: &[Act::PutParameter("/billing/dev/pool", "20")],
        },
        Row {
            story: "git changed what was deleted live",
            git: |shop| shop.set(BILLING, "pool", Some("30")),
            by_hand: &[Act::DeleteParameter("/billing/dev/pool")],
            expected: &[(POOL, "diverged")],
            taken_back: &[Act::PutParameter("/billing/dev/pool", "20")],
        },
        Row {
            story: "git removed what was changed live",
            git: |shop| shop.set(BILLING, "pool", None),
            by_hand: &[Act::PutParameter("/billing/dev/pool", "50")],
            expected: &[(POOL, "diverged")],
            taken_back: &[Act::PutParameter("/billing/dev/pool", "20")],
        },
        Row {
            story: "git removed what was deleted live: nobody has it, so it is not listed",
            git: |shop| shop.set(BILLING, "pool", None),
            by_hand: &[Act::DeleteParameter("/billing/dev/pool")],
            expected: &[(POOL, "gone")],
            taken_back: &[Act::PutParameter("/billing/dev/pool", "20")],
        },
        Row {
            story: "git added what somebody made by hand, with another value",
            git: |shop| shop.set(BILLING, "port", Some("5432")),
            by_hand: &[Act::PutParameter("/billing/dev/port", "1")],
            expected: &[("parameter /billing/dev/port", "diverged")],
            taken_back: &[Act::DeleteParameter("/billing/dev/port")],
        },
        Row {
            story: "a secret moved on both sides",
            git: |shop| shop.set("secrets/dev.json", "stripe", Some("sk_2")),
            by_hand: &[Act::PutSecret("dev/shop/stripe", "sk_3")],
            expected: &[("secret dev/shop/stripe", "diverged")],
            taken_back: &[Act::PutSecret("dev/shop/stripe", "sk_1")],
        },
        Row {
            story: "different properties of one resource moved",
            git: |shop| shop.replace("stack.yaml", "Timeout: 10", "Timeout: 15"),
            by_hand: &[Act::Memory(1024)],
            expected: &[("stack shop-dev/Api", "diverged")],
            taken_back: &[Act::Memory(256)],
        },
        Row {
            story: "source and live code moved",
            git: |shop| shop.write("api/app.py", "def handler(event, context):\n    return 5\n"),
            by_hand: &[Act::Code("def handler(event, context):\n    return 6\n")],
            expected: &[("code shop-dev-api", "diverged")],
            taken_back: &[Act::Code(CODE)],
        },
    ])
    .await;
}
