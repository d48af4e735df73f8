//! Requests to an API of this project's own at one base URL: signed by whoever calls, sent once.

use std::time::{Duration, Instant};

use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Connections, Failure, is_safe};

/// The headers that sign a request.
pub type Signature = [(String, String)];

/// The one kind of body that is sent.
const JSON: (&str, &str) = ("content-type", "application/json");

const CONNECT: Duration = Duration::from_secs(4);

/// API Gateway gives a function 29 seconds.
const ANSWER: Duration = Duration::from_secs(35);

/// Where a request's id stands when the answer's body has none.
const REQUEST_ID: [&str; 2] = ["x-amzn-requestid", "x-amz-apigw-id"];

/// Lambda's own id of it, by which the function's log has it.
const LOGGED_ID: &str = "x-plumb-request-id";

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not where anything is sent to.
    #[error("{url} is no endpoint that anything is sent to: {why}")]
    Endpoint {
        /// As it was given.
        url: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The request could not be made or sent, or the answer broke off.
    #[error("{0}")]
    Network(String),
    /// No answer in time.
    #[error("no answer within {} s", ANSWER.as_secs())]
    Timeout,
}

/// An answer, whatever it says. It may be a plaintext, so there is no `Debug`.
pub struct Reply {
    /// HTTP's.
    pub status: u16,
    /// The answer.
    pub body: Zeroizing<Vec<u8>>,
    /// AWS's id of the request, where a header has it.
    pub request_id: Option<String>,
    /// Lambda's id of it, where the function says it.
    pub logged_id: Option<String>,
    /// From the first byte sent to the last one read.
    pub took: Duration,
}

impl Reply {
    /// The problem, whatever form it has.
    #[must_use]
    pub fn problem(&self) -> Problem {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// AWS's id of the request, wherever it stands.
    #[must_use]
    pub fn id(&self) -> Option<String> {
        self.problem().request_id.or_else(|| self.request_id.clone())
    }

    /// Status and kind in a few words, without what was sent or answered.
    #[must_use]
    pub fn brief(&self) -> String {
        let problem = self.problem();
        let status = self.status;
        if problem.name().is_empty() { format!("HTTP {status}") } else { format!("HTTP {status} {}", problem.name()) }
    }

    /// A refusal as an operator reads it: `HTTP 422 invalid-record: the record is no object (request 6b1c)`.
    #[must_use]
    pub fn refusal(&self) -> String {
        let detail = self.problem().detail;
        let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
        let id = self.id().map(|id| format!(" (request {id})")).unwrap_or_default();
        format!("{}{detail}{id}", self.brief())
    }
}

/// The API at one URL; connections are kept for the next request.
#[derive(Debug, Clone)]
pub struct Connection {
    base: String,
    connections: Connections,
}

impl Connection {
    /// Takes the base URL; connects to nothing yet. Plaintexts go there: so TLS, or plain HTTP on this machine.
    pub fn to(endpoint: &str) -> Result<Self, Error> {
        let base = endpoint.trim_end_matches('/').to_owned();
        is_safe(&base).map_err(|why| Error::Endpoint { url: endpoint.to_owned(), why })?;
        Ok(Self { base, connections: Connections::new(CONNECT, ANSWER)? })
    }

    /// The base URL.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The whole URL of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The headers of a request beside its signature.
    #[must_use]
    pub fn headers(body: &[u8]) -> &'static [(&'static str, &'static str)] {
        if body.is_empty() { &[] } else { &[JSON] }
    }

    /// Sends a request once. Without a signature it is one of nobody.
    pub async fn send(&self, method: &str, path: &str, signature: &Signature, body: &[u8]) -> Result<Reply, Error> {
        self.send_with(method, path, Self::headers(body), signature, body).await
    }

    /// The same with headers of the caller's own, which the signature covers.
    pub async fn send_with(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        signature: &Signature,
        body: &[u8],
    ) -> Result<Reply, Error> {
        let began = Instant::now();
        let signed = signature.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let headers: Vec<(&str, &str)> = headers.iter().copied().chain(signed).collect();
        let answer = self.connections.send(method, &self.url(path), &headers, body).await?;
        let request_id = REQUEST_ID.iter().find_map(|name| answer.header(name)).map(str::to_owned);
        let logged_id = answer.header(LOGGED_ID).map(str::to_owned);
        Ok(Reply { status: answer.status, body: answer.body, request_id, logged_id, took: began.elapsed() })
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Network(why) => Self::Network(why),
            Failure::Timeout => Self::Timeout,
        }
    }
}

/// Why a request was refused: a problem of RFC 9457, or what API Gateway says in words of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Problem {
    /// `urn:plumb:problem:…`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is about; never what was sent.
    #[serde(alias = "message", alias = "Message")]
    pub detail: String,
    /// AWS's id of the request.
    pub request_id: Option<String>,
}

impl Problem {
    /// The last part of its type: `decryption-refused`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.kind.rsplit(':').next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_in_the_gateway_s_own_words_is_read_too() {
        let read = |text: &str| serde_json::from_str::<Problem>(text).unwrap();
        let own = read(r#"{"type": "urn:plumb:problem:too-large", "title": "t", "status": 413, "detail": "d"}"#);
        assert_eq!((own.name(), own.detail.as_str(), own.request_id.as_deref()), ("too-large", "d", None));
        assert_eq!(read(r#"{"message": "Forbidden"}"#).detail, "Forbidden");
        assert_eq!(read(r#"{"Message": "User is not authorized"}"#).name(), "");
    }
}
