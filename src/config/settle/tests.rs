use super::*;
use crate::config::{parse_operator, parse_project};

const PROJECT: &str = "\
name = \"petshop\"
[environments.dev]
profile = \"p-dev\"
write_profile = \"p-dev-write\"
region = \"eu-west-1\"
endpoint_url = \"http://project\"
ref = \"origin/dev\"
[environments.prod]
account = \"471100004242\"
[environments.qa]
drift_max_age = \"1h\"
";

const OPERATOR: &str = "\
theme = \"mine\"
[environments.dev]
profile = \"o-dev\"
region = \"eu-west-2\"
endpoint_url = \"http://operator\"
[environments.\"petshop/dev\"]
profile = \"o-petshop-dev\"
";

fn settled(
    flags: &Flags,
    variables: &[(&str, &str)],
    operator: &str,
    project: Option<&str>,
) -> Result<Settings, Error> {
    let environ = Environ(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect());
    let operator = parse_operator("config.toml", operator).unwrap();
    settle(flags, &environ, Some(operator), project.map(|text| parse_project("plumb.toml", text).unwrap()))
}

#[expect(clippy::unnecessary_wraps, reason = "stands where a flag's value may be missing")]
fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// A name, the flags, the environment variables, the operator's config, and what must be in use because of them.
type Row<'r> = (&'r str, &'r Flags, &'r [(&'r str, &'r str)], &'r str, [(&'r str, &'r str, &'r str); 6]);

#[test]
fn the_stronger_layer_wins() {
    let flags = Flags {
        env: some("dev"),
        git_ref: some("v1"),
        profile: some("f"),
        region: some("eu-west-4"),
        endpoint_url: some("http://flag"),
        theme: some("flagged"),
        ..Flags::default()
    };
    let variables = [
        ("PLUMB_ENV", "dev"),
        ("PLUMB_REF", "v2"),
        ("AWS_PROFILE", "v"),
        ("AWS_REGION", "eu-west-3"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL", "http://variable"),
        ("PLUMB_THEME", "varied"),
    ];
    let nobody = Flags::default();
    let layers: [Row<'_>; 5] = [
        (
            "flags win over all",
            &flags,
            &variables,
            OPERATOR,
            [
                ("environment", "dev", "flag --env"),
                ("profile", "f", "flag --profile"),
                ("region", "eu-west-4", "flag --region"),
                ("endpoint_url", "http://flag", "flag --endpoint-url"),
                ("ref", "v1", "flag --ref"),
                ("theme", "flagged", "flag --theme"),
            ],
        ),
        (
            "then environment variables",
            &nobody,
            &variables,
            OPERATOR,
            [
                ("environment", "dev", "environment PLUMB_ENV"),
                ("profile", "v", "environment AWS_PROFILE"),
                ("region", "eu-west-3", "environment AWS_REGION"),
                ("endpoint_url", "http://variable", "environment AWS_ENDPOINT_URL"),
                ("ref", "v2", "environment PLUMB_REF"),
                ("theme", "varied", "environment PLUMB_THEME"),
            ],
        ),
        (
            "then the operator's config",
            &nobody,
            &[],
            OPERATOR,
            [
                ("environment", "dev", "default"),
                ("profile", "o-petshop-dev", "config.toml:7"),
                ("region", "eu-west-2", "config.toml:4"),
                ("endpoint_url", "http://operator", "config.toml:5"),
                ("ref", "origin/dev", "plumb.toml:7"),
                ("theme", "mine", "config.toml:1"),
            ],
        ),
        (
            "then the project file",
            &nobody,
            &[("AWS_REGION", "")],
            "",
            [
                ("environment", "dev", "default"),
                ("profile", "p-dev", "plumb.toml:3"),
                ("region", "eu-west-1", "plumb.toml:5"),
                ("endpoint_url", "http://project", "plumb.toml:6"),
                ("write_profile", "p-dev-write", "plumb.toml:4"),
                ("theme", "(built in)", "default"),
            ],
        ),
        (
            "then defaults",
            &nobody,
            &[("PLUMB_ENV", "qa"), ("AWS_DEFAULT_REGION", "us-east-1")],
            "",
            [
                ("profile", "(the SDK's default chain)", "default"),
                ("region", "us-east-1", "environment AWS_DEFAULT_REGION"),
                ("endpoint_url", "(AWS)", "default"),
                ("protection", "open", "default"),
                ("drift_max_age", "3600s", "plumb.toml:11"),
                ("reveal", "30s", "default"),
            ],
        ),
    ];
    for (row, flags, variables, operator, expected) in layers {
        let settings = settled(flags, variables, operator, Some(PROJECT)).unwrap();
        for (key, value, origin) in expected {
            let line = settings.sources.iter().find(|line| line.key == key).unwrap();
            assert_eq!((line.value.as_str(), line.origin.to_string().as_str()), (value, origin), "{row}: {key}");
        }
    }
}

#[test]
fn the_values_in_use_are_those_that_the_sources_show() {
    let flags = Flags { region: some("eu-west-4"), ..Flags::default() };
    let settings = settled(&flags, &[("NO_COLOR", "1")], OPERATOR, Some(PROJECT)).unwrap();
    let environment = &settings.environment;
    assert_eq!(environment.region.as_deref(), Some("eu-west-4"));
    assert_eq!(environment.profile.as_deref(), Some("o-petshop-dev"));
    assert_eq!(environment.endpoint.as_deref(), Some("http://operator"));
    assert_eq!(environment.git_ref.as_deref(), Some("origin/dev"));
    assert_eq!(settings.environment("dev"), Some(environment));
    assert!(!settings.color);
    assert_eq!(settings.operator.theme.as_deref(), Some("mine"));
    assert_eq!(settings.origin("name").to_string(), "plumb.toml:1");
    assert_eq!(settings.environments.iter().map(|each| each.name.as_str()).collect::<Vec<_>>(), ["dev", "prod", "qa"]);
}

#[test]
fn a_profile_for_this_run_is_not_joined_by_a_files_profile_for_writing() {
    let write = |flags: &Flags, variables: &[(&str, &str)]| {
        settled(flags, variables, "", Some(PROJECT)).unwrap().environment.write_profile
    };
    let flags = Flags { profile: some("f"), ..Flags::default() };
    assert_eq!(write(&Flags::default(), &[]).as_deref(), Some("p-dev-write"));
    assert_eq!(write(&flags, &[]), None);
    assert_eq!(write(&Flags::default(), &[("AWS_PROFILE", "v")]), None);
    assert_eq!(write(&flags, &[("PLUMB_WRITE_PROFILE", "w")]).as_deref(), Some("w"));
}

#[test]
fn an_environment_is_chosen_or_asked_for() {
    let two = "name = \"p\"\n[environments.prod]\n[environments.qa]\n";
    let one = "name = \"p\"\n[environments.prod]\n";
    let dev = Flags { env: some("prdo"), ..Flags::default() };
    let none = Flags::default();
    for (row, flags, variables, operator, project, expected) in [
        ("the only one", &none, &[][..], "", one, Ok("prod")),
        ("the one named dev", &none, &[], "", PROJECT, Ok("dev")),
        ("what the operator prefers", &none, &[], "environment = \"qa\"", PROJECT, Ok("qa")),
        ("PLUMB_ENV over the operator", &none, &[("PLUMB_ENV", "prod")], "environment = \"qa\"", PROJECT, Ok("prod")),
        ("none stands out", &none, &[], "", two, Err("which environment? plumb.toml has prod, qa")),
        (
            "a name that does not exist",
            &dev,
            &[],
            "",
            two,
            Err("plumb.toml has no environment \"prdo\" (asked for by flag --env)"),
        ),
        (
            "the operator's does not exist",
            &none,
            &[],
            "\nenvironment = \"dev\"",
            two,
            Err("plumb.toml has no environment \"dev\" (asked for by config.toml:2)"),
        ),
    ] {
        let found = settled(flags, variables, operator, Some(project)).map(|settings| settings.environment.name);
        assert_eq!(
            found.map_err(|error| error.to_string()),
            expected.map(str::to_owned).map_err(str::to_owned),
            "{row}"
        );
    }
    let error = settled(&dev, &[], "", Some(two)).unwrap_err();
    assert_eq!(error.hint().as_deref(), Some("did you mean \"prod\"? There are: prod, qa"));
}

#[test]
fn a_bad_endpoint_says_who_gave_it() {
    let error = settled(&Flags::default(), &[("AWS_ENDPOINT_URL", "localhost:4566")], "", Some(PROJECT)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "environment AWS_ENDPOINT_URL: \"localhost:4566\" is not a URL; such as \"http://127.0.0.1:4566\""
    );
}

#[test]
fn a_production_is_read_only_unless_the_file_says_otherwise() {
    let text =
        "name = \"p\"\n[environments.dev]\n[environments.eu-prod]\n[environments.live]\nprotection = \"confirm\"\n";
    for (name, value, origin) in [
        ("dev", "open", "default"),
        ("eu-prod", "read-only", "default of an environment that is named like a production"),
        ("live", "confirm", "plumb.toml:5"),
    ] {
        let settings = settled(&Flags { env: some(name), ..Flags::default() }, &[], "", Some(text)).unwrap();
        assert_eq!(
            (settings.environment.protection.word(), settings.origin("protection").to_string().as_str()),
            (value, origin)
        );
    }
}

#[test]
fn without_a_project_a_stack_or_a_path_is_looked_at_and_nothing_written() {
    let flags = Flags { stack: some("petshop-prod"), profile: some("ro"), ..Flags::default() };
    let settings = settled(&flags, &[], "environment = \"qa\"", None).unwrap();
    assert_eq!(settings.adhoc, Some(Adhoc { stack: some("petshop-prod"), path: None }));
    assert_eq!((settings.environment.name.as_str(), settings.environment.protection), ("qa", Protection::ReadOnly));
    assert_eq!(settings.environment.profile.as_deref(), Some("ro"));
    assert_eq!(settings.project.name, "petshop-prod");
    assert_eq!(settings.origin("protection").to_string(), "flag --stack");
    let error = settled(&Flags::default(), &[], "", None).unwrap_err();
    assert!(matches!(error, Error::NoProject { .. }) && error.hint().is_some());
}

#[test]
fn beside_a_project_a_path_is_read_with_the_environments_access_and_nothing_else() {
    let flags = Flags { path: some("/other"), ..Flags::default() };
    let text = format!("{PROJECT}[[stacks]]\nname = \"p-{{env}}\"\ntemplate = \"t.yaml\"\n");
    let settings = settled(&flags, &[], "", Some(&text)).unwrap();
    assert_eq!(settings.environment.profile.as_deref(), Some("p-dev"));
    assert_eq!(settings.environment.protection, Protection::ReadOnly);
    assert!(settings.project.stacks.is_empty());
    assert!(settings.sources.iter().all(|line| !line.key.starts_with("stacks")));
}

#[test]
fn a_path_begins_with_a_slash_however_it_is_written() {
    for (given, path) in
        [("billing/prod", "/billing/prod"), ("/billing/prod/", "/billing/prod"), ("/", "/"), (" /a ", "/a")]
    {
        let flags = Flags { path: some(given), ..Flags::default() };
        let settings = settled(&flags, &[], "", None).unwrap();
        assert_eq!(settings.adhoc.unwrap().path.as_deref(), Some(path), "{given}");
    }
}

#[test]
fn a_flag_that_says_nothing_is_refused() {
    let empty = || some(" ");
    for (flags, told) in [
        (Flags { path: empty(), ..Flags::default() }, "flag --path: is empty; / is every parameter of the account"),
        (Flags { stack: some(""), ..Flags::default() }, "flag --stack: is empty"),
        (Flags { region: empty(), ..Flags::default() }, "flag --region: is empty"),
        (Flags { git_ref: some(""), ..Flags::default() }, "flag --ref: is empty"),
    ] {
        let error = settled(&flags, &[], "", Some(PROJECT)).unwrap_err().to_string();
        assert!(error.starts_with(told), "{error}");
    }
}
