//! Another rule tried on a ticket: its submission goes through the rules once more, without one of them or with another
//! manifest, and nothing of it is written.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;

use super::number;
use crate::app::Error;
use crate::app::replay::dry_run::{Candidate, Trial, What};
use crate::desk::ticket::Ticket;
use crate::web::frame::failure::Failure;
use crate::web::frame::form::Form;
use crate::web::frame::{Frame, page};
use crate::web::session::Visit;

/// A rule that may be left out, or changed.
struct LiveRule {
    name: String,
    version: String,
    stages: String,
    left_out: bool,
    manifest: String,
}

/// A fact as it is and as it would be.
struct Compared {
    name: String,
    is: String,
    would_be: String,
    differs: bool,
}

#[derive(Template)]
#[template(path = "ticket/try.html")]
struct TryPage {
    f: Frame,
    key: String,
    subject: String,
    rules: Vec<LiveRule>,
    manifest: String,
    compared: Vec<Compared>,
    ran: bool,
    problems: Vec<String>,
}

fn live_rules(visit: &Visit, form: &Form) -> Result<Vec<LiveRule>, Failure> {
    let (_, statuses) = visit.app.rules_status(&visit.actor)?;
    let left_out = form.all("without");
    let live = statuses.into_iter().filter_map(|status| status.active);
    Ok(live
        .map(|rule| LiveRule {
            name: rule.manifest.name.to_string(),
            version: rule.manifest.version.clone(),
            stages: rule.manifest.stages.iter().map(|stage| stage.name()).collect::<Vec<_>>().join(", "),
            left_out: left_out.iter().any(|name| *name == rule.manifest.name.to_string()),
            manifest: rule.manifest_text.to_string(),
        })
        .collect())
}

fn compared(f: &Frame, is: &Ticket, would_be: &Ticket) -> Vec<Compared> {
    let text = |id: Option<String>| id.unwrap_or_else(|| "-".to_owned());
    let of = |ticket: &Ticket| {
        [
            ("field.category", f.category(ticket.category.as_str())),
            ("field.priority", f.priority(&ticket.priority).name),
            ("field.impact", text(ticket.impact.as_ref().map(ToString::to_string))),
            ("field.urgency", text(ticket.urgency.as_ref().map(ToString::to_string))),
            ("field.team", f.team(ticket.team.as_str())),
            ("field.assignee", text(ticket.assignee.as_ref().map(|id| f.name(id)))),
            ("field.tags", ticket.tags.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
        ]
    };
    let pairs = of(is).into_iter().zip(of(would_be));
    pairs
        .map(|((key, is), (_, would_be))| Compared { name: f.words.t(key), differs: is != would_be, is, would_be })
        .collect()
}

async fn show(
    visit: Visit,
    key: String,
    form: &Form,
    ran: Option<(Vec<Compared>, Vec<String>)>,
) -> Result<Response, Failure> {
    let (ticket, _) = visit.app.ticket(&visit.actor, number(&key)?).await?;
    let rules = live_rules(&visit, form)?;
    let status = if ran.as_ref().is_some_and(|(_, problems)| !problems.is_empty()) {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let is_run = ran.is_some();
    let (compared, problems) = ran.unwrap_or_default();
    let subject = ticket.submitted.subject.clone();
    let manifest = form.text("manifest");
    page(status, &TryPage { f: visit.frame, key, subject, rules, manifest, compared, ran: is_run, problems })
}

/// `GET /tickets/{key}/try`.
pub async fn form(visit: Visit, Path(key): Path<String>) -> Result<Response, Failure> {
    show(visit, key, &Form::default(), None).await
}

/// `POST /tickets/{key}/try`: nothing is written.
pub async fn run(visit: Visit, Path(key): Path<String>, form: Form) -> Result<Response, Failure> {
    let number = number(&key)?;
    let (ticket, _) = visit.app.ticket(&visit.actor, number).await?;
    let with = form.given("manifest").map(|manifest| Candidate { manifest, component: None, signature: None });
    let trial = Trial {
        what: What::Of(number),
        submitted_by: None,
        with: with.into_iter().collect(),
        without: form.all("without"),
        at: Some(ticket.submitted.at),
    };
    let tried = match visit.app.dry_run(&visit.actor, trial).await {
        Ok(would) => match would.outcome {
            Ok(would_be) => (compared(&visit.frame, &ticket, &would_be.ticket), Vec::new()),
            Err(problems) => (Vec::new(), problems.iter().map(|problem| visit.frame.problem(problem)).collect()),
        },
        Err(error @ (Error::Unfit(_) | Error::Missing { .. })) => (Vec::new(), vec![visit.frame.why_not(&error)]),
        Err(Error::Rejected { problems }) => {
            (Vec::new(), problems.iter().map(|problem| visit.frame.problem(problem)).collect())
        }
        Err(other) => return Err(other.into()),
    };
    show(visit, key, &form, Some(tried)).await
}
