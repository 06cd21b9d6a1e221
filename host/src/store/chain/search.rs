//! Searches in what is chained, from its end backwards: a page looks at a bounded number of entries and says where to go on.

use jiff::Timestamp;

use crate::store::db::{Arg, Row};
use crate::store::sql::columns::{at_or_epoch, ms};
use crate::store::sql::page::Page;
use crate::store::{Error, Store};

/// Entries that one page looks at, at most.
const WALK_MAX: i64 = 20_000;
/// How far clocks of hosts may be apart: an entry may be that much older than the one before it.
const SKEW_MS: i64 = 3_600_000;

/// A record of acts that is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Rules, tables, tokens, sessions, the configuration, and submissions that were refused.
    Desk,
    /// Access that was asked for, decided, given and taken back.
    Access,
}

/// The entries that are wanted; what is `None` does not narrow them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// One who did it or whom it is about, by id.
    pub person: Option<String>,
    pub event: Option<String>,
    /// The rule, the table, the document, the token; of access, the app.
    pub about: Option<String>,
    pub ticket: Option<i64>,
    /// From then on.
    pub from: Option<Timestamp>,
    /// Before then.
    pub until: Option<Timestamp>,
}

/// An entry as it was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub seq: i64,
    pub at: Timestamp,
    pub event: String,
    /// Empty in the record of access, whose facts say it.
    pub about: String,
    /// The number of the ticket that it belongs to.
    pub ticket: Option<i64>,
    /// Its facts, as they are kept.
    pub detail: String,
    /// Its place in the chain; none for what is older than that.
    pub link: Option<i64>,
}

/// Conditions, with their arguments.
#[derive(Default)]
struct Conditions {
    args: Vec<Arg>,
    /// That an index has.
    walked: String,
    /// That are looked at entry by entry.
    looked_at: String,
}

impl Conditions {
    fn of(source: Source, wanted: &Wanted, before: i64) -> Conditions {
        let Wanted { person, event, about, ticket, from, until } = wanted;
        let mut all = Conditions { args: vec![before.into()], walked: "seq < $1".to_owned(), ..Conditions::default() };
        if let (Source::Access, Some(number)) = (source, ticket) {
            let place = all.place(*number);
            all.walked.push_str(&format!(" and ticket = (select id from tickets where number = {place})"));
        }
        if let (Source::Desk, Some(number)) = (source, ticket) {
            let place = all.place(format!("IT-{number}"));
            all.looked_at.push_str(&format!(" and about = {place}"));
        }
        if let Some(event) = event {
            let place = all.place(event.as_str());
            all.walked.push_str(&format!(" and event = {place}"));
        }
        match (source, about) {
            (Source::Desk, Some(about)) => {
                let place = all.place(about.as_str());
                all.walked.push_str(&format!(" and about = {place}"));
            }
            (Source::Access, Some(app)) => all.has("app", app),
            (_, None) => {}
        }
        if let Some(person) = person {
            all.mentions(source, person);
        }
        for (time, test) in [(from, ">="), (until, "<")] {
            if let Some(time) = time {
                let place = all.place(ms(*time));
                all.looked_at.push_str(&format!(" and at {test} {place}"));
            }
        }
        all
    }

    fn place(&mut self, arg: impl Into<Arg>) -> String {
        self.args.push(arg.into());
        format!("${}", self.args.len())
    }

    /// Details are JSON, in which a person's id is a text by itself.
    fn mentions(&mut self, source: Source, person: &str) {
        let like = self.place(format!("%{}%", escaped(&serde_json::Value::from(person).to_string())));
        let about = match source {
            Source::Desk => format!(" or about = {}", self.place(person)),
            Source::Access => String::new(),
        };
        self.looked_at.push_str(&format!(" and (detail like {like} escape '!'{about})"));
    }

    /// The details have this value under this name.
    fn has(&mut self, name: &str, value: &str) {
        let pair = format!("\"{name}\":{}", serde_json::Value::from(value));
        let like = self.place(format!("%{}%", escaped(&pair)));
        self.looked_at.push_str(&format!(" and detail like {like} escape '!'"));
    }
}

/// A text in which nothing stands for anything in a `like`.
fn escaped(text: &str) -> String {
    text.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}

fn found(row: &Row) -> Result<Found, Error> {
    Ok(Found {
        seq: row.int(0)?,
        // An entry with a time that no calendar has is part of the record all the same.
        at: at_or_epoch(row.int(1)?),
        event: row.text(2)?,
        about: row.text(3)?,
        detail: row.text(4)?,
        link: row.opt_int(5)?,
        ticket: row.opt_int(6)?,
    })
}

impl Store {
    /// The last entries before a place that are wanted, at most `limit`, the newest first; and the place before which to go on,
    /// where there may be more. A page may be short, or empty, and yet there may be more.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn search_chain(
        &self,
        source: Source,
        wanted: &Wanted,
        before: Option<i64>,
        limit: usize,
    ) -> Result<(Vec<Found>, Option<i64>), Error> {
        let Conditions { args, walked, looked_at } = Conditions::of(source, wanted, before.unwrap_or(i64::MAX));
        let (table, columns, ticket) = match source {
            Source::Desk => ("audit", "seq, at, event, about, detail, link", "cast(null as bigint)"),
            Source::Access => (
                "ledger",
                "seq, at, event, '' as about, detail, link, ticket",
                "(select number from tickets t where t.id = w.ticket)",
            ),
        };
        let rows = limit + 1;
        let sql = format!(
            "select seq, at, event, about, detail, link, {ticket} from \
             (select {columns} from {table} where {walked} order by seq desc limit {WALK_MAX}) w \
             where 1 = 1{looked_at} order by seq desc limit {rows}"
        );
        let rows = self.db.all(&sql, args.clone()).await?;
        let Page { items: all, next } = self.readable_page(table, (&rows, limit), found, |row| row.int(0));
        if rows.len() > limit {
            return Ok((all, next));
        }
        // Every argument stands in the text: a server wants to know the kind of each.
        let sql = format!(
            "select seq, at from (select {columns} from {table} where {walked} order by seq desc limit 1 offset {}) w \
             where 1 = 1 or (1 = 1{looked_at})",
            WALK_MAX - 1
        );
        let end = self.db.optional(&sql, args).await?;
        let Some(end) = end else { return Ok((all, None)) };
        let over = wanted.from.is_some_and(|from| end.int(1).is_ok_and(|at| at < ms(from).saturating_sub(SKEW_MS)));
        Ok((all, (!over).then_some(end.int(0)?)))
    }
}
