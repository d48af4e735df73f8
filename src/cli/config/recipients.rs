//! `plumb config recipients`: who can read what, and what is to be replaced when a key has leaked.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::table::Table;
use super::super::{Failed, Outcome, Output, Shared, clean, print_json, say};
use crate::compare::Why;
use crate::ops::config::{self, Readable};
use crate::ops::schema::VERSION;

/// Arguments of `plumb config recipients`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A key that has leaked, `age1…` or an ARN: every value that it could ever open, on any branch, through history.
    #[arg(long, value_name = "RECIPIENT")]
    leaked: Option<String>,
    /// Text or JSON.
    #[arg(long, short, value_enum, default_value_t = Output::Text)]
    output: Output,
}

#[derive(Serialize)]
struct RecipientsJson<'a> {
    version: u32,
    recipients: Vec<RecipientJson<'a>>,
}

#[derive(Serialize)]
struct RecipientJson<'a> {
    recipient: &'a str,
    files: &'a [String],
}

#[derive(Serialize)]
struct LeakedJson<'a> {
    version: u32,
    leaked: &'a str,
    values: Vec<ValueJson<'a>>,
}

#[derive(Serialize)]
struct ValueJson<'a> {
    file: &'a str,
    key: &'a str,
    versions: usize,
    first_commit: &'a str,
    last_commit: &'a str,
    current: bool,
}

/// Runs `plumb config recipients`.
pub(super) async fn run(shared: &Shared, args: &Args) -> Result<Outcome, Failed> {
    let settings = shared.settings_of_any()?;
    if let Some(leaked) = &args.leaked {
        let typed = leaked.clone();
        let found = config::blocking(move || config::rotation_list(&settings, &typed)).await?;
        let none =
            || Why::new(format!("no document ever named {leaked}")).hint("plumb config recipients lists who is named");
        tell_leaked(leaked, &found.ok_or_else(none)?, args.output)?;
        return Ok(Outcome::Clean);
    }
    let listed = config::blocking(move || config::list(&settings, None)).await?;
    let mut by_recipient: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut outcome = Outcome::Clean;
    for each in listed {
        match each.held {
            Ok(held) => {
                for recipient in held.recipients {
                    by_recipient.entry(recipient).or_default().push(each.file.clone());
                }
            }
            Err(why) => {
                say!("! {}: {}", clean(&each.file), clean(&why.reason));
                outcome = Outcome::Problem;
            }
        }
    }
    if args.output == Output::Json {
        let recipients = by_recipient.iter().map(|(recipient, files)| RecipientJson { recipient, files }).collect();
        print_json(&RecipientsJson { version: VERSION, recipients })?;
        return Ok(outcome);
    }
    let mut table = Table::new();
    for (recipient, files) in &by_recipient {
        for file in files {
            table.row([clean(recipient), clean(file)]);
        }
    }
    table.print(&mut std::io::stdout().lock(), "")?;
    Ok(outcome)
}

fn tell_leaked(leaked: &str, found: &[Readable], output: Output) -> Result<(), Failed> {
    if output == Output::Json {
        let values = found
            .iter()
            .map(|each| ValueJson {
                file: &each.file,
                key: &each.key,
                versions: each.versions,
                first_commit: &each.first,
                last_commit: &each.last,
                current: each.current,
            })
            .collect();
        return print_json(&LeakedJson { version: VERSION, leaked, values });
    }
    let short = |commit: &str| commit.get(..7).unwrap_or(commit).to_owned();
    let mut table = Table::new();
    for each in found {
        let versions = if each.versions == 1 { "1 version".to_owned() } else { format!("{} versions", each.versions) };
        let state = if each.current { "replace it: it is the value at HEAD" } else { "another value at HEAD" };
        let commits = format!("{}..{}", short(&each.first), short(&each.last));
        table.row([clean(&each.file), clean(&each.key), versions, commits, state.to_owned()]);
    }
    table.print(&mut std::io::stdout().lock(), "")?;
    say!(
        "{} values: what is replaced in git is to be pushed as well, and the key taken out of .sops.yaml",
        found.len()
    );
    Ok(())
}
