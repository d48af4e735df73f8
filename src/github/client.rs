//! Requests to one repository's API.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::error::{Error, Limit};
use super::repository::Repository;
use super::wire::{self, Dispatch, Dispatched, Event, Job, Run, Workflow};
use crate::http::{Answer, Connections, Failure};
use crate::secret::Secret;

const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(20);
/// So often is asked what only reads.
const ATTEMPTS: u32 = 4;
/// Jobs in one answer, which is GitHub's most.
const PAGE: u64 = 100;

/// What is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Before a second attempt; each further one waits twice as long.
    pub pause: Duration,
    /// A longer wish of GitHub's is told instead of waited for.
    pub longest: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { pause: Duration::from_millis(500), longest: Duration::from_mins(1) }
    }
}

/// One repository, asked with one token.
pub struct GitHub {
    connections: Connections,
    repository: Repository,
    token: Secret,
    patience: Patience,
    /// What was answered before, by path: an unchanged answer costs nothing of the hour's requests.
    known: Mutex<BTreeMap<String, (String, Value)>>,
    /// What the last answer said of the token.
    scopes: Mutex<Option<String>>,
}

/// What an answer was, once it was looked at.
enum Said {
    Value(Value),
    Limited(Limit, u64),
    Failed(Error),
}

impl GitHub {
    /// Connects to nothing yet.
    pub fn new(repository: Repository, token: Secret, patience: Patience) -> Result<Self, Error> {
        let failed = |failure| Error::Network { doing: "connect".to_owned(), why: told(failure) };
        let connections = Connections::new(CONNECT, ANSWER).map_err(failed)?;
        Ok(Self { connections, repository, token, patience, known: Mutex::default(), scopes: Mutex::default() })
    }

    /// The repository.
    #[must_use]
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// Whether the token's owner may write to the repository, as far as GitHub tells.
    pub async fn may_write(&self) -> Result<Option<bool>, Error> {
        Ok(wire::may_write(&self.get("").await?))
    }

    /// The scopes of a classic token, as the last answer said them; any other token has none.
    #[must_use]
    pub fn scopes(&self) -> Option<String> {
        self.scopes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A workflow by its file's name.
    pub async fn workflow(&self, file: &str) -> Result<Workflow, Error> {
        self.read(&format!("/actions/workflows/{file}"), wire::workflow).await
    }

    /// Whether GitHub has a commit.
    pub async fn has_commit(&self, id: &str) -> Result<bool, Error> {
        match self.get(&format!("/commits/{id}?per_page=1")).await {
            Ok(_) => Ok(true),
            // GitHub says 422 of a commit that it does not have, and 404 of a repository that it does not show.
            Err(Error::Refused { status: 422, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Starts a workflow, once. What GitHub refuses for its limits was not done, and is sent again after its wish, within
    /// the patience; a lost answer is [`Error::Unknown`].
    pub async fn dispatch(&self, dispatch: &Dispatch) -> Result<Dispatched, Error> {
        match self.post(dispatch, true).await {
            // A server that is too old to know the wish refuses it by its name, and has done nothing.
            Err(Error::Refused { status: 422, said, .. }) if said.contains("return_run_details") => {
                self.post(dispatch, false).await
            }
            sent => sent,
        }
    }

    async fn post(&self, dispatch: &Dispatch, details: bool) -> Result<Dispatched, Error> {
        let (path, body) = dispatch.request(details);
        Ok(wire::dispatched(&self.write(&path, body.to_string().as_bytes()).await?))
    }

    /// The run of a dispatch, by a word in its title or name, among those since a time (RFC 3339).
    pub async fn find(&self, event: &Event, word: &str, since: &str) -> Result<Option<Run>, Error> {
        let of = match event {
            Event::Workflow { file, .. } => format!("/actions/workflows/{file}/runs"),
            Event::Repository { .. } => "/actions/runs".to_owned(),
        };
        let since = since.replace(':', "%3A");
        let path = format!("{of}?event={}&created=%3E%3D{since}&per_page={PAGE}", event.name());
        self.read(&path, |value| wire::named(value, word)).await
    }

    /// The last runs, the newest first: of one workflow, or of all that a `repository_dispatch` started.
    pub async fn runs(&self, workflow: Option<&str>) -> Result<Vec<Run>, Error> {
        let path = match workflow {
            Some(file) => format!("/actions/workflows/{file}/runs?per_page={PAGE}"),
            None => format!("/actions/runs?event=repository_dispatch&per_page={PAGE}"),
        };
        self.read(&path, wire::runs).await
    }

    /// A run.
    pub async fn run(&self, id: u64) -> Result<Run, Error> {
        self.read(&format!("/actions/runs/{id}"), wire::run).await
    }

    /// The jobs of a run's latest attempt, all of them.
    pub async fn jobs(&self, id: u64) -> Result<Vec<Job>, Error> {
        let mut all = Vec::new();
        for page in 1.. {
            let path = format!("/actions/runs/{id}/jobs?filter=latest&per_page={PAGE}&page={page}");
            let jobs = self.read(&path, wire::jobs).await?;
            let is_last = (jobs.len() as u64) < PAGE;
            all.extend(jobs);
            if is_last {
                break;
            }
        }
        Ok(all)
    }

    /// Asks a run to end. It ends when its steps let it.
    pub async fn cancel(&self, id: u64) -> Result<(), Error> {
        self.write(&format!("/actions/runs/{id}/cancel"), b"").await.map(|_| ())
    }

    async fn read<T>(&self, path: &str, take: impl FnOnce(&Value) -> Result<T, &'static str>) -> Result<T, Error> {
        let value = self.get(path).await?;
        take(&value).map_err(|what| Error::Unreadable { doing: self.doing("GET", path), what })
    }

    async fn get(&self, path: &str) -> Result<Value, Error> {
        let mut pause = self.patience.pause;
        let mut attempt = 1;
        loop {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
            let tag = known.as_ref().map(|(tag, _)| tag.as_str());
            let answer = self.send("GET", path, tag, b"").await;
            let said = match answer {
                Ok(answer) if answer.status == 304 => match known {
                    Some((_, value)) => return Ok(value),
                    None => Said::Failed(self.refused("GET", path, &answer)),
                },
                Ok(answer) => {
                    let said = self.understood("GET", path, &answer);
                    if let (Said::Value(value), Some(tag)) = (&said, answer.header("etag")) {
                        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                        known.insert(path.to_owned(), (tag.to_owned(), value.clone()));
                    }
                    said
                }
                Err(failure) => Said::Failed(Error::Network { doing: self.doing("GET", path), why: told(failure) }),
            };
            let (error, wish) = match said {
                Said::Value(value) => return Ok(value),
                Said::Limited(limit, seconds) => (Error::Limited { limit, seconds }, Duration::from_secs(seconds)),
                Said::Failed(error) => (error, pause),
            };
            if attempt == ATTEMPTS || !error.is_passing() || wish > self.patience.longest {
                return Err(error);
            }
            tokio::time::sleep(wish).await;
            (attempt, pause) = (attempt + 1, pause * 2);
        }
    }

    async fn write(&self, path: &str, body: &[u8]) -> Result<Value, Error> {
        let mut attempt = 1;
        loop {
            let unknown = |why: String| Error::Unknown { doing: self.doing("POST", path), why };
            let answer = self.send("POST", path, None, body).await.map_err(|failure| unknown(told(failure)))?;
            match self.understood("POST", path, &answer) {
                Said::Value(value) => return Ok(value),
                Said::Limited(limit, seconds) => {
                    if attempt == ATTEMPTS || Duration::from_secs(seconds) > self.patience.longest {
                        return Err(Error::Limited { limit, seconds });
                    }
                    tokio::time::sleep(Duration::from_secs(seconds)).await;
                    attempt += 1;
                }
                // It broke down somewhere, perhaps after it had done it.
                Said::Failed(Error::Refused { status: status @ 500.., said, .. }) => {
                    return Err(unknown(format!("{status} {said}")));
                }
                Said::Failed(error) => return Err(error),
            }
        }
    }

    async fn send(&self, method: &str, path: &str, tag: Option<&str>, body: &[u8]) -> Result<Answer, Failure> {
        let url = format!("{}/repos/{}{path}", self.repository.api, self.repository.name);
        let token = zeroize::Zeroizing::new(format!("Bearer {}", self.token.expose()));
        let mut headers = vec![
            ("accept", "application/vnd.github+json"),
            ("user-agent", concat!("plumb/", env!("CARGO_PKG_VERSION"))),
            ("x-github-api-version", "2022-11-28"),
            ("authorization", token.as_str()),
        ];
        headers.extend(tag.map(|tag| ("if-none-match", tag)));
        if !body.is_empty() {
            headers.push(("content-type", "application/json"));
        }
        let answer = self.connections.send(method, &url, &headers, body).await?;
        *self.scopes.lock().unwrap_or_else(PoisonError::into_inner) =
            answer.header("x-oauth-scopes").map(str::to_owned);
        Ok(answer)
    }

    fn understood(&self, method: &str, path: &str, answer: &Answer) -> Said {
        if (200..300).contains(&answer.status) {
            return Said::Value(serde_json::from_slice(&answer.body).unwrap_or_default());
        }
        let error = self.refused(method, path, answer);
        let Error::Refused { said, .. } = &error else { return Said::Failed(error) };
        match limited(answer, said) {
            Some((limit, seconds)) => Said::Limited(limit, seconds),
            None => Said::Failed(error),
        }
    }

    fn refused(&self, method: &str, path: &str, answer: &Answer) -> Error {
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let said = body.get("message").and_then(Value::as_str).unwrap_or("it says no reason");
        let said = said.chars().take(300).collect();
        Error::Refused { status: answer.status, doing: self.doing(method, path), said }
    }

    fn doing(&self, method: &str, path: &str) -> String {
        let path = path.split('?').next().unwrap_or_default();
        format!("{method} /repos/{}{path}", self.repository.name)
    }
}

/// Whether it is a limit that refuses, and for how many seconds.
fn limited(answer: &Answer, said: &str) -> Option<(Limit, u64)> {
    if !matches!(answer.status, 403 | 429) {
        return None;
    }
    let number = |name: &str| answer.header(name).and_then(|value| value.trim().parse::<u64>().ok());
    let wish = number("retry-after");
    if number("x-ratelimit-remaining") == Some(0) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let left = number("x-ratelimit-reset").map(|reset| reset.saturating_sub(now) + 1);
        return Some((Limit::Primary, wish.or(left).unwrap_or(60)));
    }
    let is_secondary = wish.is_some() || answer.status == 429 || said.contains("secondary rate limit");
    // A minute is what GitHub's guide says where it does not tell a time.
    is_secondary.then(|| (Limit::Secondary, wish.unwrap_or(60)))
}

fn told(failure: Failure) -> String {
    match failure {
        Failure::Network(why) => why,
        Failure::Timeout => format!("no answer within {} s", ANSWER.as_secs()),
    }
}
