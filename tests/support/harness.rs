//! The test harness: a real local account, a proxy that breaks the calls to it, and a terminal around the real binary.
//!
//! Nothing here sleeps or polls the clock: every wait is for a condition, wakes when something happened, and fails
//! after [`wait::deadline`] with what there was to see.

// A story uses what it needs; what no story needs yet is tested in `suite/harness.rs`.
#![allow(dead_code, unused_imports)]

pub mod account;
pub mod http;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub mod killed;
pub mod proxy;
pub mod screenshot;
pub mod sdk;
pub mod signed;
pub mod story;
pub mod terminal;
pub mod wait;
