//! Whether a value may stand where it is to stand, as far as that is known while it is typed. Pure.

use super::desk::Shelf;
use super::{Input, Value, json};
use crate::config::mapping::{STANDARD, Store, name, value_refused};
use crate::sops::Node;

/// What is to be said of a value that is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It can be taken; what it will be.
    Fine(String),
    /// It can be taken, with this to be known.
    Warned(String),
    /// It cannot.
    Refused(String),
}

impl Shelf {
    /// What is to be said of a key and its value here. `before` is what stands there.
    #[must_use]
    pub fn verdict(&self, key: &str, input: &Input, before: Option<&Value>) -> Verdict {
        if self.is_whole() && !key.is_empty() {
            return Verdict::Refused(String::from("the document is one secret: leave the key empty"));
        }
        if key.is_empty() && self.name.contains("{key}") {
            return Verdict::Refused(String::from("give a key, such as db/pool_size"));
        }
        if let Some(why) = self.name_refused(key) {
            return Verdict::Refused(why);
        }
        let (text, is_json) = match input {
            Input::Text(text) => (text, false),
            Input::Json(text) => (text, true),
        };
        let service = match self.store {
            Store::Parameter => "Parameter Store",
            Store::Secret => "Secrets Manager",
        };
        if text.expose().is_empty() {
            return Verdict::Refused(format!("empty: {service} takes no empty value"));
        }
        if (is_json || before.is_some_and(Value::is_structure)) && json(text).is_err() {
            return Verdict::Refused(String::from(
                "no JSON: what stands there is JSON, and so has to be what it becomes",
            ));
        }
        if self.is_whole() && !matches!(json(text), Ok(Node::Map(_))) {
            return Verdict::Refused(String::from(
                "the document is one secret: JSON in braces, such as {\"user\": \"shop\"}",
            ));
        }
        if let Some(why) = value_refused(self.store, text) {
            return Verdict::Refused(why);
        }
        let bytes = text.expose().len();
        let was_bare = before.is_some_and(|before| before.json && !before.is_structure());
        if was_bare && !is_json && json(text).is_err() {
            return Verdict::Warned(String::from("it was a number or a boolean and becomes a text"));
        }
        if self.store == Store::Parameter && bytes > STANDARD {
            return Verdict::Warned(format!("{bytes} bytes: the advanced tier, which costs, takes up to 8192"));
        }
        if text.expose().trim() != text.expose() {
            return Verdict::Warned(format!("{bytes} bytes; it begins or ends with white space"));
        }
        Verdict::Fine(if bytes == 1 { String::from("1 byte") } else { format!("{bytes} bytes") })
    }

    /// Whether its document is one secret as a whole.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.path.is_empty() && !self.name.contains("{key}")
    }

    /// Why AWS would refuse the name.
    #[must_use]
    pub fn name_refused(&self, key: &str) -> Option<String> {
        let full = self.name_of(key);
        match self.store {
            Store::Parameter => name::parameter_refused(&full),
            Store::Secret => name::secret_refused(&full),
        }
    }

    /// The name that a key has in AWS.
    #[must_use]
    pub fn name_of(&self, key: &str) -> String {
        self.name.replace("{key}", key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn shelf(store: Store) -> Shelf {
        Shelf {
            service: String::from("billing"),
            layer: String::from("dev"),
            file: String::from("config/billing/dev/config.json"),
            exists: true,
            store,
            joiner: String::from("/"),
            name: String::from("/billing/dev/{key}"),
            reaches: vec![String::from("dev")],
            path: Vec::new(),
            standing: Ok(None),
        }
    }

    #[test]
    fn what_aws_would_refuse_is_refused_while_it_is_typed() {
        let rows = [
            ("db/pool", "20", "2 bytes"),
            ("db/pool", "", "Parameter Store takes no empty value"),
            ("a b", "x", "' '"),
            ("", "x", "give a key"),
            ("db//pool", "x", "empty"),
        ];
        for (key, value, part) in rows {
            let verdict = shelf(Store::Parameter).verdict(key, &Input::Text(Secret::new(value)), None);
            assert!(format!("{verdict:?}").contains(part), "{key} {value}: {verdict:?}");
            assert_eq!(matches!(verdict, Verdict::Fine(_)), part == "2 bytes", "{key}");
        }
        let aws = Shelf { name: String::from("/{key}"), ..shelf(Store::Parameter) };
        assert!(matches!(aws.verdict("aws/x", &Input::Text(Secret::new("x")), None), Verdict::Refused(_)));
        let long = |length: usize| Input::Text(Secret::new("x".repeat(length)));
        assert!(
            matches!(shelf(Store::Parameter).verdict("k", &long(4097), None), Verdict::Warned(why) if why.contains("tier"))
        );
        assert!(matches!(shelf(Store::Parameter).verdict("k", &long(8193), None), Verdict::Refused(_)));
        assert!(matches!(shelf(Store::Secret).verdict("k", &long(8193), None), Verdict::Fine(_)));
    }

    #[test]
    fn what_was_json_stays_json() {
        let before = |text: &str| Value { text: Secret::new(text), json: true };
        let says = |value: &str, before: &Value| {
            shelf(Store::Parameter).verdict("k", &Input::Text(Secret::new(value)), Some(before))
        };
        assert!(matches!(says("[1", &before("[1,2]")), Verdict::Refused(_)));
        assert!(matches!(says("[1]", &before("[1,2]")), Verdict::Fine(_)));
        assert!(matches!(says("30", &before("20")), Verdict::Fine(_)));
        assert!(matches!(says("thirty", &before("20")), Verdict::Warned(_)));
    }
}
