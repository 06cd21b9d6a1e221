//! A list as a file for spreadsheets: every ticket of it, in its order.

use axum::response::Response;

use super::asked::Asked;
use super::{Said, open, render};
use crate::app::Error;
use crate::app::observe::csv;
use crate::app::tickets::work::{Filter, TicketSummary};
use crate::desk::permission;
use crate::web::frame::failure::Failure;
use crate::web::frame::{Frame, csv_file};
use crate::web::session::Visit;

/// The most tickets of one file, and so many are read at a time.
const ROWS_MAX: usize = 10_000;
const STEP: usize = 200;

/// The columns, as programs and people read them.
const COLUMNS: [&str; 11] =
    ["key", "subject", "state", "priority", "category", "team", "assignee", "requester", "due", "created", "updated"];

fn row(f: &Frame, ticket: &TicketSummary) -> Vec<String> {
    vec![
        ticket.number.to_string(),
        ticket.subject.clone(),
        ticket.state.code().to_owned(),
        ticket.priority.to_string(),
        ticket.category.to_string(),
        ticket.team.to_string(),
        ticket.assignee.as_ref().map(|id| f.name(id)).unwrap_or_default(),
        f.name(&ticket.requester),
        ticket.due_at.map(|at| at.to_string()).unwrap_or_default(),
        ticket.created_at.to_string(),
        ticket.updated_at.to_string(),
    ]
}

/// All rows of a list; `None` where there are more than a file has.
async fn rows(visit: &Visit, asked: &Asked, filter: Filter) -> Result<Option<Vec<Vec<String>>>, Failure> {
    let mut rows = vec![COLUMNS.map(str::to_owned).to_vec()];
    let mut next = Some(Asked { after: String::new(), ..asked.clone() }.start());
    while let Some(start) = next {
        let (found, _) = visit.app.tickets(&visit.actor, filter.clone(), start, STEP).await?;
        rows.extend(found.items.iter().map(|ticket| row(&visit.frame, ticket)));
        if rows.len() > ROWS_MAX + 1 {
            return Ok(None);
        }
        next = found.next;
    }
    Ok(Some(rows))
}

/// `GET /queue?format=csv`: a file is whole, or it is none.
pub async fn send(visit: Visit, asked: Asked) -> Result<Response, Failure> {
    permission::list_internally(&visit.actor).map_err(Error::from)?;
    let own = visit.app.own_views(&visit.actor).await?;
    let filter = match open(&asked, &own)? {
        Some(own) => visit.app.filter_for(&visit.actor, &own.view)?,
        None => asked.filter(),
    };
    match rows(&visit, &asked, filter).await? {
        Some(rows) => Ok(csv_file("tickets.csv", csv::rows(rows))),
        None => {
            let text = visit.frame.words.t1("queue.too-many", ROWS_MAX);
            render(visit, asked, Said { text: Some((text, "bad")), name: String::new() }).await
        }
    }
}
