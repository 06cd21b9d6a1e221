//! The rules room by itself: real components, no desk.

mod examples;
mod hostile;
mod hygiene;
mod reload;
mod sandbox;
mod tables;
mod trust;
mod wasi;
