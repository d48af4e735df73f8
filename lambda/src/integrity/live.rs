//! The world of the deployed function: AWS and GitHub.
//!
//! The state is one item of a DynamoDB table, replaced by a conditional put. (A parameter has no such put, and what S3 has
//! would need a bucket with its policies and old versions for a few hundred bytes.)

mod stacks;
mod values;

use std::time::SystemTime;

use lambda_runtime::Error as Unset;
use serde_json::{Value, json};

use super::found::Compared;
use super::github::{Access, Ask, Workflow};
use super::judge::{Flow, Owned};
use super::notice::Notice;
use super::state::{Hold, Limits, Mode, State};
use super::{Asked, Failure, Settings, World};
use crate::aws::Aws;
use crate::http::Http;
use crate::pipeline::names;
use crate::runtime::variable;
use crate::ulid::Ulids;

/// Between two looks at what may be of a deployment: a second attempt at the same look is none.
const AGAIN: i64 = 240_000;

/// Who is asked for a redeploy.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Via {
    GitHub {
        secret: String,
        workflow: Workflow,
    },
    /// The pipeline's topic, and what it is asked to deploy.
    Pipeline {
        topic: String,
        project: String,
        branch: String,
    },
}

/// Where the receipts lie.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Receipts {
    bucket: String,
    /// `plumb/<project>/<environment>`
    prefix: String,
}

/// AWS and GitHub, as the function's environment names them.
pub struct Live {
    aws: Aws,
    http: Http,
    flow: Flow,
    table: String,
    /// Each time the state is stored has a name, by which a lost answer is known.
    writers: Ulids,
    topic: String,
    via: Option<Via>,
    receipts: Option<Receipts>,
    /// So young, a difference may be of a deployment that is not over, in milliseconds.
    grace: i64,
    /// How old a drift detection may be before another one is begun, in milliseconds.
    drift: Option<i64>,
}

impl Live {
    /// Reads the environment.
    pub fn from_environment() -> Result<(Self, Settings), Unset> {
        let http = Http::new()?;
        let (project, environment) = (variable("PROJECT")?, variable("ENVIRONMENT")?);
        let mode = match variable("MODE")?.as_str() {
            "notify-only" => Mode::NotifyOnly,
            "heal" => Mode::Heal,
            _ => return Err("MODE must be notify-only or heal".into()),
        };
        let list = |name: &str| -> Vec<String> {
            let stated = variable(name).unwrap_or_default();
            stated.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
        };
        let flow = Flow {
            stacks: list("STACKS"),
            parameters: list("PARAMETER_PREFIXES"),
            secrets: list("SECRET_PREFIXES"),
            deployers: list("DEPLOYERS"),
            service_roles: list("SERVICE_ROLES"),
            hold: variable("HOLD_PARAMETER")?,
        };
        let seconds = |name: &str| -> Result<i64, Unset> {
            let number: Option<i64> = variable(name)?.parse().ok().filter(|seconds| (0..=31_536_000).contains(seconds));
            Ok(number.ok_or_else(|| format!("{name} must be a number of seconds"))? * 1000)
        };
        let redeploys = variable("BREAKER_REDEPLOYS")?.parse().map_err(|_| "BREAKER_REDEPLOYS must be a number")?;
        let grace = seconds("GRACE_SECONDS")?;
        let limits = Limits {
            mode,
            settle: seconds("SETTLE_SECONDS")?,
            redeploys,
            window: seconds("BREAKER_SECONDS")?,
            again: grace.min(AGAIN),
        };
        if mode == Mode::Heal && !limits.can_trip() {
            return Err(
                "BREAKER_SECONDS must be more than SETTLE_SECONDS times BREAKER_REDEPLOYS: so many redeploys never \
                        fit into it, and the breaker could not open"
                    .into(),
            );
        }
        let reference = variable("GIT_REF").unwrap_or_default();
        let via = match variable("PIPELINE_TOPIC").ok() {
            Some(topic) => {
                let registered = variable("PIPELINE_PROJECT").unwrap_or_else(|_| project.clone());
                match Via::pipeline(topic, registered, reference) {
                    Ok(via) => Some(via),
                    Err(why) if mode == Mode::Heal => return Err(why.into()),
                    // Nobody is asked: what changes is told all the same.
                    Err(_) => None,
                }
            }
            None => variable("GITHUB_SECRET").ok().map(|secret| {
                let file = variable("WORKFLOW").ok();
                let workflow = Workflow { file, reference, environment: environment.clone() };
                Via::GitHub { secret, workflow }
            }),
        };
        if mode == Mode::Heal && via.is_none() {
            return Err("MODE is heal, and neither GITHUB_SECRET nor PIPELINE_TOPIC is set".into());
        }
        let receipts = variable("STATE_BUCKET")
            .ok()
            .map(|bucket| Receipts { bucket, prefix: format!("plumb/{project}/{environment}") });
        let live = Self {
            aws: Aws::from_environment(http.clone())?,
            http,
            flow: flow.clone(),
            table: variable("STATE_TABLE")?,
            writers: Ulids::default(),
            topic: variable("NOTICE_TOPIC")?,
            via,
            receipts,
            grace,
            drift: variable("DRIFT_SECONDS").is_ok().then(|| seconds("DRIFT_SECONDS")).transpose()?,
        };
        Ok((live, Settings { name: format!("{project}/{environment}"), flow, limits }))
    }

    /// What is stored of the state.
    async fn item(&self) -> Result<Option<Value>, Failure> {
        let asked = json!({"TableName": self.table, "Key": {"id": {"S": ITEM}}, "ConsistentRead": true});
        let answer = self.aws.json("dynamodb", "DynamoDB_20120810.GetItem", &asked).await;
        let mut answer: Value = serde_json::from_str(&answer.map_err(|error| failed(&error))?).unwrap_or_default();
        Ok(answer.get_mut("Item").map(Value::take))
    }

    async fn publish(&self, topic: &str, subject: Option<&str>, message: &str) -> Result<(), Failure> {
        let mut fields = vec![("TopicArn", topic), ("Message", message)];
        fields.extend(subject.map(|subject| ("Subject", subject)));
        self.aws.query("sns", "2010-03-31", "Publish", &fields).await.map(|_| ()).map_err(|error| failed(&error))
    }

    async fn github(&self, secret: &str) -> Result<Access, Failure> {
        let text = self.aws.secret(secret).await.map_err(|error| failed(&error))?;
        let text = text.ok_or_else(|| Failure(format!("secret {secret} holds no text")))?;
        Access::parse(&text).map_err(|why| Failure(format!("{why} ({secret})")))
    }

    async fn dispatch(&self, secret: &str, workflow: &Workflow, ask: Ask<'_>, nonce: &str) -> Result<Asked, Failure> {
        self.github(secret).await?.dispatch(&self.http, workflow, ask, nonce).await.map_err(Failure)
    }
}

impl Via {
    /// A name that the pipeline would refuse is none to begin with: its refusal would be seen by nobody here.
    fn pipeline(topic: String, project: String, branch: String) -> Result<Self, String> {
        if !names::is_project(&project) {
            return Err(format!(
                "{project} is no name of a project in the pipeline's registry, which has small letters, digits and dashes; \
                 PIPELINE_PROJECT (the parameter PipelineProject) names it"
            ));
        }
        if !names::is_branch(&branch) {
            return Err(format!("GIT_REF is {branch}, and the pipeline takes no branch of such a name"));
        }
        Ok(Self::Pipeline { topic, project, branch })
    }
}

fn nobody() -> Failure {
    Failure("there is nobody to ask for a redeploy".to_owned())
}

impl World for Live {
    fn now(&self) -> i64 {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        since.ok().and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or_default()
    }

    async fn owned(&self) -> Result<Owned, Failure> {
        let mut all = Vec::new();
        for stack in &self.flow.stacks {
            all.extend(self.resources(stack).await?);
        }
        Ok(Owned::of(all.iter().map(|resource| (resource.kind.as_str(), resource.physical_id.as_str()))))
    }

    async fn drift(&self, stack: &str) -> Result<Option<Vec<String>>, Failure> {
        self.differences(stack).await
    }

    async fn compare(&self) -> Compared {
        self.compared(self.now()).await
    }

    async fn hold(&self) -> Result<Option<Hold>, Failure> {
        let asked = json!({"Name": self.flow.hold});
        let answer = match self.aws.json("ssm", "AmazonSSM.GetParameter", &asked).await {
            Ok(answer) => answer,
            Err(error) if error.code == "ParameterNotFound" => return Ok(None),
            Err(error) => return Err(failed(&error)),
        };
        let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
        let value = answer.pointer("/Parameter/Value").and_then(Value::as_str).unwrap_or_default();
        Ok(Some(held(value).unwrap_or_else(|| {
            // It may be a hold: better nothing is done.
            Hold::endless(format!("the hold in {} cannot be read; delete it or write it anew", self.flow.hold))
        })))
    }

    async fn load(&self) -> Result<(u64, State), Failure> {
        let Some(item) = self.item().await? else { return Ok((0, State::default())) };
        let unread = || Failure(format!("item {ITEM} of table {} is none of this function's; delete it", self.table));
        let text = |pointer: &str| item.pointer(pointer).and_then(Value::as_str);
        let revision = text("/revision/N").and_then(|number| number.parse().ok()).ok_or_else(unread)?;
        let state = text("/state/S").and_then(|state| serde_json::from_str(state).ok()).ok_or_else(unread)?;
        Ok((revision, state))
    }

    async fn store(&self, revision: u64, state: &State) -> Result<bool, Failure> {
        let state = serde_json::to_string(state).map_err(|error| Failure(error.to_string()))?;
        let next = (revision + 1).to_string();
        let writer = self.writers.next(self.now()).map_err(|error| Failure(error.to_string()))?.to_string();
        let mut asked = json!({
            "TableName": self.table,
            "Item": {"id": {"S": ITEM}, "revision": {"N": next}, "state": {"S": state}, "writer": {"S": writer}},
            "ConditionExpression": "attribute_not_exists(id)",
        });
        if revision > 0 {
            asked["ConditionExpression"] = json!("revision = :read");
            asked["ExpressionAttributeValues"] = json!({":read": {"N": revision.to_string()}});
        }
        match self.aws.json("dynamodb", "DynamoDB_20120810.PutItem", &asked).await {
            Ok(_) => Ok(true),
            // Where the answer to the first attempt was lost, the next one meets what that has stored.
            Err(error) if error.code == "ConditionalCheckFailedException" => {
                let item = self.item().await?;
                Ok(item.is_some_and(|item| item.pointer("/writer/S").and_then(Value::as_str) == Some(&writer)))
            }
            Err(error) => Err(failed(&error)),
        }
    }

    async fn redeploy(&self, reason: &str, nonce: &str) -> Result<Asked, Failure> {
        match self.via.as_ref().ok_or_else(nobody)? {
            Via::GitHub { secret, workflow } => self.dispatch(secret, workflow, Ask::Redeploy(reason), nonce).await,
            Via::Pipeline { topic, project, branch } => {
                let reason = names::as_reason(reason);
                let message = json!({"project": project, "branch": branch, "reason": reason});
                self.publish(topic, None, &message.to_string()).await.map(|()| Asked::Heard)
            }
        }
    }

    async fn stack_of(&self, change_set: &str) -> Result<Option<String>, Failure> {
        self.executed_on(change_set).await
    }

    async fn canary(&self, nonce: &str) -> Result<bool, Failure> {
        let Via::GitHub { secret, workflow } = self.via.as_ref().ok_or_else(nobody)? else { return Ok(false) };
        match self.dispatch(secret, workflow, Ask::Canary, nonce).await? {
            Asked::Heard => Ok(true),
            // It deploys nothing, and may be sent again.
            Asked::Unknown(why) => Err(Failure(why)),
        }
    }

    async fn tell(&self, notice: &Notice) -> Result<(), Failure> {
        self.publish(&self.topic, Some(&notice.subject), &notice.text).await
    }
}

/// A hold as `plumb hold` writes it.
fn held(text: &str) -> Option<Hold> {
    let hold: Value = serde_json::from_str(text).ok()?;
    let field = |name: &str| hold.get(name).and_then(Value::as_str);
    let until: jiff::Timestamp = field("until")?.parse().ok()?;
    let why = format!("{}: {}", field("by").unwrap_or("somebody"), field("reason").unwrap_or("without a reason"));
    Some(Hold { until: until.as_millisecond(), why: why.chars().take(300).collect() })
}

/// The one item's key.
const ITEM: &str = "loop";

fn failed(error: &crate::aws::Error) -> Failure {
    Failure(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::Via;

    #[test]
    fn a_pipeline_is_asked_by_names_that_it_takes() {
        let via = |project: &str, branch: &str| Via::pipeline("arn".into(), project.into(), branch.into());
        assert!(via("shop-prod", "main").is_ok());
        for project in ["Shop_1", "shop.prod", ""] {
            let why = via(project, "main").unwrap_err();
            assert!(why.contains("PipelineProject"), "{why}");
        }
        assert!(via("shop", "").unwrap_err().contains("GIT_REF"));
    }
}
