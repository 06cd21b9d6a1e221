//! Records from before they were packed: found a few at a time, and put into the new shape, each few in one transaction.

use jiff::Timestamp;
use tokio::sync::Mutex;

use super::decisions::{Page, StoredRun};
use super::recorder::{Packed, Recorder};
use crate::desk::id::RunId;
use crate::store::{Error, Store};

impl Store {
    /// Runs in the old shape behind a run, the oldest first.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn unpacked_runs(&self, after: Option<RunId>, limit: i64) -> Result<Vec<StoredRun>, Error> {
        let after = after.map_or(uuid::Uuid::nil(), |run| run.0);
        let from = format!("(select * from runs where packed is null and id > $1 order by id limit {limit}) r");
        let page = Page { more: &[], from: &from, order: "r.id, d.stage", args: vec![after.into()] };
        Ok(self.read_runs(page, |_, _| Ok(())).await?.into_iter().map(|(run, ())| run).collect())
    }

    /// Puts runs into the new shape, all of them or none, and counts what their rules did; gives how many were still in the
    /// old one.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written to: then all is as before.
    pub async fn convert_runs(
        &self,
        recorder: &mut Recorder,
        runs: &[(RunId, Timestamp, Packed)],
    ) -> Result<usize, Error> {
        // The transaction may be made again: each time it borrows the recorder.
        let writer = Mutex::new(&mut *recorder);
        let (converted, flush) =
            self.db.transaction(async |mut tx| Ok((writer.lock().await.convert(&mut tx, runs).await?, tx))).await?;
        flush.done().await?;
        recorder.committed();
        Ok(converted)
    }
}
