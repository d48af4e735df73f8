//! The functions that Plumb carries, `lambda/`: written out, built for Lambda, and named by what they are made of.
//!
//! What is carried is what the commit had from which this program was built; a directory that was written out can be
//! changed and built again.

pub mod build;
mod elf;
mod embedded;
mod manifest;
mod source;
pub mod template;

pub use build::{Arch, Built, Function};
pub use source::{Source, Written};
