//! The IAM policy that Plumb needs for an environment: no more than the project's own parameters, secrets, stacks,
//! functions and state bucket. Reads git and the configuration; asks no AWS.

mod merged;
mod names;

pub use self::merged::merged;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};

use self::names::{exactly, narrowest, open, start};
use super::hold;
use super::inspect::partition;
use super::map::bindings;
use super::permissions::{self, INTAKE, Need, On, PERMISSIONS};
use super::{failed, pipeline, project};
use crate::compare::Why;
use crate::config::{self, Bindings, Environment, Layers, Project, Settings, Stack, mapping};
use crate::git::Snapshot;
use crate::template::{Resolved, Scope, Template};

/// A policy document.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// As IAM takes it.
    pub document: Value,
    /// What the reader has to know about it.
    pub notes: Vec<String>,
}

/// What the statements are about.
#[derive(Default)]
struct Ground {
    partition: String,
    region: String,
    account: String,
    /// Starts of parameter names, of secret names, and names of stacks and functions, as IAM reads them.
    parameters: BTreeSet<String>,
    secrets: BTreeSet<String>,
    stacks: BTreeSet<String>,
    functions: BTreeSet<String>,
    bucket: Option<String>,
    objects: Vec<String>,
    types: BTreeSet<String>,
    /// The name of the intake's stack, likewise.
    intake: Option<String>,
    /// Parameters and secrets that the stacks themselves make, by their whole names, likewise.
    own_parameters: BTreeSet<String>,
    own_secrets: BTreeSet<String>,
    /// The name of the pipeline's stack, likewise.
    pipeline: Option<String>,
    /// What of these has a name that the template does not tell.
    nameless: Vec<String>,
    notes: Vec<String>,
}

/// The policy for reading, or with [`Need::Write`] for reading and writing.
#[must_use]
pub fn policy(settings: &Settings, root: &Path, need: Need) -> Policy {
    let ground = survey(settings, root);
    let mut statements: BTreeMap<(Need, On), BTreeSet<&'static str>> = BTreeMap::new();
    for permission in PERMISSIONS.iter().chain(INTAKE).filter(|permission| permission.need <= need) {
        statements.entry((permission.need, permission.on)).or_default().insert(permission.action);
    }
    let mut notes =
        vec![format!("this is for the environment {} alone: --env names another", settings.environment.name)];
    notes.extend(ground.notes.iter().cloned());
    let mut document: Vec<Value> =
        statements.into_iter().filter_map(|((need, on), actions)| ground.statement(need, on, &actions)).collect();
    document.extend(ground.drift(&mut notes));
    document.extend(ground.pipeline(need));
    if need == Need::Write {
        document.extend(ground.put_back(&mut notes));
        notes.push(
            "deploying needs, besides, whatever the stacks' own resources need: CloudFormation changes them in the \
             caller's name, or in that of a service role"
                .to_owned(),
        );
    }
    Policy { document: json!({ "Version": "2012-10-17", "Statement": document }), notes }
}

/// The policy for working out what a commit would change, and for no more: what may be read, without what answers with
/// values, and change sets that are made, looked at and deleted. Whoever writes a pull request chooses what is run by it.
#[must_use]
pub fn check(settings: &Settings, root: &Path) -> Policy {
    const CHANGE_SETS: [&str; 3] =
        ["cloudformation:CreateChangeSet", "cloudformation:DescribeChangeSet", "cloudformation:DeleteChangeSet"];
    let ground = survey(settings, root);
    let mut statements: BTreeMap<On, BTreeSet<&'static str>> = BTreeMap::new();
    let holds_values =
        |action: &str| permissions::answers_with_values(action) || action == "secretsmanager:BatchGetSecretValue";
    let allowed = |permission: &&permissions::Permission| {
        let reads = permission.need == Need::Read && permission.on != On::Keys && !holds_values(permission.action);
        reads || CHANGE_SETS.contains(&permission.action)
    };
    for permission in PERMISSIONS.iter().filter(allowed) {
        statements.entry(permission.on).or_default().insert(permission.action);
    }
    let document: Vec<Value> = statements
        .into_iter()
        .filter_map(|(on, actions)| {
            let mut statement = ground.statement(Need::Read, on, &actions)?;
            statement["Sid"] = format!("PlumbCheck{on:?}").into();
            Some(statement)
        })
        .collect();
    let mut notes = ground.notes;
    notes.push("no value is read by it: what no receipt settles is unknown in a dry run".to_owned());
    notes.push("a stack that is not there yet cannot be previewed by it, since that would leave one behind".to_owned());
    Policy { document: json!({ "Version": "2012-10-17", "Statement": document }), notes }
}

fn survey(settings: &Settings, root: &Path) -> Ground {
    let environment = &settings.environment;
    let mut ground = Ground {
        partition: environment.region.as_deref().map_or("*", partition).to_owned(),
        region: environment.region.clone().unwrap_or_else(|| "*".to_owned()),
        account: environment.account.clone().unwrap_or_else(|| "*".to_owned()),
        ..Ground::default()
    };
    if environment.region.is_none() {
        ground.notes.push("no region is configured, so the policy is for all of them: --region".to_owned());
    }
    if environment.account.is_none() {
        ground.notes.push(format!(
            "no account is configured, so the policy is for any: `account` of [environments.{}] in plumb.toml",
            environment.name
        ));
    }
    let commit = commit(environment, root);
    if let Err(why) = &commit {
        ground.notes.push(format!("git could not be read, so names are wider than they need be: {}", why.reason));
    }
    let listing = commit.as_ref().map(|(.., listing)| listing.as_slice()).unwrap_or_default();
    let project = match commit.as_ref().map(|(reference, snapshot, _)| (reference, project::at(settings, snapshot))) {
        Ok((_, Ok(project))) => project,
        Ok((reference, Err(why))) => {
            let file = &settings.file;
            ground.notes.push(format!("{file} of {reference} cannot be read, so the one here counts: {}", why.reason));
            settings.project.clone()
        }
        Err(_) => settings.project.clone(),
    };
    if let Ok((reference, snapshot, _)) = &commit {
        ground.notes.extend(project::unlike(settings, snapshot, reference));
    }
    ground.names(&project, environment, listing);
    let (stacks, _) = mapping::stacks(&project, &bindings(environment), listing);
    for stack in &stacks {
        ground.stack(stack, environment, commit.as_ref().ok().map(|(_, snapshot, _)| snapshot));
    }
    if let Some(intake) = &project.intake {
        ground.intake = Some(open(&config::fill(&intake.stack, &bindings(environment))));
        ground.notes.push(
            "posting to the intake needs execute-api:Invoke on its API, whose id its stack has: not in the policy"
                .to_owned(),
        );
    }
    if let Some(adhoc) = &settings.adhoc {
        let stack = adhoc.stack.as_deref().map(exactly);
        ground.functions.extend(stack.as_ref().map(|stack| format!("{stack}-*")));
        ground.stacks.extend(stack);
        ground.parameters.extend(adhoc.path.as_deref().map(exactly));
    }
    let pipeline = project.pipeline.as_ref().map(|pipeline| &pipeline.stack);
    ground.pipeline = pipeline.map(|stack| open(&config::fill(stack, &bindings(environment))));
    ground.stacks.extend(ground.pipeline.clone());
    if let Some(bucket) = &project.state_bucket {
        let bucket = bucket.replace("{project}", &project.name);
        ground.bucket = Some(open(&config::fill(&bucket, &bindings(environment))));
        let kept = format!("plumb/{}", exactly(&project.name));
        ground.objects = vec![format!("{kept}/{}/*", exactly(&environment.name)), format!("{kept}/artifacts/*")];
        ground.objects.push(format!("{kept}/templates/*"));
    }
    ground
}

/// The ref, its files, and their names.
fn commit(environment: &Environment, root: &Path) -> Result<(String, Snapshot, Vec<String>), Why> {
    let (reference, snapshot) = project::compared(environment, root)?;
    let entries = snapshot.list("").map_err(|error| failed(&error))?;
    Ok((reference, snapshot, entries.into_iter().map(|entry| entry.path).collect()))
}

impl Ground {
    /// Starts of the names of parameters and secrets, for the services that the commit has.
    fn names(&mut self, project: &Project, here: &Environment, listing: &[String]) {
        let environment = &here.name;
        self.parameters.insert(exactly(&hold::name(&project.name, environment)));
        let sorted = mapping::sort_files(project, environment, listing);
        for (index, tree) in project.config.iter().enumerate() {
            let layers = match tree.layers {
                Layers::Merged => vec![environment.clone()],
                Layers::Separate => vec![environment.clone(), tree.global.clone()],
            };
            let mine = sorted.config.iter().filter(|file| file.tree_index == index);
            let mut found: Vec<Bindings> = mine.map(|file| file.bindings.clone()).collect();
            if found.is_empty() {
                found.push(bindings(here));
            }
            for bound in found {
                for layer in &layers {
                    let bound = Bindings { layer: Some(layer.clone()), ..bound.clone() };
                    self.parameters.insert(start(&tree.parameter, &bound));
                }
            }
        }
        for (index, file) in project.secrets.iter().enumerate() {
            let mine = sorted.secrets.iter().filter(|each| each.secret_index == index);
            let mut found: Vec<Bindings> = mine.map(|each| each.bindings.clone()).collect();
            if found.is_empty() {
                found.push(bindings(here));
            }
            self.secrets.extend(found.iter().map(|bound| start(&file.name, bound)));
        }
    }

    /// A stack, its functions, and the types of its resources as the template tells them.
    fn stack(&mut self, stack: &Stack, environment: &Environment, snapshot: Option<&Snapshot>) {
        let name = open(&stack.name);
        let text = snapshot.and_then(|snapshot| snapshot.read(&stack.template).ok()?);
        let template = text
            .and_then(|blob| String::from_utf8(blob.bytes).ok())
            .and_then(|text| Template::parse(&stack.template, &text).ok());
        self.stacks.insert(name.clone());
        let Some(template) = template else {
            self.functions.insert(format!("{name}-*"));
            self.notes.push(format!(
                "{} could not be read: what drift detection of {name} needs is not in the policy",
                stack.template
            ));
            return;
        };
        let scope = Scope {
            parameters: stack.parameters.clone(),
            account: environment.account.clone(),
            region: environment.region.clone(),
            partition: environment.region.as_deref().map(|region| partition(region).to_owned()),
            // One that is not known whole would make names that match nothing.
            stack_name: (!stack.name.contains('{')).then(|| stack.name.clone()),
            ..Scope::default()
        };
        for resource in template.resources() {
            self.types.insert(resource.type_name.clone());
            // CloudFormation begins the names of stacks within with the stack's.
            if resource.type_name == "AWS::CloudFormation::Stack" {
                self.stacks.insert(format!("{name}-*"));
            }
            let own = match resource.type_name.as_str() {
                "AWS::SSM::Parameter" => Some(&mut self.own_parameters),
                "AWS::SecretsManager::Secret" => Some(&mut self.own_secrets),
                _ => None,
            };
            if let Some(own) = own {
                match resource.properties.get("Name").map(|value| template.resolve(value, &scope)) {
                    Some(Resolved::Value(Value::String(known))) => drop(own.insert(exactly(&known))),
                    _ => self.nameless.push(format!("{name}/{}", resource.logical_id)),
                }
            }
            if !matches!(resource.type_name.as_str(), "AWS::Lambda::Function" | "AWS::Serverless::Function") {
                continue;
            }
            let named = resource.properties.get("FunctionName").map(|value| template.resolve(value, &scope));
            self.functions.insert(match named {
                Some(Resolved::Value(Value::String(function))) => exactly(&function),
                // CloudFormation begins the names that it makes with the stack's.
                None | Some(Resolved::NoValue) => format!("{name}-*"),
                Some(_) => "*".to_owned(),
            });
        }
    }

    /// One statement; `None` when the project has nothing that it would be about.
    fn statement(&self, need: Need, on: On, actions: &BTreeSet<&'static str>) -> Option<Value> {
        let resources = self.resources(on);
        if resources.is_empty() {
            return None;
        }
        let mut statement = json!({
            "Sid": format!("Plumb{need:?}{on:?}"),
            "Effect": "Allow",
            "Action": actions,
            "Resource": resources,
        });
        if on == On::Keys {
            let suffix = if self.partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
            let services = ["ssm", "secretsmanager"].map(|service| format!("{service}.{}.{suffix}", self.region));
            statement["Condition"] = json!({ "StringLike": { "kms:ViaService": services } });
        }
        Some(statement)
    }

    fn resources(&self, on: On) -> Vec<String> {
        let within = |service: &str, resource: String| self.within(service, &resource);
        match on {
            On::Anything => vec!["*".to_owned()],
            On::Parameters => narrowest(&self.parameters)
                .into_iter()
                .map(|start| within("ssm", format!("parameter/{}*", start.trim_start_matches('/'))))
                .collect(),
            On::Secrets => narrowest(&self.secrets)
                .into_iter()
                .map(|start| within("secretsmanager", format!("secret:{start}*")))
                .collect(),
            On::Stacks => self.stacks.iter().map(|name| within("cloudformation", format!("stack/{name}/*"))).collect(),
            On::Functions => narrowest(&self.functions)
                .into_iter()
                .flat_map(|name| {
                    let whole = within("lambda", format!("function:{name}"));
                    // `name-*` covers its versions and aliases too.
                    if name.ends_with('*') { vec![whole] } else { vec![format!("{whole}:*"), whole] }
                })
                .collect(),
            On::Bucket => self.bucket.iter().map(|bucket| format!("arn:{}:s3:::{bucket}", self.partition)).collect(),
            On::Objects => self
                .bucket
                .iter()
                .flat_map(|bucket| {
                    self.objects.iter().map(move |key| format!("arn:{}:s3:::{bucket}/{key}", self.partition))
                })
                .collect(),
            On::IntakeStack => {
                self.intake.iter().map(|name| within("cloudformation", format!("stack/{name}/*"))).collect()
            }
            // CloudFormation begins the names that it makes with the stack's, and a bucket has no capital letters.
            On::Records => self.intake.iter().map(|name| within("dynamodb", format!("table/{name}-*"))).collect(),
            On::SummaryFunction => {
                self.intake.iter().map(|name| within("lambda", format!("function:{name}-*"))).collect()
            }
            On::SummaryBucket | On::Summaries => {
                let below = if on == On::Summaries { "/summaries/*" } else { "" };
                let arn = |name: &String| format!("arn:{}:s3:::{}-*{below}", self.partition, name.to_lowercase());
                self.intake.iter().map(arn).collect()
            }
            On::Keys
                if self.parameters.is_empty()
                    && self.secrets.is_empty()
                    && self.own_parameters.is_empty()
                    && self.own_secrets.is_empty() =>
            {
                Vec::new()
            }
            On::Keys => vec![within("kms", "key/*".to_owned())],
        }
    }

    fn pipeline(&self, need: Need) -> Vec<Value> {
        let within = |service: &str, resource: &str| self.within(service, resource);
        self.pipeline
            .as_deref()
            .map(|stack| pipeline::permissions::statements(stack, need, &within))
            .unwrap_or_default()
    }

    fn within(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition, self.region, self.account)
    }

    /// What writes the stacks' own parameters where no change set puts them back.
    fn put_back(&self, notes: &mut Vec<String>) -> Option<Value> {
        if !self.nameless.is_empty() {
            notes.push(format!(
                "what of {} is a parameter cannot be put back without CloudFormation: its name is not in the template, \
                 so it is not in the policy",
                self.nameless.join(", ")
            ));
        }
        let names: Vec<String> = self
            .own_parameters
            .iter()
            .map(|name| self.within("ssm", &format!("parameter/{}", name.trim_start_matches('/'))))
            .collect();
        let actions = ["ssm:AddTagsToResource", "ssm:PutParameter"];
        let statement = json!({ "Sid": "PlumbPutBack", "Effect": "Allow", "Action": actions, "Resource": names });
        (!names.is_empty()).then_some(statement)
    }

    /// What CloudFormation reads in the caller's name when it detects drift. What answers with values is never for
    /// `*`, which would undo the limits of all other statements.
    fn drift(&self, notes: &mut Vec<String>) -> Vec<Value> {
        let mut actions = BTreeSet::new();
        let mut unknown = Vec::new();
        for name in self.types.iter().filter(|name| !permissions::has_no_drift(name)) {
            match permissions::drift(name) {
                Some(found) => actions.extend(found),
                None => unknown.push(name.as_str()),
            }
        }
        if !unknown.is_empty() {
            notes.push(format!(
                "drift detection also needs permission to read {}, which is not in the policy",
                unknown.join(", ")
            ));
        }
        if !self.nameless.is_empty() {
            notes.push(format!(
                "drift detection also reads the values of {}, whose names the template does not tell: not in the policy",
                self.nameless.join(", ")
            ));
        }
        actions.retain(|action| !permissions::answers_with_values(action));
        let mut statements = Vec::new();
        if !actions.is_empty() {
            statements.push(json!({ "Sid": "PlumbReadDrift", "Effect": "Allow", "Action": actions, "Resource": "*" }));
        }
        let parameters: Vec<String> = self
            .own_parameters
            .iter()
            .map(|name| self.within("ssm", &format!("parameter/{}", name.trim_start_matches('/'))))
            .collect();
        // Secrets Manager ends each ARN with six characters of its own.
        let secrets: Vec<String> = self
            .own_secrets
            .iter()
            .map(|name| self.within("secretsmanager", &format!("secret:{name}-??????")))
            .collect();
        for (sid, action, resources) in [
            ("PlumbReadDriftParameters", "ssm:GetParameters", parameters),
            ("PlumbReadDriftSecrets", "secretsmanager:GetSecretValue", secrets),
        ] {
            if !resources.is_empty() {
                statements.push(json!({ "Sid": sid, "Effect": "Allow", "Action": [action], "Resource": resources }));
            }
        }
        statements
    }
}

#[cfg(test)]
mod tests;
