//! An outage on an agent's page: declared for a ticket that stands for many, changed, and ended.

use axum::extract::Path;
use axum::response::Response;

use super::acts::answer;
use super::{Seen, number};
use crate::app::Error;
use crate::desk::ticket::intake::outage::{Declaration, Likeness};
use crate::web::frame::failure::Failure;
use crate::web::frame::form::Form;
use crate::web::session::Visit;

/// The form, as it stands or as it was filled in.
pub struct Shown {
    /// How many tickets are attached; `None` where it is no outage.
    pub children: Option<i64>,
    pub announcement: String,
    /// With commas between them.
    pub words: String,
    pub by_category: bool,
    pub by_type: bool,
    /// Whether the form is shown at once.
    pub open: bool,
}

/// Reads the form for a ticket.
///
/// # Errors
///
/// Where it cannot be read.
pub async fn read(visit: &Visit, seen: &Seen, form: &Form) -> Result<Shown, Failure> {
    let all = visit.app.outages(&visit.actor).await?;
    let stands = all.into_iter().find(|one| one.outage.ticket == seen.ticket.number);
    let children = stands.as_ref().map(|one| one.children.unwrap_or_default());
    if form.has("announcement") {
        let (announcement, words) = (form.text("announcement"), form.text("words"));
        let (by_category, by_type) = (form.has("by-category"), form.has("by-type"));
        return Ok(Shown { children, announcement, words, by_category, by_type, open: true });
    }
    let Some(stands) = stands else {
        let (announcement, words) = (String::new(), String::new());
        return Ok(Shown { children, announcement, words, by_category: true, by_type: true, open: false });
    };
    let like = stands.outage.like;
    Ok(Shown {
        children,
        announcement: stands.outage.announcement,
        words: like.words.join(", "),
        by_category: like.category.is_some(),
        by_type: like.request_type.is_some(),
        open: true,
    })
}

/// `POST /tickets/{key}/outage`: declares the ticket to be one, says again what is known, or ends it.
pub async fn run(visit: Visit, Path(id): Path<String>, form: Form) -> Result<Response, Failure> {
    let number = number(&id)?;
    if form.text("do") == "end" {
        let ended = visit.app.end_outage(&visit.actor, number).await.map(drop);
        return answer(visit, number, ("outage-ended", &form), ended).await;
    }
    let (ticket, _) = visit.app.ticket(&visit.actor, number).await?;
    let words = form.text("words");
    let words = words.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned);
    let like = Likeness {
        category: form.has("by-category").then(|| ticket.category.clone()),
        request_type: form.has("by-type").then(|| ticket.submitted.request_type.clone()),
        words: words.collect(),
        field: None,
    };
    let declaration = Declaration { announcement: form.text("announcement"), like };
    let declared: Result<(), Error> = visit.app.declare_outage(&visit.actor, number, declaration).await.map(drop);
    answer(visit, number, ("outage", &form), declared).await
}
