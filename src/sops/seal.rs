//! A new encrypted document, as sops writes it.

use super::cipher::{Cipher, plain_bytes};
use super::document::{Misfit, SOPS};
use super::error::Error;
use super::json::Style;
use super::mac::mac;
use super::number::{canonical, is_json_number, loses_digits};
use super::selector::{Hit, Selector};
use super::tree::{Leaf, Node};
use super::{age_keys, shamir};
use crate::secret::Secret;

/// The version written into the metadata: the sops whose format this is.
const VERSION: &str = "3.13.2";

/// How a new document is encrypted and laid out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Which values are encrypted.
    pub selector: Selector,
    /// Whether the MAC covers encrypted values only, so that others may be edited without a key.
    pub mac_only_encrypted: bool,
    /// Spaces a level; `None` is a tab, as sops does it.
    pub indent: Option<usize>,
}

/// Encrypts a tree (its root a map) for age recipients, of which any one can open it. `lastmodified` is RFC 3339 in
/// whole seconds with `Z`. The bytes are a JSON file with one newline at the end.
pub fn encrypt(plain: &Node, recipients: &[String], rules: &Rules, lastmodified: &str) -> Result<Vec<u8>, Error> {
    encrypt_to_groups(plain, &[recipients.to_vec()], None, rules, lastmodified)
}

/// Like [`encrypt`], for key groups: with several, the data key is split by Shamir's scheme, and one recipient of each
/// of `threshold` groups (default: of all) is needed to open it.
pub fn encrypt_to_groups(
    plain: &Node,
    groups: &[Vec<String>],
    threshold: Option<u8>,
    rules: &Rules,
    lastmodified: &str,
) -> Result<Vec<u8>, Error> {
    check(plain)?;
    check_time(lastmodified)?;
    let (cipher, key) = Cipher::generate()?;
    let keys = wrap(groups, threshold, &*key)?;
    let mut sealing = Sealing { selector: &rules.selector, cipher: &cipher, aad: String::new() };
    let sealed = sealing.node(plain, Hit::none()).map_err(plain_error)?;
    let mac = mac(plain, &rules.selector, rules.mac_only_encrypted);
    let mac = cipher.seal(mac.as_bytes(), "str", lastmodified)?;

    let (field, text) = rules.selector.field();
    let mut metadata = keys;
    metadata.push(("lastmodified", Node::text(lastmodified)));
    metadata.push(("mac", Node::text(mac)));
    metadata.push((field, Node::text(text)));
    metadata.push(("version", Node::text(VERSION)));
    if rules.mac_only_encrypted {
        metadata.push(("mac_only_encrypted", Node::Leaf(Leaf::Bool(true))));
    }
    // sops sorts the keys of its metadata.
    metadata.sort_by_key(|(key, _)| *key);

    let Node::Map(mut members) = sealed else {
        return Err(Error::Plain { path: "the document".to_owned(), why: "its root is not a map".to_owned() });
    };
    members.push((SOPS.to_owned(), map(metadata)));
    let style = rules.indent.map_or_else(Style::sops, |spaces| Style::indented(&" ".repeat(spaces)));
    let mut text = style.render(&Node::Map(members), 0);
    text.push('\n');
    Ok(text.into_bytes())
}

/// The metadata's fields about keys.
fn wrap(groups: &[Vec<String>], threshold: Option<u8>, key: &[u8]) -> Result<Vec<(&'static str, Node)>, Error> {
    let none = || Error::Crypto("a key group has no recipient".to_owned());
    if groups.is_empty() || groups.iter().any(Vec::is_empty) {
        return Err(none());
    }
    if let [group] = groups {
        return Ok(vec![("age", age_list(group, key)?)]);
    }
    let count = u8::try_from(groups.len()).map_err(|_| Error::Crypto("more than 255 key groups".to_owned()))?;
    let threshold = threshold.unwrap_or(count);
    let shares = shamir::split(key, count, threshold)?;
    let listed = groups
        .iter()
        .zip(&shares)
        .map(|(group, share)| Ok(map(vec![("age", age_list(group, share)?), ("hc_vault", Node::List(Vec::new()))])));
    Ok(vec![
        ("key_groups", Node::List(listed.collect::<Result<_, Error>>()?)),
        ("shamir_threshold", Node::number(threshold.to_string())),
    ])
}

fn age_list(recipients: &[String], share: &[u8]) -> Result<Node, Error> {
    let entry = |recipient: &String| {
        let enc = age_keys::wrap(recipient, share)?;
        Ok(map(vec![("enc", Node::text(enc)), ("recipient", Node::text(recipient.as_str()))]))
    };
    recipients.iter().map(entry).collect::<Result<_, _>>().map(Node::List)
}

fn map(members: Vec<(&str, Node)>) -> Node {
    Node::Map(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

pub(super) fn plain_error(misfit: Misfit) -> Error {
    let (path, why) = misfit.into_parts();
    Error::Plain { path, why }
}

/// What no document of this format can hold, whatever its rules.
pub(super) fn check(plain: &Node) -> Result<(), Error> {
    let Node::Map(members) = plain else {
        return Err(plain_error(Misfit::new("its root is not a map")));
    };
    if members.iter().any(|(key, _)| key == SOPS) {
        return Err(plain_error(Misfit::new("the key is reserved for the metadata").under(SOPS)));
    }
    distinct(plain).map_err(plain_error)
}

fn distinct(node: &Node) -> Result<(), Misfit> {
    match node {
        Node::Map(members) => {
            let mut keys = std::collections::HashSet::new();
            members.iter().try_for_each(|(key, value)| {
                if !keys.insert(key) {
                    return Err(Misfit::new("the key is there twice").under(key));
                }
                distinct(value).map_err(|misfit| misfit.under(key))
            })
        }
        Node::List(items) => {
            items.iter().enumerate().try_for_each(|(at, item)| distinct(item).map_err(|misfit| misfit.under(at)))
        }
        Node::Leaf(_) => Ok(()),
    }
}

/// The MAC is bound to this text, and sops would bind it to its own rendering of the same time.
pub(super) fn check_time(lastmodified: &str) -> Result<(), Error> {
    let whole = lastmodified.len() == 20 && lastmodified.ends_with('Z');
    if whole && lastmodified.parse::<jiff::Timestamp>().is_ok() {
        return Ok(());
    }
    Err(Error::Crypto(format!("{lastmodified:?} is not a time such as 2026-01-31T12:00:00Z")))
}

/// Encrypts what the selector says.
pub(super) struct Sealing<'a> {
    pub(super) selector: &'a Selector,
    pub(super) cipher: &'a Cipher,
    /// Keys from the root, each followed by a colon.
    pub(super) aad: String,
}

impl Sealing<'_> {
    /// Runs `inner` one key deeper.
    pub(super) fn below<T>(
        &mut self,
        key: &str,
        inner: impl FnOnce(&mut Self) -> Result<T, Misfit>,
    ) -> Result<T, Misfit> {
        let outer = self.aad.len();
        self.aad.push_str(key);
        self.aad.push(':');
        let result = inner(self);
        self.aad.truncate(outer);
        result.map_err(|misfit| misfit.under(key))
    }

    /// The tree with ciphertexts for values, ready to be written.
    pub(super) fn node(&mut self, plain: &Node, hit: Hit) -> Result<Node, Misfit> {
        match plain {
            Node::Map(members) => members
                .iter()
                .map(|(key, value)| {
                    let hit = self.selector.below(hit, key);
                    self.below(key, |sealing| sealing.node(value, hit)).map(|value| (key.clone(), value))
                })
                .collect::<Result<_, _>>()
                .map(Node::Map),
            Node::List(items) => items
                .iter()
                .enumerate()
                .map(|(at, item)| self.node(item, hit).map_err(|misfit| misfit.under(at)))
                .collect::<Result<_, _>>()
                .map(Node::List),
            Node::Leaf(leaf) => self.leaf(leaf, hit).map(Node::Leaf),
        }
    }

    /// One value, encrypted or, where the rules say so, in clear.
    pub(super) fn leaf(&self, leaf: &Leaf, hit: Hit) -> Result<Leaf, Misfit> {
        let encrypts = self.selector.encrypts(hit);
        if let Leaf::Number(text) = leaf {
            check_number(text.expose(), encrypts)?;
        }
        match plain_bytes(leaf) {
            Some((bytes, kind)) if encrypts => {
                let text = self.cipher.seal(&bytes, kind, &self.aad).map_err(|error| Misfit::new(error.to_string()))?;
                Ok(Leaf::Text(Secret::new(text)))
            }
            _ if matches!(leaf, Leaf::Bytes(bytes) if !bytes.is_empty()) => {
                Err(Misfit::new("bytes that are no text cannot stand there unencrypted"))
            }
            _ => Ok(leaf.clone()),
        }
    }
}

fn check_number(text: &str, encrypts: bool) -> Result<(), Misfit> {
    if !is_json_number(text) {
        return Err(Misfit::new("it is not a number as JSON writes it"));
    }
    let number = canonical(text).ok_or_else(|| Misfit::new("the number is beyond a 64-bit float; write it as text"))?;
    if encrypts && loses_digits(text, &number.text) {
        return Err(Misfit::new("the number has more digits than the format keeps; write it as text"));
    }
    Ok(())
}
