//! The commands as a shell sees them: the real binary, its exit code, and what goes to stdout and to stderr.

mod asking;
mod changes;
mod config;
mod consent;
mod doctor;
mod ending;
mod files;
mod hook;
mod looking;
mod push;
mod recording;
pub mod shop;
mod waiting;
