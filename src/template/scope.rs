//! What is known of a stack.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::leaf::function;
use super::{Resolved, Template, known_attributes};

/// What is known of a stack, besides its template. What is missing makes values open, never wrong.
///
/// Its `Debug` shows names only, since parameters may be secrets.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// The stack's parameters as text, *all* that it was or will be given: for one that is missing here the template's
    /// default counts. Those with NoEcho are never looked at.
    pub parameters: BTreeMap<String, String>,
    /// For parameters of a type `AWS::SSM::Parameter::Value<…>`: what Parameter Store answered (`ResolvedValue` of
    /// DescribeStacks). Leave it out for a side that is yet to be deployed.
    pub ssm_values: BTreeMap<String, String>,
    /// The account's twelve digits.
    pub account: Option<String>,
    /// `eu-central-1`.
    pub region: Option<String>,
    /// `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: Option<String>,
    /// The stack's name.
    pub stack_name: Option<String>,
    /// The stack's ARN.
    pub stack_id: Option<String>,
    /// `amazonaws.com`.
    pub url_suffix: Option<String>,
    /// Physical ids by logical id, as the stack stands.
    pub physical_ids: BTreeMap<String, String>,
    /// Attributes (`Fn::GetAtt`) by logical id and name, as the stack stands; [`Scope::learn`] adds those that follow.
    pub attributes: BTreeMap<(String, String), String>,
}

impl Scope {
    /// Adds the attributes that follow with certainty from the physical ids, such as the ARN of a queue from its URL.
    pub fn learn(&mut self, template: &Template) {
        let (Some(account), Some(region), Some(partition)) =
            (self.account.clone(), self.region.clone(), self.partition.clone())
        else {
            return;
        };
        for resource in template.resources() {
            let Some(physical_id) = self.physical_ids.get(&resource.logical_id) else { continue };
            let mut known = known_attributes(&resource.type_name, physical_id, &account, &region, &partition);
            if matches!(resource.type_name.as_str(), "AWS::IAM::Role" | "AWS::IAM::User" | "AWS::IAM::Group") {
                // Their ARN has the path in it, which only the template tells.
                let path = match resource.properties.get("Path").map(|path| template.resolve(path, self)) {
                    None | Some(Resolved::NoValue) => Some("/".to_owned()),
                    Some(Resolved::Value(Value::String(path))) => Some(path),
                    Some(_) => None,
                };
                let is_macro_free = function(&resource.properties).is_none() && template.expanded_by_aws().is_none();
                if let Some(path) = path.filter(|path| is_macro_free && path.starts_with('/') && path.ends_with('/')) {
                    let kind = resource.type_name.trim_start_matches("AWS::IAM::").to_lowercase();
                    let arn = format!("arn:{partition}:iam::{account}:{kind}{path}{physical_id}");
                    known.insert("Arn".to_owned(), arn);
                }
            }
            for (attribute, value) in known {
                self.attributes.entry((resource.logical_id.clone(), attribute)).or_insert(value);
            }
        }
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("parameters", &self.parameters.keys())
            .field("account", &self.account)
            .field("region", &self.region)
            .field("stack_name", &self.stack_name)
            .field("physical_ids", &self.physical_ids)
            .finish_non_exhaustive()
    }
}
