//! Asking the project's GitHub workflow to roll a commit out, and following what comes of it.
//!
//! A [`Plan`] is made by reading alone. [`dispatch`] is noted before it is sent and settled by GitHub's answer; following
//! writes nothing, so that whoever stops looking on changes nothing. Rolling out by change set is [`super::deploy`].

mod follow;
mod ground;
pub mod pipeline;
mod token;

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use super::failed;
use super::hold;
use super::journal::{Action, Begun, Intent, Outcome, random_id};
use super::schema::time;
use super::session::Session;
use crate::compare::Why;
use crate::config::Environ;
use crate::github::{Dispatch, Error, GitHub, Patience, Workflow};
use crate::secret::Secret;

pub(super) use ground::repository;

pub use crate::github::{Event, Job, Run, Step};
pub use follow::{Followed, LONGEST, follow, why_failed};

/// The type of a `repository_dispatch`, the loop's too.
const KIND: &str = "plumb-redeploy";

/// How long a run is looked for after its dispatch, which GitHub takes some seconds to list.
const LISTED: Duration = Duration::from_mins(1);

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ask {
    /// Why, in the operator's words.
    pub reason: Option<String>,
    /// Although redeploys are on hold.
    pub despite_hold: bool,
    /// The commit; `None`: the environment's own.
    pub reference: Option<String>,
}

/// A redeploy as it would be asked for.
pub struct Plan {
    /// `owner/name`.
    pub repository: String,
    /// The API's base URL.
    pub api: String,
    /// The workflow; `None`: whichever listen for the event.
    pub workflow: Option<Workflow>,
    /// The branch or tag that it runs on; `None`: the default branch.
    pub reference: Option<String>,
    /// The commit that is to be rolled out.
    pub commit: String,
    /// Its subject.
    pub subject: String,
    /// Where the token is from.
    pub token_from: String,
    /// What is sent.
    pub dispatch: Dispatch,
    /// The word by which its run is known.
    pub nonce: String,
    github: GitHub,
    ask: Ask,
    sent: AtomicU8,
}

/// How far a dispatch came, for whoever stops waiting for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Sent {
    /// It was not sent, or GitHub did not take it.
    No,
    /// It was sent, and whether GitHub took it is not known.
    Perhaps,
    /// GitHub took it.
    Yes,
}

impl Plan {
    /// How far its dispatch came.
    #[must_use]
    pub fn sent(&self) -> Sent {
        [Sent::No, Sent::Perhaps, Sent::Yes][usize::from(self.sent.load(Ordering::Relaxed)).min(2)]
    }

    fn came(&self, sent: Sent) {
        self.sent.store(sent as u8, Ordering::Relaxed);
    }
}

/// A dispatch that GitHub took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The run; `None`: none of those that were listed has the nonce.
    pub run: Option<Run>,
    /// The word by which its run is known.
    pub nonce: String,
    /// Why the journal does not hold it, if so.
    pub untold: Option<Why>,
}

/// Works out what would be dispatched, and whether GitHub has it all: workflow, commit, and leave to look.
pub async fn plan(session: &Session, environ: &Environ, ask: Ask) -> Result<Plan, Why> {
    let ground = ground::of(session, ask.reference.as_deref())?;
    let (github, token_from) = connect(session, environ).await?;
    let redeploy = &session.project().redeploy;
    let nonce = random_id()?;
    let (event, reference, workflow) = match &redeploy.workflow {
        Some(file) => {
            let reference = ground.branch.clone()?;
            let workflow = github.workflow(file).await.map_err(|error| told(&error))?;
            if workflow.state != "active" {
                let why = Why::new(format!("the workflow {file} is {}: GitHub starts no run of it", workflow.state));
                return Err(why.hint(format!("gh workflow enable {file}")));
            }
            let event = Event::Workflow { file: file.clone(), reference: reference.clone() };
            (event, Some(reference), Some(workflow))
        }
        None => (Event::Repository { kind: KIND.to_owned() }, None, None),
    };
    if !github.has_commit(&ground.commit).await.map_err(|error| told(&error))? {
        let short = ground.commit.get(..7).unwrap_or(&ground.commit);
        let why = Why::new(format!("{} does not have commit {short} on GitHub", github.repository().name));
        return Err(why.hint("git push, or another --ref"));
    }
    let input = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let reason = ask.reason.as_deref().map_or_else(|| "asked for by plumb redeploy".to_owned(), plain);
    let inputs = vec![
        input("environment", &session.environment().name),
        input("commit", &ground.commit),
        input("reason", &reason),
        input("nonce", &nonce),
    ];
    Ok(Plan {
        repository: github.repository().name.clone(),
        api: github.repository().api.clone(),
        workflow,
        reference,
        commit: ground.commit,
        subject: ground.subject,
        token_from,
        dispatch: Dispatch { event, inputs },
        nonce,
        github,
        ask,
        sent: AtomicU8::new(Sent::No as u8),
    })
}

/// The commit that a redeploy would be of.
pub fn commit(session: &Session) -> Result<String, Why> {
    Ok(ground::of(session, None)?.commit)
}

/// GitHub as the project names it, with a token; and where that is from.
async fn connect(session: &Session, environ: &Environ) -> Result<(GitHub, String), Why> {
    let repository = repository(session)?;
    let token = token::find(session, environ, &repository).await?;
    let github = GitHub::new(repository, token.token, Patience::default()).map_err(|error| told(&error))?;
    Ok((github, token.from))
}

/// Dispatches, and finds the run. Refused on hold, also where that began after the plan was made.
pub async fn dispatch(session: &Session, plan: &Plan, tell: &(dyn Fn(&str) + Send + Sync)) -> Result<Asked, Why> {
    let (session, writer) = session.for_writing().await?;
    if !plan.ask.despite_hold {
        hold::refuse_held(&session).await?;
    }
    let subject = match &plan.dispatch.event {
        Event::Workflow { file, .. } => format!("{}: {file}", plan.repository),
        Event::Repository { kind } => format!("{}: {kind}", plan.repository),
    };
    let reason = plan.ask.reason.clone();
    let commit = Some(plan.commit.clone());
    let intent = Intent { commit, reason, ..Intent::new(Action::Redeploy, vec![subject]) };
    // A minute earlier: GitHub's clock and AWS's may differ.
    let since = time((session.now() - 60_000) / 1000 * 1000);
    let begun = Begun::new(&session, &writer, intent)?;
    plan.came(Sent::Perhaps);
    let sent = plan.github.dispatch(&plan.dispatch).await;
    match sent {
        Ok(dispatched) => {
            plan.came(Sent::Yes);
            let untold = begun.settle(&session, None).await;
            let run = if let Some(id) = dispatched.run {
                plan.github.run(id).await.map(Some)
            } else {
                tell("GitHub took it and named no run; looking for it by its nonce");
                look_for(plan, &since).await
            };
            // It was taken: what cannot be found out about it fails nothing.
            let run = run.unwrap_or_else(|error| {
                tell(&format!("? {error}"));
                None
            });
            Ok(Asked { run, nonce: plan.nonce.clone(), untold })
        }
        Err(error @ Error::Unknown { .. }) => {
            tell(&format!("? {error}; looking for the run by its nonce"));
            if let Ok(Some(run)) = look_for(plan, &since).await {
                plan.came(Sent::Yes);
                let untold = begun.settle(&session, None).await;
                return Ok(Asked { run: Some(run), nonce: plan.nonce.clone(), untold });
            }
            let _ = begun.settle_as(&session, Outcome::Unknown, Some(error.to_string())).await;
            Err(told(&error))
        }
        Err(error) => {
            plan.came(Sent::No);
            let _ = begun.settle(&session, Some(error.to_string())).await;
            Err(told(&error))
        }
    }
}

async fn look_for(plan: &Plan, since: &str) -> Result<Option<Run>, Error> {
    let began = std::time::Instant::now();
    let mut pause = Duration::from_millis(500);
    loop {
        let found = plan.github.find(&plan.dispatch.event, &plan.nonce, since).await?;
        if found.is_some() || began.elapsed() + pause > listed() {
            return Ok(found);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

/// So long a run is looked for; `PLUMB_GITHUB_PATIENCE` in seconds is for tests and slow servers.
fn listed() -> Duration {
    let stated = std::env::var("PLUMB_GITHUB_PATIENCE").ok().and_then(|text| text.parse().ok());
    stated.map_or(LISTED, Duration::from_secs)
}

/// A run that GitHub took the wish to end of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancelled {
    /// The run as it is then, or why it could not be looked at: it was asked to end all the same.
    pub run: Result<Run, Why>,
    /// Why the journal does not hold it, if so.
    pub untold: Option<Why>,
}

/// Asks a run to end, as a write of its own.
pub async fn cancel(session: &Session, environ: &Environ, id: u64) -> Result<Cancelled, Why> {
    let (session, writer) = session.for_writing().await?;
    let (github, _) = connect(&session, environ).await?;
    let subject = format!("{}: cancel run {id}", github.repository().name);
    let begun = Begun::new(&session, &writer, Intent::new(Action::Redeploy, vec![subject]))?;
    match github.cancel(id).await {
        Ok(()) => {
            let untold = begun.settle(&session, None).await;
            let run = github.run(id).await.map_err(|error| told(&error));
            Ok(Cancelled { run, untold })
        }
        Err(error) => {
            let lost = matches!(error, Error::Unknown { .. });
            let outcome = if lost { Outcome::Unknown } else { Outcome::Failed };
            let _ = begun.settle_as(&session, outcome, Some(error.to_string())).await;
            Err(told(&error))
        }
    }
}

/// A workflow may put its inputs into a script: only what no shell understands is sent.
fn plain(text: &str) -> String {
    let safe = |letter: char| if letter.is_ascii_alphanumeric() || " ./_:@,-".contains(letter) { letter } else { '?' };
    text.trim().chars().map(safe).take(200).collect()
}

/// A token, and where it is from.
struct Found {
    token: Secret,
    from: String,
}

/// An error of GitHub's as an operator reads it.
fn told(error: &Error) -> Why {
    Why { hint: error.hint(), ..failed(error) }
}
