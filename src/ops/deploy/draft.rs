//! What a deployment is to do, as far as that is known by reading: the commit, its stack and template, what is live.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::artifacts::{self, Uploaded};
use super::assembly;
use super::follow::{self, Operation};
use crate::aws::cloudformation::{self, StackInfo, changeset, operate};
use crate::aws::{ErrorKind, Poll};
use crate::compare::Why;
use crate::config::{Stack, StackKind, mapping};
use crate::git::{Repository, Snapshot};
use crate::ops::inspect::now;
use crate::ops::journal::{Action, Begun, Intent, Outcome};
use crate::ops::receipt::UnitId;
use crate::ops::report::{Commit, Identity};
use crate::ops::session::Session;
use crate::ops::{failed, git_why, project, refuse_worktree, why};
use crate::template::Template;

/// How long a change set that is taken back may still be worked out.
const CLEARED: Duration = Duration::from_mins(10);

/// What to deploy, beside the stack.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ask {
    /// The commit; `None`: the environment's own.
    pub reference: Option<String>,
    /// Whether what was changed by hand is put back too, where the commit changes nothing.
    pub revert_drift: bool,
    /// The resources of which that is put back, by logical id, and nothing else is done; empty: all of them. It is put back
    /// to what the stack runs, where no commit is named.
    pub only: Vec<String>,
    /// Whether nobody will execute it. Then no code is uploaded: a change set names where it lies, and is worked out without
    /// looking there.
    pub dry_run: bool,
}

impl Ask {
    /// Whether a resource is meant; one of a stack within is where that stack is.
    pub(super) fn means(&self, logical_id: &str) -> bool {
        let top = logical_id.split('/').next().unwrap_or_default();
        self.only.is_empty() || self.only.iter().any(|one| one == top)
    }
}

/// A deployment that was thought out and not begun.
pub struct Draft {
    /// The commit; `None`: the template is Plumb's own, and no receipt is written.
    pub commit: Option<Commit>,
    /// Who deploys.
    pub writer: Identity,
    pub(super) session: Session,
    pub(super) snapshot: Option<Arc<Snapshot>>,
    pub(super) stack: Stack,
    pub(super) text: String,
    pub(super) template: Template,
    /// The stack as it is; `None`: it is not there.
    pub(super) before: Option<StackInfo>,
    /// The change set's name, known before anything is sent, so that it can be taken back whatever comes.
    pub(super) change_set: String,
    pub(super) ask: Ask,
    /// Artifacts that are there already and taken as they are, by logical id: of what is only put back.
    pub(super) kept: BTreeMap<String, Uploaded>,
}

/// The stacks of the environment as a commit describes them, in the order of its project file.
pub async fn stacks(session: &Session, ask: &Ask) -> Result<Vec<Stack>, Why> {
    let reference = ask.reference.clone().unwrap_or_else(|| session.reference());
    refuse_worktree(&reference)?;
    let repository = session.repository.clone()?;
    let commit = repository.resolve(&reference).map_err(|error| git_why(&error))?.id;
    let snapshot = repository.snapshot(&commit, &session.prefix).map_err(|error| git_why(&error))?;
    let (stacks, problems) = described(session, &snapshot).await?;
    match problems.into_iter().next() {
        Some(why) if stacks.is_empty() => Err(why),
        _ if stacks.is_empty() => {
            let name = &session.environment().name;
            Err(Why::new(format!("the project has no stack in {name}")).hint("[[stacks]] in plumb.toml names one"))
        }
        _ => Ok(stacks),
    }
}

async fn described(session: &Session, snapshot: &Snapshot) -> Result<(Vec<Stack>, Vec<Why>), Why> {
    let entries = snapshot.list("").map_err(|error| failed(&error))?;
    let listing: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
    let project = project::at(&session.settings, snapshot)?;
    let (stacks, problems) = mapping::stacks(&project, &session.bindings().await, &listing);
    let problems = problems.into_iter().map(|problem| Why::new(format!("{}: {}", problem.file, problem.why)));
    Ok((stacks, problems.collect()))
}

/// Thinks a deployment of one stack out, by its name. Reads alone.
///
/// Refused where the environment is not to be written to, and for what is no commit.
pub async fn draft(session: &Session, stack: &str, ask: &Ask) -> Result<Draft, Why> {
    let runs = match &ask.reference {
        None if !ask.only.is_empty() => {
            let unit = UnitId::Stack(stack.to_owned());
            session.receipts().await?.held(&session.clients, &unit).await?
        }
        _ => None,
    };
    if runs.is_none() && ask.reference.is_none() && !ask.only.is_empty() {
        let told = format!("no receipt says what {stack} runs, so nothing of it alone can be put back to that");
        return Err(
            Why::new(told).hint("plumb record writes the receipt of what is live; --ref COMMIT says what it is to be")
        );
    }
    let named = runs.as_ref().map(|receipt| receipt.commit.clone()).or_else(|| ask.reference.clone());
    let reference = named.unwrap_or_else(|| session.reference());
    refuse_worktree(&reference)?;
    let (session, writer) = session.for_writing().await?;
    let repository = session.repository.clone()?;
    let commit = Commit::from(repository.resolve(&reference).map_err(|error| git_why(&error))?);
    let snapshot = Arc::new(repository.snapshot(&commit.id, &session.prefix).map_err(|error| git_why(&error))?);
    let (stacks, problems) = described(&session, &snapshot).await?;
    let environment = &session.environment().name;
    let stack = stacks.into_iter().find(|found| found.name == stack).ok_or_else(|| {
        let problem = problems.into_iter().next().map(|problem| format!(": {problem}")).unwrap_or_default();
        Why::new(format!("{stack} cannot be deployed to {environment}{problem}"))
            .hint("[[stacks]] in plumb.toml names the stacks")
    })?;
    let kept = match &runs {
        Some(receipt) => artifacts::kept(&session, &stack, receipt).await?,
        None => BTreeMap::new(),
    };
    let mut made = stack.functions.iter().filter(|function| !kept.contains_key(&function.resource));
    let builds = made.any(|function| function.build.is_some() || function.output.is_some());
    // Assets of an assembly are files of the working tree, too.
    if builds || stack.kind == StackKind::Cdk {
        is_checked_out(&repository, &commit.id)?;
    }
    let text = match snapshot.read(&stack.template).map_err(|error| failed(&error))? {
        None if stack.kind == StackKind::Cdk => assembly::template(&session.root, &stack, &commit.id).await?,
        _ => template_text(&snapshot, &stack.template)?,
    };
    let template = Template::parse(&stack.template, &text).map_err(|error| failed(&error))?;
    if let Some(unknown) = ask.only.iter().find(|id| template.resource(id).is_none()) {
        return Err(Why::new(format!("{} of commit {} has no resource {unknown}", stack.template, commit.id)));
    }
    let before = cloudformation::stack(&session.clients, &stack.name).await.map_err(|error| why(&error))?;
    if !ask.only.is_empty() && before.as_ref().is_none_or(|info| info.status == "REVIEW_IN_PROGRESS") {
        return Err(Why::new(format!("there is no stack {} whose drift could be put back", stack.name)));
    }
    let short = commit.id.get(..12).unwrap_or(&commit.id);
    let change_set = format!("plumb-{short}-{}", now());
    let ask = ask.clone();
    let (commit, snapshot) = (Some(commit), Some(snapshot));
    Ok(Draft { commit, writer, session, snapshot, stack, text, template, before, change_set, ask, kept })
}

/// A build command reads the working tree, and so does a synthesis, so a receipt of what comes of it is true only while that is the commit's.
fn is_checked_out(repository: &Repository, commit: &str) -> Result<(), Why> {
    let head = repository.resolve("HEAD").map_err(|error| git_why(&error))?;
    let short = commit.get(..7).unwrap_or(commit);
    if head.id != commit {
        return Err(Why::new(format!(
            "refused: what is built comes from the working tree, which is not commit {short}"
        ))
        .hint(format!("git switch --detach {short}")));
    }
    if head.dirty {
        return Err(Why::new("refused: what is built comes from the working tree, which has uncommitted changes")
            .hint("git stash, or commit"));
    }
    Ok(())
}

fn template_text(snapshot: &Snapshot, path: &str) -> Result<String, Why> {
    let blob = snapshot.read(path).map_err(|error| failed(&error))?;
    let blob = blob.ok_or_else(|| Why::new(format!("{path} is not in commit {}", snapshot.commit())))?;
    String::from_utf8(blob.bytes).map_err(|_| Why::new(format!("{path} is not UTF-8")))
}

impl Draft {
    /// The stack's name.
    #[must_use]
    pub fn stack(&self) -> &str {
        &self.stack.name
    }

    /// The name of its change set, which no other draft has.
    #[must_use]
    pub fn change_set(&self) -> &str {
        &self.change_set
    }

    /// The commit's id, where there is one.
    pub(super) fn commit_id(&self) -> Option<String> {
        self.commit.as_ref().map(|commit| commit.id.clone())
    }

    /// What CloudFormation is at with the stack already, whoever began it; nothing can be worked out meanwhile.
    pub async fn under_way(&self) -> Result<Option<Operation>, Why> {
        match &self.before {
            Some(info) if info.in_progress() => follow::operation(&self.session, info).await.map(Some),
            _ => Ok(None),
        }
    }

    /// Whether the stack has never been there, or only as something to be reviewed.
    pub(super) fn creates(&self) -> bool {
        self.before.as_ref().is_none_or(|info| info.status == "REVIEW_IN_PROGRESS")
    }

    /// Takes back what a plan has left in the account: its change set, and the stack that is there only because of it.
    /// Artifacts stay: they are what they are, and the next deployment may take them.
    pub async fn abandon(&self) -> Result<(), Why> {
        let intent = Intent::new(Action::Prepare, vec![self.stack.name.clone()]);
        let intent = Intent { reason: Some("taken back".to_owned()), ..intent };
        let begun = Begun::new(&self.session, &self.writer, intent)?;
        let done = self.clear().await;
        let (outcome, error) = match &done {
            Ok(()) => (Outcome::Ok, None),
            Err(why) => (Outcome::Failed, Some(why.reason.clone())),
        };
        let _ = begun.settle_here(outcome, error);
        done
    }

    /// Takes back what a plan has left, after something failed; what cannot be taken back is told besides.
    pub(super) async fn taken_back(&self, failed: Why) -> Why {
        match self.clear().await {
            Ok(()) => failed,
            Err(left) => {
                let reason = format!("{}; its change set could not be taken back: {left}", failed.reason);
                Why { reason, ..failed }
            }
        }
    }

    pub(super) async fn clear(&self) -> Result<(), Why> {
        let (clients, name) = (&self.session.clients, &self.stack.name);
        let mut poll = Poll::within(CLEARED);
        loop {
            let Err(refused) = changeset::delete_change_set(clients, &self.change_set, Some(name)).await else { break };
            // One that is still being worked out cannot be deleted yet.
            let is_early = refused.kind == ErrorKind::Conflict
                && changeset::is_worked_on(clients, &self.change_set, name).await.unwrap_or_default();
            if !is_early || !poll.again().await {
                return Err(why(&refused));
            }
        }
        if !self.creates() {
            return Ok(());
        }
        let unknown = |told: Why| {
            let reason =
                format!("{name} stays, since it is not known whether another plan waits in it: {}", told.reason);
            Why { reason, ..told }
        };
        let left = changeset::names(clients, name).await.map_err(|error| unknown(why(&error)))?;
        // Somebody else's plan goes with the stack that it waits in. Whoever gives the last one up takes the stack back.
        if left.iter().any(|one| *one != self.change_set) {
            return Ok(());
        }
        let there = cloudformation::stack(clients, name).await.map_err(|error| why(&error))?;
        let Some(info) = there.filter(|info| info.status == "REVIEW_IN_PROGRESS") else { return Ok(()) };
        operate::delete_stack(clients, &info.id, &[], None).await.map_err(|error| why(&error))?;
        let gone = cloudformation::wait_stack(clients, &info.id, super::follow::LONGEST, |_| ()).await;
        gone.map(drop).map_err(|error| why(&error))
    }
}
