//! Pieces that statements and what they give are made of: columns and their values, pages, and the clauses in which the two
//! databases differ.

use crate::store::db::Arg;

pub(crate) mod columns;
pub mod damaged;
pub mod dialect;
pub mod page;
pub mod search;

/// The places of so many arguments of a statement after those before them: `$3, $4, $5` for three after two.
pub fn places(after: usize, count: usize) -> String {
    (after + 1..=after + count).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")
}

/// Texts as arguments of a statement and their places in it, at its beginning. The number of places grows in powers of two, so that
/// there are few statements to prepare; those too many have a text that no key is.
pub fn among<'a>(texts: impl IntoIterator<Item = &'a str>) -> (Vec<Arg>, String) {
    let mut args: Vec<Arg> = texts.into_iter().map(Arg::from).collect();
    args.resize(args.len().next_power_of_two(), Arg::from(""));
    let list = places(0, args.len());
    (args, list)
}
