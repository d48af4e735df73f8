//! A command of the operator's own that writes: in whose name it runs, and its note in the journal.
//!
//! The command line is noted, and how the command ended; nothing that it wrote, which may be a value.

use super::journal::{Action, Begun, Intent, Outcome};
use super::session::{Session, Variable};
use crate::compare::Why;

/// A command that may be run, and that the journal holds as begun. Dropped, it is not known how it went.
pub struct Running {
    session: Session,
    begun: Begun,
}

/// Notes that a command begins, by what it is called there: its id and its whole line. Refused where writing is.
pub async fn begin(session: &Session, called: String) -> Result<Running, Why> {
    let (session, writer) = session.for_writing().await?;
    let intent = Intent::new(Action::Run, vec![called]);
    let begun = Begun::new(&session, &writer, intent)?;
    Ok(Running { session, begun })
}

impl Running {
    /// What its environment has to have, so that it writes where and as whom the plan said.
    #[must_use]
    pub fn variables(&self) -> Vec<Variable> {
        self.session.variables()
    }

    /// Notes how it went; answers why the journal does not hold that, if so.
    pub async fn settle(self, outcome: Outcome, error: Option<String>) -> Option<Why> {
        self.begun.settle_as(&self.session, outcome, error).await
    }
}
