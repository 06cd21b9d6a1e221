//! Everything that the desk keeps of one person: to be read, and to be taken off.
//!
//! An entry of which something is taken off is not the one that the chain of timelines vouches for. The audit says so, with the digests before and
//! after, so that the chain stays whole and says where a person was erased. Three things stay: the ledger of access with the grants
//! and decisions that it vouches for, the records of how rules decided, and the audit with what it vouches for, such as tokens that
//! were taken back and versions of documents. They are kept as proof, for as long as the archive keeps them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::directory;
use crate::desk::id::{PersonId, TicketNumber};
use crate::store::chain::timelines::Part;
use crate::store::chain::{audit, entrance};
use crate::store::db::{Arg, Row};
use crate::store::sql::columns::at;
use crate::store::{Error, Store};

mod names;

use names::{erase_in_drafts, erase_in_messages, erase_in_ticket, field_text};

/// The most rows of one section of an export.
const ROWS_MAX: i64 = 50_000;
/// Records of the chain that are read at a time.
const PAGE: i64 = 1_000;

/// The form in which a column is exported.
#[derive(Clone, Copy)]
enum Form {
    Text,
    Int,
    Time,
}

use Form::{Int, Text, Time};

/// A part of an export: its name, its columns, and where they are from, `$1` being the person.
type Section = (&'static str, &'static [(&'static str, Form)], &'static str);

const SECTIONS: &[Section] = &[
    (
        "tickets",
        &[
            ("number", Int),
            ("request_type", Text),
            ("channel", Text),
            ("requester", Text),
            ("submitted_by", Text),
            ("subject", Text),
            ("body", Text),
            ("fields", Text),
            ("attachments", Text),
            ("state", Text),
            ("category", Text),
            ("created_at", Time),
            ("resolved_at", Time),
            ("closed_at", Time),
        ],
        "from tickets t join contents c on c.ticket = t.number where t.requester = $1 or t.submitted_by = $1 order by number",
    ),
    (
        "entries",
        &[("ticket", Int), ("seq", Int), ("at", Time), ("kind", Text), ("details", Text)],
        "from timeline where author_kind = 1 and author = $1 order by ticket, seq",
    ),
    ("followed", &[("ticket", Int)], "from watchers where person = $1 order by ticket"),
    (
        "satisfaction",
        &[("ticket", Int), ("score", Int), ("comment", Text), ("answered_at", Time)],
        "from surveys where ticket in (select number from tickets where requester = $1) order by ticket",
    ),
    (
        "time",
        &[("ticket", Int), ("minutes", Int), ("note", Text), ("at", Time)],
        "from time_spent where person = $1 order by ticket, id",
    ),
    (
        "messages",
        &[("kind", Text), ("queued_at", Time), ("sent_at", Time), ("receipt", Text)],
        "from outbox where recipient = $1 order by queued_at",
    ),
    (
        "preferences",
        &[("delivery", Text), ("locale", Text), ("kinds", Text), ("changed_at", Time)],
        "from message_preferences where person = $1",
    ),
    ("pages", &[("single_keys", Int), ("changed_at", Time)], "from page_preferences where person = $1"),
    (
        "files",
        &[("name", Text), ("size", Int), ("found_type", Text), ("uploaded_at", Time), ("ticket", Int)],
        "from attachments where uploader = $1 order by uploaded_at",
    ),
    (
        "views",
        &[("name", Text), ("audience", Text), ("filter", Text), ("changed_at", Time)],
        "from views where owner = $1 order by name",
    ),
    ("drafts", &[("content", Text), ("saved_at", Time)], "from drafts where person = $1 order by saved_at"),
    (
        "tasks",
        &[("ticket", Int), ("text", Text), ("author", Text), ("at", Time), ("done_by", Text), ("done_at", Time)],
        "from tasks where author = $1 or done_by = $1 order by ticket, at",
    ),
    (
        "articles",
        &[("article", Int), ("version", Int), ("title", Text), ("body", Text), ("at", Time)],
        "from article_versions where author = $1 order by article, version",
    ),
    ("votes", &[("article", Int), ("helpful", Int), ("at", Time)], "from article_votes where person = $1 order by at"),
    ("spared-tickets", &[("article", Int), ("at", Time)], "from deflections where person = $1 order by at"),
    (
        "access-requests",
        &[
            ("app", Text),
            ("tier", Text),
            ("justification", Text),
            ("state", Text),
            ("reason", Text),
            ("opened_at", Time),
        ],
        "from access_cases where subject = $1 or requester = $1 order by opened_at",
    ),
    (
        "access-decisions",
        &[("step", Int), ("approve", Int), ("reason", Text), ("at", Time)],
        "from access_decisions where approver = $1 order by at",
    ),
    (
        "access-questions",
        &[("question", Text), ("asked_at", Time), ("answer", Text), ("answered_at", Time)],
        "from access_questions where asked_by = $1 or answered_by = $1 order by asked_at",
    ),
    (
        "grants",
        &[("app", Text), ("tier", Text), ("granted_at", Time), ("expires_at", Time), ("revoked_at", Time)],
        "from grants where subject = $1 order by granted_at",
    ),
    (
        "sign-ins-to-apps",
        &[("app", Text), ("last_at", Time), ("looked_at", Time)],
        "from access_sign_ins where subject = $1 order by app",
    ),
    (
        "delegations",
        &[
            ("person", Text),
            ("delegate", Text),
            ("first_day", Text),
            ("last_day", Text),
            ("made_at", Time),
            ("ended_at", Time),
            ("ended_by", Text),
        ],
        "from delegations where person = $1 or delegate = $1 order by made_at",
    ),
    (
        "tokens",
        &[("roles", Text), ("label", Text), ("created_at", Time), ("expires_at", Time), ("revoked_at", Time)],
        "from tokens where person = $1 order by created_at",
    ),
    ("account", &[("roles", Text), ("set_at", Time), ("set_by", Text)], "from accounts where person = $1"),
    (
        "directory",
        &[("name", Text), ("body", Text), ("created_at", Time), ("changed_at", Time), ("deleted_at", Time)],
        "from directory_entries where kind = 'user' and stands_for = $1",
    ),
    (
        "identities",
        &[("issuer", Text), ("subject", Text), ("bound_at", Time)],
        "from identities where person = $1 order by bound_at",
    ),
    (
        "sessions",
        &[("agent", Text), ("created_at", Time), ("seen_at", Time), ("ended_at", Time)],
        "from sessions where person = $1 order by created_at",
    ),
];

/// A part of what the desk keeps of a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    pub name: &'static str,
    pub rows: Vec<Map<String, Value>>,
    /// Whether there is more than an export takes.
    pub more: bool,
}

/// The outcome of an erasure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ErasedCount {
    pub tickets: usize,
    /// Entries of timelines that were changed.
    pub entries: usize,
}

/// A person who is erased, and the name that stands in their place.
#[derive(Debug, Clone, Copy)]
pub struct Erasure<'a> {
    pub person: &'a PersonId,
    pub pseudonym: &'a str,
    /// The fields that hold no person by the forms that there are, each as the form and its name: a text in one of them that is
    /// written as the person's id stays.
    pub texts: &'a BTreeSet<(String, String)>,
    /// Who does it.
    pub by: &'a str,
    pub now: Timestamp,
}

fn value(row: &Row, place: usize, form: Form) -> Result<Value, Error> {
    Ok(match form {
        Text => row.opt_text(place)?.map_or(Value::Null, Value::String),
        Int => row.opt_int(place)?.map_or(Value::Null, Value::from),
        Time => match row.opt_int(place)? {
            Some(ms) => json!(at("an export", "a time", ms)?.to_string()),
            None => Value::Null,
        },
    })
}

/// Statements about what is neither a ticket nor on a timeline: `$1` is the person, `$2` the name in their place.
const ELSEWHERE: [&str; 41] = [
    "update configuration_drafts set author = $2 where author = $1",
    "update configuration_waiting set author = $2 where author = $1",
    "update resolutions set resolved_by = $2 where resolved_by = $1",
    "update links set author = $2 where author = $1",
    "update tasks set author = $2 where author = $1",
    "update tasks set done_by = $2 where done_by = $1",
    "update time_spent set person = $2, note = '' where person = $1",
    "update articles set author = $2 where author = $1",
    "update article_versions set author = $2 where author = $1",
    "update article_votes set person = $2 where person = $1",
    "update deflections set person = $2 where person = $1",
    "update watchers set person = $2 where person = $1",
    "update views set owner = $2 where owner = $1 and audience <> ''",
    "delete from views where owner = $1 and $2 <> ''",
    "delete from starred_views where person = $1 and $2 <> ''",
    "delete from message_preferences where person = $1 and $2 <> ''",
    "delete from page_preferences where person = $1 and $2 <> ''",
    "update outbox set recipient = $2, payload = '', receipt = '' where recipient = $1",
    // Messages that have not left and tell others of the person's words: they tell that there are some.
    "update outbox set payload = '' where payload <> replace(payload, '{\"reply\":[\"' || $1 || '\",', '') and $2 <> ''",
    // The log of deliveries can be delivered again.
    "update webhook_deliveries set body = replace(body, '\"assignee\":\"' || $1 || '\"', '\"assignee\":\"' || $2 || '\"') \
     where body <> replace(body, '\"assignee\":\"' || $1 || '\"', '')",
    // Lists that others keep of the person's tickets.
    "update views set filter = replace(replace(filter, '\"assignee\":\"' || $1 || '\"', '\"assignee\":\"' || $2 || '\"'), \
     '\"requester\":\"' || $1 || '\"', '\"requester\":\"' || $2 || '\"'), version = version + 1 \
     where filter <> replace(replace(filter, '\"assignee\":\"' || $1 || '\"', ''), '\"requester\":\"' || $1 || '\"', '')",
    "delete from identities where person = $1 and $2 <> ''",
    "update outages set declared_by = $2 where declared_by = $1",
    "update outage_words set author = $2 where author = $1",
    "delete from drafts where person = $1 and $2 <> ''",
    "delete from sessions where person = $1 and $2 <> ''",
    // Their own tickets have the other name by now. The contents go with the next sweep.
    "delete from attachments where uploader = $1 and (ticket is null or ticket in (select number from tickets where requester = $2))",
    "delete from accounts where person = $1 and $2 <> ''",
    "update attachments set uploader = $2, name = '[erased]' where uploader = $1",
    "delete from member_turns where person = $1 and $2 <> ''",
    "delete from agents where person = $1 and $2 <> '' and unfinished = 0",
    "delete from connector_runs where op in (select id from access_ops where subject = $1) and $2 <> ''",
    "update access_bundles set requester = $2 where requester = $1",
    "update access_bundle_parts set subject = $2 where subject = $1",
    "update access_questions set asked_by = $2, question = '[erased]' where asked_by = $1",
    "update access_questions set answered_by = $2, answer = '[erased]' where answered_by = $1",
    "delete from delegations where (person = $1 or delegate = $1) and $2 <> ''",
    "update delegation_revision set revision = revision + 1 where id = 1 and $1 <> $2",
    "delete from access_places where person = $1 and $2 <> ''",
    "delete from access_sign_ins where subject = $1 and $2 <> ''",
    "delete from idempotency where actor = $1 and $2 <> ''",
];

impl Store {
    /// Everything that is kept of a person.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn kept_of(&self, person: &PersonId) -> Result<Vec<Kept>, Error> {
        let mut sections = Vec::with_capacity(SECTIONS.len());
        for (name, columns, from) in SECTIONS {
            let list: Vec<&str> = columns.iter().map(|(column, _)| *column).collect();
            let sql = format!("select {} {from} limit {}", list.join(", "), ROWS_MAX + 1);
            let found = self.db.all_of_history(&sql, vec![person.as_str().into()]).await?;
            let row = |row: &Row| {
                let cells = columns.iter().enumerate();
                let cell = |(place, (column, form)): (usize, &(&str, Form))| {
                    // All else of the row is theirs to know.
                    let value = value(row, place, *form).unwrap_or_else(|_| Value::from("damaged"));
                    ((*column).to_owned(), value)
                };
                cells.map(cell).collect()
            };
            let mut rows: Vec<Map<String, Value>> = found.iter().map(row).collect();
            let most = usize::try_from(ROWS_MAX).unwrap_or(usize::MAX);
            let more = rows.len() > most;
            rows.truncate(most);
            sections.push(Kept { name, rows, more });
        }
        Ok(sections)
    }

    /// How many unfinished tickets a person has requested or has to work on.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn work_left_with(&self, person: &PersonId) -> Result<i64, Error> {
        let sql = "select count(*) from tickets where unfinished = 1 and (requester = $1 or assignee = $1)";
        let rows = self.db.all(sql, vec![person.as_str().into()]).await?;
        rows.first().map_or(Ok(0), |row| row.int(0))
    }

    /// Puts another name in a person's place, and takes away the words of their own tickets. Cut off, it is gone on with by the
    /// same call.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read or written.
    pub async fn erase_person(&self, erasure: Erasure<'_>) -> Result<ErasedCount, Error> {
        let tickets = self.tickets_with(erasure.person).await?;
        let mut parts = self.parts_of(&tickets).await?;
        let mut done = ErasedCount { tickets: 0, entries: 0 };
        for number in tickets {
            let parts = parts.remove(&number).unwrap_or_default();
            let written = self.db.durably(async |mut tx| {
                let entries = erase_in_ticket(&mut tx, erasure, TicketNumber(number), &parts).await?;
                Ok((entries, tx))
            });
            let entries = written.await?;
            if let Some(entries) = entries {
                done.tickets += 1;
                done.entries += entries;
            }
        }
        let args = vec![Arg::from(erasure.person.as_str()), erasure.pseudonym.into()];
        let written = self.db.durably(async |mut tx| {
            let entrance = entrance::marks_of(&mut tx, erasure.person).await?;
            for sql in ELSEWHERE {
                tx.execute(sql, args.clone()).await?;
            }
            erase_in_drafts(&mut tx, erasure).await?;
            erase_in_messages(&mut tx, erasure).await?;
            let groups = directory::erase(&mut tx, erasure.person).await?;
            let detail = json!({ "by": erasure.by, "tickets": done.tickets, "entries": done.entries,
                "entrance": entrance, "groups": groups });
            let about = erasure.pseudonym.to_owned();
            let entry = audit::Entry { at: erasure.now, event: audit::ERASED, about, detail };
            audit::append(&mut tx, &[entry]).await?;
            Ok(((), tx))
        });
        written.await?;
        Ok(done)
    }

    /// The tickets that a person has to do with, by number.
    async fn tickets_with(&self, person: &PersonId) -> Result<BTreeSet<i64>, Error> {
        let sql = "select number from tickets where requester = $1 or submitted_by = $1 or assignee = $1 \
                   union select ticket from watchers where person = $1 \
                   union select ticket from timeline where author_kind = 1 and author = $1 \
                   union select ticket from timeline where kind in ('assigned', 'acknowledged', 'watched', 'unwatched') \
                   and details like $2 \
                   union select ticket from timeline where kind = 'commented' and details like $3 \
                   union select ticket from contents where fields like $4";
        let (named, in_words) = (format!("%\"{person}\"%"), format!("%@{person}%"));
        let in_a_field = format!("%{}%", field_text(person.as_str()));
        let args = vec![person.as_str().into(), named.into(), in_words.into(), in_a_field.into()];
        let rows = self.db.all_of_history(sql, args).await?;
        rows.iter().map(|row| row.int(0)).collect()
    }

    /// The parts of the chain of timelines that are about these tickets.
    async fn parts_of(&self, tickets: &BTreeSet<i64>) -> Result<BTreeMap<i64, Vec<Part>>, Error> {
        let (mut found, mut after): (BTreeMap<i64, Vec<Part>>, i64) = (BTreeMap::new(), 0);
        loop {
            let sql = format!("select link, entries from timelines where link > $1 order by link limit {PAGE}");
            let rows = self.db.all_of_history(&sql, vec![after.into()]).await?;
            let Some(last) = rows.last() else { return Ok(found) };
            after = last.int(0)?;
            for row in &rows {
                let parts = Part::all(&row.text(1)?).unwrap_or_default();
                for part in parts.into_iter().filter(|part| tickets.contains(&part.ticket.0)) {
                    found.entry(part.ticket.0).or_default().push(part);
                }
            }
        }
    }
}
