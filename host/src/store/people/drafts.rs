//! Submissions that people go on with later.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::desk::id::{DraftId, PersonId};
use crate::desk::organisation::form::{Fault, Problem};
use crate::store::db::Row;
use crate::store::sql::columns::{at, corrupt, from_json, ms};
use crate::store::sql::page::Page;
use crate::store::{Error, Store};

/// Bytes of text that a page of drafts has, before the draft with which it gets larger.
const PAGE_BYTES_MAX: u64 = 1 << 20;
/// Drafts of a person that are looked at: more than one may keep, since several hosts count at the same moment.
const LOOKED_AT_MAX: i64 = 1_000;

/// A place in the list of a person's drafts: the instant at which the last before it was saved, in milliseconds, and its id.
pub type DraftPlace = (i64, Uuid);

/// The size of a draft, by which its text need not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DraftSize {
    pub id: DraftId,
    saved_at: i64,
    /// The bytes of all that is kept of it.
    pub bytes: u64,
}

impl DraftSize {
    fn place(&self) -> DraftPlace {
        (self.saved_at, self.id.0)
    }

    /// Whether it stands behind a place in the list, which has the latest first.
    fn is_behind(&self, (saved_at, id): DraftPlace) -> bool {
        self.saved_at < saved_at || (self.saved_at == saved_at && self.id.0 > id)
    }
}

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

/// A problem as it is kept: its field, its code and its sentence in English.
fn kept(problem: &Problem) -> [&str; 3] {
    [&problem.field, &problem.code, &problem.message]
}

/// A problem that was kept, here or by another program: what else that one keeps of it is left out.
fn problem(kept: Vec<Value>) -> Option<Problem> {
    let mut texts = kept.into_iter().map_while(|value| match value {
        Value::String(text) => Some(text),
        _ => None,
    });
    let (field, code, message) = (texts.next()?, texts.next()?, texts.next()?);
    let fault = Fault::read(&message);
    Some(Problem { field, code, message, fault })
}

fn problems(text: &str) -> Result<Vec<Problem>, Error> {
    let kept: Vec<Vec<Value>> = from_json("drafts", "problems", text)?;
    let problems: Option<Vec<Problem>> = kept.into_iter().map(problem).collect();
    problems.ok_or_else(|| corrupt("drafts", "problems", text))
}

fn draft(row: &Row) -> Result<StoredDraft, Error> {
    Ok(StoredDraft {
        id: DraftId(row.uuid(0)?),
        content: row.text(1)?,
        problems: problems(&row.text(2)?)?,
        saved_at: at("drafts", "saved_at", row.int(3)?)?,
    })
}

impl Store {
    /// The sizes of a person's drafts, the latest first.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn draft_sizes(&self, person: &PersonId) -> Result<Vec<DraftSize>, Error> {
        let sql = "select id, saved_at, cast(octet_length(content) + octet_length(problems) as bigint) from drafts \
                   where person = $1 order by saved_at desc, id limit $2";
        let size = |row: &Row| {
            let bytes = u64::try_from(row.int(2)?).unwrap_or_default();
            Ok(DraftSize { id: DraftId(row.uuid(0)?), saved_at: row.int(1)?, bytes })
        };
        let rows = self.db.quick(sql, vec![person.as_str().into(), LOOKED_AT_MAX.into()]).await?;
        Ok(self.readable("drafts", &rows, size))
    }

    /// A page of a person's drafts, the latest first: those behind a place, at most `limit` and about [`PAGE_BYTES_MAX`].
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn drafts_page(
        &self,
        person: &PersonId,
        after: Option<DraftPlace>,
        limit: usize,
    ) -> Result<Page<StoredDraft, DraftPlace>, Error> {
        // Lengths are read before the texts: those may be long.
        let mut sizes = self.draft_sizes(person).await?;
        sizes.retain(|size| after.is_none_or(|place| size.is_behind(place)));
        let (before, mut bytes) = (sizes.len(), 0);
        let fits = |size: &&DraftSize| {
            let fits = bytes < PAGE_BYTES_MAX;
            bytes += size.bytes;
            fits
        };
        let count = sizes.iter().take(limit).take_while(fits).count();
        sizes.truncate(count);
        let (Some(first), Some(last)) = (sizes.first(), sizes.last()) else {
            return Ok(Page { items: Vec::new(), next: None });
        };
        let sql = "select id, content, problems, saved_at from drafts where person = $1 \
                   and (saved_at < $2 or (saved_at = $2 and id >= $3)) \
                   and (saved_at > $4 or (saved_at = $4 and id <= $5)) order by saved_at desc, id limit $6";
        let ((from, from_id), (to, to_id)) = (first.place(), last.place());
        let most = i64::try_from(count).unwrap_or(LOOKED_AT_MAX);
        let args = vec![person.as_str().into(), from.into(), from_id.into(), to.into(), to_id.into(), most.into()];
        let rows = self.db.quick(sql, args).await?;
        Ok(Page { items: self.readable("drafts", &rows, draft), next: (count < before).then(|| last.place()) })
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
    pub async fn keep_draft(&self, person: &PersonId, draft: &StoredDraft) -> Result<(), Error> {
        const KEEP: &str = "insert into drafts (person, id, content, problems, saved_at) values ($1, $2, $3, $4, $5) \
                            on conflict (person, id) do update set content = excluded.content, \
                            problems = excluded.problems, saved_at = excluded.saved_at";
        let problems: Vec<[&str; 3]> = draft.problems.iter().map(kept).collect();
        let args = vec![
            person.as_str().into(),
            draft.id.0.into(),
            draft.content.as_str().into(),
            json!(problems).to_string().into(),
            ms(draft.saved_at).into(),
        ];
        self.write_in_turn(KEEP, args).await.map(drop)
    }

    /// Forgets a draft. Whether there was one.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn forget_draft(&self, person: &PersonId, id: DraftId) -> Result<bool, Error> {
        const FORGET: &str = "delete from drafts where person = $1 and id = $2";
        let args = vec![person.as_str().into(), id.0.into()];
        Ok(self.write_in_turn(FORGET, args).await? > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hosts of one desk may run programs of two releases for a while.
    #[test]
    fn problems_are_read_by_the_programs_before_and_after() {
        let of_desk = Problem::of("colleague", "required", Fault::FillIn, &[&"Name"]);
        let of_rule = Problem::new("subject", "too-vague", "Say which printer it is.");
        let written = json!([kept(&of_desk), kept(&of_rule)]).to_string();
        let triples: Vec<(String, String, String)> = serde_json::from_str(&written).unwrap();
        assert_eq!(triples.len(), 2, "as earlier programs read them");
        assert_eq!(problems(&written).unwrap(), [of_desk.clone(), of_rule]);
        let of_later = r#"[["colleague", "required", "Fill in Name.", "fill-in", "Name", {"more": [1]}, "text"]]"#;
        assert_eq!(problems(of_later).unwrap(), [of_desk]);
        assert!(problems(r#"[["colleague", "required"]]"#).is_err());
    }
}
