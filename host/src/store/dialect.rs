//! The clauses in which the two databases differ, each with both texts side by side. How they are connected to is in `db`.

use super::db::Tx;

/// A piece of a statement that each database has its own text for.
#[derive(Debug, Clone, Copy)]
pub struct Clause {
    sqlite: &'static str,
    postgres: &'static str,
}

impl Clause {
    /// The text for the database of a transaction.
    pub const fn text(self, tx: &Tx) -> &'static str {
        match tx {
            Tx::Sqlite(..) => self.sqlite,
            Tx::Postgres(_) => self.postgres,
        }
    }
}

/// At the end of a subquery: takes the rows for this transaction and leaves out those that another one holds, instead of waiting
/// for it. SQLite has one transaction at a time that writes.
pub const SKIP_LOCKED: Clause = Clause { sqlite: "", postgres: "for update skip locked" };
