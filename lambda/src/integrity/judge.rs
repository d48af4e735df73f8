//! Whether an API call is a change behind git's back.
//!
//! Pure: what happened, what the deploy flow is and what the stacks own in; a judgement with its reason out.

use std::collections::BTreeSet;

use super::event::{Call, Who};
use super::watched::{SERVICES, Service};
use crate::rotate::same_secret;

/// What is watched, and who may change it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Flow {
    /// The stacks' names.
    pub stacks: Vec<String>,
    /// Parameters that git states have a name that begins so.
    pub parameters: Vec<String>,
    /// The same of secrets.
    pub secrets: Vec<String>,
    /// ARNs of the roles and users that deploy.
    pub deployers: Vec<String>,
    /// ARNs of the roles that CloudFormation deploys under; nobody else's calls under them are in the flow.
    pub service_roles: Vec<String>,
    /// The parameter that holds the loop.
    pub hold: String,
}

/// What the stacks consist of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Owned {
    /// The service's source, and the resource's name in its one form.
    resources: BTreeSet<(&'static str, String)>,
    /// Names of roles.
    roles: BTreeSet<String>,
}

impl Owned {
    /// Of the types and physical ids of the stacks' resources.
    pub fn of<'a>(resources: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut owned = Self::default();
        for (kind, id) in resources {
            if kind == "AWS::IAM::Role" {
                owned.roles.insert(id.to_owned());
            }
            for service in SERVICES.iter().filter(|service| service.kinds.contains(&kind)) {
                owned.resources.insert((service.source, service.canonical(id).to_owned()));
            }
        }
        owned
    }

    /// The names of one service's resources.
    pub fn names(&self, source: &str) -> impl Iterator<Item = &str> {
        self.resources.iter().filter(move |(found, _)| *found == source).map(|(_, name)| name.as_str())
    }

    fn has(&self, service: &Service, name: &str) -> bool {
        match service.source {
            "aws.secretsmanager" => self.names(service.source).any(|owned| same_secret(owned, name)),
            source => self.names(source).any(|owned| owned == name),
        }
    }
}

/// What a call is to the loop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// Nothing; the reason is for the log.
    Nothing(String),
    /// The hold was set, changed or taken away.
    Hold,
    /// A change behind git's back, of this resource.
    Change(String),
}

/// What can be said of a call without asking what the stacks own: most events need no more.
#[must_use]
pub fn alone(call: &Call, flow: &Flow) -> Option<Judgement> {
    let nothing = |reason: String| Some(Judgement::Nothing(reason));
    if let Some(code) = &call.failed {
        return nothing(format!("the call failed ({code})"));
    }
    if !call.service.changes(&call.operation) {
        return nothing("the call changes nothing that is watched".to_owned());
    }
    if call.resources.is_empty() {
        return nothing("the call names no resource".to_owned());
    }
    let hold = touches_hold(call, flow);
    if hold && call.resources.iter().all(|name| *name == flow.hold) {
        return Some(Judgement::Hold);
    }
    in_the_flow(&call.who, flow).map(|reason| if hold { Judgement::Hold } else { Judgement::Nothing(reason) })
}

/// Whether a call is about the parameter that holds the loop, perhaps among others.
#[must_use]
pub fn touches_hold(call: &Call, flow: &Flow) -> bool {
    call.service.source == "aws.ssm" && call.resources.contains(&flow.hold)
}

/// The judgement of a call that [`alone`] left open.
#[must_use]
pub fn with_owned(call: &Call, flow: &Flow, owned: &Owned) -> Judgement {
    let mine = call.resources.iter().find(|name| belongs(call.service, name, flow, owned));
    let Some(name) = mine else {
        if touches_hold(call, flow) {
            return Judgement::Hold;
        }
        let noun = call.service.noun;
        return Judgement::Nothing(format!("the {noun} belongs to no watched stack and no watched prefix"));
    };
    // A function that rotates a secret does its work; what a secret holds then is not git's to state. Who may read it, its
    // key and whether it is there are.
    let role = call.who.issuer.as_deref().and_then(|arn| arn.rsplit('/').next());
    if call.only_value && role.is_some_and(|role| owned.roles.contains(role)) {
        return Judgement::Nothing("a role of the stack itself changes its secret's value".to_owned());
    }
    Judgement::Change(name.clone())
}

/// Why a caller's changes are the deploy flow's, or AWS's own; `None` for anybody else.
fn in_the_flow(who: &Who, flow: &Flow) -> Option<String> {
    let identity = who.issuer.as_deref().unwrap_or(&who.arn);
    let by_cloudformation = who.invoked_by.as_deref() == Some("cloudformation.amazonaws.com");
    if flow.deployers.iter().any(|deployer| deployer == identity) {
        let how = if by_cloudformation { ", through CloudFormation" } else { "" };
        return Some(format!("the deploy flow did it{how}"));
    }
    if by_cloudformation && flow.service_roles.iter().any(|role| role == identity) {
        return Some("CloudFormation did it, under the deploy flow's service role".to_owned());
    }
    // Nobody but AWS can take on a service-linked role, or make one below this path. Further back in an ARN anybody can
    // write it: the path of a role may hold colons.
    let resource = identity.splitn(6, ':').nth(5);
    if who.kind == "AWSService" || resource.is_some_and(|role| role.starts_with("role/aws-service-role/")) {
        return Some("AWS did it by itself".to_owned());
    }
    None
}

fn belongs(service: &Service, name: &str, flow: &Flow, owned: &Owned) -> bool {
    let begins = |prefixes: &[String], name: &str| prefixes.iter().any(|prefix| name.starts_with(prefix));
    let stated = match service.source {
        "aws.ssm" => begins(&flow.parameters, name),
        "aws.secretsmanager" => begins(&flow.secrets, name.split_once(":secret:").map_or(name, |(_, rest)| rest)),
        "aws.cloudformation" => flow.stacks.iter().any(|stack| stack == name),
        _ => false,
    };
    stated || owned.has(service, name)
}
