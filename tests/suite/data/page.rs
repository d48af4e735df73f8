//! The data page of the real console: records come in, are opened, summed up and proven.

use super::operator;
use crate::cli::shop::Shop;
use crate::intake::Intake;
use crate::intake::weeks::past;
use crate::support::account;
use crate::support::screenshot::{self, Paper, StandIns};
use crate::support::terminal::{Program, Terminal};

/// What the pictures of the page are called. Each is taken at two sizes, the smaller of which its name tells.
pub(crate) const PICTURES: [&str; 4] = ["data", "data-80x24", "data-week", "data-week-80x24"];

/// When the pictures are taken: 2026-03-12T09:41:07Z.
const CLOCK: &str = "1773308467000";

/// The real console over dev.
fn program(shop: &Shop) -> Program {
    let home = shop.directory.path().join("home");
    std::fs::create_dir_all(&home).unwrap();
    let program = Program::plumb().dir(shop.root()).envs(shop.env.clone()).env("HOME", &home);
    program.args(["--env", "dev"]).size(160, 40)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_posted_and_a_week_is_made_and_proven_on_the_page() {
    let intake = Intake::deploy().await;
    let shop = operator(&intake);
    past(&intake, &[("2026-03-04T12:00:00.000Z", "2", r#"{"amount":9.50}"#, None)]);
    shop.plumb(&["summary", "run", "--week", "2026-W10", "--env", "dev"]).ended(0);

    // The editor adds to what it is given.
    let editor = shop.directory.path().join("editor");
    std::fs::write(&editor, "sed -i 's/}$/,\"by\":\"hand\"}/' \"$1\"\n").unwrap();
    let console = program(&shop).env("SOPS_EDITOR", format!("sh {}", editor.display())).start();
    console.sees("8 data").press("8").sees("8 DATA").sees("no record came in").sees("2026-W10");
    // A record is written in the editor, planned, confirmed, and there.
    console
        .press("p")
        .sees("POST PLAN")
        .sees("it says of itself that it is a test")
        .sees("\"by\": \"hand\"")
        .press("y");
    console.sees("dev: the record is posted").sees("{\"plumb\":\"test\"");
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

/// Records of the last two weeks, some more on some days.
fn fortnight(intake: &Intake) {
    let mut records = Vec::new();
    for (day, count) in [3, 5, 1, 0, 8, 6, 4, 2, 9, 7, 0, 3, 11, 6].into_iter().enumerate() {
        let date = jiff::civil::date(2026, 2, 27).saturating_add(jiff::Span::new().days(i64::try_from(day).unwrap()));
        for number in 0..count {
            let minute = (number * 7) % 60;
            let received = format!("{date}T0{}:{minute:02}:{number:02}.250Z", number % 9);
            let body =
                format!(r#"{{"order":{},"amount":{}.50,"currency":"EUR"}}"#, 4000 + day * 20 + number, 3 + number);
            records.push((received, (number % 8).to_string(), body));
        }
    }
    let rows: Vec<(&str, &str, &str, Option<i64>)> = records
        .iter()
        .map(|(received, shard, body)| (received.as_str(), shard.as_str(), body.as_str(), None))
        .collect();
    past(intake, &rows);
}

/// Takes the picture of the page at both sizes, once this is seen.
fn take(name: &str, (shop, console): (&Shop, &Terminal), seen: &str) {
    let commits = [shop.git_text(&["rev-parse", "HEAD"])];
    // Everything below the page's tabs is as of the clock that stands still.
    let drawn =
        |screen: &vt100::Screen| screenshot::svg_on(&StandIns::new(&commits).in_rows(3).screen(screen), Paper::Dark);
    let narrow = format!("{name}-80x24");
    let pictures = [(name, (120, 40)), (&*narrow, (80, 24))];
    assert!(pictures.iter().all(|(name, _)| PICTURES.contains(name)), "{name}");
    screenshot::take(console, (" plumb  petshop / dev", seen), &pictures, drawn);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_and_an_opened_week_have_their_pictures() {
    // An account of this test's own, whose id is the same in each run.
    let emulator = account::start(account::Options { enforce_iam: true });
    let intake = Intake::deploy_in(emulator.account(), None).await;
    let shop = operator(&intake);
    fortnight(&intake);
    for week in ["2026-W09", "2026-W10"] {
        shop.plumb(&["summary", "run", "--week", week, "--env", "dev"]).ended(0);
    }
    past(&intake, &[("2026-03-01T20:00:00.000Z", "6", r#"{"amount":1}"#, None)]);
    let console = program(&shop).env("PLUMB_CLOCK", CLOCK).start();
    console.sees("8 data").press("8").sees("8 DATA").sees("2026-W10").press("<Tab>").sees(". not verified").press("v");
    console.sees("= files whole, table says the same").press("j").press("v").sees("table says something else");
    take("data", (&shop, &console), "table says something else");
    console.resize(160, 40);
    console.press("k").press("<Enter>").sees("SUMMARY  2026-W10").sees("mean ");
    take("data-week", (&shop, &console), "SUMMARY  2026-W10");
}
