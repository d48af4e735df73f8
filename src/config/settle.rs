//! The settings in use: flags over environment variables over the operator's config over the project file over defaults.

mod layers;

use std::collections::BTreeMap;
use std::path::PathBuf;

use layers::{Layers, said};

use super::error::Error;
use super::load::PROJECT_FILE;
use super::operator::Operator;
use super::origin::{Origin, Origins};
use super::parse::DRIFT_MAX_AGE;
use super::project::{Crypto, Environment, Project, Protection, Redeploy};

/// What was said on the command line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Flags {
    /// `--env`
    pub env: Option<String>,
    /// `--ref`
    pub git_ref: Option<String>,
    /// `--project`: a project file, or the directory that it lies in.
    pub project: Option<String>,
    /// `--profile`
    pub profile: Option<String>,
    /// `--write-profile`
    pub write_profile: Option<String>,
    /// `--region`
    pub region: Option<String>,
    /// `--endpoint-url`
    pub endpoint_url: Option<String>,
    /// `--stack`: look at this stack alone, without a project.
    pub stack: Option<String>,
    /// `--path`: look at the parameters below this path alone, without a project.
    pub path: Option<String>,
    /// `--theme`
    pub theme: Option<String>,
}

/// The environment variables, handed in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Environ(pub BTreeMap<String, String>);

impl Environ {
    /// Those of this process; what is not UTF-8 is left out.
    #[must_use]
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(std::env::vars_os().filter_map(text).collect())
    }

    /// A variable that is set and not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// The settings in use.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The project; without a project file, and with `--stack` or `--path`, one that holds nothing but its name
    /// and its environments.
    pub project: Project,
    /// The chosen environment, everything resolved. `region: None` leaves it to the profile, `git_ref: None` to the
    /// upstream of the current branch.
    pub environment: Environment,
    /// All environments of the project, resolved by the same rules, in the order of the file.
    pub environments: Vec<Environment>,
    /// What the operator prefers, environment variables and flags already applied.
    pub operator: Operator,
    /// What to look at without a project.
    pub adhoc: Option<Adhoc>,
    /// False when `NO_COLOR` is set.
    pub color: bool,
    /// Each value in use with where it came from, for `plumb config sources`.
    pub sources: Vec<SourceLine>,
    /// The directory of the project file; `None`: there is none. Paths of the project begin here.
    pub root: Option<PathBuf>,
    /// The name of the project file in that directory.
    pub file: String,
}

/// What to look at without a project, by `--stack` and `--path`; at least one is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adhoc {
    /// A stack's name.
    pub stack: Option<String>,
    /// A prefix of parameter names.
    pub path: Option<String>,
}

/// A value in use with where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceLine {
    /// Its key: `environment`, `region`, `config[0].files`, `keys.reveal`.
    pub key: String,
    /// The value as text.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

impl Settings {
    /// Where a value came from, by its key in [`Settings::sources`].
    #[must_use]
    pub fn origin(&self, key: &str) -> Origin {
        self.sources.iter().find(|line| line.key == key).map_or(Origin::Default, |line| line.origin.clone())
    }

    /// An environment of the project by its name, everything resolved.
    #[must_use]
    pub fn environment(&self, name: &str) -> Option<&Environment> {
        self.environments.iter().find(|environment| environment.name == name)
    }
}

/// Settles what is in use, from what each layer says.
///
/// `operator` and `project` are the parsed files with their origins; `None`: there is no such file. Without a
/// project there must be `--stack` or `--path`, and everything but reading is refused.
pub fn settle(
    flags: &Flags,
    environ: &Environ,
    operator: Option<(Operator, Origins)>,
    project: Option<(Project, Origins)>,
) -> Result<Settings, Error> {
    let (mut operator, operator_origins) = operator.unwrap_or_default();
    nothing_is_empty(flags)?;
    let path = flags.path.as_deref().map(parameter_path);
    let adhoc =
        (flags.stack.is_some() || path.is_some()).then(|| Adhoc { stack: flags.stack.clone(), path: path.clone() });
    if adhoc.is_none() && project.is_none() {
        return Err(Error::NoProject { searched: environ.get("PWD").unwrap_or("this directory").to_owned() });
    }
    let has_file = project.is_some();
    let (mut project, project_origins) =
        project.unwrap_or_else(|| (nameless(flags, environ, &operator), Origins::default()));
    let layers = Layers {
        flags,
        environ,
        operator: &operator,
        operator_origins: &operator_origins,
        project: &project,
        project_origins: &project_origins,
    };

    let (index, chosen) = layers.choose()?;
    let mut sources =
        vec![SourceLine { key: "environment".into(), value: project.environments[index].name.clone(), origin: chosen }];
    let (environment, lines) = layers.resolve(&project.environments[index])?;
    sources.extend(lines);
    let mut environments = Vec::new();
    for each in &project.environments {
        environments.push(layers.resolve(each)?.0);
    }
    let mut environment = environment;
    if let Some(adhoc) = &adhoc {
        for each in environments.iter_mut().chain([&mut environment]) {
            each.protection = Protection::ReadOnly;
        }
        readonly_sources(&mut sources, adhoc);
        project = Project { name: adhoc_name(adhoc), environments: project.environments, ..empty() };
    }
    sources.extend(prefer(&mut operator, &operator_origins, flags, environ));
    let color = environ.get("NO_COLOR").is_none();
    let because = if color { Origin::Default } else { Origin::Variable("NO_COLOR") };
    sources.push(SourceLine {
        key: "color".into(),
        value: if color { "auto" } else { "never" }.into(),
        origin: because,
    });
    if has_file && adhoc.is_none() {
        sources.extend(rest_of(&project_origins));
    }
    Ok(Settings {
        project,
        environment,
        environments,
        operator,
        adhoc,
        color,
        sources,
        root: None,
        file: PROJECT_FILE.to_owned(),
    })
}

/// What is said and says nothing, as by a variable that is not set in a script, must not mean everything.
fn nothing_is_empty(flags: &Flags) -> Result<(), Error> {
    let given = [
        ("--env", &flags.env, ""),
        ("--ref", &flags.git_ref, ""),
        ("--profile", &flags.profile, ""),
        ("--write-profile", &flags.write_profile, ""),
        ("--region", &flags.region, ""),
        ("--endpoint-url", &flags.endpoint_url, ""),
        ("--stack", &flags.stack, ""),
        ("--path", &flags.path, "; / is every parameter of the account and region"),
        ("--theme", &flags.theme, ""),
    ];
    for (flag, value, hint) in given {
        if value.as_deref().is_some_and(|value| value.trim().is_empty()) {
            return Err(Error::BadValue { origin: Origin::Flag(flag), why: format!("is empty{hint}") });
        }
    }
    Ok(())
}

/// A path as Parameter Store writes it: each one begins with `/`, and none ends with one.
fn parameter_path(given: &str) -> String {
    format!("/{}", given.trim().trim_matches('/'))
}

/// Applies flags and environment variables to what the operator prefers.
fn prefer(operator: &mut Operator, origins: &Origins, flags: &Flags, environ: &Environ) -> Vec<SourceLine> {
    let mut lines = Vec::new();
    for (key, sourced, slot, unset) in [
        ("theme", said(environ, "--theme", flags.theme.as_ref(), &["PLUMB_THEME"]), &mut operator.theme, "(built in)"),
        ("editor", said(environ, "", None, &["PLUMB_EDITOR", "VISUAL", "EDITOR"]), &mut operator.editor, "vi"),
        ("pager", said(environ, "", None, &["PLUMB_PAGER", "PAGER"]), &mut operator.pager, "less -FRX"),
    ] {
        let origin = match sourced {
            Some((value, origin)) => {
                *slot = Some(value);
                origin
            }
            None => origins.of(key),
        };
        lines.push(SourceLine { key: key.into(), value: slot.clone().unwrap_or_else(|| unset.into()), origin });
    }
    for (key, default) in [
        ("ascii", "auto"),
        ("refresh", "never"),
        ("reveal", "30s"),
        ("clipboard", "osc52"),
        ("mouse", "true"),
        ("title", "true"),
        ("notify", "true"),
    ] {
        let written = origins.leaves.iter().find(|leaf| leaf.path == key);
        let value = written.map_or(default, |leaf| leaf.value.as_str()).to_owned();
        lines.push(SourceLine { key: key.into(), value, origin: origins.of(key) });
    }
    let further = origins.leaves.iter().filter(|leaf| {
        leaf.line.is_some()
            && (["keys.", "actions[", "projects."].iter().any(|start| leaf.path.starts_with(start))
                || leaf.path == "clipboard_command")
    });
    lines.extend(further.map(|leaf| SourceLine {
        key: leaf.path.clone(),
        value: leaf.value.clone(),
        origin: origins.origin(leaf),
    }));
    lines
}

/// What the project file says beyond its environments.
fn rest_of(origins: &Origins) -> impl Iterator<Item = SourceLine> + '_ {
    let leaves = origins.leaves.iter().filter(|leaf| !leaf.path.starts_with("environments."));
    leaves.map(|leaf| SourceLine { key: leaf.path.clone(), value: leaf.value.clone(), origin: origins.origin(leaf) })
}

fn readonly_sources(sources: &mut Vec<SourceLine>, adhoc: &Adhoc) {
    let given = [("stack", "--stack", &adhoc.stack), ("path", "--path", &adhoc.path)];
    let given = given.map(|(key, flag, value)| Some((key, Origin::Flag(flag), value.clone()?)));
    let because = given.iter().flatten().next().map_or(Origin::Default, |(_, origin, _)| origin.clone());
    for line in sources.iter_mut().filter(|line| line.key == "protection") {
        *line =
            SourceLine { key: "protection".into(), value: Protection::ReadOnly.word().into(), origin: because.clone() };
    }
    sources.extend(given.into_iter().flatten().map(|(key, origin, value)| SourceLine {
        key: key.into(),
        value,
        origin,
    }));
}

fn adhoc_name(adhoc: &Adhoc) -> String {
    adhoc.stack.clone().or_else(|| adhoc.path.clone()).unwrap_or_default()
}

/// What stands in for a project file: one environment, named like whatever was asked for.
fn nameless(flags: &Flags, environ: &Environ, operator: &Operator) -> Project {
    let asked = [
        flags.env.as_deref(),
        environ.get("PLUMB_ENV"),
        operator.environment.as_deref(),
        flags.profile.as_deref(),
        environ.get("AWS_PROFILE"),
    ];
    let environment = Environment {
        name: asked.into_iter().flatten().next().unwrap_or("default").to_owned(),
        profile: None,
        write_profile: None,
        region: None,
        endpoint: None,
        account: None,
        git_ref: None,
        protection: Protection::ReadOnly,
        drift_max_age: Some(DRIFT_MAX_AGE),
    };
    Project { environments: vec![environment], ..empty() }
}

fn empty() -> Project {
    Project {
        name: String::new(),
        state_bucket: None,
        config: Vec::new(),
        secrets: Vec::new(),
        stacks: Vec::new(),
        redeploy: Redeploy::default(),
        crypto: Crypto::default(),
        pipeline: None,
        intake: None,
        ignore: Vec::new(),
        environments: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
