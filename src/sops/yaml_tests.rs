//! YAML documents: those that sops 3.13.2 wrote (`tests/fixtures/sops`), and what an edit changes in their text.

use super::fixture_tests::{both_keys, first_key, fixture, put, words};
use super::raw::{Kind, Raw};
use super::*;

const NOW: &str = "2026-11-21T10:00:00Z";

const EVERY: [&str; 14] = [
    "types",
    "nested",
    "unicode",
    "comments",
    "list_comments",
    "several",
    "unencrypted_suffix",
    "encrypted_suffix",
    "unencrypted_regex",
    "encrypted_regex",
    "mac_only_encrypted",
    "encrypted_comment_regex",
    "unencrypted_comment_regex",
    "two_recipients",
];

fn text_of(name: &str) -> String {
    fixture(&format!("{name}.yaml"))
}

fn document(name: &str) -> Document {
    Document::parse(&format!("{name}.yaml"), text_of(name).as_bytes()).expect("a sops document")
}

fn plain(text: &str) -> Document {
    Document::parse("plain.yaml", text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn opened<'a>(document: &'a Document, text: &str) -> Opened<'a> {
    document.unlock(&both_keys(), MacPolicy::Verify).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn shown(opened: &Opened<'_>) -> String {
    String::from_utf8(opened.plain_text().to_vec()).expect("UTF-8")
}

/// Encrypted for the first key.
fn sealed(text: &str, rules: Rules) -> Result<String, Error> {
    let rule = CreationRule::for_age(&first_key().recipients(), rules);
    let bytes = encrypt("plain.yaml", text.as_bytes(), &rule, &Services::new(), NOW)?;
    Ok(String::from_utf8(bytes).expect("UTF-8"))
}

/// Comments, each with the keys around it.
fn comments(document: &Document) -> Vec<String> {
    fn add(raw: &Raw, path: &str, found: &mut Vec<String>) {
        let mut say = |remarks: &[raw::Remark]| {
            found.extend(remarks.iter().map(|remark| format!("{path}#{}", remark.text.expose())));
        };
        match &raw.kind {
            Kind::Map(members) => {
                for member in members {
                    say(&member.value.before);
                }
                say(&raw.after);
                for member in members {
                    add(&member.value, &format!("{path}{}.", member.key), found);
                }
            }
            Kind::List(items) => {
                for item in items {
                    say(&item.before);
                }
                say(&raw.after);
                items.iter().enumerate().for_each(|(at, item)| add(item, &format!("{path}{at}."), found));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    document.parsed.parts.iter().for_each(|part| add(&part.root, "", &mut found));
    found
}

#[test]
fn what_sops_encrypted_opens_to_what_sops_decrypts() {
    for name in EVERY.into_iter().chain(["key_groups"]) {
        let document = document(name);
        assert!(document.is_encrypted(), "{name}");
        let opened = opened(&document, name);
        let theirs = plain(&fixture(&format!("{name}.plain.yaml")));
        let ours = plain(&shown(&opened));
        for (at, (node, part)) in opened.nodes().iter().zip(&theirs.parsed.parts).enumerate() {
            assert_eq!(words(node), words(&part.root.as_written()), "{name}, document {at}");
            assert_eq!(words(node), words(&ours.parsed.parts[at].root.as_written()), "{name}, document {at}");
        }
        assert_eq!(opened.nodes().len(), theirs.count(), "{name}");
        assert_eq!(comments(&ours), comments(&theirs), "{name}");
        assert!(!shown(&opened).contains("ENC["), "{name}");
    }
}

#[test]
fn a_list_with_comments_opens_although_sops_cannot_verify_it() {
    // sops 3.13.2 writes such comments as items, leaves them out of the MAC, and counts them when it reads.
    let document = document("list_comments");
    let opened = opened(&document, "list_comments");
    let node = opened.node().expect("one document");
    assert_eq!(node.get(&["list"]).expect("a list").to_json().expose(), r#"["one","two"]"#, "comments are no items");
    let mut changed = node.clone();
    put(&mut changed, &["other", "0"], Node::text("y"));
    let text = String::from_utf8(opened.replace(&changed, NOW).expect("an edit")).expect("UTF-8");
    assert!(!text.contains("- ENC[") || text.matches("#ENC[").count() == 3, "the bug is not copied: {text}");
    assert_eq!(plain(&text).unlock(&first_key(), MacPolicy::Verify).expect("opens").node(), Ok(&changed));
}

#[test]
fn without_a_change_not_a_byte_changes() {
    for name in EVERY {
        let document = document(name);
        let opened = opened(&document, name);
        let bytes = opened.replace_text(&opened.plain_text(), NOW).expect("the same");
        assert_eq!(String::from_utf8_lossy(&bytes), text_of(name), "{name}");
        if let Ok(node) = opened.node() {
            assert_eq!(String::from_utf8_lossy(&opened.replace(node, NOW).expect("the same")), text_of(name), "{name}");
        }
    }
}

/// Keys of the lines that only one of two texts has, in their order.
fn changed(old: &str, new: &str) -> (Vec<String>, Vec<String>) {
    let only = |text: &str, other: &str| -> Vec<String> {
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

#[test]
fn a_change_of_one_value_is_a_difference_of_three_lines() {
    let rows = [
        ("types", &["text"] as &[_], Node::text("bye")),
        ("types", &["int"], Node::number("43")),
        ("types", &["yes"], Node::Leaf(Leaf::Bool(false))),
        ("types", &["nothing"], Node::text("something")),
        ("types", &["empty"], Node::text("no longer")),
        ("types", &["literal"], Node::text("other\nlines\n")),
        ("types", &["text"], Node::Leaf(Leaf::Null)),
        ("nested", &["a", "b", "d", "1", "1", "1"], Node::text("y")),
        ("nested", &["list", "3", "1", "0"], Node::text("y")),
        ("unicode", &[""], Node::text("ß")),
        ("comments", &["first"], Node::number("7")),
        ("comments", &["second", "inner"], Node::text("new")),
        ("unencrypted_suffix", &["plain_pub"], Node::text("b")),
        ("encrypted_comment_regex", &["map", "secret"], Node::text("b")),
        ("encrypted_comment_regex", &["map", "clear"], Node::text("b")),
        ("key_groups", &["secret"], Node::text("new")),
    ];
    for (name, path, value) in rows {
        let document = document(name);
        let opened = opened(&document, name);
        let mut node = opened.node().expect("one document").clone();
        put(&mut node, path, value.clone());
        let new = String::from_utf8(opened.replace(&node, NOW).expect("an edit")).expect("UTF-8");
        let (removed, added) = changed(&text_of(name), &new);
        assert_eq!((removed.len(), added.len()), (3, 3), "{name} {path:?}: {removed:?} {added:?}\n{new}");
        assert_eq!(&added[1..], ["lastmodified", "mac"], "{name} {path:?}");
        let again = plain(&new);
        assert_eq!(again.unlock(&both_keys(), MacPolicy::Verify).expect("opens").node(), Ok(&node), "{name} {path:?}");
    }
}

type Change = fn(&mut Vec<(String, Node)>);

#[test]
fn members_and_items_come_and_go_with_their_comments() {
    let text = "# the head\na: 1 # one\n\n# about b\nb:\n  # about c\n  c: x\n  d: y # the end\nlist:\n- one\n# about two\n- two\n- k: v\n  l: w\n";
    let rows: [(&str, Change, &str); 8] = [
        (
            "a key is removed with the comments before it",
            |members| members.retain(|(key, _)| key != "b"),
            "# the head\na: 1 # one\nlist:\n- one\n# about two\n- two\n- k: v\n  l: w\n",
        ),
        (
            "a key is added at its place",
            |members| members.insert(1, ("new".to_owned(), Node::text("word"))),
            "# the head\na: 1 # one\nnew: word\n\n# about b\nb:\n  # about c\n  c: x\n  d: y # the end\nlist:\n- one\n# about two\n- two\n- k: v\n  l: w\n",
        ),
        (
            "keys are exchanged",
            |members| members.swap(0, 1),
            "\n# about b\nb:\n  # about c\n  c: x\n  d: y # the end\n# the head\na: 1 # one\nlist:\n- one\n# about two\n- two\n- k: v\n  l: w\n",
        ),
        (
            "a value becomes a map, and its comment stays on the line",
            |members| {
                members[0].1 = Node::Map(vec![("x".to_owned(), Node::text("y")), ("z".to_owned(), Node::List(vec![]))]);
            },
            "# the head\na: # one\n  x: \"y\"\n  z: []\n\n# about b\nb:\n  # about c\n  c: x\n  d: y # the end\nlist:\n- one\n# about two\n- two\n- k: v\n  l: w\n",
        ),
        (
            "a map becomes a value",
            |members| members[1].1 = Node::text("flat"),
            "# the head\na: 1 # one\n\n# about b\nb: flat\nlist:\n- one\n# about two\n- two\n- k: v\n  l: w\n",
        ),
        (
            "an item is removed with the comments before it, and another added",
            |members| {
                let Node::List(items) = &mut members[2].1 else { panic!("a list") };
                items.remove(1);
                items.push(Node::List(vec![Node::number("1"), Node::text("a\nb")]));
            },
            "# the head\na: 1 # one\n\n# about b\nb:\n  # about c\n  c: x\n  d: y # the end\nlist:\n- one\n- k: v\n  l: w\n- - 1\n  - |-\n    a\n    b\n",
        ),
        (
            "the first key behind a dash goes",
            |members| {
                let Node::List(items) = &mut members[2].1 else { panic!("a list") };
                let Node::Map(inner) = &mut items[2] else { panic!("a map") };
                inner.remove(0);
            },
            "# the head\na: 1 # one\n\n# about b\nb:\n  # about c\n  c: x\n  d: y # the end\nlist:\n- one\n# about two\n- two\n- l: w\n",
        ),
        ("everything but one goes", |members| members.truncate(1), "# the head\na: 1 # one\n"),
    ];
    for (name, change, expected) in rows {
        let sealed = sealed(&text.replace("y # the end", "z # the end").replace("d: z", "d: y"), Rules::default());
        let sealed = sealed.unwrap_or_else(|error| panic!("{name}: {error}"));
        let document = plain(&sealed);
        let opened = opened(&document, name);
        let Node::Map(mut members) = opened.node().expect("one document").clone() else { panic!("a map") };
        change(&mut members);
        let node = Node::Map(members);
        let new = String::from_utf8(opened.replace(&node, NOW).unwrap_or_else(|error| panic!("{name}: {error}")));
        let new = new.expect("UTF-8");
        let again = plain(&new);
        let again = again.unlock(&first_key(), MacPolicy::Verify).expect("opens");
        assert_eq!(again.node(), Ok(&node), "{name}");
        assert_eq!(shown(&again).replace("d: \"y\"", "d: y"), expected.replace("d: \"y\"", "d: y"), "{name}");
    }
}

#[test]
fn an_edited_text_keeps_its_layout_and_every_equal_ciphertext() {
    let text = "# head\na:   'one'   # odd\nb:\n    - x\n    - |\n      block\n      text\n    - >-\n      folded\n      text\nc: {d: 1, \"e\": [true, x], f: }\n...\n";
    let first = sealed(text, Rules::default()).expect("encrypts");
    assert!(first.ends_with("\n...\n") && first.contains("c: {d: \"ENC["), "{first}");
    let document = plain(&first);
    let opened_first = opened(&document, &first);
    assert_eq!(opened_first.replace_text(text.as_bytes(), NOW).expect("the same"), first.as_bytes());
    let edited = text.replace("block", "other").replace("# odd", "# even").replace("d: 1", "g: new,   d: 1");
    let second = String::from_utf8(opened_first.replace_text(edited.as_bytes(), NOW).expect("an edit")).expect("UTF-8");
    let ciphertexts = |text: &str| -> Vec<String> {
        let found = regex::Regex::new(r"ENC\[[^\]]*\]").expect("valid");
        found.find_iter(text).map(|found| found.as_str().to_owned()).collect()
    };
    let (before, after) = (ciphertexts(&first), ciphertexts(&second));
    let kept = before.iter().filter(|text| after.contains(text)).count();
    assert_eq!(before.len() - kept, 3, "the block, the comment and the MAC");
    assert_eq!(after.len() - before.len(), 1, "one value more");
    assert_eq!(opened(&plain(&second), &second).nodes(), [plain(&edited).plain().expect("plain")]);
}

#[test]
fn a_comment_alone_leaves_the_mac_as_it_is() {
    let document = document("comments");
    let opened = opened(&document, "comments");
    let edited = shown(&opened).replace("# above a nested key", "# another comment");
    let new = String::from_utf8(opened.replace_text(edited.as_bytes(), NOW).expect("an edit")).expect("UTF-8");
    let (removed, added) = changed(&text_of("comments"), &new);
    assert_eq!((removed.len(), added.len()), (1, 1), "{added:?}");
    assert!(added[0].starts_with("#ENC["), "{added:?}");
}

#[test]
fn a_new_document_looks_as_if_sops_had_written_it() {
    let mask = |text: &str| {
        let enc = r#"data:[^,]+,iv:[^,]{44},tag:[^,]{24}|-----BEGIN(?s:.)*?-----END[^\n]*|"20[^"]*Z""#;
        regex::Regex::new(enc).expect("valid").replace_all(text, "X").into_owned()
    };
    for name in ["nested", "several", "unencrypted_suffix", "mac_only_encrypted", "encrypted_comment_regex"] {
        let rules = match name {
            "unencrypted_suffix" => Selector::UnencryptedSuffix("_pub".to_owned()),
            "mac_only_encrypted" => Selector::EncryptedRegex(Pattern::new("^(password|secret)$").expect("valid")),
            "encrypted_comment_regex" => Selector::EncryptedCommentRegex(Pattern::new("^ sops:enc").expect("valid")),
            _ => Selector::default(),
        };
        let rules = Rules { selector: rules, mac_only_encrypted: name == "mac_only_encrypted", ..Rules::default() };
        let text =
            sealed(&fixture(&format!("{name}.plain.yaml")), rules).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(mask(&text), mask(&text_of(name)), "{name}");
    }
    let node = plain(&fixture("nested.plain.yaml")).plain().expect("plain");
    let rule = CreationRule::for_age(&first_key().recipients(), Rules::default());
    let bytes = encrypt_node("nested.yaml", &node, &rule, &Services::new(), NOW).expect("encrypts");
    assert_eq!(mask(&String::from_utf8_lossy(&bytes)), mask(&text_of("nested")), "from a tree");
}

#[test]
fn several_documents_are_one_file_with_one_mac() {
    let document = document("several");
    assert_eq!(document.count(), 3);
    let opened = opened(&document, "several");
    assert!(matches!(opened.node(), Err(Error::Several { count: 3, .. })));
    assert!(matches!(document.open(&first_key(), MacPolicy::Verify), Err(Error::Several { .. })));
    let edited = shown(&opened).replace("three", "drei") + "---\nnew: document\n";
    let new = String::from_utf8(opened.replace_text(edited.as_bytes(), NOW).expect("an edit")).expect("UTF-8");
    assert_eq!(new.matches("\nsops:\n").count(), 4, "each has the metadata, the new one too");
    assert_eq!(new.matches(NOW).count(), 4);
    let again = plain(&new);
    assert_eq!(again.unlock(&first_key(), MacPolicy::Verify).expect("opens").nodes().len(), 4);
    let tampered = text_of("several").replacen("d: null", "d: 1", 1);
    assert!(plain(&tampered).unlock(&first_key(), MacPolicy::Verify).is_err(), "the last document counts, too");
}

#[test]
fn what_sops_would_expand_or_refuse_is_refused_with_its_place() {
    let rows = [
        ("an anchor", "a: &x 1\n", "plain.yaml:1:4: an anchor"),
        ("an alias", "a: 1\nb: *x\n", "plain.yaml:2:"),
        ("a tag", "a:\n  b: !!str 1\n", "plain.yaml:2:6: a tag"),
        ("a tag of one's own", "a: !Ref x\n", "plain.yaml:1:4: a tag"),
        ("a merge key", "a:\n  <<: {b: 1}\n", "plain.yaml:2:3: a merge key"),
        ("a key twice", "a: 1\nb:\n  c: 1\n  c: 2\n", "plain.yaml:4:3: the key \"c\" is there twice"),
        ("a key that is a number", "1: a\n", "plain.yaml:1:1: a key that is not a text"),
        ("a key that is true", "true: a\n", "plain.yaml:1:1: a key that is not a text"),
        ("an explicit key", "? a\n: b\n", "plain.yaml:1:1: an explicit key"),
        ("a directive", "%YAML 1.1\n---\na: 1\n", "plain.yaml:1:1: a directive"),
        ("a list", "- a\n", "plain.yaml:1:1: the document is not a map"),
        ("a word", "a\n", "plain.yaml:1:1: the document is not a map"),
        ("a byte order mark", "\u{feff}a: 1\n", "plain.yaml:1:1: a byte order mark"),
        ("a line separator", "a: x\u{2028}y\n", "plain.yaml:1:5: a character that must be written as an escape"),
        ("a truncated list", "a: [1, 2\n", "plain.yaml:"),
        ("a tab for indentation", "a:\n\tb: 1\n", "plain.yaml:2:"),
        ("a number that Go cannot hold", "a: 9223372036854775808\n", "plain.yaml:1:4: a whole number above"),
        ("a byte that is not UTF-8", "a: \u{1}\n", "plain.yaml:1:4: a character"),
        ("nesting without end", &("a: ".to_owned() + &"[".repeat(100_000)), "plain.yaml:1:"),
    ];
    for (name, text, expected) in rows {
        let error = Document::parse("plain.yaml", text.as_bytes()).expect_err(name).to_string();
        assert!(error.contains(expected), "{name}: {error}");
        assert!(!error.contains("x\u{2028}y"), "{name}: {error}");
    }
    let error = sealed("a: 1\nsops: {}\n", Rules::default()).expect_err("metadata");
    assert!(error.to_string().contains("metadata"), "{error}");
}

#[test]
fn a_comment_that_decides_must_line_up_with_its_key() {
    let rules = || Rules {
        selector: Selector::EncryptedCommentRegex(Pattern::new("^ secret").expect("valid")),
        ..Rules::default()
    };
    for text in ["a:\n  b: 1\n # secret\nc: 2\n", "a:\n  - x: 1\n  # secret\n\nc: 2\n", "a: [ # secret\n  1]\n"] {
        let error = sealed(text, rules()).expect_err(text).to_string();
        assert!(error.contains("put it right before its key"), "{error}");
    }
    let text = sealed("a:\n  # secret\n  b: 1 # secret\n  c: 2\n", rules()).expect("lines up");
    assert!(text.contains("  c: 2\n") && text.contains("  b: ENC["), "{text}");
}

#[test]
fn a_comment_between_a_key_and_its_value_stays_and_decides_nothing() {
    // The first was found by the fuzzer.
    for text in [
        "li+st:\n    # above an  one\n r:x\n",
        "a:\n  # said\n  {b: 1}\n",
        "a:\n  # said\n  [\"b\"]\nc: d\n",
        "# said\n{a: 1}\n",
        "a: # one\n  # two\n  b # three\n# four\nc: 1\n",
        "a:\n  # said\n  \"b\\n\"\nc: 1\n",
    ] {
        let text = text.to_owned();
        let bytes = sealed(&text, Rules::default()).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert!(!bytes.contains("said") && !bytes.contains("above"), "{bytes}");
        let document = Document::parse("plain.yaml", bytes.as_bytes()).expect("a document");
        assert_eq!(shown(&opened(&document, &bytes)), text);
    }
    let selector = Selector::EncryptedCommentRegex(Pattern::new("^ secret").expect("valid"));
    let error = sealed("a:\n  # secret\n  b\n", Rules { selector, ..Rules::default() }).expect_err("whose is it?");
    assert!(error.to_string().contains("put it right before its key"), "{error}");
}
