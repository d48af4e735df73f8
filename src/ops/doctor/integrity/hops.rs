//! Each hop by itself: what it is, and what is wrong with it.

use serde_json::Value;

use super::forge::Forge;
use super::{AREA, Loop};
use crate::aws::{Read, events, lambda, secretsmanager, sqs, ssm};
use crate::compare::Why;
use crate::github::Run;
use crate::ops::doctor::Check;
use crate::ops::init::unwatched;
use crate::ops::project;
use crate::ops::schema::time;
use crate::ops::session::Session;
use crate::ops::why;
use crate::secret::Secret;
use crate::template;

/// What a workflow has to take so that the loop can start it.
const INPUTS: [&str; 4] = ["environment", "reason", "nonce", "canary"];

impl Loop {
    /// Whether it is the loop of this project and environment.
    pub(super) fn belongs(&self, session: &Session) -> Check {
        let expected = format!("/plumb/{}/{}/hold", session.project().name, session.environment().name);
        let holds = self.outputs.get("HoldParameter");
        if holds.is_none_or(|holds| *holds == expected) {
            let stacks = self.variable("STACKS").unwrap_or("nothing");
            return Check::ok(AREA, "stack", format!("{} watches {stacks}", self.stack));
        }
        let other = holds.map_or("", String::as_str);
        let why = Why::new(format!("{} is held by {other}, so it is the loop of another environment", self.stack));
        Check::problem(AREA, "stack", &why.hint("plumb doctor loop STACK names another one"))
    }

    /// The stacks of the project file against those that this loop watches, and those that others of the project do.
    pub(super) async fn watches(&self, session: &Session) -> Check {
        let reference = session.reference();
        let stacks = match project::stacks(session, &reference).await {
            Ok(stacks) => stacks,
            Err(why) => {
                let reason = format!("whether every stack of the project is watched is not known: {}", why.reason);
                return Check::problem(AREA, "stacks", &Why { reason, ..why });
            }
        };
        let left = unwatched(&stacks, &self.stack, self.variable("STACKS").unwrap_or_default());
        if left.is_empty() {
            return Check::ok(AREA, "stacks", "every stack of the project is watched");
        }
        let why = Why::new(format!("nobody hears of changes to {}: no loop watches it", left.join(", ")));
        Check::problem(
            AREA,
            "stacks",
            &why.hint(
                "name it in Stacks of the loop's section in plumb.toml, or in that of another loop, and deploy that",
            ),
        )
    }

    /// Every rule, and whether it leads to the function.
    pub(super) async fn rules(&self, session: &Session) -> Vec<Check> {
        let mut wrong = Vec::new();
        let names = self.of_type("AWS::Events::Rule");
        for name in &names {
            if let Err(why) = self.rule(session, name).await {
                wrong.push(Check::problem(AREA, format!("rule {name}"), &why));
            }
        }
        if names.is_empty() {
            let why = Why::new(format!("{} has no rules, so no event reaches the function", self.stack));
            wrong.push(Check::problem(AREA, "rules", &why.hint("deploy it again")));
        }
        if wrong.is_empty() {
            let found = format!("{} rules are enabled and lead to the function", names.len());
            return vec![Check::ok(AREA, "rules", found)];
        }
        wrong
    }

    async fn rule(&self, session: &Session, name: &str) -> Result<(), Why> {
        let clients = &session.clients;
        let missing = || Why::new("it is in the stack, and not there any more").hint("deploy the loop's stack again");
        let rule = events::rule(clients, name).await.map_err(|error| why(&error))?.ok_or_else(missing)?;
        if !rule.is_enabled() {
            return Err(Why::new("it is disabled").hint(format!("aws events enable-rule --name {name}")));
        }
        let targets = events::targets(clients, name).await.map_err(|error| why(&error))?;
        if targets.iter().any(|target| is_function(target, &self.function)) {
            return Ok(());
        }
        Err(Why::new("it does not lead to the function").hint("deploy the loop's stack again"))
    }

    /// Whether EventBridge may call the function for every rule.
    pub(super) async fn permission(&self, session: &Session) -> Check {
        let subject = "permission";
        let policy = match lambda::policy(&session.clients, &self.function).await {
            Ok(policy) => policy.unwrap_or_default(),
            Err(error) => return Check::problem(AREA, subject, &why(&error)),
        };
        let policy: Value = serde_json::from_str(&policy).unwrap_or_default();
        let allowed: Vec<String> = sources(&policy);
        let names = self.of_type("AWS::Events::Rule");
        let is_let = |name: &&&str| allowed.iter().any(|source| fits(source, &format!(":rule/{name}")));
        let refused: Vec<&str> = names.iter().filter(|name| !is_let(name)).copied().collect();
        if refused.is_empty() {
            return Check::ok(AREA, subject, "EventBridge may call the function for each of its rules");
        }
        let why = Why::new(format!("EventBridge may not call the function for {}", refused.join(", ")));
        Check::problem(AREA, subject, &why.hint("deploy the loop's stack again"))
    }

    /// The function's own state, and what it does about a change.
    pub(super) fn runs(&self, session: &Session) -> Check {
        let environment = &session.environment().name;
        if self.state != "Active" && self.state != "Inactive" {
            let why = Why::new(format!("{} is {}: it answers no event", self.function, self.state));
            return Check::problem(AREA, "function", &why);
        }
        if self.heals() {
            return Check::ok(AREA, "function", format!("{} has what was changed put back", self.function));
        }
        Check::note(AREA, "function", format!("{} tells of changes in {environment} and puts none back", self.function))
            .hint("Mode=heal among the stack's parameters lets it ask for redeploys")
    }

    /// The hold, during which nothing is put back.
    pub(super) async fn hold(&self, session: &Session) -> Check {
        let name = self.variable("HOLD_PARAMETER").unwrap_or_default().to_owned();
        let mut found = ssm::values(&session.clients, std::slice::from_ref(&name)).await;
        let value = match found.remove(&name) {
            Some(Read::Found(value)) => value.value,
            Some(Read::Failed(error)) => return Check::problem(AREA, "hold", &why(&error)),
            Some(Read::Missing) | None => return Check::ok(AREA, "hold", "there is none"),
        };
        let hold: Value = serde_json::from_str(value.expose()).unwrap_or_default();
        let field = |name: &str| hold.get(name).and_then(Value::as_str);
        let until: Option<jiff::Timestamp> = field("until").and_then(|until| until.parse().ok());
        match until {
            Some(until) if until.as_millisecond() <= session.now() => {
                Check::ok(AREA, "hold", format!("one ended at {until}"))
            }
            Some(until) => {
                let (by, reason) = (field("by").unwrap_or("somebody"), field("reason").unwrap_or("no reason"));
                Check::note(AREA, "hold", format!("nothing is put back until {until}, by {by}: {reason}"))
            }
            None => Check::problem(
                AREA,
                "hold",
                &Why::new(format!("{name} cannot be read, and so the loop holds")).hint("delete it, or write it anew"),
            ),
        }
    }

    /// Whom it asks for a redeploy, and whether that would start one.
    pub(super) async fn asks(&self, session: &Session) -> Vec<Check> {
        let Some(secret) = self.variable("GITHUB_SECRET") else {
            return vec![match self.variable("PIPELINE_TOPIC") {
                Some(topic) => {
                    let found = format!("{topic} is asked for redeploys; whether it hears is not checked here");
                    Check::note(AREA, "pipeline", found).hint("plumb pipeline check looks at the pipeline's own side")
                }
                None => Check::note(AREA, "redeploy", "nobody is asked: neither a secret nor a topic is named"),
            }];
        };
        let file = self.variable("WORKFLOW");
        let mut checks = Vec::new();
        match access(session, secret).await {
            Ok((endpoint, token)) => {
                checks.push(Check::ok(AREA, "secret", format!("{secret} has a token for {endpoint}")));
                checks.extend(asked(&endpoint, token, file, renewed(session, secret)).await);
            }
            Err(why) => checks.push(Check::problem(AREA, "secret", &why)),
        }
        checks.push(workflow(session, file));
        checks
    }

    /// What could not be done.
    pub(super) async fn dead_letters(&self, session: &Session) -> Check {
        let Some(queue) = self.outputs.get("DeadLetterQueue") else {
            return Check::note(AREA, "dead letters", format!("{} names no queue for them", self.stack));
        };
        match sqs::waiting(&session.clients, queue).await {
            Ok(0) => Check::ok(AREA, "dead letters", "none"),
            Ok(count) => {
                let why = Why::new(format!("{count} events could not be handled, and lie in {queue}"));
                Check::problem(AREA, "dead letters", &why.hint(format!("aws sqs receive-message --queue-url {queue}")))
            }
            Err(error) => Check::problem(AREA, "dead letters", &why(&error)),
        }
    }
}

/// The workflow as the commit has it: what it takes.
fn workflow(session: &Session, file: Option<&str>) -> Check {
    let Some(file) = file else {
        return Check::note(AREA, "workflow", "a repository_dispatch is sent: whichever workflow listens for it runs");
    };
    let path = format!(".github/workflows/{file}");
    let subject = format!("workflow {file}");
    match committed(session, &path) {
        Ok(text) => match taken(&text) {
            Ok(()) => Check::ok(AREA, subject, "it can be started, with environment, reason, nonce and canary"),
            Err(why) => Check::problem(AREA, subject, &why.hint("plumb init --workflows writes one that does")),
        },
        Err(why) => Check::problem(AREA, subject, &why),
    }
}

/// How a token comes into the loop's secret, which need not be the one that the project names now.
pub(super) fn renewed(session: &Session, secret: &str) -> String {
    format!("plumb init --github-token --env {} --secret {secret}", session.environment().name)
}

/// The endpoint and the token that the secret holds. An error names a field, and never what one holds.
pub(super) async fn access(session: &Session, secret: &str) -> Result<(String, Secret), Why> {
    let hint = || format!("{} puts one there", renewed(session, secret));
    let name = secret.to_owned();
    let mut read = secretsmanager::values(&session.clients, std::slice::from_ref(&name)).await;
    let value = match read.remove(&name) {
        Some(Read::Found(value)) => value.value,
        Some(Read::Failed(error)) => return Err(why(&error)),
        Some(Read::Missing) | None => return Err(Why::new(format!("{secret} is not there, or empty")).hint(hint())),
    };
    let fields: Value =
        serde_json::from_str(value.expose()).map_err(|_| Why::new(format!("{secret} is not JSON")).hint(hint()))?;
    let field = |name: &str| {
        let value = fields.get(name).and_then(Value::as_str).map(str::trim).filter(|value| !value.is_empty());
        value.map(str::to_owned).ok_or_else(|| Why::new(format!("{secret} has no {name}")).hint(hint()))
    };
    Ok((field("github_endpoint")?, Secret::new(field("github_token")?)))
}

/// GitHub's own answers, by the loop's token.
async fn asked(endpoint: &str, token: Secret, workflow: Option<&str>, renewed: String) -> Vec<Check> {
    let forge = match Forge::new(endpoint, token, workflow, renewed) {
        Ok(forge) => forge,
        Err(why) => return vec![Check::problem(AREA, "github", &why)],
    };
    let told = |subject: &'static str, answer: Result<String, Why>| match answer {
        Ok(found) => Check::ok(AREA, subject, found),
        Err(why) => Check::problem(AREA, subject, &why),
    };
    let mut checks = vec![told("token", forge.token().await)];
    checks.extend(forge.workflow().await.map(|answer| told("github's workflow", answer)));
    checks.push(match forge.runs().await {
        Err(why) => Check::problem(AREA, "last run", &why),
        Ok(runs) => last(runs.first()),
    });
    checks
}

fn last(run: Option<&Run>) -> Check {
    let Some(run) = run else { return Check::note(AREA, "last run", "there was none") };
    if !run.is_over() {
        return Check::ok(AREA, "last run", format!("under way since {}: {}", time(run.began), run.title));
    }
    let how = run.conclusion.as_deref().unwrap_or(&run.status);
    let told = format!("{how} at {}: {}", time(run.changed), run.title);
    if run.succeeded() {
        return Check::ok(AREA, "last run", told);
    }
    Check::problem(AREA, "last run", &Why::new(told).hint(run.url.clone()))
}

/// A file of the repository's top, as the compared commit has it.
fn committed(session: &Session, path: &str) -> Result<String, Why> {
    let repository = session.repository.as_ref().map_err(Clone::clone)?;
    let snapshot = repository.snapshot(&session.reference(), "").map_err(|error| crate::ops::git_why(&error))?;
    let blob = snapshot.read(path).map_err(|error| crate::ops::git_why(&error))?;
    let missing = || {
        Why::new(format!("{} has no {path}, so GitHub can start none", session.reference()))
            .hint("plumb init --workflows, or Workflow among the parameters of the loop's stack")
    };
    String::from_utf8(blob.ok_or_else(missing)?.bytes).map_err(|_| Why::new(format!("{path} is not text")))
}

/// Whether a workflow takes what the loop sends.
fn taken(text: &str) -> Result<(), Why> {
    let parsed = template::document("the workflow", text).map_err(|error| crate::ops::failed(&error))?;
    let events = parsed.get("on").or_else(|| parsed.get("true"));
    let dispatch = events.and_then(|events| events.get("workflow_dispatch"));
    let Some(dispatch) = dispatch else {
        return Err(Why::new("it has no workflow_dispatch with inputs, so it cannot be started from outside"));
    };
    let inputs = dispatch.get("inputs");
    let missing: Vec<&str> =
        INPUTS.into_iter().filter(|name| inputs.and_then(|inputs| inputs.get(*name)).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Why::new(format!(
        "it does not take {}: GitHub refuses inputs that a workflow does not name",
        missing.join(", ")
    )))
}

/// Whether a target is the function, with or without a qualifier.
fn is_function(target: &str, function: &str) -> bool {
    let name = target.split_once(":function:").map(|(_, name)| name.split(':').next().unwrap_or(name));
    name == Some(function) || target == function
}

/// The sources that EventBridge may call the function for.
fn sources(policy: &Value) -> Vec<String> {
    let statements = policy.get("Statement").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let is_ours = |statement: &&Value| {
        statement["Effect"] == "Allow"
            && statement["Principal"]["Service"] == "events.amazonaws.com"
            && statement["Action"] == "lambda:InvokeFunction"
    };
    let source = |statement: &Value| {
        let conditions = statement.get("Condition").and_then(Value::as_object)?;
        let values = conditions.values().filter_map(Value::as_object).flatten();
        let found =
            values.filter(|(name, _)| name.eq_ignore_ascii_case("aws:SourceArn")).find_map(|(_, arn)| arn.as_str());
        Some(found?.to_owned())
    };
    // Without a condition every rule of everybody is let through.
    statements.iter().filter(is_ours).map(|statement| source(statement).unwrap_or_else(|| "*".to_owned())).collect()
}

/// Whether a pattern with stars lets something through that ends so.
fn fits(pattern: &str, end: &str) -> bool {
    let (start, starred) = pattern.split_once('*').map_or((pattern, false), |(start, _)| (start, true));
    if !starred {
        return pattern.ends_with(end);
    }
    match start.find(":rule/") {
        // What stands before the star is the beginning of the rule's name.
        Some(at) => start.get(at..).is_some_and(|start| end.starts_with(start)),
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_policy_lets_through_what_its_source_fits() {
        let policy = json!({"Statement": [
            {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "lambda:InvokeFunction",
             "Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:events:r:1:rule/shop-loop-*"}}},
            {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "lambda:InvokeFunction"},
        ]});
        let found = sources(&policy);
        assert_eq!(found, ["arn:aws:events:r:1:rule/shop-loop-*"]);
        for (pattern, name, expected) in [
            (found[0].as_str(), "shop-loop-code", true),
            (&found[0], "other-loop-code", false),
            ("arn:aws:events:r:1:rule/a", "a", true),
            ("arn:aws:events:r:1:rule/a", "b", false),
            ("*", "a", true),
        ] {
            assert_eq!(fits(pattern, &format!(":rule/{name}")), expected, "{pattern} {name}");
        }
        assert!(is_function("arn:aws:lambda:r:1:function:loop-integrity", "loop-integrity"));
        assert!(!is_function("arn:aws:lambda:r:1:function:other", "loop-integrity"));
    }

    #[test]
    fn a_workflow_takes_what_the_loop_sends_or_names_what_it_does_not() {
        let inputs = INPUTS.map(|name| format!("      {name}: {{type: string}}\n")).concat();
        let all = format!("on:\n  workflow_dispatch:\n    inputs:\n{inputs}");
        assert_eq!(taken(&all), Ok(()));
        let without = taken(&all.replace("      canary: {type: string}\n", "")).unwrap_err();
        assert!(without.reason.contains("canary") && !without.reason.contains("nonce"), "{without}");
        assert!(taken("on: [push]\n").unwrap_err().reason.contains("workflow_dispatch"));
    }
}
