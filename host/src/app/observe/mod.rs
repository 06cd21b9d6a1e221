//! What operators see: metrics, logs, traces, statistics.

pub mod chain;
pub mod csv;
pub(crate) mod log;
pub mod metrics;
pub mod presence;
pub mod reports;
pub mod request_trace;
pub mod stats;
