//! `plumb config` on documents that only KMS opens, on the local account: with no age key at all.

use serde_json::json;

use super::config::{DEV, GLOBAL, SECRETS, Vault, secret};
use crate::sops::new_key;
use crate::support::account::Account;
use crate::support::proxy::{Fault, Proxy};

fn rules(keys: &[&str]) -> String {
    let keys: Vec<String> = keys.iter().map(|arn| format!("{{arn: '{arn}', context: {{app: petshop}}}}")).collect();
    format!("creation_rules: [{{key_groups: [{{kms: [{}]}}]}}]\nstores:\n  json:\n    indent: 2\n", keys.join(", "))
}

/// A vault whose documents are under a key of this account, which is reached through a proxy.
fn vault() -> (Vault, Account, Proxy, String) {
    let (account, proxy) = Account::fresh().behind_proxy();
    let arn = new_key(&account);
    let mut vault = Vault::new();
    for file in [DEV, GLOBAL, SECRETS] {
        vault.does(&["decrypt", "--in-place", file]);
    }
    vault.shop.env = account.env();
    vault.shop.write(".sops.yaml", &rules(&[&arn]));
    for file in [DEV, GLOBAL, SECRETS] {
        vault.does(&["encrypt", "--in-place", file]);
    }
    vault.shop.commit();
    proxy.forget();
    (vault, account, proxy, arn)
}

#[test]
fn what_kms_alone_opens_is_read_set_and_edited_with_one_call_for_each_data_key() {
    let (mut vault, _, proxy, arn) = vault();
    assert!(vault.read(DEV).contains(&arn) && !vault.read(DEV).contains("db.dev"));
    let got = vault.does(&["get", "billing", "dev"]).json();
    assert_eq!(got, json!({ "currency": "EUR", "db/host": "db.dev", "db/pool": "20", "url": "https://dev" }));
    assert_eq!(proxy.count("kms:Decrypt"), 2, "two documents");
    let new = secret();
    proxy.forget();
    let before = vault.read(DEV);
    vault.given(&new, &["set", "billing", "dev", "db/host", "--value-stdin"]).ended(0);
    assert_eq!((proxy.count("kms:Decrypt"), proxy.count("kms:Encrypt")), (1, 0), "the data key stays");
    let after = vault.read(DEV);
    let kept = before.lines().filter(|line| after.contains(line)).count();
    assert!(before.lines().count() - kept <= 3, "{before}{after}");
    proxy.forget();
    vault.editor("sed -i 's/https:\\/\\/dev/https:\\/\\/new/' \"$1\"");
    vault.does(&["edit", "billing", "dev"]);
    assert_eq!((proxy.count("kms:Decrypt"), proxy.count("kms:Encrypt")), (1, 0), "once, however often it is opened");
    let got = vault.does(&["get", "billing", "dev", "--ref", "WORKTREE"]).json();
    assert_eq!((&got["db/host"], &got["url"]), (&json!(new), &json!("https://new")));
    vault.does(&["check"]);
    // A refused edit is kept for whoever KMS lets read the document.
    vault.editor("printf '{ \"broken' > \"$1\"");
    let done = vault.run(&["edit", "billing", "dev"]);
    done.ended(2).complained(&["kept, encrypted, as"]);
    let kept = done.stderr.split(" --resume ").nth(1).expect("a place").trim().to_owned();
    assert!(std::fs::read_to_string(&kept).expect("there").contains(&arn));
    assert_eq!(vault.does(&["decrypt", &kept]).stdout, "{ \"broken");
}

#[test]
fn a_data_key_is_renewed_and_handed_to_another_key_of_kms() {
    let (vault, account, proxy, first) = vault();
    let values = |text: &str| text.lines().filter(|line| line.contains("ENC[")).map(str::to_owned).collect::<Vec<_>>();
    let before = vault.read(DEV);
    vault.does(&["rotate", DEV]).complained(&["has a new data key"]);
    assert_eq!((proxy.count("kms:Decrypt"), proxy.count("kms:Encrypt")), (1, 1));
    let rotated = vault.read(DEV);
    assert!(values(&before).iter().all(|line| !rotated.contains(line.as_str())));

    let second = new_key(&account);
    vault.shop.write(".sops.yaml", &rules(&[&first, &second]));
    let done = vault.run(&["check"]);
    done.ended(2);
    assert!(done.stdout.contains(&second) && done.stdout.contains("plumb config updatekeys"), "{done}");
    vault.does(&["updatekeys", DEV]).complained(&["has the recipients of its rule now", &second]);
    let shared = vault.read(DEV);
    let mac = |text: &str| values(text).into_iter().filter(|line| !line.contains("\"mac\"")).collect::<Vec<_>>();
    assert_eq!(mac(&rotated), mac(&shared), "no value is touched");
    // The second opens it when the first does not.
    vault.shop.write(".sops.yaml", &rules(&[&second]));
    vault.does(&["updatekeys", DEV]).complained(&[&format!("- kms {first}")]);
    assert!(!vault.read(DEV).contains(&first));
    assert_eq!(vault.does(&["decrypt", DEV]).json()["db"]["host"], "db.dev");
    vault.does(&["updatekeys", DEV]).complained(&["needs nothing"]);
}

#[test]
fn a_key_that_is_refused_is_named_and_nothing_is_written() {
    let (mut vault, _, proxy, arn) = vault();
    proxy.on("kms:*").reply(Fault::AccessDenied("not for you".to_owned()));
    vault.editor("true");
    let before = vault.read(DEV);
    for (arguments, input) in [
        (&["get", "billing", "dev"][..], ""),
        (&["set", "billing", "dev", "url", "--value-stdin"], "typed"),
        (&["edit", "billing", "dev"], ""),
        (&["rotate", DEV], ""),
        (&["updatekeys", DEV], ""),
        (&["decrypt", DEV], ""),
    ] {
        let done = vault.given(input, arguments);
        done.ended(2).complained(&[&arn, "AccessDenied", "not for you", "try: "]);
        assert!(done.stdout.is_empty() && !done.stderr.contains("typed"), "{done}");
        assert_eq!(vault.read(DEV), before);
    }
    let done = vault.run(&["check"]);
    done.ended(2);
    assert!(done.stdout.contains("not for you"), "{done}");
    // What needs no key goes on.
    vault.does(&["list"]);
    vault.does(&["recipients"]);
}
