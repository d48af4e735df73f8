//! CloudFormation templates: what they say, what of it can be known now, and what only a deployment decides.
//!
//! Pure: no clock, no I/O, no AWS. Nothing here guesses: a value that depends on a NoEcho parameter, a dynamic
//! reference, an attribute or an unquoted scalar whose reading is uncertain is [`Resolved::Open`] with the reason,
//! never a likely value. Nothing here expands macros: see [`Template::expanded_by_aws`].

mod asks;
mod globals;
mod json;
mod known;
mod leaf;
mod model;
mod node;
mod references;
mod resolve;
mod scope;
mod sub;
mod yaml;

#[cfg(test)]
mod tests;

use std::fmt;

use serde_json::{Map, Value};

pub use known::{is_stateful, known_attributes};
pub use leaf::{flatten, same};
pub use model::{Output, Parameter, ResourceRef, Transform};
pub use references::{How, Reference, Referrer};
pub use resolve::Resolved;
pub use scope::Scope;

/// A parsed template, its short tags written out in the long form (`!Ref X` is `{"Ref": "X"}`).
#[derive(Clone, PartialEq)]
pub struct Template {
    root: Value,
    resources: Vec<ResourceRef>,
    parameters: Vec<Parameter>,
    outputs: Vec<Output>,
    transform: Transform,
    expanded: Option<String>,
}

/// Why a text is not a template. Lines and columns count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Neither JSON nor YAML.
    #[error("{name}:{line}:{column}: not {format}: {reason}")]
    Syntax {
        /// The file.
        name: String,
        /// Line of the mistake.
        line: usize,
        /// Column of the mistake, in characters.
        column: usize,
        /// `JSON` or `YAML`.
        format: &'static str,
        /// What the parser says.
        reason: String,
    },
    /// A key stands twice in one mapping, so one of its values would be lost.
    #[error("{name}:{line}: the key `{key}` is already on line {first}")]
    DuplicateKey {
        /// The file.
        name: String,
        /// Line of the second one.
        line: usize,
        /// The key.
        key: String,
        /// Line of the first one.
        first: usize,
    },
    /// A YAML tag that CloudFormation does not have.
    #[error("{name}:{line}: CloudFormation has no tag `{tag}`")]
    Tag {
        /// The file.
        name: String,
        /// Its line.
        line: usize,
        /// The tag as written.
        tag: String,
    },
    /// Well-formed, but not a template.
    #[error("{name}:{line}: not a template: {reason}")]
    Shape {
        /// The file.
        name: String,
        /// Where.
        line: usize,
        /// What is missing or misplaced.
        reason: String,
    },
}

/// Any YAML document as a value, read as templates are: for a workflow, which is plain YAML too.
pub fn document(name: &str, text: &str) -> Result<Value, Error> {
    yaml::parse(name, text).map(node::Node::into_value)
}

impl Template {
    /// Reads a template in JSON or YAML (1.1, as CloudFormation reads it: `yes` is true, a date is text).
    ///
    /// `name` is for messages only. Aliases and merge keys are expanded, as `aws cloudformation package` does.
    pub fn parse(name: &str, text: &str) -> Result<Self, Error> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let node = if text.trim_start().starts_with('{') {
            // A YAML document may begin with a brace too, so JSON's verdict stands only when YAML agrees.
            json::parse(name, text).or_else(|error| match error {
                Error::Syntax { .. } => yaml::parse(name, text).map_err(|_| error),
                error => Err(error),
            })?
        } else {
            yaml::parse(name, text)?
        };
        model::template(name, node)
    }

    /// The resources, in the order of the file. Those that a macro adds are not among them; see
    /// [`Self::expanded_by_aws`].
    #[must_use]
    pub fn resources(&self) -> &[ResourceRef] {
        &self.resources
    }

    /// One resource by its logical id.
    #[must_use]
    pub fn resource(&self, logical_id: &str) -> Option<&ResourceRef> {
        self.resources.iter().find(|resource| resource.logical_id == logical_id)
    }

    /// The parameters, in the order of the file.
    #[must_use]
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// One parameter by its name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// The outputs, in the order of the file.
    #[must_use]
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// The macros that the whole template asks for.
    #[must_use]
    pub fn transform(&self) -> &Transform {
        &self.transform
    }

    /// Why the deployed resources may be others than [`Self::resources`]: a macro or a loop that only AWS expands.
    /// Compare the processed template then. `None`: the template is final.
    #[must_use]
    pub fn expanded_by_aws(&self) -> Option<&str> {
        self.expanded.as_deref()
    }

    /// Whether the CDK wrote it, by the metadata that it leaves.
    #[must_use]
    pub fn is_cdk(&self) -> bool {
        self.resources.iter().any(|resource| resource.type_name == "AWS::CDK::Metadata" || resource.cdk_path.is_some())
            || self.parameter("BootstrapVersion").is_some_and(Parameter::is_ssm)
    }

    /// A scalar that some read as a number and others as text, as it is written; such a template cannot be written anew.
    #[must_use]
    pub fn unquoted(&self) -> Option<&str> {
        fn find(value: &Value) -> Option<&str> {
            match value {
                Value::Object(map) => match map.get(leaf::AS_WRITTEN) {
                    Some(written) => written.as_str(),
                    None => map.values().find_map(find),
                },
                Value::Array(items) => items.iter().find_map(find),
                _ => None,
            }
        }
        find(&self.root)
    }

    /// The whole template in the long form.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.root
    }

    fn section(&self, name: &str) -> Option<&Map<String, Value>> {
        self.root.get(name).and_then(Value::as_object)
    }
}

/// Defaults of parameters may be secrets, so only the shape is shown.
impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template")
            .field("resources", &self.resources.len())
            .field("parameters", &self.parameters.len())
            .field("transform", &self.transform)
            .finish_non_exhaustive()
    }
}
