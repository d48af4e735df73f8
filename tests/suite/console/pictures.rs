//! Pictures of each page, for README and for whoever wants to see it before trying it.
//!
//! They are taken from the real binary over the real demo, and written to `screenshots/` only when `PLUMB_SCREENSHOTS`
//! is set. They are looked at, not compared: the demo's commit ids, keys and times are new each time it is made, as
//! its documents are encrypted and rolled out for real.

use super::shop::{Console, shop};
use crate::support::screenshot;

fn picture(console: &Console, name: &str, sees: &str) {
    screenshot::record(&console.pictures(sees), name);
}

#[test]
fn each_page_has_its_picture() {
    let console = shop().console().open();
    picture(&console, "overview", "NEEDS YOU");
    console.press("?");
    picture(&console, "help", "Half a page down");
    console.press("? @").loses("Half a page down");
    picture(&console, "picker", "ref   main");
    console.press("<Esc>").loses("ref   main").press("2");
    picture(&console, "stacks", "PROPERTY");
    console.press("3");
    picture(&console, "parameters", "cdn/ttl_seconds");
    console.press("4");
    picture(&console, "secrets", "secrets/prod.json");
    console.press("2 j d");
    picture(&console, "diff", "Variables.SYNC_BATCH");
    console.press("q").loses("Variables.SYNC_BATCH").press("1").sees("NEEDS YOU");
    console.quit();
}

#[test]
fn narrow_terminals_have_their_pictures() {
    let console = shop().console().size(80, 24).open();
    console.press("2");
    picture(&console, "stacks-80x24", "2 STACKS");
    console.press("1").sees("NEEDS YOU").resize(60, 16);
    picture(&console, "overview-60x16", "PARAMS");
    console.quit();
}
