//! The demo's assets fit together: what its commits name is there, and no secret is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("demo")
}

fn json(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(demo().join(name)).unwrap()).unwrap()
}

/// The text of a plain file of the repository.
fn plain(path: &str) -> Option<String> {
    let stored = match path {
        ".gitignore" => "gitignore",
        ".sops.yaml" => "sops.yaml",
        other => other,
    };
    std::fs::read_to_string(demo().join("petshop").join(stored)).ok()
}

fn list<'a>(commit: &'a Value, key: &str) -> &'a [Value] {
    commit.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap()
}

#[test]
fn every_commit_changes_files_that_are_there_by_then() {
    let documents = json("documents.json");
    let commits = json("commits.json");
    let commits = commits.as_array().unwrap();
    let (mut there, mut replaced) = (BTreeSet::new(), Map::new());
    for commit in commits {
        let subject = text(commit, "subject");
        for path in list(commit, "add") {
            let path = path.as_str().unwrap();
            assert!(there.insert(path), "{subject}: {path} is added twice");
            match (documents.get(path), plain(path)) {
                (Some(_), None) => {}
                (None, Some(content)) => drop(replaced.insert(path.to_owned(), content.into())),
                found => panic!("{subject}: {path} must be in one place, not {found:?}"),
            }
        }
        for change in list(commit, "set") {
            let file = text(change, "file");
            assert!(there.contains(file) && documents.get(file).is_some(), "{subject}: {file}");
            let now = documents[file].pointer(text(change, "pointer"));
            let renewed = change["value"].as_str().is_some_and(|value| value.contains("{{random "));
            assert!(renewed || now != change.get("value"), "{subject}: nothing changes in {file}");
        }
        for change in list(commit, "replace") {
            let file = text(change, "file");
            let before = replaced[file].as_str().unwrap();
            assert_eq!(before.matches(text(change, "from")).count(), 1, "{subject}: {file}");
            let after = before.replace(text(change, "from"), text(change, "to"));
            replaced.insert(file.to_owned(), after.into());
        }
    }
    let all = documents.as_object().unwrap().keys().map(String::as_str);
    assert_eq!(all.filter(|path| !there.contains(path)).collect::<Vec<_>>(), [""; 0], "documents that no commit adds");
}

#[test]
fn the_history_is_in_order_by_several_teams_and_its_last_commit_waits() {
    let commits = json("commits.json");
    let commits = commits.as_array().unwrap();
    let ages: Vec<u64> = commits.iter().map(|commit| commit["minutes_ago"].as_u64().unwrap()).collect();
    assert!(ages.is_sorted_by(|earlier, later| earlier > later), "{ages:?}");
    let teams: BTreeSet<&str> = commits.iter().map(|commit| text(commit, "author")).collect();
    assert!(commits.len() >= 6 && teams.len() >= 4 && teams.iter().all(|team| team.ends_with(" team")), "{teams:?}");
    let rolled_out: Vec<usize> =
        (0..commits.len()).filter(|index| commits[*index].get("rolled_out").is_some()).collect();
    assert_eq!(rolled_out, [commits.len() - 2]);
}

#[test]
fn a_secret_is_a_marker_until_the_demo_is_made() {
    fn leaves<'a>(path: String, value: &'a Value, found: &mut Vec<(String, &'a str)>) {
        match value {
            Value::Object(fields) => {
                fields.iter().for_each(|(key, value)| leaves(format!("{path}/{key}"), value, found));
            }
            Value::String(text) => found.push((path, text)),
            _ => {}
        }
    }
    let documents = json("documents.json");
    let mut found = Vec::new();
    leaves(String::new(), &documents, &mut found);
    let secret = ["password", "token", "key", "pepper"];
    let secrets: Vec<_> = found.iter().filter(|(path, _)| secret.iter().any(|word| path.ends_with(word))).collect();
    assert!(secrets.len() >= 20, "{secrets:?}");
    for (path, text) in secrets {
        assert!(text.contains("{{random "), "{path}");
    }
}
