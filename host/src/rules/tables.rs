//! Reference tables that rules may look things up in: plain data, never changed, replaced as a whole.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use super::contract::Attribute;

/// All tables that exist, by name.
#[derive(Debug, Clone, Default)]
pub struct Tables(HashMap<String, Table>);

/// One table: its rows by key, each row the columns in order. Clones share the rows.
#[derive(Debug, Clone, Default)]
pub struct Table {
    rows: Arc<HashMap<String, Vec<Attribute>>>,
    /// What stands above the rows: a row as it was once found, or that there was none.
    found: HashMap<String, Option<Vec<Attribute>>>,
    /// Of the table's content, where its versions are kept.
    digest: Option<Arc<str>>,
    /// The keys by the values of columns that were asked for so far.
    by: Arc<Mutex<HashMap<String, Arc<Keys>>>>,
}

/// The keys of a table, sorted, by the value that their rows have in one column.
type Keys = HashMap<String, Vec<String>>;

/// A look-up of another time: the table, the key, and the row that was found.
pub type Found<'a> = (&'a str, &'a str, Option<&'a Vec<Attribute>>);

impl Tables {
    /// The table of that name.
    pub fn get(&self, name: &str) -> Option<&Table> {
        self.0.get(name)
    }

    /// The names of all tables, sorted.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.0.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    /// These tables with look-ups of another time laid over them: what was found then is found again, and what was looked up
    /// in vain is not there. A table that has gone since has what was found in it and nothing else.
    #[must_use]
    pub fn as_found<'a>(&self, found: impl IntoIterator<Item = Found<'a>>) -> Self {
        let mut tables = self.clone();
        for (table, key, row) in found {
            tables.0.entry(table.to_owned()).or_default().found.insert(key.to_owned(), row.cloned());
        }
        tables
    }
}

impl Table {
    /// The row with that key.
    pub fn row(&self, key: &str) -> Option<&Vec<Attribute>> {
        match self.found.get(key) {
            Some(found) => found.as_ref(),
            // Keys are kept in one form, however their characters are composed.
            None if is_nfc(key) => self.rows.get(key),
            None => self.rows.get(&key.nfc().collect::<String>()),
        }
    }

    /// The rows that have a value in a column, by their keys, at most so many. A table is sorted by a column when that is first asked for.
    pub fn having(&self, column: &str, value: &str, most: usize) -> Vec<(String, Vec<Attribute>)> {
        let by = self.by(column);
        let keys = by.get(value).map(Vec::as_slice).unwrap_or_default();
        keys.iter().take(most).filter_map(|key| Some((key.clone(), self.rows.get(key)?.clone()))).collect()
    }

    fn by(&self, column: &str) -> Arc<Keys> {
        // Whoever panicked while holding the lock has left a map that is whole.
        let mut known = self.by.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(by) = known.get(column) {
            return Arc::clone(by);
        }
        let mut by = Keys::new();
        for (key, row) in self.rows.iter() {
            for cell in row.iter().filter(|cell| cell.name == column) {
                by.entry(cell.value.clone()).or_default().push(key.clone());
            }
        }
        by.values_mut().for_each(|keys| keys.sort_unstable());
        let by = Arc::new(by);
        known.insert(column.to_owned(), Arc::clone(&by));
        by
    }

    /// The digest of its content, where its versions are kept.
    pub fn digest(&self) -> Option<&Arc<str>> {
        self.digest.as_ref()
    }

    /// The same table as the version of this digest.
    #[must_use]
    pub fn with_digest(mut self, digest: Arc<str>) -> Self {
        self.digest = Some(digest);
        self
    }
}

impl FromIterator<(String, Table)> for Tables {
    fn from_iter<I: IntoIterator<Item = (String, Table)>>(tables: I) -> Self {
        Self(tables.into_iter().collect())
    }
}

impl FromIterator<(String, Vec<Attribute>)> for Table {
    fn from_iter<I: IntoIterator<Item = (String, Vec<Attribute>)>>(rows: I) -> Self {
        Self { rows: Arc::new(rows.into_iter().collect()), found: HashMap::new(), digest: None, by: Arc::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(value: &str) -> Vec<Attribute> {
        vec![Attribute { name: "team".to_owned(), value: value.to_owned() }]
    }

    #[test]
    fn rows_are_found_by_what_they_have_in_a_column() {
        let rows = [("b", "net"), ("a", "net"), ("c", "mail")];
        let table: Table = rows.into_iter().map(|(key, value)| (key.to_owned(), row(value))).collect();
        let keys = |column: &str, value: &str, most: usize| -> Vec<String> {
            table.having(column, value, most).into_iter().map(|(key, _)| key).collect()
        };
        assert_eq!(keys("team", "net", 9), ["a", "b"]);
        assert_eq!(keys("team", "net", 1), ["a"]);
        assert_eq!((keys("team", "none", 9), keys("owner", "net", 9)), (Vec::new(), Vec::new()));
    }

    #[test]
    fn what_was_found_once_stands_above_what_is_there_now() {
        let now: Table = [("kept".to_owned(), row("now")), ("new".to_owned(), row("now"))].into_iter().collect();
        let tables: Tables = [("t".to_owned(), now)].into_iter().collect();
        let old = row("then");
        let then = tables.as_found([("t", "kept", Some(&old)), ("t", "new", None), ("gone", "a", None)]);
        let found = |tables: &Tables, key: &str| tables.get("t").and_then(|table| table.row(key)).cloned();
        assert_eq!(found(&then, "kept"), Some(row("then")));
        assert_eq!(found(&then, "new"), None);
        assert!(then.get("gone").is_some_and(|table| table.row("a").is_none()));
        assert_eq!(found(&tables, "new"), Some(row("now")), "the tables themselves stay as they are");
    }
}
