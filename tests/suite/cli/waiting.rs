//! What is said while AWS does not answer, and for how long it is waited for.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use plumb::aws::Timeouts;
use plumb::compare::{Fingerprinter, Verdict};
use plumb::config::{self, Environ, Flags};
use plumb::ops::inspect::{self, Wish};
use plumb::ops::keys::Keys;
use plumb::ops::session::{Access, Credentials, Session};
use plumb::secret::Secret;

use super::shop::{PROJECT, Shop};
use crate::support::terminal::Program;

/// Somebody who takes every request and answers none.
fn nobody() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

#[test]
fn on_a_terminal_it_is_told_what_is_waited_for() {
    let (_listener, url) = nobody();
    let mut shop = Shop::new();
    shop.env = vec![("AWS_ACCESS_KEY_ID".into(), "a".into()), ("AWS_SECRET_ACCESS_KEY".into(), "b".into())];
    let terminal = Program::plumb()
        .args(["status", "--env", "dev", "--region", "eu-central-1", "--endpoint-url", &url])
        .env("HOME", shop.directory.path())
        .envs(shop.env.clone())
        .dir(shop.root())
        .start();
    terminal.sees("s: waiting for sts:GetCallerIdentity");
    terminal.press("^c");
    assert_eq!(terminal.exit_code(), 130);
    assert!(!terminal.text().contains("waiting"), "{}", terminal.text());
}

#[tokio::test]
async fn silence_is_given_up_as_a_whole_and_what_was_waited_for_is_told() {
    let (_listener, url) = nobody();
    // Its receipts, its listings and whoever asks are asked for one after another.
    let shop = Shop::with_project(&PROJECT.replace("{account}-{region}", "{region}"));
    let flags = Flags {
        env: Some("dev".into()),
        region: Some("eu-central-1".into()),
        endpoint_url: Some(url),
        ..Flags::default()
    };
    let settings = config::load(&flags, &Environ::default(), &shop.root()).unwrap();
    let operation = Duration::from_secs(2);
    let timeouts = Timeouts { operation, attempt: operation, attempts: 1, ..Timeouts::default() };
    let keys = Credentials { access_key_id: "a".into(), secret_access_key: Secret::new("b"), session_token: None };
    let access = Access { credentials: Some(keys), timeouts, journal: None };
    let session =
        Session::open(settings, &shop.root(), Arc::new(Keys::default()), Fingerprinter::new([0; 32]), access).await;
    let session = session.unwrap();
    let began = Instant::now();
    let report = inspect::report(&session, &Wish::of(&session)).await;
    // One after another the requests would take several times as long.
    assert!(began.elapsed() < operation * 3, "{:?}", began.elapsed());
    assert!(report.commit.is_ok(), "what was known by then stands");
    let told: Vec<String> =
        report.sections.iter().filter_map(|(_, section)| Some(section.as_ref().err()?.reason.clone())).collect();
    assert!(
        told.iter().any(|told| told.starts_with("given up: nothing answered for ") && told.contains("waited for ")),
        "{told:?}"
    );
    assert!(report.items().all(|item| matches!(item.verdict, Verdict::Unknown(_))));
}
