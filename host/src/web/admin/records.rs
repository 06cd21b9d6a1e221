//! Decision records and the chains over all that is kept: where each ends, and whether it is whole.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use crate::app::Error;
use crate::app::observe::chain::Chain;
use crate::app::tickets::work::{Filter, Start};
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
}

async fn render(visit: Visit, walked: Vec<Walked>) -> Result<Response, Failure> {
    permission::read_decisions(&visit.actor).map_err(Error::from)?;
    let (found, sights) = visit.app.tickets(&visit.actor, Filter::default(), Start::Updated(None), ROWS).await?;
    let may_check = permission::check_records(&visit.actor).is_ok();
    let f = visit.frame;
    let row = |ticket| f.row(ticket, (sights.of(ticket).version(ticket.version), ticket.updated_at), false);
    let rows = found.items.iter().map(row).collect();
    let whole = walked.iter().all(|walked| walked.breaks.is_empty());
    page(StatusCode::OK, &RecordsPage { rows, whole, walked, may_check, f })
}

/// `GET /admin/records`.
pub async fn show(visit: Visit) -> Result<Response, Failure> {
    render(visit, Vec::new()).await
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
    render(visit, walked).await
}
