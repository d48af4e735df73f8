//! A first `plumb.toml`, guessed from what lies in a repository.
//!
//! Pure: is handed the listing of the files and a way to read one. Every guess has a comment that says what it was
//! guessed from, because a wrong guess that looks like a fact costs more than none.

mod stacks;
mod trees;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use stacks::{GuessedStack, SamConfig};
use trees::Tree;

use super::project::StackKind;

/// What the text of a first `plumb.toml` holds beside what is guessed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Extra<'a> {
    /// The command that wrote it, for the head of the file.
    pub by: &'a str,
    /// Whether the state bucket is named, and not only shown.
    pub bucket: bool,
    /// The config tree where none was found, as TOML.
    pub tree: Option<&'a str>,
    /// Further sections, as TOML.
    pub sections: &'a str,
    /// The environments where none were found.
    pub environments: &'a [String],
    /// Their region, where nothing says another one.
    pub region: Option<&'a str>,
    /// Their endpoint.
    pub endpoint: Option<&'a str>,
    /// The ref that they follow.
    pub reference: Option<&'a str>,
}

/// The text of a `plumb.toml` from what is found alone; see [`guess_with`].
#[must_use]
pub fn guess(name: &str, files: &[String], read: &dyn Fn(&str) -> Option<String>) -> String {
    guess_with(name, files, read, Extra { by: "plumb init --minimal", ..Extra::default() })
}

/// The text of a `plumb.toml` for a project called `name`, from the paths of a repository and the contents of the
/// files that tell something: `samconfig.toml`, `cdk.json`, `.sops.yaml`, templates, workflows.
///
/// The text always parses. Where nothing was found to guess from, it holds an example in comments.
#[must_use]
pub fn guess_with(name: &str, files: &[String], read: &dyn Fn(&str) -> Option<String>, extra: Extra<'_>) -> String {
    // A name with a line break in it would end the comment that it stands in.
    let printable = |text: &str| !text.chars().any(char::is_control);
    let files: Vec<String> = files.iter().filter(|file| printable(file)).cloned().collect();
    let files = files.as_slice();
    let name = &project(name);

    let sam = SamConfig::find(files, read);
    let mut trees = trees::find(files, &encrypted_under(files, read));
    for tree in &mut trees {
        tree.plain = !tree.encrypted && read(&tree.example).is_some_and(|text| !has_sops_metadata(&text));
    }
    let stacks = stacks::find(files, read, sam.as_ref());
    let environments = environments(sam.as_ref(), &trees, extra.environments);

    let mut out = String::new();
    let _ = writeln!(out, "# Guessed by `{}`: look at each comment, and correct what is wrong.\n", extra.by);
    let _ = writeln!(out, "# From the name of the directory.\nname = {}\n", quoted(name));
    let bucket = format!("{}-plumb-{{account}}-{{region}}", bucket(name));
    if extra.bucket {
        let _ = writeln!(
            out,
            "# Receipts and artifacts; it is made when it is first needed.\n[state]\nbucket = {}\n",
            quoted(&bucket)
        );
    } else {
        let _ = writeln!(
            out,
            "# Where receipts go; without a bucket nothing can be recorded. Nothing was found to guess it from."
        );
        let _ = writeln!(out, "# [state]\n# bucket = \"{bucket}\"\n");
    }
    for tree in &trees {
        write_tree(&mut out, tree);
    }
    if let (Some(tree), true) = (extra.tree, trees.is_empty()) {
        out.push_str(tree);
        out.push('\n');
    } else if trees.is_empty() {
        out.push_str(
            "# No config tree was found: no documents that differ only in the name of an environment in their path.\n",
        );
        out.push_str("# [[config]]\n# files = \"config/{service}/{env}/config.json\"\n\n");
    }
    for stack in &stacks {
        write_stack(&mut out, stack);
    }
    if stacks.is_empty() && extra.sections.is_empty() {
        out.push_str(
            "# No template was found.\n# [[stacks]]\n# name = \"example-{env}\"\n# template = \"template.yaml\"\n\n",
        );
    }
    out.push_str(extra.sections);
    write_redeploy(&mut out, files, read);
    let named: BTreeSet<&String> = trees.iter().flat_map(|tree| &tree.environments).collect();
    let further: Vec<&str> =
        named.into_iter().filter(|name| !environments.contains_key(*name)).map(String::as_str).collect();
    if let (Some(sam), false) = (&sam, further.is_empty()) {
        let _ = writeln!(out, "# Paths also speak of {}, which {} does not have.\n", further.join(", "), sam.file);
    }
    write_environments(&mut out, &environments, sam.as_ref(), extra);
    out
}

/// The environments with what they were guessed from.
fn environments(sam: Option<&SamConfig>, trees: &[Tree], wanted: &[String]) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    if let Some(sam) = sam {
        for name in sam.environments().into_keys() {
            found.insert(name.to_owned(), format!("From {}.", sam.file));
        }
    }
    // Where samconfig.toml says which there are, a directory called `test` is no environment.
    if !found.is_empty() {
        return found;
    }
    for tree in trees {
        for name in &tree.environments {
            found.entry(name.clone()).or_insert_with(|| format!("From paths such as {}.", tree.example));
        }
    }
    if found.is_empty() {
        found.extend(wanted.iter().map(|name| (name.clone(), "As it was asked for.".to_owned())));
    }
    if found.is_empty() {
        found.insert("dev".into(), "No environment was found; one is needed.".into());
    }
    found
}

/// The `path_regex`es of `.sops.yaml`, reduced to what a file must hold in its path to be meant.
fn encrypted_under(files: &[String], read: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let rules = files.iter().find(|file| file.as_str() == ".sops.yaml").and_then(|file| read(file)).unwrap_or_default();
    let regexes = rules.lines().filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("path_regex:"));
    let literal = |regex: &str| {
        let regex = regex.trim().trim_matches(['"', '\'']).trim_start_matches('^').replace("\\.", ".");
        regex
            .split(['(', '[', '*', '+', '?', '$', '|', '\\'])
            .next()
            .unwrap_or_default()
            .trim_end_matches('.')
            .to_owned()
    };
    regexes.map(literal).filter(|literal| !literal.is_empty()).collect()
}

/// Whether a document carries the metadata that sops leaves in what it encrypts, in JSON or YAML.
fn has_sops_metadata(text: &str) -> bool {
    text.lines().any(|line| line.starts_with("sops:") || line.trim_start().starts_with("\"sops\""))
        || text.contains("ENC[AES256_GCM,")
}

fn write_tree(out: &mut String, tree: &Tree) {
    let encrypted = if tree.encrypted { "; .sops.yaml says that they are encrypted" } else { "" };
    let _ = writeln!(out, "# From {} files such as {}{encrypted}.", tree.count, tree.example);
    if tree.secrets {
        let _ = writeln!(
            out,
            "# The path speaks of secrets, so each key becomes a secret; how they are named is not known."
        );
        let _ = writeln!(
            out,
            "[[secrets]]\nname = {}\nfile = {}\nshape = \"key\"\n",
            quoted(&tree.secret_name()),
            quoted(&tree.pattern)
        );
        return;
    }
    let _ = writeln!(out, "[[config]]\nfiles = {}", quoted(&tree.pattern));
    if let Some(global) = &tree.global {
        let _ = writeln!(out, "# Looks like the layer that all environments share.\nglobal = {}", quoted(global));
    }
    let _ = writeln!(
        out,
        "# How parameters are named is not known; this is the default.\nparameter = {}",
        quoted(tree.parameter_name())
    );
    if tree.plain {
        let _ = writeln!(out, "# The files are not encrypted, so their values are no secrets.\ntype = \"String\"");
    }
    out.push('\n');
}

fn write_stack(out: &mut String, stack: &GuessedStack) {
    let _ = writeln!(out, "# From {}.", stack.from);
    let _ = writeln!(out, "[[stacks]]\nname = {}\ntemplate = {}", quoted(&stack.name), quoted(&stack.template));
    let kind = match stack.kind {
        StackKind::CloudFormation => "cloudformation",
        StackKind::Sam => "sam",
        StackKind::Cdk => "cdk",
    };
    let _ = writeln!(out, "kind = \"{kind}\"");
    if !stack.parameters.is_empty() {
        let each: Vec<String> =
            stack.parameters.iter().map(|(key, value)| format!("{} = {}", quoted(key), quoted(value))).collect();
        let _ = writeln!(out, "parameters = {{ {} }}", each.join(", "));
    }
    if !stack.capabilities.is_empty() {
        let each: Vec<String> = stack.capabilities.iter().map(|text| quoted(text)).collect();
        let _ = writeln!(out, "capabilities = [{}]", each.join(", "));
    }
    for (resource, source) in &stack.functions {
        let _ = writeln!(out, "# From its CodeUri in the template. Which alias is in use is not known.");
        let _ = writeln!(out, "[[stacks.functions]]\nresource = {}\nsource = {}", quoted(resource), quoted(source));
    }
    out.push('\n');
}

fn write_redeploy(out: &mut String, files: &[String], read: &dyn Fn(&str) -> Option<String>) {
    let workflow = files.iter().filter(|file| file.starts_with(".github/workflows/")).find(|file| {
        let named = file.to_lowercase();
        let deploys = named.contains("deploy") || named.contains("release");
        deploys && read(file).is_some_and(|text| text.contains("workflow_dispatch"))
    });
    if let Some(workflow) = workflow {
        let file = workflow.rsplit('/').next().unwrap_or_default();
        let _ = writeln!(
            out,
            "# From {workflow}, which can be started by hand.\n[redeploy]\nmethod = \"github\"\nworkflow = {}\n",
            quoted(file)
        );
    }
}

fn write_environments(
    out: &mut String,
    environments: &BTreeMap<String, String>,
    sam: Option<&SamConfig>,
    extra: Extra<'_>,
) {
    for (name, from) in environments {
        let _ = writeln!(out, "# {from}\n[environments.{}]", super::reader::quoted(name));
        let access = sam.and_then(|sam| Some((sam, *sam.environments().get(name.as_str())?)));
        if let Some((sam, section)) = access {
            for (key, value) in [("profile", &section.profile), ("region", &section.region)] {
                if let Some(value) = value {
                    let _ = writeln!(out, "# From {}.\n{key} = {}", sam.file, quoted(value));
                }
            }
        }
        let region = extra.region.filter(|_| access.is_none_or(|(_, section)| section.region.is_none()));
        for (key, value) in [("region", region), ("endpoint_url", extra.endpoint), ("ref", extra.reference)] {
            if let Some(value) = value {
                let _ = writeln!(out, "{key} = {}", quoted(value));
            }
        }
        if super::check::like_production(name) {
            let _ = writeln!(
                out,
                "# Named like a production, so nothing is written to it unless this says \"confirm\" or \"open\".\nprotection = \"read-only\""
            );
        }
        let _ = writeln!(
            out,
            "# With the account's id here, a mistaken profile cannot write to another account.\n# account = \"123456789012\"\n"
        );
    }
}

/// The nearest name that a project may have.
fn project(name: &str) -> String {
    let allowed = |char: char| char.is_ascii_alphanumeric() || "-_.".contains(char);
    let name: String = name.chars().map(|char| if allowed(char) { char } else { '-' }).collect();
    let name = name.trim_start_matches(|char: char| !char.is_ascii_alphanumeric()).trim_end_matches('-');
    if name.is_empty() { "project".to_owned() } else { name.to_owned() }
}

fn bucket(name: &str) -> String {
    let allowed = |char: char| if char.is_ascii_lowercase() || char.is_ascii_digit() { char } else { '-' };
    let bucket: String = name.to_lowercase().chars().map(allowed).collect();
    let bucket = bucket.trim_matches('-');
    if bucket.is_empty() { "project".to_owned() } else { bucket.to_owned() }
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests;
