//! The harness itself: what tests rely on has to be able to fail.

mod account;
mod proxy;
mod screenshot;
mod sdk;
mod story;
mod terminal;
