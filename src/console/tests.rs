//! Stories, pictures and laws of the console.

mod discover;
mod fleet;
mod laws;
mod pictures;
mod stories;
mod story;
