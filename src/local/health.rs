//! Two requests to the emulator's own endpoints, too plain for an HTTP client.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Error;

/// Longer than a busy emulator takes to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Its health answer has about 5 kB; more than this is another server's.
const LIMIT: u64 = 256 * 1024;

/// How the emulator is told, and tells, which one it is: by the `edition` of its health answer.
pub(super) fn edition(id: &str) -> String {
    format!("plumb-{id}")
}

/// Whether the emulator with this id answers on the port.
pub(super) async fn answers(port: u16, id: &str) -> bool {
    let answer = request(port, "GET", "/_ministack/health").await;
    answer.is_ok_and(|text| text.starts_with("HTTP/1.1 200") && text.contains(&edition(id)))
}

/// Empties the emulator.
pub(super) async fn reset(port: u16) -> Result<(), Error> {
    match request(port, "POST", "/_ministack/reset").await {
        Ok(text) if text.starts_with("HTTP/1.1 200") => Ok(()),
        Ok(text) => Err(Error::Reset { port, reason: text.lines().next().unwrap_or("an empty answer").to_owned() }),
        Err(error) => Err(Error::Reset { port, reason: error.to_string() }),
    }
}

async fn request(port: u16, method: &str, path: &str) -> std::io::Result<String> {
    let exchange = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.take(LIMIT).read_to_end(&mut answer).await?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    timeout(PATIENCE, exchange).await.map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))?
}
