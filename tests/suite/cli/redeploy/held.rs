//! Holds where clocks differ, where they cannot be read, and where somebody else has one.

use serde_json::{Value, json};

use super::github::{GitHub, State};
use super::{WELL, redeploy, shop};
use crate::cli::shop::{Done, PROJECT, Shop, put};
use crate::support::account::Account;
use crate::support::proxy::Fault;

const HOLD: &str = "/plumb/petshop/dev/hold";

fn hold(shop: &Shop, more: &[&str]) -> Done {
    shop.plumb(&[&["hold", "--env", "dev", "--reason", "a migration", "-o", "json"], more].concat())
}

/// Seconds since the Unix epoch.
fn seconds(time: &Value) -> i64 {
    time.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second()
}

#[test]
fn a_hold_is_by_awss_clock_whatever_this_machines_says() {
    const HOUR: i64 = 3600;
    let github = GitHub::start(State { names_runs: true, looks: WELL.to_vec(), ..State::default() });
    for ahead in [2 * HOUR, -2 * HOUR] {
        let account = Account::fresh();
        let mut shop = shop(&account, &github, "");
        let (behind, proxy) = account.behind_proxy();
        shop.env.retain(|(name, _)| name != "AWS_ENDPOINT_URL");
        shop.env.push(("AWS_ENDPOINT_URL".into(), behind.endpoint_url.clone()));
        proxy.on("*").reply(Fault::Skewed(ahead));
        let there = || jiff::Timestamp::now().as_second() + ahead;
        // Another machine's, which has half an hour left by AWS's clock; and one that ended as long ago.
        let other = |until: i64| {
            let until = jiff::Timestamp::from_second(until).unwrap();
            json!({"until": until.to_string(), "by": "arn:aws:iam::1:user/mara", "reason": "theirs"}).to_string()
        };
        put(&account, HOLD, &other(there() + HOUR / 2 - 50));
        let refused = redeploy(&shop, &["--yes"]);
        refused.ended(2).complained(&["refused: dev is on hold for 29 min", "user/mara: theirs"]);
        shop.plumb(&["status", "--env", "dev"]).complained(&["! dev is on hold for 29 min"]);
        put(&account, HOLD, &other(there() - HOUR / 2));
        hold(&shop, &["--for", "1h", "--dry-run"]).ended(0).complained(&["now     dev is not on hold"]);
        let placed = hold(&shop, &["--for", "1h"]);
        placed.ended(0).complained(&["is on hold for 59 min"]);
        let lasts = seconds(&placed.json()["until"]) - there();
        assert!((HOUR - 300..=HOUR).contains(&lasts), "{lasts} s: {placed}");
    }
    assert_eq!(github.sent("/dispatches"), [Value::Null; 0]);
}

#[test]
fn a_hold_that_cannot_be_read_is_not_called_none() {
    let account = Account::fresh();
    let shop = Shop::with_project(PROJECT).at(&account);
    put(&account, HOLD, "for ever");
    for command in [&["hold", "--for", "1h", "--reason", "a migration"][..], &["release"]] {
        let done = shop.plumb(&[command, &["--env", "dev", "--dry-run", "-o", "json"]].concat());
        let json = done.ended(2).json();
        assert_eq!((&json["held"], &json["written"]), (&Value::Null, &json!(false)), "{json:#}");
        assert!(json["why"].as_str().unwrap().contains("cannot be read, and so counts"), "{json:#}");
    }
    // It is ended all the same by whoever was shown that.
    shop.plumb(&["release", "--env", "dev"]).ended(0).complained(&["dev is released"]);
}

#[test]
fn a_longer_hold_is_shortened_only_by_who_says_so() {
    let account = Account::fresh();
    let shop = Shop::with_project(PROJECT).at(&account);
    hold(&shop, &["--for", "2h"]).ended(0);
    hold(&shop, &["--for", "3h"]).ended(0);
    let shorter = hold(&shop, &["--for", "30m"]);
    shorter.ended(2).complained(&["! it ends 2 h ", "no terminal to ask at"]);
    let json = shop.plumb(&["status", "--env", "dev", "-o", "json"]).json();
    assert!(seconds(&json["hold"]["until"]) > jiff::Timestamp::now().as_second() + 2 * 3600, "{json:#}");
    hold(&shop, &["--for", "30m", "--yes"]).ended(0).complained(&["is on hold for 29 min"]);
}
