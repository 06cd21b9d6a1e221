//! Access requests: people decide, and what nobody decides in time is denied.

pub mod catalog;
pub mod deadlines;
pub mod decide;
pub mod ending;
pub mod orders;
pub mod people;
pub mod provision;
pub mod questions;
pub mod reviews;
mod revoke;
pub mod view;
