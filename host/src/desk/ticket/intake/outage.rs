//! Outages: a ticket that stands for many. While it is declared, submissions like it attach themselves to it as its children: each
//! requester reads the announcement at once and the desk's later words as they come, and all are resolved together. An agent
//! detaches a ticket that is about something else by taking the link away.

use std::fmt::Display;

use jiff::Timestamp;

use crate::desk::actor::Author;
use crate::desk::change::at::At;
use crate::desk::change::message::{MessageKind, Reply};
use crate::desk::change::{Change, TicketWrite};
use crate::desk::id::{CategoryId, CommentId, PersonId, RequestTypeId, TicketNumber};
use crate::desk::organisation::Organisation;
use crate::desk::organisation::form::{Fault, Problem, Value, check_characters, check_long};
use crate::desk::permission::{MayComment, MayEdit};
use crate::desk::refusal::Refusal;
use crate::desk::text::{into_normal, is_blank};
use crate::desk::ticket::assignment::{HandOn, hand_on};
use crate::desk::ticket::lifecycle::clocks;
use crate::desk::ticket::lifecycle::links::{self, LinkKind};
use crate::desk::ticket::timeline::{Entry, Event, Visibility};
use crate::desk::ticket::{Ticket, comment};

/// The longest announcement, in characters.
pub const ANNOUNCEMENT_CHARS_MAX: usize = 2_000;
/// The most words by which submissions are known, and the longest of them in characters.
pub const WORDS_MAX: usize = 20;
pub const WORD_CHARS_MAX: usize = 60;
/// The longest name or value of a field that submissions are compared with, in characters.
const SAID_CHARS_MAX: usize = 300;
/// The most outages that are declared at once.
pub const OUTAGES_MAX: usize = 50;
/// The most tickets that attach themselves to one.
pub const CHILDREN_MAX: i64 = 2_000;

/// The submissions that an outage takes: those for which all that is said here holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Likeness {
    /// The category that the rules find, or one below it.
    pub category: Option<CategoryId>,
    pub request_type: Option<RequestTypeId>,
    /// Words of which the subject or the text has one; none asks for none.
    pub words: Vec<String>,
    /// A field of the form and what it says, such as a service or an application.
    pub field: Option<(String, String)>,
}

impl Likeness {
    /// Whether it asks for nothing, so that it would take everything.
    fn is_empty(&self) -> bool {
        *self == Likeness::default()
    }

    /// Whether a ticket that is new is like it.
    pub fn takes(&self, ticket: &Ticket) -> bool {
        let submitted = &ticket.submitted;
        let within = |category: &CategoryId| ticket.category.is_within(category);
        let in_field = |(name, wanted): &(String, String)| {
            let has = |(field, value): &(String, Value)| field == name && says(value, wanted);
            submitted.fields.iter().any(has)
        };
        self.category.as_ref().is_none_or(within)
            && self.request_type.as_ref().is_none_or(|wanted| *wanted == submitted.request_type)
            && self.field.as_ref().is_none_or(in_field)
            && (self.words.is_empty() || has_word(&self.words, [&submitted.subject, &submitted.body]))
    }

    fn check(&self, organisation: &Organisation) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut wrong = |field: &str, code: &str, fault: Fault, values: &[&dyn Display]| {
            problems.push(Problem::of(field, code, fault, values));
        };
        if self.is_empty() {
            wrong("like", "required", Fault::LikeNothing, &[]);
        }
        if let Some(category) = self.category.as_ref().filter(|id| !organisation.categories.contains_key(*id)) {
            wrong("like.category", "unknown", Fault::NoCategory, &[category]);
        }
        if let Some(form) = self.request_type.as_ref().filter(|id| !organisation.request_types.contains_key(*id)) {
            wrong("like.request_type", "unknown", Fault::NoForm, &[form]);
        }
        if self.words.len() > WORDS_MAX {
            wrong("like.words", "too-many", Fault::TooMany, &[&self.words.len(), &WORDS_MAX]);
        }
        if self.words.iter().any(|word| is_blank(word) || word.chars().count() > WORD_CHARS_MAX) {
            wrong("like.words", "invalid", Fault::WordLength, &[&WORD_CHARS_MAX]);
        }
        problems.extend(self.words.iter().find_map(|word| check_characters("like.words", word)));
        problems.extend(self.field.iter().flat_map(|(name, value)| [name, value]).find_map(|text| check_said(text)));
        problems
    }
}

/// A name or a value of a form's field that submissions are compared with.
fn check_said(text: &str) -> Option<Problem> {
    if is_blank(text) || text.chars().count() > SAID_CHARS_MAX {
        return Some(Problem::of("like.field", "invalid", Fault::SaidLength, &[&SAID_CHARS_MAX]));
    }
    check_characters("like.field", text)
}

fn says(value: &Value, wanted: &str) -> bool {
    let is = |text: &str| text.trim().to_lowercase() == wanted.trim().to_lowercase();
    match value {
        Value::Text(text) | Value::Choice(text) => is(text),
        Value::Choices(chosen) => chosen.iter().any(|text| is(text)),
        Value::Number(number) => is(&number.to_string()),
        Value::Flag(flag) => is(if *flag { "true" } else { "false" }),
        Value::Date(date) => is(&date.to_string()),
    }
}

/// Whether one of the texts has one of the words as a word of its own, in whichever case.
fn has_word(words: &[String], texts: [&str; 2]) -> bool {
    let plain = |text: &str| {
        let lower = text.to_lowercase();
        let parts: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()).collect();
        format!(" {} ", parts.join(" "))
    };
    let texts = texts.map(plain);
    words.iter().map(|word| plain(word)).any(|word| word.len() > 2 && texts.iter().any(|text| text.contains(&word)))
}

/// An outage as it is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    pub ticket: TicketNumber,
    pub announcement: String,
    pub like: Likeness,
    pub declared_by: PersonId,
    pub declared_at: Timestamp,
    /// When it took no more; `None` while it does.
    pub ended_at: Option<Timestamp>,
}

/// The parts of an outage that an agent says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Declaration {
    pub announcement: String,
    pub like: Likeness,
}

impl Declaration {
    /// The same in the one form in which texts are kept.
    #[must_use]
    pub fn into_normal(self) -> Self {
        let words = self.like.words.into_iter().map(|word| into_normal(word.trim().to_owned())).collect();
        let field = self.like.field.map(|(name, value)| (into_normal(name), into_normal(value)));
        Self {
            announcement: into_normal(self.announcement.trim().to_owned()),
            like: Likeness { words, field, ..self.like },
        }
    }
}

/// An outage as a change leaves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutageWrite {
    Declare {
        declaration: Declaration,
        by: PersonId,
    },
    /// Public words that its children are to get.
    Say {
        comment: CommentId,
        by: PersonId,
        body: String,
    },
    End,
}

/// Declares a ticket to be an outage, or says again what is known of it: its requester and its children read the announcement.
///
/// # Errors
/// [`Refusal::Finished`]; [`Refusal::Problems`] with everything that is wrong.
pub fn declare(
    ticket: &Ticket,
    declaration: &Declaration,
    before: Option<&Outage>,
    (edit, say): (&MayEdit, &MayComment),
    at: &At<'_>,
) -> Result<Option<Change>, Refusal> {
    let author = edit.on(ticket)?;
    if !ticket.state.is_unfinished() {
        return Err(Refusal::Finished { state: ticket.state });
    }
    let Author::Person(by) = author else { return Ok(None) };
    let mut problems = declaration.like.check(at.organisation);
    problems.extend(check_announcement(&declaration.announcement));
    if !problems.is_empty() {
        return Err(Refusal::Problems { problems });
    }
    let stands = before.filter(|before| before.ended_at.is_none());
    if stands
        .is_some_and(|before| (&before.announcement, &before.like) == (&declaration.announcement, &declaration.like))
    {
        return Ok(None);
    }
    let is_said = stands.is_some_and(|before| before.announcement == declaration.announcement);
    let mut change = if is_said {
        Change::next(ticket, at, Vec::new())
    } else {
        pass_on(comment(ticket, &declaration.announcement, say, at)?, by, at)
    };
    change.entries.push(internal(author, "declared", at));
    change.outage.insert(0, OutageWrite::Declare { declaration: declaration.clone(), by: by.clone() });
    Ok(Some(change))
}

/// Lets an outage take no more submissions; those that it has stay with it. `None` where it takes none already.
///
/// # Errors
/// [`Refusal::Forbidden`] where the permit is for another ticket.
pub fn end(ticket: &Ticket, before: &Outage, permit: &MayEdit, at: &At<'_>) -> Result<Option<Change>, Refusal> {
    let author = permit.on(ticket)?;
    if before.ended_at.is_some() {
        return Ok(None);
    }
    let mut change = Change::next(ticket, at, vec![internal(author, "ended", at)]);
    change.outage.push(OutageWrite::End);
    Ok(Some(change))
}

fn internal(author: &Author, step: &str, at: &At<'_>) -> Entry {
    let event = Event::Outage { step: step.to_owned() };
    at.internal(author.clone(), event)
}

fn check_announcement(text: &str) -> Option<Problem> {
    let field = "announcement";
    let long = || {
        let is_long = text.chars().count() > ANNOUNCEMENT_CHARS_MAX;
        is_long.then(|| Problem::of(field, "too-long", Fault::Long, &[&ANNOUNCEMENT_CHARS_MAX]))
    };
    let blank = || is_blank(text).then(|| Problem::of(field, "required", Fault::NoAnnouncement, &[]));
    check_long(field, text).or_else(long).or_else(blank)
}

/// The change with its public words on the way to the children of the outage that its ticket is.
#[must_use]
pub fn pass_on(mut change: Change, by: &PersonId, at: &At<'_>) -> Change {
    let words = |entry: &Entry| match &entry.event {
        Event::Commented { comment, body } if entry.visibility == Visibility::Public => {
            Some(OutageWrite::Say { comment: *comment, by: by.clone(), body: body.clone() })
        }
        _ => None,
    };
    let said: Vec<OutageWrite> = change.entries.iter().filter_map(words).collect();
    if !said.is_empty() {
        change.outage.extend(said);
        links::linked_follow(&mut change, at);
    }
    change
}

/// The outage that takes a ticket which opens: the one that a rule named as its original, else the first that is like it.
pub fn of_new<'o>(change: &Change, outages: &'o [Outage]) -> Option<&'o Outage> {
    let TicketWrite::Open(ticket) = change.ticket() else { return None };
    if !ticket.state.is_unfinished() || change.case().is_some() {
        return None;
    }
    let named = outages.iter().find(|outage| Some(outage.ticket) == ticket.duplicate_of);
    named.or_else(|| outages.iter().find(|outage| outage.like.takes(ticket)))
}

/// Attaches a ticket that opens to an outage. It costs no agent a turn: the work is on the outage.
pub fn attach(change: &mut Change, outage: &Outage, at: &At<'_>) {
    let by = Author::Person(outage.declared_by.clone());
    links::add(change, (LinkKind::Child, outage.ticket), Author::System, at);
    let event = Event::Commented { comment: at.comment_id(), body: outage.announcement.clone() };
    change.entries.push(at.public(by, event));
    change.assignment = None;
    change.on_ticket(|ticket| {
        ticket.duplicate_of = ticket.duplicate_of.filter(|original| *original != outage.ticket);
        clocks::answered(ticket, at);
    });
    // What is known is in the message that says that the ticket has arrived.
    let reply = Reply { by: Some(outage.declared_by.clone()), body: outage.announcement.clone() };
    let arrived = change.messages.iter_mut().find(|message| message.kind == MessageKind::Acknowledgement);
    if let Some(message) = arrived {
        message.about.reply = Some(reply);
    }
}

/// A child hears what was said on its outage; `None` where it is over.
pub fn hears(child: &Ticket, (by, body): (&PersonId, &str), at: &At<'_>) -> Option<Change> {
    if !child.state.is_unfinished() {
        return None;
    }
    let event = Event::Commented { comment: at.comment_id(), body: body.to_owned() };
    let author = Author::Person(by.clone());
    let entry = at.public(author, event);
    let mut change = Change::next(child, at, vec![entry]);
    change.on_ticket(|after| clocks::answered(after, at));
    Some(change)
}

/// The change that detaches a ticket, which then waits for an agent as any other does.
#[must_use]
pub fn detached(change: Change, ticket: &Ticket, at: &At<'_>) -> Change {
    if ticket.assignee.is_none() && ticket.state.is_unfinished() {
        change.then(hand_on(ticket, &HandOn::Waited(None), at))
    } else {
        change
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_as_a_word_and_in_any_case() {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        let found = |all: &[&str], text: &str| has_word(&words(all), [text, ""]);
        assert!(found(&["vpn"], "No VPN since 9!") && found(&["vpn gateway"], "the VPN-gateway is gone"));
        assert!(found(&["drucker", "Überweisung"], "die ÜBERWEISUNG geht nicht"));
        assert!(!found(&["vpn"], "the vpnlike thing") && !found(&["!"], "help!") && !found(&[""], "x"));
    }
}
