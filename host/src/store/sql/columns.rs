//! Domain values as columns, and back: one line a column. The words in columns are the domain's own codes.

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

/// An instant as its column.
pub fn ms(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// A column as an instant.
pub fn at(table: &'static str, column: &'static str, ms: i64) -> Result<Timestamp, Error> {
    Timestamp::from_millisecond(ms).map_err(|_| corrupt(table, column, ms.to_string()))
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
pub fn from_json<T: serde::de::DeserializeOwned>(column: &'static str, text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|_| corrupt("tickets", column, text))
}
