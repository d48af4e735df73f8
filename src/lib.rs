//! Plumb: git against live, side by side.

pub mod app;
pub mod aws;
pub mod cli;
pub mod compare;
pub mod config;
pub mod console;
pub mod crypto_api;
pub mod git;
pub mod github;
pub mod http;
pub mod local;
pub mod ops;
mod percent;
pub mod secret;
pub mod sops;
pub mod template;
mod visible;
