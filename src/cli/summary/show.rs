//! `plumb summary show`: what a week's summary says.

use std::collections::BTreeMap;
use std::io::Write;

use serde::Serialize;

use super::super::table::Table;
use super::super::{Failed, Output, clean, print_json};
use crate::ops::schema::VERSION;
use crate::ops::summary::{Manifest, Summary};

#[derive(Serialize)]
struct Json<'a> {
    version: u32,
    week: &'a str,
    from: &'a str,
    to: &'a str,
    #[serde(flatten)]
    summary: &'a Summary,
    files: &'a [crate::ops::summary::File],
}

/// Prints it.
pub(super) fn show(manifest: &Manifest, summary: &Summary, output: Output) -> Result<(), Failed> {
    let Manifest { week, from, to, files, .. } = manifest;
    if output == Output::Json {
        return print_json(&Json { version: VERSION, week, from, to, summary, files });
    }
    let mut out = std::io::stdout().lock();
    let Summary { records, bytes, first, last, days, sources, fields, more_fields } = summary;
    writeln!(out, "{}  {} to {}", clean(week), clean(from), clean(to))?;
    writeln!(out, "{records} records, {bytes} bytes")?;
    let mut table = Table::new();
    for (word, point) in [("first", first), ("last", last)] {
        if let Some(point) = point {
            table.row([word.to_owned(), clean(&point.received), clean(&point.id)]);
        }
    }
    table.print(&mut out, "")?;
    for (head, counts) in [("days", days), ("sources", sources)] {
        tally(&mut out, head, counts)?;
    }
    if !fields.is_empty() {
        writeln!(out, "fields")?;
    }
    let mut table = Table::new();
    for (name, field) in fields {
        let numbers = field.numbers.as_ref().map(|numbers| {
            let percentile = |percent: &str| {
                let value = numbers.percentiles.get(percent);
                value.map(|value| format!("  p{percent} {value}")).unwrap_or_default()
            };
            let percentiles: String = ["50", "90", "99"].into_iter().map(percentile).collect();
            format!(
                "{} numbers  min {}  mean {}  max {}{percentiles}",
                numbers.count, numbers.min, numbers.mean, numbers.max
            )
        });
        table.row([clean(name), format!("in {}", field.present), numbers.unwrap_or_default()]);
    }
    table.print(&mut out, "  ")?;
    if *more_fields > 0 {
        writeln!(out, "  and {more_fields} more fields")?;
    }
    Ok(())
}

fn tally(out: &mut impl Write, head: &str, counts: &BTreeMap<String, u64>) -> std::io::Result<()> {
    if counts.is_empty() {
        return Ok(());
    }
    writeln!(out, "{head}")?;
    let widest = counts.values().map(|count| count.to_string().len()).max().unwrap_or(0);
    let mut table = Table::new();
    for (name, count) in counts {
        table.row([clean(name), format!("{count:>widest$}")]);
    }
    table.print(out, "  ")
}
