//! The JSON store: text into [`Raw`], values into text.
//!
//! An own parser because an edit needs the place of each value, because duplicate keys must be an error, and because
//! numbers must survive exactly as written.

mod parse;
mod write;

pub(super) use parse::parse;
pub(super) use write::{Style, compact, leaf_text, quote};

use super::raw::{Held, Kind, Part, Raw};

/// The metadata's key.
const SOPS: &str = "sops";

/// Takes the metadata out of the root of a document in brackets.
pub(super) fn part(mut root: Raw, end: usize) -> Part {
    let sops = match &mut root.kind {
        Kind::Map(members) => members.iter().position(|member| member.key == SOPS).map(|at| {
            let (start, first) = (root.span.start + 1, at == 0);
            let previous = if first { start } else { members[at - 1].value.span.end };
            let next = members.get(at + 1).map(|next| (next.key.clone(), next.key_span.start));
            let own = members.remove(at);
            let text = own.value.span.clone();
            let cut = match &next {
                Some((_, next)) => own.key_span.start..*next,
                None => previous..text.end,
            };
            Held { raw: own.value, text: vec![text], cuts: vec![cut], before_key: next.map(|(key, _)| key) }
        }),
        _ => None,
    };
    Part { root, sops, end }
}

/// Where metadata goes into a plain document in brackets, and all that is put there: the text `metadata` with its key and
/// what joins it to its neighbours. `old` is the document from which the metadata is, with its text.
pub(super) fn insertion(
    style: &Style,
    source: &str,
    part: &Part,
    old: Option<(&str, &Held)>,
    metadata: &str,
) -> (usize, String) {
    let members = part.root.map().unwrap_or_default();
    if let Some((old, held)) = old
        && let ([cut], [text]) = (held.cuts.as_slice(), held.text.as_slice())
    {
        if let Some(next) = held.before_key.as_ref().and_then(|key| members.iter().find(|member| member.key == *key)) {
            let (lead, behind) = (&old[cut.start..text.start], &old[text.end..cut.end]);
            return (next.key_span.start, format!("{lead}{metadata}{behind}"));
        }
        let lead = &old[cut.start..text.start];
        match members.last() {
            Some(last) if lead.starts_with(|next: char| next == ',' || next.is_whitespace()) && lead.contains(',') => {
                return (last.value.span.end, format!("{lead}{metadata}"));
            }
            None if held.before_key.is_none() && !lead.contains(',') => {
                return (part.root.span.start + 1, format!("{lead}{metadata}"));
            }
            _ => {}
        }
    }
    let own = format!("{}{metadata}", style.key(SOPS));
    if let Some(last) = members.last() {
        return (last.value.span.end, format!("{}{own}", style.between(0)));
    }
    let start = part.root.span.start + 1;
    let closes = if source[start..part.root.span.end].contains('\n') { String::new() } else { style.lead(0) };
    (start, format!("{}{own}{closes}", style.lead(1)))
}
