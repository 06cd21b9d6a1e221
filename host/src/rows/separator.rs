//! The separators of cells.

use std::fmt;
use std::str::FromStr;

/// The one character between two cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Separator(u8);

/// A text that is no separator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no separator: use one character, such as `,` or `;`, or the word `tab`", .0.escape_debug())]
pub struct NotASeparator(String);

impl Separator {
    /// The separators of most files, the most usual first.
    pub(super) const USUAL: [Separator; 4] = [Separator(b','), Separator(b';'), Separator(b'\t'), Separator(b'|')];

    pub(super) const fn byte(self) -> u8 {
        self.0
    }

    /// The separator that a first line `sep=;` names, as spreadsheets write it.
    pub(super) fn named_by(line: &[u8]) -> Option<Separator> {
        let line = std::str::from_utf8(line).ok()?.trim_end_matches('\n').trim_matches('"');
        let named = line.get(..4).filter(|start| start.eq_ignore_ascii_case("sep=")).and(line.get(4..))?;
        if named == "\t" { Some(Separator(b'\t')) } else { named.parse().ok() }
    }
}

impl FromStr for Separator {
    type Err = NotASeparator;

    fn from_str(text: &str) -> Result<Self, NotASeparator> {
        let tab = text.eq_ignore_ascii_case("tab") || text == "\\t" || text == "\t";
        match text.as_bytes() {
            _ if tab => Ok(Separator(b'\t')),
            [byte] if byte.is_ascii_punctuation() && *byte != b'"' => Ok(Separator(*byte)),
            // Such as U+0001 of databases, and U+001F, which is there for it.
            [byte] if byte.is_ascii_control() && !matches!(byte, b'\0' | b'\n' | b'\r') => Ok(Separator(*byte)),
            _ => Err(NotASeparator(text.to_owned())),
        }
    }
}

impl fmt::Display for Separator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == b'\t' { f.write_str("tab") } else { write!(f, "{}", char::from(self.0)) }
    }
}
