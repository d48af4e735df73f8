//! What comes of a message, told by an AWS that is a few maps: what runs, what is listed, and what is refused.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use super::*;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Item {
    decision: &'static str,
    said: String,
    lease: i64,
}

type Variables = Vec<(&'static str, String)>;

#[derive(Default)]
struct Table {
    items: BTreeMap<String, Item>,
    states: BTreeMap<String, (u64, State)>,
    /// Message, variables; the build's id is its place.
    builds: Vec<(String, Variables, bool)>,
    fields: Fields,
}

#[derive(Default)]
struct Fake {
    table: Mutex<Table>,
    now: AtomicI64,
    /// The next call of this name does its work and is not answered.
    lost: Mutex<Option<&'static str>>,
    /// Calls of this name do nothing.
    refused: Mutex<Option<&'static str>>,
    /// The messages whose builds were looked for, and since when.
    searched: Mutex<Vec<(String, i64)>>,
}

impl Fake {
    fn new() -> Self {
        let fake = Self::default();
        fake.says(&[
            ("repository", "https://git.example/shop"),
            ("branches", "main,release/*"),
            ("command", r#"["make"]"#),
        ]);
        fake
    }

    fn says(&self, fields: &[(&str, &str)]) {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.table.lock().unwrap().fields.extend(fields);
    }

    fn passes(&self, milliseconds: i64) {
        self.now.fetch_add(milliseconds, Ordering::Relaxed);
    }

    fn ends(&self, build: usize) {
        self.table.lock().unwrap().builds[build].2 = true;
    }

    fn builds(&self) -> Vec<String> {
        self.table.lock().unwrap().builds.iter().map(|(job, ..)| job.clone()).collect()
    }

    fn item(&self, id: &str) -> Item {
        self.table.lock().unwrap().items[id].clone()
    }

    fn loses(&self, name: &'static str) {
        *self.lost.lock().unwrap() = Some(name);
    }

    fn refuses_to(&self, name: &'static str) {
        *self.refused.lock().unwrap() = Some(name);
    }

    fn answer<T>(&self, name: &str, answer: T) -> Result<T, Failure> {
        let mut lost = self.lost.lock().unwrap();
        if *lost == Some(name) {
            *lost = None;
            return Err(Failure(format!("{name}: no answer")));
        }
        Ok(answer)
    }

    async fn tells(&self, id: &str, text: &str) -> Result<Decision, Failure> {
        self.tells_of(id, text, 0).await
    }

    /// What was published then.
    async fn tells_of(&self, id: &str, text: &str, published: i64) -> Result<Decision, Failure> {
        let delivery = Delivery { id: id.into(), published, text: text.into(), queued: "q".into() };
        handle(self, &delivery).await.map(|outcome| outcome.decision)
    }
}

impl World for Fake {
    fn now(&self) -> i64 {
        self.now.load(Ordering::Relaxed)
    }

    async fn registry(&self, project: &str) -> Result<Fields, Failure> {
        let fields = self.table.lock().unwrap().fields.clone();
        self.answer("registry", if project == "petshop" { fields } else { Fields::new() })
    }

    async fn write(&self, job: &Job, refused: Option<&str>) -> Result<Written, Failure> {
        let now = self.now();
        let mut table = self.table.lock().unwrap();
        let written = match table.items.get(&job.id) {
            None => Written::First,
            Some(item) if item.decision == "claimed" && item.lease == i64::MIN => Written::Waited,
            Some(item) if item.decision == "claimed" && item.lease < now - LEASE => Written::Left,
            Some(item) if item.decision == "claimed" => Written::Busy,
            Some(item) => Written::Decided(item.said.clone()),
        };
        if matches!(written, Written::First | Written::Waited | Written::Left) {
            let decision = if refused.is_some() { "refused" } else { "claimed" };
            let item = Item { decision, said: refused.unwrap_or_default().into(), lease: now };
            table.items.insert(job.id.clone(), item);
        }
        drop(table);
        self.answer("write", written)
    }

    async fn started(&self, job: &str, build: &str) -> Result<(), Failure> {
        let item = Item { decision: "started", said: build.into(), lease: 0 };
        self.table.lock().unwrap().items.insert(job.into(), item);
        self.answer("started", ())
    }

    async fn refused(&self, job: &str, why: &str) -> Result<(), Failure> {
        let item = Item { decision: "refused", said: why.into(), lease: 0 };
        self.table.lock().unwrap().items.insert(job.into(), item);
        self.answer("refused", ())
    }

    async fn waits(&self, job: &str, why: &str) -> Result<(), Failure> {
        let item = Item { decision: "claimed", said: why.into(), lease: i64::MIN };
        self.table.lock().unwrap().items.insert(job.into(), item);
        self.answer("waits", ())
    }

    async fn load(&self, project: &str) -> Result<(u64, State), Failure> {
        let found = self.table.lock().unwrap().states.get(project).cloned().unwrap_or_default();
        self.answer("load", found)
    }

    async fn store(&self, project: &str, revision: u64, state: &State) -> Result<bool, Failure> {
        let mut table = self.table.lock().unwrap();
        let entry = table.states.entry(project.into()).or_default();
        let free = entry.0 == revision;
        if free {
            *entry = (revision + 1, state.clone());
        }
        drop(table);
        self.answer("store", free)
    }

    async fn start(&self, job: &str, message: &Message) -> Result<String, Failure> {
        if *self.refused.lock().unwrap() == Some("start") {
            return Err(Failure("start: no".into()));
        }
        let mut table = self.table.lock().unwrap();
        table.builds.push((job.into(), message.variables(job), false));
        let id = format!("build:{}", table.builds.len() - 1);
        drop(table);
        self.answer("start", id)
    }

    async fn find(&self, job: &str, since: i64) -> Result<Option<String>, Failure> {
        self.searched.lock().unwrap().push((job.to_owned(), since));
        let place = self.table.lock().unwrap().builds.iter().position(|(of, ..)| of == job);
        self.answer("find", place.map(|place| format!("build:{place}")))
    }

    async fn ended(&self, builds: &[String]) -> Result<Vec<String>, Failure> {
        let table = self.table.lock().unwrap();
        let over = |id: &&String| table.builds[id.trim_start_matches("build:").parse::<usize>().unwrap()].2;
        Ok(builds.iter().filter(over).cloned().collect())
    }
}

const MAIN: &str = r#"{"project":"petshop","branch":"main"}"#;

fn started(build: usize) -> Decision {
    Decision::Started(format!("build:{build}"))
}

#[tokio::test]
async fn a_message_is_one_build_however_often_it_is_delivered() {
    let fake = Fake::new();
    assert_eq!(fake.tells("a", MAIN).await, Ok(started(0)));
    for _ in 0..3 {
        fake.passes(LEASE * 10);
        assert_eq!(fake.tells("a", MAIN).await, Ok(Decision::Duplicate("build:0".into())));
    }
    let variables = fake.table.lock().unwrap().builds[0].1.clone();
    let expected = [("PLUMB_PROJECT", "petshop"), ("PLUMB_BRANCH", "main"), ("PLUMB_JOB", "a")];
    assert_eq!(variables, expected.map(|(name, value)| (name, value.to_owned())));
    assert_eq!(fake.builds(), ["a"]);
}

#[tokio::test]
async fn what_the_registry_does_not_allow_starts_nothing_and_is_listed() {
    let fake = Fake::new();
    let cases = [
        ("another project", r#"{"project":"other","branch":"main"}"#, "not in the registry"),
        ("another branch", r#"{"project":"petshop","branch":"feature/x"}"#, "does not allow the branch"),
        ("no message", "hunter2", "not JSON"),
        ("an injection", r#"{"project":"petshop","branch":"main; id"}"#, "`branch` is not"),
    ];
    for (name, text, expected) in cases {
        let Ok(Decision::Refused(why)) = fake.tells(name, text).await else { panic!("{name} was not refused") };
        assert!(why.contains(expected), "{name}: {why}");
        assert_eq!(fake.item(name).decision, "refused");
        assert_eq!(fake.tells(name, text).await, Ok(Decision::Duplicate(why)), "{name}");
    }
    fake.says(&[("timeout", "soon")]);
    let Ok(Decision::Refused(why)) = fake.tells("unfit", MAIN).await else { panic!("it was not refused") };
    assert!(why.contains("`timeout`"), "{why}");
    assert!(fake.builds().is_empty());
}

#[tokio::test]
async fn whatever_call_is_lost_the_next_delivery_finishes_it_with_one_build() {
    for lost in ["registry", "write", "load", "store", "start", "started"] {
        let fake = Fake::new();
        fake.loses(lost);
        assert!(fake.tells("a", MAIN).await.is_err(), "{lost}");
        // At once it may still be under way elsewhere; later it is taken over.
        let soon = fake.tells("a", MAIN).await.unwrap();
        assert!(matches!(soon, Decision::Waits(_) | Decision::Started(_) | Decision::Duplicate(_)), "{lost}: {soon:?}");
        fake.passes(LEASE + 1);
        let later = fake.tells("a", MAIN).await.unwrap();
        assert!(later == started(0) || later == Decision::Duplicate("build:0".into()), "{lost}: {later:?}");
        assert_eq!(fake.builds(), ["a"], "{lost}");
        // Its place is known: the next one waits for its end.
        fake.passes(LEASE + 1);
        assert!(matches!(fake.tells("b", MAIN).await, Ok(Decision::Waits(_))), "{lost}");
        fake.ends(0);
        assert_eq!(fake.tells("b", MAIN).await, Ok(started(1)), "{lost}");
    }
}

#[tokio::test]
async fn builds_beyond_the_concurrency_wait_and_so_do_those_beyond_the_rate() {
    let fake = Fake::new();
    fake.says(&[("concurrency", "2"), ("rate", "4")]);
    assert_eq!(fake.tells("a", MAIN).await, Ok(started(0)));
    assert_eq!(fake.tells("b", MAIN).await, Ok(started(1)));
    for id in ["c", "d"] {
        let Ok(Decision::Waits(why)) = fake.tells(id, MAIN).await else { panic!("{id} does not wait") };
        assert!(why.contains("2 of 2"), "{why}");
    }
    let Ok(Decision::Waits(why)) = fake.tells("e", MAIN).await else { panic!("e does not wait") };
    assert!(why.contains("4 messages within an hour"), "{why}");
    assert_eq!(fake.item("c").decision, "claimed");
    fake.ends(1);
    assert_eq!(fake.tells("d", MAIN).await, Ok(started(2)));
    assert!(matches!(fake.tells("c", MAIN).await, Ok(Decision::Waits(_))));
    assert_eq!(*fake.searched.lock().unwrap(), [], "for what only waited no build was started");
    fake.ends(0);
    assert_eq!(fake.tells("c", MAIN).await, Ok(started(3)));
    fake.passes(3_600_001);
    fake.ends(2);
    assert_eq!(fake.tells("e", MAIN).await, Ok(started(4)), "the hour has passed");
}

#[tokio::test]
async fn whichever_of_two_asks_first_the_later_one_is_what_is_deployed() {
    let fake = Fake::new();
    let at = |commit: &str| format!(r#"{{"project":"petshop","branch":"main","commit":"{}"}}"#, commit.repeat(40));
    assert_eq!(fake.tells_of("a", &at("a"), 1).await, Ok(started(0)));
    for (id, published) in [("b", 2), ("c", 3)] {
        assert!(matches!(fake.tells_of(id, &at(id), published).await, Ok(Decision::Waits(_))));
    }
    fake.ends(0);
    assert_eq!(fake.tells_of("c", &at("c"), 3).await, Ok(started(1)));
    fake.ends(1);
    let Ok(Decision::Refused(why)) = fake.tells_of("b", &at("b"), 2).await else { panic!("b was not refused") };
    assert!(why.contains("later message has a build of branch main"), "{why}");
    assert_eq!((fake.item("b").decision, fake.builds().len()), ("refused", 2));
    assert_eq!(fake.tells_of("d", &at("d"), 4).await, Ok(started(2)));
}

#[tokio::test]
async fn a_place_that_a_crash_left_is_given_to_the_next() {
    let fake = Fake::new();
    // Claimed, a place taken, and gone before the build was started.
    let (state, _) =
        State::default().ask(Asker { job: "a", branch: "main", published: 0 }, Limits { concurrency: 1, rate: 20 }, 0);
    fake.table.lock().unwrap().states.insert("petshop".into(), (1, state));
    assert!(matches!(fake.tells("b", MAIN).await, Ok(Decision::Waits(_))), "it may still be about to start it");
    fake.passes(LEASE + 1);
    assert_eq!(fake.tells("b", MAIN).await, Ok(started(0)));
    assert_eq!(*fake.searched.lock().unwrap(), [("a".to_owned(), 0)]);
}

#[tokio::test]
async fn a_place_that_is_taken_up_late_is_given_to_nobody_else_meanwhile() {
    let fake = Fake::new();
    fake.refuses_to("start");
    assert!(fake.tells("a", MAIN).await.is_err());
    // It comes again, is about to be started, and is not yet.
    fake.passes(LEASE * 4);
    assert!(fake.tells("a", MAIN).await.is_err());
    assert!(matches!(fake.tells("b", MAIN).await, Ok(Decision::Waits(_))), "one of one is in other hands");
    assert_eq!(fake.builds(), [""; 0]);
}

#[tokio::test]
async fn the_line_of_a_malformed_message_has_its_size_and_digest_and_nothing_else_of_it() {
    let fake = Fake::new();
    let text = r#"{"project":"petshop","branch":"main","reason":"hunter2\u0007"}"#;
    let delivery = Delivery { id: "a".into(), published: 0, text: text.into(), queued: "q".into() };
    let result = handle(&fake, &delivery).await;
    let line = line("pipeline-trigger", "r-1", &delivery, &result);
    assert_eq!(
        (&line["decision"], &line["project"], &line["bytes"]),
        (&"refused".into(), &"petshop".into(), &text.len().into())
    );
    assert_eq!(line["sha256"].as_str().map(str::len), Some(64));
    assert_eq!((&line["Refused"], &line["Started"]), (&1.into(), &0.into()));
    let said = line.to_string();
    assert!(!said.contains("hunter2") && !said.contains("branch\":\"main"), "{said}");
    assert_eq!(said.lines().count(), 1);
}
