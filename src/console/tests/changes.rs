//! The change list and the field of a value: nothing is shown that was not asked for, and nothing typed is lost.

use super::story::{Story, night, styles, text};
use crate::compare::Why;
use crate::config::mapping::Store;
use crate::console::{ChangeAnswer, ChangeAsk, Effect, Message};
use crate::ops::config::Input;
use crate::ops::config::changes::{
    Change, Committed, Desk, DiffLine, Made, Place, Preview, Shelf, Standing, Subject, Value,
};
use crate::secret::Secret;

/// A picture's name, and how one comes there.
type Picture = (&'static str, fn(Story) -> Story);

const SIZES: [(u16, u16); 3] = [(120, 40), (80, 24), (60, 16)];

/// What the list of the fixture holds, and what nobody may see of it unasked.
const VALUES: [&str; 3] = ["kelp-20", "kelp-50", "kelp-live"];

fn shelf(layer: &str, standing: Option<&str>) -> Shelf {
    Shelf {
        service: String::from("checkout"),
        layer: layer.to_owned(),
        file: format!("config/checkout/{layer}/config.json"),
        exists: standing.is_some(),
        store: Store::Parameter,
        joiner: String::from("/"),
        name: format!("/checkout/{layer}/{{key}}"),
        reaches: if layer == "global" { vec!["dev".into(), "prod".into()] } else { vec![layer.to_owned()] },
        path: Vec::new(),
        standing: Ok(standing.map(value)),
    }
}

fn value(text: &str) -> Value {
    Value { text: Secret::new(text), json: false }
}

fn desk(key: &str) -> Desk {
    let branch = Ok(String::from("main"));
    let shelves = vec![shelf("prod", (!key.is_empty()).then_some(VALUES[0])), shelf("global", None)];
    Desk { branch, shelves, chosen: 0, key: key.to_owned() }
}

fn change(key: &str, before: Option<&str>, after: Option<&str>) -> Change {
    Change {
        place: Place {
            service: String::from("checkout"),
            layer: String::from("prod"),
            file: String::from("config/checkout/prod/config.json"),
            path: key.split('/').map(str::to_owned).collect(),
        },
        before: before.map(value),
        after: after.map(value),
    }
}

fn list() -> Vec<Change> {
    vec![
        change("db/pool_size", Some(VALUES[0]), Some(VALUES[1])),
        change("refund/flag", None, Some("on")),
        change("old\u{1b}[31m", Some("x"), None),
    ]
}

fn preview() -> Preview {
    let line = |sign: char, text: &str| DiffLine { sign, text: text.to_owned() };
    let made = Made {
        new: false,
        gone: false,
        changed: 3,
        lines: vec![
            line('@', "line 3"),
            line(' ', "\"db\": {"),
            line('-', "\"pool_size\": \"ENC[AES256_GCM,data:old]\","),
            line('+', "\"pool_size\": \"ENC[AES256_GCM,data:new]\","),
        ],
    };
    let why = "main is what prod is compared with, whose protection is read-only";
    Preview {
        standings: vec![Standing::Fresh, Standing::Moved, Standing::Done],
        files: vec![
            (String::from("config/checkout/prod/config.json"), Ok(made)),
            (String::from("secrets/prod.json"), Err(Why::new("there is no age key"))),
        ],
        branch: Ok(String::from("main")),
        aside: Some((String::from("config/change-3-values"), why.to_owned())),
        message: String::from("Change 3 values of checkout in prod"),
    }
}

/// What the fixture answers about the list.
pub(super) fn answer(ask: &ChangeAsk) -> ChangeAnswer {
    match ask {
        ChangeAsk::List | ChangeAsk::Propose(_) => ChangeAnswer::List(list()),
        ChangeAsk::Drop(places) if places.is_empty() => ChangeAnswer::List(Vec::new()),
        ChangeAsk::Drop(places) => {
            ChangeAnswer::List(list().into_iter().filter(|change| !places.contains(&change.place)).collect())
        }
        ChangeAsk::Preview => ChangeAnswer::Preview(list(), Box::new(preview())),
        ChangeAsk::Desk(subject, live) => {
            let key = if *subject == Subject::Key { "" } else { "db/pool_size" };
            ChangeAnswer::Desk(Box::new(desk(key)), live.then(|| Secret::new(VALUES[2])))
        }
    }
}

/// What came of a commit of it.
pub(super) fn committed() -> Committed {
    Committed {
        commit: String::from("4f1d0c2b3a495867768594a3b2c1d0e9f8a7b6c5"),
        branch: String::from("config/change-3-values"),
        commands: vec![
            String::from("git push --set-upstream origin config/change-3-values"),
            String::from("gh pr create --base main --head config/change-3-values --fill"),
        ],
        left: Vec::new(),
    }
}

/// The field of the pool's size.
fn field() -> Story {
    night().press("3/pool⏎e").answers_all().sees("EDIT  /checkout/prod/db/pool_size")
}

fn masked(story: Story) -> Story {
    VALUES.iter().fold(story, |story, value| story.does_not_see(value))
}

/// The proposal that was asked for.
fn proposed(story: &Story) -> (Option<(String, String)>, String, Option<Input>) {
    let proposal = story.effects.iter().find_map(|effect| match effect {
        Effect::Changes(_, _, ChangeAsk::Propose(proposal)) => Some(proposal),
        _ => None,
    });
    let proposal = proposal.unwrap_or_else(|| panic!("nothing was proposed:\n{}", story.screen()));
    (proposal.shelf.clone(), proposal.key.clone(), proposal.value.clone())
}

#[test]
fn a_value_is_edited_into_the_list_and_is_masked_meanwhile() {
    let story = masked(field().sees("▸ value").sees("db/pool_size").sees("7 characters").sees("before"));
    let story = story.press("^u").sees("empty: Parameter Store takes no empty value").press("⏎");
    assert!(story.effects.is_empty(), "what would be refused is not asked for");
    let story = masked(story.press("kelp-50").sees("= can be taken: 7 bytes"));
    let story = story.press("^r").sees("kelp-50").sees("kelp-20").after(30_001);
    let mut story = masked(story).press("⏎").sees("taking it into the list");
    let shelf = Some((String::from("checkout"), String::from("prod")));
    assert_eq!(proposed(&story), (shelf, "db/pool_size".into(), Some(Input::Text(Secret::new("kelp-50")))));
    story = story.answers_all().does_not_see("EDIT  ");
    story.sees("db/pool_size is in the list; 3 changes pending, c shows them").press("j").sees("3 changes pending");
}

#[test]
fn what_is_not_taken_stays_in_the_field_with_the_reason() {
    let mut story = field().press("^ukelp-50⏎");
    let generation = match story.effects.pop() {
        Some(Effect::Changes(generation, _, ChangeAsk::Propose(_))) => generation,
        other => panic!("{other:?}"),
    };
    let why = Why::new("cannot write the list: No space left on device").hint("make room");
    let story = story.hears(Message::Changes(generation, Err(why)));
    let story = story.sees("! cannot write the list: No space left on device  try: make room").press("⏎");
    assert_eq!(proposed(&story).2, Some(Input::Text(Secret::new("kelp-50"))), "nothing typed is lost");
}

#[test]
fn a_layer_is_chosen_by_keys_and_a_whole_key_can_be_pasted() {
    let story = field().press("⇥⇥").sees("▸ layer").press("↓").sees("global").sees("reaches dev, prod").sees("nothing");
    let story = story.press("⇥^u").hears(Message::Paste(String::from("one\ntwo"))).press("⏎");
    let (shelf, _, given) = proposed(&story);
    assert_eq!(shelf.unwrap().1, "global");
    assert_eq!(given, Some(Input::Text(Secret::new("one\ntwo"))));
}

#[test]
fn a_key_is_added_with_its_name_judged_while_it_is_typed() {
    let story = night().press("3a").answers_all().sees("ADD A KEY").sees("give a key, such as db/pool_size");
    let story = story.press("a␣b").sees("' '").press("^unew/key").sees("/checkout/prod/new/key").press("⏎x⏎");
    let (shelf, key, given) = proposed(&story);
    assert_eq!((shelf.unwrap().0.as_str(), key.as_str()), ("checkout", "new/key"));
    assert_eq!(given, Some(Input::Text(Secret::new("x"))));
}

#[test]
fn a_value_is_generated_as_it_is_asked_for() {
    let story = field().press("^g").wants(&["generate 32 Letters"]);
    let story = story.press("⇥").sees("▸ generate").press("^u16↓x⏎").wants(&["generate 16 Symbols"]);
    drop(story);
    let story = field().press("^g").answers_all().sees("32 characters").does_not_see("gggg").press("⏎");
    assert_eq!(proposed(&story).2, Some(Input::Text(Secret::new("g".repeat(32)))));
}

#[test]
fn the_editor_gets_the_value_and_its_text_comes_back() {
    let story = field().press("^e").wants(&["edit the value pool_size: kelp-20"]);
    let story = masked(story.hears(Message::Typed(Ok(Some(Secret::new("kelp-50")))))).press("⏎");
    assert_eq!(proposed(&story).2, Some(Input::Text(Secret::new("kelp-50"))));
}

#[test]
fn live_is_adopted_into_the_layer_that_holds_it_and_a_key_is_removed() {
    let story = night().press("3/pool⏎xa").answers_all().sees("ADOPT INTO GIT").sees("9 characters");
    let story = masked(story).press("⏎");
    let (shelf, _, given) = proposed(&story);
    assert_eq!((shelf.unwrap().1.as_str(), given), ("prod", Some(Input::Text(Secret::new("kelp-live")))));
    let story = night().press("3/pool⏎-");
    assert_eq!(proposed(&story), (None, String::new(), None));
    story.answers_all().sees("/checkout/prod/db/pool_size is to be removed; 3 changes pending");
    night().press("2e").sees("only parameters and secrets are in config").wants(&[]);
}

#[test]
fn an_item_that_is_open_tells_the_layer_that_wins_and_what_it_shadows() {
    let mut both = desk("db/pool_size");
    both.shelves[1].standing = Ok(Some(value("kelp-50")));
    let mut story = night().press("3/pool⏎⏎");
    let Some(Effect::Changes(generation, _, ChangeAsk::Desk(..))) = story.effects.pop() else { panic!("not read") };
    let story = story.hears(Message::Changes(generation, Ok(ChangeAnswer::Desk(Box::new(both), None))));
    let story = masked(story).sees("layer       prod  •••• fp").sees("shadows     global  •••• fp");
    let story = story.sees("config/checkout/global/config.json").press("v").answers_all().sees("global  kelp-50");
    masked(story.press("v"));
}

#[test]
fn the_list_is_shown_changed_and_committed() {
    let open = || night().press("c").answers_all().sees("CHANGES  petshop").sees("3 pending");
    let story = masked(open()).sees("~ change").sees("+ add").sees("- remove").sees("HEAD says something else by now");
    let story = story.sees("commits on a new branch, config/change-3-values: main is what prod is compared with");
    let story = masked(story.press("v").sees("kelp-20").sees("kelp-50").after(30_001));
    let story = story.press("d").sees("3 lines differ").sees("+ \"pool_size\": \"ENC").sees("there is no age key");
    let story = story.press("⎋").sees("~ change").press("-");
    let dropped =
        |effect: &Effect| matches!(effect, Effect::Changes(_, _, ChangeAsk::Drop(places)) if places.len() == 1);
    assert!(story.effects.iter().any(dropped));
    let story = open().press("X").sees("once more drops all 3").wants(&[]).press("X");
    assert!(matches!(&story.effects[..], [Effect::Changes(_, _, ChangeAsk::Drop(places))] if places.is_empty()));
    let story = open().press("c").sees("Change 3 values of checkout in prod").press("^uBigger␣pool⏎");
    let story = story.wants_first("commit prod: Bigger pool").sees("git is at it").answers_all();
    let story = story.sees("= committed  4f1d0c2  on config/change-3-values").sees("gh pr create --base main");
    let story = story.press("y");
    assert!(matches!(story.effects.last(), Some(Effect::Copy(copy)) if copy.text.expose().starts_with("git push ")));
    story.press("q").does_not_see("CHANGES").does_not_see("changes pending");
}

#[test]
fn a_refused_commit_is_told_and_the_list_and_the_message_stay() {
    let mut story = night().press("c").answers_all().press("c^uMine⏎");
    let Some(Effect::Commit(generation, ..)) = story.effects.pop() else { panic!("nothing is committed") };
    let why = Why::new("git refused the commit, and the list stays: not on a Friday\nask ann");
    let story = story.hears(Message::Committed(generation, Err(why)));
    let story =
        story.sees("! git refused the commit, and the list stays: not on a Friday").sees("ask ann").sees("Mine");
    story.press("⏎").wants(&["commit prod: Mine"]);
}

#[test]
fn a_list_that_cannot_be_opened_is_told_where_it_would_be_counted() {
    let mut story = night();
    story.model.changes.know("petshop", Err(Why::new("the key is gone")));
    story.sees("changes cannot be opened").press("c").answers_all();
}

#[test]
fn the_field_and_the_list_look_like_this() {
    let pictures: [Picture; 5] = [
        ("field", |story| story.press("3/pool⏎e").answers_all().press("⇥")),
        ("add", |story| story.press("3a").answers_all().press("new/key⏎x")),
        ("list", |story| story.press("c").answers_all()),
        ("files", |story| story.press("c").answers_all().press("d")),
        ("refused", |story| {
            let mut story = story.press("c").answers_all().press("c⏎");
            let Some(Effect::Commit(generation, ..)) = story.effects.pop() else { panic!("nothing is committed") };
            let why = Why::new("git refused the commit, and the list stays: pre-commit: not on a Friday");
            story.hears(Message::Committed(generation, Err(why)))
        }),
    ];
    for (name, tell) in pictures {
        for (width, height) in SIZES {
            let story = tell(night().size(width, height));
            let buffer = masked(story).buffer();
            let picture = format!("{}\n{}", text(&buffer), styles(&buffer));
            insta::assert_snapshot!(format!("{name}_{width}x{height}"), picture);
        }
    }
}
