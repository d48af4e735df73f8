//! An edit of an encrypted document that changes nothing else in its file.

use super::cipher::Cipher;
use super::document::{Document, Misfit, SOPS};
use super::error::Error;
use super::json::{Style, quote};
use super::key::KeyService;
use super::mac::mac;
use super::metadata::Metadata;
use super::number::canonical;
use super::raw::{Kind, Member, Raw};
use super::seal::{Sealing, check, check_time, plain_error};
use super::selector::{Hit, Selector};
use super::tree::{Leaf, Node};

/// The document with another plaintext, under the same data key. A value that is the same keeps its text, its IV and
/// its ciphertext; a one-value change is a difference of three lines (the value, `mac`, `lastmodified`). Without any
/// change the bytes are those of `old`. The MAC of `old` must be right.
pub fn update(old: &Document, plain: &Node, services: &dyn KeyService, lastmodified: &str) -> Result<Vec<u8>, Error> {
    check(plain)?;
    check_time(lastmodified)?;
    let metadata = old.metadata()?;
    let cipher = old.unlock(services)?;
    let before = old.decrypt(&cipher)?;
    old.verify(metadata, &cipher, &before)?;
    if same(&metadata.selector, &before, plain, Hit::none()) {
        return Ok(old.source.as_bytes().to_vec());
    }
    let mut edit = Edit {
        source: &old.source,
        style: Style::of(&old.source, &old.root),
        sops: new_metadata(old, metadata, &cipher, plain, lastmodified)?,
        sealing: Sealing { selector: &metadata.selector, cipher: &cipher, aad: String::new() },
    };
    let root = edit.value(Some((&old.root, &before)), plain, Hit::none(), 0).map_err(plain_error)?;
    let text = [&old.source[..old.root.span.start], root.as_str(), &old.source[old.root.span.end..]].concat();
    Ok(text.into_bytes())
}

/// The text of the metadata with a new MAC and time.
fn new_metadata(
    old: &Document,
    metadata: &Metadata,
    cipher: &Cipher,
    plain: &Node,
    lastmodified: &str,
) -> Result<String, Error> {
    let mac = mac(plain, &metadata.selector, metadata.mac_only_encrypted);
    let mac = cipher.seal(mac.as_bytes(), "str", lastmodified)?;
    let mut changes = [(&metadata.mac, quote(&mac)), (&metadata.lastmodified, quote(lastmodified))];
    changes.sort_by_key(|(field, _)| field.span.start);
    let span = old.root.get(SOPS).map(|raw| raw.span.clone()).unwrap_or_default();
    let mut text = String::new();
    let mut at = span.start;
    for (field, new) in &changes {
        text.push_str(&old.source[at..field.span.start]);
        text.push_str(new);
        at = field.span.end;
    }
    text.push_str(&old.source[at..span.end]);
    Ok(text)
}

struct Edit<'a> {
    source: &'a str,
    style: Style,
    /// The new text of the metadata.
    sops: String,
    sealing: Sealing<'a>,
}

impl Edit<'_> {
    /// The text of a value, `depth` levels below the root; `old` is what stood there, as text and as plaintext.
    fn value(&mut self, old: Option<(&Raw, &Node)>, new: &Node, hit: Hit, depth: usize) -> Result<String, Misfit> {
        match (old, new) {
            (Some((Raw { kind: Kind::Map(raw), span }, Node::Map(before))), Node::Map(after)) => {
                self.map((raw, span.clone()), before, after, hit, depth)
            }
            (Some((Raw { kind: Kind::List(raw), span }, Node::List(before))), Node::List(after)) => {
                self.list((raw, span.clone()), before, after, hit, depth)
            }
            (Some((raw, before)), _) if same(self.sealing.selector, before, new, hit) => {
                Ok(self.source[raw.span.clone()].to_owned())
            }
            _ => {
                let sealed = self.sealing.node(new, hit)?;
                Ok(self.style.render(&sealed, depth))
            }
        }
    }

    fn map(
        &mut self,
        (raw, span): (&[Member], std::ops::Range<usize>),
        before: &[(String, Node)],
        after: &[(String, Node)],
        hit: Hit,
        depth: usize,
    ) -> Result<String, Misfit> {
        let metadata_at = (depth == 0).then(|| raw.iter().position(|member| member.key == SOPS)).flatten();
        let mut old = std::collections::HashMap::new();
        let values = raw.iter().filter(|member| depth > 0 || member.key != SOPS);
        for (member, (key, node)) in values.zip(before) {
            old.insert(key.as_str(), (member, node));
        }
        let mut texts = Vec::with_capacity(after.len() + 1);
        for (key, value) in after {
            let there = old.get(key.as_str()).copied();
            let hit = self.sealing.selector.below(hit, key);
            // The fields are taken apart by hand because the path belongs to `sealing`.
            let outer = self.sealing.aad.len();
            self.sealing.aad.push_str(key);
            self.sealing.aad.push(':');
            let text = self.value(there.map(|(member, node)| (&member.value, node)), value, hit, depth + 1);
            self.sealing.aad.truncate(outer);
            let name = there.map_or_else(|| quote(key), |(member, _)| self.source[member.key_span.clone()].to_owned());
            texts.push((name, text.map_err(|misfit| misfit.under(key))?));
        }
        let in_place = before.iter().map(|(key, _)| key).eq(after.iter().map(|(key, _)| key));
        if let Some(at) = metadata_at {
            let at = if at + 1 == raw.len() { texts.len() } else { at.min(texts.len()) };
            texts.insert(at, (quote(SOPS), self.sops.clone()));
        }
        if in_place {
            let values = raw.iter().map(|member| member.value.span.clone());
            return Ok(self.splice(span, values.zip(texts.into_iter().map(|(_, text)| text))));
        }
        Ok(self.style.map(depth, texts))
    }

    fn list(
        &mut self,
        (raw, span): (&[Raw], std::ops::Range<usize>),
        before: &[Node],
        after: &[Node],
        hit: Hit,
        depth: usize,
    ) -> Result<String, Misfit> {
        let origins = origins(self.sealing.selector, before, after, hit);
        let mut texts = Vec::with_capacity(after.len());
        for (at, (item, origin)) in after.iter().zip(&origins).enumerate() {
            let old = origin.map(|from| (&raw[from], &before[from]));
            texts.push(self.value(old, item, hit, depth + 1).map_err(|misfit| misfit.under(at))?);
        }
        let in_place = before.len() == after.len() && origins.iter().enumerate().all(|(at, from)| *from == Some(at));
        if in_place {
            return Ok(self.splice(span, raw.iter().map(|item| item.span.clone()).zip(texts)));
        }
        Ok(self.style.list(depth, &texts))
    }

    /// The text of `span` with the texts of some places in it replaced.
    fn splice(
        &self,
        span: std::ops::Range<usize>,
        changes: impl Iterator<Item = (std::ops::Range<usize>, String)>,
    ) -> String {
        let mut text = String::new();
        let mut at = span.start;
        for (place, new) in changes {
            text.push_str(&self.source[at..place.start]);
            text.push_str(&new);
            at = place.end;
        }
        text.push_str(&self.source[at..span.end]);
        text
    }
}

/// Which old item each new item of a list continues: an equal one if there is one (list positions are not part of the
/// associated data, so it may move), else the one at its place. No old item is used twice, because two equal texts
/// would tell a reader that two values are equal.
fn origins(selector: &Selector, before: &[Node], after: &[Node], hit: Hit) -> Vec<Option<usize>> {
    let mut used = vec![false; before.len()];
    let mut origins: Vec<_> = after
        .iter()
        .enumerate()
        .map(|(at, item)| {
            let stays = before.get(at).is_some_and(|old| same(selector, old, item, hit));
            stays.then(|| used[at] = true).map(|()| at)
        })
        .collect();
    for (item, origin) in after.iter().zip(&mut origins).filter(|(_, origin)| origin.is_none()) {
        let moved = (0..before.len()).find(|from| !used[*from] && same(selector, &before[*from], item, hit));
        if let Some(from) = moved {
            used[from] = true;
            *origin = Some(from);
        }
    }
    for (at, origin) in origins.iter_mut().enumerate().filter(|(_, origin)| origin.is_none()) {
        if at < before.len() && !used[at] {
            used[at] = true;
            *origin = Some(at);
        }
    }
    origins
}

/// Whether a new plaintext is what already stands there. An encrypted number is the same in any notation, since the
/// format normalises it; a text is the same as the timestamp or comment that an editor could only show as text.
fn same(selector: &Selector, old: &Node, new: &Node, hit: Hit) -> bool {
    match (old, new) {
        (Node::Map(old), Node::Map(new)) => {
            old.len() == new.len()
                && old.iter().zip(new).all(|((old_key, old), (key, new))| {
                    old_key == key && same(selector, old, new, selector.below(hit, key))
                })
        }
        (Node::List(old), Node::List(new)) => {
            old.len() == new.len() && old.iter().zip(new).all(|(old, new)| same(selector, old, new, hit))
        }
        (Node::Leaf(Leaf::Number(old)), Node::Leaf(Leaf::Number(new))) if selector.encrypts(hit) => {
            let text = |text: &str| canonical(text).map(|number| number.text);
            old == new || text(new.expose()).is_some_and(|new| text(old.expose()) == Some(new))
        }
        (Node::Leaf(Leaf::Time(old) | Leaf::Comment(old)), Node::Leaf(Leaf::Text(new))) => old == new,
        _ => old == new,
    }
}
