//! Ten thousand requests that nobody would send on purpose: each gets an answer that the description has, none a 5xx, and
//! no log line says what stood in one.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::{Function, OPENAPI};

/// Stands in every text of a request, and must be nowhere in a log.
const CANARY: &str = "canary-7f3a";

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("AAE=".to_owned()),
        Just("plumb:v1:1:AAAA".to_owned()),
        Just(format!("plumb:v1:1:{}", "A".repeat(107))),
        Just(format!("plumb:v1:4000000000:{}", "A".repeat(107))),
        "\\PC{0,12}",
        ".{0,12}",
    ]
    .prop_map(|text| format!("{CANARY}{text}"))
    .prop_flat_map(|marked| prop_oneof![Just(marked.clone()), Just(marked.replacen(CANARY, "", 1))])
}

fn name() -> impl Strategy<Value = String> {
    let known = ["text", "plaintext", "ciphertext", "context", "key_version", "reference", "items"];
    prop_oneof![8 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => text()]
}

fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(1)),
        Just(json!(2)),
        any::<i64>().prop_map(|n| json!(n)),
        any::<f64>().prop_map(|n| json!(n))
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![4 => text().prop_map(Value::from), 1 => number(), 1 => any::<bool>().prop_map(Value::from), 1 => Just(Value::Null)];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec((name(), inner.clone()), 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            prop::collection::vec(inner, 0..4).prop_map(Value::Array),
        ]
    })
}

/// What a route takes, now and then with something else in its place.
fn item() -> impl Strategy<Value = Value> {
    let field = |name: &'static str, right: BoxedStrategy<Value>| {
        prop_oneof![6 => right.prop_map(Some), 3 => Just(None), 1 => value().prop_map(Some)]
            .prop_map(move |value| value.map(|value| (name.to_owned(), value)))
    };
    let texts = || text().prop_map(Value::from).boxed();
    let context = prop::collection::btree_map(text(), text(), 0..3).prop_map(|context| json!(context)).boxed();
    let message = prop_oneof![
        4 => field("ciphertext", texts()),
        3 => field("text", texts()),
        1 => field("plaintext", texts()),
    ];
    let rest = (field("context", context), field("reference", texts()), field("key_version", number().boxed()));
    (message, rest).prop_map(|(message, (context, reference, version))| {
        Value::Object([message, context, reference, version].into_iter().flatten().collect())
    })
}

/// A body: of the right shape, of a random one, and either of them damaged.
fn body() -> impl Strategy<Value = String> {
    let items = prop::collection::vec(item(), 0..4).prop_map(|items| json!({"items": items}));
    let odd =
        prop::collection::vec((name(), value()), 0..4).prop_map(|pairs| Value::Object(pairs.into_iter().collect()));
    let whole = prop_oneof![6 => item(), 2 => items, 2 => odd, 1 => value()].prop_map(|value| value.to_string());
    let damage = (any::<prop::sample::Index>(), prop_oneof![5 => Just(None), 1 => ".{0,3}".prop_map(Some)]);
    (whole, damage).prop_map(|(whole, (at, damage))| {
        let Some(damage) = damage else { return whole };
        let mut characters: Vec<char> = whole.chars().collect();
        let at = at.index(characters.len() + 1);
        characters.splice(at..(at + damage.len()).min(characters.len()), damage.chars());
        characters.into_iter().collect()
    })
}

fn event() -> impl Strategy<Value = Value> {
    let routes = prop::sample::select(OPENAPI.routes());
    let paths =
        ["/", "/v1", "/v1/encrypt", "/v1/encrypt/", "//v1/encrypt", "/v1/../encrypt", "/v1/keys"].map(str::to_owned);
    let methods = ["PUT", "DELETE", "OPTIONS", "POST", "GET", ""].map(str::to_owned);
    let route =
        prop_oneof![9 => routes, 1 => (prop::sample::select(paths.to_vec()), prop::sample::select(methods.to_vec()))];
    let headers = prop_oneof![
        20 => Just(json!({"content-type": "application/json"})),
        1 => Just(Value::Null),
        1 => value(),
        1 => text().prop_map(|kind| json!({"Content-Type": kind})),
    ];
    let encoded = prop_oneof![20 => Just(json!(false)), 1 => Just(json!(true)), 1 => Just(Value::Null)];
    let context = prop_oneof![3 => Just(Value::Null), 1 => number()];
    (route, body(), headers, encoded, context).prop_map(|((path, method), body, headers, encoded, context)| {
        json!({
            "httpMethod": method, "path": path, "body": body, "headers": headers, "isBase64Encoded": encoded,
            "requestContext": context,
        })
    })
}

#[test]
fn ten_thousand_random_requests_get_an_answer_of_the_description_and_leave_nothing_in_the_log() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let function = Function::new();
    let config = Config { cases: 10_000, failure_persistence: None, ..Config::default() };
    let mut seen = std::collections::BTreeMap::new();
    let mut runner = TestRunner::new(config);
    let seen_in = std::cell::RefCell::new(&mut seen);
    runner
        .run(&event(), |event| {
            let answered = runtime.block_on(function.gateway(&event));
            prop_assert!(answered.status < 500, "{}", answered.body);
            let lines = std::mem::take(&mut *function.log.lock().unwrap());
            prop_assert!(lines.len() == 1 && !lines[0].contains(CANARY), "{lines:?}");
            prop_assert!(!answered.body["detail"].to_string().contains(CANARY), "{}", answered.body);
            *seen_in.borrow_mut().entry(answered.status).or_insert(0_u32) += 1;
            Ok(())
        })
        .unwrap();
    // That most of them get as far as a key or a ciphertext is what makes the rest worth something.
    for status in [200, 400, 404, 405, 415, 422] {
        assert!(seen.get(&status).is_some_and(|count| *count > 10), "{status}: {seen:?}");
    }
}

proptest! {
    #[test]
    fn any_json_at_all_is_answered(event in value()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let function = Function::new();
        let answer = runtime.block_on(function.crypto.handle(&event.to_string(), "r"));
        prop_assert!((200..500).contains(&answer.status));
        prop_assert!(!function.log.lock().unwrap()[0].contains(CANARY));
    }
}
