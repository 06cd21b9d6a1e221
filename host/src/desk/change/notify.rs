//! Who hears of a change: one rule for all changes, which reads the entries that the change adds to the timeline.
//!
//! - The requester hears of public words and of each state that asks for something or ends something; the person who has the
//!   ticket hears of what others say and do, of another day, and of the ticket itself when it becomes theirs.
//! - Those who follow a ticket hear of public words and of those same states. Those whom words name hear that they are named.
//! - No person hears of what they did themselves, except that a submission is acknowledged.
//! - One change is one message to each person, named by its most important part.
//! - A private note is in no message.

use std::collections::BTreeSet;

use super::at::At;
use super::message::{About, AccessNews, Message, MessageKind, Moved, NewDay, Reply};
use super::{Change, TicketWrite};
use crate::desk::access::{AccessCase, AccessState};
use crate::desk::id::{MessageId, PersonId};
use crate::desk::organisation::Organisation;
use crate::desk::ticket::lifecycle::watchers::mentioned;
use crate::desk::ticket::timeline::{AccessOutcome, Entry, Event, Field, Visibility};
use crate::desk::ticket::{State, WaitingFor};

/// The message to the person who gets a ticket that is shared out; the store fills in who that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToAssignee {
    id: MessageId,
    /// Those who made the change: they know.
    known_to: BTreeSet<PersonId>,
}

impl ToAssignee {
    /// The message, once it is settled who has the ticket; `None` where that is no news.
    pub fn message(&self, change: &Change, assignee: Option<&PersonId>) -> Option<Message> {
        let before = match change.ticket() {
            TicketWrite::Open(_) => None,
            TicketWrite::Update { before, .. } => before.assignee.as_ref(),
        };
        let to = assignee.filter(|to| Some(*to) != before && !self.known_to.contains(*to))?;
        // Those who hear of this change already need no second message.
        let hears = change.messages().iter().any(|message| message.to == *to);
        let after = change.after();
        (!hears).then(|| Message {
            id: self.id,
            ticket: after.id,
            kind: MessageKind::Assigned,
            to: to.clone(),
            at: after.updated_at,
            about: About::default(),
        })
    }
}

impl Change {
    /// The change with the messages that it owes to people.
    #[must_use]
    pub fn telling(mut self, at: &At<'_>) -> Change {
        let actors = actors(&self.entries);
        let mut owed: Vec<Message> = std::mem::take(&mut self.messages);
        for (to, kind, about) in self.entries.iter().flat_map(|entry| heard(&self, entry, at.organisation)) {
            let message = at.message(self.after().id, kind, &to);
            owed.push(Message { about, ..message });
        }
        let known = |message: &Message| actors.contains(&message.to) && message.kind != MessageKind::Acknowledgement;
        owed.retain(|message| !known(message));
        self.messages = one_each(owed);
        let (ticket, news) = (self.after().id, access_news(&self.entries, self.case()));
        let hears = |message: &&mut Message| {
            message.ticket == ticket && matches!(message.kind, MessageKind::StateChanged | MessageKind::Resolved)
        };
        self.messages.iter_mut().filter(hears).for_each(|message| message.about.access.clone_from(&news));
        self.to_assignee = self.assignment.is_some().then(|| ToAssignee { id: at.message_id(), known_to: actors });
        self
    }

    /// The message to the person who gets the ticket, where it is shared out.
    pub fn to_assignee(&self) -> Option<&ToAssignee> {
        self.to_assignee.as_ref()
    }
}

/// The news of access in a change, for those who read what is public: why it was given, refused or taken back rather than that an app has
/// it by now.
fn access_news(entries: &[Entry], case: Option<&AccessCase>) -> Option<AccessNews> {
    let of_rules = |detail: &str| case.is_some_and(|case| case.reason == detail && case.said().0.is_empty());
    let goes_on = |outcome: AccessOutcome| {
        let awaiting = AccessOutcome::Is(AccessState::Awaiting);
        outcome == awaiting || matches!(outcome, AccessOutcome::Asked | AccessOutcome::Answered)
    };
    let news = |entry: &Entry| match &entry.event {
        Event::AccessDecided { outcome, detail } if entry.visibility == Visibility::Public && !goes_on(*outcome) => {
            let by_desk = entry.says_the_desk_why() && !of_rules(detail);
            Some(AccessNews { outcome: *outcome, reason: detail.clone(), by_desk })
        }
        _ => None,
    };
    let all: Vec<AccessNews> = entries.iter().filter_map(news).collect();
    let is_effect = |news: &AccessNews| matches!(news.outcome, AccessOutcome::Provisioned | AccessOutcome::Gone);
    all.iter().rfind(|news| !is_effect(news)).or(all.last()).cloned()
}

/// The persons who made a change.
fn actors(entries: &[Entry]) -> BTreeSet<PersonId> {
    entries.iter().filter_map(|entry| entry.author.person().cloned()).collect()
}

/// Who hears of an entry, as what, and with which words.
fn heard(change: &Change, entry: &Entry, organisation: &Organisation) -> Vec<(PersonId, MessageKind, About)> {
    // A ticket that opens is acknowledged; what else it begins with is in the acknowledgement.
    let TicketWrite::Update { before, after } = change.ticket() else { return Vec::new() };
    let requester = &after.submitted.requester;
    let worker = after.assignee.as_ref().filter(|_| entry.author.person().is_some());
    match &entry.event {
        Event::Commented { body, .. } if entry.visibility == Visibility::Public => {
            let reply = Some(Reply { by: entry.author.person().cloned(), body: body.clone() });
            let about = About { reply, ..About::default() };
            let hear = std::iter::once(requester).chain(worker).chain(&after.watchers);
            let hear = hear.map(|to| (to.clone(), MessageKind::Reply, about.clone()));
            let named = mentioned(body, entry.visibility, after, organisation).into_iter();
            hear.chain(named.map(|to| (to, MessageKind::Mentioned, about.clone()))).collect()
        }
        // A private note is in no message, but that it names the recipient.
        Event::Commented { body, .. } => {
            let named = mentioned(body, entry.visibility, after, organisation).into_iter();
            named.map(|to| (to, MessageKind::Mentioned, About::default())).collect()
        }
        Event::StateChanged { from, to, reason } if entry.visibility == Visibility::Public => {
            let Some(kind) = news(*to) else { return Vec::new() };
            let moved = Moved { from: *from, to: *to, reason: reason.clone(), by_desk: entry.says_the_desk_why() };
            let about = About { moved: Some(moved), ..About::default() };
            let to_worker = worker.map(|to| (to, MessageKind::StateChanged));
            let to_watchers = after.watchers.iter().map(|to| (to, MessageKind::StateChanged));
            let hear = std::iter::once((requester, kind)).chain(to_worker).chain(to_watchers);
            hear.map(|(to, kind)| (to.clone(), kind, about.clone())).collect()
        }
        Event::Set { field: Field::Day, to: day, reason, .. } => {
            let about = About { day: Some(NewDay { to: day.clone(), reason: reason.clone() }), ..About::default() };
            worker.map(|to| (to.clone(), MessageKind::DayMoved, about)).into_iter().collect()
        }
        Event::Assigned { assignee, .. } => {
            let to = after.assignee.as_ref().filter(|to| assignee.as_deref() == Some(to.as_str()));
            let is_new = before.assignee != after.assignee;
            to.filter(|_| is_new).map(|to| (to.clone(), MessageKind::Assigned, About::default())).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// The kind of message that a state sends, if any: a state in which work merely goes on sends none.
const fn news(to: State) -> Option<MessageKind> {
    match to {
        State::Resolved => Some(MessageKind::Resolved),
        State::Closed => Some(MessageKind::Closed),
        State::Waiting(WaitingFor::Requester | WaitingFor::Vendor)
        | State::Reopened
        | State::Cancelled
        | State::Merged => Some(MessageKind::StateChanged),
        State::New | State::Open | State::InProgress | State::Waiting(WaitingFor::Approval) => None,
    }
}

/// One message to each person: the most important kind, with all that there is to tell.
fn one_each(owed: Vec<Message>) -> Vec<Message> {
    let mut kept: Vec<Message> = Vec::new();
    for message in owed {
        match kept.iter_mut().find(|other| other.to == message.to) {
            Some(other) => {
                other.kind = other.kind.min(message.kind);
                other.about.reply = other.about.reply.take().or(message.about.reply);
                other.about.moved = message.about.moved.or(other.about.moved.take());
                other.about.day = message.about.day.or(other.about.day.take());
            }
            None => kept.push(message),
        }
    }
    kept
}
