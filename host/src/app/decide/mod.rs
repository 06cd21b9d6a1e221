//! How a submission is decided: the stages, asked in order.

pub mod disagree;
pub mod pipeline;
pub mod stages;
pub mod translate;
