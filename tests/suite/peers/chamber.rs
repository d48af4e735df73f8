//! Chamber, whose layout of Parameter Store the pattern of names reaches: it reads what is pushed, and sees its versions.

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
async fn what_is_pushed_is_listed_and_read_by_chamber() {
    let shop = Shop::written(Account::fresh());
    assert_eq!(push::push(&shop.session().await, "HEAD").await.unwrap().failed, []);
    let file = "config/billing/dev.json";
    shop.set(file, "pool", Some("30"));
    shop.commit("More connections");
    assert_eq!(push::push(&shop.session().await, "HEAD").await.unwrap().failed, []);

    let listed = chamber(&shop, &["list", "billing/dev"]);
    let rows: Vec<Vec<&str>> = listed.lines().skip(1).map(|line| line.split_whitespace().take(2).collect()).collect();
    assert_eq!(rows, [["host", "1"], ["pool", "2"]], "{listed}");
    assert_eq!(chamber(&shop, &["read", "--quiet", "billing/dev", "pool"]), "30\n");
    assert_eq!(chamber(&shop, &["read", "--quiet", "--version", "1", "billing/dev", "pool"]), "20\n");
    assert_eq!(chamber(&shop, &["export", "--format", "dotenv", "billing/dev"]), "HOST=\"db.dev\"\nPOOL=\"30\"\n");
}
