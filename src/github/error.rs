//! Why GitHub did not do it, and what to do about that.

/// Which limit was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// The hour's requests are used up.
    Primary,
    /// Too many in a short time.
    Secondary,
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Primary => "the hour's are used up",
            Self::Secondary => "too many in a short time",
        })
    }
}

/// Why there is no result. Neither has a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It cannot be reached, or does not answer in time.
    #[error("GitHub cannot be asked ({doing}): {why}")]
    Network {
        /// What was asked: `GET /repos/shop/petshop/actions/runs/1`.
        doing: String,
        /// What happened.
        why: String,
    },
    /// It was sent, and nobody knows whether it was done.
    #[error("GitHub did not answer ({doing}): {why}; whether it was done is not known")]
    Unknown {
        /// What was sent.
        doing: String,
        /// What happened.
        why: String,
    },
    /// It said no.
    #[error("GitHub answered {status} ({doing}): {said}")]
    Refused {
        /// HTTP's.
        status: u16,
        /// What was asked.
        doing: String,
        /// What it said.
        said: String,
    },
    /// It counts requests, and takes none for a while. What was asked was not done.
    #[error("GitHub takes no more requests of this token for {seconds} s ({limit})")]
    Limited {
        /// Which limit.
        limit: Limit,
        /// How long.
        seconds: u64,
    },
    /// The answer is not what GitHub describes.
    #[error("GitHub's answer cannot be read ({doing}): {what} is missing")]
    Unreadable {
        /// What was asked.
        doing: String,
        /// What is not there.
        what: &'static str,
    },
}

impl Error {
    /// What to try.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Network { .. } => "https://www.githubstatus.com tells whether it is down; try again later".to_owned(),
            Self::Unknown { .. } => "look at the repository's Actions before asking again".to_owned(),
            Self::Limited { seconds, .. } => format!("again in {} min", seconds.div_ceil(60)),
            Self::Unreadable { .. } => "is that the API of a GitHub? `api` of [redeploy] in plumb.toml".to_owned(),
            Self::Refused { status: 401, .. } => {
                "the token is not accepted, it may have expired: gh auth login, or another GH_TOKEN".to_owned()
            }
            Self::Refused { status: 403, .. } => {
                "the token may not do it: it needs Actions: write (for repository_dispatch Contents: write) on the \
                 repository, and to be let in where the organisation asks for single sign-on"
                    .to_owned()
            }
            Self::Refused { status: 404, .. } => {
                "there is no such repository, workflow or run, or the token does not see it: `repository` and `workflow` \
                 of [redeploy] in plumb.toml"
                    .to_owned()
            }
            Self::Refused { status: 422, .. } => {
                "the workflow needs on: workflow_dispatch with the inputs environment, commit, reason and nonce, on that \
                 branch or tag"
                    .to_owned()
            }
            Self::Refused { status: 409, .. } => "it is over already".to_owned(),
            Self::Refused { status: 500.., .. } => "GitHub is not well; try again later".to_owned(),
            Self::Refused { .. } => return None,
        };
        Some(hint)
    }

    /// Whether the same may succeed a little later.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Network { .. } | Self::Limited { .. } | Self::Refused { status: 500.., .. })
    }
}
