//! One request signed as AWS wants it: what a caller of an API behind API Gateway sends.

use std::time::SystemTime;

use aws_sdk_ssm::config::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;

use super::account::Account;
use super::http::{Reply, request};

/// Sends a request of `application/json`, signed by this account's credentials for `execute-api`.
pub fn call(account: &Account, method: &str, url: &str, body: &str) -> Reply {
    let credentials = Credentials::new(&account.access_key_id, &account.secret_access_key, None, None, "tests");
    send(account, credentials, "execute-api", (method, url), &[("content-type", "application/json")], body)
}

/// Asks for an operation of a JSON service for which no SDK is linked, as `DynamoDB_20120810.Scan` of `dynamodb`.
pub fn json(account: &Account, who: Credentials, service: &str, target: &str, body: &serde_json::Value) -> Reply {
    let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", target)];
    let url = format!("{}/", account.endpoint_url);
    send(account, who, service, ("POST", &url), &headers, &body.to_string())
}

fn send(
    account: &Account,
    who: Credentials,
    service: &str,
    (method, url): (&str, &str),
    more: &[(&str, &str)],
    body: &str,
) -> Reply {
    let (host, path) = place(url);
    let headers = [&[("host", host)], more].concat();
    let identity = who.into();
    let settings = SigningParams::builder()
        .identity(&identity)
        .region(&account.region)
        .name(service)
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .expect("every setting is given");
    let signable = SignableRequest::new(method, url, headers.into_iter(), SignableBody::Bytes(body.as_bytes()));
    let (signed, _) =
        sign(signable.expect("a request that can be signed"), &settings.into()).expect("it can be signed").into_parts();
    let added: Vec<(String, String)> =
        signed.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut headers = more.to_vec();
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
