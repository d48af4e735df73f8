//! `plumb keys`: every key of the console, from its one table of actions.

use std::io::Write;

use serde::Serialize;

use super::{Failed, Outcome, Output, Shared, clean, print_json};
use crate::config::{self, Operator, Origins};

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
    pub scope: String,
    /// Its name in `[keys]` of the operator config; of the operator's own, in `[[actions]]`.
    pub id: String,
    /// Its keys; those of a menu's entry with the key that opens the menu.
    pub keys: Vec<String>,
    /// What it does.
    pub title: String,
    /// Whether it shows values that were masked.
    pub reveals: bool,
}

/// What the console tells of its keys: what the operator prefers and where that stands in, all rows out, or everything
/// that is wrong with them.
pub type Rows = fn(&Operator, &Origins) -> Result<Vec<KeyRow>, Failed>;

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
    let (operator, origins) = operator.unwrap_or_default();
    let rows = rows(&operator, &origins)?;
    if args.output == Output::Json {
        print_json(&Json { version: crate::ops::schema::VERSION, keys: &rows })?;
        return Ok(Outcome::Clean);
    }
    let mut out = out.lock();
    let mut scope = "";
    let keys = |row: &KeyRow| clean(&row.keys.join(" "));
    let widest = rows.iter().map(|row| keys(row).chars().count()).max().unwrap_or(0);
    for row in &rows {
        if row.scope != scope {
            writeln!(out, "{}{}", if scope.is_empty() { "" } else { "\n" }, row.scope)?;
            scope = &row.scope;
        }
        writeln!(out, "  {:<widest$}  {}  ({})", keys(row), clean(&row.title), clean(&row.id))?;
    }
    Ok(Outcome::Clean)
}
