//! Tickets: submitting, reading, working on them.

pub(crate) mod edit;
pub mod submit;
pub mod work;
