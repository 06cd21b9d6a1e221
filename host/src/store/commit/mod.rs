//! Everything that is written: one writer, whole batches in one transaction.

pub(crate) mod change;
pub(crate) mod create;
pub mod revoke;
pub mod timers;
pub(crate) mod writer;
