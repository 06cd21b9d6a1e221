//! A ticket as a list shows it: what stands in `tickets`, without the texts that only the ticket's own page needs.

use jiff::Timestamp;

use crate::desk::id::{
    CategoryId, ImpactId, PersonId, PriorityId, RequestTypeId, Tag, TeamId, TicketId, TicketNumber, UrgencyId,
};
use crate::desk::organisation::Kind;
use crate::desk::ticket::State;
use crate::store::Error;
use crate::store::columns::{at, corrupt, from_json, parsed};
use crate::store::db::{Arg, Row};

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

/// The columns of a summary, in the order in which they are read.
pub const SUMMARY_COLUMNS: &str = "number, id, version, request_type, kind, channel, requester, submitted_by, subject, \
     tags, category, impact, urgency, priority, team, assignee, tier, state, duplicate_of, created_at, updated_at, \
     resolved_at, queue_due";

/// The statement for the summaries whose `key` is one of these, and its arguments: filled up to `room` places, so that few
/// statements are prepared. They come in no order.
pub fn statement(key: &str, mut keys: Vec<Arg>, room: usize) -> (String, Vec<Arg>) {
    if let Some(last) = keys.last().cloned() {
        keys.resize(room.max(keys.len()), last);
    }
    let places: Vec<String> = (1..=keys.len()).map(|n| format!("${n}")).collect();
    (format!("select {SUMMARY_COLUMNS} from tickets where {key} in ({})", places.join(", ")), keys)
}

/// A summary from a row of [`SUMMARY_COLUMNS`].
pub fn summary(row: &Row) -> Result<TicketSummary, Error> {
    const T: &str = "tickets";
    let (kind, state) = (row.text(4)?, row.text(17)?);
    let tags: Vec<String> = from_json("tags", &row.text(9)?)?;
    let due = row.int(22)?;
    Ok(TicketSummary {
        number: TicketNumber(row.int(0)?),
        id: TicketId(row.uuid(1)?),
        version: row.int(2)?,
        request_type: parsed(T, "request_type", &row.text(3)?)?,
        kind: Kind::from_code(&kind).ok_or_else(|| corrupt(T, "kind", kind))?,
        channel: row.text(5)?,
        requester: parsed(T, "requester", &row.text(6)?)?,
        submitted_by: parsed(T, "submitted_by", &row.text(7)?)?,
        subject: row.text(8)?,
        tags: tags.iter().map(|tag| parsed(T, "tags", tag)).collect::<Result<_, _>>()?,
        category: parsed(T, "category", &row.text(10)?)?,
        impact: row.opt_text(11)?.map(|text| parsed(T, "impact", &text)).transpose()?,
        urgency: row.opt_text(12)?.map(|text| parsed(T, "urgency", &text)).transpose()?,
        priority: parsed(T, "priority", &row.text(13)?)?,
        team: parsed(T, "team", &row.text(14)?)?,
        assignee: row.opt_text(15)?.map(|text| parsed(T, "assignee", &text)).transpose()?,
        tier: u8::try_from(row.int(16)?).map_err(|_| corrupt(T, "tier", "a large number"))?,
        state: State::from_code(&state).ok_or_else(|| corrupt(T, "state", state))?,
        duplicate_of: row.opt_int(18)?.map(TicketNumber),
        created_at: at(T, "created_at", row.int(19)?)?,
        updated_at: at(T, "updated_at", row.int(20)?)?,
        resolved_at: row.opt_int(21)?.map(|v| at(T, "resolved_at", v)).transpose()?,
        due_at: (due != i64::MAX).then(|| at(T, "queue_due", due)).transpose()?,
    })
}
