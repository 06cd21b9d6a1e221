//! Runs of connectors that are components, as they were.

use jiff::Timestamp;
use uuid::Uuid;

use crate::desk::id::OpId;
use crate::store::db::Arg;
use crate::store::sql::columns::{at, corrupt, ms};
use crate::store::{Error, Store};

const T: &str = "connector_runs";
/// Runs of one order that are kept.
const KEPT: usize = 20;

/// One run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectorRun {
    pub id: Uuid,
    pub op: OpId,
    pub attempt: u32,
    pub at: Timestamp,
    /// Whether it has looked only, and was to change nothing.
    pub looked: bool,
    /// All of it, as JSON.
    pub record: String,
}

impl Store {
    /// Keeps runs of one order, and forgets its oldest.
    ///
    /// # Errors
    ///
    /// Where the store cannot be written.
    pub async fn keep_runs(&self, runs: &[ConnectorRun]) -> Result<(), Error> {
        let Some(op) = runs.first().map(|run| run.op) else { return Ok(()) };
        let rows = runs.iter().map(|run| {
            vec![
                run.id.into(),
                run.op.0.into(),
                i64::from(run.attempt).into(),
                ms(run.at).into(),
                i64::from(run.looked).into(),
                Arg::from(run.record.as_str()),
            ]
        });
        let rows: Vec<Vec<Arg>> = rows.collect();
        let written = self.db.durably(async |mut tx| {
            tx.insert("insert into connector_runs (id, op, attempt, at, looked, record)", 6, "", rows.clone()).await?;
            let sql = format!(
                "delete from connector_runs where op = $1 and id not in \
                 (select id from connector_runs where op = $1 order by id desc limit {KEPT})"
            );
            tx.execute(&sql, vec![op.0.into()]).await?;
            Ok(((), tx))
        });
        written.await
    }

    /// The runs of one order that are kept, oldest first.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn runs_of(&self, op: OpId) -> Result<Vec<ConnectorRun>, Error> {
        let sql = "select id, attempt, at, looked, record from connector_runs where op = $1 order by id";
        let rows = self.db.all(sql, vec![op.0.into()]).await?;
        let run = |row: &crate::store::db::Row| {
            let attempt = row.int(1)?;
            Ok(ConnectorRun {
                id: row.uuid(0)?,
                op,
                attempt: u32::try_from(attempt).map_err(|_| corrupt(T, "attempt", attempt.to_string()))?,
                at: at(T, "at", row.int(2)?)?,
                looked: row.int(3)? == 1,
                record: row.text(4)?,
            })
        };
        Ok(self.readable(T, &rows, run))
    }
}
