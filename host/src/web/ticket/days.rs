//! The days that a bundle goes by, on its page: each a form that gives it another.

use axum::extract::Path;
use axum::response::Response;

use super::acts::answer;
use super::number;
use crate::desk::ticket::Ticket;
use crate::desk::ticket::intake::days::{MoveDay, days_of};
use crate::web::frame::failure::Failure;
use crate::web::frame::form::Form;
use crate::web::session::Visit;

/// A day on the page, with what was filled in where that was refused.
pub struct ShownDay {
    pub field: String,
    pub label: String,
    pub to: String,
    pub reason: String,
    pub open: bool,
}

/// The days of a ticket that may have another.
pub fn read(visit: &Visit, ticket: &Ticket, form: &Form) -> Vec<ShownDay> {
    let days = days_of(ticket, &visit.frame.organisation).into_iter().filter(|_| ticket.state.is_unfinished());
    let shown = days.map(|day| {
        let open = form.text("day-field") == day.field;
        let to = if open { form.text("day-to") } else { day.day.to_string() };
        let reason = if open { form.text("day-reason") } else { String::new() };
        ShownDay { field: day.field, label: day.label, to, reason, open }
    });
    shown.collect()
}

/// `POST /tickets/{key}/day`.
pub async fn set(visit: Visit, Path(id): Path<String>, form: Form) -> Result<Response, Failure> {
    let number = number(&id)?;
    let to = form.text("day-to").parse().map_err(|_| Failure::BadForm)?;
    let wanted = MoveDay { field: form.text("day-field"), to, reason: form.text("day-reason") };
    let done = Box::pin(visit.app.move_day(&visit.actor, number, &wanted)).await.map(drop);
    answer(visit, number, ("day", &form), done).await
}
