//! The decision record: what is written about a run of the rules, and how it is read back.

pub mod read;
pub mod write;
