//! What reads a parameter or a secret, as far as the templates of the project's stacks tell: a function's variables, its
//! properties, and the policies of its role.
//!
//! Names alone; whether a function ever reads what it may read, nobody knows without asking it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::failed;
use super::journal::Thing;
use super::session::Session;
use crate::compare::Why;
use crate::config::{Bindings, Project, mapping};
use crate::git::Snapshot;
use crate::template::{How, Referrer, Resolved, ResourceRef, Scope, Template};

/// A function that reads something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reader {
    /// Its stack and logical id: `petshop-prod/BillingApi`.
    pub function: String,
    /// When it reads.
    pub reads: Reads,
    /// Where the template says so: `variable CONFIG_PATH`, `policy`, `Environment.Variables.KEY`.
    pub through: String,
}

/// When a function gets a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reads {
    /// CloudFormation puts it into what the function is made of: `{{resolve:…}}`.
    Deployed,
    /// It asks for it while it runs.
    Running,
}

/// A text of a template that may name something that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mention {
    reader: Reader,
    text: String,
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Variable,
    Policy,
    Property,
}

/// The readers of each item, at a commit. What no template tells has none.
pub async fn of(
    session: &Session,
    commit: &str,
    names: Vec<(Thing, String)>,
) -> BTreeMap<(Thing, String), Vec<Reader>> {
    if names.is_empty() {
        return BTreeMap::new();
    }
    let bindings = session.bindings().await;
    let (repository, prefix) = (session.repository.clone(), session.prefix.clone());
    let (project, commit) = (session.project().clone(), commit.to_owned());
    let work = move || -> Result<_, Why> {
        let snapshot = repository?.snapshot(&commit, &prefix).map_err(|error| failed(&error))?;
        let mentions = mentions(&project, &bindings, &snapshot)?;
        let readers = |(kind, name): &(Thing, String)| {
            let mut found: Vec<Reader> =
                mentions.iter().filter(|it| it.names(*kind, name)).map(|it| it.reader.clone()).collect();
            found.sort();
            // Of several places of one function the first is enough.
            found.dedup_by(|one, other| one.function == other.function);
            found
        };
        Ok(names.into_iter().map(|item| (item.clone(), readers(&item))).collect())
    };
    tokio::task::spawn_blocking(work).await.ok().and_then(Result::ok).unwrap_or_default()
}

fn mentions(project: &Project, bindings: &Bindings, snapshot: &Snapshot) -> Result<Vec<Mention>, Why> {
    let entries = snapshot.list("").map_err(|error| failed(&error))?;
    let listing: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
    let mut mentions = Vec::new();
    for stack in mapping::stacks(project, bindings, &listing).0 {
        let Ok(Some(blob)) = snapshot.read(&stack.template) else { continue };
        let Ok(template) = Template::parse(&stack.template, &String::from_utf8_lossy(&blob.bytes)) else { continue };
        let scope = Scope {
            parameters: stack.parameters.clone(),
            account: bindings.account.clone(),
            region: bindings.region.clone(),
            partition: Some("aws".to_owned()),
            stack_name: Some(stack.name.clone()),
            ..Scope::default()
        };
        of_template(&template, &scope, &stack.name, &mut mentions);
    }
    Ok(mentions)
}

fn of_template(template: &Template, scope: &Scope, stack: &str, mentions: &mut Vec<Mention>) {
    let resolved = |resource: &ResourceRef| match template.resolve(&resource.properties, scope) {
        Resolved::Value(value) | Resolved::Open { expression: value, .. } => value,
        Resolved::NoValue => Value::Null,
    };
    for function in template.resources() {
        if !matches!(function.type_name.as_str(), "AWS::Lambda::Function" | "AWS::Serverless::Function") {
            continue;
        }
        let properties = resolved(function);
        let name = format!("{stack}/{}", function.logical_id);
        let mut texts = Vec::new();
        collect(&properties, "", &mut texts);
        for (path, text) in texts {
            let (place, through) = match path.strip_prefix("Environment.Variables.") {
                Some(variable) => (Place::Variable, format!("variable {variable}")),
                None if path.starts_with("Policies.") => (Place::Policy, "policy".to_owned()),
                None => (Place::Property, path),
            };
            let reads = if text.contains("{{resolve:") { Reads::Deployed } else { Reads::Running };
            mentions.push(Mention { reader: Reader { function: name.clone(), reads, through }, text, place });
        }
        for role in template.resources().iter().filter(|role| role.type_name == "AWS::IAM::Role") {
            if !refers(template, &role.logical_id, &function.logical_id, "Role") {
                continue;
            }
            let attached = template.resources().iter().filter(|policy| {
                matches!(policy.type_name.as_str(), "AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy")
                    && (refers(template, &role.logical_id, &policy.logical_id, "Roles")
                        || refers(template, &policy.logical_id, &role.logical_id, "ManagedPolicyArns"))
            });
            for holder in attached.chain([role]) {
                let mut texts = Vec::new();
                collect(&resolved(holder), "", &mut texts);
                let reader = || {
                    let through = "policy".to_owned();
                    Reader { function: name.clone(), reads: Reads::Running, through }
                };
                let of_policy = |text| Mention { reader: reader(), text, place: Place::Policy };
                mentions.extend(texts.into_iter().map(|(_, text)| of_policy(text)));
            }
        }
    }
}

/// Whether a resource refers to another one somewhere below a property.
fn refers(template: &Template, to: &str, from: &str, property: &str) -> bool {
    template.references(to).iter().any(|reference| {
        reference.from == Referrer::Resource(from.to_owned())
            && reference.how != How::DependsOn
            && (reference.path == property || reference.path.starts_with(&format!("{property}.")))
    })
}

/// The texts of a value, each with its path; what a policy denies is left out.
fn collect(value: &Value, path: &str, texts: &mut Vec<(String, String)>) {
    let below = |step: &str| if path.is_empty() { step.to_owned() } else { format!("{path}.{step}") };
    match value {
        Value::String(text) => texts.push((path.to_owned(), text.clone())),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| collect(item, &below(&at.to_string()), texts));
        }
        Value::Object(members) if members.get("Effect") == Some(&Value::from("Deny")) => {}
        Value::Object(members) => members.iter().for_each(|(key, member)| collect(member, &below(key), texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

impl Mention {
    fn names(&self, kind: Thing, name: &str) -> bool {
        let text = self.text.as_str();
        match kind {
            Thing::Parameter => {
                let path = format!("/{}", name.trim_start_matches('/'));
                let below = |start: &str| {
                    let start = start.trim_end_matches('/');
                    start.len() > 1 && path.strip_prefix(start).is_some_and(|rest| rest.starts_with('/'))
                };
                (self.place == Place::Variable && (text == name || (text.starts_with('/') && below(text))))
                    || text.split_once(":parameter").is_some_and(|(arn, it)| arn.starts_with("arn:") && fits(it, &path))
                    || resolves(text, &["ssm", "ssm-secure"], name)
                    // The policy templates of SAM name it without its first slash.
                    || (self.place == Place::Policy && !text.contains(':') && text.len() > 1 && fits(&format!("/{text}"), &path))
            }
            Thing::Secret => {
                (self.place == Place::Variable && text == name)
                    || text.split_once(":secret:").is_some_and(|(arn, pattern)| {
                        // An ARN ends in six random characters of AWS.
                        arn.starts_with("arn:") && (fits(pattern, name) || fits(pattern, &format!("{name}-000000")))
                    })
                    || resolves(text, &["secretsmanager"], name)
            }
        }
    }
}

/// Whether a text holds a dynamic reference to a name.
fn resolves(text: &str, services: &[&str], name: &str) -> bool {
    text.split("{{resolve:").skip(1).filter_map(|rest| rest.split_once("}}")).any(|(reference, _)| {
        let Some((service, rest)) = reference.split_once(':') else { return false };
        services.contains(&service)
            && rest.strip_prefix(name).is_some_and(|after| after.is_empty() || after.starts_with(':'))
    })
}

/// Whether a text fits a pattern of IAM: `*` is anything, `?` any one character. A pattern of stars alone says nothing.
fn fits(pattern: &str, text: &str) -> bool {
    fn at(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) => at(rest, text) || text.split_first().is_some_and(|(_, left)| at(pattern, left)),
            (Some(('?', rest)), Some((_, left))) => at(rest, left),
            (Some((one, rest)), Some((other, left))) => one == other && at(rest, left),
            _ => false,
        }
    }
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    pattern.iter().any(|char| !matches!(char, '*' | '/')) && at(&pattern, &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = r#"
Parameters: { Environment: { Type: String } }
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyName: reads
          PolicyDocument:
            Statement:
              - { Effect: Allow, Action: "ssm:GetParameter*", Resource: !Sub "arn:aws:ssm:*:*:parameter/billing/${Environment}/*" }
              - { Effect: Deny, Action: "ssm:*", Resource: "arn:aws:ssm:*:*:parameter/web/*" }
              - { Effect: Allow, Action: "logs:*", Resource: "*" }
  More:
    Type: AWS::IAM::Policy
    Properties:
      Roles: [!Ref Role]
      PolicyDocument:
        Statement:
          { Effect: Allow, Action: "secretsmanager:GetSecretValue", Resource: "arn:aws:secretsmanager:*:*:secret:dev/shop/stripe-??????" }
  Api:
    Type: AWS::Lambda::Function
    Properties:
      Role: !GetAtt Role.Arn
      Environment: { Variables: { TITLE: "{{resolve:ssm:/web/dev/title:2}}", LEVEL: debug } }
  Web:
    Type: AWS::Lambda::Function
    Properties:
      Environment: { Variables: { CONFIG: !Sub "/web/${Environment}/", SECRET: dev/shop/signing } }
"#;

    #[test]
    fn a_function_reads_what_its_variables_its_role_and_its_references_name() {
        let template = Template::parse("t", TEMPLATE).unwrap();
        let parameters = BTreeMap::from([("Environment".to_owned(), "dev".to_owned())]);
        let scope = Scope { parameters, ..Scope::default() };
        let mut mentions = Vec::new();
        of_template(&template, &scope, "shop-dev", &mut mentions);
        let readers = |kind, name: &str| {
            let mut found: Vec<String> = mentions
                .iter()
                .filter(|mention| mention.names(kind, name))
                .map(|mention| format!("{} {}", mention.reader.function, mention.reader.through))
                .collect();
            found.sort();
            found.dedup();
            found
        };
        for (kind, name, expected) in [
            (Thing::Parameter, "/billing/dev/pool", &["shop-dev/Api policy"][..]),
            (Thing::Parameter, "/billing/prod/pool", &[]),
            (Thing::Parameter, "/web/dev/title", &["shop-dev/Api variable TITLE", "shop-dev/Web variable CONFIG"]),
            (Thing::Parameter, "/web/dev/titles", &["shop-dev/Web variable CONFIG"]),
            (Thing::Parameter, "/web/development/title", &[]),
            (Thing::Parameter, "debug", &["shop-dev/Api variable LEVEL"]),
            (Thing::Secret, "dev/shop/stripe", &["shop-dev/Api policy"]),
            (Thing::Secret, "dev/shop/stripe2", &[]),
            (Thing::Secret, "dev/shop/signing", &["shop-dev/Web variable SECRET"]),
        ] {
            assert_eq!(readers(kind, name), expected, "{name}");
        }
    }
}
