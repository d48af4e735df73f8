//! Stories, pictures and laws of the console.

mod fleet;
mod laws;
mod pictures;
mod stories;
mod story;
