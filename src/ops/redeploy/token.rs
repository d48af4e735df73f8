//! A token for GitHub: the environment's, that of a login with `gh`, or the project's secret.
//!
//! It is never an argument of a command. A token for github.com is sent to no other server.

use std::process::Stdio;

use serde_json::Value;

use super::Found;
use crate::aws::{Read, secretsmanager};
use crate::compare::Why;
use crate::config::Environ;
use crate::github::Repository;
use crate::ops::session::Session;
use crate::ops::why;
use crate::secret::Secret;

pub(super) async fn find(session: &Session, environ: &Environ, repository: &Repository) -> Result<Found, Why> {
    let names = variables(environ, repository);
    let value = |name: &&str| environ.get(name).map(str::trim).filter(|value| !value.is_empty());
    if let Some((name, value)) = names.iter().find_map(|name| Some((*name, value(name)?))) {
        return Ok(Found { token: Secret::new(value), from: name.to_owned() });
    }
    if let Some(token) = of_gh(repository.host()).await {
        return Ok(Found { token, from: "gh auth token".to_owned() });
    }
    let host = repository.host();
    let Some(secret) = &session.project().redeploy.secret else {
        let why = Why::new(format!("there is no token for {host}"));
        return Err(why.hint(format!("set {}, gh auth login --hostname {host}, or `secret` of [redeploy]", names[0])));
    };
    let name = secret.replace("{env}", &session.environment().name);
    of_secret(session, &name, repository).await
}

/// The variables that may hold a token for this host, as `gh` reads them; the first one wins. A workflow's own
/// GITHUB_TOKEN is for the server that it runs on.
fn variables(environ: &Environ, repository: &Repository) -> Vec<&'static str> {
    if repository.is_cloud() {
        return vec!["GH_TOKEN", "GITHUB_TOKEN"];
    }
    let mut names = vec!["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"];
    let here = environ.get("GITHUB_SERVER_URL").and_then(|url| url.split_once("://")).map(|(_, host)| host);
    if here.map(|host| host.trim_end_matches('/')) == Some(repository.host()) {
        names.push("GITHUB_TOKEN");
    }
    names
}

/// The token of a login with GitHub's own program, where there is one.
async fn of_gh(host: &str) -> Option<Secret> {
    let mut gh = tokio::process::Command::new("gh");
    gh.args(["auth", "token", "--hostname", host]).stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let asked = tokio::time::timeout(std::time::Duration::from_secs(10), gh.output());
    let output = asked.await.ok()?.ok().filter(|output| output.status.success())?;
    let printed = zeroize::Zeroizing::new(String::from_utf8(output.stdout).ok()?);
    let token = printed.trim();
    (!token.is_empty()).then(|| Secret::new(token))
}

async fn of_secret(session: &Session, name: &str, repository: &Repository) -> Result<Found, Why> {
    let mut found = secretsmanager::values(&session.clients, &[name.to_owned()]).await;
    let value = match found.remove(name) {
        Some(Read::Found(value)) => value.value,
        Some(Read::Failed(error)) => return Err(why(&error)),
        Some(Read::Missing) | None => {
            return Err(Why::new(format!("there is no secret {name}")).hint("`secret` of [redeploy] in plumb.toml"));
        }
    };
    let token = of_text(&value, repository).map_err(|wrong| Why::new(format!("the secret {name} {wrong}")))?;
    Ok(Found { token, from: format!("secret {name}") })
}

/// The token in a secret's text. An error names a field and never what it holds.
fn of_text(text: &Secret, repository: &Repository) -> Result<Secret, &'static str> {
    // serde's own error would quote the text.
    let fields: Value = serde_json::from_str(text.expose()).map_err(|_| "is not JSON")?;
    let field = |name: &str| fields.get(name).and_then(Value::as_str).map(str::trim).filter(|value| !value.is_empty());
    let token = field("github_token").ok_or("has no github_token")?;
    // The token is for the server that the secret names.
    match field("github_endpoint").map(Repository::of) {
        Some(Some(named)) if named.api != repository.api => {
            Err("has a github_endpoint on another server than the project")
        }
        Some(None) => Err("has a github_endpoint that is no repository"),
        Some(Some(_)) | None => Ok(Secret::new(token)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environ(pairs: &[(&str, &str)]) -> Environ {
        Environ(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn a_token_for_github_is_sent_to_no_other_server() {
        let of = |address: &str, pairs: &[(&str, &str)]| variables(&environ(pairs), &Repository::of(address).unwrap());
        assert_eq!(of("https://github.com/a/b", &[]), ["GH_TOKEN", "GITHUB_TOKEN"]);
        assert_eq!(of("https://eu.ghe.com/a/b", &[]), ["GH_TOKEN", "GITHUB_TOKEN"]);
        let own = ["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"];
        assert_eq!(of("https://git.example/a/b", &[]), own);
        assert_eq!(of("https://git.example/a/b", &[("GITHUB_SERVER_URL", "https://github.com")]), own);
        let here = of("https://git.example/a/b", &[("GITHUB_SERVER_URL", "https://git.example")]);
        assert_eq!(here, ["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "GITHUB_TOKEN"]);
    }

    #[test]
    fn a_secret_that_cannot_be_used_is_told_without_what_it_holds() {
        let repository = Repository::of("https://github.com/a/b").unwrap();
        let token = format!("ghp_{}", std::process::id());
        for text in [
            token.clone(),
            "{}".to_owned(),
            format!("{{\"github_token\": \"{token}\", \"github_endpoint\": \"https://{token}.example\"}}"),
            format!("{{\"github_token\": \"{token}\", \"github_endpoint\": \"https://git.example/a/b\"}}"),
        ] {
            let wrong = of_text(&Secret::new(text), &repository).unwrap_err();
            assert!(!wrong.contains(&token), "{wrong}");
        }
        let text = format!("{{\"github_token\": \"{token}\", \"github_endpoint\": \"https://github.com/a/b\"}}");
        assert_eq!(of_text(&Secret::new(text), &repository).unwrap().expose(), token);
    }
}
