//! When a value counts as unchanged, and which item of a list became which.

use std::collections::{HashMap, VecDeque};

use sha2::{Digest as _, Sha256};

use super::number::canonical;
use super::tree::{Leaf, Node};

/// Whether a new value is what is encrypted already: a number is the same in any notation, since the format normalises
/// it.
pub(super) fn same(old: &Leaf, new: &Leaf) -> bool {
    match (old, new) {
        (Leaf::Number(old), Leaf::Number(new)) => {
            let text = |text: &str| canonical(text).map(|number| number.text);
            old == new || text(new.expose()).is_some_and(|new| text(old.expose()) == Some(new))
        }
        _ => old == new,
    }
}

/// A tree in 32 bytes; equal ones, and none but those, are the same to [`same`].
pub(super) fn digest(node: &Node, shown: &impl Fn(&Leaf) -> Leaf) -> [u8; 32] {
    let mut hash = Sha256::new();
    add(&mut hash, node, shown);
    hash.finalize().into()
}

fn add(hash: &mut Sha256, node: &Node, shown: &impl Fn(&Leaf) -> Leaf) {
    let mut part = |kind: u8, bytes: &[u8]| {
        hash.update([kind]);
        hash.update(bytes.len().to_le_bytes());
        hash.update(bytes);
    };
    match node {
        Node::Map(members) => {
            part(b'm', &members.len().to_le_bytes());
            for (key, value) in members {
                hash.update(key.len().to_le_bytes());
                hash.update(key);
                add(hash, value, shown);
            }
        }
        Node::List(items) => {
            part(b'l', &items.len().to_le_bytes());
            for item in items {
                add(hash, item, shown);
            }
        }
        Node::Leaf(leaf) => match shown(leaf) {
            Leaf::Null => part(b'0', b""),
            Leaf::Bool(value) => part(b'b', &[u8::from(value)]),
            Leaf::Number(text) => {
                let number = canonical(text.expose()).map(|number| number.text);
                part(b'n', number.as_deref().unwrap_or(text.expose()).as_bytes());
            }
            Leaf::Text(text) => part(b't', text.expose().as_bytes()),
            Leaf::Bytes(bytes) => part(b'y', &bytes),
            Leaf::Time(text) => part(b'z', text.expose().as_bytes()),
            Leaf::Comment(text) => part(b'c', text.expose().as_bytes()),
        },
    }
}

/// Which old item each new item of a list continues: an equal one if there is one (list positions are not part of the
/// associated data, so it may move), else the one at its place. No old item is used twice, because two equal texts
/// would tell a reader that two values are equal.
pub(super) fn origins(old: &[[u8; 32]], new: &[[u8; 32]]) -> Vec<Option<usize>> {
    let mut used = vec![false; old.len()];
    let mut origins: Vec<_> = new
        .iter()
        .enumerate()
        .map(|(at, item)| (old.get(at) == Some(item)).then(|| used[at] = true).map(|()| at))
        .collect();
    let mut free: HashMap<&[u8; 32], VecDeque<usize>> = HashMap::new();
    for (at, item) in old.iter().enumerate().filter(|(at, _)| !used[*at]) {
        free.entry(item).or_default().push_back(at);
    }
    for (item, origin) in new.iter().zip(&mut origins).filter(|(_, origin)| origin.is_none()) {
        *origin = free.get_mut(item).and_then(VecDeque::pop_front);
        if let Some(from) = *origin {
            used[from] = true;
        }
    }
    for (at, origin) in origins.iter_mut().enumerate().filter(|(_, origin)| origin.is_none()) {
        if at < old.len() && !used[at] {
            used[at] = true;
            *origin = Some(at);
        }
    }
    origins
}
