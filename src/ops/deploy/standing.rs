//! How the stacks of an environment stand: what they run, what was done to them, what they are at now.

use futures::future::{self, BoxFuture, FutureExt};

use super::draft::{Ask, stacks};
use super::follow::{self, Operation};
use super::history::{self, Past};
use super::stuck::Stuck;
use crate::aws::cloudformation::{self, StackInfo};
use crate::compare::Why;
use crate::config::Stack;
use crate::ops::receipt::{Store, UnitId};
use crate::ops::session::Session;
use crate::ops::why;

/// How many entries of a stack's past are read.
const PAST: usize = 50;

/// How a stack stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Standing {
    /// Its name.
    pub name: String,
    /// Such as `UPDATE_COMPLETE`; `None`: it is not there, or could not be read.
    pub status: Option<String>,
    /// Where it is stuck, if it is.
    pub stuck: Option<Stuck>,
    /// The commit that it runs, by its receipt.
    pub runs: Option<String>,
    /// When it was last changed, milliseconds since the Unix epoch.
    pub changed_at: Option<i64>,
    /// What CloudFormation is at with it.
    pub operation: Option<Operation>,
    /// What was done to it.
    pub past: Past,
    /// Its functions with an alias, by their logical ids.
    pub functions: Vec<String>,
    /// What of all this could not be read.
    pub problems: Vec<Why>,
}

impl Standing {
    /// How long the last deployment took that went well, in milliseconds.
    #[must_use]
    pub fn last_took(&self) -> Option<i64> {
        self.past.entries.iter().find_map(history::took)
    }
}

/// How the stacks of the environment stand, in the order of the project file; those that the commit describes.
pub async fn standings(session: &Session, reference: Option<String>) -> Result<Vec<Standing>, Why> {
    let known = stacks(session, &Ask { reference, ..Ask::default() }).await?;
    let store = session.receipts().await?;
    let names: Vec<&str> = known.iter().map(|stack| stack.name.as_str()).collect();
    let each = future::join_all(known.iter().map(|stack| one(session, &store, stack)));
    let (pasts, found) = tokio::join!(history::histories(session, &names, PAST), each);
    Ok(found.into_iter().zip(pasts).map(|(standing, past)| Standing { past, ..standing }).collect())
}

fn one<'a>(session: &'a Session, store: &'a Store, stack: &'a Stack) -> BoxFuture<'a, Standing> {
    of_stack(session, store, stack).boxed()
}

async fn of_stack(session: &Session, store: &Store, stack: &Stack) -> Standing {
    let clients = &session.clients;
    let unit = UnitId::Stack(stack.name.clone());
    let (info, receipt) = tokio::join!(cloudformation::stack(clients, &stack.name), store.held(clients, &unit));
    let with_alias = stack.functions.iter().filter(|function| function.alias.is_some());
    let mut standing = Standing {
        name: stack.name.clone(),
        functions: with_alias.map(|function| function.resource.clone()).collect(),
        ..Standing::default()
    };
    match receipt {
        Ok(receipt) => standing.runs = receipt.map(|receipt| receipt.commit),
        Err(why) => standing.problems.push(why),
    }
    match info {
        Ok(info) => {
            if let Some(info) = info.as_ref().filter(|info| info.in_progress()) {
                match follow::operation(session, info).await {
                    Ok(operation) => standing.operation = Some(operation),
                    Err(why) => standing.problems.push(why),
                }
            }
            standing.stuck = info.as_ref().and_then(|info| Stuck::of(&info.status));
            standing.changed_at = info.as_ref().map(|info| info.changed_at);
            standing.status = info.map(|StackInfo { status, .. }| status);
        }
        Err(error) => standing.problems.push(why(&error)),
    }
    standing
}
