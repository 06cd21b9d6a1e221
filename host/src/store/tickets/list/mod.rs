//! Lists of tickets, page by page. However a list is narrowed, an index leads to its entries in the list's order, so that a page
//! costs the same wherever it is and however many tickets there are.
//!
//! A list is read in two steps, on one snapshot: the places of its tickets by walks along an index, merged here, then the
//! tickets by their numbers. A walk is exact where one index holds all that narrows the list; the rest is looked at on the
//! way, a bounded number of entries a page. Where few of those match, a page is short, or empty, and says where to go on.
//!
//! The worst cases, with what bounds them:
//!
//! - Two filters of which neither is rare and that hardly ever meet, such as a large team and a category of another: a page
//!   looks at [`queue`]'s `WALK_MAX` entries of each walk, `ROUNDS_MAX` times, and ends where it has come to.
//! - A category with very many below it: one walk for each, up to `LEADS_MAX` of them; beyond, the whole queue is walked.
//! - A tag next to a person: its tickets are looked for along those of the person. By itself a tag has entries in a table of its own.
//! - A tag of more than `COMMON_TAG` tickets next to a team, a category or a form: its tickets are looked for along those of the other. By
//!   the last change they are met among all tickets, [`stable`]'s `WALK_MAX` entries of each walk, `ROUNDS_MAX` times a page.
//! - A stable order with a filter: what matches is gathered and sorted here if it is little; otherwise the tickets are walked
//!   in that order, so that an export of a rare thing among a million takes some hundred short pages.

use jiff::Timestamp;

use super::summary::{self, TicketSummary};
use crate::desk::id::PersonId;
use crate::desk::ticket::State;
use crate::store::db::{Arg, Row, Tx};
use crate::store::sql::columns::ms;
use crate::store::sql::page::Page;
use crate::store::{Error, Store};

mod leads;
mod queue;
mod stable;
pub mod views;
mod walk;

pub use queue::Ahead;

/// The word for those that no person has, in the place of an assignee.
pub const NO_ONE: &str = "@none";

/// Which tickets a list shows; `None` and empty do not narrow it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub states: Vec<State>,
    pub team: Option<String>,
    /// A person, or [`NO_ONE`].
    pub assignee: Option<String>,
    pub requester: Option<String>,
    /// Those that any of these people requested.
    pub requesters: Vec<String>,
    pub priority: Option<String>,
    /// A category or a parent of it.
    pub category: Option<String>,
    pub request_type: Option<String>,
    /// One of its tags.
    pub tag: Option<String>,
    /// Confines the list to what one person requested or submitted.
    pub only: Option<PersonId>,
}

impl Filter {
    /// Whether it asks for what requesters are not shown: that must not be found out by asking either.
    pub const fn is_internal(&self) -> bool {
        self.team.is_some() || self.assignee.is_some() || self.tag.is_some()
    }
}

/// The order of a list, and the place after which its page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Unfinished ones first, then by priority, then by when they are due, then by number. Tickets move in it.
    Queue(Option<QueuePlace>),
    /// By number: no ticket moves.
    Number(Option<i64>),
    /// By the last change: a ticket moves only to the end, so that who reads on to it misses nothing.
    Updated(Option<UpdatedPlace>),
    /// By the last change, the newest first: the beginning alone, since tickets move past who reads on from there.
    Newest,
    /// By when they are due, the first to be due first; those without work owed are not in it. Tickets move in it.
    Due(Option<DuePlace>),
}

impl Default for Start {
    fn default() -> Self {
        Start::Queue(None)
    }
}

/// A place in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct QueuePlace {
    pub finished: bool,
    pub rank: i64,
    pub due: i64,
    pub number: i64,
}

/// A place among the tickets by their last change, which is in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UpdatedPlace {
    pub updated: i64,
    pub number: i64,
}

/// A place among the tickets by when they are due, which is in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DuePlace {
    pub due: i64,
    pub number: i64,
}

impl UpdatedPlace {
    /// The place before all that was changed at an instant or later.
    pub fn before(since: Timestamp) -> UpdatedPlace {
        UpdatedPlace { updated: ms(since).saturating_sub(1), number: i64::MAX }
    }
}

/// Sizes of pages for which statements are prepared; a page of another size is cut from the next larger one.
const SIZES: [usize; 5] = [10, 25, 50, 100, 200];
/// The most pages that are counted.
const COUNT_PAGES_MAX: usize = 5;
/// The most tickets on a page.
pub const PAGE_MAX: usize = 200;

impl Store {
    /// A page of at most `limit` tickets, [`PAGE_MAX`] at most.
    pub async fn tickets(
        &self,
        filter: &Filter,
        start: Start,
        limit: usize,
    ) -> Result<Page<TicketSummary, Start>, Error> {
        let mut reader = Reader { tx: self.db.begin_walking().await?, plans: None };
        let page = read(&mut reader, filter, start, limit).await?;
        reader.tx.end().await?;
        Ok(page)
    }

    /// How many tickets there are in a list, up to `most`; and whether there may be more. It looks at no more than lists of that
    /// length do, so that a count is never slower than they are.
    pub async fn count_tickets(&self, filter: &Filter, most: usize) -> Result<(usize, bool), Error> {
        let mut reader = Reader { tx: self.db.begin_walking().await?, plans: None };
        let (mut count, mut after) = (0, None);
        for _ in 0..COUNT_PAGES_MAX {
            let (places, stopped) = queue::places(&mut reader, filter, after, PAGE_MAX + 1).await?;
            let (places, next) = cut(places, stopped, PAGE_MAX);
            count += places.len();
            after = next;
            if after.is_none() || count >= most {
                break;
            }
        }
        reader.tx.end().await?;
        Ok((count.min(most), after.is_some() || count > most))
    }

    /// How the database finds such a page, for the tests that hold that no list is slow: for each statement its text and the lines of
    /// its plan.
    #[doc(hidden)]
    pub async fn list_plans(&self, filter: &Filter, start: Start, limit: usize) -> Result<Vec<Plan>, Error> {
        let mut reader = Reader { tx: self.db.begin_walking().await?, plans: Some(Vec::new()) };
        read(&mut reader, filter, start, limit).await?;
        reader.tx.end().await?;
        Ok(reader.plans.unwrap_or_default())
    }
}

/// How the database runs one statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub statement: String,
    pub lines: Vec<String>,
}

/// Runs the statements of one list on one snapshot, and notes their plans where those are wanted.
struct Reader {
    tx: Tx,
    plans: Option<Vec<Plan>>,
}

impl Reader {
    async fn all(&mut self, sql: &str, args: Vec<Arg>) -> Result<Vec<Row>, Error> {
        if let Some(plans) = &mut self.plans {
            let lines = self.tx.plan(sql, args.clone()).await?;
            plans.push(Plan { statement: sql.to_owned(), lines });
        }
        self.tx.all(sql, args).await
    }
}

async fn read(
    reader: &mut Reader,
    filter: &Filter,
    start: Start,
    limit: usize,
) -> Result<Page<TicketSummary, Start>, Error> {
    let limit = limit.clamp(1, PAGE_MAX);
    let size = SIZES.into_iter().find(|size| *size >= limit).unwrap_or(PAGE_MAX);
    match start {
        Start::Queue(after) => {
            let (places, stopped) = queue::places(reader, filter, after, size + 1).await?;
            let (places, next) = cut(places, stopped, limit);
            let numbers = places.iter().map(|place| place.number).collect();
            page(reader, numbers, size, next.map(|place| Start::Queue(Some(place)))).await
        }
        Start::Number(after) => {
            let order = stable::Order::Number(after);
            let (places, stopped) = stable::places(reader, filter, order, size + 1).await?;
            let (places, next) = cut(places, stopped, limit);
            let numbers = places.iter().map(|place| place.number).collect();
            page(reader, numbers, size, next.map(|place| Start::Number(Some(place.number)))).await
        }
        Start::Updated(after) => {
            let order = stable::Order::Updated(after);
            let (places, stopped) = stable::places(reader, filter, order, size + 1).await?;
            let (places, next) = cut(places, stopped, limit);
            let numbers = places.iter().map(|place| place.number).collect();
            page(reader, numbers, size, next.map(|place| Start::Updated(Some(place)))).await
        }
        Start::Newest => {
            let (places, _) = stable::places(reader, filter, stable::Order::Newest(None), size).await?;
            let numbers = places.iter().take(limit).map(|place| place.number).collect();
            page(reader, numbers, size, None).await
        }
        Start::Due(after) => {
            let order = stable::Order::Due(after);
            let (places, stopped) = stable::places(reader, filter, order, size + 1).await?;
            let (places, next) = cut(places, stopped, limit);
            let numbers = places.iter().map(|place| place.number).collect();
            let due = |place: UpdatedPlace| DuePlace { due: place.updated, number: place.number };
            page(reader, numbers, size, next.map(|place| Start::Due(Some(due(place))))).await
        }
    }
}

/// The places of a page, and after which the next begins: the last of them where more was found, or else where the walks
/// stopped before their end.
fn cut<P: Copy>(mut places: Vec<P>, stopped: Option<P>, limit: usize) -> (Vec<P>, Option<P>) {
    if places.len() > limit {
        places.truncate(limit);
        let last = places.last().copied();
        return (places, last);
    }
    (places, stopped)
}

/// The tickets with these numbers, in their order.
async fn page(
    reader: &mut Reader,
    numbers: Vec<i64>,
    size: usize,
    next: Option<Start>,
) -> Result<Page<TicketSummary, Start>, Error> {
    let mut tickets = Vec::with_capacity(numbers.len());
    if !numbers.is_empty() {
        let (sql, args) = summary::statement("number", numbers.iter().map(|number| (*number).into()).collect(), size);
        for row in reader.all(&sql, args).await? {
            tickets.push(summary::summary(&row)?);
        }
        tickets.sort_by_key(|ticket| numbers.iter().position(|number| *number == ticket.number.0));
    }
    Ok(Page { items: tickets, next })
}
