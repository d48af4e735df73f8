//! `plumb undo` and `plumb rollback`: back to values that were live before.

use clap_complete::ArgValueCandidates;

use super::consent::Consent;
use super::push::{Asked, carry_out, planned};
use super::{Failed, Outcome, Output, Shared, values};
use crate::ops::push::{rollback, undo};

/// Arguments of `plumb undo`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The entry of the journal that is taken back, or how its id begins. Default: the last push or rollback.
    id: Option<String>,
    #[command(flatten)]
    how: How,
}

/// Arguments of `plumb rollback`.
#[derive(Debug, clap::Args)]
pub(crate) struct RollbackArgs {
    /// The parameter or secret.
    #[arg(add = ArgValueCandidates::new(values::items))]
    key: String,
    /// The version whose value it gets: a parameter's number, a secret's version id or stage.
    #[arg(long, value_name = "VERSION")]
    to: String,
    #[command(flatten)]
    how: How,
}

/// What both take.
#[derive(Debug, clap::Args)]
struct How {
    /// Work the plan out, show it, and write nothing.
    #[arg(long, conflicts_with_all = ["yes", "unlock"])]
    dry_run: bool,
    #[command(flatten)]
    consent: Consent,
    /// Text or JSON.
    #[arg(long, short, value_enum, default_value_t = Output::Text)]
    output: Output,
}

impl How {
    fn asked<'a>(&'a self, command: &'a str) -> Asked<'a> {
        Asked { command, consent: &self.consent, dry_run: self.dry_run, output: self.output }
    }
}

/// Runs `plumb undo`.
pub(super) async fn run(shared: &Shared, args: &Args) -> Result<Outcome, Failed> {
    let asked = args.how.asked("undo");
    let (session, planner) = asked.sessions(shared).await?;
    let plan = planned(&planner, Box::pin(undo::plan(&planner, args.id.as_deref()))).await?;
    Box::pin(carry_out(shared, &session, &plan, asked)).await
}

/// Runs `plumb rollback`.
pub(super) async fn rollback(shared: &Shared, args: &RollbackArgs) -> Result<Outcome, Failed> {
    let asked = args.how.asked("rollback");
    let (session, planner) = asked.sessions(shared).await?;
    let plan = planned(&planner, Box::pin(rollback::plan(&planner, &args.key, &args.to))).await?;
    Box::pin(carry_out(shared, &session, &plan, asked)).await
}
