//! What a foundation that is there already says: what its stack made itself, and what it was told.

use serde_json::Value;

use super::ISSUER;
use crate::aws::cloudformation::StackInfo;
use crate::template::{Error, Template};

/// The stack as it is, for what it has made itself.
pub(super) struct Kept<'a>(pub(super) Option<&'a StackInfo>);

impl Kept<'_> {
    pub(super) fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// What a parameter was given, where that is anything.
    pub(super) fn given(&self, parameter: &str) -> Option<&str> {
        self.0?.parameters.get(parameter).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(super) fn is(&self, parameter: &str, value: &str) -> bool {
        self.0.and_then(|info| info.parameters.get(parameter)).is_some_and(|found| found == value)
    }

    /// Whether it made what a parameter would name that was there before; a stack of before that parameter did.
    pub(super) fn made(&self, parameter: &str) -> bool {
        self.0.is_some_and(|info| info.parameters.get(parameter).is_none_or(String::is_empty))
    }

    pub(super) fn made_provider(&self, issuer: &str) -> bool {
        let is_its = match self.0.and_then(|info| info.parameters.get("Issuer")) {
            Some(found) => found == issuer,
            None => issuer == ISSUER,
        };
        is_its && self.made("ProviderArn") && !self.is("Repository", "")
    }
}

/// The policies that the deploy role of a deployed template has besides its own.
pub(super) fn attached(name: &str, text: &str) -> Result<Vec<String>, Error> {
    let template = Template::parse(name, text)?;
    let found =
        template.value().pointer("/Resources/DeployRole/Properties/ManagedPolicyArns").and_then(Value::as_array);
    Ok(found.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect())
}
