//! A short film of the console for README: the real binary over the demo, while somebody types.
//!
//! `PLUMB_SCREENSHOTS=1` writes `screenshots/tour.svg` and `tour.cast`, else they are compared. What is seen for how long is
//! said here; how long the machine took is not on the film.

use super::shop::shop;
use crate::support::screenshot::{self, Film, Paper, StandIns};

/// The files' name.
pub(super) const NAME: &str = "tour";

/// How long a key that only leads to the next is seen, in milliseconds.
const TYPING: u64 = 350;

/// A picture for README must load at once.
const LARGEST: usize = 400_000;

/// Keys, what is on the screen after them and was not before, and for how many milliseconds that is to be read.
const STEPS: &[(&str, &str, u64)] = &[
    ("", "oncall-mara", 3500),
    ("j", "▸ ~ drifted   param", TYPING),
    ("j", "▸ ~ drifted   secret", TYPING),
    ("3", "VERDICT", 2500),
    ("d", "+ ••••", 2000),
    ("v", "+ 50", 2500),
    ("q", "VERDICT", TYPING),
    ("2", "2 STACKS", 2500),
    ("j", "▸ ~ drifted   InventorySync", 1500),
    ("<Enter>", "10 equal properties", 2500),
    ("<Esc>", "BillingApiLive", TYPING),
    ("4", "4 SECRETS", 2000),
    ("?", "what you want to do", 2500),
    ("<Esc>", "VERDICT", TYPING),
    ("1", "NEEDS YOU", 2000),
];

#[test]
fn the_tour_goes_through_the_night() {
    let console = shop().console().size(100, 30).env("PLUMB_CLOCK", &shop().morning.to_string()).open();
    let mut stand_ins = StandIns::new(&shop().commits);
    let mut film = Film::new("plumb: what drifted in the night");
    for (keys, seen, time) in STEPS {
        film.show(stand_ins.screen(&console.answers(keys, seen)), *time);
    }
    let svg = film.svg(Paper::Dark);
    assert!(svg.len() < LARGEST, "{} bytes", svg.len());
    let cast_file = screenshot::file(&format!("{NAME}.cast"));
    if screenshot::asked_to_write() {
        std::fs::write(screenshot::file(&format!("{NAME}.svg")), &svg).unwrap();
        std::fs::write(cast_file, film.cast()).unwrap();
        return;
    }
    let committed = std::fs::read_to_string(cast_file).unwrap_or_default();
    if let Some(differs) = film.differs(&committed).or_else(|| screenshot::differs(NAME, &svg)) {
        panic!("{NAME}: {differs}");
    }
}
