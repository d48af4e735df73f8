//! The formats of documents, told by a file's name as sops tells them.

use std::fmt;
use std::str::FromStr;

/// How a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// JSON: `.json`.
    Json,
    /// YAML, also several documents in one file: `.yaml`, `.yml`.
    Yaml,
    /// Lines of `KEY=value`: `.env`.
    Dotenv,
    /// Any bytes; encrypted, they are the text `data` of a JSON document. Whatever no other format claims.
    Binary,
    /// sops's INI files: `.ini`. Known by name only, so that none is taken for binary.
    Ini,
}

impl Format {
    /// The format of a file by its name.
    #[must_use]
    pub fn of_path(path: &str) -> Self {
        // sops looks at the end of the whole path, so that a file named `.env` counts, too.
        let ends = |ending: &str| path.ends_with(ending);
        if ends(".yaml") || ends(".yml") {
            Self::Yaml
        } else if ends(".json") {
            Self::Json
        } else if ends(".env") {
            Self::Dotenv
        } else if ends(".ini") {
            Self::Ini
        } else {
            Self::Binary
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "json",
            Self::Yaml => "yaml",
            Self::Dotenv => "dotenv",
            Self::Binary => "binary",
            Self::Ini => "ini",
        })
    }
}

impl FromStr for Format {
    type Err = String;

    /// Reads the words of sops's `--input-type`.
    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Json, Self::Yaml, Self::Dotenv, Self::Binary]
            .into_iter()
            .find(|format| format.to_string() == text)
            .ok_or_else(|| format!("{text:?} is none of json, yaml, dotenv, binary"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_sops_takes_it_for() {
        for (path, expected) in [
            ("config/a.yaml", Format::Yaml),
            ("a.yml", Format::Yaml),
            ("a.json", Format::Json),
            ("deploy/.env", Format::Dotenv),
            ("prod.env", Format::Dotenv),
            ("a.ini", Format::Ini),
            ("a.YAML", Format::Binary),
            ("cert.pem", Format::Binary),
            ("env", Format::Binary),
        ] {
            assert_eq!(Format::of_path(path), expected, "{path}");
        }
        assert_eq!("yaml".parse(), Ok(Format::Yaml));
        assert!("ini".parse::<Format>().is_err() && "toml".parse::<Format>().is_err());
    }
}
