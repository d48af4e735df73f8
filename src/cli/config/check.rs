//! `plumb config check`: every document, as the hook of a pipeline asks it.

use std::io::Write as _;

use serde::Serialize;

use super::super::markdown::{Form, section};
use super::super::{Failed, Outcome, Shared, clean, print_json};
use super::{Mac, with_keys};
use crate::ops::config;
use crate::ops::schema::VERSION;

/// Arguments of `plumb config check`. With `--ref` the files of that commit, else those of the working tree.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Text, JSON, or Markdown for a pull request.
    #[arg(long, short, value_enum, default_value_t = Form::Text)]
    output: Form,
}

#[derive(Serialize)]
struct CheckJson<'a> {
    version: u32,
    files: &'a [String],
    problems: Vec<ProblemJson<'a>>,
}

#[derive(Serialize)]
struct ProblemJson<'a> {
    file: &'a str,
    key: &'a str,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
}

/// Runs `plumb config check`.
pub(super) async fn run(shared: &Shared, args: &Args) -> Result<Outcome, Failed> {
    let settings = shared.settings_of_any()?;
    let (of_work, reference) = (settings.clone(), shared.flags().git_ref);
    let work = move |opener: &config::Opener| config::check(opener, &of_work, reference.as_deref());
    let checked = with_keys(shared, &settings, Mac { ignore_mac: false }, work).await?;
    let problems: Vec<ProblemJson<'_>> = checked
        .problems
        .iter()
        .flat_map(|((file, key), whys)| {
            whys.iter().map(move |why| ProblemJson { file, key, reason: &why.reason, hint: why.hint.as_deref() })
        })
        .collect();
    let outcome = if problems.is_empty() { Outcome::Clean } else { Outcome::Problem };
    if args.output == Form::Json {
        print_json(&CheckJson { version: VERSION, files: &checked.files, problems })?;
        return Ok(outcome);
    }
    let mut out = Vec::new();
    for problem in &problems {
        let key = if problem.key.is_empty() { String::new() } else { format!("{}: ", clean(problem.key)) };
        writeln!(out, "! {}: {key}{}", clean(problem.file), clean(problem.reason))?;
        if let Some(hint) = problem.hint {
            writeln!(out, "  try: {}", clean(hint))?;
        }
    }
    let (files, count) = (checked.files.len(), problems.len());
    let sum = format!("{files} {}, {count} {}", plural(files, "file"), plural(count, "problem"));
    writeln!(out, "{sum}")?;
    if args.output == Form::Markdown {
        out = section(&format!("Config: {sum}"), &String::from_utf8_lossy(&out)).into_bytes();
    }
    std::io::stdout().lock().write_all(&out)?;
    Ok(outcome)
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { word.to_owned() } else { format!("{word}s") }
}
