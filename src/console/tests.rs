//! Stories, pictures and laws of the console.

mod discover;
mod fleet;
mod laws;
mod pictures;
mod remembered;
mod stories;
mod story;
