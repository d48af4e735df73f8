//! Stories, pictures and laws of the console.

mod discover;
mod laws;
mod pictures;
mod stories;
mod story;
