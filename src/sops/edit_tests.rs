//! What an edit changes in the text of a document, and what a new document looks like.

use similar_lines::changed;

use super::fixture_tests::{both_keys, document, encrypted as encrypt, first_key, fixture, put, update, words};
use super::*;

const NOW: &str = "2026-11-21T10:00:00Z";

mod similar_lines {
    /// Lines that are in one text only, order being kept otherwise; enough where few lines change.
    pub(super) fn changed(old: &str, new: &str) -> (Vec<String>, Vec<String>) {
        let only = |text: &str, other: &str| {
            let mut left: Vec<&str> = other.lines().collect();
            let lines = text.lines().filter(|line| match left.iter().position(|known| known == line) {
                Some(at) => {
                    left.remove(at);
                    false
                }
                None => true,
            });
            lines.map(|line| line.trim().split(':').next().unwrap_or_default().to_owned()).collect()
        };
        (only(old, new), only(new, old))
    }
}

fn edited(name: &str, change: impl Fn(&mut Node)) -> (String, String, Node) {
    let document = document(name);
    let mut plain = document.open(&both_keys(), MacPolicy::Verify).expect("opens");
    change(&mut plain);
    let bytes = update(&document, &plain, &both_keys(), NOW).expect("an update");
    let reopened = Document::parse("edited.json", &bytes).expect("a document");
    assert_eq!(reopened.open(&both_keys(), MacPolicy::Verify).expect("opens"), plain, "{name}");
    assert_eq!(reopened.recipients(), document.recipients());
    (fixture(&format!("{name}.json")), String::from_utf8(bytes).expect("UTF-8"), plain)
}

#[test]
fn without_a_change_not_a_byte_changes() {
    for name in ["types", "nested", "unicode", "empty", "time", "key_groups", "other_keys", "mac_only_encrypted"] {
        let (old, new, _) = edited(name, |_| {});
        assert_eq!(old, new, "{name}");
    }
}

#[test]
fn what_an_editor_shows_and_saves_again_is_no_change() {
    for name in ["types", "nested", "unicode", "empty", "time", "key_groups", "unencrypted_regex"] {
        let document = document(name);
        let plain = document.open(&both_keys(), MacPolicy::Verify).expect("opens");
        let shown = Document::parse("shown.json", plain.to_json_pretty().expose().as_bytes()).expect("JSON");
        let bytes = update(&document, &shown.plain().expect("plain"), &both_keys(), NOW).expect("an update");
        assert_eq!(String::from_utf8_lossy(&bytes), fixture(&format!("{name}.json")), "{name}");
    }
}

#[test]
fn a_change_of_one_value_is_a_difference_of_three_lines() {
    let rows = [
        ("types", &["text"] as &[_], Node::text("bye")),
        ("types", &["int"], Node::number("43")),
        ("types", &["float"], Node::text("1.5")),
        ("types", &["yes"], Node::Leaf(Leaf::Bool(false))),
        ("types", &["nothing"], Node::text("something")),
        ("types", &["text"], Node::Leaf(Leaf::Null)),
        ("types", &["text"], Node::text("")),
        ("nested", &["a", "b", "d", "1", "1", "1"], Node::text("y")),
        ("nested", &["list", "2", "list", "0"], Node::text("other")),
        ("unicode", &[""], Node::text("ß")),
        ("unencrypted_suffix", &["plain_pub"], Node::text("b")),
        ("key_groups", &["secret", "port"], Node::number("5433")),
        ("other_keys", &["password"], Node::text("new")),
    ];
    for (name, path, value) in rows {
        let (old, new, _) = edited(name, |plain| put(plain, path, value.clone()));
        let (removed, added) = changed(&old, &new);
        assert_eq!((removed.len(), added.len()), (3, 3), "{name} {path:?}: {removed:?} {added:?}");
        assert_eq!(&added[1..], ["\"lastmodified\"", "\"mac\""], "{name} {path:?}");
    }
}

#[test]
fn added_and_removed_keys_leave_the_others_alone() {
    let (old, new, _) = edited("encrypted_regex", |plain| put(plain, &["secret", "token"], Node::text("t")));
    let (removed, added) = changed(&old, &new);
    // The line before gets a comma.
    assert_eq!(removed, ["\"port\"", "\"lastmodified\"", "\"mac\""]);
    assert_eq!(added, ["\"port\"", "\"token\"", "\"lastmodified\"", "\"mac\""]);

    let (old, new, _) = edited("encrypted_regex", |plain| {
        let Node::Map(members) = plain else { panic!("a map") };
        members.retain(|(key, _)| key != "password");
    });
    assert_eq!(changed(&old, &new).1, ["\"lastmodified\"", "\"mac\""]);
    assert_eq!(changed(&old, &new).0, ["\"password\"", "\"lastmodified\"", "\"mac\""]);
    assert!(new.ends_with("\"version\": \"3.13.2\"\n\t}\n}\n"), "{new}");
}

#[test]
fn an_item_inserted_into_a_list_moves_the_others_with_their_ciphertexts() {
    let (old, new, _) = edited("nested", |plain| {
        let Some(Node::List(items)) = (match plain {
            Node::Map(members) => members.iter_mut().find(|(key, _)| key == "list").map(|(_, value)| value),
            _ => None,
        }) else {
            panic!("a list")
        };
        items.insert(0, Node::text("first"));
    });
    assert_eq!(changed(&old, &new).0.len(), 2, "only lastmodified and mac disappear");
    let count = |text: &str| text.matches("ENC[").count();
    assert_eq!(count(&new), count(&old) + 1);
}

#[test]
fn equal_items_never_share_a_ciphertext() {
    let old = encrypt(
        &Node::Map(vec![("l".to_owned(), Node::List(vec![Node::text("x"), Node::text("y")]))]),
        &first_key().recipients(),
        &Rules::default(),
        NOW,
    );
    let old = Document::parse("f.json", &old.expect("encrypts")).expect("a document");
    let items = ["y", "x", "x", "y"].map(Node::text).to_vec();
    let bytes = update(&old, &Node::Map(vec![("l".to_owned(), Node::List(items))]), &first_key(), NOW);
    let new = Document::parse("f.json", &bytes.expect("an update")).expect("a document");
    let mut texts: Vec<_> = new.leaves().into_iter().map(|(_, leaf)| leaf.text().to_owned()).collect();
    assert!(old.leaves().iter().all(|(_, leaf)| texts.contains(&leaf.text().to_owned())), "the old ones stay");
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), 4, "without the key nobody sees that two items are equal");
}

#[test]
fn the_metadata_stays_where_it_is() {
    let text = fixture("encrypted_regex.json");
    let at = text.find(",\n\t\"sops\": {").expect("the metadata");
    let metadata = text[at + 1..].trim_end().strip_suffix("\n}").expect("the end");
    let first = format!("{{{metadata},{}\n}}\n", &text[1..at]);
    let document = Document::parse("f.json", first.as_bytes()).expect("a document");
    let plain = document.open(&first_key(), MacPolicy::Verify).expect("opens");
    for (name, path) in [("changed in place", &["password"] as &[_]), ("with a new key", &["added"])] {
        let mut plain = plain.clone();
        put(&mut plain, path, Node::text("new"));
        let bytes = update(&document, &plain, &first_key(), NOW).expect("an update");
        let new = String::from_utf8(bytes).expect("UTF-8");
        assert!(new.starts_with("{\n\t\"sops\": {"), "{name}: {new}");
        let opened = Document::parse("f.json", new.as_bytes()).expect("parses").open(&first_key(), MacPolicy::Verify);
        assert_eq!(opened, Ok(plain), "{name}");
    }
}

#[test]
fn a_moved_key_is_encrypted_anew() {
    let (old, new, plain) = edited("nested", |plain| {
        let value = plain.get(&["a:b"]).expect("there").clone();
        let Node::Map(members) = plain else { panic!("a map") };
        members.retain(|(key, _)| key != "a:b");
        members.push(("moved".to_owned(), value));
    });
    let ciphertext = document("nested").subtree(&["a:b"]).expect("there");
    assert!(old.contains(ciphertext.text()) && !new.contains(ciphertext.text()));
    assert!(plain.get(&["moved"]).is_some());
}

#[test]
fn the_layout_of_a_file_stays() {
    let four = fixture("encrypted_regex.json").replace('\t', "    ");
    let windows = fixture("encrypted_regex.json").replace('\n', "\r\n");
    let dense: String = fixture("encrypted_regex.json").lines().map(str::trim).collect();
    let odd = fixture("encrypted_regex.json")
        .replace("\"tags\": [\n\t\t\"d\",\n\t\t1.5,\n\t\ttrue\n\t]", "\"tags\":   [ \"d\",1.50 , true ]");
    for (name, text) in [("four spaces", &four), ("Windows lines", &windows), ("dense", &dense), ("odd", &odd)] {
        let document =
            Document::parse_as(name, text.as_bytes(), Format::Json).unwrap_or_else(|error| panic!("{error}"));
        let mut plain = document.open(&first_key(), MacPolicy::Verify).unwrap_or_else(|error| panic!("{error}"));
        put(&mut plain, &["password"], Node::text("new"));
        put(&mut plain, &["deep", "added"], Node::List(vec![Node::number("1"), Node::number("2")]));
        let new = update(&document, &plain, &first_key(), NOW).expect("an update");
        let new = String::from_utf8(new).expect("UTF-8");
        let reopened =
            Document::parse_as(name, new.as_bytes(), Format::Json).unwrap_or_else(|error| panic!("{error}\n{new}"));
        assert_eq!(reopened.open(&first_key(), MacPolicy::Verify).expect("opens"), plain, "{name}");
        assert!(!new.contains('\t') || name == "Windows lines" || name == "odd", "{name}: {new}");
        assert_eq!(new.contains('\n'), name != "dense", "{name}: {new}");
        assert_eq!(new.replace("\r\n", "").contains('\n'), name != "Windows lines" && name != "dense", "{name}");
        assert_eq!(new.contains("\"tags\":   [ \"d\",1.50 , true ]"), name == "odd", "{name}");
    }
}

#[test]
fn a_document_that_was_tampered_with_is_not_edited() {
    let text = fixture("encrypted_regex.json").replace("\"a\"", "\"b\"");
    let document = Document::parse("f.json", text.as_bytes()).expect("a document");
    let plain = document.open(&first_key(), MacPolicy::Ignore).expect("opens");
    assert_eq!(update(&document, &plain, &first_key(), NOW), Err(Error::Mac { name: "f.json".to_owned() }));
}

#[test]
fn a_new_document_looks_as_if_sops_had_written_it() {
    let mask = |text: &str| {
        let enc = regex::Regex::new(r#"data:[^,]+,iv:[^,]{44},tag:[^,]{24}|-----BEGIN[^"]*-----\\n"|"20[^"]*Z""#);
        enc.expect("valid").replace_all(text, "X").into_owned()
    };
    let [first, second] = both_keys().recipients().try_into().expect("two keys");
    let pattern = |text: &str| Pattern::new(text).expect("valid");
    let rules = |selector| Rules { selector, ..Rules::default() };
    let only = Rules {
        selector: Selector::EncryptedRegex(pattern("^(password|secret)$")),
        mac_only_encrypted: true,
        ..Rules::default()
    };
    let rows = [
        ("types", vec![first.clone()], Rules::default()),
        ("nested", vec![first.clone()], Rules::default()),
        ("unicode", vec![first.clone()], Rules::default()),
        ("empty", vec![first.clone()], Rules::default()),
        ("unencrypted_suffix", vec![first.clone()], rules(Selector::UnencryptedSuffix("_pub".to_owned()))),
        ("encrypted_suffix", vec![first.clone()], rules(Selector::EncryptedSuffix("_enc".to_owned()))),
        ("unencrypted_regex", vec![first.clone()], rules(Selector::UnencryptedRegex(pattern("^(tags|plain.*)$")))),
        ("mac_only_encrypted", vec![first.clone()], only),
        ("two_recipients", vec![first.clone(), second.clone()], Rules::default()),
    ];
    for (name, recipients, rules) in rows {
        let plain = document(name).open(&both_keys(), MacPolicy::Verify).expect("opens");
        let plain = as_sops_had_it(name, plain);
        let bytes = encrypt(&plain, &recipients, &rules, NOW).unwrap_or_else(|error| panic!("{name}: {error}"));
        let text = String::from_utf8(bytes).expect("UTF-8");
        assert_eq!(mask(&text), mask(&fixture(&format!("{name}.json"))), "{name}");
        let opened = Document::parse_as(name, text.as_bytes(), Format::Json)
            .expect("parses")
            .open(&first_key(), MacPolicy::Verify);
        assert_eq!(words(&opened.expect("opens")), words(&plain), "{name}");
    }
}

/// The document `types` as it was before sops decrypted its one whole float to something like an integer.
fn as_sops_had_it(name: &str, mut plain: Node) -> Node {
    if name == "types" {
        put(&mut plain, &["whole_float"], Node::number("3.0"));
    }
    plain
}

#[test]
fn a_new_document_for_key_groups_opens_with_enough_of_them() {
    let [first, second] = both_keys().recipients().try_into().expect("two keys");
    let (stranger, _) = generate_age_key();
    let age = |keys: &[&String]| keys.iter().map(|key| Recipient::Age((*key).clone())).collect::<Vec<_>>();
    let groups = vec![age(&[&first]), age(&[&stranger, &second]), age(&[&stranger])];
    let plain = Node::Map(vec![("a".to_owned(), Node::text("b"))]);
    let encrypted = |threshold| {
        let rule = CreationRule { groups: groups.clone(), threshold, ..CreationRule::for_age(&[], Rules::default()) };
        let bytes = encrypt_node("f.json", &plain, &rule, &Services::new(), NOW).expect("encrypts");
        Document::parse("f.json", &bytes).expect("a document")
    };
    let document = encrypted(Some(2));
    assert_eq!(document.open(&both_keys(), MacPolicy::Verify), Ok(plain.clone()));
    assert!(matches!(document.open(&first_key(), MacPolicy::Verify), Err(Error::NoKey { .. })));
    assert!(encrypted(None).open(&both_keys(), MacPolicy::Verify).is_err(), "all groups are needed by default");
}

#[test]
fn what_the_format_cannot_hold_is_refused() {
    let recipients = first_key().recipients();
    let one = |value: Node| Node::Map(vec![("a".to_owned(), value)]);
    let rows = [
        ("a root that is no map", Node::text("x"), "cannot encrypt the document: its root is not a map"),
        (
            "the reserved key",
            Node::Map(vec![("sops".to_owned(), Node::text("x"))]),
            "cannot encrypt sops: the key is reserved for the metadata",
        ),
        (
            "a key twice",
            one(Node::Map(vec![("b".to_owned(), Node::text("x")), ("b".to_owned(), Node::text("y"))])),
            "cannot encrypt a.b: the key is there twice",
        ),
        (
            "a number with too many digits",
            one(Node::List(vec![Node::number("12345678901234567890")])),
            "cannot encrypt a.0: the number has more digits than the format keeps; write it as text",
        ),
        (
            "a number beyond a float",
            one(Node::number("1e400")),
            "cannot encrypt a: the number is beyond a 64-bit float; write it as text",
        ),
        ("no number", one(Node::number("0x1")), "cannot encrypt a: it is not a number as JSON writes it"),
    ];
    for (name, plain, expected) in rows {
        let error = encrypt(&plain, &recipients, &Rules::default(), NOW).expect_err(name);
        assert_eq!(error.to_string(), expected, "{name}");
    }
    let fine = one(Node::text("x"));
    assert!(encrypt(&fine, &[], &Rules::default(), NOW).is_err(), "no recipient");
    assert!(encrypt(&fine, &["nobody".to_owned()], &Rules::default(), NOW).is_err(), "no such recipient");
    assert!(encrypt(&fine, &recipients, &Rules::default(), "2026-11-21T10:00:00.5Z").is_err(), "not a whole second");
}
