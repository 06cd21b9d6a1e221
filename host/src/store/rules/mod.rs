//! What the store keeps about rules: versions, deployments, decisions.

pub mod decisions;
pub mod deployments;
pub mod history;
pub mod rule_history;
pub(crate) mod signatures;
pub mod versions;
