//! `plumb diff`: git and live, value by value.

mod draw;
mod pager;
mod rows;

use std::io::{IsTerminal, Write};

use clap::ValueEnum;
use clap_complete::ArgValueCandidates;
use globset::{GlobBuilder, GlobMatcher};
use zeroize::Zeroizing;

use self::draw::{Draw, Layout};
use super::status::{self, DetectArg, KindArg};
use super::{Failed, Outcome, Output, Progress, Shared, print_json, values};
use crate::compare::{Item, Kind, Verdict, Why};
use crate::ops::inspect::{self, Reveal, Wish};
use crate::ops::report::Report;
use crate::ops::schema::{self, Values};

/// Columns from which on two sides fit beside each other.
const WIDE: usize = 100;

/// Arguments of `plumb diff`.
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// stack, code, parameter or secret.
    #[arg(add = ArgValueCandidates::new(values::kinds))]
    kind: Option<String>,
    /// Only items whose names match; * also matches what has a / in it. A stack's name stands for all that it owns.
    #[arg(add = ArgValueCandidates::new(values::items))]
    name_glob: Option<String>,
    /// One side below the other; side by side is what a wide terminal gets by itself.
    #[arg(long, short)]
    unified: bool,
    /// Both sides beside each other, whatever the width.
    #[arg(long, short, conflicts_with = "unified")]
    side_by_side: bool,
    /// Show values in clear.
    #[arg(long)]
    reveal: bool,
    /// Also what is in sync, unmanaged or ignored.
    #[arg(long)]
    all: bool,
    /// Only these kinds.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<KindArg>,
    /// When to let CloudFormation look at every resource anew.
    #[arg(long, value_enum, default_value_t = DetectArg::Stale)]
    detect: DetectArg,
    /// Count what is unknown or unmanaged as an error.
    #[arg(long)]
    strict: bool,
    /// Do not use a pager.
    #[arg(long)]
    no_pager: bool,
    /// Text or JSON.
    #[arg(long, short, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// Runs `plumb diff`.
pub(super) async fn run(shared: &Shared, args: &Args) -> Result<Outcome, Failed> {
    let (kind, glob) = selection(args)?;
    let session = shared.session().await?;
    let only: Vec<KindArg> = kind.map_or_else(|| args.only.clone(), |kind| vec![kind]);
    let wish = Wish { reveal: Reveal::Differences, ..status::wish(&session, &only, args.detect) };
    let progress = Progress::begin();
    let mut report = inspect::watched(&session, &wish, &|text| progress.tell(text)).await;
    drop(progress);
    if let Some(glob) = &glob {
        keep(&mut report, glob);
        // Where something could not be read, the name may be there all the same, and the report says what failed.
        if report.items().next().is_none() && schema::failures(&report).is_empty() {
            return Err(no_match(args, glob).into());
        }
    }
    let shown = |item: &Item| args.all || item.verdict.needs_attention();
    match args.output {
        Output::Json => {
            let values = if args.reveal { Values::Revealed } else { Values::Masked };
            print_json(&schema::with_values(&report, &session.fingerprinter, values, |item| {
                args.all || !matches!(item.verdict, Verdict::InSync)
            }))?;
        }
        Output::Text => {
            let terminal = std::io::stdout().is_terminal();
            let draw = Draw {
                fingerprinter: &session.fingerprinter,
                reveal: args.reveal,
                colour: terminal && session.settings.color,
                layout: layout(args, terminal),
                fold: !args.all && glob.is_none(),
            };
            let mut text = Zeroizing::new(Vec::new());
            write(&mut text, &draw, &report, &shown)?;
            let pager = session.settings.operator.pager.as_deref();
            if terminal && !args.no_pager {
                pager::show(&text, pager).await?;
            } else {
                std::io::stdout().lock().write_all(&text)?;
            }
        }
    }
    shared.stats(&session);
    Ok(status::outcome(&report, args.strict))
}

/// Which kind, and which names: a single word that is no kind is a name.
fn selection(args: &Args) -> Result<(Option<KindArg>, Option<GlobMatcher>), Failed> {
    let kind = args.kind.as_deref().map(|word| KindArg::from_str(word, true).map_err(|_| word));
    let (kind, glob) = match (kind, &args.name_glob) {
        (None, glob) => (None, glob.as_deref()),
        (Some(Ok(kind)), glob) => (Some(kind), glob.as_deref()),
        (Some(Err(word)), None) => (None, Some(word)),
        (Some(Err(word)), Some(_)) => {
            return Err(Why::new(format!("there is no kind \"{word}\""))
                .hint("stack, code, parameter or secret; a name with blanks in it needs quotes")
                .into());
        }
    };
    let glob = glob.map(|glob| {
        let built = GlobBuilder::new(glob).literal_separator(false).build();
        built.map(|glob| glob.compile_matcher()).map_err(|error| Why::new(format!("{glob}: {}", error.kind())))
    });
    Ok((kind, glob.transpose()?))
}

fn keep(report: &mut Report, glob: &GlobMatcher) {
    for (_, section) in &mut report.sections {
        if let Ok(section) = section {
            section.items.retain(|item| names(item).any(|name| glob.is_match(name)));
        }
    }
}

/// The names that an item goes by: its own, that in its stack's template, and of what a stack owns the stack's.
fn names(item: &Item) -> impl Iterator<Item = &str> {
    let stack = matches!(item.kind, Kind::Stack | Kind::Code).then_some(item.unit.as_str());
    [Some(item.name.as_str()), item.logical_id.as_deref(), stack].into_iter().flatten()
}

/// Nothing has such a name; a lone word may have been meant as a kind.
fn no_match(args: &Args, glob: &GlobMatcher) -> Why {
    let text = glob.glob().glob();
    let lone = args.kind.as_deref().filter(|_| args.name_glob.is_none());
    let near = |kind: &&Kind| {
        lone.is_some_and(|word| {
            let (word, kind) = (word.to_lowercase(), kind.code());
            strsim::damerau_levenshtein(&word, kind) <= 2 || strsim::jaro_winkler(&word, kind) >= 0.9
        })
    };
    let meant = Kind::ALL.iter().find(near).map(|kind| format!("; did you mean {}?", kind.code()));
    let why = Why::new(format!("no item's name matches {text}{}", meant.unwrap_or_default()));
    let has_wildcard = text.contains(['*', '?', '[', '{']);
    if has_wildcard { why } else { why.hint(format!("*{text}* also finds it within a name")) }
}

fn layout(args: &Args, terminal: bool) -> Layout {
    let columns =
        if terminal { crossterm::terminal::size().map_or(80, |(columns, _)| usize::from(columns)) } else { 0 };
    if args.side_by_side || (!args.unified && columns >= WIDE) {
        Layout::SideBySide(columns.max(WIDE))
    } else {
        Layout::Unified
    }
}

fn write(
    out: &mut Zeroizing<Vec<u8>>,
    draw: &Draw<'_>,
    report: &Report,
    shown: &dyn Fn(&Item) -> bool,
) -> std::io::Result<()> {
    let out: &mut Vec<u8> = out;
    status::header(out, report)?;
    let mut items: Vec<&Item> = report.items().filter(|item| shown(item)).collect();
    items.sort_by_key(|item| std::cmp::Reverse(item.verdict.weight()));
    let mut told: Vec<(Kind, &str)> = Vec::new();
    for item in &items {
        if let Some(same) = unknown(item).filter(|_| draw.fold) {
            if !told.contains(&same) {
                told.push(same);
                let alike = items.iter().filter(|other| unknown(other) == Some(same)).count();
                writeln!(out)?;
                draw.folded(out, item, alike - 1)?;
            }
            continue;
        }
        writeln!(out)?;
        draw.item(out, item)?;
    }
    let equal = report.tally().total() - items.len();
    if equal > 0 {
        writeln!(out, "\n{equal} more that need nothing")?;
    }
    status::notes(out, report)?;
    status::failures(out, report)
}

/// What is unknown is alike when it is of one kind and for one reason.
fn unknown(item: &Item) -> Option<(Kind, &str)> {
    matches!(item.verdict, Verdict::Unknown(_)).then(|| (item.kind, draw::reason(item)))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn select(words: &[&str]) -> Result<(Option<KindArg>, Option<String>), Failed> {
        let line = Line::parse_from(["diff"].iter().chain(words));
        selection(&line.args).map(|(kind, glob)| (kind, glob.map(|glob| glob.glob().glob().to_owned())))
    }

    #[test]
    fn one_word_is_a_kind_or_else_a_name() {
        let name = |text: &str| Some(text.to_owned());
        assert_eq!(select(&[]).unwrap(), (None, None));
        assert_eq!(select(&["parameter"]).unwrap(), (Some(KindArg::Parameter), None));
        assert_eq!(select(&["/a/*"]).unwrap(), (None, name("/a/*")));
        assert_eq!(select(&["secret", "x"]).unwrap(), (Some(KindArg::Secret), name("x")));
        assert!(select(&["secrets", "x"]).is_err());
        assert!(select(&["[a"]).is_err());
    }
}
