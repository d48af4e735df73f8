//! Merges of encrypted documents.

use super::fixture_tests::{first_key, put};
use super::*;

const THEN: &str = "2026-11-21T09:00:00Z";
const NOW: &str = "2026-11-21T10:00:00Z";

const BASE: &str = "# the head\na: one\nb:\n  # about c\n  c: two\n  d: three\nlist:\n  - x\n  - w\n";

fn keys() -> AgeIdentities {
    first_key()
}

fn sealed(text: &str) -> Document {
    let rule = CreationRule::for_age(&keys().recipients(), Rules::default());
    let bytes = encrypt("config.yaml", text.as_bytes(), &rule, &Services::new(), THEN).expect("encrypts");
    parsed(&bytes)
}

fn parsed(bytes: &[u8]) -> Document {
    Document::parse("config.yaml", bytes).unwrap_or_else(|error| panic!("{error}"))
}

fn opened(document: &Document) -> Opened<'_> {
    document.unlock(&keys(), MacPolicy::Verify).unwrap_or_else(|error| panic!("{error}"))
}

fn edited(document: &Document, from: &str, to: &str) -> Document {
    let opened = opened(document);
    let text = String::from_utf8(opened.plain_text().to_vec()).expect("UTF-8");
    assert!(from.is_empty() || text.contains(from), "{text}");
    let text = if from.is_empty() { text + to } else { text.replace(from, to) };
    parsed(&opened.replace_text(text.as_bytes(), NOW).expect("an edit"))
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8(opened(&parsed(bytes)).plain_text().to_vec()).expect("UTF-8")
}

fn merged(base: &Document, ours: &Document, theirs: &Document) -> Merged {
    merge(Some(&opened(base)), &opened(ours), &opened(theirs), NOW).unwrap_or_else(|error| panic!("{error}"))
}

fn source(document: &Document) -> &str {
    &document.parsed.source
}

#[test]
fn what_each_side_changed_is_merged_with_its_ciphertext_and_comments() {
    let base = sealed(BASE);
    let ours = edited(&base, "a: one", "a: ours # and why");
    let theirs = edited(&base, "  d: three\n", "  d: theirs\n  # about e\n  e: new # here\n");
    let merged = merged(&base, &ours, &theirs);
    assert_eq!(merged.conflicts, []);
    assert_eq!(
        shown(&merged.bytes),
        "# the head\na: ours # and why\nb:\n  # about c\n  c: two\n  d: theirs\n  # about e\n  e: new # here\nlist:\n  - x\n  - w\n"
    );
    let text = String::from_utf8(merged.bytes).expect("UTF-8");
    let lines = |of: &Document| source(of).lines().map(str::to_owned).collect::<Vec<_>>();
    let known: Vec<_> = [lines(&ours), lines(&theirs)].concat();
    let fresh: Vec<_> = text.lines().filter(|line| !known.contains(&(*line).to_owned())).collect();
    assert_eq!(fresh.len(), 1, "only the MAC is new: {fresh:?}");
}

#[test]
fn a_side_that_changed_nothing_gives_the_other_sides_file() {
    let base = sealed(BASE);
    let other = edited(&base, "- w", "- z");
    assert_eq!(merged(&base, &other, &base).bytes, source(&other).as_bytes());
    assert_eq!(merged(&base, &other, &other).bytes, source(&other).as_bytes());
    let theirs = String::from_utf8(merged(&base, &base, &other).bytes).expect("UTF-8");
    assert_eq!(shown(theirs.as_bytes()), shown(source(&other).as_bytes()));
}

#[test]
fn keys_come_and_go_from_both_sides() {
    let base = sealed(BASE);
    let rows = [
        ("ours removes, theirs adds", ("a: one\n", ""), ("", "z: 1\n"), "# the head\n", "z: 1\n"),
        ("both add the same", ("", "z: 1\n"), ("", "z: 1\n"), "a: one", "z: 1\n"),
        ("both remove the same", ("a: one\n", ""), ("a: one\n", ""), "# the head\n", "b:"),
        ("both change to the same", ("one", "uno"), ("one", "uno"), "a: uno", "b:"),
        (
            "ours moves a map away, theirs adds elsewhere",
            ("  d: three\n", ""),
            ("", "z: {y: 1}\n"),
            "  c: two\nlist:",
            "z:",
        ),
    ];
    for (name, (from, to), (theirs_from, theirs_to), one, other) in rows {
        let merged = merged(&base, &edited(&base, from, to), &edited(&base, theirs_from, theirs_to));
        assert_eq!(merged.conflicts, [], "{name}");
        let text = shown(&merged.bytes);
        assert!(text.contains(one) && text.contains(other), "{name}: {text}");
    }
}

#[test]
fn a_conflict_is_one_of_its_key_and_our_value_stands() {
    let base = sealed(BASE);
    let ours = edited(&edited(&base, "a: one", "a: ours"), "- w", "- ours");
    let theirs = edited(&edited(&edited(&base, "a: one", "a: theirs"), "- w", "- theirs"), "three", "drei");
    let merged = merged(&base, &ours, &theirs);
    let paths: Vec<_> = merged.conflicts.iter().map(|conflict| conflict.path.join(".")).collect();
    assert_eq!(paths, ["a", "list"]);
    let first = &merged.conflicts[0];
    let side = |node: &Option<Node>| node.as_ref().map(|node| node.to_json().expose().to_owned());
    assert_eq!(
        [&first.base, &first.ours, &first.theirs].map(side),
        [r#""one""#, r#""ours""#, r#""theirs""#].map(|text| Some(text.to_owned()))
    );
    assert!(!format!("{:?}", merged.conflicts).contains("theirs\""), "and shows no value");
    assert_eq!(
        shown(&merged.bytes),
        "# the head\na: ours\nb:\n  # about c\n  c: two\n  d: drei\nlist:\n  - x\n  - ours\n"
    );
    let removed = edited(&base, "a: one\n", "");
    let conflicts =
        super::merge(Some(&opened(&base)), &opened(&removed), &opened(&theirs), NOW).expect("merges").conflicts;
    assert_eq!((conflicts[0].path.as_slice(), &conflicts[0].ours), (["a".to_owned()].as_slice(), &None));
    let without = super::merge(None, &opened(&ours), &opened(&theirs), NOW).expect("merges").conflicts;
    let paths: Vec<_> = without.iter().map(|conflict| conflict.path.join(".")).collect();
    assert_eq!(paths, ["a", "b.d", "list"], "without a base every difference is one");
}

#[test]
fn new_recipients_and_a_new_data_key_come_from_the_side_that_changed_them() {
    let base = sealed(BASE);
    let (other, _) = generate_age_key();
    let mut groups = base.groups();
    groups[0].push(Recipient::Age(other));
    let shared =
        |document: &Document| parsed(&opened(document).update_keys(&groups, None, &keys(), NOW).expect("keys"));
    let turned = |document: &Document| {
        parsed(&opened(document).rotate(Some((&groups, None)), &keys(), NOW).expect("a new data key"))
    };
    let value = edited(&base, "three", "drei");
    for (name, keys_side) in [("updatekeys", shared(&base)), ("rotate", turned(&base))] {
        for (ours, theirs) in [(&keys_side, &value), (&value, &keys_side)] {
            let merged = merged(&base, ours, theirs);
            let document = parsed(&merged.bytes);
            assert_eq!(document.groups(), groups, "{name}");
            assert!(shown(&merged.bytes).contains("d: drei"), "{name}");
        }
        let text = String::from_utf8(merged(&base, &value, &keys_side).bytes).expect("UTF-8");
        let kept = source(&keys_side).lines().filter(|line| text.contains(*line)).count();
        assert!(source(&keys_side).lines().count() - kept <= 3, "{name}: its other values keep their ciphertext");
    }
    let both = merge(Some(&opened(&base)), &opened(&shared(&base)), &opened(&turned(&base)), NOW);
    assert!(matches!(both, Err(Error::Metadata { .. })), "{both:?}");
}

#[test]
fn json_merges_too() {
    let rule = CreationRule::for_age(&keys().recipients(), Rules::default());
    let plain = Node::Map(vec![("a".to_owned(), Node::text("1")), ("b".to_owned(), Node::text("2"))]);
    let bytes = encrypt_node("c.json", &plain, &rule, &Services::new(), THEN).expect("encrypts");
    let base = Document::parse("c.json", &bytes).expect("a document");
    let side = |path: &[&str], value: &str| {
        let mut node = plain.clone();
        put(&mut node, path, Node::text(value));
        let bytes = opened(&base).replace(&node, NOW).expect("an edit");
        Document::parse("c.json", &bytes).expect("a document")
    };
    let merged = merged(&base, &side(&["a"], "ours"), &side(&["c"], "theirs"));
    let document = Document::parse("c.json", &merged.bytes).expect("a document");
    let node = document.open(&keys(), MacPolicy::Verify).expect("opens");
    assert_eq!(node.to_json().expose(), r#"{"a":"ours","b":"2","c":"theirs"}"#);
}
