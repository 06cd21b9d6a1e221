//! Tickets by their words. A change that says something puts its ticket on a list, in its own transaction; the words of the
//! tickets on the list are put into the index behind it, all of a ticket at once, so that no change waits for that and none is
//! lost. A ticket has two rows there: its public words, and those that only they see who work on tickets.

use std::fmt::Write as _;

use crate::desk::id::{PersonId, TicketNumber};
use crate::desk::ticket::timeline::{Event, Visibility};
use crate::store::db::{Arg, Db, Row, Tx};
use crate::store::sql::places;
use crate::store::sql::search::{self, Wanted, indexed, word_of};
use crate::store::tickets::summary::{self, TicketSummary};
use crate::store::tickets::timeline;
use crate::store::{Error, Store};

/// The most tickets that a search finds.
pub const FOUND_MAX: usize = 200;
/// Tickets whose words are put into the index in one transaction, and about how many bytes of words: the more come at once, the less
/// the index has to merge.
const INDEXED_AT_ONCE: i64 = 128;
const INDEXED_BYTES: usize = 4 << 20;
/// The most entries of a ticket whose words are in the index, the latest.
const ENTRIES_MAX: i64 = 1_000;
/// The most bytes of a ticket's words in each of its rows.
const WORDS_BYTES_MAX: usize = 256 << 10;

/// The tickets that a search may find; `None` and empty do not narrow it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchFilter {
    /// Only this person's, and only by their public words.
    pub only: Option<PersonId>,
    pub state: Option<String>,
    pub team: Option<String>,
    pub assignee: Option<String>,
    pub requester: Option<String>,
    pub category: Option<String>,
    pub priority: Option<String>,
    /// Those before this number.
    pub before: Option<i64>,
}

impl SearchFilter {
    /// The further conditions of a search, whose arguments come after those that are there; `id` is the index's row.
    fn narrowed(&self, id: &str, args: &mut Vec<Arg>) -> String {
        let mut conditions = String::new();
        if let Some(person) = &self.only {
            // The word that stands for a person finds their tickets; that they are theirs is what shows them.
            args.push(person.as_str().into());
            let place = args.len();
            let _ = write!(conditions, " and {id} % 2 = 0 and (t.requester = ${place} or t.submitted_by = ${place})");
        }
        let columns = [
            ("state", &self.state),
            ("team", &self.team),
            ("assignee", &self.assignee),
            ("requester", &self.requester),
            ("category", &self.category),
            ("priority", &self.priority),
        ];
        for (column, value) in columns {
            if let Some(value) = value {
                args.push(value.as_str().into());
                let _ = write!(conditions, " and t.{column} = ${}", args.len());
            }
        }
        if let Some(before) = self.before {
            args.push(before.saturating_mul(2).into());
            let _ = write!(conditions, " and {id} < ${}", args.len());
        }
        conditions
    }
}

/// The words of one ticket.
#[derive(Debug, Default)]
struct Words {
    public: String,
    internal: String,
}

impl Words {
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

/// The words of a ticket whose subject, body and people stand in the row after its number.
async fn words_of(tx: &mut Tx, number: i64, row: &Row) -> Result<Words, Error> {
    let mut words = Words::default();
    words.add(Visibility::Public, &row.text(1)?);
    words.add(Visibility::Public, &row.text(2)?);
    for entry in timeline::words_of(tx, TicketNumber(number), ENTRIES_MAX).await? {
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

/// Puts tickets on the list whose words have changed.
pub async fn pend(tx: &mut Tx, tickets: impl Iterator<Item = (TicketNumber, i64)>) -> Result<(), Error> {
    let rows = tickets.map(|(number, version)| vec![number.0.into(), Arg::from(version)]).collect();
    tx.insert("insert into search_pending (ticket, version)", 2, "on conflict do nothing", rows).await.map(drop)
}

impl Store {
    /// Puts the words of some tickets on the list into the index; how many entries of the list that settled.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn index_pending(&self) -> Result<usize, Error> {
        let written = self.db.transaction(async |mut tx| {
            let sql = "select ticket, version from search_pending order by ticket, version limit $1";
            let mut pending = Vec::new();
            for row in tx.all(sql, vec![INDEXED_AT_ONCE.into()]).await? {
                pending.push((row.int(0)?, row.int(1)?));
            }
            let mut numbers: Vec<i64> = pending.iter().map(|(ticket, _)| *ticket).collect();
            numbers.dedup();
            let last = self.index(&mut tx, &numbers).await?;
            pending.retain(|(ticket, _)| *ticket <= last);
            let done = pending.iter().map(|(ticket, version)| vec![(*ticket).into(), Arg::from(*version)]).collect();
            tx.insert("delete from search_pending where (ticket, version) in (", 2, ")", done).await?;
            Ok((pending.len(), tx))
        });
        let (count, flush) = written.await?;
        flush.done().await?;
        Ok(count)
    }

    /// Puts the words of tickets into the index, in the order of their numbers and as far as they are not too many at once; the last
    /// number that is settled. The tickets' rows are held meanwhile, so that of two hosts none overwrites newer words with older ones.
    async fn index(&self, tx: &mut Tx, numbers: &[i64]) -> Result<i64, Error> {
        let Some(last) = numbers.last() else { return Ok(0) };
        let sql = format!(
            "select t.number, t.subject, c.body, t.requester, t.submitted_by from tickets t \
             join contents c on c.ticket = t.number where t.number in ({}) order by t.number{}",
            places(0, numbers.len()),
            tx.for_update()
        );
        let (mut last, mut bytes, mut old, mut new) = (*last, 0, Vec::new(), Vec::new());
        for row in tx.all(&sql, numbers.iter().map(|number| Arg::from(*number)).collect()).await? {
            let number = row.int(0)?;
            old.extend([vec![Arg::from(number * 2)], vec![Arg::from(number * 2 + 1)]]);
            let Words { public, internal } = words_of(tx, number, &row).await?;
            bytes += public.len() + internal.len();
            let rows = [(number * 2, public), (number * 2 + 1, internal)];
            new.extend(rows.into_iter().filter(|(_, words)| !words.is_empty()));
            if bytes >= INDEXED_BYTES {
                last = number;
                break;
            }
        }
        let (head, tail) = search::FORGET_TICKETS;
        tx.insert(head.text(&self.db), 1, tail, old).await?;
        let (head, tail) = search::KEEP_TICKETS;
        let new = new.into_iter().map(|(id, words)| vec![Arg::from(id), words.into()]).collect();
        tx.insert(head.text(&self.db), 2, tail.text(&self.db), new).await?;
        Ok(last)
    }

    /// The tickets that have the words, the newest first, at most `limit`.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn search_tickets(
        &self,
        wanted: Wanted,
        filter: &SearchFilter,
        limit: usize,
    ) -> Result<Vec<TicketSummary>, Error> {
        let wanted = filter.only.iter().fold(wanted, |wanted, person| wanted.and(&word_of(person.as_str())));
        let (is_sqlite, id) = (matches!(self.db, Db::Sqlite(_)), search::TICKET_ROW.text(&self.db));
        let mut args: Vec<Arg> = vec![wanted.text(is_sqlite).into()];
        let narrowed = filter.narrowed(id, &mut args);
        // Both rows of a ticket may have the words.
        let sql = format!(
            "select t.number {}{narrowed} order by {id} desc limit {}",
            search::TICKETS.text(&self.db),
            limit.saturating_mul(2)
        );
        let rows = self.db.all(&sql, args).await?;
        let mut numbers = rows.iter().map(|row| row.int(0)).collect::<Result<Vec<i64>, Error>>()?;
        numbers.dedup();
        numbers.truncate(limit);
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        let numbers = numbers.into_iter().map(Arg::from).collect();
        let (sql, args) = summary::statement("number", numbers, limit);
        let rows = self.db.all(&sql, args).await?;
        let mut found = rows.iter().map(summary::summary).collect::<Result<Vec<_>, Error>>()?;
        found.sort_by_key(|ticket| std::cmp::Reverse(ticket.number));
        Ok(found)
    }
}
