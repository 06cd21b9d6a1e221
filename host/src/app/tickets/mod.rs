//! Tickets: submitting, reading, working on them.

pub mod bulk;
pub mod change;
pub mod handover;
mod history;
pub mod knowledge;
pub mod lifecycle;
pub mod links;
pub mod quota;
pub mod search;
pub mod submit;
pub mod work;
