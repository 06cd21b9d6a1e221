//! The desk over HTTP: the real program with real components, on both databases.

mod access;
mod bad_input;
mod chain;
mod determinism;
mod import;
mod tickets;
mod versions;
mod visibility;
