//! One record of a request: what was sent about it, checked, and what is stored of it.

use serde_json::value::RawValue;

use super::{Entry, Route, document};
use crate::digest::sha256;
use crate::event::Event;
use crate::json::{self, Fault, Fields};
use crate::problem::{Kind, Problem};
use crate::ulid::Ulid;

/// A record's JSON may have this many bytes.
pub const RECORD_LIMIT: usize = 262_144;
/// An idempotency key may have this many characters.
pub const KEY_LIMIT: usize = 128;
/// A reference may have this many bytes.
pub const REFERENCE_LIMIT: usize = 128;
/// A source may have this many characters, as a role's name.
const SOURCE_LIMIT: usize = 64;
/// Ten years.
const LONGEST: i64 = 315_360_000;
/// More fields than an item has.
const FIELDS: usize = 16;

/// The header with the idempotency key of a single record.
pub(super) const KEY: &str = "Idempotency-Key";
const SOURCE: &str = "Plumb-Source";
const EXPIRES: &str = "Plumb-Expires-In";

/// What the headers say about all records of a request.
pub(super) struct Rules {
    source: String,
    expires_in: Option<i64>,
}

/// A record that is taken.
pub(super) struct Item<'a> {
    pub(super) record: &'a RawValue,
    source: String,
    key: Option<String>,
    expires_in: Option<i64>,
}

fn wrong(what: &str, how: impl std::fmt::Display) -> Problem {
    Problem::new(Kind::InvalidRequest, format!("{what} {how}"))
}

impl Rules {
    pub(super) fn read(event: &Event<'_, Route>) -> Result<Self, Problem> {
        let source = match event.header(SOURCE) {
            Some(stated) => source(&stated, SOURCE)?,
            None => event.caller.as_deref().map_or_else(|| "unknown".to_owned(), name_of),
        };
        let expires_in = event.header(EXPIRES).map(|stated| {
            let plain = stated.len() <= 10 && stated.bytes().all(|byte| byte.is_ascii_digit());
            let seconds = stated.parse().ok().filter(|seconds| plain && (1..=LONGEST).contains(seconds));
            seconds.ok_or_else(|| wrong(EXPIRES, format!("is a number of seconds from 1 to {LONGEST}")))
        });
        Ok(Self { source, expires_in: expires_in.transpose()? })
    }
}

impl<'a> Item<'a> {
    /// The record that a body is.
    pub(super) fn alone(record: &'a RawValue, rules: &Rules, event: &Event<'_, Route>) -> Result<Self, Problem> {
        let key = event.header(KEY).map(|stated| key(&stated, KEY)).transpose()?;
        Self::checked("the body", record, rules, key, None)
    }

    /// An item of a batch; its reference is known even when nothing else of it is right.
    pub(super) fn of_many(raw: &'a RawValue, rules: &Rules) -> (Option<String>, Result<Self, Problem>) {
        let fields = match json::object(raw.get(), FIELDS) {
            Ok(fields) => fields,
            Err(Fault::Twice) => return (None, Err(wrong("a name", "stands twice in the item"))),
            Err(fault) => return (None, Err(wrong("the item", format!("is {fault}")))),
        };
        let stated = fields.iter().find(|(name, _)| name.as_str() == "reference");
        let known = stated.and_then(|(_, value)| reference(value).ok());
        (known, Self::read(&fields, rules))
    }

    fn read(fields: &Fields<'a>, rules: &Rules) -> Result<Self, Problem> {
        let (mut record, mut of, mut named) = (None, None, None);
        for (name, value) in fields {
            let text =
                || json::string(value).map_err(|fault| wrong(&format!("`{}`", name.as_str()), format!("is {fault}")));
            match name.as_str() {
                "record" => record = Some(*value),
                "reference" => drop(reference(value)?),
                "idempotency_key" => named = Some(key(&text()?, "`idempotency_key`")?),
                "source" => of = Some(source(&text()?, "`source`")?),
                _ => return Err(wrong("there is a field", "that an item does not take")),
            }
        }
        let record = record.ok_or_else(|| wrong("`record`", "is needed"))?;
        Self::checked("`record`", record, rules, named, of)
    }

    fn checked(
        what: &str,
        record: &'a RawValue,
        rules: &Rules,
        key: Option<String>,
        source: Option<String>,
    ) -> Result<Self, Problem> {
        if !record.get().starts_with('{') {
            return Err(wrong(what, "is not an object"));
        }
        if record.get().len() > RECORD_LIMIT {
            return Err(Problem::new(Kind::TooLarge, format!("a record may have {RECORD_LIMIT} bytes")));
        }
        document::check(record).map_err(|flaw| Problem::new(Kind::InvalidRecord, flaw.to_string()))?;
        let source = source.unwrap_or_else(|| rules.source.clone());
        Ok(Self { record, source, key, expires_in: rules.expires_in })
    }

    /// As it is stored. `now` and `keep_keys` are seconds.
    pub(super) fn entry(self, id: Ulid, now: i64, keep_keys: i64) -> Entry {
        let body = self.record.get().to_owned();
        let digest = sha256(&[body.as_bytes()]);
        let key = self.key.as_deref().unwrap_or(&digest);
        let key = format!("key#{}", sha256(&[self.source.as_bytes(), b"\0", key.as_bytes()]));
        let expires = self.expires_in.map(|seconds| now + seconds);
        // A key that outlived its record would answer with the id of nothing.
        let key_expires = (now + keep_keys).min(expires.unwrap_or(i64::MAX));
        Entry { id, source: self.source, body, digest, key, expires, key_expires }
    }
}

fn reference(value: &RawValue) -> Result<String, Problem> {
    let text = json::string(value).map_err(|fault| wrong("`reference`", format!("is {fault}")))?;
    if text.len() > REFERENCE_LIMIT {
        return Err(wrong("`reference`", format!("is longer than {REFERENCE_LIMIT} bytes")));
    }
    Ok(text.to_string())
}

fn key(text: &str, name: &str) -> Result<String, Problem> {
    let printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if text.is_empty() || text.len() > KEY_LIMIT || !printable {
        return Err(wrong(name, format!("has from 1 to {KEY_LIMIT} printable characters of ASCII")));
    }
    Ok(text.to_owned())
}

fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || "._-".contains(character)
}

fn source(text: &str, name: &str) -> Result<String, Problem> {
    if text.is_empty() || text.len() > SOURCE_LIMIT || !text.chars().all(is_plain) {
        return Err(wrong(name, format!("has from 1 to {SOURCE_LIMIT} letters, digits, dots, dashes and underscores")));
    }
    Ok(text.to_owned())
}

/// The role's or the user's name in an ARN, as a source.
fn name_of(arn: &str) -> String {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
    let name = match resource.split_once('/') {
        // A session's own name is behind the role's.
        Some(("assumed-role", rest)) => rest.split('/').next().unwrap_or_default(),
        Some((_, rest)) => rest.rsplit('/').next().unwrap_or_default(),
        None => resource,
    };
    let plain: String = name.chars().take(SOURCE_LIMIT).map(|it| if is_plain(it) { it } else { '-' }).collect();
    if plain.is_empty() { "unknown".to_owned() } else { plain }
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn the_source_of_a_caller_is_its_role_or_user() {
        for (arn, expected) in [
            ("arn:aws:sts::111122223333:assumed-role/web-prod/i-0abc", "web-prod"),
            ("arn:aws:iam::111122223333:user/team/mara", "mara"),
            ("arn:aws:iam::111122223333:user/mara@example.com", "mara-example.com"),
            ("arn:aws:iam::111122223333:root", "root"),
            ("arn:aws:sts::111122223333:federated-user/ci", "ci"),
            ("", "unknown"),
            ("nonsense", "unknown"),
        ] {
            assert_eq!(name_of(arn), expected, "{arn}");
        }
    }
}
