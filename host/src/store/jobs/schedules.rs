//! How far what comes again has come. One host works on an occurrence at a time: it has a claim for so long.

use jiff::Timestamp;
use uuid::Uuid;

use super::{Lease, cut};
use crate::store::db::Row;
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
    /// Since when it is paused; `None` where it runs.
    pub paused_at: Option<Timestamp>,
    /// Whether the next occurrence is done at once, before its time.
    pub wanted: bool,
}

/// An occurrence that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub at: Timestamp,
    pub done_at: Timestamp,
    /// Why it was left out; empty where it was done.
    pub left_out: String,
}

/// The most ended occurrences that are kept of one entry.
pub const RUNS_MAX: usize = 100;

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
        self.write(sql, vec![name.into(), ms(now).into()]).await?;
        self.schedule_if_any(name).await?.ok_or(Error::Stopped)
    }

    /// How far an entry has come, where it has begun.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn schedule_if_any(&self, name: &str) -> Result<Option<Progress>, Error> {
        let sql =
            "select done_until, attempts, last_error, leased_until, paused_at, wanted from schedules where name = $1";
        let row = self.db.optional(sql, vec![name.into()]).await?;
        row.map(|row| {
            Ok(Progress {
                done_until: at("schedules", "done_until", row.int(0)?)?,
                attempts: row.int(1)?,
                last_error: row.text(2)?,
                leased_until: at_or_epoch(row.int(3)?),
                paused_at: row.opt_int(4)?.map(|ms| at("schedules", "paused_at", ms)).transpose()?,
                wanted: row.int(5)? == 1,
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
        Ok(self.write(sql, args).await? == 1)
    }

    /// Writes down that an occurrence is done, or given up on for this reason. Whether the claim still held.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn schedule_done(&self, name: &str, fence: Uuid, run: &Run) -> Result<bool, Error> {
        let done = "update schedules set done_until = $1, fence = null, leased_until = 0, attempts = 0, wanted = 0, \
                    last_error = $2 where name = $3 and fence = $4";
        let kept = "insert into schedule_runs (name, at, done_at, left_out) values ($1, $2, $3, $4) \
                    on conflict (name, at) do nothing";
        let forgotten = format!(
            "delete from schedule_runs where name = $1 and at not in \
             (select at from schedule_runs where name = $1 order by at desc limit {RUNS_MAX})"
        );
        let why = cut(&run.left_out);
        let written = self.db.durably(async |mut tx| {
            let args = vec![ms(run.at).into(), why.into(), name.into(), fence.into()];
            let held = tx.execute(done, args).await? == 1;
            if held {
                tx.execute(kept, vec![name.into(), ms(run.at).into(), ms(run.done_at).into(), why.into()]).await?;
                tx.execute(&forgotten, vec![name.into()]).await?;
            }
            Ok((held, tx))
        });
        written.await
    }

    /// The last occurrences of an entry that ended, the latest first; at most [`RUNS_MAX`].
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn schedule_runs(&self, name: &str) -> Result<Vec<Run>, Error> {
        let sql = format!(
            "select at, done_at, left_out from schedule_runs where name = $1 order by at desc limit {RUNS_MAX}"
        );
        let run = |row: &Row| {
            let time = |place, column| at("schedule_runs", column, row.int(place)?);
            Ok(Run { at: time(0, "at")?, done_at: time(1, "done_at")?, left_out: row.text(2)? })
        };
        Ok(self.readable("schedule_runs", &self.db.all(&sql, vec![name.into()]).await?, run))
    }

    /// Pauses an entry, or lets it run again from now on: what would have come meanwhile is left out. Whether that changed anything.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn pause_schedule(&self, name: &str, paused: bool, now: Timestamp) -> Result<bool, Error> {
        let sql = match paused {
            true => "update schedules set paused_at = $1, wanted = 0 where name = $2 and paused_at is null",
            false => {
                "update schedules set paused_at = null, attempts = 0, done_until = \
                 case when done_until > $1 then done_until else $1 end where name = $2 and paused_at is not null"
            }
        };
        Ok(self.write(sql, vec![ms(now).into(), name.into()]).await? == 1)
    }

    /// Has the next occurrence of an entry done at once. Whether it runs, so that it is.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn want_schedule(&self, name: &str) -> Result<bool, Error> {
        let sql = "update schedules set wanted = 1, leased_until = case when fence is null then 0 else leased_until end \
                   where name = $1 and paused_at is null";
        Ok(self.write(sql, vec![name.into()]).await? == 1)
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
        self.write(sql, args).await.map(drop)
    }
}
