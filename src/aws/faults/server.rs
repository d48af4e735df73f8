//! A loopback server that answers as it is told, one request a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

#[derive(Clone, Debug)]
pub(super) enum Step {
    Reply {
        status: u16,
        headers: Vec<(String, String)>,
        body: String,
    },
    /// Announces more than it sends.
    Cut {
        headers: Vec<(String, String)>,
        body: String,
    },
    /// Closes without an answer.
    Reset,
    /// Reads the request and never answers.
    Hang,
}

impl Step {
    pub(super) fn reply(status: u16, content_type: &str, body: &str) -> Self {
        Self::Reply { status, headers: vec![("content-type".into(), content_type.into())], body: body.into() }
    }

    pub(super) fn cut(body: &str) -> Self {
        Self::Cut { headers: Vec::new(), body: body.into() }
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        if let Self::Reply { headers, .. } | Self::Cut { headers, .. } = &mut self {
            headers.push((name.into(), value.into()));
        }
        self
    }
}

pub(super) struct Request {
    pub(super) target: String,
    pub(super) body: String,
    /// Counts from 0.
    nth: u64,
}

#[derive(Default)]
struct Counts {
    requests: AtomicU64,
    now: AtomicU64,
    most: AtomicU64,
}

pub(super) struct Server {
    pub(super) url: String,
    counts: Arc<Counts>,
    task: JoinHandle<()>,
}

impl Server {
    /// Answers the first request with the first step and so on; the last step again and again.
    pub(super) async fn scripted(steps: Vec<Step>) -> Self {
        Self::answering(move |request| {
            let nth = usize::try_from(request.nth).unwrap().min(steps.len() - 1);
            steps[nth].clone()
        })
        .await
    }

    pub(super) async fn answering(answer: impl Fn(&Request) -> Step + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let counts = Arc::new(Counts::default());
        let (answer, shared) = (Arc::new(answer), Arc::clone(&counts));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, counts) = (Arc::clone(&answer), Arc::clone(&shared));
                tokio::spawn(async move { serve(stream, &*answer, &counts).await });
            }
        });
        Self { url, counts, task }
    }

    pub(super) fn requests(&self) -> u64 {
        self.counts.requests.load(Ordering::SeqCst)
    }

    pub(super) fn most_at_once(&self) -> u64 {
        self.counts.most.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, answer: &(dyn Fn(&Request) -> Step + Send + Sync), counts: &Counts) {
    let Some(mut request) = read(&mut stream).await else { return };
    request.nth = counts.requests.fetch_add(1, Ordering::SeqCst);
    let now = counts.now.fetch_add(1, Ordering::SeqCst) + 1;
    counts.most.fetch_max(now, Ordering::SeqCst);
    // Lets the others arrive that would arrive now.
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    let (status, headers, body, more) = match answer(&request) {
        Step::Reply { status, headers, body } => (status, headers, body, 0),
        Step::Cut { headers, body } => (200, headers, body, 1000),
        Step::Reset => return,
        Step::Hang => std::future::pending().await,
    };
    let mut text =
        format!("HTTP/1.1 {status} As told\r\nconnection: close\r\ncontent-length: {}\r\n", body.len() + more);
    for (name, value) in headers {
        text.extend([name.as_str(), ": ", value.as_str(), "\r\n"]);
    }
    counts.now.fetch_sub(1, Ordering::SeqCst);
    // The client may have gone.
    let _ = stream.write_all(format!("{text}\r\n{body}").as_bytes()).await;
    let _ = stream.shutdown().await;
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    loop {
        let mut some = [0; 8192];
        let count = stream.read(&mut some).await.ok()?;
        if count == 0 {
            return None;
        }
        bytes.extend_from_slice(&some[..count]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let header = |wanted: &str| {
            let lines = head.lines().filter_map(|line| line.split_once(": "));
            lines.filter(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.to_owned()).next()
        };
        let length: usize = header("content-length").map_or(0, |length| length.parse().unwrap());
        if body.len() >= length {
            return Some(Request { target: header("x-amz-target").unwrap_or_default(), body: body.to_owned(), nth: 0 });
        }
    }
}
