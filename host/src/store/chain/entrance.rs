//! The rows that decide who comes in and by which configuration the desk goes: accounts, identities, sessions, published
//! documents, proposals for tables, campaigns of reviews, the directory, sign-ins by a provider and to apps, and the times at which
//! the desk stopped ending access. Their tables change; the audit keeps the facts of each row as it comes, changes and goes.
//! Secrets are not among the facts: of a password's hash, which has a salt, the audit has a digest.
//! So it has of what a provider says of a person, which goes with the person.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::desk::id::PersonId;
use crate::store::Error;
use crate::store::db::Tx;
use crate::store::sql::columns::hex;

/// The fact of the first entry that all rows of the entrance came after it.
pub const WHOLE: &str = "entrance";
/// The tables that the audit has the facts of came in steps. This is the last of them; an entry that says none is of the first.
pub const LEVEL: i64 = 2;
/// Rows that one entry takes in.
const ROWS_MAX: usize = 100;

/// The form in which the audit has a column.
#[derive(Clone, Copy)]
enum Form {
    Text,
    Number,
    Id,
    /// The digest of the text.
    Digest,
}

use Form::{Digest, Id, Number, Text};

/// A table that is compared with the audit.
pub struct Table {
    pub name: &'static str,
    /// A word before a row's key.
    pub noun: &'static str,
    /// The level from which on the audit has the facts of its rows.
    pub since: i64,
    /// How many of the columns, the first, are the key.
    keys: usize,
    columns: &'static [(&'static str, Form)],
}

/// A row: its key, and its facts in the order of the columns.
pub type Row = (String, Vec<String>);

pub const ACCOUNTS: Table = Table {
    name: "accounts",
    noun: "the account of",
    since: 1,
    keys: 1,
    columns: &[("person", Text), ("roles", Text), ("set_at", Number), ("set_by", Text), ("password", Digest)],
};
pub const IDENTITIES: Table = Table {
    name: "identities",
    noun: "the identity",
    since: 1,
    keys: 2,
    columns: &[("issuer", Text), ("subject", Text), ("person", Text), ("bound_at", Number)],
};
pub const SESSIONS: Table = Table {
    name: "sessions",
    noun: "the session",
    since: 1,
    keys: 1,
    columns: &[
        ("hash", Text),
        ("token", Text),
        ("person", Text),
        ("created_at", Number),
        ("expires_at", Number),
        ("ended_at", Number),
    ],
};
pub const VERSIONS: Table = Table {
    name: "configuration_versions",
    noun: "the published version",
    since: 1,
    keys: 1,
    columns: &[
        ("revision", Number),
        ("document", Text),
        ("digest", Text),
        ("author", Text),
        ("why", Text),
        ("at", Number),
        ("again", Number),
        ("content", Digest),
    ],
};
pub const PROPOSALS: Table = Table {
    name: "table_proposals",
    noun: "the proposal for the table",
    since: 1,
    keys: 1,
    columns: &[("name", Text), ("digest", Text), ("proposed_by", Text), ("why", Text), ("at", Number)],
};

pub const CAMPAIGNS: Table = Table {
    name: "review_campaigns",
    noun: "the campaign of reviews",
    since: 1,
    keys: 1,
    columns: &[
        ("id", Id),
        ("name", Text),
        ("app", Text),
        ("asks", Text),
        ("started_by", Text),
        ("started_at", Number),
        ("due_at", Number),
    ],
};

pub const ENTRIES: Table = Table {
    name: "directory_entries",
    noun: "the entry of the directory",
    since: 2,
    keys: 1,
    columns: &[
        ("id", Id),
        ("kind", Text),
        ("name", Digest),
        ("stands_for", Text),
        ("body", Digest),
        ("version", Number),
        ("created_at", Number),
        ("changed_at", Number),
        ("deleted_at", Number),
    ],
};
pub const SIGN_ONS: Table = Table {
    name: "sign_ons",
    noun: "the sign-on",
    since: 2,
    keys: 1,
    columns: &[("token", Text), ("issuer", Text), ("subject", Text), ("provider_session", Text), ("begun_at", Number)],
};
pub const SIGN_INS: Table = Table {
    name: "access_sign_ins",
    noun: "the last sign-in of",
    since: 2,
    keys: 2,
    columns: &[("subject", Text), ("app", Text), ("last_at", Number)],
};
pub const BRAKES: Table = Table {
    name: "access_brakes",
    noun: "the stop of ending access",
    since: 2,
    keys: 1,
    columns: &[
        ("id", Id),
        ("at", Number),
        ("people", Number),
        ("resumed_at", Number),
        ("resumed_by", Text),
        ("reason", Text),
    ],
};

/// All of them.
pub const TABLES: [Table; 10] =
    [ACCOUNTS, IDENTITIES, SESSIONS, VERSIONS, PROPOSALS, CAMPAIGNS, ENTRIES, SIGN_ONS, SIGN_INS, BRAKES];

impl Table {
    /// All rows, as the audit would say them.
    pub async fn rows(&self, tx: &mut Tx) -> Result<Vec<Row>, Error> {
        let column = |(name, form): &(&str, Form)| match form {
            Text | Digest => format!("coalesce({name}, '')"),
            Number => format!("coalesce(cast({name} as text), '')"),
            Id => (*name).to_owned(),
        };
        let columns: Vec<String> = self.columns.iter().map(column).collect();
        let sql = format!("select {} from {} order by 1", columns.join(", "), self.name);
        let mut rows = Vec::new();
        for row in tx.all(&sql, Vec::new()).await? {
            let (mut key, mut facts) = (Vec::new(), Vec::new());
            for (place, (_, form)) in self.columns.iter().enumerate() {
                let text = match form {
                    Text | Number => row.text(place)?,
                    Id => row.uuid(place)?.to_string(),
                    Digest => digest(&row.text(place)?),
                };
                if place < self.keys { key.push(text) } else { facts.push(text) }
            }
            rows.push((key.join(" "), facts));
        }
        Ok(rows)
    }

    /// The names of the columns of which two rows with one key differ.
    pub fn differ(&self, there: &[String], said: &[String]) -> Vec<&'static str> {
        let columns = self.columns.iter().skip(self.keys).map(|(name, _)| *name);
        let pairs = columns.zip(there.iter().zip(said));
        pairs.filter(|(_, (there, said))| there != said).map(|(name, _)| name).collect()
    }
}

/// SHA-256 of a text, in hexadecimal.
pub fn digest(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()).into())
}

/// The mark of a row that was erased with its person: it says which one it was to those who know it, and names no one.
pub fn mark(table: &str, key: &str) -> String {
    digest(&format!("{table} {key}"))
}

/// The marks of the rows of a person, who is about to be erased.
pub async fn marks_of(tx: &mut Tx, person: &PersonId) -> Result<Vec<String>, Error> {
    let sql = "select 'accounts', person from accounts where person = $1 \
               union all select 'identities', issuer || ' ' || subject from identities where person = $1 \
               union all select 'sessions', hash from sessions where person = $1 \
               union all select 'access_sign_ins', subject || ' ' || app from access_sign_ins where subject = $1";
    let rows = tx.all(sql, vec![person.as_str().into()]).await?;
    let mut marks = rows.iter().map(|row| Ok(mark(&row.text(0)?, &row.text(1)?))).collect::<Result<Vec<_>, Error>>()?;
    let sql = "select id from directory_entries where kind = 'user' and stands_for = $1";
    for row in tx.all(sql, vec![person.as_str().into()]).await? {
        marks.push(mark(ENTRIES.name, &row.uuid(0)?.to_string()));
    }
    let sql = "select id from delegations where person = $1 or delegate = $1";
    for row in tx.all(sql, vec![person.as_str().into()]).await? {
        marks.push(mark("delegations", &row.uuid(0)?.to_string()));
    }
    Ok(marks)
}

/// The facts of entries that take in all rows that are there, of tables beyond a level: each with its table, and with how many
/// follow.
pub(super) async fn found_there(tx: &mut Tx, level: i64) -> Result<Vec<(&'static str, Value)>, Error> {
    let mut pieces = Vec::new();
    for table in TABLES.iter().filter(|table| table.since > level) {
        let rows = table.rows(tx).await?;
        pieces.extend(rows.chunks(ROWS_MAX).map(|rows| (table.name, json!(rows))));
    }
    let left = (0..pieces.len()).rev();
    Ok(pieces
        .into_iter()
        .zip(left)
        .map(|((table, rows), left)| (table, json!({ "rows": rows, "left": left, "level": LEVEL })))
        .collect())
}

/// The facts of an entry that takes in nothing, for nothing was there.
pub(super) fn nothing_there() -> (&'static str, Value) {
    (ACCOUNTS.name, json!({ "rows": [], "left": 0, "level": LEVEL }))
}
