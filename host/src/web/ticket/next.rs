//! Taking the next ticket: of those that wait in the reader's teams for anyone, the one that is due first.

use axum::response::{IntoResponse, Redirect, Response};

use super::acts::give_to;
use crate::app::Error;
use crate::app::tickets::work::{Filter, NO_ONE, Start, TicketSummary};
use crate::desk::change::condition::{Condition, Tags};
use crate::desk::ticket::State;
use crate::web::frame::failure::Failure;
use crate::web::session::Visit;

/// How often another is tried where others were quicker, and so many are looked for in each team.
const TRIES: usize = 5;
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
        let Some(start) = next.filter(|_| found.len() < TRIES) else { break };
        let (page, _) = visit.app.tickets(&visit.actor, filter.clone(), start, TRIES).await?;
        found.extend(page.items);
        next = page.next;
    }
    Ok(found)
}

async fn waiting(visit: &Visit) -> Result<Vec<TicketSummary>, Failure> {
    let mut found = Vec::new();
    for team in teams(visit) {
        for assignee in [visit.person().as_str(), NO_ONE] {
            found.extend(first(visit, &team, assignee).await?);
        }
    }
    let rank = |ticket: &TicketSummary| {
        visit.frame.organisation.priority(&ticket.priority).map_or(usize::MAX, |(rank, _)| rank)
    };
    // What is due at no time comes last, as in the queue.
    found.sort_by_key(|ticket| (rank(ticket), ticket.due_at.is_none(), ticket.due_at, ticket.number));
    Ok(found)
}

/// Takes the next ticket and goes to it; to the queue where none waits.
///
/// # Errors
///
/// Where it can be neither read nor given.
pub async fn take_next(visit: &Visit) -> Result<Response, Failure> {
    let why = visit.frame.words.t("take.next-reason");
    for ticket in waiting(visit).await?.into_iter().take(TRIES) {
        let to = Redirect::to(&format!("/tickets/{}?done=next", ticket.number)).into_response();
        if ticket.assignee.is_some() {
            return Ok(to);
        }
        let tags = Tags::OneOf(vec![ticket.version.to_string()]);
        let as_seen = Condition { matches: Some(tags), none_matches: None };
        match give_to(&visit.app, &visit.actor, ticket.number, &as_seen, &why).await {
            Ok(()) => return Ok(to),
            // Another agent was quicker.
            Err(Error::Stale { .. }) => {}
            Err(other) => return Err(other.into()),
        }
    }
    Ok(Redirect::to("/queue?none=1").into_response())
}

/// `POST /queue/next`.
pub async fn take(visit: Visit) -> Result<Response, Failure> {
    take_next(&visit).await
}
