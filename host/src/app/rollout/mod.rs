//! Rollouts: which version of each rule counts, every step from one to the next, and how each version does.

pub mod archive;
pub mod deploy;
pub mod follow;
pub mod health;
mod rows;
pub mod rules;
pub mod start;
pub mod steps;
pub(in crate::app) mod two_person;
