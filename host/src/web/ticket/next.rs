//! Taking the next ticket: of those that wait in the reader's teams for anyone, the one that is due first.

use axum::response::{IntoResponse, Redirect, Response};

use super::acts::give_to;
use crate::app::Error;
use crate::app::tickets::work::{Filter, NO_ONE, Start, TicketSummary};
use crate::desk::change::condition::Condition;
use crate::desk::id::TicketNumber;
use crate::desk::ticket::State;
use crate::web::frame::failure::Failure;
use crate::web::frame::form::Form;
use crate::web::session::Visit;

/// How often another is tried where others were quicker.
const TRIES: usize = 5;
/// Tickets that are looked for in each team: those that are tried, and the one that the reader comes from.
const LOOKED_FOR: usize = TRIES + 1;
/// Pages of a team's list that are read for them: a page may have none while later ones have some.
const PAGES_MAX: usize = 20;

/// States in which a ticket waits for work.
const WAITS: [State; 3] = [State::New, State::Open, State::Reopened];

/// The teams of the reader, by id.
pub fn teams(visit: &Visit) -> Vec<String> {
    let organisation = &visit.frame.organisation;
    let mine = organisation.teams.values().filter(|team| team.members.iter().any(|m| m.person == *visit.person()));
    mine.map(|team| team.id.to_string()).collect()
}

/// The first tickets of a team that wait for this person, or for [`NO_ONE`] in particular.
async fn first(visit: &Visit, team: &str, assignee: &str) -> Result<Vec<TicketSummary>, Failure> {
    let (team, assignee) = (Some(team.to_owned()), Some(assignee.to_owned()));
    let filter = Filter { team, assignee, states: WAITS.to_vec(), ..Filter::default() };
    let (mut found, mut next) = (Vec::new(), Some(Start::Queue(None)));
    for _ in 0..PAGES_MAX {
        let Some(start) = next.filter(|_| found.len() < LOOKED_FOR) else { break };
        let (page, _) = visit.app.tickets(&visit.actor, filter.clone(), start, LOOKED_FOR).await?;
        found.extend(page.items);
        next = page.next;
    }
    Ok(found)
}

/// Those that wait for the reader, in the order of the queue; not the one that they come from.
async fn waiting(visit: &Visit, from: Option<TicketNumber>) -> Result<Vec<TicketSummary>, Failure> {
    let mut found = Vec::new();
    for team in teams(visit) {
        for assignee in [visit.person().as_str(), NO_ONE] {
            let others = first(visit, &team, assignee).await?.into_iter();
            found.extend(others.filter(|ticket| Some(ticket.number) != from));
        }
    }
    let rank = |ticket: &TicketSummary| {
        visit.frame.organisation.priority(&ticket.priority).map_or(usize::MAX, |(rank, _)| rank)
    };
    // What is due at no time comes last, as in the queue.
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
        let as_seen = Condition::version(ticket.version.to_string());
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
