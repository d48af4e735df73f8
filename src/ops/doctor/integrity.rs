//! The loop that keeps live true to git, looked at hop by hop, and walked by a canary.
//!
//! Every call reads, but the one that puts the canary; that goes the whole way and changes nothing, whoever sends it.

mod canary;
mod decided;
mod forge;
mod hops;

use std::collections::BTreeMap;

pub use canary::{Canary, Hop, send};

use super::Check;
use crate::aws::cloudformation::{self, StackResource};
use crate::aws::{cloudtrail, lambda};
use crate::compare::Why;
use crate::ops::session::Session;
use crate::ops::why;
use crate::secret::Secret;

/// The area of its checks.
const AREA: &str = "loop";

/// The loop as it is deployed.
pub struct Loop {
    /// Its stack.
    pub stack: String,
    /// The function's name.
    pub function: String,
    resources: Vec<StackResource>,
    outputs: BTreeMap<String, String>,
    /// What the function is told: mode, stacks, workflow, secret.
    variables: BTreeMap<String, Secret>,
    state: String,
}

impl Loop {
    /// The name of an environment's loop, unless another one is said.
    #[must_use]
    pub fn usual_stack(session: &Session) -> String {
        format!("{}-{}-loop", session.project().name, session.environment().name)
    }

    /// Finds it by its stack.
    pub async fn find(session: &Session, stack: &str) -> Result<Self, Why> {
        let clients = &session.clients;
        let missing = || {
            Why::new(format!("there is no stack {stack} in {}, so nothing hears of changes", clients.region())).hint(
                "plumb lambda build makes integrity.yaml and its zip; plumb doctor loop STACK names another stack",
            )
        };
        let info = cloudformation::stack(clients, stack).await.map_err(|error| why(&error))?.ok_or_else(missing)?;
        let output = |name: &str| info.outputs.get(name).cloned();
        let function = output("IntegrityFunction").ok_or_else(|| {
            Why::new(format!("the stack {stack} is no loop: it has no output IntegrityFunction"))
                .hint("plumb doctor loop STACK names another one")
        })?;
        let resources = cloudformation::resources(clients, stack).await.map_err(|error| why(&error))?;
        let found = lambda::function(clients, &function, None).await.map_err(|error| why(&error))?;
        let found = found.ok_or_else(|| Why::new(format!("the function {function} of {stack} is gone")))?;
        let variables = found.environment.map_err(Why::new)?;
        let state = found.state.unwrap_or_else(|| "Active".to_owned());
        Ok(Self { stack: stack.to_owned(), function, resources, outputs: info.outputs, variables, state })
    }

    /// What the function is told under a name.
    fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(Secret::expose).filter(|value| !value.is_empty())
    }

    /// Whether it puts changes back, and not only tells of them.
    #[must_use]
    pub fn heals(&self) -> bool {
        self.variable("MODE") == Some("heal")
    }

    /// Names of its resources of a type.
    fn of_type(&self, type_name: &str) -> Vec<&str> {
        let mine = self.resources.iter().filter(|resource| resource.type_name == type_name);
        mine.filter_map(|resource| resource.physical_id.as_deref()).collect()
    }
}

/// Looks at each hop, in the order in which a change goes.
pub async fn checks(session: &Session, stack: &str) -> (Option<Loop>, Vec<Check>) {
    let mut checks = vec![trail(session).await];
    let found = match Loop::find(session, stack).await {
        Ok(found) => found,
        Err(why) => {
            checks.push(Check::problem(AREA, "stack", &why));
            return (None, checks);
        }
    };
    checks.push(found.belongs(session));
    checks.push(found.watches(session).await);
    checks.extend(found.rules(session).await);
    checks.push(found.permission(session).await);
    checks.push(found.runs(session));
    checks.push(found.hold(session).await);
    checks.extend(found.asks(session).await);
    checks.push(found.decided(session).await);
    checks.push(found.dead_letters(session).await);
    (Some(found), checks)
}

/// A trail that records what changes something: EventBridge hears of nothing else.
async fn trail(session: &Session) -> Check {
    let clients = &session.clients;
    let names = match cloudtrail::trails(clients).await {
        Ok(names) => names,
        Err(error) => return Check::problem(AREA, "trail", &why(&error)),
    };
    let mut silent = Vec::new();
    for name in &names {
        match cloudtrail::recording(clients, name).await {
            Ok(found) if found.is_logging && found.has_writes => {
                return Check::ok(AREA, "trail", format!("{name} records what changes something"));
            }
            Ok(found) if found.is_logging => silent.push(format!("{name} records no management events that write")),
            Ok(_) => silent.push(format!("{name} is switched off")),
            Err(error) => silent.push(format!("{name}: {error}")),
        }
    }
    let told = if silent.is_empty() { "there is none".to_owned() } else { silent.join("; ") };
    let why = Why::new(format!("no trail records what changes something, so the loop hears of no call: {told}"));
    Check::problem(AREA, "trail", &why.hint("plumb bootstrap makes one where there is none"))
}
