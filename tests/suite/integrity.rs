//! The loop as it is deployed: `lambda/integrity.yaml` on a local account that enforces IAM, its function the real one, a
//! stack that it watches, and a GitHub on loopback.
//!
//! The function is invoked with the documented event of each call, as EventBridge would: nobody, here as on AWS, may put
//! events in the name of AWS's own sources. That the rules let these very events through is `patterns.rs`.

#[allow(dead_code, reason = "the functions' own tests use the rest")]
#[path = "../../lambda/tests/support/events.rs"]
mod events;
mod heal;
mod patterns;
mod role;
mod schedule;
mod walked;
mod whole;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use aws_config::SdkConfig;
use aws_sdk_cloudformation::types::{Capability, Parameter};
use serde_json::{Value, json};

use crate::cli::redeploy::github::{described, held};
use crate::crypto::http::{Request, Response, serve};
use crate::crypto::{bucket, settled, upload, zip_of};
use crate::support::account::Account;
use crate::support::sdk;
use crate::support::wait::{Watched, deadline};

/// The template as it is committed.
const TEMPLATE: &str = include_str!("../../lambda/integrity.yaml");

/// Made up when the tests run, so that no secret is committed.
fn token() -> &'static str {
    static TOKEN: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    TOKEN.get_or_init(|| format!("ghp_{:x}{:x}", std::process::id(), std::ptr::from_ref(&TOKEN) as usize))
}

/// What the loop watches: a function, its alias, a table, a parameter.
const WATCHED: &str = "
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Version: '2012-10-17', Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}]}
  Checkout:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: shop-prod-checkout
      Runtime: python3.12
      Handler: index.handler
      Timeout: 5
      Role: !GetAtt Role.Arn
      Code: {ZipFile: 'def handler(event, context): return 1'}
  Version:
    Type: AWS::Lambda::Version
    Properties: {FunctionName: !Ref Checkout}
  Live:
    Type: AWS::Lambda::Alias
    Properties: {FunctionName: !Ref Checkout, FunctionVersion: !GetAtt Version.Version, Name: live}
  Size:
    Type: AWS::SSM::Parameter
    Properties: {Name: /shop-prod/size, Type: String, Value: '20'}
";

/// GitHub, as far as a dispatch knows it.
struct GitHub {
    address: SocketAddr,
    asked: Arc<Watched<Vec<Request>>>,
    status: Arc<Mutex<u16>>,
    scopes: Arc<Mutex<&'static str>>,
}

impl GitHub {
    fn start() -> Self {
        let (asked, status) = (Arc::<Watched<Vec<Request>>>::default(), Arc::new(Mutex::new(204)));
        let scopes = Arc::new(Mutex::new("repo"));
        let (own, answer, of_the_token) = (Arc::clone(&asked), Arc::clone(&status), Arc::clone(&scopes));
        let address = serve(move |request| {
            if request.method == "GET" && *answer.lock().unwrap() == 204 {
                let body = looked_at(&request, &own.read()).to_string();
                let headers = vec![("x-oauth-scopes", of_the_token.lock().unwrap().to_string())];
                return Some(Response { status: 200, headers, body });
            }
            own.change(|asked| asked.push(request));
            let status = *answer.lock().unwrap();
            let body = if status == 204 { String::new() } else { json!({"message": "no"}).to_string() };
            Some(Response { status, headers: Vec::new(), body })
        });
        Self { address, asked, status, scopes }
    }

    fn answers(&self, status: u16) {
        *self.status.lock().unwrap() = status;
    }

    /// The inputs of each dispatch.
    fn dispatches(&self) -> Vec<Value> {
        let asked = self.asked.read();
        let inputs = asked.iter().map(|request| {
            assert_eq!(request.method, "POST");
            assert_eq!(request.path, "/api/v3/repos/shop/petshop/actions/workflows/deploy.yml/dispatches");
            assert_eq!(request.header("authorization"), Some(format!("Bearer {}", token()).as_str()));
            assert_eq!(request.header("accept"), Some("application/vnd.github+json"));
            assert_eq!(request.header("user-agent"), Some("mara"));
            let body = held(request);
            assert_eq!(body["ref"], "main");
            body["inputs"].clone()
        });
        inputs.collect()
    }

    /// Waits for so many dispatches.
    fn waits_for(&self, count: usize) {
        let there = self.asked.wait_for(deadline(), |asked| (asked.len() >= count).then_some(()));
        assert!(there.is_some(), "waited in vain for {count} dispatches: {:?}", self.dispatches());
    }

    fn redeploys(&self) -> usize {
        self.dispatches().iter().filter(|inputs| inputs.get("canary").is_none()).count()
    }
}

/// What GitHub answers to who only looks, in the forms of its own description: each dispatch became a run that went well.
fn looked_at(request: &Request, dispatches: &[Request]) -> Value {
    let url = "https://github.example/shop/petshop/actions";
    let run = |dispatch: &Request| {
        let body: Value = serde_json::from_str(&dispatch.body).unwrap();
        let title = format!("deploy {}", body["inputs"]["nonce"].as_str().unwrap_or_default());
        let now = format!("{:.0}", jiff::Timestamp::now());
        json!({"display_title": title, "html_url": format!("{url}/runs/1"), "status": "completed", "conclusion": "success",
               "created_at": now, "updated_at": now})
    };
    let path = request.path.split('?').next().unwrap();
    let mine = if path.ends_with("/runs") {
        let runs: Vec<Value> = dispatches.iter().rev().map(run).collect();
        json!({"total_count": runs.len(), "workflow_runs": runs})
    } else if path.ends_with("/deploy.yml") {
        json!({"name": "Deploy", "state": "active", "html_url": format!("{url}/workflows/deploy.yml")})
    } else {
        json!({"permissions": {"admin": false, "push": true, "pull": true}})
    };
    described(request, &mine)
}

/// A watched stack, the loop beside it, and whom it asks.
struct Loop {
    /// The loop's stack. When a function's configuration changes, the local account ends the environments of functions of
    /// that name in every account; so each has a name of its own.
    stack: String,
    account: Account,
    config: SdkConfig,
    github: GitHub,
    s3: aws_sdk_s3::Client,
}

impl Loop {
    /// Deploys both, with these parameters of the loop beside the usual ones.
    async fn deploy(more: &[(&str, &str)]) -> Self {
        let this = Self::nowhere(Account::enforcing_iam()).await;
        this.roll_out(events::STACK, WATCHED, &[]).await;
        this.begins(more).await
    }

    /// Its artifact and its GitHub, and nothing deployed yet.
    async fn nowhere(account: Account) -> Self {
        let config = sdk::config(&account, true).await;
        let s3 = upload(&account, &["integrity"]).await;
        let stack = format!("loop-{}", account.id);
        Self { stack, account, config, github: GitHub::start(), s3 }
    }

    /// Deploys the loop itself.
    async fn begins(self, more: &[(&str, &str)]) -> Self {
        let this = self;
        let state = bucket(&this.account);
        let usual = [
            ("ArtifactBucket", state.as_str()),
            ("IntegrityCodeKey", "integrity.zip"),
            ("Project", "shop"),
            ("Environment", "prod"),
            ("Stacks", events::STACK),
            ("ParameterPrefixes", "/shop/prod/"),
            ("Deployers", events::DEPLOYER),
            ("StateBucket", &state),
            ("EndpointUrl", &this.account.endpoint_url),
        ];
        let usual = usual.into_iter().filter(|(name, _)| more.iter().all(|(other, _)| other != name));
        this.roll_out(&this.stack, TEMPLATE, &usual.chain(more.iter().copied()).collect::<Vec<_>>()).await;
        let secret = json!({
            "github_token": token(),
            "github_endpoint": format!("http://{}/api/v3/repos/shop/petshop/contents/", this.github.address),
            "github_user": "mara",
        });
        if more.iter().all(|(name, _)| *name != "PipelineTopicArn") {
            let secrets = aws_sdk_secretsmanager::Client::new(&this.config);
            let put = secrets.put_secret_value().secret_id("github_secret").secret_string(secret.to_string());
            put.send().await.unwrap();
        }
        this.is_warm().await;
        this
    }

    async fn roll_out(&self, stack: &str, template: &str, parameters: &[(&str, &str)]) {
        let client = aws_sdk_cloudformation::Client::new(&self.config);
        let parameter =
            |(name, value): &(&str, &str)| Parameter::builder().parameter_key(*name).parameter_value(*value).build();
        let parameters = parameters.iter().map(parameter).collect();
        let request = client.create_stack().stack_name(stack).template_body(template).set_parameters(Some(parameters));
        request.capabilities(Capability::CapabilityIam).send().await.unwrap();
        settled(&client, stack).await;
    }

    /// On a busy machine the local account loses a call to a function that only just starts.
    async fn is_warm(&self) {
        for _ in 0..100 {
            if self.sends(&json!({})).await.is_ok() {
                return;
            }
        }
        panic!("the function does not answer");
    }

    /// Invokes the function with an event, as EventBridge would: its decision, or how it failed.
    async fn sends(&self, event: &Value) -> Result<Value, String> {
        let client = aws_sdk_lambda::Client::new(&self.config);
        let request = client.invoke().function_name(format!("{}-integrity", self.stack));
        let answer = request.payload(event.to_string().into_bytes().into()).send().await.unwrap();
        let text = answer.payload().map(|blob| String::from_utf8_lossy(blob.as_ref()).into_owned()).unwrap_or_default();
        match answer.function_error() {
            None => Ok(serde_json::from_str(&text).unwrap()),
            Some(_) => Err(text),
        }
    }

    async fn decides(&self, event: &Value) -> String {
        let answer = self.sends(event).await.unwrap();
        answer["decision"].as_str().unwrap().to_owned()
    }

    /// The next message of a queue.
    fn receives(&self, queue: &str) -> Value {
        let end = Instant::now() + deadline();
        while Instant::now() < end {
            let asked = json!({"QueueUrl": queue, "WaitTimeSeconds": 1});
            let reply = self.account.caller().json("sqs", "AmazonSQS.ReceiveMessage", &asked).unwrap();
            assert_eq!(reply.status, 200, "{reply:?}");
            if let Some(body) = reply.json()["Messages"][0]["Body"].as_str() {
                return serde_json::from_str(body).unwrap();
            }
        }
        panic!("nothing came to {queue}");
    }

    /// What the function has written.
    fn log(&self) -> String {
        let asked = json!({"logGroupName": format!("/aws/lambda/{}-integrity", self.stack)});
        let reply = self.account.caller().json("logs", "Logs_20140328.FilterLogEvents", &asked).unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
        let events = reply.json()["events"].as_array().cloned().unwrap_or_default();
        events.iter().filter_map(|event| event["message"].as_str()).collect::<Vec<_>>().join("\n")
    }

    /// Sends an event until something else than waiting is decided: what was done last has had its time then.
    async fn decides_at_last(&self, event: &Value) -> String {
        loop {
            let decision = self.decides(event).await;
            if decision != "waiting" {
                return decision;
            }
        }
    }

    /// Changes the function's code past git, through the API.
    async fn changes_code_by_hand(&self) {
        self.changes_code_of("shop-prod-checkout").await;
    }

    /// The same of any function; with a client of who did it.
    async fn changes_code_of(&self, function: &str) -> aws_sdk_lambda::Client {
        let both = json!(["lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration"]);
        let mara = self.account.user("mara", &[json!({"Effect": "Allow", "Action": both, "Resource": "*"})]);
        let client = aws_sdk_lambda::Client::new(&sdk::config(&mara, true).await);
        let zip = zip_of("index.py", b"def handler(event, context): return 2");
        client.update_function_code().function_name(function).zip_file(zip.into()).send().await.unwrap();
        client
    }
}

/// The documented event of a call that was made just now.
fn just_now(mut event: Value) -> Value {
    let now = jiff::Timestamp::now();
    event["detail"]["eventTime"] = json!(format!("{now:.0}"));
    event
}

/// The documented event of changing the function's code.
fn code(by: events::By) -> Value {
    events::call("lambda", "UpdateFunctionCode20150331v2", &json!({"functionName": "shop-prod-checkout"}), by)
}

fn parameter(name: &str) -> Value {
    events::call("ssm", "PutParameter", &json!({"name": name, "type": "String"}), events::By::User)
}
