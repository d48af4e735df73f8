//! What a deployed stack of Plumb's own templates says of itself: its outputs.

use std::collections::BTreeMap;

use super::session::Session;
use super::why;
use crate::aws::cloudformation;
use crate::compare::{Why, WhyKind};

/// A stack and its outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outputs {
    /// The stack's name.
    pub(super) stack: String,
    values: BTreeMap<String, String>,
}

impl Outputs {
    /// Those of a stack; `None`: there is no such stack.
    pub(super) async fn find(session: &Session, stack: &str) -> Result<Option<Self>, Why> {
        let found = cloudformation::stack(&session.clients, stack).await.map_err(|error| why(&error))?;
        Ok(found.map(|found| Self { stack: stack.to_owned(), values: found.outputs }))
    }

    /// Those of a stack that has to be there.
    pub(super) async fn of(session: &Session, stack: &str) -> Result<Self, Why> {
        Self::find(session, stack).await?.ok_or_else(|| {
            Why::new(format!("there is no stack {stack} in {}", session.clients.region()))
                .hint("another region or profile? lambda/README.md says how it is deployed")
                .kind(WhyKind::Missing)
        })
    }

    /// One of them, where it is there.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// One that a stack of that template has. `table` is where plumb.toml names the stack.
    pub(super) fn need(&self, name: &str, template: &str, table: &str) -> Result<String, Why> {
        self.get(name).map(str::to_owned).ok_or_else(|| {
            Why::new(format!("the stack {} has no output {name}", self.stack))
                .hint(format!("is it one of {template}? {table} in plumb.toml names another"))
        })
    }
}
