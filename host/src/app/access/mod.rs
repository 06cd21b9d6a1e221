//! Access requests: people decide, and the desk denies what is not decided in time.

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
