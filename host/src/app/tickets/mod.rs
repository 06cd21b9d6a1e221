//! Tickets: submitting, reading, working on them.

pub mod change;
pub(crate) mod edit;
mod history;
pub mod lifecycle;
pub mod links;
pub mod quota;
pub mod submit;
pub mod work;
