//! Stories, pictures and laws of the console.

mod discover;
mod fleet;
mod laws;
mod pictures;
mod random;
mod safe;
mod stories;
mod story;
