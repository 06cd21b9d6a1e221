//! Decision records and the chains over all that is kept: where each ends, and whether it is whole.

use askama::Template;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::app::Error;
use crate::app::observe::chain::Chain;
use crate::app::tickets::search::SearchFilter;
use crate::app::tickets::work::{Filter, Start};
use crate::desk::id::TicketNumber;
use crate::desk::permission;
use crate::web::frame::failure::Failure;
use crate::web::frame::shown::Row;
use crate::web::frame::{Frame, page};
use crate::web::session::Visit;

/// Tickets whose records are one click away.
const ROWS: usize = 25;

/// A chain that was walked.
struct Walked {
    name: String,
    records: i64,
    hash: String,
    breaks: Vec<String>,
    more: usize,
}

#[derive(Template)]
#[template(path = "admin/records.html")]
struct RecordsPage {
    f: Frame,
    walked: Vec<Walked>,
    whole: bool,
    rows: Vec<Row>,
    may_check: bool,
    q: String,
    /// The ticket from which downwards no words are found yet.
    unsearchable: Option<TicketNumber>,
}

/// The words of a search.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    q: String,
}

async fn render(visit: Visit, walked: Vec<Walked>, q: String) -> Result<Response, Failure> {
    permission::read_decisions(&visit.actor).map_err(Error::from)?;
    let (tickets, sights) = match q.trim() {
        "" => {
            let newest = visit.app.tickets(&visit.actor, Filter::default(), Start::Newest, ROWS);
            let (found, sights) = newest.await?;
            (found.items, sights)
        }
        words => visit.app.search_tickets(&visit.actor, words, SearchFilter::default(), ROWS).await?,
    };
    let unsearchable = visit.app.unsearchable_from().await?;
    let may_check = permission::check_records(&visit.actor).is_ok();
    let f = visit.frame;
    let row = |ticket| f.row(ticket, &sights, Frame::state);
    let rows = tickets.iter().map(row).collect();
    let whole = walked.iter().all(|walked| walked.breaks.is_empty());
    page(StatusCode::OK, &RecordsPage { rows, whole, walked, may_check, q, unsearchable, f })
}

/// `GET /admin/records`: the tickets whose records are one click away; a ticket's record at once where its key is asked for.
pub async fn show(visit: Visit, Query(Asked { q }): Query<Asked>) -> Result<Response, Failure> {
    let key = q.trim().to_ascii_uppercase();
    match key.parse::<TicketNumber>() {
        Ok(number) => Ok(Redirect::to(&format!("/tickets/{number}/record")).into_response()),
        Err(_) => render(visit, Vec::new(), q).await,
    }
}

/// `POST /admin/records`: walks every chain from its beginning.
pub async fn check(visit: Visit) -> Result<Response, Failure> {
    let mut walked = Vec::new();
    for chain in Chain::ALL {
        let checked = visit.app.check_chain(&visit.actor, chain, None).await?;
        walked.push(Walked {
            name: visit.frame.words.t(&format!("chain.{}", chain.name())),
            records: checked.end.link,
            hash: checked.end.hash.chars().take(16).collect(),
            breaks: checked.breaks.into_iter().map(|found| found.what).collect(),
            more: checked.more,
        });
    }
    render(visit, walked, String::new()).await
}
