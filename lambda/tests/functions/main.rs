//! The functions as Lambda runs them, and the cryptography against what others know of it; in one crate, since each
//! further one would link the AWS SDK again.
//!
//! It is also what makes `cargo test --workspace` build the binaries, which the demo's tests deploy.

// Outside of `#[test]` functions clippy does not see that this is a test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::must_use_candidate)]
#![allow(missing_docs, clippy::missing_panics_doc, unreachable_pub, clippy::format_push_string)]

#[path = "../support/cloud.rs"]
mod cloud;
#[path = "../support/events.rs"]
mod events;
#[path = "../support/git_server.rs"]
mod git_server;
#[path = "../support/http.rs"]
mod http;
#[path = "../support/openapi.rs"]
mod openapi;
#[path = "../support/runtime_api.rs"]
mod runtime_api;
#[path = "../support/secrets.rs"]
mod secrets;
#[path = "../support/tls.rs"]
mod tls;
#[path = "../support/week.rs"]
mod week;

mod bootstrap;
mod judged;
mod looped;
mod over_tls;
mod reference;
mod requests;
mod summed;
mod vectors;
mod watching;
mod worker;
