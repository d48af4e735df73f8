//! Git's side of parameters and secrets: the documents of a commit, their names, and their values when asked for.
//!
//! Names and digests need no key: they are read from the ciphertext. A document is decrypted only when one of its
//! values is asked for, and then once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use super::context::{Context, blocking};
use crate::compare::{Side, Why};
use crate::config::mapping::{self, DocNode, Mapped, PlannedValue, ScalarKind, Sorted};
use crate::config::{Bindings, Layers, Project};
use crate::git::Snapshot;
use crate::ops::receipt::Recorded;
use crate::ops::report::Problem;
use crate::ops::session::Session;
use crate::ops::{failed, hex, project};
use crate::secret::Secret;
use crate::sops::{Document, Format, Leaf, MacPolicy, Node};

/// Which of a project's documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Config trees, which become parameters.
    Config,
    /// Secret files, which become secrets.
    Secrets,
}

/// One item that a commit asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitItem {
    /// The unit it is rolled out with: its service, or `secrets`.
    pub unit: String,
    /// The file that says it.
    pub file: String,
    /// Which of the project's config trees or secret files it belongs to.
    pub source: usize,
    /// Equal digests mean equal values: of the ciphertext, or of a plain document the id of the whole file.
    pub digest: String,
    /// Whether the document is encrypted.
    pub encrypted: bool,
}

/// All that a commit asks for in one place.
#[derive(Debug, Default)]
pub struct GitSide {
    /// The items by name.
    pub items: BTreeMap<String, GitItem>,
    /// Documents and keys that cannot be what they should.
    pub problems: Vec<Problem>,
    /// The units that the commit knows.
    pub services: BTreeSet<String>,
    /// What names of this environment begin with.
    pub prefixes: BTreeSet<String>,
    /// Those of a layer that all environments share.
    pub shared: BTreeSet<String>,
    /// Prefixes of names that a broken document may hold, with the unit and why.
    broken: Vec<(String, Why)>,
    units: BTreeMap<String, String>,
}

impl GitSide {
    /// Why nothing may be concluded from a name's absence: a document that may hold it cannot be read.
    pub(super) fn broken_for(&self, name: &str) -> Option<Why> {
        self.broken.iter().find(|(prefix, _)| name.starts_with(prefix)).map(|(_, why)| why.clone())
    }

    /// The unit that a name would belong to.
    pub(in crate::ops) fn unit_by_prefix(&self, name: &str) -> Option<String> {
        self.units
            .iter()
            .filter(|(prefix, _)| name.starts_with(*prefix))
            .max_by_key(|(p, _)| p.len())
            .map(|(_, u)| u.clone())
    }
}

type Values = BTreeMap<String, Side<Secret>>;

/// The documents of one commit and place.
pub struct Loaded {
    /// The commit.
    pub commit: String,
    /// What it asks for.
    pub side: GitSide,
    place: Place,
    session: Session,
    /// The project as the commit's own project file describes it.
    project: Arc<Project>,
    sorted: Sorted,
    documents: BTreeMap<String, Arc<Document>>,
    opened: Mutex<HashMap<String, Result<Arc<Values>, Why>>>,
}

impl Loaded {
    /// Reads the documents of a ref.
    pub async fn at(session: &Session, reference: &str, place: Place) -> Result<Self, Why> {
        let repository = session.repository.clone()?;
        let prefix = session.prefix.clone();
        let reference = reference.to_owned();
        let (commit, snapshot) = blocking(move || {
            let info = repository.resolve(&reference).map_err(|error| failed(&error))?;
            let at = if info.reference == crate::git::WORKTREE { crate::git::WORKTREE } else { &info.id };
            let snapshot = repository.snapshot(at, &prefix).map_err(|error| failed(&error))?;
            Ok((info.id.clone(), Arc::new(snapshot)))
        })
        .await?;
        Self::of(session, &snapshot, &commit, place).await
    }

    /// No documents, without a project.
    fn nothing(session: &Session, place: Place) -> Self {
        Self {
            commit: String::new(),
            side: GitSide::default(),
            place,
            session: session.clone(),
            project: Arc::new(session.project().clone()),
            sorted: Sorted::default(),
            documents: BTreeMap::new(),
            opened: Mutex::default(),
        }
    }

    /// Reads the documents of a snapshot.
    async fn of(session: &Session, snapshot: &Arc<Snapshot>, commit: &str, place: Place) -> Result<Self, Why> {
        let bindings = session.bindings().await;
        let (session, snapshot, commit) = (session.clone(), Arc::clone(snapshot), commit.to_owned());
        blocking(move || load(session, &snapshot, commit, place, &bindings)).await
    }

    /// The project as the commit's own project file describes it; environments are today's.
    #[must_use]
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// The value of one of the commit's items, decrypted.
    pub async fn value(&self, name: &str) -> Side<Secret> {
        let Some(item) = self.side.items.get(name) else {
            return self.side.broken_for(name).map_or(Side::Absent, Side::Unreadable);
        };
        let mut opened = self.opened.lock().await;
        let values = if let Some(values) = opened.get(&item.file) {
            values.clone()
        } else {
            let values = self.open(&item.file).await;
            opened.insert(item.file.clone(), values.clone());
            values
        };
        match values {
            Ok(values) => values.get(name).cloned().unwrap_or(Side::Absent),
            Err(why) => Side::Unreadable(why),
        }
    }

    async fn open(&self, file: &str) -> Result<Arc<Values>, Why> {
        let Some(document) = self.documents.get(file).map(Arc::clone) else {
            return Err(Why::new(format!("{file} was not read")));
        };
        let session = self.session.clone();
        let (place, file) = (self.place, file.to_owned());
        let mut sorted = self.sorted.clone();
        let project = Arc::clone(&self.project);
        sorted.config.retain(|each| each.file == file);
        sorted.secrets.retain(|each| each.file == file);
        blocking(move || {
            let plain = match document.plain() {
                Some(plain) => plain,
                None => document.open(session.keyring.as_ref(), MacPolicy::Verify).map_err(|error| locked(&error))?,
            };
            let node = doc_node(&plain);
            let mapped = mapping::map(&project, &sorted, |_| Some(&node));
            let planned: Vec<(String, PlannedValue)> = match place {
                Place::Config => mapped.parameters.into_iter().map(|plan| (plan.name, plan.value)).collect(),
                Place::Secrets => mapped.secrets.into_iter().map(|plan| (plan.name, plan.value)).collect(),
            };
            let values = planned.into_iter().map(|(name, value)| {
                let side = match value {
                    PlannedValue::Text(text) | PlannedValue::Json(text) => Side::Value(text),
                    PlannedValue::Refused(why) => Side::Unreadable(Why::new(format!("{file}: {why}"))),
                };
                (name, side)
            });
            Ok(Arc::new(values.collect()))
        })
        .await
    }
}

/// The documents of the commit that is compared, and of the commits that receipts name.
pub(super) struct Documents {
    place: Place,
    current: Loaded,
    older: Mutex<HashMap<String, Result<Arc<Loaded>, Why>>>,
}

impl Documents {
    pub(super) async fn load(context: &Context, place: Place) -> Result<Self, Why> {
        if context.session.settings.adhoc.is_some() {
            let current = Loaded::nothing(&context.session, place);
            return Ok(Self { place, current, older: Mutex::default() });
        }
        let snapshot = context.git().await?;
        let commit = context.commit.clone()?.id;
        let current = Loaded::of(&context.session, &snapshot, &commit, place).await?;
        Ok(Self { place, current, older: Mutex::default() })
    }

    pub(super) fn side(&self) -> &GitSide {
        &self.current.side
    }

    /// The documents of the commit that is compared.
    pub(super) fn into_current(self) -> Loaded {
        self.current
    }

    pub(super) async fn value(&self, name: &str) -> Side<Secret> {
        self.current.value(name).await
    }

    /// Commits that receipts name and this clone lacks.
    pub(super) async fn lost_commits(&self) -> Vec<Problem> {
        let older = self.older.lock().await;
        let lost = older.iter().filter_map(|(commit, loaded)| {
            let why = loaded.as_ref().err()?;
            let subject = format!("rolled-out commit {}", commit.get(..7).unwrap_or(commit));
            let hint = why.hint.clone().or_else(|| Some("git fetch --unshallow, or git fetch --all".to_owned()));
            Some(Problem { subject, why: Why { hint, ..why.clone() } })
        });
        lost.collect()
    }

    /// What an item was at another commit.
    pub(super) async fn value_at(&self, context: &Context, commit: &str, name: &str) -> Side<Secret> {
        let mut older = self.older.lock().await;
        let loaded = if let Some(loaded) = older.get(commit) {
            loaded.clone()
        } else {
            let loaded = match context.snapshot(commit).await {
                Ok(snapshot) => Loaded::of(&context.session, &snapshot, commit, self.place).await.map(Arc::new),
                Err(why) => Err(why),
            };
            older.insert(commit.to_owned(), loaded.clone());
            loaded
        };
        drop(older);
        match loaded {
            Ok(loaded) => loaded.value(name).await,
            Err(why) => Side::Unreadable(why),
        }
    }
}

fn load(
    session: Session,
    snapshot: &Snapshot,
    commit: String,
    place: Place,
    bindings: &Bindings,
) -> Result<Loaded, Why> {
    let project = &Arc::new(project::at(&session.settings, snapshot)?);
    let entries = snapshot.list("").map_err(|error| failed(&error))?;
    let environment = &session.environment().name;
    let listing: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
    let sorted = mapping::sort_files(project, environment, &listing);
    let files: BTreeSet<&String> = match place {
        Place::Config => sorted.config.iter().map(|each| &each.file).collect(),
        Place::Secrets => sorted.secrets.iter().map(|each| &each.file).collect(),
    };
    let mut side = GitSide::default();
    prefixes(project, &sorted, place, bindings, &mut side);
    let mut documents = BTreeMap::new();
    let mut nodes = BTreeMap::new();
    let mut blobs = BTreeMap::new();
    for file in files {
        match read(snapshot, file) {
            Ok((document, blob)) => {
                nodes.insert(file.clone(), doc_node(&document.as_written()));
                blobs.insert(file.clone(), blob);
                documents.insert(file.clone(), Arc::new(document));
            }
            Err(why) => {
                side.broken.extend(names_in(project, &sorted, place, file).map(|prefix| (prefix, why.clone())));
                side.problems.push(Problem { subject: file.clone(), why });
            }
        }
    }
    let mapped = mapping::map(project, &sorted, |file| nodes.get(file));
    collect(project, mapped, place, &documents, &blobs, &mut side);
    let project = Arc::clone(project);
    Ok(Loaded { commit, side, place, project, sorted, documents, opened: Mutex::default(), session })
}

/// How a value becomes a parameter or secret, in a word.
fn form(project: &Project, place: Place, source: usize, value: &PlannedValue) -> String {
    let shape = if matches!(value, PlannedValue::Json(_)) { "json" } else { "text" };
    match place {
        Place::Config => {
            let kind = project.config.get(source).map(|tree| tree.parameter_type);
            format!("{shape}:{kind:?}")
        }
        Place::Secrets => shape.to_owned(),
    }
}

fn read(snapshot: &Snapshot, file: &str) -> Result<(Document, String), Why> {
    let blob = snapshot.read(file).map_err(|error| failed(&error))?;
    let blob = blob.ok_or_else(|| Why::new(format!("{file} is listed and not there")))?;
    Ok((document(file, &blob.bytes)?, blob.id))
}

/// Why a document does not open.
pub(in crate::ops) fn locked(error: &crate::sops::Error) -> Why {
    let why = Why::new(error.to_string());
    match error {
        crate::sops::Error::NoKey { .. } => why.hint("SOPS_AGE_KEY_FILE names the file of age keys"),
        _ => why,
    }
}

/// A file of values: one document with keys.
pub(in crate::ops) fn document(file: &str, bytes: &[u8]) -> Result<Document, Why> {
    usable(file, Document::parse(file, bytes).map_err(|error| failed(&error))?)
}

/// The same of one that is parsed already.
pub(in crate::ops) fn usable(file: &str, document: Document) -> Result<Document, Why> {
    if document.format() == Format::Binary && !document.is_encrypted() {
        return Err(Why::new(format!("{file} is neither JSON nor YAML nor dotenv"))
            .hint("its name says which: .json, .yaml, .yml, .env"));
    }
    if document.count() > 1 {
        return Err(Why::new(format!(
            "{file} has {} documents, of which it cannot be told what they become",
            document.count()
        )));
    }
    Ok(document)
}

/// What the names begin with, filled as far as the environment says.
fn prefixes(project: &Project, sorted: &Sorted, place: Place, bindings: &Bindings, side: &mut GitSide) {
    match place {
        Place::Config => {
            for file in &sorted.config {
                let Some(tree) = project.config.get(file.tree_index) else { continue };
                side.services.insert(file.service.clone());
                let layer = match tree.layers {
                    Layers::Merged => bindings.env.clone(),
                    Layers::Separate => file.bindings.layer.clone(),
                };
                let bound = Bindings { layer, ..file.bindings.clone() };
                let prefix = start_of(&tree.parameter, &bound);
                side.units.insert(prefix.clone(), file.service.clone());
                side.prefixes.insert(prefix);
                // A service may have lost its last key of one layer; what is live of it is still looked at.
                for layer in [bindings.env.clone(), Some(tree.global.clone())] {
                    let is_shared = tree.layers == Layers::Separate && layer.as_ref() == Some(&tree.global);
                    let bound = Bindings { layer, ..file.bindings.clone() };
                    let prefix = start_of(&tree.parameter, &bound);
                    side.units.insert(prefix.clone(), file.service.clone());
                    if is_shared {
                        side.shared.insert(prefix.clone());
                    }
                    side.prefixes.insert(prefix);
                }
            }
        }
        Place::Secrets => {
            for file in &project.secrets {
                let prefix = start_of(&file.name, bindings);
                if !prefix.is_empty() {
                    side.prefixes.insert(prefix);
                }
            }
        }
    }
}

/// A pattern up to `{key}`, or up to whatever is not bound.
fn start_of(pattern: &str, bindings: &Bindings) -> String {
    let filled = crate::config::fill(pattern, bindings);
    filled.split('{').next().unwrap_or_default().to_owned()
}

/// What the names of one file's items begin with.
fn names_in<'a>(
    project: &'a Project,
    sorted: &'a Sorted,
    place: Place,
    file: &'a str,
) -> Box<dyn Iterator<Item = String> + 'a> {
    match place {
        Place::Config => Box::new(sorted.config.iter().filter(move |each| each.file == file).filter_map(|each| {
            let tree = project.config.get(each.tree_index)?;
            let layer = match tree.layers {
                Layers::Merged => each.bindings.env.clone(),
                Layers::Separate => each.bindings.layer.clone(),
            };
            Some(start_of(&tree.parameter, &Bindings { layer, ..each.bindings.clone() }))
        })),
        Place::Secrets => Box::new(sorted.secrets.iter().filter(move |each| each.file == file).filter_map(|each| {
            let file = project.secrets.get(each.secret_index)?;
            Some(start_of(&file.name, &each.bindings))
        })),
    }
}

fn collect(
    project: &Project,
    mapped: Mapped,
    place: Place,
    documents: &BTreeMap<String, Arc<Document>>,
    blobs: &BTreeMap<String, String>,
    side: &mut GitSide,
) {
    let digest = |file: &str, path: &[String]| {
        let document = documents.get(file)?;
        let steps: Vec<&str> = path.iter().map(String::as_str).collect();
        let leaf = document.subtree(&steps)?;
        // A digest of a plain value would give short values away to whoever can read receipts.
        let digest = if leaf.is_encrypted() {
            format!("sha256:{}", hex(&Sha256::digest(leaf.text().as_bytes())))
        } else {
            format!("blob:{}", blobs.get(file)?)
        };
        Some((digest, document.is_encrypted()))
    };
    let plans: Vec<(String, String, Vec<String>, usize, String, PlannedValue)> = match place {
        Place::Config => mapped
            .parameters
            .into_iter()
            .map(|plan| (plan.name, plan.file, plan.key_path, plan.tree_index, plan.service, plan.value))
            .collect(),
        Place::Secrets => mapped
            .secrets
            .into_iter()
            .map(|plan| (plan.name, plan.file, plan.key_path, plan.secret_index, "secrets".to_owned(), plan.value))
            .collect(),
    };
    for (name, file, path, source, unit, value) in plans {
        // What AWS would refuse is never pushed, and what is live under its name is not called unmanaged for that.
        if let PlannedValue::Refused(why) = value {
            side.broken.push((name, Why::new(format!("{file}: {why}"))));
            continue;
        }
        match digest(&file, &path) {
            Some((digest, encrypted)) => {
                // How a value is pushed is part of what git asks for.
                let digest = format!("{digest}:{}", form(project, place, source, &value));
                side.items.insert(name, GitItem { unit, file, source, digest, encrypted });
            }
            None => side.broken.push((name, Why::new(format!("{file}: its ciphertext could not be found")))),
        }
    }
    let mine = |file: &str| match place {
        Place::Config => !project.secrets.iter().any(|secret| secret.file == file) && documents.contains_key(file),
        Place::Secrets => documents.contains_key(file),
    };
    side.problems.extend(mapped.problems.into_iter().filter(|problem| mine(&problem.file)).map(|problem| Problem {
        subject: if problem.key.is_empty() { problem.file } else { format!("{}: {}", problem.file, problem.key) },
        why: Why::new(problem.why),
    }));
}

/// A sops tree, encrypted or plain, as the mapping reads it.
pub(in crate::ops) fn doc_node(node: &Node) -> DocNode {
    let scalar = |text: &Secret, kind| DocNode::Scalar { text: text.clone(), kind };
    match node {
        Node::Map(members) => DocNode::Map(members.iter().map(|(key, value)| (key.clone(), doc_node(value))).collect()),
        Node::List(items) => DocNode::List(items.iter().map(doc_node).collect()),
        Node::Leaf(Leaf::Null) => DocNode::Null,
        Node::Leaf(Leaf::Bool(value)) => scalar(&Secret::new(value.to_string()), ScalarKind::Bool),
        Node::Leaf(Leaf::Number(text)) => scalar(text, ScalarKind::Number),
        Node::Leaf(Leaf::Text(text)) if text.expose().starts_with("ENC[AES256_GCM,") => {
            scalar(text, ScalarKind::Encrypted)
        }
        Node::Leaf(leaf) => leaf.to_text().map_or(DocNode::Null, |text| scalar(&text, ScalarKind::Text)),
    }
}

/// Receipts that cannot be read, as problems of their own.
pub(super) fn receipt_problems(receipts: &BTreeMap<String, Recorded>) -> Vec<Problem> {
    let unreadable = receipts.iter().filter_map(|(unit, recorded)| match recorded {
        Recorded::Unreadable(why) => Some(Problem { subject: format!("receipt of {unit}"), why: why.clone() }),
        Recorded::None | Recorded::Receipt(_) => None,
    });
    unreadable.collect()
}
