//! What is typed into the playground, and what is said of it.

use super::*;

/// A form, what is typed, and the bytes or what is wrong with it.
type Read = (Form, &'static str, Result<&'static [u8], &'static str>);

#[test]
fn bytes_are_read_in_each_form_and_a_mistake_is_told_by_its_place_alone() {
    let read = |form: Form, typed: &str| form.read(typed).map(|read| bytes(&read).unwrap().to_vec());
    let rows: [Read; 15] = [
        (Form::Text, "", Ok(b"")),
        (Form::Text, " gr\u{fc}\n", Ok(" gr\u{fc}\n".as_bytes())),
        (Form::Hex, "", Ok(b"")),
        (Form::Hex, "00 fF\n7e", Ok(&[0, 255, 126])),
        (Form::Hex, "00f", Err("not hex: 3 digits are no whole number of bytes")),
        (Form::Hex, "00xy", Err("not hex: character 3 is no digit of it")),
        (Form::Base64, "", Ok(b"")),
        (Form::Base64, "AP9+", Ok(&[0, 255, 126])),
        (Form::Base64, "AP9-", Ok(&[0, 255, 126])),
        (Form::Base64, "AA", Ok(&[0])),
        (Form::Base64, "AA==", Ok(&[0])),
        (Form::Base64, "A?==", Err("not base64: character 2 is not of its alphabet")),
        (Form::Base64, "AAAAA", Err("not base64: 5 characters are no whole number of bytes")),
        (Form::Base64, "AB==", Err("not base64: character 2, the last one, has bits that no byte needs")),
        (Form::Base64, "A=AA", Err("not base64: a = at character 2, before the end")),
    ];
    for (form, typed, expected) in rows {
        assert_eq!(read(form, typed), expected.map(<[u8]>::to_vec).map_err(str::to_owned), "{form:?} {typed:?}");
    }
}

#[test]
fn bytes_are_shown_in_each_form_and_as_text_only_where_they_are_some() {
    let shown = |form: Form, bytes: &[u8]| form.show(bytes).map(|text| text.to_string());
    assert_eq!(shown(Form::Text, b"a"), Some("a".into()));
    assert_eq!(shown(Form::Text, &[0xff]), None);
    assert_eq!(shown(Form::Hex, &[0xff, 0]), Some("ff00".into()));
    assert_eq!(shown(Form::Base64, &[0xff]), Some("/w==".into()));
    assert_eq!(Form::Text.next().next().next(), Form::Text);
}

#[test]
fn what_is_no_ciphertext_is_called_what_it_is() {
    let body = URL_SAFE_NO_PAD.encode([7; 80]);
    let good = format!("plumb:v1:12:{body}");
    assert_eq!(sealed(&format!("  {good}\n")), Ok(good.clone()));
    let rows = [
        (" \n".to_owned(), "there is no ciphertext: the input is empty"),
        ("hello".to_owned(), "begins with plumb:v1:"),
        ("ENC[AES256_GCM,data:x]".to_owned(), "a value of sops"),
        ("AQICAHhwm0Ya".to_owned(), "a ciphertext of KMS"),
        ("vault:v1:8SDd3".to_owned(), "Vault"),
        (good.replace("v1", "v2"), "another format than plumb:v1"),
        ("plumb:v1:12".to_owned(), "cut off or joined"),
        (format!("{good}:x"), "cut off or joined"),
        (good.replace(":12:", ":0:"), "in the ciphertext: a key version is a number from 1"),
        (good.replace(":12:", ":99999999999:"), "in the ciphertext: a key version is at most 4294967295"),
        (good.replace(":12:", "::"), "in the ciphertext: a key version is a number from 1"),
        (format!("{good}!"), "of the ciphertext is not of base64url"),
        ("plumb:v1:1:AAAA".to_owned(), "at least 80 bytes, this one 3"),
        (format!("{good}A="), "is not of base64url"),
    ];
    for (typed, said) in rows {
        let why = sealed(&typed).unwrap_err();
        assert!(why.contains(said), "{typed:?}: {why}");
    }
}

#[test]
fn versions_and_pairs_are_read_or_refused_with_the_reason() {
    assert_eq!(wanted_version(" "), Ok(None));
    assert_eq!(wanted_version(" 3 "), Ok(Some(3)));
    for wrong in ["0", "-1", "+1", "1.0", "x", "4294967296"] {
        assert!(wanted_version(wrong).unwrap_err().starts_with("a key version is"), "{wrong}");
    }
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(context("  "), Ok(Context::new()));
    let read = context("tenant=acme, order = a=b ,note=a\\, b\\\\,empty=").unwrap();
    let expected = [pair("tenant", "acme"), pair("order", "a=b"), pair("note", "a, b\\"), pair("empty", "")];
    assert_eq!(read, Context::from(expected));
    for (typed, said) in [
        ("tenant", "pair 1 has no =: a pair is NAME=VALUE"),
        ("a=1,=2", "pair 2 has no name: a pair is NAME=VALUE"),
        ("a=1,", "pair 2 has no =: a pair is NAME=VALUE"),
        ("a=1,a=2", "pair 2: its name stands there twice"),
    ] {
        assert_eq!(context(typed), Err(said.to_owned()), "{typed}");
    }
    let many: Vec<String> = (0..17).map(|number| format!("n{number}=1")).collect();
    assert_eq!(context(&many.join(",")), Err(String::from("17 pairs, and 16 is the most")));
}

#[test]
fn nothing_that_is_tried_is_in_a_debug_text() {
    let plain = Form::Text.read("the pin is 4711").unwrap();
    let message = Message { plain: plain.clone(), context: Context::new(), key_version: None };
    let played = Played {
        ciphertext: None,
        plain: Some(plain),
        key_version: 1,
        previous: None,
        same: None,
        took: Duration::ZERO,
    };
    let told = format!("{:?} {played:?}", Play::RoundTrip(message));
    assert!(!told.contains("4711") && !told.contains("dGhlIHBpbi") && told.contains("••••"), "{told}");
}
