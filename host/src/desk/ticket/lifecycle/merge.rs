//! Merging: a ticket goes up in another of the same requester, which takes its later words.

use super::links::{self, LinkKind};
use crate::desk::access::AccessCase;
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::permission::MayTransition;
use crate::desk::refusal::Refusal;
use crate::desk::text::normal;
use crate::desk::ticket::edit::check_optional_reason;
use crate::desk::ticket::timeline::Event;
use crate::desk::ticket::transitions::check_transition;
use crate::desk::ticket::{State, Ticket, moved};

/// Merges a ticket into another. Tickets of different people stay apart, because each reads the words of the whole ticket: those
/// are linked as duplicates instead.
///
/// # Errors
/// [`Refusal::LinkedToItself`], [`Refusal::OtherRequester`], [`Refusal::TargetOver`], [`Refusal::HasAccessRequest`];
/// [`Refusal::NoTransition`].
pub fn merge(
    ticket: &Ticket,
    case: Option<&AccessCase>,
    target: &Ticket,
    reason: &str,
    permit: &MayTransition,
    at: &At<'_>,
) -> Result<Change, Refusal> {
    let (parties, author) = permit.on(ticket)?;
    if ticket.id == target.id {
        return Err(Refusal::LinkedToItself);
    }
    check_transition(ticket.state, State::Merged, parties)?;
    if case.is_some() {
        return Err(Refusal::HasAccessRequest);
    }
    if ticket.submitted.requester != target.submitted.requester {
        return Err(Refusal::OtherRequester);
    }
    if matches!(target.state, State::Closed | State::Cancelled | State::Merged) {
        return Err(Refusal::TargetOver { state: target.state });
    }
    let reason = &*normal(reason.trim());
    if let Some(problem) = check_optional_reason("reason", reason) {
        return Err(problem.into());
    }
    let said = match reason {
        "" => format!("it goes on as {}", target.number),
        reason => format!("it goes on as {}: {reason}", target.number),
    };
    let event = Event::StateChanged { from: ticket.state, to: State::Merged, reason: said };
    let entry = at.public(author.clone(), event);
    let mut change = Change::update(ticket, moved(ticket, State::Merged, at), vec![entry]);
    links::add(&mut change, (LinkKind::MergedInto, target.number), author.clone(), at);
    links::linked_follow(&mut change, at);
    Ok(change)
}
