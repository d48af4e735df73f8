use serde_json::{Value, json};

use super::{CDK, SAM, SHOP, json_of, property, template, with_property};
use crate::template::{Error, Template, Transform};

#[test]
fn a_property_is_read_as_cloudformation_reads_it() {
    let number = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let written = |text: &str| json!({"Plumb::AsWritten": text});
    let rows: &[(&str, &str, Value)] = &[
        ("Ref", "!Ref Queue", json!({"Ref": "Queue"})),
        ("Ref of a number is of a name", "!Ref 12", json!({"Ref": "12"})),
        (
            "GetAtt splits at the first dot",
            "!GetAtt Nested.Outputs.Url",
            json!({"Fn::GetAtt": ["Nested", "Outputs.Url"]}),
        ),
        ("GetAtt as a list", "!GetAtt [Queue, Arn]", json!({"Fn::GetAtt": ["Queue", "Arn"]})),
        ("GetAtt in the long form with a dot", "{Fn::GetAtt: Queue.Arn}", json!({"Fn::GetAtt": ["Queue", "Arn"]})),
        ("Sub of a text", "!Sub 'a-${B}'", json!({"Fn::Sub": "a-${B}"})),
        ("Sub of a list", "!Sub ['${A}', {A: 1}]", json!({"Fn::Sub": ["${A}", {"A": 1}]})),
        ("Join", "!Join ['-', [a, !Ref B]]", json!({"Fn::Join": ["-", ["a", {"Ref": "B"}]]})),
        ("If", "!If [C, 1, !Ref AWS::NoValue]", json!({"Fn::If": ["C", 1, {"Ref": "AWS::NoValue"}]})),
        (
            "And, Or, Not, Equals, Condition",
            "!And [!Or [!Condition A, !Not [!Condition B]], !Equals [a, b]]",
            json!({"Fn::And": [{"Fn::Or": [{"Condition": "A"}, {"Fn::Not": [{"Condition": "B"}]}]}, {"Fn::Equals": ["a", "b"]}]}),
        ),
        ("FindInMap", "!FindInMap [M, a, b]", json!({"Fn::FindInMap": ["M", "a", "b"]})),
        (
            "Select of Split",
            "!Select [1, !Split [',', 'a,b']]",
            json!({"Fn::Select": [1, {"Fn::Split": [",", "a,b"]}]}),
        ),
        ("Base64", "!Base64 abc", json!({"Fn::Base64": "abc"})),
        ("ImportValue", "!ImportValue other-queue", json!({"Fn::ImportValue": "other-queue"})),
        ("Cidr", "!Cidr [10.0.0.0/16, 2, 8]", json!({"Fn::Cidr": ["10.0.0.0/16", 2, 8]})),
        ("GetAZs of here", "!GetAZs ''", json!({"Fn::GetAZs": ""})),
        ("Transform", "!Transform {Name: M}", json!({"Fn::Transform": {"Name": "M"}})),
        ("Length", "!Length [a]", json!({"Fn::Length": ["a"]})),
        ("ToJsonString", "!ToJsonString {a: 1}", json!({"Fn::ToJsonString": {"a": 1}})),
        ("yes is true", "yes", json!(true)),
        ("Off is false", "Off", json!(false)),
        ("y is a text", "y", json!("y")),
        ("a quoted yes is a text", "'yes'", json!("yes")),
        ("!!str keeps a text", "!!str 512", json!("512")),
        ("!!int is a number", "!!int 512", json!(512)),
        ("nothing is null", "~", Value::Null),
        ("a date is a text", "2012-10-17", json!("2012-10-17")),
        ("an address is a text", "10.0.0.1", json!("10.0.0.1")),
        ("a number", "-512", json!(-512)),
        ("a decimal stays as written", "1.10", number("1.10")),
        ("a leading zero is uncertain", "0755", written("0755")),
        ("an account with a leading zero is uncertain", "012345678901", written("012345678901")),
        ("an account is uncertain unless quoted", "471100004242", written("471100004242")),
        ("a time is uncertain", "22:30", written("22:30")),
        ("a commit that looks like an exponent is uncertain", "1234e56", written("1234e56")),
        ("thousands with underscores are uncertain", "1_000", written("1_000")),
        ("hexadecimal is uncertain", "0x1F", written("0x1F")),
        ("infinity is uncertain", "-.inf", written("-.inf")),
        ("a commit that is no number is a text", "12ab34", json!("12ab34")),
        ("a folded text", ">-\n        a\n        b", json!("a b")),
        ("a literal text", "|\n        a\n          b\n", json!("a\n  b\n")),
        ("a literal text behind a tag", "!Sub |\n        a ${B}\n", json!({"Fn::Sub": "a ${B}\n"})),
        ("a key that is a number", "{200: ok}", json!({"200": "ok"})),
    ];
    for (name, yaml, expected) in rows {
        assert_eq!(property(&with_property(yaml)), *expected, "{name}");
    }
}

#[test]
fn anchors_and_merge_keys_are_expanded() {
    let template = template(
        "X: &base {a: 1, b: 2}\nY: &more {b: 3, c: 4}\nResources:\n  T:\n    Type: AWS::SNS::Topic\n    Properties:\n      \
         P: {<<: [*base, *more], a: own}\n",
    );
    assert_eq!(property(&template), json!({"a": "own", "b": 2, "c": 4}));
}

#[test]
fn carriage_returns_do_not_change_a_text() {
    let unix = "Resources:\n  T:\n    Type: A::B::C\n    Properties:\n      P: |\n        a\n        b\n";
    assert_eq!(property(&template(&unix.replace('\n', "\r\n"))), property(&template(unix)));
    assert_eq!(property(&template(&format!("\u{feff}{unix}"))), json!("a\nb\n"));
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let resources = "Resources:\n  T:\n    Type: A::B::C\n";
    let rows: &[(&str, String, &str)] = &[
        ("text that is neither", "a: [1,\nb".to_owned(), "t.yaml:2:"),
        ("a tab for indentation", "Resources:\n\tT: 1\n".to_owned(), "t.yaml:2:"),
        (
            "a key twice in YAML",
            format!("{resources}  T:\n    Type: A::B::C\n"),
            "t.yaml:4: the key `T` is already on line 2",
        ),
        (
            "a key twice in JSON",
            "{\"Resources\": {\"T\": 1,\n\"T\": 2}}".to_owned(),
            "t.yaml:2: the key `T` is already on line 1",
        ),
        ("broken JSON", "{\n \"a\" 1}".to_owned(), "t.yaml:2:6: not JSON: `:` is expected after a key"),
        ("JSON cut off", "{\"a\": \"b".to_owned(), "t.yaml:1:7: not JSON: a text without its closing quote"),
        (
            "an unknown tag",
            format!("{resources}    Properties: {{A: !Rain::Embed x}}\n"),
            "t.yaml:4: CloudFormation has no tag `!Rain::Embed`",
        ),
        ("an empty file", String::new(), "t.yaml:1: not a template: the file is empty"),
        ("a list", "- a\n".to_owned(), "t.yaml:1: not a template: it is no mapping"),
        ("a plain document", "a: 1\n".to_owned(), "t.yaml:1: not a template: it has no `Resources`"),
        (
            "a resource without a type",
            "Resources:\n  T:\n    Properties: {}\n".to_owned(),
            "t.yaml:2: not a template: the resource `T` has no `Type`",
        ),
        ("two documents", format!("{resources}---\na: 1\n"), "t.yaml:4: not a template: a second document begins here"),
        ("a merge of a text", "a: {<<: b}\n".to_owned(), "t.yaml:1: not a template: `<<` merges mappings only"),
        (
            "a list as a key",
            "? [a]\n: b\n".to_owned(),
            "t.yaml:1: not a template: a list or mapping stands where a key should be",
        ),
        (
            "an alias within itself",
            "a: &a [*a]\n".to_owned(),
            "t.yaml:1: not a template: an alias inside of what it stands for",
        ),
        ("an endless nest", format!("a: {}", "[".repeat(300)), "t.yaml:1:"),
        ("an endless nest in JSON", format!("{{\"a\": {}", "[".repeat(300)), "t.yaml:1:"),
    ];
    for (name, text, expected) in rows {
        let message = Template::parse("t.yaml", text).map_or_else(|error| error.to_string(), |_| "parsed".to_owned());
        assert!(message.starts_with(expected), "{name}: {message}");
    }
}

#[test]
fn a_bomb_of_aliases_is_refused() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let alias = format!("*a{}", level - 1);
        text.extend([format!("a{level}: &a{level} [{}]\n", [alias.as_str(); 10].join(", "))]);
    }
    assert!(matches!(Template::parse("t.yaml", &text), Err(Error::Shape { .. })));
}

#[test]
fn the_shop_has_its_parts_with_their_lines() {
    let shop = template(SHOP);
    assert_eq!(shop.resources().len(), 18);
    assert_eq!(shop.parameters().len(), 6);
    assert_eq!(shop.transform(), &Transform::None);
    assert_eq!(shop.expanded_by_aws(), None);
    assert!(!shop.is_cdk());
    for resource in shop.resources() {
        let line = SHOP.lines().nth(resource.line - 1).unwrap();
        assert_eq!(line.trim_end_matches(':').trim(), resource.logical_id);
    }
    let table = shop.resource("OrdersTable").unwrap();
    assert_eq!(table.deletion_policy, Some(json!("Retain")));
    assert_eq!(shop.resource("CheckoutFn").unwrap().depends_on, ["Stripe"]);
    assert_eq!(shop.resource("Nightly").unwrap().condition.as_deref(), Some("IsProd"));
    let key = shop.parameter("StripeKey").unwrap();
    assert!(key.no_echo && !format!("{key:?} {shop:?}").contains("not-set"));
    assert_eq!(shop.outputs()[0].export, Some(json!({"Fn::Sub": "${AWS::StackName}-queue"})));
    let role = &shop.resource("CheckoutRole").unwrap().properties;
    assert_eq!(role.pointer("/AssumeRolePolicyDocument/Version"), Some(&json!("2012-10-17")));
}

#[test]
fn the_shop_in_json_is_the_same_template() {
    let shop = template(SHOP);
    let again = template(&serde_json::to_string_pretty(&json_of(&shop)).unwrap());
    assert_eq!(json_of(&again), json_of(&shop));
}

#[test]
fn sam_says_that_aws_expands_it() {
    let sam = template(SAM);
    assert_eq!(sam.transform(), &Transform::Sam);
    assert!(sam.expanded_by_aws().unwrap().contains("AWS::Serverless-2016-10-31"));
}

#[test]
fn a_loop_or_include_says_that_aws_expands_it() {
    let looped = "Transform: AWS::LanguageExtensions\nResources:\n  Fn::ForEach::Q:\n    - N\n    - [a]\n    - 'Q${N}': {Type: A::B::C}\n";
    assert!(template(looped).expanded_by_aws().unwrap().contains("Fn::ForEach::Q"));
    assert!(template(looped).present("Qa", &super::scope("dev")).is_err());
    assert!(with_property("!Transform {Name: 'AWS::Include'}").expanded_by_aws().unwrap().contains("AWS::Include"));
    let extended = "Transform: [AWS::LanguageExtensions]\nResources: {T: {Type: A::B::C}}\n";
    assert_eq!(template(extended).expanded_by_aws(), None);
}

#[test]
fn cdk_is_known_by_its_metadata() {
    let cdk = template(CDK);
    assert!(cdk.is_cdk());
    let worker = cdk.resource("Worker9B0E").unwrap();
    assert_eq!(worker.cdk_path.as_deref(), Some("Shop/Worker/Resource"));
    assert_eq!(worker.properties.pointer("/Environment/Variables/EMOJI"), Some(&json!("\u{1f9ea}")));
    assert!(worker.properties.get("aws:asset:path").is_none());
    assert_eq!(CDK.lines().nth(worker.line - 1).unwrap().trim(), "\"Worker9B0E\": {");
    assert_eq!(cdk.present("CDKMetadata", &super::scope("dev")), Ok(true));
}
