//! What is broken is told in its place, and the rest works.

use std::collections::BTreeMap;

use plumb::aws::{Timeouts, s3};
use plumb::compare::Kind;
use plumb::ops::inspect::{Detect, Wish};
use plumb::sops;

use super::shop::{DEV, Seen, Shop, Verdicts, verdicts};
use crate::support::account::Account;

const RECEIPTS: &str = "plumb/shop/dev/receipts";

/// A shop in which something moves in git, so that documents have to be opened; and its verdicts.
async fn shop() -> (Shop, Verdicts) {
    let shop = Shop::live().await;
    shop.set("config/billing/dev.json", "pool", Some("30"));
    shop.commit("More connections");
    let before = shop.look().await;
    before.is_whole();
    (shop, before.verdicts)
}

fn tells(seen: &Seen, subject: &str, words: &str) {
    let problems = seen.problems();
    let told = problems.iter().any(|text| text.starts_with(subject) && text.contains(words));
    assert!(told, "nobody says `{words}` of {subject}: {problems:#?}");
}

async fn put_receipt(shop: &Shop, unit: &str, change: impl Fn(&str) -> String) {
    let clients = shop.by_hand().await;
    let (bucket, key) = (format!("shop-state-{}", shop.account.id), format!("{RECEIPTS}/{unit}.json"));
    let (bytes, _) = s3::get(&clients, &bucket, &key).await.unwrap().unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let changed = change(&text);
    assert_ne!(changed, text);
    let bytes = changed.into_bytes();
    s3::put(&clients, &bucket, &key, bytes, "application/json", s3::Condition::None, &BTreeMap::new()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_was_altered_makes_unknown_what_needs_its_values() {
    let (shop, before) = shop().await;
    let text = shop.read("config/billing/dev.json");
    let mac = text.split_once("\"mac\": \"ENC[AES256_GCM,data:").unwrap().1;
    let letter = if mac.starts_with('A') { "B" } else { "A" };
    let altered = text.replacen(&mac[..40], &format!("{letter}{}", &mac[1..40]), 1);
    shop.write("config/billing/dev.json", &altered);
    shop.commit("Alter");
    let seen = shop.look().await;
    assert_eq!(seen.moved_from(&before), verdicts(&[("parameter /billing/dev/pool", "unknown")]));
    let why = seen.unknown("parameter /billing/dev/pool");
    assert!(why.contains("config/billing/dev.json") && why.contains("MAC"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_is_no_json_makes_its_items_unknown_and_no_others() {
    let (shop, before) = shop().await;
    shop.write("config/billing/dev.json", "{ \"pool\": ");
    shop.commit("Break");
    let seen = shop.look().await;
    let expected = [("parameter /billing/dev/host", "unknown"), ("parameter /billing/dev/pool", "unknown")];
    assert_eq!(seen.moved_from(&before), verdicts(&expected), "neither is said to have left git");
    tells(&seen, "config/billing/dev.json: ", "config/billing/dev.json");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_key_only_what_needs_a_value_is_unknown() {
    let (shop, before) = shop().await;
    let (_, other) = sops::generate_age_key();
    for identity in [Some(&other), None] {
        let session = shop.session_with(DEV, &shop.account, Timeouts::default(), identity).await;
        let seen = Seen::by(&session).await;
        assert_eq!(seen.moved_from(&before), verdicts(&[("parameter /billing/dev/pool", "unknown")]));
        let item = seen.item("parameter /billing/dev/pool");
        let plumb::compare::Verdict::Unknown(why) = &item.verdict else { unreachable!() };
        assert!(why.reason.contains("config/billing/dev.json"), "{why}");
        assert!(why.hint.as_deref().unwrap_or_default().contains("SOPS_AGE_KEY_FILE"), "{why:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_cannot_be_read_makes_its_resources_unknown() {
    type Row = (&'static str, fn(&Shop), &'static str);
    let (shop, before) = shop().await;
    let rows: [Row; 2] = [
        ("it is no YAML", |shop| shop.write("stack.yaml", "Resources: [unclosed"), "stack.yaml"),
        ("it is missing", |shop| std::fs::remove_file(shop.path("stack.yaml")).unwrap(), "stack.yaml is not in commit"),
    ];
    for (story, change, words) in rows {
        change(&shop);
        shop.commit(story);
        let seen = shop.look().await;
        let stack = ["Api", "Queue", "Role", "Table"].map(|id| format!("stack shop-dev/{id}"));
        let expected: Vec<(&str, &'static str)> = stack.iter().map(|name| (name.as_str(), "unknown")).collect();
        assert_eq!(seen.moved_from(&before), verdicts(&expected), "{story}: {seen:#?}");
        tells(&seen, "stack.yaml: ", words);
        shop.revert();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_that_does_not_exist_yet_is_git_s_alone() {
    let shop = Shop::written(Account::fresh());
    assert_eq!(plumb::ops::push::push(&shop.session().await, "HEAD").await.unwrap().failed, []);
    let seen = shop.look().await;
    seen.is_whole();
    let stack: Vec<_> = seen.verdicts.iter().filter(|(name, _)| name.starts_with("stack ")).collect();
    assert!(stack.len() == 6 && stack.iter().all(|(_, verdict)| **verdict == "git_only"), "{seen:#?}");
    assert_eq!(seen.verdicts["code shop-dev/Api"], "git_only");
    assert_eq!(seen.verdicts["parameter /billing/dev/pool"], "in_sync");
    let Ok(section) = seen.section(Kind::Stack) else { panic!("{seen:#?}") };
    assert_eq!(section.units[0].status, "does not exist");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_state_bucket_values_are_compared() {
    let (shop, before) = shop().await;
    // Neither named nor, in the second row, there.
    let rows = [
        ("[state]\nbucket = \"shop-state-{account}\"", ""),
        ("shop-state-{account}\"\n\n[[config]]", "nowhere-{account}\"\n\n[[config]]"),
    ];
    for (row, (from, to)) in rows.into_iter().enumerate() {
        shop.replace("plumb.toml", from, to);
        shop.commit("Another bucket");
        let seen = shop.look().await;
        let expected = [("parameter /billing/dev/pool", "differs"), ("code shop-dev-api", "unknown")];
        assert_eq!(seen.moved_from(&before), verdicts(&expected), "{row}: {seen:#?}");
        if row == 0 {
            seen.is_whole();
        } else {
            tells(&seen, "receipts", "NoSuchBucket");
        }
        let recorded = plumb::ops::record::record(&shop.session().await, "HEAD", false).await;
        if row == 0 {
            let why = recorded.unwrap_err();
            assert!(why.reason.contains("names no state bucket"), "{why}");
        } else {
            // The bucket is made, as a deployment would.
            assert!(recorded.unwrap().equal.contains(&"/web/dev/title".to_owned()));
        }
        shop.revert();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_cannot_be_used_is_told_and_accuses_nobody() {
    let (shop, before) = shop().await;
    let unit = ["parameter /billing/dev/pool"];
    put_receipt(&shop, "config/billing", |text| text.replacen("\"schema\": 1", "\"schema\": 99", 1)).await;
    let seen = shop.look().await;
    assert_eq!(seen.moved_from(&before), verdicts(&unit.map(|name| (name, "differs"))), "of a newer version");
    tells(&seen, "receipt of billing: ", "has format 99");

    put_receipt(&shop, "config/billing", |_| "{ broken".to_owned()).await;
    let seen = shop.look().await;
    assert_eq!(seen.moved_from(&before), verdicts(&unit.map(|name| (name, "differs"))), "no JSON");
    tells(&seen, "receipt of billing: ", "cannot read receipt");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_of_an_unknown_commit_still_says_what_did_not_move() {
    let (shop, before) = shop().await;
    let commit = shop.git(&["rev-parse", "HEAD~1"]);
    let unknown = "0123456789012345678901234567890123456789";
    for unit in ["config/billing", "stack/shop-dev"] {
        put_receipt(&shop, unit, |text| text.replace(&commit, unknown)).await;
    }
    let seen = shop.look().await;
    // Versions, digests and live itself need no commit; and a stack that has not changed since is what was rolled out.
    let mut expected = verdicts(&[]);
    assert_eq!(seen.moved_from(&before), expected, "{seen:#?}");
    shop.act(super::by_hand::Act::Visibility(60)).await;
    expected.insert("stack shop-dev/Queue".to_owned(), "drifted");
    assert_eq!(shop.look().await.moved_from(&before), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ref_that_does_not_exist_is_told_once_a_kind_and_nothing_is_guessed() {
    let (shop, _) = shop().await;
    let session = shop.session().await;
    let wish = Wish { reference: "origin/nowhere".to_owned(), detect: Detect::Never, ..Wish::of(&session) };
    let seen = Seen::with(&session, &wish).await;
    assert!(seen.report.commit.is_err());
    assert!(seen.report.identity.is_ok(), "who asks is known");
    assert!(seen.verdicts.values().all(|verdict| *verdict == "unknown"), "{:#?}", seen.verdicts);
    for kind in [Kind::Parameter, Kind::Secret] {
        let Err(why) = seen.section(kind) else { panic!("{kind:?}: {seen:#?}") };
        assert!(why.reason.contains("origin/nowhere"), "{why}");
    }
    let told = |text: &String| text.contains("origin/nowhere");
    assert!(seen.problems().iter().any(told), "{:#?}", seen.problems());
}
