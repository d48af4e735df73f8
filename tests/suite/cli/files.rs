//! What is said without AWS: the map, the settings, a first project file, the policy.

use std::path::Path;

use super::shop::{Done, PROJECT, Shop};
use crate::support::account::Account;

#[test]
fn the_map_names_parameters_and_secrets_without_any_aws() {
    let shop = Shop::new();
    shop.write("config/billing/staging/config.json", "{}\n");
    shop.write("config/README.md", "what is here\n");
    shop.commit();
    let done = shop.plumb(&["map", "--env", "dev", "--output", "json"]);
    done.ended(0);
    let json = done.json();
    let dev = &json["environments"][0];
    assert_eq!(json["version"], 1);
    assert_eq!(dev["environment"], "dev");
    let names: Vec<_> =
        dev["files"].as_array().unwrap().iter().flat_map(|file| file["parameters"].as_array().unwrap()).collect();
    assert_eq!(names, ["/billing/dev/db/pool", "/billing/dev/url", "/billing/global/currency"]);
    let unmatched: Vec<_> = dev["unmatched"].as_array().unwrap().iter().map(|each| &each["file"]).collect();
    assert_eq!(unmatched, ["config/README.md", "config/billing/staging/config.json"]);
    let all = shop.plumb(&["map", "--all", "--output", "json"]).json();
    assert_eq!(all["environments"].as_array().unwrap().len(), 2);
    shop.write("docs/a.md", "a\n");
    shop.write("docs/deep/b.md", "b\n");
    shop.write("LICENSE", "c\n");
    shop.commit();
    let elsewhere = shop.plumb(&["map", "--env", "dev", "-o", "json"]).json();
    let elsewhere = elsewhere["environments"][0]["unmatched_elsewhere"].clone();
    assert_eq!(elsewhere, serde_json::json!(["LICENSE", "docs/a.md", "docs/deep/b.md"]));
    let text = shop.plumb(&["map", "--env", "dev", "--all-files"]);
    assert!(text.stdout.contains("docs/deep/b.md") && !text.stdout.contains("match nothing"), "{text}");
    let text = shop.plumb(&["map", "--env", "dev"]);
    assert!(text.stdout.contains("2 files under docs/ match nothing"), "{text}");
    assert!(text.stdout.contains("1 file at the top matches nothing"), "{text}");
    assert!(text.stdout.contains("parameter  /billing/dev/db/pool"), "{text}");
}

#[test]
fn what_cannot_be_pushed_is_a_problem_with_its_file_and_key() {
    let shop = Shop::new();
    shop.write("config/billing/dev/config.json", "{\"empty\": \"\", \"a\": 1, \"a/b\": 2}\n");
    shop.write("config/storefront/dev/config.json", "{ no json\n");
    shop.commit();
    let done = shop.plumb(&["map", "--env", "dev"]);
    done.ended(2);
    assert!(done.stdout.contains("! config/billing/dev/config.json: empty: "), "{done}");
    assert!(done.stdout.contains("! config/storefront/dev/config.json: "), "{done}");
}

#[test]
fn the_commit_s_project_file_says_what_is_compared_and_the_one_here_how_it_is_reached() {
    let account = Account::fresh();
    let stack = "[[stacks]]\nname = \"petshop-{env}\"\ntemplate = \"stack.json\"\n";
    let project = format!("{stack}[[ignore]]\nname = \"/billing/dev/url\"\n{PROJECT}");
    let project = format!("name = \"petshop\"\n{}", project.replace("name = \"petshop\"\n", ""));
    let shop = Shop::with_project(&project).at(&account);
    shop.write("stack.json", "{\"Resources\":{\"Orders\":{\"Type\":\"AWS::SQS::Queue\"}}}");
    shop.write("secrets/dev.json", "{\"token\": \"t\"}");
    shop.commit();
    let compared = || {
        let json = shop.plumb(&["status", "--env", "dev", "--all", "--detect", "never", "-o", "json"]).json();
        let items = json["items"].as_array().unwrap().clone();
        let names: Vec<_> = items.iter().map(|item| (item["name"].clone(), item["verdict"].clone())).collect();
        (names, json["units"].clone(), json["notes"].clone())
    };
    let map = |more: &[&str]| {
        shop.plumb(&[&["map", "--env", "dev", "-o", "json"], more].concat()).json()["environments"][0].clone()
    };
    let policy = || shop.plumb(&["policy", "read", "--env", "dev"]);
    let before = (compared(), map(&[]), policy().stdout);
    assert_eq!(before.0.2, serde_json::json!([]));
    assert!(before.0.0.contains(&("/billing/dev/url".into(), "ignored".into())), "{:?}", before.0.0);

    // Everything that is compared is edited, and nothing of it committed.
    let edited = project
        .replace("petshop-{env}", "other-{env}")
        .replace("/billing/dev/url", "/billing/dev/db/pool")
        .replace("{env}/petshop/{key}", "{env}/other/{key}")
        .replace("type = \"String\"", "type = \"String\"\nparameter = \"/other/{service}/{layer}/{key}\"");
    assert_ne!(edited, project);
    shop.write("plumb.toml", &edited);
    let told = "plumb.toml here says something else than in HEAD, which says what is compared; \
                --ref WORKTREE compares what is here";
    let (names, units, notes) = compared();
    assert_eq!((names, units), (before.0.0, before.0.1));
    assert_eq!(notes, serde_json::json!([told]));
    assert_eq!(map(&[])["files"], before.1["files"]);
    assert_eq!(map(&[])["stacks"], before.1["stacks"]);
    assert_eq!(map(&[])["notes"], serde_json::json!([told]));
    assert_eq!(policy().stdout, before.2);
    policy().complained(&[told]);
    let text = shop.plumb(&["status", "--env", "dev", "--detect", "never"]);
    assert!(text.stdout.contains(&format!("  i {told}\n")), "{text}");
    let there = map(&["--ref", "WORKTREE"]);
    assert_eq!(there["stacks"][0]["name"], "other-dev");
    assert_eq!(there["notes"], serde_json::json!([]));

    // How AWS is reached is read here, and that is told.
    shop.write("plumb.toml", &project.replace("[environments.dev]", "[environments.dev]\nprotection = \"confirm\""));
    let notes = map(&[])["notes"].as_array().unwrap().clone();
    assert_eq!(notes.len(), 1);
    assert!(notes[0].as_str().unwrap().contains("the one here is in use"), "{notes:?}");
    shop.git(&["rm", "-q", "--cached", "plumb.toml"]);
    shop.git(&["commit", "-q", "-m", "Forget"]);
    assert_eq!(map(&[])["notes"], serde_json::json!(["plumb.toml is not in HEAD: the one here is in use"]));
}

#[test]
fn a_project_file_by_another_name_is_the_commit_s_by_that_name() {
    let shop = Shop::new();
    shop.write(
        "other.toml",
        &PROJECT.replace("files = \"config/", "parameter = \"/other/{service}/{layer}/{key}\"\nfiles = \"config/"),
    );
    shop.commit();
    let done = shop.plumb(&["map", "--env", "dev", "--project", "other.toml"]);
    assert!(done.ended(0).stdout.contains("/other/billing/dev/url"), "{done}");
}

#[test]
fn each_setting_says_where_it_is_from() {
    let shop = Shop::new();
    let mut command = shop.command(&["config", "sources", "--env", "dev", "--output", "json"]);
    let done = Done::of(&command.env("AWS_REGION", "eu-west-3").env("NO_COLOR", "1").output().unwrap());
    done.ended(0);
    let json = done.json();
    let source = |key: &str| {
        let all = json["sources"].as_array().unwrap();
        let found = all.iter().find(|line| line["key"] == key).unwrap_or_else(|| panic!("{key} in {json:#}"));
        (found["value"].as_str().unwrap().to_owned(), found["origin"].as_str().unwrap().to_owned())
    };
    assert_eq!(source("environment"), ("dev".into(), "flag --env".into()));
    assert_eq!(source("region"), ("eu-west-3".into(), "environment AWS_REGION".into()));
    assert_eq!(source("color").1, "environment NO_COLOR");
    assert_eq!(source("name"), ("petshop".into(), "plumb.toml:1".into()));
}

#[test]
fn a_first_project_file_is_guessed_once_and_never_overwritten() {
    let shop = Shop::empty();
    shop.write("config/billing/dev/config.json", "{\"a\": 1}\n");
    for file in ["billing/prod", "storefront/dev", "storefront/prod"] {
        shop.write(&format!("config/{file}/config.json"), "{\"a\": 1}\n");
    }
    shop.commit();
    let done = shop.plumb(&["init", "--minimal"]);
    done.ended(0).complained(&["wrote ", "plumb.toml"]);
    let written = std::fs::read_to_string(shop.root().join("plumb.toml")).unwrap();
    assert_eq!(done.stdout, written);
    assert!(written.contains("config/{service}/{env}/config.json"), "{written}");
    shop.plumb(&["map", "--all"]).ended(0);

    shop.write("plumb.toml", PROJECT);
    let done = shop.plumb(&["init", "--minimal", "."]);
    done.ended(2).complained(&["is there already and was not touched"]);
    assert!(done.stdout.contains("\n-[[secrets]]") && done.stdout.contains("\n+# Guessed by"), "{done}");
    assert_eq!(std::fs::read_to_string(shop.root().join("plumb.toml")).unwrap(), PROJECT);

    let nowhere = tempfile::tempdir().unwrap();
    let path = nowhere.path().to_str().unwrap();
    shop.plumb(&["init", "--minimal", path]).ended(2).complained(&[path, "try: "]);
    assert!(!Path::new(path).join("plumb.toml").exists());
}

#[test]
fn the_policy_is_json_that_iam_takes_and_grows_only_by_what_writing_needs() {
    let shop = Shop::with_project(
        &PROJECT
            .replace("[environments.dev]", "[environments.dev]\naccount = \"471100004201\"\nregion = \"eu-central-1\""),
    );
    let actions = |need: &str, env: &str| {
        let done = shop.plumb(&["policy", need, "--env", env]);
        done.ended(0);
        let json = done.json();
        assert_eq!(json["Version"], "2012-10-17");
        let statements = json["Statement"].as_array().unwrap().clone();
        for statement in &statements {
            assert_eq!(statement["Effect"], "Allow");
            assert!(statement["Sid"].as_str().unwrap().chars().all(|char| char.is_ascii_alphanumeric()), "{statement}");
            assert!(!statement["Resource"].as_array().is_some_and(Vec::is_empty), "{statement}");
        }
        (done, statements)
    };
    let (read, statements) = actions("read", "dev");
    read.complained(&["this is for the environment dev alone"]);
    assert_eq!(shop.plumb(&["policy", "read", "--env", "dev", "--output", "json"]).stdout, read.stdout);
    assert!(!read.stdout.contains("Put") && !read.stdout.contains("Create"), "{read}");
    assert!(!read.stdout.contains("{env}") && !read.stdout.contains("{account}"), "{read}");
    let parameters = statements.iter().find(|one| one["Sid"] == "PlumbReadParameters").unwrap();
    assert_eq!(
        parameters["Resource"],
        serde_json::json!([
            "arn:aws:ssm:eu-central-1:471100004201:parameter/billing/dev/*",
            "arn:aws:ssm:eu-central-1:471100004201:parameter/billing/global/*",
            "arn:aws:ssm:eu-central-1:471100004201:parameter/plumb/petshop/dev/hold*"
        ])
    );
    let (write, more) = actions("write", "dev");
    assert!(more.len() > statements.len() && write.stdout.contains("ssm:PutParameter"), "{write}");
    actions("read", "prod").0.complained(&["note: no account is configured"]);
}
