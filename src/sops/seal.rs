//! A plain text into an encrypted one. What an earlier document has encrypted already keeps its text, IV and ciphertext.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use zeroize::Zeroizing;

use super::cipher::{Cipher, plain_bytes};
use super::document::Document;
use super::error::{Error, Misfit};
use super::format::Format;
use super::metadata::fields;
use super::number::{canonical, is_json_number, loses_digits};
use super::open::{Mac, Opened, Path};
use super::raw::{Held, Kind, Member, Parsed, Raw, Remark, splice};
use super::same::{digest, origins, same};
use super::selector::{Hit, Selector};
use super::store::{self, Writer};
use super::tree::{Leaf, Node};

/// How, and with what at hand, a text is encrypted.
pub(super) struct Order<'a> {
    /// For errors.
    pub(super) name: &'a str,
    pub(super) selector: &'a Selector,
    pub(super) mac_only_encrypted: bool,
    pub(super) cipher: &'a Cipher,
    pub(super) lastmodified: &'a str,
    /// The document that this is the next version of.
    pub(super) old: Option<&'a Opened<'a>>,
    /// Documents under the same data key, of which the ciphertext of equal values is taken; the first that has one counts.
    pub(super) kept: &'a [&'a Opened<'a>],
    /// New metadata around a MAC; for a document that has no old one.
    pub(super) metadata: &'a dyn Fn(&str) -> Node,
}

/// Encrypts a plain text. What is given out was read again and opens to it.
pub(super) fn seal(plain: &Parsed, writer: &Writer, order: &Order<'_>) -> Result<Vec<u8>, Error> {
    check_time(order.lastmodified)?;
    let mut sealing = Sealing {
        order,
        writer,
        path: Path::default(),
        mac: Mac::new(order.mac_only_encrypted),
        changes: Vec::new(),
        fresh: false,
        taken: HashSet::new(),
    };
    for (at, part) in plain.parts.iter().enumerate() {
        let olds = order.kept.iter().filter_map(|opened| {
            let raw = &opened.document.parsed.parts.get(at)?.root;
            Some(Old { raw, node: opened.nodes.get(at)?, opened })
        });
        sealing.value(&part.root, &olds.collect::<Vec<_>>(), Hit::none(), None).map_err(Misfit::in_plain)?;
    }
    let Sealing { mac, mut changes, fresh, .. } = sealing;
    let hash = mac.finish();
    changes.sort_by_key(|(range, _)| range.start);
    if let Some(old) = order.old
        && body(plain, &changes) == without_metadata(old)
    {
        return Ok(old.document.parsed.source.as_bytes().to_vec());
    }
    // A change of comments or layout alone leaves the MAC right as it stands.
    let kept = order.old.filter(|old| !fresh && old.mac == hash && old.mac_problem().is_none());
    let sealed = order.cipher.seal(hash.expose().as_bytes(), "str", order.lastmodified)?;
    for (at, part) in plain.parts.iter().enumerate() {
        let old = order.old.and_then(|old| Some((old, old.document.parsed.parts.get(at)?.sops.as_ref()?)));
        let text = match (old, kept) {
            (Some((old, held)), Some(_)) => held_text(old, held, writer, None),
            (Some((old, held)), None) => held_text(old, held, writer, Some((&sealed, order.lastmodified))),
            (None, _) => writer.metadata(&(order.metadata)(&sealed), part),
        };
        let from = old.map(|(old, held)| (old.document.parsed.source.as_str(), held));
        let (place, text) = writer.insertion(plain, part, from, &text);
        changes.push((place..place, Zeroizing::new(text)));
    }
    changes.sort_by_key(|(range, _)| (range.start, range.end));
    let text = body(plain, &changes);
    let nodes: Vec<_> = plain.parts.iter().map(|part| part.root.as_written()).collect();
    prove(order.name, text.as_bytes(), writer.format(), order.cipher, &nodes)?;
    Ok(text.as_bytes().to_vec())
}

type Change = (Range<usize>, Zeroizing<String>);

fn body(plain: &Parsed, changes: &[Change]) -> Zeroizing<String> {
    let changes = changes.iter().map(|(range, text)| (range.clone(), text.as_str()));
    splice(&plain.source, 0..plain.source.len(), changes)
}

fn without_metadata(old: &Opened<'_>) -> Zeroizing<String> {
    let parsed = &old.document.parsed;
    let cuts = parsed.parts.iter().filter_map(|part| part.sops.as_ref()).flat_map(|held| held.cuts.iter().cloned());
    splice(&parsed.source, 0..parsed.source.len(), cuts.map(|cut| (cut, "")))
}

/// The text of a document's own metadata, with another MAC and time in their places.
fn held_text(old: &Opened<'_>, held: &Held, writer: &Writer, new: Option<(&str, &str)>) -> String {
    let source = &old.document.parsed.source;
    let in_lines = held.raw.column.is_some();
    let mut changes = Vec::new();
    if let (Some((mac, time)), Some((mac_field, time_field))) = (new, fields(&held.raw)) {
        changes = vec![(mac_field.span, writer.field(mac, in_lines)), (time_field.span, writer.field(time, in_lines))];
        changes.sort_by_key(|(range, _)| range.start);
    }
    let mut text = String::new();
    for range in &held.text {
        let inside = changes.iter().filter(|(place, _)| range.start <= place.start && place.end <= range.end);
        text.push_str(&splice(source, range.clone(), inside.map(|(place, text)| (place.clone(), text))));
    }
    text
}

/// Reads what was written, so that a mistake of a store is an error and never a broken file.
pub(super) fn prove(name: &str, text: &[u8], format: Format, cipher: &Cipher, nodes: &[Node]) -> Result<(), Error> {
    let wrong = |why: String| Error::Unfaithful { name: name.to_owned(), why };
    let document = Document::parse_as(name, text, format).map_err(|error| wrong(error.to_string()))?;
    let opened = Opened::new(&document, cipher.clone()).map_err(|error| wrong(error.to_string()))?;
    let shown = |leaf: &Leaf| store::shown(format, leaf);
    let same = opened.nodes.len() == nodes.len()
        && opened.nodes.iter().zip(nodes).all(|(node, wanted)| digest(node, &shown) == digest(wanted, &shown));
    match opened.mac_problem() {
        None if same => Ok(()),
        _ => Err(wrong("it would be read as something else".to_owned())),
    }
}

/// The MAC is bound to this text, and sops would bind it to its own rendering of the same time.
pub(super) fn check_time(lastmodified: &str) -> Result<(), Error> {
    let whole = lastmodified.len() == 20 && lastmodified.ends_with('Z');
    if whole && lastmodified.parse::<jiff::Timestamp>().is_ok() {
        return Ok(());
    }
    Err(Error::Crypto(format!("{lastmodified:?} is not a time such as 2026-01-31T12:00:00Z")))
}

/// What an earlier document has at the same place.
#[derive(Clone, Copy)]
struct Old<'a> {
    raw: &'a Raw,
    node: &'a Node,
    opened: &'a Opened<'a>,
}

struct Sealing<'a> {
    order: &'a Order<'a>,
    writer: &'a Writer,
    path: Path,
    mac: Mac,
    changes: Vec<Change>,
    /// Whether any value was encrypted anew.
    fresh: bool,
    /// Ciphertexts of earlier documents that stand somewhere already.
    taken: HashSet<&'a str>,
}

impl<'a> Sealing<'a> {
    fn value(&mut self, raw: &Raw, olds: &[Old<'a>], hit: Hit, column: Option<usize>) -> Result<(), Misfit> {
        match &raw.kind {
            Kind::Map(members) => {
                let mut known = Known::of(raw, olds);
                let places: Vec<_> = olds.iter().map(|old| members_of(*old)).collect();
                for member in members {
                    let olds = places.iter().filter_map(|places| places.get(member.key.as_str()).copied());
                    self.member(member, &olds.collect::<Vec<_>>(), hit, raw.column, &mut known)?;
                }
                self.remarks(&raw.after, hit, &mut known)
            }
            Kind::List(items) => {
                let mut known = Known::of(raw, olds);
                let places: Vec<_> = olds.iter().filter_map(|old| self.items_of(*old, items)).collect();
                for (at, item) in items.iter().enumerate() {
                    let olds = places.iter().filter_map(|places| places[at]);
                    self.remarks(&item.before, hit, &mut known)?;
                    let hit = self.order.selector.item(hit, &item.before);
                    let sealed = self.value(item, &olds.collect::<Vec<_>>(), hit, raw.column);
                    sealed.map_err(|misfit| misfit.under(at))?;
                }
                self.remarks(&raw.after, hit, &mut known)
            }
            _ => self.leaf(raw, olds, hit, column),
        }
    }

    fn member(
        &mut self,
        member: &Member,
        olds: &[Old<'a>],
        hit: Hit,
        column: Option<usize>,
        known: &mut Known<'a>,
    ) -> Result<(), Misfit> {
        self.remarks(&member.value.before, hit, known)?;
        let hit = self.order.selector.below(hit, &member.key, &member.value.before);
        self.path.push(&member.key);
        let sealed = self.value(&member.value, olds, hit, column);
        self.path.pop();
        sealed.map_err(|misfit| misfit.under(&member.key))
    }

    fn leaf(&mut self, raw: &Raw, olds: &[Old<'a>], hit: Hit, column: Option<usize>) -> Result<(), Misfit> {
        let leaf = raw.leaf().unwrap_or(Leaf::Null);
        let encrypts = self.order.selector.encrypts(hit);
        self.mac.add(&leaf, encrypts);
        let Some((bytes, kind)) = plain_bytes(&leaf) else { return Ok(()) };
        if !encrypts {
            let clear = !matches!(leaf, Leaf::Bytes(_));
            return if clear {
                Ok(())
            } else {
                Err(Misfit::new("bytes that are no text cannot stand there unencrypted"))
            };
        }
        let text = if let Some(text) = olds.iter().find_map(|old| self.kept(*old, &leaf, raw, column)) {
            text
        } else {
            self.fresh = true;
            check_digits(&leaf)?;
            let sealed = self.order.cipher.seal(&bytes, kind, self.path.bound());
            let sealed = sealed.map_err(|error| Misfit::new(error.to_string()))?;
            self.writer.sealed(&sealed, raw, column)
        };
        // A comment behind the mark of a block (`|`) goes with it, and so comes to stand behind the ciphertext.
        let mut text = Zeroizing::new(text);
        for remark in raw.before.iter().filter(|remark| raw.span.contains(&remark.span.start)) {
            let sealed = self.changes.pop_if(|(range, _)| *range == remark.span);
            text.push_str(" #");
            text.push_str(sealed.as_ref().map_or(remark.text.expose(), |(_, text)| text));
        }
        self.changes.push((raw.span.clone(), text));
        Ok(())
    }

    /// The text of a value that an earlier document has encrypted already.
    fn kept(&mut self, old: Old<'a>, leaf: &Leaf, raw: &Raw, column: Option<usize>) -> Option<String> {
        let Node::Leaf(before) = old.node else { return None };
        let sealed = old.raw.text().filter(|_| old.raw.leaf().as_ref() != Some(before))?;
        let unchanged = same(before, leaf) || same(&self.writer.shown(before), leaf);
        if !unchanged || !self.taken.insert(sealed) {
            return None;
        }
        let source = &old.opened.document.parsed.source;
        let written = &source[old.raw.span.clone()];
        // In brackets, and only there, YAML needs quotes.
        let fits = column.is_some() == (old.raw.lines.is_some()) && !raw.span.is_empty();
        Some(if fits { written.to_owned() } else { self.writer.sealed(sealed, raw, column) })
    }

    fn remarks(&mut self, remarks: &[Remark], hit: Hit, known: &mut Known<'a>) -> Result<(), Misfit> {
        let selector = self.order.selector;
        for (at, remark) in remarks.iter().enumerate() {
            if selector.by_comment().is_some() && !remark.aligned {
                return Err(Misfit::new(
                    "a comment that lines up with no key, or follows an empty line, may be read as another key's, and \
                     comments decide here what is encrypted: put it right before its key",
                ));
            }
            if remark.text.expose().is_empty() || !selector.encrypts(selector.remark(hit, &remarks[..=at])) {
                continue;
            }
            let text = if let Some(text) = known.take(remark.text.expose()) {
                text
            } else {
                let bytes = remark.text.expose().as_bytes();
                let sealed = self.order.cipher.seal(bytes, "comment", self.path.bound());
                sealed.map_err(|error| Misfit::new(error.to_string()))?
            };
            if selector.by_comment().is_some_and(|pattern| pattern.is_match(&text)) {
                return Err(Misfit::new("the comment's own ciphertext matches the expression for clear comments"));
            }
            let mark = if remark.as_item { "#" } else { "" };
            self.changes.push((remark.span.clone(), Zeroizing::new(format!("{mark}{text}"))));
        }
        Ok(())
    }

    /// What each item of a list was before.
    fn items_of(&self, old: Old<'a>, items: &[Raw]) -> Option<Vec<Option<Old<'a>>>> {
        let (Kind::List(raws), Node::List(nodes)) = (&old.raw.kind, old.node) else { return None };
        let shown = |leaf: &Leaf| self.writer.shown(leaf);
        let before: Vec<_> = nodes.iter().map(|node| digest(node, &shown)).collect();
        let after: Vec<_> = items.iter().map(|item| digest(&item.as_written(), &shown)).collect();
        let place = |from: Option<usize>| from.map(|from| Old { raw: &raws[from], node: &nodes[from], ..old });
        Some(origins(&before, &after).into_iter().map(place).collect())
    }
}

fn members_of(old: Old<'_>) -> HashMap<&str, Old<'_>> {
    let (Kind::Map(members), Node::Map(nodes)) = (&old.raw.kind, old.node) else { return HashMap::new() };
    let places = members.iter().zip(nodes).map(|(member, (_, node))| {
        let raw = &member.value;
        (member.key.as_str(), Old { raw, node, ..old })
    });
    places.collect()
}

/// The encrypted comments that the same map or list had before; each is taken once.
struct Known<'a>(HashMap<&'a str, Vec<&'a str>>);

impl<'a> Known<'a> {
    fn of(raw: &Raw, olds: &[Old<'a>]) -> Self {
        let mut known: HashMap<&'a str, Vec<&'a str>> = HashMap::new();
        let mut add = |opened: &'a Opened<'a>, remarks: &'a [Remark]| {
            for remark in remarks.iter().rev() {
                if let Some(text) = opened.remarks.get(&remark.span.start) {
                    known.entry(text.expose()).or_default().push(remark.text.expose());
                }
            }
        };
        let any = match &raw.kind {
            Kind::Map(members) => members.iter().any(|member| !member.value.before.is_empty()),
            Kind::List(items) => items.iter().any(|item| !item.before.is_empty()),
            _ => false,
        };
        for Old { raw, opened, .. } in olds.iter().filter(|_| any || !raw.after.is_empty()) {
            add(opened, &raw.after);
            match &raw.kind {
                Kind::Map(members) => members.iter().rev().for_each(|member| add(opened, &member.value.before)),
                Kind::List(items) => items.iter().rev().for_each(|item| add(opened, &item.before)),
                _ => {}
            }
        }
        Self(known)
    }

    fn take(&mut self, text: &str) -> Option<String> {
        self.0.get_mut(text)?.pop().map(str::to_owned)
    }
}

/// Whether a number is one, and a float can hold it.
pub(super) fn check_number(leaf: &Leaf) -> Result<(), Misfit> {
    let Leaf::Number(text) = leaf else { return Ok(()) };
    let text = text.expose();
    if matches!(text, "+Inf" | "-Inf" | "NaN") {
        return Ok(());
    }
    if !is_json_number(text) {
        return Err(Misfit::new("it is not a number as JSON writes it"));
    }
    match canonical(text) {
        Some(_) => Ok(()),
        None => Err(Misfit::new("the number is beyond a 64-bit float; write it as text")),
    }
}

fn check_digits(leaf: &Leaf) -> Result<(), Misfit> {
    check_number(leaf)?;
    match leaf {
        Leaf::Number(text)
            if canonical(text.expose()).is_some_and(|number| loses_digits(text.expose(), &number.text)) =>
        {
            Err(Misfit::new("the number has more digits than the format keeps; write it as text"))
        }
        _ => Ok(()),
    }
}
