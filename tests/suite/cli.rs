//! The commands as a shell sees them: the real binary, its exit code, and what goes to stdout and to stderr.

mod asking;
mod config;
mod consent;
mod deploy;
mod doctor;
mod ending;
mod files;
mod hook;
mod looking;
mod push;
mod recording;
pub mod shop;
mod waiting;
