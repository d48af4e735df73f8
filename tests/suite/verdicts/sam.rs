//! Stacks that SAM describes: what the transform makes is judged by what it was made from, and by what is live.
//!
//! The emulator does not run the transform. So it is given what AWS's own transform made of the template, and a proxy
//! answers for the template as it was sent, as CloudFormation does for the stage `Original`.

use plumb::aws::{Timeouts, lambda};
use plumb::compare::Verdict;
use plumb::ops::inspect::{Detect, Wish};
use plumb::ops::record;
use serde_json::json;

use super::shop::{Change, DEV, Seen, Shop, Verdicts, verdicts};
use crate::support::account::Account;
use crate::support::proxy::{Fault, Proxy};

const IN_GIT: &str = include_str!("../../fixtures/templates/sam-shop.yaml");
const PROCESSED: &str = include_str!("../../fixtures/templates/sam-shop.processed.json");
const STACK: &str = "sam-shop";
const FILE: &str = "template.yaml";

const PROJECT: &str = r#"
name = "shop"

[state]
bucket = "shop-state-{account}"

[[stacks]]
name = "sam-shop"
template = "template.yaml"
kind = "sam"
capabilities = ["CAPABILITY_IAM"]

[[stacks.functions]]
resource = "Hello"
source = "hello"
alias = "live"

[environments.dev]
drift_max_age = "15m"
"#;

/// What neither the emulator nor, for versions and aliases, AWS ever looks at; and what is packaged.
const UNKNOWN: [&str; 8] = [
    "code sam-hello",
    "stack sam-shop/HelloAliaslive",
    "stack sam-shop/HelloRole",
    "stack sam-shop/HelloTick",
    "stack sam-shop/HelloTickPermission",
    "stack sam-shop/HelloVersionb34ad5ef30",
    "stack sam-shop/Shared",
    "stack sam-shop/Shared4600ebdc52",
];

const LOOKED_AT: [&str; 3] = ["stack sam-shop/Hello", "stack sam-shop/Jobs", "stack sam-shop/Things"];

/// The project, its stack deployed as `sam deploy` does, and the way to it.
struct SamShop {
    shop: Shop,
    account: Account,
    _proxy: Proxy,
}

impl SamShop {
    /// Deployed from HEAD, and recorded when that is wanted.
    async fn deployed(recorded: bool) -> Self {
        let shop = Shop::written(Account::fresh());
        shop.git(&["rm", "-r", "--quiet", "config", "secrets", "api", "stack.yaml"]);
        shop.write("plumb.toml", PROJECT);
        shop.write(FILE, IN_GIT);
        shop.write("hello/app.py", "def handler(event, context):\n    return 1\n");
        shop.write("shared/shared.py", "ONE = 1\n");
        shop.commit("Describe the shop by SAM");
        let fields = [("StackName", STACK), ("TemplateBody", PROCESSED), ("Capabilities.member.1", "CAPABILITY_IAM")];
        let reply = shop.account.caller().query("cloudformation", "CreateStack", &fields).unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
        let (account, proxy) = shop.account.behind_proxy();
        let original = |call: &crate::support::proxy::Call| call.form("TemplateStage").as_deref() == Some("Original");
        proxy.on("cloudformation:GetTemplate").when(original).reply(Fault::Body(200, original_answer()));
        let sam = Self { shop, account, _proxy: proxy };
        plumb::aws::s3::ensure_bucket(&sam.shop.by_hand().await, &format!("shop-state-{}", sam.account.id))
            .await
            .unwrap();
        if recorded {
            let done = Box::pin(record::record(&sam.session().await, "HEAD", false)).await.unwrap();
            assert_eq!((done.equal, done.different, done.unknown), (vec![STACK.to_owned()], vec![], vec![]));
        }
        sam
    }

    async fn session(&self) -> plumb::ops::session::Session {
        self.shop.session_of(DEV, &self.account, Timeouts::default()).await
    }

    async fn look(&self) -> Seen {
        let seen = Seen::by(&self.session().await).await;
        seen.is_whole();
        seen
    }

    async fn configure(&self, memory: Option<i32>, timeout: Option<i32>) {
        let clients = self.shop.by_hand().await;
        let new = lambda::Configuration { memory, timeout, ..Default::default() };
        lambda::update_configuration(&clients, "sam-hello", &new).await.unwrap();
    }

    /// Plays changes of git, each committed and taken back.
    async fn plays(&self, rows: &[Change]) {
        let before = self.look().await.verdicts;
        for (story, from, to, expected) in rows {
            self.shop.replace(FILE, from, to);
            self.shop.commit(story);
            let seen = self.look().await;
            assert_eq!(seen.moved_from(&before), verdicts(expected), "{story}: {seen:#?}");
            self.shop.revert();
        }
        assert_eq!(self.look().await.moved_from(&before), Verdicts::new());
    }
}

/// The packaged template, as CloudFormation keeps and tells it.
fn original_answer() -> Vec<u8> {
    let packaged = IN_GIT.replace("CodeUri: hello/", "CodeUri: s3://sam-artifacts/hello");
    let packaged = packaged.replace("ContentUri: shared/", "ContentUri: s3://sam-artifacts/shared");
    let body = packaged.replace('&', "&amp;").replace('<', "&lt;");
    format!(
        "<GetTemplateResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><GetTemplateResult>\
         <TemplateBody>{body}</TemplateBody><StagesAvailable><member>Original</member><member>Processed</member>\
         </StagesAvailable></GetTemplateResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>\
         </GetTemplateResponse>"
    )
    .into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_just_deployed_is_in_sync_as_far_as_anybody_looks() {
    let sam = SamShop::deployed(true).await;
    let seen = sam.look().await;
    let expected: Verdicts = UNKNOWN
        .iter()
        .map(|name| ((*name).to_owned(), "unknown"))
        .chain(LOOKED_AT.iter().map(|name| ((*name).to_owned(), "in_sync")))
        .collect();
    assert_eq!(seen.verdicts, expected, "{seen:#?}");
    // Packaging, not git, wrote where the code lies; the events and policies are what the transform made of them.
    let paths: Vec<&str> = seen.item("stack sam-shop/Hello").rows.iter().map(|row| row.path.as_str()).collect();
    for translated in ["CodeUri", "Code", "Events", "Policies", "AutoPublishAlias", "Tracing"] {
        assert!(!paths.contains(&translated), "{translated} in {paths:?}");
    }
    assert!(paths.contains(&"Timeout") && paths.contains(&"TracingConfig.Mode"), "{paths:?}");
    assert!(seen.unknown("stack sam-shop/Shared").contains("ContentUri is packaged from shared/"));
    assert!(seen.unknown("stack sam-shop/HelloTick").contains("CloudFormation never looks at ScheduleExpression"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_git_is_pending_wherever_sam_lets_one_say_it() {
    const HELLO: &str = "stack sam-shop/Hello";
    let sam = SamShop::deployed(true).await;
    sam.plays(&[
        ("a plain resource", "VisibilityTimeout: 30", "VisibilityTimeout: 60", &[("stack sam-shop/Jobs", "pending")]),
        ("a property of a function", "MemorySize: 256", "MemorySize: 512", &[(HELLO, "pending")]),
        ("what all functions have", "Timeout: 5", "Timeout: 10", &[(HELLO, "pending")]),
        ("a variable that all have", "STAGE: dev", "STAGE: test", &[(HELLO, "pending")]),
        ("a property that SAM translates", "Tracing: Active", "Tracing: PassThrough", &[(HELLO, "pending")]),
        ("an event", "rate(1 hour)", "rate(2 hours)", &[(HELLO, "pending")]),
        ("a policy", "SQSSendMessagePolicy", "SQSPollerPolicy", &[(HELLO, "pending")]),
        ("a policy that only the deployment knows", "!GetAtt Jobs.QueueName", "!ImportValue jobs", &[(HELLO, "unknown")]),
        ("the same in another place", "      MemorySize: 256", "      Timeout: 5\n      MemorySize: 256", &[]),
        ("the same in other words", "TABLE: !Ref Things", "TABLE: { Ref: Things }", &[]),
        (
            "a function more",
            "  Things:\n",
            "  More:\n    Type: AWS::Serverless::Function\n    Properties: { CodeUri: more/, Handler: a.b }\n  Things:\n",
            &[("stack sam-shop/More", "git_only")],
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_transform_made_is_told_of_a_plain_change_beside_it_and_of_one_of_its_own() {
    let sam = SamShop::deployed(true).await;
    sam.shop.replace(FILE, "VisibilityTimeout: 30", "VisibilityTimeout: 60");
    sam.shop.commit("A plain resource");
    let seen = sam.look().await;
    assert!(seen.unknown("stack sam-shop/HelloRole").contains("CloudFormation never looks at"), "{seen:#?}");
    sam.shop.replace(FILE, "rate(1 hour)", "rate(2 hours)");
    sam.shop.commit("An event");
    let seen = sam.look().await;
    assert!(seen.unknown("stack sam-shop/HelloTick").contains("from a template that has changed"), "{seen:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_changed_by_hand_drifted_whoever_named_it() {
    let sam = SamShop::deployed(true).await;
    let before = sam.look().await.verdicts;
    let drifted = |name: &str| Verdicts::from([(name.to_owned(), "drifted")]);
    sam.configure(Some(512), None).await;
    assert_eq!(sam.look().await.moved_from(&before), drifted("stack sam-shop/Hello"));
    sam.configure(Some(256), Some(30)).await;
    let seen = sam.look().await;
    assert_eq!(seen.moved_from(&before), drifted("stack sam-shop/Hello"), "a property that only Globals names");
    assert_eq!(seen.item("stack sam-shop/Hello").reason, "Timeout");
    sam.configure(None, Some(5)).await;
    assert_eq!(sam.look().await.moved_from(&before), Verdicts::new(), "put back");

    let role = sam.look().await.item("stack sam-shop/HelloRole").physical_id.clone().unwrap();
    let caller = sam.shop.account.caller();
    for managed in ["service-role/AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess"] {
        let policy = format!("arn:aws:iam::aws:policy/{managed}");
        caller.query("iam", "DetachRolePolicy", &[("RoleName", &role), ("PolicyArn", &policy)]).unwrap();
    }
    caller.query("iam", "DeleteRolePolicy", &[("RoleName", &role), ("PolicyName", "HelloRolePolicy0")]).unwrap();
    let reply = caller.query("iam", "DeleteRole", &[("RoleName", &role)]).unwrap();
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(sam.look().await.moved_from(&before), drifted("stack sam-shop/HelloRole"), "what no template names");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_receipt_nobody_is_accused_and_without_a_detection_nothing_is_called_in_sync() {
    let sam = SamShop::deployed(false).await;
    sam.configure(Some(512), None).await;
    let seen = sam.look().await;
    assert_eq!(seen.item("stack sam-shop/Hello").verdict.code(), "differs", "{seen:#?}");
    let sam = SamShop::deployed(true).await;
    let session = sam.session().await;
    let seen = Seen::with(&session, &Wish { detect: Detect::Never, ..Wish::of(&session) }).await;
    let mut verdicts = seen.report.items().map(|item| &item.verdict);
    assert!(verdicts.all(|verdict| matches!(verdict, Verdict::Unknown(_))), "{seen:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_processed_template_that_cannot_be_read_leaves_all_of_it_unknown() {
    let sam = SamShop::deployed(true).await;
    let (account, proxy) = sam.account.behind_proxy();
    let processed = |call: &crate::support::proxy::Call| call.form("TemplateStage").as_deref() == Some("Processed");
    let denied = "not authorized to perform: cloudformation:GetTemplate";
    proxy.on("cloudformation:GetTemplate").when(processed).reply(Fault::AccessDenied(denied.to_owned()));
    let seen = Seen::by(&sam.shop.session_of(DEV, &account, Timeouts::default()).await).await;
    assert!(seen.unknown("stack sam-shop/Jobs").contains(denied), "{seen:#?}");
    assert_eq!(seen.problems().len(), 1, "{:?}", seen.problems());
    assert!(json!(seen.verdicts).as_object().unwrap().values().all(|verdict| verdict == "unknown"), "{seen:#?}");
}
