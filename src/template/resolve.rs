//! What of a template can be known now.

use std::cell::{Cell, RefCell};

use serde_json::{Map, Value};

use super::leaf::{AS_WRITTEN, call, digest, function, text_of};
use super::{Parameter, ResourceRef, Scope, Template};

mod conditions;

mod functions;

pub(super) use conditions::Truth;

/// What a fragment of a template comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Resolved {
    /// This value.
    Value(Value),
    /// `AWS::NoValue`: as if it were not written.
    NoValue,
    /// It cannot be known before a deployment, or not at all.
    Open {
        /// The fragment with all that is known put in.
        expression: Value,
        /// Why, in one line.
        why: String,
    },
}

impl Template {
    /// What a fragment of this template comes to in a stack, as the stack stands: `Ref` of a queue is the URL that
    /// the queue has now, even when git is about to replace it.
    #[must_use]
    pub fn resolve(&self, fragment: &Value, scope: &Scope) -> Resolved {
        match Resolver::new(self, scope, Purpose::Know).value(fragment) {
            Eval::Known(value) => match dynamic_reference(&value) {
                Some(reference) => {
                    let why = format!("the dynamic reference {reference} is read by each deployment");
                    Resolved::Open { expression: value, why }
                }
                None => Resolved::Value(value),
            },
            Eval::Nothing => Resolved::NoValue,
            Eval::Open(expression, why) => Resolved::Open { expression, why },
        }
    }

    /// Whether a condition holds; `Err` says why that is not known.
    pub fn condition(&self, name: &str, scope: &Scope) -> Result<bool, String> {
        Resolver::new(self, scope, Purpose::Know).named_condition(name).known()
    }

    /// Whether a resource is part of the stack; `Err` says why that is not known. One that the template does not have
    /// is not, unless a macro may add it.
    pub fn present(&self, logical_id: &str, scope: &Scope) -> Result<bool, String> {
        match self.resource(logical_id) {
            Some(resource) => Resolver::new(self, scope, Purpose::Know).presence(resource).known(),
            None => self.expanded_by_aws().map_or(Ok(false), |why| Err(why.to_owned())),
        }
    }
}

/// What an evaluation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To know a value; an open expression is shown to people.
    Know,
    /// To tell whether two templates ask for the same; an open expression carries all that its value depends on.
    Compare,
}

/// What an evaluation comes to.
#[derive(Debug, Clone)]
pub(super) enum Eval {
    Known(Value),
    Nothing,
    Open(Value, String),
}

/// More steps than any template needs; conditions that refer to each other can ask for exponentially many.
const MAX_STEPS: usize = 100_000;

/// Deeper than any template nests, conditions that refer to conditions included; keeps the stack from overflowing.
const MAX_NESTING: usize = 250;

pub(super) struct Resolver<'a> {
    template: &'a Template,
    scope: &'a Scope,
    purpose: Purpose,
    steps: Cell<usize>,
    nesting: Cell<usize>,
    gave_up: Cell<bool>,
    /// Conditions and resources that are being evaluated, to notice circles.
    under_way: RefCell<Vec<String>>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(template: &'a Template, scope: &'a Scope, purpose: Purpose) -> Self {
        Self {
            template,
            scope,
            purpose,
            steps: Cell::new(0),
            nesting: Cell::new(0),
            gave_up: Cell::new(false),
            under_way: RefCell::default(),
        }
    }

    pub(super) fn value(&self, value: &Value) -> Eval {
        self.nested(|| self.evaluate(value))
            .unwrap_or_else(|| open(value.clone(), "its functions are nested beyond reason"))
    }

    /// Whether something was left as it is because of its size, so that an open expression does not tell all.
    pub(super) fn gave_up(&self) -> bool {
        self.gave_up.get()
    }

    fn evaluate(&self, value: &Value) -> Eval {
        match value {
            Value::Array(items) => self.list(items),
            Value::Object(map) => match function(value) {
                Some((AS_WRITTEN, Value::String(text))) => open(
                    value.clone(),
                    format!("how CloudFormation reads the unquoted `{text}` is not certain; quote it in the template"),
                ),
                Some((name, argument)) => self.function(name, argument, value),
                None => self.object(map, value),
            },
            scalar => Eval::Known(scalar.clone()),
        }
    }

    /// Runs `evaluate` one level deeper; `None` when that is beyond the limits.
    fn nested<T>(&self, evaluate: impl FnOnce() -> T) -> Option<T> {
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > MAX_STEPS || self.nesting.get() >= MAX_NESTING {
            self.gave_up.set(true);
            return None;
        }
        self.nesting.set(self.nesting.get() + 1);
        let result = evaluate();
        self.nesting.set(self.nesting.get() - 1);
        Some(result)
    }

    fn list(&self, items: &[Value]) -> Eval {
        let mut list = Vec::with_capacity(items.len());
        let mut reason = None;
        for item in items {
            match self.value(item) {
                Eval::Known(value) => list.push(value),
                Eval::Nothing => {}
                Eval::Open(expression, why) => {
                    list.push(expression);
                    reason.get_or_insert(why);
                }
            }
        }
        finish(Value::Array(list), reason)
    }

    fn object(&self, map: &Map<String, Value>, whole: &Value) -> Eval {
        if let Some(key) = map.keys().find(|key| key.starts_with("Fn::")) {
            return open(whole.clone(), format!("only AWS expands {key} beside other keys"));
        }
        let mut object = Map::new();
        let mut reason = None;
        for (key, value) in map {
            match self.value(value) {
                Eval::Known(value) => {
                    object.insert(key.clone(), value);
                }
                Eval::Nothing => {}
                Eval::Open(expression, why) => {
                    object.insert(key.clone(), expression);
                    reason.get_or_insert(why);
                }
            }
        }
        finish(Value::Object(object), reason)
    }

    /// `Ref` of a pseudo parameter, a parameter or a resource.
    fn reference(&self, name: &str) -> Eval {
        let expression = call("Ref", name.into());
        if name.starts_with("AWS::") {
            return self.pseudo(name, expression);
        }
        if let Some(parameter) = self.template.parameter(name) {
            return self.parameter(parameter, &expression);
        }
        let Some(resource) = self.template.resource(name) else {
            return match self.scope.physical_ids.get(name).filter(|_| self.template.expanded_by_aws().is_some()) {
                Some(id) if self.purpose == Purpose::Know => Eval::Known(id.as_str().into()),
                _ => open(expression, format!("the template has no parameter or resource `{name}`")),
            };
        };
        if let Some(gone) = self.gone(resource, &expression) {
            return gone;
        }
        match self.scope.physical_ids.get(name).filter(|_| self.may_substitute(resource)) {
            // Of compound ids it is not certain which part `Ref` returns.
            Some(id) if !id.contains('|') => Eval::Known(id.as_str().into()),
            _ => {
                let annotated = self.annotated(resource, |extra| {
                    let mut items = vec![Value::from(name)];
                    items.extend(extra);
                    call("Ref", Value::Array(items))
                });
                open(annotated.unwrap_or(expression), format!("the id of `{name}` is known only once it is deployed"))
            }
        }
    }

    fn pseudo(&self, name: &str, expression: Value) -> Eval {
        let scope = self.scope;
        let known = match name {
            "AWS::NoValue" => return Eval::Nothing,
            "AWS::AccountId" => &scope.account,
            "AWS::Region" => &scope.region,
            "AWS::Partition" => &scope.partition,
            "AWS::StackName" => &scope.stack_name,
            "AWS::StackId" => &scope.stack_id,
            "AWS::URLSuffix" => &scope.url_suffix,
            _ => &None,
        };
        match known {
            Some(text) => Eval::Known(text.as_str().into()),
            None => open(expression, format!("{name} is not known here")),
        }
    }

    fn parameter(&self, parameter: &Parameter, expression: &Value) -> Eval {
        let name = &parameter.name;
        let annotated = |asked: Value| match self.purpose {
            Purpose::Know => expression.clone(),
            Purpose::Compare => {
                call("Ref", Value::Array(vec![name.as_str().into(), parameter.type_name.as_str().into(), asked]))
            }
        };
        if parameter.no_echo {
            return open(annotated(self.secret_asked(parameter)), format!("NoEcho parameter {name}"));
        }
        let asked = || match self.scope.parameters.get(name) {
            Some(text) => text.as_str().into(),
            None => parameter.default.clone().unwrap_or_default(),
        };
        let text = if parameter.is_ssm() {
            let Some(text) = self.scope.ssm_values.get(name) else {
                let why = format!("parameter {name} is read from Parameter Store by each deployment");
                return open(annotated(asked()), why);
            };
            text.clone()
        } else {
            match self.parameter_text(parameter) {
                Ok(text) => text,
                Err(why) => return open(annotated(asked()), why),
            }
        };
        if !parameter.is_list() {
            return Eval::Known(text.into());
        }
        if text.is_empty() {
            return open(annotated("".into()), format!("what list an empty parameter {name} makes is not certain"));
        }
        Eval::Known(Value::Array(text.split(',').map(|item| item.trim().into()).collect()))
    }

    /// In a comparison: which secret is asked for, told apart by a digest and never by its text. DescribeStacks prints
    /// `****` for one that a stack already has, and a deployment keeps it.
    fn secret_asked(&self, parameter: &Parameter) -> Value {
        let text = match (self.scope.parameters.get(&parameter.name), &parameter.default) {
            (Some(text), _) if text.bytes().all(|byte| byte == b'*') => return Value::Null,
            (Some(text), _) => text.clone(),
            (None, Some(default)) => text_of(default).unwrap_or_else(|| default.to_string()),
            (None, None) => return Value::Null,
        };
        digest(&text)
    }

    /// The text that a parameter is given, or its default.
    fn parameter_text(&self, parameter: &Parameter) -> Result<String, String> {
        let name = &parameter.name;
        if let Some(text) = self.scope.parameters.get(name) {
            return Ok(text.clone());
        }
        let default = parameter.default.as_ref().ok_or_else(|| format!("parameter {name} has no value"))?;
        text_of(default)
            .ok_or_else(|| format!("how CloudFormation reads the default of parameter {name} is not certain"))
    }

    /// `Fn::GetAtt`.
    fn attribute(&self, logical_id: &str, attribute: &str) -> Eval {
        let expression = call("Fn::GetAtt", Value::Array(vec![logical_id.into(), attribute.into()]));
        let key = (logical_id.to_owned(), attribute.to_owned());
        let known = self.scope.attributes.get(&key);
        let Some(resource) = self.template.resource(logical_id) else {
            return match known.filter(|_| self.template.expanded_by_aws().is_some()) {
                Some(value) if self.purpose == Purpose::Know => Eval::Known(value.as_str().into()),
                _ => open(expression, format!("the template has no resource `{logical_id}`")),
            };
        };
        if let Some(gone) = self.gone(resource, &expression) {
            return gone;
        }
        if let Some(value) = known.filter(|_| self.may_substitute(resource)) {
            return Eval::Known(value.as_str().into());
        }
        let annotated = self.annotated(resource, |extra| {
            let mut items = vec![Value::from(logical_id), attribute.into()];
            items.extend(extra);
            call("Fn::GetAtt", Value::Array(items))
        });
        let why = format!("attribute {attribute} of `{logical_id}` is known only once it is deployed");
        open(annotated.unwrap_or(expression), why)
    }

    /// A reference to a resource whose condition does not hold has no meaning.
    fn gone(&self, resource: &ResourceRef, expression: &Value) -> Option<Eval> {
        (self.presence(resource).known() == Ok(false)).then(|| {
            let why = format!("the condition of `{}` does not hold, so it cannot be referred to", resource.logical_id);
            open(expression.clone(), why)
        })
    }

    /// What custom resources and nested stacks return may change with each of their properties, so in a comparison
    /// what they returned last time does not stand for it.
    fn may_substitute(&self, resource: &ResourceRef) -> bool {
        self.purpose == Purpose::Know || !is_computed(resource)
    }

    /// In a comparison: the expression with the resource's type, and with all that a computed attribute depends on.
    fn annotated(&self, resource: &ResourceRef, make: impl FnOnce(Vec<Value>) -> Value) -> Option<Value> {
        if self.purpose == Purpose::Know {
            return None;
        }
        let mut extra = vec![Value::from(resource.type_name.as_str())];
        if is_computed(resource) {
            let properties =
                self.guarded(&format!("resource {}", resource.logical_id), || match self.value(&resource.properties) {
                    Eval::Known(value) | Eval::Open(value, _) => value,
                    Eval::Nothing => Value::Null,
                });
            extra.push(properties.unwrap_or(Value::Null));
        }
        Some(make(extra))
    }

    /// Runs `evaluate`, unless the same thing is already being evaluated.
    fn guarded<T>(&self, what: &str, evaluate: impl FnOnce() -> T) -> Option<T> {
        if self.under_way.borrow().iter().any(|other| other == what) {
            return None;
        }
        self.under_way.borrow_mut().push(what.to_owned());
        let result = evaluate();
        self.under_way.borrow_mut().pop();
        Some(result)
    }
}

fn is_computed(resource: &ResourceRef) -> bool {
    resource.type_name.starts_with("Custom::")
        || matches!(resource.type_name.as_str(), "AWS::CloudFormation::CustomResource" | "AWS::CloudFormation::Stack")
}

pub(super) fn open(expression: Value, why: impl Into<String>) -> Eval {
    Eval::Open(expression, why.into())
}

fn finish(value: Value, reason: Option<String>) -> Eval {
    match reason {
        None => Eval::Known(value),
        Some(why) => Eval::Open(value, why),
    }
}

/// The first `{{resolve:…}}` in any text of a value, without what stands around it.
fn dynamic_reference(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => {
            let (_, behind) = text.split_once("{{resolve:")?;
            let name = behind.split_once("}}").map_or(behind, |(name, _)| name);
            Some(format!("{{{{resolve:{name}}}}}"))
        }
        Value::Array(items) => items.iter().find_map(dynamic_reference),
        Value::Object(map) => map.values().find_map(dynamic_reference),
        _ => None,
    }
}
