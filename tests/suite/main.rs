//! Everything that crosses module borders, in one crate: each further test binary would link the AWS SDK again.

// Outside of `#[test]` functions clippy does not see that this is a test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::must_use_candidate)]
#![allow(missing_docs, clippy::missing_panics_doc, unreachable_pub)]

#[path = "../support/harness.rs"]
mod support;

mod aws;
mod cli;
mod console;
mod crypto;
mod data;
mod discover;
mod fleet;
mod harness;
mod imports;
mod init;
mod intake;
mod integrity;
mod lambda;
mod local;
mod papers;
mod peers;
mod petshop;
mod pipeline;
mod sops;
mod verdicts;
