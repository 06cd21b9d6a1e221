//! What is kept about rules: their decisions and what those came to, their versions and signatures, the segments that old ones are in, and which of them decide.

pub mod convert;
pub mod decisions;
pub mod deployments;
pub mod histogram;
pub mod history;
pub mod packing;
pub mod recorder;
pub mod rollups;
pub mod segments;
pub mod signatures;
pub mod versions;
