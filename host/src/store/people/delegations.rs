//! Leave that people have given others by themselves to approve in their place.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;

use crate::desk::change::message::MessageKind;
use crate::desk::id::{DelegationId, MessageId, PersonId};
use crate::desk::organisation::accounts::{Given, OwnDelegation};
use crate::store::chain::audit;
use crate::store::db::{Arg, Row, Tx, apart};
use crate::store::sql::columns::{at, ms, parsed};
use crate::store::{Error, Store};

const T: &str = "delegations";
const COLUMNS: &str = "id, person, delegate, first_day, last_day, made_at, ended_at, ended_by";
/// The most that are read together.
const READ_MAX: usize = 100_000;

/// A letter to one of the two whom it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub id: MessageId,
    pub to: PersonId,
}

impl Store {
    /// How often anything was given or ended.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn delegation_revision(&self) -> Result<i64, Error> {
        self.number("select revision from delegation_revision where id = 1", Vec::new()).await
    }

    /// All whose last day is not before this one, the newest first.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn delegations(&self, since: Date) -> Result<Vec<OwnDelegation>, Error> {
        let sql = format!(
            "select {COLUMNS} from delegations where last_day >= $1 order by made_at desc, id desc limit {READ_MAX}"
        );
        Ok(self.readable(T, &self.db.all(&sql, vec![since.to_string().into()]).await?, delegation))
    }

    /// One of them.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read, or it is damaged.
    pub async fn delegation(&self, id: DelegationId) -> Result<Option<OwnDelegation>, Error> {
        let sql = format!("select {COLUMNS} from delegations where id = $1");
        self.db.optional(&sql, vec![id.0.into()]).await?.as_ref().map(delegation).transpose()
    }

    /// Keeps one that is new, with the letters about it, and notes it in the audit, where nothing was given or ended since this revision;
    /// whether that is so.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn keep_delegation(&self, made: &OwnDelegation, known: i64, notices: &[Notice]) -> Result<bool, Error> {
        let (db, made, notices) = (self.db.clone(), made.clone(), notices.to_vec());
        apart(async move {
            let (made, notices) = (&made, notices.as_slice());
            let written = db.durably(|mut tx| async move {
                let sql = "update delegation_revision set revision = revision + 1 where id = 1 and revision = $1";
                let is_new = tx.execute(sql, vec![known.into()]).await? == 1;
                if is_new {
                    let head = format!("insert into delegations ({COLUMNS})");
                    tx.insert(&head, 8, "", vec![values(made)]).await?;
                    write_notices(&mut tx, made, (notices, made.given.at)).await?;
                    audit::append(&mut tx, &[noted(made, made.given.at)]).await?;
                }
                Ok((is_new, tx))
            });
            written.await
        })
        .await
    }

    /// Keeps that one has ended, with the letters about it, and notes it in the audit, unless it had ended before.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn end_delegation(&self, ended: &OwnDelegation, notices: &[Notice]) -> Result<(), Error> {
        let Some(when) = ended.given.ended else { return Ok(()) };
        let (db, ended, notices) = (self.db.clone(), ended.clone(), notices.to_vec());
        apart(async move {
            let (ended, notices) = (&ended, notices.as_slice());
            let written = db.durably(|mut tx| async move {
                let sql = "update delegations set ended_at = $1, ended_by = $2 where id = $3 and ended_at is null";
                let args = vec![ms(when).into(), ended.ended_by.clone().into(), Arg::from(ended.id.0)];
                if tx.execute(sql, args).await? == 1 {
                    let sql = "update delegation_revision set revision = revision + 1 where id = 1";
                    tx.execute(sql, Vec::new()).await?;
                    write_notices(&mut tx, ended, (notices, when)).await?;
                    audit::append(&mut tx, &[noted(ended, when)]).await?;
                }
                Ok(((), tx))
            });
            written.await
        })
        .await
    }
}

async fn write_notices(
    tx: &mut Tx,
    about: &OwnDelegation,
    (notices, now): (&[Notice], Timestamp),
) -> Result<(), Error> {
    let row = |notice: &Notice| {
        vec![
            notice.id.0.into(),
            about.id.0.into(),
            MessageKind::Delegation.code().into(),
            notice.to.as_str().into(),
            ms(now).into(),
            Arg::from(ms(now)),
        ]
    };
    let head = "insert into outbox (id, ticket, kind, recipient, queued_at, not_before)";
    tx.insert_later(head, 6, "", notices.iter().map(row).collect()).await
}

/// All that is known of one, as the audit has it.
fn noted(one: &OwnDelegation, now: Timestamp) -> audit::Entry {
    let detail = json!({ "person": one.person.as_str(), "to": one.to.as_str(), "from": one.from.to_string(),
        "until": one.until.to_string(), "made_at": ms(one.given.at), "ended_at": one.given.ended.map(ms),
        "ended_by": one.ended_by });
    audit::Entry { at: now, event: audit::DELEGATION, about: one.id.to_string(), detail }
}

fn values(one: &OwnDelegation) -> Vec<Arg> {
    vec![
        one.id.0.into(),
        one.person.as_str().into(),
        one.to.as_str().into(),
        one.from.to_string().into(),
        one.until.to_string().into(),
        ms(one.given.at).into(),
        one.given.ended.map(ms).into(),
        Arg::from(one.ended_by.clone()),
    ]
}

fn delegation(row: &Row) -> Result<OwnDelegation, Error> {
    let ended = row.opt_int(6)?.map(|ended| at(T, "ended_at", ended)).transpose()?;
    Ok(OwnDelegation {
        id: DelegationId(row.uuid(0)?),
        person: parsed(T, "person", &row.text(1)?)?,
        to: parsed(T, "delegate", &row.text(2)?)?,
        from: parsed(T, "first_day", &row.text(3)?)?,
        until: parsed(T, "last_day", &row.text(4)?)?,
        given: Given { at: at(T, "made_at", row.int(5)?)?, ended },
        ended_by: row.opt_text(7)?,
    })
}
