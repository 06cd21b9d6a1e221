//! What tests need around what they test.

pub mod browser;
pub mod client;
pub mod components;
pub mod desk;
pub mod house;
pub mod peers;
pub mod place;
pub mod postgres;
pub mod records;
pub mod scim;
pub mod wait;
