//! Thousands of requests that nobody would send on purpose: each gets an answer that the description has, none a 5xx, what is
//! acknowledged is stored as it was sent, and no log line says what stood in one.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::{Function, OPENAPI};

/// Stands in every text of a request, and must be nowhere in a log.
const CANARY: &str = "canary-7f3a";

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[ -~]{0,12}", "\\PC{0,12}", ".{0,12}"].prop_map(|text| format!("{CANARY}{text}"))
}

/// A text of JSON, with what is escaped or written in an odd way.
fn leaf() -> impl Strategy<Value = String> {
    let odd = [
        "null",
        "true",
        "-0",
        "1e400",
        "0.10",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\\u0000\"",
        "NaN",
        "01",
        "{}",
        "[]",
    ];
    let digits = "-?[1-9][0-9]{0,60}(\\.[0-9]{1,60})?([eE][+-]?[0-9]{1,4})?";
    prop_oneof![
        4 => text().prop_map(|text| json!(text).to_string()),
        2 => digits,
        1 => prop::sample::select(odd.to_vec()).prop_map(str::to_owned),
    ]
}

fn name() -> impl Strategy<Value = String> {
    let known = ["id", "slot", "S", "items", "record", "__proto__", "$serde_json::private::Number", ""];
    prop_oneof![3 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 2 => text()]
}

fn object(inner: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    prop::collection::vec((name(), inner), 0..5).prop_map(|pairs| {
        let fields = pairs.into_iter().map(|(name, value)| format!("{} :\n{value}", json!(name)));
        format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
    })
}

fn value() -> impl Strategy<Value = String> {
    leaf().prop_recursive(4, 24, 5, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(",")));
        prop_oneof![2 => object(inner), 1 => list]
    })
}

/// An item of a batch, now and then with something else in a field's place.
fn item() -> impl Strategy<Value = String> {
    let quoted = |texts: BoxedStrategy<String>| texts.prop_map(|text| json!(text).to_string()).boxed();
    let field = |name: &'static str, right: BoxedStrategy<String>| {
        prop_oneof![4 => right.prop_map(Some), 4 => Just(None), 1 => value().prop_map(Some)]
            .prop_map(move |value| value.map(|value| format!("\"{name}\":{value}")))
    };
    let record = prop_oneof![9 => object(value()), 1 => value()].boxed();
    let sources = "[A-Za-z0-9._-]{1,64}".boxed();
    (
        field("record", record),
        field("reference", quoted(text().boxed())),
        field("source", quoted(sources)),
        field("idempotency_key", quoted(text().boxed())),
    )
        .prop_map(|(record, reference, source, key)| {
            let fields: Vec<String> = [record, reference, source, key].into_iter().flatten().collect();
            format!("{{{}}}", fields.join(","))
        })
}

fn body() -> impl Strategy<Value = String> {
    let items = prop::collection::vec(item(), 0..5).prop_map(|items| format!("{{\"items\":[{}]}}", items.join(",")));
    let whole = prop_oneof![5 => object(value()), 5 => items, 1 => value()];
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
    let others = [("/v1", "POST"), ("/v1/records/", "POST"), ("/post//", "POST"), ("/v1/health", "DELETE")];
    let others = prop::sample::select(others.to_vec()).prop_map(|(path, method)| (path.to_owned(), method.to_owned()));
    let header = |name: &'static str, right: BoxedStrategy<String>| {
        prop_oneof![6 => Just(None), 3 => right.prop_map(Some), 1 => text().prop_map(Some)]
            .prop_map(move |value| value.map(|value| (name.to_owned(), Value::from(value))))
    };
    let headers = (
        header("Idempotency-Key", text().boxed()),
        header("plumb-source", "[a-z]{1,8}".boxed()),
        header("Plumb-Expires-In", "[0-9]{1,12}".boxed()),
        header("content-type", Just("application/json; charset=utf-8".to_owned()).boxed()),
    );
    let headers = headers.prop_map(|(key, source, expires, kind)| {
        Value::Object([key, source, expires, kind].into_iter().flatten().collect())
    });
    let time = prop_oneof![Just(Value::Null), any::<i64>().prop_map(Value::from)];
    (prop_oneof![12 => routes, 1 => others], body(), headers, time).prop_map(|((path, method), body, headers, time)| {
        let context = json!({"requestTimeEpoch": time});
        json!({"httpMethod": method, "path": path, "body": body, "headers": headers, "requestContext": context})
    })
}

#[test]
fn thousands_of_random_requests_get_an_answer_of_the_description_and_leave_nothing_in_the_log() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let function = Function::new();
    let mut seen = std::collections::BTreeMap::new();
    let seen_in = std::cell::RefCell::new(&mut seen);
    let mut runner = TestRunner::new(Config { cases: 5000, failure_persistence: None, ..Config::default() });
    runner
        .run(&event(), |event| {
            let answered = runtime.block_on(function.gateway(&event));
            prop_assert!(answered.status < 500, "{}", answered.body);
            let lines = std::mem::take(&mut *function.log.lock().unwrap());
            prop_assert!(lines.len() == 1 && !lines[0].contains(CANARY), "{lines:?}");
            prop_assert!(!answered.body["detail"].to_string().contains(CANARY), "{}", answered.body);
            if answered.status == 201 {
                let id = answered.body["id"].as_str().unwrap();
                let records = function.table.records.lock().unwrap();
                let whitespace = [' ', '\n', '\r', '\t'];
                prop_assert_eq!(records[id].body.as_str(), event["body"].as_str().unwrap().trim_matches(whitespace));
            }
            *seen_in.borrow_mut().entry(answered.status).or_insert(0_u32) += 1;
            Ok(())
        })
        .unwrap();
    for status in [200, 201, 400, 404, 405, 415, 422] {
        assert!(seen.get(&status).is_some_and(|count| *count > 10), "{status}: {seen:?}");
    }
}
