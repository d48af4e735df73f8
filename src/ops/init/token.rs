//! The token that the loop asks GitHub with, in the secret that the loop reads. It is in no argument, log or error.

use zeroize::Zeroizing;

use crate::aws::{Read, secretsmanager};
use crate::compare::Why;
use crate::github::Repository;
use crate::ops::journal::{Action, Intent, noted, random_id};
use crate::ops::session::{self, Session};
use crate::ops::why;
use crate::secret::Secret;

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
#[must_use]
pub fn repository_url(session: &Session) -> Option<String> {
    if let Some(name) = &session.project().redeploy.repository {
        return Some(format!("https://github.com/{name}"));
    }
    let mut remotes = session::remotes(&session.root);
    remotes.sort_by_key(|(name, _)| name != "origin");
    remotes.iter().find_map(|(_, url)| browsed(url))
}

/// A remote's URL as a browser has it.
fn browsed(url: &str) -> Option<String> {
    Repository::of(url).map(|repository| format!("https://{}/{}", repository.host(), repository.name))
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
    use super::browsed;

    #[test]
    fn a_remote_is_known_by_its_page_and_never_by_its_password() {
        for (url, expected) in [
            ("git@github.com:team/shop.git", Some("https://github.com/team/shop")),
            ("https://github.com/team/shop", Some("https://github.com/team/shop")),
            ("https://mara:hunter2@git.example/team/shop.git", Some("https://git.example/team/shop")),
            ("ssh://git@git.example:2222/team/shop.git/", Some("https://git.example/team/shop")),
            ("/srv/git/shop.git", None),
            ("https://gitlab.com/group/sub/shop", None),
        ] {
            assert_eq!(browsed(url).as_deref(), expected, "{url}");
        }
    }
}
