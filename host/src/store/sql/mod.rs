//! Pieces that statements and what they give are made of: columns and their values, pages, and the clauses in which the two
//! databases differ.

use crate::store::db::Arg;

pub(crate) mod columns;
pub mod damaged;
pub mod dialect;
pub mod page;
pub mod search;

/// The places of so many arguments of a statement after those before them: `$3, $4, $5` for three after two. Of none, the value that
/// nothing is equal to: PostgreSQL knows no empty list.
pub fn places(after: usize, count: usize) -> String {
    if count == 0 {
        return "null".to_owned();
    }
    (after + 1..=after + count).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")
}

/// Texts as arguments of a statement and their places in it, at its beginning; of no texts, one that no key is.
pub fn among<'a>(texts: impl IntoIterator<Item = &'a str>) -> (Vec<Arg>, String) {
    let mut args: Vec<Arg> = texts.into_iter().map(Arg::from).collect();
    if args.is_empty() {
        args.push(Arg::from(""));
    }
    let args = padded(args);
    let list = places(0, args.len());
    (args, list)
}

/// The items of a list in a statement, the last of them repeated until they are 1, 2, 4, 8 and so on: of lists of any length, few
/// statements are prepared, and each is used again.
pub fn padded<T: Clone>(mut items: Vec<T>) -> Vec<T> {
    if let Some(last) = items.last().cloned() {
        items.resize(items.len().next_power_of_two(), last);
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_filled_up_by_its_last_item_to_one_of_few_lengths() {
        assert!(padded(Vec::<i64>::new()).is_empty());
        assert_eq!(padded(vec![7]), [7]);
        assert_eq!(padded(vec![1, 2, 3]), [1, 2, 3, 3]);
        let lengths: std::collections::BTreeSet<usize> = (1..=256).map(|n| padded(vec![0; n]).len()).collect();
        assert_eq!(lengths.len(), 9);
        assert_eq!(places(2, 3), "$3, $4, $5");
    }
}
