//! Pieces that statements and what they give are made of: columns and their values, pages, and the clauses in which the two
//! databases differ.

pub(crate) mod columns;
pub mod damaged;
pub mod dialect;
pub mod page;
pub mod search;

/// The places of so many arguments of a statement after those before them: `$3, $4, $5` for three after two.
pub fn places(after: usize, count: usize) -> String {
    (after + 1..=after + count).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")
}
