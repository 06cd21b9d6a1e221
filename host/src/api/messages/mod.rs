//! Messages to people and to other systems, and mail that comes in.

pub mod events;
pub mod mail;
pub mod preferences;
pub mod webhooks;
