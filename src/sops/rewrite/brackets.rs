//! Values in brackets: all of JSON, and what a YAML file writes like it.

use std::collections::HashMap;

use super::Edit;
use crate::sops::error::Misfit;
use crate::sops::raw::{Kind, Member, Raw, splice};
use crate::sops::same::{digest, origins};
use crate::sops::tree::{Leaf, Node};

impl Edit<'_> {
    /// The text of a value, `depth` levels below the outermost bracket, in the place of an old one.
    pub(super) fn bracket(&self, old: &Raw, new: &Node, depth: usize) -> Result<String, Misfit> {
        match (&old.kind, new) {
            (Kind::Map(members), Node::Map(after)) => self.bracket_map(old, members, after, depth),
            (Kind::List(items), Node::List(after)) => self.bracket_list(old, items, after, depth),
            (_, Node::Leaf(leaf)) if old.leaf().is_some_and(|known| self.is(&known, leaf)) => {
                Ok(self.source[old.span.clone()].to_owned())
            }
            (_, Node::Leaf(leaf)) if old.leaf().is_some() => Ok(self.writer.plain(leaf, old, None)),
            _ => Ok(self.writer.in_brackets(new, depth)),
        }
    }

    /// Whether a value is what is written there already.
    pub(super) fn is(&self, written: &Leaf, new: &Leaf) -> bool {
        written == new || *written == self.writer.shown(new)
    }

    fn bracket_map(
        &self,
        old: &Raw,
        members: &[Member],
        after: &[(String, Node)],
        depth: usize,
    ) -> Result<String, Misfit> {
        let known: HashMap<&str, &Member> = members.iter().map(|member| (member.key.as_str(), member)).collect();
        let mut texts = Vec::with_capacity(after.len());
        for (key, value) in after {
            let (name, text) = match known.get(key.as_str()) {
                Some(member) => {
                    let text = self.bracket(&member.value, value, depth + 1).map_err(|misfit| misfit.under(key))?;
                    (self.source[member.key_span.clone()].to_owned(), text)
                }
                None => (self.writer.key_in_brackets(key), self.writer.in_brackets(value, depth + 1)),
            };
            texts.push((name, text));
        }
        if members.iter().map(|member| &member.key).eq(after.iter().map(|(key, _)| key)) {
            let spans = members.iter().map(|member| member.value.span.clone());
            return Ok(self.in_place(old, spans.zip(texts.into_iter().map(|(_, text)| text))));
        }
        no_comments(old)?;
        Ok(self.writer.style().map(depth, texts))
    }

    fn bracket_list(&self, old: &Raw, items: &[Raw], after: &[Node], depth: usize) -> Result<String, Misfit> {
        let shown = |leaf: &Leaf| self.writer.shown(leaf);
        let before: Vec<_> = items.iter().map(|item| digest(&item.as_written(), &shown)).collect();
        let wanted: Vec<_> = after.iter().map(|node| digest(node, &shown)).collect();
        let origins = origins(&before, &wanted);
        let mut texts = Vec::with_capacity(after.len());
        for (at, (item, origin)) in after.iter().zip(&origins).enumerate() {
            texts.push(match origin {
                Some(from) => self.bracket(&items[*from], item, depth + 1).map_err(|misfit| misfit.under(at))?,
                None => self.writer.in_brackets(item, depth + 1),
            });
        }
        if items.len() == after.len() && origins.iter().enumerate().all(|(at, from)| *from == Some(at)) {
            return Ok(self.in_place(old, items.iter().map(|item| item.span.clone()).zip(texts)));
        }
        no_comments(old)?;
        Ok(self.writer.style().list(depth, &texts))
    }

    fn in_place(&self, old: &Raw, changes: impl Iterator<Item = (std::ops::Range<usize>, String)>) -> String {
        let mut text = splice(self.source, old.span.clone(), changes);
        std::mem::take(&mut *text)
    }
}

fn no_comments(raw: &Raw) -> Result<(), Misfit> {
    fn any(raw: &Raw) -> bool {
        let inside = match &raw.kind {
            Kind::Map(members) => members.iter().any(|member| !member.value.before.is_empty() || any(&member.value)),
            Kind::List(items) => items.iter().any(|item| !item.before.is_empty() || any(item)),
            _ => false,
        };
        inside || !raw.after.is_empty()
    }
    if any(raw) {
        return Err(Misfit::new(
            "a value in brackets with comments can neither take nor lose a key: write it in lines of its own",
        ));
    }
    Ok(())
}
