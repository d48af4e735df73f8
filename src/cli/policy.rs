//! `plumb policy`: the IAM policy that Plumb needs.

use super::{Failed, Outcome, Output, Shared, clean, print_json, say, shared};
use crate::compare::Why;
use crate::ops::permissions::Need;
use crate::ops::policy;

/// Arguments of `plumb policy`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What is to be allowed.
    #[arg(value_enum)]
    need: NeedArg,
    /// The policy is JSON either way.
    #[arg(long, short, value_enum, default_value_t = Output::Json)]
    output: Output,
}

/// What is to be allowed, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum NeedArg {
    /// Looking and comparing.
    Read,
    /// The same, and recording, pushing and deploying.
    Write,
    /// Dry runs of pull requests: no value is read, and nothing that runs is changed.
    Check,
}

/// Runs `plumb policy`: the policy on stdout, what to know about it on stderr.
pub(super) async fn run(shared: &Shared, args: &Args) -> Result<Outcome, Failed> {
    // One form for both: a policy has no other.
    let (Output::Json | Output::Text) = args.output;
    let settings = shared.settings()?;
    let root = match &settings.root {
        Some(root) => root.clone(),
        None => shared::here()?,
    };
    let need = args.need;
    let work = move || match need {
        NeedArg::Read => policy::policy(&settings, &root, Need::Read),
        NeedArg::Write => policy::policy(&settings, &root, Need::Write),
        NeedArg::Check => policy::check(&settings, &root),
    };
    let policy = tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Why::new(format!("an internal task failed: {error}")))?;
    print_json(&policy.document)?;
    for note in &policy.notes {
        say!("note: {}", clean(note));
    }
    Ok(Outcome::Clean)
}
