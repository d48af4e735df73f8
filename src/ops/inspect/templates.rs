//! Where the templates of a stack come from, and what their expressions mean here.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::context::{ACCOUNT, Context, blocking};
use super::packaged;
use crate::aws::cloudformation::{StackInfo, StackResource};
use crate::compare::Why;
use crate::config::{Stack, StackKind, mapping};
use crate::git::Snapshot;
use crate::ops::{failed, project};
use crate::template::{self, ResourceRef, Scope, Template, Transform};

/// A template of one commit, and what the project file of that commit gives it.
pub(super) struct Versioned {
    pub(super) template: Template,
    /// The values that the project gives to parameters.
    parameters: BTreeMap<String, String>,
    /// Parameters that hold the key of an artifact, which only a deployment knows.
    artifacts: Vec<String>,
    /// The stack's tags.
    pub(super) tags: BTreeMap<String, String>,
}

/// The template side of one commit.
pub(super) enum Side {
    /// It is there.
    Template(Box<Versioned>),
    /// It cannot be read, and so nothing may be concluded.
    Unreadable(Why),
}

impl Side {
    /// A template without a project.
    pub(super) fn bare(template: Template) -> Self {
        Self::Template(Box::new(Versioned {
            template,
            parameters: BTreeMap::new(),
            artifacts: Vec::new(),
            tags: BTreeMap::new(),
        }))
    }

    /// What a stack runs, for a commit whose own template is not at hand.
    pub(super) fn deployed(template: Template, info: Option<&StackInfo>) -> Self {
        let tags = info.map(|info| info.tags.clone()).unwrap_or_default().into_iter();
        let tags = tags.filter(|(name, _)| !name.starts_with("aws:")).collect();
        Self::Template(Box::new(Versioned { template, parameters: BTreeMap::new(), artifacts: Vec::new(), tags }))
    }

    pub(super) fn template(&self) -> Option<&Template> {
        match self {
            Self::Template(versioned) => Some(&versioned.template),
            Self::Unreadable(_) => None,
        }
    }
}

/// The stack's template at the commit that is compared.
pub(super) async fn at_commit(context: &Context, stack: &Stack) -> Side {
    match context.git().await {
        Ok(snapshot) => from(context, stack, &snapshot).await,
        Err(why) => Side::Unreadable(why),
    }
}

/// The stack's template at another commit.
pub(super) async fn at(context: &Context, stack: &Stack, commit: &str) -> Side {
    match context.snapshot(commit).await {
        Ok(snapshot) => from(context, stack, &snapshot).await,
        Err(why) => Side::Unreadable(why),
    }
}

async fn from(context: &Context, stack: &Stack, snapshot: &Arc<Snapshot>) -> Side {
    match versioned(context, stack, snapshot).await {
        Ok(versioned) => Side::Template(Box::new(versioned)),
        Err(why) => Side::Unreadable(why),
    }
}

async fn versioned(context: &Context, stack: &Stack, snapshot: &Arc<Snapshot>) -> Result<Versioned, Why> {
    let then = stack_then(context, stack, snapshot).await;
    let path = then.template;
    let snapshot = Arc::clone(snapshot);
    let root = context.session.root.clone();
    let kind = then.kind;
    let template = blocking(move || {
        let blob = snapshot.read(&path).map_err(|error| failed(&error))?;
        let bytes = match blob {
            Some(blob) => blob.bytes,
            None if kind == StackKind::Cdk => assembly(&root, &path, snapshot.commit())?,
            None => {
                let commit = snapshot.commit();
                let short = commit.get(..7).unwrap_or(commit);
                return Err(Why::new(format!("{path} is not in commit {short}"))
                    .hint("[[stacks]] template in plumb.toml names the file"));
            }
        };
        let text = String::from_utf8(bytes).map_err(|_| Why::new(format!("{path} is not UTF-8")))?;
        parse(&path, &text)
    })
    .await?;
    let artifacts = then.functions.into_iter().filter_map(|function| function.artifact_parameter).collect();
    Ok(Versioned { template, parameters: then.parameters, artifacts, tags: then.tags })
}

/// The stack as the project file of that commit describes it; as today's does when that one has no such stack.
async fn stack_then(context: &Context, stack: &Stack, snapshot: &Arc<Snapshot>) -> Stack {
    let files = Arc::clone(snapshot);
    let settings = context.session.settings.clone();
    let bindings = context.session.bindings().await;
    let name = stack.name.clone();
    let then = blocking(move || {
        let project = project::at(&settings, &files)?;
        let entries = files.list("").map_err(|error| failed(&error))?;
        let listing: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
        let (stacks, _) = mapping::stacks(&project, &bindings, &listing);
        Ok(stacks.into_iter().find(|then| then.name == name))
    })
    .await;
    then.ok().flatten().unwrap_or_else(|| stack.clone())
}

/// A synthesised template, when the assembly says which commit it was made from.
pub(crate) fn assembly(root: &std::path::Path, path: &str, commit: &str) -> Result<Vec<u8>, Why> {
    let unknown = |reason: String| Why::new(reason).hint("cdk synth && git rev-parse HEAD > cdk.out/.commit");
    let file = root.join(path);
    let marker = file.parent().map(|folder| folder.join(".commit"));
    let made_from = marker.and_then(|marker| std::fs::read_to_string(marker).ok());
    match made_from.as_deref().map(str::trim) {
        Some(made_from) if made_from == commit => {
            std::fs::read(&file).map_err(|error| Why::new(format!("cannot read {path}: {error}")))
        }
        Some(made_from) => Err(unknown(format!("{path} was synthesised from commit {made_from}, not from {commit}"))),
        None => Err(unknown(format!("{path} is not in git, and it is not known which commit it was synthesised from"))),
    }
}

/// A template from its text.
pub(super) fn parse(name: &str, text: &str) -> Result<Template, Why> {
    Template::parse(name, text).map_err(|error| failed(&error))
}

/// What parameters, pseudo parameters and references mean in the stack as it is deployed.
pub(super) async fn deployed_scope(
    context: &Context,
    name: &str,
    info: Option<&StackInfo>,
    resources: &[StackResource],
    deployed: Option<&Template>,
) -> Scope {
    let session = &context.session;
    // A stack's ARN names its account, also while STS cannot be asked.
    let of_stack = || info?.id.split(':').nth(4).map(str::to_owned);
    let account = session.identity().await.ok().map(|identity| identity.account).or_else(of_stack);
    let region = session.clients.region().to_owned();
    let partition = partition(&region);
    let physical_ids = resources
        .iter()
        .filter_map(|resource| Some((resource.logical_id.clone(), resource.physical_id.clone()?)))
        .collect();
    let mut scope = Scope {
        parameters: info.map(|info| info.parameters.clone()).unwrap_or_default(),
        account,
        region: Some(region),
        partition: Some(partition.to_owned()),
        stack_name: Some(name.to_owned()),
        stack_id: info.map(|info| info.id.clone()),
        physical_ids,
        ..Scope::default()
    };
    if let Some(deployed) = deployed {
        scope.learn(deployed);
    }
    scope
}

/// What a template would mean if it were deployed now.
///
/// Parameters get the project's values. Those that the project is silent about keep what the stack has, as with
/// `aws cloudformation deploy`, unless the template's default has changed since; so do those that hold an artifact's
/// key: what the artifact is made of is compared as the function's code.
pub(super) fn scope_of(side: &Side, deployed: &Scope, running: Option<&Template>) -> Scope {
    let Side::Template(versioned) = side else { return deployed.clone() };
    let keeps = |name: &str| {
        versioned.artifacts.iter().any(|artifact| artifact == name) || keeps_value(&versioned.template, running, name)
    };
    let mut parameters: BTreeMap<String, String> =
        deployed.parameters.iter().filter(|(name, _)| keeps(name)).map(|(k, v)| (k.clone(), v.clone())).collect();
    let account = deployed.account.as_deref().unwrap_or(ACCOUNT);
    parameters.extend(versioned.parameters.iter().map(|(name, value)| (name.clone(), value.replace(ACCOUNT, account))));
    Scope { parameters, ..deployed.clone() }
}

/// Whether a parameter that the project is silent about keeps the value that the stack has.
pub(crate) fn keeps_value(template: &Template, running: Option<&Template>, name: &str) -> bool {
    let default = |template: &Template| template.parameter(name).map(|parameter| parameter.default.clone());
    match (default(template), running.and_then(default)) {
        (Some(None), _) => true,
        (Some(new), Some(old)) => new == old,
        _ => false,
    }
}

/// The partition that a region is in.
pub(crate) fn partition(region: &str) -> &'static str {
    match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

/// Whether git's template and a deployed one ask for the same, what packaging has rewritten aside.
pub(super) fn ask_the_same(git: (&Template, &Scope), deployed: (&Template, &Scope)) -> bool {
    ask_the_same_of(git, deployed, |_| true)
}

/// Whether the resources that a transform made of one template are those that it would make of another.
///
/// SAM makes them of its own types and `Globals` alone, but for connectors, which look at what they connect.
pub(super) fn make_the_same(git: (&Template, &Scope), deployed: (&Template, &Scope)) -> bool {
    let (a, b) = (git.0, deployed.0);
    let sam = |template: &Template| {
        let resources = template.resources();
        *template.transform() == Transform::Sam
            && resources.iter().all(|it| it.type_name != "AWS::Serverless::Connector")
    };
    if !sam(a) || !sam(b) {
        return ask_the_same(git, deployed);
    }
    let globals = |template: &Template| template.value().get("Globals").cloned().unwrap_or_default();
    template::same(&globals(a), &globals(b)) && ask_the_same_of(git, deployed, ResourceRef::is_serverless)
}

fn ask_the_same_of(git: (&Template, &Scope), deployed: (&Template, &Scope), of: impl Fn(&ResourceRef) -> bool) -> bool {
    let rewritten = |id: &str, name: &str| {
        git.0
            .resource(id)
            .is_some_and(|resource| packaged::is_rewritten(&resource.type_name, name, resource.properties.get(name)))
    };
    let asked = |(template, scope): (&Template, &Scope)| -> Value {
        let resources = template.resources().iter().filter(|resource| of(resource)).map(|resource| {
            let names = resource.properties.as_object().into_iter().flat_map(|all| all.keys());
            let asked = names
                .filter(|name| !rewritten(&resource.logical_id, name))
                .filter_map(|name| Some((name.clone(), template.asks(&resource.logical_id, name, scope)?)));
            let present = template.present(&resource.logical_id, scope).ok();
            let form =
                json!({ "type": resource.type_name, "present": present, "asks": Value::Object(asked.collect()) });
            (resource.logical_id.clone(), form)
        });
        Value::Object(resources.collect())
    };
    template::same(&asked(git), &asked(deployed))
}
