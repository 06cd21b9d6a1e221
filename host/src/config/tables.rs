//! `tables/*.csv`: reference tables that rules may look things up in. The first column is the key.

use std::collections::BTreeMap;

/// A reference table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// The names of the columns; the first is the key's.
    pub columns: Vec<String>,
    /// The rows by key; each has one cell a column, the key included.
    pub rows: BTreeMap<String, Vec<String>>,
}
