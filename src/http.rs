//! One HTTP request and its answer, by the SDK's own connections and TLS.
//!
//! Knows no service and repeats nothing. No error has what a header or a body holds: it may be a token or a plaintext.

pub mod api;

use std::net::IpAddr;
use std::time::Duration;

use aws_smithy_http_client::default_connector;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use zeroize::Zeroizing;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The request could not be made or sent, or the answer broke off.
    Network(String),
    /// No answer in time.
    Timeout,
}

/// An answer, whatever it says. It may be a secret, so there is no `Debug`.
pub struct Answer {
    /// HTTP's.
    pub status: u16,
    /// The answer.
    pub body: Zeroizing<Vec<u8>>,
    headers: Vec<(String, String)>,
}

impl Answer {
    /// A header by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Connections, kept for the next request.
#[derive(Debug, Clone)]
pub struct Connections {
    connector: SharedHttpConnector,
    answer: Duration,
}

impl Connections {
    /// Waits so long for a connection, and so long for the whole of an answer. Connects to nothing yet.
    pub fn new(connect: Duration, answer: Duration) -> Result<Self, Failure> {
        let settings = HttpConnectorSettings::builder().connect_timeout(connect).read_timeout(answer).build();
        let connector = default_connector(&settings, None);
        let connector = connector.ok_or_else(|| Failure::Network("this program was built without TLS".to_owned()))?;
        Ok(Self { connector, answer })
    }

    /// Sends a request once.
    pub async fn send(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer, Failure> {
        let sent = tokio::time::timeout(self.answer, self.exchange(method, url, headers, body));
        sent.await.map_err(|_| Failure::Timeout)?
    }

    async fn exchange(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer, Failure> {
        let network = |error: &dyn std::error::Error| Failure::Network(chain(error));
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_method(method).map_err(|error| network(&error))?;
        request.set_uri(url).map_err(|error| network(&error))?;
        for (name, value) in headers {
            // What is wrong with its value may not be told.
            let refused = |_| Failure::Network(format!("the header {name} has what no header may have"));
            request.headers_mut().try_insert((*name).to_owned(), (*value).to_owned()).map_err(refused)?;
        }
        let answer = self
            .connector
            .call(request)
            .await
            .map_err(|error| if error.is_timeout() { Failure::Timeout } else { network(&error) })?;
        let status = answer.status().as_u16();
        let headers = answer.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let body = ByteStream::new(answer.into_body()).collect().await.map_err(|error| network(&error))?;
        Ok(Answer { status, headers, body: Zeroizing::new(body.to_vec()) })
    }
}

/// Whether something secret may be sent to a base URL: a host and a path, over TLS or to this machine; else why not.
pub fn is_safe(base: &str) -> Result<(), &'static str> {
    let (scheme, rest) = base.split_once("://").ok_or("it is no URL")?;
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.is_empty() || rest.contains(['@', '?', '#']) || rest.contains(char::is_whitespace) {
        return Err("a host and a path are needed, and nothing else");
    }
    match scheme {
        "https" => Ok(()),
        "http" if is_loopback(authority) => Ok(()),
        "http" => Err("what is secret is sent with https, or to this machine"),
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
    fn what_is_secret_is_sent_over_tls_or_not_at_all() {
        for right in [
            "https://a1b2.execute-api.eu-central-1.amazonaws.com/live",
            "https://crypto.example.com",
            "http://127.0.0.1:4566/restapis/a1b2/live/_user_request_",
            "http://localhost:4566/x",
            "http://[::1]:4566",
        ] {
            assert_eq!(is_safe(right), Ok(()), "{right}");
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
            assert!(is_safe(wrong).is_err(), "{wrong}");
        }
    }
}
