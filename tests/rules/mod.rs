//! The rules room by itself: real components, no desk.

pub mod determinism;
mod examples;
mod hostile;
mod reload;
mod sandbox;
mod tables;
mod wasi;
