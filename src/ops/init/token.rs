//! The token that the loop asks GitHub with, in the secret that the loop reads. It is in no argument, log or error.

use zeroize::Zeroizing;

use super::watched::is_loop;
use crate::aws::{Read, cloudformation, secretsmanager};
use crate::compare::Why;
use crate::config::Stack;
use crate::github::Repository;
use crate::ops::journal::{Action, Intent, noted, random_id};
use crate::ops::redeploy;
use crate::ops::session::Session;
use crate::ops::why;
use crate::secret::Secret;

/// The secret's name where a loop's section states none: the template's default.
const USUAL: &str = "github_secret";

/// What the loop needs to ask GitHub.
pub struct Token<'a> {
    /// The secret's name.
    pub secret: &'a str,
    /// The token itself.
    pub token: &'a Secret,
    /// The repository's URL.
    pub endpoint: &'a str,
    /// Whose it is.
    pub user: &'a str,
}

/// The repository's URL, as the project file or a remote names it; without whatever a URL may carry of a user.
pub fn repository_url(session: &Session) -> Result<String, Why> {
    let repository = redeploy::repository(session)
        .map_err(|why| Why { hint: Some("--github-endpoint https://github.com/OWNER/NAME".to_owned()), ..why })?;
    repository.page().ok_or_else(|| {
        Why::new(format!("the loop does not find {} at {} by an address", repository.name, repository.api))
            .hint("--github-endpoint URL")
    })
}

/// A repository's URL that the token may be sent to: over TLS, or to this machine; else what is wanted.
pub fn endpoint(text: &str) -> Result<String, String> {
    let is_url = text.starts_with("https://") || text.starts_with("http://");
    match Repository::of(text) {
        Some(_) if is_url && !text.contains(['@', ' ']) => Ok(text.to_owned()),
        _ => Err("https://github.com/OWNER/NAME is wanted".to_owned()),
    }
}

/// The secret that the environment's loop reads, as the project file says; else the one that its template names.
pub async fn secret_of(session: &Session) -> Result<String, Why> {
    session.expand(loops(session).next().map_or(USUAL, named)).await
}

/// The secret that a loop's section names, or its template in its place.
fn named(stack: &Stack) -> &str {
    stack.parameters.get("GithubSecretName").map_or(USUAL, String::as_str)
}

/// The loops of the environment.
fn loops(session: &Session) -> impl Iterator<Item = &Stack> {
    let here =
        |stack: &&Stack| stack.environments.is_empty() || stack.environments.contains(&session.environment().name);
    session.project().stacks.iter().filter(|stack| is_loop(stack)).filter(here)
}

/// Refuses while a loop's stack would still make the secret: it could not be made beside one that is there.
async fn refuse_in_its_way(session: &Session, name: &str, is_there: bool) -> Result<(), Why> {
    for stack in loops(session) {
        let given = |key: &str| stack.parameters.get(key).map(String::as_str).unwrap_or_default();
        let asks_another = !given("PipelineTopicArn").is_empty();
        if asks_another || given("MakesGithubSecret") == "false" || session.expand(named(stack)).await? != name {
            continue;
        }
        let stack = session.expand(&stack.name).await?;
        let found = cloudformation::stack(&session.clients, &stack).await.map_err(|error| why(&error))?;
        if found.is_some_and(|found| was_made(&found.status)) {
            continue;
        }
        let instead = "MakesGithubSecret = \"false\" among its parameters in plumb.toml";
        return Err(if is_there {
            Why::new(format!(
                "refused: {name} is there already, so the stack {stack}, which would make it, could not be"
            ))
            .hint(format!("{instead}, then this again"))
        } else {
            Why::new(format!("refused: the stack {stack} makes {name}, and is not deployed yet"))
                .hint(format!("plumb deploy {stack} first; or {instead}, and the secret is made here"))
        });
    }
    Ok(())
}

/// Whether a stack's creation has come to its end.
fn was_made(status: &str) -> bool {
    status == "CREATE_COMPLETE" || !["REVIEW_", "CREATE_", "ROLLBACK_"].iter().any(|start| status.starts_with(start))
}

/// Puts it into its secret, which is made where there is none. Answers whether anything was written, and why the journal
/// does not hold that, if so.
pub async fn store(session: &Session, token: &Token<'_>) -> Result<(bool, Option<Why>), Why> {
    let (session, writer) = session.for_writing().await?;
    if token.token.expose().is_empty() || token.token.expose().contains(char::is_whitespace) {
        return Err(Why::new("what was given is no token: it is empty, or has spaces in it"));
    }
    let fields =
        [("github_token", token.token.expose()), ("github_endpoint", token.endpoint), ("github_user", token.user)];
    let fields: Vec<String> =
        fields.iter().map(|(name, value)| format!("\"{name}\": {}", quoted(value).as_str())).collect();
    let text = Zeroizing::new(format!("{{{}}}", Zeroizing::new(fields.join(", ")).as_str()));
    let value = Secret::new(text.as_str());
    let (clients, name) = (&session.clients, token.secret.to_owned());
    let there = secretsmanager::describe(clients, &name).await.map_err(|error| why(&error))?;
    refuse_in_its_way(&session, &name, there.is_some()).await?;
    if let Some(at) = there.as_ref().and_then(|there| there.deletes_at) {
        let at = crate::ops::schema::time(at);
        return Err(Why::new(format!("{name} is scheduled for deletion on {at}"))
            .hint(format!("aws secretsmanager restore-secret --secret-id {name}")));
    }
    if there.as_ref().is_some_and(|there| there.current_version.is_some()) {
        let mut read = secretsmanager::values(clients, std::slice::from_ref(&name)).await;
        // One that cannot be read is written over: it may be another's policy that keeps us from reading.
        if matches!(read.remove(&name), Some(Read::Found(read)) if read.value == value) {
            return Ok((false, None));
        }
    }
    // Secrets Manager takes 32 characters and more.
    let id = format!("{}{}", random_id()?, random_id()?);
    let work = async {
        let written = if there.is_some() {
            secretsmanager::put(clients, &name, &value, &id).await
        } else {
            let create = secretsmanager::Create {
                name: &name,
                value: &value,
                token: &id,
                kms_key_id: None,
                description: Some("github_token, github_endpoint and github_user, for redeploys."),
                tags: &[],
            };
            secretsmanager::create(clients, create).await
        };
        written.map(|_| ()).map_err(|error| why(&error))
    };
    let intent = Intent::new(Action::Token, vec![name.clone()]);
    let ((), untold) = noted(&session, &writer, intent, work, |()| None).await?;
    Ok((true, untold))
}

fn quoted(text: &str) -> Zeroizing<String> {
    Zeroizing::new(serde_json::Value::from(text).to_string())
}

#[cfg(test)]
mod tests {
    use super::{endpoint, was_made};

    #[test]
    fn a_stack_whose_creation_failed_or_goes_on_was_not_made() {
        for (status, made) in [
            ("CREATE_COMPLETE", true),
            ("UPDATE_COMPLETE", true),
            ("UPDATE_ROLLBACK_COMPLETE", true),
            ("CREATE_IN_PROGRESS", false),
            ("ROLLBACK_COMPLETE", false),
            ("REVIEW_IN_PROGRESS", false),
        ] {
            assert_eq!(was_made(status), made, "{status}");
        }
    }

    #[test]
    fn a_token_goes_over_tls_or_to_this_machine_and_never_to_what_only_looks_like_it() {
        for right in [
            "https://github.com/team/shop",
            "https://git.example/team/shop",
            "https://api.github.com/repos/team/shop/contents/",
            "http://127.0.0.1:8080/team/shop",
            "http://localhost/team/shop",
            "http://[::1]:8080/team/shop",
        ] {
            assert_eq!(endpoint(right).as_deref(), Ok(right));
        }
        for wrong in [
            "http://127.0.0.1.evil/team/shop",
            "http://127.0.0.1:8080@evil.example/team/shop",
            "http://localhost.evil.example/team/shop",
            "http://github.com/team/shop",
            "https://mara:pw@github.com/team/shop",
            "https://github.com/team",
            "git@github.com:team/shop.git",
            "https://github.com/team/shop other",
        ] {
            assert!(endpoint(wrong).is_err(), "{wrong}");
        }
    }
}
