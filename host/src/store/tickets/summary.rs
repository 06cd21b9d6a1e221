//! A ticket as a list shows it: what stands in `tickets`, without the texts that only the ticket's own page needs.

use jiff::Timestamp;
use uuid::Uuid;

use crate::desk::id::{
    CategoryId, ImpactId, PersonId, PriorityId, RequestTypeId, Tag, TeamId, TicketId, TicketNumber, UrgencyId,
};
use crate::desk::organisation::Kind;
use crate::desk::ticket::State;
use crate::store::Error;
use crate::store::db::{Arg, Row};
use crate::store::sql::columns::{Lenient, corrupt, from_json, parsed};
use crate::store::sql::places;
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
    /// The columns that hold what nothing of ours wrote, and have stand-ins here; none for almost all tickets.
    pub damaged: Vec<&'static str>,
}

/// The statement for the summaries whose `key` is one of these, and its arguments: filled up to `room` places, so that few
/// statements are prepared. They come in no order.
pub fn statement(key: &str, mut keys: Vec<Arg>, room: usize) -> (String, Vec<Arg>) {
    if let Some(last) = keys.last().cloned() {
        keys.resize(room.max(keys.len()), last);
    }
    let places = places(0, keys.len());
    let (origin, standing) = (origin::LIST, standing::LIST);
    (format!("select number, {origin}, {standing} from tickets where {key} in ({places})"), keys)
}

/// A summary from a row of [`statement`], as far as it can be read.
pub fn summary(row: &Row) -> Result<TicketSummary, Error> {
    const T: &str = "tickets";
    let origin = origin::each(row, 1);
    let standing = standing::each(row, 1 + origin::NAMES.len());
    let mut read = Lenient::default();
    let no_text = || String::new();
    let tags = standing.tags.and_then(|text| tags(&text));
    let kind = standing.kind.and_then(|code| Kind::from_code(&code).ok_or_else(|| corrupt(T, "kind", code)));
    let state = standing.state.and_then(|code| State::from_code(&code).ok_or_else(|| corrupt(T, "state", code)));
    let tier = standing.tier.and_then(|tier| u8::try_from(tier).map_err(|_| corrupt(T, "tier", tier.to_string())));
    let due = standing.queue_due.map(|due| (due != i64::MAX).then_some(due));
    Ok(TicketSummary {
        number: TicketNumber(row.int(0)?),
        id: TicketId(read.or("id", origin.id, Uuid::nil())),
        version: read.or("version", standing.version, 0),
        request_type: read.id("request_type", origin.request_type)?,
        kind: read.or("kind", kind, Kind::Request),
        channel: read.or("channel", origin.channel, no_text()),
        requester: read.id("requester", origin.requester)?,
        submitted_by: read.id("submitted_by", origin.submitted_by)?,
        subject: read.or("subject", origin.subject, no_text()),
        tags: read.or("tags", tags, Vec::new()),
        category: read.id("category", standing.category)?,
        impact: read.opt_id("impact", standing.impact)?,
        urgency: read.opt_id("urgency", standing.urgency)?,
        priority: read.id("priority", standing.priority)?,
        team: read.id("team", standing.team)?,
        assignee: read.opt_id("assignee", standing.assignee)?,
        tier: read.or("tier", tier, 0),
        state: read.or("state", state, State::New),
        duplicate_of: read.or("duplicate_of", standing.duplicate_of, None).map(TicketNumber),
        created_at: read.at("created_at", origin.created_at),
        updated_at: read.at("updated_at", standing.updated_at),
        resolved_at: read.opt_at("resolved_at", standing.resolved_at),
        due_at: read.opt_at("queue_due", due),
        damaged: read.damaged(),
    })
}

fn tags(text: &str) -> Result<Vec<Tag>, Error> {
    let tags: Vec<String> = from_json("tickets", "tags", text)?;
    tags.iter().map(|tag| parsed("tickets", "tags", tag)).collect()
}
