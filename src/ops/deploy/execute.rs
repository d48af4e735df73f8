//! Does what a plan showed, follows it to its end, and writes the receipt.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::Draft;
use super::follow::{self, Ended, Failure, Operation, Progress};
use super::plan::{Plan, Waiting};
use super::stopped::{self, Stopped};
use super::{direct, publish};
use crate::aws::cloudformation::{self, StackInfo, changeset};
use crate::aws::{Error, ErrorKind};
use crate::compare::Why;
use crate::ops::journal::{Action, Begun, Intent};
use crate::ops::receipt::{Recorded, UnitId};
use crate::ops::why;

/// What a deployment did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployed {
    /// Its entry in the journal.
    pub id: String,
    /// The stack.
    pub stack: String,
    /// The commit; `None`: the template is Plumb's own.
    pub commit: Option<String>,
    /// How many resources the change set changed; 0: there was nothing to change.
    pub changes: usize,
    /// The stack's status at its end, where CloudFormation had something to do.
    pub status: Option<String>,
    /// How long CloudFormation was at it, in milliseconds.
    pub took: Option<i64>,
    /// The stack's outputs.
    pub outputs: BTreeMap<String, String>,
    /// What was put back without CloudFormation, by logical id.
    pub put_back: Vec<String>,
    /// What each function serves, by logical id.
    pub functions: BTreeMap<String, String>,
    /// What was done besides.
    pub notes: Vec<String>,
    /// Whether a receipt says what was deployed.
    pub recorded: bool,
    /// What is not as the commit says although the stack is deployed.
    pub left: Vec<Why>,
    /// What failed first.
    pub failure: Option<Failure>,
    /// Why the stack is not what the commit describes.
    pub failed: Option<Why>,
    /// Why the journal does not hold how it went.
    pub untold: Option<Why>,
}

/// Executes a plan as it was shown, and writes its receipt.
///
/// An error says that it was refused before anything was changed, or that it goes on unseen; how a deployment that was
/// followed to its end ended is in what is answered.
pub async fn execute(draft: &Draft, plan: &Plan, progress: &(dyn Fn(Progress) + Send + Sync)) -> Result<Deployed, Why> {
    // The leave to write may have ended while the plan was looked at.
    let begun = match draft.session.for_writing().await {
        Ok(_) => begin(draft, Some(plan)),
        Err(why) => Err(why),
    };
    match begun {
        Ok(begun) => finish(draft, plan, begun, progress).await,
        Err(why) => Err(draft.taken_back(why).await),
    }
}

/// Notes that a deployment begins, with what its plan says the stack runs so far and what is put back directly.
pub(super) fn begin(draft: &Draft, plan: Option<&Plan>) -> Result<Begun, Why> {
    let (commit, stack) = (draft.commit_id(), &draft.stack.name);
    let runs = plan.and_then(|plan| plan.runs.clone());
    let ran = runs.map(|runs| (format!("stack/{stack}"), runs)).into_iter().collect();
    let put_back = plan.into_iter().flat_map(|plan| &plan.put_back).map(|one| format!("{stack}/{}", one.logical_id));
    let subjects: BTreeSet<String> = put_back.collect();
    let subjects = std::iter::once(stack.clone()).chain(subjects).collect();
    let intent = Intent { commit, ran, ..Intent::new(Action::Deploy, subjects) };
    Begun::new(&draft.session, &draft.writer, intent)
}

/// Executes a plan that is noted already.
pub(super) async fn finish(
    draft: &Draft,
    plan: &Plan,
    begun: Begun,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Deployed, Why> {
    let id = begun.entry().id.clone();
    match Box::pin(carry_out(draft, plan, &id, progress)).await {
        Ok(done) => {
            let told = done.failed.as_ref().or(done.left.first()).map(|why| why.reason.clone());
            let untold = begun.settle(&draft.session, told).await;
            Ok(Deployed { untold, ..done })
        }
        Err(Stopped::Refused(why)) => {
            let refused = Stopped::Refused(draft.taken_back(why).await);
            Err(refused.settle(begun, &draft.session).await)
        }
        Err(unseen) => Err(unseen.settle(begun, &draft.session).await),
    }
}

async fn carry_out(
    draft: &Draft,
    plan: &Plan,
    id: &str,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Deployed, Stopped> {
    let mut done = Deployed {
        id: id.to_owned(),
        stack: draft.stack.name.clone(),
        commit: draft.commit_id(),
        changes: plan.changes.len(),
        status: None,
        took: None,
        outputs: draft.before.as_ref().map(|info| info.outputs.clone()).unwrap_or_default(),
        put_back: Vec::new(),
        functions: BTreeMap::new(),
        notes: Vec::new(),
        recorded: false,
        left: Vec::new(),
        failure: None,
        failed: None,
        untold: None,
    };
    let mut after = draft.before.clone();
    if let Some(waiting) = &plan.change_set {
        let ended = run(draft, waiting, id, progress).await?;
        done.failed = ended.why(&draft.stack.name);
        done.status = Some(ended.status.clone());
        done.took = Some(ended.took);
        done.failure.clone_from(&ended.failure);
        done.outputs = ended.stack.as_ref().map(|info| info.outputs.clone()).unwrap_or_default();
        if done.failed.is_some() {
            return Ok(done);
        }
        // What a retry got through did not fail.
        done.failure = None;
        after = ended.stack;
    } else {
        refuse_moved(draft, plan).await?;
    }
    progress(Progress::Own);
    let so_far = |why: Why| {
        let stack = &draft.stack.name;
        let reason = format!("{stack} is deployed, but what came after is not whole: {}", why.reason);
        Why { reason, hint: Some(format!("plumb deploy {stack} does what is left")), ..why }
    };
    let put_back = direct::carry_out(draft, plan, progress).await;
    done.notes = put_back.notes;
    done.put_back = put_back.ids;
    done.left = put_back.failed;
    let published = match publish::publish(draft, plan, progress).await {
        Ok(published) => published,
        Err(why) => return Ok(Deployed { failed: Some(so_far(why)), ..done }),
    };
    done.functions = published.items.iter().map(|(name, entry)| (name.clone(), entry.version.clone())).collect();
    done.put_back.extend(published.put_back);
    done.notes.extend(published.notes);
    let is_whole = published.left.is_empty() && draft.ask.only.is_empty();
    done.left.extend(plan.left.iter().cloned().chain(published.left));
    let Some(commit) = draft.commit_id() else { return Ok(done) };
    // What is put back of some resources makes the stack that of no other commit.
    let is_of_receipt = || {
        let at = plan.recorded.receipt().and_then(|receipt| receipt.stack_changed_at);
        plan.runs.as_ref() == Some(&commit) && at.is_some() && at == draft.before.as_ref().map(|info| info.changed_at)
    };
    if !draft.ask.only.is_empty() && !is_of_receipt() {
        return Ok(done);
    }
    match publish::record(draft, &commit, after.as_ref(), &published.items, is_whole).await {
        Ok(()) => done.recorded = true,
        Err(why) => done.failed = Some(so_far(why)),
    }
    Ok(done)
}

/// Refuses a plan that was made before somebody else deployed. CloudFormation itself sees to that for a change set; what is
/// written without one would put back what was there before.
async fn refuse_moved(draft: &Draft, plan: &Plan) -> Result<(), Why> {
    let (clients, stack) = (&draft.session.clients, &draft.stack.name);
    let moved = |what: String| {
        Err(Why::new(format!("refused: this was planned before {what}; nothing is changed"))
            .hint(format!("plumb deploy {stack} plans again")))
    };
    let now = cloudformation::stack(clients, stack).await.map_err(|error| why(&error))?;
    let of = |info: Option<&StackInfo>| info.map(|info| (info.id.clone(), info.status.clone(), info.changed_at));
    if of(now.as_ref()) != of(draft.before.as_ref()) {
        let done = now.map_or_else(|| "deleted".to_owned(), |now| format!("changed, and is {} now", now.status));
        return moved(format!("{stack} was {done}"));
    }
    // What nobody could read when it was planned tells nothing now.
    let Some(planned) = tag(&plan.recorded) else { return Ok(()) };
    let store = draft.session.receipts().await?;
    match store.load(clients, &UnitId::Stack(stack.clone())).await {
        Recorded::Unreadable(unread) => {
            let reason = format!("refused: it is not known whether {stack} was deployed meanwhile: {}", unread.reason);
            Err(Why { reason, ..unread })
        }
        recorded if tag(&recorded) != Some(planned) => {
            let receipt = recorded.receipt();
            let by = receipt.map(|receipt| format!(", by {} from commit {}", receipt.by, receipt.commit));
            moved(format!("{stack} was deployed again{}", by.unwrap_or_default()))
        }
        _ => Ok(()),
    }
}

/// Which receipt that is, by its object's tag; empty: there is none. `None`: nobody could read it.
fn tag(recorded: &Recorded) -> Option<&str> {
    match recorded {
        Recorded::None => Some(""),
        Recorded::Receipt(receipt) => receipt.tag.as_deref(),
        Recorded::Unreadable(_) => None,
    }
}

/// Executes the change set and follows it.
async fn run(
    draft: &Draft,
    waiting: &Waiting,
    id: &str,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Ended, Stopped> {
    let clients = &draft.session.clients;
    let token = format!("plumb-{id}");
    progress(Progress::Step(format!("executing the change set of {}", draft.stack.name)));
    let operation = Operation {
        stack: draft.stack.name.clone(),
        id: waiting.stack_id.clone(),
        since: waiting.created_at,
        token: Some(token.clone()),
    };
    progress(Progress::Begun);
    if let Err(error) = changeset::execute_change_set(clients, &waiting.id, &waiting.stack_id, Some(&token)).await {
        match began(draft, waiting, &operation, &error).await {
            Ok(true) => {}
            Ok(false) => return Err(Stopped::Refused(refused(draft, &error))),
            Err(why) => return Err(Stopped::Unseen(why)),
        }
    }
    follow::follow(&draft.session, &operation, progress).await.map_err(|why| {
        let stack = &draft.stack.name;
        let hint = why.hint.map(|hint| format!("{hint}; plumb deploy {stack} follows it, too, and writes the receipt"));
        Stopped::Unseen(Why { hint, ..why })
    })
}

/// Whether an execution has begun that was answered with an error: the error is that of the last try, and an earlier one may
/// have got through.
async fn began(draft: &Draft, waiting: &Waiting, operation: &Operation, error: &Error) -> Result<bool, Why> {
    if stopped::is_refusal(error) {
        return Ok(false);
    }
    let clients = &draft.session.clients;
    let executed = match stopped::seen(clients, operation).await {
        Ok(true) => return Ok(true),
        // The change set itself knows.
        Ok(false) => changeset::describe_change_set(clients, &waiting.id).await,
        Err(error) => Err(error),
    };
    match executed {
        Ok(found) => Ok(found.execution_status.starts_with("EXECUTE_")),
        // It went when somebody else executed another one.
        Err(error) if error.kind == ErrorKind::NotFound => Ok(false),
        Err(unread) => {
            let told = why(error);
            let (stack, unread) = (&draft.stack.name, why(&unread).reason);
            let reason = format!("it is not known whether the deployment of {stack} began: {}; {unread}", told.reason);
            let hint = format!("plumb deploy {stack} looks, and goes on");
            Err(Why { reason, hint: Some(hint), ..told })
        }
    }
}

fn refused(draft: &Draft, error: &Error) -> Why {
    let told = why(error);
    let stack = &draft.stack.name;
    let reason = format!("{stack} was not changed: {}", told.reason);
    match error.kind {
        ErrorKind::Conflict | ErrorKind::NotFound => Why {
            reason: format!("{reason}; somebody else changes it, or has since the plan was made"),
            hint: Some(format!("plumb deploy {stack} follows that, then works it out anew")),
            ..told
        },
        _ => Why { reason, ..told },
    }
}
