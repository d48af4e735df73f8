//! A document that is open: its data key, its values, its comments, and whether its MAC is right.

use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::ops::Range;

use sha2::{Digest as _, Sha512};
use zeroize::Zeroizing;

use super::cipher::{Cipher, Sealed, plain_bytes};
use super::document::Document;
use super::error::{Error, Misfit};
use super::format::Format;
use super::key::{KeyService, WrappedKey};
use super::metadata::Metadata;
use super::raw::{Kind, Member, Parsed, Raw, Remark, splice};
use super::selector::{Hit, Selector};
use super::store::{self, DATA, Writer};
use super::tree::{Leaf, Node};
use super::{shamir, tree};
use crate::secret::Secret;

/// Seeds the hash when only encrypted values count, so that the two ways never agree: SHA-256 of `sops`.
const ONLY_ENCRYPTED: [u8; 32] = [
    0x8a, 0x3f, 0xd2, 0xad, 0x54, 0xce, 0x66, 0x52, 0x7b, 0x10, 0x34, 0xf3, 0xd1, 0x47, 0xbe, 0x0b, 0x0b, 0x97, 0x5b,
    0x3b, 0xf4, 0x4f, 0x72, 0xc6, 0xfd, 0xad, 0xec, 0x81, 0x76, 0xf2, 0x7d, 0x69,
];

/// A document with its data key: what it says, and the way to its next version. `Debug` shows its name only.
pub struct Opened<'a> {
    pub(super) document: &'a Document,
    pub(super) cipher: Cipher,
    pub(super) nodes: Vec<Node>,
    /// What the values hash to; uppercase hexadecimal.
    pub(super) mac: Secret,
    /// Encrypted comments, by where they begin.
    pub(super) remarks: HashMap<usize, Secret>,
    problem: Option<Error>,
}

impl fmt::Debug for Opened<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("name", &self.document.name).finish_non_exhaustive()
    }
}

impl<'a> Opened<'a> {
    pub(super) fn new(document: &'a Document, cipher: Cipher) -> Result<Self, Error> {
        let metadata = document.metadata()?;
        let mut opening = Opening {
            selector: &metadata.selector,
            cipher: &cipher,
            path: Path::default(),
            mac: Mac::new(metadata.mac_only_encrypted),
            remarks: HashMap::new(),
        };
        let roots = document.parsed.parts.iter().map(|part| opening.node(&part.root, Hit::none()));
        let nodes = roots.collect::<Result<Vec<_>, _>>().map_err(|misfit| misfit.in_value(&document.name))?;
        let (mac, remarks) = (opening.mac.finish(), opening.remarks);
        let said = Sealed::parse(&metadata.mac.text).and_then(|mac| cipher.open(&mac, &metadata.bound_to()).ok());
        let right = said == Some(Leaf::Text(mac.clone()));
        let problem = (!right).then(|| Error::Mac { name: document.name.clone() });
        Ok(Self { document, cipher, nodes, mac, remarks, problem })
    }

    /// What is wrong with the MAC, when it was ignored.
    #[must_use]
    pub fn mac_problem(&self) -> Option<&Error> {
        self.problem.as_ref()
    }

    /// The trees: one, or of a YAML file with several documents one each.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The one tree. An error where there are several documents.
    pub fn node(&self) -> Result<&Node, Error> {
        match self.nodes.as_slice() {
            [node] => Ok(node),
            several => Err(Error::Several { name: self.document.name.clone(), count: several.len() }),
        }
    }

    pub(super) fn into_node(mut self) -> Result<Node, Error> {
        self.node()?;
        Ok(self.nodes.swap_remove(0))
    }

    /// The file as it would be if it were not encrypted, with its layout and comments: what an editor shows, and what
    /// [`Opened::replace_text`] takes back.
    #[must_use]
    pub fn plain_text(&self) -> Zeroizing<Vec<u8>> {
        if self.document.format == Format::Binary {
            let bytes = match self.nodes.first().and_then(|node| node.get(&[DATA])) {
                Some(Node::Leaf(Leaf::Bytes(bytes))) => bytes.clone(),
                Some(Node::Leaf(leaf)) => {
                    Zeroizing::new(leaf.to_text().map(|text| text.expose().as_bytes().to_vec()).unwrap_or_default())
                }
                _ => Zeroizing::default(),
            };
            return bytes;
        }
        let parsed = &self.document.parsed;
        let mut shown = Shown { opened: self, writer: self.writer(), changes: Vec::new() };
        for (part, node) in parsed.parts.iter().zip(&self.nodes) {
            shown.value(&part.root, node, None);
            let cuts = part.sops.iter().flat_map(|held| held.cuts.iter().cloned());
            shown.changes.extend(cuts.map(|cut| (cut, Zeroizing::default())));
        }
        shown.changes.sort_by_key(|(range, _)| range.start);
        let changes = shown.changes.iter().map(|(range, text)| (range.clone(), text.as_str()));
        let mut text = splice(&parsed.source, 0..parsed.source.len(), changes);
        Zeroizing::new(std::mem::take(&mut *text).into_bytes())
    }

    /// The same, parsed.
    pub(super) fn plain(&self) -> Result<Parsed, Error> {
        store::parse(&self.document.name, &self.plain_text(), self.document.format)
    }

    pub(super) fn writer(&self) -> Writer {
        Writer::of(self.document.format, &self.document.parsed, None)
    }

    pub(super) fn metadata(&self) -> Result<&Metadata, Error> {
        self.document.metadata()
    }
}

type Change = (Range<usize>, Zeroizing<String>);

/// Unwraps the data key of a document.
pub(super) fn data_key(document: &Document, services: &dyn KeyService) -> Result<Cipher, Error> {
    let metadata = document.metadata()?;
    let mut tried = Vec::new();
    let mut shares = Vec::new();
    let alone = metadata.groups.len() == 1;
    for group in &metadata.groups {
        shares.extend(group.iter().map(|entry| &entry.key).find_map(|key| match services.unwrap(key) {
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
        name: document.name.clone(),
        accepts: accepts(metadata),
        tried,
    })
}

fn accepts(metadata: &Metadata) -> Vec<String> {
    let (count, needed) = (metadata.groups.len(), metadata.threshold);
    let label = |at: usize, key: &WrappedKey| match count {
        1 => key.to_string(),
        _ => format!("{key} (group {} of {count}, {needed} needed)", at + 1),
    };
    let groups = metadata.groups.iter().enumerate();
    groups.flat_map(|(at, group)| group.iter().map(move |entry| label(at, &entry.key))).collect()
}

/// The message authentication code over all plaintext values (sops, `sops.go`): uppercase hexadecimal SHA-512 over the
/// values in document order. Keys are not part of it, null and comments add nothing.
pub(super) struct Mac {
    hash: Sha512,
    only_encrypted: bool,
}

impl Mac {
    pub(super) fn new(only_encrypted: bool) -> Self {
        let mut hash = Sha512::new();
        if only_encrypted {
            hash.update(ONLY_ENCRYPTED);
        }
        Self { hash, only_encrypted }
    }

    pub(super) fn add(&mut self, leaf: &Leaf, encrypted: bool) {
        if (encrypted || !self.only_encrypted)
            && !matches!(leaf, Leaf::Comment(_))
            && let Some((bytes, _)) = plain_bytes(leaf)
        {
            self.hash.update(&*bytes);
        }
    }

    pub(super) fn finish(self) -> Secret {
        Secret::new(self.hash.finalize().iter().fold(String::with_capacity(128), |mut text, byte| {
            let _ = write!(text, "{byte:02X}");
            text
        }))
    }
}

/// The keys from the root to a value, each followed by a colon: the associated data of its encryption.
#[derive(Default)]
pub(super) struct Path {
    text: String,
    ends: Vec<usize>,
}

impl Path {
    pub(super) fn push(&mut self, key: &str) {
        self.ends.push(self.text.len());
        self.text.push_str(key);
        self.text.push(':');
    }

    pub(super) fn pop(&mut self) {
        if let Some(end) = self.ends.pop() {
            self.text.truncate(end);
        }
    }

    /// At the root sops joins no keys, and puts its colon all the same.
    pub(super) fn bound(&self) -> &str {
        if self.text.is_empty() { ":" } else { &self.text }
    }

    /// The same of this map and each one around it, from within.
    fn outwards(&self) -> impl Iterator<Item = &str> {
        let outer = self.ends.iter().rev().map(|end| if *end == 0 { ":" } else { &self.text[..*end] });
        std::iter::once(self.bound()).chain(outer)
    }
}

struct Opening<'a> {
    selector: &'a Selector,
    cipher: &'a Cipher,
    path: Path,
    mac: Mac,
    remarks: HashMap<usize, Secret>,
}

impl Opening<'_> {
    fn node(&mut self, raw: &Raw, hit: Hit) -> Result<Node, Misfit> {
        let node = match &raw.kind {
            Kind::Map(members) => {
                members.iter().map(|member| self.member(member, hit)).collect::<Result<_, _>>().map(Node::Map)?
            }
            Kind::List(items) => {
                let items = items.iter().enumerate().map(|(at, item)| {
                    self.remarks(&item.before, hit);
                    let hit = self.selector.item(hit, &item.before);
                    self.node(item, hit).map_err(|misfit| misfit.under(at))
                });
                items.collect::<Result<_, _>>().map(Node::List)?
            }
            _ => Node::Leaf(self.leaf(raw, hit)?),
        };
        self.remarks(&raw.after, hit);
        Ok(node)
    }

    fn member(&mut self, member: &Member, hit: Hit) -> Result<(String, Node), Misfit> {
        self.remarks(&member.value.before, hit);
        let hit = self.selector.below(hit, &member.key, &member.value.before);
        self.path.push(&member.key);
        let node = self.node(&member.value, hit);
        self.path.pop();
        node.map(|node| (member.key.clone(), node)).map_err(|misfit| misfit.under(&member.key))
    }

    fn leaf(&mut self, raw: &Raw, hit: Hit) -> Result<Leaf, Misfit> {
        let written = raw.leaf().unwrap_or(Leaf::Null);
        let encrypts = self.selector.encrypts(hit);
        let leaf = match &written {
            Leaf::Text(text) if encrypts && !text.expose().is_empty() => {
                let sealed = Sealed::parse(text.expose()).ok_or_else(not_encrypted)?;
                self.cipher.open(&sealed, self.path.bound()).map_err(Misfit::new)?
            }
            Leaf::Null | Leaf::Text(_) => written,
            _ if encrypts => return Err(not_encrypted()),
            _ => written,
        };
        self.mac.add(&leaf, encrypts);
        Ok(leaf)
    }

    /// Opens those comments of a map or list that are encrypted. One that does not open was not encrypted in the first
    /// place, as sops takes it. It is tried as one of the maps around it, too: what lines up with nothing may have
    /// been another map's when it was encrypted.
    fn remarks(&mut self, remarks: &[Remark], hit: Hit) {
        for (at, remark) in remarks.iter().enumerate() {
            if !self.selector.encrypts(self.selector.remark(hit, &remarks[..=at])) {
                continue;
            }
            let Some(sealed) = Sealed::parse(remark.text.expose()) else { continue };
            let opened = self.path.outwards().find_map(|bound| self.cipher.open(&sealed, bound).ok());
            if let Some(text) = opened.as_ref().and_then(tree::Leaf::to_text) {
                self.remarks.insert(remark.span.start, text);
            }
        }
    }
}

fn not_encrypted() -> Misfit {
    Misfit::new("it is not encrypted, although the file's rules say so")
}

/// Puts plaintexts where ciphertexts stand.
struct Shown<'a> {
    opened: &'a Opened<'a>,
    writer: Writer,
    changes: Vec<Change>,
}

impl Shown<'_> {
    fn value(&mut self, raw: &Raw, node: &Node, column: Option<usize>) {
        self.comments(&raw.before, false);
        match (&raw.kind, node) {
            (Kind::Map(members), Node::Map(nodes)) => {
                for (member, (_, node)) in members.iter().zip(nodes) {
                    self.value(&member.value, node, raw.column);
                }
            }
            (Kind::List(items), Node::List(nodes)) => {
                for (item, node) in items.iter().zip(nodes) {
                    self.value(item, node, raw.column);
                }
            }
            (_, Node::Leaf(leaf)) if raw.leaf().as_ref() != Some(leaf) => {
                let text = self.writer.plain(leaf, raw, column);
                self.changes.push((raw.span.clone(), Zeroizing::new(text)));
            }
            _ => {}
        }
        let bare = matches!(&raw.kind, Kind::List(items) if items.is_empty());
        self.comments(&raw.after, bare);
    }

    /// `bare` tells of a list that is nothing but comments, and would be nothing at all without its brackets.
    fn comments(&mut self, remarks: &[Remark], bare: bool) {
        for (at, remark) in remarks.iter().enumerate() {
            if let Some(text) = self.opened.remarks.get(&remark.span.start) {
                let mark = match (remark.as_item, bare && at == 0) {
                    (true, true) => "[] #",
                    (true, false) => "#",
                    (false, _) => "",
                };
                self.changes.push((remark.span.clone(), Zeroizing::new(format!("{mark}{}", text.expose()))));
            }
        }
    }
}
