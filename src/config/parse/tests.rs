use super::*;
use crate::config::reader;

const EXAMPLE: &str = include_str!("../../../tests/fixtures/plumb.toml");

const LEAST: &str = "name = \"p\"\n[environments.dev]\n";

fn parse(text: &str) -> Project {
    match parse_project("plumb.toml", text) {
        Ok((project, _)) => project,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn the_annotated_example_shows_every_key_with_a_valid_value() {
    parse(EXAMPLE);
    let missing = reader::missing(EXAMPLE, |root| {
        project(root);
    });
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn the_example_says_what_the_design_says() {
    let project = parse(EXAMPLE);
    assert_eq!(project.name, "petshop");
    assert_eq!(project.state_bucket.as_deref(), Some("petshop-plumb-{account}-{region}"));
    assert_eq!(
        project.config,
        [ConfigTree {
            files: vec!["config/{service}/{env}/config.json".into()],
            global: "global".into(),
            parameter: "/{service}/{layer}/{key}".into(),
            joiner: "/".into(),
            layers: Layers::Separate,
            depth: Some(4),
            parameter_type: ParameterType::SecureString,
            tier: Tier::Standard,
            kms_key: Some("alias/petshop-parameters".into()),
        }]
    );
    assert_eq!(project.stacks[0].parameters["Size"], "2");
    assert_eq!(project.stacks[0].functions[0].alias.as_deref(), Some("live"));
    assert_eq!(project.redeploy.method, RedeployMethod::GitHub);
    let prod = &project.environments[1];
    assert_eq!(prod.name, "prod");
    assert_eq!((prod.protection, prod.drift_max_age), (Protection::Confirm, Some(900)));
    assert_eq!(prod.git_ref.as_deref(), Some("origin/main"));
}

#[test]
fn the_least_file_has_the_defaults() {
    let text = "name = \"p\"\n[[config]]\nfiles = \"c/{service}/{env}.json\"\n[environments.dev]\n[environments.eu-prod]\n\
                [environments.slow]\ndrift_max_age = \"never\"\nprotection = \"read-only\"\n";
    let project = parse(text);
    let tree = &project.config[0];
    assert_eq!(
        (tree.parameter.as_str(), tree.joiner.as_str(), tree.global.as_str()),
        ("/{service}/{layer}/{key}", "/", "global")
    );
    assert_eq!((tree.layers, tree.depth, tree.parameter_type), (Layers::Separate, None, ParameterType::SecureString));
    let kinds: Vec<_> =
        project.environments.iter().map(|each| (each.name.as_str(), each.protection, each.drift_max_age)).collect();
    assert_eq!(
        kinds,
        [
            ("dev", Protection::Open, Some(900)),
            ("eu-prod", Protection::ReadOnly, Some(900)),
            ("slow", Protection::ReadOnly, None)
        ]
    );
}

#[test]
fn each_value_has_its_line_and_each_default_says_so() {
    let (_, origins) = parse_project(
        "plumb.toml",
        &format!(
            "{LEAST}region = \"eu-west-1\"\n[[config]]\nfiles = \"{{env}}.json\"\nparameter = \"/{{layer}}/{{key}}\"\n"
        ),
    )
    .unwrap();
    for (path, origin) in [
        ("name", "plumb.toml:1"),
        ("environments.dev.region", "plumb.toml:3"),
        ("config[0].parameter", "plumb.toml:6"),
        ("config[0].joiner", "default"),
        ("environments.dev.protection", "default"),
    ] {
        assert_eq!(origins.of(path).to_string(), origin, "{path}");
    }
}

#[test]
fn a_project_is_named_like_a_part_of_a_key() {
    let told = |name: &str| {
        let text = format!("name = \"{name}\"\n[environments.dev]\n");
        parse_project("plumb.toml", &text).map(|_| ()).map_err(|error| error.to_string())
    };
    for fine in ["petshop", "Pet.shop_2", "3d-shop"] {
        assert_eq!(told(fine), Ok(()), "{fine}");
    }
    for (name, expected) in [
        ("../x*/y\\u001b[31m", "a project's name cannot hold '/'; letters, digits and - _ ."),
        ("shop*", "a project's name cannot hold '*'; letters, digits and - _ ."),
        ("..", "a project's name begins with a letter or a digit"),
        (" ", "is empty"),
    ] {
        assert_eq!(told(name), Err(format!("plumb.toml:1: name: {expected}")), "{name}");
    }
    let text = format!("{LEAST}[[config]]\nfiles = \"c/{{service}}/{{env}}.json\"\nglobal = \"{{x}}*\"\n");
    let error = parse_project("plumb.toml", &text).unwrap_err().to_string();
    assert!(error.contains("config[0].global: a layer's name cannot hold '{'"), "{error}");
}

/// Text after the least file's two lines, and the one complaint it must cause.
const MISTAKES: &[(&str, &str, &str)] = &[
    ("an unknown key", "regoin = \"eu-west-1\"", "3: environments.dev.regoin: unknown key; did you mean \"region\"?"),
    (
        "a key that resembles none",
        "colour = 1",
        "3: environments.dev.colour: unknown key; there are: profile, write_profile, region, endpoint_url, account, ref, protection, drift_max_age",
    ),
    ("an unknown table", "[[stack]]\nname = \"x\"", "3: stack: unknown key; did you mean \"stacks\"?"),
    ("a wrong type", "region = 3", "3: environments.dev.region: expected a text in quotes, found a whole number"),
    (
        "an account as a number",
        "account = 471100004242",
        "3: environments.dev.account: expected a text in quotes, found a whole number",
    ),
    (
        "a short account",
        "account = \"4711\"",
        "3: environments.dev.account: \"4711\" is not an account id; twelve digits in quotes",
    ),
    (
        "a region without a number",
        "region = \"eu-central\"",
        "3: environments.dev.region: \"eu-central\" is not a region; such as \"eu-central-1\"",
    ),
    (
        "an endpoint without a scheme",
        "endpoint_url = \"127.0.0.1:4566\"",
        "3: environments.dev.endpoint_url: \"127.0.0.1:4566\" is not a URL; such as \"http://127.0.0.1:4566\"",
    ),
    (
        "a mistyped word",
        "protection = \"confrim\"",
        "3: environments.dev.protection: \"confrim\" is not one of open, confirm, read-only; did you mean \"confirm\"?",
    ),
    (
        "an odd length of time",
        "drift_max_age = \"15 min\"",
        "3: environments.dev.drift_max_age: \"15 min\" is not a length of time; write \"90s\", \"15m\", \"2h\", \"1d\" or \"never\"",
    ),
    (
        "an odd environment",
        "[environments.\"a/b\"]",
        "3: environments.\"a/b\": an environment's name cannot hold '/'; letters, digits and - _ .",
    ),
    (
        "an environment named like the global layer",
        "[environments.global]\n[[config]]\nfiles = \"c/{env}.json\"\nparameter = \"/{layer}/{key}\"",
        "3: environments.global: \"global\" is already the name of the layer that all environments share; rename it, or set `global` in [[config]]",
    ),
    (
        "a table where a list of tables belongs",
        "[config]\nfiles = \"x\"",
        "3: config: expected a list of tables, each under [[config]], found a table",
    ),
    (
        "a config tree without files",
        "[[config]]",
        "3: config[0].files: is missing; such as files = \"config/{service}/{env}/config.json\"",
    ),
    (
        "an unknown placeholder",
        "[[config]]\nfiles = \"c/{service}/{evn}.json\"",
        "4: config[0].files: unknown placeholder {evn}; did you mean {env}?",
    ),
    (
        "a placeholder that makes no sense there",
        "[[config]]\nfiles = \"c/{account}/{service}/x\"",
        "4: config[0].files: unknown placeholder {account}; valid here: {service}, {env}, {layer}",
    ),
    (
        "a lone brace",
        "[[config]]\nfiles = \"c/{service}/{env.json\"",
        "4: config[0].files: a brace without its partner",
    ),
    (
        "a glob in a file pattern",
        "[[config]]\nfiles = \"c/{service}/*.json\"",
        "4: config[0].files: globs do not say which service and environment a file belongs to; write {service} and {env} where they stand in the path",
    ),
    (
        "a path out of the project",
        "[[config]]\nfiles = \"../{service}/{env}.json\"",
        "4: config[0].files: \"../{service}/{env}.json\" is not a path from the project's root; write it like \"config/billing\", without \"./\", \"..\" or a \"/\" at either end",
    ),
    (
        "a parameter without a key",
        "[[config]]\nfiles = \"c/{service}/{env}.json\"\nparameter = \"/{service}/{layer}\"",
        "5: config[0].parameter: lacks {key}: all keys would have one name; such as \"/{service}/{layer}/{key}\"",
    ),
    (
        "a parameter without a layer",
        "[[config]]\nfiles = \"c/{service}/{env}.json\"\nparameter = \"/{service}/{key}\"",
        "5: config[0].parameter: lacks {layer}: the global layer and the environment's would have the same names; add {layer}, or set layers = \"merged\"",
    ),
    (
        "a parameter without the service",
        "[[config]]\nfiles = \"c/{service}/{env}.json\"\nparameter = \"/{layer}/{key}\"",
        "5: config[0].parameter: lacks {service}: the services' keys would have the same names",
    ),
    (
        "a service that no file tells",
        "[[config]]\nfiles = \"c/{env}.json\"",
        "3: config[0].parameter: has {service}, which not every pattern of `files` tells",
    ),
    (
        "a parameter without its slash",
        "[[config]]\nfiles = \"c/{service}/{env}.json\"\nparameter = \"{service}/{layer}/{key}\"",
        "5: config[0].parameter: a name with \"/\" in it must begin with \"/\"; write \"/{service}/{layer}/{key}\"",
    ),
    (
        "a character that AWS refuses",
        "[[config]]\nfiles = \"c/{service}/{env}.json\"\njoiner = \":\"",
        "5: config[0].joiner: Parameter Store refuses ':' in a name; allowed are a-z A-Z 0-9 _ . - /",
    ),
    (
        "a depth of nothing",
        "[[config]]\nfiles = \"c/{service}/{env}.json\"\ndepth = 0",
        "5: config[0].depth: 0 is not between 1 and 15",
    ),
    (
        "a key for plain text",
        "[[config]]\nfiles = \"c/{service}/{env}.json\"\ntype = \"String\"\nkms_key = \"alias/x\"",
        "6: config[0].kms_key: only a SecureString is encrypted; set type = \"SecureString\"",
    ),
    (
        "a type in the wrong case",
        "[[config]]\nfiles = \"c/{service}/{env}.json\"\ntype = \"securestring\"",
        "5: config[0].type: \"securestring\" is not one of SecureString, String, StringList; did you mean \"SecureString\"?",
    ),
    (
        "secrets of one name",
        "[[secrets]]\nname = \"{env}/x\"\nfile = \"s/{env}.json\"\nshape = \"key\"",
        "4: secrets[0].name: lacks {key}: all keys would have one name; add {key}, or set shape = \"document\"",
    ),
    (
        "a document named by a key",
        "[[secrets]]\nname = \"{env}/{key}\"\nfile = \"s/{env}.json\"",
        "4: secrets[0].name: has {key}, but the whole document is one secret; set shape = \"key\"",
    ),
    ("a stack without a template", "[[stacks]]\nname = \"p-{env}\"", "3: stacks[0].template: is missing"),
    (
        "a second stack of the same name",
        "[[stacks]]\nname = \"p-{env}\"\ntemplate = \"a.yaml\"\n[[stacks]]\nname = \"p-dev\"\ntemplate = \"b.yaml\"",
        "7: stacks[1].name: \"p-dev\" is the name of stacks[0] too (in dev)",
    ),
    (
        "a stack in an unknown environment",
        "[[stacks]]\nname = \"p\"\ntemplate = \"a.yaml\"\nenvironments = [\n  \"dve\",\n]",
        "7: stacks[0].environments: \"dve\" is no environment of this file; did you mean \"dev\"?",
    ),
    (
        "a nearly written placeholder in a value",
        "[[stacks]]\nname = \"p\"\ntemplate = \"a.yaml\"\nparameters = { A = \"{evn}\" }",
        "6: stacks[0].parameters.A: unknown placeholder {evn}; did you mean {env}?",
    ),
    (
        "a list as a stack's parameter",
        "[[stacks]]\nname = \"p\"\ntemplate = \"a.yaml\"\nparameters = { A = [1] }",
        "6: stacks[0].parameters.A: expected a text, a number or a boolean, found a list",
    ),
    (
        "a mistyped capability",
        "[[stacks]]\nname = \"p\"\ntemplate = \"a.yaml\"\ncapabilities = [\"CAPABILITY_NAMED\"]",
        "6: stacks[0].capabilities: \"CAPABILITY_NAMED\" is not one of CAPABILITY_IAM, CAPABILITY_NAMED_IAM, CAPABILITY_AUTO_EXPAND; did you mean \"CAPABILITY_NAMED_IAM\"?",
    ),
    (
        "a function that is built to nowhere",
        "[[stacks]]\nname = \"p\"\ntemplate = \"a.yaml\"\n[[stacks.functions]]\nresource = \"Fn\"\nsource = \"f\"\nbuild = \"make\"",
        "6: stacks[0].functions[0].output: is missing: what does `build` write?",
    ),
    (
        "a logical id with a dash",
        "[[stacks]]\nname = \"p\"\ntemplate = \"a.yaml\"\n[[stacks.functions]]\nresource = \"My-Fn\"\nsource = \"f\"",
        "7: stacks[0].functions[0].resource: \"My-Fn\" is not a logical id; letters and digits, as in the template",
    ),
    (
        "a workflow that is no file's name",
        "[redeploy]\nworkflow = \"../deploy\"",
        "4: redeploy.workflow: \"../deploy\" is no workflow's file; its name below .github/workflows, such as \"deploy.yml\"",
    ),
    (
        "a token over plain HTTP",
        "[redeploy]\napi = \"http://git.example/api/v3\"",
        "4: redeploy.api: \"http://git.example/api/v3\" is not https: a token goes there; such as \"https://git.example/api/v3\"",
    ),
    (
        "a redeploy by a pipeline that is not there",
        "[redeploy]\nmethod = \"pipeline\"",
        "4: redeploy.method: there is no [pipeline] to do it; add one, with its stack",
    ),
    ("a pipeline without its stack", "[pipeline]\nproject = \"shop\"", "3: pipeline.stack: is missing"),
    (
        "a name that the registry cannot have",
        "[pipeline]\nstack = \"p\"\nproject = \"Shop\"",
        "5: pipeline.project: \"Shop\" is no name of the pipeline's registry; at most 63 of a-z, 0-9 and -, and no - first",
    ),
    (
        "an output without a stack",
        "[crypto]\noutput = \"CryptoEndpoint\"",
        "4: crypto.output: \"CryptoEndpoint\" names no output of a stack; such as \"petshop-{env}/CryptoEndpoint\"",
    ),
    ("an intake without a stack", "[intake]", "3: intake.stack: is missing"),
    (
        "a broken glob",
        "[[ignore]]\nname = \"/a/[\"",
        "4: ignore[0].name: \"/a/[\" is no glob: unclosed character class; missing ']'",
    ),
    (
        "an unknown kind",
        "[[ignore]]\nname = \"*\"\nkind = \"parameters\"",
        "5: ignore[0].kind: \"parameters\" is not one of stack, code, parameter, secret; did you mean \"parameter\"?",
    ),
    ("an empty table for the bucket", "[state]", "3: state.bucket: is missing"),
];

#[test]
fn each_mistake_is_reported_once_with_its_line_its_key_and_the_way_out() {
    let mut wrong = Vec::new();
    for (row, text, expected) in MISTAKES {
        let found = parse_project("plumb.toml", &format!("{LEAST}{text}\n"))
            .map_or_else(|error| error.to_string(), |_| "accepted".into());
        if found != format!("plumb.toml:{expected}") {
            wrong.push(format!("{row}\n  found    {found}\n  expected plumb.toml:{expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_file_that_is_no_toml_is_reported_at_its_line() {
    for (row, text, expected) in [
        ("a value is missing", "name = \"p\"\nregion =\n", "plumb.toml:2: "),
        ("a key comes twice", "name = \"p\"\nname = \"q\"\n", "plumb.toml:2: name: duplicate key"),
        ("quotes are missing", "name = petshop\n", "plumb.toml:1: "),
        ("the wrong file", "{ \"json\": true }", "plumb.toml:1: "),
    ] {
        let error = parse_project("plumb.toml", text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{row}: {error}");
    }
}

#[test]
fn all_mistakes_are_reported_together_in_the_order_of_the_file() {
    let text = "nam = \"p\"\n[environments.dev]\naccount = \"1\"\nprotection = \"x\"\n";
    let Err(Error::Invalid(complaints)) = parse_project("plumb.toml", text) else { panic!("accepted") };
    let keys: Vec<_> = complaints.iter().map(|each| (each.line, each.key.as_str())).collect();
    assert_eq!(keys, [(1, "name"), (1, "nam"), (3, "environments.dev.account"), (4, "environments.dev.protection")]);
}
