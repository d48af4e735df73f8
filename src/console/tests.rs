//! Stories, pictures and laws of the console.

mod discover;
mod fleet;
mod home;
mod laws;
mod panes;
mod pictures;
mod stories;
pub(super) mod story;
