//! Which rules are asked now: the catalog, its generations, rollouts, and the watch over the directory.

pub mod catalog;
pub mod directory;
pub mod doubt;
pub mod generation;
pub mod guard;
pub mod rollout;
pub mod slots;
pub mod view;
pub(crate) mod watch;
