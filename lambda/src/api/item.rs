//! One message of a request: what was asked about it, what is done, and how that is told.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::{FIELDS, KeyVersion, Route};
use crate::envelope::{self, Context};
use crate::json::{self, Fault, Fields};
use crate::keyring::{Keys, Store};
use crate::problem::{Kind, Problem};
use crate::record::Record;

/// A context may have this many pairs.
pub const PAIR_LIMIT: usize = 16;
/// Names and values of a context may have this many bytes together.
pub const CONTEXT_LIMIT: usize = 8192;
/// A log line names this many key versions.
const VERSIONS: usize = 16;
/// A reference may have this many bytes.
pub const REFERENCE_LIMIT: usize = 128;

/// What is asked about one message.
pub(super) struct Item {
    reference: Option<String>,
    context: Context,
    work: Work,
}

enum Work {
    Encrypt { message: Zeroizing<Vec<u8>>, version: Option<u32> },
    Decrypt { ciphertext: String },
    Rewrap { ciphertext: String },
}

/// What became of one message.
pub(super) struct Outcome {
    reference: Option<String>,
    key_version: u32,
    result: Made,
}

enum Made {
    Sealed { ciphertext: String, previous: Option<u32> },
    Opened(Zeroizing<Vec<u8>>),
}

/// What a route has to say.
pub(super) enum Done {
    One(Outcome),
    Many(Vec<Result<Outcome, (Option<String>, Problem)>>),
    Keys { latest: u32, min_decryption_version: u32, versions: Vec<KeyVersion> },
    Health { status: &'static str, key_version: u32, version: &'static str },
}

fn wrong(name: &str, what: impl std::fmt::Display) -> Problem {
    Problem::new(Kind::InvalidRequest, format!("`{name}` is {what}"))
}

impl Item {
    /// Reads an item of a batch; its reference is known even when nothing else of it is right.
    pub(super) fn read_one_of_many(route: Route, raw: &RawValue) -> (Option<String>, Result<Self, Problem>) {
        match json::object(raw.get(), FIELDS) {
            Ok(fields) => {
                let stated = fields.iter().find(|(name, _)| name.as_str() == "reference");
                let known = stated.and_then(|(_, value)| reference(value).ok());
                (known, Self::read(route, fields))
            }
            Err(Fault::Twice) => (None, Err(Problem::new(Kind::InvalidRequest, "a name stands twice in the item"))),
            Err(fault) => (None, Err(Problem::new(Kind::InvalidRequest, format!("the item is {fault}")))),
        }
    }

    pub(super) fn read(route: Route, fields: Fields<'_>) -> Result<Self, Problem> {
        let (mut named, mut pairs) = (None, Context::new());
        let (mut plaintext, mut text, mut ciphertext, mut version) = (None, None, None, None);
        for (name, value) in fields {
            match (name.as_str(), route) {
                ("reference", _) => named = Some(reference(value)?),
                ("context", _) => pairs = context(value)?,
                ("plaintext", Route::Encrypt) => plaintext = Some(base64(value)?),
                ("text", Route::Encrypt) => {
                    let mut value = json::string(value).map_err(|fault| wrong("text", fault))?;
                    text = Some(Zeroizing::new(std::mem::take(&mut *value).into_bytes()));
                }
                ("key_version", Route::Encrypt) => {
                    version = Some(json::positive(value).map_err(|fault| wrong("key_version", fault))?);
                }
                ("ciphertext", Route::Decrypt | Route::Rewrap) => {
                    let value = json::string(value).map_err(|fault| wrong("ciphertext", fault))?;
                    ciphertext = Some(value.to_string());
                }
                _ => return Err(Problem::new(Kind::InvalidRequest, "there is a field that this route does not take")),
            }
        }
        let work = match (route, plaintext, text, ciphertext) {
            (Route::Encrypt, Some(message), None, _) | (Route::Encrypt, None, Some(message), _) => {
                Work::Encrypt { message, version }
            }
            (Route::Encrypt, ..) => {
                let detail = "exactly one of `plaintext` (base64) and `text` is needed";
                return Err(Problem::new(Kind::InvalidRequest, detail));
            }
            (Route::Decrypt, _, _, Some(ciphertext)) => Work::Decrypt { ciphertext },
            (_, _, _, Some(ciphertext)) => Work::Rewrap { ciphertext },
            _ => return Err(Problem::new(Kind::InvalidRequest, "`ciphertext` is needed")),
        };
        Ok(Self { reference: named, context: pairs, work })
    }

    /// Takes this message off what a request may have.
    pub(super) fn limit(&self, left: &mut usize) -> Result<(), Problem> {
        let Work::Encrypt { message, .. } = &self.work else { return Ok(()) };
        *left = left.checked_sub(message.len()).ok_or_else(|| {
            let limit = super::MESSAGE_LIMIT;
            Problem::new(Kind::TooLarge, format!("the messages of a request may have {limit} bytes together"))
        })?;
        Ok(())
    }

    pub(super) async fn answer<S: Store>(self, keys: &Keys<S>) -> Result<Outcome, Problem> {
        let Self { reference, context, work } = self;
        let (key_version, result) = match work {
            Work::Encrypt { message, version } => seal(keys, &message, &context, version).await?,
            Work::Decrypt { ciphertext } => {
                let (message, version) = open(keys, &ciphertext, &context).await?;
                (version, Made::Opened(message))
            }
            Work::Rewrap { ciphertext } => {
                let (message, previous) = open(keys, &ciphertext, &context).await?;
                let (version, mut result) = seal(keys, &message, &context, None).await?;
                if let Made::Sealed { previous: before, .. } = &mut result {
                    *before = Some(previous);
                }
                (version, result)
            }
        };
        Ok(Outcome { reference, key_version, result })
    }
}

async fn seal<S: Store>(
    keys: &Keys<S>,
    message: &[u8],
    context: &Context,
    version: Option<u32>,
) -> Result<(u32, Made), Problem> {
    let ring = match version {
        Some(version) => keys.ring_for(version).await?,
        None => keys.ring().await?,
    };
    let key = match version {
        Some(version) => ring
            .usable(version)
            .ok_or_else(|| Problem::new(Kind::UnknownKeyVersion, "GET /v1/keys has the versions that can be used"))?,
        None => ring.latest().ok_or(envelope::Error::Encrypt)?,
    };
    let ciphertext = envelope::encrypt(&key, message, context)?;
    Ok((key.version, Made::Sealed { ciphertext, previous: None }))
}

async fn open<S: Store>(
    keys: &Keys<S>,
    ciphertext: &str,
    context: &Context,
) -> Result<(Zeroizing<Vec<u8>>, u32), Problem> {
    let version = envelope::key_version(ciphertext)?;
    let ring = keys.ring_for(version).await?;
    // A version that is not there is refused in the same words as a key that does not fit.
    let key = ring.usable(version).ok_or(envelope::Error::Refused)?;
    Ok((envelope::decrypt(&key, ciphertext, context)?, version))
}

fn base64(value: &RawValue) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let text = json::string(value).map_err(|fault| wrong("plaintext", fault))?;
    let decoded = STANDARD.decode(text.as_bytes());
    decoded.map(Zeroizing::new).map_err(|_| wrong("plaintext", "not base64 (of the standard alphabet, with padding)"))
}

fn reference(value: &RawValue) -> Result<String, Problem> {
    let text = json::string(value).map_err(|fault| wrong("reference", fault))?;
    if text.len() > REFERENCE_LIMIT {
        return Err(wrong("reference", format!("longer than {REFERENCE_LIMIT} bytes")));
    }
    Ok(text.to_string())
}

fn context(value: &RawValue) -> Result<Context, Problem> {
    let pairs = json::object(value.get(), PAIR_LIMIT).map_err(|fault| match fault {
        Fault::TooMany(_) => wrong("context", format!("longer than {PAIR_LIMIT} pairs")),
        Fault::Twice => Problem::new(Kind::InvalidRequest, "a name stands twice in `context`"),
        other => wrong("context", other),
    })?;
    let mut context = Context::new();
    let mut size = 0;
    for (name, value) in pairs {
        let value = json::string(value).map_err(|_| wrong("context", "not an object of texts alone"))?;
        size += name.len() + value.len();
        context.insert(name.to_string(), value.to_string());
    }
    if size > CONTEXT_LIMIT {
        return Err(wrong("context", format!("longer than {CONTEXT_LIMIT} bytes")));
    }
    Ok(context)
}

impl Record {
    pub(super) fn note(&mut self, outcome: &Outcome) {
        // A batch may use as many versions as it has items.
        if self.key_versions.len() < VERSIONS {
            self.key_versions.insert(outcome.key_version);
        }
    }
}

#[derive(Serialize)]
struct Told<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ciphertext: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "wiped")]
    plaintext: Option<Zeroizing<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    key_version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_key_version: Option<u32>,
}

/// A text that is wiped after it was written.
#[expect(clippy::ref_option, reason = "serde hands over the field as it is")]
fn wiped<S: Serializer>(text: &Option<Zeroizing<String>>, serializer: S) -> Result<S::Ok, S::Error> {
    text.as_deref().serialize(serializer)
}

#[derive(Serialize)]
struct Failed<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    error: crate::problem::Body<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Row<'a> {
    Told(Told<'a>),
    Failed(Failed<'a>),
}

impl Outcome {
    fn told(&self, with_text: bool) -> Told<'_> {
        let reference = self.reference.as_deref();
        let told = Told {
            reference,
            ciphertext: None,
            plaintext: None,
            text: None,
            key_version: self.key_version,
            previous_key_version: None,
        };
        match &self.result {
            Made::Sealed { ciphertext, previous } => {
                Told { ciphertext: Some(ciphertext), previous_key_version: *previous, ..told }
            }
            Made::Opened(message) => {
                let text = if with_text { std::str::from_utf8(message).ok() } else { None };
                Told { plaintext: Some(Zeroizing::new(STANDARD.encode(message))), text, ..told }
            }
        }
    }

    /// How many bytes the message needs as text in the answer's JSON, which is itself a text in Lambda's.
    fn text_size(&self) -> usize {
        let Made::Opened(message) = &self.result else { return 0 };
        if std::str::from_utf8(message).is_err() {
            return 0;
        }
        let sizes = message.iter().map(|byte| match byte {
            b'"' | b'\\' => 4,
            b'\n' | b'\r' | b'\t' | 8 | 12 => 3,
            0..0x20 => 7,
            _ => 1,
        });
        sizes.sum()
    }
}

impl Done {
    /// The body. Messages are given as text too, unless all of them would need more than `limit` bytes.
    pub(super) fn as_json(&self, limit: usize) -> Result<String, serde_json::Error> {
        let outcomes: Vec<&Outcome> = match self {
            Self::One(outcome) => vec![outcome],
            Self::Many(rows) => rows.iter().filter_map(|row| row.as_ref().ok()).collect(),
            _ => Vec::new(),
        };
        let with_text = outcomes.iter().map(|outcome| outcome.text_size()).sum::<usize>() <= limit;
        serde_json::to_string(&Shown { done: self, with_text })
    }
}

struct Shown<'a> {
    done: &'a Done,
    with_text: bool,
}

impl Serialize for Shown<'_> {
    fn serialize<T: Serializer>(&self, serializer: T) -> Result<T::Ok, T::Error> {
        match self.done {
            Done::One(outcome) => outcome.told(self.with_text).serialize(serializer),
            Done::Many(rows) => {
                let told: Vec<Row<'_>> = rows.iter().map(|row| self.row(row)).collect();
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("items", &told)?;
                map.serialize_entry("failed", &rows.iter().filter(|row| row.is_err()).count())?;
                map.end()
            }
            Done::Keys { latest, min_decryption_version, versions } => {
                let mut map = serializer.serialize_map(Some(3))?;
                map.serialize_entry("latest", latest)?;
                map.serialize_entry("min_decryption_version", min_decryption_version)?;
                map.serialize_entry("versions", versions)?;
                map.end()
            }
            Done::Health { status, key_version, version } => {
                let mut map = serializer.serialize_map(Some(3))?;
                map.serialize_entry("status", status)?;
                map.serialize_entry("key_version", key_version)?;
                map.serialize_entry("version", version)?;
                map.end()
            }
        }
    }
}

impl Shown<'_> {
    fn row<'b>(&self, row: &'b Result<Outcome, (Option<String>, Problem)>) -> Row<'b> {
        match row {
            Ok(outcome) => Row::Told(outcome.told(self.with_text)),
            Err((reference, problem)) => {
                Row::Failed(Failed { reference: reference.as_deref(), error: problem.body(None) })
            }
        }
    }
}
