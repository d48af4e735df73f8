//! What saphyr reads of YAML, event by event, with exact places, and with the comments and dashes that it leaves out.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, StrInput};

use super::remarks::{Found, gap, line_end, line_start};

/// A place, and what is wrong there.
pub(super) type Wrong = (usize, Cow<'static, str>);
pub(super) type Parsed<T> = Result<T, Wrong>;

pub(super) fn wrong<T>(at: usize, why: impl Into<Cow<'static, str>>) -> Parsed<T> {
    Err((at, why.into()))
}

const DIGITS: [char; 9] = ['1', '2', '3', '4', '5', '6', '7', '8', '9'];

/// One event.
pub(super) struct Next<'a> {
    pub(super) event: Event<'a>,
    pub(super) span: Range<usize>,
    pub(super) column: usize,
}

/// The events of a text.
pub(super) struct Events<'a> {
    text: &'a str,
    offsets: Offsets<'a>,
    parser: Parser<'a, StrInput<'a>>,
    ahead: Option<Next<'a>>,
    /// Behind the last value or mark.
    pub(super) cursor: usize,
    /// Whether something stands before the cursor on its line.
    open: bool,
    /// Comments before `ahead` that nothing took yet.
    pub(super) pending: VecDeque<Found>,
    /// Dashes before `ahead` that no item took yet.
    pub(super) dashes: Vec<usize>,
}

impl<'a> Events<'a> {
    /// `grammatical` is the same text, or one of the same length in the parser's grammar.
    pub(super) fn of(text: &'a str, grammatical: &'a str) -> Self {
        Self {
            text,
            offsets: Offsets::of(text),
            parser: Parser::new_from_str(grammatical),
            ahead: None,
            cursor: 0,
            open: false,
            pending: VecDeque::new(),
            dashes: Vec::new(),
        }
    }

    pub(super) fn take(&mut self) -> Parsed<Next<'a>> {
        self.peek()?;
        self.ahead.take().map_or_else(|| wrong(self.text.len(), "the end of the file"), Ok)
    }

    /// The next event; what stands before it was looked through.
    pub(super) fn peek(&mut self) -> Parsed<&Next<'a>> {
        if self.ahead.is_none() {
            let (event, span) = match self.parser.next_event() {
                Some(Ok(next)) => next,
                Some(Err(error)) => return Err(self.scan_error(&error)),
                None => return wrong(self.text.len(), "the end of the file"),
            };
            let start = self.offsets.byte(span.start.index()).max(self.cursor);
            let end = self.offsets.byte(span.end.index()).max(start);
            let marked = match event {
                Event::DocumentStart(explicit) => explicit,
                Event::DocumentEnd => self.text[start..end].starts_with("..."),
                _ => true,
            };
            let mut place = start..if marked { end } else { start };
            let found = gap(self.text, self.cursor, start, self.open).map_err(|(at, why)| (at, why.into()))?;
            self.pending.extend(found.found);
            self.dashes.extend(found.dashes);
            match (&event, found.header) {
                (Event::Scalar(value, ScalarStyle::Literal | ScalarStyle::Folded, ..), header) => {
                    // At the end of the file the parser begins an empty one at its mark.
                    let header = header.unwrap_or(start);
                    let has_text = value.contains(|next| next != '\n');
                    place = self.block_scalar(header, start, has_text)?;
                    let mark = gap(self.text, header + 1, line_end(self.text, header), true);
                    self.pending.extend(mark.map_err(|(at, why)| (at, why.into()))?.found);
                }
                // The parser's end may lie behind a comment.
                (Event::Scalar(_, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted, ..), _) => {
                    place = start..start + quoted(&self.text[place]);
                }
                (Event::MappingStart(..) | Event::SequenceStart(..) | Event::MappingEnd | Event::SequenceEnd, _)
                    if !place.is_empty() =>
                {
                    place = start..start + 1;
                }
                _ => {}
            }
            self.open = found.open || !place.is_empty();
            self.cursor = place.end;
            let column = place.start - line_start(self.text, place.start);
            self.ahead = Some(Next { event, span: place, column });
        }
        match &self.ahead {
            Some(next) => Ok(next),
            None => wrong(self.text.len(), "the end of the file"),
        }
    }

    /// The text of a block scalar, from its `|` or `>` to the end of its last line. Of the empty lines behind it only those
    /// that it keeps (`+`) are its own.
    fn block_scalar(&self, header: usize, content: usize, has_text: bool) -> Parsed<Range<usize>> {
        let first = line_end(self.text, header);
        let mark = &self.text[header..first];
        let words = mark.split_once(" #").map_or(mark, |(words, _)| words);
        let indent = content.saturating_sub(line_start(self.text, content));
        if words.contains('+') && !has_text {
            return wrong(header, "a block without text that keeps its lines, which parsers read differently");
        }
        let (mut end, mut at, mut begun) = (header + words.trim_end().len(), first, words.contains(DIGITS));
        for line in self.text[first..].split_inclusive('\n') {
            let bare = line.trim_end_matches(['\n', '\r']);
            let inner = bare.trim_start_matches(' ');
            let inside = has_text && bare.len() - inner.len() >= indent;
            if !inner.is_empty() && !inside {
                break;
            }
            if inner.starts_with('\t') && !begun {
                return wrong(at, "a tab at the beginning of a block, where go-yaml expects spaces");
            }
            begun |= !inner.is_empty();
            if !inner.is_empty() || words.contains('+') {
                end = at + bare.len();
            }
            at += line.len();
        }
        Ok(header..end)
    }

    fn scan_error(&self, error: &ScanError) -> Wrong {
        // Whatever is quoted might be part of a secret.
        let info = error.info().split(": `").next().unwrap_or_default().to_owned();
        (self.offsets.byte(error.marker().index()), info.into())
    }
}

/// How long a text in quotes is at the beginning of another.
fn quoted(text: &str) -> usize {
    let double = text.starts_with('"');
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, next)) = chars.next() {
        match next {
            '\\' if double => drop(chars.next()),
            '"' if double => return at + 1,
            '\'' if !double && chars.next_if(|(_, next)| *next == '\'').is_none() => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Characters that YAML does not allow, and line breaks that only go-yaml takes for such.
pub(super) fn check(text: &str) -> Parsed<()> {
    if text.starts_with('\u{feff}') {
        return wrong(0, "a byte order mark, which is not supported");
    }
    let bad = |(at, next): &(usize, char)| match next {
        '\r' => !text[at + 1..].starts_with('\n'),
        '\t' | '\n' => false,
        next => next.is_control() || "\u{2028}\u{2029}\u{feff}\u{fffe}\u{ffff}".contains(*next),
    };
    match text.char_indices().find(bad) {
        Some((at, _)) => wrong(at, "a character that must be written as an escape, in double quotes"),
        None => Ok(()),
    }
}

/// go-yaml writes an empty map or list that holds comments as an open bracket, the comments, and the closing bracket at
/// the beginning of a line, where YAML does not allow it. The same text, of the same length, with all that on one line;
/// `None` where there is no such thing. No other value can reach to the beginning of a line.
pub(super) fn closed_on_its_line(text: &str) -> Option<String> {
    let mut bytes = None;
    let ends = |line: &str| line.trim_end_matches(['\n', '\r', ' ']).ends_with(['{', '[']);
    let (mut at, mut opened) = (0, None);
    for line in text.split_inclusive('\n') {
        let next = at + line.len();
        if let Some(from) = opened.filter(|_| line.starts_with(['}', ']'])) {
            bytes.get_or_insert_with(|| text.as_bytes().to_vec())[from..at].fill(b' ');
            opened = None;
        } else if !line.trim_start().starts_with('#') {
            opened = ends(line).then_some(next - 1);
        }
        at = next;
    }
    bytes.and_then(|bytes| String::from_utf8(bytes).ok())
}

/// Places in bytes of places in characters.
struct Offsets<'a> {
    text: &'a str,
    /// Of every 64th character; empty where each has one byte.
    known: Vec<usize>,
}

impl<'a> Offsets<'a> {
    fn of(text: &'a str) -> Self {
        let known =
            if text.is_ascii() { Vec::new() } else { text.char_indices().step_by(64).map(|(at, _)| at).collect() };
        Self { text, known }
    }

    fn byte(&self, index: usize) -> usize {
        let Some(&from) = self.known.get(index / 64) else {
            return if self.known.is_empty() { index.min(self.text.len()) } else { self.text.len() };
        };
        self.text[from..].char_indices().nth(index % 64).map_or(self.text.len(), |(at, _)| from + at)
    }
}
