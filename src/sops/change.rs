//! The next version of a document, and new documents.

use std::ops::Range;

use zeroize::Zeroizing;

use super::cipher::{Cipher, Sealed};
use super::creation::CreationRule;
use super::error::{Error, Misfit};
use super::format::Format;
use super::key::{KeyService, Recipient};
use super::metadata::Entry;
use super::open::{Opened, Path};
use super::raw::{Kind, Parsed, Raw, Remark, splice};
use super::recipients::{Fields, Wrapping, metadata, with_keys};
use super::rewrite::rewrite;
use super::seal::{Order, check_number, check_time, prove, seal};
use super::selector::Selector;
use super::store::{self, DATA, Writer};
use super::tree::{Leaf, Node};

/// Encrypts a plain file, whose layout and comments stay, under a creation rule. The format is told by the name;
/// `lastmodified` is RFC 3339 in whole seconds with `Z`.
pub fn encrypt(
    name: &str,
    plain: &[u8],
    rule: &CreationRule,
    services: &dyn KeyService,
    lastmodified: &str,
) -> Result<Vec<u8>, Error> {
    encrypt_as(name, Format::of_path(name), plain, rule, services, lastmodified)
}

/// The same for a file whose name does not tell its format.
pub fn encrypt_as(
    name: &str,
    format: Format,
    plain: &[u8],
    rule: &CreationRule,
    services: &dyn KeyService,
    lastmodified: &str,
) -> Result<Vec<u8>, Error> {
    let parsed = store::parse(name, plain, format)?;
    if parsed.parts.iter().any(|part| part.sops.is_some()) {
        return Err(Error::Encrypted { name: name.to_owned() });
    }
    create(name, format, &parsed, rule, services, lastmodified)
}

/// Encrypts a tree (its root a map) as a new file, laid out as the rule says.
pub fn encrypt_node(
    name: &str,
    plain: &Node,
    rule: &CreationRule,
    services: &dyn KeyService,
    lastmodified: &str,
) -> Result<Vec<u8>, Error> {
    let format = Format::of_path(name);
    check(plain, format)?;
    let indent = rule.rules.indent(format);
    let none = Parsed { source: Zeroizing::default(), parts: Vec::new() };
    let text = Writer::of(format, &none, indent).document(plain, indent);
    let text = text.map_err(|(path, why)| Error::Plain { path, why })?;
    let parsed = store::parse_document(name, &text, plain, format)?;
    create(name, format, &parsed, rule, services, lastmodified)
}

fn create(
    name: &str,
    format: Format,
    parsed: &Parsed,
    rule: &CreationRule,
    services: &dyn KeyService,
    lastmodified: &str,
) -> Result<Vec<u8>, Error> {
    // The one value of a binary file is always encrypted, and its metadata says nothing about it.
    let (everything, binary) = (Selector::default(), format == Format::Binary);
    let selector = if binary { &everything } else { &rule.rules.selector };
    let mac_only_encrypted = rule.rules.mac_only_encrypted && !binary;
    let cipher = Cipher::generate()?;
    let wrapping = Wrapping { groups: &rule.groups, threshold: rule.threshold, services, kept: &[], at: lastmodified };
    let keys = wrapping.fields(cipher.key())?;
    let order = Order {
        name,
        selector,
        mac_only_encrypted,
        cipher: &cipher,
        lastmodified,
        old: None,
        kept: &[],
        metadata: &|mac| metadata(&keys, (!binary).then_some(selector), mac_only_encrypted, lastmodified, mac),
    };
    seal(parsed, &Writer::of(format, parsed, rule.rules.indent(format)), &order)
}

impl Opened<'_> {
    /// The document with another plain text, as [`Opened::plain_text`] gives it and an editor changes it. A value that is
    /// the same keeps its IV and ciphertext, a comment too; without any change the bytes are those of the document.
    pub fn replace_text(&self, plain: &[u8], lastmodified: &str) -> Result<Vec<u8>, Error> {
        if *plain == **self.plain_text() {
            return Ok(self.source());
        }
        let parsed = store::parse(&self.document.name, plain, self.document.format)?;
        if parsed.parts.iter().any(|part| part.sops.is_some()) {
            return Err(Error::Encrypted { name: self.document.name.clone() });
        }
        self.reseal(&parsed, &[self], lastmodified)
    }

    /// The document with another tree. All else in its file stays as it is: a change of one value is a difference of three
    /// lines (the value, `mac`, `lastmodified`).
    pub fn replace(&self, plain: &Node, lastmodified: &str) -> Result<Vec<u8>, Error> {
        self.node()?;
        self.replace_all(std::slice::from_ref(plain), None, &[self], lastmodified)
    }

    /// The same for all documents of the file; what is new and equal in `donor` is taken from there with its comments.
    pub(super) fn replace_all(
        &self,
        plain: &[Node],
        donor: Option<&Opened<'_>>,
        kept: &[&Opened<'_>],
        lastmodified: &str,
    ) -> Result<Vec<u8>, Error> {
        let (name, format) = (&self.document.name, self.document.format);
        plain.iter().try_for_each(|node| check(node, format))?;
        let before = self.plain()?;
        if format == Format::Binary {
            let parsed = store::parse_document(name, &before.source, &plain[0], format)?;
            return self.reseal(&parsed, kept, lastmodified);
        }
        let donor = donor.map(Opened::plain).transpose()?;
        let text = rewrite(&self.writer(), &before, plain, donor.as_ref()).map_err(Misfit::in_plain)?;
        if *text == *before.source {
            return Ok(self.source());
        }
        let parsed = store::parse(name, text.as_bytes(), format)?;
        self.reseal(&parsed, kept, lastmodified)
    }

    fn source(&self) -> Vec<u8> {
        self.document.parsed.source.as_bytes().to_vec()
    }

    fn reseal(&self, parsed: &Parsed, kept: &[&Opened<'_>], lastmodified: &str) -> Result<Vec<u8>, Error> {
        let own = self.metadata()?;
        let held = self.document.parsed.parts.iter().find_map(|part| part.sops.as_ref());
        let order = Order {
            name: &self.document.name,
            selector: &own.selector,
            mac_only_encrypted: own.mac_only_encrypted,
            cipher: &self.cipher,
            lastmodified,
            old: Some(self),
            kept,
            metadata: &|mac| {
                let written = held.map_or_else(|| Node::Map(Vec::new()), |held| held.raw.as_written());
                let keys = key_fields(&written);
                with_keys(&written, &keys, Some((mac, lastmodified)))
            },
        };
        seal(parsed, &self.writer(), &order)
    }

    /// The document under a new data key, for other recipients if they are given (else for its own): every value is
    /// encrypted anew, and whoever is left out cannot read what is written from now on.
    pub fn rotate(
        &self,
        recipients: Option<(&[Vec<Recipient>], Option<u8>)>,
        services: &dyn KeyService,
        lastmodified: &str,
    ) -> Result<Vec<u8>, Error> {
        check_time(lastmodified)?;
        let own = self.metadata()?;
        let groups = recipients.map_or_else(|| own.recipients(), |(groups, _)| groups.to_vec());
        let threshold = recipients.map_or_else(|| u8::try_from(own.threshold).ok(), |(_, threshold)| threshold);
        let cipher = Cipher::generate()?;
        let wrapping = Wrapping { groups: &groups, threshold, services, kept: &[], at: lastmodified };
        let keys = wrapping.fields(cipher.key())?;
        let mac = cipher.seal(self.mac.expose().as_bytes(), "str", lastmodified)?;
        let mut turning = Turning {
            opened: self,
            cipher: &cipher,
            writer: self.writer(),
            path: Path::default(),
            changes: Vec::new(),
        };
        for (part, node) in self.document.parsed.parts.iter().zip(&self.nodes) {
            let turned = turning.value(&part.root, node, None);
            turned.map_err(|misfit| misfit.in_value(&self.document.name))?;
        }
        let changes = turning.changes;
        self.with_metadata(&keys, Some((&mac, lastmodified)), changes, &cipher)
    }

    /// The document for other recipients, under its own data key: no value, and not the MAC, is touched. Whoever was a
    /// recipient may have kept the data key, so a removal is complete with [`Opened::rotate`] only.
    pub fn update_keys(
        &self,
        groups: &[Vec<Recipient>],
        threshold: Option<u8>,
        services: &dyn KeyService,
        at: &str,
    ) -> Result<Vec<u8>, Error> {
        let own = self.metadata()?;
        let same_threshold = groups.len() < 2 || threshold.map_or(groups.len(), usize::from) == own.threshold;
        if own.recipients() == groups && same_threshold {
            return Ok(self.source());
        }
        // With one group each key wraps the data key itself; shares of several are cut anew.
        let kept: &[Entry] = match (own.groups.as_slice(), groups) {
            ([group], [_]) => group,
            _ => &[],
        };
        let keys = Wrapping { groups, threshold, services, kept, at }.fields(self.cipher.key())?;
        self.with_metadata(&keys, None, Vec::new(), &self.cipher)
    }

    fn with_metadata(
        &self,
        keys: &Fields,
        mac: Option<(&str, &str)>,
        mut changes: Vec<(Range<usize>, String)>,
        cipher: &Cipher,
    ) -> Result<Vec<u8>, Error> {
        let parsed = &self.document.parsed;
        let writer = self.writer();
        for part in &parsed.parts {
            let Some(held) = &part.sops else { continue };
            let written = with_keys(&held.raw.as_written(), keys, mac);
            let text = writer.metadata(&written, part);
            for (at, range) in held.text.iter().enumerate() {
                changes.push((range.clone(), if at == 0 { text.clone() } else { String::new() }));
            }
        }
        changes.sort_by_key(|(range, _)| range.start);
        let text = splice(&parsed.source, 0..parsed.source.len(), changes);
        prove(&self.document.name, text.as_bytes(), self.document.format, cipher, &self.nodes)?;
        Ok(text.as_bytes().to_vec())
    }
}

fn key_fields(written: &Node) -> Fields {
    let Node::Map(members) = written else { return Fields::new() };
    members.iter().filter(|(name, _)| super::metadata::KEYS.contains(&name.as_str())).cloned().collect()
}

/// What no document of a format can hold, whatever its rules.
fn check(plain: &Node, format: Format) -> Result<(), Error> {
    let Node::Map(members) = plain else {
        return Err(Misfit::new("its root is not a map").in_plain());
    };
    if members.iter().any(|(key, _)| key == store::SOPS) && format != Format::Dotenv {
        return Err(Misfit::new("the key is reserved for the metadata").under(store::SOPS).in_plain());
    }
    let is_data = matches!(members.as_slice(), [(key, Node::Leaf(Leaf::Text(_) | Leaf::Bytes(_)))] if key == DATA);
    if format == Format::Binary && !is_data {
        return Err(Misfit::new("a binary file has one text, under the key `data`").in_plain());
    }
    sound(plain).map_err(Misfit::in_plain)
}

/// Keys that are distinct, and numbers that are some.
fn sound(node: &Node) -> Result<(), Misfit> {
    match node {
        Node::Map(members) => {
            let mut keys = std::collections::HashSet::new();
            members.iter().try_for_each(|(key, value)| {
                if !keys.insert(key) {
                    return Err(Misfit::new("the key is there twice").under(key));
                }
                sound(value).map_err(|misfit| misfit.under(key))
            })
        }
        Node::List(items) => {
            items.iter().enumerate().try_for_each(|(at, item)| sound(item).map_err(|misfit| misfit.under(at)))
        }
        Node::Leaf(leaf) => check_number(leaf),
    }
}

/// Encrypts everything with another data key.
struct Turning<'a> {
    opened: &'a Opened<'a>,
    cipher: &'a Cipher,
    writer: Writer,
    path: Path,
    changes: Vec<(Range<usize>, String)>,
}

impl Turning<'_> {
    fn value(&mut self, raw: &Raw, node: &Node, column: Option<usize>) -> Result<(), Misfit> {
        match (&raw.kind, node) {
            (Kind::Map(members), Node::Map(nodes)) => {
                for (member, (_, node)) in members.iter().zip(nodes) {
                    self.comments(&member.value.before)?;
                    self.path.push(&member.key);
                    let turned = self.value(&member.value, node, raw.column);
                    self.path.pop();
                    turned.map_err(|misfit| misfit.under(&member.key))?;
                }
            }
            (Kind::List(items), Node::List(nodes)) => {
                for (at, (item, node)) in items.iter().zip(nodes).enumerate() {
                    self.comments(&item.before)?;
                    self.value(item, node, raw.column).map_err(|misfit| misfit.under(at))?;
                }
            }
            (Kind::Text(text), Node::Leaf(leaf)) if raw.leaf().as_ref() != Some(leaf) => {
                // From bytes to bytes, so that its type stays what it was.
                let sealed = Sealed::parse(text.expose()).ok_or_else(|| Misfit::new("it is not encrypted"))?;
                let bytes =
                    self.opened.cipher.open_bytes(&sealed, self.path.bound().as_bytes()).map_err(Misfit::new)?;
                let text = self.seal(&bytes, &sealed.kind)?;
                self.changes.push((raw.span.clone(), self.writer.sealed(&text, raw, column)));
            }
            _ => {}
        }
        self.comments(&raw.after)
    }

    fn comments(&mut self, remarks: &[Remark]) -> Result<(), Misfit> {
        for remark in remarks {
            if let Some(plain) = self.opened.remarks.get(&remark.span.start) {
                let text = self.seal(plain.expose().as_bytes(), "comment")?;
                let mark = if remark.as_item { "- " } else { "" };
                self.changes.push((remark.span.clone(), format!("{mark}{text}")));
            }
        }
        Ok(())
    }

    fn seal(&self, bytes: &[u8], kind: &str) -> Result<String, Misfit> {
        self.cipher.seal(bytes, kind, self.path.bound()).map_err(|error| Misfit::new(error.to_string()))
    }
}
