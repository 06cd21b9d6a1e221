//! The clauses in which the two databases differ, each with both texts side by side. How they are connected to is in `db`.

use crate::store::db::Db;

/// A piece of a statement that each database has its own text for.
#[derive(Debug, Clone, Copy)]
pub struct Clause {
    sqlite: &'static str,
    postgres: &'static str,
}

impl Clause {
    /// A piece with both texts.
    pub const fn of(sqlite: &'static str, postgres: &'static str) -> Clause {
        Clause { sqlite, postgres }
    }

    /// The text for a database.
    pub const fn text(self, db: &Db) -> &'static str {
        match db {
            Db::Sqlite(_) => self.sqlite,
            Db::Postgres(_) => self.postgres,
        }
    }
}

/// The bytes that the whole database takes.
pub const DATABASE_BYTES: Clause = Clause {
    sqlite: "select cast(page_count * page_size as bigint) from pragma_page_count(), pragma_page_size()",
    postgres: "select pg_database_size(current_database())",
};

/// At the end of a subquery: takes the rows for this transaction and leaves out those that another one holds, instead of waiting
/// for it. SQLite has one transaction at a time that writes.
pub const SKIP_LOCKED: Clause = Clause { sqlite: "", postgres: "for update skip locked" };
