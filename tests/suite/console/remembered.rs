//! What a console remembers of the one before it.

use std::os::unix::fs::PermissionsExt;

use super::shop::shop;
use crate::support::proxy::{Fault, Proxy};

#[test]
fn the_next_console_begins_with_what_the_last_one_found_though_nobody_answers() {
    let proxy = Proxy::start(&shop().endpoint_url);
    let state = tempfile::tempdir().unwrap();
    let visit = || {
        let visit = shop().console().args(["--endpoint-url", &proxy.endpoint_url()]);
        visit.env("PLUMB_STATE_DIR", state.path().to_str().unwrap())
    };
    visit().open().quit();

    let files: Vec<_> = std::fs::read_dir(state.path().join("snapshots")).unwrap().map(|file| file.unwrap()).collect();
    assert_eq!(files.len(), 4, "one for each environment");
    let secret = shop().secret("prod/petshop/stripe_api_key");
    for file in &files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(file.path()).unwrap();
        assert!(text.contains("\"schema\":1") && !text.contains(&secret), "{text}");
    }

    for service in ["sts", "s3", "cloudformation", "lambda", "ssm", "secretsmanager", "cloudtrail"] {
        proxy.on(&format!("{service}:*")).reply(Fault::Hang);
    }
    let console = visit().begin();
    console.sees("from ").sees("esc cancels").sees("petshop-prod/OrdersTable").sees("°acct ");
    console
        .press("3")
        .sees("/billing/prod/db/pool_size")
        .press("<Esc>")
        .sees("cancelled: r reads again")
        .sees("live  from ");
    proxy.heal();
    console.press("^r").loses("from ").loses("°acct").sees("/billing/prod/db/pool_size");
    console.quit();
}

#[test]
fn what_is_remembered_wrongly_is_not_shown_and_does_no_harm() {
    let state = tempfile::tempdir().unwrap();
    let visit = || shop().console().env("PLUMB_STATE_DIR", state.path().to_str().unwrap());
    visit().open().quit();
    for file in std::fs::read_dir(state.path().join("snapshots")).unwrap() {
        std::fs::write(file.unwrap().path(), "{\"schema\":1,").unwrap();
    }
    let console = visit().open();
    console.sees("petshop-prod/OrdersTable");
    console.quit();
    let log = std::fs::read_to_string(state.path().join("console.log")).unwrap();
    assert!(log.contains("snapshot of prod not used: broken"), "{log}");
}
