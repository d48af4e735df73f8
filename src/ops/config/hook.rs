//! What git is taught: to refuse a commit that holds plain text, to show and to merge encrypted documents by their values.
//!
//! Git itself is asked what is staged, since a commit may have an index of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use zeroize::Zeroizing;

use super::check::documents;
use super::file::cannot;
use super::layer::find_rule;
use super::opener::{Opener, now, told};
use crate::compare::Why;
use crate::config::{Project, Settings, mapping};
use crate::sops::{self, Conflict, Document, Format, Node};

/// The first line of what is written into git's attributes, and the last.
const MARKS: (&str, &str) = ("# plumb hook install: begin", "# plumb hook install: end");

/// The name by which git knows the diff and merge drivers.
const DRIVER: &str = "plumb";

/// Why a staged file may not be committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its path from the repository's top.
    pub file: String,
    /// Why, and what to do.
    pub why: Why,
}

/// Looks at what is staged: every file that a creation rule covers, and what the project keeps secret, has to be encrypted.
pub fn guard(settings: Option<&Settings>) -> Result<Vec<Refused>, Why> {
    let top = top(Path::new("."))?;
    let names = git(&top, &["diff", "--cached", "--name-only", "-z", "--no-renames", "--diff-filter=d"])?;
    let names: Vec<String> = names
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .map(|name| String::from_utf8_lossy(name).into())
        .collect();
    let secret = settings.map(|settings| kept_secret(settings, &top, &names)).unwrap_or_default();
    let mut refused = Vec::new();
    for file in names {
        if let Some(why) = judge(&top, &file, secret.get(&file).copied().unwrap_or_default())? {
            refused.push(Refused { file, why });
        }
    }
    Ok(refused)
}

fn judge(top: &Path, file: &str, secret: bool) -> Result<Option<Why>, Why> {
    let rules = file == ".sops.yaml" || file.ends_with("/.sops.yaml");
    let rule = find_rule(&top.join(file), file);
    // A rule file that cannot be read refuses nothing but itself; what is secret stays so without any rule.
    if rules || !(secret || matches!(rule, Ok(Some(_)))) {
        return Ok(None);
    }
    let bytes = git(top, &["cat-file", "blob", &format!(":{file}")])?;
    let document = match Document::parse(file, &bytes) {
        Ok(document) => document,
        Err(error) => return Ok(Some(told(&error))),
    };
    if !document.is_encrypted() {
        let hint = format!("plumb config encrypt --in-place {file} && git add {file}");
        return Ok(Some(Why::new("it is not encrypted").hint(hint)));
    }
    let clear: Vec<String> = document.unsealed().iter().map(|path| path.join(".")).collect();
    let hint = "plumb config set puts values in encrypted; what stands there now is to be taken out by hand";
    Ok((!clear.is_empty()).then(|| Why::new(format!("not encrypted in it: {}", clear.join(", "))).hint(hint)))
}

/// The staged files of the project, from the repository's top, and whether each has to be encrypted whatever the rules say.
fn kept_secret(settings: &Settings, top: &Path, names: &[String]) -> BTreeMap<String, bool> {
    let Some(prefix) = settings.root.as_deref().and_then(|root| prefix(top, root)) else { return BTreeMap::new() };
    let within: Vec<&str> = names.iter().filter_map(|name| name.strip_prefix(prefix.as_str())).collect();
    let sorted = settings.environments.iter().map(|each| mapping::sort_files(&settings.project, &each.name, &within));
    let found = documents(&settings.project, &sorted.collect::<Vec<_>>());
    found.into_iter().map(|(file, secret)| (format!("{prefix}{file}"), secret)).collect()
}

/// The project's folder within the repository, empty or with a slash at its end.
fn prefix(top: &Path, root: &Path) -> Option<String> {
    let root = root.canonicalize().ok()?;
    let within = root.strip_prefix(top).ok()?.to_string_lossy().into_owned();
    Some(if within.is_empty() { within } else { format!("{within}/") })
}

/// Teaches a repository the hook and the drivers; tells what was done. A hook of somebody else's stays as it is.
pub fn install(project: &Project, root: Option<&Path>, program: &Path) -> Result<Vec<String>, Why> {
    let top = top(root.unwrap_or(Path::new(".")))?;
    let root = root.unwrap_or(&top);
    let prefix = prefix(&top, root).ok_or_else(|| Why::new("the project lies outside of this repository"))?;
    let place =
        if prefix.is_empty() { String::new() } else { format!(" --project {}", quoted(prefix.trim_end_matches('/'))) };
    let plumb = format!("{}{place} hook", quoted(&program.display().to_string()));
    let mut done = Vec::new();

    let mut patterns: Vec<&str> = project.secrets.iter().map(|secret| secret.file.as_str()).collect();
    patterns.extend(project.config.iter().flat_map(|tree| tree.files.iter().map(String::as_str)));
    let lines: Vec<String> =
        patterns.iter().map(|text| format!("{} diff={DRIVER} merge={DRIVER}", glob(&prefix, text))).collect();
    let attributes = top.join(path_of(&top, "info/attributes")?);
    let old = std::fs::read_to_string(&attributes).unwrap_or_default();
    let own = format!("{}\n{}\n{}\n", MARKS.0, lines.join("\n"), MARKS.1);
    let kept = match (old.find(MARKS.0), old.find(MARKS.1)) {
        (Some(begin), Some(end)) if begin < end => {
            format!("{}{}", &old[..begin], old[end + MARKS.1.len()..].trim_start_matches('\n'))
        }
        _ => old.clone(),
    };
    let line_ends = if kept.is_empty() || kept.ends_with('\n') { "" } else { "\n" };
    write(&attributes, &format!("{kept}{line_ends}{own}"), false)?;
    for (key, value) in [
        ("diff.plumb.textconv", format!("{plumb} textconv")),
        // Git would keep the plain text in its object database.
        ("diff.plumb.cachetextconv", "false".to_owned()),
        ("merge.plumb.name", "encrypted documents, value by value".to_owned()),
        ("merge.plumb.driver", format!("{plumb} merge %O %A %B %P")),
    ] {
        git(&top, &["config", "--local", key, &value])?;
    }
    done.push(format!("git diff and git merge read encrypted documents ({})", attributes.display()));

    let hook = top.join(path_of(&top, "hooks")?).join("pre-commit");
    let script = format!("#!/bin/sh\n# Refuses plain text in encrypted documents.\nexec {plumb} run\n");
    match std::fs::read_to_string(&hook) {
        Ok(old) if old != script && !old.contains("hook run") => {
            return Err(Why::new(format!(
                "{} is there already and was not touched; the drivers are installed",
                hook.display()
            ))
            .hint(format!("add this line to it: {plumb} run || exit 1")));
        }
        Ok(old) if old != script => done.push(format!("{} calls plumb already", hook.display())),
        _ => {
            write(&hook, &script, true)?;
            done.push(format!("a commit with plain text is refused ({})", hook.display()));
        }
    }
    Ok(done)
}

/// A pattern of files as git's attributes have it.
fn glob(prefix: &str, pattern: &str) -> String {
    let mut glob = format!("/{prefix}");
    let mut rest = pattern;
    while let Some((before, hole)) = rest.split_once('{') {
        glob.push_str(before);
        glob.push('*');
        rest = hole.split_once('}').map_or("", |(_, after)| after);
    }
    glob.push_str(rest);
    if glob.contains([' ', '"', '\\']) { format!("{glob:?}") } else { glob }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn write(path: &Path, text: &str, program: bool) -> Result<(), Why> {
    let written = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(path, text));
    written.map_err(|error| cannot("write", &path.display().to_string(), &error))?;
    #[cfg(unix)]
    if program {
        use std::os::unix::fs::PermissionsExt as _;

        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(path, mode).map_err(|error| cannot("write", &path.display().to_string(), &error))?;
    }
    Ok(())
}

/// What a diff shows of a file: its plain text, and where that cannot be had the file as it is.
#[must_use]
pub fn readable(opener: &Opener, name: &str, bytes: Vec<u8>) -> Zeroizing<Vec<u8>> {
    let unlocked = Document::parse(name, &bytes).ok().filter(Document::is_encrypted);
    let plain = unlocked.and_then(|document| opener.open(&document).ok().map(|unlocked| unlocked.plain_text()));
    plain.unwrap_or_else(|| Zeroizing::new(bytes))
}

/// The three versions of a file that git wants merged, as files of their own; the result goes to `ours`.
#[derive(Debug, Clone)]
pub struct Versions {
    /// The one that both come from; empty where there is none.
    pub base: PathBuf,
    /// Our side's.
    pub ours: PathBuf,
    /// The other side's.
    pub theirs: PathBuf,
    /// The file's own name.
    pub name: String,
}

/// How a merge went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merging {
    /// All of it.
    Whole,
    /// These keys have our side's value and were changed by both; each with what the other side did.
    Conflicts(Vec<(String, &'static str)>),
    /// The files are not encrypted, and git merged them as text; whether without a conflict.
    AsText(bool),
}

/// Merges by values. After an error, and where it conflicts, `ours` is a whole document: never one with git's marks in it.
pub fn merge(opener: &Opener, versions: &Versions) -> Result<Merging, Why> {
    let Versions { base, ours, theirs, name } = versions;
    let format = Format::of_path(name);
    let read = |path: &Path| std::fs::read(path).map_err(|error| cannot("read", name, &error));
    let parse = |bytes: &[u8]| Document::parse_as(name, bytes, format).map_err(|error| told(&error));
    let (base_bytes, ours_bytes, theirs_bytes) = (read(base)?, read(ours)?, read(theirs)?);
    let (mine, other) = (parse(&ours_bytes)?, parse(&theirs_bytes)?);
    if !mine.is_encrypted() && !other.is_encrypted() {
        return as_text(versions);
    }
    if !(mine.is_encrypted() && other.is_encrypted()) {
        return Err(Why::new(format!("{name} is encrypted on one side only, and ours is kept")));
    }
    let before = if base_bytes.iter().all(u8::is_ascii_whitespace) { None } else { Some(parse(&base_bytes)?) };
    // What both come from may have been plain; then it tells nothing of theirs.
    let before = before.filter(Document::is_encrypted);
    let before = before.as_ref().map(|document| opener.open(document)).transpose()?;
    let (mine, other) = (opener.open(&mine)?, opener.open(&other)?);
    let merged = sops::merge(before.as_ref(), &mine, &other, &now()).map_err(|error| told(&error))?;
    std::fs::write(ours, &merged.bytes).map_err(|error| cannot("write", name, &error))?;
    if merged.conflicts.is_empty() {
        return Ok(Merging::Whole);
    }
    Ok(Merging::Conflicts(
        merged.conflicts.iter().map(|conflict| (conflict.path.join("."), theirs_did(conflict))).collect(),
    ))
}

fn theirs_did(conflict: &Conflict) -> &'static str {
    match (&conflict.base, &conflict.theirs) {
        (_, None) => "removed it",
        (None, Some(_)) => "added another value",
        (Some(Node::Leaf(_)), Some(Node::Leaf(_))) => "changed it to another value",
        (Some(_), Some(_)) => "changed it in another way",
    }
}

fn as_text(versions: &Versions) -> Result<Merging, Why> {
    let mut merge = Command::new("git");
    merge.args(["merge-file", "-L", "ours", "-L", "base", "-L", "theirs"]);
    let status = merge.arg(&versions.ours).arg(&versions.base).arg(&versions.theirs).status();
    let status = status.map_err(|error| Why::new(format!("cannot run git merge-file: {error}")))?;
    Ok(Merging::AsText(status.success()))
}

/// The top of the working tree that a directory lies in.
fn top(directory: &Path) -> Result<PathBuf, Why> {
    let told = git(directory, &["rev-parse", "--show-toplevel"])?;
    let path = PathBuf::from(String::from_utf8_lossy(&told).trim_end_matches('\n'));
    path.canonicalize().map_err(|error| cannot("find", &path.display().to_string(), &error))
}

fn path_of(top: &Path, name: &str) -> Result<PathBuf, Why> {
    let told = git(top, &["rev-parse", "--git-path", name])?;
    Ok(PathBuf::from(String::from_utf8_lossy(&told).trim_end_matches('\n')))
}

/// What the operator's own git says.
pub(in crate::ops) fn git(directory: &Path, arguments: &[&str]) -> Result<Vec<u8>, Why> {
    let mut command = Command::new("git");
    let output = command.current_dir(directory).args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|error| Why::new(format!("cannot run git: {error}")).hint("is git installed?"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let first = said.lines().next().unwrap_or("it failed without a word");
    Err(Why::new(format!("git {}: {first}", arguments.first().copied().unwrap_or_default())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_of_files_is_one_of_attributes() {
        let rows = [
            ("", "config/{service}/{env}/config.json", "/config/*/*/config.json"),
            ("apps/shop/", "secrets/{env}.json", "/apps/shop/secrets/*.json"),
            ("", "a b/{env}.env", "\"/a b/*.env\""),
            ("", "plain.json", "/plain.json"),
        ];
        for (prefix, pattern, expected) in rows {
            assert_eq!(glob(prefix, pattern), expected);
        }
        assert_eq!(quoted("it's"), "'it'\\''s'");
    }
}
