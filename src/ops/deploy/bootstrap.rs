//! What a project needs in an account before it can be deployed there: a stack of Plumb's own template.
//!
//! What there is already is found and not made twice: the state bucket, GitHub's OIDC provider, the keys, a trail. What this
//! stack made itself stays its own, and what it was told once stays until something else is said.

mod kept;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use self::kept::Kept;
use super::draft::{Ask, Draft};
use crate::aws::cloudformation::{self, Stage};
use crate::aws::{Clients, cloudtrail, iam, kms, s3};
use crate::compare::Why;
use crate::config::{Environment, Settings, Stack, StackKind};
use crate::github::Repository;
use crate::ops::inspect::now;
use crate::ops::permissions::Need;
use crate::ops::policy;
use crate::ops::redeploy;
use crate::ops::session::Session;
use crate::ops::{failed, why};
use crate::template::Template;

/// The template, of which the roles' policies are filled in.
const TEMPLATE: &str = include_str!("bootstrap/template.yaml");

/// Whose tokens the roles take where the repository is on github.com.
const ISSUER: &str = "token.actions.githubusercontent.com";

/// The policies that stand in a role may have so many characters together, white space left out.
const LONGEST_POLICY: usize = 10_240;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Foundation {
    /// `OWNER/NAME` where the project's repository is, or an address; `None`: as the project or a remote says, else nobody.
    pub repository: Option<String>,
    /// Who issues the tokens of that repository's workflows, as host and path; `None`: github.com, for what is there.
    pub issuer: Option<String>,
    /// The branch whose workflows may deploy; `None`: as the stack has it, else `main`.
    pub branch: Option<String>,
    /// ARNs of policies that the deploy role gets besides, for what the stacks' own resources need; `None`: those that it has.
    pub attach: Option<Vec<String>>,
}

/// What the roles are filled in with.
struct Role<'a> {
    issuer: &'a str,
    attached: Vec<String>,
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
    let trusted = trusted(&session, wish, &kept, &mut notes)?;
    let (repository, issuer) = trusted.unwrap_or_else(|| (String::new(), ISSUER.to_owned()));
    let mut provider = String::new();
    if !repository.is_empty() && !kept.made_provider(&issuer) {
        let found = iam::oidc_providers(clients).await.map_err(|error| why(&error))?;
        if let Some(arn) = found.into_iter().find(|arn| arn.ends_with(&format!(":oidc-provider/{issuer}"))) {
            notes.push(format!("{arn} is there already, and is trusted"));
            provider = arn;
        }
    }
    let make_trail = kept.is("MakeTrail", "yes") || needs_trail(clients, &mut notes).await?;
    let (mut sops, mut parameters_key) = (String::new(), String::new());
    for (key, parameter, suffix) in
        [(&mut sops, "SopsKeyArn", "sops"), (&mut parameters_key, "ParametersKeyArn", "parameters")]
    {
        if !kept.made(parameter) {
            *key = found_key(clients, &format!("alias/{}-{suffix}", session.project().name), &mut notes).await?;
        }
    }
    let role = if repository.is_empty() {
        None
    } else {
        Some(Role { issuer: &issuer, attached: attached(&session, &name, wish, &kept, &mut notes).await? })
    };
    let branch = branch(wish, &kept, role.is_some(), &mut notes);
    let (document, told) = filled(&session, role)?;
    notes.extend(told);
    let text = document.to_string();
    let template = Template::parse(&name, &text).map_err(|error| failed(&error))?;
    let parameters = BTreeMap::from([
        ("Project".to_owned(), session.project().name.clone()),
        ("BucketName".to_owned(), bucket),
        ("Repository".to_owned(), repository),
        ("Branch".to_owned(), branch),
        ("Issuer".to_owned(), issuer),
        ("ProviderArn".to_owned(), provider),
        ("SopsKeyArn".to_owned(), sops),
        ("ParametersKeyArn".to_owned(), parameters_key),
        ("MakeTrail".to_owned(), if make_trail { "yes" } else { "no" }.to_owned()),
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
    let draft = Draft {
        commit,
        writer,
        session,
        snapshot,
        stack,
        text,
        template,
        before,
        change_set,
        ask,
        kept: BTreeMap::new(),
    };
    Ok((draft, notes))
}

/// The repository whose workflows the roles trust, and who issues their tokens; `None`: nobody is trusted, which a note says.
fn trusted(
    session: &Session,
    wish: &Foundation,
    kept: &Kept<'_>,
    notes: &mut Vec<String>,
) -> Result<Option<(String, String)>, Why> {
    let known = redeploy::repository(session).ok();
    let repository = match &wish.repository {
        None => known,
        Some(address) if address.contains("://") => {
            let none = || Why::new(format!("{address} is no repository")).hint("https://github.com/OWNER/NAME");
            Some(Repository::of(address).ok_or_else(none)?)
        }
        // Where the project's own is.
        Some(name) => {
            let api = known.map_or_else(|| "https://api.github.com".to_owned(), |known| known.api);
            Some(Repository::at(&api, name).map_err(Why::new)?)
        }
    };
    let Some(repository) = repository else {
        if let Some(name) = kept.given("Repository") {
            let issuer = wish.issuer.as_deref().or_else(|| kept.given("Issuer")).unwrap_or(ISSUER);
            notes.push(format!("the workflows of {name} stay trusted, as the stack has it: --github names others"));
            return Ok(Some((name.to_owned(), issuer.to_owned())));
        }
        notes.push("no repository on GitHub is known, so no deploy role is made: --github OWNER/NAME".to_owned());
        return Ok(None);
    };
    let (name, host) = (repository.name.clone(), repository.host());
    if let Some(issuer) = &wish.issuer {
        notes.push(format!("{issuer} is trusted to tell which workflows are those of {name}"));
        return Ok(Some((name, issuer.clone())));
    }
    let before = kept.given("Issuer").filter(|issuer| kept.is("Repository", &name) && *issuer != ISSUER);
    if let Some(issuer) = before {
        notes.push(format!("{issuer} stays trusted for {name}, as the stack has it: --issuer names another one"));
        return Ok(Some((name, issuer.to_owned())));
    }
    if host == "github.com" {
        return Ok(Some((name, ISSUER.to_owned())));
    }
    // On github.com the name may be anybody's.
    let issuer = if repository.is_cloud() {
        format!("https://token.actions.{host}")
    } else {
        format!("https://{host}/_services/token")
    };
    notes.push(format!(
        "{name} is on {host}, whose workflows have no tokens of github.com, so no deploy role is made: --issuer URL says \
         who issues theirs, by default {issuer}; --github https://github.com/OWNER/NAME names one on github.com"
    ));
    Ok(None)
}

/// The branch whose workflows may deploy.
fn branch(wish: &Foundation, kept: &Kept<'_>, has_role: bool, notes: &mut Vec<String>) -> String {
    let usual = "main";
    let Some(branch) = wish.branch.as_deref().or(kept.given("Branch")) else { return usual.to_owned() };
    if wish.branch.is_none() && branch != usual && has_role {
        notes.push(format!(
            "{branch} stays the branch that may deploy, as the stack has it: --branch names another one"
        ));
    }
    branch.to_owned()
}

/// The policies that the deploy role gets besides.
async fn attached(
    session: &Session,
    name: &str,
    wish: &Foundation,
    kept: &Kept<'_>,
    notes: &mut Vec<String>,
) -> Result<Vec<String>, Why> {
    if let Some(stated) = &wish.attach {
        return Ok(stated.clone());
    }
    if !kept.is_there() {
        return Ok(Vec::new());
    }
    let text = cloudformation::template(&session.clients, name, Stage::Original).await.map_err(|error| why(&error))?;
    let found = kept::attached(name, &text).map_err(|error| failed(&error))?;
    if !found.is_empty() {
        let told = found.join(", ");
        notes.push(format!(
            "the deploy role keeps {told}, as the stack has it: --attach names others, --attach none none"
        ));
    }
    Ok(found)
}

/// Whether no trail records what changes something; what there is, is noted.
async fn needs_trail(clients: &Clients, notes: &mut Vec<String>) -> Result<bool, Why> {
    for trail in cloudtrail::trails(clients).await.map_err(|error| why(&error))? {
        let found = cloudtrail::recording(clients, &trail).await.map_err(|error| why(&error))?;
        if found.is_logging && found.has_writes {
            notes.push(format!("the trail {trail} is there already"));
            return Ok(false);
        }
        let lacks = if found.is_logging { "records no management events that write" } else { "is switched off" };
        notes.push(format!("the trail {trail} {lacks}, so the loop would hear of nothing by it"));
    }
    Ok(true)
}

/// The key that an alias leads to already, by its ARN: one that an earlier stack of this kind left. Empty: there is none.
async fn found_key(clients: &Clients, alias: &str, notes: &mut Vec<String>) -> Result<String, Why> {
    let Some((arn, state)) = kms::key(clients, alias).await.map_err(|error| why(&error))? else {
        return Ok(String::new());
    };
    if state != "Enabled" {
        return Err(Why::new(format!("{alias} leads to {arn}, which is {state}"))
            .hint("enable that key, or cancel its deletion; or delete the alias, and another key is made"));
    }
    notes.push(format!("{alias} is there already, and stays as it is"));
    Ok(arn)
}

/// The template with the roles' policies: those of every environment of this account and region.
fn filled(session: &Session, role: Option<Role<'_>>) -> Result<(Value, Vec<String>), Why> {
    let template = Template::parse("bootstrap", TEMPLATE).map_err(|error| failed(&error))?;
    let mut document = template.value().clone();
    let mut notes = Vec::new();
    let Some(Role { issuer, attached }) = role else { return Ok((document, notes)) };
    let here = session.environment();
    let differ =
        |one: &Option<String>, two: &Option<String>| matches!((one, two), (Some(one), Some(two)) if one != two);
    let is_here = |other: &&Environment| {
        !differ(&here.account, &other.account) && (other.name == here.name || !differ(&here.region, &other.region))
    };
    let (mut policies, mut checks) = (Vec::new(), Vec::new());
    for environment in session.project().environments.iter().filter(is_here) {
        let environment = if environment.name == here.name { here.clone() } else { environment.clone() };
        let settings = Settings { environment, ..session.settings.clone() };
        policies.push(policy::policy(&settings, &session.root, Need::Write).document);
        checks.push(policy::check(&settings, &session.root).document);
    }
    notes.push(
        "the deploy role may do what plumb does; what the stacks' own resources need is up to --attach POLICY-ARN"
            .to_owned(),
    );
    for (role, documents) in [("DeployRole", policies), ("CheckRole", checks)] {
        let policy = policy::merged(&documents);
        refuse_long(role, &policy)?;
        let properties = properties(&mut document, role)?;
        trust(properties, issuer);
        properties.insert("Policies".to_owned(), json!([{ "PolicyName": "plumb", "PolicyDocument": policy }]));
    }
    if !attached.is_empty() {
        properties(&mut document, "DeployRole")?.insert("ManagedPolicyArns".to_owned(), json!(attached));
    }
    Ok((document, notes))
}

fn properties<'a>(document: &'a mut Value, role: &str) -> Result<&'a mut Map<String, Value>, Why> {
    let found = document.pointer_mut(&format!("/Resources/{role}/Properties")).and_then(Value::as_object_mut);
    found.ok_or_else(|| Why::new(format!("the template has no {role}")))
}

/// Has a role ask for tokens of that issuer: condition keys begin with it, and can be no parameter.
fn trust(role: &mut Map<String, Value>, issuer: &str) {
    let policy = role.get_mut("AssumeRolePolicyDocument");
    let asked = policy.and_then(|policy| policy.pointer_mut("/Statement/0/Condition/StringEquals"));
    if let Some(Value::Object(asked)) = asked {
        let of = |(key, value): (String, Value)| (key.replace(ISSUER, issuer), value);
        *asked = std::mem::take(asked).into_iter().map(of).collect();
    }
}

fn refuse_long(role: &str, policy: &Value) -> Result<(), Why> {
    let length = policy.to_string().len();
    if length <= LONGEST_POLICY {
        return Ok(());
    }
    let told = format!("the policy of {role} has {length} characters, and IAM takes {LONGEST_POLICY} in a role");
    Err(Why::new(told).hint(
        "account and region of each environment in plumb.toml, so that fewer belong to this one; or names of parameters, \
         secrets and stacks that begin alike",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Scope;

    #[test]
    fn a_role_asks_for_tokens_of_the_repositorys_own_issuer_and_for_no_other() {
        let mut document = Template::parse("bootstrap", TEMPLATE).unwrap().value().clone();
        for role in ["DeployRole", "CheckRole"] {
            let properties = properties(&mut document, role).unwrap();
            trust(properties, "git.example/_services/token");
            let asked = &properties["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]["StringEquals"];
            let keys: Vec<&String> = asked.as_object().unwrap().keys().collect();
            assert_eq!(keys, ["git.example/_services/token:aud", "git.example/_services/token:sub"], "{role}");
        }
    }

    #[test]
    fn policies_that_no_role_can_hold_are_refused_before_anything_is_sent() {
        let policy = |length: usize| Value::from("x".repeat(length - 2));
        assert!(refuse_long("DeployRole", &policy(10_240)).is_ok());
        let why = refuse_long("DeployRole", &policy(10_241)).unwrap_err();
        assert!(why.reason.contains("10241 characters, and IAM takes 10240"), "{why}");
    }

    #[test]
    fn what_is_there_already_is_not_in_the_stack_and_what_holds_data_outlives_it() {
        let template = Template::parse("bootstrap", TEMPLATE).unwrap();
        let present = |id: &str, parameters: &[(&str, &str)]| {
            let given = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            template.present(id, &Scope { parameters: given.collect(), ..Scope::default() }).unwrap()
        };
        let given = |bucket, repository, there, trail| {
            [
                ("BucketName", bucket),
                ("Repository", repository),
                ("ProviderArn", there),
                ("SopsKeyArn", there),
                ("ParametersKeyArn", there),
                ("MakeTrail", trail),
            ]
        };
        let none = given("", "", "", "no");
        let all = given("b", "t/s", "", "yes");
        let found = given("b", "t/s", "arn:p", "no");
        for (id, of_none, of_all, of_found) in [
            ("StateBucket", false, true, true),
            ("DeployRole", false, true, true),
            ("CheckRole", false, true, true),
            ("Provider", false, true, false),
            ("Trail", false, true, false),
            ("SopsKey", true, true, false),
            ("SopsKeyAlias", true, true, false),
            ("ParametersKey", true, true, false),
            ("ParametersKeyAlias", true, true, false),
        ] {
            assert_eq!(present(id, &none), of_none, "{id}");
            assert_eq!(present(id, &all), of_all, "{id}");
            assert_eq!(present(id, &found), of_found, "{id}");
        }
        // What a creation that failed has made goes with it, since the next one would find it in its way.
        for id in
            ["StateBucket", "Provider", "SopsKey", "SopsKeyAlias", "ParametersKey", "ParametersKeyAlias", "TrailBucket"]
        {
            let policy = template.resource(id).unwrap().deletion_policy.as_ref();
            assert_eq!(policy.and_then(Value::as_str), Some("RetainExceptOnCreate"), "{id}");
        }
    }
}
