//! A ticket as a list shows it: what stands in `tickets`, without the texts that only the ticket's own page needs.

use jiff::Timestamp;

use crate::desk::id::{
    CategoryId, ImpactId, PersonId, PriorityId, RequestTypeId, Tag, TeamId, TicketId, TicketNumber, UrgencyId,
};
use crate::desk::organisation::Kind;
use crate::desk::ticket::State;
use crate::store::Error;
use crate::store::db::{Arg, Row};
use crate::store::sql::columns::{at, corrupt, from_json, parsed};
use crate::store::tickets::rows::{origin, standing};

/// A ticket without body, fields, attachments and signals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketSummary {
    pub number: TicketNumber,
    pub id: TicketId,
    pub version: i64,
    pub request_type: RequestTypeId,
    pub kind: Kind,
    pub channel: String,
    pub requester: PersonId,
    pub submitted_by: PersonId,
    pub subject: String,
    pub tags: Vec<Tag>,
    pub category: CategoryId,
    pub impact: Option<ImpactId>,
    pub urgency: Option<UrgencyId>,
    pub priority: PriorityId,
    pub team: TeamId,
    pub assignee: Option<PersonId>,
    pub tier: u8,
    pub state: State,
    pub duplicate_of: Option<TicketNumber>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub resolved_at: Option<Timestamp>,
    /// When what is owed next is due; `None` where nothing runs.
    pub due_at: Option<Timestamp>,
}

/// The statement for the summaries whose `key` is one of these, and its arguments: filled up to `room` places, so that few
/// statements are prepared. They come in no order.
pub fn statement(key: &str, mut keys: Vec<Arg>, room: usize) -> (String, Vec<Arg>) {
    if let Some(last) = keys.last().cloned() {
        keys.resize(room.max(keys.len()), last);
    }
    let places: Vec<String> = (1..=keys.len()).map(|n| format!("${n}")).collect();
    let (origin, standing) = (origin::LIST, standing::LIST);
    (format!("select number, {origin}, {standing} from tickets where {key} in ({})", places.join(", ")), keys)
}

/// A summary from a row of [`statement`].
pub fn summary(row: &Row) -> Result<TicketSummary, Error> {
    const T: &str = "tickets";
    let origin = origin::read(row, 1)?;
    let standing = standing::read(row, 1 + origin::NAMES.len())?;
    let tags: Vec<String> = from_json("tags", &standing.tags)?;
    let due = standing.queue_due;
    Ok(TicketSummary {
        number: TicketNumber(row.int(0)?),
        id: TicketId(origin.id),
        version: standing.version,
        request_type: parsed(T, "request_type", &origin.request_type)?,
        kind: Kind::from_code(&standing.kind).ok_or_else(|| corrupt(T, "kind", standing.kind))?,
        channel: origin.channel,
        requester: parsed(T, "requester", &origin.requester)?,
        submitted_by: parsed(T, "submitted_by", &origin.submitted_by)?,
        subject: origin.subject,
        tags: tags.iter().map(|tag| parsed(T, "tags", tag)).collect::<Result<_, _>>()?,
        category: parsed(T, "category", &standing.category)?,
        impact: standing.impact.map(|text| parsed(T, "impact", &text)).transpose()?,
        urgency: standing.urgency.map(|text| parsed(T, "urgency", &text)).transpose()?,
        priority: parsed(T, "priority", &standing.priority)?,
        team: parsed(T, "team", &standing.team)?,
        assignee: standing.assignee.map(|text| parsed(T, "assignee", &text)).transpose()?,
        tier: u8::try_from(standing.tier).map_err(|_| corrupt(T, "tier", "a large number"))?,
        state: State::from_code(&standing.state).ok_or_else(|| corrupt(T, "state", standing.state))?,
        duplicate_of: standing.duplicate_of.map(TicketNumber),
        created_at: at(T, "created_at", origin.created_at)?,
        updated_at: at(T, "updated_at", standing.updated_at)?,
        resolved_at: standing.resolved_at.map(|v| at(T, "resolved_at", v)).transpose()?,
        due_at: (due != i64::MAX).then(|| at(T, "queue_due", due)).transpose()?,
    })
}
