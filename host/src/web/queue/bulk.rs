//! One act on several tickets: each is done as if by hand, by the same use case, and each says what became of it.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use crate::app::Error;
use crate::app::tickets::bulk::Step;
use crate::desk::change::condition::{Condition, Tags};
use crate::desk::id::{MacroId, TicketNumber};
use crate::desk::ticket::edit::EditTicket;
use crate::desk::ticket::lifecycle::links::LinkKind;
use crate::desk::ticket::lifecycle::resolution::ResolutionRecord;
use crate::desk::ticket::{Move, State};
use crate::web::frame::failure::Failure;
use crate::web::frame::form::Form;
use crate::web::frame::{Frame, local, page};
use crate::web::session::Visit;
use crate::web::ticket::acts::give_to;
use crate::web::ticket::tools::other;

/// The most tickets that one form changes.
const TICKETS_MAX: usize = 100;

/// The outcome for one ticket.
struct Done {
    key: String,
    ok: bool,
    text: String,
}

#[derive(Template)]
#[template(path = "queue/done.html")]
struct DonePage {
    f: Frame,
    done: Vec<Done>,
    good: usize,
    bad: usize,
    back: String,
}

/// The act for each of them.
enum Act {
    Take,
    Assign(String),
    State(State),
    /// Each has this tag too.
    Tag(String),
    /// Each is a duplicate of this ticket, and is resolved with it.
    Duplicates(TicketNumber),
    Macro(MacroId),
}

fn act(form: &Form) -> Option<Act> {
    match form.text("act").as_str() {
        "take" => Some(Act::Take),
        "assign" => form.given("assignee").map(Act::Assign),
        "state" => State::from_code(&form.text("to")).map(Act::State),
        "tag" => form.given("tag").map(Act::Tag),
        "duplicates" => other(form).ok().map(Act::Duplicates),
        "macro" => form.text("macro").parse().ok().map(Act::Macro),
        _ => None,
    }
}

/// A ticket with the version in which it was seen: `IT-1042:7`.
fn chosen(text: &str) -> Option<(TicketNumber, Condition)> {
    let (key, version) = text.split_once(':')?;
    let matches = Some(Tags::OneOf(vec![version.to_owned()]));
    Some((key.parse().ok()?, Condition { matches, none_matches: None }))
}

/// `POST /queue/bulk`.
pub async fn run(visit: Visit, form: Form) -> Result<Response, Failure> {
    let words = visit.frame.words;
    let tickets: Vec<_> = form.all("ticket").iter().filter_map(|text| chosen(text)).take(TICKETS_MAX).collect();
    let act = act(&form);
    // A ticket is no duplicate of itself: it may be chosen with the others.
    let is_original = |number: &TicketNumber| matches!(&act, Some(Act::Duplicates(original)) if original == number);
    let tickets: Vec<_> = tickets.into_iter().filter(|(number, _)| !is_original(number)).collect();
    let reason = form.given("reason").unwrap_or_else(|| words.t("bulk.reason"));
    let mut done = Vec::with_capacity(tickets.len());
    for (number, condition) in tickets {
        let outcome = match &act {
            None => break,
            Some(act) => one(&visit, number, &condition, act, &reason).await,
        };
        let text = match &outcome {
            Ok(()) => words.t("bulk.done"),
            Err(Error::Stale { .. }) => words.t("bulk.stale"),
            Err(Error::Rejected { problems }) => visit.frame.problems(problems),
            Err(Error::Refused(refusal)) => words.t1("ticket.refused", visit.frame.refused(refusal)),
            Err(error @ (Error::Broken(_) | Error::Damaged(_))) => {
                tracing::error!(%error, ticket = %number, "a change of several tickets failed at one");
                words.t("error.broken.title")
            }
            Err(other) => visit.frame.why_not(other),
        };
        done.push(Done { key: number.to_string(), ok: outcome.is_ok(), text });
    }
    let good = done.iter().filter(|done| done.ok).count();
    let (bad, back) = (done.len() - good, local(&form.text("back")).to_owned());
    let status = if act.is_none() || done.is_empty() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    page(status, &DonePage { f: visit.frame, done, good, bad, back })
}

async fn one(visit: &Visit, number: TicketNumber, condition: &Condition, act: &Act, reason: &str) -> Result<(), Error> {
    match act {
        Act::Take => give_to(&visit.app, &visit.actor, number, condition, (reason, None)).await,
        Act::Assign(person) => {
            let assignee = Some(Some(person.clone()));
            let wanted = EditTicket { assignee, reason: reason.to_owned(), ..EditTicket::default() };
            visit.app.edit_ticket(&visit.actor, number, condition, wanted, None).await.map(drop)
        }
        Act::Tag(tag) => {
            let (now, _) = visit.app.ticket(&visit.actor, number).await?;
            let mut tags: Vec<String> = now.tags.iter().map(ToString::to_string).collect();
            if !tags.contains(tag) {
                tags.push(tag.clone());
            }
            let wanted = EditTicket { tags: Some(tags), reason: reason.to_owned(), ..EditTicket::default() };
            visit.app.edit_ticket(&visit.actor, number, condition, wanted, None).await.map(drop)
        }
        Act::Duplicates(original) => {
            visit.app.link(&visit.actor, number, (LinkKind::Duplicate, *original), None).await.map(drop)
        }
        Act::Macro(id) => {
            visit.app.run_step(&visit.actor, number, condition, &Step::Macro(id.clone()), None).await.map(drop)
        }
        Act::State(to) => {
            let record = ResolutionRecord { fix: reason.to_owned(), ..ResolutionRecord::default() };
            let wanted = Move { reason: reason.to_owned(), record, ..Move::to(*to) };
            visit.app.transition(&visit.actor, number, condition, wanted, None).await.map(drop)
        }
    }
}
