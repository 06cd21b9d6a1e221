//! The differences between two versions of a table.

use std::collections::BTreeMap;

use crate::config::{Column, Table};

/// The most rows that a difference lists of each kind; the counts are always whole.
const LISTED_MAX: usize = 100;

/// The most bytes of all that is listed.
const LISTED_BYTES_MAX: usize = 1 << 20;

/// The differences between two versions of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableDiff {
    pub columns_added: Vec<String>,
    pub columns_removed: Vec<String>,
    pub added: Rows<String>,
    pub removed: Rows<String>,
    pub changed: Rows<RowDiff>,
}

/// Rows: how many, and the first of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows<T> {
    pub count: usize,
    pub first: Vec<T>,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self { count: 0, first: Vec::new() }
    }
}

impl<T> Rows<T> {
    /// Counts a row, and lists it as long as there is room for as many bytes as it has.
    fn push(&mut self, row: T, bytes: usize, room: &mut usize) {
        self.count += 1;
        if self.first.len() < LISTED_MAX && bytes <= *room {
            *room -= bytes;
            self.first.push(row);
        }
    }
}

/// The differences in one row: each column with its cell before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowDiff {
    pub key: String,
    pub cells: Vec<(String, String, String)>,
}

/// Compares two versions, column by column of those that both have.
pub fn diff(from: &Table, to: &Table) -> TableDiff {
    let absent = |columns: &[Column], other: &[Column]| -> Vec<String> {
        let gone = columns.iter().filter(|column| !other.contains(column));
        gone.map(|column| format!("{}:{}", column.name, column.kind.code())).collect()
    };
    let mut diff = TableDiff {
        columns_added: absent(&to.columns, &from.columns),
        columns_removed: absent(&from.columns, &to.columns),
        ..TableDiff::default()
    };
    let columns_before: BTreeMap<&str, usize> =
        from.columns.iter().map(|column| column.name.as_str()).zip(0..).collect();
    let mut room = LISTED_BYTES_MAX;
    for (key, cells) in &to.rows {
        let Some(before) = from.rows.get(key) else {
            diff.added.push(key.clone(), key.len(), &mut room);
            continue;
        };
        let changed: Vec<(String, String, String)> = to
            .named(cells)
            .filter_map(|(name, cell)| {
                let old = columns_before.get(name).and_then(|place| before.get(*place))?;
                (old != cell).then(|| (name.to_owned(), old.clone(), cell.to_owned()))
            })
            .collect();
        if !changed.is_empty() {
            let bytes = changed.iter().map(|(name, old, new)| name.len() + old.len() + new.len()).sum::<usize>();
            diff.changed.push(RowDiff { key: key.clone(), cells: changed }, key.len() + bytes, &mut room);
        }
    }
    for key in from.rows.keys().filter(|key| !to.rows.contains_key(*key)) {
        diff.removed.push(key.clone(), key.len(), &mut room);
    }
    diff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_columns_are_compared_by_name() {
        let table = |text| Table::from_csv("t", text).unwrap();
        let from = table("id,owner,cost:number\na,lena,1\nb,omar,2\nc,wei,3\n");
        let to = table("id,cost:number,since:date\na,1.0,2026-01-01\nb,5,\nd,4,\n");
        let diff = diff(&from, &to);
        assert_eq!((diff.columns_added, diff.columns_removed), (vec!["since:date".into()], vec!["owner:text".into()]));
        assert_eq!((diff.added.first, diff.removed.first), (vec!["d".to_owned()], vec!["c".to_owned()]));
        let cells = vec![("cost".to_owned(), "2".to_owned(), "5".to_owned())];
        assert_eq!(diff.changed, Rows { count: 1, first: vec![RowDiff { key: "b".to_owned(), cells }] });
    }
}
