//! Who approves in whose place: seen, given and ended by the people themselves.

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::civil::Date;

use super::list_page;
use crate::app::Error;
use crate::desk::id::{DelegationId, PersonId};
use crate::desk::organisation::Delegation;
use crate::desk::organisation::accounts::OwnDelegation;
use crate::desk::organisation::form::Problem;
use crate::web::frame::Frame;
use crate::web::frame::failure::Failure;
use crate::web::frame::form::Form;
use crate::web::portal::request::so_named;
use crate::web::session::Visit;

/// One that the reader has given or was given, in force or to come.
pub struct Given {
    pub id: String,
    pub words: String,
}

fn today(f: &Frame) -> Date {
    f.organisation.calendar.zone.to_datetime(f.times.now).date()
}

fn days(f: &Frame, (from, until): (Date, Date)) -> String {
    format!("{} – {}", f.times.day(from), f.times.day(until))
}

/// All that the configuration says, now or for days to come, about who decides in the reader's place, and in whose place the reader does.
/// Leave that people give by themselves is in the list of [`given`], with the button that ends it.
pub fn stand_ins(f: &Frame, reader: &PersonId) -> Vec<String> {
    let (organisation, today) = (&f.organisation, today(f));
    let is_open = |one: &&Delegation| one.given.is_none() && one.is_open(today);
    let own = organisation.people.get(reader).into_iter().flat_map(|person| &person.delegations).filter(is_open);
    let own = own.map(|one| f.words.t2("approvals.stands-in", f.name(&one.to), days(f, (one.from, one.until))));
    let all = organisation.people.values().flat_map(|person| person.delegations.iter().map(move |one| (person, one)));
    let others = all.filter(|(_, one)| one.to == *reader && is_open(one));
    let others =
        others.map(|(person, one)| f.words.t2("approvals.stands-for", &person.name, days(f, (one.from, one.until))));
    own.chain(others).collect()
}

/// Those of them that the reader may end.
pub fn given(f: &Frame, reader: &PersonId, all: &[OwnDelegation]) -> Vec<Given> {
    let today = today(f);
    let shown = |one: &OwnDelegation| {
        let days = days(f, (one.from, one.until));
        let words = if one.person == *reader {
            f.words.t2("approvals.stands-in", f.name(&one.to), days)
        } else {
            f.words.t2("approvals.stands-for", f.name(&one.person), days)
        };
        Given { id: one.id.to_string(), words }
    };
    all.iter().filter(|one| one.is_open(today)).map(shown).collect()
}

/// The people whom the reader may choose, by id and name; none where there are too many to choose from.
pub fn offered(f: &Frame, reader: &PersonId) -> Vec<(String, String)> {
    let others = f.people_to_choose().into_iter().filter(|person| person.id != *reader);
    others.map(|person| (person.id.to_string(), person.name.clone())).collect()
}

/// `POST /approvals/delegations`.
pub async fn add(visit: Visit, form: Form) -> Result<Response, Failure> {
    let to = form.text("to");
    let Some(to) = so_named(&visit.frame.organisation, to.trim()).map(|person| person.id.clone()) else {
        let problem = visit.frame.words.t("delegation.unknown");
        return list_page(visit, &form, vec![problem], None).await;
    };
    let day = |name: &str| form.text(name).trim().parse::<Date>().ok();
    let Some(days) = day("from").zip(day("until")) else {
        let problem = visit.frame.words.t("delegation.no-day");
        return list_page(visit, &form, vec![problem], None).await;
    };
    match visit.app.delegate(&visit.actor, to.as_str(), days).await {
        Ok(_) => Ok(Redirect::to("/approvals?done=given").into_response()),
        Err(Error::Rejected { problems }) => {
            let said = |problem: &Problem| visit.frame.words.t(&format!("delegation.{}", problem.code));
            let problems = problems.iter().map(said).collect();
            list_page(visit, &form, problems, None).await
        }
        Err(other) => Err(other.into()),
    }
}

/// `POST /approvals/delegations/{id}/end`.
pub async fn end(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let id: DelegationId = id.parse().map_err(|_| Failure::NoPage)?;
    visit.app.end_delegation(&visit.actor, id).await?;
    Ok(Redirect::to("/approvals?done=ended").into_response())
}
