use std::io::{BufRead, BufReader, Cursor, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Instant;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::support::account::{Account, Options, start};
use crate::support::http::{Caller, Reply};
use crate::support::proxy::{Fault, Outcome};
use crate::support::wait::deadline;

const LOCATION: &str =
    "<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>";

#[test]
fn one_test_does_not_see_what_another_made() {
    let (mine, other) = (Account::fresh(), Account::fresh());
    assert_ne!(mine.id, other.id);
    let template = r#"{"Resources":{"Queue":{"Type":"AWS::SQS::Queue"}}}"#;
    let (mine, other) = (mine.caller(), other.caller());
    let created = [
        mine.json("ssm", "AmazonSSM.PutParameter", &json!({ "Name": "/a", "Value": "1", "Type": "String" })),
        mine.json("secretsmanager", "secretsmanager.CreateSecret", &json!({ "Name": "a", "SecretString": "1" })),
        mine.query("cloudformation", "CreateStack", &[("StackName", "a"), ("TemplateBody", template)]),
        create_function(&mine, "a", "#!/bin/sh\n"),
        mine.send("s3", "PUT", "/bucket-of-a", &[], LOCATION.as_bytes()),
    ];
    for reply in created {
        let reply = reply.unwrap();
        assert!(reply.status < 300, "{reply:?}");
    }
    let there = |caller: &Caller| {
        let ssm = caller.json("ssm", "AmazonSSM.DescribeParameters", &json!({})).unwrap();
        let secrets = caller.json("secretsmanager", "secretsmanager.ListSecrets", &json!({})).unwrap();
        let stacks = caller.query("cloudformation", "DescribeStacks", &[]).unwrap();
        let functions = caller.send("lambda", "GET", "/2015-03-31/functions", &[], b"").unwrap();
        let buckets = caller.send("s3", "GET", "/", &[], b"").unwrap();
        [
            ssm.json()["Parameters"].as_array().map_or(0, Vec::len),
            secrets.json()["SecretList"].as_array().map_or(0, Vec::len),
            stacks.text().matches("<StackName>").count(),
            functions.json()["Functions"].as_array().map_or(0, Vec::len),
            buckets.text().matches("<Bucket>").count(),
        ]
    };
    assert_eq!(there(&mine), [1; 5]);
    assert_eq!(there(&other), [0; 5], "ssm, secrets, stacks, functions, buckets");
}

#[test]
fn an_account_is_the_one_that_it_says() {
    let account = Account::fresh();
    let reply = account.caller().query("sts", "GetCallerIdentity", &[]).unwrap();
    assert!(reply.text().contains(&format!("<Account>{}</Account>", account.id)), "{reply:?}");
}

#[test]
fn an_account_that_enforces_iam_refuses_a_key_that_nobody_made() {
    let describe =
        |account: &Account| account.caller().json("ssm", "AmazonSSM.DescribeParameters", &json!({})).unwrap().status;
    let (enforcing, open) = (Account::enforcing_iam(), Account::fresh());
    assert_eq!([describe(&enforcing), describe(&open)], [200, 200]);
    let stranger = |account: &Account| account.with_key("AKIAIOSFODNN7EXAMPLE", "nothing");
    assert_eq!([describe(&stranger(&enforcing)), describe(&stranger(&open))], [400, 200]);
}

#[test]
fn the_way_to_an_account_can_be_broken_and_mended() {
    let (account, proxy) = Account::fresh().behind_proxy();
    let describe = || account.caller().json("ssm", "AmazonSSM.DescribeParameters", &json!({})).unwrap();
    proxy.on("ssm:*").times(1).reply(Fault::Throttling);
    assert_eq!([describe().status, describe().status], [400, 200]);
    assert!(matches!(proxy.calls()[1].outcome, Outcome::Forwarded { status: 200, .. }));
    assert_eq!(proxy.calls()[1].access_key_id.as_deref(), Some(account.id.as_str()));
}

#[test]
fn dropping_an_emulator_ends_all_that_it_started() {
    let emulator = start(Options::default());
    let account = emulator.account();
    let mark = mark(account.pid);
    run_function_for_ever(&account);
    drop(emulator);
    is_gone(&mark);
}

#[test]
fn an_emulator_ends_with_a_test_process_that_is_killed() {
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "harness::account::hold_an_emulator", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(holder.stdout.take().unwrap());
    let found = output.lines().map_while(Result::ok).find_map(|line| {
        let (_, rest) = line.split_once("emulator ")?;
        let (pid, endpoint_url) = rest.split_once(' ')?;
        Some((pid.parse::<u32>().unwrap(), endpoint_url.trim_start_matches("http://").to_owned()))
    });
    let (pid, host) = found.expect("the holder says where its emulator is");
    assert!(TcpStream::connect(&host).is_ok());
    let mark = mark(pid);
    kill_process(Pid::from_child(&holder), Signal::KILL).unwrap();
    holder.wait().unwrap();
    is_gone(&mark);
    assert!(TcpStream::connect(&host).is_err());
}

/// The other side of the test above: holds an emulator with a running function until it is killed.
#[test]
#[ignore = "run by an_emulator_ends_with_a_test_process_that_is_killed"]
fn hold_an_emulator() {
    let emulator = start(Options::default());
    let account = emulator.account();
    run_function_for_ever(&account);
    println!("emulator {} {}", account.pid, account.endpoint_url);
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

/// Leaves a function's process behind that would outlive the emulator.
fn run_function_for_ever(account: &Account) {
    let caller = account.caller();
    let started = create_function(&caller, "endless", "#!/bin/sh\nexec sleep 1000\n").unwrap();
    assert_eq!(started.status, 201, "{started:?}");
    let target = "/2015-03-31/functions/endless/invocations";
    let invoked = caller.send("lambda", "POST", target, &[("x-amz-invocation-type", "Event")], b"{}").unwrap();
    assert_eq!(invoked.status, 202, "{invoked:?}");
    let mark = mark(account.pid);
    until("the function runs", || marked(&mark).iter().any(|name| name == "sleep"));
}

fn create_function(caller: &Caller, name: &str, bootstrap: &str) -> Result<Reply, String> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("bootstrap", zip::write::SimpleFileOptions::default().unix_permissions(0o755)).unwrap();
    zip.write_all(bootstrap.as_bytes()).unwrap();
    let zip = zip.finish().unwrap().into_inner();
    let role = format!("arn:aws:iam::{}:role/a", caller.access_key_id);
    let function = json!({
        "FunctionName": name, "Runtime": "provided.al2023", "Handler": "bootstrap", "Role": role, "Timeout": 900,
        "Code": { "ZipFile": BASE64_STANDARD.encode(&zip) },
    });
    let headers = [("content-type", "application/json")];
    caller.send("lambda", "POST", "/2015-03-31/functions", &headers, function.to_string().as_bytes())
}

/// What an emulator's processes all carry in their environment.
fn mark(supervisor: u32) -> Vec<u8> {
    let environ = std::fs::read(format!("/proc/{supervisor}/environ")).unwrap();
    let mark = environ.split(|byte| *byte == 0).find(|variable| variable.starts_with(b"PLUMB_LOCAL_ID="));
    mark.expect("the supervisor has an id").to_vec()
}

/// The names of the processes that carry a mark.
fn marked(mark: &[u8]) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").unwrap().map_while(Result::ok);
    let found = entries.filter_map(|entry| {
        let environ = std::fs::read(entry.path().join("environ")).ok()?;
        let carries = environ.split(|byte| *byte == 0).any(|variable| variable == mark);
        carries.then(|| std::fs::read_to_string(entry.path().join("comm")).unwrap_or_default().trim().to_owned())
    });
    found.collect()
}

fn is_gone(mark: &[u8]) {
    until("everything of it is gone", || marked(mark).is_empty());
}

/// Processes that are not ours tell nobody of their changes, so this has to look again and again.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + deadline();
    while !holds() {
        assert!(Instant::now() < end, "waited in vain until {what}");
        std::thread::yield_now();
    }
}
