//! Stacks, guessed from `samconfig.toml`, `cdk.json` and templates.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::trees;
use crate::config::check;
use crate::config::pattern::Placeholder;
use crate::config::project::StackKind;

/// What `samconfig.toml` says: a section per environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SamConfig {
    pub(super) file: String,
    pub(super) sections: BTreeMap<String, SamSection>,
}

/// One section, from its `deploy.parameters` over its `global.parameters`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct SamSection {
    pub(super) stack_name: Option<String>,
    pub(super) template: Option<String>,
    pub(super) region: Option<String>,
    pub(super) profile: Option<String>,
    pub(super) capabilities: Vec<String>,
    pub(super) parameters: BTreeMap<String, String>,
}

/// A stack that seems to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GuessedStack {
    pub(super) name: String,
    pub(super) template: String,
    pub(super) kind: StackKind,
    /// What it was guessed from, for the comment.
    pub(super) from: String,
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) capabilities: Vec<String>,
    /// Logical ids and source directories.
    pub(super) functions: Vec<(String, String)>,
}

impl SamConfig {
    /// Reads `samconfig.toml` at the root. One that is no TOML is as good as none.
    pub(super) fn find(files: &[String], read: &dyn Fn(&str) -> Option<String>) -> Option<Self> {
        let file = files.iter().find(|file| file.as_str() == "samconfig.toml")?;
        let table: Table = read(file)?.parse().ok()?;
        let sections = table.iter().filter_map(|(name, value)| Some((name.clone(), SamSection::of(value.as_table()?))));
        Some(Self { file: file.clone(), sections: sections.collect() })
    }

    /// The stack's name with `{env}` in it, when the sections' names show where.
    fn stack_name(&self) -> Option<String> {
        self.pattern().or_else(|| self.sections.values().find_map(|section| section.stack_name.clone()))
    }

    /// `petshop-{env}`, from a section `prod` whose stack is `petshop-prod`.
    fn pattern(&self) -> Option<String> {
        self.sections.iter().filter(|(env, _)| *env != "default").find_map(|(env, section)| {
            let name = section.stack_name.as_ref()?;
            let is_word = |at: usize| {
                let (before, after) = (&name[..at], &name[at + env.len()..]);
                !before.ends_with(char::is_alphanumeric) && !after.starts_with(char::is_alphanumeric)
            };
            let places: Vec<usize> = name.match_indices(env.as_str()).map(|(at, _)| at).collect();
            // The `prod` of `product-prod` that is meant is the whole word.
            let at = places.iter().rev().find(|at| is_word(**at)).or(places.last())?;
            Some(format!("{}{{env}}{}", &name[..*at], &name[at + env.len()..]))
        })
    }

    /// The sections by the environment that they are of. That of `default` is told by its stack's name; what that of
    /// no environment says is nobody else's, since sam inherits nothing from it.
    pub(super) fn environments(&self) -> BTreeMap<&str, &SamSection> {
        let pattern = self.pattern();
        let of_default = |section: &'_ SamSection| -> Option<(usize, usize)> {
            let name = section.stack_name.as_deref()?;
            let (before, after) = pattern.as_deref()?.split_once("{env}")?;
            let env = name.strip_prefix(before)?.strip_suffix(after)?;
            let from = before.len();
            trees::is_name(env).then_some((from, from + env.len()))
        };
        let mut found = BTreeMap::new();
        for (name, section) in &self.sections {
            if name != "default" {
                if trees::is_name(name) {
                    found.insert(name.as_str(), section);
                }
            } else if let Some((from, to)) = of_default(section)
                && let Some(env) = section.stack_name.as_deref().and_then(|name| name.get(from..to))
            {
                found.entry(env).or_insert(section);
            }
        }
        found
    }

    /// What the stack is handed, with `{env}` for what is the environment's name.
    fn parameters(&self) -> BTreeMap<String, String> {
        let environments = self.environments();
        let default = self.sections.get("default");
        let named = environments.iter().find(|(_, section)| default.is_none_or(|default| default == **section));
        let section = default.or_else(|| self.sections.values().next());
        let own = section.map(|section| section.parameters.clone()).unwrap_or_default();
        let Some((env, _)) = named else { return own };
        own.into_iter().map(|(key, value)| (key, if value == *env { "{env}".to_owned() } else { value })).collect()
    }
}

impl SamSection {
    fn of(section: &Table) -> Self {
        let of = |command: &str| section.get(command)?.as_table()?.get("parameters")?.as_table();
        let get = |key: &str| of("deploy").and_then(|table| table.get(key)).or_else(|| of("global")?.get(key));
        let text = |key: &str| Some(get(key)?.as_str()?.to_owned()).filter(|text| !text.trim().is_empty());
        let words = |key: &str| match get(key) {
            Some(Value::String(text)) => text.split_whitespace().map(str::to_owned).collect(),
            Some(Value::Array(list)) => list.iter().filter_map(|each| Some(each.as_str()?.to_owned())).collect(),
            _ => Vec::new(),
        };
        let overrides = words("parameter_overrides").into_iter().filter_map(|word: String| {
            let (key, value) = word.split_once('=')?;
            let value = value.trim_matches(['"', '\'']);
            check::free(&Placeholder::ALL)(value).is_ok().then(|| (key.to_owned(), value.to_owned()))
        });
        Self {
            stack_name: text("stack_name").filter(|name| !name.contains(['{', '}'])),
            template: text("template_file").or_else(|| text("template")).filter(|path| check::path(&[])(path).is_ok()),
            region: text("region").filter(|region| check::region(region).is_ok()),
            profile: text("profile"),
            capabilities: words("capabilities").into_iter().filter(|word| check::capability(word).is_ok()).collect(),
            parameters: overrides.collect(),
        }
    }
}

/// The stacks among the files.
pub(super) fn find(
    files: &[String],
    read: &dyn Fn(&str) -> Option<String>,
    sam: Option<&SamConfig>,
) -> Vec<GuessedStack> {
    let mut stacks = Vec::new();
    let own = sam.and_then(|sam| sam.sections.values().find_map(|section| section.template.clone()));
    let candidates = files.iter().filter(|file| looks_like_template(file) || own.as_ref() == Some(*file));
    let candidates: Vec<(&String, String)> =
        candidates.filter_map(|file| Some((file, read(file).filter(|text| is_template(text))?))).collect();
    let alone = candidates.len() == 1;
    for (file, text) in candidates {
        let is_sam = text.contains("AWS::Serverless-2016-10-31");
        let beside = sam.filter(|_| own.as_ref().map_or(alone || !file.contains('/'), |own| own == file));
        let section = beside.and_then(|sam| sam.sections.get("default").or_else(|| sam.sections.values().next()));
        let known = beside.and_then(SamConfig::stack_name);
        let from = match (beside, &known) {
            (Some(sam), Some(_)) => format!("{} and {file}", sam.file),
            _ => format!("{file}; the stack's name is not known"),
        };
        stacks.push(GuessedStack {
            name: known.unwrap_or_else(|| format!("{}-{{env}}", stem(file))),
            template: file.clone(),
            kind: if is_sam { StackKind::Sam } else { StackKind::CloudFormation },
            from,
            parameters: beside.map(SamConfig::parameters).unwrap_or_default(),
            capabilities: section.map(|section| section.capabilities.clone()).unwrap_or_default(),
            functions: if is_sam { functions(&text, file) } else { Vec::new() },
        });
    }
    stacks.extend(cdk(files, read));
    let mut names = std::collections::BTreeSet::new();
    for stack in &mut stacks {
        let plain = stack.name.clone();
        let mut number = 2;
        while !names.insert(stack.name.clone()) {
            stack.name = format!("{plain}-{number}");
            number += 1;
        }
    }
    stacks
}

fn cdk(files: &[String], read: &dyn Fn(&str) -> Option<String>) -> Option<GuessedStack> {
    let file = files.iter().find(|file| file.as_str() == "cdk.json")?;
    let json: serde_json::Value = serde_json::from_str(&read(file)?).ok()?;
    let output =
        json.get("output").and_then(serde_json::Value::as_str).unwrap_or("cdk.out").trim_matches('/').to_owned();
    let output = if check::path(&[])(&output).is_ok() { output } else { "cdk.out".to_owned() };
    Some(GuessedStack {
        name: "Stack-{env}".into(),
        template: format!("{output}/Stack-{{env}}.template.json"),
        kind: StackKind::Cdk,
        from: format!("{file}; which stacks the app has is not known (`cdk list` says it)"),
        parameters: BTreeMap::new(),
        capabilities: Vec::new(),
        functions: Vec::new(),
    })
}

fn looks_like_template(file: &str) -> bool {
    let document = [".yaml", ".yml", ".json", ".template"].iter().any(|ending| file.ends_with(ending));
    let name = file.rsplit('/').next().unwrap_or_default().to_lowercase();
    let speaks = ["template", "stack", "cloudformation", "cfn"].iter().any(|word| name.contains(word));
    let directory =
        file.split('/').any(|part| ["cloudformation", "cfn", "stack", "stacks", "templates", "infra"].contains(&part));
    let foreign =
        file.split('/').any(|part| part.starts_with('.') || ["node_modules", "cdk.out", "tests"].contains(&part));
    document && !foreign && (speaks || directory) && check::path(&[])(file).is_ok() && !file.contains(['*', '?'])
}

fn is_template(text: &str) -> bool {
    text.contains("Resources") && (text.contains("AWSTemplateFormatVersion") || text.contains("AWS::"))
}

/// What the template is of: its own name, or for a `template.yaml` that of its directory.
fn stem(file: &str) -> String {
    let mut parts = file.rsplit('/');
    let name = parts.next().unwrap_or_default().split('.').next().unwrap_or_default();
    let own = if name == "template" { parts.next().unwrap_or("stack") } else { name };
    own.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '-' }).collect()
}

/// The functions of a SAM template in YAML with a `CodeUri` of their own, by their lines: a guess needs no parser,
/// and a template that is not laid out like this only gives no functions.
fn functions(text: &str, file: &str) -> Vec<(String, String)> {
    let directory = file.rsplit_once('/').map_or("", |(directory, _)| directory);
    let mut found = Vec::new();
    let mut resources = None;
    let mut current: Option<(String, bool)> = None;
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#')) {
        let indent = line.len() - line.trim_start().len();
        let trimmed = line.trim();
        if indent == 0 {
            resources = (trimmed == "Resources:").then_some(0);
            current = None;
        } else if let Some(level) = resources {
            if level == 0 || indent == level {
                resources = Some(indent);
                current = trimmed.strip_suffix(':').map(|id| (id.to_owned(), false));
            } else if let Some((id, is_function)) = &mut current {
                if trimmed == "Type: AWS::Serverless::Function" {
                    *is_function = true;
                }
                let source = trimmed.strip_prefix("CodeUri:").filter(|_| *is_function).map(|uri| path(directory, uri));
                let valid = |path: &String| {
                    check::path(&[])(path).is_ok() && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
                };
                if let Some(source) = source.filter(valid) {
                    found.push((id.clone(), source));
                }
            }
        }
    }
    found
}

/// A `CodeUri` as a path from the root.
fn path(directory: &str, uri: &str) -> String {
    let uri = uri.trim().trim_matches(['"', '\'']).trim_end_matches('/');
    let mut parts: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    for part in uri.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
