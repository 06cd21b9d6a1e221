//! Pieces that statements and what they give are made of: columns and their values, pages, and the clauses in which the two
//! databases differ.

pub(crate) mod columns;
pub mod damaged;
pub mod dialect;
pub mod page;
pub mod search;
