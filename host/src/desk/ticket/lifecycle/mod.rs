//! The later life of a ticket: how it is resolved and confirmed, which other tickets it is linked with, and the promises that
//! run out meanwhile.

pub mod alerts;
pub mod clocks;
pub mod commands;
pub mod escalation;
pub mod links;
pub mod merge;
pub mod resolution;
pub mod tasks;
pub mod time;
pub mod watchers;
pub mod words;
