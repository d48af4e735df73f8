//! Values in lines: YAML blocks and dotenv. A member of a map, or item of a list, is a block of lines that goes, stays or
//! moves with the comments before it.

use std::collections::HashMap;

use zeroize::Zeroizing;

use super::{Changes, Edit};
use crate::sops::error::Misfit;
use crate::sops::raw::{Kind, Lines, Member, Raw};
use crate::sops::same::{digest, origins};
use crate::sops::tree::{Leaf, Node};

/// What stands before a member or item, and its own lines, the first one without its indentation.
type Block = (Zeroizing<String>, Zeroizing<String>);

pub(super) type Given<'a> = HashMap<&'a str, (usize, &'a Member)>;

impl Edit<'_> {
    /// What changes within a map or list that stays one.
    pub(super) fn block(
        &self,
        raw: &Raw,
        new: &Node,
        donor: Option<&Raw>,
        changes: &mut Changes,
    ) -> Result<(), Misfit> {
        match (&raw.kind, new) {
            (Kind::Map(members), Node::Map(after)) => self.map(raw, members, after, donor, changes),
            (Kind::List(items), Node::List(after)) => self.list(raw, items, after, changes),
            _ => Ok(()),
        }
    }

    fn map(
        &self,
        raw: &Raw,
        members: &[Member],
        after: &[(String, Node)],
        donor: Option<&Raw>,
        changes: &mut Changes,
    ) -> Result<(), Misfit> {
        let column = raw.column.unwrap_or_default();
        let old: HashMap<&str, &Member> = members.iter().map(|member| (member.key.as_str(), member)).collect();
        let given = members_of(donor);
        let in_place = members.iter().map(|member| &member.key).eq(after.iter().map(|(key, _)| key));
        let mut blocks = Vec::with_capacity(after.len());
        for (key, new) in after {
            let Some(member) = old.get(key.as_str()) else {
                blocks.push(self.new_member(key, new, column, &given)?);
                continue;
            };
            let there = given.get(key.as_str()).map(|(_, member)| &member.value);
            let mut inside = Changes::new();
            let done = self.replaced(&member.value, self.behind_key(member), new, column, there, &mut inside);
            done.map_err(|misfit| misfit.under(key))?;
            match member.value.lines {
                Some(lines) if !in_place => blocks.push(self.kept(lines, &inside)),
                _ => changes.append(&mut inside),
            }
        }
        if !in_place {
            self.compose(column, lines_of(members.iter().map(|member| &member.value)), &blocks, changes);
        }
        Ok(())
    }

    fn list(&self, raw: &Raw, items: &[Raw], after: &[Node], changes: &mut Changes) -> Result<(), Misfit> {
        let column = raw.column.unwrap_or_default();
        let shown = |leaf: &Leaf| self.writer.shown(leaf);
        let before: Vec<_> = items.iter().map(|item| digest(&item.as_written(), &shown)).collect();
        let wanted: Vec<_> = after.iter().map(|node| digest(node, &shown)).collect();
        let origins = origins(&before, &wanted);
        let in_place = items.len() == after.len() && origins.iter().enumerate().all(|(at, from)| *from == Some(at));
        let mut blocks = Vec::with_capacity(after.len());
        for (at, (new, origin)) in after.iter().zip(origins).enumerate() {
            let Some((item, lines)) = origin.and_then(|from| Some((&items[from], items[from].lines?))) else {
                let mut text = Zeroizing::new(self.writer.new_item(new, column));
                text.push_str(self.writer.newline());
                blocks.push((Zeroizing::default(), text));
                continue;
            };
            let mut inside = Changes::new();
            let done = self.replaced(item, lines.body + 1, new, column, None, &mut inside);
            done.map_err(|misfit| misfit.under(at))?;
            if in_place {
                changes.append(&mut inside);
            } else {
                blocks.push(self.kept(lines, &inside));
            }
        }
        if !in_place {
            self.compose(column, lines_of(items.iter()), &blocks, changes);
        }
        Ok(())
    }

    /// What changes where a value stands: `start` is behind its colon, equals sign or dash.
    fn replaced(
        &self,
        raw: &Raw,
        start: usize,
        new: &Node,
        column: usize,
        donor: Option<&Raw>,
        changes: &mut Changes,
    ) -> Result<(), Misfit> {
        let count = |node: &Node| match node {
            Node::Map(members) => members.len(),
            Node::List(items) => items.len(),
            Node::Leaf(_) => 0,
        };
        match (&raw.kind, new) {
            (Kind::Map(_), Node::Map(_)) | (Kind::List(_), Node::List(_)) => {
                if raw.column.is_some() && count(new) > 0 {
                    return self.block(raw, new, donor, changes);
                }
                let empty = count(&raw.as_written()) == 0;
                if raw.column.is_none() && (!empty || count(new) == 0) {
                    changes.push((raw.span.clone(), self.bracket(raw, new, 0)?.into()));
                    return Ok(());
                }
            }
            (_, Node::Leaf(leaf)) => {
                if let Some(known) = raw.leaf() {
                    if !self.is(&known, leaf) {
                        self.writer.check(new).map_err(Misfit::new)?;
                        changes.push((raw.span.clone(), self.writer.plain(leaf, raw, Some(column)).into()));
                    }
                    return Ok(());
                }
            }
            _ => {}
        }
        self.writer.check(new).map_err(Misfit::new)?;
        // All from the colon or dash to the end of its line, or of its lines, gives way; comments on its line stay.
        let on_line: Vec<_> = raw.before.iter().filter(|remark| remark.span.start > start).collect();
        let behind = on_line.iter().map(|remark| remark.span.end).fold(raw.span.end, usize::max);
        let end = start + self.source[start..behind.max(start)].trim_end_matches(['\n', '\r']).len();
        let comment: String = on_line.iter().flat_map(|remark| [" #", remark.text.expose()]).collect();
        let is_item = self.source[..start].ends_with('-');
        let value = self.writer.new_value(new, column, is_item, !comment.is_empty());
        let text = if value.contains('\n') { comment + &value } else { value + &comment };
        changes.push((start..end, text.into()));
        Ok(())
    }

    /// Behind the colon of a key, or its equals sign.
    fn behind_key(&self, member: &Member) -> usize {
        let rest = &self.source[member.key_span.end..];
        member.key_span.end + rest.find([':', '=']).map_or(0, |at| at + 1)
    }

    /// A member or item as it stands, with what changes inside.
    fn kept(&self, lines: Lines, inside: &Changes) -> Block {
        let mut body = self.spliced(lines.body..lines.end, inside);
        if !body.ends_with('\n') {
            body.push_str(self.writer.newline());
        }
        (lead(self.source, lines).to_owned().into(), body)
    }

    /// A new member: with its comments where the donor has the same.
    pub(super) fn new_member(&self, key: &str, new: &Node, column: usize, given: &Given<'_>) -> Result<Block, Misfit> {
        let shown = |leaf: &Leaf| self.writer.shown(leaf);
        if let Some((from, member)) = given.get(key).copied()
            && let Some(lines) = member.value.lines
            && digest(&member.value.as_written(), &shown) == digest(new, &shown)
        {
            let mut body = shifted(&self.donor[lines.body..lines.end], from, column, true);
            if !body.ends_with('\n') {
                body.push_str(self.writer.newline());
            }
            return Ok((shifted(lead(self.donor, lines), from, column, false), body));
        }
        let allowed = self.writer.check_key(key).and_then(|()| self.writer.check(new));
        allowed.map_err(|why| Misfit::new(why).under(key))?;
        let text = self.writer.new_member(key, new, column);
        Ok((Zeroizing::default(), (text + self.writer.newline()).into()))
    }

    /// Puts a map or list together anew, in the place of the old lines of its members or items.
    fn compose(&self, column: usize, old: Option<(Lines, Lines)>, blocks: &[Block], changes: &mut Changes) {
        let Some((first, last)) = old else { return };
        // The first key of an item stands behind its dash.
        let behind_dash = first.lead == first.body && self.source[..first.body].ends_with([' ', '\t']);
        let behind_dash = behind_dash && !self.source[..first.body].trim_end_matches([' ', '\t']).ends_with('\n');
        let indent = " ".repeat(column);
        let mut text = Zeroizing::new(String::new());
        for (at, (lead, body)) in blocks.iter().enumerate() {
            if at == 0 && behind_dash {
                let comments = lead.trim_start();
                text.push_str(comments);
                text.push_str(if comments.is_empty() { "" } else { &indent });
            } else {
                text.push_str(lead);
                text.push_str(&indent);
            }
            text.push_str(body);
        }
        changes.push((first.lead..last.end, text));
    }
}

/// The members of a donor's map, by their keys, each with the map's column.
pub(super) fn members_of(donor: Option<&Raw>) -> Given<'_> {
    let members = donor.and_then(|donor| Some((donor.column?, donor.map()?)));
    members
        .into_iter()
        .flat_map(|(column, members)| members.iter().map(move |member| (member.key.as_str(), (column, member))))
        .collect()
}

fn lines_of<'a>(mut values: impl DoubleEndedIterator<Item = &'a Raw>) -> Option<(Lines, Lines)> {
    let first = values.next()?.lines?;
    Some((first, values.next_back().map_or(Some(first), |last| last.lines)?))
}

/// The lines before a member or item.
fn lead(source: &str, lines: Lines) -> &str {
    let lead = &source[lines.lead..lines.body];
    &lead[..lead.rfind('\n').map_or(0, |newline| newline + 1)]
}

/// Lines of another column; the first one may be without its indentation already.
fn shifted(text: &str, from: usize, to: usize, first_is_bare: bool) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len()));
    for (at, line) in text.split_inclusive('\n').enumerate() {
        let bare = line.trim_start_matches(' ');
        let indent = line.len() - bare.len();
        if (at > 0 || !first_is_bare) && !bare.trim_end().is_empty() {
            out.extend(std::iter::repeat_n(' ', (indent + to).saturating_sub(from)));
            out.push_str(bare);
        } else {
            out.push_str(line);
        }
    }
    out
}
