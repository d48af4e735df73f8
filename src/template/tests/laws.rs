use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::scope;
use crate::template::{Template, flatten, same};

/// Any JSON, with functions and their names more often than chance would have them.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[ -~äß🧪\n]{0,12}".prop_map(Value::from),
        prop_oneof![
            Just("${Env}-${Q.Arn}"),
            Just("${!x}${"),
            Just("Env"),
            Just("Key"),
            Just("Q"),
            Just("C"),
            Just("M"),
            Just("yes"),
            Just("0755"),
            Just("1:30"),
            Just("~"),
            Just("<<"),
            Just("{{resolve:ssm:/a}}"),
            Just("AWS::NoValue"),
            Just("- a: b #")
        ]
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 4, |inner| {
        let function = prop_oneof![
            Just("Ref"),
            Just("Condition"),
            Just("Fn::GetAtt"),
            Just("Fn::Sub"),
            Just("Fn::Join"),
            Just("Fn::If"),
            Just("Fn::Select"),
            Just("Fn::Split"),
            Just("Fn::Base64"),
            Just("Fn::FindInMap"),
            Just("Fn::Equals"),
            Just("Fn::And"),
            Just("Fn::Not"),
            Just("Fn::ImportValue"),
            Just("Fn::Length"),
            Just("Fn::Transform"),
            Just("Fn::ForEach::X"),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec(("[a-zA-Z.\"äß: <~#-]{0,6}", inner.clone()), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect::<Map<_, _>>())),
            (function, inner).prop_map(|(name, argument)| json!({ name: argument })),
        ]
    })
}

/// A template of which every part may be anything.
fn any_template() -> impl Strategy<Value = Value> {
    (any_value(), any_value(), any_value(), any_value()).prop_map(|(property, condition, map, other)| {
        json!({
            "Parameters": {"Env": {"Type": "String"}, "Key": {"Type": "String", "NoEcho": true}},
            "Mappings": {"M": map},
            "Conditions": {"C": condition, "D": {"Fn::Not": [{"Condition": "C"}]}},
            "Resources": {
                "T": {"Type": "AWS::SNS::Topic", "Condition": "C", "Properties": {"P": property, "O": other}},
                "Q": {"Type": "Custom::Queue", "Properties": {"O": other}},
            },
        })
    })
}

fn parse(text: &str) -> Result<Template, TestCaseError> {
    Template::parse("t", text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))
}

/// Writes YAML in the block style, functions by their short tags where YAML allows that.
fn yaml(value: &Value, indent: usize, out: &mut String) {
    let pad = "  ".repeat(indent);
    match value {
        Value::Object(map) if map.is_empty() => out.push_str(" {}\n"),
        Value::Array(items) if items.is_empty() => out.push_str(" []\n"),
        Value::Object(map) => {
            if let Some((tag, argument)) = tag(map) {
                out.extend([" !", tag]);
                return yaml(argument, indent, out);
            }
            out.push('\n');
            for (key, value) in map {
                out.extend([&pad, &Value::from(key.as_str()).to_string(), ":"]);
                yaml(value, indent + 1, out);
            }
        }
        Value::Array(items) => {
            out.push('\n');
            for item in items {
                out.extend([&pad, "-"]);
                yaml(item, indent + 1, out);
            }
        }
        scalar => out.extend([" ", &scalar.to_string(), "\n"]),
    }
}

fn tag(map: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (name, argument) = map.iter().next().filter(|_| map.len() == 1)?;
    let short = match name.as_str() {
        "Ref" | "Condition" => name,
        name => name.strip_prefix("Fn::").filter(|name| !name.contains(':'))?,
    };
    // One node has one tag, and a tagged scalar is a text.
    let fits = match argument {
        Value::Object(inner) => tag(inner).is_none(),
        argument => argument.is_string() || argument.is_array(),
    };
    fits.then_some((short, argument))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn json_and_yaml_spell_the_same_template(value in any_template()) {
        let from_json = parse(&value.to_string())?;
        let mut text = String::new();
        yaml(&value, 0, &mut text);
        let from_yaml = parse(&text)?;
        prop_assert_eq!(from_json.value(), from_yaml.value(), "{}", text);
        prop_assert_eq!(from_json.asks("T", "P", &scope("dev")), from_yaml.asks("T", "P", &scope("dev")));
    }

    #[test]
    fn resolving_anything_ends_without_a_panic(value in any_template(), fragment in any_value()) {
        let template = parse(&value.to_string())?;
        let scope = scope("dev");
        let resolved = template.resolve(&fragment, &scope);
        prop_assert_eq!(&resolved, &template.resolve(&fragment, &scope));
        let _ = (template.present("T", &scope), template.asks("T", "P", &scope), template.asks("T", "P.a.b", &scope));
        let _ = (template.references("Q"), template.references("C"));
    }

    #[test]
    fn parsing_anything_ends_without_a_panic(text in "[ -~\n\tä&*!{}\\[\\]:,]{0,80}") {
        let _ = Template::parse("t", &text);
        let _ = Template::parse("t", &format!("{{{text}"));
    }

    #[test]
    fn a_known_value_is_what_it_resolves_to_again(fragment in any_value()) {
        let template = parse(r#"{"Resources": {}}"#)?;
        if let crate::template::Resolved::Value(value) = template.resolve(&fragment, &scope("dev")) {
            prop_assert_eq!(template.resolve(&value, &scope("dev")), crate::template::Resolved::Value(value.clone()));
        }
    }

    #[test]
    fn everything_is_the_same_as_itself_and_both_ways_round(a in any_value(), b in any_value()) {
        prop_assert!(same(&a, &a));
        prop_assert_eq!(same(&a, &b), same(&b, &a));
        prop_assert_eq!(same(&json!([a]), &json!([b])), same(&a, &b));
    }

    #[test]
    fn rows_have_paths_of_their_own_and_tell_values_apart(a in any_value(), b in any_value()) {
        let (rows_a, rows_b) = (flatten(&a), flatten(&b));
        let mut paths: Vec<&String> = rows_a.iter().map(|(path, _)| path).collect();
        paths.sort();
        paths.dedup();
        prop_assert_eq!(paths.len(), rows_a.len());
        let sorted = |mut rows: Vec<(String, Value)>| { rows.sort_by(|x, y| x.0.cmp(&y.0)); rows };
        prop_assert_eq!(sorted(rows_a) == sorted(rows_b), a == b);
    }
}
