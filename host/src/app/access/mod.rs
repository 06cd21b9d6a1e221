//! Access requests: people decide, and what nobody decides in time is denied.

pub mod deadlines;
pub mod decide;
mod ending;
mod follow;
pub mod provision;
mod revoke;
