//! From a submission and the rules' verdicts to everything that is written when a ticket opens: one value, so that it can
//! be written in one transaction.

use jiff::Timestamp;

use super::assignment::{Assignment, needed};
use super::intake::NewTicket;
use super::timeline::{Entry, Event, Visibility};
use super::{State, Ticket, WaitingFor, moved};
use crate::desk::access::{AccessCase, AccessRequest, AccessState, Grant};
use crate::desk::actor::Author;
use crate::desk::id::{GrantId, MessageId, PersonId, Tag, TicketId, TicketNumber};
use crate::desk::organisation::Organisation;
use crate::desk::sla::Clock;
use crate::desk::verdict::access::AccessVerdict;
use crate::desk::verdict::{Changes, Classified, Rated, Routed};

/// A message to somebody outside, which leaves after the transaction that wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub id: MessageId,
    pub ticket: TicketId,
    pub kind: MessageKind,
    pub to: PersonId,
    pub at: Timestamp,
}

/// What a message says; its words are chosen when it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// The ticket has arrived, and this is its key.
    Acknowledgement,
    /// An access request awaits the recipient's decision.
    ApprovalWanted,
    /// The ticket's requester may want to know how it stands.
    StateChanged,
}

impl MessageKind {
    /// The stable word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            MessageKind::Acknowledgement => "acknowledgement",
            MessageKind::ApprovalWanted => "approval-wanted",
            MessageKind::StateChanged => "state-changed",
        }
    }
}

/// What the rules came to for one submission that was accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdicts {
    pub changes: Changes,
    pub classified: Classified,
    pub rated: Rated,
    pub routed: Routed,
    pub access: Option<(AccessRequest, AccessVerdict)>,
}

/// Ids for what an opening makes, so that making it needs no chance.
#[derive(Debug, Clone)]
pub struct Ids {
    pub ticket: TicketId,
    pub grant: GrantId,
    /// One for the acknowledgement and one for each approver.
    pub messages: Vec<MessageId>,
}

/// Everything that is written when a ticket opens.
#[derive(Debug, Clone, PartialEq)]
pub struct Opening {
    /// Without number and assignee: the store gives both.
    pub ticket: Ticket,
    pub assignment: Assignment,
    pub entries: Vec<Entry>,
    pub messages: Vec<Message>,
    pub access: Option<AccessCase>,
    pub grant: Option<Grant>,
}

/// How many message ids an opening may use.
pub fn messages_max(verdicts: &Verdicts) -> usize {
    let approvers = verdicts.access.iter().flat_map(|(_, verdict)| match &verdict.outcome {
        crate::desk::verdict::access::Outcome::Await(approval) => approval.steps.as_slice(),
        _ => &[],
    });
    1 + approvers.map(|step| step.approvers.len()).sum::<usize>()
}

/// Opens a ticket.
pub fn open(organisation: &Organisation, new: NewTicket, verdicts: Verdicts, ids: &Ids, now: Timestamp) -> Opening {
    let people = (new.requester.clone(), new.submitted_by.clone());
    let access =
        verdicts.access.clone().map(|(request, verdict)| AccessCase::open(ids.ticket, people, request, &verdict, now));
    let grant = access.as_ref().and_then(|case| case.grant(ids.grant, now));
    let assignment = needed(organisation, &verdicts.routed);
    let mut entries = entries_of(&new, &verdicts, now);
    let ticket = ticket_of(organisation, new, verdicts, ids.ticket, now);
    let to = match access.as_ref().map(|case| case.state) {
        None | Some(AccessState::Cancelled) => State::Open,
        Some(AccessState::Awaiting) => State::Waiting(WaitingFor::Approval),
        Some(AccessState::Approved | AccessState::Denied | AccessState::DeniedByPolicy) => State::Resolved,
    };
    let mut opened = moved(&ticket, to, &organisation.calendar, now);
    opened.version = 1;
    entries.extend(access.as_ref().map(|case| Entry {
        at: now,
        author: Author::System,
        visibility: Visibility::Public,
        event: Event::AccessDecided { outcome: case.state.code(), detail: case.reason.clone() },
    }));
    entries.push(Entry {
        at: now,
        author: Author::System,
        visibility: Visibility::Public,
        event: Event::Acknowledged { to: opened.requester.to_string() },
    });
    let messages = messages_of(&opened, access.as_ref(), ids, now);
    Opening { ticket: opened, assignment, entries, messages, access, grant }
}

fn ticket_of(organisation: &Organisation, new: NewTicket, verdicts: Verdicts, id: TicketId, now: Timestamp) -> Ticket {
    let Verdicts { changes, classified, rated, routed, .. } = verdicts;
    let promise = organisation.priority(&rated.level.value).map(|(_, level)| level);
    let clock = |minutes: Option<u32>| Clock::start(&organisation.calendar, minutes.unwrap_or(u32::MAX), now);
    let mut fields = new.fields;
    for (name, value) in changes.fields {
        fields.retain(|(other, _)| *other != name);
        fields.push((name, value));
    }
    Ticket {
        id,
        number: TicketNumber(0),
        version: 0,
        request_type: new.request_type,
        kind: classified.kind.value,
        channel: new.channel,
        requester: new.requester,
        submitted_by: new.submitted_by,
        subject: changes.subject.unwrap_or(new.subject),
        body: changes.body.unwrap_or(new.body),
        fields,
        attachments: new.attachments,
        signals: changes.signals,
        tags: united(
            new.tags.iter().filter_map(|tag| tag.parse().ok()).collect(),
            changes.tags.into_iter().chain(classified.tags.into_iter().map(|tag| tag.value)),
        ),
        category: classified.category.value,
        impact: rated.impact,
        urgency: rated.urgency,
        priority: rated.level.value,
        rank: i64::try_from(rated.rank).unwrap_or(i64::MAX),
        team: routed.team.value,
        assignee: None,
        tier: routed.tier,
        state: State::New,
        duplicate_of: changes.duplicate_of,
        created_at: now,
        updated_at: now,
        resolved_at: None,
        closed_at: None,
        first_response: clock(promise.map(|p| p.first_response_minutes)),
        resolution: clock(promise.map(|p| p.resolution_minutes)),
    }
}

fn united(mut tags: Vec<Tag>, more: impl Iterator<Item = Tag>) -> Vec<Tag> {
    for tag in more {
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags
}

fn entries_of(new: &NewTicket, verdicts: &Verdicts, now: Timestamp) -> Vec<Entry> {
    let entry = |author, visibility, event| Entry { at: now, author, visibility, event };
    let set = |field, by: &crate::desk::verdict::By, to: String, visibility| {
        let event = Event::Set { field, from: None, to, reason: by.reason().to_owned() };
        entry(by.author(), visibility, event)
    };
    let Verdicts { classified, rated, routed, .. } = verdicts;
    vec![
        entry(
            Author::Person(new.submitted_by.clone()),
            Visibility::Public,
            Event::Submitted { channel: new.channel.clone() },
        ),
        set("category", &classified.category.by, classified.category.value.to_string(), Visibility::Public),
        set("priority", &rated.level.by, rated.level.value.to_string(), Visibility::Public),
        set("team", &routed.team.by, routed.team.value.to_string(), Visibility::Internal),
    ]
}

fn messages_of(ticket: &Ticket, access: Option<&AccessCase>, ids: &Ids, now: Timestamp) -> Vec<Message> {
    let approvers = access.into_iter().flat_map(AccessCase::awaited);
    let wanted = std::iter::once((MessageKind::Acknowledgement, &ticket.requester))
        .chain(approvers.map(|person| (MessageKind::ApprovalWanted, person)));
    ids.messages
        .iter()
        .zip(wanted)
        .map(|(id, (kind, to))| Message { id: *id, ticket: ticket.id, kind, to: to.clone(), at: now })
        .collect()
}
