//! Reference tables: every version by digest, the version that is live, and who changed what.

use jiff::Timestamp;
use serde_json::json;

use super::chain::audit;
use super::db::{Arg, Row, Tx, apart};
use super::sql::columns::{at, ms};
use super::{Error, Store};

/// A version of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableVersion {
    pub name: String,
    /// SHA-256 of the content, in hexadecimal.
    pub digest: String,
    /// CSV, in the one form that the table has.
    pub content: String,
    pub rows: i64,
}

/// A kept version without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableVersionEntry {
    pub digest: String,
    pub rows: i64,
    pub first_seen: Timestamp,
}

/// A table that is live and comes from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveTable {
    pub version: TableVersion,
    pub since: Timestamp,
}

/// A version of a table that one person wants live, while a second one has yet to agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableProposal {
    pub name: String,
    pub digest: String,
    pub proposed_by: String,
    pub why: String,
    pub at: Timestamp,
}

/// A change of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableEvent {
    pub at: Timestamp,
    /// `proposed` where a second person had yet to agree; empty for a change that took effect.
    pub event: String,
    /// The version that went live or is to; `None` where the table was removed.
    pub digest: Option<String>,
    pub actor: String,
    pub why: String,
}

/// Who changes a table, and why.
#[derive(Debug, Clone, Copy)]
pub struct By<'a> {
    pub actor: &'a str,
    pub why: &'a str,
}

/// What is done to a table.
enum Change {
    Put { version: TableVersion, expected: Option<String> },
    Propose { version: TableVersion },
    Remove { name: String },
    Keep { version: TableVersion },
}

impl Store {
    /// A number that is another one after every change of a table.
    pub async fn tables_revision(&self) -> Result<i64, Error> {
        let row = self.db.optional("select revision from tables_revision where one = 1", Vec::new()).await?;
        row.map_or(Ok(0), |row| row.int(0))
    }

    /// The tables that are live and come from here, by name.
    pub async fn live_tables(&self) -> Result<Vec<LiveTable>, Error> {
        let sql = "select l.name, l.digest, v.content, v.row_count, l.since from tables_live l \
                   join table_versions v on v.name = l.name and v.digest = l.digest order by l.name";
        let live =
            |row: &Row| Ok(LiveTable { version: version(row)?, since: at("tables_live", "since", row.int(4)?)? });
        self.db.all(sql, Vec::new()).await?.iter().map(live).collect()
    }

    /// Makes a version of a table live, and keeps it.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] where another version than `expected` is live; nothing has changed then.
    pub async fn put_table(
        &self,
        version: &TableVersion,
        expected: Option<&str>,
        by: By<'_>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let expected = expected.map(str::to_owned);
        self.change_tables(Change::Put { version: version.clone(), expected }, by, now).await.map(drop)
    }

    /// Keeps a version that is to go live once a second person agrees; it takes the place of what was proposed before.
    pub async fn propose_table(&self, version: &TableVersion, by: By<'_>, now: Timestamp) -> Result<(), Error> {
        self.change_tables(Change::Propose { version: version.clone() }, by, now).await.map(drop)
    }

    /// The version of a table that waits for a second person.
    pub async fn table_proposal(&self, name: &str) -> Result<Option<TableProposal>, Error> {
        let sql = "select name, digest, proposed_by, why, at from table_proposals where name = $1";
        let row = self.db.optional(sql, vec![name.into()]).await?;
        row.map(|row| {
            let at = at("table_proposals", "at", row.int(4)?)?;
            let (name, digest, proposed_by, why) = (row.text(0)?, row.text(1)?, row.text(2)?, row.text(3)?);
            Ok(TableProposal { name, digest, proposed_by, why, at })
        })
        .transpose()
    }

    /// Takes a table away; whether there was one. Its versions stay.
    pub async fn remove_table(&self, name: &str, by: By<'_>, now: Timestamp) -> Result<bool, Error> {
        self.change_tables(Change::Remove { name: name.to_owned() }, by, now).await
    }

    /// Keeps a version of a table that is live from elsewhere.
    pub async fn keep_table_version(&self, version: &TableVersion, now: Timestamp) -> Result<(), Error> {
        let nobody = By { actor: "", why: "" };
        self.change_tables(Change::Keep { version: version.clone() }, nobody, now).await.map(drop)
    }

    /// Makes a change in a task of its own, so that a request that is dropped does not cut it off; whether there was anything
    /// to change.
    async fn change_tables(&self, change: Change, by: By<'_>, now: Timestamp) -> Result<bool, Error> {
        let (db, actor, why) = (self.db.clone(), by.actor.to_owned(), by.why.to_owned());
        apart(async move {
            let by = By { actor: &actor, why: &why };
            let change = &change;
            let written = db.transaction(|mut tx| async move { Ok((write(&mut tx, change, by, now).await?, tx)) });
            let (changed, flush) = written.await?;
            flush.done().await?;
            Ok(changed)
        })
        .await
    }

    /// The kept versions of a table, the newest first.
    pub async fn table_versions(&self, name: &str) -> Result<Vec<TableVersionEntry>, Error> {
        let sql = "select digest, row_count, first_seen from table_versions where name = $1 \
                   order by first_seen desc, digest";
        let entry = |row: &Row| {
            let first_seen = at("table_versions", "first_seen", row.int(2)?)?;
            Ok(TableVersionEntry { digest: row.text(0)?, rows: row.int(1)?, first_seen })
        };
        self.db.all(sql, vec![name.into()]).await?.iter().map(entry).collect()
    }

    /// One kept version of a table.
    pub async fn table_version(&self, name: &str, digest: &str) -> Result<Option<TableVersion>, Error> {
        let sql = "select name, digest, content, row_count from table_versions where name = $1 and digest = $2";
        self.db.optional(sql, vec![name.into(), digest.into()]).await?.as_ref().map(version).transpose()
    }

    /// What happened to a table, the newest first.
    pub async fn table_events(&self, name: &str) -> Result<Vec<TableEvent>, Error> {
        let sql = "select at, digest, actor, why, event from table_events where name = $1 order by seq desc";
        let event = |row: &Row| {
            let at = at("table_events", "at", row.int(0)?)?;
            Ok(TableEvent { at, digest: row.opt_text(1)?, actor: row.text(2)?, why: row.text(3)?, event: row.text(4)? })
        };
        self.db.all(sql, vec![name.into()]).await?.iter().map(event).collect()
    }
}

fn version(row: &Row) -> Result<TableVersion, Error> {
    Ok(TableVersion { name: row.text(0)?, digest: row.text(1)?, content: row.text(2)?, rows: row.int(3)? })
}

async fn write(tx: &mut Tx, change: &Change, by: By<'_>, now: Timestamp) -> Result<bool, Error> {
    match change {
        Change::Put { version, expected } => {
            insert_version(tx, version, now).await?;
            if !make_live(tx, version, expected.as_deref(), now).await? {
                return Err(Error::Conflict);
            }
            tx.execute("delete from table_proposals where name = $1", vec![version.name.as_str().into()]).await?;
            note(tx, "", &version.name, Some(&version.digest), by, now).await?;
        }
        Change::Propose { version } => {
            insert_version(tx, version, now).await?;
            propose(tx, version, by, now).await?;
            note(tx, "proposed", &version.name, Some(&version.digest), by, now).await?;
        }
        Change::Remove { name } => {
            if tx.execute("delete from tables_live where name = $1", vec![name.as_str().into()]).await? == 0 {
                return Ok(false);
            }
            note(tx, "", name, None, by, now).await?;
        }
        Change::Keep { version } => insert_version(tx, version, now).await?,
    }
    Ok(true)
}

/// Makes a version live in place of the one that is expected, or of any; whether it was that one.
async fn make_live(tx: &mut Tx, version: &TableVersion, expected: Option<&str>, now: Timestamp) -> Result<bool, Error> {
    let (name, digest) = (version.name.as_str(), version.digest.as_str());
    let changed = match expected {
        Some(expected) => {
            let sql = "update tables_live set digest = $1, since = $2 where name = $3 and digest = $4";
            tx.execute(sql, vec![digest.into(), ms(now).into(), name.into(), expected.into()]).await?
        }
        None => {
            let sql = "insert into tables_live (name, digest, since) values ($1, $2, $3) \
                       on conflict (name) do update set digest = excluded.digest, since = excluded.since";
            tx.execute(sql, vec![name.into(), digest.into(), ms(now).into()]).await?
        }
    };
    Ok(changed != 0)
}

async fn insert_version(tx: &mut Tx, version: &TableVersion, now: Timestamp) -> Result<(), Error> {
    let sql = "insert into table_versions (name, digest, content, row_count, first_seen) values ($1, $2, $3, $4, $5) \
               on conflict do nothing";
    let args = vec![
        version.name.as_str().into(),
        version.digest.as_str().into(),
        version.content.as_str().into(),
        version.rows.into(),
        Arg::from(ms(now)),
    ];
    tx.execute(sql, args).await.map(drop)
}

async fn propose(tx: &mut Tx, version: &TableVersion, by: By<'_>, now: Timestamp) -> Result<(), Error> {
    let sql = "insert into table_proposals (name, digest, proposed_by, why, at) values ($1, $2, $3, $4, $5) \
               on conflict (name) do update set digest = excluded.digest, proposed_by = excluded.proposed_by, \
               why = excluded.why, at = excluded.at";
    let (name, digest) = (version.name.as_str().into(), version.digest.as_str().into());
    tx.execute(sql, vec![name, digest, by.actor.into(), by.why.into(), ms(now).into()]).await.map(drop)
}

async fn note(
    tx: &mut Tx,
    event: &str,
    name: &str,
    digest: Option<&str>,
    by: By<'_>,
    now: Timestamp,
) -> Result<(), Error> {
    let sql = "insert into table_events (at, name, digest, actor, why, event) values ($1, $2, $3, $4, $5, $6) \
               returning seq";
    let (actor, why) = (by.actor.into(), by.why.into());
    let args = vec![ms(now).into(), name.into(), digest.map(str::to_owned).into(), actor, why, event.into()];
    let seq = tx.optional(sql, args).await?.map_or(Ok(0), |row| row.int(0))?;
    tx.execute("update tables_revision set revision = revision + 1 where one = 1", Vec::new()).await?;
    let detail = json!({ "seq": seq, "event": event, "digest": digest, "actor": by.actor, "why": by.why });
    audit::append(tx, &[audit::Entry { at: now, event: audit::TABLE, about: name.to_owned(), detail }]).await
}
