//! Reference tables that rules may look things up in: plain data, never changed, replaced as a whole.

use std::collections::HashMap;
use std::sync::Arc;

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
}

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
        Self { rows: Arc::new(rows.into_iter().collect()), found: HashMap::new(), digest: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(value: &str) -> Vec<Attribute> {
        vec![Attribute { name: "team".to_owned(), value: value.to_owned() }]
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
