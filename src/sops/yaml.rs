//! The YAML store: text into values with their places, values into text.
//!
//! The grammar is saphyr's; what a plain word means, and which map a comment belongs to, is what sops's own parser
//! (go-yaml 3) says. Anchors, aliases and tags are refused: sops expands them, so that they would be lost, or would
//! mean something else, in the file that it writes next.

mod events;
mod read;
mod remarks;
mod scalar;
mod time;
mod write;

pub(super) use read::{Read, parse};
pub(super) use write::{Layout, Place, flow, item_text, key, quote, render_block, scalar_text, value_part};
