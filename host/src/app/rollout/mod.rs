//! Which version of each rule is live: upload, archive, following other hosts, health.

pub mod archive;
pub mod deploy;
pub mod follow;
pub mod health;
pub mod life;
pub mod rules;
