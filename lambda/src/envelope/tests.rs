//! The envelope: known answers, what is refused, and properties.

use proptest::prelude::*;

use super::*;

const MATERIAL: [u8; 32] = *b"0123456789abcdefghijklmnopqrstuv";

fn key(version: u32) -> Key<'static> {
    Key { keyring: "ring", version, material: &MATERIAL }
}

fn context(pairs: &[(&str, &str)]) -> Context {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[derive(serde::Deserialize)]
struct Known {
    keyring: String,
    version: u32,
    material: String,
    salt: String,
    message: String,
    context: Context,
    text: String,
}

fn bytes<const N: usize>(hexadecimal: &str) -> [u8; N] {
    unhex(hexadecimal).try_into().unwrap()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn known_messages_have_known_texts() {
    // Made by an independent implementation: tests/reference/envelope.py.
    let known: Vec<Known> = serde_json::from_str(include_str!("../../tests/reference/known_answers.json")).unwrap();
    assert_eq!(known.len(), 6);
    for case in &known {
        let material = bytes(&case.material);
        let key = Key { keyring: &case.keyring, version: case.version, material: &material };
        let message = unhex(&case.message);
        assert_eq!(seal(&key, &bytes(&case.salt), &message, &case.context).as_ref(), Ok(&case.text));
        assert_eq!(*decrypt(&key, &case.text, &case.context).unwrap(), *message);
    }
    let page = include_str!("../../ENVELOPE.md");
    assert!(page.contains(&known[0].text), "ENVELOPE.md has the first of them");
}

/// The same bytes, written with a last letter whose spare bits are set.
fn bumped(body: &str) -> String {
    let last = body.chars().last().unwrap();
    let next = char::from(u8::try_from(last).unwrap() + 1);
    format!("{}{next}", &body[..body.len() - 1])
}

#[test]
fn texts_of_other_forms_are_told_from_those_that_do_not_open() {
    let whole = encrypt(&key(1), b"", &Context::new()).unwrap();
    let body = whole.rsplit(':').next().unwrap().to_owned();
    let cases = [
        ("an empty text", String::new(), Error::Format),
        ("a text of another service", "vault:v1:abcd".to_owned(), Error::Format),
        ("a later format", format!("plumb:v2:1:{body}"), Error::Format),
        ("version zero", format!("plumb:v1:0:{body}"), Error::Format),
        ("a version with a leading zero", format!("plumb:v1:01:{body}"), Error::Format),
        ("a version with a sign", format!("plumb:v1:+1:{body}"), Error::Format),
        ("a version beyond 32 bit", format!("plumb:v1:4294967296:{body}"), Error::Format),
        ("another version", format!("plumb:v1:2:{body}"), Error::Refused),
        ("padding", format!("plumb:v1:1:{body}="), Error::Format),
        ("a body that is too short", format!("plumb:v1:1:{}", &body[..100]), Error::Format),
        ("a body without a byte of its tag", format!("plumb:v1:1:{}", &body[..105]), Error::Format),
        ("no body", "plumb:v1:1:".to_owned(), Error::Format),
        ("no version", format!("plumb:v1::{body}"), Error::Format),
        ("white space behind", format!("{whole} "), Error::Format),
        ("a body with a bit that no byte needs", format!("plumb:v1:1:{}", bumped(&body)), Error::Format),
        ("base64 of the other alphabet", format!("plumb:v1:1:+/{}", &body[2..]), Error::Format),
        ("a line break", format!("plumb:v1:1:{}\n{}", &body[..50], &body[50..]), Error::Format),
    ];
    for (name, text, expected) in cases {
        assert_eq!(decrypt(&key(1), &text, &Context::new()).unwrap_err(), expected, "{name}");
    }
}

#[test]
fn a_context_cannot_be_shifted_between_its_pairs() {
    let text = encrypt(&key(1), b"x", &context(&[("ab", "c")])).unwrap();
    for other in [context(&[("a", "bc")]), context(&[]), context(&[("ab", "c"), ("", "")]), context(&[("AB", "c")])] {
        assert_eq!(decrypt(&key(1), &text, &other).unwrap_err(), Error::Refused, "{other:?}");
    }
}

#[test]
fn a_key_does_not_show_itself() {
    assert_eq!(format!("{:?}", key(1)), "Key { keyring: \"ring\", version: 1, .. }");
}

proptest! {
    #[test]
    fn what_is_encrypted_opens_again(plaintext: Vec<u8>, context: Context, version in 1..u32::MAX) {
        let text = encrypt(&key(version), &plaintext, &context).unwrap();
        prop_assert_eq!(key_version(&text), Ok(version));
        let opened = decrypt(&key(version), &text, &context).unwrap();
        prop_assert_eq!(&*opened, plaintext.as_slice());
    }

    #[test]
    fn no_other_context_opens(
        plaintext: Vec<u8>,
        one in prop::collection::btree_map(".{0,4}", ".{0,4}", 0..4),
        other in prop::collection::btree_map(".{0,4}", ".{0,4}", 0..4),
    ) {
        prop_assume!(one != other);
        let text = encrypt(&key(1), &plaintext, &one).unwrap();
        prop_assert_eq!(decrypt(&key(1), &text, &other).unwrap_err(), Error::Refused);
    }

    #[test]
    fn no_flipped_bit_opens(plaintext: Vec<u8>, at: prop::sample::Index, bit in 0..8u8) {
        let text = encrypt(&key(1), &plaintext, &Context::new()).unwrap();
        let mut body = URL_SAFE_NO_PAD.decode_to_vec(text.rsplit(':').next().unwrap()).unwrap();
        let at = at.index(body.len());
        body[at] ^= 1 << bit;
        let altered = format!("plumb:v1:1:{}", URL_SAFE_NO_PAD.encode_to_string(body));
        prop_assert_eq!(decrypt(&key(1), &altered, &Context::new()).unwrap_err(), Error::Refused);
    }

    #[test]
    fn no_other_material_keyring_or_version_opens(at in 0..32usize, keyring in "[a-z]{1,8}", version in 2..9u32) {
        let text = encrypt(&key(1), b"x", &Context::new()).unwrap();
        let mut other = MATERIAL;
        other[at] ^= 1;
        let keys = [
            Key { keyring: "ring", version: 1, material: &other },
            Key { keyring: &format!("{keyring}2"), version: 1, material: &MATERIAL },
        ];
        for key in &keys {
            prop_assert_eq!(decrypt(key, &text, &Context::new()).unwrap_err(), Error::Refused);
        }
        let moved = text.replace("plumb:v1:1:", &format!("plumb:v1:{version}:"));
        prop_assert_eq!(decrypt(&key(version), &moved, &Context::new()).unwrap_err(), Error::Refused);
    }

    #[test]
    fn any_text_is_answered_without_a_panic(text in "(plumb:v1:)?[0-9]{0,12}:?.*") {
        prop_assert!(decrypt(&key(1), &text, &Context::new()).is_err());
    }
}
