//! Old records leave the database: the oldest part of the chain of runs is put into immutable segment files, and each file is
//! anchored in a chain of acts.
//!
//! A file is written, read back and checked before the one transaction that anchors it and takes the packed bytes out of
//! `runs`: at any point the database, or a file that is proved, has each record. The small rows stay, with the place of
//! their record in the file.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::decisions::{RunTexts, StoredRun};
use super::packing::Dictionary;
use crate::desk::id::{RunId, TicketId};
use crate::store::chain::{Chain, Encoding, beginning, hash};
use crate::store::db::{Row, Tx};
use crate::store::sql::columns::{at, ms};
use crate::store::{Error, Store};

pub mod acts;
pub mod file;
pub mod place;
pub mod read;

use acts::{Facts, Kept};
use file::{At, Made, Making, NotASegment, Record, Segment};
use place::{Archive, Lost};

/// Runs that are read at a time.
const PAGE: i64 = 64;
/// More than all dictionaries of a file have.
const HEAD_BYTES_MAX: u64 = 16 << 20;

/// How large a segment becomes. It is in memory twice while it is made, and one transaction takes its runs out of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    pub runs: usize,
    pub bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { runs: 20_000, bytes: 16 << 20 }
    }
}

/// The outcome of one step of archiving.
#[derive(Debug)]
pub enum Step {
    /// A segment was made; there may be more.
    Archived(Box<Kept>),
    /// There is nothing more to archive, or the next record cannot be.
    Ended(Option<Stopped>),
}

/// Why the records that are old enough are not all archived.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    #[error(
        "the record of run {run} has the shape of before records were packed: run the desk until its log says that old records \
         were put into the small shape"
    )]
    Unpacked { run: Uuid },
    #[error(
        "the record of run {run} is not what was written: an archive takes only what the chain proves; see `ruledesk decisions chain`"
    )]
    Unproved { run: Uuid },
    #[error("the record {link} of the chain of runs is missing: see `ruledesk decisions chain`")]
    Missing { link: i64 },
}

/// Why a segment cannot be made or deleted.
#[derive(Debug, thiserror::Error)]
pub enum NotArchived {
    #[error("the desk was opened without an archive")]
    NoArchive,
    #[error("another archives into {place}: wait until it has ended")]
    Busy { place: String },
    #[error(
        "the archive {why}: see that `archive` in [server] of desk.toml names a directory that the desk's user can write to, or a \
         bucket that answers; no record has left the database"
    )]
    NoPlace { why: Lost },
    #[error(
        "the segment `{name}` {why}: see that `archive` in [server] of desk.toml names a directory that the desk's user can write \
         to, with room, or a bucket that answers; no record has left the database"
    )]
    Place { name: String, why: Lost },
    #[error(
        "the segment `{name}`, read back, is not what was written ({why}): no record has left the database; try again"
    )]
    NotKept { name: String, why: NotKept },
    #[error("the records of the segment `{name}` were changed meanwhile: no record has left the database; try again")]
    Changed { name: String },
    #[error("there is no segment `{name}`: `ruledesk decisions segments` lists them")]
    NoSegment { name: String },
    #[error("the segment `{name}` is deleted for the chain, and its file {why}: delete it again when that is mended")]
    FileStays { name: String, why: Lost },
}

/// Why a file is not what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotKept {
    #[error("its digest is another")]
    Digest,
    #[error("a record in it does not fit the chain")]
    Chain,
    #[error(transparent)]
    Form(#[from] NotASegment),
}

/// Records for a segment, as they were found.
struct Gathered {
    making: Making,
    /// The least and the greatest time of its runs.
    times: (i64, i64),
    stopped: Option<Stopped>,
}

impl Store {
    /// Puts the oldest records that are in the database, and older than `before`, into one segment.
    ///
    /// # Errors
    ///
    /// [`NotArchived`], or where the database fails: then no record has left it.
    pub async fn archive_segment(
        &self,
        before: Timestamp,
        now: Timestamp,
        by: &str,
        bounds: Bounds,
    ) -> Result<Step, Error> {
        let archive = self.segments.archive.as_ref().ok_or(NotArchived::NoArchive)?;
        let lock = archive.lock().await.map_err(|why| NotArchived::NoPlace { why })?;
        let _lock = lock.ok_or_else(|| NotArchived::Busy { place: archive.shown() })?;
        let known = self.segments().await?;
        let Gathered { making, times, stopped } = self.gather(&known, before, bounds).await?;
        if making.is_empty() {
            return Ok(Step::Ended(stopped));
        }
        let made = making.made();
        let name = name_of(&made);
        let away = |why| NotArchived::Place { name: name.clone(), why };
        let Made { bytes, digest, before, first, last, runs, records_at } = made;
        let size = bytes.len() as u64;
        archive.put(&name, bytes).await.map_err(away)?;
        let back = archive.read(&name, 0..size + 1).await.map_err(away)?;
        check(&back, &digest).map_err(|why| NotArchived::NotKept { name: name.clone(), why })?;
        drop(back);
        let facts = Facts {
            by: by.to_owned(),
            digest,
            bytes: size,
            runs: runs as u64,
            before,
            first,
            last,
            first_at: times.0,
            last_at: times.1,
        };
        let kept = self.anchor(now, name, facts, records_at).await?;
        remove_leftovers(archive, &known, &kept).await;
        Ok(Step::Archived(Box::new(kept)))
    }

    /// Deletes a segment: an act in the chain first, then the file. Where only the act was done, it does the rest.
    ///
    /// # Errors
    ///
    /// [`NotArchived`], or where the database fails.
    pub async fn delete_segment(&self, now: Timestamp, name: &str, by: &str, why: &str) -> Result<Kept, Error> {
        let archive = self.segments.archive.as_ref().ok_or(NotArchived::NoArchive)?;
        let missing = || NotArchived::NoSegment { name: name.to_owned() };
        let act = async |mut tx| {
            let found = Self::segment_named(&mut tx, name).await?.ok_or_else(missing)?;
            if found.deleted.is_none() {
                acts::deleted(&mut tx, now, name, by, why).await?;
            }
            Ok((found, tx))
        };
        let found = self.db.durably(act).await?;
        archive.remove(name).await.map_err(|why| NotArchived::FileStays { name: name.to_owned(), why })?;
        Ok(self.segment(found.act).await?.ok_or_else(missing)?)
    }

    /// The oldest records of the database, as far as they are old enough and proved.
    async fn gather(&self, known: &[Kept], before: Timestamp, bounds: Bounds) -> Result<Gathered, Error> {
        let start = match known.iter().map(|kept| &kept.facts.last).max_by_key(|last| last.link) {
            Some(last) => last.clone(),
            None => self.beginning_of_runs().await?,
        };
        let mut gathered = Gathered { making: Making::behind(start), times: (i64::MAX, i64::MIN), stopped: None };
        let mut dictionaries = BTreeMap::new();
        loop {
            let sql = format!(
                "select id, ticket, at, generation, revision, link, hash, dictionary, packed from runs \
                 where link > $1 order by link limit {PAGE}"
            );
            let rows = self.db.all(&sql, vec![gathered.making.last().link.into()]).await?;
            for row in &rows {
                if row.int(2)? >= ms(before) || gathered.making.runs() >= bounds.runs {
                    return Ok(gathered);
                }
                if let Err(stopped) = self.take(row, &mut gathered, &mut dictionaries).await? {
                    gathered.stopped = Some(stopped);
                    return Ok(gathered);
                }
                if gathered.making.bytes() >= bounds.bytes {
                    return Ok(gathered);
                }
            }
            if rows.is_empty() {
                return Ok(gathered);
            }
        }
    }

    async fn beginning_of_runs(&self) -> Result<At, Error> {
        let sql = "select unchained from chain_heads where chain = $1";
        let unchained = self.number(sql, vec![Chain::Runs.name().into()]).await?;
        Ok(At { link: 0, hash: beginning(Chain::Runs, unchained) })
    }

    /// Takes one row into a segment, if it is what was written.
    async fn take(
        &self,
        row: &Row,
        gathered: &mut Gathered,
        dictionaries: &mut BTreeMap<i64, Arc<Dictionary>>,
    ) -> Result<Result<(), Stopped>, Error> {
        let run = row.uuid(0)?;
        let next = gathered.making.last().link + 1;
        if row.int(5)? != next {
            return Ok(Err(Stopped::Missing { link: next }));
        }
        let (Some(dictionary), Some(packed)) = (row.opt_int(7)?, row.opt_bytes(8)?) else {
            return Ok(Err(Stopped::Unpacked { run }));
        };
        if let std::collections::btree_map::Entry::Vacant(place) = dictionaries.entry(dictionary) {
            match self.dictionary_of(dictionary).await? {
                Ok(found) => drop(place.insert(found)),
                Err(_) => return Ok(Err(Stopped::Unproved { run })),
            }
        }
        let record = Record {
            id: run,
            ticket: row.uuid(1)?,
            at: row.int(2)?,
            generation: row.int(3)?,
            revision: row.opt_int(4)?,
            place: At { link: next, hash: row.text(6)? },
            dictionary,
            packed,
        };
        let proved = dictionaries.get(&dictionary).is_some_and(|with| {
            proves(&record, with, &gathered.making.last().hash) && gathered.making.add(&record, with).is_ok()
        });
        if !proved {
            return Ok(Err(Stopped::Unproved { run }));
        }
        gathered.times = (gathered.times.0.min(record.at), gathered.times.1.max(record.at));
        Ok(Ok(()))
    }

    /// Anchors a file that is kept, and takes its records out of the database: both or neither.
    async fn anchor(&self, now: Timestamp, name: String, facts: Facts, records_at: usize) -> Result<Kept, Error> {
        let anchor = async |mut tx| {
            let act = self::anchor(&mut tx, now, &name, &facts, records_at).await?;
            Ok((act, tx))
        };
        let act = self.db.durably(anchor).await?;
        Ok(Kept { act, name, archived_at: self::at("archive", "at", ms(now))?, facts, deleted: None })
    }
}

/// Anchors a file within a transaction; the number of the act.
async fn anchor(tx: &mut Tx, now: Timestamp, name: &str, facts: &Facts, records_at: usize) -> Result<i64, Error> {
    let act = acts::archived(tx, now, name, facts).await?;
    let (first, last) = (facts.first.link, facts.last.link);
    let head = i64::try_from(file::HEAD_BYTES).unwrap_or_default();
    let at = i64::try_from(records_at).unwrap_or(i64::MAX);
    let changed = || NotArchived::Changed { name: name.to_owned() };
    let sql = "select count(*), coalesce(sum(length(packed)), 0) from runs \
                   where link >= $1 and link <= $2 and segment is null and dictionary is not null";
    let there = tx.optional(sql, vec![first.into(), last.into()]).await?.ok_or_else(changed)?;
    let runs = i64::try_from(facts.runs).unwrap_or(i64::MAX);
    let bytes = i64::try_from(facts.bytes).unwrap_or(i64::MAX);
    if there.int(0)? != runs || there.int(1)? + runs * head + at != bytes {
        return Err(changed().into());
    }
    // A record's place follows from the lengths of those before it.
    let sql = format!(
        "update runs set segment = $1, segment_place = v.place, segment_bytes = v.bytes, packed = $2 from \
             (select id, $3 + sum(length(packed) + {head}) over (order by link) - length(packed) as place, \
             length(packed) as bytes from runs where link >= $4 and link <= $5) v where runs.id = v.id"
    );
    let args = vec![act.into(), Vec::new().into(), at.into(), first.into(), last.into()];
    if i64::try_from(tx.execute(&sql, args).await?).ok() != Some(runs) {
        return Err(changed().into());
    }
    Ok(act)
}

/// The name of a segment: its part of the chain, and the beginning of its digest.
fn name_of(made: &Made) -> String {
    let digest = made.digest.get(..16).unwrap_or(&made.digest);
    format!("{}{:012}-{digest}.segment", beginning_of_name(made.first.link), made.last.link)
}

fn beginning_of_name(first: i64) -> String {
    format!("runs-{first:012}-")
}

/// Whether a record is what stands behind this hash in the chain.
fn proves(record: &Record, dictionary: &Dictionary, before: &str) -> bool {
    let Ok(texts) = RunTexts::unpacked(&record.packed, dictionary) else { return false };
    let Ok(when) = at("runs", "at", record.at) else { return false };
    let run = StoredRun {
        id: RunId(record.id),
        ticket: TicketId(record.ticket),
        at: when,
        generation: record.generation,
        revision: record.revision,
        recorded: Ok(texts),
    };
    let content = run.content(Encoding::of(&record.place.hash));
    content.is_ok_and(|content| hash(before, record.place.link, &content) == record.place.hash)
}

/// Proves a file by nothing but itself: its digest, and the chain through its records with its own dictionaries.
fn check(bytes: &[u8], digest: &str) -> Result<(), NotKept> {
    if file::digest(bytes) != digest {
        return Err(NotKept::Digest);
    }
    let segment = Segment::read(bytes)?;
    let mut before = segment.before.hash.clone();
    segment.walk(bytes, |_, record| {
        let with = segment.dictionaries.get(&record.dictionary).ok_or(NotKept::Chain)?;
        if !proves(&record, with, &before) {
            return Err(NotKept::Chain);
        }
        before = record.place.hash;
        Ok(())
    })?;
    if before == segment.last.hash { Ok(()) } else { Err(NotKept::Chain) }
}

/// Removes files that were written for the same part of this chain and never anchored, because the desk was cut off in
/// between. None of them can be anchored any more.
async fn remove_leftovers(archive: &Archive, known: &[Kept], kept: &Kept) {
    let names = archive.list(&beginning_of_name(kept.facts.first.link)).await.unwrap_or_default();
    for name in names {
        if name == kept.name || known.iter().any(|other| other.name == name) {
            continue;
        }
        // A directory may be another desk's too: only a file that begins with the same record is this one's.
        let ours = match archive.read(&name, 0..HEAD_BYTES_MAX).await {
            Ok(bytes) => Segment::read(&bytes).is_ok_and(|segment| segment.first == kept.facts.first),
            Err(_) => false,
        };
        if ours && let Err(error) = archive.remove(&name).await {
            tracing::warn!(segment = name, %error, "a file that is in no chain stays in the archive");
        }
    }
}
