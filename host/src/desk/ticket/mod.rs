//! A ticket, its states, and the one table of the transitions that exist.

use std::fmt;

use jiff::Timestamp;

use super::access::{AccessCase, AccessState};
use super::actor::Author;
use super::id::{
    CategoryId, CommentId, ImpactId, PersonId, PriorityId, RequestTypeId, Tag, TeamId, TicketId, TicketNumber,
    UrgencyId,
};
use super::organisation::form::Field;
use super::organisation::form::check_characters;
use super::organisation::{Calendar, Kind};
use super::permission::{Act, MayComment, MayTransition};
use super::refusal::Refusal;
use super::sla::Clock;
use assignment::Assignment;
use submit::Message;
use timeline::{Entry, Event, Visibility};

pub mod assignment;
pub mod edit;
pub mod intake;
pub mod submit;
pub mod timeline;

/// Where a ticket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    New,
    Open,
    InProgress,
    Waiting(WaitingFor),
    Resolved,
    Reopened,
    Closed,
    Cancelled,
    Merged,
}

/// Whose turn it is while the desk waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WaitingFor {
    Requester,
    Approval,
    Vendor,
}

impl State {
    /// Every state.
    pub const ALL: [State; 11] = [
        State::New,
        State::Open,
        State::InProgress,
        State::Waiting(WaitingFor::Requester),
        State::Waiting(WaitingFor::Approval),
        State::Waiting(WaitingFor::Vendor),
        State::Resolved,
        State::Reopened,
        State::Closed,
        State::Cancelled,
        State::Merged,
    ];

    /// The stable word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            State::New => "new",
            State::Open => "open",
            State::InProgress => "in_progress",
            State::Waiting(WaitingFor::Requester) => "waiting_requester",
            State::Waiting(WaitingFor::Approval) => "waiting_approval",
            State::Waiting(WaitingFor::Vendor) => "waiting_vendor",
            State::Resolved => "resolved",
            State::Reopened => "reopened",
            State::Closed => "closed",
            State::Cancelled => "cancelled",
            State::Merged => "merged",
        }
    }

    /// The state with this word.
    pub fn from_code(code: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Whether work on the ticket is still owed, so that it counts as somebody's load.
    pub const fn is_unfinished(self) -> bool {
        !matches!(self, State::Resolved | State::Closed | State::Cancelled | State::Merged)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// In which part somebody asks for another state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    Requester,
    Agent,
    System,
}

impl Party {
    /// The word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Party::Requester => "the requester",
            Party::Agent => "an agent",
            Party::System => "the desk itself",
        }
    }
}

/// The one table of transitions: from, to, and who may ask for it. What it does not name does not exist.
pub const TRANSITIONS: &[(State, State, &[Party])] = {
    use Party::{Agent, Requester, System};
    use State::{Cancelled, Closed, InProgress, Merged, New, Open, Reopened, Resolved};
    const REQUESTER: State = State::Waiting(WaitingFor::Requester);
    const APPROVAL: State = State::Waiting(WaitingFor::Approval);
    const VENDOR: State = State::Waiting(WaitingFor::Vendor);
    &[
        (New, Open, &[System]),
        (New, APPROVAL, &[System]),
        (New, Resolved, &[System]),
        (Open, InProgress, &[Agent]),
        (Open, REQUESTER, &[Agent]),
        (Open, VENDOR, &[Agent]),
        (Open, Resolved, &[Agent]),
        (Open, Cancelled, &[Requester, Agent]),
        (Open, Merged, &[Agent]),
        (InProgress, Open, &[Agent]),
        (InProgress, REQUESTER, &[Agent]),
        (InProgress, VENDOR, &[Agent]),
        (InProgress, Resolved, &[Agent]),
        (InProgress, Cancelled, &[Requester, Agent]),
        (InProgress, Merged, &[Agent]),
        (REQUESTER, InProgress, &[Requester, Agent, System]),
        (REQUESTER, Resolved, &[Agent, System]),
        (REQUESTER, Cancelled, &[Requester, Agent]),
        (VENDOR, InProgress, &[Agent]),
        (VENDOR, Resolved, &[Agent]),
        (VENDOR, Cancelled, &[Requester, Agent]),
        (APPROVAL, Resolved, &[System]),
        (APPROVAL, Cancelled, &[Requester, Agent]),
        (Resolved, Closed, &[Requester, System]),
        (Resolved, Reopened, &[Requester, Agent]),
        (Reopened, InProgress, &[Agent]),
        (Reopened, REQUESTER, &[Agent]),
        (Reopened, VENDOR, &[Agent]),
        (Reopened, Resolved, &[Agent]),
        (Reopened, Cancelled, &[Requester, Agent]),
        (Reopened, Merged, &[Agent]),
    ]
};

/// An attached file, without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    pub name: String,
    pub media_type: String,
    /// In bytes.
    pub size: u64,
}

/// A ticket as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Ticket {
    pub id: TicketId,
    pub number: TicketNumber,
    /// Counts up from 1 with every change.
    pub version: i64,
    pub request_type: RequestTypeId,
    pub kind: Kind,
    pub channel: String,
    pub requester: PersonId,
    pub submitted_by: PersonId,
    pub subject: String,
    pub body: String,
    pub fields: Vec<Field>,
    pub attachments: Vec<Attachment>,
    pub signals: Vec<String>,
    pub tags: Vec<Tag>,
    pub category: CategoryId,
    pub impact: Option<ImpactId>,
    pub urgency: Option<UrgencyId>,
    pub priority: PriorityId,
    /// Of the priority; 0 is the most urgent. Kept, because queues are in this order.
    pub rank: i64,
    pub team: TeamId,
    pub assignee: Option<PersonId>,
    pub tier: u8,
    pub state: State,
    pub duplicate_of: Option<TicketNumber>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub resolved_at: Option<Timestamp>,
    pub closed_at: Option<Timestamp>,
    pub first_response: Clock,
    pub resolution: Clock,
}

impl Ticket {
    /// Whether somebody requested or submitted it.
    pub fn belongs_to(&self, person: &PersonId) -> bool {
        self.requester == *person || self.submitted_by == *person
    }
}

/// What changes about a ticket, in one transaction or not at all.
#[derive(Debug, Clone, PartialEq)]
pub struct TicketChange {
    /// The ticket as it was read; another version in the store is a conflict.
    pub before: Ticket,
    pub after: Ticket,
    pub entries: Vec<Entry>,
    pub messages: Vec<Message>,
    /// How the ticket is shared out anew, which the store does: it knows whose turn it is.
    pub assignment: Option<Assignment>,
}

/// Puts a ticket into another state.
///
/// # Errors
/// [`Refusal::NoTransition`], [`Refusal::NotTheirTransition`].
pub fn transition(
    ticket: &Ticket,
    to: State,
    reason: &str,
    permit: &MayTransition,
    calendar: &Calendar,
    now: Timestamp,
) -> Result<TicketChange, Refusal> {
    if permit.ticket != ticket.id {
        return Err(Refusal::Forbidden { act: Act::ChangeState });
    }
    check_transition(ticket.state, to, &permit.parties)?;
    if let Some(problem) = check_characters("reason", reason) {
        return Err(Refusal::Problems { problems: vec![problem] });
    }
    let entry = Entry {
        at: now,
        author: permit.author.clone(),
        visibility: Visibility::Public,
        event: Event::StateChanged { from: ticket.state.code(), to: to.code(), reason: reason.to_owned() },
    };
    let after = moved(ticket, to, calendar, now);
    Ok(TicketChange { before: ticket.clone(), after, entries: vec![entry], messages: Vec::new(), assignment: None })
}

fn check_transition(from: State, to: State, parties: &[Party]) -> Result<(), Refusal> {
    let from_here = || TRANSITIONS.iter().filter(move |(start, _, _)| *start == from);
    let Some((_, _, who)) = from_here().find(|(_, end, _)| *end == to) else {
        let allowed = from_here().map(|(_, end, _)| *end).collect();
        return Err(Refusal::NoTransition { from, to, allowed });
    };
    if parties.iter().any(|party| who.contains(party)) {
        return Ok(());
    }
    Err(Refusal::NotTheirTransition { from, to, allowed: who.to_vec() })
}

/// The ticket in another state, its clocks and times with it.
pub(super) fn moved(ticket: &Ticket, to: State, calendar: &Calendar, now: Timestamp) -> Ticket {
    let mut after = changed(ticket, now);
    after.state = to;
    match to {
        // The requester's time is not ours; an approver's and a vendor's is.
        State::Waiting(WaitingFor::Requester) => {
            after.resolution = after.resolution.pause(calendar, now);
        }
        State::Resolved => {
            after.resolved_at = Some(now);
            after.first_response = after.first_response.meet(calendar, now);
            after.resolution = after.resolution.meet(calendar, now);
        }
        State::Reopened => {
            after.resolved_at = None;
            after.resolution = after.resolution.reopen(calendar, now);
        }
        State::Closed | State::Cancelled | State::Merged => {
            after.closed_at = Some(now);
            after.first_response = after.first_response.pause(calendar, now);
            after.resolution = after.resolution.pause(calendar, now);
        }
        State::New | State::Open | State::InProgress | State::Waiting(WaitingFor::Approval | WaitingFor::Vendor) => {
            after.resolution = after.resolution.resume(calendar, now);
        }
    }
    after
}

/// The ticket at its next version.
pub(super) fn changed(ticket: &Ticket, now: Timestamp) -> Ticket {
    Ticket { version: ticket.version + 1, updated_at: now, ..ticket.clone() }
}

/// Adds a comment. An agent's first public one is the first response; a requester's own brings a waiting ticket back.
///
/// # Errors
/// [`Refusal::Problems`] for a body that is empty or too long.
pub fn comment(
    ticket: &Ticket,
    id: CommentId,
    body: &str,
    permit: &MayComment,
    calendar: &Calendar,
    now: Timestamp,
) -> Result<TicketChange, Refusal> {
    if permit.ticket != ticket.id {
        return Err(Refusal::Forbidden { act: Act::CommentPublic });
    }
    super::organisation::form::check_comment(body).map_err(|problem| Refusal::Problems { problems: vec![problem] })?;
    let public = permit.visibility == Visibility::Public;
    let mut entries = vec![Entry {
        at: now,
        author: permit.author.clone(),
        visibility: permit.visibility,
        event: Event::Commented { comment: id, body: body.to_owned() },
    }];
    let waiting = ticket.state == State::Waiting(WaitingFor::Requester);
    let mut after = if public && !permit.as_agent && waiting {
        entries.push(Entry {
            at: now,
            author: Author::System,
            visibility: Visibility::Public,
            event: Event::StateChanged {
                from: ticket.state.code(),
                to: State::InProgress.code(),
                reason: "the requester has answered".to_owned(),
            },
        });
        moved(ticket, State::InProgress, calendar, now)
    } else {
        changed(ticket, now)
    };
    if public && permit.as_agent {
        after.first_response = after.first_response.meet(calendar, now);
    }
    Ok(TicketChange { before: ticket.clone(), after, entries, messages: Vec::new(), assignment: None })
}

/// The ticket after somebody, or the desk itself, has decided about the access that it asks for, and why.
pub fn settle_access(
    ticket: &Ticket,
    case: &AccessCase,
    (author, reason): (Author, &str),
    calendar: &Calendar,
    messages: Vec<Message>,
    now: Timestamp,
) -> TicketChange {
    let detail = reason.to_owned();
    let entry = |author, event| Entry { at: now, author, visibility: Visibility::Public, event };
    let outcome = case.state.code();
    let mut entries = vec![entry(author, Event::AccessDecided { outcome, detail })];
    let after = if case.state == AccessState::Awaiting {
        changed(ticket, now)
    } else {
        entries.push(entry(
            Author::System,
            Event::StateChanged {
                from: ticket.state.code(),
                to: State::Resolved.code(),
                reason: format!("the access request is {outcome}"),
            },
        ));
        moved(ticket, State::Resolved, calendar, now)
    };
    TicketChange { before: ticket.clone(), after, entries, messages, assignment: None }
}

/// The ticket whose grant somebody takes back; its own state stays as it is.
pub fn note_revocation(
    ticket: &Ticket,
    author: Author,
    reason: &str,
    messages: Vec<Message>,
    now: Timestamp,
) -> TicketChange {
    let event = Event::AccessDecided { outcome: REVOKED, detail: reason.to_owned() };
    let entry = Entry { at: now, author, visibility: Visibility::Public, event };
    let after = changed(ticket, now);
    TicketChange { before: ticket.clone(), after, entries: vec![entry], messages, assignment: None }
}

/// What the timeline and the ledger call a grant that was taken back.
pub const REVOKED: &str = "revoked";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for state in State::ALL {
            assert_eq!(State::from_code(state.code()), Some(state));
        }
    }

    #[test]
    fn no_transition_is_named_twice_and_every_state_can_be_reached() {
        for (n, (from, to, who)) in TRANSITIONS.iter().enumerate() {
            assert!(!who.is_empty() && from != to);
            let again = TRANSITIONS.iter().skip(n + 1).any(|(f, t, _)| f == from && t == to);
            assert!(!again, "{from} -> {to}");
        }
        for state in State::ALL.into_iter().filter(|state| *state != State::New) {
            assert!(TRANSITIONS.iter().any(|(_, to, _)| *to == state), "{state}");
        }
    }

    #[test]
    fn what_does_not_exist_is_refused_with_what_does() {
        let refusal = check_transition(State::Closed, State::Open, &[Party::Agent]).unwrap_err();
        assert_eq!(refusal.to_string(), "a ticket that is closed cannot become open; it can become: nothing else");
        let refusal = check_transition(State::Resolved, State::Closed, &[Party::Agent]).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "only the requester or the desk itself may make a ticket that is resolved closed"
        );
    }
}
