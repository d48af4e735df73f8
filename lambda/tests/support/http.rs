//! A server of plain HTTP/1.1 on loopback, a thread per connection: what stands in for the places that a function talks
//! to. Nagle's algorithm is off: with it every second small answer waits 40 ms for an acknowledgement.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

/// A request, whole.
#[derive(Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// As text, whatever it is.
    pub body: String,
    /// How long it is.
    pub length: usize,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// An answer; its length is added.
pub struct Response {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Response {
    #[allow(clippy::needless_pass_by_value, reason = "callers have just made it")]
    pub fn json(status: u16, body: impl ToString) -> Self {
        Self { status, headers: vec![("content-type", "application/json".to_owned())], body: body.to_string() }
    }
}

/// Serves until the process ends; an answer of `None` closes the connection without one.
pub fn serve(answer: impl Fn(Request) -> Option<Response> + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port of loopback");
    let address = listener.local_addr().expect("its address");
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let answer = Arc::clone(&answer);
            std::thread::spawn(move || converse(&stream, &*answer));
        }
    });
    address
}

fn converse(stream: &TcpStream, answer: &dyn Fn(Request) -> Option<Response>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut reader = BufReader::new(stream);
    loop {
        let response = answer(read(&mut reader)?)?;
        let mut head = format!("HTTP/1.1 {} Said\r\ncontent-length: {}\r\n", response.status, response.body.len());
        for (name, value) in &response.headers {
            head.extend([*name, ": ", value, "\r\n"]);
        }
        head.push_str("\r\n");
        let mut whole = head.into_bytes();
        whole.extend(response.body.as_bytes());
        (&mut &*stream).write_all(&whole).ok()?;
    }
}

fn read(reader: &mut BufReader<&TcpStream>) -> Option<Request> {
    let (request, body) = read_bytes(reader)?;
    Some(Request { body: String::from_utf8_lossy(&body).into_owned(), ..request })
}

/// A request without its body, and that as it came.
pub fn read_bytes(reader: &mut BufReader<&TcpStream>) -> Option<(Request, Vec<u8>)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let mut words = line.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut request = Request { method, path, headers, body: String::new(), length: 0 };
    let body = match request.header("content-length").map(str::parse) {
        Some(length) => exactly(reader, length.ok()?)?,
        None if request.header("transfer-encoding") == Some("chunked") => chunks(reader)?,
        None => Vec::new(),
    };
    request.length = body.len();
    Some((request, body))
}

fn exactly(reader: &mut BufReader<&TcpStream>, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

fn chunks(reader: &mut BufReader<&TcpStream>) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let length = usize::from_str_radix(line.trim(), 16).ok()?;
        body.extend(exactly(reader, length)?);
        let mut end = String::new();
        reader.read_line(&mut end).ok()?;
        if length == 0 {
            return Some(body);
        }
    }
}

/// What a function needs to find a stand-in for AWS, and what else it is told.
#[allow(dead_code, reason = "not everybody who shares this asks for it")]
pub fn environment(address: SocketAddr, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let endpoint = format!("http://{address}");
    let aws = [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "nobody"),
        ("AWS_SECRET_ACCESS_KEY", "nobody"),
    ];
    aws.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
