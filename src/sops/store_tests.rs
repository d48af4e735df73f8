//! Dotenv and binary documents: those that sops 3.13.2 wrote (`tests/fixtures/sops`), and their edits.

use super::fixture_tests::{first_key, fixture, fixture_bytes};
use super::*;

const NOW: &str = "2026-11-21T10:00:00Z";

fn rule() -> CreationRule {
    CreationRule::for_age(&first_key().recipients(), Rules::default())
}

fn open_text(name: &str, bytes: &[u8]) -> Vec<u8> {
    let document = Document::parse(name, bytes).unwrap_or_else(|error| panic!("{error}"));
    let opened = document.unlock(&first_key(), MacPolicy::Verify).unwrap_or_else(|error| panic!("{error}"));
    opened.plain_text().to_vec()
}

fn masked(text: &str) -> String {
    let enc = r"data:[^,]+,iv:[^,]{44},tag:[^,]{24}|-----BEGIN.*|20[-0-9]{8}T[0-9:]*Z";
    regex::Regex::new(enc).expect("valid").replace_all(text, "X").into_owned()
}

#[test]
fn what_sops_encrypted_opens_to_what_sops_decrypts() {
    for (name, plain) in [
        ("types.env", "types.plain.env"),
        ("text.bin", "text.plain.bin"),
        ("bytes.bin", "bytes.plain.bin"),
        ("empty.bin", "empty.plain.bin"),
    ] {
        assert_eq!(open_text(name, &fixture_bytes(name)), fixture_bytes(plain), "{name}");
    }
}

#[test]
fn a_new_document_looks_as_if_sops_had_written_it() {
    for (name, plain) in
        [("types.env", "types.plain.env"), ("text.bin", "text.plain.bin"), ("bytes.bin", "bytes.plain.bin")]
    {
        let bytes = encrypt(name, &fixture_bytes(plain), &rule(), &Services::new(), NOW).expect("encrypts");
        assert_eq!(masked(&String::from_utf8_lossy(&bytes)), masked(&fixture(name)), "{name}");
        assert_eq!(open_text(name, &bytes), fixture_bytes(plain), "{name}");
    }
}

#[test]
fn an_edit_of_dotenv_changes_three_lines() {
    let text = fixture("types.env");
    let document = Document::parse("types.env", text.as_bytes()).expect("a document");
    let opened = document.unlock(&first_key(), MacPolicy::Verify).expect("opens");
    assert_eq!(opened.replace_text(&opened.plain_text(), NOW).expect("the same"), text.as_bytes());
    let Node::Map(members) = opened.node().expect("one").clone() else { panic!("a map") };
    assert_eq!(opened.node().expect("one").get(&["LINES"]), Some(&Node::text("one\ntwo")));
    let at = |key: &str| members.iter().position(|(name, _)| name == key).expect("there");
    let lines = |node: Vec<(String, Node)>| -> (Vec<String>, Vec<String>) {
        let new = String::from_utf8(opened.replace(&Node::Map(node), NOW).expect("an edit")).expect("UTF-8");
        let only = |one: &str, other: &str| {
            let others: Vec<&str> = other.lines().collect();
            let lines = one.lines().filter(|line| !others.contains(line));
            lines.map(|line| line.split('=').next().unwrap_or_default().to_owned()).collect()
        };
        (only(&text, &new), only(&new, &text))
    };
    let mut changed = members.clone();
    changed[at("TEXT")].1 = Node::text("bye\nbye");
    let three = ["TEXT", "sops_lastmodified", "sops_mac"].map(str::to_owned).to_vec();
    assert_eq!(lines(changed), (three.clone(), three));
    let mut less = members.clone();
    less.remove(at("NUMBER"));
    less.insert(1, ("NEW".to_owned(), Node::number("7")));
    let (removed, added) = lines(less);
    assert_eq!(removed, ["NUMBER", "sops_lastmodified", "sops_mac"]);
    assert_eq!(added, ["NEW", "sops_lastmodified", "sops_mac"]);
}

#[test]
fn what_dotenv_cannot_hold_is_refused() {
    let document = Document::parse("types.env", fixture("types.env").as_bytes()).expect("a document");
    let opened = document.unlock(&first_key(), MacPolicy::Verify).expect("opens");
    let rows = [
        ("a map", "NEW", Node::Map(Vec::new()), "dotenv knows neither maps nor lists"),
        ("null", "NEW", Node::Leaf(Leaf::Null), "dotenv knows no null"),
        ("a backslash before an n", "NEW", Node::text("a\\nb"), "would be read as a new line"),
        ("a key with an equals sign", "N=W", Node::text("a"), "dotenv cannot have such a key"),
        ("a key of the metadata", "sops_mac", Node::text("a"), "reserved for the metadata"),
    ];
    for (name, key, value, why) in rows {
        let node = Node::Map(vec![(key.to_owned(), value)]);
        let error = opened.replace(&node, NOW).expect_err(name).to_string();
        assert!(error.contains(why) && error.contains(key), "{name}: {error}");
        let error = encrypt_node("new.env", &node, &rule(), &Services::new(), NOW).expect_err(name).to_string();
        assert!(error.contains(why), "{name}: {error}");
    }
    let secret = "a line with a secret";
    let error = Document::parse("a.env", format!("A=1\n{secret}\n").as_bytes()).expect_err("no dotenv").to_string();
    assert!(
        error.contains("a.env:2:1: a line that is neither KEY=value nor a comment") && !error.contains(secret),
        "{error}"
    );
    let error = Document::parse("a.env", b"A=1\nA=2\n").expect_err("twice").to_string();
    assert!(error.contains("a.env:2:1: the key \"A\" is there twice"), "{error}");
}

#[test]
fn dotenv_of_a_checkout_with_windows_lines_opens() {
    let windows =
        fixture("types.env").lines().filter(|line| !line.starts_with("CLEAR")).fold(String::new(), |text, line| {
            let clear = line.starts_with("sops_") || !line.contains("ENC[");
            text + line + if clear { "\n" } else { "\r\n" }
        });
    let document = Document::parse("types.env", windows.as_bytes()).expect("a document");
    assert!(document.unlock(&first_key(), MacPolicy::Ignore).is_ok());
}

#[test]
fn a_binary_file_is_encrypted_anew_only_when_it_changes() {
    let bytes = fixture_bytes("bytes.bin");
    let document = Document::parse("bytes.bin", &bytes).expect("a document");
    assert_eq!((document.format(), document.is_encrypted()), (Format::Binary, true));
    let opened = document.unlock(&first_key(), MacPolicy::Verify).expect("opens");
    assert_eq!(opened.replace_text(&opened.plain_text(), NOW).expect("the same"), bytes);
    for new in [b"\xfe\xff\0".as_slice(), b"text", b"", b"{\"sops\": "] {
        let again = opened.replace_text(new, NOW).expect("an edit");
        assert_eq!(open_text("bytes.bin", &again), new);
    }
    let mut other = opened.node().expect("one").clone();
    assert!(opened.replace(&Node::Map(Vec::new()), NOW).is_err(), "it has one value");
    let Node::Map(members) = &mut other else { panic!("a map") };
    members[0].1 = Node::text("by its tree");
    assert_eq!(open_text("bytes.bin", &opened.replace(&other, NOW).expect("an edit")), b"by its tree");
}

#[test]
fn a_format_that_is_not_known_is_refused_by_its_name() {
    let error = Document::parse("a.ini", b"[a]\nb = c\n").expect_err("INI").to_string();
    assert_eq!(error, "cannot read a.ini: Plumb does not know sops's ini files");
}
