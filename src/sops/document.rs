//! A document as it lies in git, and what can be said of it without a key.

use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;

use super::cipher::Sealed;
use super::error::Error;
use super::format::Format;
use super::json;
use super::key::{KeyService, Recipient, WrappedKey};
use super::metadata::Metadata;
use super::open::{self, Opened};
use super::raw::{Kind, Member, Parsed, Raw, Remark};
use super::selector::{Hit, Selector};
use super::store;
use super::tree::{Leaf, Node};
use crate::secret::Secret;

/// Maps with more keys are looked up by an index.
const FEW: usize = 32;

/// A parsed file, still encrypted; or a plain one (without metadata). `Debug` shows its name only.
#[derive(Clone)]
pub struct Document {
    pub(super) name: String,
    pub(super) format: Format,
    pub(super) parsed: Parsed,
    pub(super) metadata: Option<Metadata>,
    /// Places of the members of large maps, by where the map begins.
    index: OnceLock<HashMap<(usize, String), usize>>,
}

/// What to do about the message authentication code on opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MacPolicy {
    /// A wrong one is an error.
    Verify,
    /// A wrong one is only told, by [`Opened::mac_problem`]: each value is still authentic by itself, but any may be
    /// missing, added in clear, or swapped within its list. Whoever asks for this says so loudly.
    Ignore,
}

/// A value, or a part, as the file has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RawLeaf {
    /// The ciphertext exactly as in the file (`ENC[…]`); of a part with several values, its compact JSON.
    Encrypted(String),
    /// Not encrypted: canonical JSON text (compact, numbers as written).
    Clear(Secret),
}

impl RawLeaf {
    /// The text to digest.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Encrypted(text) => text,
            Self::Clear(text) => text.expose(),
        }
    }

    /// Whether any of it is encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        matches!(self, Self::Encrypted(_))
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("name", &self.name)
            .field("encrypted", &self.is_encrypted())
            .finish_non_exhaustive()
    }
}

impl Document {
    /// Parses a file in the format that its name tells ([`Format::of_path`]); `name` is for errors, too. Duplicate keys,
    /// bytes that are not UTF-8, text behind the end and unusable metadata are errors.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, Error> {
        Self::parse_as(name, bytes, Format::of_path(name))
    }

    /// The same in a format of one's own choice.
    pub fn parse_as(name: &str, bytes: &[u8], format: Format) -> Result<Self, Error> {
        let parsed = store::parse(name, bytes, format)?;
        let held = parsed.parts.first().and_then(|part| part.sops.as_ref());
        let metadata = held
            .map(|held| Metadata::read(&held.raw))
            .transpose()
            .map_err(|why| Error::Metadata { name: name.to_owned(), why })?;
        Ok(Self { name: name.to_owned(), format, parsed, metadata, index: OnceLock::new() })
    }

    /// The name that was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it is written.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// How many documents the file has: more than one only in YAML. What tells of *the* tree is about the first.
    #[must_use]
    pub fn count(&self) -> usize {
        self.parsed.parts.len()
    }

    /// Whether it has metadata of sops.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.metadata.is_some()
    }

    /// The tree of a plain document; `None` for an encrypted one.
    #[must_use]
    pub fn plain(&self) -> Option<Node> {
        self.metadata.is_none().then(|| self.as_written())
    }

    /// The tree as the file has it, ciphertexts and all, without the metadata.
    #[must_use]
    pub fn as_written(&self) -> Node {
        self.root().map_or_else(|| Node::Map(Vec::new()), Raw::as_written)
    }

    fn root(&self) -> Option<&Raw> {
        self.parsed.parts.first().map(|part| &part.root)
    }

    fn members(&self) -> &[Member] {
        self.root().and_then(Raw::map).unwrap_or_default()
    }

    /// Every value with its path: keys from the root; in a list a component is the position in decimal digits. Empty
    /// objects and lists count as values.
    #[must_use]
    pub fn leaves(&self) -> Vec<(Vec<String>, RawLeaf)> {
        let mut found = Vec::new();
        let mut path = Vec::new();
        for member in self.members() {
            self.collect(&member.key, &member.value, self.below(Hit::none(), member), &mut path, &mut found);
        }
        found
    }

    fn collect(
        &self,
        step: &str,
        raw: &Raw,
        hit: Hit,
        path: &mut Vec<String>,
        found: &mut Vec<(Vec<String>, RawLeaf)>,
    ) {
        path.push(step.to_owned());
        match &raw.kind {
            Kind::Map(members) if !members.is_empty() => {
                for member in members {
                    self.collect(&member.key, &member.value, self.below(hit, member), path, found);
                }
            }
            Kind::List(items) if !items.is_empty() => {
                for (at, item) in items.iter().enumerate() {
                    self.collect(&at.to_string(), item, self.item(hit, &item.before), path, found);
                }
            }
            _ => found.push((path.clone(), self.raw_leaf(raw, hit))),
        }
        path.pop();
    }

    /// The part under a path (as in [`Document::leaves`]): of one value its ciphertext, of an object or list its compact
    /// JSON with the ciphertexts inside. Equal text means equal plaintext, so a digest of it tells whether a part moved.
    #[must_use]
    pub fn subtree(&self, path: &[&str]) -> Option<RawLeaf> {
        let mut raw = self.root()?;
        let mut hit = Hit::none();
        for step in path {
            if let Some(items) = raw.list() {
                raw = items.get(step.parse::<usize>().ok()?)?;
                hit = self.item(hit, &raw.before);
            } else {
                let member = self.member(raw, step)?;
                hit = self.below(hit, member);
                raw = &member.value;
            }
        }
        Some(self.raw_leaf(raw, hit))
    }

    fn member<'a>(&self, raw: &'a Raw, key: &str) -> Option<&'a Member> {
        let members = raw.map()?;
        if members.len() <= FEW {
            return members.iter().find(|member| member.key == key);
        }
        let index = self.index.get_or_init(|| {
            let mut index = HashMap::new();
            if let Some(root) = self.root() {
                list_places(root, &mut index);
            }
            index
        });
        members.get(*index.get(&(raw.span.start, key.to_owned()))?)
    }

    fn raw_leaf(&self, raw: &Raw, hit: Hit) -> RawLeaf {
        if let Some(text) = self.sealed_text(raw, hit) {
            return RawLeaf::Encrypted(text.to_owned());
        }
        let text = json::compact(&raw.as_written());
        if self.any_sealed(raw, hit) { RawLeaf::Encrypted(text) } else { RawLeaf::Clear(Secret::new(text)) }
    }

    fn any_sealed(&self, raw: &Raw, hit: Hit) -> bool {
        match &raw.kind {
            Kind::Map(members) => members.iter().any(|member| self.any_sealed(&member.value, self.below(hit, member))),
            Kind::List(items) => items.iter().any(|item| self.any_sealed(item, self.item(hit, &item.before))),
            _ => self.sealed_text(raw, hit).is_some(),
        }
    }

    fn sealed_text<'a>(&self, raw: &'a Raw, hit: Hit) -> Option<&'a str> {
        let metadata = self.metadata.as_ref()?;
        raw.text().filter(|text| metadata.selector.encrypts(hit) && Sealed::parse(text).is_some())
    }

    fn below(&self, above: Hit, member: &Member) -> Hit {
        let selector = self.metadata.as_ref().map(|metadata| &metadata.selector);
        selector.map_or(above, |selector| selector.below(above, &member.key, &member.value.before))
    }

    fn item(&self, above: Hit, before: &[Remark]) -> Hit {
        self.metadata.as_ref().map_or(above, |metadata| metadata.selector.item(above, before))
    }

    /// Values in clear that the document's own rules want encrypted, as [`Document::leaves`] names them: somebody wrote into
    /// it without its key. Needs none either. None of a plain document.
    #[must_use]
    pub fn unsealed(&self) -> Vec<Vec<String>> {
        let mut found = Vec::new();
        let Some(metadata) = &self.metadata else { return found };
        for part in &self.parsed.parts {
            self.find_unsealed(&part.root, Hit::none(), &metadata.selector, &mut Vec::new(), &mut found);
        }
        found
    }

    fn find_unsealed(
        &self,
        raw: &Raw,
        hit: Hit,
        selector: &Selector,
        path: &mut Vec<String>,
        found: &mut Vec<Vec<String>>,
    ) {
        match &raw.kind {
            Kind::Map(members) => {
                for member in members {
                    path.push(member.key.clone());
                    self.find_unsealed(&member.value, self.below(hit, member), selector, path, found);
                    path.pop();
                }
            }
            Kind::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    path.push(at.to_string());
                    self.find_unsealed(item, self.item(hit, &item.before), selector, path, found);
                    path.pop();
                }
            }
            _ => {
                let clear = match raw.leaf() {
                    None | Some(Leaf::Null) => false,
                    Some(Leaf::Text(text)) => !text.expose().is_empty() && Sealed::parse(text.expose()).is_none(),
                    Some(_) => true,
                };
                if clear && selector.encrypts(hit) {
                    found.push(path.clone());
                }
            }
        }
    }

    /// Who can open it, readable: `age age1…`, `kms arn…`, `pgp …`.
    #[must_use]
    pub fn recipients(&self) -> Vec<String> {
        self.wrapped_keys().into_iter().map(ToString::to_string).collect()
    }

    /// Who can open it: one group of which any one can, or several groups of which some are needed.
    #[must_use]
    pub fn groups(&self) -> Vec<Vec<Recipient>> {
        self.metadata.as_ref().map(Metadata::recipients).unwrap_or_default()
    }

    /// How many of several groups are needed.
    #[must_use]
    pub fn threshold(&self) -> usize {
        self.metadata.as_ref().map_or(0, |metadata| metadata.threshold)
    }

    /// Which values are encrypted; `None` for a plain document.
    #[must_use]
    pub fn selector(&self) -> Option<&Selector> {
        self.metadata.as_ref().map(|metadata| &metadata.selector)
    }

    /// Every wrapped data key.
    #[must_use]
    pub fn wrapped_keys(&self) -> Vec<&WrappedKey> {
        self.metadata.iter().flat_map(Metadata::keys).collect()
    }

    /// When it was last written, RFC 3339, as the metadata says; `None` for a plain document.
    #[must_use]
    pub fn lastmodified(&self) -> Option<&str> {
        self.metadata.as_ref().map(|metadata| metadata.lastmodified.text.as_str())
    }

    /// Decrypts everything and verifies the MAC, unless told to ignore it. Of a file with several documents there is no
    /// one tree: [`Document::unlock`] has them all.
    pub fn open(&self, services: &dyn KeyService, policy: MacPolicy) -> Result<Node, Error> {
        self.unlock(services, policy)?.into_node()
    }

    /// Unwraps the data key, decrypts everything and verifies the MAC, for whoever goes on with it.
    pub fn unlock(&self, services: &dyn KeyService, policy: MacPolicy) -> Result<Opened<'_>, Error> {
        let cipher = open::data_key(self, services)?;
        let opened = Opened::new(self, cipher)?;
        match (policy, opened.mac_problem()) {
            (MacPolicy::Verify, Some(problem)) => Err(problem.clone()),
            _ => Ok(opened),
        }
    }

    pub(super) fn metadata(&self) -> Result<&Metadata, Error> {
        self.metadata.as_ref().ok_or_else(|| Error::NotEncrypted { name: self.name.clone(), format: self.format })
    }
}

fn list_places(raw: &Raw, index: &mut HashMap<(usize, String), usize>) {
    match &raw.kind {
        Kind::Map(members) => {
            for (at, member) in members.iter().enumerate() {
                if members.len() > FEW {
                    index.insert((raw.span.start, member.key.clone()), at);
                }
                list_places(&member.value, index);
            }
        }
        Kind::List(items) => items.iter().for_each(|item| list_places(item, index)),
        _ => {}
    }
}
