//! New data keys, other recipients, and services that wrap and unwrap.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::fixture_tests::{both_keys, first_key, fixture, fixture_bytes};
use super::*;

const NOW: &str = "2026-11-21T10:00:00Z";

/// Stands for KMS: what it wraps says what it was asked.
#[derive(Default)]
struct Kms {
    unwrapped: AtomicUsize,
}

fn said(recipient: &Recipient) -> Option<String> {
    match recipient {
        Recipient::Kms { arn, role, context, aws_profile } => {
            let seen: Vec<_> = context.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))).collect();
            Some(format!("{arn}|{role:?}|{seen:?}|{aws_profile}"))
        }
        _ => None,
    }
}

impl KeyService for Kms {
    fn unwrap(&self, key: &WrappedKey) -> Option<Result<DataKey, String>> {
        let said = said(&key.recipient)?;
        self.unwrapped.fetch_add(1, Ordering::SeqCst);
        let hidden = key.enc.strip_prefix(&format!("{said}|")).map(|hex| {
            let bytes = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex"));
            DataKey::new(bytes.collect())
        });
        Some(hidden.ok_or_else(|| "another key, or another context".to_owned()))
    }

    fn wrap(&self, recipient: &Recipient, data_key: &[u8]) -> Option<Result<String, String>> {
        let start = format!("{}|", said(recipient)?);
        Some(Ok(data_key.iter().fold(start, |text, byte| format!("{text}{byte:02x}"))))
    }
}

fn kms(name: &str) -> Recipient {
    Recipient::Kms {
        arn: format!("arn:aws:kms:eu-central-1:111122223333:key/{name}"),
        role: Some("arn:aws:iam::111122223333:role/r".to_owned()),
        context: vec![("app".to_owned(), Some("petshop".to_owned())), ("empty".to_owned(), None)],
        aws_profile: "prod".to_owned(),
    }
}

/// Without what is null in the context: KMS does not see it, and dotenv cannot say it.
fn whole(mut groups: Vec<Vec<Recipient>>) -> Vec<Vec<Recipient>> {
    for recipient in groups.iter_mut().flatten() {
        if let Recipient::Kms { context, .. } = recipient {
            context.retain(|(_, value)| value.is_some());
        }
    }
    groups
}

fn age() -> Recipient {
    Recipient::Age(first_key().recipients().concat())
}

#[test]
fn a_document_for_kms_alone_is_written_and_opened_by_its_service() {
    let rule = CreationRule { groups: vec![vec![kms("1")]], threshold: None, rules: Rules::default() };
    for name in ["a.json", "a.yaml", "a.env", "a.bin"] {
        let plain = if name == "a.bin" { "data" } else { "A" };
        let node = Node::Map(vec![(plain.to_owned(), Node::text("x"))]);
        let bytes =
            encrypt_node(name, &node, &rule, &Kms::default(), NOW).unwrap_or_else(|error| panic!("{name}: {error}"));
        let document = Document::parse(name, &bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(whole(document.groups()), whole(rule.groups.clone()), "{name}: nothing of the recipient is lost");
        assert_eq!(document.open(&Kms::default(), MacPolicy::Verify), Ok(node.clone()), "{name}");
        let error = document.open(&first_key(), MacPolicy::Verify).expect_err(name).to_string();
        assert!(error.contains("it accepts kms arn:aws:kms:eu-central-1:111122223333:key/1"), "{error}");
    }
    let node = Node::Map(vec![("a".to_owned(), Node::text("x"))]);
    let error = encrypt_node("a.json", &node, &rule, &first_key(), NOW).expect_err("nobody can").to_string();
    assert!(error.contains("cannot encrypt to kms arn:aws:kms") && error.contains("nothing here can"), "{error}");
}

#[test]
fn each_wrapped_key_is_asked_for_once_by_however_many() {
    let kms_service = Arc::new(Kms::default());
    let remembering = Arc::new(Remembering::new(Arc::clone(&kms_service)));
    let rule = CreationRule { groups: vec![vec![kms("1")]], threshold: None, rules: Rules::default() };
    let node = Node::Map(vec![("a".to_owned(), Node::text("x"))]);
    let bytes = encrypt_node("a.json", &node, &rule, &*kms_service, NOW).expect("encrypts");
    let other = encrypt_node("a.json", &node, &rule, &*kms_service, NOW).expect("encrypts");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let document = Document::parse("a.json", &bytes).expect("a document");
                assert!(document.open(&*remembering, MacPolicy::Verify).is_ok());
            });
        }
    });
    assert_eq!(kms_service.unwrapped.load(Ordering::SeqCst), 1);
    Document::parse("a.json", &other).expect("a document").open(&*remembering, MacPolicy::Verify).expect("opens");
    assert_eq!(kms_service.unwrapped.load(Ordering::SeqCst), 2, "another data key");
    let new = encrypt_node("a.json", &node, &rule, &*remembering, NOW).expect("encrypts");
    Document::parse("a.json", &new).expect("a document").open(&*remembering, MacPolicy::Verify).expect("opens");
    assert_eq!(kms_service.unwrapped.load(Ordering::SeqCst), 2, "what was wrapped here is known");
}

#[test]
fn a_new_data_key_leaves_no_old_ciphertext() {
    let ciphertext = regex::Regex::new(r"ENC\[[^\]]*\]").expect("valid");
    let mask = regex::Regex::new(r"ENC\[[^\]]*\]|-----BEGIN(?s:.)*?-----END|20[^ ,]*Z").expect("valid");
    for name in
        ["types.json", "comments.yaml", "list_comments.yaml", "several.yaml", "types.yaml", "types.env", "bytes.bin"]
    {
        let text = fixture(name);
        let document = Document::parse(name, text.as_bytes()).expect("a document");
        let opened = document.unlock(&both_keys(), MacPolicy::Verify).expect("opens");
        let bytes = opened.rotate(None, &Services::new(), NOW).unwrap_or_else(|error| panic!("{name}: {error}"));
        let new = String::from_utf8(bytes).expect("UTF-8");
        let again = Document::parse(name, new.as_bytes()).expect("a document");
        let again = again.unlock(&first_key(), MacPolicy::Verify).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(again.nodes(), opened.nodes(), "{name}");
        let stays = ciphertext.find_iter(&text).find(|found| new.contains(found.as_str()));
        assert!(stays.is_none(), "{name}: {stays:?}");
        let types = |text: &str| text.matches(",type:").count();
        assert_eq!(types(&text), types(&new), "{name}: comments, too");
        let layout = |text: &str| mask.replace_all(text, "X").into_owned();
        assert_eq!(layout(&text), layout(&new), "{name}");
    }
}

#[test]
fn other_recipients_leave_every_value_and_the_mac_alone() {
    for name in ["types.json", "comments.yaml", "several.yaml", "types.env", "text.bin"] {
        let text = fixture(name);
        let document = Document::parse(name, text.as_bytes()).expect("a document");
        let opened = document.unlock(&first_key(), MacPolicy::Verify).expect("opens");
        let groups = [vec![age(), kms("1")]];
        let new =
            opened.update_keys(&groups, None, &Kms::default(), NOW).unwrap_or_else(|error| panic!("{name}: {error}"));
        let new = String::from_utf8(new).expect("UTF-8");
        let again = Document::parse(name, new.as_bytes()).expect("a document");
        assert_eq!(whole(again.groups()), whole(groups.to_vec()), "{name}");
        for keys in [&first_key() as &dyn KeyService, &Kms::default()] {
            assert_eq!(again.unlock(keys, MacPolicy::Verify).expect("opens").nodes(), opened.nodes(), "{name}");
        }
        let gone = text.lines().filter(|line| !new.contains(line.trim_end_matches(','))).count();
        assert_eq!(gone, 0, "{name}: no line of it changes, that of the old recipient neither");
        let same = again.unlock(&first_key(), MacPolicy::Verify).expect("opens");
        let groups = again.groups();
        assert_eq!(same.update_keys(&groups, None, &Kms::default(), NOW).expect("the same"), new.as_bytes(), "{name}");
        let back = same.update_keys(&[vec![age()]], None, &Services::new(), NOW).expect("without KMS");
        assert_eq!(String::from_utf8_lossy(&back), text, "{name}: and back");
    }
}

#[test]
fn groups_are_cut_anew_and_opened_by_their_threshold() {
    let document = Document::parse("key_groups.yaml", &fixture_bytes("key_groups.yaml")).expect("a document");
    assert_eq!((document.groups().len(), document.threshold()), (3, 2));
    let opened = document.unlock(&both_keys(), MacPolicy::Verify).expect("opens");
    let groups = [vec![age()], vec![kms("1")]];
    let bytes = opened.update_keys(&groups, Some(2), &Kms::default(), NOW).expect("other groups");
    let again = Document::parse("key_groups.yaml", &bytes).expect("a document");
    assert!(again.unlock(&first_key(), MacPolicy::Verify).is_err(), "one group of two");
    let both = Services::new().with(first_key()).with(Kms::default());
    assert_eq!(again.unlock(&both, MacPolicy::Verify).expect("opens").nodes(), opened.nodes());
    let one = opened.update_keys(&[vec![age()]], None, &Services::new(), NOW).expect("one group");
    let one = Document::parse("key_groups.yaml", &one).expect("a document");
    assert!(one.unlock(&first_key(), MacPolicy::Verify).is_ok());
    assert!(!one.parsed.source.contains("shamir_threshold") && !one.parsed.source.contains("key_groups"));
}

#[test]
fn keys_of_other_kinds_stay_where_they_can_and_are_never_left_out() {
    let document = Document::parse("other_keys.json", &fixture_bytes("other_keys.json")).expect("a document");
    let opened = document.unlock(&first_key(), MacPolicy::Verify).expect("opens");
    let mut groups = document.groups();
    groups[0].retain(|recipient| !matches!(recipient, Recipient::Kms { .. }));
    let bytes = opened.update_keys(&groups, None, &Services::new(), NOW).expect("without KMS");
    let again = Document::parse("other_keys.json", &bytes).expect("a document");
    assert_eq!(again.groups(), groups, "PGP and the others stay as they were");
    let error = opened.rotate(None, &Kms::default(), NOW).expect_err("PGP cannot be encrypted to").to_string();
    assert!(error.contains("cannot encrypt to"), "{error}");
}
