//! More than one page of everything.

use std::collections::BTreeMap;

use plumb::aws::Timeouts;
use plumb::ops::inspect::{Detect, Wish};

use super::by_hand::{create_secret, put_parameter};
use super::shop::{DEV, Seen, Shop};
use crate::support::account::Account;

const RESOURCES: usize = 130;
const PARAMETERS: usize = 65;
const SECRETS: usize = 25;

fn values(count: usize) -> Vec<(String, String)> {
    (0..count).map(|nth| (format!("k{nth:03}"), format!("value {nth}"))).collect()
}

fn pairs(values: &[(String, String)]) -> Vec<(&str, &str)> {
    values.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

fn tally(seen: &Seen, start: &str) -> BTreeMap<&'static str, usize> {
    let mut tally = BTreeMap::new();
    for (_, verdict) in seen.verdicts.iter().filter(|(name, _)| name.starts_with(start)) {
        *tally.entry(*verdict).or_default() += 1;
    }
    tally
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_beyond_the_first_page_is_compared_too() {
    let shop = Shop::written(Account::fresh());
    let mut template = super::shop::TEMPLATE.to_owned();
    for nth in 0..RESOURCES {
        // Under the prefix of a service's own parameters: the stack owns them, so nobody calls them unmanaged.
        let properties = format!("{{ Name: /billing/dev/owned/{nth:03}, Type: String, Value: \"{nth}\" }}");
        let resource =
            ["  P", &format!("{nth:03}"), ":\n    Type: AWS::SSM::Parameter\n    Properties: ", &properties, "\n"];
        template.extend(resource);
    }
    shop.write("stack.yaml", &template);
    shop.encrypt("config/billing/dev.json", &pairs(&values(PARAMETERS)));
    shop.encrypt("secrets/dev.json", &pairs(&values(SECRETS)));
    shop.commit("Grow");

    // Live before Plumb, so that every value must be read, ten parameters and twenty secrets at a time.
    let clients = shop.by_hand().await;
    for (key, value) in values(PARAMETERS) {
        put_parameter(&clients, &format!("/billing/dev/{key}"), &value).await;
    }
    for (key, value) in values(SECRETS) {
        create_secret(&clients, &format!("dev/shop/{key}"), &value).await;
    }
    let (account, proxy) = shop.account.behind_proxy();
    let session = shop.session_of(DEV, &account, Timeouts::default()).await;
    let seen = Seen::by(&session).await;
    let read = ["ssm:GetParameters", "ssm:DescribeParameters", "secretsmanager:BatchGetSecretValue"];
    assert_eq!(read.map(|operation| proxy.count(operation)), [7, 2, 2], "{:?}", proxy.calls());
    // The documents of the other services and layers were not put there.
    assert_eq!(tally(&seen, "parameter "), BTreeMap::from([("in_sync", PARAMETERS), ("git_only", 3)]));
    assert_eq!(tally(&seen, "secret "), BTreeMap::from([("in_sync", SECRETS)]));

    shop.roll_out().await;
    put_parameter(&clients, "/billing/dev/k064", "last").await;
    put_parameter(&clients, "/billing/dev/owned/129", "moved").await;
    proxy.forget();
    let seen = Seen::with(&session, &Wish { detect: Detect::Always, ..Wish::of(&session) }).await;
    seen.is_whole();
    assert_eq!(tally(&seen, "parameter "), BTreeMap::from([("in_sync", PARAMETERS + 2), ("drifted", 1)]));
    assert_eq!(seen.verdicts["parameter /billing/dev/k064"], "drifted");
    assert_eq!(tally(&seen, "stack "), BTreeMap::from([("in_sync", RESOURCES + 3), ("drifted", 1), ("unknown", 2)]));
    assert_eq!(seen.verdicts["stack shop-dev/P129"], "drifted");
    let pages =
        ["cloudformation:ListStackResources", "cloudformation:DescribeStackResourceDrifts", "ssm:DescribeParameters"];
    assert!(pages.iter().all(|operation| proxy.count(operation) >= 2), "{:?}", proxy.calls());
    assert_eq!(proxy.count("ssm:GetParameters"), 1, "only what moved is read");
}
