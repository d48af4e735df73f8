//! Stories, pictures and laws of the console.

mod laws;
mod panes;
mod pictures;
mod stories;
pub(super) mod story;
