//! Access that is given by approvals and taken away in time: deadlines, provisioning, ends, and whether apps are as they should be.

pub mod check;
pub mod deadlines;
pub mod drift;
pub mod ends;
pub mod provision;
