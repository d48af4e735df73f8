//! The data page of the real console: records come in, are opened, summed up and proven.

use super::operator;
use crate::intake::Intake;
use crate::intake::weeks::past;
use crate::support::terminal::Program;

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_posted_and_a_week_is_made_and_proven_on_the_page() {
    let intake = Intake::deploy().await;
    let shop = operator(&intake);
    past(&intake, &[("2026-03-04T12:00:00.000Z", "2", r#"{"amount":9.50}"#, None)]);
    shop.plumb(&["summary", "run", "--week", "2026-W10", "--env", "dev"]).ended(0);

    let home = shop.directory.path().join("home");
    std::fs::create_dir_all(&home).unwrap();
    let program = Program::plumb().dir(shop.root()).envs(shop.env.clone()).env("HOME", &home);
    let console = program.args(["--env", "dev"]).size(160, 40).start();
    console.sees("8 data").press("8").sees("8 DATA").sees("no record came in").sees("2026-W10");
    // A test record is planned, confirmed, and there.
    console.press("p").sees("POST PLAN").sees("it says of itself that it is a test").press("y");
    console.sees("dev: the test record is posted").sees("{\"plumb\":\"test\"");
    console.press("<Enter>").sees("RECORD  01").sees("\"plumb\": \"test\",").press("<Esc>").loses("RECORD  01");
    // The last week that is over has no summary yet: the one below it has, and is proven.
    console.press("<Tab>").sees("- no summary").press("j").sees("1 record").press("v");
    console.sees("= files whole, table says the same").press("<Enter>").sees("SUMMARY  2026-W10").sees("= whole");
    console.sees("mean 9.5").press("<Esc>").loses("SUMMARY  2026-W10");
    console.press("k w").sees("SUMMARY PLAN").sees("what the table says now").press("y");
    console.sees("the summary of 20").sees(" is made").loses("- no summary");
    console.press("q").sees("1 OVERVIEW").press("q");
    assert!(console.exit().success());
    let journal = shop.plumb(&["journal", "-o", "json"]);
    assert!(!journal.stdout.contains("9.50"), "{journal}");
}
