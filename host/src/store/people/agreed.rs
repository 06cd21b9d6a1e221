//! The files of the configuration directory to which two people have agreed last, where the desk asks for two, and those that wait
//! for the second.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::store::chain::audit;
use crate::store::db::{Arg, Row};
use crate::store::sql::columns::{at_or_epoch, ms};
use crate::store::{Error, Store};

/// Files that wait for the second person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingFiles {
    /// SHA-256 of all of them, in hexadecimal.
    pub digest: String,
    /// The ways in which access would be easier to get.
    pub what: String,
    /// The first person, and when they asked.
    pub author: String,
    pub at: Timestamp,
}

impl Store {
    /// The files that were agreed to last, by their paths; none before the first time.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn agreed_files(&self) -> Result<BTreeMap<String, String>, Error> {
        let rows = self.db.all("select file, content from configuration_agreed order by file", Vec::new()).await?;
        rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
    }

    /// Whether the files that are agreed to were so together with their tables, also where there are none: earlier versions kept no
    /// tables.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn agreed_with_tables(&self) -> Result<bool, Error> {
        let sql = "select file from configuration_agreed where with_tables = 0 limit 1";
        Ok(self.db.optional(sql, Vec::new()).await?.is_none())
    }

    /// The files that wait for the second person.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn waiting_files(&self) -> Result<Option<WaitingFiles>, Error> {
        let sql =
            "select digest, what, author, noted_at from configuration_waiting order by noted_at desc, digest limit 1";
        let row = self.db.optional(sql, Vec::new()).await?;
        let read = |row: Row| -> Result<WaitingFiles, Error> {
            let at = at_or_epoch(row.int(3)?);
            Ok(WaitingFiles { digest: row.text(0)?, what: row.text(1)?, author: row.text(2)?, at })
        };
        row.map(read).transpose()
    }

    /// Notes that files wait for the second person, in the place of those that waited before.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn keep_waiting_files(&self, waiting: &WaitingFiles) -> Result<(), Error> {
        let WaitingFiles { digest, what, author, at } = waiting;
        let row: Vec<Arg> =
            vec![digest.as_str().into(), what.as_str().into(), author.as_str().into(), Arg::from(ms(*at))];
        let head = "insert into configuration_waiting (digest, what, author, noted_at)";
        let written = self.db.durably(async |mut tx| {
            tx.execute("delete from configuration_waiting", Vec::new()).await?;
            tx.insert(head, 4, "on conflict (digest) do nothing", vec![row.clone()]).await?;
            Ok(((), tx))
        });
        written.await
    }

    /// Keeps the files that are agreed to, in the place of those before, and notes it in the audit; none waits any more.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn agree_to_files(
        &self,
        files: &BTreeMap<String, String>,
        detail: &Value,
        now: Timestamp,
    ) -> Result<(), Error> {
        let row = |(file, content): (&String, &String)| {
            vec![file.as_str().into(), Arg::from(content.as_str()), Arg::from(1_i64)]
        };
        let rows: Vec<Vec<Arg>> = files.iter().map(row).collect();
        let head = "insert into configuration_agreed (file, content, with_tables)";
        let tail = "on conflict (file) do update set content = excluded.content, with_tables = excluded.with_tables";
        let written = self.db.durably(async |mut tx| {
            tx.execute("delete from configuration_agreed", Vec::new()).await?;
            tx.insert(head, 3, tail, rows.clone()).await?;
            tx.execute("delete from configuration_waiting", Vec::new()).await?;
            let (about, detail) = ("files".to_owned(), detail.clone());
            audit::append(&mut tx, &[audit::Entry { at: now, event: audit::FILES, about, detail }]).await?;
            Ok(((), tx))
        });
        written.await
    }
}
