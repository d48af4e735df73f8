//! Which operation of which service a request is, in each of the protocols that AWS speaks.

use hyper::http::request::Parts;

/// How a service's errors look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// `x-amz-target` and JSON: SSM, Secrets Manager, CloudTrail, KMS.
    Json,
    /// A form in, XML out: CloudFormation, STS, IAM.
    Query,
    /// Paths and JSON: Lambda.
    RestJson,
    /// Paths and XML: S3.
    RestXml,
}

/// What a request says about itself.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) protocol: Protocol,
    pub(super) service: String,
    pub(super) operation: String,
    pub(super) region: Option<String>,
    pub(super) access_key_id: Option<String>,
}

/// Reads the service from the signature's scope (`AKID/date/region/service/aws4_request`) and the operation from
/// wherever its protocol has it.
pub(super) fn identify(parts: &Parts, body: &[u8]) -> Identity {
    let scope = credential(parts);
    let mut scope = scope.as_deref().unwrap_or_default().split('/').map(str::to_owned);
    let (access_key_id, _date, region, service) = (scope.next(), scope.next(), scope.next(), scope.next());
    let access_key_id = access_key_id.filter(|key| !key.is_empty());
    let path = parts.uri.path();
    let (method, query) = (parts.method.as_str(), parts.uri.query().unwrap_or_default());

    let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let (protocol, guessed, operation) = if let Some((prefix, operation)) = target.and_then(|it| it.rsplit_once('.')) {
        (Protocol::Json, service_of_target(prefix), operation.to_owned())
    } else if let Some(action) = form_field(body, "Action").or_else(|| form_field(query.as_bytes(), "Action")) {
        (Protocol::Query, "", action)
    } else if service.as_deref() == Some("s3") {
        (Protocol::RestXml, "s3", s3_operation(parts, path, query))
    } else {
        let guessed = if path.starts_with("/20") { "lambda" } else { "" };
        (Protocol::RestJson, guessed, lambda_operation(method, path, query))
    };
    let service = service.filter(|name| !name.is_empty()).unwrap_or_else(|| guessed.to_owned());
    Identity { protocol, service, operation, region, access_key_id }
}

/// A field of a form or of a query string, decoded.
pub(super) fn form_field(form: &[u8], field: &str) -> Option<String> {
    let form = std::str::from_utf8(form).ok()?;
    form.split('&').filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == field).map(|(_, it)| decode(it))
}

/// The signature's scope: from the header, or from the query of a presigned URL.
fn credential(parts: &Parts) -> Option<String> {
    let header = parts.headers.get("authorization").and_then(|header| header.to_str().ok());
    if let Some((_, rest)) = header.and_then(|header| header.split_once("Credential=")) {
        return rest.split([',', ' ']).next().map(str::to_owned);
    }
    form_field(parts.uri.query().unwrap_or_default().as_bytes(), "X-Amz-Credential")
}

fn service_of_target(prefix: &str) -> &'static str {
    match prefix {
        "AmazonSSM" => "ssm",
        "secretsmanager" => "secretsmanager",
        "TrentService" => "kms",
        _ if prefix.ends_with("CloudTrail_20131101") => "cloudtrail",
        _ => "",
    }
}

/// A method, a path below the API's version with `*` for each name, a word of the query (or none), and the operation.
type Route = (&'static str, &'static str, &'static str, &'static str);

/// From the Lambda API reference; rows with a word of the query stand before those without.
const LAMBDA: [Route; 24] = [
    ("GET", "account-settings", "", "GetAccountSettings"),
    ("GET", "functions", "", "ListFunctions"),
    ("POST", "functions", "", "CreateFunction"),
    ("GET", "functions/*", "", "GetFunction"),
    ("DELETE", "functions/*", "", "DeleteFunction"),
    ("PUT", "functions/*/code", "", "UpdateFunctionCode"),
    ("GET", "functions/*/configuration", "", "GetFunctionConfiguration"),
    ("PUT", "functions/*/configuration", "", "UpdateFunctionConfiguration"),
    ("POST", "functions/*/invocations", "", "Invoke"),
    ("GET", "functions/*/versions", "", "ListVersionsByFunction"),
    ("POST", "functions/*/versions", "", "PublishVersion"),
    ("GET", "functions/*/aliases", "", "ListAliases"),
    ("POST", "functions/*/aliases", "", "CreateAlias"),
    ("GET", "functions/*/aliases/*", "", "GetAlias"),
    ("PUT", "functions/*/aliases/*", "", "UpdateAlias"),
    ("DELETE", "functions/*/aliases/*", "", "DeleteAlias"),
    ("GET", "functions/*/concurrency", "", "GetFunctionConcurrency"),
    ("PUT", "functions/*/concurrency", "", "PutFunctionConcurrency"),
    ("DELETE", "functions/*/concurrency", "", "DeleteFunctionConcurrency"),
    ("GET", "functions/*/policy", "", "GetPolicy"),
    ("GET", "functions/*/url", "", "GetFunctionUrlConfig"),
    ("GET", "event-source-mappings", "", "ListEventSourceMappings"),
    ("GET", "layers/*/versions/*", "", "GetLayerVersion"),
    ("GET", "tags/*", "", "ListTags"),
];

/// From the S3 API reference; the path is the bucket and `*` for the key.
const S3: [Route; 29] = [
    ("GET", "", "", "ListBuckets"),
    ("GET", "*", "location", "GetBucketLocation"),
    ("GET", "*", "versioning", "GetBucketVersioning"),
    ("PUT", "*", "versioning", "PutBucketVersioning"),
    ("GET", "*", "versions", "ListObjectVersions"),
    ("GET", "*", "uploads", "ListMultipartUploads"),
    ("GET", "*", "encryption", "GetBucketEncryption"),
    ("PUT", "*", "encryption", "PutBucketEncryption"),
    ("GET", "*", "policy", "GetBucketPolicy"),
    ("PUT", "*", "policy", "PutBucketPolicy"),
    ("GET", "*", "tagging", "GetBucketTagging"),
    ("GET", "*", "list-type", "ListObjectsV2"),
    ("POST", "*", "delete", "DeleteObjects"),
    ("PUT", "*", "", "CreateBucket"),
    ("HEAD", "*", "", "HeadBucket"),
    ("DELETE", "*", "", "DeleteBucket"),
    ("GET", "*", "", "ListObjects"),
    ("GET", "*/*", "tagging", "GetObjectTagging"),
    ("PUT", "*/*", "tagging", "PutObjectTagging"),
    ("GET", "*/*", "attributes", "GetObjectAttributes"),
    ("POST", "*/*", "uploads", "CreateMultipartUpload"),
    ("POST", "*/*", "uploadId", "CompleteMultipartUpload"),
    ("DELETE", "*/*", "uploadId", "AbortMultipartUpload"),
    ("PUT", "*/*", "partNumber", "UploadPart"),
    ("GET", "*/*", "uploadId", "ListParts"),
    ("GET", "*/*", "", "GetObject"),
    ("PUT", "*/*", "", "PutObject"),
    ("HEAD", "*/*", "", "HeadObject"),
    ("DELETE", "*/*", "", "DeleteObject"),
];

fn lambda_operation(method: &str, path: &str, query: &str) -> String {
    let path = path.trim_matches('/');
    let below = path.split_once('/').map_or("", |(_version, rest)| rest);
    let segments: Vec<_> = below.split('/').collect();
    find(&LAMBDA, method, &segments, query).unwrap_or_else(|| format!("{method} /{path}"))
}

fn s3_operation(parts: &Parts, path: &str, query: &str) -> String {
    let method = parts.method.as_str();
    let path = path.trim_start_matches('/');
    let segments: Vec<_> = match path.split_once('/') {
        Some((bucket, "")) => vec![bucket],
        Some((bucket, key)) => vec![bucket, key],
        None => vec![path],
    };
    let operation = find(&S3, method, &segments, query).unwrap_or_else(|| format!("{method} /{path}"));
    match operation.as_str() {
        "PutObject" if parts.headers.contains_key("x-amz-copy-source") => "CopyObject".to_owned(),
        _ => operation,
    }
}

fn find(routes: &[Route], method: &str, segments: &[&str], query: &str) -> Option<String> {
    let words: Vec<_> = query.split('&').map(|pair| pair.split('=').next().unwrap_or_default()).collect();
    let fits = |(verb, path, word, _): &&Route| {
        let pattern: Vec<_> = path.split('/').collect();
        *verb == method
            && pattern.len() == segments.len()
            && pattern.iter().zip(segments).all(|(want, got)| (*want == "*" && !got.is_empty()) || want == got)
            && (word.is_empty() || words.contains(word))
    };
    routes.iter().find(fits).map(|route| route.3.to_owned())
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = tail.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        if let Some(byte) = escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(if *first == b'+' { b' ' } else { *first });
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(method: &str, target: &str, service: &str, headers: &[(&str, &str)]) -> Parts {
        let scope =
            format!("AWS4-HMAC-SHA256 Credential=111122223333/20261121/eu-central-1/{service}/aws4_request, Sig");
        let mut request = hyper::Request::builder().method(method).uri(target).header("authorization", scope);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn every_protocol_names_its_operation() {
        let ssm = [("x-amz-target", "AmazonSSM.GetParameters")];
        let trail = [("x-amz-target", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents")];
        let copy = [("x-amz-copy-source", "a/b")];
        let rows: [(_, _, _, &[(&str, &str)], _, _); 11] = [
            ("POST", "/", "ssm", &ssm, "{}", "GetParameters"),
            ("POST", "/", "cloudtrail", &trail, "{}", "LookupEvents"),
            ("POST", "/", "cloudformation", &[], "Action=DescribeStacks&StackName=a", "DescribeStacks"),
            ("GET", "/2015-03-31/functions/checkout", "lambda", &[], "", "GetFunction"),
            ("GET", "/2015-03-31/functions/checkout/aliases/live?x=1", "lambda", &[], "", "GetAlias"),
            ("GET", "/bucket?list-type=2&prefix=a", "s3", &[], "", "ListObjectsV2"),
            ("GET", "/bucket/a/deep/key?x-id=GetObject", "s3", &[], "", "GetObject"),
            ("PUT", "/bucket/", "s3", &[], "", "CreateBucket"),
            ("PUT", "/bucket/key", "s3", &copy, "", "CopyObject"),
            ("GET", "/", "s3", &[], "", "ListBuckets"),
            ("GET", "/2015-03-31/nothing/known", "lambda", &[], "", "GET /2015-03-31/nothing/known"),
        ];
        for (method, target, service, headers, body, operation) in rows {
            let identity = identify(&parts(method, target, service, headers), body.as_bytes());
            assert_eq!((identity.service.as_str(), identity.operation.as_str()), (service, operation));
            assert_eq!(identity.access_key_id.as_deref(), Some("111122223333"));
            assert_eq!(identity.region.as_deref(), Some("eu-central-1"));
        }
    }

    #[test]
    fn a_form_is_decoded() {
        assert_eq!(form_field(b"a=1&Name=x%2Fy+%C3%A9", "Name").as_deref(), Some("x/y é"));
        assert_eq!(form_field(b"Name=100%", "Name").as_deref(), Some("100%"));
    }
}
