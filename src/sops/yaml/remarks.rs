//! Comments of YAML, and the map or list that each belongs to.
//!
//! sops encrypts a comment bound to the map around it, and lets comments decide what is encrypted, so the two must agree
//! on where each belongs. go-yaml decides by indentation and empty lines. What lines up is decided here as it does;
//! what does not is marked, and refused where a wrong guess would leave a value clear.

use crate::secret::Secret;
use crate::sops::raw::Remark;

/// A comment that was found between two values and belongs to neither yet.
#[derive(Clone)]
pub(super) struct Found {
    /// Where its `#` stands.
    pub(super) hash: usize,
    /// Behind its last character.
    pub(super) end: usize,
    /// In bytes; indentation is of spaces.
    pub(super) column: usize,
    /// Nothing but spaces stands before it on its line.
    pub(super) own_line: bool,
}

impl Found {
    /// As a comment of a map or list at a column; `None` is one in brackets.
    pub(super) fn into_remark(self, text: &str, column: Option<usize>) -> Remark {
        let aligned = !self.own_line || column.is_none_or(|column| column == self.column);
        let said = Secret::new(&text[self.hash + 1..self.end]);
        Remark { span: self.hash + 1..self.end, text: said, as_item: false, aligned }
    }
}

/// What stands between two values.
#[derive(Default)]
pub(super) struct Gap {
    pub(super) found: Vec<Found>,
    /// Dashes of lists.
    pub(super) dashes: Vec<usize>,
    /// The `|` or `>` of a block that follows, where the search ended.
    pub(super) header: Option<usize>,
    /// Whether something stands on the last line.
    pub(super) open: bool,
}

/// Looks through a stretch of text that holds no value. `open` tells that something stands before it on its line.
pub(super) fn gap(text: &str, from: usize, to: usize, mut open: bool) -> Result<Gap, (usize, &'static str)> {
    let bytes = text.as_bytes();
    let blank = |at: usize| bytes.get(at).is_none_or(|byte| b" \t\r\n".contains(byte));
    let mut gap = Gap::default();
    let mut at = from;
    while at < to {
        match bytes[at] {
            b'\n' => open = false,
            b' ' | b'\t' | b'\r' => {}
            b'#' => {
                let line = &text[at..];
                let end = at + line.find('\n').unwrap_or(line.len());
                let end = end - usize::from(text[at..end].ends_with('\r'));
                let column = at - line_start(text, at);
                gap.found.push(Found { hash: at, end, column, own_line: !open });
                at = end;
                continue;
            }
            b'-' if blank(at + 1) => {
                gap.dashes.push(at);
                open = true;
            }
            b'?' if blank(at + 1) => return Err((at, "an explicit key (`? `), which is not supported")),
            b'%' if !open => return Err((at, "a directive, which is not supported")),
            b'|' | b'>' => {
                gap.header = Some(at);
                break;
            }
            _ => open = true,
        }
        at += 1;
    }
    gap.open = open;
    Ok(gap)
}

/// Where the line of a place begins.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

/// Behind the line of a place.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |newline| at + newline + 1)
}

/// Whether an empty line lies between two places.
fn parted(text: &str, from: usize, to: usize) -> bool {
    text[from..to.max(from)].matches('\n').count() > 1
}

/// How many of some comments in their lines belong to a map or list that ends with them; the rest is what follows it.
///
/// `column` is where it stands, `end` is behind its last line, `next` is where the value behind the comments stands (place
/// and column), if there is one. As go-yaml has it: what touches the last line belongs to it, and then nothing behind an
/// empty line does; else all that is indented like it does, but not at the end of the text.
pub(super) fn trailing(text: &str, found: &[Found], column: usize, end: usize, next: Option<(usize, usize)>) -> usize {
    let inside = found.iter().take_while(|comment| comment.own_line && comment.column >= column).count();
    let touches = found.first().is_some_and(|first| !text[end..first.hash].contains('\n'));
    if touches {
        let behind = |at: usize| found.get(at + 1).map_or(next.map(|(place, _)| place), |comment| Some(comment.hash));
        let ends_block = |at: &usize| behind(*at).is_none_or(|place| parted(text, found[*at].end, place));
        let last = (0..inside).find(ends_block);
        // A list may stand at the column of its own key: what touches the next key is that key's.
        let is_next = last.is_none() && next.is_some_and(|(_, at)| at == column);
        return if is_next { 0 } else { last.map_or(inside, |last| last + 1) };
    }
    if next.is_some_and(|(_, at)| at < column) { inside } else { 0 }
}
