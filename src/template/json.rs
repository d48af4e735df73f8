//! JSON with the line of each key.
//!
//! Not serde's reader, because that one keeps the last of two equal keys without a word and forgets lines.

use serde_json::{Number, Value};

use super::Error;
use super::node::{Entry, Kind, MAX_DEPTH, Node, insert};

pub(super) fn parse(name: &str, text: &str) -> Result<Node, Error> {
    let mut reader = Reader { name, text, at: 0, depth: 0, counted: (0, 1) };
    let node = reader.value()?;
    reader.blank();
    if reader.at < text.len() { Err(reader.error("something follows the closing brace")) } else { Ok(node) }
}

struct Reader<'a> {
    name: &'a str,
    text: &'a str,
    at: usize,
    depth: usize,
    /// Up to which byte lines were counted, and the line there: counting from the start each time would be quadratic.
    counted: (usize, usize),
}

impl<'a> Reader<'a> {
    fn value(&mut self) -> Result<Node, Error> {
        self.blank();
        let line = self.line();
        match self.peek() {
            Some(b'{') => self.nested(|reader| reader.object(line)),
            Some(b'[') => self.nested(|reader| reader.array(line)),
            Some(b'"') => Ok(Node::scalar(line, Value::String(self.string()?))),
            Some(_) => self.word().map(|value| Node::scalar(line, value)),
            None => Err(self.error("the text ends where a value should be")),
        }
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Result<Node, Error>) -> Result<Node, Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error("nested too deeply"));
        }
        let node = read(self);
        self.depth -= 1;
        node
    }

    fn object(&mut self, line: usize) -> Result<Node, Error> {
        self.at += 1;
        let mut entries = Vec::new();
        if self.closes(b'}') {
            return Ok(Node { line, kind: Kind::Map(entries) });
        }
        loop {
            self.blank();
            let key_line = self.line();
            if self.peek() != Some(b'"') {
                return Err(self.error("a key in double quotes is expected"));
            }
            let key = self.string()?;
            self.blank();
            if self.peek() != Some(b':') {
                return Err(self.error("`:` is expected after a key"));
            }
            self.at += 1;
            let node = self.value()?;
            insert(self.name, &mut entries, Entry { key, line: key_line, node })?;
            if self.closes(b'}') {
                return Ok(Node { line, kind: Kind::Map(entries) });
            }
            self.comma("`,` or `}` is expected")?;
        }
    }

    fn array(&mut self, line: usize) -> Result<Node, Error> {
        self.at += 1;
        let mut items = Vec::new();
        if self.closes(b']') {
            return Ok(Node { line, kind: Kind::List(items) });
        }
        loop {
            items.push(self.value()?);
            if self.closes(b']') {
                return Ok(Node { line, kind: Kind::List(items) });
            }
            self.comma("`,` or `]` is expected")?;
        }
    }

    fn closes(&mut self, bracket: u8) -> bool {
        self.blank();
        let closes = self.peek() == Some(bracket);
        self.at += usize::from(closes);
        closes
    }

    fn comma(&mut self, otherwise: &str) -> Result<(), Error> {
        if self.peek() == Some(b',') {
            self.at += 1;
            Ok(())
        } else {
            Err(self.error(otherwise))
        }
    }

    /// Finds the closing quote; what lies between is serde's to judge, surrogate pairs and all.
    fn string(&mut self) -> Result<String, Error> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
                None => {
                    self.at = start;
                    return Err(self.error("a text without its closing quote"));
                }
            }
        }
        self.at += 1;
        let quoted = self.text.get(start..self.at).unwrap_or_default();
        serde_json::from_str(quoted).map_err(|_| {
            self.at = start;
            self.error("a text with a bad escape or a bare control character")
        })
    }

    fn word(&mut self) -> Result<Value, Error> {
        let rest: &'a str = self.text.get(self.at..).unwrap_or_default();
        let end = rest.find(|c: char| c.is_whitespace() || ",:[]{}\"".contains(c)).unwrap_or(rest.len());
        let (word, _) = rest.split_at(end);
        let value = match word {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            number => match number.parse::<Number>() {
                Ok(number) => Value::Number(number),
                Err(_) => return Err(self.error("a value is expected")),
            },
        };
        self.at += end;
        Ok(value)
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn before(&self) -> &[u8] {
        let bytes = self.text.as_bytes();
        bytes.get(..self.at).unwrap_or(bytes)
    }

    fn line(&mut self) -> usize {
        let (from, line) = self.counted;
        let passed = self.before().iter().skip(from).filter(|byte| **byte == b'\n').count();
        self.counted = (self.at.max(from), line + passed);
        self.counted.1
    }

    fn error(&self, reason: &str) -> Error {
        let line_start = self.before().iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let column = 1 + self.text.get(line_start..self.at).map_or(0, |text| text.chars().count());
        Error::Syntax {
            name: self.name.to_owned(),
            line: 1 + self.text.get(..self.at).map_or(0, |text| text.matches('\n').count()),
            column,
            format: "JSON",
            reason: reason.to_owned(),
        }
    }
}
