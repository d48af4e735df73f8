//! `plumb status`: what differs, in one screen or as JSON.

mod fleet;
mod text;

use super::{Failed, Outcome, Output, Progress, Shared, print_json};
use crate::compare::{Item, Kind, Verdict};
use crate::ops::hold;
use crate::ops::inspect::{self, Detect, Wish};
use crate::ops::report::Report;
use crate::ops::{schema, session::Session};

pub(super) use text::{failures, header, notes};

/// Arguments of `plumb status`.
#[derive(Debug, clap::Args)]
#[allow(clippy::struct_excessive_bools, reason = "they are flags of a command line")]
pub(crate) struct Args {
    /// List every item, also what is in sync.
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
    /// All environments of the project.
    #[arg(long)]
    all_envs: bool,
    /// All environments of this project and of those that [projects] of config.toml names.
    #[arg(long)]
    all_projects: bool,
    /// Text or JSON.
    #[arg(long, short, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// A kind as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum KindArg {
    /// Stack resources.
    Stack,
    /// Functions' code.
    Code,
    /// Parameters.
    Parameter,
    /// Secrets.
    Secret,
}

/// When to detect drift, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum DetectArg {
    /// Before each answer.
    Always,
    /// When the last result is too old.
    Stale,
    /// Never: use the last result whatever its age.
    Never,
}

impl From<KindArg> for Kind {
    fn from(kind: KindArg) -> Self {
        match kind {
            KindArg::Stack => Self::Stack,
            KindArg::Code => Self::Code,
            KindArg::Parameter => Self::Parameter,
            KindArg::Secret => Self::Secret,
        }
    }
}

impl From<DetectArg> for Detect {
    fn from(detect: DetectArg) -> Self {
        match detect {
            DetectArg::Always => Self::Always,
            DetectArg::Stale => Self::Stale,
            DetectArg::Never => Self::Never,
        }
    }
}

/// Runs `plumb status`.
pub(crate) async fn run(shared: &Shared, args: &Args) -> Result<Outcome, Failed> {
    if args.all_envs || args.all_projects {
        return fleet::run(shared, args).await;
    }
    let session = shared.session().await?;
    let wish = wish(&session, &args.only, args.detect);
    let progress = Progress::begin();
    let told = |text: &str| progress.tell(text);
    let mut report = inspect::watched(&session, &wish, &told).await;
    drop(progress);
    let hold = held(&session, &report).await;
    report.hold = Some(hold.clone());
    // Without a project nothing is managed, and what is there is what one wants to see.
    let all = args.all || session.settings.adhoc.is_some();
    let shown = |item: &Item| all || item.verdict.needs_attention();
    match args.output {
        Output::Json => print_json(&schema::status(&report, &session.fingerprinter, |item| in_json(args, item)))?,
        Output::Text => text::text(&mut std::io::stdout().lock(), &report, &shown)?,
    }
    super::hold::tell(&session.environment().name, &hold);
    shared.stats(&session);
    Ok(outcome(&report, args.strict))
}

/// The hold of the project's environment, which is known where parameters were listed; a stack or a path alone has none.
async fn held(session: &Session, report: &Report) -> hold::Found {
    match &report.hold {
        Some(found) => found.clone(),
        None if session.settings.adhoc.is_some() => Ok(None),
        None => hold::current(session).await,
    }
}

fn in_json(args: &Args, item: &Item) -> bool {
    args.all || !matches!(item.verdict, Verdict::InSync)
}

/// What to inspect.
pub(super) fn wish(session: &Session, only: &[KindArg], detect: DetectArg) -> Wish {
    let own = Wish::of(session);
    let kinds = if only.is_empty() { own.kinds.clone() } else { only.iter().map(|kind| (*kind).into()).collect() };
    Wish { kinds, detect: detect.into(), ..own }
}

/// 0: nothing differs. 1: differences. 2: something failed, or is unknown or unmanaged and `strict` asked.
pub(super) fn outcome(report: &Report, strict: bool) -> Outcome {
    let tally = report.tally();
    let failed = !schema::failures(report).is_empty();
    let unclear = strict && tally.unknown + tally.unmanaged > 0;
    if failed || unclear {
        Outcome::Problem
    } else if tally.differences() > 0 {
        Outcome::Differences
    } else {
        Outcome::Clean
    }
}
