//! Everything about one stack, and the verdicts on its resources.

mod load;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::context::Context;
use super::properties::{self, AppliedAsking, Asking, Looked};
use super::templates::{self, Side as TemplateSide};
use super::{Detect, now};
use crate::aws::cloudformation::{
    StackInfo, StackResource,
    drift::{DriftStatus, ResourceDrift},
};
use crate::compare::{Applied, Facet, Item, Kind, Row, Rule, Side, Sides, Verdict, Why, combine, verdict};
use crate::config::{Stack, StackKind};
use crate::ops::receipt::Recorded;
use crate::ops::report::{Problem, Section, Unit};
use crate::ops::schema;
use crate::template::{ResourceRef, Scope, Template};

/// Properties that are compared as the function's code.
const ELSEWHERE: &[&str] = &["Code", "CodeUri", "ImageUri"];

/// A detection looks at a resource after it began; AWS tells both times by its own clocks. Milliseconds.
const SLACK: i64 = 5000;

/// Everything about one stack but its drift.
pub(super) struct Facts {
    pub(super) config: Stack,
    pub(super) name: String,
    pub(super) info: Option<StackInfo>,
    pub(super) resources: Arc<Vec<StackResource>>,
    pub(super) deployed: Option<Result<Template, Why>>,
    /// The deployed template after its transforms, when it has any.
    processed: Option<Result<Template, Why>>,
    pub(super) deployed_scope: Scope,
    pub(super) last_failure: Option<String>,
    pub(super) git: TemplateSide,
    pub(super) git_scope: Scope,
    /// At the receipt's commit, when that is not the one that is compared.
    pub(super) applied: Option<(TemplateSide, Scope)>,
    pub(super) recorded: Recorded,
}

impl Facts {
    /// When anything about the stack last happened; older drift results say nothing any more.
    fn last_event(&self) -> i64 {
        let stack = self.info.as_ref().map_or(0, |info| info.changed_at);
        self.resources.iter().map(|resource| resource.changed_at).chain([stack]).max().unwrap_or(stack)
    }

    pub(super) fn wants_detection(&self, context: &Context, checked: Option<i64>) -> bool {
        let max_age = context.session.environment().drift_max_age;
        match (context.detect, checked, max_age) {
            (Detect::Never, ..) | (Detect::Stale, _, None) => false,
            (Detect::Always, ..) | (Detect::Stale, None, Some(_)) => true,
            (Detect::Stale, Some(at), Some(seconds)) => {
                let age = now().saturating_sub(at);
                at < self.last_event() || age > i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX)
            }
        }
    }

    pub(super) fn section(&self, drifts: &BTreeMap<String, ResourceDrift>, checked: Option<i64>) -> Section {
        let mut problems = Vec::new();
        if let TemplateSide::Unreadable(why) = &self.git {
            let subject = [&self.config.template, &self.name].into_iter().find(|text| !text.is_empty());
            problems.push(Problem { subject: subject.cloned().unwrap_or_default(), why: why.clone() });
        }
        if let Some(Err(why)) = &self.deployed {
            problems.push(Problem { subject: self.name.clone(), why: why.clone() });
        }
        if let Some(Err(why)) = &self.processed {
            problems.push(Problem { subject: format!("{}, transformed", self.name), why: why.clone() });
        }
        if let Some((TemplateSide::Unreadable(why), _)) = &self.applied {
            problems.push(Problem { subject: format!("what {} runs", self.name), why: why.clone() });
        }
        if let Recorded::Unreadable(why) = &self.recorded {
            problems.push(Problem { subject: format!("receipt of {}", self.name), why: why.clone() });
        }
        let resources = self.logical_ids().into_iter().filter_map(|id| self.item(&id, drifts.get(&id), checked));
        let items = resources.chain(self.whole()).collect();
        Section { items, problems, units: vec![self.unit(checked)] }
    }

    fn unit(&self, checked: Option<i64>) -> Unit {
        let receipt = self.recorded.receipt();
        Unit {
            name: self.name.clone(),
            status: self.info.as_ref().map_or_else(|| "does not exist".to_owned(), |info| info.status.clone()),
            changed_at: self.info.as_ref().map(|info| info.changed_at),
            drift_checked_at: checked,
            runs: receipt.map(|receipt| receipt.commit.clone()),
            rolled_out_at: receipt.map(|receipt| receipt.at),
            rolled_out_by: receipt.map(|receipt| receipt.by.clone()),
            last_failure: self.last_failure.clone(),
        }
    }

    fn logical_ids(&self) -> BTreeSet<String> {
        let mut ids: BTreeSet<String> = self.resources.iter().map(|resource| resource.logical_id.clone()).collect();
        let sides = [Some(&self.git), self.applied_side().map(|(side, _)| side)];
        for template in sides.into_iter().flatten().filter_map(TemplateSide::template) {
            ids.extend(template.resources().iter().map(|resource| resource.logical_id.clone()));
        }
        ids
    }

    fn applied_side(&self) -> Option<(&TemplateSide, &Scope)> {
        match (&self.applied, self.recorded.receipt()) {
            (Some((side, scope)), _) => Some((side, scope)),
            (None, Some(_)) => Some((&self.git, &self.git_scope)),
            (None, None) => None,
        }
    }

    fn item(&self, id: &str, drift: Option<&ResourceDrift>, checked: Option<i64>) -> Option<Item> {
        let resource = self.resources.iter().find(|resource| resource.logical_id == id);
        let gone = resource.is_none_or(|resource| resource.status == "DELETE_COMPLETE");
        let looked = self.looked(drift, checked);
        let deleted = matches!(&looked, Looked::At(drift) if drift.status == DriftStatus::Deleted);
        let in_git = self.presence((&self.git, &self.git_scope), id);
        let type_name = resource.map(|resource| resource.type_name.clone()).or_else(|| self.type_in_git(id));
        let (rows, verdict, sides) = match (&in_git, gone || deleted) {
            (Side::Value(_), false) => self.present(id, &looked),
            (Side::Value(_), true) if self.is_translated(id) => {
                let (rows, verdict, sides) = self.present(id, &Looked::Unknown(translated_whole()));
                if rows.is_empty() && self.processed.as_ref().is_some_and(Result::is_ok) {
                    // What was made of it is listed itself.
                    return None;
                }
                (rows, verdict, sides)
            }
            (_, absent) => {
                let verdict = self.presence_verdict(&in_git, id, absent, &looked)?;
                let rows = if absent { self.asked_rows(id, &verdict) } else { Vec::new() };
                (rows, verdict, None)
            }
        };
        let sides = sides.unwrap_or_else(|| self.presence_sides(&in_git, id, gone || deleted));
        let one_sided = rows.is_empty() || ((gone || deleted) && !self.is_translated(id));
        let reason = match &verdict {
            Verdict::Unknown(why) if one_sided => why.reason.clone(),
            _ if one_sided => absence(&in_git, gone, deleted).to_owned(),
            verdict => match &looked {
                Looked::Unknown(why) if verdict.is_difference() => unsure(&rows, why),
                _ => properties::reason(&rows),
            },
        };
        let verdict = match type_name.as_deref() {
            // A line for the CDK's statistics. It has nothing live, and each version of the CDK writes another one.
            Some("AWS::CDK::Metadata") => Verdict::Ignored(Rule::NothingLive),
            _ => verdict,
        };
        Some(Item {
            kind: Kind::Stack,
            name: format!("{}/{id}", self.name),
            unit: self.name.clone(),
            type_name: type_name.unwrap_or_default(),
            physical_id: resource.and_then(|resource| resource.physical_id.clone()),
            logical_id: None,
            verdict,
            reason,
            sides,
            rows,
            changed: None,
            version: None,
            file: Some(self.config.template.clone()).filter(|file| !file.is_empty()),
        })
    }

    fn type_in_git(&self, id: &str) -> Option<String> {
        Some(self.git.template()?.resource(id)?.type_name.clone())
    }

    /// Rows and verdict of a resource that exists on both sides.
    fn present(&self, id: &str, looked: &Looked<'_>) -> (Vec<Row>, Verdict, Option<Sides>) {
        let (Some(git), Some(Ok(deployed))) = (self.git.template(), &self.deployed) else {
            let why = match (&self.git, &self.deployed) {
                (TemplateSide::Unreadable(why), _) | (_, Some(Err(why))) => why.clone(),
                _ => Why::new("the deployed template could not be read"),
            };
            return (Vec::new(), Verdict::Unknown(why), None);
        };
        let applied = match self.applied_side() {
            None => AppliedAsking::Unrecorded,
            Some((TemplateSide::Unreadable(why), _)) => AppliedAsking::Unreadable(why),
            Some((TemplateSide::Template(then), scope)) => {
                AppliedAsking::Template(Asking { template: &then.template, scope })
            }
        };
        let processed = match &self.processed {
            Some(Err(why)) => return (Vec::new(), Verdict::Unknown(why.clone()), None),
            Some(Ok(processed)) => Some(processed),
            None => None,
        };
        let git = Asking { template: git, scope: &self.git_scope };
        let deployed = Asking { template: deployed, scope: &self.deployed_scope };
        let skip = self.compared_elsewhere(id);
        let mut rows = properties::rows(id, git, applied, deployed, processed, looked, skip);
        if !skip.is_empty() && !self.config.functions.iter().any(|function| function.resource == id) {
            rows.extend(properties::location(id, git, applied, deployed));
        }
        rows.extend(properties::attributes(id, git, applied, deployed));
        let verdict = match (rows.is_empty(), looked) {
            (true, Looked::Unknown(why)) => Verdict::Unknown(why.clone()),
            (_, Looked::At(drift)) if drift.status == DriftStatus::Modified && properties::shows_none(drift, skip) => {
                Verdict::Unknown(Why::new("CloudFormation found it modified, and does not say in what"))
            }
            _ => combine(rows.iter().map(|row| &row.verdict)),
        };
        (rows, verdict, Some(Sides { git: Facet::Unread, applied: Facet::Unread, live: Facet::Unread }))
    }

    /// What the template and the project say of the stack itself: its outputs and tags. Only when something differs.
    fn whole(&self) -> Option<Item> {
        let (TemplateSide::Template(git), Some(Ok(deployed)), Some(info)) = (&self.git, &self.deployed, &self.info)
        else {
            return None;
        };
        let applied = self.applied_side().map(|(side, _)| match side {
            TemplateSide::Template(then) => Ok((&then.template, &then.tags)),
            TemplateSide::Unreadable(why) => Err(why),
        });
        let mut rows = properties::parts("Outputs", &git.template, applied.map(|side| side.map(|(t, _)| t)), deployed);
        if !self.config.template.is_empty() {
            let live = info.tags.iter().filter(|(name, _)| !name.starts_with("aws:"));
            let live = live.map(|(name, value)| (name.clone(), value.clone())).collect();
            rows.extend(properties::tags(&git.tags, applied.map(|side| side.map(|(_, tags)| tags)), &live));
        }
        rows.retain(|row| row.verdict != Verdict::InSync);
        if rows.is_empty() {
            return None;
        }
        Some(Item {
            kind: Kind::Stack,
            name: self.name.clone(),
            unit: self.name.clone(),
            type_name: "AWS::CloudFormation::Stack".to_owned(),
            physical_id: Some(info.id.clone()),
            logical_id: None,
            verdict: combine(rows.iter().map(|row| &row.verdict)),
            reason: properties::reason(&rows),
            sides: Sides { git: Facet::Unread, applied: Facet::Unread, live: Facet::Unread },
            rows,
            changed: None,
            version: None,
            file: Some(self.config.template.clone()).filter(|file| !file.is_empty()),
        })
    }

    /// The properties of a function that are compared as its code.
    fn compared_elsewhere(&self, id: &str) -> &'static [&'static str] {
        let type_name = self.resources.iter().find(|resource| resource.logical_id == id).map(|r| r.type_name.as_str());
        match type_name {
            Some("AWS::Lambda::Function" | "AWS::Serverless::Function") => ELSEWHERE,
            _ => &[],
        }
    }

    /// The verdict on a resource that one side lacks. What stands for its state is all that the template asks.
    fn presence_verdict(&self, git: &Side<Value>, id: &str, absent: bool, looked: &Looked<'_>) -> Option<Verdict> {
        let applied = match self.applied_side() {
            None => Applied::Unrecorded,
            Some(side) => Applied::Recorded(self.presence(side, id)),
        };
        let live = match (absent, &applied, looked) {
            (true, ..) => Side::Absent,
            (_, Applied::Recorded(Side::Value(asked)), Looked::At(drift)) if drift.status == DriftStatus::InSync => {
                Side::Value(asked.clone())
            }
            (_, Applied::Recorded(Side::Value(_)), Looked::Unknown(why)) => Side::Unreadable(why.clone()),
            // Changed by hand, or never asked for: unlike anything that a template says.
            _ => Side::Value(Value::Null),
        };
        verdict(git, &applied, &live)
    }

    /// What git and the receipt's commit ask of a resource that is not live: what is missing, property by property.
    fn asked_rows(&self, id: &str, verdict: &Verdict) -> Vec<Row> {
        let asking = |(side, scope): (&'_ TemplateSide, &'_ Scope)| -> Option<BTreeMap<String, Facet>> {
            Some(properties::asked(id, Asking { template: side.template()?, scope }))
        };
        let git = asking((&self.git, &self.git_scope)).unwrap_or_default();
        let applied = self.applied_side().map(|side| match side.0 {
            TemplateSide::Unreadable(why) => Err(why),
            TemplateSide::Template(_) => Ok(asking(side).unwrap_or_default()),
        });
        let of = |path: &str| match &applied {
            None => Facet::Unrecorded,
            Some(Err(why)) => Facet::Unreadable((*why).clone()),
            Some(Ok(all)) => all.get(path).cloned().unwrap_or(Facet::Absent),
        };
        let row = |(path, git): (String, Facet)| Row {
            sides: Sides { git, applied: of(&path), live: Facet::Absent },
            verdict: verdict.clone(),
            path,
        };
        git.into_iter().map(row).collect()
    }

    fn presence_sides(&self, git: &Side<Value>, id: &str, absent: bool) -> Sides {
        // What is not live and asks for any property has a row for each; this is seen of what asks for none.
        let there =
            |_: &Value| if absent { Facet::Plain("there, without properties".to_owned()) } else { Facet::Unread };
        let facet = |side: &Side<Value>| Facet::of(side, there);
        Sides {
            git: facet(git),
            applied: self.applied_side().map_or(Facet::Unrecorded, |side| facet(&self.presence(side, id))),
            live: if absent { Facet::Absent } else { Facet::Unread },
        }
    }

    /// Whether a template makes the resource, and if so all that it asks of it.
    fn presence(&self, (side, scope): (&TemplateSide, &Scope), id: &str) -> Side<Value> {
        let template = match side {
            TemplateSide::Template(versioned) => &versioned.template,
            TemplateSide::Unreadable(why) => return Side::Unreadable(why.clone()),
        };
        let Some(resource) = template.resource(id) else {
            return self.generated(template, scope, id);
        };
        match template.present(id, scope) {
            Ok(false) => Side::Absent,
            Ok(true) => {
                let names = resource.properties.as_object().into_iter().flat_map(|all| all.keys());
                let asked = names.filter_map(|name| template.asks(id, name, scope).map(|asked| (name.clone(), asked)));
                Side::Value(Value::Object(asked.collect()))
            }
            Err(reason) => Side::Unreadable(Why::new(format!("condition of {id}: {reason}"))),
        }
    }

    /// A resource that no template names: one that a transform such as SAM's made, as long as the templates agree.
    fn generated(&self, template: &Template, scope: &Scope, id: &str) -> Side<Value> {
        let expanded = self.config.kind == StackKind::Sam || template.expanded_by_aws().is_some();
        if !expanded || !self.resources.iter().any(|resource| resource.logical_id == id) {
            return Side::Absent;
        }
        match &self.deployed {
            Some(Ok(deployed)) if templates::make_the_same((template, scope), (deployed, &self.deployed_scope)) => {
                Side::Value(Value::Object(serde_json::Map::new()))
            }
            _ => Side::Unreadable(Why::new("made by the template's transform, from a template that has changed")),
        }
    }

    /// Whether the deployed template has this resource and the transform made others of it, under other names: SAM's
    /// layers, connectors.
    fn is_translated(&self, id: &str) -> bool {
        let (Some(Ok(deployed)), Some(processed)) = (&self.deployed, &self.processed) else { return false };
        let kept = processed.as_ref().is_ok_and(|processed| processed.resource(id).is_some());
        deployed.resource(id).is_some_and(ResourceRef::is_serverless) && !kept
    }

    fn looked<'a>(&self, drift: Option<&'a ResourceDrift>, checked: Option<i64>) -> Looked<'a> {
        let Some(checked) = checked else {
            return Looked::Unknown(Why::new("drift was never detected").hint("R, or plumb status --detect always"));
        };
        if checked < self.last_event() {
            return Looked::Unknown(
                Why::new(format!("drift was detected at {}, before the stack changed", schema::time(checked)))
                    .hint("R, or plumb status --detect always"),
            );
        }
        match drift {
            Some(drift) if drift.checked_at < self.last_event() || drift.checked_at + SLACK < checked => {
                Looked::Unknown(Why::new("CloudFormation did not check this resource when it last detected drift"))
            }
            Some(drift) => match drift.status {
                DriftStatus::InSync | DriftStatus::Modified | DriftStatus::Deleted => Looked::At(drift),
                _ => Looked::Unknown(Why::new("CloudFormation could not check this resource")),
            },
            None => Looked::Unknown(Why::new("CloudFormation does not check this type")),
        }
    }
}

/// Why a resource that a transform made others of is not looked at.
fn translated_whole() -> Why {
    Why::new("the template's transform makes other resources of it")
}

/// That git moved is certain by the templates alone; that live did not is then only assumed.
pub(super) fn unsure(rows: &[Row], why: &Why) -> String {
    format!("{}; whether live moved is not known: {}", properties::reason(rows), why.reason)
}

/// One line for a resource that one side lacks.
fn absence(git: &Side<Value>, gone: bool, deleted: bool) -> &'static str {
    match (git, gone, deleted) {
        (_, _, true) => "deleted behind the stack's back",
        (Side::Value(_), true, _) => "not in the stack",
        (Side::Absent, false, _) => "in the stack, not in git's template",
        _ => "",
    }
}
