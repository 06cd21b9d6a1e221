//! How a submission is decided: the stages, asked in order.

pub mod disagree;
mod facts;
pub mod pipeline;
pub mod stages;
pub mod translate;
