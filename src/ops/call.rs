//! A signed request to an API of the account's own, and what is said where it comes to nothing.

use super::session::Session;
use crate::aws::ErrorKind;
use crate::aws::sign::{Failure, Request, sign};
use crate::compare::{Why, WhyKind};
use crate::http::api::{Connection, Error, Reply};

/// What is asked.
pub(super) struct Call<'a> {
    pub(super) method: &'a str,
    /// Below the base URL.
    pub(super) path: &'a str,
    /// Beside the signature's own; all of them are signed.
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: &'a [u8],
}

/// Asks once in the name of the session's credentials, and answers whatever is said; an error is only that nothing was.
/// `hint` is what to try where nobody answers.
pub(super) async fn signed(
    session: &Session,
    connection: &Connection,
    call: Call<'_>,
    hint: &str,
) -> Result<Reply, Why> {
    let Call { method, path, headers, body } = call;
    let url = connection.url(path);
    let request = Request { service: "execute-api", method, url: &url, headers, body };
    let signature = match sign(&session.clients, request).await {
        Ok(signature) => signature,
        Err(failure) => return Err(unsigned(session, connection.base(), failure).await),
    };
    let sent = connection.send_with(method, path, headers, &signature, body).await;
    sent.map_err(|error| silent(connection.base(), &error, hint))
}

/// Nobody answered.
pub(super) fn silent(place: &str, error: &Error, hint: &str) -> Why {
    Why::new(format!("cannot call {place}: {error}")).hint(hint).kind(WhyKind::Network)
}

/// STS tells better what is wrong with the credentials.
async fn unsigned(session: &Session, place: &str, (kind, message): Failure) -> Why {
    let own = Why::new(format!("cannot call {place}: {message}"));
    if kind != ErrorKind::NoCredentials {
        return own;
    }
    let own = own.hint("`aws sso login`, AWS_PROFILE, or --profile").kind(WhyKind::NoCredentials);
    session.identity().await.err().unwrap_or(own)
}
