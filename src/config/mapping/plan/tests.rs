use proptest::prelude::*;

use super::super::document::tests::doc;
use super::*;
use crate::config::project::Layers;

fn tree(depth: Option<usize>, parameter_type: ParameterType) -> ConfigTree {
    ConfigTree {
        files: vec!["c/{service}/{env}.json".into()],
        global: "global".into(),
        parameter: "/{service}/{layer}/{key}".into(),
        joiner: "/".into(),
        layers: Layers::Separate,
        depth,
        parameter_type,
        tier: crate::config::Tier::Standard,
        kms_key: None,
    }
}

fn bindings() -> Bindings {
    Bindings::env("dev").with(Placeholder::Service, "billing").with(Placeholder::Layer, "dev")
}

/// `name=value`, `name:json`, `name!` for what is refused.
fn shown(plan: &[Planned]) -> Vec<String> {
    let each = plan.iter().map(|each| {
        let key = each.name.strip_prefix("/billing/dev/").unwrap_or(&each.name);
        match &each.value {
            PlannedValue::Text(text) => format!("{key}={}", text.expose()),
            PlannedValue::Json(text) => format!("{key}:{}", text.expose()),
            PlannedValue::Refused(_) => format!("{key}!"),
        }
    });
    each.collect()
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn a_documents_keys_become_parameters() {
    use ParameterType::{SecureString, StringList};
    for (row, json, depth, kind, expected, problems) in [
        (
            "scalars are texts, numbers as written",
            r#"{"a":"x","b":1.50,"c":true,"d":10000000000000000000001}"#,
            None,
            SecureString,
            &["a=x", "b=1.50", "c=true", "d=10000000000000000000001"][..],
            &[][..],
        ),
        ("nested keys are joined", r#"{"db":{"pool":{"size":20}}}"#, None, SecureString, &["db/pool/size=20"], &[]),
        ("arrays are JSON", r#"{"a":[1,"x",{"b":null}]}"#, None, SecureString, &[r#"a:[1,"x",{"b":null}]"#], &[]),
        (
            "objects below the depth are JSON",
            r#"{"a":{"b":{"c":1}},"d":2}"#,
            Some(2),
            SecureString,
            &[r#"a/b:{"c":1}"#, "d=2"],
            &[],
        ),
        ("a depth of one opens nothing", r#"{"a":{"b":1}}"#, Some(1), SecureString, &[r#"a:{"b":1}"#], &[]),
        ("null is not pushed", r#"{"a":null,"b":{"c":null}}"#, None, SecureString, &[], &[]),
        ("an empty object has nothing to push", r#"{"a":{}}"#, None, SecureString, &[], &[]),
        (
            "an empty text is refused",
            r#"{"a":{"b":""}}"#,
            None,
            SecureString,
            &["a/b!"],
            &["a.b: an empty text; Parameter Store refuses it (null means: not pushed)"],
        ),
        (
            "a beside a/b",
            r#"{"a":1,"a/b":2,"c":3}"#,
            None,
            SecureString,
            &["a!", "a/b!", "c=3"],
            &[
                "a: \"a\" is a value and has keys below it",
                "a/b: \"a/b\" stands beside \"a\", which is a value already",
            ],
        ),
        (
            "a beside a/b/c",
            r#"{"a":1,"a/b":{"c":2}}"#,
            None,
            SecureString,
            &["a!", "a/b/c!"],
            &[
                "a: \"a\" is a value and has keys below it",
                "a/b.c: \"a/b/c\" stands beside \"a\", which is a value already",
            ],
        ),
        (
            "one name for two keys",
            r#"{"a":{"b":1},"a/b":2}"#,
            None,
            SecureString,
            &["a/b!"],
            &["a/b: two keys become /billing/dev/a/b"],
        ),
        (
            "a character that AWS refuses",
            r#"{"a b":1,"c":2}"#,
            None,
            SecureString,
            &["c=2"],
            &["a b: /billing/dev/a b: Parameter Store refuses ' ' in a name; allowed are a-z A-Z 0-9 _ . - /"],
        ),
        ("an empty key", r#"{"":1}"#, None, SecureString, &[], &[": /billing/dev/: a part of the name is empty"]),
        (
            "a control character is made visible",
            "{\"\\u001b[31m\":1}",
            None,
            SecureString,
            &[],
            &[
                "\u{1b}[31m: /billing/dev/\\u{1b}[31m: Parameter Store refuses '\\u{1b}' in a name; allowed are a-z A-Z 0-9 _ . - /",
            ],
        ),
        (
            "no object",
            "[1]",
            None,
            SecureString,
            &[],
            &[": the document is no object: it has no keys to take names from"],
        ),
        ("a list of texts", r#"{"a":["x",1,true],"b":"one"}"#, None, StringList, &["a=x,1,true", "b=one"], &[]),
        (
            "a list with a comma",
            r#"{"a":["x,y"]}"#,
            None,
            StringList,
            &["a!"],
            &["a: an element of a StringList cannot hold a comma"],
        ),
        (
            "a list of lists",
            r#"{"a":[[1]]}"#,
            None,
            StringList,
            &["a!"],
            &["a: a StringList can hold texts, numbers and booleans only"],
        ),
        (
            "an empty list",
            r#"{"a":[]}"#,
            None,
            StringList,
            &["a!"],
            &["a: an empty list; Parameter Store refuses it (null means: not pushed)"],
        ),
        (
            "an object as a list",
            r#"{"a":{"b":1}}"#,
            Some(1),
            StringList,
            &["a!"],
            &["a: a StringList cannot hold an object"],
        ),
    ] {
        let (plan, found) = parameters(&tree(depth, kind), &bindings(), &doc(json));
        assert_eq!(shown(&plan), expected, "{row}");
        let found: Vec<String> =
            found.iter().map(|problem| format!("{}: {}", problem.key_path.join("."), problem.why)).collect();
        assert_eq!(found, problems, "{row}");
    }
}

#[test]
fn secrets_are_whole_documents_or_keys() {
    let secret =
        |name: &str, shape| SecretFile { name: name.into(), file: "s/{env}.json".into(), shape, kms_key: None };
    let json = r#"{"stripe":"sk","db":{"user":"u","port":5432},"old":null,"empty":""}"#;
    let (plan, problems) = secrets(&secret("{env}/petshop/{key}", SecretShape::Key), &bindings(), &doc(json));
    assert_eq!(
        shown(&plan),
        ["dev/petshop/stripe=sk", r#"dev/petshop/db:{"user":"u","port":5432}"#, "dev/petshop/empty!"]
    );
    assert_eq!(problems.len(), 1);
    let (plan, problems) = secrets(&secret("{env}/petshop", SecretShape::Document), &bindings(), &doc(json));
    assert_eq!(shown(&plan), [format!("dev/petshop:{json}")]);
    assert_eq!(problems, []);
    let (plan, problems) = secrets(&secret("{env}/{key}", SecretShape::Key), &bindings(), &doc(r#"{"a b":1}"#));
    assert_eq!((plan.len(), problems.len()), (0, 1));
}

#[test]
fn a_value_too_long_for_its_store_is_refused() {
    for (store, limit) in [(Store::Parameter, 8192), (Store::Secret, 65_536)] {
        assert_eq!(value_refused(store, &Secret::new("x".repeat(limit))), None);
        assert!(value_refused(store, &Secret::new("x".repeat(limit + 1))).is_some());
    }
}

#[test]
fn a_value_too_long_for_its_tier_is_refused_by_that() {
    use crate::config::Tier::{Advanced, Standard};

    for (tier, length, refused) in [(Standard, 4096, false), (Standard, 4097, true), (Advanced, 8192, false)] {
        assert_eq!(tier_refused(tier, &Secret::new("x".repeat(length))).is_some(), refused, "{tier:?} {length}");
    }
}

#[test]
fn the_commas_of_a_ciphertext_are_not_those_of_its_text() {
    let tree = tree(None, ParameterType::StringList);
    let (plan, problems) = parameters(&tree, &bindings(), &encrypted(&doc(r#"{"a":["x","yz"],"b":{"c":3}}"#)));
    let expected = ["a=ENC[AES256_GCM,data:1],ENC[AES256_GCM,data:2]", "b/c=ENC[AES256_GCM,data:1]"];
    assert_eq!(shown(&plan), expected);
    assert_eq!(problems, []);
}

fn any_doc() -> impl Strategy<Value = DocNode> {
    let leaf = prop_oneof![
        Just(DocNode::Null),
        Just(DocNode::text("")),
        "[a,]{1,3}".prop_map(DocNode::text),
        "[1-9][0-9]{0,3}".prop_map(DocNode::number),
    ];
    let node = leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![proptest::collection::vec(inner.clone(), 0..3).prop_map(DocNode::List), map_of(inner)]
    });
    map_of(node)
}

/// Few letters and the joiner, so that collisions are likely; keys do not come twice, as in any parsed document.
fn map_of(node: impl Strategy<Value = DocNode>) -> impl Strategy<Value = DocNode> {
    proptest::collection::btree_map("[ab]|a/b|b[.]a|a/b/a|bab| |", node, 0..6)
        .prop_map(|map| DocNode::Map(map.into_iter().collect()))
}

/// What sops would make of a document: leaves become ciphertext, but `null` and the empty text stay.
fn encrypted(node: &DocNode) -> DocNode {
    match node {
        DocNode::Map(entries) => {
            DocNode::Map(entries.iter().map(|(key, node)| (key.clone(), encrypted(node))).collect())
        }
        DocNode::List(list) => DocNode::List(list.iter().map(encrypted).collect()),
        DocNode::Scalar { text, .. } if !text.expose().is_empty() => DocNode::Scalar {
            text: Secret::new(format!("ENC[AES256_GCM,data:{}]", text.chars())),
            kind: ScalarKind::Encrypted,
        },
        other => other.clone(),
    }
}

fn any_tree() -> impl Strategy<Value = ConfigTree> {
    let kinds = prop_oneof![Just(ParameterType::SecureString), Just(ParameterType::StringList)];
    (proptest::option::of(1..4_usize), kinds, prop_oneof![Just("/"), Just("."), Just("a")])
        .prop_map(|(depth, kind, joiner)| ConfigTree { joiner: joiner.into(), ..tree(depth, kind) })
}

proptest! {
    #[test]
    fn names_are_valid_and_never_equal_and_what_is_not_pushed_has_a_problem(doc in any_doc(), tree in any_tree()) {
        let (plan, problems) = parameters(&tree, &bindings(), &doc);
        let names: BTreeSet<&str> = plan.iter().map(|each| each.name.as_str()).collect();
        prop_assert_eq!(names.len(), plan.len(), "a name comes twice");
        for each in &plan {
            prop_assert_eq!(parameter_refused(&each.name), None);
            match &each.value {
                PlannedValue::Refused(why) => prop_assert!(problems.iter().any(|problem| problem.why == *why)),
                value => prop_assert!(value.secret().is_some_and(|text| !text.expose().is_empty())),
            }
        }
        let pushable = leaves(tree.depth, &doc).unwrap().iter().filter(|leaf| *leaf.node != DocNode::Null).count();
        prop_assert!(plan.len() + problems.len() >= pushable, "a key vanished");
    }

    #[test]
    fn an_encrypted_document_has_the_names_of_its_plain_one(doc in any_doc(), tree in any_tree()) {
        let names = |doc: &DocNode| parameters(&tree, &bindings(), doc).0.into_iter().map(|each| (each.name, each.key_path)).collect::<Vec<_>>();
        prop_assert_eq!(names(&doc), names(&encrypted(&doc)));
    }
}
