//! The desk over HTTP, with real components, on both databases.

mod access;
mod bad_input;
mod chain;
mod determinism;
mod dry_run;

mod explain;
mod import;
mod lifecycle;
mod lists;
mod tables;
mod tickets;
mod versions;
mod visibility;
