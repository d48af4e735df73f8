//! The projects that the pipeline builds: parameters `/plumb/pipeline/<project>/<field>`, read, planned and written.
//!
//! What is written is looked at again before: a plan that somebody else's change has overtaken is refused. A project is
//! there for the pipeline once it has a repository, so that one comes last and goes first: no half of it is ever built, and
//! the credentials of one host are never another's.

mod write;

use std::collections::BTreeMap;

use super::fields::{FIELDS, Finding, Standing, branches, check};
use super::{Pipeline, message, remote};
use crate::aws::{Read, secretsmanager, ssm};
use crate::compare::Why;
use crate::ops::session::Session;
use crate::ops::why;

pub use write::write;

/// Where the registry is in Parameter Store.
pub const ROOT: &str = "/plumb/pipeline/";

/// The field without which nothing of a project is built.
const REPOSITORY: &str = "repository";

/// A registered project.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// Its fields.
    pub fields: BTreeMap<String, String>,
    /// When one of them was last changed, milliseconds since the Unix epoch.
    pub changed_at: i64,
    /// Who changed it.
    pub changed_by: Option<String>,
    /// Those that are no plain text, and so are not read by the worker.
    pub not_plain: Vec<String>,
}

impl Project {
    /// A field's value.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    /// The globs of its branches; none where they cannot be read.
    #[must_use]
    pub fn branches(&self) -> Vec<String> {
        self.field("branches").and_then(|value| branches(value).ok()).unwrap_or_default()
    }
}

/// A field before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The field.
    pub field: String,
    /// Its value before; `None`: it was not there.
    pub before: Option<String>,
    /// Its value after; `None`: it goes.
    pub after: Option<String>,
}

/// What would be written of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The project.
    pub project: String,
    /// Its fields as they were read for it.
    pub before: BTreeMap<String, String>,
    /// All changes.
    pub changes: Vec<Change>,
    /// What is wrong with what would come of it.
    pub findings: Vec<Finding>,
}

/// All registered projects, by name.
pub async fn all(session: &Session) -> Result<Vec<Project>, Why> {
    read(session, ROOT).await
}

/// One of them.
pub async fn one(session: &Session, name: &str) -> Result<Option<Project>, Why> {
    message::project(name).map_err(Why::new)?;
    Ok(read(session, &format!("{ROOT}{name}/")).await?.into_iter().next())
}

/// The same where there has to be one.
pub async fn known(session: &Session, name: &str) -> Result<Project, Why> {
    one(session, name).await?.ok_or_else(|| {
        Why::new(format!("{name} is not registered in {}", session.clients.region()))
            .hint("plumb pipeline list; plumb pipeline add registers one")
    })
}

async fn read(session: &Session, prefix: &str) -> Result<Vec<Project>, Why> {
    let metas = ssm::describe(&session.clients, &[prefix.to_owned()]).await.map_err(|error| why(&error))?;
    let names: Vec<String> = metas.iter().map(|meta| meta.name.clone()).collect();
    let mut values = ssm::values(&session.clients, &names).await;
    let mut found: BTreeMap<String, Project> = BTreeMap::new();
    for meta in metas {
        let Some((name, field)) = meta.name.strip_prefix(ROOT).and_then(|rest| rest.split_once('/')) else { continue };
        let value = match values.remove(&meta.name) {
            Some(Read::Found(value)) => value.value.expose().to_owned(),
            // It was deleted since it was listed.
            Some(Read::Missing) => continue,
            Some(Read::Failed(error)) => return Err(why(&error)),
            None => return Err(Why::new(format!("nothing was answered of {}", meta.name))),
        };
        let project =
            found.entry(name.to_owned()).or_insert_with(|| Project { name: name.to_owned(), ..Project::default() });
        if meta.type_name != "String" {
            project.not_plain.push(field.to_owned());
        }
        if meta.modified_at >= project.changed_at {
            (project.changed_at, project.changed_by) = (meta.modified_at, meta.modified_by);
        }
        project.fields.insert(field.to_owned(), value);
    }
    Ok(found.into_values().collect())
}

/// Works out what would be written so that a project has these fields; `None` as a value: that one goes. A new project
/// must not be there, another one must.
pub async fn plan(
    session: &Session,
    name: &str,
    wanted: &BTreeMap<String, Option<String>>,
    is_new: bool,
) -> Result<Plan, Why> {
    let before = if is_new {
        if one(session, name).await?.is_some() {
            return Err(Why::new(format!("{name} is registered already")).hint(format!("plumb pipeline edit {name}")));
        }
        BTreeMap::new()
    } else {
        known(session, name).await?.fields
    };
    let mut after = before.clone();
    for (field, value) in wanted {
        match value {
            Some(value) => after.insert(field.clone(), value.clone()),
            None => after.remove(field),
        };
    }
    let (changes, findings) = (changes(&before, &after), check(&after, is_local(session)));
    Ok(Plan { project: name.to_owned(), before, changes, findings })
}

/// Works out what goes when a project does.
pub async fn plan_removal(session: &Session, name: &str) -> Result<Plan, Why> {
    let before = known(session, name).await?.fields;
    let changes = changes(&before, &BTreeMap::new());
    Ok(Plan { project: name.to_owned(), before, changes, findings: Vec::new() })
}

/// The changes from one to the other. What is taken away goes in the order of the fields, what comes or changes in the
/// opposite one.
fn changes(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<Change> {
    let place = |field: &str| FIELDS.iter().position(|known| *known == field).unwrap_or(FIELDS.len());
    let mut fields: Vec<&String> = before.keys().chain(after.keys()).collect();
    fields.sort_by_key(|field| (place(field), (*field).clone()));
    fields.dedup();
    let change = |field: &String| Change {
        field: field.clone(),
        before: before.get(field).cloned(),
        after: after.get(field).cloned(),
    };
    let all = fields.into_iter().map(change).filter(|change| change.before != change.after);
    let (mut set, mut found): (Vec<Change>, Vec<Change>) = all.partition(|change| change.after.is_some());
    set.reverse();
    found.extend(set);
    found
}

fn parameter(project: &str, field: &str) -> String {
    format!("{ROOT}{project}/{field}")
}

/// Whether builds run on this machine: the account is a local one.
fn is_local(session: &Session) -> bool {
    let endpoint = session.environment().endpoint.as_deref().unwrap_or_default();
    ["http://127.0.0.1", "http://localhost", "http://[::1]"].iter().any(|start| endpoint.starts_with(start))
}

/// Looks whether a project can be built: its fields, its repository, and the secret that opens it, whose value nobody reads.
pub async fn examine(session: &Session, project: &Project) -> Vec<Finding> {
    let mut found = check(&project.fields, is_local(session));
    let not_plain = project.not_plain.iter().map(|field| {
        Finding::new(field, Standing::Wrong, "is no parameter of the type String, which the worker reads")
    });
    found.extend(not_plain);
    let is_right = |found: &[Finding], field: &str| found.iter().all(|one| one.field.as_deref() != Some(field));
    if let Some(secret) = project.field("credentials").filter(|_| is_right(&found, "credentials")) {
        found.push(match secretsmanager::describe(&session.clients, secret).await {
            Ok(Some(meta)) if meta.deletes_at.is_some() => {
                Finding::new("credentials", Standing::Wrong, format!("{secret} is scheduled for deletion"))
            }
            Ok(Some(meta)) => readable(session, &meta.arn).await,
            Ok(None) => Finding::new("credentials", Standing::Wrong, format!("there is no secret {secret}")),
            Err(error) => Finding::new("credentials", Standing::Unknown, error.to_string()),
        });
    }
    if let Some(url) = project.field("repository").filter(|_| is_right(&found, "repository")) {
        found.extend(reached(url, &project.branches()).await);
    }
    found.sort_by_key(|finding| {
        let field = finding.field.as_deref().unwrap_or_default();
        FIELDS.iter().position(|known| *known == field).unwrap_or(FIELDS.len())
    });
    found
}

/// Whether builds may read a secret that is there: by the stack they may read those whose names begin as it says.
async fn readable(session: &Session, arn: &str) -> Finding {
    let told = |standing: Standing, text: String| Finding::new("credentials", standing, text);
    let pipeline = match Pipeline::open(session).await {
        Ok(pipeline) => pipeline,
        Err(why) => {
            let text = format!("the secret is there, and whether builds may read it is not known: {}", why.reason);
            return told(Standing::Unknown, text);
        }
    };
    match pipeline.parameters.get("CredentialsPrefix").zip(pipeline.topic().ok()) {
        Some((prefix, topic)) if is_within(arn, prefix, topic) => {
            told(Standing::Right, "the secret is there, and builds may read it".to_owned())
        }
        Some((prefix, _)) => {
            let stack = &pipeline.stack;
            let text =
                format!("{arn} is not for builds, which may read what begins with {prefix} beside the stack {stack}");
            told(Standing::Wrong, text)
        }
        None => told(Standing::Unknown, format!("the stack {} does not tell what builds may read", pipeline.stack)),
    }
}

/// Whether a secret lies in the region and account of the topic, under a name that begins so.
fn is_within(arn: &str, prefix: &str, topic: &str) -> bool {
    let place = |arn: &str| arn.splitn(7, ':').skip(3).take(2).map(str::to_owned).collect::<Vec<_>>();
    arn.splitn(7, ':').nth(6).is_some_and(|name| name.starts_with(prefix)) && place(arn) == place(topic)
}

/// What git finds at a repository's URL, in the operator's name and not the worker's.
async fn reached(url: &str, globs: &[String]) -> Vec<Finding> {
    match remote::branches(url).await {
        // A private repository opens for the worker's credentials and not for everybody's.
        Err(why) => vec![Finding::new("repository", Standing::Unknown, why.reason)],
        Ok(branches) => {
            let fitting = branches.iter().filter(|branch| super::fields::allows(globs, branch)).count();
            let standing = if fitting == 0 { Standing::Wrong } else { Standing::Right };
            let text = format!("{fitting} of {} branches match", branches.len());
            vec![Finding::new("repository", Standing::Right, "answers"), Finding::new("branches", standing, text)]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_read_secrets_of_their_own_place_by_the_beginning_of_the_name() {
        let topic = "arn:aws:sns:eu-central-1:111122223333:shop-jobs";
        let rows = [
            ("arn:aws:secretsmanager:eu-central-1:111122223333:secret:plumb/pipeline/git-AbCdEf", true),
            ("arn:aws:secretsmanager:eu-central-1:111122223333:secret:shop/git-AbCdEf", false),
            ("arn:aws:secretsmanager:eu-west-1:111122223333:secret:plumb/pipeline/git-AbCdEf", false),
            ("arn:aws:secretsmanager:eu-central-1:444455556666:secret:plumb/pipeline/git-AbCdEf", false),
            ("plumb/pipeline/git", false),
        ];
        for (arn, expected) in rows {
            assert_eq!(is_within(arn, "plumb/pipeline/", topic), expected, "{arn}");
        }
    }
}
