//! Access requests: people decide, and what nobody decides in time is denied.

pub mod catalog;
pub mod deadlines;
pub mod decide;
mod ending;
mod follow;
pub mod offboard;
pub mod orders;
pub mod provision;
pub mod questions;
mod revoke;
pub mod view;
