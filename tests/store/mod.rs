//! The store on both databases: every read answers alike, and what only a transaction can promise holds under load.

mod access;
pub mod chain;
pub use chain::by_hand;
mod changes;
mod concurrency;
mod edits;
pub mod fixture;
mod jobs;
mod keys;
mod lists;
mod migrations;
mod people;
mod reads;
mod rollups;
