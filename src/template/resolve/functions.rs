//! The functions that make values.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::super::leaf::{call, function, text_of};
use super::super::sub::{Part, parts};
use super::conditions::Truth;
use super::{Eval, Purpose, Resolver, dynamic_reference, open};

impl Resolver<'_> {
    pub(super) fn function(&self, name: &str, argument: &Value, whole: &Value) -> Eval {
        match (name, argument) {
            ("Ref", Value::String(target)) => self.reference(target),
            ("Fn::GetAtt", Value::Array(items)) => match items.as_slice() {
                [Value::String(logical_id), attribute] => match self.text(attribute) {
                    Ok(attribute) => self.attribute(logical_id, &attribute),
                    Err((expression, why)) => {
                        open(call(name, Value::Array(vec![logical_id.as_str().into(), expression])), why)
                    }
                },
                _ => open(whole.clone(), "Fn::GetAtt needs a resource and an attribute"),
            },
            ("Fn::If", Value::Array(items)) => match items.as_slice() {
                [condition, then, otherwise] => self.choose(condition, then, otherwise),
                _ => open(whole.clone(), "Fn::If needs a condition and two values"),
            },
            ("Fn::Sub", Value::String(text)) => self.substitute(text, None, whole),
            ("Fn::Sub", Value::Array(items)) => match items.as_slice() {
                [Value::String(text)] => self.substitute(text, None, whole),
                [Value::String(text), variables] => self.substitute(text, Some(variables), whole),
                _ => open(whole.clone(), "Fn::Sub needs a text and a mapping"),
            },
            ("Fn::Join", Value::Array(items)) => match items.as_slice() {
                [Value::String(delimiter), list] => self.join(delimiter, list),
                _ => open(whole.clone(), "Fn::Join needs a delimiter and a list"),
            },
            ("Fn::Select", Value::Array(items)) => match items.as_slice() {
                [index, list] => self.select(index, list),
                _ => open(whole.clone(), "Fn::Select needs an index and a list"),
            },
            ("Fn::Split", Value::Array(items)) => match items.as_slice() {
                [Value::String(delimiter), text] if !delimiter.is_empty() => self.split(delimiter, text),
                _ => open(whole.clone(), "Fn::Split needs a delimiter and a text"),
            },
            ("Fn::Base64", text) => match self.text(text) {
                Ok(text) => Eval::Known(STANDARD.encode(text).into()),
                Err((expression, why)) => open(call(name, expression), why),
            },
            ("Fn::FindInMap", Value::Array(items)) if items.len() >= 3 => self.find_in_map(items),
            ("Fn::Length", list) => match self.value(list) {
                Eval::Known(Value::Array(items)) => Eval::Known(items.len().into()),
                Eval::Known(value) => open(call(name, value), "Fn::Length needs a list"),
                Eval::Open(expression, why) => open(call(name, expression), why),
                Eval::Nothing => open(whole.clone(), "Fn::Length needs a list"),
            },
            _ => self.left_to_aws(name, argument),
        }
    }

    /// Functions that only a deployment can evaluate, with what is known put into their arguments.
    fn left_to_aws(&self, name: &str, argument: &Value) -> Eval {
        let why = match name {
            "Fn::ImportValue" => "the export of another stack is read by each deployment",
            "Fn::GetAZs" => "the zones of a region are read by each deployment",
            "Fn::Cidr" => "which blocks Fn::Cidr takes is AWS's to say",
            "Fn::ToJsonString" => "how AWS spells a value as JSON is not certain",
            "Fn::Transform" => "only AWS expands a macro",
            name if name.starts_with("Fn::ForEach") => "only AWS expands a loop",
            "Ref" => "Ref needs the name of a parameter or resource",
            _ => "it is no function that is known here",
        };
        let expression = match self.value(argument) {
            Eval::Known(value) | Eval::Open(value, _) => value,
            Eval::Nothing => no_value(),
        };
        open(call(name, expression), why)
    }

    fn choose(&self, condition: &Value, then: &Value, otherwise: &Value) -> Eval {
        let truth = match condition {
            Value::String(name) => self.named_condition(name),
            expression => self.truth(expression),
        };
        let (condition, why) = match truth {
            Truth::Known(true) => return self.value(then),
            Truth::Known(false) => return self.value(otherwise),
            Truth::Open(expression, why) => (expression, why),
        };
        let branch = |value| match self.value(value) {
            Eval::Known(value) => (value, true),
            Eval::Nothing => (no_value(), false),
            Eval::Open(expression, _) => (expression, false),
        };
        let (then, then_known) = branch(then);
        let (otherwise, otherwise_known) = branch(otherwise);
        if then == otherwise {
            return match (then_known && otherwise_known, then == no_value()) {
                (true, _) => Eval::Known(then),
                (false, true) => Eval::Nothing,
                (false, false) => open(then, why),
            };
        }
        open(call("Fn::If", Value::Array(vec![condition, then, otherwise])), why)
    }

    fn substitute(&self, text: &str, variables: Option<&Value>, whole: &Value) -> Eval {
        let parts = match parts(text) {
            Ok(parts) => parts,
            Err(why) => return open(whole.clone(), why),
        };
        let mut concat = Concat::default();
        for part in parts {
            let name = match part {
                Part::Text(text) => {
                    concat.text(&text);
                    continue;
                }
                Part::Name(name) => name,
            };
            let eval = match (variables.and_then(|variables| variables.get(&name)), name.split_once('.')) {
                (Some(value), _) => self.value(value),
                (None, Some((logical_id, attribute))) => self.attribute(logical_id, attribute),
                (None, None) => self.reference(&name),
            };
            match eval {
                Eval::Known(value) => match text_of(&value) {
                    Some(text) => concat.text(&text),
                    None => concat.open(value, format!("how CloudFormation writes `{name}` as text is not certain")),
                },
                Eval::Nothing => concat.open(no_value(), "AWS::NoValue cannot be put into a text".to_owned()),
                Eval::Open(expression, why) => concat.open(expression, why),
            }
        }
        concat.finish()
    }

    fn join(&self, delimiter: &str, list: &Value) -> Eval {
        if self.is_empty_list_parameter(list) {
            return Eval::Known("".into());
        }
        let (items, why) = match self.value(list) {
            Eval::Known(Value::Array(items)) => (items, None),
            Eval::Open(Value::Array(items), why) => (items, Some(why)),
            Eval::Known(expression) => return join_open(delimiter, expression, "Fn::Join needs a list"),
            Eval::Open(expression, why) => return join_open(delimiter, expression, &why),
            Eval::Nothing => return join_open(delimiter, no_value(), "Fn::Join needs a list"),
        };
        // An open choice may come to nothing and then takes its delimiter along; a list among the items may be longer.
        let is_settled = |item: &Value| match function(item) {
            Some((name, _)) => !matches!(name, "Fn::If" | "Fn::Split" | "Fn::GetAZs" | "Fn::Cidr"),
            None => text_of(item).is_some(),
        };
        if !items.iter().all(is_settled) {
            let why = why.unwrap_or_else(|| "how CloudFormation writes an item as text is not certain".to_owned());
            return join_open(delimiter, Value::Array(items), &why);
        }
        let why = why.unwrap_or_default();
        let mut concat = Concat::default();
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                concat.text(delimiter);
            }
            match text_of(&item) {
                Some(text) => concat.text(&text),
                None => concat.open(item, why.clone()),
            }
        }
        concat.finish()
    }

    /// `!Join ["", !Ref List]` is how templates ask whether a list was given; it is empty however an empty list is read.
    fn is_empty_list_parameter(&self, list: &Value) -> bool {
        let Some(("Ref", Value::String(name))) = function(list) else { return false };
        self.template.parameter(name).is_some_and(|parameter| {
            parameter.is_list()
                && !parameter.no_echo
                && !parameter.is_ssm()
                && self.parameter_text(parameter).is_ok_and(|text| text.is_empty())
        })
    }

    fn select(&self, index: &Value, list: &Value) -> Eval {
        let index = match self.text(index) {
            Ok(text) => text,
            Err((expression, why)) => {
                return open(call("Fn::Select", Value::Array(vec![expression, list.clone()])), why);
            }
        };
        let unknown =
            |list: Value, why: &str| open(call("Fn::Select", Value::Array(vec![index.as_str().into(), list])), why);
        let (items, open_why) = match self.value(list) {
            Eval::Known(Value::Array(items)) => (items, None),
            // An open choice may come to nothing, and then the items behind it move up.
            Eval::Open(Value::Array(items), why) if items.iter().all(|item| !is_choice(item)) => (items, Some(why)),
            Eval::Known(value) => return unknown(value, "Fn::Select needs a list"),
            Eval::Open(expression, why) => return unknown(expression, &why),
            Eval::Nothing => return unknown(no_value(), "Fn::Select needs a list"),
        };
        let Some(item) = index.parse::<usize>().ok().and_then(|index| items.get(index)) else {
            return unknown(Value::Array(items), "Fn::Select has no such item");
        };
        match open_why {
            // Evaluating twice is harmless for what is known, and for what is open it would say the same again.
            Some(why) if contains_function(item) => open(item.clone(), why),
            _ => Eval::Known(item.clone()),
        }
    }

    fn split(&self, delimiter: &str, text: &Value) -> Eval {
        match self.text(text) {
            Ok(text) => Eval::Known(Value::Array(text.split(delimiter).map(Value::from).collect())),
            Err((expression, why)) => open(call("Fn::Split", Value::Array(vec![delimiter.into(), expression])), why),
        }
    }

    fn find_in_map(&self, items: &[Value]) -> Eval {
        let mut keys = Vec::new();
        let mut expressions = Vec::new();
        let mut reason = None;
        for item in items.iter().take(3) {
            match self.text(item) {
                Ok(text) => {
                    expressions.push(Value::from(text.as_str()));
                    keys.push(text);
                }
                Err((expression, why)) => {
                    expressions.push(expression);
                    reason.get_or_insert(why);
                }
            }
        }
        let mappings = self.template.section("Mappings");
        if reason.is_none() {
            let mut at = None;
            for (depth, key) in keys.iter().enumerate() {
                at = if depth == 0 {
                    mappings.and_then(|all| all.get(key))
                } else {
                    at.and_then(|map: &Value| map.get(key))
                };
            }
            match (at, items.get(3).and_then(|options| options.get("DefaultValue"))) {
                (Some(value), _) => return self.value(value),
                (None, Some(default)) => return self.value(default),
                (None, None) => reason = Some(format!("the template has no mapping {}", keys.join(" / "))),
            }
        }
        if self.purpose == Purpose::Compare {
            // What it comes to depends on what the mappings hold.
            let map = expressions.first().and_then(Value::as_str).and_then(|name| mappings?.get(name)).cloned();
            expressions.push(map.unwrap_or_else(|| mappings.cloned().map_or(Value::Null, Value::Object)));
            if let Some(default) = items.get(3) {
                expressions.push(match self.value(default) {
                    Eval::Known(value) | Eval::Open(value, _) => value,
                    Eval::Nothing => no_value(),
                });
            }
        }
        open(call("Fn::FindInMap", Value::Array(expressions)), reason.unwrap_or_default())
    }

    /// A text that can be worked on; `Err` is the open expression and why.
    fn text(&self, value: &Value) -> Result<String, (Value, String)> {
        match self.value(value) {
            Eval::Known(value) => match (dynamic_reference(&value), text_of(&value)) {
                (Some(reference), _) => {
                    Err((value, format!("the dynamic reference {reference} is read by each deployment")))
                }
                (None, Some(text)) => Ok(text),
                (None, None) => Err((value, "a text is needed here".to_owned())),
            },
            Eval::Nothing => Err((no_value(), "AWS::NoValue is no text".to_owned())),
            Eval::Open(expression, why) => Err((expression, why)),
        }
    }
}

/// Texts put one after the other; what is open stays between them, in one form for `Fn::Sub` and `Fn::Join`.
#[derive(Default)]
struct Concat {
    parts: Vec<Value>,
    why: Option<String>,
}

impl Concat {
    fn text(&mut self, text: &str) {
        if let Some(Value::String(last)) = self.parts.last_mut() {
            last.push_str(text);
        } else if !text.is_empty() {
            self.parts.push(text.into());
        }
    }

    fn open(&mut self, expression: Value, why: String) {
        self.why.get_or_insert(why);
        if let Some(("Fn::Join", Value::Array(items))) = function(&expression)
            && let [Value::String(delimiter), Value::Array(inner)] = items.as_slice()
            && delimiter.is_empty()
            && inner.iter().all(|part| part.is_string() || function(part).is_some())
        {
            for part in inner {
                match part {
                    Value::String(text) => self.text(text),
                    part => self.parts.push(part.clone()),
                }
            }
            return;
        }
        self.parts.push(expression);
    }

    fn finish(self) -> Eval {
        match self.why {
            None => Eval::Known(Value::String(self.parts.iter().filter_map(Value::as_str).collect())),
            // A single open part is a text already.
            Some(why) => match <[Value; 1]>::try_from(self.parts) {
                Ok([part]) if function(&part).is_some() => open(part, why),
                Ok(part) => join_open("", Value::Array(part.into()), &why),
                Err(parts) => join_open("", Value::Array(parts), &why),
            },
        }
    }
}

fn join_open(delimiter: &str, list: Value, why: &str) -> Eval {
    open(call("Fn::Join", Value::Array(vec![delimiter.into(), list])), why)
}

fn no_value() -> Value {
    call("Ref", "AWS::NoValue".into())
}

fn is_choice(value: &Value) -> bool {
    function(value).is_some_and(|(name, _)| name == "Fn::If")
}

fn contains_function(value: &Value) -> bool {
    function(value).is_some()
        || match value {
            Value::Array(items) => items.iter().any(contains_function),
            Value::Object(map) => map.keys().any(|key| key.starts_with("Fn::")) || map.values().any(contains_function),
            _ => false,
        }
}
