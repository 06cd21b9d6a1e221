//! A ticket as lists show it.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::views::{AccessView, damage};
use crate::app::tickets::work::{Sights, TicketSummary};
use crate::desk::access::AccessCase;
use crate::desk::ticket::sight::Part;
use crate::desk::ticket::timeline::Field;

/// A ticket in a list: without body, fields, attachments, signals and clocks, which the ticket itself has.
#[derive(Serialize, ToSchema)]
pub struct TicketSummaryView {
    /// The short key, such as `IT-1042`.
    pub key: String,
    /// The id, UUID version 7.
    pub id: String,
    /// Send it back in `If-Match` to change the ticket. Readers of whom something is hidden count what they see.
    pub version: i64,
    pub request_type: String,
    /// `incident`, `request`, `problem` or `change`.
    pub kind: &'static str,
    pub channel: String,
    pub requester: String,
    pub submitted_by: String,
    pub subject: String,
    /// Absent for readers who do not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    pub category: String,
    /// Absent for readers who do not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub impact: Option<Option<String>>,
    /// Absent for readers who do not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub urgency: Option<Option<String>>,
    pub priority: String,
    /// Absent for readers who do not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Absent for readers who do not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub assignee: Option<Option<String>>,
    /// The escalation tier; 1 is the first line. Absent for readers who do not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<u8>,
    pub state: &'static str,
    /// A ticket that this one seems to repeat. Absent for readers who do not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub duplicate_of: Option<Option<String>>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub resolved_at: Option<Timestamp>,
    /// When it is due to be resolved; none while that time does not run.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub due_at: Option<Timestamp>,
    /// What the ticket asks access to, in lists of access requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<AccessView>,
    /// Which of these cannot be read, and stand here for others; absent where all can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub damage: Option<String>,
}

impl TicketSummaryView {
    /// A ticket, and its access request where the list is of those.
    pub fn new(ticket: TicketSummary, access: Option<AccessCase>, sights: &Sights) -> Self {
        let sight = sights.of(&ticket);
        let set = |field| Part::Set(field);
        Self {
            key: ticket.number.to_string(),
            id: ticket.id.to_string(),
            version: sight.version(ticket.version),
            request_type: ticket.request_type.to_string(),
            kind: ticket.kind.code(),
            channel: ticket.channel,
            requester: ticket.requester.to_string(),
            submitted_by: ticket.submitted_by.to_string(),
            subject: ticket.subject,
            tags: sight.of(set(Field::Tags), ticket.tags.iter().map(ToString::to_string).collect()),
            category: ticket.category.to_string(),
            impact: sight.of(set(Field::Impact), ticket.impact.map(|id| id.to_string())),
            urgency: sight.of(set(Field::Urgency), ticket.urgency.map(|id| id.to_string())),
            priority: ticket.priority.to_string(),
            team: sight.of(set(Field::Team), ticket.team.to_string()),
            assignee: sight.of(Part::Assignee, ticket.assignee.map(|id| id.to_string())),
            tier: sight.of(set(Field::Tier), ticket.tier),
            state: ticket.state.code(),
            duplicate_of: sight.of(Part::DuplicateOf, ticket.duplicate_of.map(|number| number.to_string())),
            created_at: ticket.created_at,
            updated_at: sight.updated_at(ticket.updated_at),
            resolved_at: ticket.resolved_at,
            due_at: ticket.due_at,
            access: access.map(AccessView::from),
            damage: damage(&ticket.damaged),
        }
    }
}
