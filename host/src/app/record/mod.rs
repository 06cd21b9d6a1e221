//! The decision record: what is written about a run of the rules, and how it is read back. The names of its JSON are here and
//! nowhere else.

pub mod archive;
pub mod convert;
pub mod part;
pub mod read;
pub(in crate::app) mod refused;
pub mod train;
pub mod verdict;
pub mod write;
