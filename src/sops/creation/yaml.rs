//! Just enough YAML for `.sops.yaml`: maps, lists and scalars; anchors, which such files use for their keys, are
//! expanded.

use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Parser, ScanError};

/// Deeper nesting is refused, so that no file overflows the stack.
const MAX_DEPTH: usize = 64;

/// Expanded files with more values are refused, so that none fills the memory.
const MAX_VALUES: usize = 100_000;

/// A value of a rule file.
#[derive(Debug, Clone)]
pub(super) enum Yaml {
    Map(Vec<(String, Yaml)>),
    List(Vec<Yaml>),
    Scalar(String),
    Null,
}

impl Yaml {
    /// The first document of a text; an empty text is null.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut events =
            Events { parser: Parser::new_from_str(text), anchors: HashMap::new(), left: MAX_VALUES, depth: 0 };
        loop {
            match events.next()? {
                None | Some(Event::StreamEnd) => return Ok(Self::Null),
                Some(Event::DocumentStart(_)) => {
                    let first = events.next()?;
                    return events.value(first);
                }
                Some(_) => {}
            }
        }
    }

    pub(super) fn get(&self, key: &str) -> &Self {
        match self {
            Self::Map(members) => members.iter().find(|(name, _)| name == key).map_or(&Self::Null, |(_, value)| value),
            _ => &Self::Null,
        }
    }

    pub(super) fn scalar(&self) -> Option<&str> {
        match self {
            Self::Scalar(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn list(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    fn count(&self) -> usize {
        match self {
            Self::Map(members) => 1 + members.iter().map(|(_, value)| value.count()).sum::<usize>(),
            Self::List(items) => 1 + items.iter().map(Self::count).sum::<usize>(),
            Self::Scalar(_) | Self::Null => 1,
        }
    }
}

struct Events<'a> {
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
    anchors: HashMap<usize, Yaml>,
    left: usize,
    depth: usize,
}

impl<'a> Events<'a> {
    fn next(&mut self) -> Result<Option<Event<'a>>, String> {
        let next = self.parser.next_event().transpose().map_err(|error| describe(&error))?;
        Ok(next.map(|(event, _)| event))
    }

    fn value(&mut self, event: Option<Event<'a>>) -> Result<Yaml, String> {
        if self.depth == MAX_DEPTH {
            return Err(format!("nesting deeper than {MAX_DEPTH} levels"));
        }
        self.depth += 1;
        let (anchor, value) = match event {
            Some(Event::Scalar(text, style, anchor, _)) => {
                let plain = style == saphyr_parser::ScalarStyle::Plain;
                let null = plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                (anchor, if null { Yaml::Null } else { Yaml::Scalar(text.into_owned()) })
            }
            Some(Event::SequenceStart(anchor, _)) => (anchor, self.list()?),
            Some(Event::MappingStart(anchor, _)) => (anchor, self.map()?),
            Some(Event::Alias(anchor)) => {
                (0, self.anchors.get(&anchor).cloned().ok_or("an alias within its own anchor")?)
            }
            _ => return Err("it ends in the middle of a value".to_owned()),
        };
        self.depth -= 1;
        self.left = self.left.checked_sub(value.count()).ok_or("its aliases expand to too much")?;
        if anchor > 0 {
            self.anchors.insert(anchor, value.clone());
        }
        Ok(value)
    }

    fn list(&mut self) -> Result<Yaml, String> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                Some(Event::SequenceEnd) => return Ok(Yaml::List(items)),
                event => items.push(self.value(event)?),
            }
        }
    }

    fn map(&mut self) -> Result<Yaml, String> {
        let mut members: Vec<(String, Yaml)> = Vec::new();
        let mut merged = Vec::new();
        let mut keys = HashSet::new();
        loop {
            let key = match self.next()? {
                Some(Event::MappingEnd) => break,
                event => self.value(event)?,
            };
            let Yaml::Scalar(key) = key else {
                return Err("a key that is not a text".to_owned());
            };
            let event = self.next()?;
            let value = self.value(event)?;
            match (key.as_str(), value) {
                ("<<", Yaml::Map(other)) => merged.push(other),
                ("<<", Yaml::List(others)) => {
                    merged.extend(others.into_iter().filter_map(|other| match other {
                        Yaml::Map(other) => Some(other),
                        _ => None,
                    }));
                }
                (_, value) => {
                    if !keys.insert(key.clone()) {
                        return Err(format!("the key {key:?} is there twice in one map"));
                    }
                    members.push((key, value));
                }
            }
        }
        // What a map says itself wins over what it merges, and the first of several over the others.
        for (key, value) in merged.into_iter().flatten() {
            if keys.insert(key.clone()) {
                members.push((key, value));
            }
        }
        Ok(Yaml::Map(members))
    }
}

fn describe(error: &ScanError) -> String {
    format!("line {}, column {}: {}", error.marker().line(), error.marker().col() + 1, error.info())
}
