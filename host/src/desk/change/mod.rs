//! Everything that one transaction writes: one value, made by the domain and written by the store, all of it or nothing.

use jiff::Timestamp;

use super::access::{AccessCase, AccessWrite, Grant, LedgerEntry};
use super::actor::Author;
use super::id::{AppId, PersonId, TierId};
use super::ticket::assignment::Assignment;
use super::ticket::intake::attachment::AttachmentWrite;
use super::ticket::intake::bundle::Join;
use super::ticket::intake::outage::OutageWrite;
use super::ticket::lifecycle::links::LinkWrite;
use super::ticket::lifecycle::resolution::survey::SurveyAnswer;
use super::ticket::lifecycle::resolution::{ResolutionEnd, ResolutionRecord};
use super::ticket::lifecycle::tasks::TaskWrite;
use super::ticket::lifecycle::time::TimeSpent;
use super::ticket::timeline::{Entry, Event};
use super::ticket::{State, Ticket, changed};
use at::At;
use clock_events::ClockEvent;
use message::Message;
use notify::ToAssignee;
use timer::TimerWrite;

pub mod at;
pub mod clock_events;
pub mod condition;
pub mod message;
pub mod notify;
pub mod timer;

/// One change of a ticket with all that belongs to it. Only the domain makes one; the store reads it.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub(super) ticket: TicketWrite,
    pub(super) entries: Vec<Entry>,
    pub(super) assignment: Option<Assignment>,
    pub(super) access: Vec<AccessWrite>,
    pub(super) ledger: Vec<LedgerEntry>,
    pub(super) timers: Vec<TimerWrite>,
    pub(super) messages: Vec<Message>,
    to_assignee: Option<ToAssignee>,
    pub(super) record: Option<ResolutionRecord>,
    pub(super) links: Vec<LinkWrite>,
    pub(super) tasks: Vec<TaskWrite>,
    pub(super) attachments: Vec<AttachmentWrite>,
    pub(super) time: Vec<TimeSpent>,
    pub(super) survey: Option<SurveyAnswer>,
    pub(super) outage: Vec<OutageWrite>,
    pub(super) joins: Vec<(Join, Author)>,
    pub(super) past_promises: Vec<(Timestamp, ClockEvent)>,
    seen: Vec<AccessSeen>,
}

/// How far the access of a person, or the seats of a tier, had come when a change was decided by it: where it has gone on
/// since, the change is stale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessSeen {
    /// The person's id, or `seats:APP/TIER`.
    pub name: String,
    pub revision: i64,
}

/// The beginning of the names of seats. No person's id has a colon.
const SEATS: &str = "seats:";

impl AccessSeen {
    /// The name of the seats of a tier.
    pub fn seats(app: &AppId, tier: &TierId) -> String {
        format!("{SEATS}{app}/{tier}")
    }
}

/// The ticket's own part of a change.
#[derive(Debug, Clone, PartialEq)]
pub enum TicketWrite {
    /// A ticket that is new. It has neither number nor assignee yet: the store gives both.
    Open(Box<Ticket>),
    /// A ticket as it was read and as it is afterwards. Where the store has another version than the one that was read,
    /// the whole change is stale and nothing of it is written.
    Update { before: Box<Ticket>, after: Box<Ticket> },
}

impl Change {
    /// A ticket that opens.
    pub(super) fn open(ticket: Ticket) -> Change {
        Change::of(TicketWrite::Open(Box::new(ticket)))
    }

    /// A ticket that changes, with what its timeline says about it.
    pub(super) fn update(before: &Ticket, after: Ticket, entries: Vec<Entry>) -> Change {
        let ticket = TicketWrite::Update { before: Box::new(before.clone()), after: Box::new(after) };
        Change { entries, ..Change::of(ticket) }
    }

    /// A ticket that comes to its next version, with what its timeline says, and is otherwise as before.
    pub(super) fn next(ticket: &Ticket, at: &At<'_>, entries: Vec<Entry>) -> Change {
        Change::update(ticket, changed(ticket, at.now), entries)
    }

    fn of(ticket: TicketWrite) -> Change {
        Change {
            ticket,
            entries: Vec::new(),
            assignment: None,
            access: Vec::new(),
            ledger: Vec::new(),
            timers: Vec::new(),
            messages: Vec::new(),
            to_assignee: None,
            record: None,
            links: Vec::new(),
            tasks: Vec::new(),
            attachments: Vec::new(),
            time: Vec::new(),
            survey: None,
            outage: Vec::new(),
            joins: Vec::new(),
            past_promises: Vec::new(),
            seen: Vec::new(),
        }
    }

    /// The change, to be written only if the access by which it was decided has not changed since. Seats count only of the tier that it
    /// gives: a change that gives none takes none, and must not make all others stale that ask for the same app.
    #[must_use]
    pub fn only_while(mut self, mut seen: Vec<AccessSeen>) -> Change {
        let given = self.grant().map(|grant| AccessSeen::seats(&grant.app, &grant.tier));
        seen.retain(|seen| !seen.name.starts_with(SEATS) || given.as_ref() == Some(&seen.name));
        self.seen = seen;
        self
    }

    /// How far access had come when the change was made, as far as that matters.
    pub fn access_seen(&self) -> &[AccessSeen] {
        &self.seen
    }

    /// A change with these parts: for tests and measurements of the store, which keeps any change as it is.
    #[doc(hidden)]
    pub fn of_parts(
        ticket: TicketWrite,
        assignment: Option<Assignment>,
        entries: Vec<Entry>,
        messages: Vec<Message>,
    ) -> Change {
        Change { assignment, entries, messages, ..Change::of(ticket) }
    }

    /// The ticket's part.
    pub fn ticket(&self) -> &TicketWrite {
        &self.ticket
    }

    /// The ticket as it stands after the change, without what only the store knows: the number of a new one, and the assignee
    /// where it goes to the next person of a team.
    pub fn after(&self) -> &Ticket {
        match &self.ticket {
            TicketWrite::Open(ticket) | TicketWrite::Update { after: ticket, .. } => ticket,
        }
    }

    /// What the timeline says, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How an assignee is chosen. The store does that, because it knows whose turn it is.
    pub fn assignment(&self) -> Option<&Assignment> {
        self.assignment.as_ref()
    }

    /// What changes about access.
    pub fn access(&self) -> &[AccessWrite] {
        &self.access
    }

    /// What the ledger of access says, in order.
    pub fn ledger(&self) -> &[LedgerEntry] {
        &self.ledger
    }

    /// The timers that are set and cancelled.
    pub fn timers(&self) -> &[TimerWrite] {
        &self.timers
    }

    /// How the ticket was resolved, where the change resolves it by hand.
    pub fn record(&self) -> Option<&ResolutionRecord> {
        self.record.as_ref()
    }

    /// The person who resolved the ticket, where the change does and it was a person.
    pub fn resolved_by(&self) -> Option<&PersonId> {
        let resolves = |entry: &&Entry| matches!(entry.event, Event::StateChanged { to: State::Resolved, .. });
        self.entries.iter().find(resolves)?.author.person()
    }

    /// How the ticket's resolution ends by the change, where it does.
    pub fn resolution_end(&self) -> Option<ResolutionEnd> {
        match &self.ticket {
            TicketWrite::Open(_) => None,
            TicketWrite::Update { before, after } => ResolutionEnd::of(before, after, &self.entries),
        }
    }

    /// The links that are made and taken away.
    pub fn links(&self) -> &[LinkWrite] {
        &self.links
    }

    /// The tasks that are added, marked and taken away.
    pub fn tasks(&self) -> &[TaskWrite] {
        &self.tasks
    }

    /// The files that the ticket gets.
    pub fn attachments(&self) -> &[AttachmentWrite] {
        &self.attachments
    }

    /// The time that is written down.
    pub fn time(&self) -> &[TimeSpent] {
        &self.time
    }

    /// The requester's answer about how it went.
    pub fn survey(&self) -> Option<&SurveyAnswer> {
        self.survey.as_ref()
    }

    /// The links with tickets that open with this one, and who makes them.
    pub fn joins(&self) -> &[(Join, Author)] {
        &self.joins
    }

    /// The events of the promises of a ticket that is taken over with its past; empty where it has none that is known.
    pub fn past_promises(&self) -> &[(Timestamp, ClockEvent)] {
        &self.past_promises
    }

    /// The changes of the outage that the ticket is.
    pub fn outage(&self) -> &[OutageWrite] {
        &self.outage
    }

    /// The people who begin to follow the ticket, and those who cease to.
    pub fn watchers(&self) -> (Vec<&PersonId>, Vec<&PersonId>) {
        match &self.ticket {
            TicketWrite::Open(ticket) => (ticket.watchers.iter().collect(), Vec::new()),
            TicketWrite::Update { before, after } => {
                let begin = after.watchers.iter().filter(|person| !before.is_watched_by(person)).collect();
                let cease = before.watchers.iter().filter(|person| !after.is_watched_by(person)).collect();
                (begin, cease)
            }
        }
    }

    /// The change that makes both, this one first: one new version of the ticket. Whom it tells is settled afterwards, by
    /// [`Change::telling`].
    #[must_use]
    pub(super) fn then(mut self, next: Change) -> Change {
        // Each part by its name, so that a new one cannot be left out.
        let Change {
            ticket,
            entries,
            assignment,
            access,
            ledger,
            timers,
            messages,
            to_assignee,
            record,
            links,
            tasks,
            attachments,
            time,
            survey,
            outage,
            joins,
            past_promises,
            seen,
        } = next;
        if let (TicketWrite::Update { before, after }, TicketWrite::Update { after: last, .. }) =
            (&mut self.ticket, ticket)
        {
            *after = last;
            after.version = before.version + 1;
        }
        self.entries.extend(entries);
        self.assignment = assignment.or(self.assignment);
        self.access.extend(access);
        self.ledger.extend(ledger);
        self.timers.extend(timers);
        self.messages.extend(messages);
        self.to_assignee = to_assignee.or(self.to_assignee);
        self.record = record.or(self.record);
        self.links.extend(links);
        self.tasks.extend(tasks);
        self.attachments.extend(attachments);
        self.time.extend(time);
        self.survey = survey.or(self.survey);
        self.outage.extend(outage);
        self.joins.extend(joins);
        self.past_promises.extend(past_promises);
        self.seen.extend(seen);
        self
    }

    /// Changes the ticket as it is to be afterwards.
    pub(super) fn on_ticket(&mut self, change: impl FnOnce(&mut Ticket)) {
        match &mut self.ticket {
            TicketWrite::Open(ticket) | TicketWrite::Update { after: ticket, .. } => change(ticket),
        }
    }

    /// The messages that leave the desk afterwards.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// The access case as it stands after the change, where the change is about one.
    pub fn case(&self) -> Option<&AccessCase> {
        self.access.iter().find_map(|write| match write {
            AccessWrite::Open(case) | AccessWrite::Update { case, .. } => Some(case),
            _ => None,
        })
    }

    /// The grant that the change gives, where it gives one.
    pub fn grant(&self) -> Option<&Grant> {
        self.access.iter().find_map(|write| match write {
            AccessWrite::Grant(grant) => Some(grant),
            _ => None,
        })
    }
}
