//! Walks a chain from its beginning to its end and says where it is not what was written.

use super::{Chain, ContentDigest, Encoding, audit, beginning, hash, timelines};
use crate::desk::id::{TicketId, TicketNumber};
use crate::store::access::ledger;
use crate::store::db::Row;
use crate::store::rules::decisions;
use crate::store::rules::segments::acts::{self, Kept};
use crate::store::{Error, Store};

/// Records that are read at a time. A run has some ten kilobytes, and some megabytes where its ticket has the longest text.
const PAGE: i64 = 16;
/// The same of the ledger, whose events are small.
const LEDGER_PAGE: i64 = 2_000;
/// The same of the audit and of timelines, whose records have some kilobytes at most.
const MIDDLE_PAGE: i64 = 64;
/// Breaks that are told one by one; of more, only how many.
const BREAKS_MAX: usize = 100;

/// A place in a chain and the hash there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub link: i64,
    pub hash: String,
}

/// Where a chain is not what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// The place of the record, where it is about one.
    pub link: Option<i64>,
    /// The record's ticket, where it has one that exists.
    pub ticket: Option<TicketNumber>,
    pub what: String,
}

/// What came of walking a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    pub chain: Chain,
    /// The end of the chain when the walk began; what is added meanwhile is left to the next walk.
    pub end: Place,
    /// Records from before there were chains.
    pub unchained: i64,
    pub breaks: Vec<Break>,
    /// Breaks beyond those told.
    pub more: usize,
    /// Segments of this chain whose records were deleted by an act in the chain of the archive.
    pub deleted: Vec<Kept>,
}

/// A record as the walk sees it.
struct Record {
    place: Place,
    ticket: Option<TicketNumber>,
    content: Found,
    /// Differences from this record in the tables that it is about.
    elsewhere: Vec<(Option<TicketNumber>, String)>,
}

impl Record {
    fn new(place: Place, ticket: Option<TicketNumber>, content: Found) -> Record {
        Record { place, ticket, content, elsewhere: Vec::new() }
    }
}

/// A record's content as the walk finds it.
enum Found {
    Content(ContentDigest),
    /// Why the record cannot be read.
    Damaged(String),
    /// It was deleted by an act: its place and its hash are left.
    Deleted,
}

impl Store {
    /// Walks a chain, and compares it with a place that was written down elsewhere, if there is one.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read; what is wrong with the chain is in the result.
    pub async fn check_chain(&self, chain: Chain, anchor: Option<&Place>) -> Result<Checked, Error> {
        let sql = "select link, hash, unchained from chain_heads where chain = $1";
        let head = self.db.optional(sql, vec![chain.name().into()]).await?;
        let (end, unchained) = match head {
            Some(head) => (Place { link: head.int(0)?, hash: head.text(1)? }, head.int(2)?),
            None => (Place { link: 0, hash: String::new() }, 0),
        };
        let deleted = if chain == Chain::Runs { self.segments().await? } else { Vec::new() };
        let deleted: Vec<Kept> = deleted.into_iter().filter(|kept| kept.deleted.is_some()).collect();
        let mut walk = Walk::begin(chain, unchained, anchor, &deleted);
        let mut after = 0;
        while after < end.link {
            let page = self.page(chain, after, end.link).await?;
            let Some(last) = page.last() else { break };
            after = last.place.link;
            page.into_iter().for_each(|record| walk.step(record));
        }
        walk.end(&end);
        for what in self.outside(chain, unchained).await? {
            walk.tell(None, None, what);
        }
        for (ticket, what) in self.compare(chain).await? {
            walk.tell(None, ticket, what);
        }
        let Walk { breaks, more, .. } = walk;
        Ok(Checked { chain, end, unchained, breaks, more, deleted })
    }

    async fn page(&self, chain: Chain, after: i64, until: i64) -> Result<Vec<Record>, Error> {
        match chain {
            Chain::Runs => self.page_of_runs(after, until).await,
            Chain::Ledger => self.page_of_ledger(after, until).await,
            Chain::Archive => self.page_of_acts(after, until).await,
            Chain::Audit => self.page_of_audit(after, until).await,
            Chain::Timelines => self.page_of_timelines(after, until).await,
        }
    }

    async fn page_of_runs(&self, after: i64, until: i64) -> Result<Vec<Record>, Error> {
        let from = format!(
            "(select * from runs where link > $1 and link <= $2 order by link limit {PAGE}) r \
             left join tickets t on t.id = r.ticket"
        );
        let more = ["r.link", "r.hash", "t.number"];
        let args = vec![after.into(), until.into()];
        let page = decisions::Page { more: &more, from: &from, order: "r.link, d.stage", args };
        let runs = self.read_runs(page, |row, place| {
            let at = Place { link: row.int(place)?, hash: row.text(place + 1)? };
            Ok((at, row.opt_int(place + 2)?.map(TicketNumber)))
        });
        let record = |(run, (place, ticket)): (decisions::StoredRun, (Place, _))| {
            let content = match run.content(Encoding::of(&place.hash)) {
                Ok(content) => Found::Content(content),
                Err(damage) if damage.is_deletion() => Found::Deleted,
                Err(damage) => Found::Damaged(damage.to_string()),
            };
            Record::new(place, ticket, content)
        };
        Ok(runs.await?.into_iter().map(record).collect())
    }

    async fn page_of_ledger(&self, after: i64, until: i64) -> Result<Vec<Record>, Error> {
        let sql = format!(
            "select l.link, l.hash, t.number, l.at, l.ticket, l.event, l.detail \
             from (select * from ledger where link > $1 and link <= $2 order by link limit {LEDGER_PAGE}) l \
             left join tickets t on t.id = l.ticket order by l.link"
        );
        let rows = self.db.all_of_history(&sql, vec![after.into(), until.into()]).await?;
        rows.iter()
            .map(|row| {
                let ticket = TicketId(row.uuid(4)?);
                let encoding = Encoding::of(&row.text(1)?);
                let content = ledger::content(encoding, row.int(3)?, ticket, &row.text(5)?, &row.text(6)?);
                let place = Place { link: row.int(0)?, hash: row.text(1)? };
                Ok(Record::new(place, row.opt_int(2)?.map(TicketNumber), Found::Content(content)))
            })
            .collect()
    }

    async fn page_of_acts(&self, after: i64, until: i64) -> Result<Vec<Record>, Error> {
        let sql = format!(
            "select link, hash, at, event, segment, detail from archive \
             where link > $1 and link <= $2 order by link limit {PAGE}"
        );
        let rows = self.db.all_of_history(&sql, vec![after.into(), until.into()]).await?;
        let record = |row: &Row| {
            let place = Place { link: row.int(0)?, hash: row.text(1)? };
            let (at, event, segment, detail) = (row.int(2)?, row.text(3)?, row.text(4)?, row.text(5)?);
            let content = acts::content(Encoding::of(&place.hash), at, &event, &segment, &detail);
            Ok(Record::new(place, None, Found::Content(content)))
        };
        rows.iter().map(record).collect()
    }

    async fn page_of_audit(&self, after: i64, until: i64) -> Result<Vec<Record>, Error> {
        let sql = format!(
            "select link, hash, at, event, about, detail from audit where link > $1 and link <= $2 order by link limit {MIDDLE_PAGE}"
        );
        let rows = self.db.all_of_history(&sql, vec![after.into(), until.into()]).await?;
        let record = |row: &Row| {
            let place = Place { link: row.int(0)?, hash: row.text(1)? };
            let (at, event, about, detail) = (row.int(2)?, row.text(3)?, row.text(4)?, row.text(5)?);
            let content = audit::content(Encoding::of(&place.hash), at, &event, &about, &detail);
            Ok(Record::new(place, None, Found::Content(content)))
        };
        rows.iter().map(record).collect()
    }

    async fn page_of_timelines(&self, after: i64, until: i64) -> Result<Vec<Record>, Error> {
        let sql = format!(
            "select link, hash, entries from timelines where link > $1 and link <= $2 order by link limit {MIDDLE_PAGE}"
        );
        let rows = self.db.all_of_history(&sql, vec![after.into(), until.into()]).await?;
        let entries = rows.iter().map(|row| row.text(2)).collect::<Result<Vec<_>, _>>()?;
        let edited = self.edited_entries(&entries).await?;
        let mut records = Vec::new();
        for ((row, entries), elsewhere) in rows.iter().zip(&entries).zip(edited) {
            let place = Place { link: row.int(0)?, hash: row.text(1)? };
            let content = Found::Content(timelines::content(Encoding::of(&place.hash), entries));
            records.push(Record { elsewhere, ..Record::new(place, None, content) });
        }
        Ok(records)
    }

    /// Records that are in the table and in no place of the chain.
    async fn outside(&self, chain: Chain, unchained: i64) -> Result<Vec<String>, Error> {
        let table = chain.name();
        let mut found = Vec::new();
        let count =
            async |sql: String| self.db.all_of_history(&sql, Vec::new()).await?.first().map_or(Ok(0), |row| row.int(0));
        let without = count(format!("select count(*) from {table} where link is null")).await?;
        if without != unchained {
            found.push(format!(
                "{without} records are in no place of the chain, and {unchained} were when it began: others were added or \
                 removed"
            ));
        }
        let beyond = format!(
            "select count(*) from {table} where link < 1 or \
             link > coalesce((select link from chain_heads where chain = '{table}'), 0)"
        );
        let beyond = count(beyond).await?;
        if beyond > 0 {
            found.push(format!("{beyond} records were added outside of the chain's ends"));
        }
        if chain == Chain::Runs {
            let lost = "select count(*) from decisions d \
                        where not exists (select 1 from runs r where r.id = d.run and r.packed is null)";
            let lost = count(lost.to_owned()).await?;
            if lost > 0 {
                found.push(format!("{lost} decisions belong to no run: their run was removed, or they were added"));
            }
        }
        Ok(found)
    }
}

/// The walk: what is expected next, and what was found.
struct Walk<'a> {
    link: i64,
    /// The hash before the next record; unknown behind a gap.
    before: Option<String>,
    anchor: Option<&'a Place>,
    deleted: &'a [Kept],
    breaks: Vec<Break>,
    more: usize,
}

impl<'a> Walk<'a> {
    fn begin(chain: Chain, unchained: i64, anchor: Option<&'a Place>, deleted: &'a [Kept]) -> Self {
        let before = Some(beginning(chain, unchained));
        Self { link: 1, before, anchor, deleted, breaks: Vec::new(), more: 0 }
    }

    fn tell(&mut self, link: Option<i64>, ticket: Option<TicketNumber>, what: String) {
        if self.breaks.len() < BREAKS_MAX {
            self.breaks.push(Break { link, ticket, what });
        } else {
            self.more += 1;
        }
    }

    fn step(&mut self, record: Record) {
        let Record { place, ticket, content, elsewhere } = record;
        if place.link != self.link {
            self.missing(place.link - 1);
            // The hash before this record went with the record before it.
            self.before = None;
        }
        match content {
            Found::Damaged(damage) => self.tell(Some(place.link), ticket, damage),
            Found::Deleted => self.step_over(&place, ticket),
            Found::Content(content) => {
                let fits = self.before.as_ref().is_none_or(|before| hash(before, place.link, &content) == place.hash);
                if !fits {
                    let what = "it is not what was written here: its content, its place or its hash was changed";
                    self.tell(Some(place.link), ticket, what.to_owned());
                }
            }
        }
        if self.anchor.is_some_and(|anchor| anchor.link == place.link && anchor.hash != place.hash) {
            let what = "the anchor has another hash for it: the chain up to here was written anew";
            self.tell(Some(place.link), ticket, what.to_owned());
        }
        for (ticket, what) in elsewhere {
            self.tell(Some(place.link), ticket, what);
        }
        self.link = place.link + 1;
        self.before = Some(place.hash);
    }

    /// A record that an act says was deleted: the act knows the hashes on both sides of its part of the chain.
    fn step_over(&mut self, place: &Place, ticket: Option<TicketNumber>) {
        let link = place.link;
        let within = |kept: &&Kept| (kept.facts.first.link..=kept.facts.last.link).contains(&link);
        let Some(Kept { facts, .. }) = self.deleted.iter().find(within) else {
            let what = "it is said to be in a deleted segment, and that segment never had it: its row was changed";
            return self.tell(Some(link), ticket, what.to_owned());
        };
        let enters = facts.first.link != link || self.before.as_ref().is_none_or(|before| *before == facts.before.hash);
        let fits = [&facts.first, &facts.last].iter().all(|at| at.link != link || at.hash == place.hash);
        if !enters || !fits {
            let what = "the act that archived it has another hash for its place: its hash was changed";
            self.tell(Some(link), ticket, what.to_owned());
        }
    }

    fn missing(&mut self, until: i64) {
        let what = if self.link == until {
            "it is missing: it was removed".to_owned()
        } else {
            format!("it and all up to {until} are missing: they were removed")
        };
        self.tell(Some(self.link), None, what);
    }

    fn end(&mut self, end: &Place) {
        let begins = end.hash.is_empty() || self.before.as_ref() == Some(&end.hash);
        if end.link < 0 || (end.link == 0 && !begins) {
            self.tell(None, None, "the chain's head says an end that no chain has: it was changed".to_owned());
        }
        if self.link <= end.link {
            self.missing(end.link);
        } else if end.link > 0 && self.before.as_ref() != Some(&end.hash) {
            let what = "the chain's head has another hash for it: the record or the head was changed";
            self.tell(Some(end.link), None, what.to_owned());
        }
        if let Some(anchor) = self.anchor.filter(|anchor| anchor.link > end.link) {
            let what =
                format!("the chain ends at {}, and the anchor knows of {}: its end was cut off", end.link, anchor.link);
            self.tell(Some(end.link), None, what);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Content;
    use super::*;

    /// A desk that is brought up to date goes on with the chain that it has.
    #[test]
    fn a_chain_may_go_on_in_another_encoding_and_each_record_is_checked_in_its_own() {
        let content = |encoding| Content::of(Chain::Runs, encoding).digest();
        let (one, two) = (content(Encoding::One), content(Encoding::Two));
        let first = hash(&beginning(Chain::Runs, 5), 1, &one);
        let second = hash(&first, 2, &two);
        let end = Place { link: 2, hash: second.clone() };
        let breaks = |contents: [ContentDigest; 2]| {
            let mut walk = Walk::begin(Chain::Runs, 5, None, &[]);
            for ((link, hash), content) in [(1, &first), (2, &second)].into_iter().zip(contents) {
                walk.step(Record::new(Place { link, hash: hash.clone() }, None, Found::Content(content)));
            }
            walk.end(&end);
            walk.breaks.iter().map(|found| found.link).collect::<Vec<_>>()
        };
        assert_eq!(breaks([one, two]), []);
        assert_eq!(breaks([two, two]), [Some(1)]);
        assert_eq!(breaks([one, one]), [Some(2)]);
    }
}
