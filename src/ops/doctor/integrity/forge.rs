//! GitHub as the loop depends on it: asked by the loop's own token, of the repository that its secret names.

use crate::compare::Why;
use crate::github::{Error, GitHub, Patience, Repository, Run};
use crate::ops::failed;
use crate::secret::Secret;

/// One of these scopes lets a classic token start a workflow; the second only in a public repository.
const ENOUGH: [&str; 2] = ["repo", "public_repo"];

/// GitHub, by the loop's token.
pub(super) struct Forge {
    github: GitHub,
    /// The workflow's file name; `None`: whichever listens for the loop's event.
    workflow: Option<String>,
    /// What puts another token into the loop's secret.
    renewed: String,
}

impl Forge {
    /// By what the loop's secret says. Asks nothing yet.
    pub(super) fn new(endpoint: &str, token: Secret, workflow: Option<&str>, renewed: String) -> Result<Self, Why> {
        let repository = Repository::of(endpoint).ok_or_else(|| {
            Why::new(format!("github_endpoint of the loop's secret is no repository of GitHub: {endpoint}"))
                .hint("write https://github.com/OWNER/NAME")
        })?;
        let github = GitHub::new(repository, token, Patience::default()).map_err(|error| told(&error, &renewed))?;
        Ok(Self { github, workflow: workflow.map(str::to_owned), renewed })
    }

    /// What the token may do, in words; an error when it could not start the workflow.
    pub(super) async fn token(&self) -> Result<String, Why> {
        let may_write = self.github.may_write().await.map_err(|error| told(&error, &self.renewed))?;
        let name = &self.github.repository().name;
        let hint = "give it Actions: write on the repository; a token of the classic kind needs the scope repo";
        if may_write == Some(false) {
            return Err(Why::new(format!("the token only reads {name}, and could start no run there")).hint(hint));
        }
        match self.github.scopes() {
            // Only tokens of the classic kind have scopes; GitHub does not tell a fine-grained one's permissions.
            None => Ok(format!("it may write to {name}, as far as GitHub tells")),
            Some(scopes) if scopes.split(',').any(|scope| ENOUGH.contains(&scope.trim())) => {
                Ok(format!("it may write to {name}; its scopes are {scopes}"))
            }
            Some(scopes) => {
                let scopes = if scopes.is_empty() { "none".to_owned() } else { scopes };
                Err(Why::new(format!("the token's scopes ({scopes}) do not let it start a run in {name}")).hint(hint))
            }
        }
    }

    /// Whether a run of the workflow would start, in words; `None`: no file is named.
    pub(super) async fn workflow(&self) -> Option<Result<String, Why>> {
        let file = self.workflow.as_deref()?;
        Some(match self.github.workflow(file).await {
            Ok(workflow) if workflow.state == "active" => Ok(format!("{} is active", workflow.name)),
            Ok(workflow) => {
                let why = Why::new(format!("{} is {}, so none of its runs would start", workflow.name, workflow.state));
                Err(why.hint(format!("enable it: {}", workflow.url)))
            }
            Err(error) => Err(told(&error, &self.renewed)),
        })
    }

    /// Its last runs, the newest first.
    pub(super) async fn runs(&self) -> Result<Vec<Run>, Why> {
        self.github.runs(self.workflow.as_deref()).await.map_err(|error| told(&error, &self.renewed))
    }
}

/// The loop has its repository, workflow and token elsewhere than a redeploy that somebody asks for.
fn told(error: &Error, renewed: &str) -> Why {
    let hint = match error {
        Error::Refused { status: 401, .. } => {
            Some(format!("the token has expired or was withdrawn: {renewed} puts another one there"))
        }
        Error::Refused { status: 404, .. } => Some(
            "github_endpoint in the loop's secret, or Workflow among the parameters of its stack, names what is not \
             there, or what the token does not see"
                .to_owned(),
        ),
        error => error.hint(),
    };
    Why { hint, ..failed(error) }
}
