//! `plumb config`: the settings in use, and where each came from.

use serde::Serialize;

use super::table::Table;
use super::{Failed, Outcome, Output, Shared, clean, print_json};
use crate::ops::schema::VERSION;

/// What to do with the configuration.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Each value in use with where it came from; asks no AWS.
    Sources {
        /// Text or JSON.
        #[arg(long, short, value_enum, default_value_t = Output::Text)]
        output: Output,
    },
}

#[derive(Serialize)]
struct SourcesJson<'a> {
    version: u32,
    environment: &'a str,
    sources: Vec<SourceJson<'a>>,
}

#[derive(Serialize)]
struct SourceJson<'a> {
    key: &'a str,
    value: &'a str,
    origin: String,
}

/// Runs `plumb config`.
pub(super) fn run(shared: &Shared, command: &Command) -> Result<Outcome, Failed> {
    let Command::Sources { output } = command;
    let settings = shared.settings()?;
    match output {
        Output::Json => {
            let sources = settings
                .sources
                .iter()
                .map(|line| SourceJson { key: &line.key, value: &line.value, origin: line.origin.to_string() })
                .collect();
            print_json(&SourcesJson { version: VERSION, environment: &settings.environment.name, sources })?;
        }
        Output::Text => {
            let mut table = Table::new();
            for line in &settings.sources {
                table.row([clean(&line.key), clean(&line.value), clean(&line.origin.to_string())]);
            }
            table.print(&mut std::io::stdout().lock(), "")?;
        }
    }
    Ok(Outcome::Clean)
}
