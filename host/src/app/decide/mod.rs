//! How a submission is decided: the stages, asked in order.

pub mod accepted;
pub mod again;
mod budget;
pub mod disagree;
mod facts;
pub mod judge;
pub mod pipeline;
pub mod stages;
pub mod translate;
