//! One thing that is wrong with a configuration, and where.

use std::fmt;

use super::wrong::Wrong;

/// One thing that is wrong with a configuration.
///
/// Printed, it is one line: `people.toml:14:11: person.amara.manager: there is no person `lina`; did you mean `lena`?`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, relative to the configuration directory.
    pub file: String,
    /// Counted from 1; 0 where the whole file is meant.
    pub line: usize,
    /// In characters, counted from 1; 0 where the whole line is meant.
    pub column: usize,
    /// The dotted key, such as `server.listen`; empty where no key is meant.
    pub key: String,
    pub wrong: Wrong,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if self.column > 0 {
            write!(f, ":{}", self.column)?;
        }
        f.write_str(": ")?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "{}", self.wrong)
    }
}

impl std::error::Error for Problem {}
