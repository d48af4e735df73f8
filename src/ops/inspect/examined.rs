//! Parameters and secrets of a commit against live, with all that a write of them has to know: versions, receipts as
//! they were before live was read, and the documents that the new values are in.

use std::collections::{BTreeMap, HashSet};

use super::context::Context;
use super::documents::Loaded;
use super::{Detect, Reveal, Wish, ignore, ignore_rules, now, parameters, secrets, who};
use crate::aws::secretsmanager::SecretMeta;
use crate::aws::ssm::ParameterMeta;
use crate::compare::{Kind, Verdict, Why};
use crate::ops::receipt::Recorded;
use crate::ops::report::{Commit, Section};
use crate::ops::session::Session;

/// A kind as it was examined.
pub(in crate::ops) struct Examined<M> {
    /// Its items with their verdicts; the values of what differs were read.
    pub(in crate::ops) section: Section,
    /// The commit's documents.
    pub(in crate::ops) git: Loaded,
    /// The receipts, by unit.
    pub(in crate::ops) receipts: BTreeMap<String, Recorded>,
    /// What is live, by name.
    pub(in crate::ops) live: BTreeMap<String, M>,
    /// Before it was read, milliseconds since the Unix epoch: what moves live from then on comes after it.
    pub(in crate::ops) read_at: i64,
    /// Why a stack may own what nobody else claims: one could not be asked.
    pub(in crate::ops) owner_unknown: Option<Why>,
}

impl<M> Examined<M> {
    /// Nothing that is live is known.
    pub(super) fn of(section: Section, git: Loaded, receipts: BTreeMap<String, Recorded>) -> Self {
        Self { section, git, receipts, live: BTreeMap::new(), read_at: 0, owner_unknown: None }
    }
}

/// All values of a commit.
pub(in crate::ops) struct Values {
    /// The commit.
    pub(in crate::ops) commit: Commit,
    /// Parameters.
    pub(in crate::ops) parameters: Examined<ParameterMeta>,
    /// Secrets.
    pub(in crate::ops) secrets: Examined<SecretMeta>,
}

/// Examines the parameters and the secrets of a ref. Reads the values of what differs, and who changed what moved.
pub(in crate::ops) async fn values(session: &Session, reference: &str) -> Result<Values, Why> {
    let wish = Wish {
        kinds: vec![Kind::Parameter, Kind::Secret],
        reference: reference.to_owned(),
        detect: Detect::Never,
        reveal: Reveal::Differences,
        only: None,
    };
    session.retry_identity().await;
    let (sink, _parts) = tokio::sync::mpsc::unbounded_channel();
    let context = Context::open(session, &wish, sink).await;
    let commit = context.commit.clone()?;
    let read_at = now();
    let (parameters, secrets) = tokio::join!(parameters::examine(&context), secrets::examine(&context));
    let (mut parameters, mut secrets) = (parameters?, secrets?);
    (parameters.read_at, secrets.read_at) = (read_at, read_at);
    let rules = ignore_rules(&*context.project().await?, &session.environment().name)?;
    for section in [&mut parameters.section, &mut secrets.section] {
        for item in &mut section.items {
            ignore(&rules, item);
        }
        section.items.sort_by(|a, b| a.name.cmp(&b.name));
        // Where no receipt says that anything moved, nobody has to be found who moved it.
        if section.items.iter().any(|item| matches!(item.verdict, Verdict::Drifted | Verdict::Diverged)) {
            who::name(&context, section).await;
        }
    }
    Ok(Values { commit, parameters, secrets })
}

/// The physical ids of a type that the project's stacks own, and why that is not the whole truth, if so.
pub(in crate::ops) async fn owned(
    session: &Session,
    reference: &str,
    type_name: &str,
) -> (HashSet<String>, Option<Why>) {
    let (sink, _parts) = tokio::sync::mpsc::unbounded_channel();
    let wish = Wish { reference: reference.to_owned(), detect: Detect::Never, ..Wish::of(session) };
    Context::open(session, &wish, sink).await.owned(type_name).await
}
