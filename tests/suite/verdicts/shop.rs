//! A small project in a repository of its own, rolled out to an account of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use plumb::aws::{self, Clients, Timeouts};
use plumb::compare::{Fingerprinter, Item, Kind, Verdict};
use plumb::config::{self, Environ, Flags};
use plumb::ops::inspect::{self, Detect, Wish};
use plumb::ops::journal::Journal;
use plumb::ops::keys::{KeySources, Keys};
use plumb::ops::report::{Report, Section};
use plumb::ops::session::{Access, Session};
use plumb::ops::{deploy, push};
use plumb::secret::Secret;
use plumb::sops::{self, Document, MacPolicy, Node};

use crate::support::account::Account;

/// The environment that most stories happen to.
pub const DEV: &str = "dev";

const PROJECT: &str = r#"
name = "shop"

[state]
bucket = "shop-state-{account}"

[[config]]
files = ["config/{service}/{env}.json"]

[[secrets]]
name = "{env}/shop/{key}"
file = "secrets/{env}.json"
shape = "key"

[[stacks]]
name = "shop-{env}"
template = "stack.yaml"
parameters = { Environment = "{env}", Bucket = "shop-state-{account}" }
capabilities = ["CAPABILITY_NAMED_IAM"]

[[stacks.functions]]
resource = "Api"
source = "api"
alias = "live"
artifact_parameter = "ApiKey"

[environments.dev]
drift_max_age = "15m"
"#;

/// The template; rows change it by replacing text.
pub const TEMPLATE: &str = r#"
Parameters:
  Environment: { Type: String }
  Bucket: { Type: String }
  ApiKey: { Type: String }
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: !Sub shop-${Environment}-orders
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{ AttributeName: id, AttributeType: S }]
      KeySchema: [{ AttributeName: id, KeyType: HASH }]
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub shop-${Environment}-refunds
      VisibilityTimeout: 30
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Sub shop-${Environment}-api
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{ Effect: Allow, Principal: { Service: lambda.amazonaws.com }, Action: sts:AssumeRole }]
  Api:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: !Sub shop-${Environment}-api
      Runtime: python3.13
      Handler: app.handler
      Role: !GetAtt Role.Arn
      MemorySize: 256
      Timeout: 10
      Code: { S3Bucket: !Ref Bucket, S3Key: !Ref ApiKey }
      Environment: { Variables: { BATCH: "25", QUEUE: !Ref Queue, STATE: !Ref Bucket } }
  ApiVersion:
    Type: AWS::Lambda::Version
    Properties: { FunctionName: !Ref Api, Description: !Ref ApiKey }
  ApiLive:
    Type: AWS::Lambda::Alias
    Properties: { Name: live, FunctionName: !Ref Api, FunctionVersion: !GetAtt ApiVersion.Version }
"#;

/// The function's source.
pub const CODE: &str = "def handler(event, context):\n    return 1\n";

/// What CloudFormation cannot look at, here and on AWS.
const NEVER_LOOKED_AT: [&str; 2] = ["stack shop-dev/ApiLive", "stack shop-dev/ApiVersion"];

/// Patience for faults: a hanging call costs a test little, and a busy machine still answers in time.
pub const IMPATIENT: Timeouts = Timeouts {
    connect: Duration::from_secs(2),
    attempt: Duration::from_secs(4),
    operation: Duration::from_secs(9),
    attempts: 2,
    backoff: Duration::from_millis(10),
};

/// Verdicts by `kind name`.
pub type Verdicts = BTreeMap<String, &'static str>;

/// A change of a file: its story, what is replaced, by what, and the verdicts that move.
pub type Change = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)]);

/// The project, and the account that it is rolled out to.
pub struct Shop {
    pub account: Account,
    root: tempfile::TempDir,
    state: tempfile::TempDir,
    recipient: String,
    identity: Secret,
}

impl Shop {
    /// A project with one commit; nothing is live.
    pub fn written(account: Account) -> Self {
        let (recipient, identity) = sops::generate_age_key();
        let (root, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let shop = Self { account, root, state, recipient, identity };
        shop.git(&["init", "--quiet", "--initial-branch=main"]);
        shop.write("plumb.toml", PROJECT);
        shop.write("stack.yaml", TEMPLATE);
        shop.write("api/app.py", CODE);
        shop.encrypt("config/billing/global.json", &[("currency", "EUR")]);
        shop.encrypt("config/billing/dev.json", &[("pool", "20"), ("host", "db.dev")]);
        shop.encrypt("config/web/dev.json", &[("title", "The shop")]);
        shop.encrypt("config/jobs/dev.json", &[("every", "5m")]);
        shop.encrypt("secrets/dev.json", &[("stripe", "sk_1"), ("signing", "s_1")]);
        shop.commit("Begin");
        shop
    }

    /// The same, rolled out to a fresh account.
    pub async fn live() -> Self {
        Self::live_in(Account::fresh()).await
    }

    /// The same, rolled out to this account.
    pub async fn live_in(account: Account) -> Self {
        let shop = Self::written(account);
        shop.roll_out().await;
        shop
    }

    /// What its writes are noted in.
    pub fn journal(&self) -> Journal {
        Journal::in_directory(self.state.path())
    }

    /// What opens its documents.
    pub fn identity(&self) -> Secret {
        self.identity.clone()
    }

    /// For whom its documents are encrypted.
    pub fn recipient(&self) -> &str {
        &self.recipient
    }

    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// Rolls HEAD out, all of it.
    pub async fn roll_out(&self) {
        let session = self.session().await;
        for stack in session.project().stacks.clone() {
            deploy::deploy(&session, &stack, "HEAD", &|_| ()).await.unwrap();
        }
        let pushed = push::push(&session, "HEAD").await.unwrap();
        assert_eq!(pushed.failed, []);
    }

    pub async fn session(&self) -> Session {
        self.session_of(DEV, &self.account, Timeouts::default()).await
    }

    /// A session of this account's place under these credentials.
    pub async fn session_of(&self, env: &str, account: &Account, timeouts: Timeouts) -> Session {
        self.session_with(env, account, timeouts, Some(&self.identity)).await
    }

    pub async fn session_with(
        &self,
        env: &str,
        account: &Account,
        timeouts: Timeouts,
        identity: Option<&Secret>,
    ) -> Session {
        let flags = Flags {
            env: Some(env.to_owned()),
            region: Some(account.region.clone()),
            endpoint_url: Some(account.endpoint_url.clone()),
            ..Flags::default()
        };
        let settings = config::load(&flags, &Environ::default(), self.root()).unwrap();
        let keys = Keys::find(&KeySources { key: identity.cloned(), ..KeySources::default() });
        let journal = Some(self.journal());
        let access = Access { credentials: Some(credentials(account)), timeouts, journal };
        Session::open(settings, self.root(), Arc::new(keys), Fingerprinter::new([0; 32]), access).await.unwrap()
    }

    /// Ordinary AWS calls, past the product.
    pub async fn by_hand(&self) -> Clients {
        clients(&self.account).await
    }

    /// Everything that is compared, with drift detected anew.
    pub async fn look(&self) -> Seen {
        Seen::by(&self.session().await).await
    }

    /// Asserts that everything is in sync that can be looked at, and gives the verdicts for later comparison.
    pub async fn in_sync(&self) -> Verdicts {
        let seen = self.look().await;
        seen.is_whole();
        let mut unlike = seen.verdicts.clone();
        unlike.retain(|_, verdict| *verdict != "in_sync");
        let never: Verdicts = NEVER_LOOKED_AT.into_iter().map(|name| (name.to_owned(), "unknown")).collect();
        assert_eq!(unlike, never, "{seen:#?}");
        assert_eq!(seen.verdicts.len(), 14, "{seen:#?}");
        seen.verdicts
    }

    // The repository.

    pub fn write(&self, path: &str, text: &str) {
        let file = self.path(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap()
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    /// Replaces text that is there exactly once.
    pub fn replace(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert_eq!(text.matches(from).count(), 1, "{path} says `{from}`");
        self.write(path, &text.replacen(from, to, 1));
    }

    /// Writes a document anew: every ciphertext is another one.
    pub fn encrypt(&self, path: &str, values: &[(&str, &str)]) {
        let node = Node::Map(values.iter().map(|(key, value)| ((*key).to_owned(), Node::text(*value))).collect());
        let recipients = std::slice::from_ref(&self.recipient);
        let rule = sops::CreationRule::for_age(recipients, sops::Rules::default());
        let bytes = sops::encrypt_node(path, &node, &rule, &sops::Services::new(), "2026-01-01T00:00:00Z").unwrap();
        self.write(path, std::str::from_utf8(&bytes).unwrap());
    }

    /// Changes one value of a document, or adds it; without a value it is removed. The other ciphertexts stay.
    pub fn set(&self, path: &str, key: &str, value: Option<&str>) {
        let keys = Keys::find(&KeySources { key: Some(self.identity.clone()), ..KeySources::default() });
        let document = Document::parse(path, self.read(path).as_bytes()).unwrap();
        let opened = document.unlock(&keys, MacPolicy::Verify).unwrap();
        let Node::Map(mut members) = opened.node().unwrap().clone() else { panic!("{path}") };
        match (members.iter().position(|(name, _)| name == key), value) {
            (Some(at), Some(value)) => members[at].1 = Node::text(value),
            (Some(at), None) => drop(members.remove(at)),
            (None, Some(value)) => members.push((key.to_owned(), Node::text(value))),
            (None, None) => panic!("{path} has no {key}"),
        }
        let bytes = opened.replace(&Node::Map(members), "2026-01-02T00:00:00Z").unwrap();
        self.write(path, std::str::from_utf8(&bytes).unwrap());
    }

    pub fn commit(&self, subject: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--no-gpg-sign", "--allow-empty", "--message", subject]);
    }

    /// Takes the last commit back by another one.
    pub fn revert(&self) {
        self.git(&["revert", "--no-edit", "HEAD"]);
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", "user.name=Shop", "-c", "user.email=shop@example.com", "-c", "gc.auto=0"])
            .args(arguments)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .current_dir(self.root())
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

/// What an inspection showed.
#[derive(Debug)]
pub struct Seen {
    pub report: Report,
    pub verdicts: Verdicts,
}

impl Seen {
    pub async fn by(session: &Session) -> Self {
        Self::with(session, &Wish { detect: Detect::Always, ..Wish::of(session) }).await
    }

    pub async fn with(session: &Session, wish: &Wish) -> Self {
        let report = inspect::report(session, wish).await;
        let verdicts = report.items().map(|item| (name(item), item.verdict.code())).collect();
        Self { report, verdicts }
    }

    /// Whatever could not be read is told as a problem.
    pub fn problems(&self) -> Vec<String> {
        let sections = self.report.sections.iter().flat_map(|(kind, section)| match section {
            Ok(Section { problems, .. }) => problems.iter().map(|p| format!("{}: {}", p.subject, p.why)).collect(),
            Err(why) => vec![format!("{} cannot be read: {why}", kind.code())],
        });
        let outside = [self.report.identity.as_ref().err(), self.report.commit.as_ref().err()];
        sections.chain(outside.into_iter().flatten().map(ToString::to_string)).collect()
    }

    pub fn is_whole(&self) {
        assert_eq!(self.problems(), [""; 0], "{:#?}", self.verdicts);
    }

    pub fn item(&self, wanted: &str) -> &Item {
        let found = self.report.items().find(|item| name(item) == wanted);
        found.unwrap_or_else(|| panic!("no {wanted} in {:#?}", self.verdicts))
    }

    /// What makes an item unknown.
    pub fn unknown(&self, wanted: &str) -> String {
        match &self.item(wanted).verdict {
            Verdict::Unknown(why) => why.reason.clone(),
            other => panic!("{wanted} is {}", other.code()),
        }
    }

    pub fn section(&self, kind: Kind) -> &Result<Section, plumb::compare::Why> {
        &self.report.sections.iter().find(|(found, _)| *found == kind).unwrap().1
    }

    /// The items whose verdict is not what it was; what was not there before, or no longer is, included.
    pub fn moved_from(&self, before: &Verdicts) -> Verdicts {
        let names = before.keys().chain(self.verdicts.keys());
        let now = |name: &String| self.verdicts.get(name).copied().unwrap_or("gone");
        let moved = names.filter(|name| before.get(*name).copied() != Some(now(name)));
        moved.map(|name| (name.clone(), now(name))).collect()
    }
}

fn name(item: &Item) -> String {
    format!("{} {}", item.kind.code(), item.name)
}

/// Some verdicts, for comparison.
pub fn verdicts(of: &[(&str, &'static str)]) -> Verdicts {
    of.iter().map(|(name, verdict)| ((*name).to_owned(), *verdict)).collect()
}

pub fn credentials(account: &Account) -> aws::Keys {
    aws::Keys {
        access_key_id: account.access_key_id.clone(),
        secret_access_key: Secret::new(account.secret_access_key.clone()),
        session_token: None,
    }
}

pub async fn clients(account: &Account) -> Clients {
    let options = aws::Options {
        region: Some(account.region.clone()),
        endpoint_url: Some(account.endpoint_url.clone()),
        keys: Some(credentials(account)),
        ..aws::Options::default()
    };
    Clients::connect(&options).await.unwrap()
}
