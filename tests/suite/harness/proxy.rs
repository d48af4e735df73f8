//! The proxy before an account of a few lines, that answers every request with a known body.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;

use crate::support::http::{Caller, Reply};
use crate::support::proxy::{Fault, Gate, Outcome, Proxy};

const BODY: &str = "{\"Parameters\":[],\"InvalidParameters\":[\"/a\"]}";

/// Answers 200 and [`BODY`] to everything, one request a connection, for as long as the test process lives.
fn account() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || {
                let mut reader = BufReader::new(stream);
                let mut length = 0;
                loop {
                    let mut line = String::new();
                    if reader.read_line(&mut line).unwrap() <= 2 {
                        break;
                    }
                    if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                }
                reader.read_exact(&mut vec![0; length]).unwrap();
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", BODY.len());
                reader.into_inner().write_all((head + BODY).as_bytes()).unwrap();
            });
        }
    });
    format!("http://{address}")
}

fn proxy() -> (Proxy, Caller) {
    let proxy = Proxy::start(&account());
    let caller = Caller {
        endpoint_url: proxy.endpoint_url(),
        region: "eu-central-1".to_owned(),
        access_key_id: "111122223333".to_owned(),
    };
    (proxy, caller)
}

fn get_parameters(caller: &Caller) -> Result<Reply, String> {
    caller.json("ssm", "AmazonSSM.GetParameters", &serde_json::json!({ "Names": ["/a"] }))
}

#[test]
fn what_no_rule_names_passes_and_is_written_down() {
    let (proxy, caller) = proxy();
    proxy.on("ssm:PutParameter").reply(Fault::ServerError);
    assert_eq!(get_parameters(&caller).unwrap().text(), BODY);
    caller.query("cloudformation", "DescribeStacks", &[]).unwrap();

    let calls = proxy.calls();
    let names: Vec<_> = calls.iter().map(|call| (call.name(), call.access_key_id.clone().unwrap())).collect();
    let key = "111122223333".to_owned();
    assert_eq!(
        names,
        [("ssm:GetParameters".to_owned(), key.clone()), ("cloudformation:DescribeStacks".to_owned(), key)]
    );
    assert_eq!(calls[0].outcome, Outcome::Forwarded { status: 200, bytes: BODY.len() });
    assert_eq!(calls[0].json()["Names"][0], "/a");
    assert_eq!((proxy.count("ssm:*"), proxy.count("ssm:Get*"), proxy.count("*"), proxy.count("s3")), (1, 1, 2, 0));
    assert!(!format!("{calls:?}").contains("/a"), "bodies are not printed");
    proxy.forget();
    assert_eq!(proxy.count("*"), 0);
}

type Ask = Box<dyn Fn(&Caller) -> Result<Reply, String>>;

#[test]
fn an_error_looks_as_its_protocol_writes_it() {
    let json =
        |target: &'static str| move |caller: &Caller| caller.json(service(target), target, &serde_json::json!({}));
    let query = |caller: &Caller| caller.query("cloudformation", "DescribeStacks", &[]);
    let lambda = |caller: &Caller| caller.send("lambda", "GET", "/2015-03-31/functions/checkout", &[], b"");
    let s3 = |caller: &Caller| caller.send("s3", "GET", "/bucket/key", &[], b"");
    let denied = || Fault::AccessDenied("a <b> is not authorized".to_owned());
    let rows: Vec<(Ask, Fault, u16, &str)> = vec![
        (Box::new(json("AmazonSSM.GetParameters")), Fault::Throttling, 400, "\"__type\":\"ThrottlingException\""),
        (Box::new(json("AmazonSSM.GetParameters")), Fault::ServerError, 500, "InternalServerError"),
        (Box::new(json("AmazonSSM.GetParameters")), Fault::ExpiredToken, 400, "ExpiredTokenException"),
        (Box::new(json("secretsmanager.ListSecrets")), denied(), 400, "\"message\":\"a <b> is not authorized\""),
        (Box::new(json("secretsmanager.ListSecrets")), Fault::ServerError, 500, "InternalServiceError"),
        (Box::new(query), Fault::Throttling, 400, "<Code>Throttling</Code><Message>Rate exceeded</Message>"),
        (Box::new(query), Fault::ExpiredToken, 403, "<Code>ExpiredToken</Code>"),
        (Box::new(query), denied(), 403, "<Message>a &lt;b&gt; is not authorized</Message>"),
        (Box::new(query), Fault::ServerError, 500, "<Type>Receiver</Type>"),
        (Box::new(lambda), Fault::Throttling, 429, "Rate exceeded"),
        (Box::new(lambda), denied(), 403, "a <b> is not authorized"),
        (Box::new(s3), Fault::Throttling, 503, "<Error><Code>SlowDown</Code>"),
        (Box::new(s3), denied(), 403, "<Error><Code>AccessDenied</Code>"),
        (Box::new(s3), Fault::Body(418, b"exactly this".to_vec()), 418, "exactly this"),
    ];
    for (ask, fault, status, body) in rows {
        let (proxy, caller) = proxy();
        proxy.on("*").reply(fault.clone());
        let reply = ask(&caller).unwrap();
        assert!(reply.status == status && reply.text().contains(body), "{fault:?}: {reply:?}");
        assert!(matches!(proxy.calls()[0].outcome, Outcome::Faulted { status: Some(noted), .. } if noted == status));
    }
    let (proxy, caller) = proxy();
    proxy.on("lambda:*").reply(Fault::Throttling);
    assert_eq!(lambda(&caller).unwrap().header("x-amzn-errortype"), Some("TooManyRequestsException"));
}

fn service(target: &str) -> &'static str {
    if target.starts_with("AmazonSSM") { "ssm" } else { "secretsmanager" }
}

#[test]
fn a_rule_counts_skips_and_chooses_by_the_body() {
    let (proxy, caller) = proxy();
    proxy.on("ssm:GetParameters").after(1).times(2).reply(Fault::Throttling);
    proxy.on("ssm:GetParameters").when(|call| call.json()["Names"][0] == "/b").reply(Fault::ServerError);
    let statuses: Vec<_> = (0..4).map(|_| get_parameters(&caller).unwrap().status).collect();
    assert_eq!(statuses, [200, 400, 400, 200]);
    let other = caller.json("ssm", "AmazonSSM.GetParameters", &serde_json::json!({ "Names": ["/b"] }));
    assert_eq!(other.unwrap().status, 500);
    proxy.heal();
    assert_eq!(get_parameters(&caller).unwrap().status, 200);
}

#[test]
fn a_reset_and_a_cut_body_are_no_answers() {
    let (proxy, caller) = proxy();
    proxy.on("ssm:GetParameters").times(1).reply(Fault::Reset);
    let torn = get_parameters(&caller).unwrap_err();
    assert!(torn.contains("reset by peer"), "{torn}");
    proxy.on("ssm:GetParameters").times(1).reply(Fault::TruncatedBody);
    let cut = get_parameters(&caller).unwrap_err();
    assert_eq!(cut, format!("{} of {} bytes of the answer came", BODY.len() / 2, BODY.len()));
    assert_eq!(get_parameters(&caller).unwrap().status, 200);
}

#[test]
fn a_gate_holds_a_call_until_it_is_opened() {
    let (proxy, caller) = proxy();
    let gate = Gate::new();
    proxy.on("ssm:*").reply(Fault::Delay(gate.clone()));
    let (done, result) = mpsc::channel();
    thread::spawn(move || done.send(get_parameters(&caller)));
    gate.reached();
    assert!(result.try_recv().is_err());
    assert_eq!(proxy.calls()[0].outcome, Outcome::Pending);
    gate.open();
    assert_eq!(result.recv().unwrap().unwrap().text(), BODY);
    assert_eq!(proxy.calls()[0].outcome, Outcome::Forwarded { status: 200, bytes: BODY.len() });
}

#[test]
fn a_call_that_hangs_is_abandoned_when_its_caller_leaves() {
    let (proxy, caller) = proxy();
    proxy.on("ssm:*").reply(Fault::Hang);
    let host = caller.endpoint_url.trim_start_matches("http://").to_owned();
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    stream
        .write_all(
            b"POST / HTTP/1.1\r\nhost: a\r\nx-amz-target: AmazonSSM.GetParameters\r\ncontent-length: 2\r\n\r\n{}",
        )
        .unwrap();
    proxy.wait_for("the call", |calls| calls.len() == 1);
    assert_eq!(proxy.calls()[0].outcome, Outcome::Pending);
    drop(stream);
    proxy.wait_for("its end", |calls| calls[0].outcome == Outcome::Abandoned);
}

#[test]
fn an_account_that_is_not_there_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let proxy = Proxy::start(&nobody);
    let (endpoint_url, region) = (proxy.endpoint_url(), String::new());
    let caller = Caller { endpoint_url, region, access_key_id: String::new() };
    assert_eq!(get_parameters(&caller).unwrap().status, 502);
    assert!(matches!(proxy.calls()[0].outcome, Outcome::Unreachable(_)));
}
