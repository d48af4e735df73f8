//! Items of one value, parameters and secrets alike: evidence first, values where evidence does not settle.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::context::Context;
use super::documents::{Documents, GitItem, GitSide};
use crate::aws::Read;
use crate::compare::cheap::{self, Evidence, Finding, Record};
use crate::compare::differs_only_in;
use crate::compare::{Applied, Changed, Facet, Item, Kind, Side, Sides, Verdict, Why, verdict};
use crate::ops::receipt::{Entry, Recorded};
use crate::ops::report::{Problem, Section};
use crate::secret::Secret;

/// What a listing says of a live item.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub(super) version: String,
    pub(super) modified: Option<i64>,
    pub(super) modified_by: Option<String>,
    pub(super) type_name: String,
    pub(super) physical_id: Option<String>,
    /// Whether its value needs no mask.
    pub(super) public: bool,
}

/// One item before its verdict.
pub(super) struct Candidate {
    pub(super) name: String,
    pub(super) unit: String,
    pub(super) git: Option<GitItem>,
    /// Why git's side cannot be known, when a document that may hold the item is broken.
    pub(super) git_unreadable: Option<Why>,
    pub(super) recorded: Recorded,
    pub(super) live: Option<Listed>,
    /// A note about live that belongs to the reason, such as the date of a scheduled deletion.
    pub(super) note: Option<String>,
}

impl Candidate {
    fn entry(&self) -> Option<&Entry> {
        self.recorded.entry(&self.name)
    }

    fn record(&self) -> Record {
        match (&self.recorded, self.entry()) {
            (Recorded::None | Recorded::Unreadable(_), _) => Record::None,
            // It was there already when the receipt was written, and nobody knows from where.
            (Recorded::Receipt(receipt), None) if receipt.unsettled.contains(&self.name) => Record::None,
            (Recorded::Receipt(_), None) => Record::Absent,
            (Recorded::Receipt(_), Some(_)) => Record::Present,
        }
    }

    fn git_evidence(&self) -> Evidence {
        match (&self.git, self.entry()) {
            (None, _) => Evidence::Absent,
            (Some(git), Some(entry)) if entry.digest == git.digest => Evidence::Unmoved,
            (Some(_), _) => Evidence::Moved,
        }
    }

    fn live_evidence(&self) -> Evidence {
        match (&self.live, self.entry()) {
            (None, _) => Evidence::Absent,
            (Some(live), Some(entry)) if entry.version == live.version && entry.modified == live.modified => {
                Evidence::Unmoved
            }
            (Some(_), _) => Evidence::Moved,
        }
    }

    fn settled(&self) -> Finding {
        if self.git_unreadable.is_some() {
            return Finding::NeedsValues;
        }
        cheap::cheap(self.git_evidence(), self.record(), self.live_evidence())
    }
}

/// What live is where nobody may read it: as long as it is what the receipt says, it is what git said at its commit.
async fn rolled_out(context: &Context, documents: &Documents, candidate: &Candidate) -> Option<Side<Secret>> {
    let entry = candidate.entry().filter(|_| candidate.live_evidence() == Evidence::Unmoved)?;
    let value = documents.value_at(context, &entry.commit, &candidate.name).await;
    matches!(value, Side::Value(_)).then_some(value)
}

/// Gives each candidate its verdict. `read` reads live values, and is called once, with the names that need it.
pub(super) async fn judge<F>(
    context: &Context,
    kind: Kind,
    documents: &Documents,
    candidates: Vec<Candidate>,
    read: impl FnOnce(Vec<String>) -> F,
) -> Vec<Item>
where
    F: Future<Output = BTreeMap<String, Read<Secret>>>,
{
    let mut items = Vec::with_capacity(candidates.len());
    let mut open = Vec::new();
    for candidate in candidates {
        match candidate.settled() {
            Finding::Settled(None) => {}
            Finding::Settled(Some(verdict)) if !context.shows(kind, &candidate.name, &verdict) => {
                items.push(settled_item(kind, &candidate, verdict));
            }
            _ => open.push(candidate),
        }
    }
    // Where live is what the receipt says, what is read of live is what was applied; where git is, git's value is. Only
    // when both moved does the value have to be looked up in the commit that was rolled out.
    let mut sides = Vec::with_capacity(open.len());
    let mut needed = BTreeSet::new();
    for candidate in open {
        let git = git_side(documents, &candidate).await;
        let both_moved =
            candidate.git_evidence() != Evidence::Unmoved && candidate.live_evidence() != Evidence::Unmoved;
        let old = match candidate.entry() {
            Some(entry) if both_moved => match documents.value_at(context, &entry.commit, &candidate.name).await {
                Side::Absent => Side::Unreadable(Why::new(format!(
                    "what was rolled out from commit {} is not there under this name",
                    entry.commit.get(..7).unwrap_or(&entry.commit)
                ))),
                old => old,
            },
            _ => Side::Absent,
        };
        if candidate.live.is_some() {
            needed.insert(candidate.name.clone());
        }
        sides.push((candidate, git, old));
    }
    let mut values = if needed.is_empty() { BTreeMap::new() } else { read(needed.into_iter().collect()).await };
    for (candidate, git, old) in sides {
        let live = match (values.remove(&candidate.name), &candidate.live) {
            // Not listed, or deleted between the listing and the reading.
            (_, None) | (Some(Read::Missing), _) => Side::Absent,
            (Some(Read::Found(value)), _) => Side::Value(value),
            (Some(Read::Failed(error)), _) => rolled_out(context, documents, &candidate)
                .await
                .unwrap_or_else(|| Side::Unreadable(crate::ops::why(&error))),
            (None, _) => Side::Unreadable(Why::new("the answer left this value out")),
        };
        let applied = match (&candidate.recorded, candidate.record()) {
            (Recorded::Unreadable(why), _) => Applied::Recorded(Side::Unreadable(why.clone())),
            (_, Record::None) => Applied::Unrecorded,
            (_, Record::Absent) => Applied::Recorded(Side::Absent),
            (_, Record::Present) => Applied::Recorded(match (candidate.git_evidence(), candidate.live_evidence()) {
                (_, Evidence::Unmoved) => live.clone(),
                (Evidence::Unmoved, _) => git.clone(),
                _ => old,
            }),
        };
        if let Some(item) = judged_item(kind, &candidate, &git, &applied, &live) {
            items.push(item);
        }
    }
    items
}

/// What git knows, when live could not be listed: nothing may be concluded of any of it.
pub(super) fn unlisted(kind: Kind, git: &GitSide, why: &Why) -> Section {
    let item = |(name, item): (&String, &GitItem)| Item {
        kind,
        name: name.clone(),
        unit: item.unit.clone(),
        type_name: String::new(),
        physical_id: None,
        logical_id: None,
        verdict: Verdict::Unknown(why.clone()),
        reason: why.reason.clone(),
        sides: Sides { git: Facet::Unread, applied: Facet::Unread, live: Facet::Unreadable(why.clone()) },
        rows: Vec::new(),
        changed: None,
        version: None,
        file: Some(item.file.clone()),
    };
    let mut problems = git.problems.clone();
    problems.push(Problem { subject: format!("{}s", kind.code()), why: why.clone() });
    Section { items: git.items.iter().map(item).collect(), problems, units: Vec::new() }
}

/// While a stack could not be asked what it owns, nobody knows that an item is unmanaged.
pub(super) fn doubt_ownership(items: &mut [Item], unasked: Option<&Why>) {
    let Some(unasked) = unasked else { return };
    for item in items.iter_mut().filter(|item| item.verdict == Verdict::Unmanaged) {
        let why = Why { reason: format!("a stack may own it: {}", unasked.reason), ..unasked.clone() };
        item.reason.clone_from(&why.reason);
        item.verdict = Verdict::Unknown(why);
    }
}

/// A parameter that a stack owns and git's config names too has two masters; neither verdict would be right.
pub(super) fn refuse_owned(items: &mut [Item], owned: &HashSet<String>) {
    for item in items.iter_mut().filter(|item| owned.contains(&item.name)) {
        let why = Why::new("a stack of this project owns it, and git's config names it too")
            .hint("remove it from one of the two");
        item.reason.clone_from(&why.reason);
        item.verdict = Verdict::Unknown(why);
    }
}

async fn git_side(documents: &Documents, candidate: &Candidate) -> Side<Secret> {
    match (&candidate.git, &candidate.git_unreadable) {
        (Some(_), _) => documents.value(&candidate.name).await,
        (None, Some(why)) => Side::Unreadable(why.clone()),
        (None, None) => Side::Absent,
    }
}

fn settled_item(kind: Kind, candidate: &Candidate, verdict: Verdict) -> Item {
    let present = |there: bool| if there { Facet::Unread } else { Facet::Absent };
    let applied = match candidate.record() {
        Record::None => Facet::Unrecorded,
        Record::Absent => Facet::Absent,
        Record::Present => Facet::Unread,
    };
    let sides = Sides { git: present(candidate.git.is_some()), applied, live: present(candidate.live.is_some()) };
    item(kind, candidate, verdict, sides, String::new())
}

fn judged_item(
    kind: Kind,
    candidate: &Candidate,
    git: &Side<Secret>,
    applied: &Applied<Secret>,
    live: &Side<Secret>,
) -> Option<Item> {
    let verdict = match (verdict(git, applied, live)?, candidate.settled()) {
        // An opened item may fail to be read or decrypted; what versions and digests say of it stays true.
        (Verdict::Unknown(_), Finding::Settled(Some(settled))) => settled,
        (verdict, _) => verdict,
    };
    let public = candidate.live.as_ref().is_none_or(|live| live.public)
        && candidate.git.as_ref().is_none_or(|git| !git.encrypted);
    let show = |side: &Side<Secret>| {
        Facet::of(
            side,
            |value| {
                if public { Facet::Plain(value.expose().to_owned()) } else { Facet::Secret(value.clone()) }
            },
        )
    };
    let applied_facet = match applied {
        Applied::Unrecorded => Facet::Unrecorded,
        Applied::Recorded(side) => show(side),
    };
    let only = match (git, live) {
        (Side::Value(git), Side::Value(live)) if git != live => differs_only_in(git.expose(), live.expose()),
        _ => None,
    };
    let reason = match &verdict {
        Verdict::Unknown(why) => why.reason.clone(),
        _ => only.map(|only| only.to_string()).unwrap_or_default(),
    };
    Some(item(kind, candidate, verdict, Sides { git: show(git), applied: applied_facet, live: show(live) }, reason))
}

fn item(kind: Kind, candidate: &Candidate, verdict: Verdict, sides: Sides, reason: String) -> Item {
    let reason = match (&candidate.note, reason.is_empty()) {
        (None, _) => reason,
        (Some(note), true) => note.clone(),
        (Some(note), false) => format!("{reason}; {note}"),
    };
    let reason = if reason.is_empty() { default_reason(&verdict, &sides) } else { reason };
    let live = candidate.live.as_ref();
    Item {
        kind,
        name: candidate.name.clone(),
        unit: candidate.unit.clone(),
        type_name: live.map(|live| live.type_name.clone()).unwrap_or_default(),
        physical_id: live.and_then(|live| live.physical_id.clone()),
        logical_id: None,
        changed: live.filter(|_| live_moved(&verdict)).map(|live| Changed {
            by: live.modified_by.clone(),
            at: live.modified,
            ..Changed::default()
        }),
        version: live.map(|live| live.version.clone()),
        file: candidate.git.as_ref().map(|git| git.file.clone()),
        rows: Vec::new(),
        verdict,
        reason,
        sides,
    }
}

/// Whether somebody changed live, as far as the verdict says.
fn live_moved(verdict: &Verdict) -> bool {
    !matches!(verdict, Verdict::InSync | Verdict::Pending | Verdict::GitOnly)
}

/// What the sides alone say, where nothing more precise is known.
fn default_reason(verdict: &Verdict, sides: &Sides) -> String {
    let text = match (verdict, &sides.git, &sides.live) {
        (Verdict::InSync | Verdict::Ignored(_) | Verdict::Unknown(_), ..) => "",
        (Verdict::Drifted | Verdict::Diverged, _, Facet::Absent) => "deleted live",
        (Verdict::Pending, Facet::Absent, _) => "removed from git, still live",
        (Verdict::Diverged, Facet::Absent, _) => "removed from git, changed live",
        (Verdict::Drifted, ..) => "changed live",
        (Verdict::Pending, ..) => "changed in git, not rolled out",
        (Verdict::Diverged, ..) => "changed in git and live",
        (Verdict::Differs, ..) => {
            return match &sides.applied {
                Facet::Unreadable(why) => format!("which side moved is not known: {}", why.reason),
                _ => "no receipt says which side moved".to_owned(),
            };
        }
        (Verdict::GitOnly, ..) => "never rolled out",
        (Verdict::Unmanaged, ..) => "not in git",
    };
    text.to_owned()
}
