//! What a deployment would do, as CloudFormation works it out.

use std::collections::{BTreeMap, BTreeSet};

use super::artifacts::{self, Uploaded};
use super::direct::{self, PutBack};
use super::draft::Draft;
use super::drift::{self, Drifted, What};
use super::follow::{LONGEST, Progress};
use super::preview::{self, Act, Change, Sight};
use super::request;
use super::revert;
use super::widening::{self, Widening};
use super::{assembly, package, state_bucket, stuck};
use crate::aws::cloudformation::changeset::{self, ChangeSet, ChangeSetRequest, ParameterInput, ResourceChange};
use crate::aws::cloudformation::drift as detection;
use crate::aws::cloudformation::{self, StackInfo};
use crate::aws::{Clients, s3};
use crate::compare::Why;
use crate::config::StackKind;
use crate::ops::inspect::partition;
use crate::ops::journal::{Action, Begun, Intent, Outcome};
use crate::ops::receipt::{Receipt, Recorded, UnitId};
use crate::ops::{moves, push, why};
use crate::template::{Scope, Template};

/// How deep stacks within stacks are looked at.
const DEEPEST: usize = 8;

/// What a deployment would do. Its change set waits in the account until it is executed or the draft is abandoned.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Whether the stack is made.
    pub creates: bool,
    /// What is done to each resource; empty: the stack is already what the commit describes.
    pub changes: Vec<Change>,
    /// What is allowed then and was not.
    pub widened: Vec<Widening>,
    /// What was changed by hand, as last found, and what becomes of it.
    pub drift: Vec<Drifted>,
    /// When drift was last looked for, milliseconds since the Unix epoch; `None`: never.
    pub drift_checked_at: Option<i64>,
    /// The commit that the stack runs, by its receipt.
    pub runs: Option<String>,
    /// What is put back directly, since no change set does it.
    pub put_back: Vec<PutBack>,
    /// What is not put back although that was asked for.
    pub left: Vec<Why>,
    /// What the operator should know besides.
    pub warnings: Vec<String>,
    /// The functions that a receipt is whole of, and whose stack has not changed since: nothing of a deployment is left to do.
    pub(super) settled: BTreeSet<String>,
    /// What CloudFormation has found in sync just now, by logical id; empty where it was not asked.
    pub(super) in_sync: BTreeSet<String>,
    pub(super) change_set: Option<Waiting>,
    /// The receipt that this was worked out by.
    pub(super) recorded: Recorded,
    pub(super) uploaded: BTreeMap<String, Uploaded>,
    /// The state bucket; `None` where nothing goes through it.
    pub(super) bucket: Option<String>,
}

/// A change set that can be executed.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub(super) id: String,
    pub(super) stack_id: String,
    /// By AWS's clock: what happens to the stack from then on comes of it.
    pub(super) created_at: i64,
}

impl Plan {
    /// One of these changes that nobody can execute.
    #[cfg(test)]
    pub(crate) fn of_changes(changes: Vec<Change>) -> Self {
        let waiting = Waiting { id: String::new(), stack_id: String::new(), created_at: 0 };
        Self { change_set: (!changes.is_empty()).then_some(waiting), changes, ..Self::default() }
    }

    /// Whether there is nothing to change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.change_set.is_none() && self.put_back.is_empty()
    }

    /// How many resources are made, changed, replaced and removed.
    #[must_use]
    pub fn counts(&self) -> [usize; 4] {
        let count = |wanted: &dyn Fn(&Change) -> bool| self.changes.iter().filter(|change| wanted(change)).count();
        let replaced = |change: &Change| change.replacement != preview::Replacement::No;
        [
            count(&|change| matches!(change.act, Act::Add | Act::Import)),
            count(&|change| matches!(change.act, Act::Modify | Act::Dynamic) && !replaced(change)),
            count(&replaced),
            count(&|change| change.act == Act::Remove),
        ]
    }

    /// What is lost by it, a sentence each; what holds data comes first.
    #[must_use]
    pub fn losses(&self) -> Vec<(bool, String)> {
        let mut losses: Vec<(bool, String)> =
            self.changes.iter().filter_map(|change| Some((change.destroys(), change.loss()?))).collect();
        losses.sort_by_key(|(destroys, _)| !destroys);
        losses
    }
}

impl Draft {
    /// Uploads what the change set takes and has it worked out. Nothing that runs is changed by that.
    ///
    /// Fails where the stack is stuck, naming the way out, and where the change set fails; then it leaves neither a change
    /// set nor a stack that only waits to be reviewed.
    pub async fn plan(&self, progress: &(dyn Fn(Progress) + Send + Sync)) -> Result<Plan, Why> {
        // What is refused is no write.
        self.before.as_ref().map_or(Ok(()), stuck::refuse)?;
        let commit = self.commit_id();
        let intent = Intent { commit, ..Intent::new(Action::Prepare, vec![self.stack.name.clone()]) };
        let begun = Begun::new(&self.session, &self.writer, intent)?;
        match Box::pin(self.worked_out(progress)).await {
            Ok(plan) => {
                let (_, untold) = begun.settle_here(Outcome::Ok, None);
                Ok(Plan { warnings: plan.warnings.into_iter().chain(untold.map(|why| why.reason)).collect(), ..plan })
            }
            Err(failed) => {
                let _ = begun.settle_here(Outcome::Failed, Some(failed.reason.clone()));
                Err(failed)
            }
        }
    }

    /// The same, for whoever has noted it.
    pub(super) async fn worked_out(&self, progress: &(dyn Fn(Progress) + Send + Sync)) -> Result<Plan, Why> {
        self.before.as_ref().map_or(Ok(()), stuck::refuse)?;
        match Box::pin(self.prepare(progress)).await {
            Ok(plan) => Ok(plan),
            Err(failed) => Err(self.taken_back(failed).await),
        }
    }

    async fn prepare(&self, progress: &(dyn Fn(Progress) + Send + Sync)) -> Result<Plan, Why> {
        let (session, name) = (&self.session, &self.stack.name);
        let clients = &session.clients;
        let live = self.before.as_ref().filter(|_| !self.creates());
        let (mut bucket, mut uploaded, mut packaged) = (None, BTreeMap::new(), None);
        let mut warnings = Vec::new();
        if self.commit.is_some() {
            let state = self.bucket(&mut warnings).await?;
            uploaded = artifacts::upload(self, &state, progress).await?;
            match self.stack.kind {
                StackKind::Cdk => assembly::publish(self, progress).await?,
                StackKind::CloudFormation | StackKind::Sam => {
                    packaged = Box::pin(package::package(self, &state, &uploaded, progress)).await?;
                }
            }
            bucket = Some(state);
        }
        let (text, template) =
            packaged.as_ref().map_or((&self.text, &self.template), |packaged| (&packaged.text, &packaged.template));
        let store = session.receipts().await?;
        let unit = UnitId::Stack(name.clone());
        let (running, recorded) = tokio::join!(running(self, live), store.load(clients, &unit));
        let running = running?;
        let runs = recorded.receipt().map(|receipt| receipt.commit.clone());
        let reverts = self.ask.revert_drift && live.is_some();
        let mut left = Vec::new();
        if reverts {
            progress(Progress::Step(format!("looking at every resource of {name}")));
            left.extend(revert::detect(self).await?);
        }
        let request = request::request(self, text, bucket.as_deref(), running.as_ref(), &uploaded, progress).await?;
        progress(Progress::Step(format!("working out the change set of {name}")));
        let found = Box::pin(worked_out(self, &request)).await?;
        let scopes = self.scopes(live, &request);
        let after = Sight { template, scope: &scopes.1 };
        let before = running.as_ref().map(|template| Sight { template, scope: &scopes.0 });
        let mut changes = preview::changes(&found.changes, before.as_ref(), &after);
        let mut drifts = match live {
            Some(info) if info.drift_checked_at.is_some() || reverts => {
                detection::drifts(clients, name).await.map_err(|error| why(&error))?
            }
            _ => Vec::new(),
        };
        let mut moved = moves::settle(&mut drifts, &self.stack.functions, recorded.receipt());
        // What the template itself says otherwise now is meant.
        moved.retain(|_, _| reverts);
        let only_moves = revert::undoes_moves_alone(&changes, &moved);
        let besides = if only_moves { BTreeSet::new() } else { revert::besides(self, &changes) };
        if only_moves || !besides.is_empty() {
            changes.clear();
        }
        let ran: BTreeSet<String> = runs.iter().cloned().collect();
        if let Some(commit) = &self.commit {
            warnings.extend(push::course(session, &commit.id, ran).await);
        }
        if let Recorded::Unreadable(unread) = &recorded {
            warnings.push(format!("it is not known what {name} runs: {}", unread.reason));
        }
        warnings.extend(revert::moves_undone(&changes, &moved));
        let is_used = besides.is_empty() && !only_moves && !found.is_empty();
        warnings.extend(found.changes.iter().filter(|_| is_used).flat_map(ignored));
        let mut drift = drift::met(&drifts, &changes, reverts);
        let change_set = is_used.then(|| Waiting {
            id: found.id.clone(),
            stack_id: found.stack_id.clone(),
            created_at: found.created_at.unwrap_or_default(),
        });
        if !is_used {
            self.clear().await?;
        }
        let mut put_back = Vec::new();
        if reverts {
            warnings.extend(revert::unknown(self, &drifts));
            put_back = direct::codes(self, &uploaded, &drifts, &changes).await?;
            let (direct, stays) = revert::directly(self, &drifts, &changes, &after, &besides);
            put_back.extend(direct);
            left.extend(stays);
        }
        for drift in drift.iter_mut().filter(|drift| put_back.iter().any(|one| one.undoes(drift))) {
            drift.what = What::Overwritten;
        }
        let widened = if is_used { widened(&found, before.as_ref(), &after) } else { Vec::new() };
        Ok(Plan {
            creates: self.creates(),
            widened,
            changes,
            drift,
            put_back,
            left,
            drift_checked_at: drifts.iter().map(|drift| drift.checked_at).max(),
            runs,
            warnings,
            settled: settled(recorded.receipt(), live),
            in_sync: if reverts { revert::in_sync(&drifts) } else { BTreeSet::new() },
            change_set,
            recorded,
            uploaded,
            bucket,
        })
    }

    /// The bucket that artifacts go through. A dry run makes none.
    async fn bucket(&self, warnings: &mut Vec<String>) -> Result<String, Why> {
        if !self.ask.dry_run {
            return state_bucket(&self.session).await;
        }
        let bucket = super::named_bucket(&self.session).await?;
        if !s3::bucket_exists(&self.session.clients, &bucket).await.map_err(|error| why(&error))? {
            warnings.push(format!("there is no bucket {bucket} yet: the first deployment makes it"));
        }
        Ok(bucket)
    }

    /// What parameters mean in the stack as it is, and as it will be.
    fn scopes(&self, live: Option<&StackInfo>, request: &ChangeSetRequest) -> (Scope, Scope) {
        let region = self.session.clients.region();
        let was = live.map(|info| info.parameters.clone()).unwrap_or_default();
        let will = request.parameters.iter().filter_map(|(name, input)| match input {
            ParameterInput::Value(value) => Some((name.clone(), value.expose().to_owned())),
            ParameterInput::Previous => Some((name.clone(), was.get(name)?.clone())),
        });
        let will = will.collect();
        let scope = |parameters: BTreeMap<String, String>| Scope {
            parameters,
            account: Some(self.writer.account.clone()),
            region: Some(region.to_owned()),
            partition: Some(partition(region).to_owned()),
            stack_name: Some(self.stack.name.clone()),
            stack_id: live.map(|info| info.id.clone()),
            ..Scope::default()
        };
        (scope(was), scope(will))
    }
}

/// What of a resource a drift-aware change set leaves as it was changed by hand, in sentences.
fn ignored(change: &ResourceChange) -> impl Iterator<Item = String> {
    change.drift_ignored.iter().map(|(path, reason)| {
        format!("CloudFormation leaves {}{} as it was changed by hand: {reason}", change.logical_id, dotted(path))
    })
}

/// The functions that a receipt is whole of, where the stack has not changed since.
fn settled(receipt: Option<&Receipt>, live: Option<&StackInfo>) -> BTreeSet<String> {
    let changed_at = live.map(|info| info.changed_at);
    let Some(receipt) = receipt.filter(|it| it.stack_changed_at.is_some() && it.stack_changed_at == changed_at) else {
        return BTreeSet::new();
    };
    let whole = receipt.items.iter().filter(|(_, entry)| entry.commit == receipt.commit);
    whole.map(|(id, _)| id.clone()).collect()
}

/// A property's pointer as it is written elsewhere: `/Properties/Tags/0` is `.Tags.0`.
fn dotted(pointer: &str) -> String {
    pointer.trim_start_matches("/Properties").replace('/', ".")
}

/// The template that the stack runs.
async fn running(draft: &Draft, live: Option<&StackInfo>) -> Result<Option<Template>, Why> {
    let Some(info) = live else { return Ok(None) };
    let text = cloudformation::template(&draft.session.clients, &info.name, cloudformation::Stage::Original).await;
    Ok(Template::parse(&info.name, &text.map_err(|error| why(&error))?).ok())
}

async fn worked_out(draft: &Draft, request: &ChangeSetRequest) -> Result<ChangeSet, Why> {
    let clients = &draft.session.clients;
    let created = match changeset::create_change_set(clients, request).await {
        Ok(created) => created,
        Err(error) => {
            let mut told = why(&error);
            if error.message.contains("CAPABILITY_") {
                told.hint = Some(format!("capabilities of {} in plumb.toml", request.stack));
            }
            return Err(told);
        }
    };
    let found = changeset::wait_change_set(clients, &created.id, LONGEST).await.map_err(|error| why(&error))?;
    if found.status == "FAILED" && !found.is_empty() {
        let reason = found.status_reason.unwrap_or_else(|| "AWS says no reason".to_owned());
        return Err(Why::new(format!("the change set of {} failed, and nothing is changed: {reason}", request.stack)));
    }
    let changes = Box::pin(within(clients, found.changes, 0)).await?;
    Ok(ChangeSet { stack_id: created.stack_id, changes, ..found })
}

/// The changes with those of stacks within after each, by the path that leads to them: `Database/Table`.
async fn within(clients: &Clients, changes: Vec<ResourceChange>, depth: usize) -> Result<Vec<ResourceChange>, Why> {
    let mut all = Vec::new();
    for change in changes {
        let (inner, name) = (change.change_set.clone().filter(|_| depth < DEEPEST), change.logical_id.clone());
        all.push(change);
        let Some(id) = inner else { continue };
        let found = changeset::wait_change_set(clients, &id, LONGEST).await.map_err(|error| why(&error))?;
        for inner in Box::pin(within(clients, found.changes, depth + 1)).await? {
            all.push(ResourceChange { logical_id: format!("{name}/{}", inner.logical_id), ..inner });
        }
    }
    Ok(all)
}

fn widened(found: &ChangeSet, before: Option<&Sight<'_>>, after: &Sight<'_>) -> Vec<Widening> {
    let grown = found.changes.iter().filter(|change| change.action != "Remove");
    let mut rows: Vec<Widening> = grown
        .flat_map(|change| {
            let (was, will) = preview::trees(change, before, after);
            let was = was.filter(|_| change.action != "Add");
            widening::of(&change.logical_id, &change.type_name, was.as_ref(), &will.unwrap_or_default())
        })
        .collect();
    rows.sort();
    rows
}
