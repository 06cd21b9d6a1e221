//! Messages to people and to other systems.

pub mod events;
pub mod preferences;
pub mod webhooks;
