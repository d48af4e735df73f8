//! The AWS half: who asks, and whether each permission of the table is there, by calls that only read.

use futures::future::{BoxFuture, FutureExt, join_all};

use super::Check;
use crate::aws::{self, Read, cloudformation, cloudtrail, lambda, s3, secretsmanager, ssm};
use crate::compare::Why;
use crate::ops::hold;
use crate::ops::inspect::{Loaded, Place, now};
use crate::ops::permissions::{Need, PERMISSIONS};
use crate::ops::receipt::UnitId;
use crate::ops::session::Session;
use crate::ops::{project, why};

/// A clock this far off makes signatures fail soon: AWS accepts five minutes (milliseconds).
const SKEW: i64 = 60_000;

/// What stands in for a parameter or secret where git has none.
const NOBODY: &str = "plumb-doctor";

/// What the calls are about.
struct Ground<'a> {
    session: &'a Session,
    parameter: Option<String>,
    secret: Option<String>,
    stack: Option<String>,
    function: Option<(String, Option<String>)>,
}

/// What one call showed.
enum Tried {
    Allowed(String),
    Failed(Why),
    /// There is nothing to try it on, or trying it would do something.
    Untried(String),
}

pub(super) async fn checks(session: &Session) -> Vec<Check> {
    let mut checks = who(session).await;
    session.retry_identity().await;
    if session.identity().await.is_err() {
        return checks;
    }
    let ground = Box::pin(Ground::of(session)).await;
    let attempts = PERMISSIONS.iter().filter(|permission| permission.need == Need::Read).map(|permission| {
        let tried = ground.attempt(permission.action);
        async move { (permission.action, tried.await) }
    });
    let tried = join_all(attempts).await;
    checks.extend(tried.into_iter().map(|(action, tried)| match tried {
        Tried::Allowed(found) => Check::ok("permissions", action, found),
        Tried::Failed(why) => Check::problem("permissions", action, &why),
        Tried::Untried(because) => Check::note("permissions", action, because),
    }));
    checks.extend(held(session).await);
    checks.push(Check::note(
        "permissions",
        "writing",
        "not tried, since that would write; plumb policy write prints what it needs",
    ));
    checks
}

/// Whether redeploys are on hold.
async fn held(session: &Session) -> Option<Check> {
    if session.settings.adhoc.is_some() {
        return None;
    }
    Some(match hold::current(session).await {
        Ok(None) => Check::ok("account", "hold", "none"),
        Ok(Some(hold)) => Check::note("account", "hold", hold.told(now())).hint("plumb release ends it"),
        Err(why) => Check::problem("account", "hold", &why),
    })
}

async fn who(session: &Session) -> Vec<Check> {
    let region = session.clients.region().to_owned();
    let environment = session.environment();
    let place = environment.endpoint.as_ref().map_or(region.clone(), |endpoint| format!("{region} at {endpoint}"));
    let identity = session.identity().await;
    let mut checks = vec![Check::ok("account", "region", place)];
    match identity {
        Err(why) => checks.push(Check::problem("account", "credentials", &why)),
        Ok(identity) => {
            checks.push(Check::ok("account", "credentials", &*identity.arn));
            checks.push(match (&identity.expected_account, &environment.account) {
                (Some(expected), _) => Check::problem(
                    "account",
                    "account",
                    &Why::new(format!(
                        "{} is not {expected}, which the project expects: everything but reading is refused",
                        identity.account
                    ))
                    .hint("another profile: --profile, or [environments] in plumb.toml"),
                ),
                (None, Some(_)) => Check::ok("account", "account", format!("{}, as expected", identity.account)),
                (None, None) => {
                    Check::note("account", "account", format!("{}; the project expects none", identity.account))
                        .hint("`account` of the environment in plumb.toml guards against a mistaken profile")
                }
            });
        }
    }
    match session.clients.clock_skew() {
        Some(skew) if skew.abs() > SKEW => checks.push(Check::problem(
            "account",
            "clock",
            &Why::new(format!(
                "this machine's clock is {} s {} AWS's",
                skew.abs() / 1000,
                if skew > 0 { "ahead of" } else { "behind" }
            ))
            .hint("set the clock: AWS refuses signatures that are five minutes off"),
        )),
        Some(_) => checks.push(Check::ok("account", "clock", "as AWS's, to the minute")),
        None => {}
    }
    checks
}

impl<'a> Ground<'a> {
    async fn of(session: &'a Session) -> Self {
        let (parameter, secret, found) = futures::join!(
            first_name(session, Place::Config),
            first_name(session, Place::Secrets),
            stack_and_function(session)
        );
        let (stack, function) = found;
        Self { session, parameter, secret, stack, function }
    }

    /// Tries one action. The `match` is checked against the table by a test.
    fn attempt(&self, action: &'static str) -> BoxFuture<'_, Tried> {
        let clients = &self.session.clients;
        match action {
            "ssm:DescribeParameters" => async move {
                let name = self.parameter.as_deref().unwrap_or(NOBODY);
                told(ssm::one_meta(clients, name).await, |found| match found {
                    Some(_) => format!("{name} is there"),
                    None => "allowed".to_owned(),
                })
            }
            .boxed(),
            "ssm:GetParameters" => async move {
                let Some(name) = self.parameter.clone() else { return untried("git has no parameter to try it on") };
                one_of(ssm::values(clients, std::slice::from_ref(&name)).await.remove(&name), &name)
            }
            .boxed(),
            "ssm:GetParameterHistory" => async move {
                let Some(name) = &self.parameter else { return untried("git has no parameter to try it on") };
                told(ssm::history(clients, name).await, |found| present(found.is_some(), name))
            }
            .boxed(),
            "secretsmanager:ListSecrets" => async move {
                let name = self.secret.clone().unwrap_or_else(|| NOBODY.to_owned());
                told(secretsmanager::list(clients, &[name]).await, |_| "allowed".to_owned())
            }
            .boxed(),
            "secretsmanager:DescribeSecret" => async move {
                let Some(name) = &self.secret else { return untried("git has no secret to try it on") };
                told(secretsmanager::describe(clients, name).await, |found| present(found.is_some(), name))
            }
            .boxed(),
            "secretsmanager:BatchGetSecretValue" => async move {
                let Some(name) = self.secret.clone() else { return untried("git has no secret to try it on") };
                one_of(secretsmanager::values(clients, std::slice::from_ref(&name)).await.remove(&name), &name)
            }
            .boxed(),
            "secretsmanager:GetSecretValue" => {
                untried_too("tried together with secretsmanager:BatchGetSecretValue, which needs it for each secret")
            }
            "secretsmanager:ListSecretVersionIds" => async move {
                let Some(name) = &self.secret else { return untried("git has no secret to try it on") };
                told(secretsmanager::versions(clients, name).await, |found| present(found.is_some(), name))
            }
            .boxed(),
            "kms:Decrypt" => untried_too("tried together with the values above"),
            "cloudformation:DescribeStacks" => self.on_stack(|name| {
                async move { told(cloudformation::stack(clients, name).await, |found| present(found.is_some(), name)) }.boxed()
            }),
            "cloudformation:DescribeStackEvents" => self.on_stack(|name| {
                async move { of_stack(cloudformation::events::last(clients, name).await, name) }.boxed()
            }),
            "cloudformation:ListStackResources" => self.on_stack(|name| {
                async move { of_stack(cloudformation::resources(clients, name).await, name) }.boxed()
            }),
            "cloudformation:GetTemplate" => self.on_stack(|name| {
                let stage = cloudformation::Stage::Original;
                async move { of_stack(cloudformation::template(clients, name, stage).await, name) }.boxed()
            }),
            "cloudformation:DescribeStackResourceDrifts" => self.on_stack(|name| {
                async move { of_stack(cloudformation::drift::drifts(clients, name).await, name) }.boxed()
            }),
            "cloudformation:DetectStackDrift"
            | "cloudformation:DetectStackResourceDrift"
            | "cloudformation:DescribeStackDriftDetectionStatus"
            | "cloudformation:BatchDescribeTypeConfigurations" => {
                untried_too("not tried: AWS would read every resource; plumb status --detect always does")
            }
            "lambda:GetFunctionConfiguration" => self.on_function(|name, _| {
                async move { told(lambda::function(clients, name, None).await, |found| present(found.is_some(), name)) }.boxed()
            }),
            "lambda:GetFunction" => untried_too("needed only for functions from images"),
            "lambda:GetAlias" => self.on_function(|name, alias| {
                async move {
                    let Some(alias) = alias else { return untried("the function has no alias to try it on") };
                    told(lambda::alias(clients, name, alias).await, |found| present(found.is_some(), alias))
                }
                .boxed()
            }),
            "cloudtrail:LookupEvents" => async move {
                let since = now() - 3_600_000;
                let found = cloudtrail::lookup(clients, cloudtrail::Attribute::EventName("PutParameter"), since).await;
                told(found, |_| "allowed".to_owned())
            }
            .boxed(),
            "s3:ListBucket" => self.bucket_exists().boxed(),
            "s3:GetObject" => self.receipt().boxed(),
            _ => untried_too("not tried"),
        }
    }

    fn on_stack<'s>(&'s self, ask: impl FnOnce(&'s str) -> BoxFuture<'s, Tried>) -> BoxFuture<'s, Tried> {
        match &self.stack {
            Some(name) => ask(name),
            None => untried_too("the project has no stack to try it on"),
        }
    }

    fn on_function<'s>(
        &'s self,
        ask: impl FnOnce(&'s str, Option<&'s str>) -> BoxFuture<'s, Tried>,
    ) -> BoxFuture<'s, Tried> {
        match &self.function {
            Some((name, alias)) => ask(name, alias.as_deref()),
            None => untried_too("no function of the project is live to try it on"),
        }
    }

    async fn bucket(&self) -> Result<String, Tried> {
        match self.session.receipts().await {
            Ok(store) => store.bucket.ok_or_else(|| untried("the project names no state bucket")),
            Err(why) => Err(Tried::Failed(why)),
        }
    }

    async fn bucket_exists(&self) -> Tried {
        let bucket = match self.bucket().await {
            Ok(bucket) => bucket,
            Err(tried) => return tried,
        };
        match s3::bucket_exists(&self.session.clients, &bucket).await {
            Ok(true) => Tried::Allowed(format!("{bucket} is there")),
            Ok(false) => Tried::Failed(
                Why::new(format!("there is no bucket {bucket}: receipts cannot be read or written"))
                    .hint("make it, or leave [state] out of plumb.toml"),
            ),
            Err(error) => Tried::Failed(why(&error)),
        }
    }

    async fn receipt(&self) -> Tried {
        let bucket = match self.bucket().await {
            Ok(bucket) => bucket,
            Err(tried) => return tried,
        };
        let key = match self.session.receipts().await {
            Ok(store) => store.key(&UnitId::Secrets),
            Err(why) => return Tried::Failed(why),
        };
        match s3::get(&self.session.clients, &bucket, &key).await {
            Ok(found) => Tried::Allowed(present(found.is_some(), &key)),
            Err(error) if error.kind == aws::ErrorKind::NotFound => untried("the bucket is not there yet"),
            Err(error) => Tried::Failed(why(&error)),
        }
    }
}

/// The first name that git knows; a read of it is what `plumb status` does as well.
async fn first_name(session: &Session, place: Place) -> Option<String> {
    let loaded = Loaded::at(session, &session.reference(), place).await.ok()?;
    loaded.side.items.keys().next().cloned()
}

/// The first stack, and a function of it that is live, with its alias.
async fn stack_and_function(session: &Session) -> (Option<String>, Option<(String, Option<String>)>) {
    let environment = &session.environment().name;
    let here = |stack: &&crate::config::Stack| {
        (stack.environments.is_empty() || stack.environments.contains(environment)) && !stack.name.contains("{service}")
    };
    let (settings, root) = (session.settings.clone(), session.root.clone());
    let read = move || project::at(&settings, &project::compared(&settings.environment, &root).ok()?.1).ok();
    let read = tokio::task::spawn_blocking(read).await.ok().flatten();
    let project = read.unwrap_or_else(|| session.project().clone());
    let config = project.stacks.iter().find(here);
    let name = match (config, &session.settings.adhoc) {
        (Some(stack), _) => session.expand(&stack.name).await.ok(),
        (None, Some(adhoc)) => adhoc.stack.clone(),
        (None, None) => None,
    };
    let Some(name) = name else { return (None, None) };
    let resources = cloudformation::resources(&session.clients, &name).await.unwrap_or_default();
    let functions = config.map(|stack| stack.functions.as_slice()).unwrap_or_default();
    let known = functions.iter().max_by_key(|function| function.alias.is_some()).and_then(|function| {
        let resource = resources.iter().find(|resource| resource.logical_id == function.resource)?;
        Some((resource.physical_id.clone()?, function.alias.clone()))
    });
    let any = || {
        let resource = resources.iter().find(|resource| resource.type_name == "AWS::Lambda::Function")?;
        Some((resource.physical_id.clone()?, None))
    };
    (Some(name), known.or_else(any))
}

fn told<T>(answer: Result<T, aws::Error>, found: impl FnOnce(T) -> String) -> Tried {
    match answer {
        Ok(answer) => Tried::Allowed(found(answer)),
        Err(error) => Tried::Failed(why(&error)),
    }
}

/// A stack that does not exist yet is no lack of a permission.
fn of_stack<T>(answer: Result<T, aws::Error>, name: &str) -> Tried {
    match answer {
        Ok(_) => Tried::Allowed("allowed".to_owned()),
        Err(error) if error.kind == aws::ErrorKind::NotFound || error.message.contains("does not exist") => {
            Tried::Untried(format!("there is no stack {name} yet to try it on"))
        }
        Err(error) => Tried::Failed(why(&error)),
    }
}

fn one_of<T>(read: Option<Read<T>>, name: &str) -> Tried {
    match read {
        Some(Read::Failed(error)) => Tried::Failed(why(&error)),
        Some(Read::Found(_)) => Tried::Allowed(format!("{name} can be read")),
        Some(Read::Missing) | None => Tried::Allowed(format!("{name} is not live")),
    }
}

fn present(there: bool, name: &str) -> String {
    if there { format!("{name} is there") } else { format!("{name} is not there") }
}

fn untried(because: &str) -> Tried {
    Tried::Untried(because.to_owned())
}

fn untried_too<'a>(because: &'static str) -> BoxFuture<'a, Tried> {
    futures::future::ready(untried(because)).boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_read_of_the_table_has_an_answer_of_its_own() {
        let source = include_str!("account.rs");
        for permission in PERMISSIONS.iter().filter(|permission| permission.need == Need::Read) {
            assert!(source.contains(&format!("\"{}\"", permission.action)), "{}", permission.action);
        }
    }
}
