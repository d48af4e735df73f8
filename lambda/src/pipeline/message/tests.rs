//! What is taken for a message, and what is not, whoever wrote it.

use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Result<Message, Why> {
    Message::read(text).map_err(|malformed| malformed.why)
}

/// A message whose one field has this value.
fn with(field: &str, value: &str) -> String {
    let mut fields = vec![("project", "petshop"), ("branch", "main")];
    fields.retain(|(name, _)| *name != field);
    fields.push((field, value));
    let fields = fields.iter().map(|(name, value)| format!("\"{name}\":{}", serde_json::json!(value)));
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}

#[test]
fn the_smallest_and_the_largest_message_are_read() {
    let smallest = read(r#"{"project":"petshop","branch":"main"}"#).unwrap();
    assert_eq!((smallest.project.as_str(), smallest.branch.as_str()), ("petshop", "main"));
    assert_eq!(
        smallest.variables("7"),
        [("PLUMB_PROJECT", "petshop".to_owned()), ("PLUMB_BRANCH", "main".to_owned()), ("PLUMB_JOB", "7".to_owned()),]
    );
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let text = format!(
        " {{\"reason\":\"CI says \\u0067o\", \"commit\":\"{commit}\",\n\"branch\":\"release/1.2\",\"project\":\"p\"}}\n"
    );
    let largest = read(&text).unwrap();
    let names: Vec<&str> = largest.variables("7").iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["PLUMB_PROJECT", "PLUMB_BRANCH", "PLUMB_COMMIT", "PLUMB_REASON", "PLUMB_JOB"]);
    assert_eq!(read(&with("reason", "")).unwrap().reason, None);
}

#[test]
fn what_is_no_such_object_is_refused() {
    let deep = format!(r#"{{"project":"petshop","branch":{}"main"{}}}"#, "[".repeat(1500), "]".repeat(1500));
    let cases: [(&str, &str, &str); 18] = [
        ("nothing", "", "not JSON"),
        ("a text", "\"petshop\"", "not an object"),
        ("an array", r#"["petshop","main"]"#, "not an object"),
        ("half of it", r#"{"project":"petshop","branch":"main""#, "not JSON"),
        ("two of them", r#"{"project":"a","branch":"b"}{"project":"a","branch":"b"}"#, "not JSON"),
        ("a field too many", r#"{"project":"a","branch":"b","shell":"true"}"#, "none of project"),
        ("five fields", r#"{"project":"a","branch":"b","commit":"c","reason":"d","x":1}"#, "more than 4"),
        ("a field in capitals", r#"{"Project":"a","branch":"b"}"#, "none of project"),
        ("a look-alike of a field", "{\"рroject\":\"a\",\"branch\":\"b\"}", "none of project"),
        ("a project twice", r#"{"project":"a","branch":"b","project":"c"}"#, "twice"),
        ("a branch twice, once escaped", r#"{"project":"a","branch":"b","\u0062ranch":"c"}"#, "twice"),
        ("no branch", r#"{"project":"petshop"}"#, "`branch` is missing"),
        ("no project", r#"{"branch":"main"}"#, "`project` is missing"),
        ("a number", r#"{"project":"petshop","branch":1}"#, "`branch` is not a text"),
        ("null", r#"{"project":"petshop","branch":"main","commit":null}"#, "`commit` is not a text"),
        ("an object", r#"{"project":{"a":1},"branch":"main"}"#, "`project` is not a text"),
        ("half a surrogate", r#"{"project":"petshop","branch":"main","reason":"\ud800"}"#, "`reason` is not a text"),
        ("nested deeply", &deep, "`branch` is not a text"),
    ];
    for (name, text, expected) in cases {
        let why = read(text).unwrap_err().to_string();
        assert!(why.contains(expected), "{name}: {why}");
    }
    let long = format!("{}{}", " ".repeat(LARGEST), with("branch", "main"));
    assert_eq!(read(&long), Err(Why::TooLong(long.len())));
}

/// What somebody might hope that some part of the way reads as more than a name.
const INJECTIONS: [&str; 30] = [
    "$(curl evil)",
    "`id`",
    "; rm -rf /",
    "main && id",
    "main\nid",
    "main\r\nphases:\n  build:\n",
    "main | sh",
    "> /etc/passwd",
    "${PLUMB_JOB}",
    "$PATH",
    "%24(id)",
    "{{resolve:ssm:/x}}",
    "!Ref X",
    "../../other",
    "/plumb/pipeline/other",
    "petshop/../other",
    "petshop/command",
    "--upload-pack=sh",
    "-c",
    "ext::sh -c id",
    "main\u{0}",
    "\u{1b}]0;x\u{7}",
    "petsh\u{43e}p",
    "ｐetshop",
    "petshop\u{200b}",
    "\u{202e}niam",
    "petshop ",
    " petshop",
    "'",
    "\"",
];

#[test]
fn an_injection_is_refused_in_each_field_and_not_repeated() {
    // In a reason slashes, dots, colons and dashes are a text's, and so these mean nothing.
    let plain =
        ["../../other", "/plumb/pipeline/other", "petshop/../other", "petshop/command", "--upload-pack=sh", "-c"];
    let plain = [&plain[..], &["ext::sh -c id", "petshop ", " petshop"]].concat();
    for field in ["project", "branch", "commit", "reason"] {
        // Another project's parameter is a branch's name as good as any.
        let harmless = |text: &str| match field {
            "branch" => text == "petshop/command",
            "reason" => plain.contains(&text),
            _ => false,
        };
        for text in INJECTIONS.into_iter().chain([&*"x".repeat(300)]).filter(|text| !harmless(text)) {
            let malformed = Message::read(&with(field, text)).unwrap_err();
            assert!(
                matches!(malformed.why, Why::Not(name, _) if name == field),
                "{field} {text:?}: {:?}",
                malformed.why
            );
            let said = malformed.why.to_string();
            // What is only letters, digits and signs that the rule itself states cannot be told apart.
            assert!(text.len() < 4 || !said.contains(text), "{said}");
            assert_eq!(malformed.project.is_some(), field != "project");
        }
    }
}

proptest! {
    #[test]
    fn whatever_comes_is_answered_and_what_passes_is_harmless(text in ".{0,200}") {
        for field in ["project", "branch", "commit", "reason"] {
            if let Ok(message) = Message::read(&with(field, &text)) {
                let harmless = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte));
                prop_assert!(harmless(&message.project) && harmless(&message.branch));
                prop_assert!(message.commit.is_none_or(|commit| commit.len() >= 40 && harmless(&commit)));
                prop_assert!(!message.branch.starts_with('-') && !message.branch.contains(".."));
                let read_by_a_shell = |letter: char| "$`;|&<>(){}'\"\\!*?~".contains(letter);
                let harmless = message.reason.is_none_or(|reason| !reason.contains(read_by_a_shell));
                prop_assert!(harmless);
            }
        }
        let _ = Message::read(&text);
    }
}
