//! A document as it lies in git: what can be said of it without a key, and how it opens with one.

use std::fmt;

use zeroize::Zeroizing;

use super::cipher::{Cipher, Sealed};
use super::error::Error;
use super::json;
use super::key::{KeyService, WrappedKey};
use super::mac::mac;
use super::metadata::Metadata;
use super::raw::{Kind, Member, Raw};
use super::selector::{Hit, Selector};
use super::shamir;
use super::tree::{Leaf, Node};
use crate::secret::Secret;

/// The key of the metadata.
pub(super) const SOPS: &str = "sops";

/// A parsed document, still encrypted; or a plain one (no `sops` key). `Debug` shows its name only.
#[derive(Clone)]
pub struct Document {
    pub(super) name: String,
    pub(super) source: Zeroizing<String>,
    pub(super) root: Raw,
    pub(super) metadata: Option<Metadata>,
}

/// What to do about the message authentication code on opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MacPolicy {
    /// A wrong one is an error.
    Verify,
    /// Not looked at: each value is still authentic by itself, but any may be missing, added in clear, or swapped
    /// within its list.
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

/// What is wrong with one value; the path is collected on the way up, innermost first.
pub(super) struct Misfit {
    path: Vec<String>,
    why: String,
}

impl Misfit {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self { path: Vec::new(), why: why.into() }
    }

    pub(super) fn under(mut self, step: impl std::fmt::Display) -> Self {
        self.path.push(step.to_string());
        self
    }

    /// Keys from the root joined by `.`, and why.
    pub(super) fn into_parts(mut self) -> (String, String) {
        self.path.reverse();
        let path = if self.path.is_empty() { "the document".to_owned() } else { self.path.join(".") };
        (path, self.why)
    }
}

impl Document {
    /// Parses a JSON document; `name` is for errors. Duplicate keys, bytes that are not UTF-8, text behind the end and
    /// unusable metadata are errors.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, Error> {
        let (source, root) = json::parse(name, bytes)?;
        if root.map().is_none() {
            let why = "the document is not an object, which the sops format demands".to_owned();
            return Err(Error::Syntax { name: name.to_owned(), line: 1, column: 1, why });
        }
        let metadata = root
            .get(SOPS)
            .map(Metadata::read)
            .transpose()
            .map_err(|why| Error::Metadata { name: name.to_owned(), why })?;
        Ok(Self { name: name.to_owned(), source, root, metadata })
    }

    /// Whether it has a `sops` key.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.metadata.is_some()
    }

    /// The tree of a document without `sops` key; `None` for an encrypted one.
    #[must_use]
    pub fn plain(&self) -> Option<Node> {
        self.metadata.is_none().then(|| self.root.as_written())
    }

    /// The tree as the file has it, ciphertexts and all, without the metadata.
    #[must_use]
    pub fn as_written(&self) -> Node {
        match &self.root.kind {
            Kind::Map(_) => {
                Node::Map(self.members().map(|member| (member.key.clone(), member.value.as_written())).collect())
            }
            _ => self.root.as_written(),
        }
    }

    /// Every value with its path: keys from the root; in a list a component is the position in decimal digits. Empty
    /// objects and lists count as values.
    #[must_use]
    pub fn leaves(&self) -> Vec<(Vec<String>, RawLeaf)> {
        let mut found = Vec::new();
        let mut path = Vec::new();
        for member in self.members() {
            self.collect(&member.key, &member.value, self.hit(Hit::none(), &member.key), &mut path, &mut found);
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
                    self.collect(&member.key, &member.value, self.hit(hit, &member.key), path, found);
                }
            }
            Kind::List(items) if !items.is_empty() => {
                for (at, item) in items.iter().enumerate() {
                    self.collect(&at.to_string(), item, hit, path, found);
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
        let Some((first, rest)) = path.split_first() else {
            let text = json::compact(&self.as_written());
            let encrypted = self.leaves().iter().any(|(_, leaf)| leaf.is_encrypted());
            return Some(if encrypted { RawLeaf::Encrypted(text) } else { RawLeaf::Clear(Secret::new(text)) });
        };
        let member = self.members().find(|member| member.key == *first)?;
        let mut raw = &member.value;
        let mut hit = self.hit(Hit::none(), first);
        for step in rest {
            if let Some(items) = raw.list() {
                raw = items.get(step.parse::<usize>().ok()?)?;
            } else {
                raw = raw.get(step)?;
                hit = self.hit(hit, step);
            }
        }
        Some(self.raw_leaf(raw, hit))
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
            Kind::Map(members) => {
                members.iter().any(|member| self.any_sealed(&member.value, self.hit(hit, &member.key)))
            }
            Kind::List(items) => items.iter().any(|item| self.any_sealed(item, hit)),
            _ => self.sealed_text(raw, hit).is_some(),
        }
    }

    fn sealed_text<'a>(&self, raw: &'a Raw, hit: Hit) -> Option<&'a str> {
        let metadata = self.metadata.as_ref()?;
        raw.text().filter(|text| metadata.selector.encrypts(hit) && Sealed::parse(text).is_some())
    }

    fn hit(&self, above: Hit, key: &str) -> Hit {
        self.metadata.as_ref().map_or(above, |metadata| metadata.selector.below(above, key))
    }

    /// Who can open it, readable: `age age1…`, `kms arn…`, `pgp …`.
    #[must_use]
    pub fn recipients(&self) -> Vec<String> {
        self.wrapped_keys().into_iter().map(ToString::to_string).collect()
    }

    /// Every wrapped data key, for whoever must unwrap some of them beforehand.
    #[must_use]
    pub fn wrapped_keys(&self) -> Vec<&WrappedKey> {
        self.metadata.iter().flat_map(Metadata::keys).collect()
    }

    /// When it was last written, RFC 3339, as the metadata says; `None` for a plain document.
    #[must_use]
    pub fn lastmodified(&self) -> Option<&str> {
        self.metadata.as_ref().map(|metadata| metadata.lastmodified.text.as_str())
    }

    /// Decrypts everything and verifies the MAC, unless told to ignore it.
    pub fn open(&self, services: &dyn KeyService, policy: MacPolicy) -> Result<Node, Error> {
        let metadata = self.metadata()?;
        let cipher = self.unlock(services)?;
        let plain = self.decrypt(&cipher)?;
        match policy {
            MacPolicy::Verify => self.verify(metadata, &cipher, &plain)?,
            MacPolicy::Ignore => {}
        }
        Ok(plain)
    }

    pub(super) fn metadata(&self) -> Result<&Metadata, Error> {
        self.metadata.as_ref().ok_or_else(|| Error::NotEncrypted { name: self.name.clone() })
    }

    /// The members of the root without the metadata.
    pub(super) fn members(&self) -> impl Iterator<Item = &Member> {
        let encrypted = self.is_encrypted();
        self.root.map().unwrap_or_default().iter().filter(move |member| !encrypted || member.key != SOPS)
    }

    pub(super) fn unlock(&self, services: &dyn KeyService) -> Result<Cipher, Error> {
        let metadata = self.metadata()?;
        let mut tried = Vec::new();
        let mut shares = Vec::new();
        let alone = metadata.groups.len() == 1;
        for group in &metadata.groups {
            shares.extend(group.iter().find_map(|key| match services.unwrap(key) {
                Some(Ok(share)) if alone && share.len() != 32 => {
                    tried.push(format!("{key}: it holds {} bytes instead of 32", share.len()));
                    None
                }
                Some(Ok(share)) => Some(share),
                Some(Err(why)) => {
                    tried.push(format!("{key}: {why}"));
                    None
                }
                None => {
                    tried.push(format!("{key}: nothing here can use this kind of key"));
                    None
                }
            }));
        }
        let key = match (alone, shares.len() >= metadata.threshold) {
            (true, _) => shares.pop(),
            (false, true) => shamir::combine(&shares),
            (false, false) => {
                tried.push(format!("{} of {} needed key groups opened", shares.len(), metadata.threshold));
                None
            }
        };
        key.and_then(|key| Cipher::new(&key)).ok_or_else(|| Error::NoKey {
            name: self.name.clone(),
            accepts: accepts(metadata),
            tried,
        })
    }

    pub(super) fn decrypt(&self, cipher: &Cipher) -> Result<Node, Error> {
        let mut opening = Opening { selector: &self.metadata()?.selector, cipher, aad: String::new() };
        let members = opening.members(self.members(), Hit::none());
        members.map(Node::Map).map_err(|misfit| {
            let (path, why) = misfit.into_parts();
            Error::Value { name: self.name.clone(), path, why }
        })
    }

    pub(super) fn verify(&self, metadata: &Metadata, cipher: &Cipher, plain: &Node) -> Result<(), Error> {
        let expected =
            Sealed::parse(&metadata.mac.text).and_then(|sealed| cipher.open(&sealed, &metadata.lastmodified.text).ok());
        let found = Secret::new(mac(plain, &metadata.selector, metadata.mac_only_encrypted));
        if expected == Some(Leaf::Text(found)) { Ok(()) } else { Err(Error::Mac { name: self.name.clone() }) }
    }
}

fn accepts(metadata: &Metadata) -> Vec<String> {
    let (count, needed) = (metadata.groups.len(), metadata.threshold);
    let label = |at: usize, key: &WrappedKey| match count {
        1 => key.to_string(),
        _ => format!("{key} (group {} of {count}, {needed} needed)", at + 1),
    };
    let groups = metadata.groups.iter().enumerate();
    groups.flat_map(|(at, group)| group.iter().map(move |key| label(at, key))).collect()
}

struct Opening<'a> {
    selector: &'a Selector,
    cipher: &'a Cipher,
    /// Keys from the root, each followed by a colon.
    aad: String,
}

impl Opening<'_> {
    fn members<'a>(
        &mut self,
        members: impl Iterator<Item = &'a Member>,
        hit: Hit,
    ) -> Result<Vec<(String, Node)>, Misfit> {
        members
            .map(|member| {
                let outer = self.aad.len();
                self.aad.push_str(&member.key);
                self.aad.push(':');
                let node = self.node(&member.value, self.selector.below(hit, &member.key));
                self.aad.truncate(outer);
                node.map(|node| (member.key.clone(), node)).map_err(|misfit| misfit.under(&member.key))
            })
            .collect()
    }

    fn node(&mut self, raw: &Raw, hit: Hit) -> Result<Node, Misfit> {
        match &raw.kind {
            Kind::Map(members) => self.members(members.iter(), hit).map(Node::Map),
            Kind::List(items) => {
                let items = items.iter().enumerate();
                items
                    .map(|(at, item)| self.node(item, hit).map_err(|misfit| misfit.under(at)))
                    .collect::<Result<_, _>>()
                    .map(Node::List)
            }
            Kind::Null => Ok(Node::Leaf(Leaf::Null)),
            Kind::Text(text) if text.expose().is_empty() => Ok(raw.as_written()),
            _ if !self.selector.encrypts(hit) => Ok(raw.as_written()),
            _ => {
                let sealed = raw.text().and_then(Sealed::parse);
                let sealed =
                    sealed.ok_or_else(|| Misfit::new("it is not encrypted, although the file's rules say so"))?;
                self.cipher.open(&sealed, &self.aad).map(Node::Leaf).map_err(Misfit::new)
            }
        }
    }
}
