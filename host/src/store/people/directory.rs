//! The users and groups that the company's identity provider keeps here.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::desk::id::PersonId;
use crate::desk::organisation::directory::EntryKind;
use crate::store::chain::{audit, entrance};
use crate::store::db::{Arg, Row, Tx, apart};
use crate::store::sql::columns::{at, corrupt, ms};
use crate::store::{Error, Store};

const T: &str = "directory_entries";
const COLUMNS: &str = "id, kind, name, stands_for, body, version, created_at, changed_at, deleted_at";

/// A user or a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub id: Uuid,
    pub kind: EntryKind,
    /// In lower case; no other of its kind has it.
    pub name: String,
    /// The id of the person, or of the group in the organisation.
    pub stands_for: String,
    /// A JSON object.
    pub body: Value,
    pub version: i64,
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
}

/// The outcome of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    Written,
    /// The entry, or the directory, is not what was read.
    Overtaken,
}

impl Store {
    /// How often the directory has changed.
    pub async fn directory_revision(&self) -> Result<i64, Error> {
        self.number("select revision from directory_revision where id = 1", Vec::new()).await
    }

    /// All entries, in the order in which they came; also those that were deleted.
    pub async fn directory_entries(&self) -> Result<Vec<Entry>, Error> {
        let sql = format!("select {COLUMNS} from directory_entries order by created_at, id");
        self.db.all_of_history(&sql, Vec::new()).await?.iter().map(entry).collect()
    }

    /// Writes an entry as it stands, where the directory has not changed since this revision, and notes who did.
    pub async fn keep_entry(&self, entry: &Entry, known: i64, mut noted: audit::Entry) -> Result<Kept, Error> {
        let (db, entry) = (self.db.clone(), entry.clone());
        if let Some(detail) = noted.detail.as_object_mut() {
            detail.insert("row".to_owned(), json!(facts(&entry)));
        }
        apart(async move {
            let (entry, noted) = (&entry, std::slice::from_ref(&noted));
            let written = db.durably(|mut tx| async move {
                let sql = "update directory_revision set revision = revision + 1 where id = 1 and revision = $1";
                let kept =
                    if tx.execute(sql, vec![known.into()]).await? == 1 { Kept::Written } else { Kept::Overtaken };
                if kept == Kept::Written {
                    // One who comes back is another entry for the same person.
                    let sql = "delete from directory_entries where kind = $1 and stands_for = $2 and id <> $3";
                    let args = vec![entry.kind.code().into(), entry.stands_for.as_str().into(), Arg::from(entry.id)];
                    tx.execute(sql, args).await?;
                    let tail = "on conflict (id) do update set name = excluded.name, body = excluded.body, \
                                version = excluded.version, changed_at = excluded.changed_at, \
                                deleted_at = excluded.deleted_at";
                    let head = format!("insert into directory_entries ({COLUMNS})");
                    tx.insert(&head, 9, tail, vec![row(entry)]).await?;
                    audit::append(&mut tx, noted).await?;
                }
                Ok((kept, tx))
            });
            written.await
        })
        .await
    }
}

/// Takes a person out of the directory and its groups, so that nothing of what the provider said stays; the groups, as the audit
/// has them from then on.
pub(super) async fn erase(tx: &mut Tx, person: &PersonId) -> Result<Vec<entrance::Row>, Error> {
    let mut groups = Vec::new();
    let sql = "select id from directory_entries where kind = 'user' and stands_for = $1";
    let users = tx.all(sql, vec![person.as_str().into()]).await?;
    for user in &users {
        let id = user.uuid(0)?;
        let sql = "select id, body from directory_entries where kind = 'group' and body like $1";
        for group in tx.all(sql, vec![format!("%{id}%").into()]).await? {
            let text = group.text(1)?;
            let mut body: Value = serde_json::from_str(&text).map_err(|_| corrupt(T, "body", text))?;
            if let Some(members) = body.get_mut("members").and_then(Value::as_array_mut) {
                let is_user = |member: &Value| member["value"].as_str().and_then(|v| v.parse().ok()) == Some(id);
                members.retain(|member| !is_user(member));
            }
            let sql = format!(
                "update directory_entries set body = $1, version = version + 1 where id = $2 returning {COLUMNS}"
            );
            for changed in tx.all(&sql, vec![body.to_string().into(), group.uuid(0)?.into()]).await? {
                groups.push(facts(&entry(&changed)?));
            }
        }
        tx.execute("delete from directory_entries where id = $1", vec![id.into()]).await?;
    }
    if !users.is_empty() {
        tx.execute("update directory_revision set revision = revision + 1 where id = 1", Vec::new()).await?;
    }
    Ok(groups)
}

/// An entry's key and facts, as the audit has them.
fn facts(entry: &Entry) -> entrance::Row {
    let time = |at: Timestamp| ms(at).to_string();
    let facts = vec![
        entry.kind.code().to_owned(),
        entrance::digest(&entry.name),
        entry.stands_for.clone(),
        entrance::digest(&entry.body.to_string()),
        entry.version.to_string(),
        time(entry.created_at),
        time(entry.changed_at),
        entry.deleted_at.map(time).unwrap_or_default(),
    ];
    (entry.id.to_string(), facts)
}

fn row(entry: &Entry) -> Vec<Arg> {
    vec![
        entry.id.into(),
        entry.kind.code().into(),
        entry.name.as_str().into(),
        entry.stands_for.as_str().into(),
        entry.body.to_string().into(),
        entry.version.into(),
        ms(entry.created_at).into(),
        ms(entry.changed_at).into(),
        Arg::from(entry.deleted_at.map(ms)),
    ]
}

fn entry(row: &Row) -> Result<Entry, Error> {
    let (kind, body) = (row.text(1)?, row.text(4)?);
    Ok(Entry {
        id: row.uuid(0)?,
        kind: EntryKind::from_code(&kind).ok_or_else(|| corrupt(T, "kind", kind))?,
        name: row.text(2)?,
        stands_for: row.text(3)?,
        body: serde_json::from_str(&body).map_err(|_| corrupt(T, "body", body))?,
        version: row.int(5)?,
        created_at: at(T, "created_at", row.int(6)?)?,
        changed_at: at(T, "changed_at", row.int(7)?)?,
        deleted_at: row.opt_int(8)?.map(|when| at(T, "deleted_at", when)).transpose()?,
    })
}
