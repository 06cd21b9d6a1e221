//! Reference tables: every version by digest, the version that is live, and who changed what.

use jiff::Timestamp;
use serde_json::json;

use super::chain::audit;
use super::db::{Arg, Row, Tx, apart};
use super::sql::columns::{at_or_epoch, ms};
use super::sql::page::Page;
use super::{Error, Store};
use crate::desk::change::condition::Condition;

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
    Put { version: TableVersion, condition: Condition },
    Propose { version: TableVersion },
    Remove { name: String, condition: Condition },
    Keep { version: TableVersion },
}

impl Store {
    /// A number that is another one after every change of a table.
    pub async fn tables_revision(&self) -> Result<i64, Error> {
        self.number("select revision from tables_revision where one = 1", Vec::new()).await
    }

    /// The revision of the documents of the configuration, and that of the tables, for those who look again and again.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn followed_revisions(&self) -> Result<(i64, i64), Error> {
        let sql = "select coalesce((select max(revision) from configuration_versions), 0), \
                   coalesce((select revision from tables_revision where one = 1), 0)";
        let row = self.db.optional(sql, Vec::new()).await?;
        row.map_or(Ok((0, 0)), |row| Ok((row.int(0)?, row.int(1)?)))
    }

    /// The tables that are live and come from here, by name: each with its digest, and since when it is live.
    pub async fn live_digests(&self) -> Result<Vec<(String, String, Timestamp)>, Error> {
        let sql = "select name, digest, since from tables_live order by name";
        let live = |row: &Row| Ok((row.text(0)?, row.text(1)?, at_or_epoch(row.int(2)?)));
        self.db.all(sql, Vec::new()).await?.iter().map(live).collect()
    }

    /// Makes a version of a table live, and keeps it.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] where the condition does not hold for the version that is live; nothing has changed then.
    pub async fn put_table(
        &self,
        version: &TableVersion,
        condition: &Condition,
        by: By<'_>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let change = Change::Put { version: version.clone(), condition: condition.clone() };
        self.change_tables(change, by, now).await.map(drop)
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
            let at = at_or_epoch(row.int(4)?);
            let (name, digest, proposed_by, why) = (row.text(0)?, row.text(1)?, row.text(2)?, row.text(3)?);
            Ok(TableProposal { name, digest, proposed_by, why, at })
        })
        .transpose()
    }

    /// Takes a table away; whether there was one. Its versions stay.
    ///
    /// # Errors
    ///
    /// As [`Store::put_table`].
    pub async fn remove_table(
        &self,
        name: &str,
        condition: &Condition,
        by: By<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let change = Change::Remove { name: name.to_owned(), condition: condition.clone() };
        self.change_tables(change, by, now).await
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
            let written = db.durably(|mut tx| async move { Ok((write(&mut tx, change, by, now).await?, tx)) });
            written.await
        })
        .await
    }

    /// Some of the kept versions of a table, the newest first, after so many; and whether there are more.
    pub async fn table_versions(
        &self,
        name: &str,
        after: i64,
        limit: usize,
    ) -> Result<Page<TableVersionEntry, ()>, Error> {
        let more = limit.saturating_add(1);
        let sql = format!(
            "select digest, row_count, first_seen from table_versions where name = $1 \
             order by first_seen desc, digest limit {more} offset $2"
        );
        let entry = |row: &Row| {
            let first_seen = at_or_epoch(row.int(2)?);
            Ok(TableVersionEntry { digest: row.text(0)?, rows: row.int(1)?, first_seen })
        };
        let rows = self.db.all(&sql, vec![name.into(), after.into()]).await?;
        Ok(self.readable_page("table_versions", (&rows, limit), entry, |_| Ok(())))
    }

    /// The digests of a table's kept versions that begin with this; two where there are more.
    pub async fn table_digests(&self, name: &str, beginning: &str) -> Result<Vec<String>, Error> {
        let sql = "select digest from table_versions where name = $1 and substr(digest, 1, length($2)) = $2 \
                   order by digest limit 2";
        self.db.all(sql, vec![name.into(), beginning.into()]).await?.iter().map(|row| row.text(0)).collect()
    }

    /// One kept version of a table.
    pub async fn table_version(&self, name: &str, digest: &str) -> Result<Option<TableVersion>, Error> {
        let sql = "select name, digest, content, row_count from table_versions where name = $1 and digest = $2";
        self.db.optional(sql, vec![name.into(), digest.into()]).await?.as_ref().map(version).transpose()
    }

    /// Some of what happened to a table, the newest first, after so many; and whether there is more.
    pub async fn table_events(&self, name: &str, after: i64, limit: usize) -> Result<Page<TableEvent, ()>, Error> {
        let more = limit.saturating_add(1);
        let sql = format!(
            "select at, digest, actor, why, event from table_events where name = $1 order by seq desc limit {more} offset $2"
        );
        let event = |row: &Row| {
            let at = at_or_epoch(row.int(0)?);
            Ok(TableEvent { at, digest: row.opt_text(1)?, actor: row.text(2)?, why: row.text(3)?, event: row.text(4)? })
        };
        let rows = self.db.all(&sql, vec![name.into(), after.into()]).await?;
        Ok(self.readable_page("table_events", (&rows, limit), event, |_| Ok(())))
    }
}

fn version(row: &Row) -> Result<TableVersion, Error> {
    Ok(TableVersion { name: row.text(0)?, digest: row.text(1)?, content: row.text(2)?, rows: row.int(3)? })
}

async fn write(tx: &mut Tx, change: &Change, by: By<'_>, now: Timestamp) -> Result<bool, Error> {
    match change {
        Change::Put { version, condition } => {
            insert_version(tx, version, now).await?;
            make_live(tx, version, condition, now).await?;
            tx.execute("delete from table_proposals where name = $1", vec![version.name.as_str().into()]).await?;
            note(tx, "", &version.name, Some(&version.digest), by, now).await?;
        }
        Change::Propose { version } => {
            insert_version(tx, version, now).await?;
            propose(tx, version, by, now).await?;
            note(tx, "proposed", &version.name, Some(&version.digest), by, now).await?;
        }
        Change::Remove { name, condition } => {
            // Nothing can be done to a table that is not there.
            let Some(live) = live_digest(tx, name).await? else { return Ok(false) };
            if !condition.holds_for(Some(&live)) {
                return Err(Error::Conflict);
            }
            let sql = "delete from tables_live where name = $1 and digest = $2";
            if tx.execute(sql, vec![name.as_str().into(), live.into()]).await? == 0 {
                return Err(Error::Conflict);
            }
            note(tx, "", name, None, by, now).await?;
        }
        Change::Keep { version } => insert_version(tx, version, now).await?,
    }
    Ok(true)
}

/// The digest of the version that is live. The row is held until the transaction ends.
async fn live_digest(tx: &mut Tx, name: &str) -> Result<Option<String>, Error> {
    let sql = format!("select digest from tables_live where name = $1{}", tx.for_update());
    tx.optional(&sql, vec![name.into()]).await?.map(|row| row.text(0)).transpose()
}

/// Makes a version live in place of one for which the condition holds.
///
/// # Errors
///
/// [`Error::Conflict`] where it does not hold, or another transaction was quicker.
async fn make_live(tx: &mut Tx, version: &TableVersion, condition: &Condition, now: Timestamp) -> Result<(), Error> {
    let (name, digest) = (version.name.as_str(), version.digest.as_str());
    let live = live_digest(tx, name).await?;
    if !condition.holds_for(live.as_deref()) {
        return Err(Error::Conflict);
    }
    let args = vec![name.into(), digest.into(), Arg::from(ms(now))];
    let is_new = live.is_none() && *condition != Condition::default();
    let then = match is_new {
        // One that another transaction has made live meanwhile is not the absence that was seen.
        true => "do nothing",
        false => "(name) do update set digest = excluded.digest, since = excluded.since",
    };
    let sql = format!("insert into tables_live (name, digest, since) values ($1, $2, $3) on conflict {then}");
    if tx.execute(&sql, args).await? == 0 { Err(Error::Conflict) } else { Ok(()) }
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
