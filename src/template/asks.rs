//! What a template asks for, in a form that can be compared even when the value is not known.

use serde_json::Value;

use super::leaf::{call, digest, function, step};
use super::resolve::{Eval, Purpose, Resolver, Truth};
use super::{Scope, Template};

impl Template {
    /// The comparable form of a property, by its path as [`super::flatten`] writes it. `None`: the template does not
    /// ask for the property (or for the resource) at all.
    ///
    /// Parameters, conditions and mappings are put in as far as known; what stays open carries what it depends on: the
    /// condition's whole expression, the mapping's content, the type of a resource, all properties of a custom
    /// resource or nested stack. So when two forms are [`super::same`], made with scopes of the same stack, a
    /// deployment of either gives the same value, provided that NoEcho parameters, dynamic references, exports and
    /// (for a nested stack named by a local path) that file stay as they are. Forms that differ show nothing by
    /// themselves: whether values differ is for [`Self::resolve`] to say.
    #[must_use]
    pub fn asks(&self, logical_id: &str, property: &str, scope: &Scope) -> Option<Value> {
        let resource = self.resource(logical_id)?;
        let resolver = Resolver::new(self, scope, Purpose::Compare);
        let asked = find(&resolver, &resource.properties, property);
        let presence = resolver.presence(resource);
        if resolver.gave_up() {
            // Too large to tell what it depends on, so it depends on everything.
            let parameters = digest(&format!("{:?}", scope.parameters));
            return Some(part(property, Value::Array(vec![self.value().clone(), parameters])));
        }
        let asked = asked?;
        match presence {
            Truth::Known(true) => Some(asked),
            Truth::Known(false) => None,
            Truth::Open(condition, _) => {
                let otherwise = call("Ref", "AWS::NoValue".into());
                Some(call("Fn::If", Value::Array(vec![condition, asked, otherwise])))
            }
        }
    }
}

fn find(resolver: &Resolver<'_>, value: &Value, path: &str) -> Option<Value> {
    if path.is_empty() {
        return match resolver.value(value) {
            Eval::Known(value) | Eval::Open(value, _) => Some(value),
            Eval::Nothing => None,
        };
    }
    let map = value.as_object()?;
    if function(value).is_some() || map.keys().any(|key| key.starts_with("Fn::")) {
        return match resolver.value(value) {
            Eval::Known(value) => within(&value, path).cloned(),
            Eval::Open(expression, _) => Some(part(path, expression)),
            Eval::Nothing => None,
        };
    }
    map.iter().find_map(|(key, value)| find(resolver, value, rest(path, key)?))
}

/// The value at a path of something that is open as a whole.
fn part(path: &str, whole: Value) -> Value {
    call("Fn::Part", Value::Array(vec![path.into(), whole]))
}

fn within<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    if path.is_empty() {
        return Some(value);
    }
    value.as_object()?.iter().find_map(|(key, value)| within(value, rest(path, key)?))
}

/// What of a path remains after the step of a key; `None`: it does not begin with that step.
fn rest<'a>(path: &'a str, key: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(&step(key))?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('.') }
}
