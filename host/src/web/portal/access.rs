//! Access: what one holds, what there is to ask for, and giving back.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::app::Error;
use crate::app::access::catalog::{Catalog, Standing};
use crate::app::access::decide::{GrantPlace, ListedGrant};
use crate::desk::id::{GrantId, PersonId};
use crate::desk::organisation::Tier;
use crate::desk::organisation::form::Problem;
use crate::desk::permission;
use crate::web::frame::failure::Failure;
use crate::web::frame::form::Form;
use crate::web::frame::said::Found;
use crate::web::frame::times::When;
use crate::web::frame::{Frame, page};
use crate::web::session::Visit;

/// Grants that are looked at.
const GRANTS: usize = 100;

/// Access that one holds, or has held.
pub struct Held {
    pub id: GrantId,
    pub app: String,
    pub tier: String,
    pub role: Option<String>,
    pub until: When,
    pub since: When,
    pub now: bool,
    /// Whether it ends within a week.
    pub soon: bool,
}

const SOON_MS: i64 = 7 * 24 * 3_600_000;

fn held(f: &Frame, (ListedGrant { grant, .. }, now): (ListedGrant, bool)) -> Held {
    let left = grant.expires_at.as_millisecond() - f.times.now.as_millisecond();
    Held {
        id: grant.id,
        app: f.app(grant.app.as_str()),
        tier: f.tier(grant.app.as_str(), grant.tier.as_str()),
        role: grant.role,
        until: f.times.until(grant.revoked_at.unwrap_or(grant.expires_at)),
        since: f.times.ago(grant.granted_at),
        now,
        soon: now && left < SOON_MS,
    }
}

/// All that a person holds or has held.
async fn all(visit: &Visit, person: &PersonId) -> Result<Vec<Held>, Failure> {
    let none: Option<GrantPlace> = None;
    let grants = visit.app.grants(&visit.actor, person, none, GRANTS).await?;
    Ok(grants.items.into_iter().map(|grant| held(&visit.frame, grant)).collect())
}

/// The access that a person holds now, for those who help them; nothing where the reader may not know it.
pub async fn held_by(visit: &Visit, person: &PersonId) -> Result<Vec<Held>, Failure> {
    if permission::read_decisions(&visit.actor).is_err() || !visit.frame.organisation.people.contains_key(person) {
        return Ok(Vec::new());
    }
    Ok(all(visit, person).await?.into_iter().filter(|held| held.now).collect())
}

/// The access that the reader holds now.
pub async fn held_now(visit: &Visit) -> Result<Vec<Held>, Failure> {
    Ok(all(visit, visit.person()).await?.into_iter().filter(|held| held.now).collect())
}

/// An app of the catalog.
struct Listed {
    name: String,
    id: String,
    description: String,
    owner: Option<String>,
    tiers: Vec<ListedTier>,
}

struct ListedTier {
    id: String,
    name: String,
    risk: String,
    longest: String,
    cost: Option<String>,
    seats_left: Option<u32>,
    held: bool,
    requested: bool,
}

#[derive(Template)]
#[template(path = "portal/access.html")]
struct AccessPage {
    f: Frame,
    held: Vec<Held>,
    past: Vec<Held>,
    apps: Vec<Listed>,
    /// The request type by which access is asked for, where there is one.
    form: Option<String>,
    q: String,
    /// Questions about one's requests that wait for an answer: the ticket, and what is asked.
    questions: Vec<(String, String, String)>,
    /// Whether the reader may ask who has access: those who work here, and owners of apps.
    may_ask_who: bool,
    done: bool,
}

/// The words that the catalog is searched for, and whether some access was just given back.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    #[serde(default)]
    q: String,
    done: Option<String>,
}

/// `GET /access`.
pub async fn show(visit: Visit, Query(Wanted { q, done }): Query<Wanted>) -> Result<Response, Failure> {
    let (now, past): (Vec<Held>, Vec<Held>) = all(&visit, visit.person()).await?.into_iter().partition(|held| held.now);
    let catalog = visit.app.catalog(&visit.actor, q.trim()).await?;
    let asked = visit.app.questions_to(&visit.actor).await?;
    let f = visit.frame;
    let asked = asked.into_iter().map(|(ticket, q)| (ticket.to_string(), f.name(&q.asked_by), q.question));
    let questions = asked.collect();
    let form = f.organisation.request_types.values().find(|form| form.grants_access).map(|form| form.id.to_string());
    let Catalog { currency, items } = catalog;
    let tier = |(tier, standing): (&Tier, &Standing)| ListedTier {
        id: tier.id.to_string(),
        name: tier.name.clone(),
        risk: tier.risk.clone(),
        longest: f.times.span(i64::from(tier.hours_max) * 60),
        cost: tier.monthly_cost.map(|cost| format!("{} {currency}", f.words.decimal(cost as f64 / 100.0, 2))),
        seats_left: standing.seats_left,
        held: standing.held.is_some(),
        requested: standing.requested,
    };
    let apps = items.iter().map(|item| Listed {
        name: item.app.name.clone(),
        id: item.app.id.to_string(),
        description: item.app.description.clone(),
        owner: item.app.owner.as_ref().map(|owner| f.name(owner)),
        tiers: item.app.tiers.iter().zip(&item.tiers).map(tier).collect(),
    });
    let apps = apps.collect();
    let owns = f.organisation.apps.values().any(|app| app.owner.as_ref() == visit.actor.person());
    let may_ask_who = owns || permission::read_decisions(&visit.actor).is_ok();
    let done = done.is_some();
    page(StatusCode::OK, &AccessPage { held: now, past, apps, form, q, questions, may_ask_who, done, f })
}

/// `POST /access/{grant}/give-back`.
pub async fn give_back(visit: Visit, Path(id): Path<String>, form: Form) -> Result<Response, Failure> {
    let id: GrantId = id.parse().map_err(|_| Failure::NoPage)?;
    let reason = form.given("reason").unwrap_or_else(|| visit.frame.words.t("access.no-longer"));
    visit.app.revoke_grant(&visit.actor, id, &reason, None).await?;
    Ok(Redirect::to("/access?done=given-back").into_response())
}

#[derive(Template)]
#[template(path = "portal/extend.html")]
struct ExtendPage {
    f: Frame,
    grant: Held,
    hours: String,
    justification: String,
    problems: Vec<Found>,
    key: String,
}

async fn extend_page(visit: Visit, id: GrantId, form: &Form, problems: Vec<Found>) -> Result<Response, Failure> {
    let held = held_now(&visit).await?.into_iter().find(|held| held.id == id);
    let grant = held.ok_or(Failure::NoPage)?;
    let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let (hours, justification) = (form.text("hours"), form.text("justification"));
    let key = visit.app.clock.new_id().to_string();
    page(status, &ExtendPage { f: visit.frame, grant, hours, justification, problems, key })
}

/// `GET /access/{grant}/extend`.
pub async fn extend_form(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    extend_page(visit, id.parse().map_err(|_| Failure::NoPage)?, &Form::default(), Vec::new()).await
}

/// `POST /access/{grant}/extend`: asks for more time, as a request of its own.
pub async fn extend(visit: Visit, Path(id): Path<String>, form: Form) -> Result<Response, Failure> {
    let grant: GrantId = id.parse().map_err(|_| Failure::NoPage)?;
    let Ok(hours) = form.text("hours").trim().parse::<u32>() else {
        let problem = vec![Found::at("hours", visit.frame.words.t("access.hours-needed"))];
        return extend_page(visit, grant, &form, problem).await;
    };
    let key = form.once(&format!("extend {id}"));
    match visit.app.extend_grant(&visit.actor, grant, (hours, form.text("justification")), key).await {
        Ok(made) => Ok(Redirect::to(&format!("/tickets/{}?sent=1", made.ticket.number)).into_response()),
        Err(Error::Rejected { problems }) => {
            let f = &visit.frame;
            let found = |problem: &Problem| match problem.field.as_str() {
                "duration-hours" => f.found(("hours", &f.words.t("access.hours")), problem),
                "justification" => f.found(("justification", &f.words.t("access.why")), problem),
                _ => f.found(("", ""), problem),
            };
            let problems = problems.iter().map(found).collect();
            extend_page(visit, grant, &form, problems).await
        }
        Err(other) => Err(other.into()),
    }
}
