//! Who refers to whom, for the impact of a change.

use serde_json::Value;

use super::Template;
use super::leaf::{function, step};
use super::sub::{Part, parts};

/// One place that refers to a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// What holds the place.
    pub from: Referrer,
    /// Where in it, such as `Environment.Variables.QUEUE`; elements of lists by their index.
    pub path: String,
    /// In which way.
    pub how: How,
}

/// What refers to a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Referrer {
    /// A resource, by its logical id.
    Resource(String),
    /// An output.
    Output(String),
    /// A condition, whose own users [`Template::references`] tells in turn.
    Condition(String),
}

/// In which way a place refers to a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// `Ref`, also within `Fn::Sub`.
    Ref,
    /// `Fn::GetAtt`, also within `Fn::Sub`, of this attribute.
    Attribute(String),
    /// `DependsOn`.
    DependsOn,
    /// As a condition.
    Condition,
}

impl Template {
    /// Every place that refers to a resource, parameter or condition of this name, in the order of the file.
    #[must_use]
    pub fn references(&self, logical_id: &str) -> Vec<Reference> {
        let mut search = Search {
            name: logical_id,
            is_condition: self.section("Conditions").is_some_and(|section| section.contains_key(logical_id)),
            from: Referrer::Condition(String::new()),
            found: Vec::new(),
        };
        for (name, value) in self.section("Conditions").into_iter().flatten() {
            search.from = Referrer::Condition(name.clone());
            search.walk("", value, true);
        }
        for resource in self.resources() {
            search.from = Referrer::Resource(resource.logical_id.clone());
            if resource.depends_on.iter().any(|id| id == logical_id) {
                search.push("DependsOn", How::DependsOn);
            }
            search.condition("Condition", resource.condition.as_deref());
            search.walk("", &resource.properties, false);
        }
        for output in self.outputs() {
            search.from = Referrer::Output(output.name.clone());
            search.condition("Condition", output.condition.as_deref());
            search.walk("Value", &output.value, false);
            if let Some(export) = &output.export {
                search.walk("Export.Name", export, false);
            }
        }
        search.found
    }
}

struct Search<'a> {
    name: &'a str,
    is_condition: bool,
    from: Referrer,
    found: Vec<Reference>,
}

impl Search<'_> {
    fn walk(&mut self, path: &str, value: &Value, in_condition: bool) {
        match (function(value), value) {
            (Some(("Ref", Value::String(name))), _) if name == self.name => self.push(path, How::Ref),
            (Some(("Fn::GetAtt", Value::Array(items))), _) => {
                if items.first().and_then(Value::as_str) == Some(self.name) {
                    let attribute = items.get(1).and_then(Value::as_str).unwrap_or("?");
                    self.push(path, How::Attribute(attribute.to_owned()));
                }
                // The attribute's name may itself be a `Ref`.
                items.iter().skip(1).for_each(|item| self.walk(path, item, in_condition));
            }
            (Some(("Fn::Sub", argument)), _) => self.sub(path, argument, in_condition),
            (Some((name, argument)), _) => {
                if name == "Fn::If" {
                    self.condition(path, argument.get(0).and_then(Value::as_str));
                }
                match argument {
                    // The function is no step of the path: what it stands for is the property.
                    Value::Array(items) => items.iter().for_each(|item| self.walk(path, item, in_condition)),
                    argument => self.walk(path, argument, in_condition),
                }
            }
            (None, Value::Object(map)) => {
                if in_condition && map.len() == 1 {
                    self.condition(path, map.get("Condition").and_then(Value::as_str));
                }
                for (key, value) in map {
                    self.walk(&join(path, &step(key)), value, in_condition);
                }
            }
            (None, Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.walk(&join(path, &index.to_string()), item, in_condition);
                }
            }
            (None, _) => {}
        }
    }

    fn sub(&mut self, path: &str, argument: &Value, in_condition: bool) {
        let (text, variables) = match argument {
            Value::Array(items) => (items.first(), items.get(1)),
            text => (Some(text), None),
        };
        for part in text.and_then(Value::as_str).and_then(|text| parts(text).ok()).unwrap_or_default() {
            let Part::Name(name) = part else { continue };
            if variables.and_then(|variables| variables.get(&name)).is_some() {
                continue;
            }
            match name.split_once('.') {
                None if name == self.name => self.push(path, How::Ref),
                Some((id, attribute)) if id == self.name => self.push(path, How::Attribute(attribute.to_owned())),
                _ => {}
            }
        }
        for (_, value) in variables.and_then(Value::as_object).into_iter().flatten() {
            self.walk(path, value, in_condition);
        }
    }

    fn condition(&mut self, path: &str, name: Option<&str>) {
        if self.is_condition && name == Some(self.name) {
            self.push(path, How::Condition);
        }
    }

    fn push(&mut self, path: &str, how: How) {
        let reference = Reference { from: self.from.clone(), path: path.to_owned(), how };
        if !self.found.contains(&reference) {
            self.found.push(reference);
        }
    }
}

fn join(path: &str, step: &str) -> String {
    if path.is_empty() { step.to_owned() } else { format!("{path}.{step}") }
}
