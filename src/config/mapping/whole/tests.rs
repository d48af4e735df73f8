use proptest::prelude::*;

use super::super::document::tests::doc;
use super::super::files::sort_files;
use super::*;
use crate::config::parse_project;

fn mapped(project: &str, env: &str, files: &[(&str, Option<&str>)]) -> Mapped {
    let project = parse_project("plumb.toml", project).unwrap().0;
    let docs: BTreeMap<&str, DocNode> = files.iter().filter_map(|(file, text)| Some((*file, doc((*text)?)))).collect();
    let names: Vec<&str> = files.iter().map(|(file, _)| *file).collect();
    let sorted = sort_files(&project, env, &names);
    map(&project, &sorted, |file| docs.get(file))
}

/// `name=value from file`.
fn shown(mapped: &Mapped) -> Vec<String> {
    let each = mapped.parameters.iter().map(|each| {
        let value = each.value.secret().map_or("!", |text| text.expose());
        format!("{}={value} from {}", each.name, each.file)
    });
    each.collect()
}

fn problems(mapped: &Mapped) -> Vec<String> {
    mapped.problems.iter().map(|each| format!("{}: {}: {}", each.file, each.key, each.why)).collect()
}

const SEPARATE: &str = "name = \"p\"\n[[config]]\nfiles = [\"c/{service}/{env}.json\", \"c/{service}/{env}.more.json\"]\n[environments.dev]\n[environments.qa]\n";

fn merged() -> String {
    SEPARATE.replace("[environments.dev]", "layers = \"merged\"\n[environments.dev]")
}

#[test]
fn separate_layers_are_parameters_of_their_own() {
    let files = [
        ("c/billing/dev.json", Some(r#"{"db":{"pool":2}}"#)),
        ("c/billing/global.json", Some(r#"{"db":{"pool":1}}"#)),
        ("c/billing/qa.json", Some(r#"{"db":{"pool":3}}"#)),
        ("c/store/dev.json", None),
    ];
    let mapped = mapped(SEPARATE, "dev", &files);
    assert_eq!(
        shown(&mapped),
        ["/billing/dev/db/pool=2 from c/billing/dev.json", "/billing/global/db/pool=1 from c/billing/global.json"]
    );
    assert_eq!(mapped.problems, []);
    assert_eq!((mapped.parameters[1].layer.as_str(), mapped.parameters[1].service.as_str()), ("global", "billing"));
}

#[test]
fn merged_layers_are_one_parameter_and_the_environment_wins() {
    let global = r#"{"a":1,"b":{"x":1,"y":1},"c":1,"d":{"x":1},"gone":1,"list":[1]}"#;
    let own = r#"{"b":{"x":2},"c":{"z":2},"d":2,"gone":null,"list":[2],"new":2}"#;
    let files = [("c/billing/dev.json", Some(own)), ("c/billing/global.json", Some(global))];
    let mapped = mapped(&merged(), "dev", &files);
    let mut found = shown(&mapped);
    found.sort();
    assert_eq!(
        found,
        [
            "/billing/dev/a=1 from c/billing/global.json",
            "/billing/dev/b/x=2 from c/billing/dev.json",
            "/billing/dev/b/y=1 from c/billing/global.json",
            "/billing/dev/c/z=2 from c/billing/dev.json",
            "/billing/dev/d=2 from c/billing/dev.json",
            "/billing/dev/list=[2] from c/billing/dev.json",
            "/billing/dev/new=2 from c/billing/dev.json",
        ]
    );
    assert_eq!(mapped.problems, []);
}

#[test]
fn merged_layers_wait_for_all_their_documents() {
    let files = [
        ("c/billing/dev.json", None),
        ("c/billing/global.json", Some(r#"{"a":1}"#)),
        ("c/store/dev.json", Some(r#"{"a":1}"#)),
    ];
    let mapped = mapped(&merged(), "dev", &files);
    assert_eq!(shown(&mapped), ["/store/dev/a=1 from c/store/dev.json"]);
    assert_eq!(
        problems(&mapped),
        [
            "c/billing/dev.json: : could not be read; without it nobody knows which layer's values win, so the service is left out"
        ]
    );
}

#[test]
fn a_key_in_two_documents_of_one_layer_is_refused() {
    for project in [SEPARATE.to_owned(), merged()] {
        let files = [
            ("c/billing/dev.json", Some(r#"{"a":1,"b":{"x":1}}"#)),
            ("c/billing/dev.more.json", Some(r#"{"a":2,"b":3,"c":4}"#)),
        ];
        let mapped = mapped(&project, "dev", &files);
        assert_eq!(
            shown(&mapped),
            [
                "/billing/dev/a=! from c/billing/dev.json",
                "/billing/dev/b/x=! from c/billing/dev.json",
                "/billing/dev/b=! from c/billing/dev.more.json",
                "/billing/dev/c=4 from c/billing/dev.more.json",
            ]
        );
        assert_eq!(mapped.problems.len(), 3);
    }
}

#[test]
fn a_name_in_two_trees_is_refused() {
    let project = "name = \"p\"\n[[config]]\nfiles = \"c/{env}.json\"\nparameter = \"/{layer}/{key}\"\n[[config]]\nfiles = \"d/{env}.json\"\nparameter = \"/{layer}/{key}\"\n[environments.dev]\n";
    let mapped = mapped(project, "dev", &[("c/dev.json", Some(r#"{"a":1}"#)), ("d/dev.json", Some(r#"{"a":1}"#))]);
    assert_eq!(shown(&mapped), ["/dev/a=! from c/dev.json"]);
    assert_eq!(problems(&mapped), ["d/dev.json: a: /dev/a comes from c/dev.json too"]);
}

#[test]
fn secrets_come_from_the_environments_file() {
    let project = "name = \"p\"\n[[secrets]]\nname = \"{env}/p/{key}\"\nfile = \"s/{env}.json\"\nshape = \"key\"\n[[secrets]]\nname = \"{env}/p/{key}\"\nfile = \"t.json\"\nshape = \"key\"\n[environments.dev]\n[environments.qa]\n";
    let files = [
        ("s/dev.json", Some(r#"{"a":"x","b":"y"}"#)),
        ("s/qa.json", Some(r#"{"a":"z"}"#)),
        ("t.json", Some(r#"{"b":"y"}"#)),
    ];
    let mapped = mapped(project, "dev", &files);
    let found: Vec<_> = mapped
        .secrets
        .iter()
        .map(|each| (each.name.as_str(), each.file.as_str(), each.value.secret().is_some()))
        .collect();
    assert_eq!(found, [("dev/p/a", "s/dev.json", true), ("dev/p/b", "s/dev.json", false)]);
    assert_eq!(problems(&mapped), ["t.json: b: dev/p/b comes from s/dev.json too"]);
}

/// A small document in which keys of two files meet often.
fn small() -> impl Strategy<Value = String> {
    let value =
        prop_oneof![Just("1"), Just("null"), Just("\"\""), Just("{\"a\":1}"), Just("{\"b\":{\"a\":2}}"), Just("[1]")];
    proptest::collection::btree_map("[ab]|a/b", value, 0..4).prop_map(|map| {
        let entries: Vec<String> = map.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
        format!("{{{}}}", entries.join(","))
    })
}

proptest! {
    #[test]
    fn no_name_comes_twice_and_what_is_refused_has_a_problem(
        documents in proptest::collection::vec(small(), 4), merge in any::<bool>(), depth in 1..4_usize,
    ) {
        let project = if merge { merged() } else { SEPARATE.to_owned() };
        let project = project.replacen("[environments", &format!("depth = {depth}\n[environments"), 1);
        let names = ["c/s/dev.json", "c/s/dev.more.json", "c/s/global.json", "c/t/dev.json"];
        let files: Vec<_> = names.iter().zip(&documents).map(|(name, text)| (*name, Some(text.as_str()))).collect();
        let mapped = mapped(&project, "dev", &files);
        let mut seen = std::collections::BTreeSet::new();
        for each in &mapped.parameters {
            prop_assert!(seen.insert(&each.name), "{} comes twice", each.name);
            prop_assert_eq!(each.service.as_str(), each.name.split('/').nth(1).unwrap());
            prop_assert!(files.iter().any(|(file, _)| *file == each.file));
            if each.value.secret().is_none() {
                prop_assert!(!mapped.problems.is_empty());
            }
        }
    }
}
