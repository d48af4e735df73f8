//! `plumb init --github-token`: the loop's token, from stdin into its secret.

use std::io::IsTerminal;

use crate::cli::config::typed;
use crate::cli::consent::{Asks, Consent, Deed};
use crate::cli::{Failed, Outcome, Shared, clean, say};
use crate::compare::Why;
use crate::ops::init::{self, Token};

/// Where the token goes, and what belongs to it.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Options {
    /// The secret that the loop reads. Default: as the loop's section of plumb.toml says, else github_secret.
    #[arg(long, value_name = "NAME", requires = "github_token")]
    secret: Option<String>,
    /// The repository's URL. Default: as plumb.toml or a remote says.
    #[arg(long, value_name = "URL", requires = "github_token", value_parser = init::endpoint)]
    github_endpoint: Option<String>,
    /// Whose token it is.
    #[arg(long, value_name = "USER", default_value = "plumb", requires = "github_token")]
    github_user: String,
}

/// Stores it.
pub(super) async fn store(shared: &Shared, options: &Options, consent: &Consent) -> Result<Outcome, Failed> {
    if !shared.names_environment() {
        let why = Why::new("the account of which environment is meant?");
        return Err(why.hint("plumb init --github-token --env NAME, with the token on stdin").into());
    }
    let session = shared.session().await?;
    let endpoint = match &options.github_endpoint {
        Some(endpoint) => endpoint.clone(),
        None => init::repository_url(&session)?,
    };
    let secret = match &options.secret {
        Some(secret) => secret.clone(),
        None => init::secret_of(&session).await?,
    };
    consent.check(&session).await?;
    let from_stdin = !std::io::stdin().is_terminal();
    let token = typed::value(from_stdin, format!("the token for {endpoint}")).await?;
    let does = format!("put the token into {secret}");
    let deed = Deed { command: "init --github-token", does: &does, asks: Asks::Always };
    let writer = consent.obtain(&session, deed).await?;
    let wanted = Token { secret: &secret, token: &token, endpoint: &endpoint, user: &options.github_user };
    let (written, untold) = init::store(&writer, &wanted).await?;
    let (name, endpoint) = (clean(&secret), clean(&endpoint));
    if written {
        say!("{name} holds a token for {endpoint}");
    } else {
        say!("{name} holds it already");
    }
    if let Some(why) = untold {
        say!("note: {}", clean(&why.reason));
    }
    Ok(Outcome::Clean)
}
