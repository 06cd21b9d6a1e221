//! A ticket as rows: what it is in lists, in `tickets`; its texts, in `contents`; its promises, in `clocks`; and by which tags it is
//! found, in `tagged`, where a ticket without tags has no row.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::desk::id::{AttachmentId, Tag, TicketId, TicketNumber};
use crate::desk::organisation::Kind;
use crate::desk::organisation::form::{Field, Value};
use crate::desk::sla::{Clock, ClockKind, ClockName, Clocks};
use crate::desk::ticket::intake::attachment::{Content, Scan};
use crate::desk::ticket::timeline::Visibility;
use crate::desk::ticket::{Attachment, State, Submitted, Ticket};
use crate::store::Error;
use crate::store::db::{Arg, Row, Tx};
use crate::store::sql::columns::{at, columns, corrupt, from_json, ms, parsed};
use crate::store::sql::{padded, places};

columns! {
    /// The columns of `tickets` that are written when a ticket opens and never again.
    origin of ticket: &Ticket {
        id: Uuid = ticket.id.0;
        request_type: String = ticket.submitted.request_type.as_str();
        channel: String = ticket.submitted.channel.as_str();
        requester: String = ticket.submitted.requester.as_str();
        submitted_by: String = ticket.submitted.submitted_by.as_str();
        subject: String = ticket.submitted.subject.as_str();
        created_at: i64 = ms(ticket.submitted.at);
    }
}

columns! {
    /// The columns of `tickets` that change.
    standing of ticket: &Ticket {
        version: i64 = ticket.version;
        kind: String = ticket.kind.code();
        tags: String = json!(ticket.tags.iter().map(|tag| tag.as_str()).collect::<Vec<_>>()).to_string();
        category: String = ticket.category.as_str();
        impact: Option<String> = ticket.impact.as_ref().map(ToString::to_string);
        urgency: Option<String> = ticket.urgency.as_ref().map(ToString::to_string);
        priority: String = ticket.priority.as_str();
        rank: i64 = ticket.rank;
        team: String = ticket.team.as_str();
        assignee: Option<String> = ticket.assignee.as_ref().map(ToString::to_string);
        tier: i64 = i64::from(ticket.tier);
        state: String = ticket.state.code();
        unfinished: i64 = i64::from(ticket.state.is_unfinished());
        duplicate_of: Option<i64> = ticket.duplicate_of.map(|number| number.0);
        updated_at: i64 = ms(ticket.updated_at);
        resolved_at: Option<i64> = ticket.resolved_at.map(ms);
        closed_at: Option<i64> = ticket.closed_at.map(ms);
        queue_due: i64 = queue_due(ticket);
        skills: String = json!(ticket.skills.iter().map(|skill| skill.as_str()).collect::<Vec<_>>()).to_string();
        watchers: String = json!(ticket.watchers.iter().map(|person| person.as_str()).collect::<Vec<_>>()).to_string();
    }
}

columns! {
    /// The columns of `contents` after `ticket`: the texts, which no list reads and hardly a change rewrites.
    content of submitted: &Submitted {
        body: String = submitted.body.as_str();
        fields: String = fields_json(&submitted.fields).to_string();
        attachments: String = attachments_json(&submitted.attachments).to_string();
        signals: String = json!(submitted.signals).to_string();
    }
}

columns! {
    /// The columns of `clocks` after `ticket`: one promise a row.
    promise of promise: (ClockKind, &Clock) {
        clock: String = promise.0.code();
        target: i64 = promise.1.target_ms;
        used: i64 = promise.1.used_ms;
        running: Option<i64> = promise.1.running_since.map(ms);
        met: Option<i64> = promise.1.met_at.map(ms);
        due: Option<i64> = promise.1.due_at.map(ms);
        alerted: i64 = i64::from(promise.1.alerted);
        day_end: Option<i64> = promise.1.day_end.map(ms);
    }
}

/// Where a ticket stands among those of its rank: when it is due, or the end of time where nothing runs.
pub fn queue_due(ticket: &Ticket) -> i64 {
    ticket.clocks.resolution.due_at.map_or(i64::MAX, ms)
}

/// The statement that reads whole tickets, up to where a condition about `t` narrows it: a row for each of a ticket's clocks.
pub fn select(condition: &str) -> String {
    format!(
        "select t.number, {}, {}, {}, {} from tickets t join contents c on c.ticket = t.number \
         join clocks k on k.ticket = t.number where {condition}",
        origin::LIST,
        standing::LIST,
        content::LIST,
        promise::LIST,
    )
}

/// The ticket that the rows of [`select`] hold, if there is one.
pub fn ticket(rows: &[Row]) -> Result<Option<Ticket>, Error> {
    const T: &str = "tickets";
    let Some(row) = rows.first() else { return Ok(None) };
    let after_origin = 1 + origin::NAMES.len();
    let after_standing = after_origin + standing::NAMES.len();
    let origin = origin::read(row, 1)?;
    let standing = standing::read(row, after_origin)?;
    let content = content::read(row, after_standing)?;
    let tags: Vec<String> = from_json(T, "tags", &standing.tags)?;
    let watchers: Vec<String> = from_json(T, "watchers", &standing.watchers)?;
    let skills: Vec<String> = from_json(T, "skills", &standing.skills)?;
    let submitted = Submitted {
        request_type: parsed(T, "request_type", &origin.request_type)?,
        channel: origin.channel,
        requester: parsed(T, "requester", &origin.requester)?,
        submitted_by: parsed(T, "submitted_by", &origin.submitted_by)?,
        at: at(T, "created_at", origin.created_at)?,
        subject: origin.subject,
        body: content.body,
        fields: fields_from_json(&content.fields)?,
        attachments: attachments_from_json(&content.attachments)?,
        signals: from_json("contents", "signals", &content.signals)?,
    };
    Ok(Some(Ticket {
        number: TicketNumber(row.int(0)?),
        id: TicketId(origin.id),
        version: standing.version,
        submitted: Arc::new(submitted),
        kind: Kind::from_code(&standing.kind).ok_or_else(|| corrupt(T, "kind", standing.kind))?,
        tags: tags.iter().map(|tag| parsed(T, "tags", tag)).collect::<Result<_, _>>()?,
        category: parsed(T, "category", &standing.category)?,
        impact: standing.impact.map(|text| parsed(T, "impact", &text)).transpose()?,
        urgency: standing.urgency.map(|text| parsed(T, "urgency", &text)).transpose()?,
        priority: parsed(T, "priority", &standing.priority)?,
        rank: standing.rank,
        team: parsed(T, "team", &standing.team)?,
        assignee: standing.assignee.map(|text| parsed(T, "assignee", &text)).transpose()?,
        skills: skills.iter().map(|skill| parsed(T, "skills", skill)).collect::<Result<_, _>>()?,
        tier: u8::try_from(standing.tier).map_err(|_| corrupt(T, "tier", standing.tier.to_string()))?,
        state: State::from_code(&standing.state).ok_or_else(|| corrupt(T, "state", standing.state))?,
        duplicate_of: standing.duplicate_of.map(TicketNumber),
        watchers: watchers.iter().map(|person| parsed(T, "watchers", person)).collect::<Result<_, _>>()?,
        updated_at: at(T, "updated_at", standing.updated_at)?,
        resolved_at: standing.resolved_at.map(|v| at(T, "resolved_at", v)).transpose()?,
        closed_at: standing.closed_at.map(|v| at(T, "closed_at", v)).transpose()?,
        clocks: clocks(rows, after_standing + content::NAMES.len())?,
    }))
}

fn clocks(rows: &[Row], first: usize) -> Result<Clocks, Error> {
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let promise = promise::read(row, first)?;
        let instant = |ms: Option<i64>| ms.map(|v| at("clocks", "an instant", v)).transpose();
        let clock = Clock {
            target_ms: promise.target,
            used_ms: promise.used,
            running_since: instant(promise.running)?,
            met_at: instant(promise.met)?,
            due_at: instant(promise.due)?,
            alerted: u16::try_from(promise.alerted)
                .map_err(|_| corrupt("clocks", "alerted", promise.alerted.to_string()))?,
            day_end: instant(promise.day_end)?,
        };
        found.push((promise.clock, clock));
    }
    let get = |kind: ClockKind| found.iter().find(|(code, _)| code == kind.code()).map(|(_, clock)| *clock);
    let of = |kind: ClockKind| get(kind).ok_or_else(|| corrupt("clocks", "clock", format!("no {}", kind.code())));
    let further = found.iter().filter_map(|(code, clock)| ClockName::parse(code).map(|name| (name, *clock)));
    Ok(Clocks {
        first_response: of(ClockKind::FirstResponse)?,
        resolution: of(ClockKind::Resolution)?,
        update: get(ClockKind::Update),
        team: get(ClockKind::Team),
        confirmation: get(ClockKind::Confirmation),
        answer: get(ClockKind::Answer),
        further: further.collect(),
    })
}

/// Writes what every new ticket has in each of the tables; the numbers that they got, by id.
pub async fn insert(tx: &mut Tx, tickets: &[&Ticket]) -> Result<BTreeMap<TicketId, TicketNumber>, Error> {
    let args = tickets.iter().map(|ticket| {
        let mut args = origin::args(ticket);
        args.extend(standing::args(ticket));
        args
    });
    let head = format!("insert into tickets ({}, {})", origin::LIST, standing::LIST);
    let columns = origin::NAMES.len() + standing::NAMES.len();
    let mut numbers = BTreeMap::new();
    for row in tx.insert(&head, columns, "returning id, number", args.collect()).await? {
        numbers.insert(TicketId(row.uuid(0)?), TicketNumber(row.int(1)?));
    }
    let number = |ticket: &Ticket| numbers.get(&ticket.id).map_or(0, |number| number.0);
    let args = tickets.iter().map(|ticket| {
        let mut args = content::args(&ticket.submitted);
        args.insert(0, number(ticket).into());
        args
    });
    let head = format!("insert into contents (ticket, {})", content::LIST);
    tx.insert_later(&head, 1 + content::NAMES.len(), "", args.collect()).await?;
    let clocks = tickets.iter().flat_map(|ticket| {
        let number = number(ticket);
        let kinds = ticket.clocks.kinds().into_iter();
        kinds.filter_map(move |kind| Some(clock_args(number, kind, ticket.clocks.get(kind)?)))
    });
    write_clocks(tx, clocks.collect()).await?;
    let mut tagged = Vec::new();
    for ticket in tickets {
        let number = number(ticket);
        tagged.extend(tags(ticket).into_iter().map(|tag| tagged_args(number, ticket, tag)));
    }
    write_tagged(tx, tagged).await?;
    Ok(numbers)
}

/// Writes how tickets stand now and those of their clocks, as far as they have changed, each from how it stood before. The caller
/// holds the tickets' rows. Those that change alike, as where many grants end at one time, are written in one statement.
pub async fn update(tx: &mut Tx, changed: &[(&Ticket, &Ticket)]) -> Result<(), Error> {
    let mut times: BTreeMap<TicketNumber, usize> = BTreeMap::new();
    changed.iter().for_each(|(_, after)| *times.entry(after.number).or_default() += 1);
    let is_once = |(_, after): &(&Ticket, &Ticket)| times.get(&after.number) == Some(&1);
    let (once, in_order): (Vec<_>, Vec<_>) = changed.iter().copied().partition(is_once);
    let mut alike: Vec<(Standing, Vec<i64>)> = Vec::new();
    for (before, after) in &once {
        let standing = Standing::of(before, after);
        match alike.iter_mut().find(|(known, _)| *known == standing) {
            Some((_, numbers)) => numbers.push(after.number.0),
            None => alike.push((standing, vec![after.number.0])),
        }
    }
    for (standing, numbers) in alike {
        standing.write(tx, numbers).await?;
    }
    update_clocks(tx, &once).await?;
    update_tagged(tx, &once).await?;
    update_fields(tx, &once).await?;
    for (before, after) in in_order {
        Standing::of(before, after).write(tx, vec![after.number.0]).await?;
        update_clocks(tx, &[(before, after)]).await?;
        update_tagged(tx, &[(before, after)]).await?;
        update_fields(tx, &[(before, after)]).await?;
    }
    Ok(())
}

/// Writes what stands in the fields of those tickets whose form was filled in once more, as where the day of a bundle is another.
async fn update_fields(tx: &mut Tx, changed: &[(&Ticket, &Ticket)]) -> Result<(), Error> {
    for (before, after) in changed {
        let (was, is) = (&before.submitted, &after.submitted);
        if !Arc::ptr_eq(was, is) && was.fields != is.fields {
            let fields = fields_json(&is.fields).to_string();
            // What was erased meanwhile stays so.
            let sql = "update contents set fields = $1 where ticket = $2 and fields <> '[]'";
            tx.later(sql, vec![fields.into(), after.number.0.into()]).await?;
        }
    }
    Ok(())
}

/// The difference between two versions of a ticket's row.
#[derive(PartialEq)]
struct Standing {
    /// Whether the version is the next one, as of nearly all changes: then tickets of other versions change alike.
    steps: bool,
    /// The other columns that change. A column that is named is written into each of its indexes, also where it is what it was.
    columns: Vec<(&'static str, Arg)>,
}

impl Standing {
    fn of(before: &Ticket, after: &Ticket) -> Standing {
        let steps = before.version.checked_add(1) == Some(after.version);
        let mut columns = Vec::new();
        for ((name, was), is) in standing::NAMES.iter().zip(standing::args(before)).zip(standing::args(after)) {
            if was != is && !(steps && *name == "version") {
                columns.push((*name, is));
            }
        }
        Standing { steps, columns }
    }

    /// Writes it to tickets that are held.
    async fn write(self, tx: &mut Tx, numbers: Vec<i64>) -> Result<(), Error> {
        let mut sets: Vec<String> =
            self.columns.iter().zip(1..).map(|((name, _), place)| format!("{name} = ${place}")).collect();
        sets.extend(self.steps.then(|| "version = version + 1".to_owned()));
        if sets.is_empty() {
            return Ok(());
        }
        let numbers = padded(numbers);
        let among = places(self.columns.len(), numbers.len());
        let sql = format!("update tickets set {} where number in ({among})", sets.join(", "));
        let args = self.columns.into_iter().map(|(_, value)| value).chain(numbers.into_iter().map(Arg::from));
        tx.later(&sql, args.collect()).await
    }
}

async fn update_clocks(tx: &mut Tx, changed: &[(&Ticket, &Ticket)]) -> Result<(), Error> {
    let (mut rows, mut ended) = (Vec::new(), Vec::new());
    for (before, after) in changed {
        let number = after.number.0;
        let kinds = before.clocks.kinds_with(&after.clocks).into_iter();
        for kind in kinds.filter(|kind| before.clocks.get(*kind) != after.clocks.get(*kind)) {
            match after.clocks.get(kind) {
                Some(clock) => rows.push(clock_args(number, kind, clock)),
                None => ended.push(vec![number.into(), Arg::from(kind.code())]),
            }
        }
    }
    write_clocks(tx, rows).await?;
    tx.insert_later("delete from clocks where (ticket, clock) in (", 2, ")", ended).await
}

fn clock_args(number: i64, kind: ClockKind, clock: &Clock) -> Vec<Arg> {
    let mut args = promise::args((kind, clock));
    args.insert(0, number.into());
    args
}

async fn write_clocks(tx: &mut Tx, rows: Vec<Vec<Arg>>) -> Result<(), Error> {
    let head = format!("insert into clocks (ticket, {})", promise::LIST);
    let tail = "on conflict (ticket, clock) do update set target = excluded.target, used = excluded.used, \
                running = excluded.running, met = excluded.met, due = excluded.due, alerted = excluded.alerted, \
                day_end = excluded.day_end";
    tx.insert_later(&head, 1 + promise::NAMES.len(), tail, rows).await
}

/// Its tags, each once.
fn tags(ticket: &Ticket) -> BTreeSet<&Tag> {
    ticket.tags.iter().collect()
}

fn tagged_args(number: i64, ticket: &Ticket, tag: &Tag) -> Vec<Arg> {
    let unfinished = i64::from(ticket.state.is_unfinished());
    vec![tag.as_str().into(), number.into(), unfinished.into(), ticket.rank.into(), queue_due(ticket).into()]
}

async fn write_tagged(tx: &mut Tx, rows: Vec<Vec<Arg>>) -> Result<(), Error> {
    let head = "insert into tagged (tag, number, unfinished, rank, queue_due)";
    let tail = "on conflict (tag, number) do update set unfinished = excluded.unfinished, rank = excluded.rank, \
                queue_due = excluded.queue_due";
    tx.insert_later(head, 5, tail, rows).await
}

/// Writes by which tags tickets are found, and where each is in the queue, as far as that has changed.
async fn update_tagged(tx: &mut Tx, changed: &[(&Ticket, &Ticket)]) -> Result<(), Error> {
    let place = |ticket: &Ticket| (ticket.state.is_unfinished(), ticket.rank, queue_due(ticket));
    let (mut rows, mut gone) = (Vec::new(), Vec::new());
    for (before, after) in changed {
        let number = after.number.0;
        let (had, has) = (tags(before), tags(after));
        let moved = place(before) != place(after);
        let written = has.iter().filter(|tag| moved || !had.contains(*tag));
        rows.extend(written.map(|tag| tagged_args(number, after, tag)));
        gone.extend(had.difference(&has).map(|tag| vec![Arg::from(tag.as_str()), number.into()]));
    }
    write_tagged(tx, rows).await?;
    tx.insert_later("delete from tagged where (tag, number) in (", 2, ")", gone).await
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
    let fields: Vec<(String, Map<String, Json>)> = from_json("contents", "fields", text)?;
    fields
        .into_iter()
        .map(|(name, value)| {
            let value = value.into_iter().next().and_then(|(kind, value)| field_value(&kind, value));
            value.map(|value| (name, value)).ok_or_else(|| corrupt("contents", "fields", text))
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
    let row = |a: &Attachment| match &a.content {
        None => json!([a.name, a.media_type, a.size]),
        Some(Content { id, digest, found_type, scan, .. }) => {
            json!([a.name, a.media_type, a.size, [id.to_string(), digest, found_type, scan.code()]])
        }
    };
    Json::Array(attachments.iter().map(row).collect())
}

/// An attachment as its row has it: its content only where the desk keeps it.
#[derive(serde::Deserialize)]
struct AttachmentRow(String, String, u64, #[serde(default)] Option<(Uuid, String, String, String)>);

fn attachments_from_json(text: &str) -> Result<Vec<Attachment>, Error> {
    let rows: Vec<AttachmentRow> = from_json("contents", "attachments", text)?;
    let attachment = |AttachmentRow(name, media_type, size, content)| {
        let content = content.map(|(id, digest, found_type, scan)| -> Result<Content, Error> {
            let scan = Scan::from_code(&scan).ok_or_else(|| corrupt("contents", "attachments", scan))?;
            // Others are not among those that a ticket was submitted with.
            Ok(Content { id: AttachmentId(id), digest, found_type, scan, visibility: Visibility::Public })
        });
        Ok(Attachment { name, media_type, size, content: content.transpose()? })
    };
    rows.into_iter().map(attachment).collect()
}
