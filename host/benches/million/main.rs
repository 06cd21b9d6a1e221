//! A desk with a million tickets: what each read costs at 10,000, 100,000 and 1,000,000 tickets, on SQLite and on PostgreSQL,
//! over HTTP from the real program; how fast tickets are created meanwhile; and what they take on disk and in memory.
//!
//! `cargo bench --bench million -- [sqlite|postgres]... [SIZE]...`, such as `-- sqlite 10000`; all of it where nothing is
//! said. What is built stays in `target/million`, so that a run that was stopped goes on where it was, and the table shows
//! what was measured in earlier runs too. PostgreSQL is a throw-away server, built anew each time, unless
//! `MILLION_POSTGRES` has the URL of one, in which databases named `million_SIZE` are made and kept.
//!
//! With `turns` among the arguments, such as `-- sqlite 10000 1000000 turns`, only writes are measured, at the sizes by turns, so
//! that whatever else the machine does falls on each of them alike, and a size is compared with the first one turn by turn.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark, not an interface"
)]

use std::path::{Path, PathBuf};

use ruledesk::store::Target;

mod desk;
mod fill;
mod lifecycle;
mod measure;
mod places;
#[path = "../../../tests/support/postgres.rs"]
mod postgres;
mod report;
mod turns;

const SIZES: [u64; 3] = [10_000, 100_000, 1_000_000];

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    Postgres,
}

impl Database {
    pub fn name(self) -> &'static str {
        match self {
            Database::Sqlite => "sqlite",
            Database::Postgres => "postgres",
        }
    }
}

/// The repository's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Where everything is kept.
pub fn place() -> PathBuf {
    root().join("target/million")
}

fn main() {
    let (mut databases, mut sizes, mut by_turns) = (Vec::new(), Vec::new(), false);
    for argument in std::env::args().skip(1).filter(|argument| !argument.starts_with("--")) {
        match argument.as_str() {
            "sqlite" => databases.push(Database::Sqlite),
            "postgres" => databases.push(Database::Postgres),
            "turns" => by_turns = true,
            size => sizes.push(size.replace('_', "").parse().expect("a database, or a number of tickets")),
        }
    }
    if databases.is_empty() {
        databases = vec![Database::Sqlite, Database::Postgres];
    }
    if sizes.is_empty() {
        sizes = SIZES.to_vec();
    }
    sizes.sort_unstable();
    std::fs::create_dir_all(place()).unwrap();
    let config = desk::configuration();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let templates = runtime.block_on(fill::templates(&config));
    for database in databases {
        let mut filled: Vec<(u64, Target)> = Vec::new();
        for size in &sizes {
            let smaller = filled.last().map(|(_, target)| target);
            let target = runtime.block_on(fill::filled(database, *size, smaller, &templates));
            if !by_turns {
                let measured = measure::measure(&runtime, &config, &target, *size);
                report::save(database, *size, &measured);
                report::print();
            }
            filled.push((*size, target));
        }
        if by_turns {
            runtime.block_on(turns::measure(&config, &filled));
        }
    }
}
