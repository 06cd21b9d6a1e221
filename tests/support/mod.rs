//! What tests need around what they test.

pub mod components;
pub mod wait;
