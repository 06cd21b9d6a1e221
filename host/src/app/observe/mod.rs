//! What operators see: metrics, logs, traces, statistics.

pub mod audit;
pub mod chain;
pub mod csv;
pub(crate) mod log;
pub mod metrics;
pub mod presence;
pub mod reports;
pub mod request_trace;
pub mod stats;
mod time;

pub use crate::store::sql::damaged::left_out;

#[cfg(debug_assertions)]
pub use crate::store::db::counted::counted;
