//! The desk's own work on tickets: promises, linked tickets, words for searches, scans of files, and tickets that wait for a person or
//! until a day.

pub mod clocks;
pub mod handover;
pub mod linked_tickets;
pub mod promises;
pub mod scan;
pub mod schedules;
pub mod search_index;
pub mod waits;
