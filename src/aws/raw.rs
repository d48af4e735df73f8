//! One signed JSON request to a local account, for a service whose SDK would be too much for one call.
//!
//! Plain HTTP to a loopback address and nothing else: it has no TLS and no retries.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::sign::{Failure, Request, sign};
use super::{Clients, Error, ErrorKind};

const OPERATION: &str = "dynamodb:DeleteTable";
const TIMEOUT: Duration = Duration::from_secs(20);

/// Deletes a DynamoDB table of a local account.
pub async fn delete_table(clients: &Clients, table: &str) -> Result<(), Error> {
    let body = serde_json::json!({ "TableName": table }).to_string();
    let sent = tokio::time::timeout(TIMEOUT, post(clients, "dynamodb", "DynamoDB_20120810.DeleteTable", &body));
    let (status, answer) = match sent.await {
        Ok(Ok(answer)) => answer,
        Ok(Err((kind, message))) => return Err(Error::plain(OPERATION, table, kind, message)),
        Err(_) => return Err(Error::plain(OPERATION, table, ErrorKind::Timeout, "no answer in time".into())),
    };
    if status == 200 {
        return Ok(());
    }
    let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
    let text = |name: &str| answer.get(name).and_then(Value::as_str);
    let message = text("message").or_else(|| text("Message")).unwrap_or("no reason given").to_owned();
    let code = text("__type").map(|code| code.rsplit('#').next().unwrap_or(code).to_owned());
    let kind = code.as_deref().map_or(ErrorKind::Other, |code| super::error::kind_of_code(code, &message));
    Err(Error { operation: OPERATION, subject: table.into(), kind, code, message })
}

async fn post(clients: &Clients, service: &str, target: &str, body: &str) -> Result<(u16, String), Failure> {
    let other = |message: &str| (ErrorKind::Other, message.to_owned());
    let url = clients.config().endpoint_url().ok_or_else(|| other("only a local account is asked this way"))?;
    let host = url.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
    let host = host.ok_or_else(|| other("only plain http to a local account is spoken here"))?;
    let address = loopback(host).ok_or_else(|| other("only a loopback address and port is asked this way"))?;

    let headers = [("host", host), ("content-type", "application/x-amz-json-1.0"), ("x-amz-target", target)];
    let to_sign =
        Request { service, method: "POST", url: &format!("http://{host}/"), headers: &headers, body: body.as_bytes() };
    let signature = sign(clients, to_sign).await?;
    let mut request = format!("POST / HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in
        headers.into_iter().chain(signature.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    {
        for part in [name, ": ", value, "\r\n"] {
            request.push_str(part);
        }
    }
    request.push_str("\r\n");
    request.push_str(body);

    clients.count(OPERATION);
    let network = |error: std::io::Error| (ErrorKind::Network, error.to_string());
    let mut stream = TcpStream::connect(address).await.map_err(network)?;
    stream.write_all(request.as_bytes()).await.map_err(network)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.map_err(network)?;
    read(&String::from_utf8_lossy(&answer)).ok_or_else(|| (ErrorKind::Unreadable, "this is no answer of HTTP".into()))
}

fn loopback(host: &str) -> Option<SocketAddr> {
    let (name, port) = host.rsplit_once(':')?;
    let name = if name == "localhost" { "127.0.0.1" } else { name };
    let address: IpAddr = name.trim_matches(['[', ']']).parse().ok()?;
    address.is_loopback().then_some(SocketAddr::new(address, port.parse().ok()?))
}

/// Status and body. The connection is closed after the answer, so that the body ends where the stream does; chunks
/// would leave their sizes in it, which only an error's text could show.
fn read(answer: &str) -> Option<(u16, String)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split_whitespace().nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_are_asked() {
        for host in ["127.0.0.1:4566", "localhost:4566", "[::1]:4566"] {
            assert!(loopback(host).is_some(), "{host}");
        }
        for host in ["10.0.0.1:4566", "dynamodb.eu-central-1.amazonaws.com:80", "127.0.0.1"] {
            assert!(loopback(host).is_none(), "{host}");
        }
    }
}
