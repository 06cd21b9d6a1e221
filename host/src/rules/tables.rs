//! Reference tables that rules may look things up in: plain data, never changed, replaced as a whole.

use std::collections::HashMap;
use std::sync::Arc;

use super::contract::Attribute;

/// All tables that exist, by name.
#[derive(Debug, Clone, Default)]
pub struct Tables(HashMap<String, Table>);

/// One table: its rows by key, each row the columns in order.
#[derive(Debug, Clone, Default)]
pub struct Table {
    rows: HashMap<String, Vec<Attribute>>,
    /// Of the table's content, where its versions are kept.
    digest: Option<Arc<str>>,
}

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
}

impl Table {
    /// The row with that key.
    pub fn row(&self, key: &str) -> Option<&Vec<Attribute>> {
        self.rows.get(key)
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
        Self { rows: rows.into_iter().collect(), digest: None }
    }
}
