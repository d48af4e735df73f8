//! A hold on redeploys: told on every page, with what is left of it.

use super::safe::in_env;
use super::story::{Story, night};
use crate::compare::{Why, WhyKind};
use crate::console::fixture::{self, NOW};
use crate::console::{Effect, Message};
use crate::ops::hold::{Found, Hold};
use crate::ops::report::Report;

const MINUTE: i64 = 60_000;

/// For an hour and a half from now.
fn hold() -> Hold {
    let by = "arn:aws:sts::471100004242:assumed-role/deployer/mara".to_owned();
    Hold { until: NOW + 90 * MINUTE, by, reason: "a migration".to_owned(), ahead: 0 }
}

/// Dev's console after a refresh that found this.
fn found(hold: Found) -> Story {
    let mut story = in_env("dev").press("2r");
    if let Some(at) = story.effects.iter().position(|effect| matches!(effect, Effect::Fetch(..))) {
        let Effect::Fetch(generation, _) = story.effects.remove(at) else { unreachable!() };
        story = story.hears(Message::Fetched(generation, Ok(())));
    }
    story.answers(Report { hold: Some(hold), ..fixture::report("dev") })
}

#[test]
fn a_hold_is_on_every_page_with_what_is_left_of_it_until_it_ends() {
    let told = "! dev is on hold for 1 h 30 min, by assumed-role/deployer/mara: a migration";
    let mut story = found(Ok(Some(hold())));
    for page in ["1", "2", "3", "4", "5"] {
        story = story.press(page).sees(told);
    }
    let story = story.after(31 * MINUTE).sees("on hold for 59 min");
    story.after(59 * MINUTE).does_not_see("on hold");
}

#[test]
fn without_a_hold_nothing_is_told_and_what_is_unknown_is() {
    found(Ok(None)).does_not_see("on hold");
    night().does_not_see("on hold");
    let why = Why::new("the hold in /plumb/petshop/dev/hold cannot be read, and so counts");
    found(Err(why)).sees("! dev: whether it is on hold is not known: the hold in /plumb/petshop/dev/hold");
    found(Err(Why::new("expired").kind(WhyKind::Expired))).does_not_see("on hold");
}

#[test]
fn where_there_is_little_room_how_long_stays() {
    found(Ok(Some(hold()))).size(70, 24).sees("dev is on hold for 1 h 30 min");
}
