//! The petshop's repository: files, encrypted documents, and the commits of its teams.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use tokio::process::Command;

use crate::compare::Why;
use crate::ops::failed;
use crate::ops::inspect::now;
use crate::ops::keys::Keys;
use crate::sops::{self, CreationRule, Document, Node, Rules};

const COMMITS: &str = include_str!("../../../demo/commits.json");
const DOCUMENTS: &str = include_str!("../../../demo/documents.json");

/// The plain files: path in the repository, and content.
const FILES: [(&str, &str); 9] = [
    ("README.md", include_str!("../../../demo/petshop/README.md")),
    (".gitignore", include_str!("../../../demo/petshop/gitignore")),
    (".sops.yaml", include_str!("../../../demo/petshop/sops.yaml")),
    ("plumb.toml", include_str!("../../../demo/petshop/plumb.toml")),
    ("stack/template.yaml", include_str!("../../../demo/petshop/stack/template.yaml")),
    ("functions/billing-api/app.py", include_str!("../../../demo/petshop/functions/billing-api/app.py")),
    ("functions/inventory-sync/app.py", include_str!("../../../demo/petshop/functions/inventory-sync/app.py")),
    ("functions/storefront-render/app.py", include_str!("../../../demo/petshop/functions/storefront-render/app.py")),
    ("crypto/build.sh", include_str!("../../../demo/petshop/crypto/build.sh")),
];

/// The version of the crate that the crypto function is built from.
const VERSION_FILE: (&str, &str) = ("crypto/VERSION", concat!("plumb-lambda ", env!("CARGO_PKG_VERSION"), "\n"));

/// One commit of the table, as `demo/README.md` describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    author: String,
    email: String,
    minutes_ago: i64,
    subject: String,
    #[serde(default)]
    body: String,
    #[serde(default)]
    add: Vec<String>,
    #[serde(default)]
    set: Vec<Set>,
    #[serde(default)]
    replace: Vec<Replace>,
    #[serde(default)]
    rolled_out: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    file: String,
    pointer: String,
    value: Value,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Replace {
    file: String,
    from: String,
    to: String,
}

/// A history while it is being written.
pub(super) struct History {
    root: PathBuf,
    markers: BTreeMap<&'static str, String>,
    recipient: String,
    keys: Keys,
    steps: std::vec::IntoIter<Step>,
    documents: BTreeMap<String, Value>,
    begun: i64,
}

impl History {
    pub(super) fn begin(
        root: &Path,
        markers: BTreeMap<&'static str, String>,
        recipient: String,
        keys: Keys,
    ) -> Result<Self, Why> {
        let steps: Vec<Step> = serde_json::from_str(COMMITS).map_err(|error| failed(&error))?;
        let documents = serde_json::from_str(DOCUMENTS).map_err(|error| failed(&error))?;
        std::fs::create_dir_all(root).map_err(|error| cannot_write(root, &error))?;
        Ok(Self { root: root.to_owned(), markers, recipient, keys, steps: steps.into_iter(), documents, begun: now() })
    }

    /// Writes the commits up to the one that is to be rolled out.
    pub(super) async fn write_until_rolled_out(&mut self) -> Result<(), Why> {
        git(&self.root, &["init", "--quiet", "--initial-branch=main"], &[]).await?;
        while let Some(step) = self.steps.next() {
            self.commit(&step).await?;
            if step.rolled_out {
                break;
            }
        }
        Ok(())
    }

    /// Writes the commits that wait to be rolled out.
    pub(super) async fn write_rest(&mut self) -> Result<(), Why> {
        while let Some(step) = self.steps.next() {
            self.commit(&step).await?;
        }
        Ok(())
    }

    async fn commit(&self, step: &Step) -> Result<(), Why> {
        let at = self.begun - step.minutes_ago * 60_000;
        for path in &step.add {
            self.add(path, at)?;
        }
        for set in &step.set {
            self.set(set, at)?;
        }
        for replace in &step.replace {
            self.replace(replace)?;
        }
        let date = format!("{} +0000", at / 1000);
        let identity = [
            ("GIT_AUTHOR_NAME", step.author.as_str()),
            ("GIT_AUTHOR_EMAIL", step.email.as_str()),
            ("GIT_AUTHOR_DATE", date.as_str()),
            ("GIT_COMMITTER_NAME", step.author.as_str()),
            ("GIT_COMMITTER_EMAIL", step.email.as_str()),
            ("GIT_COMMITTER_DATE", date.as_str()),
        ];
        git(&self.root, &["add", "--all"], &[]).await?;
        let mut message = vec!["commit", "--quiet", "--no-verify", "--no-gpg-sign", "--message", &step.subject];
        if !step.body.is_empty() {
            message.extend(["--message", &step.body]);
        }
        git(&self.root, &message, &identity).await
    }

    fn add(&self, path: &str, at: i64) -> Result<(), Why> {
        let plain = FILES.iter().chain([&VERSION_FILE]).find(|(name, _)| *name == path);
        if let Some((_, text)) = plain {
            return self.write(path, self.marked(text)?.as_bytes());
        }
        let document = self.documents.get(path).ok_or_else(|| Why::new(format!("the demo has no file {path}")))?;
        let node = self.node(document)?;
        let rule = CreationRule::for_age(std::slice::from_ref(&self.recipient), Rules::default());
        let bytes = sops::encrypt_node(path, &node, &rule, &self.keys, &stamp(at)).map_err(|error| failed(&error))?;
        self.write(path, &bytes)
    }

    fn set(&self, set: &Set, at: i64) -> Result<(), Why> {
        let path = self.root.join(&set.file);
        let bytes = std::fs::read(&path).map_err(|error| cannot_write(&path, &error))?;
        let document = Document::parse(&set.file, &bytes).map_err(|error| failed(&error))?;
        let opened = document.unlock(&self.keys, sops::MacPolicy::Verify).map_err(|error| failed(&error))?;
        let mut plain = opened.node().map_err(|error| failed(&error))?.clone();
        let steps: Vec<&str> = set.pointer.split('/').skip(1).collect();
        put(&mut plain, &steps, self.node(&set.value)?);
        let bytes = opened.replace(&plain, &stamp(at)).map_err(|error| failed(&error))?;
        self.write(&set.file, &bytes)
    }

    fn replace(&self, replace: &Replace) -> Result<(), Why> {
        let path = self.root.join(&replace.file);
        let text = std::fs::read_to_string(&path).map_err(|error| cannot_write(&path, &error))?;
        if text.matches(&replace.from).count() != 1 {
            return Err(Why::new(format!("{} does not say `{}` exactly once", replace.file, replace.from)));
        }
        self.write(&replace.file, text.replacen(&replace.from, &replace.to, 1).as_bytes())
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), Why> {
        let path = self.root.join(path);
        let folder = path.parent().unwrap_or(&self.root);
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&path, bytes))
            .map_err(|error| cannot_write(&path, &error))
    }

    fn node(&self, value: &Value) -> Result<Node, Why> {
        Ok(match value {
            Value::Null => Node::Leaf(sops::Leaf::Null),
            Value::Bool(value) => Node::Leaf(sops::Leaf::Bool(*value)),
            Value::Number(number) => Node::number(number.to_string()),
            Value::String(text) => Node::text(self.marked(text)?),
            Value::Array(items) => Node::List(items.iter().map(|item| self.node(item)).collect::<Result<_, _>>()?),
            Value::Object(members) => Node::Map(
                members.iter().map(|(key, value)| Ok((key.clone(), self.node(value)?))).collect::<Result<_, Why>>()?,
            ),
        })
    }

    fn marked(&self, text: &str) -> Result<String, Why> {
        filled(text, &self.markers)
    }
}

/// Fills the markers in: `{{random 24}}` by as many random letters and digits, the others by what they stand for.
pub(super) fn filled(text: &str, markers: &BTreeMap<&'static str, String>) -> Result<String, Why> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((marker, after)) = after.split_once("}}") else { break };
        filled.push_str(before);
        match (marker.strip_prefix("random ").map(str::parse), markers.get(marker)) {
            (Some(Ok(length)), _) => filled.push_str(&random(length)?),
            (_, Some(value)) => filled.push_str(value),
            _ => return Err(Why::new(format!("the demo has no marker {marker}"))),
        }
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// Sets a value in a tree; objects that are missing on the way are made.
fn put(node: &mut Node, steps: &[&str], value: Node) {
    let Some((first, rest)) = steps.split_first() else {
        *node = value;
        return;
    };
    if !matches!(node, Node::Map(_)) {
        *node = Node::Map(Vec::new());
    }
    let Node::Map(members) = node else { return };
    let at = members.iter().position(|(key, _)| key == first).unwrap_or_else(|| {
        members.push(((*first).to_owned(), Node::Map(Vec::new())));
        members.len() - 1
    });
    put(&mut members[at].1, rest, value);
}

/// Letters and digits from the system's random numbers, each as likely as any other.
pub(super) fn random(length: usize) -> Result<String, Why> {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let mut bytes = [0_u8; 64];
        getrandom::fill(&mut bytes)
            .map_err(|error| Why::new(format!("the system gives no random numbers: {error}")))?;
        // 248 is the largest multiple of 62 in a byte; what is above would make some letters more likely.
        let letters = bytes.iter().filter(|byte| **byte < 248).map(|byte| char::from(LETTERS[usize::from(byte % 62)]));
        text.extend(letters.take(length - text.len()));
    }
    Ok(text)
}

/// A time as sops writes it: RFC 3339, whole seconds, in UTC.
fn stamp(at: i64) -> String {
    crate::ops::schema::time(at / 1000 * 1000)
}

pub(super) fn cannot_write(path: &Path, error: &std::io::Error) -> Why {
    Why::new(format!("cannot write {}: {error}", path.display()))
}

/// Runs git without the user's own configuration, which may ask for signatures or hooks.
pub(super) async fn git(root: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Result<(), Why> {
    let output = Command::new("git")
        .args(["-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0"])
        .args(arguments)
        .envs(environment.iter().copied())
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .current_dir(root)
        .stdin(std::process::Stdio::null())
        .output()
        .await
        .map_err(|error| Why::new(format!("cannot run git: {error}")).hint("install git"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Why::new(format!("git {} ended with {}: {said}", arguments.first().unwrap_or(&""), output.status)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history() -> History {
        let root = tempfile::tempdir().unwrap().keep();
        History::begin(&root, BTreeMap::from([("region", "here".to_owned())]), String::new(), Keys::default()).unwrap()
    }

    #[test]
    fn every_file_of_the_history_exists() {
        let mut history = history();
        for step in history.steps.by_ref() {
            for path in step.add {
                let plain = FILES.iter().chain([&VERSION_FILE]).any(|(name, _)| *name == path);
                assert!(plain || history.documents.contains_key(&path), "{path}");
            }
        }
    }

    #[test]
    fn each_random_marker_gets_a_value_of_its_own() {
        let text = history().marked("a{{random 8}}-{{random 8}}-{{region}}").unwrap();
        let parts: Vec<&str> = text.split('-').collect();
        assert_eq!((parts[0].len(), parts[1].len(), parts[2]), (9, 8, "here"));
        assert_ne!(parts[0].strip_prefix('a'), Some(parts[1]));
    }

    #[test]
    fn a_missing_object_is_made_on_the_way() {
        let mut node = Node::Map(vec![("a".into(), Node::number("1"))]);
        put(&mut node, &["b", "c"], Node::text("x"));
        assert!(node.get(&["b", "c"]).is_some());
        put(&mut node, &["a"], Node::number("2"));
        assert_eq!(node.get(&["a"]), Some(&Node::number("2")));
    }
}
