//! Domain values as columns, and back. The words in columns are the domain's own codes.

use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};

use super::Error;
use super::db::{Arg, Row};
use crate::desk::actor::{Author, RuleRef};
use crate::desk::id::{TicketId, TicketNumber};
use crate::desk::organisation::Kind;
use crate::desk::organisation::form::{Field, Value};
use crate::desk::sla::Clock;
use crate::desk::ticket::timeline::Entry;
use crate::desk::ticket::{Attachment, State, Ticket};

/// Something in a column that nothing of ours wrote.
pub fn corrupt(table: &'static str, column: &'static str, found: impl Into<String>) -> Error {
    Error::Corrupt { table, column, found: found.into() }
}

/// A text column as an id or a key.
pub fn parsed<T: std::str::FromStr>(table: &'static str, column: &'static str, text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| corrupt(table, column, text))
}

/// An instant as its column.
pub fn ms(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// A column as an instant.
pub fn at(table: &'static str, column: &'static str, ms: i64) -> Result<Timestamp, Error> {
    Timestamp::from_millisecond(ms).map_err(|_| corrupt(table, column, ms.to_string()))
}

/// The columns of `tickets`, in the order in which they are written and read; `number` comes first where it is read.
pub const TICKET_COLUMNS: &str = "id, version, request_type, kind, channel, requester, submitted_by, subject, body, \
     fields, attachments, signals, tags, category, impact, urgency, priority, rank, team, assignee, tier, state, \
     unfinished, duplicate_of, created_at, updated_at, resolved_at, closed_at, response_target, response_used, \
     response_running, response_met, response_due, resolution_target, resolution_used, resolution_running, \
     resolution_met, resolution_due, queue_due";
/// How many those are.
pub const TICKET_COLUMNS_COUNT: usize = 39;

/// A ticket's columns, in the order of [`TICKET_COLUMNS`].
pub fn ticket_args(ticket: &Ticket) -> Vec<Arg> {
    let mut args: Vec<Arg> = vec![
        ticket.id.0.into(),
        ticket.version.into(),
        ticket.request_type.as_str().into(),
        ticket.kind.code().into(),
        ticket.channel.clone().into(),
        ticket.requester.as_str().into(),
        ticket.submitted_by.as_str().into(),
        ticket.subject.clone().into(),
        ticket.body.clone().into(),
        fields_json(&ticket.fields).to_string().into(),
        attachments_json(&ticket.attachments).to_string().into(),
        json!(ticket.signals).to_string().into(),
        json!(ticket.tags.iter().map(|tag| tag.as_str()).collect::<Vec<_>>()).to_string().into(),
        ticket.category.as_str().into(),
        ticket.impact.as_ref().map(ToString::to_string).into(),
        ticket.urgency.as_ref().map(ToString::to_string).into(),
        ticket.priority.as_str().into(),
        ticket.rank.into(),
        ticket.team.as_str().into(),
        ticket.assignee.as_ref().map(ToString::to_string).into(),
        i64::from(ticket.tier).into(),
        ticket.state.code().into(),
        i64::from(ticket.state.is_unfinished()).into(),
        ticket.duplicate_of.map(|number| number.0).into(),
        ms(ticket.created_at).into(),
        ms(ticket.updated_at).into(),
        ticket.resolved_at.map(ms).into(),
        ticket.closed_at.map(ms).into(),
    ];
    for clock in [&ticket.first_response, &ticket.resolution] {
        args.extend([
            clock.target_ms.into(),
            clock.used_ms.into(),
            clock.running_since.map(ms).into(),
            clock.met_at.map(ms).into(),
            Arg::from(clock.due_at.map(ms)),
        ]);
    }
    args.push(queue_due(ticket).into());
    args
}

/// Where a ticket stands among those of its rank.
pub fn queue_due(ticket: &Ticket) -> i64 {
    ticket.resolution.due_at.map_or(i64::MAX, ms)
}

/// A ticket from a row of `number` and [`TICKET_COLUMNS`].
pub fn ticket(row: &Row) -> Result<Ticket, Error> {
    const T: &str = "tickets";
    let kind = row.text(4)?;
    let state = row.text(22)?;
    let tags: Vec<String> = from_json("tags", &row.text(13)?)?;
    Ok(Ticket {
        number: TicketNumber(row.int(0)?),
        id: TicketId(row.uuid(1)?),
        version: row.int(2)?,
        request_type: parsed(T, "request_type", &row.text(3)?)?,
        kind: Kind::from_code(&kind).ok_or_else(|| corrupt(T, "kind", kind))?,
        channel: row.text(5)?,
        requester: parsed(T, "requester", &row.text(6)?)?,
        submitted_by: parsed(T, "submitted_by", &row.text(7)?)?,
        subject: row.text(8)?,
        body: row.text(9)?,
        fields: fields_from_json(&row.text(10)?)?,
        attachments: attachments_from_json(&row.text(11)?)?,
        signals: from_json("signals", &row.text(12)?)?,
        tags: tags.iter().map(|tag| parsed(T, "tags", tag)).collect::<Result<_, _>>()?,
        category: parsed(T, "category", &row.text(14)?)?,
        impact: row.opt_text(15)?.map(|text| parsed(T, "impact", &text)).transpose()?,
        urgency: row.opt_text(16)?.map(|text| parsed(T, "urgency", &text)).transpose()?,
        priority: parsed(T, "priority", &row.text(17)?)?,
        rank: row.int(18)?,
        team: parsed(T, "team", &row.text(19)?)?,
        assignee: row.opt_text(20)?.map(|text| parsed(T, "assignee", &text)).transpose()?,
        tier: u8::try_from(row.int(21)?).map_err(|_| corrupt(T, "tier", "a large number"))?,
        state: State::from_code(&state).ok_or_else(|| corrupt(T, "state", state))?,
        duplicate_of: row.opt_int(24)?.map(TicketNumber),
        created_at: at(T, "created_at", row.int(25)?)?,
        updated_at: at(T, "updated_at", row.int(26)?)?,
        resolved_at: row.opt_int(27)?.map(|v| at(T, "resolved_at", v)).transpose()?,
        closed_at: row.opt_int(28)?.map(|v| at(T, "closed_at", v)).transpose()?,
        first_response: clock(row, 29)?,
        resolution: clock(row, 34)?,
    })
}

fn clock(row: &Row, first: usize) -> Result<Clock, Error> {
    let instant = |place: usize| row.opt_int(first + place)?.map(|v| at("tickets", "a clock", v)).transpose();
    Ok(Clock {
        target_ms: row.int(first)?,
        used_ms: row.int(first + 1)?,
        running_since: instant(2)?,
        met_at: instant(3)?,
        due_at: instant(4)?,
    })
}

/// A JSON column.
pub fn from_json<T: serde::de::DeserializeOwned>(column: &'static str, text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|_| corrupt("tickets", column, text))
}

fn fields_json(fields: &[Field]) -> Json {
    let value = |value: &Value| match value {
        Value::Text(text) => json!({ "text": text }),
        Value::Number(number) => json!({ "number": number }),
        Value::Flag(flag) => json!({ "flag": flag }),
        Value::Date(date) => json!({ "date": date.to_string() }),
        Value::Choice(choice) => json!({ "choice": choice }),
        Value::Choices(choices) => json!({ "choices": choices }),
    };
    Json::Array(fields.iter().map(|(name, v)| json!([name, value(v)])).collect())
}

fn fields_from_json(text: &str) -> Result<Vec<Field>, Error> {
    let fields: Vec<(String, Map<String, Json>)> = from_json("fields", text)?;
    fields
        .into_iter()
        .map(|(name, value)| {
            let value = value.into_iter().next().and_then(|(kind, value)| field_value(&kind, value));
            value.map(|value| (name, value)).ok_or_else(|| corrupt("tickets", "fields", text))
        })
        .collect()
}

fn field_value(kind: &str, value: Json) -> Option<Value> {
    Some(match (kind, value) {
        ("text", Json::String(text)) => Value::Text(text),
        ("number", Json::Number(number)) => Value::Number(number.as_f64()?),
        ("flag", Json::Bool(flag)) => Value::Flag(flag),
        ("date", Json::String(date)) => Value::Date(date.parse().ok()?),
        ("choice", Json::String(choice)) => Value::Choice(choice),
        ("choices", choices) => Value::Choices(serde_json::from_value(choices).ok()?),
        _ => return None,
    })
}

fn attachments_json(attachments: &[Attachment]) -> Json {
    Json::Array(attachments.iter().map(|a| json!([a.name, a.media_type, a.size])).collect())
}

fn attachments_from_json(text: &str) -> Result<Vec<Attachment>, Error> {
    let rows: Vec<(String, String, u64)> = from_json("attachments", text)?;
    Ok(rows.into_iter().map(|(name, media_type, size)| Attachment { name, media_type, size }).collect())
}

/// The columns of `timeline` after `ticket` and `seq`.
pub fn entry_args(ticket: TicketId, seq: i64, entry: &Entry) -> Vec<Arg> {
    let (kind, author, version) = match &entry.author {
        Author::Person(person) => ("person", person.to_string(), String::new()),
        Author::System => ("system", String::new(), String::new()),
        Author::Rule(RuleRef { name, version }) => ("rule", name.clone(), version.clone()),
    };
    let details: Map<String, Json> =
        entry.event.details().into_iter().map(|(key, value)| (key.to_owned(), Json::String(value))).collect();
    vec![
        ticket.0.into(),
        seq.into(),
        ms(entry.at).into(),
        kind.into(),
        author.into(),
        version.into(),
        entry.visibility.code().into(),
        entry.event.kind().into(),
        Json::Object(details).to_string().into(),
    ]
}

/// How those rows are inserted.
pub const INSERT_TIMELINE: &str =
    "insert into timeline (ticket, seq, at, author_kind, author, author_version, visibility, kind, details)";
/// How many columns they have.
pub const TIMELINE_COLUMNS_COUNT: usize = 9;
