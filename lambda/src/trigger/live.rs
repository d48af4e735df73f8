//! The world of the deployed function: Parameter Store, one table, CodeBuild.

use std::time::SystemTime;

use lambda_runtime::Error as Unset;
use serde_json::{Map, Value, json};

use super::state::State;
use super::{Failure, Job, LEASE, World, Written};
use crate::aws::{Aws, Error, unreadable};
use crate::http::Http;
use crate::pipeline::live::{registry, root};
use crate::pipeline::message::Message;
use crate::pipeline::registry::Fields;
use crate::runtime::variable;

/// How long a job is listed, in seconds: 90 days.
const LISTED: i64 = 90 * 86_400;
/// One that no registered project is behind, since anybody who may publish can send any number of them: a day.
const STRANGERS: i64 = 86_400;
/// How much CodeBuild's clock may be behind ours, in milliseconds.
const SKEW: i64 = 300_000;
/// CodeBuild's names for what is asked of it begin so.
const CODEBUILD: &str = "CodeBuild_20161006";

/// AWS, as the function's environment names it.
pub struct Live {
    aws: Aws,
    registry: String,
    table: String,
    build_project: String,
}

impl Live {
    /// Reads the environment; with it the topic whose messages are taken.
    pub fn from_environment() -> Result<(Self, String), Unset> {
        let aws = Aws::from_environment(Http::new()?)?;
        let (table, build_project) = (variable("JOBS_TABLE")?, variable("BUILD_PROJECT")?);
        Ok((Self { aws, registry: root(), table, build_project }, variable("TOPIC_ARN")?))
    }

    async fn codebuild(&self, operation: &str, asked: &Value) -> Result<Value, Failure> {
        let answer = self.aws.value("codebuild", &format!("{CODEBUILD}.{operation}"), asked).await;
        answer.map_err(|error| failed(&error))
    }

    async fn dynamodb(&self, operation: &str, asked: &Value) -> Result<Value, Error> {
        self.aws.value("dynamodb", &format!("DynamoDB_20120810.{operation}"), asked).await
    }

    /// Changes a job that is there: what is set, and what is taken away.
    async fn change(&self, job: &str, set: &[(&'static str, Value)], remove: &str) -> Result<(), Failure> {
        let mut asked = update(&self.table, &key(job), set);
        if let Some(expression) = asked["UpdateExpression"].as_str() {
            asked["UpdateExpression"] = format!("{expression} REMOVE {remove}").into();
        }
        self.dynamodb("UpdateItem", &asked).await.map(drop).map_err(|error| failed(&error))
    }
}

impl World for Live {
    fn now(&self) -> i64 {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        since.ok().and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or_default()
    }

    async fn registry(&self, project: &str) -> Result<Fields, Failure> {
        registry(&self.aws, &self.registry, project).await.map_err(|error| failed(&error))
    }

    async fn write(&self, job: &Job, refused: Option<&str>) -> Result<Written, Failure> {
        let now = self.now();
        let received = jiff::Timestamp::from_millisecond(now).unwrap_or_default();
        let mut set = vec![
            ("project", text(job.project.as_deref().unwrap_or("-"))),
            ("decision", text(if refused.is_some() { "refused" } else { "claimed" })),
            ("expires", number(now / 1000 + if job.registered { LISTED } else { STRANGERS })),
            // Of a refusal it is no claim, and nobody may take it over.
            ("lease", number(now)),
        ];
        if let Some(Message { branch, commit, reason, .. }) = &job.message {
            set.push(("branch", text(branch)));
            set.extend(commit.as_ref().map(|commit| ("commit", text(commit))));
            set.extend(reason.as_ref().map(|reason| ("reason", text(reason))));
        }
        set.extend(refused.map(|why| ("why", text(why))));
        let mut asked = update(&self.table, &key(&job.id), &set);
        let expression = asked["UpdateExpression"].as_str().unwrap_or_default();
        asked["UpdateExpression"] = format!("{expression}, #received = if_not_exists(#received, :received)").into();
        asked["ConditionExpression"] = json!("attribute_not_exists(#id) OR (#decision = :claimed AND #lease < :left)");
        asked["ExpressionAttributeNames"]["#id"] = json!("id");
        asked["ExpressionAttributeNames"]["#received"] = json!("received");
        asked["ExpressionAttributeValues"][":received"] = text(&format!("{received:.3}"));
        asked["ExpressionAttributeValues"][":claimed"] = text("claimed");
        asked["ExpressionAttributeValues"][":left"] = number(now - LEASE);
        asked["ReturnValues"] = json!("ALL_OLD");
        match self.dynamodb("UpdateItem", &asked).await {
            // As it was before.
            Ok(answer) => Ok(match answer.pointer("/Attributes/lease/N").and_then(Value::as_str) {
                None if answer.pointer("/Attributes/id").is_none() => Written::First,
                Some("0") => Written::Waited,
                _ => Written::Left,
            }),
            Err(error) if error.code == REFUSED => self.standing(&job.id).await,
            Err(error) => Err(failed(&error)),
        }
    }

    async fn started(&self, job: &str, build: &str) -> Result<(), Failure> {
        self.change(job, &[("decision", text("started")), ("build", text(build))], "why, lease").await
    }

    async fn refused(&self, job: &str, why: &str) -> Result<(), Failure> {
        self.change(job, &[("decision", text("refused")), ("why", text(why))], "lease").await
    }

    async fn waits(&self, job: &str, why: &str) -> Result<(), Failure> {
        self.change(job, &[("why", text(why)), ("lease", number(0))], "build").await
    }

    async fn load(&self, project: &str) -> Result<(u64, State), Failure> {
        let asked = json!({"TableName": self.table, "Key": {"id": text(&place(project))}, "ConsistentRead": true});
        let answer = self.dynamodb("GetItem", &asked).await.map_err(|error| failed(&error))?;
        let Some(item) = answer.get("Item") else { return Ok((0, State::default())) };
        let id = place(project);
        let unread = || Failure(format!("item {id} of table {} is none of this function's; delete it", self.table));
        let text = |pointer: &str| item.pointer(pointer).and_then(Value::as_str);
        let revision = text("/revision/N").and_then(|number| number.parse().ok()).ok_or_else(unread)?;
        let state = text("/state/S").and_then(|state| serde_json::from_str(state).ok()).ok_or_else(unread)?;
        Ok((revision, state))
    }

    async fn store(&self, project: &str, revision: u64, state: &State) -> Result<bool, Failure> {
        let state = serde_json::to_string(state).map_err(|error| Failure(error.to_string()))?;
        let next = i64::try_from(revision + 1).unwrap_or(i64::MAX);
        let mut asked = json!({
            "TableName": self.table,
            "Item": {
                "id": text(&place(project)),
                "revision": number(next),
                "state": text(&state),
                "expires": number(self.now() / 1000 + LISTED),
            },
            "ConditionExpression": "attribute_not_exists(id)",
        });
        if revision > 0 {
            asked["ConditionExpression"] = json!("revision = :read");
            asked["ExpressionAttributeValues"] = json!({":read": {"N": revision.to_string()}});
        }
        match self.dynamodb("PutItem", &asked).await {
            Ok(_) => Ok(true),
            Err(error) if error.code == REFUSED => Ok(false),
            Err(error) => Err(failed(&error)),
        }
    }

    async fn start(&self, job: &str, message: &Message) -> Result<String, Failure> {
        let variables = message.variables(job).into_iter();
        let variables = variables.map(|(name, value)| json!({"name": name, "value": value, "type": "PLAINTEXT"}));
        let asked = json!({
            "projectName": self.build_project,
            "idempotencyToken": job,
            "environmentVariablesOverride": variables.collect::<Vec<_>>(),
        });
        let answer = self.codebuild("StartBuild", &asked).await?;
        let id = answer.pointer("/build/id").and_then(Value::as_str);
        Ok(id.ok_or_else(|| Failure("codebuild:StartBuild: it answered without a build's id".to_owned()))?.to_owned())
    }

    async fn find(&self, job: &str, since: i64) -> Result<Option<String>, Failure> {
        let mut asked = json!({"projectName": self.build_project, "sortOrder": "DESCENDING"});
        loop {
            let answer = self.codebuild("ListBuildsForProject", &asked).await?;
            let ids = answer.get("ids").filter(|ids| ids.is_array()).map(texts);
            let ids = ids.ok_or_else(|| failed(&unreadable("codebuild", "ListBuildsForProject")))?;
            // As many as one question may name.
            for ids in ids.chunks(100) {
                let answer = self.codebuild("BatchGetBuilds", &json!({"ids": ids})).await?;
                let builds = listed(&answer)?;
                if let Some(found) = builds.iter().find(|build| is_of(build, job)) {
                    return Ok(found.get("id").and_then(Value::as_str).map(str::to_owned));
                }
                // The newest come first: behind one that is older there is none of this job.
                if builds.iter().filter_map(began).any(|began| began < since - SKEW) {
                    return Ok(None);
                }
            }
            match answer.get("nextToken").filter(|token| token.is_string()) {
                Some(token) => asked["nextToken"] = token.clone(),
                None => return Ok(None),
            }
        }
    }

    async fn ended(&self, builds: &[String]) -> Result<Vec<String>, Failure> {
        let answer = self.codebuild("BatchGetBuilds", &json!({"ids": builds})).await?;
        // What is not told of runs on, as far as anybody knows. One that CodeBuild does not know any more has ended long ago.
        let mut ended = answer.get("buildsNotFound").map_or_else(Vec::new, texts);
        let text = |build: &Value, name: &str| build.get(name).and_then(Value::as_str).map(str::to_owned);
        let over =
            listed(&answer)?.iter().filter(|build| text(build, "buildStatus").is_some_and(|it| it != "IN_PROGRESS"));
        ended.extend(over.filter_map(|build| text(build, "id")));
        Ok(ended)
    }
}

/// The builds that BatchGetBuilds tells of.
fn listed(answer: &Value) -> Result<&Vec<Value>, Failure> {
    let builds = answer.get("builds").and_then(Value::as_array);
    builds.ok_or_else(|| failed(&unreadable("codebuild", "BatchGetBuilds")))
}

/// Whether a build was started for this message.
fn is_of(build: &Value, job: &str) -> bool {
    let variables = build.pointer("/environment/environmentVariables").and_then(Value::as_array);
    let own = |variable: &Value| {
        let text = |name: &str| variable.get(name).and_then(Value::as_str);
        text("name") == Some("PLUMB_JOB") && text("value") == Some(job)
    };
    variables.is_some_and(|variables| variables.iter().any(own))
}

/// When a build began, in milliseconds; CodeBuild says it in seconds with a fraction.
fn began(build: &Value) -> Option<i64> {
    let seconds = build.get("startTime").filter(|time| time.is_number())?.to_string();
    let seconds: i64 = seconds.split('.').next()?.parse().ok()?;
    seconds.checked_mul(1000)
}

fn texts(array: &Value) -> Vec<String> {
    array.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

impl Live {
    /// What a job that is not ours to write is.
    async fn standing(&self, job: &str) -> Result<Written, Failure> {
        let asked = json!({"TableName": self.table, "Key": key(job), "ConsistentRead": true});
        let answer = self.dynamodb("GetItem", &asked).await.map_err(|error| failed(&error))?;
        let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str);
        Ok(match text("/Item/decision/S") {
            Some("started") => Written::Decided(format!("build {}", text("/Item/build/S").unwrap_or_default())),
            Some("refused") => Written::Decided(format!("refused: {}", text("/Item/why/S").unwrap_or_default())),
            _ => Written::Busy,
        })
    }
}

/// DynamoDB's word for a condition that does not hold.
const REFUSED: &str = "ConditionalCheckFailedException";

/// A job's key.
fn key(job: &str) -> Value {
    json!({"id": {"S": format!("message#{job}")}})
}

/// The key of what is remembered of a project. It has no `project`, so that it is in no list of jobs.
fn place(project: &str) -> String {
    format!("state#{project}")
}

fn text(text: &str) -> Value {
    json!({"S": text})
}

fn number(number: i64) -> Value {
    json!({"N": number.to_string()})
}

/// An update that sets these; all names are placeholders, since some are reserved.
fn update(table: &str, key: &Value, set: &[(&'static str, Value)]) -> Value {
    let terms: Vec<String> = set.iter().map(|(name, _)| format!("#{name} = :{name}_set")).collect();
    let names: Map<String, Value> = set.iter().map(|(name, _)| (format!("#{name}"), (*name).into())).collect();
    let values: Map<String, Value> = set.iter().map(|(name, value)| (format!(":{name}_set"), value.clone())).collect();
    json!({
        "TableName": table,
        "Key": key,
        "UpdateExpression": format!("SET {}", terms.join(", ")),
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    })
}

fn failed(error: &Error) -> Failure {
    Failure(error.to_string())
}

#[cfg(test)]
mod tests;
