use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;

use super::file::{Line, append, random_id};
use super::*;

fn entry(environment: &str, at: i64) -> Entry {
    Entry {
        schema: SCHEMA,
        id: random_id().unwrap(),
        at,
        project: "petshop".into(),
        environment: environment.into(),
        account: "471100004242".into(),
        region: "eu-central-1".into(),
        by: "arn:aws:sts::471100004242:assumed-role/deployer/mara".into(),
        action: Action::Record,
        subjects: vec!["config/billing".into()],
        commit: Some("3f2a91c".into()),
        reason: None,
        process: std::process::id(),
        settled: None,
        steps: Vec::new(),
        marks: BTreeMap::new(),
        ran: BTreeMap::new(),
        undoes: None,
    }
}

fn settled(outcome: Outcome) -> Settled {
    Settled { at: 9, outcome, error: None }
}

fn all(journal: &Journal) -> Found {
    journal.read(&Query::default()).unwrap()
}

#[test]
fn a_write_is_there_before_it_is_settled_and_says_how_it_went_after() {
    let home = tempfile::tempdir().unwrap();
    let journal = Journal::in_directory(&home.path().join("state"));
    assert_eq!(all(&journal), Found::default(), "no file is an empty journal");
    let (first, second) = (entry("prod", 1), entry("dev", 2));
    journal.begin(&first).unwrap();
    assert_eq!(all(&journal).entries, std::slice::from_ref(&first));
    assert_eq!(first.state(), State::UnderWay);
    journal.begin(&second).unwrap();
    journal.settle(&first.id, &settled(Outcome::Failed)).unwrap();
    let found = all(&journal).entries;
    assert_eq!(found.iter().map(|entry| entry.id.as_str()).collect::<Vec<_>>(), [&second.id, &first.id]);
    assert_eq!((found[0].state(), found[1].state()), (State::UnderWay, State::Failed));
    let of_prod = Query { environment: Some("prod".into()), ..Query::default() };
    assert_eq!(journal.read(&of_prod).unwrap().entries.len(), 1);
    assert_eq!(journal.read(&Query { limit: Some(1), ..Query::default() }).unwrap().entries[0].id, second.id);
    let mode = std::fs::metadata(journal.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn what_a_dead_process_began_is_unknown() {
    let mut child = std::process::Command::new("true").spawn().unwrap();
    let dead = child.id();
    child.wait().unwrap();
    assert_eq!(Entry { process: dead, ..entry("prod", 1) }.state(), State::Unknown);
    let given_up = Entry { settled: Some(settled(Outcome::Unknown)), ..entry("prod", 1) };
    assert_eq!(given_up.state(), State::Unknown);
}

#[test]
fn half_a_line_costs_that_line_alone() {
    let home = tempfile::tempdir().unwrap();
    let journal = Journal::in_directory(home.path());
    journal.begin(&entry("prod", 1)).unwrap();
    std::fs::write(
        journal.path(),
        [std::fs::read(journal.path()).unwrap(), b"{\"schema\":1,\"id\":\"ha".to_vec()].concat(),
    )
    .unwrap();
    journal.begin(&entry("prod", 2)).unwrap();
    let newer = Entry { schema: SCHEMA + 1, ..entry("prod", 3) };
    append(journal.path(), &Line::Begun(Box::new(newer))).unwrap();
    let found = all(&journal);
    assert_eq!((found.entries.len(), found.unreadable), (2, 2));
}

#[test]
fn what_is_given_up_is_settled_as_unknown() {
    let home = tempfile::tempdir().unwrap();
    let journal = Journal::in_directory(home.path());
    let begun = |entry: Entry| {
        journal.begin(&entry).unwrap();
        Begun { journal: journal.clone(), entry, marks: Mutex::default(), again: false }
    };
    drop(begun(entry("prod", 1)));
    drop(begun(entry("prod", 2)).settle_here(Outcome::Ok, None));
    let states: Vec<State> = all(&journal).entries.iter().map(Entry::state).collect();
    assert_eq!(states, [State::Ok, State::Unknown]);
}

#[test]
fn a_journal_that_cannot_be_written_lets_nothing_begin() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("file"), "").unwrap();
    let journal = Journal::in_directory(&home.path().join("file"));
    let why = journal.begin(&entry("prod", 1)).unwrap_err();
    assert!(why.reason.starts_with("refused: the journal"), "{why}");
}
