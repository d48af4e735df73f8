//! How a function is started anew, or why it is left as it is: what its stack, its template and its alias say of it.

use super::{Served, Way, described};
use crate::aws::cloudformation::{self, StackResource, Stage};
use crate::aws::lambda::{self, FunctionInfo};
use crate::aws::{Clients, Error};
use crate::compare::Why;
use crate::ops::readers::Reads;
use crate::ops::{failed, why};
use crate::template::{Referrer, ResourceRef, Template};

/// A stack that is deployed: its resources, and its template.
pub(super) type Deployed = (Vec<StackResource>, Template);

/// What a stack consists of: its resources, and the template that says how.
pub(super) async fn deployed(clients: &Clients, stack: &str) -> Result<Deployed, Why> {
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

/// How one of its functions is started anew. `alias`: the one that Plumb moves.
pub(super) async fn way(
    clients: &Clients,
    (resources, template): &Deployed,
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
pub(in crate::ops) fn is_same(one: &FunctionInfo, other: &FunctionInfo) -> bool {
    let code = |it: &FunctionInfo| (it.code_sha256.clone(), it.runtime.clone(), it.handler.clone(), it.layers.clone());
    let shape = |it: &FunctionInfo| (it.role.clone(), it.memory, it.timeout, it.architectures.clone(), it.rest.clone());
    // What cannot be decrypted is not known to be the same.
    code(one) == code(other)
        && shape(one) == shape(other)
        && one.environment.is_ok()
        && one.environment == other.environment
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
}
