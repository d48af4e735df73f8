//! Git against live: what to read, in what order, and the verdicts that follow.
//!
//! Each kind is read by its own future, all of them at once; each result is handed on as soon as it is there.
//! Values are read only for what versions and digests cannot settle.

mod code;
mod context;
mod documents;
mod examined;
mod facts;
mod packaged;
mod parameters;
mod properties;
mod secrets;
mod stacks;
mod templates;
mod values;
mod who;

use std::cell::RefCell;
use std::sync::Arc;

use futures::future::join_all;
use tokio::sync::mpsc::UnboundedSender;

use self::context::Context;
use super::failed;
use super::report::{Commit, Part, Report, Section};
use super::session::Session;
use crate::compare::{Facet, IgnorePattern, IgnoreRules};
use crate::compare::{Item, Kind, Rule, Verdict, Why};
use crate::config::{Bindings, Project};

pub(crate) use self::code::source_digest;
pub use self::context::blocking;
pub use self::documents::{GitItem, GitSide, Loaded, Place};
pub(super) use self::documents::{doc_node, document, locked, usable};
pub(super) use self::examined::{Examined, Values, owned, values};
pub(crate) use self::packaged::file as packaged_file;
pub(super) use self::properties::shown;
pub(super) use self::stacks::stack_asks_the_same;
pub(crate) use self::templates::{assembly, keeps_value, partition};

/// When CloudFormation is asked to look at every resource anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detect {
    /// Before each answer.
    Always,
    /// When its last result is older than the environment's `drift_max_age`, or than the stack's last event.
    Stale,
    /// Never.
    Never,
}

/// What to inspect.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The kinds, each once.
    pub kinds: Vec<Kind>,
    /// The git side: a ref, a commit, or `WORKTREE`.
    pub reference: String,
    /// When drift is detected anew.
    pub detect: Detect,
    /// Whose values are read although versions already settle their verdict.
    pub reveal: Reveal,
    /// The one parameter or secret that is read, instead of listing its kind; stacks and code have no such shortcut
    /// and are read whole.
    pub only: Option<String>,
}

/// Whose values are read although versions already settle their verdict.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Reveal {
    /// Nobody's.
    #[default]
    None,
    /// Those of the item that the operator opened.
    One(Kind, String),
    /// Those of every item that differs.
    Differences,
}

impl Wish {
    /// Everything, at the environment's own ref.
    #[must_use]
    pub fn of(session: &Session) -> Self {
        // Without a project only what was asked for is looked at.
        let kinds = match &session.settings.adhoc {
            None => Kind::ALL.to_vec(),
            Some(adhoc) => {
                let stack = [Kind::Stack, Kind::Code].into_iter().filter(|_| adhoc.stack.is_some());
                stack.chain([Kind::Parameter].into_iter().filter(|_| adhoc.path.is_some())).collect()
            }
        };
        Self { kinds, reference: session.reference(), detect: Detect::Stale, reveal: Reveal::None, only: None }
    }
}

/// Inspects and waits for everything, but not for what never answers.
pub async fn report(session: &Session, wish: &Wish) -> Report {
    watched(session, wish, &|_| {}).await
}

/// The same; `tell` hears what is waited for.
pub async fn watched(session: &Session, wish: &Wish, tell: &dyn Fn(&str)) -> Report {
    let (sink, mut parts) = tokio::sync::mpsc::unbounded_channel();
    let (known, now_at) = (RefCell::new(Vec::new()), RefCell::new(None));
    let gather = async {
        while let Some(part) = parts.recv().await {
            match part {
                Part::Progress(_, text) => *now_at.borrow_mut() = Some(text),
                part => known.borrow_mut().push(part),
            }
        }
    };
    let work = Box::pin(async { tokio::join!(stream(session, wish, sink), gather).0 });
    // What CloudFormation is at says more than which call asks for it.
    let tell = |waiting: &str| tell(now_at.borrow().as_deref().unwrap_or(waiting));
    match super::patience::wait(session, &tell, work).await {
        Ok(report) => report,
        Err(why) => {
            // What was read by then stands.
            let mut report = Report::failed(session.environment().name.clone(), &wish.kinds, &why, now());
            known.into_inner().into_iter().for_each(|part| report.learn(part));
            report
        }
    }
}

/// Inspects; each part is sent as soon as it is known, and all of them are in the report.
pub async fn stream(session: &Session, wish: &Wish, sink: UnboundedSender<Part>) -> Report {
    let before = session.calls();
    if wish.reveal == Reveal::None {
        session.forget_identity().await;
    } else {
        session.retry_identity().await;
    }
    let identity = async {
        let identity = session.identity().await;
        // A closed sink means that nobody watches the parts; the report is complete all the same.
        let _ = sink.send(Part::Identity(identity.clone()));
        identity
    };
    let sections = async {
        let context = Context::open(session, wish, sink.clone()).await;
        let commit: Result<Commit, Why> = context.commit.clone();
        let _ = sink.send(Part::Commit(commit.clone()));
        let context = Arc::new(context);
        let sections = join_all(wish.kinds.iter().map(|kind| {
            let context = Arc::clone(&context);
            let sink = sink.clone();
            async move {
                let section = section(&context, *kind).await;
                let _ = sink.send(Part::Calls(session.calls().since(before)));
                let _ = sink.send(Part::Section(*kind, section.clone()));
                (*kind, section)
            }
        }))
        .await;
        (commit, sections, context.notes().await, context.hold.get().cloned())
    };
    let (identity, (commit, sections, mut notes, hold)) = tokio::join!(identity, sections);
    notes.extend(nothing_below(session, &sections));
    Report {
        environment: session.environment().name.clone(),
        identity,
        commit,
        sections,
        notes,
        hold,
        read_at: now(),
        calls: session.calls().since(before),
    }
}

/// That a path holds nothing is true of one that is mistyped, too.
fn nothing_below(session: &Session, sections: &[(Kind, Result<Section, Why>)]) -> Option<String> {
    let path = session.settings.adhoc.as_ref()?.path.as_deref()?;
    let (_, section) = sections.iter().find(|(kind, _)| *kind == Kind::Parameter)?;
    let is_empty = section.as_ref().is_ok_and(|section| section.items.is_empty() && section.problems.is_empty());
    is_empty.then(|| format!("nothing lies below {path} in {}", session.clients.region()))
}

async fn section(context: &Context, kind: Kind) -> Result<Section, Why> {
    let mut section = match kind {
        Kind::Stack => stacks::section(context).await?,
        Kind::Code => code::section(context).await?,
        Kind::Parameter => parameters::section(context).await?,
        Kind::Secret => secrets::section(context).await?,
    };
    let rules = context.ignore_rules().await?;
    for item in &mut section.items {
        ignore(&rules, item);
    }
    section.items.sort_by(|a, b| a.name.cmp(&b.name));
    if who::is_wanted(&section) {
        // The verdicts stand; CloudTrail, which is slow, only adds names.
        context.provisional(kind, section.clone());
        who::name(context, &mut section).await;
    }
    Ok(section)
}

/// Applies the project's ignore rules: to single properties first, then to the whole.
fn ignore(rules: &IgnoreRules, item: &mut Item) {
    let mut any = false;
    // What is not live is missing as a whole; its properties only say what is missing.
    let is_missing = item.sides.live == Facet::Absent;
    for row in item.rows.iter_mut().filter(|_| !is_missing) {
        if row.verdict.needs_attention()
            && let Some(rule) = rules.rule_for(item.kind, &item.name, Some(&row.path))
        {
            row.verdict = Verdict::Ignored(rule);
            any = true;
        }
    }
    if any {
        item.verdict = crate::compare::combine(item.rows.iter().map(|row| &row.verdict));
        item.reason = properties::reason(&item.rows);
    }
    if item.verdict != Verdict::InSync
        && let Some(rule) = rules.rule_for(item.kind, &item.name, None)
    {
        item.reason = rule.to_string();
        item.verdict = Verdict::Ignored(rule);
    }
}

/// The project's ignore rules, compiled.
fn ignore_rules(project: &Project, environment: &str) -> Result<IgnoreRules, Why> {
    let bindings = Bindings::env(environment);
    let rules: Vec<IgnorePattern> = project
        .ignore
        .iter()
        .map(|rule| IgnorePattern {
            kind: rule.kind.as_deref().and_then(|kind| Kind::ALL.into_iter().find(|known| known.code() == kind)),
            name: crate::config::fill(&rule.name, &bindings),
            path: rule.path.clone(),
            reason: rule.reason.clone(),
        })
        .collect();
    IgnoreRules::compile(&rules).map_err(|error| failed(&error))
}

/// The rule that stands for Secrets Manager's own rotation.
pub(super) fn rotated() -> Verdict {
    Verdict::Ignored(Rule::Rotation)
}

/// Now, in milliseconds since the Unix epoch.
pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
