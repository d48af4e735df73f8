//! What is no good document, and what is a very large one: a clear error that holds no secret, and no more time than its
//! size asks for.

use std::time::{Duration, Instant};

use super::fixture_tests::{both_keys, first_key, fixture};
use super::*;

const NOW: &str = "2026-11-21T10:00:00Z";
const SECRET: &str = "a-value-that-no-error-may-show";

fn open(name: &str, bytes: &[u8]) -> Result<Vec<Node>, Error> {
    let document = Document::parse(name, bytes)?;
    Ok(document.unlock(&both_keys(), MacPolicy::Verify)?.nodes().to_vec())
}

fn sealed(name: &str, plain: &str) -> String {
    let rule = CreationRule::for_age(&first_key().recipients(), Rules::default());
    let bytes = encrypt(name, plain.as_bytes(), &rule, &Services::new(), NOW).expect("encrypts");
    String::from_utf8(bytes).expect("UTF-8")
}

fn each() -> [(&'static str, String); 4] {
    [
        ("a.json", format!("{{\"key\": \"{SECRET}\", \"other\": [\"x\", \"y\"]}}")),
        ("a.yaml", format!("key: {SECRET}\nother:\n  - x\n  - y\n")),
        ("a.env", format!("KEY={SECRET}\nOTHER=x\n")),
        ("a.bin", SECRET.to_owned()),
    ]
}

#[test]
fn a_plain_file_is_said_to_be_one() {
    for (name, plain) in each() {
        let error = open(name, plain.as_bytes()).expect_err(name).to_string();
        assert!(error.starts_with(&format!("{name} is not encrypted: as ")), "{error}");
        assert!(!error.contains(SECRET), "{error}");
    }
}

#[test]
fn a_truncated_file_is_an_error_wherever_it_ends() {
    for (name, plain) in each() {
        let whole = sealed(name, &plain);
        let wanted = open(name, whole.as_bytes()).expect("opens");
        let step = (whole.len() / 150).max(1);
        for end in (0..whole.len()).step_by(step) {
            match open(name, &whole.as_bytes()[..end]) {
                Err(error) => assert!(!error.to_string().contains(SECRET), "{name} up to {end}: {error}"),
                // What is lost at the very end may be the version alone, which says nothing.
                Ok(nodes) => assert_eq!(nodes, wanted, "{name} up to {end}"),
            }
        }
        let half = Document::parse(name, &whole.as_bytes()[..whole.len() / 2]);
        assert!(half.and_then(|half| half.open(&both_keys(), MacPolicy::Ignore)).is_err(), "{name}, without its MAC");
    }
}

#[test]
fn a_wrong_key_is_told_by_the_file_and_what_it_accepts() {
    let (_, stranger) = generate_age_key();
    let stranger = AgeIdentities::parse(stranger.expose()).expect("a key");
    let accepted = first_key().recipients().concat();
    for (name, plain) in each() {
        let document = Document::parse(name, sealed(name, &plain).as_bytes()).expect("a document");
        let error = document.unlock(&stranger, MacPolicy::Verify).expect_err(name).to_string();
        assert!(error.contains(name) && error.contains(&format!("it accepts age {accepted}")), "{error}");
    }
}

#[test]
fn a_wrong_mac_names_the_file_and_can_be_ignored_but_not_overlooked() {
    for (name, from, to) in [
        ("types.json", "\"looks_like_true\"", "\"looks_like_false\""),
        ("nested.yaml", "empty_list: []\n", "empty_list: []\nadded_unencrypted: by hand\n"),
        ("types.env", "CLEAR_unencrypted=in clear", "CLEAR_unencrypted=by hand"),
    ] {
        let text = fixture(name);
        assert!(text.contains(from), "{name}");
        let tampered = text.replacen(from, to, 1);
        let error = open(name, tampered.as_bytes()).expect_err(name);
        if name == "types.json" {
            assert!(matches!(&error, Error::Value { path, .. } if path == "looks_like_false"), "moved: {error}");
            continue;
        }
        assert_eq!(error, Error::Mac { name: name.to_owned() });
        assert!(error.to_string().contains(&format!("the MAC of {name} is wrong")), "{error}");
        let document = Document::parse(name, tampered.as_bytes()).expect("a document");
        let opened = document.unlock(&both_keys(), MacPolicy::Ignore).expect("opens");
        assert_eq!(opened.mac_problem(), Some(&error), "whoever ignores it is told");
        assert!(String::from_utf8_lossy(&opened.plain_text()).contains("by hand"), "{name}");
    }
    let right = Document::parse("nested.yaml", fixture("nested.yaml").as_bytes()).expect("a document");
    assert_eq!(right.unlock(&both_keys(), MacPolicy::Ignore).expect("opens").mac_problem(), None);
}

#[test]
fn duplicate_keys_and_bytes_that_are_no_text_are_errors_with_their_place() {
    let rows: [(&str, &[u8], &str); 8] = [
        ("a.json", b"{\"a\": 1, \"a\": 2}", "a.json:1:10: the key \"a\" is there twice"),
        ("a.yaml", b"a: 1\na: 2\n", "a.yaml:2:1: the key \"a\" is there twice"),
        ("a.yaml", b"a: {b: 1, b: 2}\n", "a.yaml:1:11: the key \"b\" is there twice"),
        ("a.env", b"A=1\nA=2\n", "a.env:2:1: the key \"A\" is there twice"),
        ("a.json", b"{\"a\": \"\xff\"}", "a.json:1:8: a byte that is not UTF-8"),
        ("a.yaml", b"a: 1\nb: \xff\n", "a.yaml:2:4: a byte that is not UTF-8"),
        ("a.env", b"A=\xff\n", "a.env:1:3: a byte that is not UTF-8"),
        ("a.yaml", b"", "a.yaml is not encrypted"),
    ];
    for (name, bytes, expected) in rows {
        let error = open(name, bytes).expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_file_of_ten_megabytes_is_no_trouble() {
    let big = "a line of some text\n".repeat(500_000);
    for name in ["a.json", "a.yaml", "a.env", "a.bin"] {
        let key = if name == "a.bin" { "data" } else { "KEY" };
        let node = Node::Map(vec![(key.to_owned(), Node::text(big.as_str()))]);
        let rule = CreationRule::for_age(&first_key().recipients(), Rules::default());
        let bytes = encrypt_node(name, &node, &rule, &Services::new(), NOW).expect("encrypts");
        assert!(bytes.len() > 10_000_000);
        assert_eq!(open(name, &bytes), Ok(vec![node]), "{name}");
    }
}

/// Processor time of this thread, where the system tells: what else the machine does is not measured.
fn spent(work: impl FnOnce()) -> Duration {
    let read = || {
        let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        told.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
    };
    let (began, before) = (Instant::now(), read());
    work();
    match (before, read()) {
        (Some(before), Some(after)) => after.saturating_sub(before),
        _ => began.elapsed(),
    }
}

#[test]
fn four_times_the_keys_take_about_four_times_as_long() {
    let rule = CreationRule::for_age(&first_key().recipients(), Rules::default());
    for name in ["a.json", "a.yaml", "a.env"] {
        let run = |count: usize| {
            let members = (0..count).map(|at| (format!("KEY{at}"), Node::text(format!("value {at}"))));
            let node = Node::Map(members.collect());
            let bytes = encrypt_node(name, &node, &rule, &Services::new(), NOW).expect("encrypts");
            let document = Document::parse(name, &bytes).expect("a document");
            let opened = document.unlock(&first_key(), MacPolicy::Verify).expect("opens");
            let Node::Map(mut members) = node else { panic!("a map") };
            members.reverse();
            members[count / 2].1 = Node::text("new");
            let changed = opened.replace(&Node::Map(members), NOW).expect("an edit");
            let changed = Document::parse(name, &changed).expect("a document");
            for (path, _) in changed.leaves() {
                let path: Vec<_> = path.iter().map(String::as_str).collect();
                assert!(changed.subtree(&path).is_some());
            }
            let changed = changed.unlock(&first_key(), MacPolicy::Verify).expect("opens");
            merge(Some(&opened), &changed, &opened, NOW).expect("merges");
        };
        let (small, large) = (spent(|| run(2_500)), spent(|| run(10_000)));
        assert!(large < small * 9, "{name}: 2,500 keys {small:?}, 10,000 keys {large:?}");
    }
}

#[test]
fn long_lists_are_edited_in_linear_time() {
    let rule = CreationRule::for_age(&first_key().recipients(), Rules::default());
    for name in ["a.json", "a.yaml"] {
        let run = |count: usize| {
            let list = |items: Vec<Node>| Node::Map(vec![("list".to_owned(), Node::List(items))]);
            let mut items: Vec<_> = (0..count).map(|at| Node::text(format!("item {at}"))).collect();
            let bytes = encrypt_node(name, &list(items.clone()), &rule, &Services::new(), NOW).expect("encrypts");
            let document = Document::parse(name, &bytes).expect("a document");
            let opened = document.unlock(&first_key(), MacPolicy::Verify).expect("opens");
            items.reverse();
            opened.replace(&list(items), NOW).expect("an edit");
        };
        let (small, large) = (spent(|| run(2_000)), spent(|| run(8_000)));
        assert!(large < small * 9, "{name}: 2,000 items {small:?}, 8,000 items {large:?}");
    }
}
