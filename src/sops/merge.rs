//! A merge of decrypted documents, key by key, that is encrypted again with the least change.
//!
//! What only one side changed is taken from it, with its ciphertext where both have the same data key. What both changed
//! to different values is a conflict of that key alone: no half of a ciphertext ever reaches a file.

use std::collections::{HashMap, HashSet};

use super::error::Error;
use super::open::Opened;
use super::same::digest;
use super::store;
use super::tree::{Leaf, Node};

/// What a merge made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Merged {
    /// The file with the changes of both sides; where they conflict, our side's value stands.
    pub bytes: Vec<u8>,
    /// Keys that the two sides changed to different values.
    pub conflicts: Vec<Conflict>,
}

/// One key, or list, that both sides changed. `None` is a side that does not have it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Conflict {
    /// Keys from the root; of a file with several documents the first is the document's number, from 0.
    pub path: Vec<String>,
    /// What it was before.
    pub base: Option<Node>,
    /// What our side made of it.
    pub ours: Option<Node>,
    /// What the other side made of it.
    pub theirs: Option<Node>,
}

/// Merges two next versions of a document. `base` is the version that both come from; without one, every key that both
/// have and that differs is a conflict. The layout and comments are our side's; where only the other side changed the
/// recipients or the data key, those are its own. `lastmodified` is RFC 3339 in whole seconds with `Z`.
///
/// Fails with [`Error::Metadata`] when both sides changed the recipients or the data key in different ways, and with
/// [`Error::Several`] when the sides have different numbers of documents.
pub fn merge(
    base: Option<&Opened<'_>>,
    ours: &Opened<'_>,
    theirs: &Opened<'_>,
    lastmodified: &str,
) -> Result<Merged, Error> {
    let count = ours.nodes.len();
    if theirs.nodes.len() != count || base.is_some_and(|base| base.nodes.len() != count) {
        return Err(Error::Several { name: theirs.document.name.clone(), count: theirs.nodes.len() });
    }
    let (host, guest) = if keys_are_theirs(base, ours, theirs)? { (theirs, ours) } else { (ours, theirs) };
    let format = ours.document.format;
    let shown = |leaf: &Leaf| store::shown(format, leaf);
    let mut merging =
        Merging { shown: &shown, ours_is_host: std::ptr::eq(host, ours), conflicts: Vec::new(), path: Vec::new() };
    let mut nodes = Vec::with_capacity(count);
    for at in 0..count {
        merging.path = if count > 1 { vec![at.to_string()] } else { Vec::new() };
        let base = base.map(|base| &base.nodes[at]);
        let merged = merging.node(base, Some(&host.nodes[at]), Some(&guest.nodes[at]));
        nodes.push(merged.unwrap_or_else(|| Node::Map(Vec::new())));
    }
    let both = [host, guest];
    let kept = if host.cipher.same_key(&guest.cipher) { &both[..] } else { &both[..1] };
    let bytes = host.replace_all(&nodes, Some(guest), kept, lastmodified)?;
    Ok(Merged { bytes, conflicts: merging.conflicts })
}

/// Whether the metadata is the other side's: it alone changed whom the document is encrypted for, or the data key.
fn keys_are_theirs(base: Option<&Opened<'_>>, ours: &Opened<'_>, theirs: &Opened<'_>) -> Result<bool, Error> {
    if same_keys(ours, theirs)? {
        return Ok(false);
    }
    let (ours_changed, theirs_changed) = match base {
        Some(base) => (!same_keys(base, ours)?, !same_keys(base, theirs)?),
        None => (true, true),
    };
    if ours_changed && theirs_changed {
        let why = "both sides changed whom it is encrypted for, or its data key; merge one of them by `updatekeys` or \
                   `rotate` first";
        return Err(Error::Metadata { name: ours.document.name.clone(), why: why.to_owned() });
    }
    Ok(theirs_changed)
}

fn same_keys(one: &Opened<'_>, other: &Opened<'_>) -> Result<bool, Error> {
    let (own, others) = (one.metadata()?, other.metadata()?);
    Ok(one.cipher.same_key(&other.cipher)
        && own.recipients() == others.recipients()
        && (own.groups.len() < 2 || own.threshold == others.threshold)
        && own.selector == others.selector
        && own.mac_only_encrypted == others.mac_only_encrypted)
}

struct Merging<'a> {
    shown: &'a dyn Fn(&Leaf) -> Leaf,
    ours_is_host: bool,
    conflicts: Vec<Conflict>,
    path: Vec<String>,
}

impl Merging<'_> {
    /// The merged part; `None` when it is gone.
    fn node(&mut self, base: Option<&Node>, host: Option<&Node>, guest: Option<&Node>) -> Option<Node> {
        if self.equal(host, guest) || self.equal(base, guest) {
            return host.cloned();
        }
        if self.equal(base, host) {
            return guest.cloned();
        }
        match (base, host, guest) {
            (Some(Node::Map(base)), Some(Node::Map(host)), Some(Node::Map(guest))) => Some(self.map(base, host, guest)),
            // Both made a map where there was none.
            (None, Some(Node::Map(host)), Some(Node::Map(guest))) => Some(self.map(&[], host, guest)),
            _ => {
                let (ours, theirs) = if self.ours_is_host { (host, guest) } else { (guest, host) };
                let [base, ours, theirs] = [base, ours, theirs].map(Option::<&Node>::cloned);
                let stands = ours.clone();
                self.conflicts.push(Conflict { path: self.path.clone(), base, ours, theirs });
                stands
            }
        }
    }

    fn map(&mut self, base: &[(String, Node)], host: &[(String, Node)], guest: &[(String, Node)]) -> Node {
        let [before, there] = [base, guest]
            .map(|members| members.iter().map(|(key, node)| (key.as_str(), node)).collect::<HashMap<&str, &Node>>());
        let mut merged = Vec::with_capacity(host.len());
        let known: HashSet<&str> = host.iter().map(|(key, _)| key.as_str()).collect();
        for (key, node) in host {
            let node =
                self.member(key, before.get(key.as_str()).copied(), Some(node), there.get(key.as_str()).copied());
            merged.extend(node.map(|node| (key.clone(), node)));
        }
        // What only the guest has comes behind the key that it follows there.
        let places: HashMap<String, usize> =
            merged.iter().enumerate().map(|(at, (key, _)): (usize, &(String, Node))| (key.clone(), at)).collect();
        let mut added: Vec<(usize, (String, Node))> = Vec::new();
        let mut behind = 0;
        for (key, node) in guest {
            if let Some(at) = places.get(key) {
                behind = at + 1;
            } else if !known.contains(key.as_str())
                && let Some(node) = self.member(key, before.get(key.as_str()).copied(), None, Some(node))
            {
                added.push((behind, (key.clone(), node)));
            }
        }
        added.sort_by_key(|(at, _)| *at);
        let mut added = added.into_iter().peekable();
        let mut members = Vec::with_capacity(merged.len() + added.len());
        for (at, member) in merged.into_iter().enumerate() {
            while let Some((_, new)) = added.next_if(|(place, _)| *place <= at) {
                members.push(new);
            }
            members.push(member);
        }
        members.extend(added.map(|(_, member)| member));
        Node::Map(members)
    }

    fn member(&mut self, key: &str, base: Option<&Node>, host: Option<&Node>, guest: Option<&Node>) -> Option<Node> {
        self.path.push(key.to_owned());
        let node = self.node(base, host, guest);
        self.path.pop();
        node
    }

    fn equal(&self, one: Option<&Node>, other: Option<&Node>) -> bool {
        match (one, other) {
            (Some(one), Some(other)) => digest(one, &self.shown) == digest(other, &self.shown),
            (None, None) => true,
            _ => false,
        }
    }
}
