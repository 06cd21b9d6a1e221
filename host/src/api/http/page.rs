//! Cursors: opaque to clients, a place in the queue to us.

use super::problem::{Kind, Problem};
use crate::app::tickets::work::Cursor;

/// A cursor as text.
pub fn write(cursor: Cursor) -> String {
    format!("{:x}-{:x}-{:x}-{:x}", cursor.unfinished, cursor.rank, cursor.due, cursor.number)
}

/// A cursor from its text.
///
/// # Errors
///
/// A problem that says where cursors come from.
pub fn read(text: &str) -> Result<Cursor, Problem> {
    let parts: Vec<i64> = text.split('-').filter_map(|part| i64::from_str_radix(part, 16).ok()).collect();
    match parts.as_slice() {
        [unfinished, rank, due, number] => {
            Ok(Cursor { unfinished: *unfinished, rank: *rank, due: *due, number: *number })
        }
        _ => Err(Problem::new(Kind::BAD_QUERY, "`after` takes the `next` of the page before")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_as_written() {
        let cursor = Cursor { unfinished: 1, rank: 3, due: i64::MAX, number: 1042 };
        assert_eq!(read(&write(cursor)).ok(), Some(cursor));
        for bad in ["", "1-2-3", "x-1-2-3", "1-2-3-4-5"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
