//! `plumb init`: a first project file.

use std::io::Write;
use std::path::PathBuf;

use super::{Failed, Outcome, say, shared};
use crate::compare::{Line, Why, text_rows};
use crate::ops::init::{self, Guess};

/// Arguments of `plumb init`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write plumb.toml and nothing else.
    #[arg(long, required = true)]
    minimal: bool,
    /// The directory, in a git repository. Default: the current one.
    directory: Option<PathBuf>,
}

/// Runs `plumb init`.
pub(super) async fn run(args: &Args) -> Result<Outcome, Failed> {
    let directory = match &args.directory {
        Some(directory) => directory.clone(),
        None => shared::here()?,
    };
    let guess = tokio::task::spawn_blocking(move || init::init(&directory))
        .await
        .map_err(|error| Why::new(format!("an internal task failed: {error}")))??;
    let mut out = std::io::stdout().lock();
    let Guess { path, text, existing } = &guess;
    let path = path.display();
    match existing {
        None => {
            out.write_all(text.as_bytes())?;
            say!("wrote {path}: look at each comment, then try: plumb map --all, plumb doctor, plumb status");
            Ok(Outcome::Clean)
        }
        Some(existing) if existing == text => {
            say!("{path} is there, and says what would be guessed");
            Ok(Outcome::Clean)
        }
        Some(existing) => {
            writeln!(out, "--- {path}\n+++ guessed")?;
            changes(&mut out, existing, text)?;
            say!("plumb: {path} is there already and was not touched; above is what would be guessed");
            Ok(Outcome::Problem)
        }
    }
}

fn changes(out: &mut impl Write, old: &str, new: &str) -> std::io::Result<()> {
    let text = |line: &Line<'_>| line.segments.iter().map(|segment| segment.text).collect::<String>();
    for row in text_rows(old, new) {
        let (left, right) = (row.left.as_ref().map(text), row.right.as_ref().map(text));
        match (row.equal, left, right) {
            (true, Some(line), _) => writeln!(out, " {}", super::clean(&line))?,
            (_, left, right) => {
                if let Some(line) = left {
                    writeln!(out, "-{}", super::clean(&line))?;
                }
                if let Some(line) = right {
                    writeln!(out, "+{}", super::clean(&line))?;
                }
            }
        }
    }
    Ok(())
}
