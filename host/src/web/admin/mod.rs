//! Pages for those who look after the desk: rules and their versions, decision tables, reference tables, records, the
//! configuration, the words of messages, work given up on and webhooks.

pub mod audit;
pub mod configuration;
pub mod documents;
pub mod editor;
pub mod jobs;
pub mod messages;
pub mod records;
pub mod rules;
pub mod tables;
pub mod upload;
pub mod webhooks;
