//! Calls that take their time: nothing blocks a key, and Esc ends the waiting.

use super::shop::{Visit, shop};
use crate::support::proxy::{Fault, Gate, Proxy};

fn behind(proxy: &Proxy) -> Visit {
    shop().console().args(["--endpoint-url", &proxy.endpoint_url()])
}

#[test]
fn a_hanging_call_shows_its_seconds_takes_keys_and_is_cancelled_by_esc() {
    let proxy = Proxy::start(&shop().endpoint_url);
    let gate = Gate::new();
    proxy.on("ssm:DescribeParameters").reply(Fault::Delay(gate.clone()));
    let console = behind(&proxy).begin();
    gate.reached();
    let seconds = |screen: &str| -> Option<u64> {
        let (_, rest) = screen.split_once("reading ")?;
        rest.split_once(" s, esc cancels")?.0.parse().ok()
    };
    let first = seconds(&console.pictures("esc cancels").contents()).expect("its seconds");
    console.wait_for("more seconds", |screen| seconds(&screen.contents()).is_some_and(|now| now > first));
    // What has come is there, and keys are heard.
    console.press("2").sees("InventorySync").press("4").sees("stripe_api_key").press("3").sees("reading parameters");
    console.press("?").sees("KEYS").press("?").loses("KEYS");
    console.press("<Esc>").sees("cancelled: r reads again").loses("esc cancels");
    proxy.heal();
    gate.open();
    console.press("r").sees("/billing/prod/db/pool_size").loses("cancelled");
    console.quit();
}

#[test]
fn ctrl_c_leaves_in_the_middle_of_a_call() {
    let proxy = Proxy::start(&shop().endpoint_url);
    proxy.on("cloudformation:*").reply(Fault::Hang);
    let console = behind(&proxy).begin();
    proxy.wait_for("a call that hangs", |calls| calls.iter().any(|call| call.service == "cloudformation"));
    console.sees("1 OVERVIEW").press("^c");
    assert_eq!(console.exit_code(), 0);
    console.is_restored();
}
