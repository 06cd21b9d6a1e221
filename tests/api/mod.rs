//! The desk over HTTP: the real program with real components, on both databases.

mod access;
mod bad_input;
mod import;
mod tables;
mod tickets;
mod visibility;
