//! The timeline as rows. An entry's event is a word and its facts, which stand in [`facts`].

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use crate::desk::actor::{Author, RuleRef};
use crate::desk::id::TicketNumber;
use crate::desk::ticket::sight::PublicState;
use crate::desk::ticket::timeline::{Entry, Event, Visibility};
use crate::store::db::{Arg, Row, Tx};
use crate::store::sql::columns::{at, corrupt, ms, parsed};
use crate::store::sql::page::Page;
use crate::store::sql::places;
use crate::store::{Error, Store};

mod erase;
mod facts;

pub use erase::ERASED;
use facts::{event, facts};

/// An entry of a timeline with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    /// Counts up from 1 without gaps, among the entries that its reader sees.
    pub seq: i64,
    pub entry: Entry,
}

const T: &str = "timeline";
/// Bytes of text that a page of a timeline has, before the entry with which it gets larger.
const PAGE_BYTES_MAX: i64 = 1 << 20;
/// Entries of one ticket that an explanation goes by.
const SETTINGS_MAX: usize = 2000;
/// The most entries that are read at once for their words.
const WORDS_MAX: usize = 1_000;
/// Entries are read together until they have so many bytes: the longest words there may be, hundreds of times, are more than memory
/// should hold.
const WORDS_BYTES_MAX: i64 = 8 << 20;
/// The columns after `ticket`, as [`stored`] reads them.
const COLUMNS: &str = "seq, at, author_kind, author, author_version, visibility, kind, details";
/// How many columns that are, with `ticket`.
const COLUMNS_COUNT: usize = 9;

/// The authors that a timeline knows, as numbers.
const SYSTEM: i64 = 0;
const PERSON: i64 = 1;
const RULE: i64 = 2;

/// The visibilities, as numbers.
const PUBLIC: i64 = 0;
const INTERNAL: i64 = 1;

/// A row of a timeline, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineRow {
    pub ticket: i64,
    pub seq: i64,
    at: i64,
    author_kind: i64,
    author: Option<String>,
    author_version: Option<String>,
    visibility: i64,
    kind: String,
    details: String,
}

/// Takes the fields of a row, each with its length before it.
pub struct RowHash<'a>(pub &'a mut Sha256);

impl RowHash<'_> {
    fn int(&mut self, number: i64) {
        self.0.update(number.to_le_bytes());
    }

    fn text(&mut self, text: Option<&str>) {
        // No text is as long as this.
        let length = text.map_or(u64::MAX, |text| text.len() as u64);
        self.0.update(length.to_le_bytes());
        self.0.update(text.unwrap_or_default());
    }
}

impl TimelineRow {
    /// The row of an entry at its place.
    pub fn of(ticket: TicketNumber, seq: i64, entry: &Entry) -> TimelineRow {
        let (author_kind, author, author_version) = match &entry.author {
            Author::System => (SYSTEM, None, None),
            Author::Person(person) => (PERSON, Some(person.to_string()), None),
            Author::Rule(RuleRef { name, version }) => (RULE, Some(name.clone()), Some(version.clone())),
        };
        let visibility = match entry.visibility {
            Visibility::Public => PUBLIC,
            Visibility::Internal => INTERNAL,
        };
        TimelineRow {
            ticket: ticket.0,
            seq,
            at: ms(entry.at),
            author_kind,
            author,
            author_version,
            visibility,
            kind: entry.event.kind().to_owned(),
            details: facts(&entry.event),
        }
    }

    /// The row as it is read: the ticket, then [`COLUMNS`].
    pub fn read(row: &Row) -> Result<TimelineRow, Error> {
        Ok(TimelineRow {
            ticket: row.int(0)?,
            seq: row.int(1)?,
            at: row.int(2)?,
            author_kind: row.int(3)?,
            author: row.opt_text(4)?,
            author_version: row.opt_text(5)?,
            visibility: row.int(6)?,
            kind: row.text(7)?,
            details: row.text(8)?,
        })
    }

    /// Adds the row to a digest.
    pub fn add_to(&self, sha: &mut RowHash<'_>) {
        [self.ticket, self.seq, self.at, self.author_kind, self.visibility].into_iter().for_each(|n| sha.int(n));
        let texts = [self.author.as_deref(), self.author_version.as_deref(), Some(&self.kind), Some(&self.details)];
        texts.into_iter().for_each(|text| sha.text(text));
    }

    fn args(&self) -> Vec<Arg> {
        vec![
            self.ticket.into(),
            self.seq.into(),
            self.at.into(),
            self.author_kind.into(),
            self.author.clone().into(),
            self.author_version.clone().into(),
            self.visibility.into(),
            self.kind.as_str().into(),
            Arg::from(self.details.as_str()),
        ]
    }
}

/// An entry from a row whose first of [`COLUMNS`] is at `first`.
fn stored(row: &Row, first: usize) -> Result<StoredEntry, Error> {
    let author = row.opt_text(first + 3)?.unwrap_or_default();
    let author = match row.int(first + 2)? {
        SYSTEM => Author::System,
        PERSON => Author::Person(parsed(T, "author", &author)?),
        RULE => Author::Rule(RuleRef { name: author, version: row.opt_text(first + 4)?.unwrap_or_default() }),
        other => return Err(corrupt(T, "author_kind", other.to_string())),
    };
    let visibility = match row.int(first + 5)? {
        PUBLIC => Visibility::Public,
        INTERNAL => Visibility::Internal,
        other => return Err(corrupt(T, "visibility", other.to_string())),
    };
    let entry = Entry {
        at: at(T, "at", row.int(first + 1)?)?,
        author,
        visibility,
        event: event(&row.text(first + 6)?, &row.text(first + 7)?)?,
    };
    Ok(StoredEntry { seq: row.int(first)?, entry })
}

/// The same, as far as it can be read: a damaged entry has its place, and keeps no other from being read.
fn readable(row: &Row, first: usize) -> Result<StoredEntry, Error> {
    stored(row, first).or_else(|_| {
        let at = row.int(first + 1).and_then(|ms| at(T, "at", ms)).unwrap_or_default();
        let is_public = row.int(first + 5).is_ok_and(|code| code == PUBLIC);
        let visibility = if is_public { Visibility::Public } else { Visibility::Internal };
        let entry = Entry { at, author: Author::System, visibility, event: Event::Unreadable };
        Ok(StoredEntry { seq: row.int(first)?, entry })
    })
}

/// Writes entries.
pub async fn insert(tx: &mut Tx, rows: &[TimelineRow]) -> Result<(), Error> {
    let head = format!("insert into timeline (ticket, {COLUMNS})");
    tx.insert_later(&head, COLUMNS_COUNT, "", rows.iter().map(TimelineRow::args).collect()).await
}

/// The entries of these tickets, which come in the order of their numbers, that say something in words, each ticket's latest first; and
/// the last of the tickets of which all are there, or the latest [`WORDS_MAX`].
pub async fn words_of(tx: &mut Tx, tickets: &[i64]) -> Result<(BTreeMap<i64, Vec<Entry>>, i64), Error> {
    let (Some(last), room) = (tickets.last(), tickets.len().next_power_of_two()) else {
        return Ok((BTreeMap::new(), 0));
    };
    let from = format!(
        "from timeline where ticket in ({}) and kind in ('commented', 'resolved') order by ticket, seq desc limit ${}",
        places(0, room),
        room + 1
    );
    // Filled up, so that few statements are prepared.
    let mut args: Vec<Arg> = tickets.iter().map(|ticket| Arg::from(*ticket)).collect();
    args.resize(room, Arg::from(*last));
    let with_limit = |limit: usize| {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        args.iter().cloned().chain([Arg::from(limit)]).collect::<Vec<_>>()
    };
    let (mut bytes, mut limit) = (0, WORDS_MAX);
    for (n, row) in tx
        .all(&format!("select cast(octet_length(details) as bigint) {from}"), with_limit(WORDS_MAX))
        .await?
        .iter()
        .enumerate()
    {
        bytes += row.int(0)?;
        if bytes >= WORDS_BYTES_MAX {
            limit = n + 1;
            break;
        }
    }
    let rows = tx.all(&format!("select ticket, {COLUMNS} {from}"), with_limit(limit)).await?;
    let mut found: BTreeMap<i64, Vec<Entry>> = BTreeMap::new();
    for row in &rows {
        found.entry(row.int(0)?).or_default().push(readable(row, 1)?.entry);
    }
    if rows.len() < limit {
        return Ok((found, *last));
    }
    // The last of them may have more.
    let cut = match found.len() {
        0 | 1 => None,
        _ => found.pop_last(),
    };
    let last = match (cut, found.last_key_value()) {
        (Some((cut, _)), _) => tickets.iter().copied().take_while(|ticket| *ticket < cut).last(),
        (None, only) => only.map(|(only, _)| *only),
    };
    Ok((found, last.unwrap_or_default()))
}

/// The places of these tickets' last entries; those that have none are left out. The caller holds the tickets' rows, so that no
/// other entry can take the next places.
pub async fn last_seqs(tx: &mut Tx, tickets: &BTreeSet<TicketNumber>) -> Result<BTreeMap<TicketNumber, i64>, Error> {
    if tickets.is_empty() {
        return Ok(BTreeMap::new());
    }
    let places = places(0, tickets.len());
    let sql = format!("select ticket, max(seq) from timeline where ticket in ({places}) group by ticket");
    let rows = tx.all(&sql, tickets.iter().map(|ticket| ticket.0.into()).collect()).await?;
    rows.iter().map(|row| Ok((TicketNumber(row.int(0)?), row.int(1)?))).collect()
}

impl Store {
    /// The rows of these places, by ticket and place: each the ticket's number, the first place and the last.
    pub(in crate::store) async fn timeline_rows(&self, places: &[(i64, i64, i64)]) -> Result<Vec<TimelineRow>, Error> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        // A place where there is nothing fills the list up, so that few statements are prepared and each is used again.
        let mut places = places.to_vec();
        places.resize(places.len().next_power_of_two(), (0, 1, 0));
        let place = |n: usize| format!("(${}, ${}, ${})", 3 * n + 1, 3 * n + 2, 3 * n + 3);
        let values: Vec<String> = (0..places.len()).map(place).collect();
        let sql = format!(
            "with places (named, low, high) as (values {}) select ticket, {COLUMNS} from places \
             join timeline on ticket = named and seq >= low and seq <= high order by ticket, seq",
            values.join(", ")
        );
        let args = places.iter().flat_map(|(ticket, low, high)| [*ticket, *low, *high]).map(Arg::from).collect();
        let rows = self.db.all_of_history(&sql, args).await?;
        let mut rows = rows.iter().map(TimelineRow::read).collect::<Result<Vec<_>, Error>>()?;
        // An entry of two places is one entry.
        rows.dedup_by_key(|row| (row.ticket, row.seq));
        Ok(rows)
    }

    /// The entries of these places, by ticket and place, as [`Store::timeline_rows`] takes them.
    pub(in crate::store) async fn entries_at(
        &self,
        places: &[(i64, i64, i64)],
    ) -> Result<Vec<(TicketNumber, StoredEntry)>, Error> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!("select ticket, {COLUMNS} from timeline where {} order by ticket, seq", among(places));
        let rows = self.db.all(&sql, Vec::new()).await?;
        rows.iter().map(|row| Ok((TicketNumber(row.int(0)?), readable(row, 1)?))).collect()
    }

    /// What happened to a ticket, in order, as far as a reader sees it. The database leaves out the rest, so that nothing above can
    /// forget to.
    pub async fn timeline(&self, ticket: TicketNumber, sees: Visibility) -> Result<Vec<StoredEntry>, Error> {
        self.entries(ticket, sees, 0, i64::MAX).await
    }

    /// The same page by page: what comes after an entry's `seq`, at most `limit` entries and about [`PAGE_BYTES_MAX`].
    ///
    /// For a reader of what is public, entries count among the public ones, so that no gap tells of those that are left out.
    pub async fn timeline_page(
        &self,
        ticket: TicketNumber,
        sees: Visibility,
        after: i64,
        limit: usize,
    ) -> Result<Page<StoredEntry, i64>, Error> {
        let visible = visible(sees);
        let (from, skipped) = match sees {
            Visibility::Internal => (after, 0),
            Visibility::Public => (0, after),
        };
        // Lengths are read before the texts: those may be long.
        let sql = format!(
            "select seq, cast(octet_length(details) as bigint) from timeline where ticket = $1 and seq > $2 {visible} \
             order by seq limit {} offset $3",
            limit + 1
        );
        let rows = self.db.quick(&sql, vec![ticket.0.into(), from.into(), skipped.into()]).await?;
        let (mut first, mut last, mut bytes, mut more) = (None, after, 0, false);
        for (n, row) in rows.iter().enumerate() {
            // One entry is on the page, however long it is.
            if n == limit || bytes >= PAGE_BYTES_MAX {
                more = true;
                break;
            }
            last = row.int(0)?;
            first = first.or(Some(last));
            bytes += row.int(1)?;
        }
        let Some(first) = first else { return Ok(Page { items: Vec::new(), next: None }) };
        let mut items = self.entries(ticket, sees, first - 1, last).await?;
        if sees == Visibility::Public {
            items.iter_mut().zip(after.saturating_add(1)..).for_each(|(entry, place)| entry.seq = place);
        }
        let next = items.last().map(|entry| entry.seq).filter(|_| more);
        Ok(Page { items, next })
    }

    /// The last entries of a ticket, in order, at most `limit` and about [`PAGE_BYTES_MAX`]; and how many come before them. It reads no
    /// more however long the ticket is.
    pub async fn timeline_end(
        &self,
        ticket: TicketNumber,
        sees: Visibility,
        limit: usize,
    ) -> Result<(Vec<StoredEntry>, i64), Error> {
        let visible = visible(sees);
        // Lengths are read before the texts: those may be long.
        let sql = format!(
            "select seq, cast(octet_length(details) as bigint) from timeline where ticket = $1 {visible} \
             order by seq desc limit {limit}"
        );
        let rows = self.db.quick(&sql, vec![ticket.0.into()]).await?;
        let (mut first, mut bytes) = (i64::MAX, 0);
        for row in &rows {
            first = row.int(0)?;
            bytes += row.int(1)?;
            if bytes >= PAGE_BYTES_MAX {
                break;
            }
        }
        let items = self.entries(ticket, sees, first.saturating_sub(1), i64::MAX).await?;
        let sql = format!("select count(*) from timeline where ticket = $1 and seq < $2 {visible}");
        let before = self.db.quick(&sql, vec![ticket.0.into(), first.into()]).await?;
        Ok((items, before.first().map_or(Ok(0), |row| row.int(0))?))
    }

    /// How far tickets have come for those who see only what is public.
    pub async fn public_states(&self, tickets: &[TicketNumber]) -> Result<BTreeMap<TicketNumber, PublicState>, Error> {
        if tickets.is_empty() {
            return Ok(BTreeMap::new());
        }
        let places = places(0, tickets.len());
        // What a ticket began with counts as one; a state that the desk changes by itself follows something that counts.
        let sql = format!(
            "select ticket, cast(1 + sum(case when seq > coalesce((select min(a.seq) from timeline a \
             where a.ticket = timeline.ticket and a.kind = 'acknowledged'), 0) \
             and not (kind = 'state-changed' and author_kind = {SYSTEM}) then 1 else 0 end) as bigint), max(at) \
             from timeline where ticket in ({places}) and visibility = {PUBLIC} group by ticket"
        );
        let rows = self.db.quick(&sql, tickets.iter().map(|number| number.0.into()).collect()).await?;
        let state = |row: &Row| {
            let state = PublicState { version: row.int(1)?, updated_at: at(T, "at", row.int(2)?).unwrap_or_default() };
            Ok((TicketNumber(row.int(0)?), state))
        };
        rows.iter().map(state).collect()
    }

    /// Entries after one and up to another.
    async fn entries(
        &self,
        ticket: TicketNumber,
        sees: Visibility,
        after: i64,
        to: i64,
    ) -> Result<Vec<StoredEntry>, Error> {
        let visible = visible(sees);
        let sql = format!(
            "select {COLUMNS} from timeline where ticket = $1 and seq > $2 and seq <= $3 {visible} order by seq"
        );
        let rows = self.db.all(&sql, vec![ticket.0.into(), after.into(), to.into()]).await?;
        rows.iter().map(|row| readable(row, 0)).collect()
    }

    /// The entries of a ticket that say how it came to be as it is: what was set, to whom it went, what became of its request.
    /// Comments, which may be long and many, are left out.
    pub async fn settings(&self, ticket: TicketNumber, sees: Visibility) -> Result<Vec<StoredEntry>, Error> {
        let visible = visible(sees);
        let sql = format!(
            "select {COLUMNS} from timeline where ticket = $1 and kind in ('set', 'assigned', 'access-decided') {visible} \
             order by seq limit {SETTINGS_MAX}"
        );
        let rows = self.db.all(&sql, vec![ticket.0.into()]).await?;
        rows.iter().map(|row| readable(row, 0)).collect()
    }

    /// The entries of these tickets that say what became of them: the values that people set, and every change of state.
    pub async fn outcomes(&self, tickets: &[TicketNumber]) -> Result<Vec<(TicketNumber, Entry)>, Error> {
        if tickets.is_empty() {
            return Ok(Vec::new());
        }
        let places = places(0, tickets.len());
        let sql = format!(
            "select ticket, {COLUMNS} from timeline where ticket in ({places}) \
             and ((author_kind = {PERSON} and kind in ('set', 'assigned')) or kind = 'state-changed') \
             order by ticket, seq"
        );
        let args = tickets.iter().map(|number| number.0.into()).collect();
        let rows = self.db.all(&sql, args).await?;
        rows.iter().map(|row| Ok((TicketNumber(row.int(0)?), readable(row, 1)?.entry))).collect()
    }
}

/// The condition for places, each the ticket's number, the first place and the last.
fn among(places: &[(i64, i64, i64)]) -> String {
    // Numbers, so that they need be no parameters.
    let one =
        |(ticket, first, last): &(i64, i64, i64)| format!("(ticket = {ticket} and seq >= {first} and seq <= {last})");
    places.iter().map(one).collect::<Vec<_>>().join(" or ")
}

/// The condition that leaves out the entries that a reader does not see.
fn visible(sees: Visibility) -> String {
    match sees {
        Visibility::Internal => String::new(),
        Visibility::Public => format!("and visibility = {PUBLIC}"),
    }
}
