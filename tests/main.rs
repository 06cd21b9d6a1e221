//! All tests that need a real component or the real program, in one binary: a second one would link the host twice.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that goes wrong says so by panicking, and waits for conditions in real time"
)]

mod api;
mod author;
mod compatibility;
mod conformance;
mod database;
mod deploy;
mod desk;
pub mod faults;
mod languages;
mod life;
mod operations;
mod pages;
mod replay;
mod rules;
mod store;
mod support;
mod tidy;
