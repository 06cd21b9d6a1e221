//! Tickets by their words. A change that says something puts its ticket on a list, in its own transaction; the words of the
//! tickets on the list are put into the index behind it, all of a ticket at once, so that no change waits for that and none is
//! lost. A ticket has two rows there: its public words, and those that only they see who work on tickets.
//!
//! Where a migration built the index again, it is filled from the newest ticket to the oldest whenever the list is empty; until then
//! the store says from which number downwards tickets are not found.

use std::fmt::Write as _;

use crate::desk::id::PersonId;
use crate::store::db::{Arg, Db, Tx};
use crate::store::sql::search::{self, Named, Wanted, word_of};
use crate::store::tickets::list::NO_ONE;
use crate::store::tickets::summary::{self, TicketSummary};
use crate::store::{Error, Store};

mod index;

pub use index::pend;

/// The most tickets that a search finds.
pub const FOUND_MAX: usize = 200;

/// The tickets that a search may find; `None` and empty do not narrow it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchFilter {
    /// Only this person's, and only by their public words.
    pub only: Option<PersonId>,
    /// Only what these people requested, where there are any.
    pub requesters: Vec<String>,
    /// Only by what is public, whose tickets they may be.
    pub in_public: bool,
    pub state: Option<String>,
    pub team: Option<String>,
    /// A person, or [`NO_ONE`].
    pub assignee: Option<String>,
    pub requester: Option<String>,
    pub category: Option<String>,
    pub priority: Option<String>,
    pub request_type: Option<String>,
    /// One of its tags.
    pub tag: Option<String>,
    /// Those before this number.
    pub before: Option<i64>,
}

impl SearchFilter {
    /// Whether it asks for what requesters are not shown: that must not be found out by asking either.
    pub const fn is_internal(&self) -> bool {
        self.team.is_some() || self.assignee.is_some() || self.tag.is_some()
    }

    /// Whether it leaves out tickets by what they are now.
    fn is_of_tickets(&self) -> bool {
        let columns = [
            &self.state,
            &self.team,
            &self.assignee,
            &self.requester,
            &self.category,
            &self.priority,
            &self.request_type,
        ];
        columns.into_iter().any(Option::is_some) || self.tag.is_some() || !self.requesters.is_empty()
    }

    /// Whether it finds only by public words.
    const fn is_public(&self) -> bool {
        self.only.is_some() || self.in_public
    }

    /// The further conditions of a search, whose arguments come after those that are there; `row` is the index's row, where the search
    /// goes through those and not through the tickets, and `number` the ticket's.
    fn narrowed(&self, (row, number): (Option<&str>, &str), args: &mut Vec<Arg>) -> String {
        let is_public = row.map_or_else(String::new, |id| format!(" and {id} % 2 = 0"));
        let mut conditions = String::new();
        if let Some(person) = &self.only {
            // The word that stands for a person finds their tickets; that they are theirs is what shows them.
            args.push(person.as_str().into());
            let place = args.len();
            let _ = write!(conditions, "{is_public} and (t.requester = ${place} or t.submitted_by = ${place})");
        }
        if self.in_public {
            conditions.push_str(&is_public);
        }
        if !self.requesters.is_empty() {
            let first = args.len() + 1;
            args.extend(self.requesters.iter().map(|person| Arg::from(person.as_str())));
            let places: Vec<String> = (first..=args.len()).map(|place| format!("${place}")).collect();
            let _ = write!(conditions, " and t.requester in ({})", places.join(", "));
        }
        let assignee = self.assignee.clone().filter(|assignee| assignee != NO_ONE);
        if assignee != self.assignee {
            conditions.push_str(" and t.assignee is null");
        }
        let columns = [
            ("state", &self.state),
            ("team", &self.team),
            ("assignee", &assignee),
            ("requester", &self.requester),
            ("category", &self.category),
            ("priority", &self.priority),
            ("request_type", &self.request_type),
        ];
        for (column, value) in columns {
            if let Some(value) = value {
                args.push(value.as_str().into());
                let _ = write!(conditions, " and t.{column} = ${}", args.len());
            }
        }
        // By tickets it is those of the tag that are gone through.
        if let (Some(tag), Some(id)) = (&self.tag, row) {
            args.push(tag.as_str().into());
            let of_tag = format!("select 1 from tagged g where g.tag = ${} and g.number = {id} / 2", args.len());
            // It is seen before the ticket is looked up. As a condition that rows exist, it might become the first to be gone through.
            let _ = write!(conditions, " and ({of_tag}) is not null");
        }
        if let Some(before) = self.before {
            let (column, before) = row.map_or((number, before), |id| (id, before.saturating_mul(2)));
            args.push(before.into());
            let _ = write!(conditions, " and {column} < ${}", args.len());
        }
        conditions
    }
}

/// A statement that finds tickets by their words, and its arguments.
type Statement = (String, Vec<Arg>);

/// How the rows that have the words are come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// From the newest row on, until enough have been met: for words that many tickets have. On SQLite for nearly all searches: its index
    /// is in this order.
    FromTheNewest,
    /// All rows that have the words, by the index of words.
    ByWords,
    /// The tickets that the filter leaves, from the newest on, each of which is looked at: for words that many tickets have, and where
    /// most of the rows that have them are of tickets that the filter leaves out. On SQLite
    /// for those of a tag that few have, for all words.
    ByTickets,
}

/// Rows of the newest tickets that are looked at to see how common words are.
const NEWEST_ROWS: i64 = 4_000;
/// Questions to SQLite's index about single words in single tickets, with which a search within a tag has less to do than with all rows
/// that have the words.
const QUESTIONS_MAX: usize = 500;
/// Words are common that so many of those have.
const COMMON_ROWS: i64 = 8;

impl Way {
    /// The way to these words, for which the transaction is made ready. PostgreSQL has no numbers about beginnings of words, and would
    /// take each for one that a fiftieth of all tickets has.
    async fn to(tx: &mut Tx, text: &str, filter: &SearchFilter) -> Result<Way, Error> {
        if !matches!(tx, Tx::Postgres(_)) {
            let Some(tag) = &filter.tag else { return Ok(Way::FromTheNewest) };
            return Ok(if is_asked_one_by_one(tx, text, tag).await? { Way::ByTickets } else { Way::FromTheNewest });
        }
        let newest = tx.all("select coalesce(max(id), 0) from tickets_text", Vec::new()).await?;
        let newest = newest.first().map_or(Ok(0), |row| row.int(0))?;
        let sql = format!(
            "select count(*) from (select 1 as one from tickets_text x where x.id > $1 \
             and x.words @@ to_tsquery('simple', $2) limit {COMMON_ROWS}) as met"
        );
        let met = tx.all(&sql, vec![newest.saturating_sub(NEWEST_ROWS).into(), text.into()]).await?;
        let is_common = met.first().map_or(Ok(0), |row| row.int(0))? >= COMMON_ROWS;
        let (way, without) = match is_common {
            true if filter.is_of_tickets() => (Way::ByTickets, ["enable_hashjoin", "enable_mergejoin"]),
            true => (Way::FromTheNewest, ["enable_bitmapscan", "enable_sort"]),
            false => (Way::ByWords, ["enable_hashjoin", "enable_mergejoin"]),
        };
        let [first, second] = without;
        // Further processes take longer to begin than such a search takes.
        let set = format!(
            "select set_config('jit', 'off', true), set_config('max_parallel_workers_per_gather', '0', true), \
             set_config('{first}', 'off', true), set_config('{second}', 'off', true)"
        );
        tx.all(&set, Vec::new()).await?;
        Ok(way)
    }
}

/// Whether a tag has so few tickets that SQLite's index is asked about each of them. It answers quickly to words by name, and gathers each
/// time all that a beginning of words stands for.
async fn is_asked_one_by_one(tx: &mut Tx, text: &str, tag: &str) -> Result<bool, Error> {
    if text.contains('*') {
        return Ok(false);
    }
    let words = text.matches('"').count() / 2;
    let most = i64::try_from(QUESTIONS_MAX / words.max(1)).unwrap_or(i64::MAX);
    let sql = "select count(*) from (select 1 as one from tagged where tag = $1 limit $2) as met";
    let rows = tx.all(sql, vec![tag.into(), most.saturating_add(1).into()]).await?;
    Ok(rows.first().map_or(Ok(0), |row| row.int(0))? <= most)
}

/// The search as the database's index reads it.
async fn written(tx: &mut Tx, wanted: &Wanted) -> Result<String, Error> {
    if matches!(tx, Tx::Postgres(_)) {
        return Ok(wanted.text(false));
    }
    let beginnings = wanted.beginnings();
    let (sql, ends) = Named::statement(&beginnings);
    let mut rows = Vec::new();
    for row in tx.all(&sql, ends.into_iter().map(Arg::from).collect()).await? {
        rows.push((usize::try_from(row.int(0)?).unwrap_or(usize::MAX), row.text(1)?));
    }
    Ok(wanted.text_by_name(&Named::of(&beginnings, rows.into_iter())))
}

impl Store {
    /// The statement for so many rows that have the words, the newest first.
    fn found(&self, way: Way, text: &str, filter: &SearchFilter, rows: usize) -> Statement {
        let both = if filter.is_public() { "t.number * 2" } else { "t.number * 2, t.number * 2 + 1" };
        let last = if filter.is_public() { "t.number * 2" } else { "t.number * 2 + 1" };
        let tickets = match (way, &self.db) {
            (Way::FromTheNewest, _) => search::TICKETS.text(&self.db).to_owned(),
            (Way::ByWords, _) => search::TICKETS_BY_WORDS.to_owned(),
            (Way::ByTickets, Db::Sqlite(_)) => search::tagged_with_words_up_to(last),
            (Way::ByTickets, Db::Postgres(_)) if filter.tag.is_some() => search::tagged_with_words_in(both),
            (Way::ByTickets, Db::Postgres(_)) => search::tickets_with_words_in(both),
        };
        let row = (way != Way::ByTickets).then(|| search::TICKET_ROW.text(&self.db));
        let number = if row.is_none() && filter.tag.is_some() { "g.number" } else { "t.number" };
        let mut args: Vec<Arg> = vec![text.into()];
        args.extend(filter.tag.iter().filter(|_| row.is_none()).map(|tag| Arg::from(tag.as_str())));
        let narrowed = filter.narrowed((row, number), &mut args);
        args.push(i64::try_from(rows).unwrap_or(i64::MAX).into());
        let (order, limit) = (row.unwrap_or(number), args.len());
        (format!("select t.number {tickets}{narrowed} order by {order} desc limit ${limit}"), args)
    }

    /// The numbers of the tickets that have the words, the newest first, at most `limit`.
    async fn numbers(
        &self,
        tx: &mut Tx,
        (way, text): (Way, &str),
        mut filter: SearchFilter,
        limit: usize,
    ) -> Result<Vec<i64>, Error> {
        let mut numbers: Vec<i64> = Vec::new();
        loop {
            // Both rows of a ticket may have the words, as few do: where that leaves too few tickets, it goes on behind them.
            let missing = limit.saturating_sub(numbers.len());
            let rows = missing + missing / 4 + 1;
            let (sql, args) = self.found(way, text, &filter, rows);
            let found = tx.all(&sql, args).await?;
            for row in &found {
                numbers.push(row.int(0)?);
            }
            numbers.dedup();
            filter.before = numbers.last().copied();
            if found.len() < rows || numbers.len() >= limit {
                numbers.truncate(limit);
                return Ok(numbers);
            }
        }
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
        let mut tx = self.db.begin_searching().await?;
        let text = written(&mut tx, &wanted).await?;
        let way = Way::to(&mut tx, &text, filter).await?;
        let numbers = self.numbers(&mut tx, (way, &text), filter.clone(), limit).await?;
        let mut found = Vec::new();
        if !numbers.is_empty() {
            let numbers = numbers.into_iter().map(Arg::from).collect();
            let (sql, args) = summary::statement("number", numbers, limit);
            let rows = tx.all(&sql, args).await?;
            found = rows.iter().map(summary::summary).collect::<Result<Vec<_>, Error>>()?;
            found.sort_by_key(|ticket| std::cmp::Reverse(ticket.number));
        }
        tx.end().await?;
        Ok(found)
    }

    /// How the database finds them, for the tests that hold that nothing is sorted: the search as the index reads it, and the lines of
    /// the plan.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    #[doc(hidden)]
    pub async fn search_plan(&self, wanted: &Wanted, filter: &SearchFilter) -> Result<(String, Vec<String>), Error> {
        let mut tx = self.db.begin_searching().await?;
        let text = written(&mut tx, wanted).await?;
        let way = Way::to(&mut tx, &text, filter).await?;
        let (sql, args) = self.found(way, &text, filter, 50);
        let lines = tx.plan(&sql, args).await?;
        tx.end().await?;
        Ok((text, lines))
    }
}
