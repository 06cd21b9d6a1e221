//! Lines for the record of a decision, shown beside its reason. In native tests they are kept for
//! `testing::logged` instead.
//!
//! A rule that never logs is smaller and starts faster: its component does not import this.

use crate::bindings::ruledesk::rules::log::Level;

/// Says what only the rule's developer wants to know.
pub fn debug(message: &str) {
    write(Level::Debug, message);
}

/// Says what explains the decision.
pub fn info(message: &str) {
    write(Level::Info, message);
}

/// Says what an admin should look at.
pub fn warn(message: &str) {
    write(Level::Warn, message);
}

/// Says what is wrong.
pub fn error(message: &str) {
    write(Level::Error, message);
}

#[cfg(target_arch = "wasm32")]
fn write(level: Level, message: &str) {
    crate::bindings::ruledesk::rules::log::write(level, message);
}

#[cfg(not(target_arch = "wasm32"))]
fn write(_: Level, message: &str) {
    crate::testing::world::log(message);
}
