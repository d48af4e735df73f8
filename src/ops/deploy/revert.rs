//! Drift that is to be put back: what is looked at for it, what of it is meant, and what no change set does.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::direct::{self, PutBack};
use super::draft::Draft;
use super::follow::LONGEST;
use super::preview::{Act, Change, Property, Sight};
use crate::aws::cloudformation::drift::{self, DetectionStatus, DriftStatus, ResourceDrift};
use crate::aws::{ErrorKind, Poll};
use crate::compare::{Facet, Why};
use crate::ops::why;

/// How long another look at the same stack is waited for.
const BUSY: Duration = Duration::from_mins(10);

/// Has CloudFormation look at every resource. Answers why it could not look at all of them, if so.
///
/// A look that is under way already is waited for and not taken: it may have passed what was changed since.
pub(super) async fn detect(draft: &Draft) -> Result<Option<Why>, Why> {
    let (clients, stack) = (&draft.session.clients, &draft.stack.name);
    let unknown = |told: Why| {
        let reason = format!("it is not known what of {stack} was changed by hand: {}", told.reason);
        Why { reason, ..told }
    };
    let mut poll = Poll::within(BUSY);
    let id = loop {
        match drift::detect(clients, stack).await {
            Ok(id) => break id,
            Err(error) if error.kind == ErrorKind::Conflict && poll.again().await => {}
            Err(error) => return Err(unknown(why(&error))),
        }
    };
    let found = drift::wait_detection(clients, &id, LONGEST).await.map_err(|error| unknown(why(&error)))?;
    Ok(match found.status {
        DetectionStatus::Failed(reason) => {
            Some(unknown(Why::new(format!("CloudFormation could not look at all of it: {reason}"))))
        }
        DetectionStatus::Complete | DetectionStatus::InProgress => None,
    })
}

/// What CloudFormation tried to look at and could not tell, in sentences.
pub(super) fn unknown(draft: &Draft, drifts: &[ResourceDrift]) -> Vec<String> {
    let is_meant = |drift: &&ResourceDrift| drift.status == DriftStatus::Unknown && draft.ask.means(&drift.logical_id);
    let told = |drift: &ResourceDrift| {
        let reason = drift.status_reason.as_deref().unwrap_or("AWS says no reason");
        format!("it is not known whether {} was changed by hand: {reason}", drift.logical_id)
    };
    drifts.iter().filter(is_meant).map(told).collect()
}

/// What CloudFormation looked at and found to be as it is to be, by logical id.
pub(super) fn in_sync(drifts: &[ResourceDrift]) -> BTreeSet<String> {
    let found = drifts.iter().filter(|drift| drift.status == DriftStatus::InSync);
    found.map(|drift| drift.logical_id.clone()).collect()
}

/// Where only some resources are meant: the others that the change set would change as well, so that it cannot be used.
pub(super) fn besides(draft: &Draft, changes: &[Change]) -> BTreeSet<String> {
    let is_other = |change: &&Change| change.act != Act::Sync && !draft.ask.means(&change.logical_id);
    changes.iter().filter(is_other).map(|change| change.logical_id.clone()).collect()
}

/// Whether all that a change set would do is to point aliases back that serve what was rolled out. `moved`: their logical
/// ids, and the version that the template says.
pub(super) fn undoes_moves_alone(changes: &[Change], moved: &BTreeMap<String, String>) -> bool {
    let undoes = |change: &Change| undoes_move(change, moved);
    changes.iter().any(undoes) && changes.iter().all(|change| undoes(change) || change.act == Act::Sync)
}

/// What it does so besides other things, which cannot be kept from it, in sentences.
pub(super) fn moves_undone(changes: &[Change], moved: &BTreeMap<String, String>) -> Vec<String> {
    let undone = changes.iter().filter(|change| undoes_move(change, moved));
    let told = |change: &Change| {
        let id = &change.logical_id;
        let version = moved.get(id).map(String::as_str).unwrap_or_default();
        format!(
            "CloudFormation points {id} to version {version}, as the template says, until plumb moves it again right after"
        )
    };
    undone.map(told).collect()
}

fn undoes_move(change: &Change, moved: &BTreeMap<String, String>) -> bool {
    let Some(version) = moved.get(&change.logical_id) else { return false };
    let is_version = |it: &Property| it.path == "FunctionVersion" && it.after == Facet::Plain(version.clone());
    change.act == Act::Modify && !change.properties.is_empty() && change.properties.iter().all(is_version)
}

/// What of the drift that is meant Plumb puts back itself, and what stays. Where the change set is not used, what was
/// deployed last is put back, and nothing of what git says since.
pub(super) fn directly(
    draft: &Draft,
    drifts: &[ResourceDrift],
    changes: &[Change],
    after: &Sight<'_>,
    besides: &BTreeSet<String>,
) -> (Vec<PutBack>, Vec<Why>) {
    let meant = drifts.iter().filter(|drift| draft.ask.means(&drift.logical_id));
    if besides.is_empty() {
        return direct::drifted(draft, meant, changes, Some(after), &direct::stays_so);
    }
    let others = besides.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let stays = |drift: &ResourceDrift, property: &str| {
        let (what, stack) = (direct::named(drift, property), &draft.stack.name);
        Why::new(format!("{what} cannot be put back alone: CloudFormation would change {others} as well"))
            .hint(format!("plumb deploy {stack} --revert-drift puts all of {stack} back"))
    };
    direct::drifted(draft, meant, changes, None, &stays)
}
