//! YAML text into a tree with places, comments and lines.

use std::collections::HashSet;
use std::ops::Range;

use saphyr_parser::{Event, ScalarStyle, Tag};
use zeroize::Zeroizing;

use super::events::{Events, Parsed, Wrong, check, closed_on_its_line, wrong};
use super::remarks::{line_end, line_start, trailing};
use super::scalar::resolve;
use crate::secret::Secret;
use crate::sops::cipher::is_sealed_comment;
use crate::sops::error::Error;
use crate::sops::raw::{Kind, Lines, Member, Raw, Remark};
use crate::sops::text::{syntax, utf8};

/// Deeper nesting is refused, so that no document overflows the stack.
const MAX_DEPTH: usize = 200;

/// A document of the text: its root, which is a map, and where its text ends.
pub(in crate::sops) struct Read {
    pub(in crate::sops) source: Zeroizing<String>,
    pub(in crate::sops) roots: Vec<(Raw, usize)>,
}

/// Parses a whole file, of one document or several; `name` is for the error.
pub(in crate::sops) fn parse(name: &str, bytes: &[u8]) -> Result<Read, Error> {
    let text = utf8(name, bytes)?;
    let wrong = |(at, why): Wrong| syntax(name, text, at, why.into_owned());
    check(text).map_err(wrong)?;
    let grammatical = closed_on_its_line(text).map(Zeroizing::new);
    let events = Events::of(text, grammatical.as_ref().map_or(text, |text| text.as_str()));
    let mut reader = Reader { text, events, depth: 0 };
    let roots = reader.documents().map_err(wrong)?;
    Ok(Read { source: Zeroizing::new(text.to_owned()), roots })
}

struct Reader<'a> {
    text: &'a str,
    events: Events<'a>,
    depth: usize,
}

impl Reader<'_> {
    fn documents(&mut self) -> Parsed<Vec<(Raw, usize)>> {
        let mut roots: Vec<(Raw, usize)> = Vec::new();
        loop {
            let next = self.events.take()?;
            match next.event {
                Event::StreamStart => {}
                Event::StreamEnd => break,
                Event::DocumentStart(explicit) => {
                    if let Some((_, end)) = roots.last_mut().filter(|(_, end)| explicit && *end == self.text.len()) {
                        *end = next.span.start;
                    }
                    let start = match roots.last() {
                        _ if explicit => line_end(self.text, next.span.end),
                        Some((_, end)) => line_end(self.text, *end),
                        None => 0,
                    };
                    let mut root = self.root(start)?;
                    if let Kind::Map(members) = &mut root.kind
                        && let Some(first) = members.first_mut().filter(|_| !roots.is_empty())
                    {
                        // What follows the mark of a second document may be the first one's to go-yaml.
                        first.value.before.iter_mut().for_each(|remark| remark.aligned = false);
                    }
                    roots.push((root, self.text.len()));
                    let end = self.events.take()?;
                    if let Some((_, at)) = roots.last_mut().filter(|_| !end.span.is_empty()) {
                        *at = end.span.start;
                    }
                }
                _ => return wrong(next.span.start, "text behind the end of the document"),
            }
        }
        if roots.is_empty() {
            // What is left when the metadata is taken out of a document without values.
            let end = self.text.len();
            roots.push((Raw { column: Some(0), ..Raw::new(end..end, Kind::Map(Vec::new())) }, end));
        }
        let Some((last, _)) = roots.last_mut() else { return Ok(roots) };
        last.after.extend(self.events.pending.drain(..).map(|found| found.into_remark(self.text, Some(0))));
        Ok(roots)
    }

    fn root(&mut self, start: usize) -> Parsed<Raw> {
        let next = self.events.peek()?;
        let (at, column) = (next.span.start, next.column);
        match &next.event {
            Event::MappingStart(anchor, tag) => {
                refuse(at, *anchor, tag.as_deref())?;
                self.events.take()?;
                let mut root =
                    if self.events.cursor > at { self.flow(at, true)? } else { self.block_map(column, start)? };
                self.events.peek()?;
                root.after.extend(self.events.pending.drain(..).map(|found| found.into_remark(self.text, root.column)));
                Ok(root)
            }
            Event::Scalar(text, ScalarStyle::Plain, 0, None) if matches!(resolve(text), Ok(Kind::Null)) => {
                self.events.take()?;
                self.events.peek()?;
                let after = self.events.pending.drain(..).map(|found| found.into_remark(self.text, Some(0))).collect();
                Ok(Raw { after, column: Some(0), ..Raw::new(at..at, Kind::Map(Vec::new())) })
            }
            _ => wrong(at, "the document is not a map, which the sops format demands"),
        }
    }

    /// A value; `parent` is the column of the map or list around it if that is in lines, `header` a place on the line of
    /// its colon or dash.
    fn value(&mut self, parent: Option<usize>, header: usize) -> Parsed<Raw> {
        if self.depth == MAX_DEPTH {
            return wrong(header, format!("nesting deeper than {MAX_DEPTH} levels"));
        }
        self.depth += 1;
        let next = self.events.take()?;
        let at = next.span.start;
        let raw = match next.event {
            Event::Scalar(text, style, anchor, tag) => {
                refuse(at, anchor, tag.as_deref())?;
                let kind = match style {
                    ScalarStyle::Plain if parent.is_none() && text.contains('?') => {
                        return wrong(at, "a question mark in brackets, which go-yaml refuses: write it in quotes");
                    }
                    ScalarStyle::Plain => resolve(&text).or_else(|why| wrong(at, why))?,
                    // At the very end of a file go-yaml sees no new line where there is none.
                    ScalarStyle::Literal | ScalarStyle::Folded if next.span.end == self.text.len() => {
                        Kind::Text(Secret::new(text.strip_suffix('\n').unwrap_or(&text)))
                    }
                    _ => Kind::Text(Secret::new(text.into_owned())),
                };
                let mut raw = Raw::new(next.span, kind);
                raw.before.extend(self.line_comment(parent)?);
                raw
            }
            Event::MappingStart(anchor, tag) => {
                refuse(at, anchor, tag.as_deref())?;
                if parent.is_none() || !next.span.is_empty() {
                    self.flow_value(at, true)?
                } else {
                    self.block_map(next.column, self.below(header, at))?
                }
            }
            Event::SequenceStart(anchor, tag) => {
                refuse(at, anchor, tag.as_deref())?;
                if parent.is_none() || !next.span.is_empty() {
                    self.flow_value(at, false)?
                } else {
                    self.block_list(self.below(header, at))?
                }
            }
            Event::Alias(_) => {
                return wrong(at, "an alias (`*`), which sops would replace by a copy: write the value out");
            }
            _ => return wrong(at, "the end in the middle of a value"),
        };
        self.depth -= 1;
        Ok(raw)
    }

    /// Where the lines of a map or list begin whose first key or dash stands at a place.
    fn below(&self, header: usize, first: usize) -> usize {
        if line_start(self.text, first) <= header { first } else { line_end(self.text, header) }
    }

    fn block_map(&mut self, column: usize, start: usize) -> Parsed<Raw> {
        let mut members: Vec<Member> = Vec::new();
        let mut keys = HashSet::new();
        let mut lead = start;
        loop {
            let next = self.events.peek()?;
            if matches!(next.event, Event::MappingEnd) {
                break;
            }
            let mut before = self.all_pending(Some(column));
            let (key, key_span) = self.key(&mut keys)?;
            let colon = self.colon(key_span.end);
            self.events.peek()?;
            before.extend(self.on_this_line(Some(column)));
            // What stands between a key and a value that is no block is nobody's in particular.
            if !self.events.peek()?.span.is_empty() {
                before.extend(self.all_pending(None).into_iter().map(|found| Remark { aligned: false, ..found }));
            }
            let mut value = self.value(Some(column), colon)?;
            let empty = value.span.is_empty() && matches!(value.kind, Kind::Null);
            if empty {
                value.span = colon + 1..colon + 1;
            }
            let end = self.end_of(&value);
            before.append(&mut value.before);
            value.before = before;
            value.lines = Some(Lines { lead, body: key_span.start, end });
            lead = end;
            members.push(Member { key, key_span, value });
        }
        let first = members.first().map_or(start, |member| member.key_span.start);
        self.close(Raw { column: Some(column), ..Raw::new(first..lead, Kind::Map(members)) }, Vec::new())
    }

    fn block_list(&mut self, start: usize) -> Parsed<Raw> {
        // The first item is looked at for its dash; the event may stand at the dash or behind it.
        self.events.peek()?;
        let column = self.events.dashes.first().map_or(0, |dash| dash - line_start(self.text, *dash));
        let mut items: Vec<Raw> = Vec::new();
        let mut carried: Vec<Remark> = Vec::new();
        let mut lead = start;
        let mut first = None;
        loop {
            let next = self.events.peek()?;
            if matches!(next.event, Event::SequenceEnd) {
                break;
            }
            let at = next.span.start;
            let scalar = !next.span.is_empty() || matches!(next.event, Event::Scalar(..));
            let mine = |dash: &usize| dash - line_start(self.text, *dash) == column;
            let Some(place) = self.events.dashes.iter().position(mine) else {
                return wrong(at, "an item without its dash");
            };
            let dash = self.events.dashes[place];
            self.events.dashes.drain(..=place);
            first = first.or(Some(dash));
            let before_dash = self.events.pending.iter().take_while(|found| found.hash < dash || scalar).count();
            let found: Vec<_> = self.events.pending.drain(..before_dash).collect();
            let mut before = std::mem::take(&mut carried);
            before.extend(found.into_iter().map(|found| found.into_remark(self.text, Some(column))));
            // go-yaml moves comments between items that are lists, maps or nothing.
            let odd = |item: &Raw| item.column.is_some() || matches!(item.kind, Kind::Null);
            let after_odd = items.last().is_some_and(odd);
            let mut value = self.value(Some(column), dash)?;
            if value.span.is_empty() && matches!(value.kind, Kind::Null) {
                value.span = dash + 1..dash + 1;
            }
            if after_odd || odd(&value) {
                for remark in &mut before {
                    remark.aligned = false;
                }
            }
            let end = self.end_of(&value);
            before.append(&mut value.before);
            if let Some(text) = value.text().filter(|text| is_sealed_comment(text)) {
                let text = Secret::new(text);
                before.push(Remark { span: dash..value.span.end, text, as_item: true, aligned: true });
                carried = before;
                continue;
            }
            value.before = before;
            value.lines = Some(Lines { lead, body: dash, end });
            lead = end;
            items.push(value);
        }
        let first = first.unwrap_or(start);
        self.close(Raw { column: Some(column), ..Raw::new(first..lead, Kind::List(items)) }, carried)
    }

    /// Takes the end of a block, and the comments that end it.
    fn close(&mut self, mut raw: Raw, carried: Vec<Remark>) -> Parsed<Raw> {
        let end = self.events.take()?;
        let column = raw.column.unwrap_or_default();
        let next = (end.span.start < self.text.len()).then_some((end.span.start, end.column));
        let behind = raw.span.end;
        let found = self.events.pending.make_contiguous();
        let count = trailing(self.text, found, column, behind, next);
        // Where several blocks end at once, go-yaml may give a comment to any of them.
        let ends_another = match &raw.kind {
            Kind::Map(members) => members.last().is_some_and(|member| member.value.column.is_some()),
            Kind::List(items) => items.last().is_some_and(|item| item.column.is_some()),
            _ => false,
        };
        raw.after = carried;
        for found in self.events.pending.drain(..count) {
            let remark = found.into_remark(self.text, Some(column));
            raw.after.push(Remark { aligned: remark.aligned && !ends_another, ..remark });
        }
        if let Some(last) = raw.after.last() {
            raw.span.end = raw.span.end.max(line_end(self.text, last.span.end));
        }
        Ok(raw)
    }

    /// A map or list in brackets, whose bracket was taken, with the comment behind it on its line.
    fn flow_value(&mut self, at: usize, map: bool) -> Parsed<Raw> {
        if map && !self.text[at..].starts_with('{') {
            return wrong(at, "a key in a list in brackets, which needs braces of its own");
        }
        let mut raw = self.flow(at, map)?;
        let comment = self.line_comment(None)?;
        let place = match &mut raw.kind {
            Kind::Map(members) if !members.is_empty() => &mut members[0].value.before,
            Kind::List(items) if !items.is_empty() => &mut items[0].before,
            _ => &mut raw.after,
        };
        // go-yaml puts it before all that is inside.
        place.splice(0..0, comment);
        Ok(raw)
    }

    fn flow(&mut self, at: usize, map: bool) -> Parsed<Raw> {
        let mut members = Vec::new();
        let mut items = Vec::new();
        let mut keys = HashSet::new();
        loop {
            let next = self.events.peek()?;
            if matches!(next.event, Event::MappingEnd | Event::SequenceEnd) {
                break;
            }
            let mut before = self.all_pending(None);
            if let Some(first) = before.first_mut().filter(|_| members.is_empty() && items.is_empty()) {
                // sops loses a comment behind an opening bracket.
                let between = self.text.get(at..first.span.start);
                first.aligned = first.aligned && between.is_none_or(|between| between.contains('\n'));
            }
            let key = if map { Some(self.key(&mut keys)?) } else { None };
            let behind = key.as_ref().map_or(self.events.cursor, |(_, span)| span.end);
            self.events.peek()?;
            if key.is_some() {
                before.extend(self.all_pending(None));
            }
            let mut value = self.value(None, behind)?;
            if let Some((_, span)) = &key
                && value.span.is_empty()
            {
                let colon = self.colon(span.end);
                let there = self.text[colon..].starts_with(':');
                value.span = if there { colon + 1..colon + 1 } else { span.end..span.end };
            }
            before.append(&mut value.before);
            value.before = before;
            match key {
                Some((key, key_span)) => members.push(Member { key, key_span, value }),
                None => items.push(value),
            }
        }
        let after = self.all_pending(None);
        let end = self.events.take()?;
        let kind = if map { Kind::Map(members) } else { Kind::List(items) };
        Ok(Raw { after, ..Raw::new(at..end.span.end.max(at), kind) })
    }

    fn key(&mut self, keys: &mut HashSet<String>) -> Parsed<(String, Range<usize>)> {
        let next = self.events.take()?;
        let at = next.span.start;
        match next.event {
            Event::Scalar(text, style, anchor, tag) => {
                refuse(at, anchor, tag.as_deref())?;
                if style == ScalarStyle::Plain {
                    if &*text == "<<" {
                        return wrong(at, "a merge key (`<<`), which sops would expand: write the keys out");
                    }
                    if !matches!(resolve(&text), Ok(Kind::Text(_))) {
                        return wrong(at, "a key that is not a text, which sops refuses: write it in quotes");
                    }
                }
                if !keys.insert(text.clone().into_owned()) {
                    return wrong(at, format!("the key {text:?} is there twice in one map"));
                }
                Ok((text.into_owned(), next.span))
            }
            Event::Alias(_) => wrong(at, "an alias (`*`) for a key"),
            _ => wrong(at, "a key that is not a text"),
        }
    }

    /// The colon behind a key.
    fn colon(&self, from: usize) -> usize {
        let rest = &self.text[from..];
        from + rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len()
    }

    /// Behind the last line of a value in lines.
    fn end_of(&self, value: &Raw) -> usize {
        if value.column.is_some() {
            return value.span.end;
        }
        let inner = match &value.kind {
            Kind::Map(members) => members.first().map(|member| &member.value.before),
            Kind::List(items) => items.first().map(|item| &item.before),
            _ => Some(&value.before),
        };
        let comments = inner.into_iter().flatten().chain(&value.after);
        let last = comments.map(|remark| remark.span.end).fold(value.span.end, usize::max);
        line_end(self.text, last)
    }

    /// The comment behind the value that was just taken, on its line.
    fn line_comment(&mut self, column: Option<usize>) -> Parsed<Option<Remark>> {
        self.events.peek()?;
        Ok(self.on_this_line(column))
    }

    fn on_this_line(&mut self, column: Option<usize>) -> Option<Remark> {
        if self.events.pending.front().is_some_and(|found| !found.own_line) {
            return self.events.pending.pop_front().map(|found| found.into_remark(self.text, column));
        }
        None
    }

    fn all_pending(&mut self, column: Option<usize>) -> Vec<Remark> {
        self.events.pending.drain(..).map(|found| found.into_remark(self.text, column)).collect()
    }
}

fn refuse(at: usize, anchor: usize, tag: Option<&Tag>) -> Parsed<()> {
    match (anchor, tag) {
        (0, None) => Ok(()),
        (0, Some(_)) => wrong(at, "a tag (`!`), which sops would drop: write the value without"),
        _ => wrong(at, "an anchor (`&`), which sops would expand: write the value out where it is used"),
    }
}
