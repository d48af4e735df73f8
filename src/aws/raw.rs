//! One signed request, of JSON or a form, by the SDK's own machinery, for a service whose SDK would be too much for a call or two.
//!
//! Connections, timeouts, retries and the count of calls are those of every other request.

use std::net::{IpAddr, SocketAddr};

use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::TransientErrorClassifier;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use serde::de::DeserializeOwned;
use serde_json::Value;
use zeroize::Zeroizing;

use super::limit::Service;
use super::sign::{Request, sign_for};
use super::{Clients, Error, ErrorKind};
use crate::secret::Secret;

/// Deletes a DynamoDB table of a local account; refused where requests go elsewhere.
pub async fn delete_table(clients: &Clients, table: &str) -> Result<(), Error> {
    const OPERATION: &str = "dynamodb:DeleteTable";
    let url = clients.config().endpoint_url().filter(|url| is_loopback(url));
    let Some(endpoint) = url.map(str::to_owned) else {
        let why = "only a local account is asked this way".to_owned();
        return Err(Error::plain(OPERATION, table, ErrorKind::Other, why));
    };
    let body = Zeroizing::new(serde_json::json!({ "TableName": table }).to_string());
    let target = "DynamoDB_20120810.DeleteTable";
    let call = Call {
        service: Service::DynamoDb,
        operation: OPERATION,
        body: Body::Json { target, content_type: "application/x-amz-json-1.0", text: body },
        endpoint,
        region: None,
        subject: table,
    };
    call.send(clients).await.map(|_| ())
}

/// A service of one of AWS's JSON protocols, for whoever makes several calls of it.
pub(super) struct Json {
    pub(super) service: Service,
    /// `application/x-amz-json-1.1`, or 1.0.
    pub(super) content_type: &'static str,
    /// What names its endpoint in the environment: `CODEBUILD`.
    pub(super) variable: &'static str,
    /// Its host before the region.
    pub(super) host: &'static str,
}

impl Json {
    /// Asks, and reads the answer. `target` is the operation as the protocol names it.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        clients: &Clients,
        (operation, target): (&'static str, &'static str),
        subject: &str,
        body: &Value,
    ) -> Result<T, Error> {
        let answer = self.tell(clients, (operation, target), subject, body).await?;
        serde_json::from_str(answer.expose()).map_err(|_| Error::unreadable(operation, subject, "answer"))
    }

    /// The same where the answer says nothing.
    pub(super) async fn tell(
        &self,
        clients: &Clients,
        (operation, target): (&'static str, &'static str),
        subject: &str,
        body: &Value,
    ) -> Result<Secret, Error> {
        let text = Zeroizing::new(body.to_string());
        let call = Call {
            service: self.service,
            operation,
            body: Body::Json { target, content_type: self.content_type, text },
            endpoint: endpoint(clients, self.variable, self.host),
            region: None,
            subject,
        };
        call.send(clients).await
    }
}

/// What a request carries.
pub(super) enum Body {
    /// Of one of AWS's JSON protocols.
    Json { target: &'static str, content_type: &'static str, text: Zeroizing<String> },
    /// Of the query protocol, encoded.
    Form(Zeroizing<String>),
}

/// A request of one of AWS's protocols.
pub(super) struct Call<'a> {
    pub(super) service: Service,
    /// The IAM action's name; what is before the colon signs.
    pub(super) operation: &'static str,
    pub(super) body: Body,
    /// Scheme, host and port.
    pub(super) endpoint: String,
    /// The region that it is signed for, where that is not the session's.
    pub(super) region: Option<&'static str>,
    /// What it is about, for errors.
    pub(super) subject: &'a str,
}

impl Call<'_> {
    /// Sends it, as often as the retries say; the answer's text.
    pub(super) async fn send(self, clients: &Clients) -> Result<Secret, Error> {
        let retries = clients.config().retry_config().cloned();
        self.attempt(clients, retries).await
    }

    /// Sends it once: what would be done twice when an answer is lost.
    pub(super) async fn send_once(self, clients: &Clients) -> Result<Secret, Error> {
        self.attempt(clients, Some(RetryConfig::disabled())).await
    }

    async fn attempt(self, clients: &Clients, retries: Option<RetryConfig>) -> Result<Secret, Error> {
        let other = |message: String| Error::plain(self.operation, self.subject, ErrorKind::Other, message);
        let endpoint = self.endpoint.trim_end_matches('/').to_owned();
        let host = endpoint.split_once("://").map(|(_, host)| host.to_owned());
        let host =
            host.filter(|host| !host.contains('/')).ok_or_else(|| other(format!("{endpoint} is no endpoint")))?;
        let (target, content_type, body) = match self.body {
            Body::Json { target, content_type, text } => (Some(target), content_type, text),
            Body::Form(text) => (None, "application/x-www-form-urlencoded; charset=utf-8", text),
        };
        let mut headers = vec![("host".to_owned(), host), ("content-type".to_owned(), content_type.to_owned())];
        headers.extend(target.map(|target| ("x-amz-target".to_owned(), target.to_owned())));
        let (service, action) = self.operation.split_once(':').unwrap_or((self.operation, ""));
        let signed: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let url = format!("{endpoint}/");
        let request = Request { service, method: "POST", url: &url, headers: &signed, body: body.as_bytes() };
        let signature = sign_for(clients, self.region.unwrap_or(clients.region()), request).await;
        headers.extend(signature.map_err(|(kind, why)| Error::plain(self.operation, self.subject, kind, why))?);

        let config = clients.config();
        let mut request = Operation::builder()
            .service_name(service)
            .operation_name(action)
            .endpoint_url(&endpoint)
            .no_auth()
            .interceptor(clients.counting())
            .retry_classifier(TransientErrorClassifier::<ErrorMetadata>::new())
            .retry_classifier(Busy);
        if let Some(client) = config.http_client() {
            request = request.http_client(client);
        }
        if let Some(sleep) = config.sleep_impl() {
            request = request.sleep_impl(sleep);
        }
        if let Some(retries) = &retries {
            request = request.standard_retry(retries);
        }
        if let Some(timeouts) = config.timeout_config() {
            request = request.timeout_config(timeouts.clone());
        }
        if let Some(version) = config.behavior_version() {
            request = request.behavior_version(version);
        }
        let request = request
            .serializer(move |()| {
                let mut request = HttpRequest::new(SdkBody::from(body.as_str()));
                request.set_method("POST")?;
                request.set_uri("/")?;
                for (name, value) in &headers {
                    request.headers_mut().insert(name.clone(), value.clone());
                }
                Ok(request)
            })
            .deserializer(answer)
            .build();
        clients.send(self.service, self.operation, self.subject, request.invoke(())).await
    }
}

/// The answer's text, or what it says went wrong.
fn answer(response: &HttpResponse) -> Result<Secret, OrchestratorError<ErrorMetadata>> {
    let text = std::str::from_utf8(response.body().bytes().unwrap_or_default()).unwrap_or_default();
    if response.status().is_success() {
        return Ok(Secret::new(text));
    }
    let said: Value = serde_json::from_str(text).unwrap_or_default();
    let element = |name: &str| {
        let rest = text.split_once(&format!("<{name}>")).map(|(_, rest)| rest)?;
        rest.split_once("</").map(|(text, _)| text)
    };
    let field = |name: &str| said.get(name).and_then(Value::as_str);
    let mut error = ErrorMetadata::builder();
    if let Some(code) = field("__type").or_else(|| field("code")).or_else(|| element("Code")) {
        error = error.code(code.rsplit('#').next().unwrap_or(code));
    }
    if let Some(message) = field("message").or_else(|| field("Message")).or_else(|| element("Message")) {
        error = error.message(message);
    }
    Err(OrchestratorError::operation(error.build()))
}

/// Where a service is: where its variable says (`AWS_ENDPOINT_URL_KMS`), else where everything is, else in the region.
pub(super) fn endpoint(clients: &Clients, variable: &str, host: &str) -> String {
    let named = std::env::var(format!("AWS_ENDPOINT_URL_{variable}")).ok().filter(|url| !url.is_empty());
    let given = named.or_else(|| clients.config().endpoint_url().map(str::to_owned));
    given.unwrap_or_else(|| in_region(host, clients.region()))
}

fn in_region(host: &str, region: &str) -> String {
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("https://{host}.{region}.{suffix}")
}

/// Judges by status and code whether to send again: the SDK's own judges of these are for generated requests.
#[derive(Debug)]
struct Busy;

impl ClassifyRetry for Busy {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(Err(error)) = context.output_or_error() else { return RetryAction::NoActionIndicated };
        let error = error.as_operation_error().and_then(|error| error.downcast_ref::<ErrorMetadata>());
        let code = error.and_then(ErrorMetadata::code).unwrap_or_default();
        let status = context.response().map(|response| response.status().as_u16()).unwrap_or_default();
        let is_busy = code.contains("Throttl") || code == "ProvisionedThroughputExceededException";
        if is_busy || code == "TooManyRequestsException" || status == 429 {
            RetryAction::throttling_error()
        } else if matches!(status, 500 | 502 | 503 | 504) {
            RetryAction::server_error()
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "plumb-busy"
    }
}

fn is_loopback(url: &str) -> bool {
    let host = url.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
    host.and_then(loopback).is_some()
}

fn loopback(host: &str) -> Option<SocketAddr> {
    let (name, port) = host.rsplit_once(':')?;
    let name = if name == "localhost" { "127.0.0.1" } else { name };
    let address: IpAddr = name.trim_matches(['[', ']']).parse().ok()?;
    address.is_loopback().then_some(SocketAddr::new(address, port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_region_has_its_host() {
        assert_eq!(in_region("kms", "eu-central-1"), "https://kms.eu-central-1.amazonaws.com");
        assert_eq!(in_region("logs", "cn-north-1"), "https://logs.cn-north-1.amazonaws.com.cn");
    }

    #[test]
    fn only_loopback_addresses_are_local() {
        for url in ["http://127.0.0.1:4566", "http://localhost:4566/", "http://[::1]:4566"] {
            assert!(is_loopback(url), "{url}");
        }
        for url in ["http://10.0.0.1:4566", "https://dynamodb.eu-central-1.amazonaws.com", "http://127.0.0.1"] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
