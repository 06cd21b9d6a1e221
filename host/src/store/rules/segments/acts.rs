//! The acts of archiving, chained: which segment files were made of which part of the chain of runs, and which were deleted, by
//! whom and why.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::file::At;
use crate::store::chain::{Chain, Content, ContentDigest, Encoding, End};
use crate::store::db::{Arg, Row, Tx};
use crate::store::sql::columns::{at, corrupt, ms};
use crate::store::{Error, Store};

const T: &str = "archive";

/// The events of the chain.
const ARCHIVED: &str = "archived";
const DELETED: &str = "deleted";

/// The facts of a segment, as they are stored and hashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Facts {
    /// Who archived it, as audits name them.
    pub by: String,
    /// SHA-256 of the file.
    pub digest: String,
    pub bytes: u64,
    pub runs: u64,
    /// The record before the first one.
    pub before: At,
    pub first: At,
    pub last: At,
    /// The least and the greatest time of its runs, in milliseconds since 1970-01-01T00:00:00Z.
    pub first_at: i64,
    pub last_at: i64,
}

/// The facts of a deletion, as they are stored and hashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Farewell {
    by: String,
    why: String,
}

/// Who deleted a segment, when and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    pub at: Timestamp,
    pub by: String,
    pub why: String,
}

/// A segment as the acts tell of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The place of the `archived` act in its chain, by which runs name their segment.
    pub act: i64,
    /// The file's name.
    pub name: String,
    pub archived_at: Timestamp,
    pub facts: Facts,
    pub deleted: Option<Deletion>,
}

/// An act's content, as it is chained.
pub fn content(encoding: Encoding, at: i64, event: &str, segment: &str, detail: &str) -> ContentDigest {
    let mut content = Content::of(Chain::Archive, encoding);
    content.int(at).field(event.as_bytes()).field(segment.as_bytes()).field(detail.as_bytes());
    content.digest()
}

/// Adds an `archived` act; its place in the chain.
pub(super) async fn archived(tx: &mut Tx, now: Timestamp, name: &str, facts: &Facts) -> Result<i64, Error> {
    append(tx, now, ARCHIVED, name, serde_json::to_string(facts)).await
}

/// Adds a `deleted` act.
pub(super) async fn deleted(tx: &mut Tx, now: Timestamp, name: &str, by: &str, why: &str) -> Result<(), Error> {
    let farewell = Farewell { by: by.to_owned(), why: why.to_owned() };
    append(tx, now, DELETED, name, serde_json::to_string(&farewell)).await.map(drop)
}

async fn append(
    tx: &mut Tx,
    now: Timestamp,
    event: &str,
    name: &str,
    detail: serde_json::Result<String>,
) -> Result<i64, Error> {
    // Texts and numbers always have a JSON form.
    let (now, detail) = (ms(now), detail.unwrap_or_default());
    let mut end = End::take(tx, Chain::Archive).await?;
    let (link, hash) = end.add(&content(Encoding::Two, now, event, name, &detail));
    let row = vec![now.into(), event.into(), name.into(), detail.into(), Some(link).into(), Arg::from(hash)];
    tx.insert("insert into archive (at, event, segment, detail, link, hash)", 6, "", vec![row]).await?;
    end.put_back(tx).await?;
    Ok(link)
}

/// All segments, or those that `narrowed` leaves.
fn select(narrowed: &str) -> String {
    format!(
        "select a.link, a.segment, a.at, a.detail, d.at, d.detail from archive a \
         left join archive d on d.segment = a.segment and d.event = '{DELETED}' \
         where a.event = '{ARCHIVED}' and a.link is not null {narrowed} order by a.link"
    )
}

fn kept(row: &Row) -> Result<Kept, Error> {
    let detail = row.text(3)?;
    let facts = serde_json::from_str(&detail).map_err(|_| corrupt(T, "detail", detail))?;
    let deleted = match (row.opt_int(4)?, row.opt_text(5)?) {
        (Some(when), Some(detail)) => {
            let Farewell { by, why } = serde_json::from_str(&detail).map_err(|_| corrupt(T, "detail", detail))?;
            Some(Deletion { at: at(T, "at", when)?, by, why })
        }
        _ => None,
    };
    Ok(Kept { act: row.int(0)?, name: row.text(1)?, archived_at: at(T, "at", row.int(2)?)?, facts, deleted })
}

impl Store {
    /// All segments that were ever made, the oldest first.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn segments(&self) -> Result<Vec<Kept>, Error> {
        self.db.all(&select(""), Vec::new()).await?.iter().map(kept).collect()
    }

    /// The segment of an act.
    pub(super) async fn segment(&self, act: i64) -> Result<Option<Kept>, Error> {
        self.db.optional(&select("and a.link = $1"), vec![act.into()]).await?.as_ref().map(kept).transpose()
    }

    /// The segment of this name, read in a transaction that may change it.
    pub(super) async fn segment_named(tx: &mut Tx, name: &str) -> Result<Option<Kept>, Error> {
        tx.optional(&select("and a.segment = $1"), vec![name.into()]).await?.as_ref().map(kept).transpose()
    }
}
