//! Values on their way into a statement and out of a row, the same for both databases.

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments as _, Row as _};
use uuid::Uuid;

use crate::store::Error;

/// An argument of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arg {
    Int(i64),
    OptInt(Option<i64>),
    Text(String),
    OptText(Option<String>),
    Uuid(Uuid),
    Bytes(Vec<u8>),
}

macro_rules! into_arg {
    ($($from:ty => $case:ident;)*) => {$(
        impl From<$from> for Arg {
            fn from(value: $from) -> Arg {
                Arg::$case(value)
            }
        }
    )*};
}

into_arg! {
    i64 => Int;
    Option<i64> => OptInt;
    String => Text;
    Option<String> => OptText;
    Uuid => Uuid;
    Vec<u8> => Bytes;
}

impl From<&str> for Arg {
    fn from(value: &str) -> Arg {
        Arg::Text(value.to_owned())
    }
}

/// A row of either database, read by position.
pub enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

macro_rules! getters {
    ($($name:ident: $type:ty;)*) => {$(
        #[doc = concat!("The column at `at` as `", stringify!($type), "`.")]
        pub fn $name(&self, at: usize) -> Result<$type, Error> {
            Ok(match self {
                Row::Sqlite(row) => row.try_get(at)?,
                Row::Postgres(row) => row.try_get(at)?,
            })
        }
    )*};
}

impl Row {
    getters! {
        int: i64;
        opt_int: Option<i64>;
        text: String;
        opt_text: Option<String>;
        uuid: Uuid;
        bytes: Vec<u8>;
        opt_bytes: Option<Vec<u8>>;
    }
}

macro_rules! bind {
    ($name:ident, $arguments:ty) => {
        /// The arguments as the driver takes them.
        pub(super) fn $name(args: Vec<Arg>) -> Result<$arguments, Error> {
            let mut bound = <$arguments>::default();
            for arg in args {
                match arg {
                    Arg::Int(v) => bound.add(v),
                    Arg::OptInt(v) => bound.add(v),
                    Arg::Text(v) => bound.add(v),
                    Arg::OptText(v) => bound.add(v),
                    Arg::Uuid(v) => bound.add(v),
                    Arg::Bytes(v) => bound.add(v),
                }
                .map_err(sqlx::Error::Encode)?;
            }
            Ok(bound)
        }
    };
}

bind!(bind_sqlite, SqliteArguments);
bind!(bind_postgres, PgArguments);
