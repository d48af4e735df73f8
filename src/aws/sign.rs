//! The signature of a request that no SDK sends.

use std::time::{Duration, SystemTime};

use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign as signed};
use aws_sigv4::sign::v4::SigningParams;
use aws_smithy_runtime_api::client::identity::Identity;

use super::{Clients, ErrorKind};

/// What is to be signed.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The service as signatures name it: `execute-api`.
    pub service: &'a str,
    /// `GET`, `POST`.
    pub method: &'a str,
    /// All of it; its host is signed too.
    pub url: &'a str,
    /// The headers that are sent beside the signature's own.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body, by its digest.
    pub body: &'a [u8],
}

/// Why nothing could be signed: what to make of it, and in words.
pub type Failure = (ErrorKind, String);

/// The headers that make it a request of the session's credentials (Signature Version 4).
pub async fn sign(clients: &Clients, request: Request<'_>) -> Result<Vec<(String, String)>, Failure> {
    sign_for(clients, clients.region(), request).await
}

/// The same for another region, as services have it that know none.
pub(super) async fn sign_for(
    clients: &Clients,
    region: &str,
    request: Request<'_>,
) -> Result<Vec<(String, String)>, Failure> {
    let nobody = || (ErrorKind::NoCredentials, "no AWS credentials were found".to_owned());
    let identity: Identity = clients.credentials().await.ok_or_else(nobody)?.into();
    let unsigned = |error: &dyn std::fmt::Display| (ErrorKind::Other, format!("it cannot be signed: {error}"));
    let params = SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(request.service)
        .time(there(clients.clock_skew()))
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| unsigned(&error))?
        .into();
    let Request { method, url, headers, body, .. } = request;
    let signable = SignableRequest::new(method, url, headers.iter().copied(), SignableBody::Bytes(body));
    let made = signed(signable.map_err(|error| unsigned(&error))?, &params).map_err(|error| unsigned(&error))?;
    let (instructions, _) = made.into_parts();
    Ok(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// The time by AWS's clock, as far as an answer has told it: AWS refuses what is signed five minutes off. The SDK does the
/// same for its own requests.
fn there(ahead: Option<i64>) -> SystemTime {
    let (now, ahead) = (SystemTime::now(), ahead.unwrap_or_default());
    let by = Duration::from_millis(ahead.unsigned_abs());
    if ahead > 0 { now.checked_sub(by) } else { now.checked_add(by) }.unwrap_or(now)
}
