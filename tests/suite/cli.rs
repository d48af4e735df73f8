//! The commands as a shell sees them: the real binary, its exit code, and what goes to stdout and to stderr.

mod asking;
mod bad_input;
mod changes;
mod config;
mod consent;
pub mod deploy;
mod doctor;
mod ending;
mod files;
mod hook;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod killed;
mod kms;
mod looking;
mod push;
mod reading;
mod recording;
pub mod redeploy;
pub mod shop;
mod waiting;
