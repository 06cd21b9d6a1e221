//! The domain: what a service desk is, without a clock, a database, a network or a rule engine.
//!
//! Commands come in, a change or a [`refusal::Refusal`] goes out. Everything here is a pure function of its arguments,
//! so that every timer and every race can be tested in microseconds. It imports nothing of ours.
//!
//! In reading order: [`organisation`] is who works here and what can be asked for; [`ticket`] the life of a ticket, with the open time of
//! [`sla`]; [`access`] what was asked, approved, granted and ended; [`verdict`] several rules' answers made into one; [`permission`]
//! who may do what; [`change`] all that one transaction writes.

pub mod id;
pub mod organisation;
pub mod permission;
pub mod verdict;

pub mod actor;
pub mod change;
pub mod refusal;

pub mod sla;
pub mod text;
pub mod ticket;

pub mod access;
