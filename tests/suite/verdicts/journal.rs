//! Every write is noted before it is sent and settled after, here and for the team.

use std::time::{Duration, Instant};

use plumb::aws::Timeouts;
use plumb::ops::journal::{self, Action, Outcome, Query, State};
use plumb::ops::session::{Session, Unlock};
use plumb::ops::{command, push, record};

use super::shop::{DEV, Shop};
use crate::support::account::Account;

/// What was done and how it went, the oldest first.
fn deeds(shop: &Shop) -> Vec<(Action, State)> {
    let found = shop.journal().read(&Query::default()).unwrap();
    assert_eq!(found.unreadable, 0);
    found.entries.iter().rev().map(|entry| (entry.action, entry.state())).collect()
}

async fn read_only(shop: &Shop) -> Session {
    shop.write("plumb.toml", &format!("{}protection = \"read-only\"\n", shop.read("plumb.toml")));
    shop.commit("Protect it");
    shop.session().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_roll_out_is_in_both_journals_by_name_and_never_by_value() {
    let shop = Shop::live().await;
    let session = shop.session().await;
    assert_eq!(deeds(&shop), [(Action::Deploy, State::Ok), (Action::Push, State::Ok)]);
    let here = shop.journal().read(&Query::default()).unwrap();
    let pushed = &here.entries[0];
    assert_eq!((pushed.project.as_str(), pushed.environment.as_str()), ("shop", DEV));
    assert_eq!((&pushed.account, &pushed.region), (&shop.account.id, &shop.account.region));
    assert_eq!(pushed.commit, Some(session.repository.clone().unwrap().resolve("HEAD").unwrap().id));
    assert!(pushed.subjects.contains(&"/billing/dev/pool".to_owned()), "{:?}", pushed.subjects);
    let team = journal::read_team(&session, 10).await.unwrap();
    assert_eq!(team, here, "the team's says the same");
    let text = std::fs::read_to_string(shop.journal().path()).unwrap();
    for value in ["sk_1", "s_1", "db.dev", "The shop"] {
        assert!(!text.contains(value), "{value} is in the journal");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_environment_is_written_only_while_it_is_unlocked() {
    let shop = Shop::written(Account::fresh());
    let session = read_only(&shop).await;
    for refused in
        [push::push(&session, "HEAD").await.map(drop), record::record(&session, "HEAD", false).await.map(drop)]
    {
        let why = refused.unwrap_err();
        assert!(why.reason.contains("dev is read-only"), "{why}");
    }
    assert_eq!(deeds(&shop), [], "what is refused is no write");
    assert!(record::record(&session, "HEAD", true).await.is_ok(), "a dry run is no write either");

    let until = Instant::now() + Duration::from_mins(5);
    let unlocked = session.unlocked(Unlock { until, reason: "prod is down".to_owned() });
    let pushed = push::push(&unlocked, "HEAD").await.unwrap();
    assert_eq!((pushed.failed.as_slice(), pushed.untold), (&[][..], None));
    let entry = &shop.journal().read(&Query::default()).unwrap().entries[0];
    assert_eq!(entry.reason.as_deref(), Some("prod is down"));
    let over = session.unlocked(Unlock { until: Instant::now(), reason: "prod is down".to_owned() });
    assert!(push::push(&over, "HEAD").await.unwrap_err().reason.contains("read-only"), "its time is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_of_the_operator_s_is_noted_refused_where_writing_is_and_told_who_it_is_to_be() {
    let shop = Shop::live().await;
    let rolled_out = deeds(&shop).len();
    let session = read_only(&shop).await;
    let why = command::begin(&session, "restart: tool".to_owned()).await.map(drop).unwrap_err();
    assert!(why.reason.contains("dev is read-only"), "{why}");
    assert_eq!(deeds(&shop).len(), rolled_out);
    let until = Instant::now() + Duration::from_mins(5);
    let unlocked = session.unlocked(Unlock { until, reason: "prod is down".to_owned() });
    let running = command::begin(&unlocked, "restart: tool".to_owned()).await.unwrap();
    assert_eq!(deeds(&shop)[rolled_out..], [(Action::Run, State::UnderWay)], "before it is run");
    let variable = |name: &str| {
        let variables = running.variables();
        let found = variables.into_iter().find(|(own, _)| *own == name).unwrap_or_else(|| panic!("{name} is not said"));
        found.1.map(|value| value.expose().to_owned())
    };
    let account = &shop.account;
    // The keys are fixed here, as in the demo: whatever the shell has named leads elsewhere.
    let expected = [
        ("AWS_ACCESS_KEY_ID", Some(&account.access_key_id)),
        ("AWS_SECRET_ACCESS_KEY", Some(&account.secret_access_key)),
        ("AWS_REGION", Some(&account.region)),
        ("AWS_DEFAULT_REGION", Some(&account.region)),
        ("AWS_SESSION_TOKEN", None),
        ("AWS_PROFILE", None),
        ("AWS_DEFAULT_PROFILE", None),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", None),
    ];
    for (name, value) in expected {
        assert_eq!(variable(name), value.cloned(), "{name}");
    }
    assert_eq!(running.settle(Outcome::Failed, Some("exit status: 4".to_owned())).await, None);
    drop(command::begin(&unlocked, "restart: tool".to_owned()).await.unwrap());
    assert_eq!(deeds(&shop)[rolled_out..], [(Action::Run, State::Failed), (Action::Run, State::Unknown)]);
    let team = journal::read_team(&session, 10).await.unwrap();
    assert_eq!(team.entries[0].subjects, ["restart: tool"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_written_as_it_was_shown() {
    let shop = Shop::live().await;
    let session = shop.session().await;
    let plan = record::survey(&session, "HEAD").await.unwrap();
    assert!(plan.units.iter().all(|unit| unit.left.is_empty()), "{:?}", plan.units);
    let before = shop.look().await;
    let done = record::write(&session, &plan).await.unwrap();
    assert_eq!(done, plan.outcome);
    let last = &shop.journal().read(&Query::default()).unwrap().entries[0];
    let units: Vec<String> = plan.units.iter().map(|unit| unit.unit.to_string()).collect();
    assert_eq!((last.action, &last.subjects), (Action::Record, &units));
    assert_eq!(shop.look().await.verdicts, before.verdicts);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_journal_nothing_is_written() {
    let shop = Shop::written(Account::fresh());
    let file = shop.journal().path().to_owned();
    std::fs::create_dir(&file).unwrap();
    let session = shop.session_of(DEV, &shop.account, Timeouts::default()).await;
    let why = push::push(&session, "HEAD").await.unwrap_err();
    assert!(why.reason.starts_with("refused: the journal"), "{why}");
    std::fs::remove_dir(&file).unwrap();
    assert!(shop.look().await.verdicts.values().all(|verdict| *verdict == "git_only"), "nothing is live");
}
