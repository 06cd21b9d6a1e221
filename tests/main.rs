//! All tests that need a real component or the real program, in one binary: a second one would link the host twice.
#![expect(clippy::disallowed_methods, reason = "tests wait for conditions in real time")]

mod api;
mod desk;
mod faults;
mod rules;
mod store;
mod support;
