//! Several apps, or several people, in one submission, and where each of its requests stands.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use crate::app::Error;
use crate::app::access::people::submission::{AccessSubmission, SubmissionItem, SubmissionPart, SubmissionRequest};
use crate::desk::organisation::form::Problem;
use crate::web::frame::failure::Failure;
use crate::web::frame::form::Form;
use crate::web::frame::said::Found;
use crate::web::frame::times::When;
use crate::web::frame::{Frame, page};
use crate::web::session::Visit;

/// The name of the boxes by which tiers are chosen.
const ITEM: &str = "item";

/// A tier that may be chosen.
struct Tier {
    /// `app/tier`, which is also its id on the page.
    value: String,
    name: String,
    risk: String,
    chosen: bool,
}

/// An app with its tiers.
struct Listed {
    name: String,
    tiers: Vec<Tier>,
}

/// The answers that stand on the form.
struct Filled {
    people: String,
    hours: String,
    starts: String,
    justification: String,
}

#[derive(Template)]
#[template(path = "portal/several.html")]
struct SeveralPage {
    f: Frame,
    apps: Vec<Listed>,
    people: Vec<(String, String)>,
    filled: Filled,
    problems: Vec<Found>,
    key: String,
}

/// A request of a submission.
struct Part {
    person: String,
    what: String,
    ticket: Option<String>,
    state: Option<String>,
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "portal/submission.html")]
struct SubmissionPage {
    f: Frame,
    asked: When,
    parts: Vec<Part>,
}

/// `GET /access/several`.
pub async fn form(visit: Visit) -> Result<Response, Failure> {
    render(visit, &Form::default(), Vec::new())
}

/// `POST /access/several`: makes a request of each tier for each person.
pub async fn send(visit: Visit, form: Form) -> Result<Response, Failure> {
    let Some(request) = request(&form) else {
        let problem = vec![Found::at("hours", visit.frame.words.t("access.hours-needed"))];
        return render(visit, &form, problem);
    };
    let key = form.once("several");
    match visit.app.ask_for_several(&visit.actor, &request, key).await {
        Ok(made) => Ok(Redirect::to(&format!("/access/submissions/{}", made.id)).into_response()),
        Err(Error::Rejected { problems }) => {
            let found = |problem: &Problem| {
                let (id, label) = at(&visit.frame, &problem.field, &request);
                visit.frame.found((id, &label), problem)
            };
            let problems = problems.iter().map(found).collect();
            render(visit, &form, problems)
        }
        Err(other) => Err(other.into()),
    }
}

/// `GET /access/submissions/{id}`.
pub async fn show(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let id = id.parse().map_err(|_| Failure::NoPage)?;
    let AccessSubmission { parts, asked_at, .. } = visit.app.access_submission(&visit.actor, id).await?;
    let f = visit.frame;
    let part = |part: SubmissionPart| {
        let (app, tier) = (part.app.as_str(), part.tier.as_str());
        Part {
            person: f.name(&part.subject),
            what: format!("{} · {}", f.app(app), f.tier(app, tier)),
            ticket: part.ticket.map(|number| number.to_string()),
            state: part.state.map(|state| f.words.t(&format!("access.{}", state.code()))),
            problem: part.problem.map(|sentence| f.kept_problem(&sentence)),
        }
    };
    let parts = parts.into_iter().map(part).collect();
    page(StatusCode::OK, &SubmissionPage { asked: f.times.ago(asked_at), parts, f })
}

/// The submission that a form makes; `None` where its hours are no number.
fn request(form: &Form) -> Option<SubmissionRequest> {
    let hours = form.given("hours").map(|hours| hours.trim().parse::<u32>()).transpose().ok()?;
    let starts = form.given("starts");
    let item = |value: String| {
        let (app, tier) = value.split_once('/').unwrap_or((&value, ""));
        SubmissionItem { app: app.to_owned(), tier: tier.to_owned(), role: None, hours, starts: starts.clone() }
    };
    let people = form.text("people");
    let people = people.split([',', ';', ' ', '\n']).map(str::trim).filter(|person| !person.is_empty());
    Some(SubmissionRequest {
        people: people.map(str::to_owned).collect(),
        items: form.all(ITEM).into_iter().map(item).collect(),
        justification: form.text("justification"),
    })
}

/// The place of a problem, by its id on the page and as the reader knows it: `items[1].tier` is the second tier that was chosen.
fn at(f: &Frame, field: &str, request: &SubmissionRequest) -> (&'static str, String) {
    let number = |name: &str| field.strip_prefix(name)?.split(']').next()?.parse::<usize>().ok();
    let item = number("items[").and_then(|number| request.items.get(number));
    let person = number("people[").and_then(|number| request.people.get(number));
    match (item, person) {
        (Some(item), _) => ("", format!("{}/{}", item.app, item.tier)),
        (None, Some(person)) => ("people", person.clone()),
        (None, None) => match field {
            // All of it.
            "items" => ("", String::new()),
            "people" => ("people", f.words.t("several.people")),
            "justification" => ("justification", f.words.t("several.why")),
            other => ("", other.to_owned()),
        },
    }
}

fn render(visit: Visit, form: &Form, problems: Vec<Found>) -> Result<Response, Failure> {
    let f = visit.frame;
    let chosen = form.all(ITEM);
    let apps = f.organisation.apps.values().map(|app| Listed {
        name: app.name.clone(),
        tiers: app
            .tiers
            .iter()
            .map(|tier| {
                let value = format!("{}/{}", app.id, tier.id);
                let chosen = chosen.contains(&value);
                Tier { chosen, value, name: tier.name.clone(), risk: tier.risk.clone() }
            })
            .collect(),
    });
    let apps = apps.collect();
    let people = f.organisation.people.values().filter(|person| person.active);
    let people = people.map(|person| (person.id.to_string(), person.name.clone())).collect();
    let text = |name: &str| form.text(name);
    let filled = Filled {
        people: text("people"),
        hours: text("hours"),
        starts: text("starts"),
        justification: text("justification"),
    };
    let key = visit.app.clock.new_id().to_string();
    let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    page(status, &SeveralPage { apps, people, filled, problems, key, f })
}
