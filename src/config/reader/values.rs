//! The kinds of values that a section can hold.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_spanned::Spanned;
use toml::de::DeValue;

use super::{Section, Wrong};
use crate::config::near::nearest;

/// A length of time, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// Never.
    Never,
    /// So many seconds.
    Seconds(u64),
}

impl<'t> Section<'_, 't> {
    /// A text that passes a check.
    pub(in crate::config) fn text(
        &mut self,
        key: &'static str,
        check: impl Fn(&str) -> Result<(), Wrong>,
    ) -> Option<String> {
        let found = self.find(key)?;
        let DeValue::String(text) = found.value.get_ref() else {
            self.mistyped(&found, "a text in quotes");
            return None;
        };
        self.leaf(&found, text.to_string());
        match check(text) {
            Ok(()) => Some(text.to_string()),
            Err(wrong) => {
                self.source.complain(found.line, found.path, wrong);
                None
            }
        }
    }

    /// A text that must be there.
    pub(in crate::config) fn need(&mut self, key: &'static str, check: impl Fn(&str) -> Result<(), Wrong>) -> String {
        if !self.has(key) {
            self.complain_at(key, Wrong::new("is missing"));
        }
        self.text(key, check).unwrap_or_default()
    }

    /// A text with a default.
    pub(in crate::config) fn text_or(
        &mut self,
        key: &'static str,
        default: &str,
        check: impl Fn(&str) -> Result<(), Wrong>,
    ) -> String {
        self.defaulted(key, default);
        self.text(key, check).unwrap_or_else(|| default.to_owned())
    }

    /// A list of texts; a single text is a list of one.
    pub(in crate::config) fn texts(
        &mut self,
        key: &'static str,
        check: impl Fn(&str) -> Result<(), Wrong>,
    ) -> Option<Vec<String>> {
        let found = self.find(key)?;
        let values: Vec<&Spanned<DeValue<'t>>> = match found.value.get_ref() {
            DeValue::Array(list) => list.iter().collect(),
            _ => vec![found.value],
        };
        let mut texts = Vec::new();
        for value in values {
            let DeValue::String(text) = value.get_ref() else {
                self.mistyped(&found, "a text in quotes or a list of them");
                return None;
            };
            if let Err(wrong) = check(text) {
                self.source.complain(self.source.line(&value.span()), found.path.clone(), wrong);
            }
            texts.push(text.to_string());
        }
        self.leaf(&found, texts.join(", "));
        Some(texts)
    }

    /// One of several words.
    pub(in crate::config) fn choice<T: Copy>(&mut self, key: &'static str, words: &[(&'static str, T)]) -> Option<T> {
        let word = self.text(key, |word| {
            if words.iter().any(|(valid, _)| *valid == word) {
                return Ok(());
            }
            let valid: Vec<&str> = words.iter().map(|(valid, _)| *valid).collect();
            let wrong = Wrong::new(format!("\"{word}\" is not one of {}", valid.join(", ")));
            Err(match nearest(word, valid) {
                Some(near) => wrong.hint(format!("did you mean \"{near}\"?")),
                None => wrong,
            })
        })?;
        words.iter().find(|(valid, _)| *valid == word).map(|(_, choice)| *choice)
    }

    /// One of several words, with a default.
    pub(in crate::config) fn choice_or<T: Copy>(
        &mut self,
        key: &'static str,
        default: (&'static str, T),
        others: &[(&'static str, T)],
    ) -> T {
        self.defaulted(key, default.0);
        let mut words = others.to_vec();
        if words.iter().all(|(word, _)| *word != default.0) {
            words.insert(0, default);
        }
        self.choice(key, &words).unwrap_or(default.1)
    }

    /// True or false, with a default.
    pub(in crate::config) fn flag_or(&mut self, key: &'static str, default: bool) -> bool {
        self.defaulted(key, if default { "true" } else { "false" });
        let Some(found) = self.find(key) else { return default };
        let DeValue::Boolean(flag) = *found.value.get_ref() else {
            self.mistyped(&found, "true or false");
            return default;
        };
        self.leaf(&found, flag.to_string());
        flag
    }

    /// A whole number within bounds.
    pub(in crate::config) fn whole(&mut self, key: &'static str, bounds: &Range<u64>) -> Option<u64> {
        let found = self.find(key)?;
        let DeValue::Integer(integer) = found.value.get_ref() else {
            self.mistyped(&found, "a whole number");
            return None;
        };
        self.leaf(&found, integer.to_string());
        let number =
            u64::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|number| bounds.contains(number));
        if number.is_none() {
            let why = format!("{integer} is not between {} and {}", bounds.start, bounds.end - 1);
            self.source.complain(found.line, found.path, Wrong::new(why));
        }
        number
    }

    /// A length of time: `"90s"`, `"15m"`, `"2h"`, `"1d"`, `"never"`, or a number of seconds.
    pub(in crate::config) fn period(&mut self, key: &'static str) -> Option<Period> {
        let found = self.find(key)?;
        let period = match found.value.get_ref() {
            DeValue::String(text) => parse_period(text),
            DeValue::Integer(seconds) => {
                u64::from_str_radix(seconds.as_str(), seconds.radix()).ok().map(Period::Seconds)
            }
            _ => {
                self.mistyped(&found, "a length of time such as \"15m\" or \"never\"");
                return None;
            }
        };
        let written = shown(found.value.get_ref());
        self.leaf(&found, written.clone());
        if period.is_none() {
            let wrong = Wrong::new(format!("\"{written}\" is not a length of time"));
            let hint = "write \"90s\", \"15m\", \"2h\", \"1d\" or \"never\"";
            self.source.complain(found.line, found.path, wrong.hint(hint));
        }
        period
    }

    /// A table of texts under names of the user's choosing; numbers and booleans are taken as they are written.
    pub(in crate::config) fn map(
        &mut self,
        key: &'static str,
        check: impl Fn(&str) -> Result<(), Wrong>,
    ) -> BTreeMap<String, String> {
        let mut map = BTreeMap::new();
        for found in self.entries(key) {
            match found.1.value.get_ref() {
                DeValue::Table(_) | DeValue::Array(_) => self.mistyped(&found.1, "a text, a number or a boolean"),
                scalar => {
                    let text = shown(scalar);
                    self.leaf(&found.1, text.clone());
                    if let Err(wrong) = check(&text) {
                        self.source.complain(found.1.line, found.1.path.clone(), wrong);
                    }
                    map.insert(found.0, text);
                }
            }
        }
        map
    }

    /// A table of texts under names of the user's choosing, in the order of the file.
    pub(in crate::config) fn named_texts(&mut self, key: &'static str) -> Vec<(String, String)> {
        let mut entries = self.entries(key);
        entries.sort_by_key(|(_, found)| found.line);
        let mut texts = Vec::new();
        for (name, found) in entries {
            match found.value.get_ref() {
                DeValue::String(text) if !text.trim().is_empty() => {
                    self.leaf(&found, text.to_string());
                    texts.push((name, text.to_string()));
                }
                _ => self.mistyped(&found, "a text in quotes"),
            }
        }
        texts
    }

    /// A table of lists of texts under names of the user's choosing.
    pub(in crate::config) fn lists(&mut self, key: &'static str) -> BTreeMap<String, Vec<String>> {
        let mut map = BTreeMap::new();
        for (name, found) in self.entries(key) {
            let texts: Option<Vec<String>> = match found.value.get_ref() {
                DeValue::String(text) => Some(vec![text.to_string()]),
                DeValue::Array(list) => list.iter().map(|value| value.get_ref().as_str().map(str::to_owned)).collect(),
                _ => None,
            };
            match texts {
                Some(texts) => {
                    self.leaf(&found, texts.join(", "));
                    map.insert(name, texts);
                }
                None => self.mistyped(&found, "a text in quotes or a list of them"),
            }
        }
        map
    }
}

fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(integer) => integer.to_string(),
        DeValue::Float(float) => float.to_string(),
        DeValue::Boolean(boolean) => boolean.to_string(),
        DeValue::Datetime(datetime) => datetime.to_string(),
        DeValue::Array(_) | DeValue::Table(_) => String::new(),
    }
}

/// A value's type, in words.
pub(super) fn article(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn parse_period(text: &str) -> Option<Period> {
    if text == "never" {
        return Some(Period::Never);
    }
    let unit = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    let digits = &text[..text.len() - 1];
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(unit).map(Period::Seconds)
}
