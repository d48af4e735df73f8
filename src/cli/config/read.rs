//! Config that is read: `get`, `list`, `export`, and `exec`, which hands it on.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;

use clap::ValueEnum;
use clap_complete::ArgValueCandidates;
use serde::Serialize;

use super::super::table::Table;
use super::super::values as completions;
use super::super::{Failed, Outcome, Output, Shared, brief, clean, print_json, say};
use super::{Mac, Which, with_keys};
use crate::compare::Why;
use crate::ops::config::{self, Form, Layer, Rendered, Value, Values};
use crate::ops::schema::VERSION;
use crate::secret::Secret;

/// Which side is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum From {
    /// The commit of the environment's ref, or of --ref.
    Git,
    /// AWS.
    Live,
}

/// How values are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum As {
    /// One object with a text for each key.
    Json,
    /// The same in YAML.
    Yaml,
    /// Lines of NAME=value.
    Dotenv,
    /// Lines of export NAME='value', for eval.
    Shell,
}

/// A service in an environment.
#[derive(Debug, clap::Args)]
struct Where {
    /// The service, or "secrets".
    service: String,
    /// The environment.
    #[arg(add = ArgValueCandidates::new(completions::environments))]
    environment: String,
    /// Whether git or AWS is asked.
    #[arg(long, value_enum, default_value_t = From::Git)]
    from: From,
    #[command(flatten)]
    mac: Mac,
}

/// Arguments of `plumb config get`.
#[derive(Debug, clap::Args)]
pub(crate) struct GetArgs {
    #[command(flatten)]
    place: Where,
    /// JSON unless something else is asked for; with --explain text or JSON.
    #[arg(long, short, value_enum)]
    output: Option<As>,
    /// Instead of values: which file, commit and author each key is from, and what it stands before.
    #[arg(long)]
    explain: bool,
}

/// Arguments of `plumb config list`.
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// Only this service, or "secrets".
    service: Option<String>,
    /// Name every key.
    #[arg(long)]
    keys: bool,
    /// Text or JSON.
    #[arg(long, short, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// Arguments of `plumb config exec`.
#[derive(Debug, clap::Args)]
pub(crate) struct ExecArgs {
    #[command(flatten)]
    place: Where,
    /// The command, after "--"; db/pool is the variable `DB_POOL`.
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<String>,
}

/// The forms that other programs read and write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FormArg {
    /// One object with a text for each key: chamber's.
    Json,
    /// Lines of NAME=value.
    Dotenv,
}

impl FormArg {
    pub(super) fn form(self) -> Form {
        match self {
            Self::Json => Form::Json,
            Self::Dotenv => Form::Dotenv,
        }
    }
}

/// Arguments of `plumb config export`.
#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    which: Which,
    /// chamber's JSON, or dotenv.
    #[arg(long, value_enum, default_value_t = FormArg::Json)]
    format: FormArg,
    #[command(flatten)]
    mac: Mac,
}

#[derive(Serialize)]
struct ExplainJson<'a> {
    version: u32,
    environment: &'a str,
    service: &'a str,
    commit: Option<&'a str>,
    keys: Vec<KeyJson<'a>>,
}

#[derive(Serialize)]
struct KeyJson<'a> {
    key: &'a str,
    layer: &'a str,
    from: &'a str,
    line: Option<usize>,
    commit: Option<&'a str>,
    author: Option<&'a str>,
    shadows: Vec<ShadowJson<'a>>,
}

#[derive(Serialize)]
struct ShadowJson<'a> {
    layer: &'a str,
    from: &'a str,
}

#[derive(Serialize)]
struct ListJson<'a> {
    version: u32,
    documents: Vec<DocumentJson<'a>>,
}

#[derive(Serialize)]
struct DocumentJson<'a> {
    service: &'a str,
    layer: &'a str,
    file: &'a str,
    encrypted: Option<bool>,
    recipients: &'a [String],
    keys: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'a str>,
}

async fn rendered(shared: &Shared, place: &Where, explain: bool) -> Result<Rendered, Failed> {
    let shared = shared.in_environment(&place.environment);
    let service = place.service.clone();
    let rendered = match place.from {
        From::Git => {
            let settings = shared.settings()?;
            let of_work = settings.clone();
            let work = move |opener: &config::Opener| {
                let mut rendered = config::git(opener, &of_work, &service)?;
                if explain {
                    config::explain(&of_work, &mut rendered)?;
                }
                Ok(rendered)
            };
            with_keys(&shared, &settings, place.mac, work).await?
        }
        From::Live => {
            let session = shared.session().await?;
            let rendered = config::live(&session, &service).await;
            shared.stats(&session);
            rendered?
        }
    };
    for note in &rendered.notes {
        say!("note: {}", clean(note));
    }
    for problem in &rendered.problems {
        let key = if problem.key.is_empty() { String::new() } else { format!("{}: ", clean(&problem.key)) };
        say!("left out: {}: {key}{}", clean(&problem.file), clean(&problem.why));
    }
    Ok(rendered)
}

fn outcome(rendered: &Rendered) -> Outcome {
    if rendered.problems.is_empty() { Outcome::Clean } else { Outcome::Problem }
}

fn values(rendered: &Rendered) -> Values {
    rendered.values.iter().map(|(key, value)| (key.clone(), value.text.clone())).collect()
}

/// Runs `plumb config get`.
pub(super) async fn get(shared: &Shared, args: &GetArgs) -> Result<Outcome, Failed> {
    if args.explain && matches!(args.output, Some(As::Yaml | As::Dotenv | As::Shell)) {
        return Err(Why::new("--explain has text and JSON").hint("--output json").into());
    }
    let rendered = rendered(shared, &args.place, args.explain).await?;
    if args.explain {
        explain(args, &rendered)?;
        return Ok(outcome(&rendered));
    }
    let values = values(&rendered);
    print(&match args.output {
        None | Some(As::Json) => config::json(&values),
        Some(As::Yaml) => config::yaml(&values),
        Some(As::Dotenv) => config::dotenv(&values)?,
        Some(As::Shell) => config::shell(&values)?,
    })?;
    Ok(outcome(&rendered))
}

/// What was asked for in clear.
pub(super) fn print(text: &Secret) -> Result<(), Failed> {
    Ok(std::io::stdout().lock().write_all(text.expose().as_bytes())?)
}

fn explain(args: &GetArgs, rendered: &Rendered) -> Result<(), Failed> {
    if args.output == Some(As::Json) {
        let keys = rendered.values.iter().map(|(key, value)| key_json(key, value)).collect();
        let Where { environment, service, .. } = &args.place;
        let commit = rendered.commit.as_deref();
        return print_json(&ExplainJson { version: VERSION, environment, service, commit, keys });
    }
    let mut table = Table::new();
    for (key, value) in &rendered.values {
        let line = value.line.map(|line| format!(":{line}")).unwrap_or_default();
        let touch = value.touch.as_ref();
        let shadows = value.shadows.iter().map(|each| clean(&each.from)).collect::<Vec<_>>().join(", ");
        table.row([
            clean(key),
            clean(&value.layer),
            format!("{}{line}", clean(&value.from)),
            touch.map(|touch| touch.id.get(..7).unwrap_or(&touch.id).to_owned()).unwrap_or_default(),
            touch.map(|touch| brief(&touch.author, 24)).unwrap_or_default(),
            if shadows.is_empty() { shadows } else { format!("before {shadows}") },
        ]);
    }
    table.print(&mut std::io::stdout().lock(), "")?;
    Ok(())
}

fn key_json<'a>(key: &'a str, value: &'a Value) -> KeyJson<'a> {
    KeyJson {
        key,
        layer: &value.layer,
        from: &value.from,
        line: value.line,
        commit: value.touch.as_ref().map(|touch| touch.id.as_str()),
        author: value.touch.as_ref().map(|touch| touch.author.as_str()),
        shadows: value.shadows.iter().map(|each| ShadowJson { layer: &each.layer, from: &each.from }).collect(),
    }
}

/// Runs `plumb config list`.
pub(super) async fn list(shared: &Shared, args: &ListArgs) -> Result<Outcome, Failed> {
    let (settings, service) = (shared.settings_of_any()?, args.service.clone());
    let listed = config::blocking(move || config::list(&settings, service.as_deref())).await?;
    let broken = listed.iter().any(|each| each.held.is_err());
    if args.output == Output::Json {
        let documents = listed
            .iter()
            .map(|each| {
                let held = each.held.as_ref().ok();
                DocumentJson {
                    service: &each.service,
                    layer: &each.layer,
                    file: &each.file,
                    encrypted: held.map(|held| held.encrypted),
                    recipients: held.map(|held| held.recipients.as_slice()).unwrap_or_default(),
                    keys: held.map(|held| held.keys.as_slice()).unwrap_or_default(),
                    problem: each.held.as_ref().err().map(|why| why.reason.as_str()),
                }
            })
            .collect();
        print_json(&ListJson { version: VERSION, documents })?;
    } else {
        let mut table = Table::new();
        for each in &listed {
            let (state, keys) = match &each.held {
                Ok(held) => {
                    let state = if held.encrypted { "encrypted" } else { "not encrypted" };
                    let shown = if args.keys { held.keys.as_slice() } else { &[] };
                    (format!("{state}, {} keys", held.keys.len()), shown)
                }
                Err(why) => (format!("! {}", clean(&why.reason)), &[] as &[String]),
            };
            table.row([clean(&each.service), clean(&each.layer), clean(&each.file), state]);
            for key in keys {
                table.row([String::new(), String::new(), format!("  {}", clean(key)), String::new()]);
            }
        }
        table.print(&mut std::io::stdout().lock(), "")?;
    }
    Ok(if broken { Outcome::Problem } else { Outcome::Clean })
}

/// Runs `plumb config export`.
pub(super) async fn export(shared: &Shared, args: &ExportArgs) -> Result<Outcome, Failed> {
    let settings = args.which.settings(shared)?;
    let (of_work, which, form) = (settings.clone(), args.which.clone(), args.format.form());
    let work = move |opener: &config::Opener| {
        config::export(opener, &Layer::find(&of_work, &which.service, &which.layer)?, form)
    };
    print(&with_keys(shared, &settings, args.mac, work).await?)?;
    Ok(Outcome::Clean)
}

/// Runs `plumb config exec`: the command takes this process's place.
pub(super) async fn exec(shared: &Shared, args: &ExecArgs) -> Result<Outcome, Failed> {
    let rendered = rendered(shared, &args.place, false).await?;
    if !rendered.problems.is_empty() {
        return Err(Why::new("the command was not started: some values cannot be what they should")
            .hint("plumb config check")
            .into());
    }
    let variables = config::variables(&values(&rendered))?;
    let Some((program, arguments)) = args.command.split_first() else { return Ok(Outcome::Clean) };
    let variables = variables.iter().map(|(name, value)| (name.as_str(), value.expose()));
    let error = std::process::Command::new(program).args(arguments).envs(variables).exec();
    Err(Why::new(format!("cannot run {program}: {error}")).into())
}
