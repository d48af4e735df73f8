//! Events in, what is done out; over a world in memory whose state is replaced by comparing, as the real one's is.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::json;

use super::*;

#[allow(dead_code, unreachable_pub, clippy::pedantic, reason = "shared with other tests")]
#[path = "../../tests/support/events.rs"]
mod events;

mod failing;

const MINUTE: i64 = 60_000;
/// When the calls of [`events`] were made.
const CALLED: i64 = 1_795_227_187_000;

#[derive(Default)]
struct Memory {
    stored: Mutex<(u64, State)>,
    /// What was asked for and said, in order.
    done: Mutex<Vec<String>>,
    nonces: Mutex<Vec<String>>,
    found: Mutex<Compared>,
    hold: Mutex<Option<Hold>>,
    down: Mutex<bool>,
    /// Nobody can be told.
    mute: Mutex<bool>,
    /// The hold cannot be asked for.
    blind: Mutex<bool>,
    /// GitHub takes what it is asked, and its answer gets lost.
    unheard: Mutex<bool>,
    /// All drift is where a deployment has pointed an alias.
    moved: Mutex<bool>,
    minutes: AtomicI64,
}

impl Memory {
    fn done(&self) -> Vec<String> {
        self.done.lock().unwrap().clone()
    }

    fn redeploys(&self) -> usize {
        self.done().iter().filter(|done| done.starts_with("redeploy")).count()
    }

    fn at(&self, minutes: i64) -> &Self {
        self.minutes.store(minutes, Ordering::Relaxed);
        self
    }

    fn note(&self, what: String) -> Result<(), Failure> {
        if *self.down.lock().unwrap() {
            return Err(Failure("GitHub answered 503".into()));
        }
        self.done.lock().unwrap().push(what);
        Ok(())
    }
}

impl World for Memory {
    fn now(&self) -> i64 {
        CALLED + self.minutes.load(Ordering::Relaxed) * MINUTE
    }

    async fn owned(&self) -> Result<Owned, Failure> {
        Ok(Owned::of(events::RESOURCES))
    }

    async fn drift(&self, _: &str) -> Result<Option<Vec<String>>, Failure> {
        let is_moved = *self.moved.lock().unwrap();
        Ok((!is_moved).then(|| vec!["CheckoutFn".into(), "/Timeout".into()]))
    }

    async fn compare(&self) -> Compared {
        let mut compared = self.found.lock().unwrap().clone();
        for change in compared.found.changes.iter_mut().chain(&mut compared.found.young) {
            change.seen = self.now();
        }
        compared
    }

    async fn hold(&self) -> Result<Option<Hold>, Failure> {
        if *self.blind.lock().unwrap() {
            return Err(Failure("ssm:GetParameter: AccessDeniedException".into()));
        }
        Ok(self.hold.lock().unwrap().clone())
    }

    async fn load(&self) -> Result<(u64, State), Failure> {
        let loaded = self.stored.lock().unwrap().clone();
        tokio::task::yield_now().await;
        Ok(loaded)
    }

    async fn store(&self, revision: u64, state: &State) -> Result<bool, Failure> {
        tokio::task::yield_now().await;
        let mut stored = self.stored.lock().unwrap();
        let unchanged = stored.0 == revision;
        if unchanged {
            *stored = (revision + 1, state.clone());
        }
        Ok(unchanged)
    }

    async fn redeploy(&self, reason: &str, nonce: &str) -> Result<Asked, Failure> {
        tokio::task::yield_now().await;
        self.nonces.lock().unwrap().push(nonce.to_owned());
        self.note(format!("redeploy {reason}"))?;
        Ok(if *self.unheard.lock().unwrap() { Asked::Unknown("GitHub answered 502".into()) } else { Asked::Heard })
    }

    async fn stack_of(&self, change_set: &str) -> Result<Option<String>, Failure> {
        Ok(change_set.ends_with("/of-the-shop").then(|| events::STACK.to_owned()))
    }

    async fn canary(&self, nonce: &str) -> Result<bool, Failure> {
        self.note(format!("canary {nonce}")).map(|()| true)
    }

    async fn tell(&self, notice: &Notice) -> Result<(), Failure> {
        if *self.mute.lock().unwrap() {
            return Err(Failure("sns:Publish: Throttled".into()));
        }
        self.note(format!("tell {}", notice.subject))
    }
}

fn settings(mode: Mode) -> Settings {
    Settings {
        name: "shop/prod".into(),
        flow: Flow {
            stacks: vec![events::STACK.into()],
            parameters: vec!["/shop/prod/".into()],
            deployers: vec![events::DEPLOYER.into()],
            hold: events::HOLD.into(),
            ..Flow::default()
        },
        limits: Limits { mode, settle: 10 * MINUTE, redeploys: 3, window: 60 * MINUTE, again: MINUTE },
    }
}

fn code(by: events::By) -> serde_json::Value {
    events::call("lambda", "UpdateFunctionCode20150331v2", &json!({"functionName": "shop-prod-checkout"}), by)
}

async fn sees(world: &Memory, mode: Mode, event: &serde_json::Value) -> Result<Outcome, Failure> {
    handle(world, &settings(mode), &event::read(&event.to_string())).await
}

async fn decision(world: &Memory, event: &serde_json::Value) -> &'static str {
    sees(world, Mode::Heal, event).await.unwrap().decision
}

#[tokio::test]
async fn a_change_is_told_in_the_one_mode_and_put_back_in_the_other() {
    let world = Memory::default();
    let outcome = sees(&world, Mode::NotifyOnly, &code(events::By::Operator)).await.unwrap();
    assert_eq!(outcome.decision, "notified");
    assert_eq!(world.done(), ["tell plumb shop/prod: changed behind git's back"]);
    let world = Memory::default();
    let outcome = sees(&world, Mode::Heal, &code(events::By::Operator)).await.unwrap();
    assert_eq!(outcome.decision, "redeploy");
    let change = outcome.change.unwrap();
    assert_eq!(change.what, "UpdateFunctionCode of function shop-prod-checkout");
    assert!(change.who.ends_with("assumed-role/oncall/mara"), "{}", change.who);
    let expected = [
        "redeploy UpdateFunctionCode of function shop-prod-checkout",
        "tell plumb shop/prod: changed behind git's back, redeploying",
    ];
    assert_eq!(world.done(), expected);
}

#[tokio::test]
async fn the_deploy_flows_own_calls_and_those_elsewhere_leave_no_trace() {
    let world = Memory::default();
    for event in [code(events::By::Deployer), code(events::By::DeployersCloudFormation), events::drift("IN_SYNC", 0)] {
        assert_eq!(decision(&world, &event).await, "ignored");
    }
    assert_eq!((world.done(), world.stored.lock().unwrap().0), (Vec::new(), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_functions_that_decide_at_once_one_acts() {
    for _ in 0..50 {
        let world = std::sync::Arc::new(Memory::default());
        let events = (0..8).map(|number| {
            let name = format!("/shop/prod/{number}");
            events::call("ssm", "PutParameter", &json!({"name": name}), events::By::User)
        });
        let seen = events.map(|event| {
            let world = std::sync::Arc::clone(&world);
            tokio::spawn(async move { sees(&world, Mode::Heal, &event).await.unwrap().decision })
        });
        let decisions = futures::future::join_all(seen).await;
        let acted = decisions.into_iter().filter(|decision| *decision.as_ref().unwrap() == "redeploy").count();
        assert_eq!((acted, world.redeploys()), (1, 1));
        assert_eq!(world.at(20).redeploys(), 1);
        assert_eq!(decision(&world, &events::tick()).await, "quiet", "all of them happened before the redeploy");
    }
}

#[tokio::test]
async fn what_cannot_be_asked_is_a_failure_that_is_tried_again_and_done_once() {
    let world = Memory::default();
    *world.down.lock().unwrap() = true;
    let event = code(events::By::User);
    for _ in 0..2 {
        let failure = sees(&world, Mode::Heal, &event).await.unwrap_err();
        assert!(failure.to_string().contains("503"), "{failure}");
    }
    *world.down.lock().unwrap() = false;
    assert_eq!(decision(&world, &event).await, "redeploy");
    assert_eq!(decision(&world, &event).await, "covered");
    assert_eq!(world.redeploys(), 1);
    let nonces = world.nonces.lock().unwrap().clone();
    assert!(nonces.windows(2).all(|pair| pair[0] == pair[1]), "the same event has the same nonce: {nonces:?}");
}

#[tokio::test]
async fn what_may_have_been_heard_is_not_asked_again_before_it_had_its_time() {
    let world = Memory::default();
    *world.unheard.lock().unwrap() = true;
    let event = code(events::By::User);
    assert_eq!(decision(&world, &event).await, "unsure");
    assert!(world.done().last().unwrap().ends_with("redeploy uncertain"), "{:?}", world.done());
    for minute in [1, 5, 9] {
        assert_eq!(decision(world.at(minute), &event).await, "waiting", "Lambda and the schedule come again");
    }
    *world.unheard.lock().unwrap() = false;
    assert_eq!(decision(world.at(10), &events::tick()).await, "redeploy");
    assert_eq!(decision(world.at(30), &event).await, "covered");
    assert_eq!(world.redeploys(), 2);
}

#[tokio::test]
async fn a_change_set_that_is_executed_by_its_arn_alone_is_its_stacks() {
    let arn = |id: &str| format!("arn:aws:cloudformation:eu-central-1:471100004242:changeSet/by-hand/{id}");
    let executed =
        |id: &str, by| events::call("cloudformation", "ExecuteChangeSet", &json!({"changeSetName": arn(id)}), by);
    let world = Memory::default();
    assert_eq!(decision(&world, &executed("of-another", events::By::User)).await, "ignored");
    assert_eq!(decision(&world, &executed("of-the-shop", events::By::Deployer)).await, "ignored");
    assert_eq!(decision(&world, &executed("of-the-shop", events::By::User)).await, "redeploy");
    assert_eq!(world.done()[0], "redeploy ExecuteChangeSet of stack shop-prod");
}

#[tokio::test]
async fn each_of_many_changes_is_told_where_nothing_is_put_back() {
    let world = Memory::default();
    let put = |name: &str| events::call("ssm", "PutParameter", &json!({"name": name}), events::By::User);
    let told = |event: serde_json::Value| {
        let world = &world;
        async move { sees(world, Mode::NotifyOnly, &event).await.unwrap().decision }
    };
    assert_eq!(told(put("/shop/prod/a")).await, "notified");
    assert_eq!(told(put("/shop/prod/a")).await, "covered", "delivered again");
    // Made before that notice, told after it.
    assert_eq!(told(put("/shop/prod/b")).await, "waiting");
    world.at(10);
    assert_eq!(told(events::tick()).await, "notified");
    for name in ["/shop/prod/a", "/shop/prod/b"] {
        assert_eq!(told(put(name)).await, "covered", "{name}");
    }
    assert_eq!(world.done().len(), 2);
}

#[tokio::test]
async fn a_call_that_deletes_the_hold_and_what_it_held_is_both() {
    let both = json!({"names": [events::HOLD, "/shop/prod/size"]});
    let world = Memory::default();
    let event = events::call("ssm", "DeleteParameters", &both, events::By::User);
    assert_eq!(decision(&world, &event).await, "redeploy");
    assert_eq!(world.done()[0], "tell plumb shop/prod: the hold was changed");
    let world = Memory::default();
    let event = events::call("ssm", "DeleteParameters", &both, events::By::Deployer);
    assert_eq!(decision(&world, &event).await, "hold-changed");
}

#[tokio::test]
async fn a_hold_is_told_when_it_is_changed_and_obeyed_until_its_end() {
    let world = Memory::default();
    let event = events::call("ssm", "PutParameter", &json!({"name": events::HOLD}), events::By::Deployer);
    assert_eq!(decision(&world, &event).await, "hold-changed");
    *world.hold.lock().unwrap() = Some(Hold { until: CALLED + 30 * MINUTE, why: "mara: a migration".into() });
    for _ in 0..3 {
        assert_eq!(decision(&world, &code(events::By::User)).await, "held");
    }
    let expected =
        ["tell plumb shop/prod: the hold was changed", "tell plumb shop/prod: changed behind git's back, on hold"];
    assert_eq!(world.done(), expected);
    assert_eq!(decision(world.at(31), &events::tick()).await, "redeploy", "the hold has ended");
}

#[tokio::test]
async fn a_canary_is_sent_on_and_never_redeploys() {
    let world = Memory::default();
    assert_eq!(decision(&world, &events::canary()).await, "canary");
    assert_eq!(decision(&world, &events::canary()).await, "ignored", "a storm of them is one");
    assert_eq!(world.done(), ["canary 6f0f9d9e-1111-4222-8333-444455556666"]);
    assert_eq!(decision(world.at(60), &events::tick()).await, "quiet");
    let world = Memory::default();
    *world.down.lock().unwrap() = true;
    assert!(sees(&world, Mode::Heal, &events::canary()).await.is_err());
    *world.down.lock().unwrap() = false;
    assert_eq!(decision(&world, &events::canary()).await, "canary", "what was lost is sent again");
    let world = Memory::default();
    assert_eq!(sees(&world, Mode::NotifyOnly, &events::canary()).await.unwrap().decision, "canary");
    assert_eq!(world.done(), ["tell plumb shop/prod: a canary arrived"]);
}

/// A parameter that is changed just now.
fn drifts(world: &Memory, number: i64) -> serde_json::Value {
    let name = format!("/shop/prod/{number}");
    let mut event = events::call("ssm", "PutParameter", &json!({"name": name}), events::By::User);
    let time = jiff::Timestamp::from_millisecond(world.now()).unwrap();
    event["detail"]["eventTime"] = json!(time.to_string());
    event
}

#[tokio::test]
async fn the_breaker_tells_once_and_is_closed_by_hand() {
    let world = Memory::default();
    let mut decisions = Vec::new();
    for number in 0..6 {
        world.at(11 * number);
        decisions.push(decision(&world, &drifts(&world, number)).await);
    }
    assert_eq!(decisions, ["redeploy", "redeploy", "redeploy", "breaker-opened", "broken", "broken"]);
    let alarms = world.done().iter().filter(|done| done.contains("breaker")).count();
    assert_eq!((world.redeploys(), alarms), (3, 1));
    assert_eq!(decision(&world, &json!({"operation": "reset"})).await, "reset");
    assert_eq!(decision(&world, &events::tick()).await, "redeploy");
}

#[tokio::test]
async fn drift_that_a_redeploy_leaves_is_told_and_left() {
    let world = Memory::default();
    let mut event = events::drift("DRIFTED", 1);
    assert_eq!(decision(world.at(8), &event).await, "redeploy");
    event["time"] = json!("2026-11-21T03:00:00Z");
    assert_eq!(decision(world.at(60), &event).await, "in-vain");
    assert_eq!(decision(world.at(61), &event).await, "covered");
    assert_eq!(world.redeploys(), 1);
    assert_eq!(world.done().last().unwrap(), "tell plumb shop/prod: a redeploy has not put it back");
    let mut other = event.clone();
    other["detail"]["stack-id"] = json!("arn:aws:cloudformation:eu-central-1:471100004242:stack/other/1");
    assert_eq!(decision(&world, &other).await, "ignored");
    *world.moved.lock().unwrap() = true;
    event["time"] = json!("2026-11-21T04:00:00Z");
    assert_eq!(decision(world.at(120), &event).await, "ignored", "it is where a deployment points an alias");
}

#[tokio::test]
async fn what_no_event_told_the_schedule_finds() {
    let world = Memory::default();
    let lasting = Some("code checkout xyz".into());
    let change = Change { what: "code".into(), who: String::new(), at: CALLED, lasting, seen: 0 };
    world.found.lock().unwrap().found.changes.push(change);
    assert_eq!(decision(world.at(6), &events::tick()).await, "redeploy");
    assert_eq!(decision(world.at(11), &events::tick()).await, "covered");
    *world.found.lock().unwrap() = Compared::default();
    assert_eq!(decision(world.at(20), &events::tick()).await, "quiet");
    assert_eq!(world.redeploys(), 1);
}

#[test]
fn a_line_of_the_log_says_what_who_and_why() {
    let event = event::read(&code(events::By::OperatorsCloudFormation).to_string());
    let result = Ok(Outcome::new("redeploy", "a change"));
    let line = line(&settings(Mode::Heal), "loop-integrity", "r-1", &event, &result);
    for (field, value) in [
        ("decision", "redeploy"),
        ("reason", "a change"),
        ("mode", "heal"),
        ("service", "aws.lambda"),
        ("operation", "UpdateFunctionCode"),
        ("role", "arn:aws:iam::471100004242:role/oncall"),
        ("invoked_by", "cloudformation.amazonaws.com"),
        ("Service", "loop-integrity"),
    ] {
        assert_eq!(line[field], value, "{field}");
    }
    assert_eq!(line["Redeploys"], 1);
    assert_eq!(line["resources"], json!(["shop-prod-checkout"]));
}

#[test]
fn a_notice_fits_an_e_mail_whatever_names_hold() {
    let mut own = settings(Mode::NotifyOnly);
    own.name = format!("{}\u{1b}[31mü", "x".repeat(200));
    let change = Change {
        what: "PutParameter of\r\nBcc: all".into(),
        who: "mara".into(),
        at: CALLED,
        lasting: None,
        seen: CALLED,
    };
    let notice = notice::changes(&own, &[change]);
    assert!(notice.subject.len() <= 100 && notice.subject.bytes().all(|byte| (32..127).contains(&byte)));
    assert!(notice.text.starts_with("PutParameter of??Bcc: all at 2026-11-21T02:13:07Z, by mara\n"), "{}", notice.text);
}
