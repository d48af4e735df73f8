//! Chamber, whose layout of Parameter Store the pattern of names reaches: it lists and reads what is pushed.
//!
//! The version that chamber shows is a number of its own in the description, which a push keeps as it is.

use std::process::Command;

use plumb::ops::push;

use super::binary;
use crate::support::account::Account;
use crate::verdicts::shop::Shop;

/// What chamber prints on its own account of the shop's.
fn chamber(shop: &Shop, words: &[&str]) -> String {
    let output = Command::new(binary("chamber"))
        .args(words)
        .env_clear()
        .env("HOME", shop.root())
        .envs(shop.account.env())
        .output()
        .unwrap_or_else(|error| panic!("chamber: {error}; tests/peers/install.sh installs it"));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "chamber {words:?}: {told}");
    String::from_utf8(output.stdout).expect("text")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs tests/peers/install.sh chamber"]
async fn what_is_pushed_is_listed_and_read_by_chamber() {
    let shop = Shop::written(Account::fresh());
    assert_eq!(push::push(&shop.session().await, "HEAD").await.unwrap().failed, []);
    let file = "config/billing/dev.json";
    shop.set(file, "pool", Some("30"));
    shop.commit("More connections");
    assert_eq!(push::push(&shop.session().await, "HEAD").await.unwrap().failed, []);

    let listed = chamber(&shop, &["list", "billing/dev"]);
    let keys: Vec<&str> = listed.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(keys, ["host", "pool"], "{listed}");
    assert_eq!(chamber(&shop, &["read", "--quiet", "billing/dev", "pool"]), "30\n");
    assert_eq!(chamber(&shop, &["export", "--format", "dotenv", "billing/dev"]), "HOST=\"db.dev\"\nPOOL=\"30\"\n");

    // What chamber writes is seen here as a write by hand, and its number of the version stays what it says.
    chamber(&shop, &["write", "billing/dev", "host", "db.chamber"]);
    let plan = push::plan(&shop.session().await, &push::Ask::default()).await.unwrap();
    let change = plan.changes.first().expect("live was moved");
    assert_eq!((change.step.name.as_str(), change.overwrites), ("/billing/dev/host", true));
    assert_eq!(push::apply(&shop.session().await, &plan, &|_| ()).await.unwrap().failed, []);
    let listed = chamber(&shop, &["list", "billing/dev"]);
    assert!(listed.lines().any(|line| line.split_whitespace().take(2).eq(["host", "1"])), "{listed}");
    assert_eq!(chamber(&shop, &["read", "--quiet", "billing/dev", "host"]), "db.dev\n");
}
