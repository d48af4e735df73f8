use proptest::prelude::*;

use super::*;
use crate::config::{Layers, Project, RedeployMethod, parse_project};

fn guessed(files: &[(&str, &str)]) -> (String, Project) {
    let names: Vec<String> = files.iter().map(|(file, _)| (*file).to_owned()).collect();
    let read = |file: &str| files.iter().find(|(name, _)| *name == file).map(|(_, text)| (*text).to_owned());
    let text = guess("petshop", &names, &read);
    match parse_project("plumb.toml", &text) {
        Ok((project, _)) => (text, project),
        Err(error) => panic!("{error}\n{text}"),
    }
}

#[test]
fn an_empty_repository_gives_a_file_that_parses_and_shows_the_way() {
    let (text, project) = guessed(&[]);
    assert_eq!(project.name, "petshop");
    assert_eq!(project.environments.len(), 1);
    assert!(text.contains("# No config tree was found") && text.contains("# No template was found"));
}

#[test]
fn config_trees_and_secrets_are_found_by_their_paths() {
    let (text, project) = guessed(&[
        ("config/billing/global/config.json", ""),
        ("config/billing/dev/config.json", ""),
        ("config/billing/prod/config.json", ""),
        ("config/store/global/config.json", ""),
        ("config/store/dev/config.json", ""),
        ("secrets/dev.json", ""),
        ("secrets/prod.json", ""),
        ("package.json", ""),
        (".sops.yaml", "creation_rules:\n  - path_regex: ^(config|secrets)/.*\n  - path_regex: config/.*\\.json$\n"),
    ]);
    assert_eq!(project.config.len(), 1, "{text}");
    let tree = &project.config[0];
    assert_eq!(tree.files, ["config/{service}/{env}/config.json"]);
    assert_eq!((tree.global.as_str(), tree.layers), ("global", Layers::Separate));
    assert_eq!(project.secrets[0].file, "secrets/{env}.json");
    let names: Vec<_> = project.environments.iter().map(|each| each.name.as_str()).collect();
    assert_eq!(names, ["dev", "prod"]);
    assert_eq!(text.matches("protection = \"read-only\"").count(), 1, "prod says that it is read-only: {text}");
    assert!(text.contains(
        "# From 5 files such as config/billing/dev/config.json; .sops.yaml says that they are encrypted.\n[[config]]"
    ));
}

#[test]
fn plain_files_named_by_their_environment_are_a_tree_without_services() {
    let (_, project) = guessed(&[("config/app.dev.yaml", ""), ("config/app.staging.yaml", "")]);
    assert_eq!(project.config[0].files, ["config/app.{env}.yaml"]);
    assert_eq!(project.config[0].parameter, "/{layer}/{key}");
}

const SAM: &str = "\
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    CodeUri: ./ignored
Resources:
  BillingFn:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ./functions/billing/
  Queue:
    Type: AWS::SQS::Queue
  StoreFn:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/store
Outputs:
  CodeUri: no
";

const SAMCONFIG: &str = "\
version = 0.1
[default.deploy.parameters]
stack_name = \"petshop-dev\"
region = \"eu-central-1\"
capabilities = \"CAPABILITY_IAM\"
parameter_overrides = \"Size=2 Name=\\\"x\\\"\"
[prod.global.parameters]
stack_name = \"petshop-prod\"
[prod.deploy.parameters]
profile = \"petshop-prod\"
region = \"eu-west-1\"
";

#[test]
fn a_sam_project_is_found_with_its_functions_and_environments() {
    let (text, project) = guessed(&[("template.yaml", SAM), ("samconfig.toml", SAMCONFIG)]);
    let stack = &project.stacks[0];
    assert_eq!((stack.name.as_str(), stack.kind), ("petshop-{env}", StackKind::Sam), "{text}");
    assert_eq!(stack.capabilities, ["CAPABILITY_IAM"]);
    assert_eq!((stack.parameters["Size"].as_str(), stack.parameters["Name"].as_str()), ("2", "x"));
    let functions: Vec<_> = stack.functions.iter().map(|each| (each.resource.as_str(), each.source.as_str())).collect();
    assert_eq!(functions, [("BillingFn", "functions/billing"), ("StoreFn", "functions/store")]);
    let [dev, prod] = &project.environments[..] else { panic!("{text}") };
    assert_eq!((dev.name.as_str(), dev.region.as_deref()), ("dev", Some("eu-central-1")), "by its stack's name");
    assert_eq!(
        (prod.name.as_str(), prod.profile.as_deref(), prod.region.as_deref()),
        ("prod", Some("petshop-prod"), Some("eu-west-1"))
    );
}

#[test]
fn samconfig_alone_says_which_environments_there_are_and_where() {
    let config = "[dev.deploy.parameters]\nstack_name = \"product-dev\"\nregion = \"eu-central-1\"\n\
        parameter_overrides = \"Stage=dev\"\n[prod.deploy.parameters]\nstack_name = \"product-prod\"\n";
    let (text, project) = guessed(&[
        ("stack/template.yaml", SAM),
        ("samconfig.toml", config),
        ("config/a/qa/config.json", "{}"),
        ("config/a/dev/config.json", "{}"),
    ]);
    assert_eq!(project.stacks[0].name, "product-{env}", "{text}");
    assert_eq!(project.stacks[0].parameters["Stage"], "{env}", "{text}");
    let environments: Vec<_> =
        project.environments.iter().map(|each| (each.name.as_str(), each.region.as_deref())).collect();
    assert_eq!(environments, [("dev", Some("eu-central-1")), ("prod", None)], "{text}");
    assert!(text.contains("# Paths also speak of qa, which samconfig.toml does not have."), "{text}");
}

#[test]
fn a_cdk_app_templates_and_a_workflow_are_found() {
    let plain = "Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n";
    let (text, project) = guessed(&[
        ("cdk.json", "{\"app\": \"npx ts-node bin/app.ts\"}"),
        ("infra/network/template.yaml", plain),
        ("infra/README.yaml", "not: a template"),
        (".github/workflows/deploy.yml", "on:\n  workflow_dispatch:\n"),
    ]);
    let stacks: Vec<_> =
        project.stacks.iter().map(|each| (each.name.as_str(), each.template.as_str(), each.kind)).collect();
    assert_eq!(
        stacks,
        [
            ("network-{env}", "infra/network/template.yaml", StackKind::CloudFormation),
            ("Stack-{env}", "cdk.out/Stack-{env}.template.json", StackKind::Cdk)
        ],
        "{text}"
    );
    assert_eq!(
        (project.redeploy.method, project.redeploy.workflow.as_deref()),
        (RedeployMethod::GitHub, Some("deploy.yml"))
    );
}

#[test]
fn every_section_has_a_comment_that_says_where_it_is_from() {
    let (text, _) =
        guessed(&[("template.yaml", SAM), ("samconfig.toml", SAMCONFIG), ("c/a/dev.json", ""), ("c/b/prod.json", "")]);
    let lines: Vec<&str> = text.lines().collect();
    for (index, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with('[')) {
        assert!(lines[index - 1].starts_with("# "), "{line}\n{text}");
    }
}

proptest! {
    #[test]
    fn whatever_lies_there_the_guess_parses(
        name in "\\PC{0,8}",
        files in proptest::collection::vec("(config|c|secrets|stack|a b|\"x|\\.\\.|)(/(dev|prod|global|a|b|\\{env\\}|é\\\\|\n))?(/(dev|prod|template|config))\\.(json|yaml)", 0..12),
        text in prop_oneof![Just(SAM.to_owned()), Just(SAMCONFIG.to_owned()), "\\PC{0,40}"],
    ) {
        let mut files = files;
        files.extend(["samconfig.toml".to_owned(), "cdk.json".to_owned(), ".sops.yaml".to_owned()]);
        let guess = guess(&name, &files, &|_| Some(text.clone()));
        let parsed = parse_project("plumb.toml", &guess);
        prop_assert!(parsed.is_ok(), "{}\n{}", parsed.unwrap_err(), guess);
    }
}

#[test]
fn documents_that_sops_encrypted_are_never_guessed_to_be_plain() {
    let files: Vec<String> = ["dev", "prod"].iter().map(|env| format!("config/billing/{env}/config.json")).collect();
    let text = |content: &'static str| super::guess("shop", &files, &move |_: &str| Some(content.to_owned()));
    assert!(!text("{\n\t\"a\": \"ENC[AES256_GCM,data:x]\",\n\t\"sops\": {}\n}").contains("type = \"String\""));
    assert!(text("{ \"a\": \"b\" }").contains("type = \"String\""));
    // What could not be looked at may be a secret.
    assert!(!super::guess("shop", &files, &|_: &str| None).contains("type = \"String\""));
}
