//! Records by rule and time, page by page.

use jiff::Timestamp;
use uuid::Uuid;

use crate::desk::id::RunId;
use crate::store::{Error, Store};

/// A place in the order of the records: runs by id, which is by time, and the stages of a run by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    run: RunId,
    stage: String,
}

impl Place {
    /// Before the first record of a time. Runs have ids of UUID version 7, which begin with the millisecond in which they were
    /// made, so that no further index is needed, and none has to be written.
    pub fn at(time: Timestamp) -> Self {
        let millisecond = u64::try_from(time.as_millisecond()).unwrap_or(0);
        let first = uuid::Builder::from_unix_timestamp_millis(millisecond, &[0; 10]).into_uuid();
        Self { run: RunId(first), stage: String::new() }
    }
}

/// A stage at which a rule was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageAsking {
    pub run: RunId,
    pub stage: String,
    /// The combined result, as JSON.
    pub verdict: String,
    /// Each rule's part, as a JSON array.
    pub rules: String,
}

impl StageAsking {
    /// Where it is.
    pub fn place(self) -> Place {
        Place { run: self.run, stage: self.stage }
    }
}

impl Store {
    /// The stages behind a place at which a rule was asked, at most `limit`. A name that has SQL's wildcards may bring some
    /// more: whoever reads the parts looks at their names.
    pub async fn stages_asking(&self, rule: &str, after: &Place, limit: i64) -> Result<Vec<StageAsking>, Error> {
        let sql = "select run, stage, verdict, rules from decisions \
                   where (run, stage) > ($1, $2) and rules like $3 order by run, stage limit $4";
        let part = format!("%\"rule\":\"{rule}\"%");
        let run: Uuid = after.run.0;
        let args = vec![run.into(), after.stage.clone().into(), part.into(), limit.into()];
        let rows = self.db.all(sql, args).await?;
        rows.into_iter()
            .map(|row| {
                let run = RunId(row.uuid(0)?);
                Ok(StageAsking { run, stage: row.text(1)?, verdict: row.text(2)?, rules: row.text(3)? })
            })
            .collect()
    }

    /// Whether a rule of this name has ever been live.
    pub async fn has_rule(&self, name: &str) -> Result<bool, Error> {
        let sql = "select 1 from rule_versions where name = $1 limit 1";
        Ok(self.db.optional(sql, vec![name.into()]).await?.is_some())
    }
}
