//! Reading TOML tables key by key, with a complaint for everything that does not fit.
//!
//! Which keys are valid is not written down twice: they are the ones that were asked for. Mistakes do not
//! end the reading, so that all of them are reported at once.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;

use serde_spanned::Spanned;
use toml::de::{DeTable, DeValue};

mod values;

pub use values::Period;

use super::error::{Complaint, Error};
use super::near::suggestion;
use super::origin::{Leaf, Origins};

/// What is wrong with a value, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) why: String,
    pub(super) hint: Option<String>,
}

impl Wrong {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// A file that is being read.
pub(super) struct Source<'t> {
    file: &'t str,
    text: &'t str,
    log: RefCell<Log>,
}

#[derive(Default)]
struct Log {
    complaints: Vec<Complaint>,
    leaves: Vec<Leaf>,
    asked: BTreeSet<String>,
    found: BTreeSet<String>,
}

/// Parses a file and reads its root table with a function that takes the sections apart.
pub(super) fn read<T>(
    file: &str,
    text: &str,
    take: impl FnOnce(&mut Section<'_, '_>) -> T,
) -> Result<(T, Origins), Error> {
    let source = Source { file, text, log: RefCell::default() };
    let (root, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(Error::Invalid(errors.iter().map(|error| source.syntax(error)).collect()));
    }
    let mut section =
        Section { source: &source, table: root.get_ref(), path: String::new(), line: 1, asked: Vec::new() };
    let taken = take(&mut section);
    section.finish();
    let mut log = source.log.into_inner();
    if log.complaints.is_empty() {
        return Ok((taken, Origins { file: file.to_owned(), leaves: log.leaves }));
    }
    log.complaints.sort_by_key(|complaint| complaint.line);
    Err(Error::Invalid(log.complaints))
}

/// Keys that could have been in the file and are not: `environments.*.region`, `stacks[].name`.
#[cfg(test)]
pub(super) fn missing(text: &str, take: impl FnOnce(&mut Section<'_, '_>)) -> Vec<String> {
    let source = Source { file: "", text, log: RefCell::default() };
    let root = DeTable::parse(text).unwrap();
    take(&mut Section { source: &source, table: root.get_ref(), path: String::new(), line: 1, asked: Vec::new() });
    let log = source.log.into_inner();
    log.asked.difference(&log.found).cloned().collect()
}

impl Source<'_> {
    fn line(&self, span: &Range<usize>) -> usize {
        let end = span.start.min(self.text.len());
        1 + self.text.bytes().take(end).filter(|byte| *byte == b'\n').count()
    }

    fn syntax(&self, error: &toml::de::Error) -> Complaint {
        let span = error.span().unwrap_or(0..0);
        let at = self.text.get(span.clone()).unwrap_or_default();
        let key = if at.is_empty() || at.contains(['\n', '=']) { String::new() } else { at.to_owned() };
        let why = error.message().trim().to_owned();
        Complaint { file: self.file.to_owned(), line: self.line(&span), key, why, hint: None }
    }

    fn complain(&self, line: usize, key: String, wrong: Wrong) {
        let file = self.file.to_owned();
        self.log.borrow_mut().complaints.push(Complaint { file, line, key, why: wrong.why, hint: wrong.hint });
    }
}

/// One table of the file.
pub(super) struct Section<'s, 't> {
    source: &'s Source<'t>,
    table: &'s DeTable<'t>,
    /// Path from the root; empty for the root itself.
    pub(super) path: String,
    /// Line of its header.
    pub(super) line: usize,
    asked: Vec<&'static str>,
}

/// A value that was found, with where.
struct Found<'s, 't> {
    value: &'s Spanned<DeValue<'t>>,
    line: usize,
    path: String,
}

impl<'s, 't> Section<'s, 't> {
    /// A table within this one.
    pub(super) fn section(&mut self, key: &'static str) -> Option<Section<'s, 't>> {
        let found = self.find(key)?;
        self.below(found)
    }

    /// Tables in a list: `[[stacks]]`.
    pub(super) fn sections(&mut self, key: &'static str) -> Vec<Section<'s, 't>> {
        let Some(found) = self.find(key) else { return Vec::new() };
        let DeValue::Array(list) = found.value.get_ref() else {
            self.mistyped(&found, &format!("a list of tables, each under [[{key}]]"));
            return Vec::new();
        };
        let each = list.iter().enumerate().filter_map(|(index, value)| {
            let line = self.source.line(&value.span());
            self.below(Found { value, line, path: format!("{}[{index}]", found.path) })
        });
        each.collect()
    }

    /// Tables under names of the user's choosing: `[environments.prod]`.
    pub(super) fn named(&mut self, key: &'static str) -> Vec<(String, Section<'s, 't>)> {
        let entries = self.entries(key);
        entries.into_iter().filter_map(|(name, found)| Some((name, self.below(found)?))).collect()
    }

    /// Complains about every key that nobody asked for.
    pub(super) fn finish(self) {
        for key in self.table.keys() {
            let name = key.get_ref();
            if !self.asked.iter().any(|asked| *asked == name.as_ref()) {
                let wrong = Wrong::new("unknown key").hint(suggestion(name, self.asked.iter().copied()));
                self.source.complain(self.source.line(&key.span()), self.path_of(name), wrong);
            }
        }
    }

    /// Complains about a key, at its line when it is there and at the table's when it is not.
    pub(super) fn complain_at(&self, key: &str, wrong: Wrong) {
        let line = self.entry(key).map_or(self.line, |(line, _)| line);
        self.source.complain(line, self.path_of(key), wrong);
    }

    /// Complains about the table itself.
    pub(super) fn complain(&self, wrong: Wrong) {
        self.source.complain(self.line, self.path.clone(), wrong);
    }

    /// Whether the key is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    fn entry(&self, key: &str) -> Option<(usize, &'s Spanned<DeValue<'t>>)> {
        let (name, value) = self.table.iter().find(|(name, _)| name.get_ref() == key)?;
        Some((self.source.line(&name.span()), value))
    }

    fn find(&mut self, key: &'static str) -> Option<Found<'s, 't>> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        let path = self.path_of(key);
        let generic = generic(&path);
        let entry = self.entry(key);
        let mut log = self.source.log.borrow_mut();
        if entry.is_some() {
            log.found.insert(generic.clone());
        }
        log.asked.insert(generic);
        entry.map(|(line, value)| Found { value, line, path })
    }

    fn entries(&mut self, key: &'static str) -> Vec<(String, Found<'s, 't>)> {
        let Some(found) = self.find(key) else { return Vec::new() };
        let DeValue::Table(table) = found.value.get_ref() else {
            self.mistyped(&found, "a table");
            return Vec::new();
        };
        let each = table.iter().map(|(name, value)| {
            let line = self.source.line(&name.span());
            (
                name.get_ref().to_string(),
                Found { value, line, path: format!("{}.{}", found.path, quoted(name.get_ref())) },
            )
        });
        each.collect()
    }

    fn below(&self, found: Found<'s, 't>) -> Option<Section<'s, 't>> {
        let DeValue::Table(table) = found.value.get_ref() else {
            self.mistyped(&found, "a table");
            return None;
        };
        Some(Section { source: self.source, table, path: found.path, line: found.line, asked: Vec::new() })
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { quoted(key) } else { format!("{}.{}", self.path, quoted(key)) }
    }

    fn mistyped(&self, found: &Found<'_, '_>, wanted: &str) {
        let wrong = Wrong::new(format!("expected {wanted}, found {}", values::article(found.value.get_ref())));
        self.source.complain(found.line, found.path.clone(), wrong);
    }

    fn leaf(&self, found: &Found<'_, '_>, value: String) {
        let leaf = Leaf { path: found.path.clone(), value, line: Some(found.line) };
        self.source.log.borrow_mut().leaves.push(leaf);
    }

    fn defaulted(&self, key: &str, value: &str) {
        if !self.has(key) {
            let leaf = Leaf { path: self.path_of(key), value: value.to_owned(), line: None };
            self.source.log.borrow_mut().leaves.push(leaf);
        }
    }
}

/// `environments.prod.region` with the parts of the user's choosing left open.
fn generic(path: &str) -> String {
    let mut parts: Vec<String> =
        path.split('.').map(|part| part.split('[').next().unwrap_or_default().to_owned()).collect();
    if parts.len() > 2 && parts[0] == "environments" {
        let last = parts.pop().unwrap_or_default();
        parts = vec!["environments".into(), "*".into(), last];
    }
    parts.join(".")
}

/// A key as it would have to be written in TOML.
pub(super) fn quoted(key: &str) -> String {
    let bare = !key.is_empty() && key.chars().all(|char| char.is_ascii_alphanumeric() || char == '-' || char == '_');
    if bare { key.to_owned() } else { format!("{key:?}") }
}
