//! Stories, pictures and laws of the console.

mod laws;
mod pictures;
mod stories;
mod story;
