//! The crypto page: what is typed there goes where it should and stays nowhere.

use super::story::{Story, night, styles, text, with_crypto};
use crate::compare::Why;
use crate::console::fixture::crypto::{OPENED, ciphertext, line};
use crate::console::typed::LARGEST;
use crate::console::{CryptoAnswer, Effect, Message};
use crate::ops::crypto::smoke::{Check, Step, Verdict};

const TYPED: &str = "the pin is 4711";

/// The page, in that environment.
fn page(environment: &str) -> Story {
    let story = with_crypto().size(200, 50).press("6").answers_all();
    if environment == "prod" { story } else { story.press(&format!("@{environment}⏎")).answers_all() }
}

/// Types a text, spaces included.
fn types(story: Story, text: &str) -> Story {
    story.press(&text.replace(' ', "␣"))
}

fn generation(story: &Story) -> u64 {
    let asked = story.effects.iter().rev().find_map(|effect| match effect {
        Effect::Crypto(generation, ..) => Some(*generation),
        _ => None,
    });
    asked.expect("nothing was asked")
}

fn hears(story: Story, generation: u64, answer: CryptoAnswer) -> Story {
    story.hears(Message::Crypto(generation, answer))
}

#[test]
fn the_page_is_there_where_the_project_has_an_api_and_reads_the_keyring() {
    night().does_not_see("crypto").press("6").sees("this project says of no crypto API").sees("1 OVERVIEW").wants(&[]);
    night().press(":page␣crypto⏎").sees("this project says of no crypto API");
    let story =
        with_crypto().size(200, 50).sees("6 crypto").press("6").wants_first("crypto prod keyring").answers_all();
    let story = story.sees("6 CRYPTO").sees("KEYRING").sees("3 versions").sees("= key 3    latest");
    story.sees("rotates every 90 days, last 12 d ago").press("r").wants(&["crypto prod keyring"]);
}

#[test]
fn a_message_is_typed_sent_and_shown_only_while_it_is_asked_for() {
    let story =
        types(page("prod").press("⏎"), TYPED).sees(TYPED).press("⏎").does_not_see(TYPED).sees("•••• 15 characters");
    let mut story = types(story.press("j⏎"), "of=mara,for=a").press("⏎j⏎2⏎").sees("of=mara,for=a").press("t");
    let asked = story.effects.remove(0);
    assert!(!format!("{asked:?} {:?}", story.model.crypto).contains("4711"));
    story.effects.push(asked);
    let story =
        story.wants_first("crypto prod round trip \"the pin is 4711\" {\"for\": \"a\", \"of\": \"mara\"} under 2");
    let story = story.sees("encrypting and decrypting 0 s, esc cancels").answers_all();
    let story = story.sees("= came back as it was, key 3, 12.3 ms").sees("plumb:v1:3:").does_not_see(TYPED);
    let story =
        story.sees("•••• 15 bytes, v shows them").press("v").sees(TYPED).press("b").sees("746865207069").press("b");
    // It is masked by time, and copied without being shown.
    let story = story.sees("dGhlIHBpbiBpcyA0NzEx").after(30_000).does_not_see("dGhlIHBpbi").sees("masked again");
    story.press("y").wants(&[&format!("copy ciphertext: {}", ciphertext(3))]);
}

#[test]
fn a_ciphertext_is_decrypted_and_rewrapped_and_a_result_can_be_the_input() {
    let pasted = page("prod").press("⏎").hears(Message::Paste(format!(" {}\n", ciphertext(2)))).press("⏎");
    let story = pasted.press("d").sees("decrypting").answers_all().sees("= decrypted, key 2").does_not_see(OPENED);
    let story = story.press("v").sees(OPENED).press("v").does_not_see(OPENED);
    let story = story.press("y").wants_copy(OPENED).press("i").sees("the message is the input now").press("e");
    let story =
        story.wants_first(&format!("crypto prod encrypt \"{OPENED}\"")).answers_all().sees("= encrypted, key 3");
    let story = story.press("i").press("w").wants_first(&format!("crypto prod rewrap {}", ciphertext(3)));
    story.answers_all().sees("= rewrapped, key 2 to 3");
}

impl Story {
    /// States that this was to be copied, and nothing else was asked for.
    fn wants_copy(mut self, text: &str) -> Self {
        let [Effect::Copy(copy)] = self.effects.as_slice() else { panic!("{:?}", self.effects) };
        assert_eq!(copy.text.expose(), text);
        self.effects.clear();
        self
    }
}

#[test]
fn what_is_wrong_with_the_input_is_said_and_nothing_is_sent() {
    let rows: [(&str, &str, &str); 9] = [
        ("", "d", "! not sent: input: there is no ciphertext: the input is empty"),
        ("hello", "d", "input: not a ciphertext of this API: one begins with"),
        ("ENC[AES256_GCM,data:x]", "w", "not a ciphertext of this API but a value of sops"),
        ("plumb:v2:1:AAAA", "d", "of another format than plumb:v1"),
        ("plumb:v1:1:AAAA", "d", "cut off: a ciphertext has at least 80 bytes"),
        ("plumb:v1:99999999999:AAAA", "d", "in the ciphertext: a key version is at most"),
        ("abc?", "ffe", "input: not base64: character 4 is not of its alphabet"),
        ("abc", "fe", "input: not hex: 3 digits are no whole number of bytes"),
        ("xyz", "fe", "input: not hex: character 1 is no digit of it"),
    ];
    for (typed, keys, said) in rows {
        types(page("prod").press("⏎"), typed).press("⏎").press(keys).sees(said).wants(&[]);
    }
    page("prod").press("jj⏎7⏎e").sees("! not sent: key version 7 is not in the keyring, which has 1 to 3").wants(&[]);
    page("prod").press("jj⏎0⏎e").sees("a key version is a number from 1").wants(&[]);
    page("prod").press("j⏎of⏎e").sees("context: pair 1 has no =: a pair is NAME=VALUE").wants(&[]);
    // Nothing is a message too.
    page("prod").press("e").wants(&["crypto prod encrypt \"\" {}"]);
    let huge = page("prod").press("⏎").hears(Message::Paste("x".repeat(LARGEST + 1)));
    huge.sees("does not fit: 64 KiB is the most here").press("⏎").sees("empty: enter types it");
}

#[test]
fn a_refusal_of_the_api_stands_where_the_result_would() {
    let story = page("prod").press("e");
    let asked = generation(&story);
    let why =
        Why::new("cannot encrypt by https://x: HTTP 404 unknown-key-version (request 7d1c)").hint("plumb crypto keys");
    let story = hears(story, asked, CryptoAnswer::Played(Err(why)));
    story.sees("! cannot encrypt by https://x: HTTP 404 unknown-key-version").sees("try: plumb crypto keys");
}

#[test]
fn nothing_stays_when_the_page_or_the_environment_is_left() {
    let typed = || types(page("prod").press("⏎"), TYPED).press("⏎v").sees(TYPED);
    for away in ["1", "2", "q", "@qa⏎"] {
        let story = typed().press("t").press(away).answers_all();
        let back = story.does_not_see("the pin").press("6").answers_all();
        let back = back.press("v").does_not_see("the pin").sees("empty: enter types it").does_not_see("came back");
        assert!(back.model.crypto.text(crate::console::page::crypto::Field::Input).is_empty(), "{away}");
    }
    typed().press("x").sees("wiped").does_not_see("the pin").sees("empty: enter types it");
    // What was under way is not waited for any more, and what it answers is dropped.
    let story = typed().press("e");
    let asked = generation(&story);
    let mut story = story.press("1");
    assert!(story.effects.contains(&Effect::Cancel(asked)));
    story.effects.clear();
    let late = CryptoAnswer::Played(Err(Why::new("too late")));
    hears(story, asked, late).press("6").answers_all().does_not_see("too late");
}

#[test]
fn the_smoke_test_goes_on_row_by_row_and_what_is_not_proven_is_not_passed() {
    let story =
        page("dev").press("s").wants_first("crypto dev smoke, all").sees(". waiting   health").sees("0 of 14 done");
    let asked = generation(&story);
    let step = |story, step| hears(story, asked, CryptoAnswer::Step(step));
    let story = step(story, Step::Begun(Check::Health)).sees("running   health");
    let story = step(story, Step::Done(line(Check::Health))).sees("= passed    health").sees("12.3 ms  key 3");
    let story = step(story, Step::Begun(Check::Latency));
    let story = step(story, Step::Doing(String::from("call 3 of 20"))).sees("call 3 of 20").sees("1 of 14 done");
    let story = story.size(120, 40).answers_all();
    let story = story
        .sees("! failed    tampered byte refused")
        .sees("expected HTTP 422 decryption-refused")
        .sees("got      HTTP 200");
    let story =
        story.sees("request  7d1c0e52-3f7a-4f0c-9a52-0a7a3a7d1c0e").sees("? unproven  no plaintext in the logs");
    let story = story.sees("p50  11.3 ms   p95  24.3 ms   of 20").sees("1 failed").sees("1 unproven").sees("11 passed");
    assert!(!story.screen().contains("all 11 passed"));
    // The next that did not pass, and the overview says how many.
    let story = story.press("gn").sees("▸ ! failed").press("n").sees("▸ ? error").press("N").sees("▸ ! failed");
    story.press("1").sees("CRYPTO").sees("! 1 0s");
}

#[test]
fn where_writing_is_protected_the_safe_subset_is_asked_and_all_of_it_only_when_it_is_said_twice() {
    let story = page("prod").sees("s runs its safe subset").press("s").wants_first("crypto prod smoke, safe");
    let story =
        story.sees("0 of 6 done").sees("safe subset").press("S").sees("the smoke test is under way").answers_all();
    let story = story.sees("all 6 passed").press("S").sees("may trip alarms of prod: S again").wants(&[]);
    let story = with_crypto().press("6").answers_all().press("SjS").wants(&[]).then(story);
    story.press("SS").wants_first("crypto prod smoke, all");
}

impl Story {
    /// Goes on with another story, once this one has come to its end.
    fn then(self, other: Self) -> Self {
        drop(self);
        other
    }
}

#[test]
fn a_test_that_is_cancelled_or_cannot_begin_says_so() {
    let story = page("dev").press("s");
    let asked = generation(&story);
    let story = hears(story, asked, CryptoAnswer::Step(Step::Done(line(Check::Health)))).press("⎋");
    let story = story.sees("cancelled: what was not checked is not known").sees("? cancelled").sees("13 unproven");
    // A late step changes nothing.
    let late = Step::Done(crate::ops::crypto::smoke::Line { verdict: Verdict::Passed, ..line(Check::Logs) });
    hears(story, asked, CryptoAnswer::Step(late)).sees("13 unproven").press("1").sees("? 13");

    let story = page("dev").press("s");
    let asked = generation(&story);
    let why = Why::new("nothing says where the crypto API of dev is").hint("--stack NAME");
    let story =
        hears(story, asked, CryptoAnswer::Smoked(Err(why))).sees("? nothing says where the crypto API of dev is");
    story.sees("try: --stack NAME").press("1").sees("? error");
}

#[test]
fn a_rotation_is_planned_and_confirmed_and_reads_the_keyring_again() {
    let story = page("prod").press("K").answers_all().sees("ROTATE PLAN").sees("petshop-crypto/keyring");
    story.sees("version 3").sees("version 4").sees("prod is read-only").press("prod").wants(&[]);
    let story = page("qa").press("K").answers_all().sees("Type qa to rotate the keyring").press("y").wants(&[]);
    let story = story.press("⌫qa").wants_first("write qa by Name(\"qa\")").sees("rotating the keyring");
    let story = story.answers_all().sees("qa: the keyring has a new key");
    drop(story);
    let mut story = page("dev").press("K").answers_all().press("y");
    let Effect::Write(generation, _) = story.effects.remove(0) else { panic!() };
    story.hears(Message::Written(generation, Ok(None))).wants(&["inspect dev Cached", "crypto dev keyring"]);
}

#[test]
fn in_the_wrong_account_nothing_is_sent() {
    let mut report = crate::console::fixture::report("prod");
    if let Ok(identity) = &mut report.identity {
        identity.expected_account = Some(String::from("471100009999"));
    }
    let story = with_crypto().press("r").answers_first("prod", report).press("6");
    let mut story = story;
    story.effects.clear();
    story.press("e").sees("nothing is sent").press("s").sees("nothing is sent").wants(&[]);
}

impl Story {
    /// Answers the inspection of an environment with this report.
    fn answers_first(mut self, environment: &str, report: crate::ops::report::Report) -> Self {
        while let Some(effect) = (!self.effects.is_empty()).then(|| self.effects.remove(0)) {
            match effect {
                Effect::Inspect(generation, target, _) if target.environment == environment => {
                    return self.hears(Message::Inspected(generation, Box::new(report)));
                }
                Effect::Fetch(generation, _) => self = self.hears(Message::Fetched(generation, Ok(()))),
                _ => {}
            }
        }
        panic!("{environment} is not inspected");
    }
}

#[test]
fn the_page_at_each_size_idle_running_and_failing() {
    let typed = || types(page("dev").press("⏎"), TYPED).press("⏎t").answers_all();
    let running = |story: Story| {
        let story = story.press("s");
        let asked = generation(&story);
        let steps = [
            Step::Begun(Check::Health),
            Step::Begun(Check::Large),
            Step::Done(line(Check::Health)),
            Step::Done(line(Check::Tampered)),
        ];
        steps.into_iter().fold(story, |story, step| hears(story, asked, CryptoAnswer::Step(step)))
    };
    for (width, height) in [(140, 40), (80, 24), (60, 16)] {
        let pictures = [
            ("idle", typed().size(width, height)),
            ("running", running(typed()).size(width, height)),
            ("failing", typed().press("s").answers_all().size(width, height)),
        ];
        for (name, story) in pictures {
            let buffer = story.buffer();
            let picture = format!("{}\n{}", text(&buffer), styles(&buffer));
            insta::assert_snapshot!(format!("{name}_{width}x{height}"), picture);
        }
    }
}
