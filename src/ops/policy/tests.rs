use super::*;
use crate::config::{Environ, Flags, parse_project, settle};

fn settings(text: &str, env: &str) -> Settings {
    let flags = Flags { env: Some(env.to_owned()), ..Flags::default() };
    settle(&flags, &Environ::default(), None, Some(parse_project("plumb.toml", text).unwrap())).unwrap()
}

const PROJECT: &str = "name = \"p\"\n[state]\nbucket = \"p-{account}-{region}\"\n[[config]]\nfiles = \"c/{service}/{env}.json\"\n\
    [[secrets]]\nname = \"{env}/p/{key}\"\nfile = \"s/{env}.json\"\nshape = \"key\"\n[[stacks]]\nname = \"p-{env}\"\n\
    template = \"t.yaml\"\n[environments.dev]\nregion = \"eu-central-1\"\naccount = \"471100004201\"\n[environments.qa]\n";

fn repository(files: &[(&str, &str)]) -> tempfile::TempDir {
    let tmp = tempfile::tempdir().unwrap();
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
        let run = std::process::Command::new("git").current_dir(tmp.path()).args(identity).args(arguments).output();
        assert!(run.unwrap().status.success(), "{arguments:?}");
    };
    git(&["init", "-q", "-b", "main"]);
    for (name, text) in files {
        let path = tmp.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "Files"]);
    tmp
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(all) => all.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn resources_are_those_of_the_environment() {
    let nowhere = tempfile::tempdir().unwrap();
    let policy = policy(&settings(PROJECT, "dev"), nowhere.path(), Need::Read);
    let statements = policy.document["Statement"].as_array().unwrap();
    let all: Vec<String> = statements.iter().flat_map(|statement| texts(&statement["Resource"])).collect();
    for expected in [
        "arn:aws:ssm:eu-central-1:471100004201:parameter/*/dev/*",
        "arn:aws:ssm:eu-central-1:471100004201:parameter/*/global/*",
        "arn:aws:secretsmanager:eu-central-1:471100004201:secret:dev/p/*",
        "arn:aws:cloudformation:eu-central-1:471100004201:stack/p-dev/*",
        "arn:aws:lambda:eu-central-1:471100004201:function:p-dev-*",
        "arn:aws:s3:::p-471100004201-eu-central-1",
        "arn:aws:s3:::p-471100004201-eu-central-1/plumb/p/dev/*",
    ] {
        assert!(all.contains(&expected.to_owned()), "{expected} in {all:#?}");
    }
    assert!(policy.notes.iter().any(|note| note.starts_with("git could not be read")), "{:?}", policy.notes);
}

#[test]
fn the_intake_is_a_part_of_it_where_the_project_has_one() {
    let nowhere = tempfile::tempdir().unwrap();
    let with = PROJECT.replace("[environments.dev]", "[intake]\nstack = \"P-intake-{env}\"\n[environments.dev]");
    let resources = |text: &str, need| {
        let policy = policy(&settings(text, "dev"), nowhere.path(), need);
        let statements = policy.document["Statement"].as_array().unwrap().clone();
        statements.iter().flat_map(|statement| texts(&statement["Resource"])).collect::<BTreeSet<String>>()
    };
    let own = |need| resources(&with, need).difference(&resources(PROJECT, need)).cloned().collect::<Vec<_>>();
    let reading = [
        "arn:aws:cloudformation:eu-central-1:471100004201:stack/P-intake-dev/*",
        "arn:aws:dynamodb:eu-central-1:471100004201:table/P-intake-dev-*",
        "arn:aws:s3:::p-intake-dev-*",
        "arn:aws:s3:::p-intake-dev-*/summaries/*",
    ];
    assert_eq!(own(Need::Read), reading);
    let function = "arn:aws:lambda:eu-central-1:471100004201:function:P-intake-dev-*";
    assert!(own(Need::Write).contains(&function.to_owned()), "{:?}", own(Need::Write));
}

#[test]
fn no_statement_for_everything_answers_with_values() {
    let template = "Resources:\n  Known:\n    Type: AWS::SecretsManager::Secret\n    Properties:\n      Name: dev/stack/known\n  \
        Unnamed:\n    Type: AWS::SecretsManager::Secret\n  Plain:\n    Type: AWS::SSM::Parameter\n    Properties:\n      \
        Name: /stack/plain\n  Code:\n    Type: AWS::Lambda::Function\n";
    let tmp = repository(&[("t.yaml", template)]);
    let policy = policy(&settings(PROJECT, "dev"), tmp.path(), Need::Read);
    let statements = policy.document["Statement"].as_array().unwrap();
    let of = |sid: &str| statements.iter().find(|statement| statement["Sid"] == sid).unwrap();
    assert_eq!(
        texts(&of("PlumbReadDriftSecrets")["Resource"]),
        ["arn:aws:secretsmanager:eu-central-1:471100004201:secret:dev/stack/known-??????"]
    );
    assert_eq!(
        texts(&of("PlumbReadDriftParameters")["Resource"]),
        ["arn:aws:ssm:eu-central-1:471100004201:parameter/stack/plain"]
    );
    for statement in statements.iter().filter(|statement| texts(&statement["Resource"]).contains(&"*".to_owned())) {
        for action in texts(&statement["Action"]) {
            assert!(!permissions::answers_with_values(&action), "{action} in {statement:#}");
        }
    }
    assert!(policy.notes.iter().any(|note| note.contains("p-dev/Unnamed")), "{:?}", policy.notes);
    assert!(policy.notes[0].contains("the environment dev alone"), "{:?}", policy.notes);
}

#[test]
fn what_is_put_back_without_cloudformation_is_named_and_nothing_beside_it() {
    let template = "Resources:\n  Plain:\n    Type: AWS::SSM::Parameter\n    Properties:\n      Name: /stack/plain\n  \
        Unnamed:\n    Type: AWS::SSM::Parameter\n";
    let tmp = repository(&[("t.yaml", template)]);
    let of = |need| {
        let policy = policy(&settings(PROJECT, "dev"), tmp.path(), need);
        let statements = policy.document["Statement"].as_array().unwrap().clone();
        (statements.into_iter().find(|statement| statement["Sid"] == "PlumbPutBack"), policy.notes)
    };
    assert_eq!(of(Need::Read).0, None);
    let (found, notes) = of(Need::Write);
    let found = found.unwrap();
    assert_eq!(texts(&found["Resource"]), ["arn:aws:ssm:eu-central-1:471100004201:parameter/stack/plain"]);
    assert_eq!(texts(&found["Action"]), ["ssm:AddTagsToResource", "ssm:PutParameter"]);
    assert!(
        notes.iter().any(|note| note.contains("p-dev/Unnamed") && note.contains("cannot be put back")),
        "{notes:?}"
    );
}

#[test]
fn a_check_reads_no_value_and_changes_nothing_that_runs() {
    let tmp = repository(&[("t.yaml", "Resources:\n  Code:\n    Type: AWS::Lambda::Function\n")]);
    let policy = check(&settings(PROJECT, "dev"), tmp.path());
    let statements = policy.document["Statement"].as_array().unwrap();
    let actions: Vec<String> = statements.iter().flat_map(|statement| texts(&statement["Action"])).collect();
    for action in &actions {
        let known = PERMISSIONS.iter().find(|known| known.action == action).unwrap();
        assert!(known.need == Need::Read || action.ends_with("ChangeSet"), "{action}");
        assert!(!permissions::answers_with_values(action) && !action.starts_with("kms:"), "{action}");
    }
    assert!(actions.contains(&"cloudformation:CreateChangeSet".to_owned()));
    assert!(!actions.contains(&"cloudformation:ExecuteChangeSet".to_owned()));
    assert!(!actions.contains(&"secretsmanager:BatchGetSecretValue".to_owned()));
}

#[test]
fn reading_allows_no_writing() {
    let nowhere = tempfile::tempdir().unwrap();
    let actions = |need| {
        let policy = policy(&settings(PROJECT, "qa"), nowhere.path(), need);
        let statements = policy.document["Statement"].as_array().unwrap().clone();
        statements.iter().flat_map(|statement| texts(&statement["Action"])).collect::<BTreeSet<String>>()
    };
    let writes = PERMISSIONS.iter().filter(|permission| permission.need == Need::Write);
    let (read, write) = (actions(Need::Read), actions(Need::Write));
    assert!(read.is_subset(&write));
    for permission in writes {
        assert!(!read.contains(permission.action) && write.contains(permission.action), "{}", permission.action);
    }
}

#[test]
fn what_is_not_configured_is_left_open_and_said() {
    let nowhere = tempfile::tempdir().unwrap();
    let policy = policy(&settings(PROJECT, "qa"), nowhere.path(), Need::Read);
    let text = policy.document.to_string();
    assert!(text.contains("arn:*:cloudformation:*:*:stack/p-qa/*") && text.contains("arn:*:s3:::p-*-*"), "{text}");
    assert!(!text.contains('{') || !text.contains("{account}"));
    assert_eq!(policy.notes.iter().filter(|note| note.contains("is configured, so the policy")).count(), 2);
}

#[test]
fn a_name_from_the_project_widens_nothing() {
    let template = "Resources:\n  Fn:\n    Type: AWS::Lambda::Function\n    Properties:\n      FunctionName: '*'\n  Own:\n    \
        Type: AWS::SSM::Parameter\n    Properties:\n      Name: '/${aws:username}/*'\n";
    let project = "name = \"p\"\n[state]\nbucket = \"b*\"\n[[config]]\nfiles = \"c/{service}/{env}.json\"\n[[secrets]]\n\
        name = \"{service}?/{key}\"\nfile = \"s/{service}/{env}.json\"\nshape = \"key\"\n[[stacks]]\nname = \"p*-{env}\"\n\
        template = \"t.yaml\"\n[environments.dev]\nregion = \"eu-central-1\"\naccount = \"471100004201\"\n";
    let tmp =
        repository(&[("t.yaml", template), ("c/*/dev.json", "{}"), ("c/{key}/dev.json", "{}"), ("s/*/dev.json", "{}")]);
    let policy = policy(&settings(project, "dev"), tmp.path(), Need::Write);
    let statements = policy.document["Statement"].as_array().unwrap();
    let all: Vec<String> = statements
        .iter()
        .filter(|statement| statement["Sid"] != "PlumbReadKeys" && statement["Sid"] != "PlumbWriteKeys")
        .flat_map(|statement| texts(&statement["Resource"]))
        .filter(|resource| resource != "*")
        .collect();
    let own = |resource: &String| {
        let name = resource.splitn(6, ':').nth(5).unwrap_or_default();
        // What is left of wildcards stands at the end, where this policy itself puts it.
        let plain = name.replace("${*}", "").replace("${?}", "").replace("${$}", "");
        let plain = plain.trim_end_matches("??????").trim_end_matches('*').trim_end_matches(":*");
        assert!(!plain.contains(['*', '?', '$']), "{resource}");
    };
    all.iter().for_each(own);
    for expected in [
        "arn:aws:ssm:eu-central-1:471100004201:parameter/${*}/dev/*",
        "arn:aws:secretsmanager:eu-central-1:471100004201:secret:${*}${?}/*",
        "arn:aws:cloudformation:eu-central-1:471100004201:stack/p${*}-dev/*",
        "arn:aws:lambda:eu-central-1:471100004201:function:${*}",
        "arn:aws:ssm:eu-central-1:471100004201:parameter/${$}{aws:username}/${*}",
        "arn:aws:s3:::b${*}",
    ] {
        assert!(all.contains(&expected.to_owned()), "{expected} in {all:#?}");
    }
    assert!(!all.iter().any(|resource| resource.contains("parameter/*") || resource.contains("{key}")), "{all:#?}");
}
