//! Conditions, in three values: a known operand can settle what an unknown one cannot.

use serde_json::Value;

use super::super::ResourceRef;
use super::super::leaf::{call, text_of};
use super::{Eval, Resolver, dynamic_reference};

/// Whether a condition holds.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum Truth {
    Known(bool),
    /// The condition with all that is known put in, and why it is not known.
    Open(Value, String),
}

impl Truth {
    pub(in super::super) fn known(self) -> Result<bool, String> {
        match self {
            Self::Known(value) => Ok(value),
            Self::Open(_, why) => Err(why),
        }
    }
}

impl Resolver<'_> {
    pub(in super::super) fn presence(&self, resource: &ResourceRef) -> Truth {
        resource.condition.as_deref().map_or(Truth::Known(true), |name| self.named_condition(name))
    }

    pub(in super::super) fn named_condition(&self, name: &str) -> Truth {
        let reference = || call("Condition", name.into());
        let Some(expression) = self.template.section("Conditions").and_then(|section| section.get(name)) else {
            return Truth::Open(reference(), format!("the template has no condition `{name}`"));
        };
        self.guarded(&format!("condition {name}"), || self.truth(expression))
            .unwrap_or_else(|| Truth::Open(reference(), format!("the condition `{name}` depends on itself")))
    }

    pub(super) fn truth(&self, expression: &Value) -> Truth {
        self.nested(|| self.judge(expression))
            .unwrap_or_else(|| Truth::Open(expression.clone(), "its conditions are nested beyond reason".to_owned()))
    }

    fn judge(&self, expression: &Value) -> Truth {
        let open = |why: &str| Truth::Open(expression.clone(), why.to_owned());
        let Some((name, argument)) =
            expression.as_object().filter(|map| map.len() == 1).and_then(|map| map.iter().next())
        else {
            return open("it is no condition");
        };
        match (name.as_str(), argument) {
            ("Condition", Value::String(name)) => self.named_condition(name),
            ("Fn::Not", Value::Array(items)) if items.len() == 1 => match self.truth(items.first().unwrap_or(argument))
            {
                Truth::Known(value) => Truth::Known(!value),
                Truth::Open(inner, why) => Truth::Open(call("Fn::Not", Value::Array(vec![inner])), why),
            },
            ("Fn::And", Value::Array(items)) => self.all(name, items, false),
            ("Fn::Or", Value::Array(items)) => self.all(name, items, true),
            ("Fn::Equals", Value::Array(items)) => match items.as_slice() {
                [a, b] => self.equals(a, b),
                _ => open("Fn::Equals needs two values"),
            },
            _ => open("it is no condition that can be evaluated here"),
        }
    }

    /// `Fn::And` and `Fn::Or`: one operand of the `decisive` value settles it.
    fn all(&self, name: &str, items: &[Value], decisive: bool) -> Truth {
        let mut unknown = Vec::new();
        let mut reason = None;
        for item in items {
            match self.truth(item) {
                Truth::Known(value) if value == decisive => return Truth::Known(decisive),
                Truth::Known(_) => {}
                Truth::Open(expression, why) => {
                    unknown.push(expression);
                    reason.get_or_insert(why);
                }
            }
        }
        match reason {
            None => Truth::Known(!decisive),
            Some(why) => Truth::Open(call(name, Value::Array(unknown)), why),
        }
    }

    fn equals(&self, a: &Value, b: &Value) -> Truth {
        let (a, b) = match (self.value(a), self.value(b)) {
            (Eval::Known(a), Eval::Known(b)) => (a, b),
            (a, b) => {
                let mut reason = None;
                let mut side = |eval| match eval {
                    Eval::Known(value) => value,
                    Eval::Nothing => {
                        reason.get_or_insert_with(|| "AWS::NoValue cannot be compared".to_owned());
                        call("Ref", "AWS::NoValue".into())
                    }
                    Eval::Open(expression, why) => {
                        reason.get_or_insert(why);
                        expression
                    }
                };
                let operands = vec![side(a), side(b)];
                return Truth::Open(call("Fn::Equals", Value::Array(operands)), reason.unwrap_or_default());
            }
        };
        match equal(&a, &b) {
            Some(equal) => Truth::Known(equal),
            None => Truth::Open(
                call("Fn::Equals", Value::Array(vec![a, b])),
                "how CloudFormation compares these values is not certain".to_owned(),
            ),
        }
    }
}

/// Scalars are compared as text, letter case included.
fn equal(a: &Value, b: &Value) -> Option<bool> {
    if dynamic_reference(a).is_some() || dynamic_reference(b).is_some() {
        return None;
    }
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            if a.len() != b.len() {
                return Some(false);
            }
            a.iter().zip(b).try_fold(true, |all, (a, b)| Some(all && equal(a, b)?))
        }
        _ => Some(text_of(a)? == text_of(b)?),
    }
}
