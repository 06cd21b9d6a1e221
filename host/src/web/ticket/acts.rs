//! Acts on a ticket: each a form that is sent, done by a use case, and answered with the ticket's page.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::civil::Date;

use super::story::named;
use super::{Notice, next, number, render};
use crate::app::tickets::bulk::Step;
use crate::app::tickets::work::{StoredEntry, Words};
use crate::app::{App, Error};
use crate::desk::actor::{Actor, Author};
use crate::desk::change::condition::Condition;
use crate::desk::id::TicketNumber;
use crate::desk::organisation::form::{Fault, Problem};
use crate::desk::ticket::edit::EditTicket;
use crate::desk::ticket::lifecycle::commands::Command;
use crate::desk::ticket::lifecycle::resolution::ResolutionRecord;
use crate::desk::ticket::timeline::{Event, Visibility};
use crate::desk::ticket::{Move, State};
use crate::web::frame::Frame;
use crate::web::frame::failure::Failure;
use crate::web::frame::form::Form;
use crate::web::session::Visit;

/// The condition that the ticket is still as the reader saw it.
pub fn seen(form: &Form) -> Condition {
    Condition::version(form.text("version"))
}

/// Back to the ticket, or on to the next one that waits.
async fn back(visit: &Visit, number: TicketNumber, done: &str, form: &Form) -> Result<Response, Failure> {
    match form.text("then").as_str() {
        "next" => next::take_next(visit, Some(number)).await,
        _ => Ok(Redirect::to(&format!("/tickets/{number}?done={done}")).into_response()),
    }
}

/// The answer to an act: the page it leads to, or the same page with what was wrong and what was filled in.
pub(super) async fn answer(
    visit: Visit,
    number: TicketNumber,
    (done, form): (&str, &Form),
    outcome: Result<(), Error>,
) -> Result<Response, Failure> {
    let words = visit.frame.words;
    let notice = |text: String, tone, meanwhile| Some(Notice { text, tone, meanwhile, ..Notice::default() });
    match outcome {
        Ok(()) => back(&visit, number, done, form).await,
        Err(Error::Rejected { problems }) => {
            let problems: Vec<(String, String)> =
                problems.iter().map(|problem| (problem.field.clone(), visit.frame.problem(problem))).collect();
            let meanwhile = problems.iter().map(|(_, said)| said.clone()).collect();
            let (text, tone) = (words.t("ticket.rejected"), "bad");
            let shown = Notice { text, tone, meanwhile, problems, ..Notice::default() };
            render(visit, number, form, Some(shown), StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(Error::Stale { .. }) => {
            let shown = notice(words.t("ticket.conflict"), "warn", meanwhile(&visit, number).await?);
            render(visit, number, form, shown, StatusCode::PRECONDITION_FAILED).await
        }
        Err(Error::KeyReused) => {
            let shown = notice(words.t("ticket.sent-before"), "warn", meanwhile(&visit, number).await?);
            render(visit, number, form, shown, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(Error::Refused(refusal)) => {
            let shown = notice(words.t1("ticket.refused", visit.frame.refused(&refusal)), "bad", Vec::new());
            render(visit, number, form, shown, StatusCode::CONFLICT).await
        }
        Err(other) => Err(other.into()),
    }
}

/// The last things that happened, for one who saw the ticket before them.
async fn meanwhile(visit: &Visit, number: TicketNumber) -> Result<Vec<String>, Failure> {
    const SHOWN: usize = 3;
    let (entries, _) = visit.app.timeline_end(&visit.actor, number, SHOWN).await?;
    Ok(entries.iter().rev().map(|entry| happened(&visit.frame, entry)).collect())
}

/// In a line: who did something, which, and when.
pub(super) fn happened(f: &Frame, StoredEntry { entry, .. }: &StoredEntry) -> String {
    let who = match &entry.author {
        Author::Person(id) => f.name(id),
        _ => f.words.t("who.desk"),
    };
    let what = match &entry.event {
        Event::Set { field, to, .. } => {
            f.words.t2("event.changed", f.words.t(&format!("field.{}", field.code())), named(f, *field, to))
        }
        Event::StateChanged { to, .. } => f.words.t1("event.state", f.words.t(&format!("state.{}", to.code()))),
        Event::Assigned { assignee: Some(person), .. } => f.words.t1("event.assigned", f.name_of(person)),
        _ => f.words.t("event.other"),
    };
    format!("{who}: {what} ({})", f.times.exact(entry.at))
}

/// `POST /tickets/{key}/reply`: a public reply, or a private note.
pub async fn reply(visit: Visit, Path(id): Path<String>, form: Form) -> Result<Response, Failure> {
    let number = number(&id)?;
    let internal = form.has("internal");
    let visibility = if internal { Visibility::Internal } else { Visibility::Public };
    let key = form.once(&format!("comment {id}"));
    let done = visit.app.comment(&visit.actor, number, Words::new(&form.text("body"), visibility), key).await;
    let (place, version) = done.as_ref().map_or((number, 0), |done| (done.ticket.number, done.ticket.version));
    let said = match internal {
        true => "note",
        // A rule has made a ticket of the words.
        false if place != number && version == 1 => "new-ticket",
        false => "reply",
    };
    answer(visit, place, (said, &form), done.map(drop)).await
}

/// `POST /tickets/{key}/state`.
pub async fn state(visit: Visit, Path(id): Path<String>, form: Form) -> Result<Response, Failure> {
    let number = number(&id)?;
    let to = State::from_code(&form.text("to")).ok_or(Failure::BadForm)?;
    let record = ResolutionRecord {
        symptom: form.text("symptom"),
        cause: form.text("cause"),
        fix: form.text("fix"),
        next_time: form.text("next-time"),
    };
    let Ok(until) = form.given("until").map(|day| day.trim().parse::<Date>()).transpose() else {
        let problem = Problem::of("until", "invalid", Fault::UnreadDay, &[]);
        return answer(visit, number, ("state", &form), Err(Error::Rejected { problems: vec![problem] })).await;
    };
    let wanted = Move { to, reason: form.text("reason"), record, until };
    let key = form.once(&format!("state {id}"));
    let (app, actor, condition) = (&visit.app, &visit.actor, seen(&form));
    let done = if to == State::Cancelled && form.has("end-access") {
        Box::pin(app.cancel_with_access(actor, number, &condition, wanted, key)).await.map(drop)
    } else {
        app.transition(actor, number, &condition, wanted, key).await.map(drop)
    };
    answer(visit, number, ("state", &form), done).await
}

/// `POST /tickets/{key}/escalate`.
pub async fn escalate(visit: Visit, Path(id): Path<String>, form: Form) -> Result<Response, Failure> {
    let number = number(&id)?;
    let key = form.once(&format!("escalate {id}"));
    let done = visit.app.escalate(&visit.actor, number, &form.text("reason"), key).await.map(drop);
    answer(visit, number, ("escalate", &form), done).await
}

/// `POST /tickets/{key}/edit`.
pub async fn edit(visit: Visit, Path(id): Path<String>, form: Form) -> Result<Response, Failure> {
    let number = number(&id)?;
    let (now, _) = visit.app.ticket(&visit.actor, number).await?;
    // A form names every field: only what differs is a change.
    let other = |name: &str, is: &str| form.given(name).filter(|wanted| wanted != is);
    let is = |id: Option<String>| id.unwrap_or_default();
    let assignee_is = is(now.assignee.as_ref().map(ToString::to_string));
    let team = other("team", now.team.as_str());
    let moves = team.is_some();
    let assignee =
        Some(form.text("assignee")).filter(|wanted| form.has("assignee") && *wanted != assignee_is && !moves);
    let wanted = EditTicket {
        category: other("category", now.category.as_str()),
        impact: other("impact", &is(now.impact.as_ref().map(ToString::to_string))),
        urgency: other("urgency", &is(now.urgency.as_ref().map(ToString::to_string))),
        priority: other("priority", now.priority.as_str()),
        team,
        assignee: assignee.map(|id| Some(id).filter(|id| !id.is_empty())),
        tags: form.has("tagged").then(|| form.all("tag")),
        reason: form.text("reason"),
    };
    let key = form.once(&format!("edit {id}"));
    let (app, actor, condition) = (&visit.app, &visit.actor, seen(&form));
    let asks = form.has("ask-rules").then_some(true);
    let done = app.edit_by_hand(actor, number, &condition, (wanted, asks), key).await.map(drop);
    answer(visit, number, ("edit", &form), done).await
}

/// `POST /tickets/{key}/tags`: puts on and takes off the tags that the reader did; what others did meanwhile to other tags stays.
pub async fn tags(visit: Visit, Path(id): Path<String>, form: Form) -> Result<Response, Failure> {
    let number = number(&id)?;
    let (now, _, sight) = visit.app.seen_ticket(&visit.actor, number).await?;
    let (was, chosen) = (form.all("was"), form.all("tag"));
    let present: Vec<String> = now.tags.iter().map(ToString::to_string).collect();
    let put_on = chosen.iter().filter(|tag| !was.contains(tag) && !present.contains(tag));
    let stays = present.iter().filter(|tag| chosen.contains(tag) || !was.contains(tag));
    let tags: Vec<String> = stays.chain(put_on).cloned().collect();
    if tags == present {
        return answer(visit, number, ("edit", &form), Ok(())).await;
    }
    let wanted = EditTicket { tags: Some(tags), reason: form.text("reason"), ..EditTicket::default() };
    let condition = Condition::version(sight.tag(&now));
    let key = form.once(&format!("tags {id}"));
    let done = visit.app.edit_ticket(&visit.actor, number, &condition, wanted, key).await.map(drop);
    answer(visit, number, ("edit", &form), done).await
}

/// The most characters of a note that stand as the reason for the change of team as well.
const REASON_CHARS: usize = 200;

/// `POST /tickets/{key}/hand-over`: another team gets the ticket, with a private note for it; both or neither.
pub async fn hand_over(visit: Visit, Path(id): Path<String>, form: Form) -> Result<Response, Failure> {
    let number = number(&id)?;
    let note = form.text("handover");
    let first_line = note.trim().lines().next().unwrap_or_default();
    let wanted = EditTicket {
        team: form.given("hand-to"),
        reason: first_line.chars().take(REASON_CHARS).collect(),
        ..EditTicket::default()
    };
    let note = Command::Comment { body: note, visibility: Visibility::Internal, minutes: None };
    let step = Step::Commands(vec![Command::Edit(wanted), note]);
    let key = form.once(&format!("hand-over {id}"));
    let done = visit.app.run_step(&visit.actor, number, &seen(&form), &step, key).await.map(drop);
    answer(visit, number, ("hand-over", &form), done).await
}

/// Gives a ticket to the one who asks for it, who is a member of its team.
pub async fn give_to(
    app: &App,
    actor: &Actor,
    number: TicketNumber,
    condition: &Condition,
    (why, key): (&str, Option<(String, String)>),
) -> Result<(), Error> {
    let wanted = EditTicket {
        assignee: Some(actor.person().map(ToString::to_string)),
        reason: why.to_owned(),
        ..EditTicket::default()
    };
    app.edit_ticket(actor, number, condition, wanted, key).await.map(drop)
}

/// `POST /tickets/{key}/take`.
pub async fn take(visit: Visit, Path(id): Path<String>, form: Form) -> Result<Response, Failure> {
    let number = number(&id)?;
    let why = visit.frame.words.t("take.reason");
    let key = form.once(&format!("take {id}"));
    let done = give_to(&visit.app, &visit.actor, number, &seen(&form), (why.as_str(), key)).await;
    answer(visit, number, ("take", &form), done).await
}
