//! One request signed as AWS wants it: what a caller of an API behind API Gateway sends, and anyone who has a key.

use std::time::SystemTime;

use aws_sdk_ssm::config::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;

use super::account::Account;
use super::http::{Reply, form, request};

/// Sends a request of `application/json`, signed by this account's credentials for `execute-api`.
pub fn call(account: &Account, method: &str, url: &str, body: &str) -> Reply {
    send(account, "execute-api", method, url, &[("content-type", "application/json")], body)
}

/// An operation of a JSON service, such as `CodeBuild_20161006.StartBuild` of `codebuild`, in this account's name.
pub fn json(account: &Account, service: &str, target: &str, body: &serde_json::Value) -> Reply {
    let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target)];
    send(account, service, "POST", &format!("{}/", account.endpoint_url), &headers, &body.to_string())
}

/// An operation of the query protocol, such as `Publish` of `sns`, in this account's name.
pub fn query(account: &Account, service: &str, action: &str, fields: &[(&str, &str)]) -> Reply {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    send(account, service, "POST", &format!("{}/", account.endpoint_url), &headers, &form(action, fields))
}

fn send(
    account: &Account,
    service: &str,
    method: &str,
    url: &str,
    headers: &[(&'static str, &str)],
    body: &str,
) -> Reply {
    let (host, path) = place(url);
    let credentials = Credentials::new(&account.access_key_id, &account.secret_access_key, None, None, "tests");
    let identity = credentials.into();
    let settings = SigningParams::builder()
        .identity(&identity)
        .region(&account.region)
        .name(service)
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .expect("every setting is given");
    let signed_headers = [("host", host)].into_iter().chain(headers.iter().copied());
    let signable = SignableRequest::new(method, url, signed_headers, SignableBody::Bytes(body.as_bytes()));
    let (signed, _) =
        sign(signable.expect("a request that can be signed"), &settings.into()).expect("it can be signed").into_parts();
    let added: Vec<(String, String)> =
        signed.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut headers = headers.to_vec();
    headers.extend(added.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    request(&format!("http://{host}"), method, path, &headers, body.as_bytes()).expect("an answer")
}

/// Sends the same without a signature.
pub fn call_unsigned(method: &str, url: &str, body: &str) -> Reply {
    let (host, path) = place(url);
    let headers = [("content-type", "application/json")];
    request(&format!("http://{host}"), method, path, &headers, body.as_bytes()).expect("an answer")
}

fn place(url: &str) -> (&str, &str) {
    let rest = url.strip_prefix("http://").expect("plain http to loopback");
    rest.split_at(rest.find('/').unwrap_or(rest.len()))
}
