//! What the screen says is so: names, ages, identities and marks, while things are read, fail, hang and come back.

use super::remembered::later;
use super::story::{Story, night, over, story, styles, text};
use crate::compare::{Item, Kind, Verdict, Why, WhyKind};
use crate::console::fixture::{self, NOW, item, masked, plain, sides};
use crate::console::pointer::{Button, Mouse};
use crate::console::{Effect, Message, ProjectInfo};
use crate::ops::report::{Identity, Part, Report, Section};

fn denied() -> Why {
    Why::new("AccessDeniedException: not authorized to perform ssm:DescribeParameters").kind(WhyKind::Denied)
}

fn no_login() -> Why {
    Why::new("cannot read the caller's identity: the profile nope is not in the config")
        .hint("run `aws configure --profile petshop-prod`, then refresh")
        .kind(WhyKind::NoCredentials)
}

fn offline() -> Why {
    Why::new("cannot read the caller's identity: cannot connect to AWS (its name cannot be resolved)")
        .kind(WhyKind::Network)
}

fn failed(why: &Why) -> Report {
    Report { commit: Ok(fixture::commit()), ..Report::failed(String::from("prod"), &Kind::ALL, why, NOW) }
}

/// Begins to read the page again, and goes past the fetching.
fn refreshing(story: Story) -> Story {
    let mut story = story.press("r");
    let fetch = story.effects.iter().find_map(|effect| match effect {
        Effect::Fetch(generation, _) => Some(*generation),
        _ => None,
    });
    story.effects.clear();
    story.hears(Message::Fetched(fetch.expect("it is fetched first"), Ok(())))
}

/// A section as it is before CloudTrail has been asked: a listing tells times and roots, and of properties nothing.
fn unnamed(section: &Result<Section, Why>) -> Section {
    let mut section = section.clone().unwrap();
    for item in &mut section.items {
        let listed = |item: &Item| matches!(item.kind, Kind::Parameter | Kind::Secret);
        item.changed = item.changed.take().filter(|_| listed(item)).map(|mut changed| {
            changed.by = Some(String::from("arn:aws:iam::471100004242:root"));
            changed.at = changed.at.map(|at| at + 700);
            changed.event = None;
            changed
        });
    }
    section
}

/// The lines of what needs the operator.
fn needs(story: &Story) -> Vec<String> {
    story.screen().lines().skip_while(|line| !line.contains("NEEDS YOU")).map(str::to_owned).collect()
}

/// The styles of the line that has this text.
fn looks(story: &Story, wanted: &str) -> String {
    let buffer = story.buffer();
    let (text, styles) = (text(&buffer), styles(&buffer));
    let found = text.lines().zip(styles.lines()).find(|(line, _)| line.contains(wanted));
    found.unwrap_or_else(|| panic!("no {wanted:?} in\n{text}")).1.to_owned()
}

#[test]
fn a_refresh_moves_nothing_and_drops_no_name_before_it_has_a_newer_one() {
    let report = fixture::report("prod");
    for page in ["1", "2", "3", "4"] {
        let story = refreshing(night().press(page));
        let lines = |story: &Story| -> Vec<String> {
            let body: Vec<String> = story.screen().lines().skip(5).take(33).map(str::to_owned).collect();
            // Ages go on, and so does the spinner.
            let aged = |line: &String| ["ago", "eu-central-1"].iter().any(|word| line.contains(word));
            body.into_iter().filter(|line| !aged(line)).collect()
        };
        let before = lines(&story);
        let generation = story.generation();
        let mut story = story;
        let asked = story.model.environment().asked.clone().unwrap().kinds;
        for (kind, section) in report.sections.iter().filter(|(kind, _)| asked.contains(kind)) {
            story = story.hears(Message::Part(generation, Part::Provisional(*kind, unnamed(section))));
            assert_eq!(lines(&story), before, "{kind:?} on page {page}");
        }
        story = story.answers(report.clone());
        assert_eq!(lines(&story), before, "page {page}");
    }
}

#[test]
fn whoever_is_named_anew_is_told_at_once() {
    let story = refreshing(night().press("3"));
    let generation = story.generation();
    let mut section = unnamed(&fixture::report("prod").sections[2].1);
    let pool = section.items.iter_mut().find(|item| item.name.ends_with("pool_size")).unwrap();
    pool.version = Some(String::from("5"));
    story
        .sees("02:11  ci-deploy")
        .hears(Message::Part(generation, Part::Provisional(Kind::Parameter, section)))
        .sees("02:11  root")
        .does_not_see("ci-deploy");
}

/// The night with something graver than all of it.
fn graver() -> Report {
    let mut report = fixture::report("prod");
    for (at, kind) in [(2, Kind::Parameter), (0, Kind::Stack)] {
        let Ok(section) = &mut report.sections[at].1 else { panic!() };
        let mut grave = item(kind, "a", "/a/first", Verdict::Diverged, sides(masked("a"), masked("a"), masked("b")));
        grave.changed = Some(crate::compare::Changed { at: Some(NOW), ..Default::default() });
        section.items.insert(0, grave);
    }
    report
}

#[test]
fn a_cursor_that_was_never_moved_stays_on_its_item_too() {
    let story = refreshing(night()).sees("▸ ! both      stack   petshop-prod/CheckoutFn");
    let story = story.answers(graver()).sees("  ! both      param   /a/first");
    story.sees("▸ ! both      stack   petshop-prod/CheckoutFn");
    let story = refreshing(night().press("2")).sees("▸ ! both      CheckoutFn").answers(graver());
    story.sees("  ! both      /a/first").sees("▸ ! both      CheckoutFn");
    // Neither does what is live take it from what was remembered.
    let story = later().sees("▸ ! both      stack   petshop-prod/CheckoutFn");
    let generation = story.generation();
    let part = Part::Section(Kind::Parameter, graver().sections[2].1.clone());
    let story = story.hears(Message::Part(generation, part)).sees("  ! both      param   /a/first");
    let story = story.sees("▸ ! both      stack   petshop-prod/CheckoutFn");
    story.answers(graver()).sees("▸ ! both      stack   petshop-prod/CheckoutFn");
    // In another environment it begins at the first line.
    let elsewhere = night().press("3").sees("▸ - git only  /billing/prod/refund").press("@qa⏎").press("f");
    elsewhere.sees("▸ = in sync   /billing/prod/key00");
}

#[test]
fn an_identity_that_nobody_has_said_again_looks_old_and_promises_nothing() {
    let header = |story: &Story| story.screen().lines().next().unwrap().to_owned();
    // From the last session, on an environment that may be written to.
    let story = later().press("@dev⏎").sees("petshop / dev");
    assert!(header(&story).contains("°acct 4711…4242") && header(&story).ends_with("READ"), "{}", header(&story));
    assert!(!looks(&story, "petshop / dev").contains("text"), "{}", looks(&story, "petshop / dev"));
    let story = story.answers_all();
    assert!(!header(&story).contains('°') && header(&story).ends_with("WRITE"), "{}", header(&story));
    // Being asked again takes nothing back; being refused does.
    let story = refreshing(story);
    assert!(header(&story).ends_with("WRITE"));
    let story = story.answers(Report { identity: Err(no_login()), ..failed(&no_login()) });
    assert!(header(&story).contains("°acct 4711…4242") && header(&story).ends_with("READ"), "{}", header(&story));
    let story = story.press("1");
    assert!(story.screen().contains("°4711…4242"), "the table's account is as old");
}

#[test]
fn without_an_identity_the_region_is_told_and_writing_is_not_promised() {
    let story = story().press("@dev⏎");
    assert!(story.screen().lines().next().unwrap().ends_with("READ"), "nobody knows yet who asks");
    let mut story = story.press("@dev⏎").press("1");
    while story.effects.iter().any(|effect| matches!(effect, Effect::Inspect(..))) {
        story = story.answers(failed(&no_login()));
    }
    let screen = story.screen();
    let header = screen.lines().next().unwrap();
    assert!(header.contains("acct ?  eu-central-1") && header.ends_with("READ"), "{header}");
}

#[test]
fn the_wrong_account_of_the_last_session_is_as_wrong_at_the_beginning_of_this_one() {
    let of = |environment: &str| {
        let identity = Identity { expected_account: Some(String::from("999900001111")), ..fixture::identity() };
        Some(super::remembered::kept(Report { identity: Ok(identity), ..fixture::report(environment) }))
    };
    super::story::story_remembering(of).sees("account 471100004242 is not the expected 999900001111");
}

#[test]
fn what_was_never_read_has_no_age() {
    let story = story().answers(failed(&denied())).after(10_000);
    let row = |story: &Story| {
        let screen = story.screen();
        screen.lines().find(|line| line.starts_with(" ▸ prod")).unwrap().to_owned()
    };
    assert!(row(&story).ends_with(" -"), "{}", row(&story));
    story.sees("live  could not be read").does_not_see("10 s ago").press("3").does_not_see("10 s ago");
    // What was read in part says so.
    let mut part = fixture::report("prod");
    part.sections[2].1 = Err(denied());
    super::story::story().answers(part).sees("live  part read ").press("4").does_not_see("part read");
}

#[test]
fn a_refresh_that_hangs_hides_no_age() {
    let story = refreshing(night()).after(81_000);
    let screen = story.screen();
    assert!(screen.contains("read 1 m ago  ") && screen.contains(" reading 81 s, esc cancels"), "{screen}");
    let prod = screen.lines().find(|line| line.starts_with(" ▸ prod")).unwrap();
    assert!(prod.ends_with(" 1 m") && !prod.contains("81"), "{prod}");
}

#[test]
fn what_was_cancelled_did_not_fail() {
    let story = refreshing(night().press("3j")).press("⎋");
    story.sees("live read 12 s ago, stale: the last attempt was cancelled").does_not_see("failed");
    let story = refreshing(night().press("3j")).answers(failed(&offline()));
    story.sees("stale: the last attempt failed");
}

#[test]
fn what_needs_the_operator_is_marked_as_stale_where_it_stands() {
    let story = refreshing(night());
    assert!(needs(&story).iter().all(|line| !line.contains('°')), "it is being read");
    let story = story.press("⎋").sees("▸°! both      stack   petshop-prod/CheckoutFn");
    let story = story.sees("  °? unknown   secret  secrets/legacy.json");
    let marked = needs(&story).iter().filter(|line| line.contains('°')).count();
    assert_eq!(marked, 10, "{}", story.screen());
}

#[test]
fn nobody_is_told_to_press_a_key_that_is_refused() {
    let story = refreshing(night().press("3")).answers(failed(&offline())).sees("; r tries again");
    let story = refreshing(story).after(81_000).sees("; it is tried again").does_not_see("r tries");
    story.press("r").sees("already reading: esc cancels");
    let story = refreshing(night().press("3")).answers(failed(&no_login())).sees("petshop-prod`, then r");
    refreshing(story).sees("petshop-prod`, then esc and r");
}

#[test]
fn at_eighty_columns_what_is_to_be_done_is_whole() {
    let mut long = fixture::report("prod");
    if let Ok(commit) = &mut long.commit {
        commit.subject = String::from("Let the storefront show what was refunded, and when, and to whom");
        commit.reference = String::from("origin/release/2026-03");
    }
    let story = refreshing(story().answers_all().size(80, 24).press("3"));
    // Under another ref the other kinds are read again, too.
    let story = refreshing(story.answers(long.clone()).answers(long)).after(7_000);
    story.sees("reading 7 s, esc cancels").does_not_see("esc cance…").sees("origin/release");
    let story = refreshing(night().size(80, 24).press("3")).answers(failed(&no_login()));
    let story = story.sees(" ! no valid credentials: run `aws configure --profile petshop-prod`, then r");
    story
        .press("1")
        .sees("`aws configure --profile petshop-prod`, then r")
        .size(60, 16)
        .sees("--profile petshop-prod`");
    let mut other = fixture::report("prod");
    if let Ok(identity) = &mut other.identity {
        identity.expected_account = Some(String::from("111100002222"));
    }
    let story = super::story::story().answers(other).size(80, 24);
    story.sees("account 471100004242 is not the expected 111100002222: reading only").size(60, 16).sees("111100002222");
}

/// Three projects of which the last cannot be read, on a screen that has not room for all rows.
fn many() -> Story {
    let info = |name: &str, place: &str| ProjectInfo { name: name.to_owned(), place: place.to_owned() };
    let story = over(vec![info("orders", "~/src/orders"), info("gone", "~/src/gone")]).size(120, 24);
    let gone = story.effects.iter().find_map(|effect| match effect {
        Effect::Project(generation, name) if name == "gone" => Some(*generation),
        _ => None,
    });
    let why = Why::new("cannot read ~/src/gone/plumb.toml: No such file or directory");
    let mut story = story.hears(Message::Project(gone.unwrap(), Err(why)));
    story.effects.retain(|effect| !matches!(effect, Effect::Project(_, name) if name == "gone"));
    story.answers_all()
}

fn wheel(story: Story, button: Button) -> Story {
    story.hears(Message::Mouse(Mouse { button, column: 10, line: 8 }))
}

#[test]
fn rows_of_the_table_that_are_not_seen_are_counted_and_a_broken_one_among_them_is_told() {
    let story = many().does_not_see("No such file").sees("▾ 2 more, 1 not read");
    let story = wheel(story, Button::WheelDown).sees("No such file").sees("▴ 2 more").does_not_see("▾ 2");
    wheel(story, Button::WheelUp).sees("▾ 2 more, 1 not read").does_not_see("▴");
}

#[test]
fn the_wheel_looks_around_and_goes_nowhere() {
    let story = wheel(wheel(many().size(120, 16), Button::WheelDown), Button::WheelDown);
    assert!(story.effects.is_empty(), "{:?}", story.effects);
    let story = story.sees("petshop / prod").sees("NEEDS YOU  prod").does_not_see("▸ prod");
    // A key goes on from where the cursor is, and brings it into sight.
    story.press("⇥k").sees("petshop / qa").sees("▸ qa");
}

#[test]
fn what_is_remembered_is_grey_in_its_detail_and_in_its_diff_too() {
    let coloured = |story: &Story, wanted: &str| {
        let looks = looks(story, wanted);
        ["drifted", "strong", "mask", "added", "removed", "error"].iter().any(|role| looks.contains(role))
    };
    for (keys, wanted) in [("2⏎", "CheckoutFn"), ("3j", "value   "), ("3jd", "•••• fp")] {
        let story = later().press(keys);
        assert!(!coloured(&story, wanted), "{keys}: {}", looks(&story, wanted));
        let read = night().press(keys);
        assert!(coloured(&read, wanted), "{keys}: {}", looks(&read, wanted));
    }
}

#[test]
fn a_group_tells_whom_it_stands_for() {
    let story = night().press("4");
    let story = story.press("G").sees("? unknown   prod/petshop/adyen  +2");
    story
        .sees("2 more for the same reason: prod/petshop/stripe, prod/petshop/paypal")
        .press("⏎")
        .sees("petshop/stripe");
    // Too many for two lines are all told in the whole detail.
    let why = Why::new("CloudFormation never looks");
    let unknown = |n: usize| {
        item(
            Kind::Parameter,
            "shop",
            &format!("/shop/key{n:02}"),
            Verdict::Unknown(why.clone()),
            sides(plain("a"), plain("a"), crate::compare::Facet::Unreadable(why.clone())),
        )
    };
    let mut report = fixture::report("prod");
    report.sections[2].1 = Ok(Section { items: (0..30).map(unknown).collect(), ..Section::default() });
    let story = super::story::story().answers(report).press("3");
    story.sees("29 more for the same reason: /shop/key01").does_not_see("key29").press("⏎").sees("key29");
}

#[test]
fn who_moved_it_stays_on_the_narrow_overview_and_the_reason_gives_way() {
    let mut report = fixture::report("prod");
    let Ok(section) = &mut report.sections[2].1 else { panic!() };
    let pool = section.items.iter_mut().find(|item| item.name.ends_with("pool_size")).unwrap();
    pool.name = String::from("/checkout/prod/database/primary/pool_size");
    let story = refreshing(night()).answers(report).size(80, 24);
    story.sees("primary/pool_size  ci-deploy").does_not_see("02:11").size(120, 40).sees("02:11  ci-deploy");
}
