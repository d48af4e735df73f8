//! From one environment to another, in git alone.

use std::sync::Arc;

use plumb::config::{self, Environ, Flags, Settings};
use plumb::ops::keys::{KeySources, Keys, Opener};
use plumb::ops::promote::{self, Ask, State};
use plumb::ops::session::Access;
use plumb::sops::{self, CreationRule, Document, KeyService, MacPolicy, Node, Rules};
use tokio::task::block_in_place;

use super::*;
use crate::sops as kms;
use crate::verdicts::shop::credentials;

const NOW: &str = "2026-03-01T02:41:07Z";

fn shop() -> Shop {
    let shop = Shop::written(Account::fresh());
    let project = shop.read("plumb.toml");
    shop.write(
        "plumb.toml",
        &format!("{project}\n[environments.qa]\nref = \"main\"\n[environments.prod]\nref = \"main\"\n"),
    );
    shop.encrypt("config/billing/qa.json", &[("pool", "40"), ("host", "db.qa"), ("retries", "3"), ("same", "1")]);
    shop.encrypt("config/billing/prod.json", &[("pool", "100"), ("host", "DB.QA"), ("same", "1"), ("only", "x")]);
    shop.encrypt("secrets/qa.json", &[("stripe", "sk_qa")]);
    shop.commit("Three environments");
    shop.git(&["config", "user.name", "Mara"]);
    shop.git(&["config", "user.email", "mara@example.com"]);
    shop
}

fn settings(shop: &Shop) -> Settings {
    let flags = Flags { env: Some("dev".into()), ..Flags::default() };
    config::load(&flags, &Environ::default(), shop.root()).unwrap()
}

fn keys(shop: &Shop) -> Arc<Keys> {
    Arc::new(Keys::find(&KeySources { key: Some(shop.identity()), ..KeySources::default() }))
}

fn opener(shop: &Shop) -> Opener {
    Opener { keys: keys(shop), access: Access::default() }
}

fn ask(from: &str, to: &str) -> Ask {
    Ask { from: from.into(), to: to.into() }
}

fn states(comparison: &promote::Comparison) -> Vec<(String, State)> {
    comparison.rows.iter().map(|row| (row.key.clone(), row.state)).collect()
}

/// The values of a document as a branch has it.
fn values(shop: &Shop, branch: &str, file: &str) -> String {
    values_by(keys(shop).as_ref(), shop, branch, file)
}

fn values_by(keys: &dyn KeyService, shop: &Shop, branch: &str, file: &str) -> String {
    let text = shop.git(&["show", &format!("{branch}:{file}")]);
    let document = Document::parse(file, text.as_bytes()).unwrap();
    let Node::Map(members) = document.open(keys, MacPolicy::Verify).unwrap() else { panic!("{file}") };
    let told = members.into_iter().map(|(key, node)| match node {
        Node::Leaf(leaf) => format!("{key}={}", leaf.to_text().unwrap().expose()),
        other => format!("{key}={other:?}"),
    });
    told.collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_compared_and_the_chosen_ones_are_committed_to_a_branch() {
    let shop = shop();
    let (settings, opener) = (settings(&shop), opener(&shop));
    let comparison = promote::compare(&settings, shop.root(), &opener, &ask("qa", "prod")).unwrap();
    let state = |key: &str, state| (key.to_owned(), state);
    assert_eq!(
        states(&comparison),
        [
            state("billing/host", State::Different),
            state("billing/only", State::OnlyThere),
            state("billing/pool", State::Different),
            state("billing/retries", State::OnlyHere),
            state("billing/same", State::Same),
            state("secrets/stripe", State::OnlyHere),
        ]
    );
    assert_eq!(comparison.rows[0].only.unwrap().to_string(), "differs only in letter case");
    assert_eq!(comparison.reaches, ["prod"]);
    let told = format!("{comparison:?}");
    assert!(!told.contains("db.qa") && !told.contains("sk_qa"), "no value is in what Debug shows");

    let wanted = ["billing/p*".to_owned(), "billing/retries".to_owned(), "billing/same".to_owned()];
    let chosen = comparison.choose(&wanted).unwrap();
    assert_eq!(chosen.iter().map(|row| row.key.as_str()).collect::<Vec<_>>(), ["billing/pool", "billing/retries"]);
    shop.write("config/billing/prod.json", "somebody is at it\n");
    let before = shop.git(&["rev-parse", "main"]);
    let done = promote::commit(shop.root(), &comparison, &chosen, "up", NOW).unwrap();
    assert_eq!(done.files, ["config/billing/prod.json"]);
    assert_eq!(shop.git(&["rev-parse", "main"]), before, "what prod follows is left alone");
    assert_eq!(shop.read("config/billing/prod.json"), "somebody is at it\n", "and so is the work tree");
    assert_eq!(values(&shop, "up", "config/billing/prod.json"), "pool=40 host=DB.QA same=1 only=x retries=3");
    let changed = shop.git(&["show", "--format=%an%n%s", "up"]);
    assert!(changed.starts_with("Mara\nPromote 2 values from qa to prod"), "{changed}");
    let lines = changed.lines().filter(|line| line.starts_with("+\t") || line.starts_with("-\t")).count();
    // Two values, `mac` and `lastmodified`, and the comma before the new one.
    assert!(lines <= 9, "{changed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_is_not_there_yet_is_made_by_the_rules_of_the_repository() {
    let shop = shop();
    let (settings, opener) = (settings(&shop), opener(&shop));
    let wanted = ["secrets/*".to_owned()];
    let compare = || promote::compare(&settings, shop.root(), &opener, &ask("qa", "prod")).unwrap();
    let comparison = compare();
    let chosen = comparison.choose(&wanted).unwrap();
    let why = promote::commit(shop.root(), &comparison, &chosen, "up", NOW).unwrap_err();
    assert!(why.reason.starts_with("secrets/prod.json is not there yet, and no .sops.yaml says"), "{why}");
    shop.write(".sops.yaml", &format!("creation_rules:\n  - path_regex: ^secrets/\n    age: {}\n", shop.recipient()));
    shop.commit("Rules");
    let comparison = compare();
    let chosen = comparison.choose(&wanted).unwrap();
    promote::commit(shop.root(), &comparison, &chosen, "up", NOW).unwrap();
    assert_eq!(values(&shop, "up", "secrets/prod.json"), "stripe=sk_qa");
    let text = shop.git(&["show", "up:secrets/prod.json"]);
    assert!(!text.contains("sk_qa") && text.contains("ENC["), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_global_layer_says_whom_it_reaches_and_who_has_a_value_of_its_own() {
    let shop = shop();
    let comparison = promote::compare(&settings(&shop), shop.root(), &opener(&shop), &ask("qa", "global")).unwrap();
    assert_eq!(comparison.reaches, ["dev", "qa", "prod"]);
    let row = |key: &str| comparison.rows.iter().find(|row| row.key == key).unwrap();
    assert_eq!(
        (row("billing/pool").state, row("billing/pool").file.as_str()),
        (State::OnlyHere, "config/billing/global.json")
    );
    assert_eq!(row("billing/pool").overridden, ["dev", "qa", "prod"]);
    assert_eq!(row("billing/retries").overridden, ["qa"]);
    assert_eq!(row("billing/currency").state, State::OnlyThere);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_targets_key_that_is_said_beforehand() {
    let shop = shop();
    let (other, _) = sops::generate_age_key();
    let node = Node::Map(vec![("pool".into(), Node::text("100"))]);
    let rule = CreationRule::for_age(std::slice::from_ref(&other), Rules::default());
    let bytes = sops::encrypt_node("prod.json", &node, &rule, &sops::Services::new(), NOW).unwrap();
    shop.write("config/billing/prod.json", std::str::from_utf8(&bytes).unwrap());
    shop.commit("A key that only prod has");
    let comparison = promote::compare(&settings(&shop), shop.root(), &opener(&shop), &ask("qa", "prod")).unwrap();
    let (file, why) = &comparison.problems[0];
    assert!(file == "config/billing/prod.json" && why.reason.contains(&other), "{file}: {why}");
    assert_eq!(comparison.rows.iter().find(|row| row.key == "billing/pool").unwrap().state, State::Unknown);
    let why = comparison.choose(&["billing/pool".to_owned()]).unwrap_err();
    assert!(why.reason.starts_with("billing/pool cannot be promoted: "), "{why}");
    // What would be new there needs the key as well.
    let chosen = comparison.choose(&["billing/retries".to_owned()]).unwrap();
    let why = promote::commit(shop.root(), &comparison, &chosen, "up", NOW).unwrap_err();
    assert!(why.reason.contains("config/billing/prod.json"), "{why}");
    assert_eq!(shop.git(&["branch", "--list", "up"]), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_encrypted_never_goes_where_it_would_lie_in_clear() {
    let shop = shop();
    shop.write("config/billing/prod.json", "{\n  \"pool\": 100\n}\n");
    shop.write("config/web/qa.json", "{\"title\": \"QA\", \"limit\": 1.50}\n");
    shop.write("config/web/prod.json", "{\"title\": \"Prod\"}\n");
    shop.commit("In clear");
    let (settings, opener) = (settings(&shop), opener(&shop));
    let comparison = promote::compare(&settings, shop.root(), &opener, &ask("qa", "prod")).unwrap();
    let chosen = comparison.choose(&["billing/host".to_owned()]).unwrap();
    let why = promote::commit(shop.root(), &comparison, &chosen, "up", NOW).unwrap_err();
    assert!(why.reason.starts_with("config/billing/prod.json is not encrypted"), "{why}");
    let chosen = comparison.choose(&["web/*".to_owned()]).unwrap();
    promote::commit(shop.root(), &comparison, &chosen, "up", NOW).unwrap();
    let text = shop.git(&["show", "up:config/web/prod.json"]);
    assert_eq!(text, "{\n  \"title\": \"QA\",\n  \"limit\": 1.50\n}");
    let why = promote::compare(&settings, shop.root(), &opener, &ask("qa", "prd")).unwrap_err();
    assert_eq!(
        (why.reason.as_str(), why.hint.as_deref()),
        ("there is no environment prd", Some("one of dev, qa, prod"))
    );
    assert!(promote::compare(&settings, shop.root(), &opener, &ask("qa", "qa")).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_under_kms_is_opened_and_written_as_its_environment_reaches_kms() {
    let shop = shop();
    let account = &shop.account;
    let ring = kms::ring(account);
    let recipients = vec![kms::under(&kms::new_key(account), None)];
    let rule = CreationRule { groups: vec![recipients], threshold: None, rules: Rules::default() };
    let node = Node::Map(vec![("pool".into(), Node::text("100")), ("only".into(), Node::text("x"))]);
    let bytes = block_in_place(|| sops::encrypt_node("prod.json", &node, &rule, &ring, NOW).unwrap());
    shop.write("config/billing/prod.json", std::str::from_utf8(&bytes).unwrap());
    shop.commit("Prod under KMS");
    let flags = Flags {
        env: Some("dev".into()),
        region: Some(account.region.clone()),
        endpoint_url: Some(account.endpoint_url.clone()),
        ..Flags::default()
    };
    let settings = config::load(&flags, &Environ::default(), shop.root()).unwrap();
    let access = Access { credentials: Some(credentials(account)), ..Access::default() };
    let opener = Opener { keys: keys(&shop), access };
    let promoted = block_in_place(|| {
        let comparison = promote::compare(&settings, shop.root(), &opener, &ask("qa", "prod")).unwrap();
        assert_eq!(comparison.problems, []);
        let chosen = comparison.choose(&["billing/pool".to_owned()]).unwrap();
        promote::commit(shop.root(), &comparison, &chosen, "up", NOW).unwrap()
    });
    assert_eq!(promoted.keys, ["billing/pool"]);
    let now = block_in_place(|| values_by(&ring, &shop, "up", "config/billing/prod.json"));
    assert_eq!(now, "pool=40 only=x");
}
