//! Decision records: what each rule was asked and said, with the exact input. All reading of them is here, in any shape that they
//! were written in.

use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;

use super::packing::{self, Dictionary, NotUnpacked};
use super::segments::acts::Deletion;
use super::segments::place::Lost;
use super::segments::read::{InSegment, Met};
use crate::desk::id::{RunId, TicketId};
use crate::store::chain::{Chain, Content, ContentDigest, Encoding};
use crate::store::db::{Arg, Row};
use crate::store::sql::columns::{at, ms};
use crate::store::sql::page;
use crate::store::{Error, Store};

/// One run of the rules for a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRecord {
    pub id: RunId,
    pub ticket: TicketId,
    pub at: Timestamp,
    /// The generation of rules that decided; it counts within one process.
    pub generation: u64,
    /// The revision of the deployments that these rules were of, which means the same at all hosts; none between two.
    pub revision: Option<i64>,
    /// What made the rules run, such as `created`.
    pub cause: &'static str,
    /// What ran the rules: this program's version and the WebAssembly runtime's.
    pub engine: &'static str,
    /// The parts of the input that several stages share, as a JSON object.
    pub common: String,
    pub decisions: Vec<DecisionRecord>,
}

/// One stage of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionRecord {
    pub stage: &'static str,
    /// A JSON object: laid over the run's `common`, key by key, it is the exact input.
    pub input: String,
    /// The combined result, as JSON.
    pub verdict: String,
    /// Each rule's part, as a JSON array.
    pub rules: String,
}

/// A run as it is read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRun {
    pub id: RunId,
    pub ticket: TicketId,
    pub at: Timestamp,
    pub generation: i64,
    pub revision: Option<i64>,
    /// What was recorded; damage to one run keeps no other from being read.
    pub recorded: Result<RunTexts, Damage>,
}

/// The texts of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunTexts {
    pub cause: String,
    /// What ran the rules; empty where that was not recorded yet.
    pub engine: String,
    pub common: String,
    pub decisions: Vec<StoredDecision>,
}

/// A stage as it is read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDecision {
    pub stage: String,
    pub input: String,
    pub verdict: String,
    pub rules: String,
}

/// Why the record of a run cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    #[error("the record of run {run} is damaged: {why}; put its row in `runs` back from a backup")]
    Record { run: RunId, why: NotUnpacked },
    #[error(
        "the record of run {run} is damaged: its columns are not what the desk writes; put its row in `runs` back from a backup"
    )]
    Columns { run: RunId },
    #[error(
        "the record of run {run} cannot be read: the dictionary {dictionary} {why}; put its row in `record_dictionaries` back from a backup"
    )]
    Dictionary { run: RunId, dictionary: i64, why: &'static str },
    #[error("the record of run {run} cannot be read: the segment `{segment}` {why}; put the file back from a backup")]
    Segment { run: RunId, segment: String, why: Lost },
    #[error("the record of run {run} is damaged in the segment `{segment}`: {why}; put the file back from a backup")]
    InSegment { run: RunId, segment: String, why: NotUnpacked },
    #[error("the record of run {run} cannot be read: the chain of the archive has no segment {act}")]
    NoSegment { run: RunId, act: i64 },
    #[error("the record of run {run} was archived, and deleted by {} on {}: {}", deletion.by, deletion.at, deletion.why)]
    Deleted { run: RunId, deletion: Deletion },
}

impl Damage {
    /// Whether the record was deleted by an act in the chain, and so nothing is wrong.
    pub fn is_deletion(&self) -> bool {
        matches!(self, Damage::Deleted { .. })
    }
}

impl StoredRun {
    /// The run's stages; none where the record is damaged.
    pub fn decisions(&self) -> &[StoredDecision] {
        self.recorded.as_ref().map_or(&[], |texts| &texts.decisions)
    }

    /// The digest of the run with all its decisions.
    ///
    /// # Errors
    ///
    /// [`Damage`].
    pub fn content(&self, encoding: Encoding) -> Result<ContentDigest, Damage> {
        let texts = self.recorded.as_ref().map_err(Clone::clone)?;
        Ok(run_content(
            &Chained {
                id: self.id,
                ticket: self.ticket,
                at: ms(self.at),
                generation: self.generation,
                revision: self.revision,
                cause: &texts.cause,
                engine: &texts.engine,
                common: &texts.common,
                decisions: texts.decisions.iter().map(StoredDecision::texts).collect(),
            },
            encoding,
        ))
    }
}

impl RunTexts {
    /// All texts, in the order in which they are packed.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        let decisions = self.decisions.iter().flat_map(StoredDecision::texts);
        [self.cause.as_str(), &self.engine, &self.common].into_iter().chain(decisions)
    }

    pub(super) fn unpacked(packed: &[u8], dictionary: &Dictionary) -> Result<RunTexts, NotUnpacked> {
        let mut texts = packing::unpack(packed, dictionary)?.into_iter();
        let mut next = || texts.next().ok_or(NotUnpacked::NoText);
        let (cause, engine, common) = (next()?, next()?, next()?);
        let mut decisions = Vec::with_capacity(5);
        while let Ok(stage) = next() {
            decisions.push(StoredDecision { stage, input: next()?, verdict: next()?, rules: next()? });
        }
        Ok(RunTexts { cause, engine, common, decisions })
    }
}

impl StoredDecision {
    fn texts(&self) -> [&str; 4] {
        [&self.stage, &self.input, &self.verdict, &self.rules]
    }
}

/// A run's content, as it is chained.
pub struct Chained<'a> {
    pub id: RunId,
    pub ticket: TicketId,
    pub at: i64,
    pub generation: i64,
    pub revision: Option<i64>,
    pub cause: &'a str,
    pub engine: &'a str,
    pub common: &'a str,
    /// Stage, input, verdict and rules, in any order of the stages.
    pub decisions: Vec<[&'a str; 4]>,
}

/// The digest of a run with all its decisions: of their texts, in any shape.
pub fn run_content(run: &Chained<'_>, encoding: Encoding) -> ContentDigest {
    let mut content = Content::of(Chain::Runs, encoding);
    content.field(run.id.0.as_bytes()).field(run.ticket.0.as_bytes()).int(run.at).int(run.generation);
    for text in [run.cause, run.engine, run.common] {
        content.field(text.as_bytes());
    }
    if encoding == Encoding::Two {
        // No revision is negative.
        content.int(run.revision.unwrap_or(-1));
    }
    content.int(i64::try_from(run.decisions.len()).unwrap_or(i64::MAX));
    let mut decisions = run.decisions.clone();
    decisions.sort_unstable();
    for text in decisions.iter().flatten() {
        content.field(text.as_bytes());
    }
    content.digest()
}

/// The columns of a run `r`, with a row for each of its stages where those are in `decisions`. Both are read by one statement,
/// so that a run which is converted meanwhile is seen in one shape or the other.
const COLUMNS: &str = "r.id, r.ticket, r.at, r.generation, r.revision, r.cause, r.engine, r.common, r.dictionary, r.packed, \
                       d.stage, d.input, d.verdict, d.rules, r.segment, r.segment_place, r.segment_bytes";
/// How many those are.
const COLUMNS_COUNT: usize = 17;

/// Which runs are read, and what of other tables is read with them.
pub(crate) struct Page<'a> {
    /// Further columns, such as `t.number`.
    pub more: &'a [&'a str],
    /// What is read from, with the runs as `r`.
    pub from: &'a str,
    /// The order, in which the rows of a run stand together.
    pub order: &'a str,
    pub args: Vec<Arg>,
}

/// A place among a ticket's runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunPlace {
    /// In milliseconds since 1970.
    pub at: i64,
    pub id: RunId,
}

/// The runs of a page that is read to look for something in them.
pub const RUNS_AT_ONCE: usize = 10;
/// Bytes of texts that a page of runs has, before the run with which it gets more.
const PAGE_BYTES_MAX: usize = 1 << 20;

/// A run whose packed texts are not unpacked yet.
struct Unread {
    run: StoredRun,
    packed: Option<(i64, Vec<u8>)>,
    /// Where the packed texts are, when they have left the database.
    archived: Option<InSegment>,
}

impl Store {
    /// All runs of a ticket with all their texts, oldest first: for the tests, which have few.
    #[doc(hidden)]
    pub async fn runs(&self, ticket: TicketId) -> Result<Vec<StoredRun>, Error> {
        let page = Page {
            more: &[],
            from: "(select * from runs where ticket = $1) r",
            order: "r.at, r.id, d.stage",
            args: vec![ticket.0.into()],
        };
        Ok(self.read_runs(page, |_, _| Ok(())).await?.into_iter().map(|(run, ())| run).collect())
    }

    /// A ticket's runs after a place, oldest first. A page ends early where its records are long.
    pub async fn runs_page(
        &self,
        ticket: TicketId,
        after: Option<RunPlace>,
        limit: usize,
    ) -> Result<page::Page<StoredRun, RunPlace>, Error> {
        let after = after.unwrap_or(RunPlace { at: i64::MIN, id: RunId(Uuid::nil()) });
        self.some_runs(ticket, ("(at, id) > ($2, $3) order by at, id", after), limit).await
    }

    /// The same before a place, newest first.
    pub async fn runs_page_back(
        &self,
        ticket: TicketId,
        before: Option<RunPlace>,
        limit: usize,
    ) -> Result<page::Page<StoredRun, RunPlace>, Error> {
        let before = before.unwrap_or(RunPlace { at: i64::MAX, id: RunId(Uuid::max()) });
        self.some_runs(ticket, ("(at, id) < ($2, $3) order by at desc, id desc", before), limit).await
    }

    async fn some_runs(
        &self,
        ticket: TicketId,
        (beyond, place): (&str, RunPlace),
        limit: usize,
    ) -> Result<page::Page<StoredRun, RunPlace>, Error> {
        let sql = format!("select at, id from runs where ticket = $1 and {beyond} limit {}", limit + 1);
        let rows = self.db.all(&sql, vec![ticket.0.into(), place.at.into(), place.id.0.into()]).await?;
        let place = |row: &Row| Ok(RunPlace { at: row.int(0)?, id: RunId(row.uuid(1)?) });
        let places = rows.iter().map(place).collect::<Result<Vec<_>, Error>>()?;
        let page::Page { items: places, mut next } = page::Page::cut(places, limit, |place| *place);
        let (count, mut runs, mut bytes) = (places.len(), Vec::new(), 0);
        // One by one: of many long records no more are in memory than the page has.
        for place in places {
            if bytes >= PAGE_BYTES_MAX {
                break;
            }
            let one = Page {
                more: &[],
                from: "(select * from runs where id = $1) r",
                order: "d.stage",
                args: vec![place.id.0.into()],
            };
            for (run, ()) in self.read_runs(one, |_, _| Ok(())).await? {
                bytes += run.recorded.as_ref().map_or(0, |texts| texts.all().map(str::len).sum());
                runs.push((run, place));
            }
        }
        if runs.len() < count {
            next = runs.last().map(|(_, last)| *last);
        }
        Ok(page::Page { items: runs.into_iter().map(|(run, _)| run).collect(), next })
    }

    /// Reads runs, each with what `more` makes of its row, whose further columns begin at the place that it is given.
    pub(crate) async fn read_runs<T>(
        &self,
        page: Page<'_>,
        more: impl Fn(&Row, usize) -> Result<T, Error>,
    ) -> Result<Vec<(StoredRun, T)>, Error> {
        let Page { more: columns, from, order, args } = page;
        let columns: String = columns.iter().map(|column| format!(", {column}")).collect();
        let sql = format!(
            "select {COLUMNS}{columns} from {from} left join decisions d on d.run = r.id and r.packed is null order by {order}"
        );
        let rows = self.db.all(&sql, args).await?;
        let mut read = Vec::new();
        for rows in rows.chunk_by(|a, b| a.uuid(0).ok() == b.uuid(0).ok()) {
            let Some(first) = rows.first() else { continue };
            read.push((unread(first, rows)?, more(first, COLUMNS_COUNT)?));
        }
        let mut dictionaries = BTreeMap::new();
        let mut segments = Vec::with_capacity(read.len());
        let mut met = Met::new();
        for (unread, _) in &mut read {
            segments.push(self.fetch(&mut met, unread).await?);
        }
        for id in read.iter().filter_map(|(unread, _)| unread.packed.as_ref().map(|(id, _)| *id)) {
            if let std::collections::btree_map::Entry::Vacant(place) = dictionaries.entry(id) {
                place.insert(self.dictionary_of(id).await?);
            }
        }
        let unpacked = |((unread, more), segment): ((Unread, T), Option<String>)| {
            let Unread { mut run, packed, .. } = unread;
            if let Some((id, packed)) = packed {
                run.recorded = match dictionaries.get(&id) {
                    Some(Ok(dictionary)) => RunTexts::unpacked(&packed, dictionary).map_err(|why| match segment {
                        None => Damage::Record { run: run.id, why },
                        Some(segment) => Damage::InSegment { run: run.id, segment, why },
                    }),
                    Some(Err(why)) => Err(Damage::Dictionary { run: run.id, dictionary: id, why }),
                    None => Err(Damage::Dictionary { run: run.id, dictionary: id, why: "is gone" }),
                };
            }
            (run, more)
        };
        Ok(read.into_iter().zip(segments).map(unpacked).collect())
    }

    /// Fetches the packed texts of a run that has left the database; gives the name of the segment that it is in.
    async fn fetch(&self, met: &mut Met, unread: &mut Unread) -> Result<Option<String>, Error> {
        let (Some(at), Some((dictionary, _))) = (unread.archived, &unread.packed) else { return Ok(None) };
        let dictionary = *dictionary;
        match self.archived(met, unread.run.id, at).await? {
            Ok((packed, segment)) => {
                unread.packed = Some((dictionary, packed));
                Ok(Some(segment))
            }
            Err(damage) => {
                (unread.packed, unread.run.recorded) = (None, Err(damage));
                Ok(None)
            }
        }
    }
}

/// A run of the row that it has, or of the rows of its stages.
fn unread(first: &Row, rows: &[Row]) -> Result<Unread, Error> {
    let id = RunId(first.uuid(0)?);
    let in_rows = || -> Result<RunTexts, Error> {
        let mut decisions = Vec::with_capacity(rows.len());
        for row in rows {
            if let Some(stage) = row.opt_text(10)? {
                decisions.push(StoredDecision {
                    stage,
                    input: row.text(11)?,
                    verdict: row.text(12)?,
                    rules: row.text(13)?,
                });
            }
        }
        Ok(RunTexts { cause: first.text(5)?, engine: first.text(6)?, common: first.text(7)?, decisions })
    };
    let damaged = || Damage::Columns { run: id };
    // A time that no calendar has is damage to this run and keeps no other from being read.
    let when = at("runs", "at", first.int(2)?).ok();
    let (recorded, packed) = match (first.opt_int(8), first.opt_bytes(9)) {
        _ if when.is_none() => (Err(damaged()), None),
        (Ok(_), Ok(None)) => (in_rows().map_err(|_| damaged()), None),
        (Ok(Some(dictionary)), Ok(Some(packed))) => (Err(damaged()), Some((dictionary, packed))),
        _ => (Err(damaged()), None),
    };
    let run = StoredRun {
        id,
        ticket: TicketId(first.uuid(1)?),
        at: when.unwrap_or(Timestamp::MAX),
        generation: first.int(3)?,
        revision: first.opt_int(4)?,
        recorded,
    };
    let archived = match (first.opt_int(14)?, first.opt_int(15)?, first.opt_int(16)?) {
        (Some(act), Some(place), Some(bytes)) => Some(InSegment { act, place, bytes }),
        _ => None,
    };
    Ok(Unread { run, packed, archived })
}
