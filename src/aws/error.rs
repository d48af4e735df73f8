//! One error for every service: what failed, on what, why, and what to try.

use std::error::Error as StdError;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::secret::{MASK, Secret};

/// A request that did not succeed, after all retries. Never holds a plaintext that Plumb sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot {} {subject}: {}{message}", self.verb(), self.prefix())]
pub struct Error {
    /// The action as policies name it: `ssm:GetParameters`.
    pub operation: &'static str,
    /// On what: a name, a bucket and key, a stack.
    pub subject: String,
    /// What to make of it.
    pub kind: ErrorKind,
    /// AWS's own code, where it answered with one: `AccessDeniedException`.
    pub code: Option<String>,
    /// AWS's own words, or those of what failed on the way to it.
    pub message: String,
}

/// What an [`Error`] means for whoever asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// The caller lacks a permission.
    AccessDenied,
    /// The session has ended; `renew` is the command, or the sentence, that renews it.
    Expired {
        /// Such as `aws sso login --profile x`.
        renew: String,
    },
    /// There are no credentials, or AWS does not know them.
    NoCredentials,
    /// Nothing names a region.
    NoRegion,
    /// Too many requests, still after all retries.
    Throttled,
    /// What the request is about is not there.
    NotFound,
    /// It is there already, or changed meanwhile, or is being changed: a precondition failed.
    Conflict,
    /// No connection, or it broke.
    Network,
    /// No answer in time.
    Timeout,
    /// An answer that is cut off or is not what this operation answers.
    Unreadable,
    /// Anything else that AWS answers, such as a request it finds invalid or a failure of its own.
    Other,
}

impl Error {
    /// `renew` is the command that renews an ended session; `endpoint` where requests go when not to AWS itself.
    pub(super) fn of<E>(
        operation: &'static str,
        subject: &str,
        error: &SdkError<E, HttpResponse>,
        renew: &str,
        endpoint: Option<&str>,
    ) -> Self
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let mut found = match error {
            SdkError::ServiceError(service) => {
                let code = service.err().code().map(str::to_owned);
                let status = service.raw().status().as_u16();
                let message = service.err().message().map_or_else(|| chain(service.err()), str::to_owned);
                // A body of another protocol, with a status of success, has no code.
                let kind = match code.as_deref() {
                    None if status < 300 => ErrorKind::Unreadable,
                    code => of_answer(code, status, &message),
                };
                // A body that no parser of the operation understood has no code either.
                let message = if code.is_none() { format!("HTTP {status}: {message}") } else { message };
                Self { operation, subject: subject.into(), kind, code, message }
            }
            SdkError::TimeoutError(_) => {
                Self::plain(operation, subject, ErrorKind::Timeout, "no answer in time".into())
            }
            SdkError::DispatchFailure(failure) => {
                let kind = if failure.is_timeout() { ErrorKind::Timeout } else { ErrorKind::Network };
                let message = failure.as_connector_error().map_or_else(|| chain(error), |inner| chain(inner));
                let kind = of_local_failure(&message).unwrap_or(kind);
                Self::plain(operation, subject, kind, short(&message, endpoint))
            }
            SdkError::ResponseError(response) => {
                let message = format!("HTTP {}: {}", response.raw().status(), chain(error));
                Self::plain(operation, subject, ErrorKind::Unreadable, message)
            }
            _ => {
                let message = chain(error);
                let kind = of_local_failure(&message).unwrap_or(ErrorKind::Other);
                Self::plain(operation, subject, kind, short(&message, endpoint))
            }
        };
        if matches!(found.kind, ErrorKind::Expired { .. }) {
            found.kind = ErrorKind::Expired { renew: renew.into() };
        }
        found
    }

    pub(super) fn plain(operation: &'static str, subject: &str, kind: ErrorKind, message: String) -> Self {
        Self { operation, subject: subject.into(), kind, code: None, message }
    }

    /// An answer that lacks what the operation always answers.
    pub(super) fn unreadable(operation: &'static str, subject: &str, what: &str) -> Self {
        Self::plain(operation, subject, ErrorKind::Unreadable, format!("the answer has no {what}"))
    }

    /// Takes a plaintext out of AWS's words: validation errors quote what was sent.
    pub(super) fn without(mut self, secret: &Secret) -> Self {
        let text = secret.expose();
        if !text.is_empty() && self.message.contains(text) {
            self.message = self.message.replace(text, MASK);
        }
        self
    }

    /// Whether sending the same for fewer items could succeed: the service answered, and the fault is the request's.
    pub(super) fn is_of_request(&self) -> bool {
        match self.kind {
            ErrorKind::AccessDenied | ErrorKind::NotFound | ErrorKind::Conflict => true,
            ErrorKind::Other => self.code.as_deref().is_some_and(|code| !is_server_fault(code)),
            _ => false,
        }
    }

    /// Whether the service itself failed.
    pub(super) fn is_of_server(&self) -> bool {
        self.kind == ErrorKind::Other && self.code.as_deref().is_some_and(is_server_fault)
    }

    /// What to try, where there is something.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match &self.kind {
            ErrorKind::AccessDenied => {
                Some(format!("{} is needed: `plumb policy read`, or another profile", self.denied_action()))
            }
            ErrorKind::Expired { renew } if renew.starts_with("aws ") => Some(format!("run `{renew}`, then refresh")),
            ErrorKind::Expired { renew } => Some(format!("{renew}, then refresh")),
            ErrorKind::NoCredentials if self.code.is_none() => {
                Some("`aws sso login`, AWS_PROFILE, or --profile".into())
            }
            ErrorKind::NoCredentials => {
                Some("name a profile that works: `aws sts get-caller-identity --profile …`".into())
            }
            ErrorKind::NoRegion => Some("set AWS_REGION, `region` of the environment, or --region".into()),
            ErrorKind::Throttled => Some("others are asking a lot of this account too: refresh in a minute".into()),
            ErrorKind::Conflict => Some("look at it again: it changed since it was read".into()),
            ErrorKind::Network => Some("is there a network, a proxy, a VPN?".into()),
            ErrorKind::Timeout => Some("refresh to try again".into()),
            ErrorKind::Unreadable => {
                Some("something between here and AWS may answer instead of it: a proxy, a portal".into())
            }
            ErrorKind::NotFound | ErrorKind::Other => None,
        }
    }

    fn prefix(&self) -> String {
        self.code.as_ref().map_or_else(String::new, |code| format!("{code}: "))
    }

    /// The action that AWS names, which may be another service's (`kms:Decrypt`); else that of the request.
    fn denied_action(&self) -> &str {
        let named = self.message.split_once("perform: ").and_then(|(_, rest)| rest.split_whitespace().next());
        named.filter(|action| action.contains(':')).unwrap_or(self.operation)
    }

    fn verb(&self) -> &'static str {
        let action = self.operation.split_once(':').map_or(self.operation, |(_, action)| action);
        VERBS.iter().find(|(prefix, _)| action.starts_with(prefix)).map_or("read", |(_, verb)| verb)
    }
}

/// How actions begin, and what a sentence calls them; the first that fits.
const VERBS: [(&str, &str); 19] = [
    ("Invoke", "call"),
    ("Rotate", "rotate"),
    ("List", "list"),
    ("Put", "write"),
    ("UpdateTerminationProtection", "change the protection of"),
    ("Update", "write"),
    ("Create", "create"),
    ("Delete", "delete"),
    ("Remove", "change"),
    ("Restore", "restore"),
    ("Publish", "publish"),
    ("Execute", "execute"),
    ("CancelUpdateStack", "cancel the update of"),
    ("ContinueUpdateRollback", "go on with the rollback of"),
    ("RollbackStack", "roll back"),
    ("DetectStackDrift", "check the drift of"),
    ("DescribeParameters", "list"),
    ("Lookup", "look up"),
    ("Region", "connect to"),
];

fn is_server_fault(code: &str) -> bool {
    code.starts_with("Internal") || code.starts_with("ServiceUnavailable") || code == "ServiceException"
}

/// AWS's codes, of all protocols: with and without `Exception`.
fn of_answer(code: Option<&str>, status: u16, message: &str) -> ErrorKind {
    let Some(code) = code else { return of_status(status) };
    match code.trim_end_matches("Exception") {
        "AccessDenied"
        | "UnauthorizedOperation"
        | "NotAuthorized"
        | "AllAccessDisabled"
        | "DecryptionFailure"
        | "EncryptionFailure"
        | "KMSAccessDenied"
        | "Forbidden" => ErrorKind::AccessDenied,
        "ExpiredToken" | "TokenRefreshRequired" | "RequestExpired" => ErrorKind::Expired { renew: String::new() },
        "InvalidClientTokenId"
        | "UnrecognizedClient"
        | "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "InvalidSignature"
        | "MissingAuthenticationToken"
        | "IncompleteSignature"
        | "AuthFailure"
        | "InvalidToken" => ErrorKind::NoCredentials,
        "Throttling"
        | "Throttled"
        | "ThrottledRequest"
        | "RequestThrottled"
        | "TooManyRequests"
        | "RequestLimitExceeded"
        | "SlowDown"
        | "BandwidthLimitExceeded"
        | "PriorRequestNotComplete"
        | "EC2Throttled" => ErrorKind::Throttled,
        "ResourceNotFound"
        | "ParameterNotFound"
        | "ParameterVersionNotFound"
        | "NoSuchKey"
        | "NoSuchBucket"
        | "NotFound"
        | "ChangeSetNotFound" => ErrorKind::NotFound,
        "PreconditionFailed"
        | "ConditionalRequestConflict"
        | "ParameterAlreadyExists"
        | "ResourceExists"
        | "AlreadyExists"
        | "ResourceConflict"
        | "OperationAborted"
        | "InvalidChangeSetStatus"
        | "OperationInProgress"
        | "TooManyUpdates" => ErrorKind::Conflict,
        // The query protocol of CloudFormation has one code for both.
        "ValidationError" if message.contains("does not exist") => ErrorKind::NotFound,
        "ValidationError" if message.contains("_IN_PROGRESS") => ErrorKind::Conflict,
        _ if status == 429 => ErrorKind::Throttled,
        _ => ErrorKind::Other,
    }
}

/// The kind of an error that is reported inside an answer.
pub(super) fn kind_of_code(code: &str, message: &str) -> ErrorKind {
    of_answer(Some(code), 400, message)
}

fn of_status(status: u16) -> ErrorKind {
    match status {
        401 | 403 => ErrorKind::AccessDenied,
        // Without a code of AWS it may be any proxy's, which says nothing about the thing that was asked for.
        404 | 500..=599 => ErrorKind::Unreadable,
        409 | 412 => ErrorKind::Conflict,
        429 => ErrorKind::Throttled,
        _ => ErrorKind::Other,
    }
}

/// The SDK's credential providers fail with types that it does not export, so their words decide.
fn of_local_failure(message: &str) -> Option<ErrorKind> {
    let text = message.to_lowercase();
    let about_credentials =
        ["credential", "sso token", "sso session", "login token", "profile"].iter().any(|word| text.contains(word));
    if about_credentials && (text.contains("expired") || text.contains("reauthenticate")) {
        Some(ErrorKind::Expired { renew: String::new() })
    } else if about_credentials {
        Some(ErrorKind::NoCredentials)
    } else {
        None
    }
}

/// What the SDK says of a request that never left, in one short line.
fn short(message: &str, endpoint: Option<&str>) -> String {
    let text = message.to_lowercase();
    // Each provider of the chain says at length why it has nothing; that is the same as there being none.
    let nobody = ["no providers in chain", "no credentials found in chain", "credential provider was not enabled"];
    if nobody.iter().any(|words| text.contains(words)) {
        return "no AWS credentials were found".to_owned();
    }
    let reason = [
        ("connection refused", "connection refused"),
        ("connection reset", "connection reset"),
        ("network is unreachable", "network is unreachable"),
        ("no route to host", "no route to host"),
        ("dns error", "its name cannot be resolved"),
    ];
    if let Some((_, reason)) = reason.iter().find(|(words, _)| text.contains(words)) {
        return format!("cannot connect to {} ({reason})", endpoint.unwrap_or("AWS"));
    }
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An error and its causes in one line, each once.
fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let part = error.to_string();
        if !text.contains(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_ended_is_told_from_credentials_that_are_not_there() {
        let expired = Some(ErrorKind::Expired { renew: String::new() });
        for (words, kind) in [
            // Of aws-config's providers.
            ("failed to load token: the SSO token has expired and cannot be refreshed", expired.clone()),
            ("cached Login token is expired", expired.clone()),
            ("credentials: Your session has expired. Please reauthenticate.", expired),
            ("no providers in chain provided credentials", Some(ErrorKind::NoCredentials)),
            ("profile `x` was not defined", Some(ErrorKind::NoCredentials)),
            ("client error (Connect): invalid peer certificate: certificate expired", None),
            ("dns error: failed to lookup address information", None),
        ] {
            assert_eq!(of_local_failure(words), kind, "{words}");
        }
    }

    #[test]
    fn what_never_left_is_told_in_one_short_line() {
        let url = Some("http://127.0.0.1:9");
        for (words, endpoint, told) in [
            (
                "other: the credential provider was not enabled: no credentials found in chain. Attempted:\n  Environment: …",
                None,
                "no AWS credentials were found",
            ),
            (
                "io error: client error (Connect): tcp connect error: Connection refused (os error 111)",
                url,
                "cannot connect to http://127.0.0.1:9 (connection refused)",
            ),
            (
                "client error (Connect): dns error: failed to lookup",
                None,
                "cannot connect to AWS (its name cannot be resolved)",
            ),
            ("profile `x` was\n  not defined", None, "profile `x` was not defined"),
        ] {
            assert_eq!(short(words, endpoint), told, "{words}");
        }
    }

    #[test]
    fn a_denial_names_the_permission_that_is_missing() {
        for (words, action) in [
            ("User: u is not authorized to perform: kms:Decrypt on resource: alias/checkout", "kms:Decrypt is needed"),
            ("Access Denied", "ssm:GetParameters is needed"),
        ] {
            let error = Error::plain("ssm:GetParameters", "/x", ErrorKind::AccessDenied, words.into());
            assert!(error.hint().is_some_and(|hint| hint.starts_with(action)), "{words}: {:?}", error.hint());
        }
    }

    #[test]
    fn an_ended_session_says_what_renews_it() {
        let kind = ErrorKind::Expired { renew: "aws sso login --profile prod".into() };
        let error = Error::plain("sts:GetCallerIdentity", "the caller's identity", kind, "expired".into());
        assert_eq!(error.to_string(), "cannot read the caller's identity: expired");
        assert_eq!(error.hint().as_deref(), Some("run `aws sso login --profile prod`, then refresh"));
    }
}
