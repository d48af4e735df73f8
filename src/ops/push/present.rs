//! What is left of a step, by what is live right now: all of it, nothing, or nothing any more because somebody else was
//! faster. The same question is asked before the first write, after a lost answer, and after a crash.

use std::collections::BTreeMap;

use crate::aws::secretsmanager::{self, SecretMeta};
use crate::aws::ssm::{self, ParameterMeta};
use crate::compare::Why;
use crate::ops::journal::{Act, Origin, Step, Thing, Version};
use crate::ops::session::Session;
use crate::ops::{schema, why};

/// What is live of one item.
#[derive(Debug, Clone)]
pub(super) enum Now {
    /// It is not there.
    Absent,
    /// A parameter.
    Parameter(Box<ParameterMeta>),
    /// A secret, perhaps one that is scheduled for deletion.
    Secret(Box<SecretMeta>),
    /// It could not be asked.
    Unknown(Why),
}

/// What is left of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Left {
    /// All of it.
    All,
    /// The secret is restored, or needs no restoring; its new version is not there yet.
    Stage,
    /// The version is there, and not current yet.
    Promote,
    /// The secret has its earlier version again, and is not scheduled for deletion yet.
    Schedule,
    /// Nothing: it is done, and this is the version that came of it.
    Nothing(Option<Version>),
    /// Something was written. If this version (of a secret: the current one) has the step's value, it was the step.
    Compare(Version),
    /// Somebody else wrote it.
    Overtaken(String),
    /// It cannot be known.
    Unknown(Why),
}

/// Asks for all items of some steps: parameters in fifties, secrets one by one, since only that does not lag.
pub(super) async fn look(session: &Session, steps: &[&Step]) -> BTreeMap<(Thing, String), Now> {
    let names = |kind| steps.iter().filter(move |step| step.kind == kind).map(|step| step.name.clone());
    let (parameters, secrets): (Vec<String>, Vec<String>) =
        (names(Thing::Parameter).collect(), names(Thing::Secret).collect());
    let (metas, answers) = tokio::join!(
        ssm::metas(&session.clients, &parameters),
        secretsmanager::describe_each(&session.clients, &secrets)
    );
    let of_parameter = |name: &String| match &metas {
        Ok(metas) => metas.get(name).map_or(Now::Absent, |meta| Now::Parameter(Box::new(meta.clone()))),
        Err(error) => Now::Unknown(why(error)),
    };
    let mut now: BTreeMap<(Thing, String), Now> =
        parameters.iter().map(|name| ((Thing::Parameter, name.clone()), of_parameter(name))).collect();
    for (name, answer) in answers {
        let found = match answer {
            Ok(Some(meta)) => Now::Secret(Box::new(meta)),
            Ok(None) => Now::Absent,
            Err(error) => Now::Unknown(why(&error)),
        };
        now.insert((Thing::Secret, name), found);
    }
    now
}

/// What is left of a step. `sent`: whether AWS may have got it before.
pub(super) fn left(step: &Step, sent: bool, now: &Now) -> Left {
    match now {
        Now::Unknown(why) => Left::Unknown(why.clone()),
        Now::Absent => match step.act {
            Act::Create => Left::All,
            Act::Delete => Left::Nothing(None),
            Act::Update | Act::Restore => Left::Overtaken("it was deleted meanwhile".to_owned()),
        },
        Now::Parameter(meta) => of_parameter(step, sent, meta),
        Now::Secret(meta) => of_secret(step, sent, meta),
    }
}

fn of_parameter(step: &Step, sent: bool, meta: &ParameterMeta) -> Left {
    let live = Version { id: meta.version.to_string(), modified: Some(meta.modified_at) };
    let expected = expected(step);
    let is_later = step.before.as_ref().is_none_or(|before| number(before).is_some_and(|before| meta.version > before));
    match step.act {
        Act::Update | Act::Delete if step.before.as_ref() == Some(&live) => Left::All,
        Act::Create | Act::Update if sent && is_later => {
            let modified = (meta.version == expected).then_some(meta.modified_at);
            Left::Compare(Version { id: expected.to_string(), modified })
        }
        _ => Left::Overtaken(whose(meta)),
    }
}

/// Which version is there, and by whom.
pub(super) fn whose(meta: &ParameterMeta) -> String {
    let by = meta.modified_by.as_deref().unwrap_or("somebody");
    format!("version {} was written at {} by {by}", meta.version, schema::time(meta.modified_at))
}

/// The version that a write of a parameter makes.
pub(super) fn expected(step: &Step) -> i64 {
    step.before.as_ref().and_then(number).unwrap_or_default() + 1
}

fn number(version: &Version) -> Option<i64> {
    version.id.parse().ok()
}

fn of_secret(step: &Step, sent: bool, meta: &SecretMeta) -> Left {
    let current = meta.current_version.as_deref().unwrap_or_default();
    let before = step.before.as_ref().map(|before| before.id.as_str()).unwrap_or_default();
    let token = step.token.as_deref();
    let is_there = |version: &str| meta.stages.contains_key(version);
    let version = |id: &str| Some(Version { id: id.to_owned(), modified: None });
    let other = || Left::Overtaken(format!("version {current} is current by now"));
    let scheduled = meta.deletes_at.is_some();
    match step.act {
        Act::Create if scheduled => Left::Overtaken("a secret of that name is scheduled for deletion".to_owned()),
        Act::Create if token == Some(current) => Left::Nothing(version(current)),
        Act::Create if sent => Left::Compare(Version { id: current.to_owned(), modified: None }),
        Act::Update if scheduled => Left::Overtaken("it was scheduled for deletion meanwhile".to_owned()),
        Act::Restore if scheduled && current == before => Left::All,
        Act::Restore if scheduled => other(),
        Act::Restore if token.is_none() && current == before => Left::Nothing(version(current)),
        Act::Update | Act::Restore if token == Some(current) => Left::Nothing(version(current)),
        Act::Update | Act::Restore if current == before => match token {
            Some(token) if is_there(token) || matches!(step.from, Some(Origin::Version(_))) => Left::Promote,
            _ => Left::Stage,
        },
        Act::Delete if scheduled => Left::Nothing(None),
        Act::Delete if current == before => Left::All,
        Act::Delete if token == Some(current) => Left::Schedule,
        Act::Create | Act::Update | Act::Restore | Act::Delete => other(),
    }
}

#[cfg(test)]
mod tests;
