//! Outages, and the words on them that are on their way to the tickets which are attached.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::desk::id::{CommentId, PersonId, TicketNumber};
use crate::desk::ticket::intake::outage::{Likeness, OUTAGES_MAX, Outage};
use crate::desk::ticket::lifecycle::links::LinkKind;
use crate::store::db::Row;
use crate::store::sql::columns::{at, from_json, parsed};
use crate::store::sql::page::Page;
use crate::store::{Error, Store};

/// The most words on an outage that are read at once to be passed on.
const WORDS_AT_ONCE: usize = 100;
const T: &str = "outages";
const COLUMNS: &str = "ticket, announcement, likeness, declared_by, declared_at, ended_at";

/// A [`Likeness`] as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    category: Option<String>,
    request_type: Option<String>,
    words: Vec<String>,
    field: Option<(String, String)>,
}

/// The column of a likeness.
pub(in crate::store) fn likeness(like: &Likeness) -> String {
    let text = |id: &Option<_>| id.as_ref().map(ToString::to_string);
    let kept = Kept {
        category: text(&like.category),
        request_type: like.request_type.as_ref().map(ToString::to_string),
        words: like.words.clone(),
        field: like.field.clone(),
    };
    // Texts only: there is nothing that JSON cannot say.
    serde_json::to_string(&kept).unwrap_or_default()
}

fn like(text: &str) -> Result<Likeness, Error> {
    let Kept { category, request_type, words, field } = from_json(T, "likeness", text)?;
    Ok(Likeness {
        category: category.map(|id| parsed(T, "likeness", &id)).transpose()?,
        request_type: request_type.map(|id| parsed(T, "likeness", &id)).transpose()?,
        words,
        field,
    })
}

fn outage(row: &Row) -> Result<Outage, Error> {
    Ok(Outage {
        ticket: TicketNumber(row.int(0)?),
        announcement: row.text(1)?,
        like: like(&row.text(2)?)?,
        declared_by: parsed(T, "declared_by", &row.text(3)?)?,
        declared_at: at(T, "declared_at", row.int(4)?)?,
        ended_at: row.opt_int(5)?.map(|ended| at(T, "ended_at", ended)).transpose()?,
    })
}

/// Words on an outage that its children are to get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordsToPass {
    pub comment: CommentId,
    pub at: Timestamp,
    pub by: PersonId,
    pub body: String,
}

impl Store {
    /// The outages that take submissions now, the oldest first.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn outages(&self) -> Result<Vec<Outage>, Error> {
        let sql = format!(
            "select {COLUMNS} from outages where ended_at is null order by declared_at, ticket limit {OUTAGES_MAX}"
        );
        Ok(self.readable(T, &self.db.quick(&sql, Vec::new()).await?, outage))
    }

    /// The same, each with how many tickets are attached to it.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn outages_with_children(&self) -> Result<Vec<(Outage, i64)>, Error> {
        let sql = format!(
            "select {COLUMNS}, (select count(*) from links l where l.other = outages.ticket and l.kind = $1) from outages \
             where ended_at is null order by declared_at, ticket limit {OUTAGES_MAX}"
        );
        let with_children = |row: &Row| Ok((outage(row)?, row.int(6)?));
        Ok(self.readable(T, &self.db.quick(&sql, vec![LinkKind::Child.code().into()]).await?, with_children))
    }

    /// The outage that a ticket is or was.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read, or the row is damaged.
    pub async fn outage(&self, ticket: TicketNumber) -> Result<Option<Outage>, Error> {
        let sql = format!("select {COLUMNS} from outages where ticket = $1");
        self.db.quick(&sql, vec![ticket.0.into()]).await?.first().map(outage).transpose()
    }

    /// Whether a ticket is or was an outage, also one whose row is damaged.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn is_outage(&self, ticket: TicketNumber) -> Result<bool, Error> {
        Ok(!self.db.quick("select 1 from outages where ticket = $1", vec![ticket.0.into()]).await?.is_empty())
    }

    /// How many tickets are attached to one.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn children_of(&self, ticket: TicketNumber) -> Result<i64, Error> {
        let sql = "select count(*) from links where other = $1 and kind = $2";
        let rows = self.db.quick(sql, vec![ticket.0.into(), LinkKind::Child.code().into()]).await?;
        rows.first().map_or(Ok(0), |row| row.int(0))
    }

    /// The first words on an outage that its children are to get, in order, at most [`WORDS_AT_ONCE`].
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn words_to_pass(&self, ticket: TicketNumber) -> Result<Page<WordsToPass, CommentId>, Error> {
        let sql = format!(
            "select comment, at, author, body from outage_words where ticket = $1 order by at, comment limit {}",
            WORDS_AT_ONCE + 1
        );
        let words = |row: &Row| {
            Ok(WordsToPass {
                comment: CommentId(row.uuid(0)?),
                at: at("outage_words", "at", row.int(1)?)?,
                by: parsed("outage_words", "author", &row.text(2)?)?,
                body: row.text(3)?,
            })
        };
        let rows = self.db.quick(&sql, vec![ticket.0.into()]).await?;
        let place = |row: &Row| Ok(CommentId(row.uuid(0)?));
        Ok(self.readable_page("outage_words", (&rows, WORDS_AT_ONCE), words, place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_likeness_is_named_by_its_own_table() {
        let found = like("{").unwrap_err();
        assert!(matches!(found, Error::Corrupt { table: "outages", column: "likeness", .. }), "{found}");
    }
}
