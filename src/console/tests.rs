//! Stories, pictures and laws of the console.

mod answers;
mod discover;
mod fleet;
mod home;
mod honest;
mod laws;
mod panes;
mod pictures;
mod random;
mod remembered;
mod safe;
mod sizes;
mod stories;
pub(super) mod story;
mod themes;
