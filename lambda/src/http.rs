//! One HTTP request and its answer, by the same connections and the same TLS as the SDK's.

use std::net::IpAddr;
use std::time::Duration;

use aws_smithy_http_client::default_connector;
use aws_smithy_runtime_api::client::http::{HttpConnector as _, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use zeroize::Zeroizing;

const CONNECT: Duration = Duration::from_secs(3);
/// What is enough for most.
const PATIENCE: Patience = Patience { answer: Duration::from_secs(8), attempts: 3 };
/// Before the second attempt; before each further one it is four times as long.
const PAUSE: Duration = Duration::from_millis(250);
/// Longer a server's own wish is not waited for: who asks is asked again later, as a whole.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// In these codes AWS says with a 400 that there was too much at once.
const BUSY: [&str; 3] = ["Throttl", "ThroughputExceeded", "RequestLimitExceeded"];

/// A request.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) url: &'a str,
    pub(crate) headers: &'a [(String, String)],
    pub(crate) body: &'a [u8],
    /// Whether it may be done twice. One that may not is sent again only where it was certainly not done.
    pub(crate) repeats: bool,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) struct Lost {
    pub(crate) why: String,
    /// Nobody was reached, so that nothing was done.
    pub(crate) unsent: bool,
}

impl Lost {
    fn of(why: String) -> Self {
        // The connector's words; where they change, what was not sent counts as lost, which is the safe side.
        let unsent = ["client error (Connect)", "HTTP connect timeout"].iter().any(|words| why.contains(words));
        Self { why, unsent }
    }

    /// Of what was not even tried.
    fn before(why: impl Into<String>) -> Self {
        Self { why: why.into(), unsent: true }
    }
}

/// How long a request may take, and how often it is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// For the whole of an answer.
    pub(crate) answer: Duration,
    /// So often a request is sent that finds nobody, or somebody who is busy.
    pub(crate) attempts: u32,
}

/// An answer, whatever it says. It may be a secret, so there is no `Debug`.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Zeroizing<String>,
    /// S3's name of a content.
    pub(crate) etag: Option<String>,
    /// S3's name of a version of an object.
    pub(crate) version: Option<String>,
    /// How long the server wants not to be asked, in seconds.
    retry_after: Option<u64>,
    /// The server counts requests, and there are none left.
    exhausted: bool,
}

impl Reply {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the same request may succeed later.
    pub(crate) fn is_busy(&self) -> bool {
        self.is_limited() || matches!(self.status, 500 | 502 | 503 | 504)
    }

    /// Whether the server counts requests, and has refused this one for that: it has done nothing.
    fn is_limited(&self) -> bool {
        let limited = self.status == 403 && (self.exhausted || self.retry_after.is_some());
        let throttled = self.status == 400 && BUSY.iter().any(|code| self.body.contains(code));
        limited || throttled || self.status == 429
    }
}

/// Connections, kept for the next request.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    connector: SharedHttpConnector,
    patience: Patience,
}

impl Http {
    /// Connects to nothing yet.
    pub(crate) fn new() -> Result<Self, &'static str> {
        Self::with(PATIENCE)
    }

    /// The same for requests that may take longer, or are repeated by who asks.
    pub(crate) fn with(patience: Patience) -> Result<Self, &'static str> {
        let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT).read_timeout(patience.answer).build();
        let connector = default_connector(&settings, None).ok_or("this program was built without TLS")?;
        Ok(Self { connector, patience })
    }

    /// Sends it, and again as long as nobody answers or somebody busy does. `prepare` makes the headers of each attempt,
    /// since signatures age.
    pub(crate) async fn send(
        &self,
        request: Request<'_>,
        prepare: impl Fn() -> Result<Vec<(String, String)>, String>,
    ) -> Result<Reply, Lost> {
        let Patience { answer: limit, attempts } = self.patience;
        let mut attempt = 1;
        loop {
            let prepared = prepare().map_err(Lost::before)?;
            let answer = match tokio::time::timeout(limit, self.exchange(request, &prepared)).await {
                Ok(answer) => answer,
                Err(_) => Err(Lost { why: format!("no answer within {} s", limit.as_secs()), unsent: false }),
            };
            let again = match &answer {
                Ok(reply) => reply.is_limited() || (reply.is_busy() && request.repeats),
                Err(lost) => lost.unsent || request.repeats,
            };
            if attempt >= attempts || !again {
                return answer;
            }
            let wished = answer.ok().and_then(|reply| reply.retry_after).map(Duration::from_secs);
            let pause = wished.unwrap_or(PAUSE * 4_u32.saturating_pow(attempt - 1));
            tokio::time::sleep(pause.min(LONGEST_PAUSE)).await;
            attempt += 1;
        }
    }

    async fn exchange(&self, request: Request<'_>, more: &[(String, String)]) -> Result<Reply, Lost> {
        let mut sent = HttpRequest::new(SdkBody::from(request.body));
        sent.set_method(request.method).map_err(|error| Lost::before(chain(&error)))?;
        sent.set_uri(request.url).map_err(|error| Lost::before(chain(&error)))?;
        for (name, value) in request.headers.iter().chain(more) {
            // What is wrong with a header may not be told: it may be a token.
            let refused = |_| Lost::before(format!("the header {name} has what no header may have"));
            sent.headers_mut().try_insert(name.clone(), value.clone()).map_err(refused)?;
        }
        let answer = self.connector.call(sent).await.map_err(|error| Lost::of(chain(&error)))?;
        let number = |name: &str| answer.headers().get(name).and_then(|value| value.trim().parse::<u64>().ok());
        let (retry_after, exhausted) = (number("retry-after"), number("x-ratelimit-remaining") == Some(0));
        let text = |name: &str| answer.headers().get(name).map(str::to_owned);
        let (etag, version) = (text("etag"), text("x-amz-version-id"));
        let status = answer.status().as_u16();
        let cut = |error: &dyn std::error::Error| Lost { why: chain(error), unsent: false };
        let body = ByteStream::new(answer.into_body()).collect().await.map_err(|error| cut(&error))?;
        let body = Zeroizing::new(String::from_utf8_lossy(&body.to_vec()).into_owned());
        Ok(Reply { status, body, etag, version, retry_after, exhausted })
    }
}

/// Whether something secret may be sent there: over TLS, or to this machine.
pub(crate) fn is_safe(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.is_empty() || authority.contains('@') {
        return false;
    }
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => host,
        _ => authority,
    };
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    scheme == "https" || (scheme == "http" && address.is_ok_and(|address| address.is_loopback()))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::is_safe;

    #[test]
    fn a_token_goes_over_tls_or_to_this_machine() {
        for url in
            ["https://api.github.com/repos", "http://127.0.0.1:8080/x", "http://[::1]:8080", "https://ghe.example"]
        {
            assert!(is_safe(url), "{url}");
        }
        for url in
            ["http://api.github.com", "http://127.0.0.1.example/", "ftp://127.0.0.1", "https://", "x", "https://me@x/"]
        {
            assert!(!is_safe(url), "{url}");
        }
    }
}
