//! Sections of a project file: the stacks of the functions that Plumb carries, and how the project is redeployed.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::plan::{LAMBDA, Wish};
use crate::config::Project;
use crate::config::mapping::sort_files;

/// The templates, from the project's root.
pub(super) const CRYPTO: &str = "crypto-api/lambda/template.yaml";
pub(super) const LOOP: &str = "crypto-api/lambda/integrity.yaml";

/// So many stacks one loop watches, and so many prefixes of secrets.
const WATCHED: usize = 4;

/// How the workflows that are written redeploy.
pub(super) const REDEPLOY: &str = "# The workflow in .github/workflows, which `plumb redeploy` and the loop start.\n[redeploy]\n\
     method = \"github\"\nworkflow = \"deploy.yml\"\n\n";

/// Whether a project file says how it is redeployed.
pub(super) fn says_redeploy(text: &str) -> bool {
    toml::from_str::<toml::Table>(text).is_ok_and(|table| table.contains_key("redeploy"))
}

/// A project file with a section more.
pub(super) fn added(text: &str, section: &str) -> String {
    format!("{}\n\n{}\n", text.trim_end(), section.trim_end())
}

/// The stack of the crypto API.
pub(super) fn crypto(project: Option<&Project>, wish: &Wish) -> String {
    let name = project.map_or("app", |project| project.name.as_str()).replace(['.', '_'], "-");
    let (bucket, endpoint) = (bucket(project, &name), endpoint(wish));
    let mut text = format!(
        "# The crypto API: {LAMBDA}/lambda/README.md. Its access logs need API Gateway's logging role in the account.\n\
         [[stacks]]\nname = \"{name}-crypto-{{env}}\"\ntemplate = \"{CRYPTO}\"\n\
         parameters = {{ ArtifactBucket = \"{bucket}\", AccessLogs = false{endpoint} }}\ncapabilities = [\"CAPABILITY_IAM\"]\n"
    );
    for (resource, built) in [("Crypto", "crypto"), ("Rotate", "rotate")] {
        text.push_str(&function(resource, built, "alias = \"live\"\n"));
    }
    if project.is_none_or(|project| !project.crypto.is_named()) {
        let _ = writeln!(text, "\n[crypto]\noutput = \"{name}-crypto-{{env}}/CryptoEndpoint\"");
    }
    text + "\n"
}

/// The stack of the loop, apart from those that it watches; `None` where there are none. Only what is told of changes is
/// asked for at first: that it heals is the team's own decision. What it does not watch is noted.
pub(super) fn healing(
    project: &Project,
    wish: &Wish,
    there: &[&str],
    deployers: &str,
    notes: &mut Vec<String>,
) -> Option<String> {
    let name = project.name.as_str();
    let mut stacks: Vec<&str> = project.stacks.iter().map(|stack| stack.name.as_str()).collect();
    if stacks.is_empty() {
        return None;
    }
    let mut secrets: Vec<String> = secrets(project).into_iter().collect();
    let left = stacks.split_off(stacks.len().min(WATCHED));
    if !left.is_empty() {
        notes.push(format!(
            "the loop watches {WATCHED} stacks, and not {}: another section like its own, under another name, watches them",
            left.join(", ")
        ));
    }
    let left = secrets.split_off(secrets.len().min(WATCHED));
    if !left.is_empty() {
        notes.push(format!("the loop knows {WATCHED} prefixes of secrets, and not {}", left.join(", ")));
    }
    let mut parameters = vec![
        ("ArtifactBucket", bucket(Some(project), name)),
        ("StateBucket", bucket(Some(project), name)),
        ("Project", name.to_owned()),
        ("Environment", "{env}".to_owned()),
        ("Stacks", stacks.join(",")),
        ("ParameterPrefixes", prefixes(project, there).into_iter().collect::<Vec<_>>().join(",")),
        ("SecretPrefixes", secrets.join(",")),
        ("Deployers", deployers.to_owned()),
        ("GithubSecretName", format!("{name}-{{env}}-github")),
        ("GitRef", wish.workflows.as_ref().map_or("main", |workflows| workflows.branch.as_str()).to_owned()),
        ("Mode", "notify-only".to_owned()),
    ];
    parameters.retain(|(_, value)| !value.is_empty());
    let parameters: Vec<String> = parameters.iter().map(|(key, value)| format!("{key} = \"{value}\"")).collect();
    let (parameters, endpoint, stack) = (parameters.join(", "), endpoint(wish), name.replace(['.', '_'], "-"));
    let text = format!(
        "# The loop that keeps live true to git: {LAMBDA}/lambda/README.md. It tells of changes; Mode = \"heal\" has it ask for\n\
         # redeploys, with a token in the secret that its stack makes: once it is deployed, plumb init --github-token --env ENV\n\
         # puts one there (MakesGithubSecret = \"false\" where the secret is there already). Deployers is who rolls out: the role\n\
         # of plumb bootstrap, or the user whose keys the workflow has.\n\
         [[stacks]]\nname = \"{stack}-{{env}}-loop\"\ntemplate = \"{LOOP}\"\n\
         parameters = {{ {parameters}{endpoint} }}\ncapabilities = [\"CAPABILITY_IAM\"]\n"
    );
    Some(text + &function("Integrity", "integrity", ""))
}

/// A function of the carried crate, built by plumb.
fn function(resource: &str, built: &str, more: &str) -> String {
    format!(
        "[[stacks.functions]]\nresource = \"{resource}\"\nsource = \"{LAMBDA}/lambda/src\"\n\
         also = [\"{LAMBDA}/Cargo.toml\", \"{LAMBDA}/Cargo.lock\", \"{LAMBDA}/lambda/Cargo.toml\"]\n{more}\
         artifact_parameter = \"{resource}CodeKey\"\nbuild = [\"plumb\", \"lambda\", \"build\", \"--source\", \
         \"{LAMBDA}\", \"--out\", \"{LAMBDA}/dist\", \"--unpacked\"]\noutput = \"{LAMBDA}/dist/{built}\"\n"
    )
}

fn bucket(project: Option<&Project>, name: &str) -> String {
    let stated = project.and_then(|project| project.state_bucket.clone());
    stated.unwrap_or_else(|| format!("{}-plumb-{{account}}-{{region}}", name.to_lowercase()))
}

fn endpoint(wish: &Wish) -> String {
    wish.endpoint.as_ref().map(|url| format!(", EndpointUrl = \"{url}\"")).unwrap_or_default()
}

/// What the names of the project's parameters begin with, for each service that has documents.
fn prefixes(project: &Project, there: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for environment in &project.environments {
        for file in sort_files(project, &environment.name, there).config {
            let Some(tree) = project.config.get(file.tree_index) else { continue };
            let layer = if file.global { tree.global.as_str() } else { "{env}" };
            let start = tree.parameter.split("{key}").next().unwrap_or_default();
            let start = start.replace("{service}", &file.service).replace("{layer}", layer);
            found.extend(known(&start, project));
        }
    }
    found
}

/// The same of its secrets.
fn secrets(project: &Project) -> BTreeSet<String> {
    let start = |name: &str| known(name.split("{key}").next().unwrap_or_default(), project);
    project.secrets.iter().filter_map(|secret| start(&secret.name)).collect()
}

/// A beginning that means this project; `None` of one that would mean everything.
fn known(start: &str, project: &Project) -> Option<String> {
    let start = start.replace("{project}", &project.name);
    let closed = start.replace("{env}", "").replace("{account}", "").replace("{region}", "");
    let is_known = !closed.contains('{') && closed.bytes().any(|byte| byte.is_ascii_alphanumeric());
    is_known.then_some(start)
}
