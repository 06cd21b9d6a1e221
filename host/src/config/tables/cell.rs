//! The types of columns: what each allows, and the one text in which it is written.

use std::str::FromStr as _;

use jiff::civil::Date;

use super::CELL_BYTES_MAX;
use crate::config::wrong::Wrong;
use crate::desk::organisation::form::INTEGER_MAX;

/// What a column's cells are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    #[default]
    Text,
    /// A whole number, such as `-12`.
    Whole,
    /// A decimal number, such as `2.5`.
    Number,
    /// `true` or `false`.
    Flag,
    /// A calendar day, `YYYY-MM-DD`.
    Date,
}

impl Kind {
    const ALL: [Kind; 5] = [Kind::Text, Kind::Whole, Kind::Number, Kind::Flag, Kind::Date];

    /// The word behind a column's name.
    pub const fn code(self) -> &'static str {
        match self {
            Kind::Text => "text",
            Kind::Whole => "whole",
            Kind::Number => "number",
            Kind::Flag => "flag",
            Kind::Date => "date",
        }
    }

    /// The type with that word.
    pub fn parse(code: &str) -> Result<Kind, Wrong> {
        let found = Kind::ALL.into_iter().find(|kind| kind.code() == code);
        found.ok_or_else(|| Wrong::NotOneOf { text: code.to_owned(), allowed: Kind::ALL.map(Kind::code).to_vec() })
    }

    /// A cell in the one form in which this type is written; an empty cell is empty in every type.
    pub fn canonical(self, cell: &str) -> Result<String, Wrong> {
        if cell.len() > CELL_BYTES_MAX {
            return Err(Wrong::CellTooLong { bytes_max: CELL_BYTES_MAX });
        }
        // PostgreSQL has no zero character in a text.
        if cell.contains('\0') {
            return Err(Wrong::ZeroCharacter);
        }
        if cell.is_empty() {
            return Ok(String::new());
        }
        let written = match self {
            Kind::Text => Some(cell.to_owned()),
            Kind::Whole => cell.parse::<i64>().ok().map(|number| number.to_string()),
            // A negative zero is a zero; what is larger than integers are exact would come back as another number.
            Kind::Number => {
                let number = cell.parse::<f64>().ok().filter(|n| n.abs() <= INTEGER_MAX as f64);
                number.map(|n| (n + 0.0).to_string())
            }
            Kind::Flag => match cell.to_ascii_lowercase().as_str() {
                "true" | "yes" => Some("true".to_owned()),
                "false" | "no" => Some("false".to_owned()),
                _ => None,
            },
            Kind::Date => Date::from_str(cell).ok().map(|date| date.to_string()),
        };
        written.ok_or_else(|| Wrong::NotOfColumn { text: cell.to_owned(), wanted: self })
    }

    /// Its cells in words, such as `a number, such as 2.5`.
    pub const fn wanted(self) -> &'static str {
        match self {
            Kind::Text => "text",
            Kind::Whole => "a whole number, such as `12`",
            Kind::Number => "a number, such as `2.5`",
            Kind::Flag => "`true` or `false`",
            Kind::Date => "a day, such as `2026-03-01`",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_equal_texts() {
        let canonical = |kind: Kind, cell| kind.canonical(cell).unwrap();
        assert_eq!(canonical(Kind::Whole, "+007"), "7");
        assert_eq!(canonical(Kind::Number, "2.50"), "2.5");
        assert_eq!(canonical(Kind::Number, "-0"), "0");
        assert_eq!(canonical(Kind::Flag, "Yes"), "true");
        assert_eq!(canonical(Kind::Date, "2026-03-01"), "2026-03-01");
        assert_eq!(canonical(Kind::Date, ""), "");
    }

    #[test]
    fn what_does_not_fit_says_what_would() {
        let wrong = |kind: Kind, cell| kind.canonical(cell).unwrap_err().to_string();
        assert_eq!(wrong(Kind::Whole, "7.5"), "is `7.5`; this column takes a whole number, such as `12`");
        assert_eq!(wrong(Kind::Number, "inf"), "is `inf`; this column takes a number, such as `2.5`");
        assert!(
            wrong(Kind::Number, "9007199254740993").contains("this column takes a number"),
            "it would be another one"
        );
        assert_eq!(Kind::Whole.canonical("9007199254740993").unwrap(), "9007199254740993");
        assert_eq!(wrong(Kind::Date, "1.3.2026"), "is `1.3.2026`; this column takes a day, such as `2026-03-01`");
        assert_eq!(wrong(Kind::Text, &"x".repeat(5000)), "is longer than 4096 bytes");
        assert_eq!(
            Kind::parse("money").unwrap_err().to_string(),
            "is `money`; allowed: text, whole, number, flag, date"
        );
    }
}
