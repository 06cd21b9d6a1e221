//! Submissions that people go on with later.

use jiff::Timestamp;
use serde_json::json;

use crate::desk::id::{DraftId, PersonId};
use crate::desk::organisation::form::Problem;
use crate::store::commit::writer::Work;
use crate::store::db::Row;
use crate::store::sql::columns::{at, from_json, ms};
use crate::store::{Error, Store};

/// A submission that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDraft {
    pub id: DraftId,
    /// As its author sent it.
    pub content: String,
    /// Problems that the desk found when it was sent.
    pub problems: Vec<Problem>,
    pub saved_at: Timestamp,
}

fn draft(row: &Row) -> Result<StoredDraft, Error> {
    let problems: Vec<(String, String, String)> = from_json("drafts", "problems", &row.text(2)?)?;
    let problems = problems.into_iter().map(|(field, code, message)| Problem { field, code, message });
    Ok(StoredDraft {
        id: DraftId(row.uuid(0)?),
        content: row.text(1)?,
        problems: problems.collect(),
        saved_at: at("drafts", "saved_at", row.int(3)?)?,
    })
}

impl Store {
    /// A person's drafts, the latest first, at most `limit`.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn drafts(&self, person: &PersonId, limit: i64) -> Result<Vec<StoredDraft>, Error> {
        let sql =
            "select id, content, problems, saved_at from drafts where person = $1 order by saved_at desc, id limit $2";
        let rows = self.db.quick(sql, vec![person.as_str().into(), limit.into()]).await?;
        Ok(self.readable("drafts", &rows, draft))
    }

    /// One of a person's drafts.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read, or the row is damaged.
    pub async fn draft(&self, person: &PersonId, id: DraftId) -> Result<Option<StoredDraft>, Error> {
        let sql = "select id, content, problems, saved_at from drafts where person = $1 and id = $2";
        self.db.quick(sql, vec![person.as_str().into(), id.0.into()]).await?.first().map(draft).transpose()
    }

    /// Keeps a draft in the place of the one with its id.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn keep_draft(&self, person: &PersonId, kept: &StoredDraft) -> Result<(), Error> {
        const KEEP: &str = "insert into drafts (person, id, content, problems, saved_at) values ($1, $2, $3, $4, $5) \
                            on conflict (person, id) do update set content = excluded.content, \
                            problems = excluded.problems, saved_at = excluded.saved_at";
        let problems: Vec<_> = kept.problems.iter().map(|p| json!([p.field, p.code, p.message])).collect();
        let args = vec![
            person.as_str().into(),
            kept.id.0.into(),
            kept.content.as_str().into(),
            json!(problems).to_string().into(),
            ms(kept.saved_at).into(),
        ];
        self.ask(|done| Work::Statement(KEEP, args, done)).await.map(drop)
    }

    /// Forgets a draft. Whether there was one.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn forget_draft(&self, person: &PersonId, id: DraftId) -> Result<bool, Error> {
        const FORGET: &str = "delete from drafts where person = $1 and id = $2";
        let args = vec![person.as_str().into(), id.0.into()];
        Ok(self.ask(|done| Work::Statement(FORGET, args, done)).await? > 0)
    }
}
