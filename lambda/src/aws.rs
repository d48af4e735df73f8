//! As much of AWS as the functions beside `crypto` and the worker ask for, signed and sent without an SDK crate per service: of
//! each service a call or two.
//!
//! Answers are text; who asks knows what is in it.

use std::time::SystemTime;

use aws_sdk_secretsmanager::config::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4::SigningParams;
use aws_smithy_runtime_api::client::identity::Identity;
use lambda_runtime::Error as Unset;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::http::{Http, Reply, Request};
use crate::runtime::variable;

/// Why AWS did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{action}: {why}")]
pub(crate) struct Error {
    /// As IAM names it: `dynamodb:GetItem`.
    action: String,
    /// AWS's error code; empty where there was no answer.
    pub(crate) code: String,
    why: String,
}

impl Error {
    /// Whether AWS's message has these words: some errors share a code.
    pub(crate) fn says(&self, words: &str) -> bool {
        self.why.contains(words)
    }
}

/// AWS, with the function's own credentials.
#[derive(Debug, Clone)]
pub(crate) struct Aws {
    http: Http,
    identity: Identity,
    region: String,
    /// Of a local account: one for every service.
    endpoint: Option<String>,
    fips: bool,
}

impl Aws {
    /// Region, credentials and endpoint are what Lambda hands to every function.
    pub(crate) fn from_environment(http: Http) -> Result<Self, Unset> {
        let (key, secret) = (variable("AWS_ACCESS_KEY_ID")?, variable("AWS_SECRET_ACCESS_KEY")?);
        let credentials = Credentials::new(key, secret, variable("AWS_SESSION_TOKEN").ok(), None, "lambda");
        let endpoint = variable("AWS_ENDPOINT_URL").ok();
        let fips = variable("AWS_USE_FIPS_ENDPOINT").is_ok_and(|value| value == "true");
        Ok(Self::new(http, credentials, variable("AWS_REGION")?, endpoint, fips))
    }

    /// In somebody's name; `endpoint` is a local account's.
    pub(crate) fn new(
        http: Http,
        credentials: Credentials,
        region: String,
        endpoint: Option<String>,
        fips: bool,
    ) -> Self {
        let endpoint = endpoint.map(|url| url.trim_end_matches('/').to_owned());
        Self { http, identity: credentials.into(), region, endpoint, fips }
    }

    /// A secret's text, by its name or ARN; none of one that holds bytes.
    pub(crate) async fn secret(&self, id: &str) -> Result<Option<Zeroizing<String>>, Error> {
        let answer = self.json("secretsmanager", "secretsmanager.GetSecretValue", &json!({"SecretId": id})).await?;
        // Unread until here: an error of the reader would quote it.
        let text = serde_json::from_str::<Answer<'_>>(&answer).ok().and_then(|answer| answer.text);
        Ok(text.map(|text| Zeroizing::new(text.into_owned())))
    }

    /// An operation of a service that speaks JSON: `dynamodb`, `DynamoDB_20120810.GetItem`.
    pub(crate) async fn json(&self, service: &str, target: &str, body: &Value) -> Result<Zeroizing<String>, Error> {
        let action = format!("{service}:{}", target.rsplit('.').next().unwrap_or(target));
        let kind = if service == "dynamodb" { "application/x-amz-json-1.0" } else { "application/x-amz-json-1.1" };
        let headers = [("content-type", kind), ("x-amz-target", target)];
        let body = Zeroizing::new(body.to_string());
        Ok(self.ask(service, &action, "POST", "/", &headers, body.as_bytes()).await?.body)
    }

    /// The same, read: an answer that is no JSON is none, and is taken for nothing that it might say.
    pub(crate) async fn value(&self, service: &str, target: &str, body: &Value) -> Result<Value, Error> {
        let answer = self.json(service, target, body).await?;
        serde_json::from_str(&answer).map_err(|_| unreadable(service, target))
    }

    /// An operation of a service that takes forms and answers in XML.
    pub(crate) async fn query(
        &self,
        service: &str,
        version: &str,
        action: &str,
        fields: &[(&str, &str)],
    ) -> Result<Zeroizing<String>, Error> {
        let fields = fields.iter().map(|(name, value)| format!("&{name}={}", encoded(value)));
        let body = format!("Action={action}&Version={version}{}", fields.collect::<String>());
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        Ok(self.ask(service, &format!("{service}:{action}"), "POST", "/", &headers, body.as_bytes()).await?.body)
    }

    /// What lies at a path of a service. The path is encoded already.
    pub(crate) async fn get(&self, service: &str, action: &str, path: &str) -> Result<Zeroizing<String>, Error> {
        Ok(self.ask(service, &format!("{service}:{action}"), "GET", path, &[], b"").await?.body)
    }

    /// Any request that must be granted; `action` is how IAM names it. The path is encoded already.
    pub(crate) async fn ask(
        &self,
        service: &str,
        action: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Reply, Error> {
        let reply = self.exchange(service, action, method, path, headers, body).await?;
        if reply.is_success() { Ok(reply) } else { Err(refused(action, &reply)) }
    }

    /// The same for who wants the answer whatever it says; only none at all is an error.
    pub(crate) async fn exchange(
        &self,
        service: &str,
        action: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Reply, Error> {
        let failed = |why: String| Error { action: action.to_owned(), code: String::new(), why };
        let endpoint = self.endpoint(service);
        let host = endpoint.split_once("://").map(|(_, host)| host.to_owned());
        let host = host.ok_or_else(|| failed(format!("{endpoint} is no endpoint")))?;
        let mut all = vec![("host".to_owned(), host)];
        all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let url = format!("{endpoint}{path}");
        let request = Request { method, url: &url, headers: &all, body, repeats: true };
        self.http.send(request, || self.signature(service, &request)).await.map_err(|lost| failed(lost.why))
    }

    fn endpoint(&self, service: &str) -> String {
        if let Some(endpoint) = &self.endpoint {
            return endpoint.clone();
        }
        let fips = if self.fips { "-fips" } else { "" };
        let suffix = if self.region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        format!("https://{service}{fips}.{}.{suffix}", self.region)
    }

    /// The headers that make it a request of this function (Signature Version 4).
    fn signature(&self, service: &str, request: &Request<'_>) -> Result<Vec<(String, String)>, String> {
        let unsigned = |error: &dyn std::fmt::Display| format!("it cannot be signed: {error}");
        let mut settings = SigningSettings::default();
        if service == "s3" {
            // S3's own rules: a path is signed as it is sent, and the body's digest is a header.
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        let params = SigningParams::builder()
            .identity(&self.identity)
            .region(&self.region)
            .name(service)
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .map_err(|error| unsigned(&error))?
            .into();
        let headers = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let body = SignableBody::Bytes(request.body);
        let signable = SignableRequest::new(request.method, request.url, headers, body);
        let made = sign(signable.map_err(|error| unsigned(&error))?, &params).map_err(|error| unsigned(&error))?;
        let (instructions, _) = made.into_parts();
        Ok(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

/// As much of the answer with a secret as counts.
#[derive(serde::Deserialize)]
struct Answer<'a> {
    #[serde(rename = "SecretString", borrow)]
    text: Option<std::borrow::Cow<'a, str>>,
}

/// AWS answered, and what it said cannot be read.
pub(crate) fn unreadable(service: &str, target: &str) -> Error {
    let action = format!("{service}:{}", target.rsplit('.').next().unwrap_or(target));
    Error { action, code: String::new(), why: "the answer cannot be read".to_owned() }
}

/// AWS's own code and message: in JSON, or in XML.
pub(crate) fn refused(action: &str, reply: &Reply) -> Error {
    let said: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    let json = |names: [&str; 2]| names.iter().find_map(|name| said.get(*name)?.as_str().map(str::to_owned));
    let xml = |name: &str| element(&reply.body, name);
    let code = json(["__type", "code"]).or_else(|| xml("Code")).unwrap_or_else(|| format!("HTTP {}", reply.status));
    let code = code.rsplit('#').next().unwrap_or(&code).split(':').next().unwrap_or_default().to_owned();
    let message = json(["message", "Message"]).or_else(|| xml("Message")).unwrap_or_default();
    Error { action: action.to_owned(), why: format!("{code}: {message:.300}"), code }
}

/// The text of the first element of this name.
pub(crate) fn element(xml: &str, name: &str) -> Option<String> {
    elements(xml, name).next()
}

/// The texts of the elements of this name, in their order. Enough XML for answers whose names say what they are.
pub(crate) fn elements<'a>(xml: &'a str, name: &str) -> impl Iterator<Item = String> + use<'a> {
    let (opening, closing) = (format!("<{name}>"), format!("</{name}>"));
    let mut rest = xml;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once(&opening)?;
        let (text, behind) = after.split_once(&closing)?;
        rest = behind;
        let plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'");
        Some(plain.replace("&apos;", "'").replace("&amp;", "&"))
    })
}

/// The members of an answer's list, each with the lists within it.
pub(crate) fn members(xml: &str) -> Vec<&str> {
    const TAGS: [&str; 2] = ["<member>", "</member>"];
    let (mut found, mut depth, mut at, mut start) = (Vec::new(), 0_usize, 0, 0);
    while let Some(rest) = xml.get(at..) {
        let next = TAGS.map(|tag| rest.find(tag).map(|place| (at + place, tag)));
        let Some((place, tag)) = next.into_iter().flatten().min() else { break };
        at = place + tag.len();
        if tag == TAGS[0] {
            depth += 1;
            start = if depth == 1 { at } else { start };
        } else {
            depth = depth.saturating_sub(1);
            found.extend(xml.get(start..place).filter(|_| depth == 0));
        }
    }
    found
}

/// Percent-encodes everything but what RFC 3986 leaves unreserved.
pub(crate) fn encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    text.bytes().map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_by_name_and_unescaped() {
        let xml = "<R><member><Id>a</Id><Kind>x</Kind></member><member><Id>b &amp;lt; &lt;c&gt;</Id></member></R>";
        assert_eq!(elements(xml, "Id").collect::<Vec<_>>(), ["a", "b &lt; <c>"]);
        assert_eq!(element(xml, "Kind").as_deref(), Some("x"));
        assert_eq!(element("<Id>half", "Id"), None);
    }

    #[test]
    fn a_list_within_a_member_is_the_members() {
        let xml = "<R><Drifts><member><Paths><member>/a</member><member>/b</member></Paths><Id>x</Id></member>\
                   <member><Id>y</Id></member></Drifts><NextToken>t</NextToken></R>";
        let expected = ["<Paths><member>/a</member><member>/b</member></Paths><Id>x</Id>", "<Id>y</Id>"];
        assert_eq!(members(xml), expected);
        assert_eq!(members("<R/>"), Vec::<&str>::new());
    }

    #[test]
    fn a_member_is_told_from_the_members_that_lie_in_it() {
        let inner = "<Id>b</Id><List><member><Id>c</Id></member><member/></List>";
        let xml = format!("<R><List><member><Id>a</Id></member><member>{inner}</member></List><Next/></R>");
        assert_eq!(members(&xml), ["<Id>a</Id>", inner]);
        assert_eq!(members("<R></R>"), Vec::<&str>::new());
    }

    #[test]
    fn what_a_form_could_mistake_is_encoded() {
        assert_eq!(encoded("a b&c=d/ü~"), "a%20b%26c%3Dd%2F%C3%BC~");
    }
}
