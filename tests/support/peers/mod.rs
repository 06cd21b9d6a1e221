//! Other systems that a desk writes to, small and badly behaved on demand.

pub mod clamd;
pub mod hook;
pub mod issuer;
pub mod orders;
pub mod port;
pub mod provider;
pub mod seats;
pub mod smtp;
