//! Plain HTTP/1.1, one request a connection: what the SDK would send, for tests of the harness and by-hand changes.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;

use super::wait::deadline;

/// An answer, whole.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; `Null` when it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.status, self.text())
    }
}

/// Who asks, of which service; enough for an account that does not enforce IAM and so checks no signature.
#[derive(Clone, Debug)]
pub struct Caller {
    pub endpoint_url: String,
    pub region: String,
    pub access_key_id: String,
}

impl Caller {
    /// An operation of a JSON service, such as `AmazonSSM.PutParameter` of `ssm`.
    pub fn json(&self, service: &str, target: &str, body: &serde_json::Value) -> Result<Reply, String> {
        let headers = [("x-amz-target", target), ("content-type", "application/x-amz-json-1.1")];
        self.send(service, "POST", "/", &headers, body.to_string().as_bytes())
    }

    /// An operation of the query protocol, such as `DescribeStacks` of `cloudformation`.
    pub fn query(&self, service: &str, action: &str, fields: &[(&str, &str)]) -> Result<Reply, String> {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.send(service, "POST", "/", &headers, form(action, fields).as_bytes())
    }

    /// Any request, with the caller's name on it.
    pub fn send(
        &self,
        service: &str,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Reply, String> {
        let Self { endpoint_url, region, access_key_id } = self;
        let scope = format!("{access_key_id}/20260101/{region}/{service}/aws4_request");
        let authorization = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00");
        let headers = [&[("authorization", authorization.as_str())], headers].concat();
        request(endpoint_url, method, target, &headers, body)
    }
}

/// The body of an operation of the query protocol.
pub(super) fn form(action: &str, fields: &[(&str, &str)]) -> String {
    let encoded = fields.iter().map(|(name, value)| format!("&{name}={}", encode(value)));
    format!("Action={action}{}", encoded.collect::<String>())
}

/// Percent-encodes everything but what RFC 3986 leaves unreserved.
fn encode(text: &str) -> String {
    let encoded = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    encoded.collect()
}

/// Sends one request to `http://host:port` and reads its answer; fails when that is not whole.
pub fn request(
    endpoint_url: &str,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Reply, String> {
    let host = endpoint_url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).map_err(|error| format!("cannot reach {host}: {error}"))?;
    stream.set_read_timeout(Some(deadline())).map_err(|error| error.to_string())?;
    let length = body.len();
    let mut head =
        format!("{method} {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n");
    for (name, value) in headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head.push_str("\r\n");
    let mut answer = Vec::new();
    stream.write_all(head.as_bytes()).map_err(|error| error.to_string())?;
    stream.write_all(body).map_err(|error| error.to_string())?;
    stream.read_to_end(&mut answer).map_err(|error| error.to_string())?;
    parse(&answer)
}

fn parse(answer: &[u8]) -> Result<Reply, String> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").ok_or("the answer has no end of headers")?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let status = status.ok_or("the answer has no status")?;
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut reply = Reply { status, headers, body: answer[end + 4..].to_vec() };
    if reply.header("transfer-encoding") == Some("chunked") {
        reply.body = unchunk(&reply.body).ok_or("the answer's last chunk is missing")?;
    }
    match reply.header("content-length").and_then(|length| length.parse::<usize>().ok()) {
        Some(length) if length != reply.body.len() => {
            Err(format!("{} of {length} bytes of the answer came", reply.body.len()))
        }
        _ => Ok(reply),
    }
}

fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|window| window == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?.trim(), 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(end + 2..end + 2 + size)?);
        rest = rest.get(end + 2 + size + 2..)?;
    }
}
