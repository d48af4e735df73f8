//! Credentials that end, networks that go, requests that are throttled: one line each, and nothing is lost.

use super::shop::{Visit, shop};
use crate::support::proxy::{Call, Fault, Proxy};

fn behind(proxy: &Proxy) -> Visit {
    shop().console().args(["--endpoint-url", &proxy.endpoint_url()])
}

#[test]
fn expired_credentials_are_one_line_and_what_was_there_stays_until_they_are_renewed() {
    let proxy = Proxy::start(&shop().endpoint_url);
    let console = behind(&proxy).open();
    console.press("3").sees("pool_size").press("j");
    proxy.on("*").reply(Fault::ExpiredToken);
    console.press("r").sees("! credentials expired: set AWS_ACCESS_KEY_ID").sees("stale");
    let screen = console.pictures("stale").contents();
    assert_eq!(screen.matches("xpired").count(), 1, "one line, not a wall:\n{screen}");
    console.sees("▸°> pending   /billing/global/refunds/limit_cents").sees("/billing/prod/db/pool_size");
    proxy.heal();
    console.press("r").loses("expired").loses("stale").sees("▸ > pending   /billing/global/refunds/limit_cents");
    console.quit();
}

#[test]
fn without_credentials_nobody_is_claimed_and_no_writing_promised() {
    let visit = shop().console_in("dev").env("AWS_ACCESS_KEY_ID", "").env("AWS_SECRET_ACCESS_KEY", "");
    let console = visit.env("AWS_PROFILE", "nope").begin();
    console.sees("! no valid credentials").sees("nobody knows: nothing could be read");
    let header = console.line("acct ?");
    assert!(header.trim_end().ends_with("READ") && header.contains('-'), "the region, and what may be done: {header}");
    assert!(!header.contains("region ?"), "{header}");
    console.quit();
    // With them it may be written to.
    let console = shop().console_in("dev").open();
    let header = console.line("petshop / dev");
    assert!(header.trim_end().ends_with("WRITE") && !header.contains('°'), "{header}");
    console.quit();
}

#[test]
fn a_network_that_is_lost_is_one_line_and_gone_when_it_is_back() {
    let proxy = Proxy::start(&shop().endpoint_url);
    let console = behind(&proxy).open();
    console.press("4").sees("stripe_api_key");
    proxy.on("*").reply(Fault::Reset);
    console.press("r").sees("! no network: ").sees("stale").sees("stripe_api_key");
    proxy.heal();
    console.press("r").loses("no network").loses("stale").sees("stripe_api_key");
    console.quit();
}

#[test]
fn throttled_requests_are_counted_beside_the_calls() {
    let proxy = Proxy::start(&shop().endpoint_url);
    let prod = |call: &Call| call.body_contains("/billing/prod");
    proxy.on("ssm:DescribeParameters").when(prod).times(2).reply(Fault::Throttling);
    let console = behind(&proxy).open();
    console.sees(" calls, 2 throttled").press("^r").loses("throttled");
    console.quit();
}

#[test]
fn one_parameter_is_read_again_without_listing_all() {
    let proxy = Proxy::start(&shop().endpoint_url);
    let console = behind(&proxy).open();
    console.press("3").sees("pool_size").press("<Enter>").sees("live read ");
    proxy.forget();
    console.press("r");
    proxy.wait_for("the one parameter", |calls| {
        calls.iter().any(|call| call.operation == "DescribeParameters" && call.body_contains("Equals"))
    });
    console.sees("live read 0 s ago").sees("/billing/prod/db/pool_size");
    let listed = proxy.calls().iter().any(|call| call.body_contains("BeginsWith"));
    assert!(!listed, "nothing else is listed: {:?}", proxy.calls());
    console.loses("esc cancels").press("<Esc>").sees("11 more");
    console.quit();
}
