//! The drivers' errors, sorted by what can be done about them.

use crate::store::Error;

/// SQLite's `SQLITE_FULL` and `SQLITE_IOERR_WRITE`, PostgreSQL's `disk_full`.
const NO_ROOM: [&str; 3] = ["13", "778", "53100"];
/// PostgreSQL's `serialization_failure` and `deadlock_detected`: nothing of the transaction was kept, and the next try meets
/// other circumstances.
const CONTENDED: [&str; 2] = ["40001", "40P01"];
/// PostgreSQL's `lock_not_available` and `query_canceled`; SQLite's `SQLITE_BUSY`, `SQLITE_LOCKED` and `SQLITE_BUSY_SNAPSHOT`.
const SLOW: [&str; 5] = ["55P03", "57014", "5", "6", "517"];
/// PostgreSQL's `admin_shutdown`, `crash_shutdown`, `cannot_connect_now`, `database_dropped`, `idle_session_timeout` and
/// `idle_in_transaction_session_timeout`: the session has ended. And `read_only_sql_transaction`: the server takes no writes any more, as
/// where another has taken its place, and a new session may find that one.
const ENDED: [&str; 7] = ["57P01", "57P02", "57P03", "57P04", "57P05", "25P03", "25006"];
/// SQLite's `SQLITE_NOMEM`, `SQLITE_READONLY`, `SQLITE_CANTOPEN` and `SQLITE_IOERR_NOMEM`; PostgreSQL's `out_of_memory` and
/// `too_many_connections`.
const STARVED: [&str; 6] = ["7", "8", "14", "3082", "53200", "53300"];
/// PostgreSQL's `duplicate_prepared_statement` and `invalid_sql_statement_name`: the connection is not the one on which the
/// statement was prepared.
const POOLED: [&str; 2] = ["42P05", "26000"];

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let text = error.to_string();
        match &error {
            sqlx::Error::Database(database) => {
                let code = database.code().map(|code| code.into_owned());
                of_code(code.as_deref(), text, error)
            }
            sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => Error::LostConnection(text.into()),
            sqlx::Error::PoolTimedOut => Error::Crowded,
            sqlx::Error::PoolClosed => Error::Stopped,
            _ => Error::Unavailable(error),
        }
    }
}

fn of_code(code: Option<&str>, text: String, error: sqlx::Error) -> Error {
    let Some(code) = code else { return Error::Unavailable(error) };
    let is = |codes: &[&str]| codes.contains(&code);
    if is(&NO_ROOM) {
        Error::NoRoom(text.into())
    } else if is(&CONTENDED) {
        Error::Contended(text.into())
    } else if is(&SLOW) {
        Error::Slow(text.into())
    } else if is(&STARVED) {
        Error::Starved(text.into())
    } else if is(&POOLED) {
        Error::Pooled
    } else if is(&ENDED) || (code.len() == 5 && code.starts_with("08")) {
        Error::LostConnection(text.into())
    } else {
        Error::Unavailable(error)
    }
}

impl Error {
    /// Whether the same transaction, made again from its beginning, may well succeed: nothing of it was kept.
    pub(super) fn passes(&self) -> bool {
        matches!(self, Error::Contended(_) | Error::LostConnection(_))
    }

    /// Whether the server may be out of reach.
    pub(super) fn casts_doubt(&self) -> bool {
        matches!(self, Error::LostConnection(_) | Error::Crowded)
    }

    /// The same error for each of several works that shared a transaction, where it says something about the database and
    /// nothing about one of them: then there is no use in trying each by itself.
    pub fn for_all(&self) -> Option<Error> {
        Some(match self {
            Error::LostConnection(why) => Error::LostConnection(why.clone()),
            Error::Away(why) => Error::Away(why.clone()),
            Error::MayBeDone(why) => Error::MayBeDone(why.clone()),
            Error::Contended(why) => Error::Contended(why.clone()),
            Error::Slow(why) => Error::Slow(why.clone()),
            Error::Starved(why) => Error::Starved(why.clone()),
            Error::Shut(why) => Error::Shut(why.clone()),
            Error::Lost(why) => Error::Lost(why.clone()),
            Error::Crowded => Error::Crowded,
            Error::Stopped => Error::Stopped,
            _ => return None,
        })
    }
}
