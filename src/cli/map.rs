//! `plumb map`: which file becomes which parameter or secret.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::{Failed, Outcome, Output, Shared, clean, print_json, shared};
use crate::compare::Why;
use crate::ops::map::{self, Map};
use crate::ops::schema::VERSION;

/// Arguments of `plumb map`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Every environment.
    #[arg(long)]
    all: bool,
    /// Name every file that nothing matches, instead of counting them by directory.
    #[arg(long)]
    all_files: bool,
    /// Text or JSON.
    #[arg(long, short, value_enum, default_value_t = Output::Text)]
    output: Output,
}

#[derive(Serialize)]
struct MapJson<'a> {
    version: u32,
    environments: Vec<EnvironmentJson<'a>>,
}

#[derive(Serialize)]
struct EnvironmentJson<'a> {
    environment: &'a str,
    #[serde(rename = "ref")]
    reference: &'a str,
    commit: &'a str,
    files: Vec<FileJson<'a>>,
    stacks: Vec<StackJson<'a>>,
    unmatched: Vec<UnmatchedJson<'a>>,
    unmatched_elsewhere: &'a [String],
    problems: Vec<ProblemJson<'a>>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct FileJson<'a> {
    file: &'a str,
    encrypted: bool,
    parameters: &'a [String],
    secrets: &'a [String],
}

#[derive(Serialize)]
struct StackJson<'a> {
    name: &'a str,
    template: &'a str,
}

#[derive(Serialize)]
struct UnmatchedJson<'a> {
    file: &'a str,
    reason: &'a str,
}

#[derive(Serialize)]
struct ProblemJson<'a> {
    file: &'a str,
    key: &'a str,
    reason: &'a str,
}

/// Runs `plumb map`.
pub(super) async fn run(shared: &Shared, args: &Args) -> Result<Outcome, Failed> {
    let Args { all, all_files, output } = *args;
    let settings = if all { shared.settings_of_any()? } else { shared.settings()? };
    let root = match &settings.root {
        Some(root) => root.clone(),
        None => shared::here()?,
    };
    let maps = tokio::task::spawn_blocking(move || map::map(&settings, &root, all))
        .await
        .map_err(|error| Why::new(format!("an internal task failed: {error}")))??;
    match output {
        Output::Json => print_json(&MapJson { version: VERSION, environments: maps.iter().map(json).collect() })?,
        Output::Text => {
            let mut out = io::stdout().lock();
            for (at, map) in maps.iter().enumerate() {
                if at > 0 {
                    writeln!(out)?;
                }
                text(&mut out, map, all_files)?;
            }
        }
    }
    let problems = maps.iter().any(|map| !map.problems.is_empty());
    Ok(if problems { Outcome::Problem } else { Outcome::Clean })
}

fn json(map: &Map) -> EnvironmentJson<'_> {
    EnvironmentJson {
        environment: &map.environment,
        reference: &map.reference,
        commit: &map.commit,
        files: map
            .files
            .iter()
            .map(|file| FileJson {
                file: &file.file,
                encrypted: file.encrypted,
                parameters: &file.parameters,
                secrets: &file.secrets,
            })
            .collect(),
        stacks: map.stacks.iter().map(|(name, template)| StackJson { name, template }).collect(),
        unmatched: map.unmatched.iter().map(|each| UnmatchedJson { file: &each.file, reason: &each.why }).collect(),
        unmatched_elsewhere: &map.unmatched_elsewhere,
        problems: map
            .problems
            .iter()
            .map(|each| ProblemJson { file: &each.file, key: &each.key, reason: &each.why })
            .collect(),
        notes: &map.notes,
    }
}

fn text(out: &mut impl Write, map: &Map, all_files: bool) -> io::Result<()> {
    let commit = map.commit.get(..7).unwrap_or(&map.commit);
    writeln!(out, "{}   git {} {commit}", clean(&map.environment), clean(&map.reference))?;
    for file in &map.files {
        let plain = if file.encrypted { "" } else { "   not encrypted" };
        writeln!(out, "\n  {}{plain}", clean(&file.file))?;
        for (kind, names) in [("parameter", &file.parameters), ("secret", &file.secrets)] {
            for name in names {
                writeln!(out, "    {kind:<9}  {}", clean(name))?;
            }
        }
    }
    if !map.stacks.is_empty() {
        writeln!(out)?;
    }
    for (name, template) in &map.stacks {
        writeln!(out, "  {}   stack {}", clean(template), clean(name))?;
    }
    if !map.unmatched.is_empty() {
        writeln!(out, "\n  in no environment")?;
    }
    for each in &map.unmatched {
        writeln!(out, "    . {}: {}", clean(&each.file), clean(&each.why))?;
    }
    elsewhere(out, map, all_files)?;
    if !map.problems.is_empty() {
        writeln!(out, "\n  problems")?;
    }
    for each in &map.problems {
        let key = if each.key.is_empty() { String::new() } else { format!(": {}", clean(&each.key)) };
        writeln!(out, "    ! {}{key}: {}", clean(&each.file), clean(&each.why))?;
    }
    if !map.notes.is_empty() {
        writeln!(out)?;
    }
    map.notes.iter().try_for_each(|note| writeln!(out, "  i {}", clean(note)))
}

/// The files that nothing matches: counted by their top directory, or each by its name.
fn elsewhere(out: &mut impl Write, map: &Map, all_files: bool) -> io::Result<()> {
    if map.unmatched_elsewhere.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n  matched by nothing")?;
    if all_files {
        for file in &map.unmatched_elsewhere {
            writeln!(out, "    {}", clean(file))?;
        }
        return Ok(());
    }
    let mut counts: BTreeMap<Option<&str>, usize> = BTreeMap::new();
    for file in &map.unmatched_elsewhere {
        *counts.entry(file.split_once('/').map(|(top, _)| top)).or_default() += 1;
    }
    for (top, count) in counts {
        let place = top.map_or_else(|| "at the top".to_owned(), |top| format!("under {}/", clean(top)));
        let (files, matches) = if count == 1 { ("file", "matches") } else { ("files", "match") };
        writeln!(out, "    {count} {files} {place} {matches} nothing")?;
    }
    Ok(())
}
