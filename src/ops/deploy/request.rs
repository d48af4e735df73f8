//! What CloudFormation is asked for: template, parameters, tags.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::artifacts::{self, Uploaded};
use super::draft::Draft;
use super::follow::Progress;
use crate::aws::cloudformation::StackInfo;
use crate::aws::cloudformation::changeset::{ChangeSetRequest, ParameterInput, TemplateSource};
use crate::aws::s3;
use crate::compare::Why;
use crate::config::Stack;
use crate::ops::hex;
use crate::ops::inspect::keeps_value;
use crate::template::Template;

/// The longest template that a request may carry itself, in bytes.
const LONGEST_BODY: usize = 51_200;

/// The longest description that CloudFormation takes.
const LONGEST_DESCRIPTION: usize = 1024;

/// The change set that makes the stack what the commit says.
pub(super) async fn request(
    draft: &Draft,
    text: &str,
    bucket: Option<&str>,
    running: Option<&Template>,
    uploaded: &BTreeMap<String, Uploaded>,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<ChangeSetRequest, Why> {
    let stack = &draft.stack;
    let live = draft.before.as_ref().filter(|_| !draft.creates());
    Ok(ChangeSetRequest {
        stack: stack.name.clone(),
        name: draft.change_set.clone(),
        create: draft.creates(),
        template: template(draft, text, bucket, progress).await?,
        parameters: parameters(stack, &draft.template, live, running, uploaded),
        // Constant ones: a commit in a tag would touch every resource at each commit.
        tags: stack.tags.clone(),
        capabilities: capabilities(draft),
        role: None,
        description: Some(description(draft)),
        client_token: Some(draft.change_set.clone()),
        revert_drift: draft.ask.revert_drift && live.is_some(),
        nested: nests(draft),
    })
}

/// Whether there are stacks within.
fn nests(draft: &Draft) -> bool {
    draft.template.resources().iter().any(|resource| resource.type_name == "AWS::CloudFormation::Stack")
}

/// What the project acknowledges; that a transform or a stack within makes resources, whoever names one acknowledges.
fn capabilities(draft: &Draft) -> Vec<String> {
    const EXPANDS: &str = "CAPABILITY_AUTO_EXPAND";
    let mut capabilities = draft.stack.capabilities.clone();
    let expands = nests(draft) || draft.template.expanded_by_aws().is_some();
    if expands && !capabilities.iter().any(|known| known == EXPANDS) {
        capabilities.push(EXPANDS.to_owned());
    }
    capabilities
}

fn description(draft: &Draft) -> String {
    let project = &draft.session.project().name;
    let text = match &draft.commit {
        Some(commit) => format!("{project} {} {}", commit.id, commit.subject),
        None => format!("{project}, by plumb {}", env!("CARGO_PKG_VERSION")),
    };
    text.chars().take(LONGEST_DESCRIPTION).collect()
}

/// A template that is too long for the request goes through S3, under its digest.
async fn template(
    draft: &Draft,
    text: &str,
    bucket: Option<&str>,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<TemplateSource, Why> {
    let Some(bucket) = bucket.filter(|_| text.len() > LONGEST_BODY) else {
        return Ok(TemplateSource::Body(text.to_owned()));
    };
    let digest = hex(&Sha256::digest(text));
    let key = format!("plumb/{}/templates/{digest}", draft.session.project().name);
    let bytes = text.as_bytes().to_vec();
    artifacts::put_packaged(draft, bucket, &key, bytes, "text/plain", progress).await?;
    Ok(TemplateSource::Url(s3::url(draft.session.clients.region(), bucket, &key)))
}

/// The template's parameters: what the project says, artifacts' keys, and for the rest the template's default or the
/// value that the stack has.
fn parameters(
    stack: &Stack,
    template: &Template,
    before: Option<&StackInfo>,
    running: Option<&Template>,
    uploaded: &BTreeMap<String, Uploaded>,
) -> BTreeMap<String, ParameterInput> {
    let mut parameters = BTreeMap::new();
    for parameter in template.parameters() {
        let name = &parameter.name;
        let artifact = stack
            .functions
            .iter()
            .find(|function| function.artifact_parameter.as_ref() == Some(name))
            .and_then(|function| uploaded.get(&function.resource));
        if let Some(artifact) = artifact {
            parameters.insert(name.clone(), ParameterInput::Value(artifact.key.clone().into()));
        } else if let Some(value) = stack.parameters.get(name) {
            parameters.insert(name.clone(), ParameterInput::Value(value.clone().into()));
        } else if keeps_value(template, running, name) && before.is_some_and(|info| info.parameters.contains_key(name))
        {
            parameters.insert(name.clone(), ParameterInput::Previous);
        }
    }
    parameters
}
