//! Documents made by sops 3.13.2 itself (`tests/fixtures/sops`): each `x.json` beside what `sops decrypt` printed.

use std::fs;
use std::path::PathBuf;

use super::cipher::plain_bytes;
use super::*;

const EVERY: [&str; 13] = [
    "types",
    "nested",
    "unicode",
    "empty",
    "unencrypted_suffix",
    "encrypted_suffix",
    "unencrypted_regex",
    "encrypted_regex",
    "mac_only_encrypted",
    "two_recipients",
    "time",
    "key_groups",
    "other_keys",
];

pub(super) fn fixture_bytes(name: &str) -> Vec<u8> {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "fixtures", "sops", name].iter().collect();
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(super) fn fixture(name: &str) -> String {
    String::from_utf8(fixture_bytes(name)).expect("UTF-8")
}

pub(super) fn document(name: &str) -> Document {
    let file = format!("{name}.json");
    Document::parse(&file, fixture(&file).as_bytes()).expect("a sops document")
}

pub(super) fn both_keys() -> AgeIdentities {
    AgeIdentities::parse(&(fixture("test-key.txt") + &fixture("test-key-second.txt"))).expect("a keys file")
}

pub(super) fn first_key() -> AgeIdentities {
    AgeIdentities::parse(&fixture("test-key.txt")).expect("a keys file")
}

fn second_key() -> AgeIdentities {
    AgeIdentities::parse(&fixture("test-key-second.txt")).expect("a keys file")
}

/// Sets a value, or adds it.
pub(super) fn put(node: &mut Node, path: &[&str], value: Node) {
    let Some((first, rest)) = path.split_first() else {
        *node = value;
        return;
    };
    match node {
        Node::Map(members) => match members.iter_mut().find(|(key, _)| key == first) {
            Some((_, inner)) => put(inner, rest, value),
            None => members.push(((*first).to_owned(), value)),
        },
        Node::List(items) => match items.get_mut(first.parse::<usize>().expect("a position")) {
            Some(inner) => put(inner, rest, value),
            None => items.push(value),
        },
        Node::Leaf(_) => panic!("nothing below a leaf"),
    }
}

/// A new JSON document for age recipients.
pub(super) fn encrypted(plain: &Node, recipients: &[String], rules: &Rules, at: &str) -> Result<Vec<u8>, Error> {
    let rule = CreationRule::for_age(recipients, rules.clone());
    encrypt_node("new.json", plain, &rule, &Services::new(), at)
}

pub(super) fn update(old: &Document, plain: &Node, keys: &dyn KeyService, at: &str) -> Result<Vec<u8>, Error> {
    old.unlock(keys, MacPolicy::Verify)?.replace(plain, at)
}

fn decrypted_by_sops(name: &str) -> Node {
    let file = format!("{name}.plain.json");
    Document::parse(&file, fixture(&file).as_bytes()).expect("JSON").plain().expect("plain")
}

/// Values in comparable words: sops prints numbers with an exponent, timestamps as text, and -0 as an integer.
pub(super) fn words(node: &Node) -> Vec<(String, String)> {
    fn add(node: &Node, path: &str, words: &mut Vec<(String, String)>) {
        match node {
            Node::Map(members) if members.is_empty() => words.push((path.to_owned(), "{}".to_owned())),
            Node::Map(members) => members.iter().for_each(|(key, value)| add(value, &format!("{path}/{key}"), words)),
            Node::List(items) if items.is_empty() => words.push((path.to_owned(), "[]".to_owned())),
            Node::List(items) => {
                items.iter().enumerate().for_each(|(at, item)| add(item, &format!("{path}/{at}"), words));
            }
            Node::Leaf(leaf) => {
                let bytes = plain_bytes(leaf).map(|(bytes, _)| String::from_utf8_lossy(&bytes).into_owned());
                let text = match leaf {
                    Leaf::Null => "null".to_owned(),
                    Leaf::Text(_) | Leaf::Time(_) => format!("text {}", bytes.unwrap_or_default()),
                    Leaf::Number(_) => {
                        let text = bytes.unwrap_or_default();
                        format!("number {}", if text == "-0" { "0" } else { &text })
                    }
                    Leaf::Bool(value) => value.to_string(),
                    Leaf::Bytes(_) | Leaf::Comment(_) => panic!("not in these fixtures"),
                };
                words.push((path.to_owned(), text));
            }
        }
    }
    let mut found = Vec::new();
    add(node, "", &mut found);
    found
}

#[test]
fn what_sops_encrypted_opens_to_what_sops_decrypts() {
    for name in EVERY {
        let document = document(name);
        assert!(document.is_encrypted() && document.plain().is_none(), "{name}");
        let opened = document.open(&both_keys(), MacPolicy::Verify).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(words(&opened), words(&decrypted_by_sops(name)), "{name}");
    }
}

#[test]
fn types_survive_as_sops_wrote_them() {
    let opened = document("types").open(&first_key(), MacPolicy::Verify).expect("opens");
    let text = |key: &str| match opened.get(&[key]) {
        Some(Node::Leaf(leaf)) => leaf.to_text().map(|text| text.expose().to_owned()),
        other => panic!("{key}: {other:?}"),
    };
    for (key, expected) in [
        ("big", Some("9223372036854775807")),
        ("float", Some("1.5")),
        ("whole_float", Some("3")),
        ("exponent", Some("1000000000000000000000")),
        ("tiny", Some("0.0000001")),
        ("minus_zero", Some("-0.0")),
        ("yes", Some("true")),
        ("nothing", None),
        ("looks_like_a_number", Some("007")),
    ] {
        assert_eq!(text(key).as_deref(), expected, "{key}");
    }
    let opened = document("time").open(&first_key(), MacPolicy::Verify).expect("opens");
    assert!(matches!(opened.get(&["a"]), Some(Node::Leaf(Leaf::Time(_)))), "a timestamp stays one");
}

#[test]
fn clear_values_are_exactly_as_written() {
    let document = document("unencrypted_regex");
    assert_eq!(document.subtree(&["plain_pub"]), Some(RawLeaf::Clear(crate::secret::Secret::new("\"a\""))));
    let tags = document.subtree(&["tags"]).expect("there");
    assert_eq!((tags.is_encrypted(), tags.text()), (false, "[\"d\",1.5,true]"));
    let deep = document.subtree(&["deep", "x_pub", "y"]).expect("there");
    assert!(deep.is_encrypted() && deep.text().starts_with("[\"ENC[AES256_GCM,data:"), "a part with ciphertexts");
    assert_eq!(document.subtree(&["deep", "missing"]), None);
    assert_eq!(document.subtree(&["sops", "mac"]), None, "the metadata is not part of the tree");
}

#[test]
fn leaves_have_paths_and_the_ciphertexts_of_the_file() {
    let document = document("encrypted_suffix");
    let leaves: Vec<_> =
        document.leaves().into_iter().map(|(path, leaf)| (path.join("/"), leaf.is_encrypted())).collect();
    let expected = [
        ("plain_pub", false),
        ("secret/password", false),
        ("secret/port", false),
        ("password", false),
        ("tags/0", false),
        ("tags/1", false),
        ("tags/2", false),
        ("deep/x_pub/y/0", false),
        ("deep/x_pub/y/1", false),
        ("deep/x_enc/y/0", true),
        ("deep/x_enc/y/1", true),
        ("nothing", false),
    ];
    assert_eq!(leaves, expected.map(|(path, encrypted)| (path.to_owned(), encrypted)));
    let source = fixture("encrypted_suffix.json");
    for (path, leaf) in document.leaves().iter().filter(|(_, leaf)| leaf.is_encrypted()) {
        assert!(source.contains(&format!("\"{}\"", leaf.text())), "{path:?}");
        let path: Vec<_> = path.iter().map(String::as_str).collect();
        assert_eq!(document.subtree(&path).as_ref(), Some(leaf));
    }
}

#[test]
fn any_recipient_opens_and_groups_need_their_threshold() {
    let rows = [
        ("two_recipients", first_key(), true),
        ("two_recipients", second_key(), true),
        ("types", second_key(), false),
        ("key_groups", both_keys(), true),
        ("key_groups", first_key(), false),
        ("other_keys", first_key(), true),
    ];
    for (name, keys, opens) in rows {
        let result = document(name).open(&keys, MacPolicy::Verify);
        match result {
            Ok(_) => assert!(opens, "{name} must not open with {keys:?}"),
            Err(error) => assert!(!opens && matches!(error, Error::NoKey { .. }), "{name} with {keys:?}: {error}"),
        }
    }
}

#[test]
fn a_wrong_key_is_told_which_keys_the_file_accepts() {
    let first = first_key().recipients().concat();
    let error = document("types").open(&second_key(), MacPolicy::Verify).expect_err("a stranger");
    assert_eq!(
        error.to_string(),
        format!(
            "cannot decrypt types.json: no key at hand opens it; it accepts age {first} (age {first}: none of 1 age keys fits)"
        )
    );
    let error = document("key_groups").open(&first_key(), MacPolicy::Verify).expect_err("one group only");
    assert!(error.to_string().contains(&format!("age {first} (group 1 of 3, 2 needed)")), "{error}");
    assert!(error.to_string().contains("1 of 2 needed key groups opened"), "{error}");
}

#[test]
fn keys_of_other_kinds_are_named() {
    let document = document("other_keys");
    let recipients = document.recipients();
    for expected in [
        "kms arn:aws:kms:eu-central-1:111122223333:key/1",
        "pgp 85D77543B3D624B63CEA9E6DBC17301B491B3F21",
        "gcp_kms projects/p/locations/global/keyRings/r/cryptoKeys/k",
        "azure_kv https://v.vault.azure.net/k/1",
        "hc_vault https://vault.example/transit/k",
    ] {
        assert!(recipients.iter().any(|recipient| recipient == expected), "{expected} in {recipients:?}");
    }
    let kms = document.wrapped_keys().into_iter().find(|key| matches!(key.recipient, Recipient::Kms { .. })).cloned();
    assert_eq!(
        kms,
        Some(WrappedKey {
            recipient: Recipient::Kms {
                arn: "arn:aws:kms:eu-central-1:111122223333:key/1".to_owned(),
                role: Some("arn:aws:iam::111122223333:role/r".to_owned()),
                context: vec![("app".to_owned(), Some("petshop".to_owned()))],
                aws_profile: "prod".to_owned(),
            },
            enc: "AQIDAHh=".to_owned(),
        })
    );
    let error = document.open(&AgeIdentities::default(), MacPolicy::Verify).expect_err("no key");
    let text = error.to_string();
    assert!(text.contains("there is no age key") && text.contains("nothing here can use this kind of key"), "{text}");
}

#[test]
fn a_service_for_another_kind_of_key_opens_what_it_can_unwrap() {
    struct Kms;
    impl KeyService for Kms {
        fn unwrap(&self, key: &WrappedKey) -> Option<Result<DataKey, String>> {
            let Recipient::Kms { .. } = key.recipient else { return None };
            let wrapped = document("other_keys").wrapped_keys().into_iter().find_map(|key| first_key().unwrap(key));
            Some(wrapped.expect("an age key"))
        }
    }
    let services = Services::new().with(second_key_of_nobody()).with(Kms);
    assert!(document("other_keys").open(&services, MacPolicy::Verify).is_ok());
}

#[test]
fn a_data_key_of_another_length_is_said_to_be_one() {
    struct Short;
    impl KeyService for Short {
        fn unwrap(&self, _: &WrappedKey) -> Option<Result<DataKey, String>> {
            Some(Ok(zeroize::Zeroizing::new(vec![0; 16])))
        }
    }
    let error = document("types").open(&Short, MacPolicy::Verify).expect_err("no data key");
    assert!(error.to_string().contains("it holds 16 bytes instead of 32"), "{error}");
}

fn second_key_of_nobody() -> AgeIdentities {
    let (_, stranger) = generate_age_key();
    AgeIdentities::parse(stranger.expose()).expect("a key")
}

#[test]
fn what_was_tampered_with_does_not_open() {
    let nested = fixture("nested.json");
    let first = nested.find("\"ENC[").expect("a value");
    let value = |from: usize| &nested[from..from + nested[from..].find(']').expect("its end") + 2];
    let deep = value(first).to_owned();
    let list = nested.find("\"list\": [\n\t\t\"ENC").expect("the list") + "\"list\": [\n\t\t".len();
    let (one, two) = (value(list).to_owned(), value(list + value(list).len() + 4).to_owned());
    let swapped = nested.replace(&one, "HERE").replace(&two, &one).replace("HERE", &two);
    let regex = fixture("encrypted_regex.json");
    let only = fixture("mac_only_encrypted.json");
    let rows = [
        ("a value under another key", nested.replace("\"deep\"", "x").replace("\"c\"", "\"C\""), "value"),
        ("a value replaced by clear text", nested.replace(&deep, "\"clear\""), "value"),
        ("a value removed", nested.replace(&format!("{one},"), ""), "mac"),
        ("two equal values of a list swapped", swapped, "opens"),
        ("a clear value altered", regex.replace("\"a\"", "\"b\""), "mac"),
        ("a clear value altered where it does not count", only.replace("\"a\"", "\"b\""), "opens"),
        ("a value added where only encrypted ones count", only.replacen('{', "{\"new\": 1,", 1), "opens"),
        ("the time altered", nested.replace("\"lastmodified\": \"20", "\"lastmodified\": \"21"), "mac"),
        ("the MAC removed", remove_mac(&nested), "mac"),
        ("another rule", nested.replace("\"_unencrypted\"", "\"d\""), "mac"),
    ];
    for (name, text, expected) in rows {
        let document = Document::parse("f.json", text.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let got = match document.open(&first_key(), MacPolicy::Verify) {
            Ok(_) => "opens",
            Err(Error::Mac { .. }) => "mac",
            Err(Error::Value { .. }) => "value",
            Err(other) => panic!("{name}: {other}"),
        };
        assert_eq!(got, expected, "{name}");
    }
    let text = regex.replace("\"a\"", "\"b\"");
    let document = Document::parse("f.json", text.as_bytes()).expect("a document");
    assert!(document.open(&first_key(), MacPolicy::Ignore).is_ok(), "unless the MAC is ignored");
}

fn remove_mac(text: &str) -> String {
    let from = text.find("\"mac\": \"").expect("a MAC") + "\"mac\": \"".len();
    let to = from + text[from..].find('"').expect("its end");
    [&text[..from], &text[to..]].concat()
}

#[test]
fn unusable_metadata_says_what_is_wrong() {
    let rows = [
        ("not an object", r#"{"sops": 1}"#, "the key `sops` is not an object"),
        ("no key", r#"{"sops": {"lastmodified": "x", "mac": "x", "age": []}}"#, "it names no key"),
        ("no MAC", r#"{"sops": {"lastmodified": "x", "age": [{"recipient": "a", "enc": "b"}]}}"#, "it has no mac"),
        ("no enc", r#"{"sops": {"age": [{"recipient": "a"}]}}"#, "a key under age has no enc"),
        (
            "two rules",
            r#"{"sops": {"age": [{"recipient": "a", "enc": "b"}], "encrypted_regex": "a", "encrypted_suffix": "b"}}"#,
            "it has both encrypted_suffix and encrypted_regex, of which only one may be set",
        ),
        (
            "a broken rule",
            r#"{"sops": {"age": [{"recipient": "a", "enc": "b"}], "encrypted_regex": "("}}"#,
            "encrypted_regex is no regular expression: unclosed group",
        ),
    ];
    for (name, text, why) in rows {
        let expected = Error::Metadata { name: "f.json".to_owned(), why: why.to_owned() };
        assert_eq!(Document::parse("f.json", text.as_bytes()).err(), Some(expected), "{name}");
    }
}

#[test]
fn a_plain_document_is_one_and_does_not_open() {
    let document = Document::parse("f.json", br#"{"a": 1.50, "b": "secret"}"#).expect("JSON");
    assert!(!document.is_encrypted());
    assert_eq!(document.plain().expect("plain").to_json().expose(), r#"{"a":1.50,"b":"secret"}"#);
    assert_eq!(
        document.open(&first_key(), MacPolicy::Verify),
        Err(Error::NotEncrypted { name: "f.json".to_owned(), format: Format::Json })
    );
    assert!(!format!("{document:?} {:?} {:?}", document.plain(), document.leaves()).contains("secret"));
    assert!(matches!(Document::parse("f.json", b"[1]"), Err(Error::Syntax { .. })), "its root is no object");
}
