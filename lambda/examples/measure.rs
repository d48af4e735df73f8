//! What the crypto function costs: its start, its answers, its envelope. Prints one line of JSON per figure, for
//! `benches/run lambda`.
//!
//! `measure DIRECTORY RUNS`: the directory has the built `crypto`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a measurement")]
#![allow(missing_docs, dead_code, unreachable_pub, clippy::must_use_candidate, clippy::missing_panics_doc)]
#![allow(clippy::format_push_string)]

#[path = "../tests/support/http.rs"]
mod http;
#[path = "../tests/support/runtime_api.rs"]
mod runtime_api;
#[path = "../tests/support/secrets.rs"]
mod secrets;

use std::path::Path;
use std::time::{Duration, Instant};

use plumb_lambda::envelope::{Context, Key, decrypt, encrypt};
use serde_json::{Value, json};

use runtime_api::Function;
use secrets::Secrets;

const TIMEOUT: Duration = Duration::from_secs(10);

fn main() {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().expect("the directory of the bootstraps");
    let runs = arguments.next().map_or(200, |text| text.parse().expect("a number of runs"));
    let binary = Path::new(&directory).join("crypto");
    start(&binary, runs);
    warm(&binary, runs * 5);
    throughput();
}

fn event(path: &str, body: &Value) -> String {
    let method = if body.is_null() { "GET" } else { "POST" };
    json!({"httpMethod": method, "path": path, "body": body.to_string(), "headers": {}}).to_string()
}

fn print(name: &str, mut seconds: Vec<f64>) {
    seconds.sort_by(f64::total_cmp);
    let last = seconds.len() - 1;
    let milliseconds = |at: usize| seconds[at.min(last)] * 1000.0;
    let (p50, p99) = (milliseconds(seconds.len() / 2), milliseconds(seconds.len() * 99 / 100));
    println!("{}", json!({"name": name, "p50_ms": p50, "p99_ms": p99, "runs": seconds.len()}));
}

/// From just before the fork to the first answer: of one that needs no key, and of one that reads the keyring first.
fn start(binary: &Path, runs: usize) {
    let secrets = Secrets::start();
    let mut environment = secrets.environment();
    // Amazon Linux keeps its certificates in one file. Debian has each in a file of its own besides, and the TLS library
    // would read those, too.
    let bundle = Path::new("/etc/ssl/certs/ca-certificates.crt");
    if bundle.is_file() {
        environment.push(("SSL_CERT_FILE".to_owned(), bundle.display().to_string()));
    }
    let first = Function::start(binary, TIMEOUT, &environment);
    first.invoke(&event("/v1/health", &Value::Null)).answer();
    for (name, path, body) in [
        ("start, a refused request", "/v1/encrypt", json!([])),
        ("start, encrypting 64 B", "/v1/encrypt", json!({"text": "x".repeat(64)})),
    ] {
        let event = event(path, &body);
        let run = || {
            let began = Instant::now();
            let function = Function::start(binary, TIMEOUT, &environment);
            function.invoke(&event).answer();
            began.elapsed().as_secs_f64()
        };
        run();
        print(name, (0..runs).map(|_| run()).collect());
    }
}

/// A running function, by the size of the message.
fn warm(binary: &Path, runs: usize) {
    let secrets = Secrets::start();
    let function = Function::start(binary, TIMEOUT, &secrets.environment());
    for (name, size) in [("64 B", 64), ("1 KiB", 1 << 10), ("64 KiB", 1 << 16), ("1 MiB", 1 << 20)] {
        let sealing = event("/v1/encrypt", &json!({"text": "x".repeat(size)}));
        let sealed = function.invoke(&sealing).answer();
        let sealed: Value = serde_json::from_str(sealed["body"].as_str().expect("a body")).expect("JSON");
        let opening = event("/v1/decrypt", &json!({"ciphertext": sealed["ciphertext"]}));
        for (verb, event) in [("encrypt", sealing), ("decrypt", opening)] {
            let run = || {
                let began = Instant::now();
                let outcome = function.invoke(&event);
                let took = began.elapsed().as_secs_f64();
                assert!(matches!(outcome, runtime_api::Outcome::Answered(_)), "{outcome:?}");
                took
            };
            run();
            let runs = if size == 1 << 20 { runs / 5 } else { runs };
            print(&format!("warm {verb} {name}"), (0..runs).map(|_| run()).collect());
        }
    }
    println!("{}", json!({"name": "peak memory", "kib": function.peak_memory()}));
}

/// The envelope alone, to text and back, in bytes of message per second.
fn throughput() {
    let material = [7; 32];
    let key = Key { keyring: "00112233445566778899aabbccddeeff", version: 1, material: &material };
    let context = Context::new();
    for (name, size) in [("1 KiB", 1 << 10), ("64 KiB", 1 << 16), ("1 MiB", 1 << 20)] {
        let message = vec![0x5a; size];
        let text = encrypt(&key, &message, &context).expect("a text");
        let rate = |work: &dyn Fn()| {
            work();
            // Whatever else the machine does only makes it slower, and OpenSSL counts no time but its own: the fastest of
            // many short runs is compared with it.
            let (began, mut fastest) = (Instant::now(), f64::INFINITY);
            while began.elapsed() < Duration::from_secs(2) {
                let run = Instant::now();
                work();
                fastest = fastest.min(run.elapsed().as_secs_f64());
            }
            f64::from(u32::try_from(size).expect("a small number")) / fastest / 1e6
        };
        let sealing = rate(&|| drop(std::hint::black_box(encrypt(&key, &message, &context))));
        let opening = rate(&|| drop(std::hint::black_box(decrypt(&key, &text, &context))));
        println!("{}", json!({"name": format!("envelope {name}"), "encrypt_mb_s": sealing, "decrypt_mb_s": opening}));
    }
}
