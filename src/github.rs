//! GitHub's REST API, as far as a redeploy uses it: dispatches, runs with their jobs and steps, cancelling.
//!
//! A leaf room: it decides nothing and asks nobody. The token is in a request's header and nowhere else. A dispatch is sent
//! once unless GitHub said that it was not taken; reading is tried again.

mod client;
mod error;
mod repository;
mod wire;

pub use client::{GitHub, Patience};
pub use error::{Error, Limit};
pub use repository::Repository;
pub use wire::{Dispatch, Dispatched, Event, Job, Run, Step, Workflow};
