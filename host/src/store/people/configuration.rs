//! Documents of the configuration that were published by API: every version, and the one that is live, which is the latest.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::store::chain::{audit, entrance};
use crate::store::db::{Arg, Row};
use crate::store::jobs::webhooks::{ComeAndGo, come_and_go};
use crate::store::sql::columns::{at, corrupt, ms};
use crate::store::{Error, Store};

const T: &str = "configuration_versions";
/// The most versions of a list.
const LIST_MAX: usize = 1000;

/// A version of a document, without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedVersion {
    /// Of all documents together; a later version has a higher one.
    pub revision: i64,
    /// SHA-256 of the content, in hexadecimal.
    pub digest: String,
    pub author: String,
    pub why: String,
    pub at: Timestamp,
    /// The earlier version whose content it has, where it was rolled back.
    pub again: Option<i64>,
}

/// A document that is not published yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentDraft {
    /// Counts up with each that is kept.
    pub version: i64,
    pub content: String,
    pub author: String,
    pub saved_at: Timestamp,
}

/// A version that is to be published.
#[derive(Debug, Clone)]
pub struct NewVersion<'a> {
    pub document: &'a str,
    pub content: &'a str,
    pub digest: &'a str,
    pub author: &'a str,
    /// The other person, where two were needed.
    pub drafted_by: Option<&'a str>,
    pub why: &'a str,
    pub again: Option<i64>,
    /// The differences from the version before, for the audit.
    pub differences: &'a Value,
    /// The endpoints of webhooks that come and go with it.
    pub endpoints: &'a ComeAndGo,
}

/// The entries of a version in the audit: its own, and one for each endpoint that comes or goes.
fn entries(new: &NewVersion<'_>, revision: i64, now: Timestamp) -> Vec<audit::Entry> {
    let detail = json!({ "revision": revision, "digest": new.digest, "by": new.author, "why": new.why,
        "again": new.again, "drafted_by": new.drafted_by, "differences": new.differences });
    let own = audit::Entry { at: now, event: audit::CONFIGURATION, about: new.document.to_owned(), detail };
    let step = |step: &str, name: &String| {
        let detail = json!({ "step": step, "by": new.author, "why": new.why });
        audit::Entry { at: now, event: audit::WEBHOOK, about: name.clone(), detail }
    };
    let mut all = vec![own];
    all.extend(new.endpoints.ended.iter().map(|name| step("ended", name)));
    all.extend(new.endpoints.begun.iter().map(|name| step("begun", name)));
    all
}

/// The content of a version, which has the digest that was published with it.
fn content(row: &Row, place: usize) -> Result<String, Error> {
    let (content, digest, revision) = (row.text(place)?, row.text(place + 1)?, row.int(place + 2)?);
    if entrance::digest(&content) == digest {
        return Ok(content);
    }
    Err(corrupt(T, "content", format!("revision {revision}, not as it was published under the digest {digest}")))
}

fn version(row: &Row) -> Result<PublishedVersion, Error> {
    Ok(PublishedVersion {
        revision: row.int(0)?,
        digest: row.text(1)?,
        author: row.text(2)?,
        why: row.text(3)?,
        at: at(T, "at", row.int(4)?)?,
        again: row.opt_int(5)?,
    })
}

impl Store {
    /// The revision of all documents together: another one after each that is published; 0 before the first.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn configuration_revision(&self) -> Result<i64, Error> {
        let row = self.db.optional("select coalesce(max(revision), 0) from configuration_versions", Vec::new()).await?;
        row.map_or(Ok(0), |row| row.int(0))
    }

    /// The documents that are live by their words: each with its revision and content.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read; where a content is not the one that was published.
    pub async fn published_documents(&self) -> Result<BTreeMap<String, (i64, String)>, Error> {
        let sql = "select document, content, digest, revision from configuration_versions v where revision = \
                   (select max(revision) from configuration_versions o where o.document = v.document)";
        let rows = self.db.all(sql, Vec::new()).await?;
        rows.iter().map(|row| Ok((row.text(0)?, (row.int(3)?, content(row, 1)?)))).collect()
    }

    /// The versions of a document, the latest first.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn published_versions(&self, document: &str) -> Result<Vec<PublishedVersion>, Error> {
        let sql = format!(
            "select revision, digest, author, why, at, again from configuration_versions where document = $1 \
             order by revision desc limit {LIST_MAX}"
        );
        Ok(self.readable(T, &self.db.all(&sql, vec![document.into()]).await?, version))
    }

    /// The content of a version.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read; where the content is not the one that was published.
    pub async fn published_content(&self, document: &str, revision: i64) -> Result<Option<String>, Error> {
        let sql = "select content, digest, revision from configuration_versions where document = $1 and revision = $2";
        let row = self.db.optional(sql, vec![document.into(), revision.into()]).await?;
        row.map(|row| content(&row, 0)).transpose()
    }

    /// Publishes a version, which is live from then on, and notes it in the audit; its revision.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] where anything was published since `seen`.
    pub async fn publish_document(&self, new: &NewVersion<'_>, seen: i64, now: Timestamp) -> Result<i64, Error> {
        let sql = "insert into configuration_versions (revision, document, content, digest, author, why, at, again) \
                   select $1, $2, $3, $4, $5, $6, $7, $8 where $1 > \
                   (select coalesce(max(revision), 0) from configuration_versions) on conflict (revision) do nothing";
        let args: Vec<Arg> = vec![
            (seen + 1).into(),
            new.document.into(),
            new.content.into(),
            new.digest.into(),
            new.author.into(),
            new.why.into(),
            ms(now).into(),
            new.again.into(),
        ];
        let written = self.db.transaction(async |mut tx| {
            if tx.execute(sql, args.clone()).await? == 0 {
                return Err(Error::Conflict);
            }
            let drafted = "delete from configuration_drafts where document = $1 and content = $2";
            tx.execute(drafted, vec![new.document.into(), new.content.into()]).await?;
            come_and_go(&mut tx, new.endpoints, now).await?;
            audit::append(&mut tx, &entries(new, seen + 1, now)).await?;
            Ok(((), tx))
        });
        written.await?.1.done().await?;
        Ok(seen + 1)
    }

    /// The draft of a document, where there is one.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn draft_of_document(&self, document: &str) -> Result<Option<DocumentDraft>, Error> {
        let sql = "select version, content, author, saved_at from configuration_drafts where document = $1";
        let row = self.db.optional(sql, vec![document.into()]).await?;
        row.map(|row| {
            Ok(DocumentDraft {
                version: row.int(0)?,
                content: row.text(1)?,
                author: row.text(2)?,
                saved_at: at("configuration_drafts", "saved_at", row.int(3)?)?,
            })
        })
        .transpose()
    }

    /// Keeps the draft of a document in the place of the one with this version, 0 for none.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] where it is another by now.
    pub async fn keep_draft_of_document(&self, document: &str, draft: &DocumentDraft) -> Result<(), Error> {
        let DocumentDraft { version, content, author, saved_at } = draft;
        let kept: Vec<Arg> = vec![
            (version + 1).into(),
            content.as_str().into(),
            author.as_str().into(),
            ms(*saved_at).into(),
            document.into(),
        ];
        let sql = match version {
            0 => {
                "insert into configuration_drafts (version, content, author, saved_at, document) \
                 values ($1, $2, $3, $4, $5) on conflict (document) do nothing"
            }
            _ => {
                "update configuration_drafts set version = $1, content = $2, author = $3, saved_at = $4 \
                 where document = $5 and version = $1 - 1"
            }
        };
        self.one_draft(sql, kept).await
    }

    /// Forgets the draft of a document that has this version.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] where it is another by now.
    pub async fn drop_draft_of_document(&self, document: &str, version: i64) -> Result<(), Error> {
        let sql = "delete from configuration_drafts where document = $1 and version = $2";
        self.one_draft(sql, vec![document.into(), version.into()]).await
    }

    async fn one_draft(&self, sql: &str, args: Vec<Arg>) -> Result<(), Error> {
        let written = self.db.transaction(async |mut tx| {
            if tx.execute(sql, args.clone()).await? == 0 {
                return Err(Error::Conflict);
            }
            Ok(((), tx))
        });
        written.await?.1.done().await
    }

    /// How many tickets on which work is owed have each value in a column of theirs.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn open_tickets_by(&self, column: OpenBy) -> Result<BTreeMap<String, i64>, Error> {
        let table = if column == OpenBy::Tag { "tagged" } else { "tickets" };
        let column = column.column();
        let sql = format!(
            "select {column}, count(*) from {table} where unfinished = 1 and {column} is not null group by {column}"
        );
        self.db.all(&sql, Vec::new()).await?.iter().map(|row| Ok((row.text(0)?, row.int(1)?))).collect()
    }

    /// How many tickets on which work is owed have each priority in each team.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn open_tickets_by_priority_and_team(&self) -> Result<BTreeMap<(String, String), i64>, Error> {
        let sql = "select priority, team, count(*) from tickets where unfinished = 1 group by priority, team";
        let rows = self.db.all(sql, Vec::new()).await?;
        rows.iter().map(|row| Ok(((row.text(0)?, row.text(1)?), row.int(2)?))).collect()
    }
}

/// A column by which open tickets are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenBy {
    Team,
    Category,
    RequestType,
    Requester,
    Assignee,
    Priority,
    Impact,
    Urgency,
    /// Each of its tags.
    Tag,
}

impl OpenBy {
    const fn column(self) -> &'static str {
        match self {
            OpenBy::Team => "team",
            OpenBy::Category => "category",
            OpenBy::RequestType => "request_type",
            OpenBy::Requester => "requester",
            OpenBy::Assignee => "assignee",
            OpenBy::Priority => "priority",
            OpenBy::Impact => "impact",
            OpenBy::Urgency => "urgency",
            OpenBy::Tag => "tag",
        }
    }
}
