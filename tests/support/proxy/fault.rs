//! The errors of AWS, as each protocol writes them.
//!
//! From the "Common Errors" pages of the services' API references and the protocols' specifications (Smithy: awsJson1.1
//! has `__type`, restJson1 `x-amzn-errortype`, awsQuery `ErrorResponse`, restXml for S3 a bare `Error`).

use hyper::Response;
use hyper::body::Bytes;
use hyper::header::HeaderValue;
use hyper::http::request::Parts;

use super::request::Protocol;

/// An error as a service would report it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AwsError {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
}

/// "Slow down".
pub(super) fn throttling(protocol: Protocol) -> AwsError {
    match protocol {
        Protocol::Json => error(400, "ThrottlingException", "Rate exceeded"),
        Protocol::Query => error(400, "Throttling", "Rate exceeded"),
        Protocol::RestJson => error(429, "TooManyRequestsException", "Rate exceeded"),
        Protocol::RestXml => error(503, "SlowDown", "Please reduce your request rate."),
    }
}

/// The service's own failure.
pub(super) fn server_error(protocol: Protocol, service: &str) -> AwsError {
    match (protocol, service) {
        (_, "ssm") => error(500, "InternalServerError", "An error occurred on the server side."),
        (_, "secretsmanager") => error(500, "InternalServiceError", "An error occurred on the server side."),
        (_, "kms") => error(500, "KMSInternalException", "The request can be retried."),
        (Protocol::RestJson, _) => error(500, "ServiceException", "The Lambda service encountered an internal error."),
        (Protocol::RestXml, _) => error(500, "InternalError", "We encountered an internal error. Please try again."),
        (Protocol::Json | Protocol::Query, _) => {
            error(500, "InternalFailure", "The request processing has failed because of an unknown error.")
        }
    }
}

/// Credentials that have run out.
pub(super) fn expired_token(protocol: Protocol) -> AwsError {
    let message = "The security token included in the request is expired";
    match protocol {
        Protocol::Json => error(400, "ExpiredTokenException", message),
        Protocol::Query => error(403, "ExpiredToken", message),
        Protocol::RestJson => error(403, "ExpiredTokenException", message),
        Protocol::RestXml => error(400, "ExpiredToken", "The provided token has expired."),
    }
}

/// A refusal by a policy.
pub(super) fn access_denied(protocol: Protocol, message: &str) -> AwsError {
    match protocol {
        Protocol::Json => error(400, "AccessDeniedException", message),
        Protocol::Query | Protocol::RestXml => error(403, "AccessDenied", message),
        Protocol::RestJson => error(403, "AccessDeniedException", message),
    }
}

/// A signature of another time than the service's.
pub(super) fn too_skewed(protocol: Protocol) -> AwsError {
    let message = "Signature expired: it is now earlier than what this service takes";
    match protocol {
        Protocol::Json => error(400, "InvalidSignatureException", message),
        Protocol::RestJson => error(403, "InvalidSignatureException", message),
        Protocol::Query => error(403, "SignatureDoesNotMatch", message),
        Protocol::RestXml => {
            let message = "The difference between the request time and the current time is too large.";
            error(403, "RequestTimeTooSkewed", message)
        }
    }
}

/// When a request was signed, in seconds since the Unix epoch.
pub(super) fn signed_at(parts: &Parts) -> Option<i64> {
    let text = parts.headers.get("x-amz-date")?.to_str().ok()?;
    let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second())
}

/// A time as a response's header has it.
pub(super) fn date(at: jiff::Timestamp) -> HeaderValue {
    let text = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&at);
    HeaderValue::from_str(&text.expect("a date of this century")).expect("a date is ASCII")
}

/// Writes the error down as its protocol does.
pub(super) fn response(protocol: Protocol, error: &AwsError) -> Response<Bytes> {
    let AwsError { status, code, message } = error;
    let id = "00000000-0000-4000-8000-000000000000";
    let builder = Response::builder().status(*status).header("x-amzn-requestid", id);
    let text = escape(message);
    let (builder, body) = match protocol {
        Protocol::Json => {
            let body = serde_json::json!({ "__type": code, "message": message, "Message": message }).to_string();
            (builder.header("content-type", "application/x-amz-json-1.1"), body)
        }
        Protocol::RestJson => {
            let body = serde_json::json!({ "Type": "User", "Message": message, "message": message }).to_string();
            (builder.header("content-type", "application/json").header("x-amzn-errortype", *code), body)
        }
        Protocol::Query => {
            let side = if *status < 500 { "Sender" } else { "Receiver" };
            let body = format!(
                "<ErrorResponse><Error><Type>{side}</Type><Code>{code}</Code><Message>{text}</Message></Error>\
                 <RequestId>{id}</RequestId></ErrorResponse>"
            );
            (builder.header("content-type", "text/xml"), body)
        }
        Protocol::RestXml => {
            let body = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{text}</Message>\
                 <RequestId>{id}</RequestId></Error>"
            );
            (builder.header("content-type", "application/xml").header("x-amz-request-id", id), body)
        }
    };
    builder.body(Bytes::from(body)).expect("headers from a table")
}

fn error(status: u16, code: &'static str, message: &str) -> AwsError {
    AwsError { status, code, message: message.to_owned() }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
