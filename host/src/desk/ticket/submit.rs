//! From a submission and the rules' verdicts to everything that is written when a ticket opens.

use std::sync::Arc;

use super::assignment::needed;
use super::intake::NewTicket;
use super::intake::attachment::attach;
use super::intake::bundle;
use super::lifecycle::{clocks, escalation, links};
use super::sight::Part;
use super::timeline::{AccessOutcome, Entry, Event, Field, Visibility};
use super::{Attachment, State, Submitted, Ticket, WaitingFor, moved};
use crate::desk::access::{self, AccessCase, AccessRequest, AccessState};
use crate::desk::actor::Author;
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::change::message::MessageKind;
use crate::desk::id::{Tag, TicketId, TicketNumber};
use crate::desk::sla::{Clock, Clocks};
use crate::desk::verdict::access::AccessVerdict;
use crate::desk::verdict::{By, Changes, Classified, Rated, Routed};

/// What the rules came to for one submission that was accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdicts {
    pub changes: Changes,
    pub classified: Classified,
    pub rated: Rated,
    pub routed: Routed,
    pub access: Option<(AccessRequest, AccessVerdict)>,
}

/// Opens the ticket with this id.
pub fn open(new: NewTicket, mut verdicts: Verdicts, id: TicketId, at: &At<'_>) -> Change {
    let people = (new.requester.clone(), new.submitted_by.clone());
    let case = verdicts
        .access
        .take()
        .map(|(request, verdict)| AccessCase::open(id, people, request, &verdict, at).guarded(verdict.heard, at));
    let assignment = needed(at.organisation, &verdicts.routed, at.now);
    let mut entries = entries_of(&new, &verdicts, at);
    let (origin, place, files) = (new.origin, new.place.clone(), new.attachments.clone());
    let submitted_by = Author::Person(new.submitted_by.clone());
    let ticket = ticket_of(new, verdicts, id, at);
    let to = match case.as_ref().map(|case| case.state) {
        None | Some(AccessState::Cancelled) => State::Open,
        Some(AccessState::Awaiting) => State::Waiting(WaitingFor::Approval),
        Some(AccessState::Approved | AccessState::Denied | AccessState::DeniedByPolicy) => State::Resolved,
    };
    let mut ticket = moved(&ticket, to, at);
    ticket.version = 1;
    if ticket.state.is_unfinished() {
        clocks::enter_team(&mut ticket, at);
    }
    let entry = |event| at.public(Author::System, event);
    entries.extend(case.as_ref().map(|case| {
        entry(Event::AccessDecided { outcome: AccessOutcome::Is(case.state), detail: case.reason.clone() })
    }));
    let requester = ticket.submitted.requester.clone();
    entries.push(entry(Event::Acknowledged { to: requester.to_string() }));
    let mut change = Change::open(ticket);
    change.entries = entries;
    attach(&mut change, &files, (&submitted_by, Visibility::Public), at);
    change.assignment = Some(assignment);
    bundle::settle(&mut change, place, &submitted_by, at);
    if let Some(origin) = origin {
        links::add(&mut change, (origin.kind, origin.of), submitted_by, at);
    }
    change.messages.push(at.message(id, MessageKind::Acknowledgement, &requester));
    if let Some(case) = case {
        let awaited = case.awaited();
        change.messages.extend(awaited.into_iter().map(|person| at.message(id, MessageKind::ApprovalWanted, person)));
        access::opened(&mut change, &case, at);
    }
    escalation::at_a_turn(change, at).telling(at)
}

fn ticket_of(new: NewTicket, verdicts: Verdicts, id: TicketId, at: &At<'_>) -> Ticket {
    let Verdicts { changes, classified, rated, routed, .. } = verdicts;
    let promise = at.organisation.targets(&classified.category.value, &rated.level.value);
    let calendar = at.organisation.calendar_of(&rated.level.value);
    let clock = |minutes: Option<u32>| Clock::start(calendar, minutes.unwrap_or(u32::MAX), at.now);
    let mut fields = new.fields;
    for (name, value) in changes.fields {
        fields.retain(|(other, _)| *other != name);
        fields.push((name, value));
    }
    let submitted = Submitted {
        request_type: new.request_type,
        channel: new.channel,
        requester: new.requester,
        submitted_by: new.submitted_by,
        at: at.now,
        subject: changes.subject.unwrap_or(new.subject),
        body: changes.body.unwrap_or(new.body),
        fields,
        // What a ticket was submitted with is shown to its requester.
        attachments: new.attachments.into_iter().filter(Attachment::is_public).collect(),
        signals: changes.signals,
    };
    Ticket {
        id,
        number: TicketNumber(0),
        version: 0,
        submitted: Arc::new(submitted),
        kind: classified.kind.value,
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
        skills: routed.skills,
        tier: routed.tier,
        state: State::New,
        duplicate_of: changes.duplicate_of,
        updated_at: at.now,
        resolved_at: None,
        closed_at: None,
        watchers: Vec::new(),
        clocks: Clocks::of(
            clock(promise.map(|targets| targets.first_response)),
            clock(promise.map(|targets| targets.resolution)),
        ),
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

fn entries_of(new: &NewTicket, verdicts: &Verdicts, at: &At<'_>) -> Vec<Entry> {
    let set = |field, by: &By, to: String| {
        let event = Event::Set { field, from: None, to, reason: by.reason().to_owned() };
        at.entry(by.author(), Part::Set(field).visibility(), event)
    };
    let Verdicts { classified, rated, routed, .. } = verdicts;
    vec![
        at.public(Author::Person(new.submitted_by.clone()), Event::Submitted { channel: new.channel.clone() }),
        set(Field::Category, &classified.category.by, classified.category.value.to_string()),
        set(Field::Priority, &rated.level.by, rated.level.value.to_string()),
        set(Field::Team, &routed.team.by, routed.team.value.to_string()),
    ]
}
