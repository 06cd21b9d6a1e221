//! How a submission is decided: the stages, asked in order; and later the words of its requester.

pub mod accepted;
pub mod again;
mod budget;
pub mod closing;
mod doubt;
mod facts;
pub mod judge;
pub mod pipeline;
pub mod stages;
pub mod translate;
pub mod versions;
