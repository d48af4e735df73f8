//! The whole loop: a project as `plumb init` makes it, rolled out by its own workflow; somebody changes a function behind
//! git's back; the loop asks GitHub once; the workflow brings back what git says; and nothing that it does starts another.
//!
//! Nobody may put events in AWS's name, so what EventBridge would do is done here: each call that was made is written as
//! CloudTrail documents it, held against the patterns of the deployed rules by TestEventPattern, and handed to the function
//! where one of them lets it through. What a runner of GitHub's would do is done by `init::runner`.

use serde_json::{Map, Value, json};

use super::events::{self, By};
use super::patterns::{matching, patterns};
use super::{Loop, just_now};
use crate::init::Newcomer;
use crate::init::rolled_out::{cargo, expressions};
use crate::init::runner::{Runner, parsed};
use crate::support::account::Account;
use crate::support::proxy::Call;

#[tokio::test(flavor = "multi_thread")]
async fn a_change_behind_gits_back_is_undone_by_the_workflow_and_starts_nothing_further() {
    let account = Account::enforcing_iam();
    // The runner's calls are recorded on their way, since each of them is an event.
    let (behind, proxy) = account.behind_proxy();
    let project = format!("loop-{}", account.id);
    let mara = Newcomer::new(behind.env());
    let chosen = ["--yes", "--new-key", "--lambda", "--workflows", "--region", &account.region, "--name", &project];
    mara.plumb(&[&["init", "--endpoint-url", &behind.endpoint_url][..], &chosen].concat()).ended(0);
    let commit = mara.hands_on("Begin");
    let mut runner = runner(&mara, &commit);
    assert!(runner.runs("deploy.yml", "deploy", &commit), "{:#?}", runner.steps);

    let (stack, bucket) =
        (format!("{project}-crypto-dev"), format!("{project}-plumb-{}-{}", account.id, account.region));
    let own = Loop::nowhere(account).await;
    let own = own
        .begins(&[
            ("Mode", "heal"),
            ("Project", &project),
            ("Environment", "dev"),
            ("Stacks", &stack),
            ("ParameterPrefixes", &format!("/{project}/")),
            ("StateBucket", &bucket),
            ("GraceSeconds", "0"),
        ])
        .await;
    assert_eq!(own.decides(&events::tick()).await, "quiet", "live is what was rolled out");

    // By hand, and told as EventBridge would.
    let function = format!("{stack}-crypto");
    let client = own.changes_code_of(&function).await;
    client.update_function_configuration().function_name(&function).timeout(29).send().await.unwrap();
    mara.plumb(&["status", "--env", "dev", "--detect", "always", "--only", "stack,code"]).ended(1);
    let named = json!({"functionName": function});
    let code = just_now(events::call("lambda", "UpdateFunctionCode20150331v2", &named, By::User));
    let mut timeout = events::call("lambda", "UpdateFunctionConfiguration20150331v2", &named, By::User);
    timeout["detail"]["eventTime"] = code["detail"]["eventTime"].clone();
    assert_eq!(told(&own, &code).await.as_deref(), Some("redeploy"));
    assert_eq!(told(&own, &timeout).await.as_deref(), Some("covered"), "one redeploy is for all of a burst");
    let dispatches = own.github.dispatches();
    let expected = json!({
        "environment": "dev",
        "reason": format!("UpdateFunctionCode of function {function}"),
        "nonce": code["id"],
    });
    assert_eq!(dispatches, [expected]);

    // GitHub takes it, and its runner does what the workflow says.
    takes(&mara.read(".github/workflows/deploy.yml"), &dispatches[0]);
    let input = |name: &str| dispatches[0][name].as_str().unwrap().to_owned();
    runner.expressions.insert("matrix.environment", input("environment"));
    runner.expressions.insert(REASON, input("reason"));
    proxy.forget();
    assert!(runner.runs("deploy.yml", "deploy", &commit), "{:#?}", runner.steps);
    let deployed = runner.told("Deploy stacks and code");
    assert!(deployed.contains("Timeout") && deployed.contains("Code"), "{deployed}");
    mara.plumb(&["status", "--env", "dev", "--detect", "always"]).ended(0);

    // All of that is heard of, too.
    let key = own.account.access_key_id.clone();
    let steps: Vec<Value> =
        proxy.calls().iter().filter(|call| call.access_key_id.as_ref() == Some(&key)).map(written).collect();
    let mut heard = Vec::new();
    for event in &steps {
        let Some(decision) = told(&own, event).await else { continue };
        assert_eq!(decision, "ignored", "{event:#}");
        heard.push(event["detail"]["eventName"].as_str().unwrap().to_owned());
    }
    for name in ["UpdateFunctionCode20150331v2", "UpdateFunctionConfiguration20150331v2"] {
        assert!(heard.iter().any(|event| event == name), "{name}: {heard:?}");
    }
    // It found drift before it put that back, and none after.
    for (status, drifted, decision) in [("DRIFTED", 1, "waiting"), ("IN_SYNC", 0, "ignored")] {
        let mut event = events::drift(status, drifted);
        let id = event["detail"]["stack-id"].as_str().unwrap().replace(events::STACK, &stack);
        event["detail"]["stack-id"] = json!(id);
        event["time"] = json!(format!("{:.0}", jiff::Timestamp::now()));
        assert_eq!(own.decides(&event).await, decision, "{status}");
    }
    assert_eq!(own.decides(&events::tick()).await, "quiet", "what was found is gone when the schedule looks");
    assert_eq!(own.decides(&code).await, "covered", "EventBridge may deliver it again");
    assert_eq!(own.github.dispatches().len(), 1);
}

/// The expression of the workflow that says why.
const REASON: &str = "inputs.reason || github.event.client_payload.reason || github.event_name";

fn runner<'a>(mara: &'a Newcomer, commit: &str) -> Runner<'a> {
    let mut runner = Runner::new(mara, "runner");
    runner.tool("cargo", &cargo());
    runner.tool("cargo-lambda", "echo 'cargo-lambda 1.9.2'");
    runner.expressions.extend(expressions(commit));
    let key = std::fs::read_to_string(mara.path(".config/sops/age/keys.txt")).unwrap();
    runner.expressions.insert("secrets.SOPS_AGE_KEY", key);
    // As in `init::rolled_out`: one call makes the first key.
    runner.prepared =
        Some(("Smoke test", "until echo first | plumb crypto encrypt --env dev; do test $((++n)) -lt 50; done"));
    runner
}

/// What GitHub checks itself: it refuses inputs that a workflow does not name. And of this one the environment's input is
/// what it rolls out.
fn takes(workflow: &str, inputs: &Value) {
    let document = parsed(workflow);
    let named = document["on"]["workflow_dispatch"]["inputs"].as_object().unwrap();
    for name in inputs.as_object().unwrap().keys() {
        assert!(named.contains_key(name), "the workflow takes no {name}");
    }
    let matrix = document["jobs"]["deploy"]["strategy"]["matrix"]["environment"].as_str().unwrap();
    assert!(matrix.contains("inputs.environment && format('[{0}]', toJSON(inputs.environment))"), "{matrix}");
}

/// What the function decides about an event; `None`: EventBridge delivers it nowhere, since no rule lets it through.
async fn told(own: &Loop, event: &Value) -> Option<String> {
    let rules = matching(&own.account, &patterns(), event);
    if rules.is_empty() {
        return None;
    }
    Some(own.decides(event).await)
}

/// A call as CloudTrail writes it down, made by the role that deploys.
fn written(call: &Call) -> Value {
    let mut parameters = Map::new();
    // Of what was sent only names are taken, as CloudTrail shows them.
    for (name, value) in call.json().as_object().into_iter().flatten() {
        if ["Name", "Names", "SecretId", "TableName"].contains(&name.as_str()) {
            let first = name[..1].to_lowercase();
            parameters.insert(first + &name[1..], value.clone());
        }
    }
    if let Some(stack) = call.form("StackName") {
        parameters.insert("stackName".to_owned(), json!(stack));
    }
    if let Some((_, rest)) = call.target.split_once("/functions/") {
        let name = rest.split(['/', '?']).next().unwrap_or_default().replace("%3A", ":");
        parameters.insert("functionName".to_owned(), json!(name));
    }
    let version = match (call.service.as_str(), call.operation.as_str()) {
        ("lambda", "UpdateFunctionCode" | "UpdateFunctionConfiguration") => "20150331v2",
        ("lambda", _) => "20150331",
        _ => "",
    };
    let name = format!("{}{version}", call.operation);
    just_now(events::call(&call.service, &name, &Value::Object(parameters), By::Deployer))
}
