//! Stories, pictures and laws of the console.

mod laws;
mod pictures;
mod remembered;
mod stories;
mod story;
