//! Laws that hold for every document.

use std::fmt::Write as _;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::cipher::plain_bytes;
use super::fixture_tests::{encrypted as encrypt, update, words};
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
        "[ab #:\n\t-]{0,12}".prop_map(Node::text),
        prop::sample::select(vec![
            "yes",
            "null",
            "~",
            "1e3",
            "0x1f",
            "2026-01-31",
            "- x",
            "a: b",
            "a # b",
            "---",
            "<<",
            "|"
        ])
        .prop_map(Node::text),
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

/// What dotenv can hold.
fn lines() -> impl Strategy<Value = Node> {
    let text = prop_oneof![".{0,20}", "[a\\\\\"=# \n]{0,8}"].prop_filter("no escape", |text| !text.contains("\\n"));
    prop::collection::btree_map("[A-Z_]{1,4}(_unencrypted)?", text, 0..6)
        .prop_map(|members| Node::Map(members.into_iter().map(|(key, text)| (key, Node::text(text))).collect()))
}

fn rules() -> impl Strategy<Value = Rules> {
    let selector = prop_oneof![
        Just(Selector::default()),
        Just(Selector::EncryptedSuffix("_enc".to_owned())),
        Just(Selector::UnencryptedRegex(Pattern::new("^[ab]$").expect("valid"))),
        Just(Selector::EncryptedRegex(Pattern::new("^[ab]").expect("valid"))),
    ];
    let indents = (prop::option::of(0_usize..5), prop::option::of(1_usize..9));
    (selector, any::<bool>(), indents).prop_map(|(selector, mac_only_encrypted, (json, yaml))| Rules {
        selector,
        mac_only_encrypted,
        indents: Indents { json, yaml, json_binary: json },
    })
}

fn sealed(name: &str, plain: &Node, rules: &Rules) -> Document {
    let rule = CreationRule::for_age(std::slice::from_ref(&KEY.0), rules.clone());
    let bytes = encrypt_node(name, plain, &rule, &Services::new(), NOW);
    let bytes = bytes.unwrap_or_else(|error| panic!("{error}: {}", plain.to_json().expose()));
    Document::parse(name, &bytes).expect("parses")
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

/// Whether a value is in a list, where an equal one may come from another place.
fn listed(node: &Node, path: &[&str]) -> bool {
    (0..path.len()).any(|at| matches!(node.get(&path[..at]), Some(Node::List(_))))
}

/// What an edit must keep: each equal value that has its own key keeps its text.
fn keeps(old: &Document, before: &Node, new: &Document, after: &Node) -> Result<(), TestCaseError> {
    for (path, leaf) in old.leaves() {
        let path: Vec<_> = path.iter().map(String::as_str).collect();
        if !listed(before, &path) && before.get(&path) == after.get(&path) {
            prop_assert_eq!(new.subtree(&path), Some(leaf));
        }
    }
    Ok(())
}

/// YAML as people write it: comments, empty lines, quotes, blocks, brackets.
fn yaml_text() -> impl Strategy<Value = String> {
    let scalar = prop::sample::select(vec![
        "word",
        "two words",
        "'single''s'",
        "\"double\\n\"",
        "12",
        "1.50",
        "true",
        "~",
        "",
        "{}",
        "[]",
        "[1, x, {a: b}]",
        "{a: 1, b: [c]}",
        "2026-01-31",
        "a#b",
        "http://x/y",
        "|\n%  block\n%  more",
        ">-\n%  folded\n%  text",
        "\"\"",
    ]);
    let lead = prop::sample::select(vec!["", "", "", "\n", "%# a comment\n", "\n%# one\n%# two\n", "%#\n"]);
    let tail = prop::sample::select(vec!["", "", "", " # behind"]);
    let line = (0_usize..4, lead, scalar, tail, any::<bool>());
    prop::collection::vec(line, 1..12).prop_map(|lines| {
        let mut text = String::new();
        let mut depth = 0;
        let mut open = false;
        for (at, (level, lead, scalar, tail, opens)) in lines.into_iter().enumerate() {
            depth = if open { depth + 1 } else { level.min(depth) };
            let indent = "  ".repeat(depth);
            text.push_str(&lead.replace('%', &indent));
            open = opens;
            let tail = if scalar.contains('\n') { "" } else { tail };
            let scalar = if opens { String::new() } else { format!(" {}", scalar.replace('%', &indent)) };
            let _ = writeln!(text, "{indent}key{at}:{scalar}{tail}");
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 50, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_encrypted_opens_again(plain in tree(), rules in rules()) {
        for name in ["random.json", "random.yaml"] {
            let opened = sealed(name, &plain, &rules).open(&keys(), MacPolicy::Verify).expect("opens");
            // YAML writes numbers beyond 64 bits with a point.
            prop_assert_eq!(words(&opened), words(&plain), "{}", name);
        }
    }

    #[test]
    fn lines_and_bytes_are_encrypted_and_open_again(
        plain in lines(), bytes in prop::collection::vec(any::<u8>(), 0..60), rules in rules()
    ) {
        prop_assert_eq!(sealed("random.env", &plain, &rules).open(&keys(), MacPolicy::Verify), Ok(plain));
        let rule = CreationRule::for_age(std::slice::from_ref(&KEY.0), rules);
        let file = super::encrypt("random.bin", &bytes, &rule, &Services::new(), NOW).expect("encrypts");
        let document = Document::parse("random.bin", &file).expect("parses");
        prop_assert_eq!(&**document.unlock(&keys(), MacPolicy::Verify).expect("opens").plain_text(), &*bytes);
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
        for name in ["random.json", "random.yaml"] {
            let old = sealed(name, &before, &rules);
            let bytes = update(&old, &after, &keys(), LATER).expect("updates");
            let new = Document::parse(name, &bytes).expect("parses");
            let opened = new.open(&keys(), MacPolicy::Verify).expect("opens");
            prop_assert_eq!(words(&opened), words(&after), "{}", name);
            keeps(&old, &before, &new, &after)?;
        }
    }

    #[test]
    fn an_edit_of_lines_keeps_equal_ciphertexts(before in lines(), after in lines(), rules in rules()) {
        let old = sealed("random.env", &before, &rules);
        let bytes = update(&old, &after, &keys(), LATER).expect("updates");
        let new = Document::parse("random.env", &bytes).expect("parses");
        prop_assert_eq!(new.open(&keys(), MacPolicy::Verify), Ok(after.clone()));
        keeps(&old, &before, &new, &after)?;
    }

    #[test]
    fn what_is_shown_and_given_back_is_the_same_file(plain in tree(), lines in lines(), rules in rules()) {
        for (name, plain) in [("random.json", &plain), ("random.yaml", &plain), ("random.env", &lines)] {
            let document = sealed(name, plain, &rules);
            let opened = document.unlock(&keys(), MacPolicy::Verify).expect("opens");
            let same = opened.replace_text(&opened.plain_text(), LATER).expect("the same");
            prop_assert_eq!(String::from_utf8_lossy(&same), document.parsed.source.as_str());
            // Also where the shortcut for equal texts does not help.
            let mut longer = opened.plain_text().to_vec();
            longer.push(b'\n');
            let longer = opened.replace_text(&longer, LATER).expect("one line more");
            let longer = Document::parse(name, &longer).expect("parses");
            prop_assert_eq!(longer.lastmodified(), document.lastmodified(), "no value changed");
            prop_assert_eq!(longer.leaves(), document.leaves());
        }
    }

    #[test]
    fn written_yaml_keeps_its_layout_and_comments(text in yaml_text(), at in any::<prop::sample::Index>()) {
        let rule = CreationRule::for_age(std::slice::from_ref(&KEY.0), Rules::default());
        let plain = Document::parse("w.yaml", text.as_bytes()).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let bytes = super::encrypt("w.yaml", text.as_bytes(), &rule, &Services::new(), NOW).expect("encrypts");
        let document = Document::parse("w.yaml", &bytes).expect("parses");
        let opened = document.unlock(&keys(), MacPolicy::Verify).expect("opens");
        let node = plain.plain().expect("plain");
        prop_assert_eq!(words(opened.node().expect("one")), words(&node));
        let shown = String::from_utf8(opened.plain_text().to_vec()).expect("UTF-8");
        let hashes = |text: &str| text.matches('#').count();
        prop_assert_eq!(hashes(&shown), hashes(&text), "{}", shown);
        prop_assert_eq!(opened.replace_text(text.as_bytes(), LATER).expect("the text itself"), bytes);
        // One value of the tree changes: its line, the MAC and the time are all that differs.
        let leaves: Vec<_> = document.leaves().into_iter().filter(|(_, leaf)| leaf.is_encrypted()).collect();
        if !leaves.is_empty() {
            let mut after = opened.node().expect("one").clone();
            let path: Vec<_> = leaves[at.index(leaves.len())].0.iter().map(String::as_str).collect();
            super::fixture_tests::put(&mut after, &path, Node::text("another value"));
            let new = opened.replace(&after, LATER).expect("an edit");
            let new = String::from_utf8(new).expect("UTF-8");
            let old: Vec<_> = document.parsed.source.lines().collect();
            let differ = new.lines().zip(&old).filter(|(new, old)| new != *old).count();
            prop_assert_eq!((new.lines().count(), differ), (old.len(), 3), "{}\n{}", document.parsed.source.as_str(), new);
        }
    }

    #[test]
    fn a_merge_of_two_edits_is_both(base in tree(), ours in tree(), theirs in tree()) {
        let rules = Rules::default();
        for name in ["random.json", "random.yaml"] {
            let base = sealed(name, &base, &rules);
            let side = |node: &Node| {
                let bytes = update(&base, node, &keys(), LATER).expect("updates");
                Document::parse(name, &bytes).expect("parses")
            };
            let (one, other) = (side(&ours), side(&theirs));
            let open = |document| Document::unlock(document, &keys(), MacPolicy::Verify).expect("opens");
            let merged = merge(Some(&open(&base)), &open(&one), &open(&other), LATER).expect("merges");
            let mirrored = merge(Some(&open(&base)), &open(&other), &open(&one), LATER).expect("merges");
            prop_assert_eq!(merged.conflicts.len(), mirrored.conflicts.len());
            let result = Document::parse(name, &merged.bytes).expect("parses").open(&keys(), MacPolicy::Verify);
            let result = result.expect("opens");
            let unchanged = merge(Some(&open(&base)), &open(&one), &open(&base), LATER).expect("merges");
            prop_assert_eq!(unchanged.bytes, one.parsed.source.as_bytes(), "against nothing new");
            if ours == theirs {
                prop_assert_eq!(words(&result), words(&ours));
            }
        }
    }

    #[test]
    fn a_flipped_bit_of_a_ciphertext_never_opens(plain in tree(), at in any::<prop::sample::Index>(), bit in 0_u8..7) {
        let old = encrypted(&plain, &Rules::default());
        let source = &old.parsed.source;
        let mut bytes = source.as_bytes().to_vec();
        let mut places = Vec::new();
        for (from, _) in source.match_indices("ENC[AES256_GCM,") {
            places.extend(from..from + source[from..].find(']').expect("its end"));
        }
        bytes[places[at.index(places.len())]] ^= 1 << bit;
        let opened = Document::parse("flipped.json", &bytes).and_then(|flipped| flipped.open(&keys(), MacPolicy::Verify));
        prop_assert!(opened.is_err());
    }

    #[test]
    fn a_flipped_bit_anywhere_never_changes_a_value(
        plain in tree(), lines in lines(), at in any::<prop::sample::Index>(), bit in 0_u8..8
    ) {
        for (name, plain) in [("random.json", &plain), ("random.yaml", &plain), ("random.env", &lines)] {
            let old = sealed(name, plain, &Rules::default());
            let mut bytes = old.parsed.source.as_bytes().to_vec();
            let place = at.index(bytes.len());
            bytes[place] ^= 1 << bit;
            let opened = Document::parse(name, &bytes).and_then(|flipped| flipped.open(&keys(), MacPolicy::Verify));
            if let Ok(opened) = opened {
                prop_assert_eq!(values(&opened), values(plain));
            }
        }
    }

    #[test]
    fn no_bytes_crash_a_parser(
        bytes in prop::collection::vec(any::<u8>(), 0..200), marks in "[a\"'\\[\\]{}:,#|>\\- \n\t\\\\?!&*%=]{0,60}"
    ) {
        for name in ["noise.json", "noise.yaml", "noise.env", "noise.bin"] {
            let _ = Document::parse(name, &bytes);
            let _ = Document::parse(name, marks.as_bytes());
        }
    }
}
