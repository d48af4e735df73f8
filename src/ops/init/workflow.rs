//! The workflows that roll a project out and check its pull requests, made of two templates.
//!
//! Inputs reach a script as environment variables alone, never as a part of it: whoever may ask for a run chooses them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::paths;
use super::plan::LAMBDA;
use crate::config::{Project, Protection, StackKind};

const DEPLOY: &str = include_str!("deploy.yml");
const CHECK: &str = include_str!("check.yml");

/// How the workflows get at AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credentials {
    /// By a role that trusts GitHub's tokens: no key is kept anywhere.
    Oidc,
    /// By keys among the repository's secrets.
    Secrets,
}

/// What of the workflows is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workflows {
    /// How they get at AWS.
    pub credentials: Credentials,
    /// The branch that is rolled out.
    pub branch: String,
}

/// The project as the workflows see it.
pub(super) struct Ground<'a> {
    pub(super) project: &'a Project,
    /// The project's folder within the repository; empty at its root.
    pub(super) prefix: &'a str,
    /// Whether the functions that Plumb carries are built.
    pub(super) builds_lambda: bool,
    /// Whether some document is encrypted for an age key.
    pub(super) needs_age: bool,
    /// A file of the project by its path.
    pub(super) read: &'a dyn Fn(&str) -> Option<String>,
}

/// Builds plumb where the runner has none; the next run finds it in the cache.
const PLUMB: &str = r#"      - uses: actions/cache@27d5ce7f107fe9357f9df03efb73ab90386fccae # v5.0.5
        with:
          path: ~/.cargo/bin/plumb
          key: plumb-ubuntu-24.04-${{ vars.PLUMB_SOURCE }}
      - name: Install plumb
        env:
          PLUMB_SOURCE: ${{ vars.PLUMB_SOURCE }}
        run: |
          command -v plumb && exit
          case "$PLUMB_SOURCE" in
            ?*@?*) cargo install --locked --git "${PLUMB_SOURCE%@*}" --rev "${PLUMB_SOURCE##*@}" plumb ;;
            *) echo "::error::set the repository variable PLUMB_SOURCE to URL@COMMIT of plumb's repository" && exit 1 ;;
          esac
"#;

/// What links against an older system than the runner is.
const CARGO_LAMBDA: &str = "      - name: Install cargo-lambda
        run: command -v cargo-lambda || pipx install cargo-lambda==1.9.2
";

/// Rolls the project out.
pub(super) fn deploy(ground: &Ground<'_>, workflows: &Workflows) -> String {
    let smoke = if ground.project.crypto.is_named() {
        "      - name: Smoke test\n        run: plumb crypto smoke --env \"$ENVIRONMENT\" --safe\n"
    } else {
        ""
    };
    let access = match workflows.credentials {
        Credentials::Oidc => {
            "AWS is asked by the role that `plumb bootstrap` makes: its ARN is the repository variable AWS_ROLE_ARN."
        }
        Credentials::Secrets => "AWS is asked with the repository secrets AWS_ACCESS_KEY and AWS_SECRET_KEY.",
    };
    let role = "          role-to-assume: ${{ fromJSON('@ROLES@')[matrix.environment] || vars.AWS_ROLE_ARN }}\n";
    let text = DEPLOY
        .replace("@ACCESS@", access)
        .replace("@BRANCH@", &workflows.branch)
        .replace("@PATHS@", &paths(ground))
        .replace("@CREDENTIALS@", credentials(workflows.credentials, role))
        .replace("@ROLES@", &roles(ground.project))
        .replace("@SMOKE@\n", smoke);
    common(&text, ground, workflows)
}

/// Checks pull requests.
pub(super) fn check(ground: &Ground<'_>, workflows: &Workflows) -> String {
    let (access, allowed) = match workflows.credentials {
        Credentials::Oidc => (
            "The dry runs need the role for pull requests that `plumb bootstrap` makes, PROJECT-check: its ARN is the\n\
             # repository variable AWS_CHECK_ROLE_ARN. Without it the config alone is checked.",
            "vars.AWS_CHECK_ROLE_ARN != ''",
        ),
        Credentials::Secrets => (
            "The dry runs use the repository secrets AWS_ACCESS_KEY and AWS_SECRET_KEY; they are left out while the\n\
             # repository variable PLUMB_DRY_RUNS is not \"yes\".",
            "vars.PLUMB_DRY_RUNS == 'yes'",
        ),
    };
    let role = "          role-to-assume: ${{ vars.AWS_CHECK_ROLE_ARN }}\n";
    let text = CHECK
        .replace("@ACCESS@", access)
        .replace("@ALLOWED@", allowed)
        .replace("@CREDENTIALS@", credentials(workflows.credentials, role));
    common(&text, ground, workflows)
}

fn credentials(way: Credentials, role: &str) -> &str {
    match way {
        Credentials::Oidc => role,
        Credentials::Secrets => {
            "          aws-access-key-id: ${{ secrets.AWS_ACCESS_KEY }}\n          \
             aws-secret-access-key: ${{ secrets.AWS_SECRET_KEY }}\n"
        }
    }
}

fn common(text: &str, ground: &Ground<'_>, workflows: &Workflows) -> String {
    let project = ground.project;
    let names: Vec<Value> = project.environments.iter().map(|each| each.name.clone().into()).collect();
    let oidc = match workflows.credentials {
        Credentials::Oidc => "      # For the role.\n      id-token: write\n",
        Credentials::Secrets => "",
    };
    let keys = "        env:\n          SOPS_AGE_KEY: ${{ secrets.SOPS_AGE_KEY }}\n";
    let is_read_only = project.environments.iter().any(|each| each.protection == Protection::ReadOnly);
    // What is asked for by the branch is let through; the reason is in the journal.
    let unlock = match (is_read_only, text.contains("REASON:")) {
        (false, _) => "",
        (true, true) => " --unlock \"$REASON\"",
        (true, false) => " --unlock \"dry run of #$NUMBER\"",
    };
    let directory = ground.prefix.trim_end_matches('/');
    let shell = if directory.is_empty() {
        "        shell: bash\n".to_owned()
    } else {
        format!("        shell: bash\n        working-directory: {directory}\n")
    };
    text.replace("        shell: bash\n", &shell)
        .replace("@OIDC@", oidc)
        .replace("@ENVIRONMENTS@", &Value::Array(names).to_string())
        .replace("@REGIONS@", &regions(project))
        .replace("@PLUMB@", PLUMB)
        .replace("@LAMBDA@", if ground.builds_lambda { CARGO_LAMBDA } else { "" })
        .replace("@KEYS@", if ground.needs_age { keys } else { "" })
        .replace("@UNLOCK@", unlock)
}

/// The region of each environment that states one.
fn regions(project: &Project) -> String {
    let stated = project.environments.iter().filter_map(|each| Some((each.name.clone(), each.region.clone()?.into())));
    Value::Object(stated.collect::<Map<_, _>>()).to_string()
}

/// The deploy role of each environment whose account is stated: `plumb bootstrap` names it.
fn roles(project: &Project) -> String {
    let role = |account: &str, region: Option<&str>| {
        let partition = match region {
            Some(region) if region.starts_with("cn-") => "aws-cn",
            Some(region) if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        };
        format!("arn:{partition}:iam::{account}:role/{}-deploy", project.name)
    };
    let stated = project
        .environments
        .iter()
        .filter_map(|each| Some((each.name.clone(), role(each.account.as_deref()?, each.region.as_deref()).into())));
    Value::Object(stated.collect::<Map<_, _>>()).to_string()
}

/// The filter of what a push has to touch. Empty, so that every push counts, where code may lie anywhere: that of a CDK
/// app, or of a template that cannot be read, or that names what is not of the project.
fn paths(ground: &Ground<'_>) -> String {
    let project = ground.project;
    let mut paths = BTreeSet::from([".github/workflows/deploy.yml".to_owned()]);
    let mut add = |path: &str| {
        paths.insert(format!("{}{path}", ground.prefix));
    };
    add("plumb.toml");
    add("**/.sops.yaml");
    for stack in &project.stacks {
        if stack.kind == StackKind::Cdk {
            return String::new();
        }
        match stack.template.rsplit_once('/') {
            Some((directory, _)) => add(&format!("{}/**", glob(directory))),
            None => add(&glob(&stack.template)),
        }
        // What is written with the workflow lies below its own folder.
        if !stack.template.starts_with(&format!("{LAMBDA}/")) {
            let Some(named) = paths::named(&stack.template, ground.read) else { return String::new() };
            for path in named {
                add(&glob(&path));
                add(&format!("{}/**", glob(&path)));
            }
        }
        for function in &stack.functions {
            add(&format!("{}/**", glob(&function.source)));
            for path in &function.also {
                add(&glob(path));
                add(&format!("{}/**", glob(path)));
            }
        }
    }
    for pattern in project.config.iter().flat_map(|tree| &tree.files).chain(project.secrets.iter().map(|it| &it.file)) {
        add(&glob(pattern));
    }
    if ground.builds_lambda {
        add(&format!("{LAMBDA}/**"));
    }
    let lines = paths.iter().map(|path| format!("      - {}\n", Value::from(path.as_str())));
    format!("    paths:\n{}", lines.collect::<String>())
}

/// A pattern of files as GitHub has it; what a placeholder stands for has no slash.
fn glob(pattern: &str) -> String {
    let mut glob = String::new();
    let mut rest = pattern.trim_end_matches('/');
    while let Some((before, hole)) = rest.split_once('{') {
        glob.push_str(before);
        glob.push('*');
        rest = hole.split_once('}').map_or("", |(_, after)| after);
    }
    glob + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse_project;

    fn of(project: &str, credentials: Credentials) -> (String, String) {
        let template = "Resources: {Api: {Type: 'AWS::Lambda::Function', Properties: {Code: ../elsewhere/api}}}";
        with(project, credentials, &[("stack/template.yaml", template)])
    }

    fn with(project: &str, credentials: Credentials, files: &[(&str, &str)]) -> (String, String) {
        let (project, _) = parse_project("plumb.toml", project).unwrap();
        let read = |path: &str| files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned());
        let ground = Ground { project: &project, prefix: "", builds_lambda: false, needs_age: true, read: &read };
        let workflows = Workflows { credentials, branch: "main".into() };
        (deploy(&ground, &workflows), check(&ground, &workflows))
    }

    const SHOP: &str = "name = \"shop\"\n[[config]]\nfiles = \"config/{service}/{env}/config.json\"\n\
        [[stacks]]\nname = \"shop-{env}\"\ntemplate = \"stack/template.yaml\"\n[[stacks.functions]]\nresource = \"Api\"\n\
        source = \"functions/api\"\n[environments.dev]\nregion = \"eu-central-1\"\n[environments.prod]\n\
        region = \"eu-west-1\"\naccount = \"471100004242\"\n";

    #[test]
    fn no_mark_is_left_and_no_input_is_a_part_of_a_script() {
        for credentials in [Credentials::Oidc, Credentials::Secrets] {
            let (deploy, check) = of(SHOP, credentials);
            for text in [&deploy, &check] {
                let marks = text.split('@').skip(1).step_by(2);
                let marks = marks.filter(|mark| !mark.is_empty() && mark.bytes().all(|byte| byte.is_ascii_uppercase()));
                assert_eq!(marks.collect::<Vec<_>>(), Vec::<&str>::new(), "{text}");
                assert_eq!(text.contains("id-token: write"), credentials == Credentials::Oidc);
                assert_eq!(text.contains("secrets.AWS_SECRET_KEY"), credentials == Credentials::Secrets);
                let mut script = None;
                for line in text.lines() {
                    let indent = line.len() - line.trim_start().len();
                    script = script.filter(|outer| indent > *outer || line.is_empty());
                    let is_run = line.trim_start().starts_with("run: ");
                    assert!(!((is_run || script.is_some()) && line.contains("${{")), "{line}");
                    script = script.or_else(|| is_run.then_some(indent));
                }
            }
            assert!(
                deploy.contains("--yes --unlock \"$REASON\"") && check.contains("--unlock \"dry run of #$NUMBER\"")
            );
        }
        let (deploy, _) = of(SHOP, Credentials::Oidc);
        assert!(deploy.contains(r#"'{"dev":"eu-central-1","prod":"eu-west-1"}'"#), "{deploy}");
        assert!(deploy.contains(r#"'{"prod":"arn:aws:iam::471100004242:role/shop-deploy"}'"#), "{deploy}");
    }

    #[test]
    fn a_push_counts_when_it_touches_code_template_or_config_and_always_where_code_may_be_anywhere() {
        let (deploy, _) = of(SHOP, Credentials::Oidc);
        for path in ["stack/**", "functions/api/**", "elsewhere/api/**", "config/*/*/config.json", "plumb.toml"] {
            assert!(deploy.contains(&format!("      - \"{path}\"\n")), "{path}: {deploy}");
        }
        let sam = SHOP.replace("stack/template.yaml\"", "template.yaml\"\nkind = \"sam\"");
        let beside = "Resources:\n  Fn: {Type: 'AWS::Serverless::Function', Properties: {CodeUri: ./src/}}\n  \
            In: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: parts/in.yaml}}\n";
        let inner = "Resources: {Fn: {Type: 'AWS::Lambda::Function', Properties: {Code: ../deep}}}";
        let filtered =
            |inner: &str| with(&sam, Credentials::Oidc, &[("template.yaml", beside), ("parts/in.yaml", inner)]).0;
        for path in ["template.yaml", "src/**", "parts/in.yaml", "deep/**"] {
            assert!(filtered(inner).contains(&format!("      - \"{path}\"\n")), "{path}: {}", filtered(inner));
        }
        assert!(!filtered(&inner.replace("../deep", "../../deep")).contains("paths:"), "outside of the project");
        assert!(!filtered("Resources: [").contains("paths:"), "a template that cannot be read");
        assert!(!with(SHOP, Credentials::Oidc, &[]).0.contains("paths:"), "one that is not there");
        let cdk = SHOP.replace("stack/template.yaml\"", "stack/template.yaml\"\nkind = \"cdk\"");
        assert!(!of(&cdk, Credentials::Oidc).0.contains("paths:"));
    }

    #[test]
    fn environments_wait_for_themselves_alone_and_what_cannot_be_put_back_keeps_no_value_from_being_pushed() {
        let (deploy, _) = of(SHOP, Credentials::Oidc);
        let workflow = crate::template::document("deploy.yml", &deploy).unwrap();
        assert_eq!(workflow.get("concurrency"), None, "a group of the whole would drop what waits for others");
        let job = &workflow["jobs"]["deploy"];
        assert_eq!(job["concurrency"]["group"], "deploy-${{ matrix.environment }}");
        assert_eq!(job["concurrency"]["cancel-in-progress"], false);
        let steps = job["steps"].as_array().unwrap();
        let at = |name: &str| steps.iter().position(|step| step["name"] == name).unwrap();
        assert!(at("Deploy stacks and code") < at("Push values") && at("Push values") < at("What is left"));
        assert_eq!(steps[at("What is left")]["if"], "${{ steps.deploy.outputs.left }}");
    }
}
