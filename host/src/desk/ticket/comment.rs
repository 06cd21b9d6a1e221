//! Comments, public and internal.

use super::timeline::{Entry, Event, Visibility};
use super::{State, Ticket, WaitingFor, changed, moved};
use crate::desk::actor::Author;
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::organisation::form::check_comment;
use crate::desk::permission::{Comment, MayComment};
use crate::desk::refusal::Refusal;
use crate::desk::text::normal;

/// Adds a comment. An agent's first public one is the first response; a requester's own brings a waiting ticket back.
///
/// # Errors
/// [`Refusal::Problems`] for a body that is empty or too long.
pub fn comment(ticket: &Ticket, body: &str, permit: &MayComment, at: &At<'_>) -> Result<Change, Refusal> {
    let Comment { visibility, author, as_agent } = permit.on(ticket)?;
    let body = &*normal(body);
    check_comment(body).map_err(|problem| Refusal::Problems { problems: vec![problem] })?;
    let calendar = &at.organisation.calendar;
    let public = visibility == Visibility::Public;
    let mut entries = vec![Entry {
        at: at.now,
        author: author.clone(),
        visibility,
        event: Event::Commented { comment: at.comment_id(), body: body.to_owned() },
    }];
    let waiting = ticket.state == State::Waiting(WaitingFor::Requester);
    let mut after = if public && !as_agent && waiting {
        entries.push(Entry {
            at: at.now,
            author: Author::System,
            visibility: Visibility::Public,
            event: Event::StateChanged {
                from: ticket.state,
                to: State::InProgress,
                reason: "the requester has answered".to_owned(),
            },
        });
        moved(ticket, State::InProgress, calendar, at.now)
    } else {
        changed(ticket, at.now)
    };
    if public && as_agent {
        after.clocks.first_response = after.clocks.first_response.meet(calendar, at.now);
    }
    Ok(Change::update(ticket, after, entries))
}
