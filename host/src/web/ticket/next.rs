//! Taking the next ticket: of those that wait in the reader's teams for anyone, the one that is due first.

use axum::response::{IntoResponse, Redirect, Response};

use super::acts::give_to;
use crate::app::Error;
use crate::app::tickets::work::{Filter, Start, TicketSummary};
use crate::desk::change::condition::{Condition, Tags};
use crate::desk::id::TicketNumber;
use crate::desk::ticket::State;
use crate::web::frame::failure::Failure;
use crate::web::frame::form::Form;
use crate::web::session::Visit;

/// Tickets of a team that are looked at.
const LOOKED_AT: usize = 50;
/// How often another is tried where others were quicker.
const TRIES: usize = 5;

/// States in which a ticket waits for work.
const WAITS: [State; 3] = [State::New, State::Open, State::Reopened];

/// The teams of the reader, by id.
pub fn teams(visit: &Visit) -> Vec<String> {
    let organisation = &visit.frame.organisation;
    let mine = organisation.teams.values().filter(|team| team.members.iter().any(|m| m.person == *visit.person()));
    mine.map(|team| team.id.to_string()).collect()
}

/// Those that wait for the reader, in the order of the queue; not the one that they come from.
async fn waiting(visit: &Visit, from: Option<TicketNumber>) -> Result<Vec<TicketSummary>, Failure> {
    let mut found = Vec::new();
    for team in teams(visit) {
        let filter = Filter { team: Some(team), states: WAITS.to_vec(), ..Filter::default() };
        let (page, _) = visit.app.tickets(&visit.actor, filter, Start::Queue(None), LOOKED_AT).await?;
        let others = page.items.into_iter().filter(|ticket| Some(ticket.number) != from);
        found.extend(others.filter(|t| t.assignee.as_ref().is_none_or(|person| person == visit.person())));
    }
    let rank = |ticket: &TicketSummary| {
        visit.frame.organisation.priority(&ticket.priority).map_or(usize::MAX, |(rank, _)| rank)
    };
    found.sort_by_key(|ticket| (rank(ticket), ticket.due_at.is_none(), ticket.due_at, ticket.number));
    Ok(found)
}

/// Takes the next ticket and goes to it, from one or from a list; to the queue where none waits.
///
/// # Errors
///
/// Where it can be neither read nor given.
pub async fn take_next(visit: &Visit, from: Option<TicketNumber>) -> Result<Response, Failure> {
    let why = visit.frame.words.t("take.next-reason");
    for ticket in waiting(visit, from).await?.into_iter().take(TRIES) {
        let to = Redirect::to(&format!("/tickets/{}?done=next", ticket.number)).into_response();
        if ticket.assignee.is_some() {
            return Ok(to);
        }
        let tags = Tags::OneOf(vec![ticket.version.to_string()]);
        let as_seen = Condition { matches: Some(tags), none_matches: None };
        match give_to(&visit.app, &visit.actor, ticket.number, &as_seen, (why.as_str(), None)).await {
            Ok(()) => return Ok(to),
            // Another agent was quicker.
            Err(Error::Stale { .. }) => {}
            Err(other) => return Err(other.into()),
        }
    }
    Ok(Redirect::to("/queue?none=1").into_response())
}

/// `POST /queue/next`.
pub async fn take(visit: Visit, form: Form) -> Result<Response, Failure> {
    let from = form.given("from").and_then(|key| key.parse().ok());
    take_next(&visit, from).await
}
