//! What is wrong with settings: a sentence and the setting it is about. It knows nothing of JSON.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

/// What is wrong with the settings, and where. Boxed, because each struct's reader handles it in many places.
#[derive(Debug)]
pub struct Wrong(Box<Inner>);

#[derive(Debug)]
struct Inner {
    /// The setting, such as `levels[2].name`; empty for the whole table.
    path: String,
    message: String,
}

impl Wrong {
    fn new(message: String) -> Self {
        Self(Box::new(Inner { path: String::new(), message }))
    }

    /// The same problem, seen from the table that holds `key`.
    pub fn below_key(mut self, key: &str) -> Self {
        let path = &mut self.0.path;
        if !path.is_empty() && !path.starts_with('[') {
            path.insert(0, '.');
        }
        path.insert_str(0, key);
        self
    }

    /// The same problem, seen from the list that holds the item.
    pub fn below_index(mut self, index: usize) -> Self {
        let dot = if self.0.path.is_empty() || self.0.path.starts_with('[') { "" } else { "." };
        self.0.path = format!("[{index}]{dot}{}", self.0.path);
        self
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.path.is_empty() {
            write!(f, "`{}`: ", self.0.path)?;
        }
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Wrong {}

impl de::Error for Wrong {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        mismatch(unexpected_kind(found), expected)
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        mismatch(unexpected_kind(found), expected)
    }
}

/// One kind of value where another was expected.
pub fn mismatch(found: &str, expected: &dyn Expected) -> Wrong {
    Wrong::new(format!("expected {expected}, found {found}"))
}

/// The kind alone: to write out a fraction would add 25 kilobytes to every rule.
fn unexpected_kind(found: Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "true or false",
        Unexpected::Unsigned(_) => "a whole number",
        Unexpected::Signed(_) => "a number below zero",
        Unexpected::Float(_) => "a fraction",
        Unexpected::Str(_) | Unexpected::Char(_) => "a text",
        Unexpected::Seq => "a list",
        Unexpected::Map => "a table",
        _ => "something else",
    }
}
