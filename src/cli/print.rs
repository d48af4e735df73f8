//! What is printed: JSON for scripts on stdout, words for people on stderr.
//!
//! Neither panics when nobody can be told: the one fails, the other is let go.

use std::fmt::Arguments;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

use super::Failed;
use crate::visible::is_hidden;

/// Says something on stderr, a line of its own.
macro_rules! say {
    ($($words:tt)*) => { $crate::cli::print::say_line(format_args!($($words)*)) };
}
pub(super) use say;

/// Not `eprintln`, which panics when stderr is full or gone.
pub(crate) fn say_line(words: Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{words}");
}

/// Writes what a script reads.
pub(super) fn print_json(value: &impl Serialize) -> Result<(), Failed> {
    let mut out = io::stdout().lock();
    write_json(&mut out, value)?;
    writeln!(out)?;
    Ok(())
}

fn write_json(out: impl Write, value: &impl Serialize) -> io::Result<()> {
    let formatter = Escaping(PrettyFormatter::new());
    value.serialize(&mut serde_json::Serializer::with_formatter(out, formatter)).map_err(io::Error::from)
}

/// Writes one of many values that a script reads, in a line of its own, at once.
pub(super) fn print_json_line(value: &impl Serialize) -> Result<(), Failed> {
    let mut out = io::stdout().lock();
    let mut to = serde_json::Serializer::with_formatter(&mut out, Escaping(CompactFormatter));
    value.serialize(&mut to).map_err(io::Error::from)?;
    writeln!(out)?;
    Ok(out.flush()?)
}

/// JSON in which whatever a terminal would act on or hide is escaped: a script reads the same, and who looks at
/// it on a terminal sees what is there.
struct Escaping<F>(F);

impl<F: Formatter> Formatter for Escaping<F> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(is_hidden) {
            let (before, from) = rest.split_at(at);
            CompactFormatter.write_string_fragment(out, before)?;
            let mut after = from.chars();
            for unit in after.next().into_iter().flat_map(|hidden| hidden.encode_utf16(&mut [0; 2]).to_vec()) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = after.as_str();
        }
        CompactFormatter.write_string_fragment(out, rest)
    }

    /// JSON that is written as it came. Outside of its strings there is nothing hidden but white space.
    fn write_raw_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        self.write_string_fragment(out, &fragment.replace(['\n', '\r', '\t'], " "))
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_escapes_what_a_terminal_would_act_on_and_says_the_same() {
        let text = "a\u{9b}31m\u{202e}b\u{200b}\u{7f}\u{e0041} \"é\" \n";
        let value = serde_json::json!({ "name": text, "list": [1, { "x": null }], "none": [] });
        let mut out = Vec::new();
        write_json(&mut out, &value).unwrap();
        let written = String::from_utf8(out).unwrap();
        assert!(!written.chars().any(|c| is_hidden(c) && c != '\n'), "{written:?}");
        assert!(written.contains(r#""a\u009b31m\u202eb\u200b\u007f\udb40\udc41 \"é\" \n""#), "{written}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&written).unwrap(), value);
        let raw = serde_json::value::RawValue::from_string("{\"a\":\n\t1.10, \"b\": \"\u{202e}\"}".into()).unwrap();
        let mut out = Vec::new();
        write_json(&mut out, &raw).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "{\"a\":  1.10, \"b\": \"\\u202e\"}");
        let plain = serde_json::json!({ "a": [1, 2], "b": {} });
        let mut out = Vec::new();
        write_json(&mut out, &plain).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string_pretty(&plain).unwrap());
    }
}
