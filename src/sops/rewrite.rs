//! Another tree into a plain text, whose layout and comments stay wherever its values do.

mod brackets;
mod lines;

use std::ops::Range;

use zeroize::Zeroizing;

use super::error::Misfit;
use super::raw::{Parsed, Part, Raw, splice};
use super::store::Writer;
use super::tree::Node;

/// What takes the place of some text.
type Changes = Vec<(Range<usize>, Zeroizing<String>)>;

/// The text of `plain` with other values, a tree for each of its documents. What is new and equal in `donor` is taken from
/// there with its comments.
pub(super) fn rewrite(
    writer: &Writer,
    plain: &Parsed,
    nodes: &[Node],
    donor: Option<&Parsed>,
) -> Result<Zeroizing<String>, Misfit> {
    let edit = Edit { writer, source: &plain.source, donor: donor.map_or("", |donor| &donor.source) };
    let mut changes = Changes::new();
    for (at, (part, node)) in plain.parts.iter().zip(nodes).enumerate() {
        let other = donor.and_then(|donor| donor.parts.get(at)).map(|part| &part.root);
        edit.root(part, node, other, &mut changes)?;
    }
    Ok(edit.spliced(0..plain.source.len(), &changes))
}

struct Edit<'a> {
    writer: &'a Writer,
    source: &'a str,
    /// The text of the donor.
    donor: &'a str,
}

impl Edit<'_> {
    fn root(&self, part: &Part, node: &Node, donor: Option<&Raw>, changes: &mut Changes) -> Result<(), Misfit> {
        let Node::Map(after) = node else { return Ok(()) };
        let members = part.root.map().unwrap_or_default();
        match part.root.column {
            None => {
                changes.push((part.root.span.clone(), self.bracket(&part.root, node, 0)?.into()));
                Ok(())
            }
            Some(column) if members.is_empty() => {
                let before = &self.source[..part.end];
                let open = !before.is_empty() && !before.ends_with('\n');
                let mut new = Zeroizing::new(if open { self.writer.newline().to_owned() } else { String::new() });
                let given = lines::members_of(donor);
                for (key, value) in after {
                    let (lead, body) = self.new_member(key, value, column, &given)?;
                    new.push_str(&lead);
                    new.push_str(&body);
                }
                changes.push((part.end..part.end, new));
                Ok(())
            }
            Some(_) if after.is_empty() => {
                let lines = |at: Option<&super::raw::Member>| at.and_then(|member| member.value.lines);
                if let (Some(first), Some(last)) = (lines(members.first()), lines(members.last())) {
                    changes.push((first.lead..last.end, Zeroizing::default()));
                }
                Ok(())
            }
            Some(_) => self.block(&part.root, node, donor, changes),
        }
    }

    fn spliced(&self, place: Range<usize>, changes: &Changes) -> Zeroizing<String> {
        splice(self.source, place, changes.iter().map(|(range, text)| (range.clone(), text.as_str())))
    }
}
