//! A synthetic night in prod, much like the pictures of the design.

pub(crate) mod crypto;
pub(crate) mod data;
pub(crate) mod deploy;
pub(crate) mod pipeline;
pub(crate) mod values;

use std::sync::Arc;

use futures::FutureExt;
use tokio::sync::mpsc;

use crate::compare::{Changed, Facet, Item, Kind, Row, Sides, Verdict, Why};
use crate::config::{CustomAction, Harm, On, Output, Protection};
use crate::console::{
    Ask, Backend, BoxFuture, Command, Compared, CryptoAnswer, CryptoAsk, DataAnswer, DataAsk, Ended, EnvironmentInfo,
    FilePlace, Key, Note, Permit, PipelineAnswer, PipelineAsk, Prepared, ProjectInfo, Promotion, RefInfo, Target,
    Unlock, Wanted, Watch, Work,
};
use crate::ops::crypto::smoke::Step;
use crate::ops::history::Timeline;
use crate::ops::journal::{self, Found};
use crate::ops::promote::Promoted;
use crate::ops::push::Pushed;
use crate::ops::receipt::UnitId;
use crate::ops::record::{self, Outcome, Planned};
use crate::ops::report::{Calls, Commit, Identity, Part, Problem, Report, Section, Unit};
use crate::secret::Secret;

/// 2026-03-14 02:41:19 UTC.
pub(crate) const NOW: i64 = 1_773_456_079_000;

const MINUTE: i64 = 60_000;

/// A commit's full id.
pub(crate) const GIT: &str = "3f2a91c0d5b7e8a1c2d3e4f5a6b7c8d9e0f1a2b3";
/// The commit that was rolled out before.
pub(crate) const APPLIED: &str = "91abe07f2c3d4e5f60718293a4b5c6d7e8f90a1b";

/// Everything that is masked in the fixture.
pub(crate) const SECRETS: [&str; 4] =
    ["sk_live_pelican_7", "sk_live_heron_88", "old-pool-29", "{\"user\":\"shop\",\"password\":\"quail-11\"}"];

/// A side that anyone may see.
pub(crate) fn plain(text: &str) -> Facet {
    Facet::Plain(text.to_owned())
}

/// A side that is masked.
pub(crate) fn masked(text: &str) -> Facet {
    Facet::Secret(Secret::new(text))
}

/// The three sides.
pub(crate) fn sides(git: Facet, applied: Facet, live: Facet) -> Sides {
    Sides { git, applied, live }
}

/// An item with nothing but a verdict.
pub(crate) fn item(kind: Kind, unit: &str, name: &str, verdict: Verdict, sides: Sides) -> Item {
    Item {
        kind,
        name: name.to_owned(),
        unit: unit.to_owned(),
        type_name: String::new(),
        physical_id: None,
        logical_id: None,
        verdict,
        reason: String::new(),
        sides,
        rows: Vec::new(),
        changed: None,
        version: None,
        file: None,
    }
}

fn unread() -> Sides {
    sides(Facet::Unread, Facet::Unread, Facet::Unread)
}

fn by(who: &str, minutes_ago: i64, event: &str) -> Changed {
    Changed {
        by: Some(who.to_owned()),
        at: Some(NOW - minutes_ago * MINUTE),
        event: Some(event.to_owned()),
        access_key: Some(String::from("AKIAIOSFODNN7Q2F")),
    }
}

fn row(path: &str, verdict: Verdict, git: &str, applied: &str, live: &str) -> Row {
    Row { path: path.to_owned(), verdict, sides: sides(plain(git), plain(applied), plain(live)) }
}

fn stacks() -> Section {
    let unit = "petshop-prod";
    let nothing = || sides(Facet::Absent, Facet::Absent, Facet::Absent);
    let mut function = item(Kind::Stack, unit, "petshop-prod/CheckoutFn", Verdict::Diverged, nothing());
    function.type_name = String::from("AWS::Lambda::Function");
    function.physical_id = Some(String::from("checkout-api"));
    function.reason = String::from("MemorySize, Timeout");
    function.changed = Some(by("ci-deploy", 28, "UpdateFunctionConfiguration20150331v2"));
    function.rows = vec![
        row("MemorySize", Verdict::Drifted, "512", "512", "1024"),
        row("Timeout", Verdict::Pending, "15", "10", "10"),
        Row {
            path: String::from("Environment.Variables.API_KEY"),
            verdict: Verdict::Drifted,
            sides: sides(masked(SECRETS[0]), masked(SECRETS[0]), masked(SECRETS[1])),
        },
        row("Environment.Variables.STAGE", Verdict::InSync, "prod", "prod", "prod"),
        row("Runtime", Verdict::InSync, "provided.al2023", "provided.al2023", "provided.al2023"),
        row("Handler", Verdict::InSync, "bootstrap", "bootstrap", "bootstrap"),
    ];
    let mut queue = item(Kind::Stack, unit, "petshop-prod/RefundQueue", Verdict::Pending, nothing());
    queue.type_name = String::from("AWS::SQS::Queue");
    queue.reason = String::from("VisibilityTimeout 30 -> 60");
    queue.rows = vec![row("VisibilityTimeout", Verdict::Pending, "60", "30", "30")];
    let why =
        Why::new("inline policy: CloudFormation never looks").hint("compare the role by hand: aws iam get-role-policy");
    let mut role = item(Kind::Stack, unit, "petshop-prod/CheckoutFnRole", Verdict::Unknown(why), nothing());
    role.type_name = String::from("AWS::IAM::Role");
    role.reason = String::from("inline policy: CloudFormation never looks");
    let mut items = vec![function, role, queue];
    for index in 0..39 {
        let mut table = item(Kind::Stack, unit, &format!("petshop-prod/Alarm{index:02}"), Verdict::InSync, nothing());
        table.type_name = String::from("AWS::CloudWatch::Alarm");
        items.push(table);
    }
    Section {
        items,
        problems: Vec::new(),
        units: vec![Unit {
            name: unit.to_owned(),
            status: String::from("UPDATE_COMPLETE"),
            changed_at: Some(NOW - 121 * MINUTE),
            drift_checked_at: Some(NOW - 3 * MINUTE),
            runs: Some(APPLIED.to_owned()),
            rolled_out_at: Some(NOW - 121 * MINUTE),
            rolled_out_by: Some(String::from("github #812")),
            last_failure: None,
        }],
    }
}

fn code() -> Section {
    let code_sides = sides(plain("tree a91f03"), plain("tree a91f03"), plain("77c0de  unknown zip"));
    let mut checkout = item(Kind::Code, "petshop-prod", "petshop-prod/checkout-api", Verdict::Drifted, code_sides);
    checkout.reason = String::from("version 41 was not built from any commit that was rolled out");
    checkout.changed = Some(by("ci-deploy", 28, "UpdateFunctionCode20150331v2"));
    checkout.version = Some(String::from("41"));
    checkout.file = Some(String::from("services/checkout"));
    let same = sides(plain("tree 00c1aa"), plain("tree 00c1aa"), plain("tree 00c1aa"));
    let refunds = item(Kind::Code, "petshop-prod", "petshop-prod/refunds", Verdict::InSync, same);
    Section { items: vec![checkout, refunds], ..Section::default() }
}

fn parameters() -> Section {
    let mut items = Vec::new();
    let pool = sides(masked(SECRETS[2]), masked(SECRETS[2]), masked("new-pool-75\n"));
    let mut pool = item(Kind::Parameter, "checkout", "/checkout/prod/db/pool_size", Verdict::Drifted, pool);
    pool.type_name = String::from("SecureString");
    pool.reason = String::from("3 functions read it");
    pool.version = Some(String::from("4"));
    pool.file = Some(String::from("config/checkout/prod/config.json"));
    pool.changed = Some(by("ci-deploy", 30, "PutParameter"));
    items.push(pool);
    let url = sides(
        plain("https://api.petshop.example/v2"),
        plain("https://api.petshop.example/v1"),
        plain("https://api.petshop.example/v1"),
    );
    let mut url = item(Kind::Parameter, "checkout", "/checkout/prod/api/url", Verdict::Pending, url);
    url.type_name = String::from("String");
    url.reason = String::from("changed in git 3f2a91c");
    items.push(url);
    let flag = sides(plain("on"), Facet::Absent, Facet::Absent);
    items.push(item(Kind::Parameter, "billing", "/billing/prod/refund", Verdict::GitOnly, flag));
    let wide = sides(Facet::Absent, Facet::Absent, plain("手で追加"));
    items.push(item(Kind::Parameter, "billing", "/billing/prod/日本語\u{1b}[31m", Verdict::Unmanaged, wide));
    for index in 0..24 {
        let service = if index % 2 == 0 { "billing" } else { "checkout" };
        let mut same =
            item(Kind::Parameter, service, &format!("/{service}/prod/key{index:02}"), Verdict::InSync, unread());
        same.type_name = String::from("SecureString");
        items.push(same);
    }
    items.sort_by(|a, b| a.name.cmp(&b.name));
    let unit = |name: &str, runs: &str| Unit {
        name: name.to_owned(),
        runs: Some(runs.to_owned()),
        rolled_out_at: Some(NOW - 121 * MINUTE),
        rolled_out_by: Some(String::from("github #812")),
        ..Unit::default()
    };
    Section { items, problems: Vec::new(), units: vec![unit("billing", GIT), unit("checkout", APPLIED)] }
}

fn secrets() -> Section {
    let denied = Why::new("cannot read prod/petshop/stripe: AccessDeniedException: not authorized to perform kms:Decrypt on alias/checkout")
        .hint("plumb policy read, or another profile (@)");
    let mut items: Vec<Item> = ["stripe", "paypal", "adyen"]
        .into_iter()
        .map(|name| {
            let live = sides(Facet::Unread, Facet::Unread, Facet::Unreadable(denied.clone()));
            let mut item =
                item(Kind::Secret, "secrets", &format!("prod/petshop/{name}"), Verdict::Unknown(denied.clone()), live);
            item.reason = denied.reason.clone();
            item
        })
        .collect();
    let both = sides(masked(SECRETS[3]), masked(SECRETS[3]), masked("{\"user\":\"shop\",\"password\":\"grebe-12\"}"));
    let mut db = item(Kind::Secret, "secrets", "prod/petshop/db", Verdict::Drifted, both);
    db.reason = String::from("differs only in: password");
    db.changed = Some(by("ann", 55, "PutSecretValue"));
    items.push(db);
    for index in 0..14 {
        items.push(item(Kind::Secret, "secrets", &format!("prod/petshop/token{index:02}"), Verdict::InSync, unread()));
    }
    let problem = Problem {
        subject: String::from("secrets/legacy.json"),
        why: Why::new("cannot decrypt secrets/legacy.json: no identity matches any of its 2 recipients")
            .hint("set SOPS_AGE_KEY_FILE to the file with your key"),
    };
    Section { items, problems: vec![problem], units: Vec::new() }
}

/// Who asks in the fixture.
pub(crate) fn identity() -> Identity {
    Identity {
        account: String::from("471100004242"),
        arn: String::from("arn:aws:sts::471100004242:assumed-role/oncall-ro/ann"),
        region: String::from("eu-central-1"),
        expected_account: None,
    }
}

/// The commit that the fixture compares with.
pub(crate) fn commit() -> Commit {
    Commit {
        reference: String::from("origin/main"),
        id: GIT.to_owned(),
        subject: String::from("Add refunds"),
        author: String::from("ann"),
        at: NOW - 90 * MINUTE,
        ahead: 0,
        behind: 2,
        dirty: false,
        fetched_at: Some(NOW - 40_000),
    }
}

/// The report of an environment; that of prod is the night, the others are in sync.
pub(crate) fn report(environment: &str) -> Report {
    let mut sections: Vec<(Kind, Result<Section, Why>)> = vec![
        (Kind::Stack, Ok(stacks())),
        (Kind::Code, Ok(code())),
        (Kind::Parameter, Ok(parameters())),
        (Kind::Secret, Ok(secrets())),
    ];
    if environment != "prod" {
        for (_, section) in &mut sections {
            let Ok(section) = section else { continue };
            section.problems.clear();
            section.items.retain(|item| item.verdict == Verdict::InSync);
            section.units.iter_mut().for_each(|unit| unit.runs = Some(GIT.to_owned()));
        }
    }
    Report {
        environment: environment.to_owned(),
        identity: Ok(identity()),
        commit: Ok(commit()),
        sections,
        notes: Vec::new(),
        hold: None,
        read_at: NOW - 12_000,
        calls: Calls { made: 212, throttled: 0 },
    }
}

/// The environments of the fixture.
pub(crate) fn environments() -> Vec<EnvironmentInfo> {
    environments_of("petshop")
}

/// The same of a project by any name.
pub(crate) fn environments_of(project: &str) -> Vec<EnvironmentInfo> {
    let info = |name: &str, protection| EnvironmentInfo {
        project: project.to_owned(),
        name: name.to_owned(),
        protection,
        profile: Some(format!("petshop-{name}")),
        write_profile: Some(String::from("petshop-deployer")),
        region: Some(String::from("eu-central-1")),
        endpoint: None,
        crypto: false,
        pipeline: false,
        intake: false,
        remotes: Vec::new(),
    };
    vec![info("dev", Protection::Open), info("qa", Protection::Confirm), info("prod", Protection::ReadOnly)]
}

/// The refs of the fixture.
pub(crate) fn refs() -> Vec<RefInfo> {
    let info = |name: &str, commit: &str, subject: &str, minutes: i64| RefInfo {
        name: name.to_owned(),
        commit: commit.to_owned(),
        subject: subject.to_owned(),
        at: NOW - minutes * MINUTE,
    };
    vec![info("origin/main", GIT, "Add refunds", 90), info("v2.3.0", APPLIED, "Release 2.3.0", 3000)]
}

/// The values that opening an item in the fixture reads.
pub(crate) fn opened(kind: Kind, name: &str) -> Option<Item> {
    let mut item = report("prod").items().find(|item| item.kind == kind && item.name == name)?.clone();
    let value = masked(&format!("value of {name}"));
    item.sides = sides(value.clone(), value.clone(), value);
    Some(item)
}

/// Who writes in the fixture.
pub(crate) fn writer() -> Identity {
    Identity { arn: String::from("arn:aws:sts::471100004242:assumed-role/deployer/ann"), ..identity() }
}

/// What recording would write in the fixture.
pub(crate) fn prepared() -> Prepared {
    let unit = |unit: UnitId, equal, left: &[&str]| {
        Planned::of_names(unit, equal, left.iter().map(|name| (*name).to_owned()).collect())
    };
    let outcome = Outcome {
        commit: GIT.to_owned(),
        equal: (0..26).map(|index| format!("/billing/prod/key{index:02}")).collect(),
        different: vec![String::from("/checkout/prod/db/pool_size"), String::from("/checkout/prod/api/url")],
        absent: vec![String::from("/billing/prod/refund")],
        unknown: vec![(String::from("prod/petshop/stripe"), Why::new("AccessDeniedException: kms:Decrypt"))],
        untold: None,
    };
    let units = vec![
        unit(UnitId::Config(String::from("billing")), 13, &["/billing/prod/refund"]),
        unit(UnitId::Config(String::from("checkout")), 12, &["/checkout/prod/db/pool_size", "/checkout/prod/api/url"]),
        unit(UnitId::Stack(String::from("petshop-prod")), 1, &[]),
    ];
    let plan = record::Plan { reference: String::from("origin/main"), outcome, units };
    Prepared { writer: Ok(writer()), work: Work::Record(Arc::new(plan)) }
}

/// The plan that is asked for.
pub(crate) fn plan(wanted: Wanted) -> Prepared {
    match wanted {
        Wanted::Record => prepared(),
        Wanted::Unlock(unlock) => Prepared { writer: Ok(writer()), work: Work::Unlock(Arc::new(unlock)) },
        Wanted::Command(command) => Prepared { writer: Ok(writer()), work: Work::Command(Arc::new(command)) },
        Wanted::Rotate => Prepared { writer: Ok(writer()), work: Work::Rotate(Arc::new(crypto::rotation())) },
        Wanted::Pipeline(wanted) => {
            Prepared { writer: Ok(writer()), work: Work::Pipeline(Arc::new(pipeline::work(wanted))) }
        }
        Wanted::Data(wanted) => Prepared { writer: Ok(writer()), work: Work::Data(Arc::new(data::work(wanted))) },
        Wanted::Restart(item) => Prepared { writer: Ok(writer()), work: values::restart(&item) },
        Wanted::Rollout(way) => Prepared { writer: Ok(writer()), work: deploy::work(&way) },
        Wanted::Values(wanted) => Prepared { writer: Ok(writer()), work: values::work(&wanted) },
    }
}

/// What was written in the fixture.
pub(crate) fn journal(environment: &str) -> Found {
    use journal::{Action, Entry, Outcome, SCHEMA, Settled};

    let entry = |id: &str, minutes: i64, action, subjects: &[&str], outcome, error: Option<&str>| Entry {
        schema: SCHEMA,
        id: id.to_owned(),
        at: NOW - minutes * MINUTE,
        project: String::from("petshop"),
        environment: environment.to_owned(),
        account: String::from("471100004242"),
        region: String::from("eu-central-1"),
        by: writer().arn,
        action,
        subjects: subjects.iter().map(|name| (*name).to_owned()).collect(),
        commit: Some(GIT.to_owned()),
        reason: Some(String::from("prod is down")),
        process: 1,
        settled: Some(Settled { at: NOW - minutes * MINUTE, outcome, error: error.map(str::to_owned) }),
        steps: Vec::new(),
        marks: std::collections::BTreeMap::new(),
        ran: std::collections::BTreeMap::new(),
        undoes: None,
    };
    let failed = Some("1 failed: /billing/prod/a");
    let given_up = Some("given up before AWS had answered");
    Found {
        entries: vec![
            entry("3", 5, Action::Record, &["config/billing", "secrets"], Outcome::Ok, None),
            entry("2", 70, Action::Push, &["/billing/prod/a\u{1b}[31m"], Outcome::Failed, failed),
            entry("1", 4000, Action::Deploy, &["petshop-prod"], Outcome::Unknown, given_up),
        ],
        unreadable: 1,
    }
}

/// Commands of one's own: two that write nothing, one that writes in the background, one that writes on the terminal.
pub(crate) fn actions() -> Vec<(CustomAction, Option<Key>)> {
    let action = |id: &str, danger, key, wait| {
        let action = CustomAction {
            id: id.to_owned(),
            title: format!("Do {id}"),
            key: None,
            on: On::Any,
            command: vec![String::from("tool"), id.to_owned(), String::from("it's")],
            danger,
            wait,
            output: Output::Notice,
        };
        (action, key)
    };
    vec![
        action("look", Harm::Nothing, Some(Key::Ctrl('l')), false),
        action("read", Harm::Reads, None, true),
        action("restart", Harm::Writes, Some(Key::Ctrl('e')), false),
        action("restart-here", Harm::Writes, Some(Key::Ctrl('o')), true),
    ]
}

/// One of them with everything filled in; of an id that is none of theirs, a command all the same.
pub(crate) fn command(id: &str) -> Command {
    let argv = ["tool", id, "it's"].map(str::to_owned).into();
    let wait = actions().iter().any(|(action, _)| action.id == id && action.wait);
    Command { id: id.to_owned(), title: format!("Do {id}"), argv, output: Output::Notice, wait }
}

/// Nothing is noted.
struct NoNote;

impl Note for NoNote {
    fn settle(self: Box<Self>, _: journal::Outcome, _: Option<String>) -> BoxFuture<'static, Option<Why>> {
        async { None }.boxed()
    }
}

/// Answers from the fixture.
#[derive(Default)]
pub(crate) struct Fixture {
    /// Milliseconds that each part takes.
    pub(crate) delay: u64,
}

impl Backend for Fixture {
    fn project_name(&self) -> String {
        String::from("petshop")
    }

    fn environments(&self) -> Vec<EnvironmentInfo> {
        environments()
    }

    fn projects(&self) -> Vec<ProjectInfo> {
        Vec::new()
    }

    fn project(&self, name: String) -> BoxFuture<'static, Result<Vec<EnvironmentInfo>, Why>> {
        async move { Err(Why::new(format!("there is no project {name}"))) }.boxed()
    }

    fn inspect(&self, target: Target, _: Ask, sink: mpsc::UnboundedSender<Part>) -> BoxFuture<'static, Report> {
        let delay = std::time::Duration::from_millis(self.delay);
        async move {
            let mut report = report(&target.environment);
            let mut parts = vec![Part::Identity(report.identity.clone()), Part::Commit(report.commit.clone())];
            parts
                .push(Part::Progress(Kind::Stack, String::from("detecting drift of petshop-prod, 12 of 18 resources")));
            parts.extend(report.sections.iter().rev().map(|(kind, section)| Part::Section(*kind, section.clone())));
            for part in parts {
                tokio::time::sleep(delay).await;
                let _ = sink.send(part);
            }
            tokio::time::sleep(delay).await;
            report.read_at = NOW - 12_000;
            report
        }
        .boxed()
    }

    fn reveal(&self, _: Target, kind: Kind, name: String) -> BoxFuture<'static, Result<Item, Why>> {
        let delay = std::time::Duration::from_millis(self.delay);
        async move {
            tokio::time::sleep(delay).await;
            opened(kind, &name).ok_or_else(|| Why::new(format!("{name} is gone")))
        }
        .boxed()
    }

    fn locate(&self, _: Target, file: String, _: String) -> BoxFuture<'static, Result<FilePlace, Why>> {
        async move { Ok(FilePlace { path: format!("/shop/{file}").into(), line: 7 }) }.boxed()
    }

    fn refs(&self, _: String) -> BoxFuture<'static, Result<Vec<RefInfo>, Why>> {
        async { Ok(refs()) }.boxed()
    }

    fn plan(&self, _: Target, wanted: Wanted) -> BoxFuture<'static, Result<Prepared, Why>> {
        async move { Ok(plan(wanted)) }.boxed()
    }

    fn write(&self, _: Target, _: Work) -> BoxFuture<'static, Result<Option<Why>, Why>> {
        async { Ok(None) }.boxed()
    }

    fn push(&self, _: Target, work: Work, watch: Watch) -> BoxFuture<'static, Result<Pushed, Why>> {
        async move {
            let pushed = values::pushed(&work);
            for progress in values::progress(&pushed) {
                watch(&progress);
            }
            Ok(pushed)
        }
        .boxed()
    }

    fn begin(&self, _: Target, _: Arc<Command>) -> BoxFuture<'static, Result<Permit, Why>> {
        async { Ok(Permit { variables: Vec::new(), note: Box::new(NoNote) }) }.boxed()
    }

    fn unlock(&self, _: Target, _: Unlock) -> BoxFuture<'static, Result<(Identity, Option<Why>), Why>> {
        async { Ok((writer(), None)) }.boxed()
    }

    fn crypto(&self, _: Target, ask: CryptoAsk, sink: mpsc::UnboundedSender<Step>) -> BoxFuture<'static, CryptoAnswer> {
        async move {
            for step in crypto::steps(&ask) {
                let _ = sink.send(step);
            }
            crypto::answer(&ask)
        }
        .boxed()
    }

    fn pipeline(&self, _: Target, ask: PipelineAsk) -> BoxFuture<'static, PipelineAnswer> {
        async move { pipeline::answer(&ask) }.boxed()
    }

    fn data(&self, _: Target, ask: DataAsk) -> BoxFuture<'static, DataAnswer> {
        async move { data::answer(ask) }.boxed()
    }

    fn lock(&self, _: Target, _: Ended) -> BoxFuture<'static, Option<Why>> {
        async { None }.boxed()
    }

    fn history(&self, target: Target, name: String) -> BoxFuture<'static, Result<Timeline, Why>> {
        async move { Ok(values::timeline(&target, &name)) }.boxed()
    }

    fn compare(&self, project: String, from: String, to: String) -> BoxFuture<'static, Result<Compared, Why>> {
        async move { Ok(values::compared(&project, &from, &to)) }.boxed()
    }

    fn promote(&self, promotion: Promotion) -> BoxFuture<'static, Result<Promoted, Why>> {
        async move { Ok(values::promoted(&promotion)) }.boxed()
    }

    fn journal(&self, target: Target) -> BoxFuture<'static, Result<Found, Why>> {
        async move { Ok(journal(&target.environment)) }.boxed()
    }

    fn fetch(&self, _: Target) -> BoxFuture<'static, Result<(), Why>> {
        let delay = std::time::Duration::from_millis(self.delay);
        async move {
            tokio::time::sleep(delay).await;
            Ok(())
        }
        .boxed()
    }
}
