//! Domain values as columns, and back: one line a column. The words in columns are the domain's own codes.

use std::fmt::Write as _;

use jiff::Timestamp;
use uuid::Uuid;

use crate::store::Error;
use crate::store::db::Row;

/// Something in a column that nothing of ours wrote.
pub fn corrupt(table: &'static str, column: &'static str, found: impl Into<String>) -> Error {
    Error::Corrupt { table, column, found: found.into() }
}

/// A text column as an id or a key.
pub fn parsed<T: std::str::FromStr>(table: &'static str, column: &'static str, text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| corrupt(table, column, text))
}

/// A digest as its column: in hexadecimal, lower case.
pub fn hex(digest: &[u8; 32]) -> String {
    let mut text = String::with_capacity(2 * digest.len());
    for byte in digest {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A day of 24 hours, in milliseconds.
pub const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// An instant as its column.
pub fn ms(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// A column as an instant.
pub fn at(table: &'static str, column: &'static str, ms: i64) -> Result<Timestamp, Error> {
    Timestamp::from_millisecond(ms).map_err(|_| corrupt(table, column, ms.to_string()))
}

/// A column as an instant of a list, in which one that no calendar has is the beginning of 1970: it spoils no other row.
pub fn at_or_epoch(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or_default()
}

/// A column as a Rust type.
pub trait Column: Sized {
    /// The column at `at`.
    fn read(row: &Row, at: usize) -> Result<Self, Error>;
}

macro_rules! column_types {
    ($($type:ty => $getter:ident;)*) => {$(
        impl Column for $type {
            fn read(row: &Row, at: usize) -> Result<Self, Error> {
                row.$getter(at)
            }
        }
    )*};
}

column_types! {
    i64 => int;
    Option<i64> => opt_int;
    String => text;
    Option<String> => opt_text;
    Uuid => uuid;
}

/// A row of a list that is read as far as that goes: a column that cannot be read has a stand-in, and is named, so that one damaged
/// row spoils no list.
#[derive(Debug, Default)]
pub struct Lenient(Vec<&'static str>);

/// The stand-in for an id that cannot be read.
const STAND_IN: &str = "damaged";

impl Lenient {
    /// The column as it was read, or a stand-in.
    pub fn or<T>(&mut self, column: &'static str, read: Result<T, Error>, stand_in: T) -> T {
        read.unwrap_or_else(|_| {
            self.0.push(column);
            stand_in
        })
    }

    /// The column as an id or a key.
    ///
    /// # Errors
    ///
    /// Never for a type that takes a plain word.
    pub fn id<T: std::str::FromStr>(&mut self, column: &'static str, read: Result<String, Error>) -> Result<T, Error> {
        match read.and_then(|text| parsed("", column, &text)) {
            Ok(id) => Ok(id),
            Err(_) => {
                self.0.push(column);
                parsed("", column, STAND_IN)
            }
        }
    }

    /// The same for a column that may be empty.
    ///
    /// # Errors
    ///
    /// As [`Lenient::id`].
    pub fn opt_id<T: std::str::FromStr>(
        &mut self,
        column: &'static str,
        read: Result<Option<String>, Error>,
    ) -> Result<Option<T>, Error> {
        match read {
            Ok(None) => Ok(None),
            Ok(Some(text)) => self.id(column, Ok(text)).map(Some),
            Err(error) => self.id(column, Err(error)).map(Some),
        }
    }

    /// The column as an instant.
    pub fn at(&mut self, column: &'static str, read: Result<i64, Error>) -> Timestamp {
        let read = read.and_then(|ms| at("", column, ms));
        self.or(column, read, Timestamp::UNIX_EPOCH)
    }

    /// The same for a column that may be empty.
    pub fn opt_at(&mut self, column: &'static str, read: Result<Option<i64>, Error>) -> Option<Timestamp> {
        let read = read.and_then(|ms| ms.map(|ms| at("", column, ms)).transpose());
        self.or(column, read, None)
    }

    /// The columns that could not be read.
    pub fn damaged(self) -> Vec<&'static str> {
        self.0
    }
}

/// The columns of one value: their names, how they are written and how they are read, one line a column, so that the order
/// of the three can never differ.
macro_rules! columns {
    ($(#[$doc:meta])* $name:ident of $value:ident: $type:ty {
        $first:ident: $first_type:ty = $first_arg:expr;
        $($column:ident: $column_type:ty = $arg:expr;)*
    }) => {
        $(#[$doc])*
        pub mod $name {
            #[allow(unused_imports, reason = "not every value needs all that columns are made of")]
            use super::*;
            use $crate::store::sql::columns::Column;
            use $crate::store::db::{Arg, Row};

            /// Their names, as a statement lists them.
            pub const LIST: &str = concat!(stringify!($first) $(, ", ", stringify!($column))*);
            /// Their names, one by one.
            pub const NAMES: &[&str] = &[stringify!($first) $(, stringify!($column))*];

            /// What a row holds.
            #[allow(dead_code, reason = "some columns are there for the database to sort by")]
            pub struct Columns {
                pub $first: $first_type,
                $(pub $column: $column_type,)*
            }

            /// The arguments of a row, in the order of the names.
            pub fn args($value: $type) -> Vec<Arg> {
                vec![Arg::from($first_arg) $(, Arg::from($arg))*]
            }

            /// A row, each column read by itself.
            #[allow(dead_code, reason = "not every value is shown in lists, which read leniently")]
            pub struct Each {
                pub $first: Result<$first_type, Error>,
                $(pub $column: Result<$column_type, Error>,)*
            }

            /// Reads each column of a row by itself.
            #[allow(dead_code, reason = "not every value is shown in lists, which read leniently")]
            pub fn each(row: &Row, first: usize) -> Each {
                let mut places = first..;
                let mut place = || places.next().unwrap_or_default();
                Each {
                    $first: Column::read(row, place()),
                    $($column: Column::read(row, place()),)*
                }
            }

            /// Reads a row whose first of these columns is at `first`.
            pub fn read(row: &Row, first: usize) -> Result<Columns, Error> {
                let mut places = first..;
                let mut place = || places.next().unwrap_or_default();
                Ok(Columns {
                    $first: Column::read(row, place())?,
                    $($column: Column::read(row, place())?,)*
                })
            }
        }
    };
}

pub(crate) use columns;

/// A JSON column.
pub fn from_json<T: serde::de::DeserializeOwned>(
    table: &'static str,
    column: &'static str,
    text: &str,
) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|_| corrupt(table, column, text))
}
