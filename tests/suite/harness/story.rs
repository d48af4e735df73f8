use serde_json::json;

use crate::support::account::Account;
use crate::support::proxy::Fault;
use crate::support::story::story;
use crate::support::terminal::Program;

fn put(account: &Account, value: &str) {
    let parameter = json!({ "Name": "/pool", "Value": value, "Type": "String", "Overwrite": true });
    assert_eq!(account.caller().json("ssm", "AmazonSSM.PutParameter", &parameter).unwrap().status, 200);
}

/// Reads the parameter at each line of input, the way any client of the account would.
const READER: &str = r#"
import json, os, sys, urllib.error, urllib.request
env = os.environ
scope = f"{env['AWS_ACCESS_KEY_ID']}/20260101/{env['AWS_REGION']}/ssm/aws4_request"
headers = {
    "authorization": f"AWS4-HMAC-SHA256 Credential={scope}",
    "x-amz-target": "AmazonSSM.GetParameter",
    "content-type": "application/x-amz-json-1.1",
}
def ask():
    request = urllib.request.Request(env["AWS_ENDPOINT_URL"], b'{"Name": "/pool"}', headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return "value " + json.load(answer)["Parameter"]["Value"]
    except urllib.error.HTTPError as error:
        return "failed " + json.load(error)["__type"]
print(ask(), flush=True)
for line in sys.stdin:
    if line == "q\n":
        sys.exit(3)
    print("\033[2J\033[H" + ask(), flush=True)
"#;

#[test]
fn a_story_is_played_over_an_account_and_its_proxy() {
    let playing = story("a value that changes is seen when asked for, and so is a refusal")
        .of_program(Program::new("python3").args(["-c", READER]).size(60, 5))
        .behind_proxy()
        .given(|account| put(account, "20"))
        .open([]);
    playing.sees("value 20").when(|account| put(account, "50")).press("r <Enter>").sees("value 50").loses("value 20");
    playing.proxy().on("ssm:GetParameter").times(1).reply(Fault::Throttling);
    playing.press("r <Enter>").sees("failed ThrottlingException").press("r <Enter>").sees("value 50");
    playing.never_showed("value 51").press("q <Enter>").ends_with(3);
    assert_eq!(playing.proxy().count("ssm:GetParameter"), 4);
}
