//! Comments, public and internal.

use super::lifecycle::words::{self, Effect, Spoken};
use super::lifecycle::{alerts, clocks};
use super::timeline::{Event, Visibility};
use super::transitions::{Party, check_transition};
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
    judged_comment(ticket, body, None, permit, at)
}

/// The same where the effect of a requester's words on a ticket that was resolved is settled already, by rules or by the policy
/// that they left it to.
///
/// # Errors
/// As [`comment`]; [`Refusal::NoTransition`] for an effect that the ticket's state does not allow.
pub fn judged_comment(
    ticket: &Ticket,
    body: &str,
    judged: Option<Effect>,
    permit: &MayComment,
    at: &At<'_>,
) -> Result<Change, Refusal> {
    let Comment { visibility, author, as_agent } = permit.on(ticket)?;
    let body = &*normal(body);
    check_comment(body)?;
    let public = visibility == Visibility::Public;
    let by_requester = is_by_requester(ticket, author, as_agent);
    let was_resolved = matches!(ticket.state, State::Resolved | State::Closed);
    let words = (visibility, author, body);
    // Others may read along and say something, as followers and approvers do; that is no answer of the requester's.
    if public && by_requester && was_resolved {
        let by_policy = || {
            let closing = at.organisation.closing_of(&ticket.submitted.request_type);
            words::by_policy(&Spoken::on(ticket, body, at.now), closing)
        };
        return after_resolution(ticket, judged.unwrap_or_else(by_policy), words, at);
    }
    if public {
        words::check_open(ticket)?;
    }
    let mut change = if public && is_answer(ticket, author, as_agent) {
        moving(ticket, State::InProgress, (Author::System, ANSWERED), words, at)
    } else {
        said(ticket, changed(ticket, at.now), words, at)
    };
    if public && as_agent {
        change.on_ticket(|after| clocks::answered(after, at));
    }
    Ok(change)
}

/// Whether what this author says or adds in public is what a ticket waits for.
pub(super) fn is_answer(ticket: &Ticket, author: &Author, as_agent: bool) -> bool {
    is_by_requester(ticket, author, as_agent) && ticket.state == State::Waiting(WaitingFor::Requester)
}

fn is_by_requester(ticket: &Ticket, author: &Author, as_agent: bool) -> bool {
    matches!(author, Author::Person(person) if ticket.belongs_to(person)) && !as_agent
}

/// The words of a requester on a ticket that was resolved, with their effect.
fn after_resolution(
    ticket: &Ticket,
    effect: Effect,
    words: (Visibility, &Author, &str),
    at: &At<'_>,
) -> Result<Change, Refusal> {
    let kept = || said(ticket, changed(ticket, at.now), words, at);
    match effect {
        Effect::Kept => Ok(kept()),
        Effect::IsNoted => Ok(noted(kept(), ticket, at)),
        Effect::Reopens => {
            check_transition(ticket.state, State::Reopened, &[Party::System])?;
            let change = moving(ticket, State::Reopened, (Author::System, ANSWERED), words, at);
            Ok(noted(change, ticket, at))
        }
        Effect::Confirms => {
            check_transition(ticket.state, State::Closed, &[Party::Requester])?;
            let (_, author, _) = words;
            Ok(moving(ticket, State::Closed, (author.clone(), ""), words, at))
        }
        // A follow-up is another ticket, which has the words.
        Effect::FollowsUp | Effect::Refused => Err(Refusal::Over { state: ticket.state }),
    }
}

/// Why a ticket comes back, in the words of its timeline.
pub(super) const ANSWERED: &str = "the requester has answered";

/// The change that puts a comment on the timeline and the ticket into another state, by whom and for which reason.
fn moving(
    ticket: &Ticket,
    to: State,
    (by, reason): (Author, &str),
    words: (Visibility, &Author, &str),
    at: &At<'_>,
) -> Change {
    let mut change = said(ticket, moved(ticket, to, at), words, at);
    let event = Event::StateChanged { from: ticket.state, to, reason: reason.to_owned() };
    change.entries.push(at.public(by, event));
    change
}

/// The change that puts a comment on the timeline.
fn said(
    ticket: &Ticket,
    after: Ticket,
    (visibility, author, body): (Visibility, &Author, &str),
    at: &At<'_>,
) -> Change {
    let event = Event::Commented { comment: at.comment_id(), body: body.to_owned() };
    Change::update(ticket, after, vec![at.entry(author.clone(), visibility, event)])
}

/// The same, and those responsible for the ticket hear of it.
fn noted(mut change: Change, ticket: &Ticket, at: &At<'_>) -> Change {
    let people = alerts::responsible(ticket, at.organisation);
    change.messages.extend(people.iter().map(|person| at.message(ticket.id, MessageKind::RequesterWrote, person)));
    change
}
