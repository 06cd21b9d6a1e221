//! The rules room by itself: real components, no desk.

mod hostile;
mod reload;
mod sandbox;
