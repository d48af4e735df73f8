//! The real bootstrap against a runtime API of ours: what Lambda starts, answers.
//!
//! It is also what makes `cargo test --workspace` build the binary, which the demo's tests deploy.

#![allow(clippy::expect_used, reason = "outside of `#[test]` functions clippy does not see that this is a test")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// An encrypt whose body is no JSON needs no key, so nothing but the runtime API is asked.
const EVENT: &str = r#"{"httpMethod": "POST", "path": "/v1/encrypt", "body": "no json"}"#;

/// The bootstrap, ended with the test.
struct Bootstrap(Child);

impl Drop for Bootstrap {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn bootstrap() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crypto"));
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// Reads one request: its first line and its body.
fn read(stream: &TcpStream) -> (String, String) {
    let mut lines = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0);
    lines.read_line(&mut first).expect("a request");
    loop {
        let mut header = String::new();
        lines.read_line(&mut header).expect("a header");
        let header = header.trim().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
    }
    let mut body = vec![0; length];
    lines.read_exact(&mut body).expect("a body");
    (first.trim().to_owned(), String::from_utf8(body).expect("text"))
}

/// Answers as Lambda's runtime API does: one event, then nothing more; sends what comes back.
fn serve(listener: &TcpListener, answers: &mpsc::Sender<(String, String)>) {
    let mut given = false;
    let mut waiting = Vec::new();
    for stream in listener.incoming() {
        let mut stream = stream.expect("a connection");
        let (first, body) = read(&stream);
        if first.starts_with("GET /2018-06-01/runtime/invocation/next ") {
            if given {
                // Lambda holds the call until there is another event.
                waiting.push(stream);
                continue;
            }
            given = true;
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: the-one\r\n\
                 lambda-runtime-deadline-ms: 9999999999999\r\n\
                 lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-central-1:000000000000:function:crypto\r\n\
                 content-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{EVENT}",
                EVENT.len()
            )
            .expect("the event is sent");
        } else {
            let ok = "HTTP/1.1 202 Accepted\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(ok.as_bytes()).expect("an answer is sent");
            if answers.send((first, body)).is_err() {
                return;
            }
        }
    }
}

#[test]
fn an_event_of_the_gateway_gets_its_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    let (sender, answers) = mpsc::channel();
    std::thread::spawn(move || serve(&listener, &sender));
    let mut command = bootstrap();
    command.envs([
        ("AWS_LAMBDA_RUNTIME_API", address.as_str()),
        ("AWS_LAMBDA_FUNCTION_NAME", "crypto"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", ""),
        ("AWS_LAMBDA_LOG_STREAM_NAME", ""),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "nobody"),
        ("AWS_SECRET_ACCESS_KEY", "nobody"),
        ("KEYRING_SECRET", "none/is/asked"),
    ]);
    let _running = Bootstrap(command.stderr(Stdio::null()).spawn().expect("the bootstrap starts"));
    let (route, body) = answers.recv_timeout(Duration::from_mins(1)).expect("an answer in time");
    assert!(route.starts_with("POST /2018-06-01/runtime/invocation/the-one/response "), "{route}");
    let answer: serde_json::Value = serde_json::from_str(&body).expect("an answer in JSON");
    assert_eq!(answer["statusCode"], 400, "{body}");
    let problem: serde_json::Value = serde_json::from_str(answer["body"].as_str().expect("a body")).expect("a problem");
    assert_eq!(problem["request_id"], "the-one");
}

#[test]
fn without_the_name_of_its_secret_it_says_so_and_ends() {
    let ended = bootstrap().output().expect("the bootstrap starts");
    assert!(!ended.status.success());
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains("KEYRING_SECRET is not set"), "{said}");
}
