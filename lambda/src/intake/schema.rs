//! The JSON Schema that records are held to, where the stack has one.

use jsonschema::Validator;
use serde_json::Value;
use serde_json::value::RawValue;

use super::document;

/// Longer a place in a record is not told: its names are the caller's.
const PLACE: usize = 200;

/// A schema, ready to be asked.
pub(super) struct Schema(Validator);

impl Schema {
    /// Reads one; what it refers to must be in it. Its draft is what `$schema` says, or 2020-12.
    pub(super) fn compile(text: &str) -> Result<Self, String> {
        let schema: Value = serde_json::from_str(text).map_err(|error| format!("the schema is no JSON: {error}"))?;
        let made = jsonschema::validator_for(&schema);
        made.map(Self).map_err(|error| format!("the schema is none: {error} ({})", error.schema_path()))
    }

    /// Says what of a record does not fit: where in the record, and by which rule. Never the value.
    pub(super) fn check(&self, record: &RawValue) -> Result<(), String> {
        let value = document::value(record);
        let Err(error) = self.0.validate(&value) else { return Ok(()) };
        let place: String = error.instance_path().to_string().chars().take(PLACE).collect();
        let place = if place.is_empty() { "the record itself".to_owned() } else { place };
        Err(format!("{place} does not fit the schema's {}", error.schema_path()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_told_by_its_place_and_never_by_its_value() {
        let schema = Schema::compile(
            r#"{"type":"object","required":["amount"],"properties":{"amount":{"type":"number","minimum":0},"items":{"items":{"type":"string"}}}}"#,
        )
        .unwrap();
        let check = |text: &str| schema.check(&serde_json::from_str::<Box<RawValue>>(text).unwrap());
        assert_eq!(check(r#"{"amount":3,"items":["a"],"more":{}}"#), Ok(()));
        for (text, place, rule) in [
            (r#"{"x":"hunter2"}"#, "the record itself", "/required"),
            (r#"{"amount":"hunter2"}"#, "/amount", "/properties/amount/type"),
            (r#"{"amount":-4711}"#, "/amount", "/properties/amount/minimum"),
            (r#"{"amount":1,"items":["a",4711]}"#, "/items/1", "/properties/items/items/type"),
        ] {
            let said = check(text).unwrap_err();
            assert!(said.contains(place) && said.contains(rule), "{said}");
            assert!(!said.contains("hunter2") && !said.contains("4711"), "{said}");
        }
    }

    #[test]
    fn a_schema_that_is_none_says_so() {
        for text in ["{", r#"{"type":"nonsense"}"#, r#"{"$ref":"https://example.com/other.json"}"#] {
            assert!(Schema::compile(text).is_err(), "{text}");
        }
    }
}
