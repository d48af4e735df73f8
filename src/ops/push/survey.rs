//! Works out what a push would write: each item's verdict becomes a write, or a reason why there is none.

use std::collections::BTreeSet;

use super::plan::{Ask, Change, Kept, Plan, Target, only, text_of};
use super::units::Units;
use super::{ground, prune};
use crate::aws::secretsmanager::SecretMeta;
use crate::aws::ssm::ParameterMeta;
use crate::compare::{Facet, Item, Verdict, Why};
use crate::config::mapping::{Store, tier_refused, value_refused};
use crate::config::{Bindings, ParameterType, Tier, fill};
use crate::ops::inspect::{Examined, Values, values};
use crate::ops::journal::{Act, Action, Origin, Step, Thing, Version};
use crate::ops::readers::{self, Reader};
use crate::ops::restart;
use crate::ops::session::Session;

/// The tag that names the project of what Plumb made.
pub(super) const PROJECT_TAG: &str = "plumb:project";
/// The tag that names the environment of what Plumb made.
pub(super) const ENVIRONMENT_TAG: &str = "plumb:environment";

/// What is live of an item, as far as a write has to know.
struct Live {
    version: Version,
    /// Of a parameter.
    type_name: Option<String>,
    /// Whether it is a secret that is scheduled for deletion.
    scheduled: bool,
}

/// Works out what a push would write. Reads what differs, and writes nothing.
pub async fn plan(session: &Session, ask: &Ask) -> Result<Plan, Why> {
    let reference = ask.reference.clone().unwrap_or_else(|| session.reference());
    crate::ops::refuse_worktree(&reference)?;
    let values = Box::pin(values(session, &reference)).await?;
    let writer = session.identity().await?;
    let wanted = units(&ask.services, &values)?;
    let mut plan = Plan { commit: Some(values.commit.clone()), ..Plan::new(Action::Push, reference, writer) };
    let bindings = session.bindings().await;
    let mut survey = Survey { session, ask, bindings: &bindings, wanted: wanted.as_ref(), plan: &mut plan };
    survey.parameters(&values.parameters).await;
    survey.secrets(&values.secrets);
    let store = session.receipts().await?;
    plan.units = Units::of(session, &values, wanted.as_ref(), store.bucket.is_some());
    plan.ran = plan.units.ran();
    ground::environments_beside(session, &values, &mut plan).await;
    ground::warn(session, &values, &store, &mut plan).await;
    let names = plan.changes.iter().map(|change| (change.step.kind, change.step.name.clone())).collect();
    let mut found = readers::of(session, &values.commit.id, names).await;
    for change in &mut plan.changes {
        change.readers = found.remove(&(change.step.kind, change.step.name.clone())).unwrap_or_default();
    }
    if ask.restart {
        let readers: Vec<Reader> = plan.changes.iter().flat_map(|change| change.readers.clone()).collect();
        plan.restarts = restart::plan(session, &values.commit.id, &readers).await;
        if readers.is_empty() && !plan.changes.is_empty() {
            plan.warnings.push("no template says who reads this, so that nothing is started anew".to_owned());
        }
    }
    Ok(plan)
}

/// The units that are asked for; `None`: all.
fn units(services: &[String], values: &Values) -> Result<Option<BTreeSet<String>>, Why> {
    if services.is_empty() {
        return Ok(None);
    }
    let known: BTreeSet<&String> = values
        .parameters
        .git
        .side
        .services
        .iter()
        .chain(values.parameters.receipts.iter().filter(|(_, recorded)| recorded.receipt().is_some()).map(|it| it.0))
        .chain(values.secrets.receipts.keys())
        .collect();
    match services.iter().find(|service| !known.contains(service)) {
        None => Ok(Some(services.iter().cloned().collect())),
        Some(unknown) => {
            let known: Vec<&str> = known.into_iter().map(String::as_str).collect();
            Err(Why::new(format!("there is no service {unknown}")).hint(format!("one of {}", known.join(", "))))
        }
    }
}

struct Survey<'a> {
    session: &'a Session,
    ask: &'a Ask,
    bindings: &'a Bindings,
    wanted: Option<&'a BTreeSet<String>>,
    plan: &'a mut Plan,
}

impl Survey<'_> {
    async fn parameters(&mut self, examined: &Examined<ParameterMeta>) {
        let live = |meta: &ParameterMeta| Live {
            version: Version { id: meta.version.to_string(), modified: Some(meta.modified_at) },
            type_name: Some(meta.type_name.clone()),
            scheduled: false,
        };
        let deletions = self.items(Thing::Parameter, examined, live);
        let kept = prune::parameters(self.session, examined, deletions, self.ask.prune, self.plan).await;
        self.plan.kept.extend(kept);
    }

    fn secrets(&mut self, examined: &Examined<SecretMeta>) {
        let live = |meta: &SecretMeta| Live {
            version: Version { id: meta.current_version.clone().unwrap_or_default(), modified: None },
            type_name: None,
            scheduled: meta.deletes_at.is_some(),
        };
        let deletions = self.items(Thing::Secret, examined, live);
        let kept = prune::secrets(self.session, examined, deletions, self.ask.prune, self.plan);
        self.plan.kept.extend(kept);
    }

    /// Sorts the items of a kind. Answers those that are live and not in git.
    fn items<'e, M>(
        &mut self,
        kind: Thing,
        examined: &'e Examined<M>,
        live: impl Fn(&M) -> Live,
    ) -> Vec<(&'e Item, Version)> {
        let is_wanted = |unit: &String| self.wanted.is_none_or(|wanted| wanted.contains(unit));
        let mut gone = Vec::new();
        for item in examined.section.items.iter().filter(|item| is_wanted(&item.unit)) {
            let there = examined.live.get(&item.name).map(&live);
            let in_git = examined.git.side.items.contains_key(&item.name);
            match &item.verdict {
                Verdict::InSync => self.plan.untouched += 1,
                Verdict::Ignored(rule) => self.plan.kept.push(kept(kind, item, Why::new(format!("ignored: {rule}")))),
                // What neither git nor a receipt claims is nobody's business here, known or not.
                Verdict::Unknown(_) if !in_git && prune::claimed(examined, item).is_none() && !self.ask.prune => {}
                Verdict::Unknown(why) => self.plan.unknown.push(kept(kind, item, why.clone())),
                _ if !in_git => gone.extend(there.filter(|live| !live.scheduled).map(|live| (item, live.version))),
                _ => match self.change(kind, item, examined, there) {
                    Ok(change) => self.plan.changes.push(change),
                    Err(why) => self.plan.unknown.push(kept(kind, item, why)),
                },
            }
        }
        self.plan.problems.extend(examined.section.problems.iter().cloned());
        gone
    }

    fn change<M>(&self, kind: Thing, item: &Item, examined: &Examined<M>, there: Option<Live>) -> Result<Change, Why> {
        let git = examined.git.side.items.get(&item.name).ok_or_else(|| Why::new("git does not have it"))?;
        let after = item.sides.git.clone();
        let Some(value) = text_of(&after) else {
            return Err(match &after {
                Facet::Unreadable(why) => why.clone(),
                _ => Why::new("git's value was not read"),
            });
        };
        let store = if kind == Thing::Parameter { Store::Parameter } else { Store::Secret };
        if let Some(why) = value_refused(store, &value) {
            return Err(Why::new(format!("{}: {why}", git.file)));
        }
        let recorded = prune::claimed(examined, item).cloned();
        if let (Some(why), Some(_), None) = (&examined.owner_unknown, &there, &recorded) {
            return Err(Why { reason: format!("a stack may own it: {}", why.reason), ..why.clone() });
        }
        let target = self.target(kind, examined, item, git);
        let live_type = there.as_ref().and_then(|live| live.type_name.as_deref());
        let mut notes = Vec::new();
        match live_type {
            Some(live) if live != target.type_name && target.type_name == "SecureString" && git.encrypted => {
                return Err(Why::new(format!("it is a {live} live, which would show in clear what git encrypts"))
                    .hint("delete it there, then push: the type of a parameter cannot be changed"));
            }
            Some(live) if live != target.type_name => {
                notes.push(format!("stays a {live}, although the project says {}", target.type_name));
            }
            _ => {}
        }
        let agreed = examined.git.project().config.get(git.source).map_or(Tier::Standard, |tree| tree.tier);
        if kind == Thing::Parameter && tier_refused(agreed, &value).is_some() {
            notes.push("larger than 4 KB: of the advanced tier, which AWS charges for".to_owned());
        }
        let act = match &there {
            Some(live) if live.scheduled => Act::Restore,
            Some(_) => Act::Update,
            None => Act::Create,
        };
        let is_live = act == Act::Update;
        let moved = matches!(item.verdict, Verdict::Drifted | Verdict::Diverged | Verdict::Differs);
        Ok(Change {
            step: Step {
                kind,
                name: item.name.clone(),
                unit: item.unit.clone(),
                act,
                before: there.map(|live| live.version),
                from: Some(Origin::Commit(examined.git.commit.clone())),
                token: None,
                digest: Some(git.digest.clone()),
                recorded,
                shape: None,
            },
            verdict: Some(item.verdict.clone()),
            file: Some(git.file.clone()),
            only: only(&item.sides.live, &after),
            before: item.sides.live.clone(),
            after,
            changed: item.changed.clone(),
            overwrites: moved && is_live,
            readers: Vec::new(),
            notes,
            target,
        })
    }

    fn target<M>(
        &self,
        kind: Thing,
        examined: &Examined<M>,
        item: &Item,
        git: &crate::ops::inspect::GitItem,
    ) -> Target {
        target(self.session, self.bindings, examined.git.project(), kind, &item.unit, git.source)
    }
}

/// How the project of a commit stores an item that is new.
pub(super) fn target(
    session: &Session,
    bindings: &Bindings,
    project: &crate::config::Project,
    kind: Thing,
    unit: &str,
    source: usize,
) -> Target {
    let (type_name, key) = match kind {
        Thing::Parameter => {
            let tree = project.config.get(source);
            let type_name = match tree.map(|tree| tree.parameter_type) {
                Some(ParameterType::String) => "String",
                Some(ParameterType::StringList) => "StringList",
                Some(ParameterType::SecureString) | None => "SecureString",
            };
            (type_name, tree.and_then(|tree| tree.kms_key.as_deref()))
        }
        Thing::Secret => ("", project.secrets.get(source).and_then(|file| file.kms_key.as_deref())),
    };
    let service = (kind == Thing::Parameter).then(|| unit.to_owned());
    let bound = Bindings { service, ..bindings.clone() };
    Target {
        type_name: type_name.to_owned(),
        key_id: key.map(|key| fill(key, &bound)),
        tags: vec![
            (PROJECT_TAG.to_owned(), session.project().name.clone()),
            (ENVIRONMENT_TAG.to_owned(), session.environment().name.clone()),
        ],
    }
}

fn kept(kind: Thing, item: &Item, why: Why) -> Kept {
    Kept { kind, name: item.name.clone(), why }
}
