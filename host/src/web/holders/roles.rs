//! The question of an audit about a role: all that a person could do who has it, how it is come by, and who has it.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::super::frame::failure::Failure;
use super::super::frame::times::When;
use super::super::frame::{Frame, page};
use super::super::session::Visit;
use crate::app::access::people::roles::{CatalogRole, RoleInApp, RoleOfDesk};
use crate::app::access::questions::Evidence;
use crate::desk::actor::Role;
use crate::desk::id::{AppId, PersonId, TierId};
use crate::desk::organisation::App;
use crate::desk::permission;

/// The beginning of a part at the desk, as the address says it.
const DESK: &str = "desk:";

/// The question, as the address says it: `desk:` and a part at the desk, or `APP/TIER`, or `APP/TIER/ROLE`.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    of: String,
}

/// A person who has it.
struct Holder {
    name: String,
    /// How they come by it.
    why: String,
    approved: Vec<String>,
    /// The grant, and until when; none of a part at the desk.
    grant: Option<(String, When)>,
}

/// The answer.
struct Answer {
    name: String,
    /// Each with the condition under which it may be done.
    may: Vec<(String, Option<String>)>,
    gives: Vec<String>,
    /// Sentences about how it is come by.
    ways: Vec<String>,
    holders: Vec<Holder>,
    complete: bool,
}

#[derive(Template)]
#[template(path = "holders/roles.html")]
struct RolesPage {
    f: Frame,
    parts: Vec<(String, String, bool)>,
    items: Vec<(String, String, bool)>,
    answer: Option<Answer>,
}

/// `GET /access/roles`.
pub async fn show(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let may_see_all = permission::read_decisions(&visit.actor).is_ok();
    let answer = match asked.of.trim() {
        "" if !may_see_all && !owns(&visit) => {
            permission::read_decisions(&visit.actor).map_err(crate::app::Error::from)?;
            None
        }
        "" => None,
        of => Some(answer(&visit, of).await?),
    };
    let f = visit.frame;
    let own = |app: &&App| may_see_all || app.owner.as_ref().is_some_and(|owner| Some(owner) == visit.actor.person());
    let chosen = |of: String, name: String| (of.clone(), name, of == asked.of.trim());
    let parts = Role::ALL.into_iter().filter(|_| may_see_all);
    let parts = parts.map(|role| chosen(format!("{DESK}{}", role.code()), f.named("role", role.code()))).collect();
    let apps = f.organisation.apps.values().filter(own);
    let items = apps.flat_map(choices).map(|(of, name)| chosen(of, name)).collect();
    page(StatusCode::OK, &RolesPage { parts, items, answer, f })
}

fn owns(visit: &Visit) -> bool {
    let person = visit.actor.person();
    person.is_some() && visit.frame.organisation.apps.values().any(|app| app.owner.as_ref() == person)
}

/// Each tier of an app, and each with each of its roles.
fn choices(app: &App) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for tier in &app.tiers {
        let (of, name) = (format!("{}/{}", app.id, tier.id), format!("{} · {}", app.name, tier.name));
        all.extend(tier.roles.iter().map(|role| (format!("{of}/{role}"), format!("{name} · {role}"))));
        all.push((of, name));
    }
    all.sort();
    all
}

async fn answer(visit: &Visit, of: &str) -> Result<Answer, Failure> {
    let f = &visit.frame;
    if let Some(part) = of.strip_prefix(DESK) {
        let role = Role::from_code(part).ok_or(Failure::NoPage)?;
        return Ok(of_desk(f, &visit.app.role_of_desk(&visit.actor, role).await?));
    }
    let mut parts = of.splitn(3, '/');
    let app: AppId = parts.next().and_then(|app| app.parse().ok()).ok_or(Failure::NoPage)?;
    let tier: TierId = parts.next().and_then(|tier| tier.parse().ok()).ok_or(Failure::NoPage)?;
    Ok(in_app(f, &visit.app.role_in_app(&visit.actor, (&app, &tier), parts.next()).await?))
}

fn of_desk(f: &Frame, found: &RoleOfDesk) -> Answer {
    let on = |on: &str| (on != "any").then(|| f.named("may-on", on));
    let holder = |(person, by): (&PersonId, &BTreeSet<&'static str>)| Holder {
        name: f.name(person),
        why: by.iter().map(|by| f.named("may-by", by)).collect::<Vec<_>>().join(", "),
        approved: Vec::new(),
        grant: None,
    };
    let groups = (!found.groups.is_empty()).then(|| f.words.t1("could.by-groups", found.groups.join(", ")));
    let ways = std::iter::once(f.words.t("could.by-token")).chain(groups);
    Answer {
        name: f.named("role", found.role.code()),
        may: found.may.iter().map(|&(act, condition)| (f.named("may", act.code()), on(condition))).collect(),
        gives: Vec::new(),
        ways: ways.collect(),
        holders: found.holders.iter().map(holder).collect(),
        complete: found.complete,
    }
}

fn in_app(f: &Frame, found: &RoleInApp) -> Answer {
    let role = found.role.as_ref().map(|role| format!(" · {role}")).unwrap_or_default();
    let (name, ways) = match &found.catalog {
        Some(catalog) => (format!("{} · {}", catalog.app.name, catalog.tier.name), ways(f, catalog)),
        None => (format!("{} · {}", found.app, found.tier), vec![f.words.t("could.gone")]),
    };
    Answer {
        name: format!("{name}{role}"),
        may: Vec::new(),
        gives: found.gives().iter().map(ToString::to_string).collect(),
        ways,
        complete: found.complete,
        holders: found.holders.iter().map(|found| holder(f, found)).collect(),
    }
}

/// How one comes by what the catalog has.
fn ways(f: &Frame, found: &CatalogRole) -> Vec<String> {
    let groups: Vec<String> = found.app.requestable_by.iter().map(ToString::to_string).collect();
    let mut ways = vec![
        if groups.is_empty() {
            f.words.t1("could.all-may-ask", found.may_ask)
        } else {
            f.words.t2("could.may-ask", groups.join(", "), found.may_ask)
        },
        f.words.t1("could.hours", found.tier.hours_max),
    ];
    ways.extend(found.tier.emergency_hours.map(|hours| f.words.t1("could.emergency", hours)));
    ways.extend(found.rules.iter().map(|(rule, version)| f.words.t2("could.rule", rule, version)));
    if !found.approvers.is_empty() {
        let names: Vec<String> = found.approvers.iter().map(|person| f.name(person)).collect();
        ways.push(f.words.t1("could.approvers", names.join(", ")));
    }
    ways.extend(found.incompatible.iter().map(|name| f.words.t1("could.apart", name)));
    ways
}

fn holder(f: &Frame, found: &Evidence) -> Holder {
    let approved = found.case.iter().flat_map(|case| &case.decisions).filter(|decision| decision.approve);
    Holder {
        name: f.name(&found.grant.subject),
        approved: approved.map(|decision| f.approver(decision)).collect(),
        grant: Some((found.grant.id.to_string(), f.times.until(found.grant.expires_at))),
        why: found.case.as_ref().map(|case| f.case_reason(case)).unwrap_or_default(),
    }
}
