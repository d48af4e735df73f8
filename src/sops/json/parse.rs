//! JSON text into a tree with places (RFC 8259; duplicate keys and lone surrogates are errors).

use std::collections::HashSet;
use std::ops::Range;

use zeroize::Zeroizing;

use crate::secret::Secret;
use crate::sops::error::Error;
use crate::sops::raw::{Kind, Member, Raw};
use crate::sops::text::{syntax, utf8};

/// Deeper nesting is refused, so that no document overflows the stack.
const MAX_DEPTH: usize = 200;

/// Parses a whole document; `name` is for the error.
pub(in crate::sops) fn parse(name: &str, bytes: &[u8]) -> Result<(Zeroizing<String>, Raw), Error> {
    let text = utf8(name, bytes)?;
    let mut parser = Parser { text, at: 0, depth: 0 };
    let root = parser.document().map_err(|why| syntax(name, text, parser.at, why))?;
    Ok((Zeroizing::new(text.to_owned()), root))
}

/// On an error `at` is where it was found.
struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

type Parsed<T> = Result<T, String>;

impl Parser<'_> {
    fn document(&mut self) -> Parsed<Raw> {
        if self.text.starts_with('\u{feff}') {
            return Err("a byte order mark, which JSON does not allow".to_owned());
        }
        self.space();
        let root = self.value()?;
        self.space();
        if self.at < self.text.len() {
            return Err(format!("{} after the end of the document", self.found()));
        }
        Ok(root)
    }

    fn value(&mut self) -> Parsed<Raw> {
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => self.nested(Self::map)?,
            Some(b'[') => self.nested(Self::list)?,
            Some(b'"') => Kind::Text(Secret::new(self.string()?)),
            Some(b'-' | b'0'..=b'9') => Kind::Number(Secret::new(self.number()?)),
            _ => self.word()?,
        };
        Ok(Raw::new(start..self.at, kind))
    }

    fn nested(&mut self, inner: fn(&mut Self) -> Parsed<Kind>) -> Parsed<Kind> {
        if self.depth == MAX_DEPTH {
            return Err(format!("nesting deeper than {MAX_DEPTH} levels"));
        }
        self.depth += 1;
        self.at += 1;
        let kind = inner(self)?;
        self.depth -= 1;
        Ok(kind)
    }

    fn map(&mut self) -> Parsed<Kind> {
        let mut members = Vec::new();
        let mut keys = HashSet::new();
        self.space();
        if self.take(b'}') {
            return Ok(Kind::Map(members));
        }
        loop {
            self.space();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(format!("expected a key in quotes, found {}", self.found()));
            }
            let key = self.string()?;
            if !keys.insert(key.clone()) {
                self.at = start;
                return Err(format!("the key {key:?} is there twice in one object"));
            }
            let key_span = start..self.at;
            self.space();
            self.expect(b':', "a colon after the key")?;
            self.space();
            let value = self.value()?;
            members.push(Member { key, key_span, value });
            self.space();
            if self.take(b'}') {
                return Ok(Kind::Map(members));
            }
            self.expect(b',', "a comma or the end of the object")?;
        }
    }

    fn list(&mut self) -> Parsed<Kind> {
        let mut items = Vec::new();
        self.space();
        if self.take(b']') {
            return Ok(Kind::List(items));
        }
        loop {
            self.space();
            items.push(self.value()?);
            self.space();
            if self.take(b']') {
                return Ok(Kind::List(items));
            }
            self.expect(b',', "a comma or the end of the list")?;
        }
    }

    fn word(&mut self) -> Parsed<Kind> {
        for (word, kind) in [("null", Kind::Null), ("true", Kind::Bool(true)), ("false", Kind::Bool(false))] {
            let rest = &self.text[self.at..];
            if let Some(after) = rest.strip_prefix(word)
                && !after.starts_with(|next: char| next.is_alphanumeric() || next == '_')
            {
                self.at += word.len();
                return Ok(kind);
            }
        }
        Err(format!("expected a value, found {}", self.found()))
    }

    fn number(&mut self) -> Parsed<String> {
        let rest = &self.text[self.at..];
        let end = rest.find(|next: char| !(next.is_ascii_alphanumeric() || "+-.".contains(next))).unwrap_or(rest.len());
        let text = &rest[..end];
        if !crate::sops::number::is_json_number(text) {
            return Err("a number that is not written as JSON demands".to_owned());
        }
        self.at += end;
        Ok(text.to_owned())
    }

    /// The decoded text of a string, `at` being on its opening quote.
    fn string(&mut self) -> Parsed<String> {
        let open = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest.find(|next: char| next == '"' || next == '\\' || next < ' ').unwrap_or(rest.len());
            out.push_str(&rest[..plain]);
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                Some(_) => return Err("a control character inside a string (write it as \\u00XX)".to_owned()),
                None => {
                    self.at = open;
                    return Err("a string that does not end".to_owned());
                }
            }
        }
    }

    fn escape(&mut self) -> Parsed<char> {
        let code = self.text.as_bytes().get(self.at + 1).copied();
        let simple = match code {
            Some(b'u') => return self.unicode_escape(),
            Some(same @ (b'"' | b'\\' | b'/')) => char::from(same),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            _ => return Err("an escape that JSON does not know".to_owned()),
        };
        self.at += 2;
        Ok(simple)
    }

    fn unicode_escape(&mut self) -> Parsed<char> {
        let high = self.hex(self.at + 2)?;
        if !(0xD800..0xE000).contains(&high) {
            self.at += 6;
            return char::from_u32(high).ok_or_else(|| "an escape that is no character".to_owned());
        }
        let lone = || "half a surrogate pair, which is no character".to_owned();
        if high >= 0xDC00 || !self.text[self.at + 6..].starts_with("\\u") {
            return Err(lone());
        }
        let low = self.hex(self.at + 8)?;
        if !(0xDC00..0xE000).contains(&low) {
            return Err(lone());
        }
        let joined = char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)).ok_or_else(lone)?;
        self.at += 12;
        Ok(joined)
    }

    fn hex(&self, from: usize) -> Parsed<u32> {
        let range: Range<usize> = from..from + 4;
        self.text
            .get(range)
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .ok_or_else(|| "\\u without four hexadecimal digits".to_owned())
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, byte: u8, what: &str) -> Parsed<()> {
        if self.take(byte) { Ok(()) } else { Err(format!("expected {what}, found {}", self.found())) }
    }

    /// What stands at the current place: punctuation is shown, anything else might be part of a secret.
    fn found(&self) -> String {
        match self.text[self.at..].chars().next() {
            None => "the end of the file".to_owned(),
            Some(mark) if "{}[]:,\"".contains(mark) => format!("`{mark}`"),
            Some(_) => "other text".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_json_is_refused_with_its_place() {
        let rows: [(&str, &[u8], usize, usize, &str); 16] = [
            ("an empty file", b"", 1, 1, "expected a value, found the end of the file"),
            (
                "a truncated object",
                b"{\n  \"a\": 1",
                2,
                9,
                "expected a comma or the end of the object, found the end of the file",
            ),
            ("a duplicate key", b"{\"a\": 1,\n \"a\": 2}", 2, 2, "the key \"a\" is there twice in one object"),
            (
                "a duplicate key, once escaped",
                b"{\"a\":1,\"\\u0061\":2}",
                1,
                8,
                "the key \"a\" is there twice in one object",
            ),
            ("trailing text", b"{} x", 1, 4, "other text after the end of the document"),
            ("not UTF-8", b"{\"a\": \"\xff\"}", 1, 8, "a byte that is not UTF-8"),
            ("the column counts characters", "{\"ä\": !}".as_bytes(), 1, 7, "expected a value, found other text"),
            ("a leading zero", b"[01]", 1, 2, "a number that is not written as JSON demands"),
            ("a trailing comma in a list", b"[1,]", 1, 4, "expected a value, found `]`"),
            ("a trailing comma in an object", b"{\"a\":1,}", 1, 8, "expected a key in quotes, found `}`"),
            ("an unquoted key", b"{a:1}", 1, 2, "expected a key in quotes, found other text"),
            ("a string that does not end", b"[\"abc", 1, 2, "a string that does not end"),
            (
                "a raw newline in a string",
                b"[\"a\nb\"]",
                1,
                4,
                "a control character inside a string (write it as \\u00XX)",
            ),
            ("half a surrogate pair", b"[\"\\ud800\"]", 1, 3, "half a surrogate pair, which is no character"),
            ("a word that only begins well", b"[nulls]", 1, 2, "expected a value, found other text"),
            ("a byte order mark", b"\xef\xbb\xbf{}", 1, 1, "a byte order mark, which JSON does not allow"),
        ];
        for (name, bytes, line, column, why) in rows {
            let expected = Error::Syntax { name: "f".to_owned(), line, column, why: why.to_owned() };
            assert_eq!(parse("f", bytes).err(), Some(expected), "{name}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_and_not_a_crash() {
        let deep = "[".repeat(100_000);
        assert!(matches!(parse("f", deep.as_bytes()), Err(Error::Syntax { column: 201, .. })));
    }

    #[test]
    fn strings_are_decoded_and_places_are_right() {
        let source = r#" {"k\n": ["a\u00e9\ud83d\ude00\/", -1.50e3, true]} "#;
        let (_, root) = parse("f", source.as_bytes()).expect("valid");
        let list = root.get("k\n").expect("there");
        assert_eq!(&source[list.span.clone()], r#"["a\u00e9\ud83d\ude00\/", -1.50e3, true]"#);
        assert_eq!(list.list().expect("a list")[0].text(), Some("aé😀/"));
        assert_eq!(&source[root.map().expect("a map")[0].key_span.clone()], r#""k\n""#);
    }
}
