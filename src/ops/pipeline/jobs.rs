//! Jobs: what came of each message, from the table that the function keeps, and of each build, from CodeBuild.
//!
//! What cannot be read makes a job's state unknown, with the reason; it is never taken for one that ended.

use std::collections::{BTreeMap, BTreeSet};

use super::build::Build;
use super::message::{signature, signed};
use super::{Pipeline, message, own, registry};
use crate::aws::codebuild;
use crate::aws::dynamodb::{self, Item, Query};
use crate::compare::Why;
use crate::ops::why;

/// Where the function records messages that name no project.
pub const NAMELESS: &str = "-";

/// How long a message may be claimed before its build is there, milliseconds.
const CLAIM: i64 = 5 * 60 * 1000;

/// How long one may wait for its turn before the queue gives it to the dead letters, milliseconds: the template's attempts.
const TURN: i64 = 4 * 60 * 60 * 1000;

/// Something that the pipeline was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The message's id; of a build that no message asked for, CodeBuild's.
    pub id: String,
    /// The project; `-`: the message named none.
    pub project: String,
    /// The branch.
    pub branch: Option<String>,
    /// The commit; `None`: the branch's latest.
    pub commit: Option<String>,
    /// Who asked, as the message or CodeBuild says: SNS tells nobody who published.
    pub by: Option<String>,
    /// Why, in their words.
    pub reason: Option<String>,
    /// When it was asked for, milliseconds since the Unix epoch.
    pub at: i64,
    /// How it stands.
    pub state: State,
    /// Why it was refused, or what is not known.
    pub why: Option<String>,
    /// The build.
    pub build: Option<Build>,
}

/// How a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// The function has it, and no build yet.
    Claimed,
    /// As many builds of its project run as may.
    Waiting,
    /// It waits for a machine.
    Queued,
    /// It is at work.
    Running,
    /// It went well.
    Succeeded,
    /// It ended otherwise.
    Failed,
    /// It took too long.
    TimedOut,
    /// Somebody ended it.
    Stopped,
    /// The function let it start nothing.
    Refused,
    /// Nobody can tell.
    Unknown,
}

impl State {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Waiting => "waiting",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::TimedOut => "timed out",
            Self::Stopped => "stopped",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }

    /// Whether more comes of it.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Claimed | Self::Waiting | Self::Queued | Self::Running)
    }

    fn of(build: &Build) -> Self {
        match build.status.as_str() {
            "IN_PROGRESS" if matches!(build.phase.as_str(), "SUBMITTED" | "QUEUED" | "PROVISIONING") => Self::Queued,
            "IN_PROGRESS" => Self::Running,
            "SUCCEEDED" => Self::Succeeded,
            "FAILED" | "FAULT" => Self::Failed,
            "TIMED_OUT" => Self::TimedOut,
            "STOPPED" => Self::Stopped,
            _ => Self::Unknown,
        }
    }
}

impl Job {
    /// How long its build has taken, milliseconds.
    #[must_use]
    pub fn took(&self, now: i64) -> Option<i64> {
        let build = self.build.as_ref()?;
        Some((build.ended.unwrap_or(now) - build.began?).max(0))
    }

    fn of(item: &Item, now: i64) -> Option<(Self, Option<String>)> {
        let id = item.text("id")?.strip_prefix("message#")?.to_owned();
        let at = item.text("received")?.parse::<jiff::Timestamp>().ok()?.as_millisecond();
        let text = |name: &str| item.text(name).map(str::to_owned);
        let (by, reason) = item.text("reason").map_or((None, None), signature);
        let build = text("build").filter(|build| !build.is_empty());
        let decision = item.text("decision").unwrap_or_default();
        let (state, why) = match decision {
            "refused" => (State::Refused, text("why")),
            "claimed" if now - at < TURN && text("why").is_some() => (State::Waiting, text("why")),
            "claimed" if now - at > CLAIM => (
                State::Unknown,
                Some("it was claimed, and no build was recorded since: the dead letters may have it".to_owned()),
            ),
            "claimed" => (State::Claimed, None),
            "started" => (State::Unknown, Some("its build was not found".to_owned())),
            other => (State::Unknown, Some(format!("the function decided {other:?}"))),
        };
        let job = Self {
            id,
            project: text("project").unwrap_or_else(|| NAMELESS.to_owned()),
            branch: text("branch"),
            commit: text("commit"),
            by: by.map(str::to_owned),
            reason: reason.map(str::to_owned),
            at,
            state,
            why,
            build: None,
        };
        Some((job, build))
    }

    /// The same with what CodeBuild says of its build.
    fn built(self, build: Build) -> Self {
        let state = State::of(&build);
        let trouble = build.phases.iter().rev().find_map(|phase| phase.trouble.clone());
        let why = trouble
            .filter(|_| !matches!(state, State::Succeeded))
            .or_else(|| (state == State::Unknown).then(|| format!("CodeBuild calls it {:?}", build.status)));
        Self { state, why, build: Some(build), ..self }
    }

    /// A build that no message of the table asked for: somebody repeated it, or started it by hand.
    fn of_build(build: &codebuild::Build) -> Option<Self> {
        let project = build.variable("PLUMB_PROJECT").filter(|name| message::project(name).is_ok())?;
        let text = |name: &str| build.variable(name).filter(|text| !text.is_empty()).map(str::to_owned);
        let initiator = build.initiator.clone();
        let job = Self {
            id: build.id.clone(),
            project: project.to_owned(),
            branch: text("PLUMB_BRANCH"),
            commit: text("PLUMB_COMMIT"),
            by: initiator,
            reason: text("PLUMB_REASON").and_then(|reason| signature(&reason).1.map(str::to_owned)),
            at: build.began()?,
            state: State::Unknown,
            why: None,
            build: None,
        };
        Some(job.built(Build::of(build)))
    }
}

/// Jobs, the newest first, and what could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Jobs {
    /// The jobs.
    pub jobs: Vec<Job>,
    /// What may be missing in them, and why.
    pub troubles: Vec<Why>,
}

impl Pipeline {
    /// The newest jobs of a project, or of all that are registered.
    pub async fn jobs(&self, project: Option<&str>, limit: usize) -> Result<Jobs, Why> {
        let mut found = Jobs::default();
        let projects = match project {
            Some(project) => BTreeSet::from([project.to_owned()]),
            None => self.projects(&mut found).await,
        };
        let now = crate::ops::inspect::now();
        let mut rows: Vec<(Job, Option<String>)> = Vec::new();
        for project in &projects {
            let query = Query {
                table: self.jobs_table()?,
                index: "by-project",
                partition: ("project", project),
                range: "received",
                from: "0",
                to: "~",
                newest_first: true,
                only: None,
                limit: u32::try_from(limit).ok(),
            };
            let page = dynamodb::page(&self.session.clients, query, None).await.map_err(|error| why(&error))?;
            rows.extend(page.items.iter().filter_map(|item| Job::of(item, now)));
        }
        rows.sort_by_key(|(job, _)| std::cmp::Reverse(job.at));
        rows.truncate(limit);
        let builds = self.builds_of(&rows, &mut found).await;
        found.jobs = joined(rows, builds, &projects);
        found.jobs.truncate(limit);
        Ok(found)
    }

    async fn projects(&self, found: &mut Jobs) -> BTreeSet<String> {
        let mut names = BTreeSet::from([NAMELESS.to_owned()]);
        names.extend(own(&self.session));
        match registry::all(&self.session).await {
            Ok(projects) => names.extend(projects.into_iter().map(|project| project.name)),
            Err(why) => found.troubles.push(Why { reason: format!("other projects: {}", why.reason), ..why }),
        }
        names
    }

    /// The builds of these rows, and the newest of all.
    async fn builds_of(&self, rows: &[(Job, Option<String>)], found: &mut Jobs) -> Vec<codebuild::Build> {
        let mut ids: BTreeSet<String> = rows.iter().filter_map(|(_, build)| build.clone()).collect();
        let clients = &self.session.clients;
        let read = async {
            let newest = codebuild::newest(clients, self.build_project()?).await.map_err(|error| why(&error))?;
            ids.extend(newest);
            let ids: Vec<String> = ids.into_iter().collect();
            codebuild::builds(clients, &ids).await.map_err(|error| why(&error))
        };
        read.await.unwrap_or_else(|why| {
            found.troubles.push(Why { reason: format!("builds: {}", why.reason), ..why });
            Vec::new()
        })
    }

    /// What came of one message so far; `None`: nothing yet.
    pub async fn job(&self, message: &str) -> Result<Option<Job>, Why> {
        let key = format!("message#{message}");
        let item = dynamodb::get(&self.session.clients, self.jobs_table()?, ("id", &key)).await;
        let Some(item) = item.map_err(|error| why(&error))? else { return Ok(None) };
        let Some((job, id)) = Job::of(&item, crate::ops::inspect::now()) else {
            return Err(Why::new(format!("what the table of jobs has of {message} cannot be read")));
        };
        let Some(id) = id else { return Ok(Some(job)) };
        Ok(Some(match self.build(&id).await? {
            Some(build) => job.built(build),
            None => job,
        }))
    }

    /// A build as it stands; `None`: there is none of this id.
    pub async fn build(&self, id: &str) -> Result<Option<Build>, Why> {
        let builds = codebuild::builds(&self.session.clients, &[id.to_owned()]).await.map_err(|error| why(&error))?;
        Ok(builds.first().map(Build::of))
    }

    /// The job that is meant: by a message's id or its beginning, by a build's, or with nothing the newest of this
    /// repository's project.
    pub async fn find(&self, id: Option<&str>) -> Result<Job, Why> {
        let none = |what: String| Err(Why::new(format!("there is no job {what}")).hint("plumb pipeline jobs"));
        let Some(id) = id else {
            let name = own(&self.session)?;
            let newest = self.jobs(Some(&name), 1).await?.jobs.into_iter().next();
            return newest.map_or_else(|| none(format!("of {name}")), Ok);
        };
        if id.len() == 36
            && !id.contains(':')
            && let Some(job) = self.job(id).await?
        {
            return Ok(job);
        }
        let recent = self.jobs(None, 100).await?.jobs.into_iter();
        let is_meant = |job: &Job| job.id.starts_with(id) || job.build.as_ref().is_some_and(|build| build.id == id);
        let mut meant: Vec<Job> = recent.filter(is_meant).collect();
        match (meant.pop(), meant.is_empty()) {
            (Some(job), true) => Ok(job),
            (Some(_), false) => Err(Why::new(format!("several jobs begin with {id}")).hint("more of the id")),
            (None, _) => none(id.to_owned()),
        }
    }
}

fn joined(rows: Vec<(Job, Option<String>)>, builds: Vec<codebuild::Build>, projects: &BTreeSet<String>) -> Vec<Job> {
    let mut builds: BTreeMap<String, codebuild::Build> =
        builds.into_iter().map(|build| (build.id.clone(), build)).collect();
    let mut jobs: Vec<Job> = Vec::new();
    for (job, build) in rows {
        jobs.push(match build.and_then(|id| builds.remove(&id)) {
            Some(build) => job.built(Build::of(&build)),
            None => job,
        });
    }
    let messages: BTreeSet<String> = jobs.iter().filter(|job| job.build.is_some()).map(|job| job.id.clone()).collect();
    let oldest = jobs.iter().map(|job| job.at).min().unwrap_or(i64::MIN);
    for build in builds.values() {
        // One of a message that is beyond what was asked for is no job of its own.
        let is_repeated = build.variable("PLUMB_JOB").is_none_or(|message| messages.contains(message));
        let own = Job::of_build(build).filter(|job| projects.contains(&job.project) && job.at >= oldest);
        jobs.extend(own.filter(|_| is_repeated));
    }
    jobs.sort_by_key(|job| std::cmp::Reverse(job.at));
    jobs
}

/// The reason that a job is asked for with: who asks, and why.
pub(super) fn reason(by: &str, words: Option<&str>) -> String {
    signed(crate::ops::hold::short(by), words)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_763_720_000_000;

    fn item(rows: &serde_json::Value) -> Item {
        let rows = rows.as_object().unwrap().iter().map(|(name, text)| (name.clone(), json!({ "S": text })));
        serde_json::from_value(serde_json::Value::Object(rows.collect())).unwrap()
    }

    fn row(id: &str, minutes: i64, more: &[(&str, &str)]) -> (Job, Option<String>) {
        let at = jiff::Timestamp::from_millisecond(NOW - minutes * 60_000).unwrap().to_string();
        let mut rows = json!({ "id": format!("message#{id}"), "project": "demo", "branch": "main", "received": at });
        for (name, text) in more {
            rows[*name] = json!(text);
        }
        Job::of(&item(&rows), NOW).unwrap()
    }

    fn build(id: &str, status: &str, job: &str) -> codebuild::Build {
        let build = json!({ "id": id, "buildStatus": status, "currentPhase": "BUILD", "startTime": NOW / 1000 - 60,
            "initiator": "ops/mara", "environment": { "environmentVariables": [
                { "name": "PLUMB_PROJECT", "value": "demo" }, { "name": "PLUMB_JOB", "value": job },
                { "name": "PLUMB_BRANCH", "value": "main" }] } });
        serde_json::from_value(build).unwrap()
    }

    #[test]
    fn what_the_table_says_is_a_state_and_never_an_end_that_nobody_saw() {
        let rows = [
            (row("a", 0, &[("decision", "claimed")]), State::Claimed),
            (row("a", 0, &[("decision", "claimed"), ("why", "1 of 1 at once")]), State::Waiting),
            (row("a", 6, &[("decision", "claimed")]), State::Unknown),
            (row("a", 0, &[("decision", "refused"), ("why", "the branch x is not allowed")]), State::Refused),
            (row("a", 0, &[("decision", "started"), ("build", "p:1")]), State::Unknown),
            (row("a", 0, &[("decision", "postponed")]), State::Unknown),
        ];
        for ((job, _), state) in rows {
            assert_eq!(job.state, state);
            assert_eq!(job.why.is_some(), !state.is_open() || state == State::Waiting, "{job:?}");
        }
        let (job, _) = row("a", 0, &[("decision", "claimed"), ("reason", "by user/mara: too small")]);
        assert_eq!((job.by.as_deref(), job.reason.as_deref()), (Some("user/mara"), Some("too small")));
    }

    #[test]
    fn each_build_is_found_with_its_message_and_repeated_ones_by_themselves() {
        let rows = vec![
            row("m1", 1, &[("decision", "started"), ("build", "p:1")]),
            row("m2", 2, &[("decision", "refused"), ("why", "no")]),
        ];
        let builds = vec![
            build("p:1", "FAILED", "m1"),
            build("p:2", "IN_PROGRESS", "m1"),
            build("p:0", "SUCCEEDED", "of another page"),
        ];
        let projects = BTreeSet::from(["demo".to_owned()]);
        let jobs = joined(rows, builds, &projects);
        let seen: Vec<(&str, State)> = jobs.iter().map(|job| (job.id.as_str(), job.state)).collect();
        assert_eq!(seen, [("m1", State::Failed), ("p:2", State::Running), ("m2", State::Refused)]);
        assert_eq!((jobs[1].by.as_deref(), jobs[1].took(NOW)), (Some("ops/mara"), Some(60_000)));
        assert!(joined(Vec::new(), vec![build("p:9", "SUCCEEDED", "m9")], &projects).is_empty());
    }
}
