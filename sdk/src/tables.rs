//! The reference tables that admins maintain. In native tests they are those of `testing::set_row` instead.
//!
//! A rule that looks nothing up is smaller and starts faster: its component does not import this.

use crate::types::Attribute;

/// A row of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Row(Vec<Attribute>);

impl Row {
    /// The text in a column; `None` if the table has no such column.
    pub fn get(&self, column: &str) -> Option<&str> {
        self.0.iter().find(|a| a.name == column).map(|a| a.value.as_str())
    }

    /// The columns in order.
    pub fn columns(&self) -> &[Attribute] {
        &self.0
    }
}

/// The row of `table` whose key is `key`. The look-up becomes part of the decision's record.
///
/// The rule traps if its manifest does not name the table under `tables`.
#[cfg(target_arch = "wasm32")]
pub fn lookup(table: &str, key: &str) -> Option<Row> {
    crate::bindings::ruledesk::rules::tables::lookup(table, key).map(Row)
}

/// The row of `table` whose key is `key`.
#[cfg(not(target_arch = "wasm32"))]
pub fn lookup(table: &str, key: &str) -> Option<Row> {
    crate::testing::world::row(table, key).map(Row)
}
