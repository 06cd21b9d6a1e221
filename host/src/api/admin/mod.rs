//! For those who run the desk.

pub(crate) mod config;
pub(crate) mod jobs;
pub(crate) mod operations;
pub(crate) mod people;
pub(crate) mod published;
pub(crate) mod reports;
pub(crate) mod schedules;
