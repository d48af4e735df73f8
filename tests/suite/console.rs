//! The console as a person meets it: the real binary, in a real terminal, over the demo's account after its night.

mod changes;
mod crypto;
mod demo;
mod ending;
mod home;
mod honest;
mod looks;
mod own;
mod pages;
mod panics;
mod pictures;
mod push;
mod remembered;
mod restart;
mod sample;
mod shop;
mod slow;
mod tour;
mod unlock;
mod values;
