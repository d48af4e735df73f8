//! The parser of ciphertexts against whatever a fuzzer thinks of.
//!
//! No input panics; what opens was sealed under this key, which no input can have been, unless the fuzzer broke AES. Its
//! twin in proptest, `any_text_is_answered_without_a_panic`, runs with every `cargo test`.

#![no_main]

#[allow(dead_code, unreachable_pub)]
#[path = "../../src/envelope.rs"]
mod envelope;

use envelope::{Context, Key, decrypt, key_version};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let version = key_version(text);
    let material = [7; 32];
    let key = Key { keyring: "ring", version: version.unwrap_or(1), material: &material };
    assert!(decrypt(&key, text, &Context::new()).is_err());
    if let Ok(version) = version {
        assert!(text.starts_with(&format!("plumb:v1:{version}:")));
    }
});
