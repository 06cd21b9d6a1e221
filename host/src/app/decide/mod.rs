//! How a submission is decided: the stages, asked in order.

mod budget;
pub mod disagree;
mod doubt;
mod facts;
pub mod former;
pub mod judge;
pub mod pipeline;
pub mod stages;
pub mod translate;
