//! The function that starts builds: a message of the topic in, at most one build of CodeBuild out.
//!
//! A message is read ([`crate::pipeline::message`]), held to the registry ([`crate::pipeline::registry`]), claimed by its id,
//! and waits for its turn ([`state`]). [`World`] is what the function asks and does; [`live`] is AWS. It never makes a
//! command of a message: a build is told names and values, and its worker asks the registry again.

pub mod event;
pub mod live;
mod record;
pub mod state;

use crate::pipeline::message::Message;
use crate::pipeline::registry::{Fields, Project};
use crate::pipeline::{branches, message::Malformed};
use event::Delivery;
use state::{Asker, Limits, Running, State, Turn};

pub use record::{line, odd};

/// So often a project's state is read again because another function was faster.
const RACES: usize = 20;
/// A claim that is older, in milliseconds, was left by a function that is gone: longer than one may run.
pub const LEASE: i64 = 45_000;

/// Something could not be asked or done. The queue delivers the message again, and gives it to the dead letters in the end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Failure(pub String);

/// A message as the list of jobs has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// SNS's id of the message.
    pub id: String,
    /// The project; none where the message names none as it should.
    pub project: Option<String>,
    /// What is asked for, where the message is well-formed.
    pub message: Option<Message>,
    /// Whether it is of a project that the registry has; else it is not worth remembering for long.
    pub registered: bool,
}

/// What became of a try to write a job down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// It was not there.
    First,
    /// It was claimed before, and let wait: nothing was started for it.
    Waited,
    /// It was claimed before, by a function that is gone.
    Left,
    /// Another function is about to start it.
    Busy,
    /// It was decided before: a build's id, or the reason of a refusal.
    Decided(String),
}

/// What the function asks, and does.
pub trait World: Sync {
    /// Now, in milliseconds.
    fn now(&self) -> i64;
    /// The project's fields in the registry.
    fn registry(&self, project: &str) -> impl Future<Output = Result<Fields, Failure>> + Send;
    /// Writes a job down, unless it was decided before: as claimed or, with a reason, as refused.
    fn write(&self, job: &Job, refused: Option<&str>) -> impl Future<Output = Result<Written, Failure>> + Send;
    /// A claimed job has its build.
    fn started(&self, job: &str, build: &str) -> impl Future<Output = Result<(), Failure>> + Send;
    /// A claimed job is refused after all.
    fn refused(&self, job: &str, why: &str) -> impl Future<Output = Result<(), Failure>> + Send;
    /// A claimed job waits, and whoever is asked next may claim it.
    fn waits(&self, job: &str, why: &str) -> impl Future<Output = Result<(), Failure>> + Send;
    /// A project's state and its revision; 0 of one that was never stored.
    fn load(&self, project: &str) -> impl Future<Output = Result<(u64, State), Failure>> + Send;
    /// Stores a state in the place of this revision; false when it is another one by now.
    fn store(&self, project: &str, revision: u64, state: &State) -> impl Future<Output = Result<bool, Failure>> + Send;
    /// Starts a build. The same job's again, within minutes, is the same build.
    fn start(&self, job: &str, message: &Message) -> impl Future<Output = Result<String, Failure>> + Send;
    /// The build that was started for a job, among those since then, in milliseconds.
    fn find(&self, job: &str, since: i64) -> impl Future<Output = Result<Option<String>, Failure>> + Send;
    /// Those of these builds that run no more.
    fn ended(&self, builds: &[String]) -> impl Future<Output = Result<Vec<String>, Failure>> + Send;
}

/// What was decided about a message, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Its build was started: CodeBuild's id.
    Started(String),
    /// It is not built, and will not be.
    Refused(String),
    /// It is delivered again later.
    Waits(String),
    /// It was decided before.
    Duplicate(String),
}

impl Decision {
    /// One of a few words.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Started(_) => "started",
            Self::Refused(_) => "refused",
            Self::Waits(_) => "waits",
            Self::Duplicate(_) => "duplicate",
        }
    }

    /// The reason, or what was decided before; of a start there is none.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Started(_) => None,
            Self::Refused(why) | Self::Waits(why) | Self::Duplicate(why) => Some(why),
        }
    }
}

/// A decision about a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What was asked.
    pub job: Job,
    /// What comes of it.
    pub decision: Decision,
}

/// Decides about one delivery.
pub async fn handle<W: World>(world: &W, delivery: &Delivery) -> Result<Outcome, Failure> {
    let read = Message::read(&delivery.text);
    let project = match &read {
        Ok(message) => Some(message.project.clone()),
        Err(Malformed { project, .. }) => project.clone(),
    };
    let message = read.as_ref().ok().cloned();
    let mut job = Job { id: delivery.id.clone(), project, message, registered: false };
    let decision = match read {
        Err(malformed) => refuse(world, &job, malformed.why.to_string()).await?,
        Ok(message) => {
            let fields = world.registry(&message.project).await?;
            job.registered = !fields.is_empty();
            match allowed(&fields, &message) {
                Err(why) => refuse(world, &job, why).await?,
                Ok(limits) => claim(world, &job, &message, delivery.published, limits).await?,
            }
        }
    };
    Ok(Outcome { job, decision })
}

/// Whether the registry lets this branch be built; if not, why.
fn allowed(fields: &Fields, message: &Message) -> Result<Limits, String> {
    if fields.is_empty() {
        return Err("the project is not in the registry".to_owned());
    }
    let project = Project::read(fields).map_err(|unfit| unfit.to_string())?;
    if !branches::allow(&project.branches, &message.branch) {
        return Err("the registry does not allow the branch".to_owned());
    }
    Ok(Limits { concurrency: project.concurrency, rate: project.rate })
}

async fn refuse<W: World>(world: &W, job: &Job, why: String) -> Result<Decision, Failure> {
    Ok(match world.write(job, Some(&why)).await? {
        Written::First | Written::Waited | Written::Left => Decision::Refused(why),
        Written::Busy => in_other_hands(),
        Written::Decided(before) => Decision::Duplicate(before),
    })
}

fn in_other_hands() -> Decision {
    Decision::Waits("the same message is being decided about elsewhere".to_owned())
}

async fn claim<W: World>(
    world: &W,
    job: &Job,
    message: &Message,
    published: i64,
    limits: Limits,
) -> Result<Decision, Failure> {
    let before = match world.write(job, None).await? {
        Written::Decided(before) => return Ok(Decision::Duplicate(before)),
        Written::Busy => return Ok(in_other_hands()),
        Written::First | Written::Waited => None,
        // It may have been started by whoever claimed it and could not say so: the state knows, or CodeBuild.
        Written::Left => match world.load(&message.project).await?.1.build_of(&job.id) {
            Some(build) => Some(build.to_owned()),
            None => world.find(&job.id, published).await?,
        },
    };
    let asker = Asker { job: &job.id, branch: &message.branch, published };
    let build = match before {
        Some(build) => build,
        None => match turn(world, asker, &message.project, limits).await? {
            Turn::Now => world.start(&job.id, message).await?,
            Turn::Waits => {
                let why = format!("the project's builds run: {} of {} at once", limits.concurrency, limits.concurrency);
                return waits(world, &job.id, why).await;
            }
            // Refused it would be lost to whoever sent it, however many another one has sent before.
            Turn::TooMany => {
                return waits(world, &job.id, format!("the project's rate: {} messages within an hour", limits.rate))
                    .await;
            }
            Turn::Flood => {
                let why =
                    format!("the project's rate: {} messages within an hour, and ten hours of it wait", limits.rate);
                world.refused(&job.id, &why).await?;
                return Ok(Decision::Refused(why));
            }
            Turn::Superseded => {
                let why = format!("superseded: a later message has a build of branch {}", message.branch);
                world.refused(&job.id, &why).await?;
                return Ok(Decision::Refused(why));
            }
        },
    };
    let now = world.now();
    update(world, &message.project, |state| (state.started(asker, &build, now), ())).await?;
    // Last: with it the message is done with, and comes to nobody's mind again.
    world.started(&job.id, &build).await?;
    Ok(Decision::Started(build))
}

async fn waits<W: World>(world: &W, job: &str, why: String) -> Result<Decision, Failure> {
    world.waits(job, &why).await?;
    Ok(Decision::Waits(why))
}

/// Asks for a turn; where every place is taken, once more without those whose builds have ended.
async fn turn<W: World>(world: &W, asker: Asker<'_>, project: &str, limits: Limits) -> Result<Turn, Failure> {
    let now = world.now();
    let turn = update(world, project, |state| state.ask(asker, limits, now)).await?;
    if turn != Turn::Waits {
        return Ok(turn);
    }
    let over = over(world, project).await?;
    if over.is_empty() {
        return Ok(turn);
    }
    update(world, project, |state| state.without(&over).ask(asker, limits, now)).await
}

/// The places of messages whose builds have ended, and of those whose function ended before it started one.
async fn over<W: World>(world: &W, project: &str) -> Result<Vec<(String, Running)>, Failure> {
    let (_, state) = world.load(project).await?;
    let builds: Vec<String> = state.running().filter_map(|(_, running)| running.build.clone()).collect();
    let ended = if builds.is_empty() { Vec::new() } else { world.ended(&builds).await? };
    let mut over = Vec::new();
    for (job, running) in state.running() {
        let gone = match &running.build {
            Some(build) => ended.contains(build),
            None if world.now() - running.since < LEASE => false,
            None => match world.find(job, running.since).await? {
                None => true,
                Some(build) => world.ended(std::slice::from_ref(&build)).await?.contains(&build),
            },
        };
        if gone {
            over.push((job.clone(), running.clone()));
        }
    }
    Ok(over)
}

/// Stores what `next` makes of a project's state, from whatever it is by then.
async fn update<W: World, T>(
    world: &W,
    project: &str,
    mut next: impl FnMut(&State) -> (State, T),
) -> Result<T, Failure> {
    for _ in 0..RACES {
        let (revision, state) = world.load(project).await?;
        let (changed, answer) = next(&state);
        if changed == state || world.store(project, revision, &changed).await? {
            return Ok(answer);
        }
    }
    Err(Failure(
        "the project's state was changed by others each time it was to be stored; it is tried again".to_owned(),
    ))
}

#[cfg(test)]
mod tests;
