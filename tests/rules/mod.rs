//! The rules room by itself: real components, no desk.

mod altered;
pub mod determinism;
mod directory;
mod examples;
mod hostile;
mod hygiene;
mod reload;
mod sandbox;
mod tables;
mod trust;
mod wasi;
