//! What tests need around what they test.

pub mod components;
pub mod desk;
pub mod postgres;
pub mod records;
pub mod wait;
