//! The five questions to the rules, from a submission to its verdicts.

pub mod disagree;
pub mod headline;
pub mod judge;
pub mod pipeline;
pub(crate) mod translate;
