//! Stories, pictures and laws of the console.

mod discover;
mod fleet;
mod laws;
mod panes;
mod pictures;
mod sizes;
mod stories;
pub(super) mod story;
mod themes;
