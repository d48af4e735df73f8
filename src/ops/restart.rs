//! Starts functions anew that have read a value: they keep it for as long as their execution environments live.
//!
//! Lambda has no call for it. What it documents is that a change of a function's configuration provisions new instances,
//! and that `LastUpdateStatus` tells when events are processed with the new one (API reference, UpdateFunctionConfiguration). So
//! what is changed is the description, of all properties the one that changes nothing of what runs, and only where the
//! deployed template does not state it: CloudFormation compares what a template states, and so does Plumb.
//!
//! A published version never changes, nor do its environments. Behind an alias that Plumb's own deployment moves, the same
//! code and configuration become a version of their own, and the alias is moved there, from exactly where it was.
//! Versions and aliases that a template makes are never touched.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::join_all;

use super::deploy;
use super::journal::{Action, Begun, Intent};
use super::readers::{Reader, Reads};
use super::report::Identity;
use super::session::Session;
use super::{failed, why};
use crate::aws::cloudformation::{self, StackResource, Stage};
use crate::aws::lambda::{self, Configuration, FunctionInfo};
use crate::aws::{Clients, Error, ErrorKind};
use crate::compare::Why;
use crate::template::{Referrer, ResourceRef, Template};

/// How long a function is waited for. With a network of its own it takes a minute.
const LONGEST: Duration = Duration::from_mins(5);
/// The longest description that Lambda takes, in characters.
const LONGEST_DESCRIPTION: usize = 256;
/// What the part of a description begins with that is ours.
const MARK: &str = "[started anew by plumb ";

/// A function that keeps what it has read, and how it gets to read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restart {
    /// Its stack and logical id: `shop-prod/Api`.
    pub name: String,
    /// How; or why it is left as it is.
    pub way: Result<Way, Why>,
}

/// How a function is started anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Its name in AWS.
    pub function: String,
    /// The alias that is moved; `None`: `$LATEST` is what is called.
    pub alias: Option<Served>,
    description: Option<String>,
    revision: Option<String>,
    code: String,
}

/// What an alias serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// The alias.
    pub alias: String,
    /// The version.
    pub version: String,
    revision: Option<String>,
}

/// A function that was started anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restarted {
    /// Its stack and logical id.
    pub name: String,
    /// The alias that was moved, and the version that it serves now.
    pub serves: Option<(String, String)>,
}

impl Restart {
    /// What would be done, in one line.
    #[must_use]
    pub fn told(&self) -> String {
        match &self.way {
            Ok(Way { function, alias: None, .. }) => format!("restart {}   {function}", self.name),
            Ok(Way { function, alias: Some(served), .. }) => {
                format!("restart {}   {function}:{} to a version like {}", self.name, served.alias, served.version)
            }
            Err(why) => {
                let hint = why.hint.as_ref().map(|hint| format!(" (try: {hint})")).unwrap_or_default();
                format!("{} keeps what it has read: {}{hint}", self.name, why.reason)
            }
        }
    }
}

/// Works out, by reading alone, how each of these functions is started anew. `commit` says which aliases Plumb moves.
pub async fn plan(session: &Session, commit: &str, readers: &[Reader]) -> Vec<Restart> {
    let mut by_stack: BTreeMap<&str, BTreeMap<&str, Reads>> = BTreeMap::new();
    for reader in readers {
        let Some((stack, resource)) = reader.function.split_once('/') else { continue };
        let reads = by_stack.entry(stack).or_default().entry(resource).or_insert(reader.reads);
        // What a deployment puts in needs one, whatever else is read.
        *reads = (*reads).min(reader.reads);
    }
    if by_stack.is_empty() {
        return Vec::new();
    }
    let ask = deploy::Ask { reference: Some(commit.to_owned()), ..deploy::Ask::default() };
    let known = deploy::stacks(session, &ask).await;
    let stacks = join_all(by_stack.into_iter().map(|(stack, functions)| {
        let known = &known;
        async move {
            let deployed = deployed(&session.clients, stack).await;
            let each = functions.into_iter().map(|(resource, reads)| {
                let alias = known.as_ref().map_err(Clone::clone).map(|known| {
                    let stack = known.iter().find(|known| known.name == stack);
                    let function = stack.and_then(|it| it.functions.iter().find(|it| it.resource == resource));
                    function.and_then(|function| function.alias.clone())
                });
                let deployed = &deployed;
                async move {
                    let way = match (deployed, alias) {
                        (Err(why), _) => Err(why.clone()),
                        (_, Err(why)) => Err(why),
                        (Ok(deployed), Ok(alias)) => {
                            way(&session.clients, deployed, resource, reads, alias.as_deref()).await
                        }
                    };
                    Restart { name: format!("{stack}/{resource}"), way }
                }
            });
            join_all(each).await
        }
    }));
    stacks.await.into_iter().flatten().collect()
}

/// What a stack consists of: its resources, and the template that says how.
async fn deployed(clients: &Clients, stack: &str) -> Result<(Vec<StackResource>, Template), Why> {
    let (resources, text) = tokio::join!(
        cloudformation::resources(clients, stack),
        cloudformation::template(clients, stack, Stage::Original)
    );
    let parse = |text: Result<String, Error>| {
        let text = text.map_err(|error| why(&error))?;
        Template::parse(stack, &text).map_err(|error| failed(&error))
    };
    let (resources, mut template) = (resources.map_err(|error| why(&error))?, parse(text)?);
    if template.expanded_by_aws().is_some() {
        template = parse(cloudformation::template(clients, stack, Stage::Processed).await)?;
    }
    Ok((resources, template))
}

async fn way(
    clients: &Clients,
    (resources, template): &(Vec<StackResource>, Template),
    resource: &str,
    reads: Reads,
    alias: Option<&str>,
) -> Result<Way, Why> {
    let physical = resources.iter().find(|it| it.logical_id == resource).and_then(|it| it.physical_id.clone());
    let physical = physical.ok_or_else(|| Why::new("it is not deployed"))?;
    refuse(template, resource, &physical, reads)?;
    let latest = lambda::function(clients, &physical, None).await.map_err(|error| why(&error))?;
    let latest = latest.ok_or_else(|| Why::new(format!("{physical} is gone")).hint("plumb deploy"))?;
    described(latest.description.as_deref(), "")?;
    let served = match alias {
        Some(alias) => Some(served(clients, &latest, &physical, alias).await?),
        None => None,
    };
    Ok(Way {
        function: physical,
        alias: served,
        description: latest.description,
        revision: latest.revision_id,
        code: latest.code_sha256_raw,
    })
}

/// Refuses what would be drift, or in vain.
fn refuse(template: &Template, resource: &str, physical: &str, reads: Reads) -> Result<(), Why> {
    let refused = |reason: &str| Err(Why::new(reason).hint("plumb deploy"));
    if reads == Reads::Deployed {
        return refused("CloudFormation put the value in when the stack was deployed, and does so again when it is");
    }
    let found = template.resources().iter().find(|it| it.logical_id == resource);
    match found.and_then(|found| found.properties.as_object()) {
        None => return refused("the deployed template does not have it"),
        Some(properties) if properties.contains_key("Description") || properties.contains_key("Fn::Transform") => {
            return refused("its template states the description, so that a change of it would be drift");
        }
        Some(_) => {}
    }
    let owner = template.resources().iter().find(|owner| {
        matches!(owner.type_name.as_str(), "AWS::Lambda::Alias" | "AWS::Lambda::Version")
            && is_of(template, owner, resource, physical)
    });
    match owner {
        None => Ok(()),
        Some(owner) => Err(Why::new(format!(
            "{} of its template decides which version is served, so that another one would be drift",
            owner.logical_id
        ))
        .hint("plumb deploy, with a change that makes a new version")),
    }
}

/// Whether a version or an alias is that of a function. One that names nobody's of the template may be.
fn is_of(template: &Template, owner: &ResourceRef, resource: &str, physical: &str) -> bool {
    let named = owner.properties.get("FunctionName");
    if let Some(name) = named.and_then(serde_json::Value::as_str) {
        return name == physical || name.ends_with(&format!(":{physical}"));
    }
    let refers = |to: &str| {
        template.references(to).iter().any(|reference| {
            reference.from == Referrer::Resource(owner.logical_id.clone()) && reference.path.starts_with("FunctionName")
        })
    };
    let mut functions = template.resources().iter().filter(|it| it.type_name == "AWS::Lambda::Function");
    refers(resource) || !functions.any(|function| refers(&function.logical_id))
}

/// What the alias serves, once it is sure that a new version would be the same.
async fn served(clients: &Clients, latest: &FunctionInfo, physical: &str, alias: &str) -> Result<Served, Why> {
    let routes = lambda::alias(clients, physical, alias).await.map_err(|error| why(&error))?;
    let routes = routes.ok_or_else(|| Why::new(format!("{physical} has no alias {alias}")).hint("plumb deploy"))?;
    if routes.versions().len() != 1 {
        return Err(Why::new(format!("{alias} splits its requests between versions")).hint("plumb deploy"));
    }
    let version = lambda::function(clients, physical, Some(&routes.version)).await.map_err(|error| why(&error))?;
    match version {
        Some(version) if is_same(latest, &version) => {
            Ok(Served { alias: alias.to_owned(), version: routes.version, revision: routes.revision_id })
        }
        Some(_) => Err(Why::new(format!(
            "version {}, which {alias} serves, is not what a new version would be: code or configuration differ",
            routes.version
        ))
        .hint("plumb deploy")),
        None => Err(Why::new(format!("version {} of {alias} is gone", routes.version)).hint("plumb deploy")),
    }
}

/// Whether two versions run the same, as far as they tell.
fn is_same(one: &FunctionInfo, other: &FunctionInfo) -> bool {
    let code = |it: &FunctionInfo| (it.code_sha256.clone(), it.runtime.clone(), it.handler.clone(), it.layers.clone());
    let shape = |it: &FunctionInfo| (it.role.clone(), it.memory, it.timeout, it.architectures.clone());
    // What cannot be decrypted is not known to be the same.
    code(one) == code(other)
        && shape(one) == shape(other)
        && one.environment.is_ok()
        && one.environment == other.environment
}

/// The description that tells of it; what somebody else wrote there stays.
fn described(live: Option<&str>, id: &str) -> Result<String, Why> {
    let theirs = live.unwrap_or_default().split(MARK).next().unwrap_or_default().trim_end();
    let space = if theirs.is_empty() { "" } else { " " };
    let text = format!("{theirs}{space}{MARK}{id}]");
    // Ids of the journal are no longer than this.
    if text.chars().count() + 32_usize.saturating_sub(id.len()) > LONGEST_DESCRIPTION {
        return Err(Why::new("its description, written by hand, leaves no room for another word").hint("plumb deploy"));
    }
    Ok(text)
}

/// Notes that functions are going to be started anew; `None`: none is. To be called before anything is sent that they read.
pub(super) fn begin(session: &Session, writer: &Identity, restarts: &[&Restart]) -> Result<Option<Begun>, Why> {
    let names: Vec<String> = restarts.iter().filter(|it| it.way.is_ok()).map(|it| it.name.clone()).collect();
    if names.is_empty() {
        return Ok(None);
    }
    Begun::new(session, writer, Intent::new(Action::Restart, names)).map(Some)
}

/// Starts those functions anew that are wanted, and settles the note.
///
/// Answers which were, which were not, and why the journal does not hold that, if so.
pub(super) async fn carry_out(
    session: &Session,
    begun: Begun,
    restarts: &[&Restart],
    wanted: &BTreeSet<&str>,
) -> (Vec<Restarted>, Vec<(String, Why)>, Option<Why>) {
    let id = begun.entry().id.clone();
    let due = restarts.iter().filter(|restart| wanted.contains(restart.name.as_str()));
    let due = due.filter_map(|restart| Some((restart.name.as_str(), restart.way.as_ref().ok()?)));
    let ended = join_all(due.map(|(name, way)| {
        let id = id.as_str();
        async move { (name.to_owned(), start(&session.clients, way, id).await) }
    }));
    let (mut done, mut left) = (Vec::new(), Vec::new());
    for (name, ended) in ended.await {
        match ended {
            Ok(serves) => done.push(Restarted { name, serves }),
            Err(why) => left.push((name, why)),
        }
    }
    let names: Vec<&str> = left.iter().map(|(name, _)| name.as_str()).collect();
    let told = match (done.is_empty(), names.is_empty()) {
        (true, true) => Some("left alone: nothing that they read was written".to_owned()),
        (_, true) => None,
        (_, false) => Some(format!("{} failed: {}", names.len(), names.join(", "))),
    };
    let untold = begun.settle(session, told).await;
    (done, left, untold)
}

async fn start(clients: &Clients, way: &Way, id: &str) -> Result<Option<(String, String)>, Why> {
    let told = |error: Error| match error.kind {
        ErrorKind::Conflict => Why { hint: Some("plan again: it was changed meanwhile".to_owned()), ..why(&error) },
        _ => why(&error),
    };
    let description = described(way.description.as_deref(), id)?;
    let new =
        Configuration { description: Some(description), only_if: way.revision.clone(), ..Configuration::default() };
    lambda::update_configuration(clients, &way.function, &new).await.map_err(told)?;
    lambda::wait_updated(clients, &way.function, LONGEST).await.map_err(told)?;
    let Some(served) = &way.alias else { return Ok(None) };
    let version = lambda::publish_version(clients, &way.function, Some(&way.code)).await.map_err(told)?;
    lambda::update_alias(clients, &way.function, &served.alias, &version, served.revision.as_deref())
        .await
        .map_err(told)?;
    Ok(Some((served.alias.clone(), version)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = r"
Resources:
  Plain: { Type: AWS::Lambda::Function, Properties: { Runtime: python3.13 } }
  Told: { Type: AWS::Lambda::Function, Properties: { Description: the shop } }
  Served: { Type: AWS::Lambda::Function, Properties: { Runtime: python3.13 } }
  Named: { Type: AWS::Lambda::Function, Properties: { Runtime: python3.13 } }
  Version: { Type: AWS::Lambda::Version, Properties: { FunctionName: !Ref Served } }
  Live: { Type: AWS::Lambda::Alias, Properties: { FunctionName: shop-named, FunctionVersion: '1', Name: live } }
";

    #[test]
    fn what_a_template_states_or_serves_itself_is_left_to_a_deployment() {
        let template = Template::parse("t", TEMPLATE).unwrap();
        for (resource, physical, reads, expected) in [
            ("Plain", "shop-plain", Reads::Running, None),
            ("Plain", "shop-plain", Reads::Deployed, Some("CloudFormation put the value in")),
            ("Told", "shop-told", Reads::Running, Some("states the description")),
            ("Served", "shop-served", Reads::Running, Some("Version of its template")),
            ("Named", "shop-named", Reads::Running, Some("Live of its template")),
            ("Other", "shop-other", Reads::Running, Some("does not have it")),
        ] {
            let refused = refuse(&template, resource, physical, reads).err();
            let reason = refused.as_ref().map(|why| why.reason.as_str());
            assert_eq!(reason.is_some(), expected.is_some(), "{resource}: {reason:?}");
            assert!(reason.unwrap_or_default().contains(expected.unwrap_or_default()), "{resource}: {reason:?}");
            assert!(refused.is_none_or(|why| why.hint.is_some_and(|hint| hint.starts_with("plumb deploy"))));
        }
        let open = TEMPLATE.replace("shop-named", "!ImportValue somebodys");
        let open = Template::parse("t", &open).unwrap();
        assert!(refuse(&open, "Plain", "shop-plain", Reads::Running).is_err(), "whose alias it is nobody knows");
    }

    #[test]
    fn a_description_changes_each_time_and_keeps_what_was_written_by_hand() {
        assert_eq!(described(None, "a1").unwrap(), "[started anew by plumb a1]");
        let first = described(Some("the shop"), "a1").unwrap();
        assert_eq!(first, "the shop [started anew by plumb a1]");
        assert_eq!(described(Some(&first), "b2").unwrap(), "the shop [started anew by plumb b2]");
        assert!(described(Some(&"x".repeat(250)), "").is_err());
    }
}
