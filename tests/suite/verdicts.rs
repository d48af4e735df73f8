//! Verdicts over a real local account: each change gives exactly the verdict that it should, on exactly its item.

mod accounts;
mod bad_input;
mod by_hand;
mod calls;
mod cdk;
mod deploy;
mod faults;
mod journal;
mod moves;
mod night;
mod pages;
mod permissions;
mod push;
mod receipts;
mod sam;
pub mod shop;
mod unrecorded;
