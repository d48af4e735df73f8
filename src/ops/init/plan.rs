//! What `plumb init` would write: worked out by reading alone, and then written as far as it is agreed to.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::watched::unwatched;
use super::workflow::{self, Credentials, Ground, Workflows};
use super::{rules, sections};
use crate::compare::Why;
use crate::config::{Extra, PROJECT_FILE, Project, guess, guess_with, parse_project};
use crate::git::Repository;
use crate::ops::config::{Opener, run_git};
use crate::ops::lambda::Source;
use crate::ops::{failed, git_why};

/// The folder that the functions which Plumb carries are written to.
pub(super) const LAMBDA: &str = "crypto-api";

/// What is wanted of a project.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wish {
    /// Its name; `None`: that of the directory.
    pub name: Option<String>,
    /// Its environments, where none can be found.
    pub environments: Vec<String>,
    /// Their region.
    pub region: Option<String>,
    /// Their endpoint, for a local account.
    pub endpoint: Option<String>,
    /// For whom its documents are encrypted: `age1…`, or the ARN of a KMS key. Nobody: they are plain.
    pub recipients: Vec<String>,
    /// Whether the functions that Plumb carries are written out, with a stack of the crypto API.
    pub lambda: bool,
    /// The same with a stack of the loop that keeps live true to git.
    pub healing: bool,
    /// Who rolls out, by ARN, where the loop is wanted; nobody: the role of `plumb bootstrap`.
    pub deployers: Vec<String>,
    /// The workflows, where they are wanted.
    pub workflows: Option<Workflows>,
}

impl Wish {
    fn writes_functions(&self) -> bool {
        self.lambda || self.healing
    }
}

/// A file that belongs there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where it lies.
    pub path: PathBuf,
    /// Its name within the project.
    pub name: String,
    /// What it should hold.
    pub bytes: Vec<u8>,
    /// What it holds already.
    pub before: Option<Vec<u8>>,
}

impl File {
    /// Whether it is there, and holds something else.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.before.as_ref().is_some_and(|before| *before != self.bytes)
    }
}

/// What belongs there.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The project's directory.
    pub directory: PathBuf,
    /// The branch with which a repository is begun, where there is none.
    pub begins: Option<String>,
    /// The files, in the order in which they are told.
    pub files: Vec<File>,
    /// What the operator should know.
    pub notes: Vec<String>,
}

/// Works out what belongs into a directory, which is made where there is none. Writes nothing else.
pub fn propose(directory: &Path, wish: &Wish, opener: &Opener) -> Result<Proposal, Why> {
    let place = Place::look(directory)?;
    let mut notes = Vec::new();
    let mut files = Vec::new();
    let text = match place.read(PROJECT_FILE) {
        Some(text) => extended(&text, wish, &place, &mut notes)?,
        None => fresh(wish, &place, &mut files, &mut notes)?,
    };
    let (project, _) = parse_project(PROJECT_FILE, &text).map_err(|error| failed(&error))?;
    files.push((PROJECT_FILE.to_owned(), text.into_bytes()));
    documents(&project, wish, &place, opener, &mut files, &mut notes);
    if wish.writes_functions() {
        let source = Source::embedded();
        let written = source.workspace()?;
        files.extend(
            written.into_iter().map(|(path, bytes)| (format!("{LAMBDA}/{}", path.display()), bytes.into_owned())),
        );
    }
    let mut all: Vec<File> = files.into_iter().map(|(name, bytes)| file(&place.directory, name, bytes)).collect();
    if let Some(workflows) = &wish.workflows {
        let builds_lambda = project.stacks.iter().any(|stack| stack.template.starts_with(&format!("{LAMBDA}/")));
        let rules = all.iter().find(|file| file.name == rules::FILE).map(|file| String::from_utf8_lossy(&file.bytes));
        let rules = rules.or_else(|| place.read(rules::FILE).map(Cow::Owned));
        let needs_age = rules.is_some_and(|rules| rules.contains("age1"));
        let read = |path: &str| place.read(path);
        let ground = Ground { project: &project, prefix: &place.prefix, builds_lambda, needs_age, read: &read };
        for (name, text) in
            [("deploy.yml", workflow::deploy(&ground, workflows)), ("check.yml", workflow::check(&ground, workflows))]
        {
            // GitHub reads them at the repository's top alone.
            all.push(file(&place.top, format!(".github/workflows/{name}"), text.into_bytes()));
        }
    }
    let branch = wish.workflows.as_ref().map_or("main", |workflows| workflows.branch.as_str());
    let begins = place.is_bare_folder.then(|| branch.to_owned());
    Ok(Proposal { directory: place.directory, begins, files: all, notes })
}

/// A directory and what lies in it.
struct Place {
    directory: PathBuf,
    /// The repository's top.
    top: PathBuf,
    /// The directory within it; empty, or with a slash at its end.
    prefix: String,
    /// No repository is around it.
    is_bare_folder: bool,
    /// What is tracked or could be.
    listing: Vec<String>,
}

impl Place {
    fn look(directory: &Path) -> Result<Self, Why> {
        let cannot = |error: std::io::Error| Why::new(format!("cannot use {}: {error}", directory.display()));
        std::fs::create_dir_all(directory).map_err(cannot)?;
        let directory = directory.canonicalize().map_err(cannot)?;
        let Ok(repository) = Repository::discover(&directory) else {
            let listing = listed(&directory).map_err(cannot)?;
            let top = directory.clone();
            return Ok(Self { directory, top, prefix: String::new(), is_bare_folder: true, listing });
        };
        if repository.is_bare() {
            return Err(Why::new(format!("{} is a bare repository: it has no files", directory.display())));
        }
        let within = repository.prefix_of(&directory).map_err(|error| git_why(&error))?;
        let within = within.trim_end_matches('/');
        let prefix = if within.is_empty() { String::new() } else { format!("{within}/") };
        let top = repository.root().to_owned();
        // Git's own listing, since a repository without a commit has no tree.
        let names = run_git(&directory, &["ls-files", "-z", "--cached", "--others", "--exclude-standard"])?;
        let names = names.split(|byte| *byte == 0).filter(|name| !name.is_empty());
        let listing = names.map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        Ok(Self { directory, top, prefix, is_bare_folder: false, listing })
    }

    fn read(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.directory.join(name)).ok()
    }
}

/// A file, with what it holds already.
pub(super) fn file(below: &Path, name: String, bytes: Vec<u8>) -> File {
    let path = below.join(&name);
    File { before: std::fs::read(&path).ok(), path, name, bytes }
}

/// The files of a directory that is no repository.
fn listed(directory: &Path) -> std::io::Result<Vec<String>> {
    let (mut found, mut open) = (Vec::new(), vec![(directory.to_owned(), String::new())]);
    while let Some((current, prefix)) = open.pop() {
        for entry in std::fs::read_dir(current)? {
            let entry = entry?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let kind = entry.file_type()?;
            if kind.is_dir() && !name.ends_with("node_modules") && !name.ends_with("target") {
                open.push((entry.path(), format!("{name}/")));
            } else if kind.is_file() {
                found.push(name);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The text of a project file that is not there; the documents of its skeleton go to `files`, as they are before they are
/// encrypted.
fn fresh(
    wish: &Wish,
    place: &Place,
    files: &mut Vec<(String, Vec<u8>)>,
    notes: &mut Vec<String>,
) -> Result<String, Why> {
    let directory = place.directory.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = wish.name.clone().unwrap_or(directory);
    // What is written out has templates of its own, and a stack of its own below.
    let own = |file: &&String| !(wish.writes_functions() && file.starts_with(&format!("{LAMBDA}/")));
    let listing: Vec<String> = place.listing.iter().filter(own).cloned().collect();
    let read = |file: &str| place.read(file);
    let found = parse_project(PROJECT_FILE, &guess(&name, &listing, &read)).ok().map(|(project, _)| project);
    let service = found.as_ref().map_or("app", |project| project.name.as_str()).to_lowercase().replace('.', "-");
    let kind = if wish.recipients.is_empty() { "type = \"String\"\n" } else { "" };
    let tree = format!(
        "# A document per service and environment, and one that all environments share.\n[[config]]\n\
         files = \"config/{{service}}/{{env}}/config.json\"\nparameter = \"/{{service}}/{{layer}}/{{key}}\"\n{kind}"
    );
    let has_tree = found.as_ref().is_some_and(|project| !project.config.is_empty() || !project.secrets.is_empty());
    let reference = wish.workflows.as_ref().map(|workflows| format!("origin/{}", workflows.branch));
    let mut sections = if wish.lambda { sections::crypto(found.as_ref(), wish) } else { String::new() };
    if wish.workflows.is_some() {
        sections.push_str(sections::REDEPLOY);
    }
    let extra = Extra {
        by: "plumb init",
        bucket: true,
        tree: (!has_tree).then_some(tree.as_str()),
        sections: &sections,
        environments: &wish.environments,
        region: wish.region.as_deref(),
        endpoint: wish.endpoint.as_deref(),
        reference: reference.as_deref(),
    };
    // A workflow of this name is named by the section above.
    let listing: Vec<String> =
        listing.into_iter().filter(|file| wish.workflows.is_none() || !file.starts_with(".github/")).collect();
    let text = guess_with(&name, &listing, &read, extra);
    if let (false, Ok((project, _))) = (has_tree, parse_project(PROJECT_FILE, &text)) {
        let names = project.environments.iter().map(|each| each.name.as_str());
        for layer in std::iter::once("global").chain(names) {
            let value = if layer == "global" {
                "{\n    \"greeting\": \"hello\"\n}\n".to_owned()
            } else {
                format!("{{\n    \"stage\": \"{layer}\"\n}}\n")
            };
            files.push((format!("config/{service}/{layer}/config.json"), value.into_bytes()));
        }
    }
    // What it watches is what the whole says.
    let there: Vec<&str> =
        listing.iter().map(String::as_str).chain(files.iter().map(|(name, _)| name.as_str())).collect();
    with_loop(text, wish, place, &there, notes)
}

/// The project file with the loop's stack, where that is wanted and there is one to watch.
fn with_loop(text: String, wish: &Wish, place: &Place, there: &[&str], notes: &mut Vec<String>) -> Result<String, Why> {
    let Some((project, _)) = parse_project(PROJECT_FILE, &text).ok().filter(|_| wish.healing) else { return Ok(text) };
    if project.stacks.iter().any(|stack| stack.template == sections::LOOP) {
        let left = unwatched(&project.stacks, "", "");
        if !left.is_empty() {
            notes.push(format!(
                "no loop watches {}: Stacks of the loop's section names what it watches",
                left.join(", ")
            ));
        }
        return Ok(text);
    }
    let deployers = deployers(wish, place, &project)?;
    let Some(section) = sections::healing(&project, wish, there, &deployers, notes) else {
        let none = "the loop is not written: there is no stack that it could watch; add one and ask again";
        notes.push(none.to_owned());
        return Ok(text);
    };
    Ok(sections::added(&text, &section))
}

/// Who rolls out. Where the workflow has keys that is whoever they belong to, which nothing here says; of anybody else's
/// writes the loop would tell, and have them put back, at every run.
fn deployers(wish: &Wish, place: &Place, project: &Project) -> Result<String, Why> {
    if !wish.deployers.is_empty() {
        return Ok(wish.deployers.join(","));
    }
    let has_keys = match &wish.workflows {
        Some(workflows) => workflows.credentials == Credentials::Secrets,
        None => std::fs::read_to_string(place.top.join(".github/workflows/deploy.yml"))
            .is_ok_and(|text| text.contains("secrets.AWS_ACCESS_KEY")),
    };
    if has_keys {
        let why = Why::new(
            "refused: the workflow deploys with keys, and nothing says whose, so the loop would undo its work",
        );
        return Err(why.hint("--deployer arn:aws:iam::ACCOUNT:user/NAME, the user whose keys they are"));
    }
    Ok(format!("arn:aws:iam::{{account}}:role/{}-deploy", project.name))
}

/// A project file that is there, with what is wanted and not in it.
fn extended(text: &str, wish: &Wish, place: &Place, notes: &mut Vec<String>) -> Result<String, Why> {
    let (project, _) = parse_project(PROJECT_FILE, text).map_err(|error| {
        Why::new(format!("{}: {error}", place.directory.join(PROJECT_FILE).display()))
            .hint("correct it, or move it away to have one made")
    })?;
    let has_stack = project.stacks.iter().any(|stack| stack.template == sections::CRYPTO);
    let mut text = text.to_owned();
    if wish.lambda && !has_stack {
        text = sections::added(&text, &sections::crypto(Some(&project), wish));
    }
    // A section of another workflow is the team's.
    if wish.workflows.is_some() && !sections::says_redeploy(&text) {
        text = sections::added(&text, sections::REDEPLOY);
    }
    let there: Vec<&str> = place.listing.iter().map(String::as_str).collect();
    with_loop(text, wish, place, &there, notes)
}

/// The creation rules where there are none, and the skeleton's documents encrypted as they say.
fn documents(
    project: &Project,
    wish: &Wish,
    place: &Place,
    opener: &Opener,
    files: &mut Vec<(String, Vec<u8>)>,
    notes: &mut Vec<String>,
) {
    let skeleton: BTreeMap<String, Vec<u8>> = files.extract_if(.., |(name, _)| name.starts_with("config/")).collect();
    let there = place.read(rules::FILE);
    let text = there.clone().or_else(|| rules::text(project, &wish.recipients));
    match (&text, &there) {
        (Some(text), None) => files.push((rules::FILE.to_owned(), text.clone().into_bytes())),
        (None, _) => notes.push(
            "nobody is named who could open encrypted documents, so there is no .sops.yaml and config is plain: --age \
             RECIPIENT, --kms ARN, or --new-key"
                .to_owned(),
        ),
        _ => {}
    }
    for (name, plain) in skeleton {
        // A document that is there is somebody's.
        if place.directory.join(&name).exists() {
            continue;
        }
        match rules::sealed(&name, &plain, text.as_deref(), opener) {
            Ok(bytes) => files.push((name, bytes)),
            Err(why) => notes.push(format!("{name} is not written, since it cannot be encrypted: {}", why.reason)),
        }
    }
}
