//! `plumb config sources`: the settings in use, and where each came from.

use serde::Serialize;

use super::super::table::Table;
use super::super::{Failed, Outcome, Output, Shared, clean, print_json};
use crate::ops::schema::VERSION;

/// Arguments of `plumb config sources`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Text or JSON.
    #[arg(long, short, value_enum, default_value_t = Output::Text)]
    output: Output,
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

/// Runs `plumb config sources`.
pub(super) fn run(shared: &Shared, args: &Args) -> Result<Outcome, Failed> {
    let settings = shared.settings()?;
    match args.output {
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
