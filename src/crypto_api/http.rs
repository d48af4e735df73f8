//! One HTTP request and its answer.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use aws_smithy_http_client::default_connector;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use zeroize::Zeroizing;

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
    #[error("{url} is no endpoint of the crypto API: {why}")]
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

/// The API at one URL; connections are kept for the next request.
#[derive(Debug, Clone)]
pub struct Connection {
    base: String,
    connector: SharedHttpConnector,
}

impl Connection {
    /// Takes the base URL; connects to nothing yet. Plaintexts go there: so TLS, or plain HTTP on this machine.
    pub fn to(endpoint: &str) -> Result<Self, Error> {
        let base = endpoint.trim_end_matches('/').to_owned();
        check(&base).map_err(|why| Error::Endpoint { url: endpoint.to_owned(), why })?;
        let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT).read_timeout(ANSWER).build();
        let connector = default_connector(&settings, None);
        let connector = connector.ok_or_else(|| Error::Network("this program was built without TLS".to_owned()))?;
        Ok(Self { base, connector })
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
        let began = Instant::now();
        let sent = tokio::time::timeout(ANSWER, self.exchange(method, path, signature, body));
        let reply = sent.await.map_err(|_| Error::Timeout)??;
        Ok(Reply { took: began.elapsed(), ..reply })
    }

    async fn exchange(&self, method: &str, path: &str, signature: &Signature, body: &[u8]) -> Result<Reply, Error> {
        let network = |error: &dyn std::error::Error| Error::Network(chain(error));
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_method(method).map_err(|error| network(&error))?;
        request.set_uri(self.url(path)).map_err(|error| network(&error))?;
        for (name, value) in Self::headers(body) {
            request.headers_mut().insert(*name, *value);
        }
        for (name, value) in signature {
            request.headers_mut().insert(name.clone(), value.clone());
        }
        let answer = self
            .connector
            .call(request)
            .await
            .map_err(|error| if error.is_timeout() { Error::Timeout } else { network(&error) })?;
        let status = answer.status().as_u16();
        let request_id = REQUEST_ID.iter().find_map(|name| answer.headers().get(*name)).map(str::to_owned);
        let logged_id = answer.headers().get(LOGGED_ID).map(str::to_owned);
        let body = ByteStream::new(answer.into_body()).collect().await.map_err(|error| network(&error))?;
        let body = Zeroizing::new(body.to_vec());
        Ok(Reply { status, body, request_id, logged_id, took: Duration::ZERO })
    }
}

fn check(base: &str) -> Result<(), &'static str> {
    let (scheme, rest) = base.split_once("://").ok_or("it is no URL")?;
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.is_empty() || rest.contains(['@', '?', '#']) || rest.contains(char::is_whitespace) {
        return Err("a host and a path are needed, and nothing else");
    }
    match scheme {
        "https" => Ok(()),
        "http" if is_loopback(authority) => Ok(()),
        "http" => Err("plaintexts are sent with https, or to this machine"),
        _ => Err("its scheme is not https"),
    }
}

fn is_loopback(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => host,
        _ => authority,
    };
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// An error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plaintexts_are_sent_over_tls_or_not_at_all() {
        for right in [
            "https://a1b2.execute-api.eu-central-1.amazonaws.com/live",
            "https://crypto.example.com",
            "http://127.0.0.1:4566/restapis/a1b2/live/_user_request_",
            "http://localhost:4566/x",
            "http://[::1]:4566",
        ] {
            assert_eq!(check(right), Ok(()), "{right}");
        }
        for wrong in [
            "http://crypto.example.com/live",
            "http://127.0.0.1.example.com/live",
            "http://10.0.0.1:80",
            "ftp://127.0.0.1/x",
            "crypto.example.com",
            "https://",
            "https://mara:pw@example.com",
            "https://example.com/x?y",
            "http://127.0.0.1@example.com/",
        ] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }
}
