//! Stories, pictures and laws of the console.

mod answers;
mod changes;
mod crypto;
mod data;
mod deploy;
mod direction;
mod discover;
mod fleet;
mod hints;
mod hold;
mod home;
mod honest;
mod laws;
mod moved;
mod own;
mod panes;
mod pictures;
mod pipeline;
mod pointer;
mod push;
mod random;
mod remembered;
mod safe;
mod sizes;
mod stories;
pub(super) mod story;
mod themes;
