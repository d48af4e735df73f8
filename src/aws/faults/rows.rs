//! The table of errors and faults.

use super::server::Step;
use crate::aws::{Clients, Error, ErrorKind, cloudformation, cloudtrail, lambda, s3, ssm, sts};

pub(super) fn json(status: u16, body: &str) -> Step {
    Step::reply(status, "application/x-amz-json-1.1", body)
}

fn xml(status: u16, body: &str) -> Step {
    Step::reply(status, "text/xml", body)
}

const CALLER: &str = r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
  <Arn>arn:aws:iam::471100004242:user/anna</Arn><UserId>AIDA</UserId><Account>471100004242</Account>
</GetCallerIdentityResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetCallerIdentityResponse>"#;

fn query_error(code: &str, message: &str) -> String {
    format!(
        r#"<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"#
    )
}

fn s3_error(code: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>in S3's words</Message><RequestId>r</RequestId></Error>"#
    )
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Ask {
    Sts,
    Ssm,
    Lambda,
    S3,
    Stack,
    Trail,
}

pub(super) async fn ask(clients: &Clients, what: Ask) -> Result<(), Error> {
    match what {
        Ask::Sts => sts::caller(clients).await.map(drop),
        Ask::Ssm => ssm::describe(clients, &["/x".into()]).await.map(drop),
        Ask::Lambda => lambda::function(clients, "f", None).await.map(drop),
        Ask::S3 => s3::get(clients, "b", "k").await.map(drop),
        Ask::Stack => cloudformation::stack(clients, "s").await.map(drop),
        Ask::Trail => cloudtrail::lookup(clients, cloudtrail::Attribute::EventName("PutParameter"), 0).await.map(drop),
    }
}

/// Name, what is asked, what each attempt is answered (the last one again and again), what comes of it, its code, and
/// how often it was sent.
pub(super) type Row = (&'static str, Ask, Vec<Step>, Result<(), ErrorKind>, Option<&'static str>, u64);

/// What AWS does not do for whoever asks.
pub(super) fn denials() -> Vec<Row> {
    use ErrorKind::{AccessDenied, Conflict, NoCredentials, NotFound, Other};
    let expired = |renew: &str| ErrorKind::Expired { renew: renew.into() };
    let denied = r#"{"__type":"AccessDeniedException","Message":"User: u is not authorized to perform: ssm:DescribeParameters"}"#;
    let lambda_denied = Step::reply(403, "application/json", r#"{"Message":"not authorized"}"#)
        .with("x-amzn-ErrorType", "AccessDeniedException:http://internal.amazon.com/coral/");
    vec![
        ("JSON 1.1 denies", Ask::Ssm, vec![json(400, denied)], Err(AccessDenied), Some("AccessDeniedException"), 1),
        (
            "query XML denies",
            Ask::Sts,
            vec![xml(403, &query_error("AccessDenied", "no"))],
            Err(AccessDenied),
            Some("AccessDenied"),
            1,
        ),
        ("REST JSON denies", Ask::Lambda, vec![lambda_denied], Err(AccessDenied), Some("AccessDeniedException"), 1),
        (
            "REST XML denies",
            Ask::S3,
            vec![xml(403, &s3_error("AccessDenied"))],
            Err(AccessDenied),
            Some("AccessDenied"),
            1,
        ),
        (
            "a bucket that is not there is an error",
            Ask::S3,
            vec![xml(404, &s3_error("NoSuchBucket"))],
            Err(NotFound),
            Some("NoSuchBucket"),
            1,
        ),
        ("an object that is not there is an answer", Ask::S3, vec![xml(404, &s3_error("NoSuchKey"))], Ok(()), None, 1),
        (
            "a stack that is not there is an answer",
            Ask::Stack,
            vec![xml(400, &query_error("ValidationError", "Stack with id s does not exist"))],
            Ok(()),
            None,
            1,
        ),
        (
            "another validation error is an error",
            Ask::Stack,
            vec![xml(400, &query_error("ValidationError", "1 validation error detected"))],
            Err(Other),
            Some("ValidationError"),
            1,
        ),
        (
            "a stack at work is a conflict",
            Ask::Stack,
            vec![xml(400, &query_error("ValidationError", "Stack is in UPDATE_IN_PROGRESS state"))],
            Err(Conflict),
            Some("ValidationError"),
            1,
        ),
        (
            "a key that AWS does not know",
            Ask::Ssm,
            vec![json(
                400,
                r#"{"__type":"UnrecognizedClientException","message":"The security token included in the request is invalid."}"#,
            )],
            Err(NoCredentials),
            Some("UnrecognizedClientException"),
            1,
        ),
        (
            "JSON 1.1: an expired token is not sent again",
            Ask::Ssm,
            vec![json(
                400,
                r#"{"__type":"ExpiredTokenException","message":"The security token included in the request is expired"}"#,
            )],
            Err(expired("")),
            Some("ExpiredTokenException"),
            1,
        ),
        (
            "query XML: an expired token",
            Ask::Sts,
            vec![xml(403, &query_error("ExpiredToken", "expired"))],
            Err(expired("")),
            Some("ExpiredToken"),
            1,
        ),
        (
            "REST XML: an expired token",
            Ask::S3,
            vec![xml(400, &s3_error("ExpiredToken"))],
            Err(expired("")),
            Some("ExpiredToken"),
            1,
        ),
    ]
}

/// What AWS does not do now.
pub(super) fn refusals() -> Vec<Row> {
    use ErrorKind::{Other, Throttled, Unreadable};
    let throttled = json(400, r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#);
    let lambda_throttled = Step::reply(
        429,
        "application/json",
        r#"{"Reason":"CallerRateLimitExceeded","Type":"User","message":"Rate exceeded"}"#,
    )
    .with("x-amzn-ErrorType", "TooManyRequestsException");
    let listing = json(200, r#"{"Parameters":[]}"#);
    vec![
        (
            "JSON 1.1 throttles, then answers",
            Ask::Ssm,
            vec![throttled.clone(), throttled.clone(), listing.clone()],
            Ok(()),
            None,
            3,
        ),
        (
            "JSON 1.1 throttles to the end",
            Ask::Ssm,
            vec![throttled.clone()],
            Err(Throttled),
            Some("ThrottlingException"),
            3,
        ),
        (
            "CloudTrail throttles to the end",
            Ask::Trail,
            vec![throttled],
            Err(Throttled),
            Some("ThrottlingException"),
            3,
        ),
        (
            "query XML throttles, then answers",
            Ask::Sts,
            vec![xml(400, &query_error("Throttling", "Rate exceeded")), xml(200, CALLER)],
            Ok(()),
            None,
            2,
        ),
        (
            "REST JSON throttles to the end",
            Ask::Lambda,
            vec![lambda_throttled],
            Err(Throttled),
            Some("TooManyRequestsException"),
            3,
        ),
        (
            "REST XML throttles to the end",
            Ask::S3,
            vec![xml(503, &s3_error("SlowDown"))],
            Err(Throttled),
            Some("SlowDown"),
            3,
        ),
        (
            "a failure of AWS's own, then an answer",
            Ask::Sts,
            vec![xml(500, &query_error("InternalFailure", "oops")), xml(200, CALLER)],
            Ok(()),
            None,
            2,
        ),
        (
            "a failure of AWS's own to the end",
            Ask::Ssm,
            vec![json(500, r#"{"__type":"InternalServerError","message":"oops"}"#)],
            Err(Other),
            Some("InternalServerError"),
            3,
        ),
        (
            "a gateway's page to the end",
            Ask::Ssm,
            vec![Step::reply(502, "text/html", "<h1>Bad Gateway</h1>")],
            Err(Unreadable),
            None,
            3,
        ),
    ]
}

/// Answers that do not come, or not whole, or are not AWS's.
pub(super) fn breaks() -> Vec<Row> {
    use ErrorKind::{Network, Timeout, Unreadable};
    let listing = json(200, r#"{"Parameters":[]}"#);
    vec![
        (
            "a listing that breaks off, then whole",
            Ask::Ssm,
            vec![Step::cut(r#"{"Parameters":[{"Na"#), listing],
            Ok(()),
            None,
            2,
        ),
        (
            "a listing that breaks off each time",
            Ask::Ssm,
            vec![Step::cut(r#"{"Parameters":[{"Na"#)],
            Err(Unreadable),
            None,
            3,
        ),
        (
            "half a JSON in a whole answer",
            Ask::Ssm,
            vec![json(200, r#"{"Parameters":[{"Na"#)],
            Err(Unreadable),
            None,
            1,
        ),
        (
            "a portal's page in place of an answer",
            Ask::Ssm,
            vec![Step::reply(200, "text/html", "<h1>Sign in</h1>")],
            Err(Unreadable),
            None,
            1,
        ),
        ("a listing without its list is not empty", Ask::Ssm, vec![json(200, "{}")], Err(Unreadable), None, 1),
        ("XML of something else", Ask::Sts, vec![xml(200, "<html><body/></html>")], Err(Unreadable), None, 1),
        ("connections that are reset", Ask::Ssm, vec![Step::Reset], Err(Network), None, 3),
        ("an answer that never comes", Ask::Ssm, vec![Step::Hang], Err(Timeout), None, 3),
        (
            "an object that breaks off each time",
            Ask::S3,
            vec![Step::cut("half of").with("ETag", "\"e\"")],
            Err(Unreadable),
            None,
            3,
        ),
        (
            "an object that breaks off, then whole",
            Ask::S3,
            vec![
                Step::cut("half of").with("ETag", "\"e\""),
                Step::reply(200, "text/plain", "all").with("ETag", "\"e\""),
            ],
            Ok(()),
            None,
            2,
        ),
        (
            "a proxy's 403 page without a code",
            Ask::Ssm,
            vec![Step::reply(403, "text/html", "<h1>Forbidden</h1>")],
            Err(Unreadable),
            None,
            1,
        ),
    ]
}
