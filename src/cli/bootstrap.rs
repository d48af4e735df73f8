//! `plumb bootstrap`: what the project needs in an account before it can be deployed there.

use super::consent::Consent;
use super::deploy::{self, Order, interruptible};
use super::{Failed, Outcome, Output, Shared, clean, say};
use crate::compare::Why;
use crate::ops::deploy::{Ask, Foundation, bootstrap};

/// Arguments of `plumb bootstrap`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The repository on GitHub that may deploy, or its URL. Default: as plumb.toml or a remote says.
    #[arg(long, value_name = "OWNER/NAME", value_parser = repository)]
    github: Option<String>,
    /// Who issues the tokens of its workflows, where it is not on github.com: https://HOST/_services/token of a server.
    #[arg(long, value_name = "URL", value_parser = issuer)]
    issuer: Option<String>,
    /// The branch whose workflows may deploy. Default: the one that may already, else main.
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
    /// A policy that the deploy role gets besides, for what the stacks' own resources need; none takes them away. Default:
    /// those that it has.
    #[arg(long, value_name = "POLICY-ARN", value_parser = policy)]
    attach: Vec<String>,
    /// Have the change set worked out, show it, and delete it again.
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    #[command(flatten)]
    consent: Consent,
    /// Text or JSON.
    #[arg(long, short, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// A pattern in it would let other repositories deploy.
fn repository(text: &str) -> Result<String, String> {
    let is_name = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    // A URL is read where it is known what one of GitHub's looks like.
    let parts = text.split_once('/').filter(|(owner, name)| is_name(owner) && is_name(name));
    if parts.is_some() || (text.starts_with("https://") && !text.contains('*')) {
        return Ok(text.to_owned());
    }
    Err("OWNER/NAME is wanted".to_owned())
}

/// Takes away what is attached.
const NONE: &str = "none";

fn policy(text: &str) -> Result<String, String> {
    let is_one = text == NONE || (text.starts_with("arn:") && text.contains(":policy/"));
    if is_one { Ok(text.to_owned()) } else { Err("the ARN of a policy is wanted, or none".to_owned()) }
}

/// What is to be attached; `None`: what is, nothing else being said.
fn attach(stated: &[String]) -> Result<Option<Vec<String>>, Why> {
    let takes_away = stated.iter().any(|policy| policy == NONE);
    match stated {
        [] => Ok(None),
        [_] if takes_away => Ok(Some(Vec::new())),
        _ if takes_away => Err(Why::new("refused: --attach none goes with no other policy")),
        stated => Ok(Some(stated.to_vec())),
    }
}

/// Host and path of an issuer's URL, as IAM names a provider.
fn issuer(text: &str) -> Result<String, String> {
    let usual = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
    match text.strip_prefix("https://").map(|issuer| issuer.trim_end_matches('/')) {
        Some(issuer) if issuer.contains('.') && issuer.bytes().all(usual) => Ok(issuer.to_owned()),
        _ => Err("https://HOST/PATH is wanted".to_owned()),
    }
}

/// Runs `plumb bootstrap`.
pub(super) async fn run(shared: &Shared, args: &Args) -> Result<Outcome, Failed> {
    if !shared.names_environment() {
        let why = Why::new("the account of which environment is meant?");
        return Err(why.hint("plumb bootstrap --env NAME; --dry-run shows what would be made").into());
    }
    let session = shared.session().await?;
    let opened = interruptible(args.consent.open(&session, "bootstrap")).await??;
    let wish = Foundation {
        repository: args.github.clone(),
        issuer: args.issuer.clone(),
        branch: args.branch.clone(),
        attach: attach(&args.attach)?,
    };
    let (draft, notes) = interruptible(Box::pin(bootstrap(&opened, &wish))).await??;
    for note in &notes {
        say!("note: {}", clean(note));
    }
    let (command, ask, dry_run) = ("bootstrap", Ask::default(), args.dry_run);
    let output = args.output.into();
    let order = Order { command, stacks: &[], ask, dry_run, consent: &args.consent, output, redeploy: None };
    deploy::lay(shared, &opened, &order, draft).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_one_and_no_pattern() {
        assert!(repository("team/shop.site").is_ok());
        assert!(repository("https://github.com/team/shop").is_ok());
        for text in ["team", "team/*", "*/*", "team/shop:ref", "team/", "a/b/c", "https://github.com/team/*"] {
            assert!(repository(text).is_err(), "{text}");
        }
        assert_eq!(issuer("https://git.example/_services/token/").as_deref(), Ok("git.example/_services/token"));
        for text in
            ["git.example", "http://git.example", "https://git.example/*", "https://git.example:8443/x", "https://"]
        {
            assert!(issuer(text).is_err(), "{text}");
        }
    }
}
