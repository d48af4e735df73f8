//! The `sops` key of a document (sops, `stores/metadata.go`): read whole, written anew where the recipients change, and
//! else left as it is but for `mac` and `lastmodified`.

use std::ops::Range;

use super::key::{Recipient, WrappedKey};
use super::raw::{Kind, Raw};
use super::selector::Selector;
use super::tree::Node;

/// What is needed of the metadata. Everything else stays in the text, where an edit leaves it alone.
#[derive(Clone)]
pub(super) struct Metadata {
    /// One group: each key wraps the data key. Several: each group wraps a share of it.
    pub(super) groups: Vec<Vec<Entry>>,
    /// Groups needed; meaningful with several.
    pub(super) threshold: usize,
    pub(super) selector: Selector,
    pub(super) mac_only_encrypted: bool,
    pub(super) lastmodified: Field,
    pub(super) mac: Field,
}

/// A wrapped key and all that the metadata says of it.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) key: WrappedKey,
    pub(super) written: Node,
}

/// A text with its place in the document.
#[derive(Clone)]
pub(super) struct Field {
    pub(super) text: String,
    pub(super) span: Range<usize>,
}

/// Kinds of keys in the order in which sops keeps them, with the fields that identify a key.
const OTHERS: [(&str, &[&str]); 5] = [
    ("gcp_kms", &["resource_id"]),
    ("hckms", &["key_id"]),
    ("azure_kv", &["vault_url", "name", "version"]),
    ("hc_vault", &["vault_address", "engine_path", "key_name"]),
    ("pgp", &["fp"]),
];

/// The fields that hold keys; they are written anew when the recipients change.
pub(super) const KEYS: [&str; 9] =
    ["age", "kms", "gcp_kms", "hckms", "azure_kv", "hc_vault", "pgp", "key_groups", "shamir_threshold"];

impl Metadata {
    /// Reads the value of the key `sops`; the error says what is wrong.
    pub(super) fn read(raw: &Raw) -> Result<Self, String> {
        if raw.map().is_none() {
            return Err("the key `sops` is not an object".to_owned());
        }
        let top = group(raw)?;
        let groups = if top.is_empty() {
            let listed = raw.get("key_groups").and_then(Raw::list).unwrap_or_default();
            listed.iter().map(group).collect::<Result<_, _>>()?
        } else {
            vec![top]
        };
        if groups.iter().all(Vec::is_empty) {
            return Err("it names no key".to_owned());
        }
        let threshold = match raw.get("shamir_threshold").map(scalar) {
            None | Some(None) => groups.len(),
            Some(Some(text)) => {
                text.parse().map_err(|_| "shamir_threshold is not a number of key groups".to_owned())?
            }
        };
        Ok(Self {
            threshold: if threshold == 0 { groups.len() } else { threshold },
            groups,
            selector: Selector::read(|field| raw.get(field).and_then(Raw::text))?.unwrap_or_default(),
            mac_only_encrypted: match raw.get("mac_only_encrypted").map(scalar) {
                None | Some(None) => false,
                Some(Some(text)) => match text.as_str() {
                    "true" | "True" | "1" => true,
                    "false" | "False" | "0" | "" => false,
                    _ => return Err("mac_only_encrypted is neither true nor false".to_owned()),
                },
            },
            lastmodified: field(raw, "lastmodified")?,
            mac: field(raw, "mac")?,
        })
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &WrappedKey> {
        self.groups.iter().flatten().map(|entry| &entry.key)
    }

    /// Whom it is encrypted for, by groups.
    pub(super) fn recipients(&self) -> Vec<Vec<Recipient>> {
        let group = |group: &Vec<Entry>| group.iter().map(|entry| entry.key.recipient.clone()).collect();
        self.groups.iter().map(group).collect()
    }

    /// What the MAC is bound to: the time as Go prints it again, in whole seconds.
    pub(super) fn bound_to(&self) -> String {
        let text = &self.lastmodified.text;
        let (whole, zone) = match text.split_once('.') {
            Some((whole, rest)) => (whole, rest.trim_start_matches(|next: char| next.is_ascii_digit())),
            None => text.split_at(text.len().min(19)),
        };
        let zone = if matches!(zone, "+00:00" | "-00:00") { "Z" } else { zone };
        format!("{whole}{zone}")
    }
}

/// The places of the MAC and the time in a document's own metadata.
pub(super) fn fields(raw: &Raw) -> Option<(Field, Field)> {
    Some((field(raw, "mac").ok()?, field(raw, "lastmodified").ok()?))
}

fn field(raw: &Raw, name: &str) -> Result<Field, String> {
    let value = raw.get(name).ok_or_else(|| format!("it has no {name}"))?;
    let text = match &value.kind {
        Kind::Text(text) | Kind::Time(text) => text.expose().to_owned(),
        _ => return Err(format!("{name} is not a text")),
    };
    Ok(Field { text, span: value.span.clone() })
}

/// A scalar as text (sops takes `"true"` for `true`); `None` for null and for what is no scalar.
fn scalar(raw: &Raw) -> Option<String> {
    match &raw.kind {
        Kind::Bool(value) => Some(value.to_string()),
        Kind::Number(text) | Kind::Text(text) => Some(text.expose().to_owned()),
        Kind::Null | Kind::Map(_) | Kind::List(_) | Kind::Time(_) | Kind::Bytes(_) => None,
    }
}

fn group(raw: &Raw) -> Result<Vec<Entry>, String> {
    let mut keys = Vec::new();
    let mut add = |kind: &'static str, key: &Raw, recipient: Recipient| {
        let key = Entry { key: WrappedKey { recipient, enc: needed(key, kind, "enc")? }, written: key.as_written() };
        keys.push(key);
        Ok(())
    };
    each(raw, "age", |key| add("age", key, Recipient::Age(needed(key, "age", "recipient")?)))?;
    each(raw, "kms", |key| {
        let context = key.get("context").and_then(Raw::map).unwrap_or_default();
        let recipient = Recipient::Kms {
            arn: needed(key, "kms", "arn")?,
            role: key.get("role").and_then(Raw::text).filter(|role| !role.is_empty()).map(str::to_owned),
            context: context.iter().map(|member| (member.key.clone(), scalar(&member.value))).collect(),
            aws_profile: key.get("aws_profile").and_then(Raw::text).unwrap_or_default().to_owned(),
        };
        add("kms", key, recipient)
    })?;
    for (kind, fields) in OTHERS {
        each(raw, kind, |key| {
            let parts: Vec<_> = fields.iter().filter_map(|field| key.get(field).and_then(Raw::text)).collect();
            add(kind, key, Recipient::Other { kind, id: parts.join("/") })
        })?;
    }
    Ok(keys)
}

fn each(raw: &Raw, kind: &str, mut take: impl FnMut(&Raw) -> Result<(), String>) -> Result<(), String> {
    match raw.get(kind).map(|value| &value.kind) {
        None | Some(Kind::Null) => Ok(()),
        Some(Kind::List(keys)) => keys.iter().try_for_each(&mut take),
        Some(_) => Err(format!("{kind} is not a list of keys")),
    }
}

fn needed(key: &Raw, kind: &str, name: &str) -> Result<String, String> {
    key.get(name).and_then(Raw::text).map(str::to_owned).ok_or_else(|| format!("a key under {kind} has no {name}"))
}
