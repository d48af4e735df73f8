//! What is counted of a week in one pass: by day, by source, by field. Memory is bounded, whatever the records hold.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::sketch::Sketch;
use super::{Failure, Row};
use crate::intake::walk;

/// So many fields are counted, by order of appearance.
const FIELDS: usize = 200;
/// A longer path is not counted by itself.
const PATH: usize = 256;
/// So many sources are counted, by order of appearance.
const SOURCES: usize = 1000;
/// All further sources together: no source has this name.
const OTHERS: &str = "*";
/// Whole numbers up to here are told without a point.
const WHOLE: f64 = 9_007_199_254_740_992.0;

/// A record, as it is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Place {
    id: String,
    received: String,
}

/// What was counted.
#[derive(Default)]
pub(super) struct Statistics {
    pub(super) records: u64,
    pub(super) bytes: u64,
    first: Option<Place>,
    last: Option<Place>,
    days: BTreeMap<String, u64>,
    sources: BTreeMap<String, u64>,
    fields: Vec<(String, Field)>,
    places: HashMap<String, usize>,
    /// How often a field was there that is not counted by itself.
    more: u64,
}

/// One field.
#[derive(Default)]
struct Field {
    present: u64,
    /// The number of the last record that had it: a path may come from two fields of one record.
    last: u64,
    numbers: Option<Numbers>,
}

/// What was counted of a field's numbers.
struct Numbers {
    count: u64,
    least: f64,
    greatest: f64,
    /// The sum, and what was lost of it by rounding (Neumaier's).
    sum: f64,
    lost: f64,
    sketch: Sketch,
}

impl Statistics {
    /// Takes a day as it is, also one without records.
    pub(super) fn day(&mut self, date: &str, count: u64) {
        self.days.insert(date.to_owned(), count);
    }

    pub(super) fn add(&mut self, date: &str, row: &Row) -> Result<(), Failure> {
        if !row.received.starts_with(date) {
            return Err(Failure::Failed(format!("record {} of {} lies in the index at {date}", row.id, row.received)));
        }
        self.records += 1;
        self.bytes += u64::try_from(row.body.len()).unwrap_or_default();
        let place = Place { id: row.id.clone(), received: row.received.clone() };
        self.first.get_or_insert_with(|| place.clone());
        self.last = Some(place);
        let known = self.sources.len() < SOURCES || self.sources.contains_key(&row.source);
        *self.sources.entry(if known { row.source.clone() } else { OTHERS.to_owned() }).or_default() += 1;
        walk(&row.body, &mut |path, number| self.field(path, number))
            .map_err(|fault| Failure::Failed(format!("record {} is {fault}: no intake has written it", row.id)))
    }

    fn field(&mut self, path: &str, number: Option<&str>) {
        let place = match self.places.get(path) {
            Some(place) => *place,
            None if self.fields.len() < FIELDS && path.len() <= PATH => {
                self.places.insert(path.to_owned(), self.fields.len());
                self.fields.push((path.to_owned(), Field::default()));
                self.fields.len() - 1
            }
            None => {
                self.more += 1;
                return;
            }
        };
        let Some((_, field)) = self.fields.get_mut(place) else { return };
        if field.last != self.records {
            field.present += 1;
            field.last = self.records;
        }
        // What is beyond the largest double is there, and is no number to count with.
        if let Some(number) = number.and_then(|text| text.parse::<f64>().ok()).filter(|number| number.is_finite()) {
            field.numbers.get_or_insert_with(|| Numbers::new(number)).add(number);
        }
    }

    /// `summary.json`.
    pub(super) fn told(&self, format: &str, week: &str, from: &str, to: &str) -> Result<String, serde_json::Error> {
        let fields = self.fields.iter().map(|(path, field)| (path.clone(), field.told()));
        let told = json!({
            "format": format,
            "week": week,
            "from": from,
            "to": to,
            "records": self.records,
            "bytes": self.bytes,
            "first": self.first,
            "last": self.last,
            "days": self.days,
            "sources": self.sources,
            "fields": fields.collect::<Map<_, _>>(),
            "more_fields": self.more,
        });
        Ok(serde_json::to_string(&told)? + "\n")
    }
}

impl Field {
    fn told(&self) -> Value {
        let mut told = json!({"present": self.present});
        if let Some(numbers) = &self.numbers {
            told["numbers"] = numbers.told();
        }
        told
    }
}

impl Numbers {
    fn new(first: f64) -> Self {
        Self { count: 0, least: first, greatest: first, sum: 0.0, lost: 0.0, sketch: Sketch::default() }
    }

    fn add(&mut self, number: f64) {
        self.count += 1;
        self.least = self.least.min(number);
        self.greatest = self.greatest.max(number);
        let sum = self.sum + number;
        self.lost += if self.sum.abs() >= number.abs() { (self.sum - sum) + number } else { (number - sum) + self.sum };
        self.sum = sum;
        self.sketch.add(number);
    }

    fn told(&self) -> Value {
        #[allow(clippy::cast_precision_loss, reason = "beyond 2^53 records the mean is as good as the rest")]
        let mean = (self.sum + self.lost) / self.count as f64;
        let percentile = |percentile| number(self.sketch.percentile(percentile).clamp(self.least, self.greatest));
        json!({
            "count": self.count,
            "min": number(self.least),
            "max": number(self.greatest),
            "mean": number(mean),
            "percentiles": {"50": percentile(50), "90": percentile(90), "99": percentile(99)},
        })
    }
}

/// A number as it is told; null for one that no JSON can have.
fn number(number: f64) -> Value {
    #[allow(clippy::cast_possible_truncation, reason = "it was looked at")]
    if number.fract() == 0.0 && number.abs() < WHOLE { json!(number as i64) } else { json!(number) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bodies: &[&str]) -> Value {
        let mut statistics = Statistics::default();
        for (number, body) in bodies.iter().enumerate() {
            let row = Row {
                id: format!("{number:026}"),
                received: format!("2026-11-16T00:00:0{}.000Z", number % 10),
                source: if number == 0 { "web" } else { "app" }.to_owned(),
                body: (*body).to_owned(),
            };
            statistics.add("2026-11-16", &row).unwrap();
        }
        statistics.day("2026-11-16", statistics.records);
        serde_json::from_str(&statistics.told("f", "w", "a", "b").unwrap()).unwrap()
    }

    #[test]
    fn days_sources_fields_and_numbers_are_counted() {
        let told = of(&[
            r#"{"amount": 1, "who": {"age": 30, "name": "x"}}"#,
            r#"{"amount": 9.5, "who": null, "tags": [1, 2]}"#,
            r#"{"amount": "9", "who": {"age": 31}}"#,
        ]);
        assert_eq!((&told["records"], &told["bytes"]), (&json!(3), &json!(125)));
        assert_eq!(told["days"], json!({"2026-11-16": 3}));
        assert_eq!(told["sources"], json!({"app": 2, "web": 1}));
        assert_eq!(told["first"], json!({"id": format!("{:026}", 0), "received": "2026-11-16T00:00:00.000Z"}));
        assert_eq!(told["last"]["id"], format!("{:026}", 2));
        let names: Vec<&String> = told["fields"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["amount", "who", "who.age", "who.name", "tags"]);
        let numbers =
            json!({"count": 2, "min": 1, "max": 9.5, "mean": 5.25, "percentiles": {"50": 1, "90": 9.5, "99": 9.5}});
        assert_eq!(told["fields"]["amount"], json!({"present": 3, "numbers": numbers}));
        assert_eq!(told["fields"]["tags"], json!({"present": 1}));
        assert_eq!(told["fields"]["who"], json!({"present": 3}));
    }

    #[test]
    fn the_mean_loses_nothing_and_a_number_beyond_all_is_no_number() {
        let mut bodies = vec![r#"{"a":1e16}"#];
        bodies.extend([r#"{"a":1}"#; 9]);
        bodies.push(r#"{"a":-1e16}"#);
        bodies.push(r#"{"a":1e999}"#);
        let told = of(&bodies);
        assert_eq!(told["fields"]["a"]["present"], 12);
        let numbers = &told["fields"]["a"]["numbers"];
        assert_eq!((&numbers["count"], numbers["mean"].as_f64()), (&json!(11), Some(9.0 / 11.0)));
    }

    #[test]
    fn one_path_of_two_fields_is_present_once_in_a_record() {
        let told = of(&[r#"{"a.b": 1, "a": {"b": 2}}"#]);
        assert_eq!(told["fields"]["a.b"]["present"], 1);
        assert_eq!(told["fields"]["a.b"]["numbers"]["count"], 2);
    }

    #[test]
    fn fields_and_sources_beyond_the_limits_are_counted_together() {
        let keys: Vec<String> = (0..10_000).map(|number| format!("\"k{number}\":{number}")).collect();
        let wide = format!("{{{}}}", keys.join(","));
        let told = of(&[&wide, &wide, &format!("{{\"{}\":1}}", "x".repeat(257))]);
        assert_eq!(told["fields"].as_object().unwrap().len(), FIELDS);
        assert_eq!(told["fields"]["k199"]["present"], 2);
        assert_eq!(told["more_fields"], 2 * (10_000 - 200) + 1);
        let mut statistics = Statistics::default();
        for number in 0..1500 {
            let (id, received) = (format!("{number:026}"), "2026-11-16T00".to_owned());
            let row = Row { id, received, source: format!("s{number}"), body: "{}".to_owned() };
            statistics.add("2026-11-16", &row).unwrap();
        }
        assert_eq!((statistics.sources.len(), statistics.sources[OTHERS]), (SOURCES + 1, 500));
    }

    #[test]
    fn what_no_intake_has_written_is_an_error_with_its_id() {
        let mut statistics = Statistics::default();
        let row = |received: &str, body: &str| Row {
            id: "ID".into(),
            received: received.into(),
            source: "s".into(),
            body: body.into(),
        };
        for row in [row("2026-11-16T", "[1]"), row("2026-11-16T", "{\"a\":"), row("2026-11-17T", "{}")] {
            assert!(statistics.add("2026-11-16", &row).unwrap_err().to_string().contains("record ID"));
        }
    }
}
