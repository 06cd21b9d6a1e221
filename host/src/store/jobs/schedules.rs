//! How far what comes again has come. One host works on an occurrence at a time: it has a claim for so long.

use jiff::Timestamp;
use uuid::Uuid;

use super::{Lease, cut};
use crate::store::sql::columns::{at, at_or_epoch, ms};
use crate::store::{Error, Store};

/// How far an entry has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The last occurrence that was done, or from when on the entry is there.
    pub done_until: Timestamp,
    /// Tries of the next one that failed, and why the last did.
    pub attempts: i64,
    pub last_error: String,
    /// Until when it is left alone.
    pub leased_until: Timestamp,
}

impl Store {
    /// How far an entry has come; one that is new begins now.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read or written.
    pub async fn schedule(&self, name: &str, now: Timestamp) -> Result<Progress, Error> {
        if let Some(progress) = self.schedule_if_any(name).await? {
            return Ok(progress);
        }
        let sql = "insert into schedules (name, done_until) values ($1, $2) on conflict (name) do nothing";
        self.write_job(sql, vec![name.into(), ms(now).into()]).await?;
        self.schedule_if_any(name).await?.ok_or(Error::Stopped)
    }

    /// How far an entry has come, where it has begun.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn schedule_if_any(&self, name: &str) -> Result<Option<Progress>, Error> {
        let sql = "select done_until, attempts, last_error, leased_until from schedules where name = $1";
        let row = self.db.optional(sql, vec![name.into()]).await?;
        row.map(|row| {
            Ok(Progress {
                done_until: at("schedules", "done_until", row.int(0)?)?,
                attempts: row.int(1)?,
                last_error: row.text(2)?,
                leased_until: at_or_epoch(row.int(3)?),
            })
        })
        .transpose()
    }

    /// Claims the next occurrence of an entry that has come so far. Whether this host has it.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn claim_schedule(&self, name: &str, done_until: Timestamp, lease: &Lease) -> Result<bool, Error> {
        let sql = "update schedules set fence = $1, leased_until = $2, attempts = attempts + 1 \
                   where name = $3 and done_until = $4 and leased_until <= $5";
        let args =
            vec![lease.fence.into(), ms(lease.until).into(), name.into(), ms(done_until).into(), ms(lease.now).into()];
        Ok(self.write_job(sql, args).await? == 1)
    }

    /// Writes down that an occurrence is done, or given up on for this reason. Whether the claim still held.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn schedule_done(&self, name: &str, fence: Uuid, until: Timestamp, why: &str) -> Result<bool, Error> {
        let sql = "update schedules set done_until = $1, fence = null, leased_until = 0, attempts = 0, last_error = $2 \
                   where name = $3 and fence = $4";
        Ok(self.write_job(sql, vec![ms(until).into(), cut(why).into(), name.into(), fence.into()]).await? == 1)
    }

    /// Writes down that a try failed, and when the next one is.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn schedule_failed(&self, name: &str, fence: Uuid, again: Timestamp, why: &str) -> Result<(), Error> {
        let sql =
            "update schedules set fence = null, leased_until = $1, last_error = $2 where name = $3 and fence = $4";
        let args = vec![ms(again).into(), cut(why).into(), name.into(), fence.into()];
        self.write_job(sql, args).await.map(drop)
    }
}
