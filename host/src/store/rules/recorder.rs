//! Writing decision records: packed on the thread that made them, written with many others in one transaction.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::decisions::{Chained, DecisionRecord, RunRecord, StoredRun, run_content};
use super::packing::{self, Dictionary, NotPacked, dictionary};
use super::rollups::{Call, Rollups};
use crate::desk::id::{RunId, TicketId};
use crate::store::Error;
use crate::store::chain::{Chain, ContentDigest, Encoding, Ends};
use crate::store::db::{Arg, Tx};
use crate::store::sql::columns::ms;

/// Dictionaries whose ids are remembered.
const KNOWN_MAX: usize = 1_024;

/// A run as it is written.
#[derive(Debug, Clone)]
pub struct PackedRun {
    pub id: RunId,
    pub ticket: TicketId,
    pub at: Timestamp,
    pub generation: i64,
    pub revision: Option<i64>,
    pub packed: Packed,
    /// Of the texts, before they were packed.
    content: ContentDigest,
}

/// The texts of a run as they are written, and what is counted of them.
#[derive(Debug, Clone)]
pub struct Packed {
    pub dictionary: Arc<Dictionary>,
    pub bytes: Vec<u8>,
    pub calls: Vec<Call>,
}

impl RunRecord {
    /// Packs the record, with what is to be counted of it.
    ///
    /// # Errors
    ///
    /// [`NotPacked`].
    pub fn pack(&self, dictionary: &Arc<Dictionary>, calls: Vec<Call>) -> Result<PackedRun, NotPacked> {
        let generation = i64::try_from(self.generation).unwrap_or(i64::MAX);
        let decisions = || self.decisions.iter().map(DecisionRecord::texts);
        let texts = [self.cause, self.engine, &self.common].into_iter().chain(decisions().flatten());
        let bytes = packing::pack(texts, dictionary)?;
        let run = Chained {
            id: self.id,
            ticket: self.ticket,
            at: ms(self.at),
            generation,
            revision: self.revision,
            cause: self.cause,
            engine: self.engine,
            common: &self.common,
            decisions: decisions().collect(),
        };
        Ok(PackedRun {
            id: self.id,
            ticket: self.ticket,
            at: self.at,
            generation,
            revision: self.revision,
            packed: Packed { dictionary: Arc::clone(dictionary), bytes, calls },
            content: run_content(&run, Encoding::Two),
        })
    }
}

impl DecisionRecord {
    fn texts(&self) -> [&str; 4] {
        [self.stage, &self.input, &self.verdict, &self.rules]
    }
}

impl StoredRun {
    /// Packs a run that was written before there were packed ones; `None` where it cannot be read.
    ///
    /// # Errors
    ///
    /// [`NotPacked`].
    pub fn pack(&self, dictionary: &Arc<Dictionary>, calls: Vec<Call>) -> Result<Option<Packed>, NotPacked> {
        let Ok(texts) = &self.recorded else { return Ok(None) };
        let bytes = packing::pack(texts.all(), dictionary)?;
        Ok(Some(Packed { dictionary: Arc::clone(dictionary), bytes, calls }))
    }
}

/// What one who writes records remembers from one transaction to the next.
#[derive(Debug, Default)]
pub struct Recorder {
    /// Ids of dictionaries that are in the database, by digest.
    known: HashMap<String, i64>,
    rollups: Rollups,
    /// Whether a transaction has begun of which is not known that it was committed.
    open: bool,
}

impl Recorder {
    /// Says that the transaction which was last written in is committed. Where this is not said, the next one trusts nothing
    /// that this one remembers.
    pub fn committed(&mut self) {
        self.open = false;
    }

    fn begin(&mut self) {
        if self.open || self.known.len() > KNOWN_MAX {
            *self = Self::default();
        }
        self.open = true;
    }

    /// The id of a dictionary, which is written where it is not there yet.
    pub(super) async fn dictionary(&mut self, tx: &mut Tx, wanted: &Dictionary) -> Result<i64, Error> {
        if let Some(id) = self.known.get(wanted.digest()) {
            return Ok(*id);
        }
        let id = dictionary::register(tx, wanted).await?;
        self.known.insert(wanted.digest().to_owned(), id);
        Ok(id)
    }

    /// Writes what runs are packed with and what they add up to, for which others may have to be waited for; the ids of their
    /// dictionaries.
    pub async fn prepare(&mut self, tx: &mut Tx, runs: &[&PackedRun]) -> Result<Vec<i64>, Error> {
        if runs.is_empty() {
            return Ok(Vec::new());
        }
        self.begin();
        let mut dictionaries = Vec::with_capacity(runs.len());
        for run in runs {
            dictionaries.push(self.dictionary(tx, &run.packed.dictionary).await?);
        }
        self.rollups.write(tx, runs.iter().map(|run| (run.at, run.packed.calls.as_slice()))).await?;
        Ok(dictionaries)
    }
}

impl PackedRun {
    /// Writes runs with the ids of their dictionaries in a transaction that has taken the end of their chain where there are any.
    pub async fn insert(
        tx: &mut Tx,
        (runs, dictionaries): (&[&PackedRun], Vec<i64>),
        ends: &mut Ends,
    ) -> Result<(), Error> {
        if runs.is_empty() {
            return Ok(());
        }
        let mut end = ends.give(Chain::Runs)?;
        let rows = runs.iter().zip(dictionaries).map(|(run, dictionary)| {
            let (link, hash) = end.add(&run.content);
            vec![
                run.id.0.into(),
                run.ticket.0.into(),
                ms(run.at).into(),
                run.generation.into(),
                "".into(),
                "".into(),
                "".into(),
                run.revision.into(),
                dictionary.into(),
                run.packed.bytes.clone().into(),
                Some(link).into(),
                Arg::from(hash),
            ]
        });
        let rows = rows.collect();
        let head = "insert into runs (id, ticket, at, generation, cause, engine, common, revision, dictionary, packed, link, hash)";
        tx.insert_later(head, 12, "", rows).await?;
        end.put_back(tx).await
    }
}

impl Recorder {
    /// Puts old runs into the new shape; gives how many were still in the old one.
    pub async fn convert(&mut self, tx: &mut Tx, runs: &[(RunId, Timestamp, Packed)]) -> Result<usize, Error> {
        self.begin();
        let mut converted = Vec::with_capacity(runs.len());
        for (id, at, packed) in runs {
            let dictionary = self.dictionary(tx, &packed.dictionary).await?;
            let sql = "update runs set dictionary = $1, packed = $2, cause = '', engine = '', common = '' \
                       where id = $3 and packed is null";
            let args = vec![dictionary.into(), packed.bytes.clone().into(), id.0.into()];
            // Another host may have been sooner.
            if tx.execute(sql, args).await? == 1 {
                tx.later("delete from decisions where run = $1", vec![id.0.into()]).await?;
                converted.push((*at, packed.calls.as_slice()));
            }
        }
        let count = converted.len();
        self.rollups.write(tx, converted.into_iter()).await?;
        Ok(count)
    }
}
