//! Answers as they speak for or against the versions of rules that gave them: where two versions disagree, and which answers count
//! against none.

pub mod disagree;
pub mod former;
