//! Whom a document is encrypted for, written into its metadata.

use super::age_keys;
use super::error::Error;
use super::key::{KeyService, Recipient};
use super::metadata::{Entry, KEYS};
use super::selector::Selector;
use super::shamir;
use super::tree::{Leaf, Node};

/// The version written into the metadata: the sops whose format this is.
const VERSION: &str = "3.13.2";

pub(super) type Fields = Vec<(String, Node)>;

/// Whom to wrap a data key for.
pub(super) struct Wrapping<'a> {
    pub(super) groups: &'a [Vec<Recipient>],
    /// Of several groups; `None` is all.
    pub(super) threshold: Option<u8>,
    pub(super) services: &'a dyn KeyService,
    /// Keys that wrap this very data key already.
    pub(super) kept: &'a [Entry],
    /// Written as the time of creation.
    pub(super) at: &'a str,
}

impl Wrapping<'_> {
    /// The metadata's fields about keys.
    pub(super) fn fields(&self, key: &[u8]) -> Result<Fields, Error> {
        if self.groups.is_empty() || self.groups.iter().any(Vec::is_empty) {
            return Err(Error::Crypto("a key group has no recipient".to_owned()));
        }
        if let [group] = self.groups {
            return self.group(group, key);
        }
        let too_many = |_| Error::Crypto("more than 255 key groups".to_owned());
        let count = u8::try_from(self.groups.len()).map_err(too_many)?;
        let threshold = self.threshold.unwrap_or(count);
        let shares = shamir::split(key, count, threshold)?;
        let groups = self.groups.iter().zip(&shares).map(|(group, share)| {
            let mut fields = self.group(group, share)?;
            for always in ["age", "hc_vault"] {
                if fields.iter().all(|(name, _)| name != always) {
                    fields.push((always.to_owned(), Node::List(Vec::new())));
                }
            }
            Ok(sorted(fields))
        });
        let groups = Node::List(groups.collect::<Result<_, Error>>()?);
        let threshold = Node::number(threshold.to_string());
        Ok(vec![("key_groups".to_owned(), groups), ("shamir_threshold".to_owned(), threshold)])
    }

    fn group(&self, group: &[Recipient], share: &[u8]) -> Result<Fields, Error> {
        let mut fields: Fields = Vec::new();
        for recipient in group {
            let (kind, entry) = self.entry(recipient, share)?;
            match fields.iter_mut().find(|(name, _)| name == kind) {
                Some((_, Node::List(entries))) => entries.push(entry),
                _ => fields.push((kind.to_owned(), Node::List(vec![entry]))),
            }
        }
        Ok(fields)
    }

    fn entry(&self, recipient: &Recipient, share: &[u8]) -> Result<(&'static str, Node), Error> {
        let kept = self.kept.iter().find(|entry| entry.key.recipient == *recipient).map(|entry| entry.written.clone());
        let refused = |why: String| Error::Recipient { recipient: recipient.to_string(), why };
        let ask = || match self.services.wrap(recipient, share) {
            Some(wrapped) => wrapped.map_err(refused),
            None => Err(refused("nothing here can encrypt to this kind of key".to_owned())),
        };
        Ok(match recipient {
            Recipient::Age(text) => {
                let entry = || {
                    let enc = age_keys::wrap(text, share)?;
                    Ok::<_, Error>(map(vec![("enc", Node::text(enc)), ("recipient", Node::text(text.as_str()))]))
                };
                ("age", kept.map_or_else(entry, Ok)?)
            }
            Recipient::Kms { arn, role, context, aws_profile } => {
                let entry = || {
                    let mut fields = vec![
                        ("arn", Node::text(arn.as_str())),
                        ("aws_profile", Node::text(aws_profile.as_str())),
                        ("created_at", Node::text(self.at)),
                        ("enc", Node::text(ask()?)),
                    ];
                    fields.extend(role.as_ref().map(|role| ("role", Node::text(role.as_str()))));
                    let context = context.iter().map(|(name, value)| {
                        (
                            name.clone(),
                            value.as_ref().map_or(Node::Leaf(Leaf::Null), |value| Node::text(value.as_str())),
                        )
                    });
                    let context: Fields = context.collect();
                    if !context.is_empty() {
                        fields.push(("context", sorted(context)));
                    }
                    Ok::<_, Error>(map(fields))
                };
                ("kms", kept.map_or_else(entry, Ok)?)
            }
            Recipient::Other { kind, .. } => {
                (kind, kept.ok_or_else(|| refused("nothing here can encrypt to this kind of key".to_owned()))?)
            }
        })
    }
}

/// All metadata of a new document, its keys sorted as sops sorts them.
pub(super) fn metadata(
    keys: &[(String, Node)],
    selector: Option<&Selector>,
    mac_only_encrypted: bool,
    lastmodified: &str,
    mac: &str,
) -> Node {
    let mut fields = keys.to_vec();
    let rest = [("lastmodified", lastmodified), ("mac", mac), ("version", VERSION)];
    let rest = rest.into_iter().chain(selector.map(Selector::field));
    fields.extend(rest.map(|(name, text)| (name.to_owned(), Node::text(text))));
    if mac_only_encrypted {
        fields.push(("mac_only_encrypted".to_owned(), Node::Leaf(Leaf::Bool(true))));
    }
    sorted(fields)
}

/// Metadata with other keys, and with another MAC and time if they are given; the rest stays as it was.
pub(super) fn with_keys(old: &Node, keys: &[(String, Node)], mac: Option<(&str, &str)>) -> Node {
    let Node::Map(members) = old else { return sorted(keys.to_vec()) };
    let stays = |(name, _): &&(String, Node)| !KEYS.contains(&name.as_str());
    let mut fields: Fields = members.iter().filter(stays).cloned().collect();
    for (name, value) in &mut fields {
        match (name.as_str(), mac) {
            ("mac", Some((mac, _))) => *value = Node::text(mac),
            ("lastmodified", Some((_, time))) => *value = Node::text(time),
            _ => {}
        }
    }
    fields.extend_from_slice(keys);
    sorted(fields)
}

fn map(members: Vec<(&str, Node)>) -> Node {
    sorted(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn sorted(mut fields: Fields) -> Node {
    fields.sort_by(|(one, _), (other, _)| one.cmp(other));
    Node::Map(fields)
}
