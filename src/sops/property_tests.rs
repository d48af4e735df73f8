//! Laws that hold for every document.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::cipher::plain_bytes;
use super::fixture_tests::{encrypted as encrypt, update};
use super::*;
use crate::secret::Secret;

const NOW: &str = "2026-11-21T10:00:00Z";
const LATER: &str = "2026-11-21T10:00:01Z";

static KEY: LazyLock<(String, Secret)> = LazyLock::new(generate_age_key);

fn keys() -> AgeIdentities {
    AgeIdentities::parse(KEY.1.expose()).expect("a key")
}

fn leaf() -> impl Strategy<Value = Node> {
    prop_oneof![
        Just(Node::Leaf(Leaf::Null)),
        any::<bool>().prop_map(|value| Node::Leaf(Leaf::Bool(value))),
        any::<i64>().prop_map(|value| Node::number(value.to_string())),
        // Texts that the format's normal form leaves alone; -0 and whole floats are tested by name elsewhere.
        any::<f64>().prop_filter("finite", |value| value.is_finite() && *value != 0.0).prop_map(|value| {
            let text = value.to_string();
            Node::number(number::canonical(&text).map(|number| number.text).unwrap_or_default())
        }),
        ".{0,20}".prop_map(Node::text),
        Just(Node::text("same")),
    ]
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof!["[a-e]", "[a-e]_unencrypted", "[a-e]_enc", ".{0,6}"].prop_filter("reserved", |key| key != "sops")
}

fn map(inner: impl Strategy<Value = Node>) -> impl Strategy<Value = Node> {
    prop::collection::vec((key(), inner), 0..5).prop_map(|members| {
        let mut distinct: Vec<(String, Node)> = Vec::new();
        for (key, value) in members {
            if distinct.iter().all(|(other, _)| *other != key) {
                distinct.push((key, value));
            }
        }
        Node::Map(distinct)
    })
}

fn tree() -> impl Strategy<Value = Node> {
    let below = leaf().prop_recursive(3, 24, 5, |inner| {
        prop_oneof![map(inner.clone()), prop::collection::vec(inner, 0..5).prop_map(Node::List)]
    });
    map(below)
}

fn rules() -> impl Strategy<Value = Rules> {
    let selector = prop_oneof![
        Just(Selector::default()),
        Just(Selector::EncryptedSuffix("_enc".to_owned())),
        Just(Selector::UnencryptedRegex(Pattern::new("^[ab]$").expect("valid"))),
        Just(Selector::EncryptedRegex(Pattern::new("^[ab]").expect("valid"))),
    ];
    (selector, any::<bool>(), prop::option::of(0_usize..5)).prop_map(|(selector, mac_only_encrypted, json)| Rules {
        selector,
        mac_only_encrypted,
        indents: Indents { json, ..Indents::default() },
    })
}

fn encrypted(plain: &Node, rules: &Rules) -> Document {
    let bytes = encrypt(plain, std::slice::from_ref(&KEY.0), rules, NOW).expect("encrypts");
    Document::parse("random.json", &bytes).expect("parses")
}

/// What the MAC covers.
fn values(node: &Node) -> Vec<u8> {
    match node {
        Node::Map(members) => members.iter().flat_map(|(_, value)| values(value)).collect(),
        Node::List(items) => items.iter().flat_map(values).collect(),
        Node::Leaf(leaf) => plain_bytes(leaf).map(|(bytes, _)| bytes.to_vec()).unwrap_or_default(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_encrypted_opens_again(plain in tree(), rules in rules()) {
        let opened = encrypted(&plain, &rules).open(&keys(), MacPolicy::Verify);
        prop_assert_eq!(opened, Ok(plain));
    }

    #[test]
    fn json_text_is_read_as_it_was_written(plain in tree()) {
        for text in [plain.to_json(), plain.to_json_pretty()] {
            let read = Document::parse("random.json", text.expose().as_bytes()).expect("parses").plain();
            prop_assert_eq!(read.as_ref(), Some(&plain));
        }
    }

    #[test]
    fn an_edit_opens_to_the_new_values_and_keeps_equal_ciphertexts(
        before in tree(), after in tree(), rules in rules()
    ) {
        let old = encrypted(&before, &rules);
        let bytes = update(&old, &after, &keys(), LATER).expect("updates");
        let new = Document::parse("edited.json", &bytes).expect("parses");
        prop_assert_eq!(new.open(&keys(), MacPolicy::Verify), Ok(after.clone()));
        for (path, leaf) in old.leaves() {
            let path: Vec<_> = path.iter().map(String::as_str).collect();
            // Behind a list's position an equal value may come from another place of the list.
            let listed = (0..path.len()).any(|at| matches!(before.get(&path[..at]), Some(Node::List(_))));
            if !listed && before.get(&path) == after.get(&path) {
                prop_assert_eq!(new.subtree(&path), Some(leaf));
            }
        }
    }

    #[test]
    fn a_flipped_bit_of_a_ciphertext_never_opens(plain in tree(), at in any::<prop::sample::Index>(), bit in 0_u8..7) {
        let old = encrypted(&plain, &Rules::default());
        let mut bytes = old.parsed.source.as_bytes().to_vec();
        let mut places = Vec::new();
        for (from, _) in old.parsed.source.match_indices("ENC[AES256_GCM,") {
            places.extend(from..from + old.parsed.source[from..].find(']').expect("its end"));
        }
        bytes[places[at.index(places.len())]] ^= 1 << bit;
        let opened = Document::parse("flipped.json", &bytes).and_then(|flipped| flipped.open(&keys(), MacPolicy::Verify));
        prop_assert!(opened.is_err());
    }

    #[test]
    fn a_flipped_bit_anywhere_never_changes_a_value(plain in tree(), at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let old = encrypted(&plain, &Rules::default());
        let mut bytes = old.parsed.source.as_bytes().to_vec();
        let place = at.index(bytes.len());
        bytes[place] ^= 1 << bit;
        let opened = Document::parse("flipped.json", &bytes).and_then(|flipped| flipped.open(&keys(), MacPolicy::Verify));
        if let Ok(opened) = opened {
            prop_assert_eq!(values(&opened), values(&plain));
        }
    }

    #[test]
    fn no_bytes_crash_the_parser(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Document::parse("noise.json", &bytes);
    }
}
