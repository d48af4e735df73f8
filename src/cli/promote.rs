//! `plumb promote`: values of one environment into another's documents, on a new branch.

use std::io::{self, Write};
use std::sync::Arc;

use clap_complete::ArgValueCandidates;
use serde::Serialize;

use super::table::Table;
use super::{Failed, Outcome, Output, Shared, clean, print_json, values};
use crate::compare::{Facet, Fingerprinter, Why, masked};
use crate::ops::keys::Opener;
use crate::ops::promote::{self, Ask, Comparison, Promoted, Row, State};
use crate::ops::schema::{self, FacetJson, VERSION};

/// Arguments of `plumb promote`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The keys to take, as they are listed, or globs of them: `billing/db/*`. Default: none, they are only compared.
    keys: Vec<String>,
    /// The environment that values come from.
    #[arg(long, value_name = "NAME", add = ArgValueCandidates::new(values::environments))]
    from: String,
    /// The environment that they go to, or the global layer.
    #[arg(long, value_name = "NAME", add = ArgValueCandidates::new(values::environments))]
    to: String,
    /// The name of the new branch.
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
    /// List also what is the same.
    #[arg(long)]
    all: bool,
    /// Say what would be committed, and commit nothing.
    #[arg(long)]
    dry_run: bool,
    /// Text or JSON.
    #[arg(long, short, value_enum, default_value_t = Output::Text)]
    output: Output,
}

#[derive(Serialize)]
struct PromoteJson<'a> {
    version: u32,
    from: SideJson<'a>,
    to: SideJson<'a>,
    reaches: &'a [String],
    keys: Vec<KeyJson<'a>>,
    problems: Vec<ProblemJson<'a>>,
    promoted: Option<PromotedJson<'a>>,
}

#[derive(Serialize)]
struct SideJson<'a> {
    name: &'a str,
    #[serde(rename = "ref")]
    reference: &'a str,
    commit: &'a str,
}

#[derive(Serialize)]
struct KeyJson<'a> {
    key: &'a str,
    state: &'static str,
    from: FacetJson,
    to: FacetJson,
    #[serde(skip_serializing_if = "Option::is_none")]
    only: Option<String>,
    file: &'a str,
    overridden: &'a [String],
    chosen: bool,
}

#[derive(Serialize)]
struct ProblemJson<'a> {
    subject: &'a str,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
}

#[derive(Serialize)]
struct PromotedJson<'a> {
    branch: &'a str,
    commit: &'a str,
    keys: &'a [String],
    files: &'a [String],
}

/// Runs `plumb promote`.
pub(super) async fn run(shared: &Shared, args: &Args) -> Result<Outcome, Failed> {
    let settings = shared.settings_of_any()?;
    let root = match &settings.root {
        Some(root) => root.clone(),
        None => super::shared::here()?,
    };
    let print = shared.fingerprinter()?;
    let opener = Opener { keys: shared.keys(), access: shared.access() };
    let ask = Ask { from: args.from.clone(), to: args.to.clone() };
    let place = root.clone();
    let comparison = Arc::new(blocking(move || promote::compare(&settings, &place, &opener, &ask)).await?);
    let chosen = comparison.choose(&args.keys)?;
    if args.output == Output::Text {
        text(&mut io::stdout().lock(), &print, args, &comparison, &chosen)?;
    }
    let branch = args.branch.clone().unwrap_or_else(|| comparison.branch());
    let promoted = if chosen.is_empty() || args.dry_run {
        None
    } else {
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let (comparison, keys) = (Arc::clone(&comparison), args.keys.clone());
        let work = move || promote::commit(&root, &comparison, &comparison.choose(&keys)?, &branch, &now);
        Some(blocking(work).await?)
    };
    match (args.output, &promoted) {
        (Output::Json, promoted) => print_json(&json(&print, &comparison, &chosen, promoted.as_ref()))?,
        (Output::Text, Some(promoted)) => done(promoted)?,
        (Output::Text, None) => {}
    }
    let differs = comparison.rows.iter().any(|row| row.state != State::Same);
    Ok(match &promoted {
        None if !comparison.problems.is_empty() => Outcome::Problem,
        None if differs => Outcome::Differences,
        Some(_) | None => Outcome::Clean,
    })
}

/// Opening documents may ask KMS, which must not hold up the runtime.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Why> + Send + 'static) -> Result<T, Failed> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|error| Why::new(error.to_string()))?;
    Ok(done?)
}

fn counted(count: usize) -> String {
    if count == 1 { "1 value".to_owned() } else { format!("{count} values") }
}

fn text(
    out: &mut impl Write,
    print: &Fingerprinter,
    args: &Args,
    comparison: &Comparison,
    chosen: &[&Row],
) -> io::Result<()> {
    let side =
        |(reference, commit): &(String, String)| format!("{} {}", clean(reference), commit.get(..7).unwrap_or(commit));
    writeln!(out, "from  {}   {}", clean(&comparison.ask.from), side(&comparison.from))?;
    writeln!(out, "to    {}   {}", clean(&comparison.ask.to), side(&comparison.to))?;
    if comparison.reaches.len() > 1 {
        writeln!(out, "! this layer reaches {}", clean(&comparison.reaches.join(", ")))?;
    }
    for (file, why) in &comparison.problems {
        let hint = why.hint.as_ref().map(|hint| format!(" (try: {})", clean(hint))).unwrap_or_default();
        writeln!(out, "? {}: nothing can be promoted into it: {}{hint}", clean(file), clean(&why.reason))?;
    }
    let mut table = Table::new();
    let listed = |row: &&Row| args.all || row.state != State::Same;
    let shown: Vec<&Row> =
        if args.keys.is_empty() { comparison.rows.iter().filter(listed).collect() } else { chosen.to_vec() };
    for row in &shown {
        let value = |facet: &Facet| clean(&masked(facet, print));
        let mut notes: Vec<String> = row.only.iter().map(ToString::to_string).collect();
        notes.extend((!row.overridden.is_empty()).then(|| format!("not in {}", row.overridden.join(", "))));
        table.row([
            row.state.word().to_owned(),
            clean(&row.key),
            value(&row.from),
            value(&row.to),
            clean(&row.file),
            clean(&notes.join("; ")),
        ]);
    }
    table.print(out, "  ")?;
    let same = comparison.rows.iter().filter(|row| row.state == State::Same).count();
    writeln!(out, "{} same, {} not", same, comparison.rows.len() - same)
}

fn done(promoted: &Promoted) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let short = promoted.commit.get(..7).unwrap_or(&promoted.commit);
    writeln!(out, "committed {} as {short} on {}", counted(promoted.keys.len()), clean(&promoted.branch))?;
    writeln!(out, "git push -u origin {}   hands it on for review", clean(&promoted.branch))
}

fn json<'a>(
    print: &Fingerprinter,
    comparison: &'a Comparison,
    chosen: &[&Row],
    promoted: Option<&'a Promoted>,
) -> PromoteJson<'a> {
    let key = |row: &'a Row| KeyJson {
        key: &row.key,
        state: row.state.word(),
        from: schema::masked(&row.from, print),
        to: schema::masked(&row.to, print),
        only: row.only.map(|only| only.to_string()),
        file: &row.file,
        overridden: &row.overridden,
        chosen: chosen.iter().any(|it| it.key == row.key),
    };
    let side = |name: &'a str, (reference, commit): &'a (String, String)| SideJson { name, reference, commit };
    PromoteJson {
        version: VERSION,
        from: side(&comparison.ask.from, &comparison.from),
        to: side(&comparison.ask.to, &comparison.to),
        reaches: &comparison.reaches,
        keys: comparison.rows.iter().map(key).collect(),
        problems: comparison
            .problems
            .iter()
            .map(|(subject, why)| ProblemJson { subject, reason: &why.reason, hint: why.hint.as_deref() })
            .collect(),
        promoted: promoted.map(|promoted| PromotedJson {
            branch: &promoted.branch,
            commit: &promoted.commit,
            keys: &promoted.keys,
            files: &promoted.files,
        }),
    }
}
