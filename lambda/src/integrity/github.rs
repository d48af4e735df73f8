//! Asking GitHub for a run of the deploy workflow.
//!
//! The token is in the request's header and nowhere else: no error, no log and no notice has it.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::http::{Http, Request, is_safe};

/// What the secret holds.
pub(crate) struct Access {
    token: Zeroizing<String>,
    repository: Repository,
    user: String,
}

/// A repository, and the API that knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Repository {
    api: String,
    name: String,
}

/// Which workflow, on which branch; without a workflow a `repository_dispatch` is sent, which needs neither.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Workflow {
    /// The file's name, such as `deploy.yml`.
    pub file: Option<String>,
    /// A branch or a tag.
    pub reference: String,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask<'a> {
    /// A redeploy, and why.
    Redeploy(&'a str),
    /// A run that ends at once. It is a request of its own, so that no canary can become a redeploy.
    Canary,
}

impl Access {
    /// Reads the secret's text: `github_token`, `github_endpoint`, `github_user`. An error names a field and never what it
    /// holds.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        // Its own errors would quote the text.
        let fields: Value = serde_json::from_str(text).map_err(|_| "the secret is not JSON")?;
        let field =
            |name: &str| fields.get(name).and_then(Value::as_str).map(str::trim).filter(|value| !value.is_empty());
        let token = field("github_token").ok_or("the secret has no github_token")?;
        let endpoint = field("github_endpoint").ok_or("the secret has no github_endpoint")?;
        let repository = Repository::of(endpoint).ok_or(
            "the secret's github_endpoint is no repository: https://github.com/OWNER/NAME, or …/repos/OWNER/NAME/contents/",
        )?;
        let user = field("github_user").unwrap_or("plumb").to_owned();
        Ok(Self { token: Zeroizing::new(token.to_owned()), repository, user })
    }

    /// Asks. `nonce` is the same when the same is asked again.
    pub(crate) async fn dispatch(
        &self,
        http: &Http,
        workflow: &Workflow,
        ask: Ask<'_>,
        nonce: &str,
    ) -> Result<(), String> {
        let (path, body) = request(workflow, ask, nonce);
        let url = format!("{}/repos/{}{path}", self.repository.api, self.repository.name);
        let headers = [
            ("accept", "application/vnd.github+json"),
            ("content-type", "application/json"),
            ("user-agent", self.user.as_str()),
            ("x-github-api-version", "2022-11-28"),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let body = body.to_string();
        let request = Request { method: "POST", url: &url, headers: &headers, body: body.as_bytes() };
        let token = || Ok(vec![("authorization".to_owned(), format!("Bearer {}", self.token.as_str()))]);
        let reply = http.send(request, token).await.map_err(|why| format!("GitHub cannot be asked: {why}"))?;
        if reply.is_success() {
            return Ok(());
        }
        let said: Value = serde_json::from_str(&reply.body).unwrap_or_default();
        let said = said.get("message").and_then(Value::as_str).unwrap_or_default();
        let hint = if reply.is_busy() { "it is busy; try again later" } else { hint(reply.status) };
        Err(format!("GitHub answered {} ({said:.200}): {hint}", reply.status))
    }
}

/// The path behind the repository's, and the body.
fn request(workflow: &Workflow, ask: Ask<'_>, nonce: &str) -> (String, Value) {
    let (kind, inputs) = match ask {
        Ask::Redeploy(reason) => ("plumb-redeploy", json!({"reason": plain(reason), "nonce": nonce})),
        Ask::Canary => ("plumb-canary", json!({"canary": nonce, "nonce": nonce})),
    };
    match &workflow.file {
        Some(file) => {
            (format!("/actions/workflows/{file}/dispatches"), json!({"ref": workflow.reference, "inputs": inputs}))
        }
        None => ("/dispatches".to_owned(), json!({"event_type": kind, "client_payload": inputs})),
    }
}

/// Names in it come from whoever changed something; a workflow may put its inputs into a script.
fn plain(text: &str) -> String {
    let safe = |letter: char| if letter.is_ascii_alphanumeric() || " ./_:@,-".contains(letter) { letter } else { '?' };
    text.chars().map(safe).take(200).collect()
}

fn hint(status: u16) -> &'static str {
    match status {
        401 => "the token is not accepted; it may have expired",
        403 => "the token may not do it: it needs Actions: write on the repository",
        404 => "there is no such repository or workflow, or the token does not see it",
        422 => {
            "the workflow does not take it: it needs workflow_dispatch with the inputs reason, nonce and canary, on the branch"
        }
        _ => "see the status",
    }
}

impl Repository {
    /// Of a repository's address in a browser, or of one of the API's below it.
    fn of(endpoint: &str) -> Option<Self> {
        if !is_safe(endpoint) || endpoint.contains(['?', '#']) {
            return None;
        }
        let (scheme, rest) = endpoint.split_once("://")?;
        let (host, path) = rest.split_once('/')?;
        let mut parts = path.split('/').filter(|part| !part.is_empty()).peekable();
        let enterprise = parts.peek() == Some(&"api");
        if enterprise && (parts.next(), parts.next()) != (Some("api"), Some("v3")) {
            return None;
        }
        let of_api = enterprise || host.starts_with("api.");
        if of_api && parts.next() != Some("repos") {
            return None;
        }
        let (owner, name) = (parts.next()?, parts.next()?);
        let name = name.strip_suffix(".git").unwrap_or(name);
        let named = |text: &str| {
            let usual = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            text.bytes().all(usual) && !text.is_empty() && !text.starts_with("..") && text != "."
        };
        if !named(owner) || !named(name) || parts.next().is_some_and(|part| part != "contents") {
            return None;
        }
        let api = match host {
            _ if host.starts_with("api.") => format!("{scheme}://{host}"),
            "github.com" | "www.github.com" => format!("{scheme}://api.github.com"),
            _ if host.ends_with(".ghe.com") => format!("{scheme}://api.{host}"),
            _ => format!("{scheme}://{host}/api/v3"),
        };
        Some(Self { api, name: format!("{owner}/{name}") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_found_by_each_of_its_addresses() {
        let cases = [
            ("https://github.com/shop/petshop", "https://api.github.com"),
            ("https://github.com/shop/petshop.git", "https://api.github.com"),
            ("https://github.com/shop/petshop/", "https://api.github.com"),
            ("https://api.github.com/repos/shop/petshop", "https://api.github.com"),
            ("https://api.github.com/repos/shop/petshop/contents/", "https://api.github.com"),
            ("https://api.github.com/repos/shop/petshop/contents/src/app.py", "https://api.github.com"),
            ("https://git.example/shop/petshop", "https://git.example/api/v3"),
            ("https://git.example/api/v3/repos/shop/petshop/contents/", "https://git.example/api/v3"),
            ("https://eu.ghe.com/shop/petshop", "https://api.eu.ghe.com"),
            ("http://127.0.0.1:8080/shop/petshop", "http://127.0.0.1:8080/api/v3"),
        ];
        for (endpoint, api) in cases {
            let found = Repository::of(endpoint).unwrap_or_else(|| panic!("{endpoint}"));
            assert_eq!((found.api.as_str(), found.name.as_str()), (api, "shop/petshop"), "{endpoint}");
        }
        for endpoint in [
            "",
            "shop/petshop",
            "http://github.com/shop/petshop",
            "https://github.com/shop",
            "https://api.github.com/users/shop/petshop",
            "https://github.com/shop/../petshop",
            "https://github.com/shop/pet shop",
            "https://github.com/shop/petshop?x=1",
            "https://me:secret@github.com/shop/petshop",
            "https://github.com/shop/petshop/tree/main",
        ] {
            assert_eq!(Repository::of(endpoint), None, "{endpoint}");
        }
    }

    #[test]
    fn a_secret_that_cannot_be_used_is_told_without_what_it_holds() {
        for text in [
            "ghp_hunter2",
            r#"{"github_token": "ghp_hunter2"}"#,
            r#"{"github_token": "ghp_hunter2", "github_endpoint": "https://hunter2.example"}"#,
            r#"{"github_token": "", "github_endpoint": "https://github.com/a/b"}"#,
        ] {
            let Err(said) = Access::parse(text) else { panic!("{text}") };
            assert!(!said.contains("hunter2"), "{said}");
        }
    }

    #[test]
    fn what_is_asked_is_one_line_that_no_shell_understands() {
        let workflow = Workflow { file: Some("deploy.yml".into()), reference: "main".into() };
        let (path, body) = request(&workflow, Ask::Redeploy("PutParameter /a $(rm -rf ~)\n`x`"), "n-1");
        assert_eq!(path, "/actions/workflows/deploy.yml/dispatches");
        let expected = json!({"ref": "main", "inputs": {"reason": "PutParameter /a ??rm -rf ????x?", "nonce": "n-1"}});
        assert_eq!(body, expected);
        let (path, body) = request(&Workflow::default(), Ask::Redeploy("x"), "n-1");
        assert_eq!((path.as_str(), &body["event_type"]), ("/dispatches", &json!("plumb-redeploy")));
    }

    #[test]
    fn a_canary_is_never_a_redeploy() {
        let workflow = Workflow { file: Some("deploy.yml".into()), reference: "main".into() };
        let (_, body) = request(&workflow, Ask::Canary, "c-1");
        assert_eq!(body["inputs"], json!({"canary": "c-1", "nonce": "c-1"}));
        let (_, body) = request(&Workflow::default(), Ask::Canary, "c-1");
        assert_eq!(body["event_type"], "plumb-canary");
    }

    /// GitHub's own description of the two calls, taken from its npm package `@octokit/openapi`.
    const CONTRACT: &str = include_str!("../../tests/reference/github.json");

    #[test]
    fn what_is_sent_is_what_githubs_own_description_takes() {
        let contract: Value = serde_json::from_str(CONTRACT).unwrap();
        let named = Workflow { file: Some("deploy.yml".into()), reference: "main".into() };
        let cases = [
            (named, "/repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches"),
            (Workflow::default(), "/repos/{owner}/{repo}/dispatches"),
        ];
        for (workflow, operation) in cases {
            let schema = &contract["operations"][operation]["body"];
            let validator = jsonschema::validator_for(schema).unwrap();
            for ask in [Ask::Redeploy("x"), Ask::Canary] {
                let (path, body) = request(&workflow, ask, "n-1");
                let filled = operation.replace("/repos/{owner}/{repo}", "").replace("{workflow_id}", "deploy.yml");
                assert_eq!(path, filled);
                assert!(validator.is_valid(&body), "{operation}: {body}");
                let unknown =
                    body.as_object().unwrap().keys().find(|name| schema["properties"].get(name.as_str()).is_none());
                assert_eq!(unknown, None, "{operation}");
            }
        }
    }
}
