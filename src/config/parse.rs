//! From the text of `plumb.toml` to a [`Project`].
//!
//! `tests/fixtures/plumb.toml` is the annotated example of every key.

use std::collections::BTreeMap;

use super::check;
use super::error::Error;
use super::near::suggestion;
use super::origin::Origins;
use super::pattern::{Bindings, Placeholder, fill};
use super::project::{
    ConfigTree, Crypto, Environment, Function, IgnoreRule, Intake, Layers, ParameterType, Pipeline, Project,
    Protection, Redeploy, RedeployMethod, SecretFile, SecretShape, Stack, StackKind, Tier,
};
use super::reader::{Period, Section, Wrong, read};

use Placeholder::{Account, Env, Key, Layer, Region, Service};

/// Age in seconds beyond which a drift detection is run anew, when nothing is said: 15 minutes.
pub const DRIFT_MAX_AGE: u64 = 15 * 60;

/// Parses `plumb.toml`, from its name as it is shown and its text.
///
/// All mistakes are reported together in [`Error::Invalid`]: unknown keys, wrong types, bad values, and what
/// contradicts itself, each with its line, its key and the nearest valid name.
///
/// Every key:
/// ```toml
#[doc = include_str!("../../tests/fixtures/plumb.toml")]
/// ```
pub fn parse_project(file: &str, text: &str) -> Result<(Project, Origins), Error> {
    read(file, text, project)
}

fn project(root: &mut Section<'_, '_>) -> Project {
    let name = root.need("name", check::project);
    let state_bucket = root.section("state").and_then(|mut state| {
        let bucket = state.need("bucket", check::pattern(&[Env, Account, Region]));
        state.finish();
        Some(bucket).filter(|bucket| !bucket.is_empty())
    });
    let config: Vec<ConfigTree> = root.sections("config").into_iter().map(config_tree).collect();
    let secrets = root.sections("secrets").into_iter().map(secret_file).collect();
    let sections = root.sections("stacks");
    let is_piped = root.has("pipeline");
    let redeploy = root.section("redeploy").map(|section| redeploy(section, is_piped)).unwrap_or_default();
    let crypto = root.section("crypto").map(crypto).unwrap_or_default();
    let pipeline = root.section("pipeline").map(pipeline);
    let intake = root.section("intake").map(intake);
    let ignore = root.sections("ignore").into_iter().map(ignore).collect();
    let environments: Vec<Environment> =
        root.named("environments").into_iter().map(|(name, section)| environment(name, section, &config)).collect();
    if environments.is_empty() {
        root.complain_at(
            "environments",
            Wrong::new("no environment is described").hint("add a table such as [environments.dev]"),
        );
    }
    let stacks = stacks(sections, &environments);
    Project { name, state_bucket, config, secrets, stacks, redeploy, crypto, pipeline, intake, ignore, environments }
}

fn config_tree(mut section: Section<'_, '_>) -> ConfigTree {
    if !section.has("files") {
        section.complain_at(
            "files",
            Wrong::new("is missing").hint("such as files = \"config/{service}/{env}/config.json\""),
        );
    }
    let files = section.texts("files", check::files(&[Service, Env, Layer])).unwrap_or_default();
    if files.is_empty() && section.has("files") {
        section.complain_at("files", Wrong::new("is empty"));
    }
    let tree = ConfigTree {
        files,
        global: section.text_or("global", "global", check::layer),
        parameter: section.text_or("parameter", "/{service}/{layer}/{key}", check::parameter),
        joiner: section.text_or("joiner", "/", check::joiner),
        layers: section.choice_or("layers", ("separate", Layers::Separate), &[("merged", Layers::Merged)]),
        depth: section.whole("depth", &(1..16)).and_then(|depth| usize::try_from(depth).ok()),
        parameter_type: section.choice_or(
            "type",
            ("SecureString", ParameterType::SecureString),
            &[("String", ParameterType::String), ("StringList", ParameterType::StringList)],
        ),
        tier: section.choice_or("tier", ("standard", Tier::Standard), &[("advanced", Tier::Advanced)]),
        kms_key: section.text("kms_key", check::pattern(&[Service, Env, Account, Region])),
    };
    coherent_tree(&section, &tree);
    section.finish();
    tree
}

/// What the keys of a config tree say together.
fn coherent_tree(section: &Section<'_, '_>, tree: &ConfigTree) {
    let in_files = |hole: &str| tree.files.iter().any(|file| file.contains(hole));
    let layered = in_files("{env}") || in_files("{layer}");
    if layered && tree.layers == Layers::Separate && !tree.parameter.contains("{layer}") {
        let wrong = Wrong::new("lacks {layer}: the global layer and the environment's would have the same names");
        section.complain_at("parameter", wrong.hint("add {layer}, or set layers = \"merged\""));
    }
    let everywhere = !tree.files.is_empty() && tree.files.iter().all(|file| file.contains("{service}"));
    if tree.parameter.contains("{service}") && !everywhere && !tree.files.is_empty() {
        section.complain_at("parameter", Wrong::new("has {service}, which not every pattern of `files` tells"));
    }
    if everywhere && !tree.parameter.contains("{service}") {
        section.complain_at("parameter", Wrong::new("lacks {service}: the services' keys would have the same names"));
    }
    if section.has("kms_key") && tree.parameter_type != ParameterType::SecureString {
        section
            .complain_at("kms_key", Wrong::new("only a SecureString is encrypted").hint("set type = \"SecureString\""));
    }
}

fn secret_file(mut section: Section<'_, '_>) -> SecretFile {
    let secret = SecretFile {
        name: section.need("name", check::pattern(&[Service, Env, Key])),
        file: section.need("file", check::files(&[Service, Env])),
        shape: section.choice_or("shape", ("document", SecretShape::Document), &[("key", SecretShape::Key)]),
        kms_key: section.text("kms_key", check::pattern(&[Service, Env, Account, Region])),
    };
    let per_key = secret.name.contains("{key}");
    match secret.shape {
        SecretShape::Key if !per_key && !secret.name.is_empty() => {
            section.complain_at(
                "name",
                Wrong::new("lacks {key}: all keys would have one name").hint("add {key}, or set shape = \"document\""),
            );
        }
        SecretShape::Document if per_key => {
            section.complain_at(
                "name",
                Wrong::new("has {key}, but the whole document is one secret").hint("set shape = \"key\""),
            );
        }
        _ => {}
    }
    if secret.name.contains("{service}") && !secret.file.contains("{service}") {
        section.complain_at("name", Wrong::new("has {service}, which `file` does not tell"));
    }
    section.finish();
    secret
}

fn stacks(sections: Vec<Section<'_, '_>>, environments: &[Environment]) -> Vec<Stack> {
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    let mut stacks = Vec::new();
    for section in sections {
        let place = section.path.clone();
        stacks.push(stack(section, environments, |section, stack| {
            let here = environments
                .iter()
                .filter(|environment| stack.environments.is_empty() || stack.environments.contains(&environment.name));
            let clash = here.into_iter().find_map(|environment| {
                let name = fill(&stack.name, &Bindings::env(&environment.name));
                let earlier = taken.insert(format!("{name} in {}", environment.name), place.clone())?;
                Some((name, earlier, environment.name.clone()))
            });
            if let Some((name, earlier, environment)) = clash.filter(|_| !stack.name.is_empty()) {
                section.complain_at(
                    "name",
                    Wrong::new(format!("\"{name}\" is the name of {earlier} too (in {environment})")),
                );
            }
        }));
    }
    stacks
}

fn stack(
    mut section: Section<'_, '_>,
    environments: &[Environment],
    unique: impl FnOnce(&Section<'_, '_>, &Stack),
) -> Stack {
    let names = || environments.iter().map(|environment| environment.name.as_str());
    let holes = [Service, Env, Account, Region];
    let stack = Stack {
        name: section.need("name", check::pattern(&holes)),
        template: section.need("template", check::path(&[Service, Env])),
        kind: section.choice_or(
            "kind",
            ("cloudformation", StackKind::CloudFormation),
            &[("sam", StackKind::Sam), ("cdk", StackKind::Cdk)],
        ),
        synth: section.texts("synth", check::free(&[Service, Env])),
        parameters: section.map("parameters", check::free(&holes)),
        tags: section.map("tags", check::free(&holes)),
        capabilities: section.texts("capabilities", check::capability).unwrap_or_default(),
        functions: section.sections("functions").into_iter().map(function).collect(),
        environments: section
            .texts("environments", |name| {
                if names().any(|known| known == name) {
                    return Ok(());
                }
                Err(Wrong::new(format!("\"{name}\" is no environment of this file")).hint(suggestion(name, names())))
            })
            .unwrap_or_default(),
    };
    if stack.name.contains("{service}") != stack.template.contains("{service}") && !stack.template.is_empty() {
        section.complain_at("template", Wrong::new("`name` and `template` must both have {service}, or neither"));
    }
    if section.has("synth") && stack.kind != StackKind::Cdk {
        section.complain_at("synth", Wrong::new("only the CDK writes an assembly").hint("set kind = \"cdk\""));
    }
    unique(&section, &stack);
    section.finish();
    stack
}

fn function(mut section: Section<'_, '_>) -> Function {
    let function = Function {
        resource: section.need("resource", |id| {
            if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return Ok(());
            }
            Err(Wrong::new(format!("\"{id}\" is not a logical id")).hint("letters and digits, as in the template"))
        }),
        source: section.need("source", check::path(&[Service, Env])),
        also: section.texts("also", check::path(&[Service, Env])).unwrap_or_default(),
        alias: section.text("alias", check::pattern(&[Env])),
        artifact_parameter: section.text("artifact_parameter", check::some),
        build: section.texts("build", check::free(&[Service, Env])),
        output: section.text("output", check::pattern(&[Service, Env])),
    };
    if section.has("build") && !section.has("output") {
        section.complain_at("output", Wrong::new("is missing: what does `build` write?"));
    }
    section.finish();
    function
}

fn redeploy(mut section: Section<'_, '_>, is_piped: bool) -> Redeploy {
    let redeploy = Redeploy {
        method: section.choice_or(
            "method",
            ("change-set", RedeployMethod::ChangeSet),
            &[("github", RedeployMethod::GitHub), ("pipeline", RedeployMethod::Pipeline)],
        ),
        repository: section.text("repository", check::repository),
        workflow: section.text("workflow", check::workflow),
        git_ref: section.text("ref", check::pattern(&[Env])),
        api: section.text("api", check::secure_url),
        secret: section.text("secret", check::pattern(&[Env])),
    };
    if redeploy.method == RedeployMethod::Pipeline && !is_piped {
        section.complain_at("method", Wrong::new("there is no [pipeline] to do it").hint("add one, with its stack"));
    }
    section.finish();
    redeploy
}

fn crypto(mut section: Section<'_, '_>) -> Crypto {
    let crypto = Crypto {
        endpoint: section.text("endpoint", |text| {
            check::pattern(&[Env, Account, Region])(text)?;
            check::url(text)
        }),
        output: section.text("output", check::output),
    };
    section.finish();
    crypto
}

fn pipeline(mut section: Section<'_, '_>) -> Pipeline {
    let pipeline = Pipeline {
        stack: section.need("stack", check::pattern(&[Env, Account, Region])),
        project: section.text("project", check::registered),
    };
    section.finish();
    pipeline
}

fn intake(mut section: Section<'_, '_>) -> Intake {
    let intake = Intake { stack: section.need("stack", check::pattern(&[Env, Account, Region])) };
    section.finish();
    intake
}

fn ignore(mut section: Section<'_, '_>) -> IgnoreRule {
    let kinds = ["stack", "code", "parameter", "secret"].map(|kind| (kind, kind));
    let rule = IgnoreRule {
        kind: section.choice("kind", &kinds).map(str::to_owned),
        name: section.need("name", check::glob),
        path: section.text("path", check::some),
        reason: section.text("reason", check::some),
    };
    section.finish();
    rule
}

fn environment(name: String, mut section: Section<'_, '_>, trees: &[ConfigTree]) -> Environment {
    if let Err(wrong) = check::environment(&name) {
        section.complain(wrong);
    }
    if trees.iter().any(|tree| tree.global == name) {
        let wrong = Wrong::new(format!("\"{name}\" is already the name of the layer that all environments share"));
        section.complain(wrong.hint("rename it, or set `global` in [[config]]"));
    }
    let protection =
        if check::like_production(&name) { ("read-only", Protection::ReadOnly) } else { ("open", Protection::Open) };
    let protections =
        [("open", Protection::Open), ("confirm", Protection::Confirm), ("read-only", Protection::ReadOnly)];
    let environment = Environment {
        profile: section.text("profile", check::some),
        write_profile: section.text("write_profile", check::some),
        region: section.text("region", check::region),
        endpoint: section.text("endpoint_url", check::url),
        account: section.text("account", check::account),
        git_ref: section.text("ref", check::some),
        protection: section.choice_or("protection", protection, &protections),
        drift_max_age: match section.period("drift_max_age") {
            Some(Period::Never) => None,
            Some(Period::Seconds(seconds)) => Some(seconds),
            None => Some(DRIFT_MAX_AGE),
        },
        name,
    };
    section.finish();
    environment
}

#[cfg(test)]
mod tests;
