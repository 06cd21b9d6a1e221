//! The words of tickets on their way into the index, behind the changes that said them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::desk::id::TicketNumber;
use crate::desk::ticket::timeline::{Entry, Event, Visibility};
use crate::store::db::{Arg, Db, Row, Tx};
use crate::store::sql::places;
use crate::store::sql::search::{self, indexed, word_of};
use crate::store::tickets::timeline;
use crate::store::{Error, Store};

/// Tickets whose words are put into the index in one transaction, and about how many bytes of words: the more come at once, the less
/// the index has to merge.
const INDEXED_AT_ONCE: i64 = 256;
const INDEXED_BYTES: usize = 4 << 20;
/// The most bytes of a ticket's words in each of its rows.
const WORDS_BYTES_MAX: usize = 256 << 10;
/// Pages of the index that are merged in one transaction, of four kilobytes each: nothing else is written meanwhile.
const MERGED_PAGES: i64 = 256;
/// Rows that change where nothing was merged: the command's own.
const CHANGES_OF_NO_MERGE: i64 = 1;

/// The words of one ticket.
#[derive(Debug, Default)]
struct Words {
    public: String,
    internal: String,
}

impl Words {
    /// The words of a ticket whose subject, body and people stand in the row after its number.
    fn of(row: &Row, entries: &[Entry]) -> Result<Words, Error> {
        let mut words = Words::default();
        words.add(Visibility::Public, &row.text(1)?);
        words.add(Visibility::Public, &row.text(2)?);
        for entry in entries {
            match &entry.event {
                Event::Commented { body, .. } => words.add(entry.visibility, body),
                Event::Resolved { record } => {
                    words.add(Visibility::Public, &record.fix);
                    [&record.symptom, &record.cause, &record.next_time]
                        .into_iter()
                        .for_each(|text| words.add(Visibility::Internal, text));
                }
                _ => {}
            }
        }
        // A search of a person's own goes by a word that stands for them.
        for person in [row.text(3)?, row.text(4)?] {
            let _ = write!(words.public, " {}", word_of(&person));
        }
        Ok(words)
    }

    fn add(&mut self, visibility: Visibility, text: &str) {
        let to = match visibility {
            Visibility::Public => &mut self.public,
            Visibility::Internal => &mut self.internal,
        };
        let left = WORDS_BYTES_MAX.saturating_sub(to.len());
        let words = indexed(text);
        let _ = write!(to, " {}", words.get(..words.floor_char_boundary(left)).unwrap_or_default());
    }
}

/// Entries of the list with the words of their tickets, as they were at one moment.
#[derive(Debug, Default)]
struct Batch {
    /// Tickets and versions of theirs, in order.
    entries: Vec<(i64, i64)>,
    words: Vec<(i64, Words)>,
}

impl Batch {
    /// The next entries of the list, as far as their words are not too many at once.
    async fn read(tx: &mut Tx) -> Result<Batch, Error> {
        let mut batch = Batch::default();
        let sql = "select ticket, version from search_pending order by ticket, version limit $1";
        for row in tx.all(sql, vec![INDEXED_AT_ONCE.into()]).await? {
            batch.entries.push((row.int(0)?, row.int(1)?));
        }
        let mut numbers: Vec<i64> = batch.entries.iter().map(|(ticket, _)| *ticket).collect();
        numbers.dedup();
        let (mut said, mut last) = timeline::words_of(tx, &numbers).await?;
        let mut bytes = 0;
        for row in tickets(tx, &numbers, last).await? {
            let number = row.int(0)?;
            let words = Words::of(&row, &said.remove(&number).unwrap_or_default())?;
            bytes += words.public.len() + words.internal.len();
            batch.words.push((number, words));
            if bytes >= INDEXED_BYTES {
                last = number;
                break;
            }
        }
        batch.entries.retain(|(ticket, _)| *ticket <= last);
        Ok(batch)
    }

    /// Takes the entries off the list and puts the words into the index. Where another host did so since they were read, it had read
    /// the same words or newer ones: then the ticket is left as it is.
    async fn write(&self, tx: &mut Tx, db: &Db) -> Result<(), Error> {
        let entries =
            self.entries.iter().map(|(ticket, version)| vec![Arg::from(*ticket), Arg::from(*version)]).collect();
        let head = "delete from search_pending where (ticket, version) in (";
        let mut settled = BTreeSet::new();
        for row in tx.insert(head, 2, ") returning ticket, version", entries).await? {
            settled.insert((row.int(0)?, row.int(1)?));
        }
        let latest: BTreeMap<i64, i64> = self.entries.iter().copied().collect();
        let is_ours = |number: i64| latest.get(&number).is_some_and(|version| settled.contains(&(number, *version)));
        let (mut old, mut new) = (Vec::new(), Vec::new());
        for (number, words) in self.words.iter().filter(|(number, _)| is_ours(*number)) {
            let rows = [(number * 2, &words.public), (number * 2 + 1, &words.internal)];
            old.extend(rows.iter().map(|(id, _)| vec![Arg::from(*id)]));
            let said = rows.into_iter().filter(|(_, words)| !words.is_empty());
            new.extend(said.map(|(id, words)| vec![Arg::from(id), words.as_str().into()]));
        }
        let (head, tail) = search::FORGET_TICKETS;
        tx.insert(head.text(db), 1, tail, old).await?;
        let (head, tail) = search::KEEP_TICKETS;
        tx.insert(head.text(db), 2, tail.text(db), new).await.map(drop)
    }
}

/// The rows of these tickets, up to a number: the number, the subject, the body, who asked and who wrote it.
async fn tickets(tx: &mut Tx, numbers: &[i64], last: i64) -> Result<Vec<Row>, Error> {
    // Filled up, so that few statements are prepared.
    let mut args: Vec<Arg> =
        numbers.iter().filter(|number| **number <= last).map(|number| Arg::from(*number)).collect();
    let Some(filler) = args.last().cloned() else { return Ok(Vec::new()) };
    args.resize(args.len().next_power_of_two(), filler);
    let sql = format!(
        "select t.number, t.subject, c.body, t.requester, t.submitted_by from tickets t \
         join contents c on c.ticket = t.number where t.number in ({}) order by t.number",
        places(0, args.len())
    );
    tx.all(&sql, args).await
}

/// Puts tickets on the list whose words have changed.
pub async fn pend(tx: &mut Tx, tickets: impl Iterator<Item = (TicketNumber, i64)>) -> Result<(), Error> {
    let rows = tickets.map(|(number, version)| vec![number.0.into(), Arg::from(version)]).collect();
    tx.insert_later("insert into search_pending (ticket, version)", 2, "on conflict do nothing", rows).await
}

impl Store {
    /// Puts the words of some tickets on the list into the index; how many entries of the list that settled. Where the list is empty,
    /// the next of the older tickets come onto it that an index which was built again does not have yet.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read or written.
    pub async fn index_pending(&self) -> Result<usize, Error> {
        // The words are read and folded before the one that writes is kept from other work.
        let mut tx = self.db.begin_reading().await?;
        let batch = Batch::read(&mut tx).await?;
        tx.end().await?;
        if batch.entries.is_empty() {
            return self.fill_list().await;
        }
        let written = self.db.transaction(async |mut tx| {
            batch.write(&mut tx, &self.db).await?;
            Ok(((), tx))
        });
        let ((), flush) = written.await?;
        flush.done().await?;
        Ok(batch.entries.len())
    }

    /// Puts the newest of the tickets that the index has yet to be filled with on the list; whether there were any, as a number.
    async fn fill_list(&self) -> Result<usize, Error> {
        if self.filled_down_to().await?.is_none() {
            return Ok(0);
        }
        let written = self.db.transaction(async |mut tx| {
            let sql = format!("select up_to from search_filling{}", tx.for_update());
            let Some(row) = tx.optional(&sql, Vec::new()).await? else { return Ok((0, tx)) };
            let args = vec![Arg::from(row.int(0)?), INDEXED_AT_ONCE.into()];
            let next = "from tickets where number <= $1 order by number desc limit $2";
            let sql = format!(
                "insert into search_pending (ticket, version) select number, version {next} on conflict do nothing"
            );
            tx.execute(&sql, args.clone()).await?;
            let sql = format!("select min(number) from (select number {next}) n");
            let least = tx.optional(&sql, args).await?.map(|row| row.opt_int(0)).transpose()?.flatten();
            if let Some(least) = least.filter(|least| *least > 1) {
                tx.execute("update search_filling set up_to = $1", vec![(least - 1).into()]).await?;
            } else {
                tx.execute("delete from search_filling", Vec::new()).await?;
            }
            Ok((usize::from(least.is_some()), tx))
        });
        let (count, flush) = written.await?;
        flush.done().await?;
        Ok(count)
    }

    /// The highest number of the tickets that no search finds yet, while the index is filled; `None` where it has all of them.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn filled_down_to(&self) -> Result<Option<TicketNumber>, Error> {
        let row = self.db.optional("select up_to from search_filling", Vec::new()).await?;
        row.map(|row| Ok(TicketNumber(row.int(0)?))).transpose()
    }

    /// Merges some of the pieces that SQLite's index is made of, for a time at which there is nothing else to do: each piece costs a
    /// search a look. Whether there was something to merge.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn merge_index(&self) -> Result<bool, Error> {
        if matches!(self.db, Db::Postgres(_)) {
            return Ok(false);
        }
        let written = self.db.transaction(async |mut tx| {
            let before = changes(&mut tx).await?;
            let sql = "insert into tickets_text (tickets_text, rank) values ('merge', $1)";
            tx.execute(sql, vec![MERGED_PAGES.into()]).await?;
            let after = changes(&mut tx).await?;
            Ok((after - before > CHANGES_OF_NO_MERGE, tx))
        });
        let (merged, flush) = written.await?;
        flush.done().await?;
        Ok(merged)
    }
}

/// The rows that SQLite's connection has changed so far.
async fn changes(tx: &mut Tx) -> Result<i64, Error> {
    let row = tx.optional("select total_changes()", Vec::new()).await?;
    row.map_or(Ok(0), |row| row.int(0))
}
