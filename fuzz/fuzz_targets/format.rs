//! Any bytes as a file of any format: nothing panics, and what can be encrypted opens to what it was.
//!
//! `cargo +nightly fuzz run sops` (cargo-fuzz), with `tests/fixtures/sops` as a corpus to begin with. The modules are those of
//! plumb by links beside this file.

#![no_main]
#![allow(dead_code, unused_imports, unreachable_pub)]

mod secret;
mod sops;

use libfuzzer_sys::fuzz_target;
use sops::{CreationRule, DataKey, Document, KeyService, MacPolicy, Recipient, Rules, WrappedKey};

/// Wraps by doing nothing, so that the time goes into the format.
struct Open;

impl KeyService for Open {
    fn unwrap(&self, key: &WrappedKey) -> Option<Result<DataKey, String>> {
        let bytes = (0..key.enc.len() / 2).map(|at| {
            let pair = key.enc.get(at * 2..at * 2 + 2).unwrap_or_default();
            u8::from_str_radix(pair, 16).unwrap_or_default()
        });
        Some(Ok(DataKey::new(bytes.collect())))
    }

    fn wrap(&self, _: &Recipient, data_key: &[u8]) -> Option<Result<String, String>> {
        Some(Ok(data_key.iter().map(|byte| format!("{byte:02x}")).collect()))
    }
}

const NAMES: [&str; 4] = ["a.json", "a.yaml", "a.env", "a.bin"];
const NOW: &str = "2026-11-21T10:00:00Z";

fuzz_target!(|bytes: &[u8]| {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let name = NAMES[usize::from(*first) % NAMES.len()];
    let Ok(document) = Document::parse(name, bytes) else { return };
    if document.is_encrypted() {
        let _ = document.unlock(&Open, MacPolicy::Ignore);
        return;
    }
    let arn = "arn:aws:kms:eu-central-1:111122223333:key/1".to_owned();
    let key = Recipient::Kms { arn, role: None, context: Vec::new(), aws_profile: String::new() };
    let rule = CreationRule { groups: vec![vec![key]], threshold: None, rules: Rules::default() };
    let Ok(sealed) = sops::encrypt(name, bytes, &rule, &Open, NOW) else { return };
    let sealed = Document::parse(name, &sealed).expect("what was written is read");
    let opened = sealed.unlock(&Open, MacPolicy::Verify).expect("what was written opens");
    // Several documents have no one tree.
    if let (Some(plain), [node]) = (document.plain(), opened.nodes()) {
        assert_eq!(words(&plain), words(node), "the same values in the same order");
    }
    let shown = opened.plain_text();
    let again = opened.replace_text(&shown, NOW).expect("no change");
    let again = Document::parse(name, &again).expect("what was written is read");
    let again = again.unlock(&Open, MacPolicy::Verify).expect("what was written opens");
    assert_eq!(again.nodes(), opened.nodes());
});

/// Keys and kinds of values; values themselves may be written in a normal form.
fn words(node: &sops::Node) -> Vec<String> {
    match node {
        sops::Node::Map(members) => {
            members.iter().flat_map(|(key, node)| std::iter::once(key.clone()).chain(words(node))).collect()
        }
        sops::Node::List(items) => items.iter().flat_map(words).collect(),
        sops::Node::Leaf(leaf) => vec![format!("{leaf:?}")],
    }
}
