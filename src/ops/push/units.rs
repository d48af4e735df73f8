//! The receipts of a push: what is equal already when it begins, and what it made equal.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::Written;
use crate::aws::secretsmanager::SecretMeta;
use crate::aws::ssm::ParameterMeta;
use crate::compare::Verdict;
use crate::ops::inspect::{Examined, Place, Values, now};
use crate::ops::journal::{Act, Step, Version};
use crate::ops::receipt::{Entry, Receipt, Recorded};
use crate::ops::record::{self, Planned, unit_of};
use crate::ops::session::Session;

/// The receipts of a plan, one per unit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Units {
    planned: Vec<Planned>,
    /// Those that would say something else even if no value were written.
    unsettled: Vec<String>,
}

impl Units {
    /// What the receipts of the wanted units are to say. Nothing, where they cannot be written.
    pub(super) fn of(session: &Session, values: &Values, wanted: Option<&BTreeSet<String>>, writable: bool) -> Self {
        let mut units = Self::default();
        if !writable {
            return units;
        }
        let parameter =
            |meta: &ParameterMeta| Version { id: meta.version.to_string(), modified: Some(meta.modified_at) };
        let secret =
            |meta: &SecretMeta| Version { id: meta.current_version.clone().unwrap_or_default(), modified: None };
        units.add(Place::Config, &values.parameters, wanted, parameter);
        units.add(Place::Secrets, &values.secrets, wanted, secret);
        let is_unsettled = |planned: &&Planned| record::says_something_new(session, &values.commit.id, planned);
        let names = units.planned.iter().filter(is_unsettled).map(|planned| planned.unit.to_string());
        units.unsettled = names.collect();
        units
    }

    fn add<M>(
        &mut self,
        place: Place,
        examined: &Examined<M>,
        wanted: Option<&BTreeSet<String>>,
        version: impl Fn(&M) -> Version,
    ) {
        let at = examined.read_at;
        let side = &examined.git.side;
        let known: BTreeSet<String> = side.items.keys().chain(examined.live.keys()).cloned().collect();
        let in_git = side.items.values().map(|item| item.unit.clone());
        let recorded = examined.receipts.iter().filter(|(_, recorded)| recorded.receipt().is_some());
        let names: BTreeSet<String> = in_git.chain(recorded.map(|(unit, _)| unit.clone())).collect();
        let is_wanted = |unit: &String| wanted.is_none_or(|wanted| wanted.contains(unit));
        let mut units: BTreeMap<String, Planned> = BTreeMap::new();
        for name in names.into_iter().filter(is_wanted) {
            let held = match examined.receipts.get(&name) {
                Some(Recorded::Receipt(receipt)) => Ok(Some(Receipt::clone(receipt))),
                Some(Recorded::Unreadable(why)) => Err(why.clone()),
                Some(Recorded::None) | None => Ok(None),
            };
            let planned = Planned { held, ..Planned::new(unit_of(place, &name), known.clone()) };
            units.insert(name, planned);
        }
        let verdicts: BTreeMap<&str, &Verdict> =
            examined.section.items.iter().map(|item| (item.name.as_str(), &item.verdict)).collect();
        for (name, item) in &side.items {
            let Some(unit) = units.get_mut(&item.unit) else { continue };
            let live = examined.live.get(name).map(&version);
            match (verdicts.get(name.as_str()), live) {
                (Some(Verdict::InSync), Some(live)) => {
                    unit.entries.insert(name.clone(), entry(&examined.git.commit, &item.digest, live, at));
                    unit.equal += 1;
                }
                (Some(Verdict::Drifted | Verdict::Diverged | Verdict::Differs | Verdict::Pending), Some(_)) => {
                    unit.different.push(name.clone());
                    unit.left.push(name.clone());
                }
                _ => unit.left.push(name.clone()),
            }
        }
        self.planned.extend(units.into_values());
    }

    /// Whether no receipt says anything new without a write.
    pub(super) fn is_settled(&self) -> bool {
        self.unsettled.is_empty()
    }

    /// The receipts that would say something new even if no value were written.
    pub(super) fn unsettled(&self) -> Vec<String> {
        self.unsettled.clone()
    }

    /// The commit that each unit runs so far.
    pub(super) fn ran(&self) -> BTreeMap<String, String> {
        let ran = |planned: &Planned| {
            let receipt = planned.held.as_ref().ok()?.as_ref()?;
            Some((planned.unit.to_string(), receipt.commit.clone()))
        };
        self.planned.iter().filter_map(ran).collect()
    }

    /// What they say after these writes, each with the version that came of it.
    pub(super) fn after<'w>(
        &self,
        commit: &str,
        written: impl Iterator<Item = (&'w Step, &'w Written, Option<Version>)>,
    ) -> Vec<Planned> {
        let mut planned = self.planned.clone();
        for (step, done, version) in written {
            let unit = step.kind.unit(&step.unit);
            let Some(planned) = planned.iter_mut().find(|planned| planned.unit == unit) else { continue };
            planned.left.retain(|name| *name != step.name);
            planned.different.retain(|name| *name != step.name);
            match (done.act, version, &step.digest) {
                (Act::Delete, ..) => drop(planned.known.remove(&step.name)),
                (_, Some(version), Some(digest)) => {
                    planned.known.insert(step.name.clone());
                    planned.entries.insert(step.name.clone(), entry(commit, digest, version, now()));
                    planned.equal += 1;
                }
                _ => {}
            }
        }
        planned
    }
}

/// `at`: when live was that version.
fn entry(commit: &str, digest: &str, live: Version, at: i64) -> Entry {
    Entry {
        commit: commit.to_owned(),
        version: live.id,
        modified: live.modified,
        at: Some(at),
        digest: digest.to_owned(),
        code_sha256: None,
        alias: None,
    }
}
