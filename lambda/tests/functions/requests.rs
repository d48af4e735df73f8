//! Ten thousand malformed requests to a real process: it answers each as it is described, and is still there.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::bootstrap::crypto;
use crate::openapi::OpenApi;
use crate::secrets::Secrets;

const CANARY: &str = "canary-51c2";

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(sides).unwrap()).unwrap()
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.roll(of.len())]
    }
}

/// Valid requests, from which invalid ones are made by cutting, doubling and exchanging pieces.
fn seeds(sealed: &str) -> Vec<String> {
    let text = format!("{CANARY} grüße");
    let seeds = [
        json!({"text": text, "context": {"a": CANARY}}),
        json!({"plaintext": "AAEC", "key_version": 1, "reference": CANARY}),
        json!({"ciphertext": sealed}),
        json!({"ciphertext": sealed, "context": {CANARY: "x"}}),
        json!({"items": [{"text": text}, {"ciphertext": sealed}, {"reference": "r", "plaintext": "%"}]}),
    ];
    seeds.map(|seed| seed.to_string()).to_vec()
}

const PIECES: [&str; 18] = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "null",
    "1e999",
    "-0",
    "\u{0}",
    "\u{feff}",
    "🔑",
    "plumb:v1:2:",
    "text",
];

fn damaged(dice: &mut Dice, seed: &str) -> String {
    let mut characters: Vec<char> = seed.chars().collect();
    for _ in 0..dice.roll(4) {
        let at = dice.roll(characters.len() + 1);
        let end = (at + dice.roll(8)).min(characters.len());
        let piece = match dice.roll(3) {
            0 => String::new(),
            1 => (*dice.pick(&PIECES)).to_owned(),
            _ => characters[at..end].iter().collect::<String>().repeat(2),
        };
        characters.splice(at..end, piece.chars());
    }
    characters.into_iter().collect()
}

#[test]
fn ten_thousand_malformed_requests_are_answered_by_one_process() {
    let openapi = OpenApi::load();
    let secrets = Secrets::start();
    let function = crypto(&secrets);
    let first = json!({"operation": "encrypt", "body": {"text": "x"}}).to_string();
    let sealed = function.invoke(&first).answer()["body"]["ciphertext"].as_str().unwrap().to_owned();
    let (seeds, routes) = (seeds(&sealed), openapi.routes());
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut seen: BTreeMap<u64, u32> = BTreeMap::new();
    for _ in 0..10_000 {
        let chosen = dice.pick(&seeds).clone();
        let body = damaged(&mut dice, &chosen);
        let (path, method) = dice.pick(&routes).clone();
        let event =
            json!({"httpMethod": method, "path": path, "body": body, "headers": {"content-type": "application/json"}});
        let answer: Value = function.invoke(&event.to_string()).answer();
        let status = answer["statusCode"].as_u64().unwrap();
        let headers = serde_json::from_value(answer["headers"].clone()).unwrap();
        let text = answer["body"].as_str().unwrap();
        assert!(status < 500, "{event}: {text}");
        let described = openapi.check(&method, &path, u16::try_from(status).unwrap(), &headers, text);
        assert_eq!(described, Ok(()), "{event}: {text}");
        *seen.entry(status).or_default() += 1;
    }
    for status in [200, 400, 422] {
        assert!(seen.get(&status).is_some_and(|count| *count > 100), "{seen:?}");
    }
    let log = function.log_with("00000000-0000-4000-8000-000000010001");
    assert!(!log.contains(CANARY) && !log.contains(&sealed[..40]), "the log repeats a request");
    assert_eq!(log.lines().count(), 10_001, "one line for each");
    assert!(function.peak_memory() < 64 * 1024, "{} KiB", function.peak_memory());
}
