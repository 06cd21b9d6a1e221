//! What operators see: metrics, logs, traces, statistics.

pub mod chain;
pub(crate) mod log;
pub mod metrics;
pub mod reports;
pub mod request_trace;
pub mod stats;
