//! What is wrong with a table: one sentence each, with the row and the key. It knows nothing of what can be wrong.

/// Sentences at most; the rest is counted.
const PROBLEMS_MAX: usize = 20;

/// What was found so far.
#[derive(Debug, Default)]
pub struct Problems {
    /// The row that is being read, such as `row 3 (night shift)`; empty outside rows.
    row: String,
    found: Vec<String>,
    more: usize,
}

impl Problems {
    /// Says which row is read from now on.
    pub fn enter(&mut self, row: &str) {
        row.clone_into(&mut self.row);
    }

    /// Adds a sentence about a key, or about the row as a whole if the key is empty.
    pub fn add(&mut self, key: &str, message: &str) {
        if self.found.len() == PROBLEMS_MAX {
            self.more += 1;
            return;
        }
        let comma = if self.row.is_empty() || key.is_empty() { "" } else { ", " };
        let key = if key.is_empty() { String::new() } else { format!("`{key}`") };
        self.found.push(format!("{}{comma}{key}: {message}", self.row));
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.found.len() + self.more
    }

    /// All sentences.
    pub fn into_sentences(mut self) -> Vec<String> {
        if self.more > 0 {
            self.found.push(format!("and {} more", self.more));
        }
        self.found
    }
}
