//! What the desk offers to a rule, played by the test: the log and the reference tables of this thread.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::types::Attribute;

thread_local! {
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static ROWS: RefCell<HashMap<(String, String), Vec<Attribute>>> = RefCell::new(HashMap::new());
}

/// The lines that rules have logged in this thread since the last call.
pub fn logged() -> Vec<String> {
    LINES.take()
}

/// Gives `table` a row for this thread's look-ups: columns and their text.
pub fn set_row(table: &str, key: &str, columns: &[(&str, &str)]) {
    let row = columns.iter().map(|(name, value)| Attribute::new(*name, *value)).collect();
    ROWS.with_borrow_mut(|rows| rows.insert((table.to_owned(), key.to_owned()), row));
}

/// The rows of this thread as they were, put back at its end.
pub(crate) struct World(HashMap<(String, String), Vec<Attribute>>);

impl World {
    /// Keeps the rows of this thread; what is set meanwhile is gone afterwards.
    pub(crate) fn aside() -> Self {
        Self(ROWS.with_borrow(Clone::clone))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        ROWS.set(std::mem::take(&mut self.0));
    }
}

pub(crate) fn log(message: &str) {
    LINES.with_borrow_mut(|lines| lines.push(message.to_owned()));
}

pub(crate) fn row(table: &str, key: &str) -> Option<Vec<Attribute>> {
    ROWS.with_borrow(|rows| rows.get(&(table.to_owned(), key.to_owned())).cloned())
}
