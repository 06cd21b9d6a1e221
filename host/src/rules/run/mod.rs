//! One rule, and asking it: its manifest, its compiled component, a call in a fresh sandbox.

pub mod call;
pub(crate) mod call_permits;
pub mod determinism;
pub mod engine;
pub mod examples;
pub mod guest;
pub mod manifest;
pub mod rule;
pub mod stage;
pub(crate) mod wasi;
pub mod workers;
