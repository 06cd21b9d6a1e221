//! A bundle on its page: the days that it goes by, each a form that gives it another, and what its cancelling takes along.

use axum::extract::Path;
use axum::response::Response;
use jiff::civil::Date;

use super::acts::{answer, seen};
use super::{Seen, StateOption, number};
use crate::app::Error;
use crate::desk::access::Grant;
use crate::desk::id::TicketNumber;
use crate::desk::organisation::form::{Fault, Problem};
use crate::desk::ticket::intake::days::{MoveDay, days_of};
use crate::desk::ticket::{State, Ticket};
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

/// The parts that go with a bundle that is cancelled, and the access that stays.
#[derive(Default)]
pub struct Cancels {
    /// How many open parts are cancelled with it.
    pub open: usize,
    /// The access that its parts gave, each in a line.
    pub stays: Vec<String>,
}

impl Cancels {
    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.open == 0 && self.stays.is_empty()
    }
}

/// Reads what cancelling a ticket takes along, where the reader may cancel it.
///
/// # Errors
///
/// Where its parts cannot be read.
pub async fn cancels(visit: &Visit, seen: &Seen, next: &[StateOption]) -> Result<Cancels, Failure> {
    let f = &visit.frame;
    let form = f.organisation.request_types.get(&seen.ticket.submitted.request_type);
    let is_bundle = form.is_some_and(|form| !form.parts.is_empty());
    if !is_bundle || !next.iter().any(|option| option.code == State::Cancelled.code()) {
        return Ok(Cancels::default());
    }
    let hanging = Box::pin(visit.app.hanging(&visit.actor, seen.ticket.number)).await?;
    let line = |(part, grant): &(TicketNumber, Grant)| {
        format!("{}: {}, {} ({part})", f.name(&grant.subject), f.app(grant.app.as_str()), grant.tier)
    };
    Ok(Cancels { open: hanging.open.len(), stays: hanging.access.iter().map(line).collect() })
}

/// `POST /tickets/{key}/day`.
pub async fn set(visit: Visit, Path(id): Path<String>, form: Form) -> Result<Response, Failure> {
    let number = number(&id)?;
    let Ok(to) = form.text("day-to").parse::<Date>() else {
        let problem = Problem::of("to", "invalid", Fault::UnreadDay, &[]);
        return answer(visit, number, ("day", &form), Err(Error::Rejected { problems: vec![problem] })).await;
    };
    let wanted = MoveDay { field: form.text("day-field"), to, reason: form.text("day-reason") };
    let done = Box::pin(visit.app.move_day(&visit.actor, number, &seen(&form), &wanted)).await.map(drop);
    answer(visit, number, ("day", &form), done).await
}
