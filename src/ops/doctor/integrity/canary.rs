//! A canary through the whole path, and when it came by each hop.

use std::time::Duration;

use serde_json::{Value, json};

use super::Loop;
use super::forge::Forge;
use super::hops::{access, renewed};
use crate::aws::{Poll, events, logs, sqs};
use crate::compare::Why;
use crate::github::Run;
use crate::ops::session::Session;
use crate::ops::why;

/// The source that is nobody's but a canary's.
const SOURCE: &str = "plumb.canary";

/// How long it is waited for at each hop. CloudWatch shows a line after some seconds.
const PATIENCE: Duration = Duration::from_secs(90);

/// Where a canary came by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// Which hop.
    pub name: &'static str,
    /// When, in milliseconds after the canary was let go.
    pub after: i64,
    /// What was seen of it there.
    pub found: String,
}

/// How a canary fared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canary {
    /// Its id, by which each hop knows it.
    pub id: String,
    /// The hops that it came by.
    pub hops: Vec<Hop>,
    /// Where it was lost, if it was.
    pub lost: Option<Why>,
}

/// Lets a canary go and follows it as far as it can be seen.
pub async fn send(session: &Session, found: &Loop) -> Result<Canary, Why> {
    // Everything that it comes by has AWS's time or GitHub's, and the loop was found by asking AWS.
    let began = session.now();
    let detail = json!({ "sent_by": "plumb doctor loop" });
    let id = events::put(&session.clients, SOURCE, "Canary", &detail).await.map_err(|error| why(&error))?;
    let taken = Hop { name: "event bus", after: session.now() - began, found: format!("took event {id}") };
    let mut canary = Canary { id, hops: vec![taken], lost: None };
    let (at, decision, reason) = match decided(session, found, &canary.id, began).await {
        Ok(said) => said,
        Err(why) => {
            canary.lost = Some(lost(session, found, why).await);
            return Ok(canary);
        }
    };
    let after = (at - began).max(0);
    if decision != "canary" {
        canary.hops.push(Hop { name: "function", after, found: format!("got it, and decided: {decision}") });
        canary.lost = Some(Why::new(format!("the function did not send it on: {reason}")));
        return Ok(canary);
    }
    let done = match found.variable("GITHUB_SECRET") {
        _ if !found.heals() => "sent it on (told by a notice: the loop heals nothing)",
        Some(_) => "sent it on (GitHub took it)",
        None => "got it; the pipeline takes no canary, so whether a redeploy is heard there was not checked",
    };
    canary.hops.push(Hop { name: "function", after, found: done.to_owned() });
    if found.heals()
        && let Some(secret) = found.variable("GITHUB_SECRET")
    {
        match run(session, secret, found.variable("WORKFLOW"), &canary.id).await {
            Ok(run) => {
                canary.hops.push(Hop { name: "run", after: (run.began - began).max(0), found: run.url.clone() });
                if run.is_over() {
                    let found = run.conclusion.unwrap_or(run.status);
                    canary.hops.push(Hop { name: "end of the run", after: (run.changed - began).max(0), found });
                }
            }
            Err(why) => canary.lost = Some(why),
        }
    }
    Ok(canary)
}

/// The line that the function wrote of it: when, what it decided, and why.
async fn decided(session: &Session, found: &Loop, id: &str, began: i64) -> Result<(i64, String, String), Why> {
    let group = format!("/aws/lambda/{}", found.function);
    let filter = format!("\"{id}\"");
    let mut poll = Poll::within(PATIENCE);
    loop {
        // Clocks differ by some seconds.
        let query =
            logs::Query { group: &group, from: began - 60_000, until: None, filter: Some(&filter), limit: 1000 };
        let lines = logs::filter(&session.clients, query).await.map_err(|error| why(&error))?;
        for line in &lines.lines {
            let said: Value = serde_json::from_str(line.message.expose()).unwrap_or_default();
            let text = |name: &str| said.get(name).and_then(Value::as_str).map(str::to_owned);
            if text("event_id").as_deref() == Some(id)
                && let Some(decision) = text("decision")
            {
                return Ok((line.at, decision, text("reason").unwrap_or_default()));
            }
        }
        if !poll.again().await {
            let seconds = PATIENCE.as_secs();
            return Err(Why::new(format!(
                "the function's log has nothing of it after {seconds} s: it was lost on the way"
            )));
        }
    }
}

/// Says as well when something lies in the dead letters.
async fn lost(session: &Session, found: &Loop, why: Why) -> Why {
    let hint = "plumb doctor loop says which hop is wrong: the rule, the permission, or the function";
    let count = match found.outputs.get("DeadLetterQueue") {
        Some(queue) => sqs::waiting(&session.clients, queue).await.unwrap_or_default(),
        None => 0,
    };
    let dead = if count > 0 { format!("; {count} events lie in the dead letters") } else { String::new() };
    Why { reason: format!("{}{dead}", why.reason), ..why.hint(hint) }
}

/// Its run, once that has ended, or as far as it got meanwhile.
async fn run(session: &Session, secret: &str, workflow: Option<&str>, id: &str) -> Result<Run, Why> {
    let (endpoint, token) = access(session, secret).await?;
    let forge = Forge::new(&endpoint, token, workflow, renewed(session, secret))?;
    let mut poll = Poll::within(PATIENCE);
    let mut last = None;
    loop {
        if let Some(run) = forge.runs().await?.into_iter().find(|run| run.title.contains(id)) {
            if run.is_over() {
                return Ok(run);
            }
            last = Some(run);
        }
        if !poll.again().await {
            let seconds = PATIENCE.as_secs();
            let none =
                || Why::new(format!("GitHub took it, and lists no run with {id} in its title after {seconds} s"));
            return last.ok_or_else(|| none().hint("run-name: deploy ${{ inputs.nonce }} in the workflow"));
        }
    }
}
