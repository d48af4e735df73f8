//! The parts of a template that have names.

use std::fmt;

use serde_json::{Map, Value};

use super::globals;
use super::node::{Entry, Kind, Node};
use super::{Error, Template};

/// A resource as the template states it, nothing resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceRef {
    /// Its logical id.
    pub logical_id: String,
    /// Its type: `AWS::SQS::Queue`.
    pub type_name: String,
    /// The condition under which it exists.
    pub condition: Option<String>,
    /// The logical ids that it is made after, besides those that it refers to.
    pub depends_on: Vec<String>,
    /// `Delete`, `Retain`, `RetainExceptOnCreate`, `Snapshot`; with the language extensions also a function.
    pub deletion_policy: Option<Value>,
    /// What becomes of the old one when it is replaced.
    pub update_replace_policy: Option<Value>,
    /// Its properties in the long form, with those of SAM's `Globals`; an empty object when it has none. Metadata is
    /// not among them.
    pub properties: Value,
    /// Where the CDK made it: `Shop/Queue/Resource`.
    pub cdk_path: Option<String>,
    /// The line of its logical id, from 1.
    pub line: usize,
}

/// A parameter of a template. Its `Debug` hides the default, which may be a secret.
#[derive(Clone, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its type: `String`, `CommaDelimitedList`, `AWS::SSM::Parameter::Value<String>`.
    pub type_name: String,
    /// Its default, as written.
    pub default: Option<Value>,
    /// Whether AWS never tells its value.
    pub no_echo: bool,
}

/// An output of a template, nothing resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// Its value in the long form.
    pub value: Value,
    /// The name it is exported under, in the long form.
    pub export: Option<Value>,
    /// The condition under which it exists.
    pub condition: Option<String>,
}

/// The macros that a whole template asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transform {
    /// None.
    None,
    /// `AWS::Serverless-2016-10-31`, perhaps among others.
    Sam,
    /// Others, such as `AWS::LanguageExtensions`.
    Other(Vec<String>),
}

impl ResourceRef {
    /// Whether it is of a type that SAM's transform translates.
    #[must_use]
    pub fn is_serverless(&self) -> bool {
        self.type_name.starts_with("AWS::Serverless::")
    }
}

impl Parameter {
    /// Whether its text is the name of a Parameter Store parameter, whose value is what the template sees.
    #[must_use]
    pub fn is_ssm(&self) -> bool {
        self.type_name.starts_with("AWS::SSM::Parameter::Value<")
    }

    /// Whether the template sees a list of texts.
    #[must_use]
    pub fn is_list(&self) -> bool {
        self.type_name.contains("CommaDelimitedList") || self.type_name.contains("List<")
    }
}

impl fmt::Debug for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parameter")
            .field("name", &self.name)
            .field("type_name", &self.type_name)
            .field("default", &self.default.as_ref().map(|_| "…"))
            .field("no_echo", &self.no_echo)
            .finish()
    }
}

/// Takes the named parts out of a tree.
pub(super) fn template(name: &str, root: Node) -> Result<Template, Error> {
    let shape = |line: usize, reason: String| Error::Shape { name: name.to_owned(), line, reason };
    if !matches!(root.kind, Kind::Map(_)) {
        return Err(shape(root.line, "it is no mapping".to_owned()));
    }
    let Some(Entry { node: section, line, .. }) = root.entry("Resources") else {
        return Err(shape(root.line, "it has no `Resources`".to_owned()));
    };
    let Kind::Map(entries) = &section.kind else {
        return Err(shape(*line, "`Resources` is no mapping".to_owned()));
    };
    let mut resources = Vec::new();
    for entry in entries.iter().filter(|entry| !entry.key.starts_with("Fn::")) {
        let value = entry.node.clone().into_value();
        let resource = resource(&entry.key, entry.line, &value)
            .ok_or_else(|| shape(entry.line, format!("the resource `{}` has no `Type`", entry.key)))?;
        resources.push(resource);
    }
    let root = root.into_value();
    let transform = transform(root.get("Transform"));
    if transform == Transform::Sam {
        for resource in &mut resources {
            let written = root.get("Resources").and_then(|all| all.get(&resource.logical_id)).unwrap_or(&Value::Null);
            let own = std::mem::take(&mut resource.properties);
            resource.properties = globals::merged(&root, &resource.type_name, written, own);
        }
    }
    Ok(Template {
        parameters: section_of(&root, "Parameters").map(|(name, value)| parameter(name, value)).collect(),
        outputs: section_of(&root, "Outputs").map(|(name, value)| output(name, value)).collect(),
        expanded: expanded(&root, &transform),
        resources,
        transform,
        root,
    })
}

fn resource(logical_id: &str, line: usize, value: &Value) -> Option<ResourceRef> {
    let map = value.as_object()?;
    let depends_on = match map.get("DependsOn") {
        Some(Value::Array(ids)) => ids.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::String(id)) => vec![id.clone()],
        _ => Vec::new(),
    };
    Some(ResourceRef {
        logical_id: logical_id.to_owned(),
        type_name: map.get("Type")?.as_str()?.to_owned(),
        condition: text(map, "Condition"),
        depends_on,
        deletion_policy: map.get("DeletionPolicy").cloned(),
        update_replace_policy: map.get("UpdateReplacePolicy").cloned(),
        properties: match map.get("Properties") {
            None | Some(Value::Null) => Value::Object(Map::new()),
            Some(properties) => properties.clone(),
        },
        cdk_path: map.get("Metadata").and_then(Value::as_object).and_then(|metadata| text(metadata, "aws:cdk:path")),
        line,
    })
}

fn parameter(name: &str, value: &Value) -> Parameter {
    Parameter {
        name: name.to_owned(),
        type_name: value.get("Type").and_then(Value::as_str).unwrap_or("String").to_owned(),
        default: value.get("Default").cloned(),
        // What cannot be understood is taken for secret.
        no_echo: match value.get("NoEcho") {
            None | Some(Value::Bool(false)) => false,
            Some(Value::String(text)) => !text.eq_ignore_ascii_case("false"),
            Some(_) => true,
        },
    }
}

fn output(name: &str, value: &Value) -> Output {
    Output {
        name: name.to_owned(),
        value: value.get("Value").cloned().unwrap_or_default(),
        export: value.get("Export").and_then(|export| export.get("Name")).cloned(),
        condition: value.as_object().and_then(|map| text(map, "Condition")),
    }
}

fn transform(value: Option<&Value>) -> Transform {
    let names: Vec<String> = match value {
        None | Some(Value::Null) => return Transform::None,
        Some(Value::Array(items)) => items.iter().map(macro_name).collect(),
        Some(value) => vec![macro_name(value)],
    };
    if names.iter().any(|name| name == "AWS::Serverless-2016-10-31") { Transform::Sam } else { Transform::Other(names) }
}

fn macro_name(value: &Value) -> String {
    let name = value.as_str().or_else(|| value.get("Name").and_then(Value::as_str));
    name.unwrap_or("a macro without a name").to_owned()
}

fn expanded(root: &Value, transform: &Transform) -> Option<String> {
    match transform {
        Transform::Sam => Some("the transform AWS::Serverless-2016-10-31 makes its resources".to_owned()),
        // It adds functions, not resources; the loops that it also brings are looked for below.
        Transform::Other(names) if names.iter().any(|name| name != "AWS::LanguageExtensions") => {
            Some(format!("the macro {} may change it", names.join(", ")))
        }
        Transform::None | Transform::Other(_) => expansion(root),
    }
}

fn expansion(value: &Value) -> Option<String> {
    match value {
        Value::Object(map) => map.iter().find_map(|(key, value)| {
            if key.starts_with("Fn::ForEach") {
                Some(format!("the loop {key} writes a part of it"))
            } else if key == "Fn::Transform" {
                Some(format!("the macro {} writes a part of it", macro_name(value)))
            } else {
                expansion(value)
            }
        }),
        Value::Array(items) => items.iter().find_map(expansion),
        _ => None,
    }
}

fn section_of<'a>(root: &'a Value, name: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    root.get(name).and_then(Value::as_object).into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn text(map: &Map<String, Value>, key: &str) -> Option<String> {
    map.get(key).and_then(Value::as_str).map(str::to_owned)
}
