//! What a project needs in an account before it can be deployed there: a stack of Plumb's own template.
//!
//! What there is already is found and not made twice: the state bucket, GitHub's OIDC provider, a trail. What this stack
//! made itself stays its own.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::draft::{Ask, Draft};
use crate::aws::cloudformation::{self, StackInfo};
use crate::aws::{cloudtrail, iam, s3};
use crate::compare::Why;
use crate::config::{Environment, Settings, Stack, StackKind};
use crate::github::Repository;
use crate::ops::inspect::now;
use crate::ops::permissions::Need;
use crate::ops::policy;
use crate::ops::session::{self, Session};
use crate::ops::{failed, why};
use crate::template::Template;

/// The template, of which the roles' policies are filled in.
const TEMPLATE: &str = include_str!("bootstrap/template.yaml");

/// Whose tokens the deploy role takes.
const ISSUER: &str = "token.actions.githubusercontent.com";

/// All policies of a role that stand in it may have so many characters together.
const LONGEST_POLICY: usize = 10_240;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Foundation {
    /// `OWNER/NAME` on GitHub; `None`: as the project or a remote says, else nobody.
    pub repository: Option<String>,
    /// The branch whose workflows may deploy.
    pub branch: String,
    /// ARNs of policies that the deploy role gets besides, for what the stacks' own resources need.
    pub attach: Vec<String>,
}

/// Thinks the account's foundation out; reads alone. Beside it, what the operator should know.
pub async fn bootstrap(session: &Session, wish: &Foundation) -> Result<(Draft, Vec<String>), Why> {
    let (session, writer) = session.for_writing().await?;
    let clients = &session.clients;
    let name = format!("{}-plumb", session.project().name);
    let before = cloudformation::stack(clients, &name).await.map_err(|error| why(&error))?;
    let kept = Kept(before.as_ref().filter(|info| info.status != "REVIEW_IN_PROGRESS"));
    let mut notes = Vec::new();
    let bucket = match session.receipts().await?.bucket {
        None => {
            notes.push("the project names no state bucket, so none is made: [state] bucket in plumb.toml".to_owned());
            String::new()
        }
        Some(bucket) if kept.is("BucketName", &bucket) => bucket,
        Some(bucket) if s3::bucket_exists(clients, &bucket).await.map_err(|error| why(&error))? => {
            notes.push(format!("{bucket} is there already, and stays as it is"));
            String::new()
        }
        Some(bucket) => bucket,
    };
    let repository = wish.repository.clone().or_else(|| on_github(&session)).unwrap_or_default();
    let mut provider = String::new();
    if repository.is_empty() {
        notes.push("no repository on GitHub is known, so no deploy role is made: --github OWNER/NAME".to_owned());
    } else if !kept.made_provider() {
        let found = iam::oidc_providers(clients).await.map_err(|error| why(&error))?;
        if let Some(arn) = found.into_iter().find(|arn| arn.ends_with(&format!(":oidc-provider/{ISSUER}"))) {
            notes.push(format!("{arn} is there already, and is trusted"));
            provider = arn;
        }
    }
    let trails = if kept.is("MakeTrail", "yes") {
        Vec::new()
    } else {
        cloudtrail::trails(clients).await.map_err(|error| why(&error))?
    };
    if let Some(trail) = trails.first() {
        notes.push(format!("the trail {trail} is there already"));
    }
    let (document, told) = filled(&session, wish, !repository.is_empty())?;
    notes.extend(told);
    let text = document.to_string();
    let template = Template::parse(&name, &text).map_err(|error| failed(&error))?;
    let parameters = BTreeMap::from([
        ("Project".to_owned(), session.project().name.clone()),
        ("BucketName".to_owned(), bucket),
        ("Repository".to_owned(), repository),
        ("Branch".to_owned(), wish.branch.clone()),
        ("ProviderArn".to_owned(), provider),
        ("MakeTrail".to_owned(), if trails.is_empty() { "yes" } else { "no" }.to_owned()),
    ]);
    let stack = Stack {
        name,
        template: String::new(),
        kind: StackKind::CloudFormation,
        synth: None,
        parameters,
        tags: BTreeMap::new(),
        capabilities: vec!["CAPABILITY_NAMED_IAM".to_owned()],
        functions: Vec::new(),
        environments: Vec::new(),
    };
    let change_set = format!("plumb-bootstrap-{}", now());
    let ask = Ask::default();
    let (commit, snapshot) = (None, None);
    let draft = Draft { commit, writer, session, snapshot, stack, text, template, before, change_set, ask };
    Ok((draft, notes))
}

/// The stack as it is, for what it has made itself.
struct Kept<'a>(Option<&'a StackInfo>);

impl Kept<'_> {
    fn is(&self, parameter: &str, value: &str) -> bool {
        self.0.and_then(|info| info.parameters.get(parameter)).is_some_and(|found| found == value)
    }

    fn made_provider(&self) -> bool {
        self.0.is_some() && self.is("ProviderArn", "") && !self.is("Repository", "")
    }
}

/// The template with the roles' policies: those of every environment of this account and region.
fn filled(session: &Session, wish: &Foundation, has_role: bool) -> Result<(Value, Vec<String>), Why> {
    let template = Template::parse("bootstrap", TEMPLATE).map_err(|error| failed(&error))?;
    let mut document = template.value().clone();
    let mut notes = Vec::new();
    if !has_role {
        return Ok((document, notes));
    }
    let here = session.environment();
    let differ =
        |one: &Option<String>, two: &Option<String>| matches!((one, two), (Some(one), Some(two)) if one != two);
    let is_here = |other: &&Environment| {
        !differ(&here.account, &other.account) && (other.name == here.name || !differ(&here.region, &other.region))
    };
    let (mut policies, mut checks) = (Vec::new(), Vec::new());
    for environment in session.project().environments.iter().filter(is_here) {
        let environment = if environment.name == here.name { here.clone() } else { environment.clone() };
        let name = format!("plumb-{}", environment.name);
        let settings = Settings { environment, ..session.settings.clone() };
        let policy = policy::policy(&settings, &session.root, Need::Write);
        policies.push(json!({ "PolicyName": name, "PolicyDocument": policy.document }));
        let check = policy::check(&settings, &session.root);
        checks.push(json!({ "PolicyName": name, "PolicyDocument": check.document }));
    }
    for (role, policies) in [("deploy", &policies), ("check", &checks)] {
        let length = Value::Array(policies.clone()).to_string().len();
        if length > LONGEST_POLICY {
            notes.push(format!(
                "the {role} role's policies have {length} characters, and IAM takes {LONGEST_POLICY}: name account and \
                 region of each environment in plumb.toml, so that fewer belong here"
            ));
        }
    }
    notes.push(
        "the deploy role may do what plumb does; what the stacks' own resources need is up to --attach POLICY-ARN"
            .to_owned(),
    );
    properties(&mut document, "CheckRole")?.insert("Policies".to_owned(), Value::Array(checks));
    let deploy = properties(&mut document, "DeployRole")?;
    deploy.insert("Policies".to_owned(), Value::Array(policies));
    if !wish.attach.is_empty() {
        deploy.insert("ManagedPolicyArns".to_owned(), json!(wish.attach));
    }
    Ok((document, notes))
}

fn properties<'a>(document: &'a mut Value, role: &str) -> Result<&'a mut Map<String, Value>, Why> {
    let found = document.pointer_mut(&format!("/Resources/{role}/Properties")).and_then(Value::as_object_mut);
    found.ok_or_else(|| Why::new(format!("the template has no {role}")))
}

/// The project's repository on GitHub, as the project file or a remote names it.
fn on_github(session: &Session) -> Option<String> {
    let named = session.project().redeploy.repository.clone();
    named.or_else(|| session::remotes(&session.root).iter().find_map(|(_, url)| of_url(url)))
}

/// `OWNER/NAME` of a URL on github.com.
fn of_url(url: &str) -> Option<String> {
    Repository::of(url).filter(|repository| repository.host() == "github.com").map(|repository| repository.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Scope;

    #[test]
    fn a_repository_is_known_by_its_url() {
        for (url, expected) in [
            ("git@github.com:team/shop.git", Some("team/shop")),
            ("https://github.com/team/shop", Some("team/shop")),
            ("ssh://git@github.com/team/shop.git/", Some("team/shop")),
            ("https://gitlab.com/team/shop", None),
            ("https://github.com/team", None),
        ] {
            assert_eq!(of_url(url).as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn what_is_there_already_is_not_in_the_stack_and_what_holds_data_outlives_it() {
        let template = Template::parse("bootstrap", TEMPLATE).unwrap();
        let present = |id: &str, parameters: &[(&str, &str)]| {
            let given = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            template.present(id, &Scope { parameters: given.collect(), ..Scope::default() }).unwrap()
        };
        let none = [("BucketName", ""), ("Repository", ""), ("ProviderArn", ""), ("MakeTrail", "no")];
        let all = [("BucketName", "b"), ("Repository", "t/s"), ("ProviderArn", ""), ("MakeTrail", "yes")];
        let found = [("BucketName", "b"), ("Repository", "t/s"), ("ProviderArn", "arn:p"), ("MakeTrail", "no")];
        for (id, of_none, of_all, of_found) in [
            ("StateBucket", false, true, true),
            ("DeployRole", false, true, true),
            ("CheckRole", false, true, true),
            ("Provider", false, true, false),
            ("Trail", false, true, false),
            ("SopsKey", true, true, true),
        ] {
            assert_eq!(present(id, &none), of_none, "{id}");
            assert_eq!(present(id, &all), of_all, "{id}");
            assert_eq!(present(id, &found), of_found, "{id}");
        }
        for id in ["StateBucket", "Provider", "SopsKey", "ParametersKey", "TrailBucket"] {
            let policy = template.resource(id).unwrap().deletion_policy.as_ref();
            assert_eq!(policy.and_then(Value::as_str), Some("Retain"), "{id}");
        }
    }
}
