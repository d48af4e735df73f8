//! GitHub as the loop depends on it. Whoever can ask GitHub fills this in; nothing here knows how.

use futures::future::BoxFuture;

use crate::compare::Why;
use crate::secret::Secret;

/// What the loop's secret says, and what is asked for with it.
#[derive(Debug, Clone, Copy)]
pub struct Access<'a> {
    /// `github_endpoint`: the repository's URL, or the API's below it.
    pub endpoint: &'a str,
    /// `github_token`.
    pub token: &'a Secret,
    /// The workflow's file name; `None`: whichever listens for the loop's event.
    pub workflow: Option<&'a str>,
}

/// Reaches GitHub. Asks nothing yet.
pub type Connect<'a> = &'a (dyn Fn(Access<'_>) -> Result<Box<dyn Forge>, Why> + Send + Sync);

/// GitHub, by the loop's own token.
pub trait Forge: Send + Sync {
    /// What the token may do, in words; an error when it could not start the workflow.
    fn token(&self) -> BoxFuture<'_, Result<String, Why>>;

    /// How the workflow is, in words; an error when none of its runs would start.
    fn workflow(&self) -> BoxFuture<'_, Result<String, Why>>;

    /// Its last runs, the newest first; with a word, only those whose title has it.
    fn runs<'a>(&'a self, word: Option<&'a str>) -> BoxFuture<'a, Result<Vec<Run>, Why>>;
}

/// A run of the workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its title.
    pub title: String,
    /// Where a person looks at it.
    pub url: String,
    /// When it was asked for, milliseconds since the Unix epoch.
    pub at: i64,
    /// When it ended, and how: `success`.
    pub ended: Option<(i64, String)>,
}
