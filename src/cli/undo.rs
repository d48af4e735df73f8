//! `plumb undo` and `plumb rollback`: back to what was live before - values, a function's code, or whole stacks.

mod alias;

use clap_complete::ArgValueCandidates;

use super::consent::How;
use super::deploy::{self, Order, interruptible};
use super::push::{Asked, carry_out, planned};
use super::{Failed, Outcome, Shared, clean, values};
use crate::compare::Why;
use crate::ops::deploy::{Ask, stacks};
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
    /// A parameter or secret; a stack; or a function, as STACK/FUNCTION. Default: all stacks of the environment.
    #[arg(value_name = "WHAT", add = ArgValueCandidates::new(values::items))]
    what: Option<String>,
    /// Where to: a parameter's version, a secret's version id or stage; for stacks a commit, which is deployed; for a
    /// function the version that its alias serves, by default the one before.
    #[arg(long, value_name = "VERSION|COMMIT")]
    to: Option<String>,
    #[command(flatten)]
    how: How,
}

fn asked<'a>(how: &'a How, command: &'a str) -> Asked<'a> {
    Asked { command, consent: &how.consent, dry_run: how.dry_run, output: how.output.into() }
}

/// Runs `plumb undo`.
pub(super) async fn run(shared: &Shared, args: &Args) -> Result<Outcome, Failed> {
    let asked = asked(&args.how, "undo");
    let (session, planner) = asked.sessions(shared).await?;
    let plan = planned(&planner, Box::pin(undo::plan(&planner, args.id.as_deref()))).await?;
    Box::pin(carry_out(shared, &session, &plan, asked)).await
}

/// What is rolled back, told apart by its name.
enum Target<'a> {
    /// A parameter or secret.
    Item(&'a str),
    /// A function's alias.
    Function(&'a str),
    /// These stacks; none: all of the environment.
    Stacks(&'a [String]),
}

/// Runs `plumb rollback`.
pub(super) async fn rollback(shared: &Shared, args: &RollbackArgs) -> Result<Outcome, Failed> {
    let asked = asked(&args.how, "rollback");
    let where_to = || {
        let name = args.what.as_deref().unwrap_or("the stacks");
        Why::new(format!("where is {} to be rolled back to?", clean(name)))
            .hint("--to VERSION, of a parameter or secret; --to COMMIT, of stacks")
    };
    let named = args.what.as_slice();
    match interruptible(target(shared, named)).await?? {
        Target::Item(key) => {
            let to = args.to.as_deref().ok_or_else(where_to)?;
            let work = async {
                let (session, planner) = asked.sessions(shared).await?;
                let plan = planned(&planner, Box::pin(rollback::plan(&planner, key, to))).await?;
                Box::pin(carry_out(shared, &session, &plan, asked)).await
            };
            interruptible(Box::pin(work)).await?
        }
        Target::Function(name) => interruptible(Box::pin(alias::run(shared, name, args.to.as_deref(), asked))).await?,
        Target::Stacks(stacks) => {
            let ask = Ask { reference: Some(args.to.clone().ok_or_else(where_to)?), ..Ask::default() };
            if !shared.names_environment() {
                let why = Why::new("which environment is to be rolled back?");
                return Err(why.hint("plumb rollback --env NAME --to COMMIT").into());
            }
            let Asked { command, consent, dry_run, output } = asked;
            let order = Order { command, stacks, ask, dry_run, consent, output, redeploy: None };
            Box::pin(deploy::carry_out(shared, &order)).await
        }
    }
}

/// What a name means: nothing at all is every stack; what the project calls a stack is one, and what lies behind it and a
/// slash a function.
async fn target<'a>(shared: &Shared, named: &'a [String]) -> Result<Target<'a>, Failed> {
    let Some(name) = named.first() else { return Ok(Target::Stacks(named)) };
    if name.starts_with('/') {
        return Ok(Target::Item(name));
    }
    let session = shared.session().await?;
    // Without a commit that can be read there is no stack to be meant.
    let stacks = stacks(&session, &Ask::default()).await.unwrap_or_default();
    let is_stack = |wanted: &str| stacks.iter().any(|stack| stack.name == wanted);
    Ok(match name.split_once('/') {
        _ if is_stack(name) => Target::Stacks(named),
        Some((stack, _)) if is_stack(stack) => Target::Function(name),
        _ => Target::Item(name),
    })
}
