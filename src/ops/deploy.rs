//! Rolls a commit's template and code out: artifacts, a change set and its preview, what happens meanwhile, the receipt.
//!
//! A deployment has three parts. A [`Draft`] is made by reading alone. [`Draft::plan`] uploads what the change set takes
//! and has CloudFormation work it out: nothing that runs is changed by that, and [`Draft::abandon`] takes it back.
//! [`execute`] does what was shown, follows it to its end, and writes the receipt.

mod alias;
mod artifacts;
mod assembly;
mod blame;
mod bootstrap;
mod cancel;
mod clean;
mod delete;
mod direct;
mod draft;
mod drift;
mod execute;
mod follow;
mod history;
mod package;
mod plan;
mod preview;
mod publish;
mod recover;
mod request;
mod revert;
mod standing;
mod stopped;
mod stuck;
mod widening;

use super::session::Session;
use crate::aws::s3;
use crate::compare::Why;
use crate::config::Stack;

pub use alias::{Turn, turn, turn_back};
pub use blame::last_lines;
pub use bootstrap::{Foundation, bootstrap};
pub use cancel::cancel;
pub use clean::{Artifacts, Cleaned, Cleaning, Going, clean, cleaning};
pub use direct::PutBack;
pub use draft::{Ask, Draft, draft, stacks};
pub use drift::{Drifted, What};
pub use execute::{Deployed, execute};
pub use follow::{Ended, Failure, Happened, Operation, Progress, follow, under_way};
pub use history::{Past, history};
pub use plan::Plan;
pub use preview::{Act, Change, Fate, Property, Replacement};
pub use recover::{Held, Recovery, Wish, recover, recovery};
pub use standing::{Standing, standings};
pub use stuck::Stuck;
pub use widening::Widening;

/// Rolls one stack of a commit out without asking anybody. What is under way on it is waited for.
///
/// Fails when the stack ends up in another state than that which the commit describes.
pub async fn deploy(
    session: &Session,
    stack: &Stack,
    reference: &str,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Deployed, Why> {
    let name = session.expand(&stack.name).await?;
    let ask = Ask { reference: Some(reference.to_owned()), ..Ask::default() };
    let mut draft = draft::draft(session, &name, &ask).await?;
    while let Some(operation) = draft.under_way().await? {
        follow::follow(session, &operation, progress).await?;
        draft = draft::draft(session, &name, &ask).await?;
    }
    // Nobody is asked between the two, so that one note is enough.
    let begun = execute::begin(&draft, None)?;
    let plan = match Box::pin(draft.worked_out(progress)).await {
        Ok(plan) => plan,
        Err(why) => {
            let _ = begun.settle(session, Some(why.reason.clone())).await;
            return Err(why);
        }
    };
    let deployed = Box::pin(execute::finish(&draft, &plan, begun, progress)).await?;
    match deployed.failed {
        Some(why) => Err(why),
        None => Ok(deployed),
    }
}

/// The bucket that holds artifacts and receipts; made when it does not exist.
pub(super) async fn state_bucket(session: &Session) -> Result<String, Why> {
    let bucket = named_bucket(session).await?;
    s3::ensure_bucket(&session.clients, &bucket).await.map_err(|error| super::why(&error))?;
    Ok(bucket)
}

/// The same, whether it is there or not.
async fn named_bucket(session: &Session) -> Result<String, Why> {
    session.receipts().await?.bucket.ok_or_else(|| {
        Why::new("the project names no state bucket, which artifacts go through").hint("set [state] bucket")
    })
}
