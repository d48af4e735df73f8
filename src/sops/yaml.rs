//! Just enough YAML for `.sops.yaml`: maps, lists and scalars, without anchors.

use saphyr_parser::{Event, Parser, ScanError};

/// A value of a rule file.
#[derive(Debug)]
pub(super) enum Yaml {
    Map(Vec<(String, Yaml)>),
    List(Vec<Yaml>),
    Scalar(String),
    Null,
}

impl Yaml {
    /// The first document of a text; an empty text is null.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut events = Events(Parser::new_from_str(text));
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
}

struct Events<'a>(Parser<'a, saphyr_parser::StrInput<'a>>);

impl<'a> Events<'a> {
    fn next(&mut self) -> Result<Option<Event<'a>>, String> {
        self.0.next_event().transpose().map(|event| event.map(|(event, _)| event)).map_err(|error| describe(&error))
    }

    fn value(&mut self, event: Option<Event<'a>>) -> Result<Yaml, String> {
        match event {
            Some(Event::Scalar(text, style, anchor, _)) => {
                refuse(anchor)?;
                let plain = style == saphyr_parser::ScalarStyle::Plain;
                let null = plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                Ok(if null { Yaml::Null } else { Yaml::Scalar(text.into_owned()) })
            }
            Some(Event::SequenceStart(anchor, _)) => {
                refuse(anchor)?;
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        Some(Event::SequenceEnd) => return Ok(Yaml::List(items)),
                        event => items.push(self.value(event)?),
                    }
                }
            }
            Some(Event::MappingStart(anchor, _)) => {
                refuse(anchor)?;
                let mut members: Vec<(String, Yaml)> = Vec::new();
                loop {
                    let key = match self.next()? {
                        Some(Event::MappingEnd) => return Ok(Yaml::Map(members)),
                        event => self.value(event)?,
                    };
                    let Yaml::Scalar(key) = key else {
                        return Err("a key that is not a text".to_owned());
                    };
                    if members.iter().any(|(other, _)| *other == key) {
                        return Err(format!("the key {key:?} is there twice in one map"));
                    }
                    let event = self.next()?;
                    members.push((key, self.value(event)?));
                }
            }
            Some(Event::Alias(_)) => refuse(1).map(|()| Yaml::Null),
            _ => Err("it ends in the middle of a value".to_owned()),
        }
    }
}

fn refuse(anchor: usize) -> Result<(), String> {
    if anchor == 0 { Ok(()) } else { Err("anchors and aliases are not supported in it".to_owned()) }
}

fn describe(error: &ScanError) -> String {
    format!("line {}, column {}: {}", error.marker().line(), error.marker().col() + 1, error.info())
}
