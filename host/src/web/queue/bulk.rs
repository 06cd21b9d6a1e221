//! One act on several tickets: each is done as if by hand, by the same use case, and each says what became of it. The page's script
//! sends many in parts, and shows how far it has come; a form or a part that comes twice is done once.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use crate::app::Error;
use crate::app::tickets::bulk::Step;
use crate::app::tickets::change::Key;
use crate::app::tickets::submit::digest;
use crate::desk::change::condition::{Condition, Tags};
use crate::desk::id::{MacroId, TicketNumber};
use crate::desk::ticket::edit::EditTicket;
use crate::desk::ticket::lifecycle::links::LinkKind;
use crate::desk::ticket::lifecycle::resolution::ResolutionRecord;
use crate::desk::ticket::{Move, State};
use crate::web::frame::failure::Failure;
use crate::web::frame::form::{Form, KEY, encode};
use crate::web::frame::{Frame, local, page};
use crate::web::session::Visit;
use crate::web::ticket::acts::give_to;
use crate::web::ticket::tools::other;

/// The most tickets that one form changes.
const TICKETS_MAX: usize = 100;

/// The fields of a form that say what is done.
const ACT: [&str; 7] = ["act", "assignee", "to", "tag", "other", "macro", "reason"];

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
    /// Whether there was nothing to do.
    nothing: bool,
    done: Vec<Done>,
    good: usize,
    bad: usize,
    /// How many tickets it has come to, of how many; both zero where they came all at once.
    at: usize,
    of: usize,
    back: String,
}

/// How far an act had come before this form, where its tickets come in parts.
struct Before {
    at: usize,
    of: usize,
    good: usize,
    bad: usize,
}

impl Before {
    fn in_form(form: &Form) -> Before {
        let number = |name: &str| form.text(name).parse::<usize>().unwrap_or_default().min(TICKETS_MAX);
        Before { at: number("at"), of: number("of"), good: number("good"), bad: number("bad") }
    }
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
struct Chosen {
    text: String,
    number: TicketNumber,
    condition: Condition,
}

fn chosen(text: String) -> Option<Chosen> {
    let (key, version) = text.split_once(':')?;
    let matches = Some(Tags::OneOf(vec![version.to_owned()]));
    let (number, condition) = (key.parse().ok()?, Condition { matches, none_matches: None });
    Some(Chosen { text, number, condition })
}

/// The key under which a ticket is changed once, however often its form comes: the act and the version that was seen say which change is
/// meant, and the script's key tells one attempt from another. A key in the page would make each reload of it another page.
fn once(form: &Form, ticket: &Chosen) -> Key {
    let act: Vec<(&str, &str)> = form
        .0
        .iter()
        .filter(|(name, _)| name == KEY || ACT.contains(&name.as_str()))
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let once = digest(format!("page bulk {} {}", encode(&act), ticket.text).as_bytes());
    (once.clone(), once)
}

/// `POST /queue/bulk`.
pub async fn run(visit: Visit, form: Form) -> Result<Response, Failure> {
    let (act, before, sent) = (act(&form), Before::in_form(&form), form.all("ticket"));
    let (of, at) = (before.of, (before.at + sent.len()).min(before.of));
    // A ticket is no duplicate of itself: it may be chosen with the others.
    let is_original = |one: &Chosen| matches!(&act, Some(Act::Duplicates(original)) if *original == one.number);
    let tickets = sent.into_iter().filter_map(chosen).take(TICKETS_MAX).filter(|one| !is_original(one));
    let tickets: Vec<Chosen> = tickets.collect();
    let mut done = Vec::with_capacity(tickets.len());
    for ticket in tickets {
        let Some(act) = &act else { break };
        let outcome = one(&visit, &ticket, act, &form).await;
        let text = said(&visit.frame, ticket.number, &outcome);
        done.push(Done { key: ticket.number.to_string(), ok: outcome.is_ok(), text });
    }
    let nothing = act.is_none() || (done.is_empty() && of == 0);
    let count = done.iter().filter(|done| done.ok).count();
    let (good, bad) = (before.good + count, before.bad + done.len() - count);
    let back = local(&form.text("back")).to_owned();
    let status = if nothing { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    page(status, &DonePage { f: visit.frame, nothing, done, good, bad, at, of, back })
}

/// The outcome for a ticket in words.
fn said(f: &Frame, number: TicketNumber, outcome: &Result<(), Error>) -> String {
    match outcome {
        Ok(()) => f.words.t("bulk.done"),
        Err(Error::Stale { .. }) => f.words.t("bulk.stale"),
        Err(Error::Rejected { problems }) => f.problems(problems),
        Err(Error::Refused(refusal)) => f.words.t1("ticket.refused", f.refused(refusal)),
        Err(error @ (Error::Broken(_) | Error::Damaged(_))) => {
            tracing::error!(%error, ticket = %number, "a change of several tickets failed at one");
            f.words.t("error.broken.title")
        }
        Err(other) => f.why_not(other),
    }
}

async fn one(visit: &Visit, ticket: &Chosen, act: &Act, form: &Form) -> Result<(), Error> {
    let (number, condition, key) = (ticket.number, &ticket.condition, Some(once(form, ticket)));
    let reason = form.given("reason").unwrap_or_else(|| visit.frame.words.t("bulk.reason"));
    match act {
        Act::Take => give_to(&visit.app, &visit.actor, number, condition, (reason.as_str(), key)).await,
        Act::Assign(person) => {
            let assignee = Some(Some(person.clone()));
            let wanted = EditTicket { assignee, reason, ..EditTicket::default() };
            visit.app.edit_ticket(&visit.actor, number, condition, wanted, key).await.map(drop)
        }
        Act::Tag(tag) => {
            let (now, _) = visit.app.ticket(&visit.actor, number).await?;
            let mut tags: Vec<String> = now.tags.iter().map(ToString::to_string).collect();
            if !tags.contains(tag) {
                tags.push(tag.clone());
            }
            let wanted = EditTicket { tags: Some(tags), reason, ..EditTicket::default() };
            visit.app.edit_ticket(&visit.actor, number, condition, wanted, key).await.map(drop)
        }
        Act::Duplicates(original) => {
            visit.app.link(&visit.actor, number, (LinkKind::Duplicate, *original), key).await.map(drop)
        }
        Act::Macro(id) => {
            visit.app.run_step(&visit.actor, number, condition, &Step::Macro(id.clone()), key).await.map(drop)
        }
        Act::State(to) => {
            let record = ResolutionRecord { fix: reason.clone(), ..ResolutionRecord::default() };
            let wanted = Move { reason, record, ..Move::to(*to) };
            visit.app.transition(&visit.actor, number, condition, wanted, key).await.map(drop)
        }
    }
}
