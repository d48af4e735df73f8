//! Jobs: what came of each message, from the table that the function keeps, and of each build, from CodeBuild.
//!
//! What cannot be read makes a job's state unknown, with the reason; it is never taken for one that ended.

mod job;

use std::collections::{BTreeMap, BTreeSet};

use super::build::Build;
use super::message::signed;
use super::{Pipeline, own, registry};
use crate::aws::codebuild;
use crate::aws::dynamodb::{self, Query};
use crate::compare::Why;
use crate::ops::why;

pub use job::{Job, NAMELESS, State};

/// As many messages of a project are read at least, so that a build of one of them that was started again is known for that.
const READ: usize = 100;

/// So many answers of a table are gone through for refusals that no query finds, of 1 MB each.
const SCANS: usize = 4;

/// The index by project and time.
const INDEX: &str = "by-project";

/// A job as the table has it, with its build's id.
type Row = (Job, Option<String>);

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
        let (now, turn) = (crate::ops::inspect::now(), self.turn());
        let mut rows: Vec<Row> = Vec::new();
        for project in &projects {
            let query = Query {
                table: self.jobs_table()?,
                index: INDEX,
                partition: ("project", project),
                range: "received",
                from: "0",
                to: "~",
                newest_first: true,
                only: None,
                limit: u32::try_from(limit.max(READ)).ok(),
            };
            let page = dynamodb::page(&self.session.clients, query, None).await.map_err(|error| why(&error))?;
            rows.extend(page.items.iter().filter_map(|item| Job::of(item, now, turn)));
        }
        if project.is_none() {
            rows.extend(self.strangers(&projects, &mut found).await);
        }
        rows.sort_by_key(|(job, _)| std::cmp::Reverse(job.at));
        let beyond = rows.split_off(limit.min(rows.len()));
        let builds = self.builds_of(&rows, &mut found).await;
        found.jobs = joined(rows, &beyond, builds, &projects);
        found.jobs.truncate(limit);
        Ok(found)
    }

    /// Refusals that name a project which nobody registered. No query finds what anybody may have written.
    async fn strangers(&self, projects: &BTreeSet<String>, found: &mut Jobs) -> Vec<Row> {
        let (now, turn) = (crate::ops::inspect::now(), self.turn());
        let (mut rows, mut next) = (Vec::new(), None);
        for _ in 0..SCANS {
            let page = async {
                let index = (self.jobs_table()?, INDEX);
                let refused = ("decision", "refused");
                dynamodb::scan(&self.session.clients, index, refused, next.as_ref()).await.map_err(|error| why(&error))
            };
            let page = match page.await {
                Ok(page) => page,
                Err(why) => {
                    found.troubles.push(Why { reason: format!("refusals of unknown projects: {}", why.reason), ..why });
                    return rows;
                }
            };
            let all = page.items.iter().filter_map(|item| Job::of(item, now, turn));
            rows.extend(all.filter(|(job, _)| !projects.contains(&job.project)));
            next = page.next;
            if next.is_none() {
                return rows;
            }
        }
        let told =
            format!("refusals of unknown projects: {SCANS} MB of the table were gone through, and there is more");
        found.troubles.push(Why::new(told).hint("plumb pipeline jobs PROJECT"));
        rows
    }

    fn turn(&self) -> i64 {
        i64::try_from(self.tried_for().as_millis()).unwrap_or(i64::MAX)
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
    async fn builds_of(&self, rows: &[Row], found: &mut Jobs) -> Vec<codebuild::Build> {
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
        let Some((job, id)) = Job::of(&item, crate::ops::inspect::now(), self.turn()) else {
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

/// The jobs of these rows, and the builds of their own that were started again: of these or of messages `beyond` them.
fn joined(rows: Vec<Row>, beyond: &[Row], builds: Vec<codebuild::Build>, projects: &BTreeSet<String>) -> Vec<Job> {
    let mut builds: BTreeMap<String, codebuild::Build> =
        builds.into_iter().map(|build| (build.id.clone(), build)).collect();
    let started = rows.iter().chain(beyond).filter_map(|(job, build)| Some((job.id.clone(), build.clone()?)));
    let started: BTreeMap<String, String> = started.collect();
    let mut jobs: Vec<Job> = Vec::new();
    for (job, build) in rows {
        jobs.push(match build.and_then(|id| builds.remove(&id)) {
            Some(build) => job.built(Build::of(&build)),
            None => job,
        });
    }
    let oldest = jobs.iter().map(|job| job.at).min().unwrap_or(i64::MIN);
    for build in builds.values() {
        // One of a message that is beyond what was read may be that message's first.
        let first = build.variable("PLUMB_JOB").map(|message| started.get(message));
        let is_repeated = first.is_none_or(|first| first.is_some_and(|first| *first != build.id));
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
    use crate::aws::dynamodb::Item;

    const TURN: i64 = 4 * 3_600_000;
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
        Job::of(&item(&rows), NOW, TURN).unwrap()
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
            (row("a", 6, &[("decision", "claimed")]), State::Claimed),
            (row("a", 230, &[("decision", "claimed"), ("why", "1 of 1 at once")]), State::Waiting),
            (row("a", 246, &[("decision", "claimed"), ("why", "1 of 1 at once")]), State::Unknown),
            (row("a", 246, &[("decision", "claimed")]), State::Unknown),
            (row("a", 0, &[("decision", "refused"), ("why", "the branch x is not allowed")]), State::Refused),
            (row("a", 0, &[("decision", "started"), ("build", "p:1")]), State::Unknown),
            (row("a", 0, &[("decision", "postponed")]), State::Unknown),
        ];
        for ((job, _), state) in rows {
            assert_eq!(job.state, state);
            let tells = !state.is_open() || state == State::Waiting || job.at < NOW - 300_000;
            assert_eq!(job.why.is_some(), tells, "{job:?}");
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
        let jobs = joined(rows, &[], builds, &projects);
        let seen: Vec<(&str, State)> = jobs.iter().map(|job| (job.id.as_str(), job.state)).collect();
        assert_eq!(seen, [("m1", State::Failed), ("p:2", State::Running), ("m2", State::Refused)]);
        assert_eq!((jobs[1].by.as_deref(), jobs[1].took(NOW)), (Some("ops/mara"), Some(60_000)));
        assert_eq!((jobs[0].is_claim(), jobs[1].is_claim(), jobs[2].is_claim()), (true, false, true));
        assert!(joined(Vec::new(), &[], vec![build("p:9", "SUCCEEDED", "m9")], &projects).is_empty());
    }

    #[test]
    fn a_build_that_was_started_again_is_shown_where_its_message_is_not() {
        let started =
            |id: &str, minutes: i64, build: &str| row(id, minutes, &[("decision", "started"), ("build", build)]);
        // The newest row is another's; what was started again just now is newer.
        let (rows, beyond) = (vec![started("m2", 5, "p:2")], vec![started("m1", 90, "p:1")]);
        let builds =
            vec![build("p:2", "FAILED", "m2"), build("p:1", "FAILED", "m1"), build("p:3", "IN_PROGRESS", "m1")];
        let projects = BTreeSet::from(["demo".to_owned()]);
        let jobs = joined(rows, &beyond, builds, &projects);
        let seen: Vec<&str> = jobs.iter().map(|job| job.id.as_str()).collect();
        assert_eq!(seen, ["p:3", "m2"], "the first build of a message that is not shown is no job of its own");
    }
}
