//! Time and memory of comparing ten and a hundred thousand parameters, without git and AWS.
//!
//! Prints `what: figure`, one a line, for `benches/run`. Memory is the growth of the resident set while the items are made
//! from sides that are there already.

#![allow(clippy::print_stdout, reason = "printing is what it is for")]
#![allow(clippy::cast_precision_loss, reason = "figures for people")]

use std::time::Instant;

use plumb::compare::cheap::{Evidence, Finding, Record, cheap};
use plumb::compare::{
    Applied, Changed, Facet, Item, Kind, Side, Sides, Tally, Verdict, combine, differs_only_in, verdict,
};
use plumb::secret::Secret;

/// One parameter as git, the receipt and AWS tell of it.
struct Input {
    name: String,
    evidence: (Evidence, Evidence),
    git: Side<Secret>,
    live: Side<Secret>,
}

fn main() {
    let mut measured = Vec::new();
    for count in [10_000, 100_000] {
        let inputs: Vec<Input> = (0..count).map(input).collect();
        let before = resident();
        let began = Instant::now();
        let items: Vec<Item> = inputs.iter().filter_map(item).collect();
        let tally = Tally::of(&items);
        let whole = combine(items.iter().map(|item| &item.verdict));
        let seconds = began.elapsed().as_secs_f64();
        let grown = resident().saturating_sub(before);
        assert_eq!((tally.total(), whole), (count, Verdict::Diverged));
        println!(
            "compare {count} items: {:.1} ms, {:.2} us and {:.2} KB an item",
            seconds * 1e3,
            seconds * 1e6 / count as f64,
            grown as f64 / count as f64
        );
        measured.push(seconds / count as f64);
    }
    println!("ten times the items: {:.1} times the time", measured[1] / measured[0] * 10.0);
}

fn input(number: usize) -> Input {
    let value = |text: String| Side::Value(Secret::new(text));
    let git = value(format!("postgres://shop:{number:08}@db.internal:5432/shop"));
    let (evidence, live) = match number % 10 {
        // Most of an account did not move, and nothing of it is read.
        0..7 => ((Evidence::Unmoved, Evidence::Unmoved), git.clone()),
        7 => ((Evidence::Unmoved, Evidence::Moved), value(format!("postgres://shop:{number:08}@other:5432/shop"))),
        8 => ((Evidence::Moved, Evidence::Unmoved), value(format!("postgres://shop:{number:08}@db.internal:5432/old"))),
        _ => ((Evidence::Moved, Evidence::Moved), value(format!("POSTGRES://shop:{number:08}@db.internal:5432/shop"))),
    };
    Input { name: format!("/checkout/prod/database/url{number:06}"), evidence, git, live }
}

fn item(input: &Input) -> Option<Item> {
    let (of_git, of_live) = input.evidence;
    let show = |side: &Side<Secret>| Facet::of(side, |value| Facet::Secret(value.clone()));
    let (verdict, sides, reason) = match cheap(of_git, Record::Present, of_live) {
        Finding::Settled(settled) => {
            let verdict = settled.filter(|verdict| *verdict == Verdict::InSync);
            let unread = Sides { git: Facet::Unread, applied: Facet::Unread, live: Facet::Unread };
            match verdict {
                Some(verdict) => (verdict, unread, String::new()),
                None => read(input, &show)?,
            }
        }
        Finding::NeedsValues => read(input, &show)?,
    };
    Some(Item {
        kind: Kind::Parameter,
        name: input.name.clone(),
        unit: "checkout".to_owned(),
        type_name: "SecureString".to_owned(),
        physical_id: None,
        logical_id: None,
        changed: (verdict != Verdict::InSync).then(|| Changed {
            by: Some("arn:aws:sts::471100004242:assumed-role/deployer/mara".to_owned()),
            at: Some(1_763_692_800_000),
            ..Changed::default()
        }),
        version: Some("3".to_owned()),
        file: Some("config/checkout/prod/config.json".to_owned()),
        rows: Vec::new(),
        verdict,
        reason,
        sides,
    })
}

fn read(input: &Input, show: &dyn Fn(&Side<Secret>) -> Facet) -> Option<(Verdict, Sides, String)> {
    let applied = match input.evidence {
        (_, Evidence::Unmoved) => input.live.clone(),
        (Evidence::Unmoved, _) => input.git.clone(),
        _ => Side::Value(Secret::new("postgres://before")),
    };
    let recorded = Applied::Recorded(applied.clone());
    let verdict = verdict(&input.git, &recorded, &input.live)?;
    let reason = match (&input.git, &input.live) {
        (Side::Value(git), Side::Value(live)) => differs_only_in(git.expose(), live.expose()),
        _ => None,
    };
    let sides = Sides { git: show(&input.git), applied: show(&applied), live: show(&input.live) };
    Some((verdict, sides, reason.map(|only| only.to_string()).unwrap_or_default()))
}

/// The resident set in KB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
}
