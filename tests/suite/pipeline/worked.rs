//! The end of the way: a CI user's message, the build that the function starts, and the worker as a process with exactly the
//! variables of that StartBuild, under the build's own role. What it runs is `plumb deploy` of a repository on a git server of
//! this machine, and what that deploys is in the local account.
//!
//! Of CodeBuild nothing is in it but the project's build specification, whose commands a shell runs here as a build would; its
//! `aws s3 cp` is answered by a script, since this machine may have no AWS CLI.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use aws_sdk_secretsmanager::config::Credentials;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Pipeline;
use super::git_server::{GitServer, Repository};
use super::started::variables;
use crate::crypto::binary;
use crate::crypto::roles::under;
use crate::support::account::Account;

const PROJECT: &str = r#"name = "shop"
[state]
bucket = "shop-state-{account}"
[[stacks]]
name = "shop-{env}"
template = "stack.yaml"
[environments.dev]
"#;
const TEMPLATE: &str = r"Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: { QueueName: shop-refunds }
";

/// What a build has around it.
struct Build<'a> {
    own: &'a Pipeline,
    directory: tempfile::TempDir,
    repository: Repository,
    token: String,
    role: Credentials,
}

/// The one policy with what deploy commands may do.
pub(super) fn deploy_policy(account: &Account, actions: &[&str]) -> String {
    let statement = json!({"Effect": "Allow", "Action": actions, "Resource": "*"});
    let document = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    let fields = [("PolicyName", "deploys"), ("PolicyDocument", document.as_str())];
    let reply = account.caller().query("iam", "CreatePolicy", &fields).unwrap();
    assert_eq!(reply.status, 200, "{reply:?}");
    format!("arn:aws:iam::{}:policy/deploys", account.id)
}

fn digest(path: &Path) -> String {
    Sha256::digest(std::fs::read(path).unwrap()).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

impl<'a> Build<'a> {
    /// A repository that opens to a token of the secret that the registry names, with a stack in it.
    async fn new(own: &'a Pipeline) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let git = GitServer::start(&directory.path().join("git"));
        let repository = git.repository("shop.git");
        repository.commits(&[("plumb.toml", PROJECT), ("stack.yaml", TEMPLATE)]);
        let token = format!("ghp_{}_{}", own.account.id, std::process::id());
        git.wants(&token);
        let secret = json!({"Name": "plumb/pipeline/git", "SecretString": json!({"token": token}).to_string()});
        own.asks("secretsmanager", "secretsmanager.CreateSecret", &secret);
        let plumb = env!("CARGO_BIN_EXE_plumb");
        let command =
            json!(["sh", "-c", "echo \"$PLUMB_REASON\"; exec \"$@\"", "-", plumb, "deploy", "--env", "dev", "--yes"]);
        own.registers(&[
            ("repository", &git.url("shop.git")),
            ("credentials", "plumb/pipeline/git"),
            ("command", &command.to_string()),
        ])
        .await;
        let (_, role) = under(&own.account, &own.stack, "BuildRole").await;
        Self { own, directory, repository, token, role }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs the project's build specification with a build's variables; `artifact` is what lies in the bucket.
    fn runs(&self, variables: &[(String, String)], artifact: &Path) -> Output {
        let asked = json!({"names": [self.own.outputs["BuildProjectName"]]});
        let answer = self.own.asks("codebuild", "CodeBuild_20161006.BatchGetProjects", &asked);
        let text = answer["projects"][0]["source"]["buildspec"].as_str().unwrap();
        let specification = plumb::template::document("buildspec", text).unwrap();
        let lines = |phase: &str, part: &str| {
            let lines = specification["phases"][phase][part].as_array().unwrap().iter().filter_map(Value::as_str);
            lines.collect::<Vec<_>>().join("\n")
        };
        let (install, build, last) =
            (lines("install", "commands"), lines("build", "commands"), lines("build", "finally"));
        let script = format!("{install}\ntrap '{last}' EXIT\n{build}");
        let script = script.replace("/tmp/plumb-", &format!("{}/plumb-", self.directory.path().display()));
        let tools = self.path("tools");
        std::fs::create_dir_all(&tools).unwrap();
        let place = format!("s3://{}/plumb-worker", crate::crypto::bucket(&self.own.account));
        let copies =
            format!("#!/bin/sh\n[ \"$1 $2 $3 $4\" = 's3 cp --only-show-errors {place}' ] && cp \"$ARTIFACT\" \"$5\"\n");
        std::fs::write(tools.join("aws"), copies).unwrap();
        std::fs::set_permissions(tools.join("aws"), std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut shell = Command::new("sh");
        shell.args(["-ec", &script]).current_dir(self.directory.path()).env_clear();
        shell.envs(self.own.account.env()).envs(variables.iter().cloned()).env("ARTIFACT", artifact);
        shell.env("AWS_ACCESS_KEY_ID", self.role.access_key_id());
        shell.env("AWS_SECRET_ACCESS_KEY", self.role.secret_access_key());
        shell.env("AWS_SESSION_TOKEN", self.role.session_token().unwrap());
        shell.env("HOME", self.directory.path()).env("PATH", format!("{}:/usr/bin:/bin", tools.display()));
        // A build on AWS has it not: there the repository is reached over TLS or SSH.
        shell.env("PLUMB_LOCAL", "1").output().unwrap()
    }

    fn result(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.path("plumb-result.json")).unwrap()).unwrap()
    }
}

fn told(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_ends_in_a_deployment_by_the_worker_of_that_digest_under_the_builds_role() {
    let account = Account::enforcing_iam();
    let policy = deploy_policy(&account, &["cloudformation:*", "s3:*", "sqs:*", "sts:GetCallerIdentity"]);
    let worker = binary("plumb-worker");
    let own = Pipeline::deploy_to(account, &[("DeployPolicyArns", &policy), ("WorkerSha256", &digest(&worker))]).await;
    let build = Build::new(&own).await;
    let first = build.repository.git(&["rev-parse", "HEAD"]);
    build.repository.commits(&[("stack.yaml", &TEMPLATE.replace("refunds", "later"))]);
    let message = json!({"project": "shop", "branch": "main", "commit": first, "reason": "CI run 7"});
    let id = own.publishes(&message.to_string());
    own.job(&id, "started");
    let starts = own.starts();
    assert_eq!(starts.len(), 1);
    let variables = variables(&starts[0]);

    // Another executable in the bucket is not run.
    let other = build.path("other");
    std::fs::write(&other, "#!/bin/sh\ntouch ran\n").unwrap();
    let refused = build.runs(&variables, &other);
    assert!(!refused.status.success() && !build.path("ran").exists(), "{}", told(&refused));

    let output = build.runs(&variables, &worker);
    let said = told(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("CI run 7\n") && !said.contains(&build.token), "{said}");
    let result = build.result();
    assert_eq!((&result["outcome"], &result["job"]), (&json!("succeeded"), &json!(id)), "{result}");
    let last = String::from_utf8_lossy(&output.stdout).lines().last().map(str::to_owned);
    assert_eq!(serde_json::from_str::<Value>(&last.unwrap()).unwrap(), result, "the log's last line is the result");
    assert_eq!(result["commit"], *first, "the commit that was asked for, and not the branch's tip");
    let queue = |name: &str| own.account.caller().json("sqs", "AmazonSQS.GetQueueUrl", &json!({"QueueName": name}));
    assert_eq!(queue("shop-refunds").unwrap().status, 200, "{said}");
    assert_ne!(queue("shop-later").unwrap().status, 200);

    // The same variables, once the registry has changed its mind.
    own.registers(&[("branches", "release/*")]).await;
    let output = build.runs(&variables, &worker);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(build.result()["why"].as_str().unwrap().contains("does not allow branch main"), "{}", build.result());
}
