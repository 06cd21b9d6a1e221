//! Routes for those who run the desk: health and metrics, configuration, jobs, reports, people.

pub(crate) mod config;
pub(crate) mod jobs;
pub(crate) mod operations;
pub(crate) mod people;
pub(crate) mod published;
pub(crate) mod reports;
pub(crate) mod schedules;
