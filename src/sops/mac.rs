//! The message authentication code over all plaintext values (sops, `sops.go`).

use std::fmt::Write as _;

use sha2::{Digest as _, Sha512};

use super::cipher::plain_bytes;
use super::selector::{Hit, Selector};
use super::tree::Node;

/// Seeds the hash when only encrypted values count, so that the two ways never agree: SHA-256 of `sops`.
const ONLY_ENCRYPTED: [u8; 32] = [
    0x8a, 0x3f, 0xd2, 0xad, 0x54, 0xce, 0x66, 0x52, 0x7b, 0x10, 0x34, 0xf3, 0xd1, 0x47, 0xbe, 0x0b, 0x0b, 0x97, 0x5b,
    0x3b, 0xf4, 0x4f, 0x72, 0xc6, 0xfd, 0xad, 0xec, 0x81, 0x76, 0xf2, 0x7d, 0x69,
];

/// Uppercase hexadecimal SHA-512 over the values in document order: keys are not part of it, null adds nothing.
pub(super) fn mac(plain: &Node, selector: &Selector, only_encrypted: bool) -> String {
    let mut hash = Sha512::new();
    if only_encrypted {
        hash.update(ONLY_ENCRYPTED);
    }
    add(&mut hash, plain, selector, only_encrypted, Hit::none());
    hash.finalize().iter().fold(String::with_capacity(128), |mut text, byte| {
        let _ = write!(text, "{byte:02X}");
        text
    })
}

fn add(hash: &mut Sha512, node: &Node, selector: &Selector, only_encrypted: bool, hit: Hit) {
    match node {
        Node::Map(members) => {
            for (key, value) in members {
                add(hash, value, selector, only_encrypted, selector.below(hit, key));
            }
        }
        Node::List(items) => items.iter().for_each(|item| add(hash, item, selector, only_encrypted, hit)),
        Node::Leaf(leaf) => {
            if (!only_encrypted || selector.encrypts(hit))
                && let Some((bytes, _)) = plain_bytes(leaf)
            {
                hash.update(&*bytes);
            }
        }
    }
}
