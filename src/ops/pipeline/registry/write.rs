//! Writing what was planned of a project: in an order of which nobody can read a half that means something else.

use std::time::Duration;

use super::{Plan, REPOSITORY, one, parameter};
use crate::aws::{ErrorKind, Poll, Read, ssm};
use crate::compare::{Why, WhyKind};
use crate::ops::journal::{Action, Intent, noted};
use crate::ops::pipeline::fields::Standing;
use crate::ops::session::Session;
use crate::ops::why;
use crate::secret::Secret;

/// One write: a field that is given a value, or goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step<'a> {
    field: &'a str,
    before: Option<&'a str>,
    after: Option<&'a str>,
    /// What this very writing took away before: Parameter Store may show it for a while.
    gone: Option<&'a str>,
}

/// How long something deleted may be in the way of what takes its place: AWS speaks of half a minute.
const SETTLES: Duration = Duration::from_secs(40);

/// The writes of a plan, in their order. Whoever reads meanwhile must not find the repository of before beside the
/// credentials of after, nor the other way round: where one of them changes with something else, the project has no
/// repository until all the rest is written.
fn steps(plan: &Plan) -> Vec<Step<'_>> {
    let all = plan.changes.iter();
    let mut steps: Vec<Step<'_>> = all
        .map(|change| {
            let (before, after) = (change.before.as_deref(), change.after.as_deref());
            Step { field: &change.field, before, after, gone: None }
        })
        .collect();
    let touches = |step: &Step<'_>| matches!(step.field, REPOSITORY | "credentials");
    let Some(there) = plan.before.get(REPOSITORY).filter(|_| steps.len() > 1 && steps.iter().any(touches)) else {
        return steps;
    };
    let changed = steps.iter().position(|step| step.field == REPOSITORY).map(|at| steps.remove(at));
    let after = changed.map_or(Some(there.as_str()), |step| step.after);
    steps.insert(0, Step { field: REPOSITORY, before: Some(there), after: None, gone: None });
    let back = |after| Step { field: REPOSITORY, before: None, after: Some(after), gone: Some(there.as_str()) };
    steps.extend(after.map(back));
    steps
}

/// Writes what was planned. Answers how many parameters were written, and why the journal does not hold that, if so.
pub async fn write(session: &Session, plan: &Plan) -> Result<(usize, Option<Why>), Why> {
    if let Some(wrong) = plan.findings.iter().find(|finding| finding.standing == Standing::Wrong) {
        let field = wrong.field.as_deref().unwrap_or(&plan.project);
        return Err(Why::new(format!("refused: {field} {}", wrong.text)));
    }
    let (session, writer) = session.for_writing().await?;
    let subjects = plan.changes.iter().map(|change| parameter(&plan.project, &change.field)).collect();
    let work = async {
        if one(&session, &plan.project).await?.unwrap_or_default().fields != plan.before {
            return Err(overtaken(&plan.project));
        }
        let steps = steps(plan);
        for (done, step) in steps.iter().enumerate() {
            apply(&session, &plan.project, step).await.map_err(|why| stopped(plan, &steps, done, why))?;
        }
        Ok(plan.changes.len())
    };
    Box::pin(noted(&session, &writer, Intent::new(Action::Registry, subjects), work, |_| None)).await
}

fn overtaken(project: &str) -> Why {
    Why::new(format!("refused: {project} was changed since the plan was made"))
}

async fn apply(session: &Session, project: &str, step: &Step<'_>) -> Result<(), Why> {
    let (clients, name) = (&session.clients, parameter(project, step.field));
    let mut poll = Poll::within(SETTLES);
    loop {
        // Parameter Store writes on no condition but that nothing is there, so that what is overtaken is found by looking.
        let now = match ssm::values(clients, std::slice::from_ref(&name)).await.remove(&name) {
            Some(Read::Found(value)) => Some(value.value.expose().to_owned()),
            Some(Read::Failed(error)) => return Err(why(&error)),
            Some(Read::Missing) | None => None,
        };
        let is_leaving = step.gone.is_some() && now.as_deref() == step.gone;
        if now.as_deref() != step.before && !is_leaving {
            return Err(overtaken(project));
        }
        let Some(after) = step.after else {
            return ssm::delete(clients, &name).await.map(drop).map_err(|error| why(&error));
        };
        let value = Secret::new(after.to_owned());
        let put = ssm::Put {
            name: &name,
            value: &value,
            type_name: "String",
            key_id: None,
            overwrite: step.before.is_some(),
            tier: None,
            like: None,
            tags: &[],
        };
        match ssm::put(clients, put).await {
            Ok(_) => return Ok(()),
            Err(error) if error.kind == ErrorKind::Conflict && step.gone.is_some() && poll.again().await => {}
            Err(error) => return Err(why(&error)),
        }
    }
}

/// What is done and what is not, where something stopped the writing midway.
fn stopped(plan: &Plan, steps: &[Step<'_>], done: usize, why: Why) -> Why {
    if done == 0 {
        return why;
    }
    let told = |steps: &[Step<'_>]| {
        let word = |step: &Step<'_>| match step.after {
            Some(_) => step.field.to_owned(),
            None => format!("{} taken away", step.field),
        };
        steps.iter().map(word).collect::<Vec<_>>().join(", ")
    };
    let (before, left) = steps.split_at(done);
    // Without an answer nobody knows of the one that was sent last.
    let lost = usize::from(matches!(why.kind, WhyKind::Network | WhyKind::Service));
    let (unsure, after) = left.split_at(lost);
    let mut reason = format!("{}; done: {}", why.reason, told(before));
    for (word, steps) in [("perhaps", unsure), ("not", after)] {
        if !steps.is_empty() {
            reason = format!("{reason}; {word}: {}", told(steps));
        }
    }
    let restored = left.iter().find(|step| step.field == REPOSITORY).and_then(|step| step.after);
    match restored {
        Some(url) => {
            let hint = format!("the same again, by plumb pipeline edit {} with --repository {url}", plan.project);
            Why {
                reason: format!("{reason}. Without a repository nothing of {} is built", plan.project),
                hint: Some(hint),
                ..why
            }
        }
        None => Why { reason, hint: Some(format!("plumb pipeline show {}", plan.project)), ..why },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::ops::pipeline::registry::changes;

    fn fields(rows: &[(&str, &str)]) -> BTreeMap<String, String> {
        rows.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn plan(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Plan {
        let changes = changes(before, after);
        Plan { project: "shop".to_owned(), before: before.clone(), changes, findings: Vec::new() }
    }

    /// The writes as words: `-` goes, `+` comes, `~` changes.
    fn order(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
        let sign = |step: &Step<'_>| match (step.before, step.after) {
            (_, None) => "-",
            (None, _) => "+",
            _ => "~",
        };
        steps(&plan(before, after)).iter().map(|step| format!("{}{}", sign(step), step.field)).collect()
    }

    #[test]
    fn a_repository_comes_last_and_goes_first() {
        let all = fields(&[("branches", "x"), ("repository", "x"), ("command", "x")]);
        assert_eq!(order(&BTreeMap::new(), &all), ["+command", "+branches", "+repository"]);
        assert_eq!(order(&all, &BTreeMap::new()), ["-repository", "-branches", "-command"]);
        let mut other = all.clone();
        other.insert("branches".to_owned(), "y".to_owned());
        other.remove("command");
        other.insert("rate".to_owned(), "3".to_owned());
        assert_eq!(order(&all, &other), ["-command", "+rate", "~branches"]);
        assert_eq!(changes(&all, &all), []);
    }

    #[test]
    fn at_no_time_has_a_repository_credentials_or_branches_that_are_not_its_own() {
        let old = [("repository", "https://old/a"), ("credentials", "old"), ("branches", "old"), ("command", "[]")];
        let new = [("repository", "https://new/a"), ("credentials", "new"), ("branches", "new"), ("command", "[]")];
        let (old, new) = (fields(&old), fields(&new));
        let moved = ["-repository", "~credentials", "~branches", "+repository"];
        assert_eq!(order(&old, &new), moved);
        // Each state that anybody can read on the way is the one before, the one after, or one that is not built.
        let plan = plan(&old, &new);
        let mut now = old.clone();
        for step in steps(&plan) {
            match step.after {
                Some(after) => now.insert(step.field.to_owned(), after.to_owned()),
                None => now.remove(step.field),
            };
            assert!(now == new || !now.contains_key(REPOSITORY), "{now:?}");
        }
        assert_eq!(now, new);
        let mut without = old.clone();
        without.remove("credentials");
        without.insert("rate".to_owned(), "3".to_owned());
        assert_eq!(order(&old, &without), ["-repository", "-credentials", "+rate", "+repository"]);
        // One write is whole by itself.
        let mut renamed = old.clone();
        renamed.insert("credentials".to_owned(), "new".to_owned());
        assert_eq!(order(&old, &renamed), ["~credentials"]);
    }

    #[test]
    fn what_stopped_midway_says_what_is_done_and_what_is_not() {
        let (old, new) =
            (fields(&[("repository", "a"), ("branches", "a")]), fields(&[("repository", "b"), ("branches", "b")]));
        let plan = plan(&old, &new);
        let steps = steps(&plan);
        assert_eq!(stopped(&plan, &steps, 0, Why::new("no")), Why::new("no"));
        let why = stopped(&plan, &steps, 1, Why::new("no"));
        let expected =
            "no; done: repository taken away; not: branches, repository. Without a repository nothing of shop is built";
        assert_eq!(why.reason, expected);
        assert!(why.hint.unwrap().contains("--repository b"));
        let why = stopped(&plan, &steps, 2, Why::new("no").kind(WhyKind::Network));
        assert!(why.reason.starts_with("no; done: repository taken away, branches; perhaps: repository."), "{why}");
    }
}
