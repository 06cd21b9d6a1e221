//! Access when something is not as it should be: a rule that fails, approvers who leave, one person where two are asked for.

mod approvers;
mod connectors;
mod emergency;
mod ends;
mod fallback;
mod guards;
mod invariants;
pub mod provisioning;
mod real_peer;
mod schedules;
mod two_person;
