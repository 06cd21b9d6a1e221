//! Other systems that a desk writes to, small and badly behaved on demand.

pub mod clamd;
pub mod hook;
pub mod issuer;
pub mod provider;
pub mod smtp;
