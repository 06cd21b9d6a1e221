//! Comments, public and internal.

use super::lifecycle::words::{self, Effect};
use super::lifecycle::{alerts, clocks};
use super::timeline::{Entry, Event, Visibility};
use super::{State, Ticket, WaitingFor, changed, moved};
use crate::desk::actor::Author;
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::change::message::MessageKind;
use crate::desk::organisation::form::check_comment;
use crate::desk::permission::{Comment, MayComment};
use crate::desk::refusal::Refusal;
use crate::desk::text::normal;

/// Adds a comment. An agent's public one is an answer; a requester's own brings a waiting ticket back, and a resolved one as the
/// type's policy says. Private notes are taken in any state of the ticket.
///
/// # Errors
/// [`Refusal::Problems`] for a body that is empty or too long; [`Refusal::Over`] for public words on a ticket that is over.
pub fn comment(ticket: &Ticket, body: &str, permit: &MayComment, at: &At<'_>) -> Result<Change, Refusal> {
    let Comment { visibility, author, as_agent } = permit.on(ticket)?;
    let body = &*normal(body);
    check_comment(body).map_err(|problem| Refusal::Problems { problems: vec![problem] })?;
    let public = visibility == Visibility::Public;
    if public {
        words::check_open(ticket)?;
    }
    let by_requester = matches!(author, Author::Person(person) if ticket.belongs_to(person)) && !as_agent;
    let effect = match ticket.state {
        // Others may read along and say something, as followers and approvers do; that is no answer of the requester's.
        State::Waiting(WaitingFor::Requester) if public && by_requester => Some(State::InProgress),
        State::Resolved if public && by_requester => {
            let closing = at.organisation.closing_of(&ticket.submitted.request_type);
            match words::on_resolved(ticket, body, closing, at.now)? {
                Effect::Reopens => Some(State::Reopened),
                Effect::IsNoted => {
                    return Ok(noted(
                        said(ticket, changed(ticket, at.now), (visibility, author, body), at),
                        ticket,
                        at,
                    ));
                }
                Effect::None => None,
            }
        }
        _ => None,
    };
    let after = effect.map_or_else(|| changed(ticket, at.now), |to| moved(ticket, to, at));
    let mut change = said(ticket, after, (visibility, author, body), at);
    if let Some(to) = effect {
        let reason = "the requester has answered".to_owned();
        change.entries.push(Entry {
            at: at.now,
            author: Author::System,
            visibility: Visibility::Public,
            event: Event::StateChanged { from: ticket.state, to, reason },
        });
        if to == State::Reopened {
            change = noted(change, ticket, at);
        }
    }
    if public && as_agent {
        change.on_ticket(|after| clocks::answered(after, at));
    }
    Ok(change)
}

/// The change that puts a comment on the timeline.
fn said(
    ticket: &Ticket,
    after: Ticket,
    (visibility, author, body): (Visibility, &Author, &str),
    at: &At<'_>,
) -> Change {
    let event = Event::Commented { comment: at.comment_id(), body: body.to_owned() };
    Change::update(ticket, after, vec![Entry { at: at.now, author: author.clone(), visibility, event }])
}

/// The same, and those responsible for the ticket hear of it.
fn noted(mut change: Change, ticket: &Ticket, at: &At<'_>) -> Change {
    let people = alerts::responsible(ticket, at.organisation);
    change.messages.extend(people.iter().map(|person| at.message(ticket.id, MessageKind::RequesterWrote, person)));
    change
}
