//! The files of a summary, as `plumb-summary/1` writes them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Week;
use crate::compare::Why;

/// The format that this version reads.
const FORMAT: &str = "plumb-summary/1";

/// What a week's summary is made of; whatever it does not name is no part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    format: String,
    /// `2026-W47`.
    pub week: String,
    /// Its first moment, as RFC 3339.
    pub from: String,
    /// The first moment after it.
    pub to: String,
    /// Of a week that was not over when it was made: records from then on are not in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// How many records.
    pub records: u64,
    /// How long their texts are together.
    pub bytes: u64,
    /// The files.
    pub files: Vec<File>,
}

/// A file that a manifest names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its name beside the manifest.
    pub name: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// Their SHA-256 in hexadecimal.
    pub sha256: String,
    /// Which version of the object it is; nothing of one that was not written, or by an older function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

impl File {
    /// Whether both are the same bytes, wherever they lie.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        (&self.name, self.bytes) == (&other.name, other.bytes) && self.sha256.eq_ignore_ascii_case(&other.sha256)
    }
}

/// What is told of a week.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// How many records.
    pub records: u64,
    /// How long their texts are together.
    pub bytes: u64,
    /// The first record.
    pub first: Option<Point>,
    /// The last one.
    pub last: Option<Point>,
    /// How many records on each day.
    pub days: BTreeMap<String, u64>,
    /// How many of each source.
    pub sources: BTreeMap<String, u64>,
    /// The fields of the records by their dotted names.
    pub fields: BTreeMap<String, Field>,
    /// How many fields there are beyond those.
    #[serde(default)]
    pub more_fields: u64,
}

/// A record's place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// Its id.
    pub id: String,
    /// When it was received, as RFC 3339.
    pub received: String,
}

/// What is told of a field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// How many records have it.
    pub present: u64,
    /// Its numbers, where there were any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbers: Option<Numbers>,
}

/// What is told of numbers; each as it is written there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Numbers {
    /// How many.
    pub count: u64,
    /// The least.
    pub min: serde_json::Number,
    /// The greatest.
    pub max: serde_json::Number,
    /// Their mean.
    pub mean: serde_json::Number,
    /// By the percent of numbers that are no greater.
    pub percentiles: BTreeMap<String, serde_json::Number>,
}

impl Manifest {
    /// Reads the manifest of a week. One of another week or a newer format is refused before anything else is looked at.
    pub(super) fn read(bytes: &[u8], week: Week) -> Result<Self, Why> {
        #[derive(Deserialize)]
        struct Head {
            format: String,
        }
        let broken = |error: serde_json::Error| Why::new(format!("the manifest of {week} cannot be read: {error}"));
        let head: Head = serde_json::from_slice(bytes).map_err(broken)?;
        if head.format != FORMAT {
            return Err(Why::new(format!("the manifest of {week} has the format {}, not {FORMAT}", head.format))
                .hint("a newer plumb reads it"));
        }
        let manifest: Self = serde_json::from_slice(bytes).map_err(broken)?;
        if manifest.week != week.to_string() {
            return Err(Why::new(format!("the manifest of {week} says that it is of {}", manifest.week)));
        }
        // A name is a part of a key: none leads out of the week.
        match manifest.files.iter().find(|file| file.name.is_empty() || file.name.contains('/')) {
            Some(file) => Err(Why::new(format!("the manifest of {week} names a file elsewhere: {}", file.name))),
            None => Ok(manifest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_of_another_week_or_format_is_refused() {
        let week: Week = "2026-W47".parse().unwrap();
        let text = |format: &str, week: &str, name: &str| {
            format!(
                r#"{{"format":"{format}","week":"{week}","from":"2026-11-16T00:00:00Z","to":"2026-11-23T00:00:00Z",
                "records":3,"bytes":60,"files":[{{"name":"{name}","bytes":2,"sha256":"ab"}}],"later":1}}"#
            )
        };
        let read = |text: String| Manifest::read(text.as_bytes(), week);
        assert_eq!(read(text(FORMAT, "2026-W47", "summary.json")).unwrap().records, 3);
        for (wrong, said) in [
            (text("plumb-summary/2", "2026-W47", "x"), "has the format plumb-summary/2"),
            (text(FORMAT, "2026-W46", "x"), "says that it is of 2026-W46"),
            (text(FORMAT, "2026-W47", "../x"), "names a file elsewhere"),
            (String::from("{"), "cannot be read"),
        ] {
            assert!(read(wrong).unwrap_err().reason.contains(said), "{said}");
        }
    }

    #[test]
    fn numbers_stay_as_they_are_written() {
        let text =
            r#"{"count":2,"min":0.10,"max":123456789012345678901234567890,"mean":1e30,"percentiles":{"50":0.10}}"#;
        let numbers: Numbers = serde_json::from_str(text).unwrap();
        assert_eq!(numbers.min.to_string(), "0.10");
        assert_eq!(numbers.max.to_string(), "123456789012345678901234567890");
    }
}
