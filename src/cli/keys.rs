//! `plumb keys`: every key of the console, from its one table of actions.

use std::collections::BTreeMap;
use std::io::Write;

use serde::Serialize;

use super::{Failed, Outcome, Output, Shared, print_json};
use crate::compare::Why;
use crate::config;

/// Arguments of `plumb keys`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The page for the documentation, with the keys that everybody begins with.
    #[arg(long, conflicts_with = "output")]
    markdown: bool,
    /// Text or JSON.
    #[arg(long, short, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// One action of the console with its keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyRow {
    /// Where its keys work.
    pub scope: &'static str,
    /// Its name in `[keys]` of the operator config.
    pub id: &'static str,
    /// Its keys; those of a menu's entry with the key that opens the menu.
    pub keys: Vec<String>,
    /// What it does.
    pub title: &'static str,
    /// Whether it shows values that were masked.
    pub reveals: bool,
}

/// What the console tells of its keys: action id to the operator's own keys in, all rows out.
pub type Rows = fn(&BTreeMap<String, Vec<String>>) -> Result<Vec<KeyRow>, String>;

#[derive(Serialize)]
struct Json<'a> {
    version: u32,
    keys: &'a [KeyRow],
}

/// Runs `plumb keys`.
pub(super) fn run(shared: &Shared, args: &Args, rows: Rows, markdown: fn() -> String) -> Result<Outcome, Failed> {
    let out = std::io::stdout();
    if args.markdown {
        out.lock().write_all(markdown().as_bytes())?;
        return Ok(Outcome::Clean);
    }
    let operator = match config::load_operator(&shared.environ) {
        // Without a home nobody has keys of their own.
        Err(config::Error::NoHome { .. }) => None,
        other => other?,
    };
    let own = operator.map(|(operator, _)| operator.keys).unwrap_or_default();
    let rows = rows(&own).map_err(Why::new)?;
    if args.output == Output::Json {
        print_json(&Json { version: crate::ops::schema::VERSION, keys: &rows })?;
        return Ok(Outcome::Clean);
    }
    let mut out = out.lock();
    let mut scope = "";
    let widest = rows.iter().map(|row| row.keys.join(" ").chars().count()).max().unwrap_or(0);
    for row in &rows {
        if row.scope != scope {
            writeln!(out, "{}{}", if scope.is_empty() { "" } else { "\n" }, row.scope)?;
            scope = row.scope;
        }
        writeln!(out, "  {:<widest$}  {}  ({})", row.keys.join(" "), row.title, row.id)?;
    }
    Ok(Outcome::Clean)
}
