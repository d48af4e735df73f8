//! The line of the working tree's file that says what an item should be.
//!
//! A guess by the look of JSON, YAML and dotenv: documents may be encrypted, half edited, or no documents at all, and a line that
//! is near enough is worth more than a parser's complaint.

use std::path::{Path, PathBuf};

use super::session::Session;
use crate::compare::Why;

/// A file of the working tree and the line, from 1, where an item's key stands; 1 where no line has it.
pub async fn place(session: &Session, file: &str, name: &str) -> Result<(PathBuf, usize), Why> {
    let repository = session.repository.as_ref().ok().filter(|repository| !repository.is_bare());
    let mut roots = vec![session.root.as_path()];
    roots.extend(repository.map(crate::git::Repository::root));
    let found = roots.into_iter().map(|root| root.join(file)).find(|path| path.exists());
    let path = found.ok_or_else(|| {
        Why::new(format!("{file} is not in the working tree"))
            .hint("the compared commit has it, and this checkout has not")
    })?;
    let line = if path.is_dir() { 1 } else { line_in(&path, name).await };
    Ok((path, line))
}

async fn line_in(path: &Path, name: &str) -> usize {
    // What cannot be read is for the editor to tell.
    let text = tokio::fs::read(path).await.unwrap_or_default();
    line_of(&String::from_utf8_lossy(&text), name)
}

/// The line of the key that a name ends with: the longest end whose keys follow each other in the text.
fn line_of(text: &str, name: &str) -> usize {
    let parts: Vec<&str> = name.split(['/', '.']).filter(|part| !part.is_empty()).collect();
    let lines: Vec<&str> = text.lines().collect();
    (0..parts.len()).find_map(|from| descend(&lines, &parts[from..])).map_or(1, |at| at + 1)
}

/// The line, from 1, of the last of some keys, each below the one before.
pub(super) fn line_of_keys(text: &str, keys: &[&str]) -> Option<usize> {
    let lines: Vec<&str> = text.lines().collect();
    descend(&lines, keys).map(|at| at + 1)
}

/// Where each of these keys stands below the one before, deeper than it; the place of the last.
fn descend(lines: &[&str], keys: &[&str]) -> Option<usize> {
    let (first, rest) = keys.split_first()?;
    let starts = lines.iter().enumerate().filter(|(_, line)| has_key(line, first)).map(|(at, _)| at);
    for start in starts {
        if rest.is_empty() {
            return Some(start);
        }
        let deep = indent(lines[start]);
        let below = lines[start + 1..].iter().take_while(|line| line.trim().is_empty() || indent(line) > deep).count();
        if let Some(found) = descend(&lines[start + 1..=start + below], rest) {
            return Some(start + 1 + found);
        }
    }
    None
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn has_key(line: &str, key: &str) -> bool {
    let line = line.trim_start().trim_start_matches(['{', '-', ' ']);
    let rest = match line.strip_prefix(['"', '\'']) {
        Some(quoted) => quoted.strip_prefix(key).and_then(|rest| rest.strip_prefix(['"', '\''])),
        None => line.strip_prefix(key),
    };
    rest.is_some_and(|rest| rest.trim_start().starts_with([':', '=']))
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = "{\n  \"db\": {\n    \"pool_size\": \"ENC[AES256_GCM,data:x]\",\n    \"host\": \"h\"\n  },\n  \
                        \"pool_size\": 3,\n  \"sops\": {\n    \"mac\": \"x\"\n  }\n}\n";
    const YAML: &str =
        "Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n  CheckoutFn:\n    Type: AWS::Lambda::Function\n";

    #[test]
    fn a_name_s_end_is_found_as_keys_below_each_other() {
        let rows = [
            (JSON, "/checkout/prod/db/pool_size", 3),
            (JSON, "/checkout/prod/db/host", 4),
            (JSON, "/checkout/prod/pool_size", 3),
            (JSON, "/checkout/prod/db.pool_size", 3),
            (JSON, "/checkout/prod/nothing", 1),
            (YAML, "petshop-prod/CheckoutFn", 4),
            ("ONE=1\nTWO=2\n", "/checkout/prod/TWO", 2),
            ("", "/a/b", 1),
            ("- name: x\n", "name", 1),
        ];
        for (text, name, line) in rows {
            assert_eq!(line_of(text, name), line, "{name}");
        }
    }
}
