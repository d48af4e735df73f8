//! Records: posted, read, counted, followed.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use super::{operated, operator, posting, shop};
use crate::cli::shop::{Done, Shop};
use crate::intake::Intake;
use crate::support::proxy::Fault;

/// A record with what a parser would lose: digits, a name that stands in it twice would be refused.
const RECORD: &str = "{\"amount\": 1.10000000000000000000000000000000000000001, \"who\": \"heron \u{202e}\"}\n";

/// Runs a command with this on stdin.
fn given(shop: &Shop, arguments: &[&str], input: &str) -> Done {
    let mut command = shop.command(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Who refuses its arguments reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    Done::of(&child.wait_with_output().unwrap())
}

/// A command that goes on until it is ended, which it is however the test ends.
struct Following(Child);

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn post(shop: &Shop, more: &[&str], record: &str) -> Done {
    given(shop, &[&["intake", "post", "--env", "dev"], more].concat(), record)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_posted_once_and_comes_back_with_every_digit() {
    let intake = Intake::deploy().await;
    let shop = operator(&intake);
    let posted = post(&shop, &["-o", "json"], RECORD);
    let answer = posted.ended(0).json();
    let id = answer["id"].as_str().unwrap();
    assert_eq!((&answer["duplicate"], &answer["source"]), (&json!(false), &json!("operator")), "{answer}");
    let again = post(&shop, &[], RECORD);
    assert_eq!(again.ended(0).stdout, format!("{id}\n"));
    again.complained(&["there since"]);
    assert_eq!(intake.records(), 1);

    let got = shop.plumb(&["intake", "get", id, "--env", "dev"]);
    let lines: Vec<&str> = got.ended(0).stdout.lines().collect();
    assert_eq!(lines[1], "  \"amount\": 1.10000000000000000000000000000000000000001,");
    assert_eq!(lines[2], "  \"who\": \"heron \u{25af}\"", "what would turn a line around is not sent to a terminal");
    let got = shop.plumb(&["intake", "get", &id.to_lowercase(), "--env", "dev", "-o", "json"]);
    assert!(got.ended(0).stdout.contains("1.10000000000000000000000000000000000000001"), "{got}");
    assert!(got.stdout.contains("heron \\u202e"), "{got}");
    assert_eq!(got.json()["bytes"], RECORD.trim_end().len());

    // A key of one's own: the same again is the same, with another content it is a mistake.
    let keyed = ["--key", "order 7", "--source", "till", "--expires-in", "30d", "-o", "json"];
    assert_eq!(post(&shop, &keyed, "{\"n\":1}").ended(0).json()["source"], "till");
    assert_eq!(post(&shop, &keyed, "{\"n\":1}").ended(0).json()["duplicate"], true);
    post(&shop, &keyed, "{\"n\":2}").ended(2).complained(&["cannot post to http", "HTTP 422"]);
    let item = intake.table("Scan", json!({"FilterExpression": "attribute_exists(slot)"}));
    let items = item["Items"].as_array().unwrap();
    assert!(items.iter().any(|item| item["source"]["S"] == "till" && item["expires"]["N"].is_string()), "{item}");

    // What is no record is not sent, and what is wrong with it is told by its place.
    post(&shop, &[], "{\"card\": 4711-}").ended(2).complained(&["the record is no JSON", "column"]);
    let list = post(&shop, &[], "[1]");
    list.ended(2).complained(&["the record is no JSON object"]);
    shop.plumb(&["intake", "post", "nowhere.json", "--env", "dev"]).ended(2).complained(&["cannot read nowhere.json"]);
    let none = shop.plumb(&["intake", "get", "01JDA8Z6R0Q3X1V2W3Y4Z5A6B7", "--env", "dev"]);
    none.ended(2).complained(&["there is no record 01JDA8Z6R0Q3X1V2W3Y4Z5A6B7"]);
    shop.plumb(&["intake", "get", "key#abc", "--env", "dev"]).ended(2).complained(&["is no record's id"]);
    assert_eq!(intake.records(), 2);

    // Every post is in the journal, and nothing of a record.
    let journal = shop.plumb(&["journal", "-o", "json"]);
    let said = journal.ended(0).json();
    let entries = said["entries"].as_array().unwrap();
    assert_eq!(entries.iter().filter(|entry| entry["action"] == "post").count(), 5, "{journal}");
    assert!(!journal.stdout.contains("heron") && journal.stdout.contains(&intake.stack), "{journal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_counted_and_tailed_and_each_that_comes_in_is_told_once() {
    let intake = Intake::deploy().await;
    let shop = operator(&intake);
    for number in 0..12 {
        let source = if number < 9 { "web" } else { "till" };
        post(&shop, &["--source", source], &format!("{{\"n\":{number}}}")).ended(0);
    }
    let counted = shop.plumb(&["intake", "count", "--env", "dev", "-o", "json"]);
    let counts = counted.ended(0).json();
    assert_eq!((&counts["records"], &counts["sources"]), (&json!(12), &json!({"till": 3, "web": 9})), "{counts}");
    assert_eq!(counts["days"].as_array().unwrap().len(), 8, "seven days ago to today");
    let days = shop.plumb(&["intake", "count", "--since", "1h", "--days", "--env", "dev"]);
    assert!(days.ended(0).stdout.contains("together    12\n"), "{days}");

    let last = shop.plumb(&["intake", "tail", "-n", "3", "--env", "dev", "-o", "json"]);
    let last = last.ended(0).json();
    let numbers: Vec<&Value> =
        last["records"].as_array().unwrap().iter().map(|record| &record["record"]["n"]).collect();
    assert_eq!(numbers, [9, 10, 11]);

    let mut command = shop.command(&["intake", "tail", "-n", "1", "--follow", "--env", "dev", "-o", "json"]);
    let mut following = Following(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut told = BufReader::new(following.0.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&told.next().unwrap().unwrap()).unwrap() };
    assert_eq!(next()["record"]["n"], 11);
    // What breaks meanwhile is asked again.
    intake.proxy.on("dynamodb:Query").times(2).reply(Fault::Throttling);
    for number in 12..15 {
        post(&shop, &[], &format!("{{\"n\":{number}}}")).ended(0);
        assert_eq!(next()["record"]["n"], number);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_writing_is_refused_nothing_is_posted_and_what_is_missing_is_named() {
    let intake = Intake::deploy().await;
    let shop_of_all = operator(&intake);
    let refused = given(&shop_of_all, &["intake", "post", "--env", "prod"], "{}");
    refused.ended(2).complained(&["refused: prod is read-only", "--unlock"]);
    assert_eq!(intake.records(), 0);
    let reason = ["intake", "post", "--env", "prod", "--unlock", "a test of the alarm", "--yes"];
    given(&shop_of_all, &reason, "{}").ended(0);
    assert_eq!(intake.records(), 1);

    // Whoever may only read does that, and is told what posting takes.
    let reader = operated(&intake, shop(&intake), "reader", "read", &[]);
    assert_eq!(reader.plumb(&["intake", "count", "--env", "dev", "-o", "json"]).ended(0).json()["records"], 1);
    let denied = post(&reader, &[], "{\"n\":2}");
    denied.ended(2).complained(&["HTTP 403", "execute-api:Invoke on arn:aws:execute-api:"]);
    let poster = operated(&intake, shop(&intake), "poster", "read", &[posting(&intake)]);
    post(&poster, &[], "{\"n\":2}").ended(0);

    // A stack that is none, a project without one.
    let mut owned = shop(&intake);
    owned.env = intake.account.env();
    let nowhere = owned.plumb(&["intake", "tail", "--stack", "petshop-none"]);
    nowhere.ended(2).complained(&["there is no stack petshop-none"]);
    shop_of_all.write("plumb.toml", "name = \"petshop\"\n[environments.dev]\n");
    let none = shop_of_all.plumb(&["intake", "tail", "--env", "dev"]);
    none.ended(2).complained(&["nothing says where the intake of dev is", "[intake] in plumb.toml"]);
}
