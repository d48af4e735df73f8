//! The IAM policy that Plumb needs for an environment: no more than the project's own parameters, secrets, stacks,
//! functions and state bucket. Reads git and the configuration; asks no AWS.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};

use super::map::bindings;
use super::permissions::{self, Need, On, PERMISSIONS};
use crate::config::{self, Bindings, Environment, Layers, Settings, Stack, mapping};
use crate::git::{Repository, Snapshot};
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
    /// Starts of parameter names, of secret names, and names of stacks and functions; may hold `*`.
    parameters: BTreeSet<String>,
    secrets: BTreeSet<String>,
    stacks: BTreeSet<String>,
    functions: BTreeSet<String>,
    bucket: Option<String>,
    objects: Vec<String>,
    types: BTreeSet<String>,
    /// Parameters and secrets that the stacks themselves make, by their whole names.
    own_parameters: BTreeSet<String>,
    own_secrets: BTreeSet<String>,
    /// What of these has a name that the template does not tell.
    nameless: Vec<String>,
    notes: Vec<String>,
}

/// The policy for reading, or with [`Need::Write`] for reading and writing.
#[must_use]
pub fn policy(settings: &Settings, root: &Path, need: Need) -> Policy {
    let ground = survey(settings, root);
    let mut statements: BTreeMap<(Need, On), BTreeSet<&'static str>> = BTreeMap::new();
    for permission in PERMISSIONS.iter().filter(|permission| permission.need <= need) {
        statements.entry((permission.need, permission.on)).or_default().insert(permission.action);
    }
    let mut notes =
        vec![format!("this is for the environment {} alone: --env names another", settings.environment.name)];
    notes.extend(ground.notes.iter().cloned());
    let mut document: Vec<Value> =
        statements.into_iter().filter_map(|((need, on), actions)| ground.statement(need, on, &actions)).collect();
    document.extend(ground.drift(&mut notes));
    if need == Need::Write {
        notes.push(
            "deploying needs, besides, whatever the stacks' own resources need: CloudFormation changes them in the \
             caller's name, or in that of a service role"
                .to_owned(),
        );
    }
    Policy { document: json!({ "Version": "2012-10-17", "Statement": document }), notes }
}

fn survey(settings: &Settings, root: &Path) -> Ground {
    let environment = &settings.environment;
    let project = &settings.project;
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
    let snapshot = snapshot(environment, root);
    if let Err(why) = &snapshot {
        ground.notes.push(format!("git could not be read, so names are wider than they need be: {why}"));
    }
    let listing = snapshot.as_ref().map(|(_, listing)| listing.as_slice()).unwrap_or_default();
    ground.names(settings, listing);
    let (stacks, _) = mapping::stacks(project, &bindings(environment), listing);
    for stack in &stacks {
        ground.stack(stack, environment, snapshot.as_ref().ok().map(|(snapshot, _)| snapshot));
    }
    if let Some(adhoc) = &settings.adhoc {
        ground.stacks.extend(adhoc.stack.clone());
        ground.functions.extend(adhoc.stack.as_ref().map(|stack| format!("{stack}-*")));
        ground.parameters.extend(adhoc.path.clone());
    }
    if let Some(bucket) = &project.state_bucket {
        let bucket = bucket.replace("{project}", &project.name);
        ground.bucket = Some(open(&config::fill(&bucket, &bindings(environment))));
        let kept = format!("plumb/{}", project.name);
        ground.objects = vec![format!("{kept}/{}/*", environment.name), format!("{kept}/artifacts/*")];
    }
    ground
}

fn snapshot(environment: &Environment, root: &Path) -> Result<(Snapshot, Vec<String>), crate::git::Error> {
    let repository = Repository::discover(root)?;
    let prefix = repository.prefix_of(root)?;
    let reference = environment.git_ref.clone().unwrap_or_else(|| repository.default_ref());
    let snapshot = repository.snapshot(&reference, &prefix)?;
    let listing = snapshot.list("")?.into_iter().map(|entry| entry.path).collect();
    Ok((snapshot, listing))
}

impl Ground {
    /// Starts of the names of parameters and secrets, for the services that the commit has.
    fn names(&mut self, settings: &Settings, listing: &[String]) {
        let project = &settings.project;
        let environment = &settings.environment.name;
        let sorted = mapping::sort_files(project, environment, listing);
        for (index, tree) in project.config.iter().enumerate() {
            let layers = match tree.layers {
                Layers::Merged => vec![environment.clone()],
                Layers::Separate => vec![environment.clone(), tree.global.clone()],
            };
            let mine = sorted.config.iter().filter(|file| file.tree_index == index);
            let mut found: Vec<Bindings> = mine.map(|file| file.bindings.clone()).collect();
            if found.is_empty() {
                found.push(bindings(&settings.environment));
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
                found.push(bindings(&settings.environment));
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
            stack_name: Some(name.clone()),
            ..Scope::default()
        };
        for resource in template.resources() {
            self.types.insert(resource.type_name.clone());
            let own = match resource.type_name.as_str() {
                "AWS::SSM::Parameter" => Some(&mut self.own_parameters),
                "AWS::SecretsManager::Secret" => Some(&mut self.own_secrets),
                _ => None,
            };
            if let Some(own) = own {
                match resource.properties.get("Name").map(|value| template.resolve(value, &scope)) {
                    Some(Resolved::Value(Value::String(known))) => drop(own.insert(known)),
                    _ => self.nameless.push(format!("{name}/{}", resource.logical_id)),
                }
            }
            if !matches!(resource.type_name.as_str(), "AWS::Lambda::Function" | "AWS::Serverless::Function") {
                continue;
            }
            let named = resource.properties.get("FunctionName").map(|value| template.resolve(value, &scope));
            self.functions.insert(match named {
                Some(Resolved::Value(Value::String(function))) => function,
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

    fn within(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition, self.region, self.account)
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

/// A name up to its key; what else is not bound becomes `*`.
fn start(pattern: &str, bindings: &Bindings) -> String {
    let filled = config::fill(pattern, bindings);
    open(filled.split("{key}").next().unwrap_or_default())
}

/// `*` for each placeholder that nothing fills.
fn open(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        out.push('*');
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    out + rest
}

/// Leaves out what a shorter start covers.
fn narrowest(starts: &BTreeSet<String>) -> Vec<&String> {
    let covers = |wide: &str, name: &str| wide.strip_suffix('*').is_some_and(|start| name.starts_with(start));
    starts.iter().filter(|name| !starts.iter().any(|wide| wide != *name && covers(wide, name))).collect()
}

fn partition(region: &str) -> &'static str {
    match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environ, Flags, parse_project, settle};

    fn settings(text: &str, env: &str) -> Settings {
        let flags = Flags { env: Some(env.to_owned()), ..Flags::default() };
        settle(&flags, &Environ::default(), None, Some(parse_project("plumb.toml", text).unwrap())).unwrap()
    }

    const PROJECT: &str = "name = \"p\"\n[state]\nbucket = \"p-{account}-{region}\"\n[[config]]\nfiles = \"c/{service}/{env}.json\"\n\
        [[secrets]]\nname = \"{env}/p/{key}\"\nfile = \"s/{env}.json\"\nshape = \"key\"\n[[stacks]]\nname = \"p-{env}\"\n\
        template = \"t.yaml\"\n[environments.dev]\nregion = \"eu-central-1\"\naccount = \"471100004201\"\n[environments.qa]\n";

    fn texts(value: &Value) -> Vec<String> {
        match value {
            Value::String(text) => vec![text.clone()],
            Value::Array(all) => all.iter().flat_map(texts).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn resources_are_those_of_the_environment() {
        let nowhere = tempfile::tempdir().unwrap();
        let policy = policy(&settings(PROJECT, "dev"), nowhere.path(), Need::Read);
        let statements = policy.document["Statement"].as_array().unwrap();
        let all: Vec<String> = statements.iter().flat_map(|statement| texts(&statement["Resource"])).collect();
        for expected in [
            "arn:aws:ssm:eu-central-1:471100004201:parameter/*/dev/*",
            "arn:aws:ssm:eu-central-1:471100004201:parameter/*/global/*",
            "arn:aws:secretsmanager:eu-central-1:471100004201:secret:dev/p/*",
            "arn:aws:cloudformation:eu-central-1:471100004201:stack/p-dev/*",
            "arn:aws:lambda:eu-central-1:471100004201:function:p-dev-*",
            "arn:aws:s3:::p-471100004201-eu-central-1",
            "arn:aws:s3:::p-471100004201-eu-central-1/plumb/p/dev/*",
        ] {
            assert!(all.contains(&expected.to_owned()), "{expected} in {all:#?}");
        }
        assert!(policy.notes.iter().any(|note| note.starts_with("git could not be read")), "{:?}", policy.notes);
    }

    #[test]
    fn no_statement_for_everything_answers_with_values() {
        let template = "Resources:\n  Known:\n    Type: AWS::SecretsManager::Secret\n    Properties:\n      Name: dev/stack/known\n  \
            Unnamed:\n    Type: AWS::SecretsManager::Secret\n  Plain:\n    Type: AWS::SSM::Parameter\n    Properties:\n      \
            Name: /stack/plain\n  Code:\n    Type: AWS::Lambda::Function\n";
        let tmp = tempfile::tempdir().unwrap();
        let git = |arguments: &[&str]| {
            let identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
            let run = std::process::Command::new("git").current_dir(tmp.path()).args(identity).args(arguments).output();
            assert!(run.unwrap().status.success(), "{arguments:?}");
        };
        git(&["init", "-q", "-b", "main"]);
        std::fs::write(tmp.path().join("t.yaml"), template).unwrap();
        git(&["add", "."]);
        git(&["commit", "-q", "-m", "Template"]);
        let policy = policy(&settings(PROJECT, "dev"), tmp.path(), Need::Read);
        let statements = policy.document["Statement"].as_array().unwrap();
        let of = |sid: &str| statements.iter().find(|statement| statement["Sid"] == sid).unwrap();
        assert_eq!(
            texts(&of("PlumbReadDriftSecrets")["Resource"]),
            ["arn:aws:secretsmanager:eu-central-1:471100004201:secret:dev/stack/known-??????"]
        );
        assert_eq!(
            texts(&of("PlumbReadDriftParameters")["Resource"]),
            ["arn:aws:ssm:eu-central-1:471100004201:parameter/stack/plain"]
        );
        for statement in statements.iter().filter(|statement| texts(&statement["Resource"]).contains(&"*".to_owned())) {
            for action in texts(&statement["Action"]) {
                assert!(!permissions::answers_with_values(&action), "{action} in {statement:#}");
            }
        }
        assert!(policy.notes.iter().any(|note| note.contains("p-dev/Unnamed")), "{:?}", policy.notes);
        assert!(policy.notes[0].contains("the environment dev alone"), "{:?}", policy.notes);
    }

    #[test]
    fn reading_allows_no_writing() {
        let nowhere = tempfile::tempdir().unwrap();
        let actions = |need| {
            let policy = policy(&settings(PROJECT, "qa"), nowhere.path(), need);
            let statements = policy.document["Statement"].as_array().unwrap().clone();
            statements.iter().flat_map(|statement| texts(&statement["Action"])).collect::<BTreeSet<String>>()
        };
        let writes = PERMISSIONS.iter().filter(|permission| permission.need == Need::Write);
        let (read, write) = (actions(Need::Read), actions(Need::Write));
        assert!(read.is_subset(&write));
        for permission in writes {
            assert!(!read.contains(permission.action) && write.contains(permission.action), "{}", permission.action);
        }
    }

    #[test]
    fn what_is_not_configured_is_left_open_and_said() {
        let nowhere = tempfile::tempdir().unwrap();
        let policy = policy(&settings(PROJECT, "qa"), nowhere.path(), Need::Read);
        let text = policy.document.to_string();
        assert!(text.contains("arn:*:cloudformation:*:*:stack/p-qa/*") && text.contains("arn:*:s3:::p-*-*"), "{text}");
        assert!(!text.contains('{') || !text.contains("{account}"));
        assert_eq!(policy.notes.iter().filter(|note| note.contains("is configured, so the policy")).count(), 2);
    }

    #[test]
    fn placeholders_that_nothing_fills_are_wildcards() {
        assert_eq!(open("a-{account}-{region}"), "a-*-*");
        assert_eq!(open("plain"), "plain");
        let starts = BTreeSet::from(["p-dev-*".to_owned(), "p-dev-api".to_owned(), "other".to_owned()]);
        assert_eq!(narrowest(&starts), ["other", "p-dev-*"]);
    }
}
