//! The configuration as the desk reads it: request types, teams, people, times, priorities, categories, apps and macros, each
//! with where it is named.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use crate::app::Error;
use crate::desk::id::{PriorityId, RequestTypeId};
use crate::desk::organisation::service::{Closing, Escalation, FurtherClock, Targets, Turn};
use crate::desk::organisation::{
    App, Calendar, Category, FieldSpec, Organisation, Person, PriorityLevel, RequestType, Team, Tier,
};
use crate::desk::permission;
use crate::web::frame::failure::Failure;
use crate::web::frame::{Frame, page};
use crate::web::session::Visit;

pub mod pictures;
pub mod waiting;

use pictures::{Matrix, Year};

/// The parts of the configuration, each with the document that it is written in.
const PARTS: [(&str, &str); 9] = [
    ("request-types", "request-types"),
    ("teams", "teams"),
    ("people", "people"),
    ("calendar", "calendars"),
    ("priorities", "priorities"),
    ("promises", "promises"),
    ("categories", "taxonomy"),
    ("apps", "apps"),
    ("macros", "macros"),
];

/// The days of a calendar's week, in its order.
const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// One thing of the configuration: its id and name, its facts, and where it is named.
struct Thing {
    id: String,
    name: String,
    facts: Vec<(String, String)>,
    named: Vec<String>,
    /// Whether it is in use.
    active: bool,
    /// A calendar's months, from the present one on.
    year: Option<Year>,
}

#[derive(Template)]
#[template(path = "admin/configuration.html")]
struct ConfigurationPage {
    f: Frame,
    parts: Vec<(&'static str, String, bool)>,
    title: String,
    /// The document in which it is changed.
    document: &'static str,
    things: Vec<Thing>,
    /// The level that an impact and an urgency give, with the priorities.
    matrix: Option<Matrix>,
    /// Whether files of the directory wait for a second administrator.
    waits: bool,
}

/// The parts with their names, for the bar above them; `here` is the one that is shown.
fn bar(f: &Frame, here: &str) -> Vec<(&'static str, String, bool)> {
    PARTS.map(|(one, _)| (one, f.words.t(&format!("config.{one}")), one == here)).to_vec()
}

/// `GET /admin/configuration`.
pub async fn first() -> Response {
    Redirect::to("/admin/configuration/request-types").into_response()
}

/// `GET /admin/configuration/{part}`.
pub async fn show(visit: Visit, Path(part): Path<String>) -> Result<Response, Failure> {
    permission::administer(&visit.actor).map_err(Error::from)?;
    let (part, document) = PARTS.into_iter().find(|(known, _)| *known == part).ok_or(Failure::NoPage)?;
    let waits = visit.app.files_wait(&visit.actor).await?;
    let f = visit.frame;
    let (parts, title) = (bar(&f, part), f.words.t(&format!("config.{part}")));
    let matrix = (part == "priorities" && !f.organisation.matrix.is_empty()).then(|| Matrix::of(&f));
    let page_ = ConfigurationPage { parts, title, document, things: things(&f, part), matrix, waits, f };
    page(StatusCode::OK, &page_)
}

fn things(f: &Frame, part: &str) -> Vec<Thing> {
    let organisation = &f.organisation;
    match part {
        "request-types" => request_types(f, organisation),
        "teams" => teams(f, organisation),
        "people" => people(f, organisation),
        "calendar" => calendar(f, organisation),
        "priorities" => priorities(f, organisation),
        "promises" => promises(f, organisation),
        "categories" => categories(f, organisation),
        "apps" => apps(f, organisation),
        _ => macros(f, organisation),
    }
}

fn thing(id: &(impl ToString + ?Sized), name: &str, facts: Vec<(String, String)>, named: Vec<String>) -> Thing {
    let facts = facts.into_iter().filter(|(_, text)| !text.is_empty()).collect();
    Thing { id: id.to_string(), name: name.to_owned(), facts, named, active: true, year: None }
}

fn request_types(f: &Frame, organisation: &Organisation) -> Vec<Thing> {
    let fact = |key: &str, text: String| (f.words.t(key), text);
    let one = |form: &RequestType| {
        let field = |field: &FieldSpec| {
            let needed = if field.required { "*" } else { "" };
            format!("{}{needed}", field.label)
        };
        let fields = form.fields.iter().map(field).collect::<Vec<_>>().join(" · ");
        let category = form.category.as_ref().map(|id| f.category(id.as_str())).unwrap_or_default();
        thing(
            &form.id,
            &form.name,
            vec![fact("config.fields", fields), fact("field.category", category)],
            vec![format!("/new/{}", form.id)],
        )
    };
    organisation.request_types.values().map(one).collect()
}

fn teams(f: &Frame, organisation: &Organisation) -> Vec<Thing> {
    let fact = |key: &str, text: String| (f.words.t(key), text);
    let mut named: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for team in organisation.teams.values() {
        if let Some(to) = &team.escalates_to {
            named.entry(to.as_str()).or_default().push(f.words.t1("config.takes-over", &team.name));
        }
    }
    let one = |team: &Team| {
        let members = team.members.iter().map(|member| f.name(&member.person)).collect::<Vec<_>>().join(", ");
        let to = team.escalates_to.as_ref().map(|id| f.team(id.as_str())).unwrap_or_default();
        let mut facts = vec![
            fact("config.members", members),
            fact("field.tier", team.tier.to_string()),
            fact("config.escalates-to", to),
        ];
        let within = team.take_up_minutes.map(|minutes| f.times.span(i64::from(minutes)));
        let times = within.is_some().then(|| f.words.n("config.times", team.take_up_times));
        facts.extend(within.map(|within| fact("config.take-up-within", within)));
        facts.extend(times.map(|times| fact("config.take-up-times", times)));
        facts.extend(team.lead.as_ref().map(|lead| fact("config.lead", f.name(lead))));
        thing(&team.id, &team.name, facts, named.get(team.id.as_str()).cloned().unwrap_or_default())
    };
    organisation.teams.values().map(one).collect()
}

fn people(f: &Frame, organisation: &Organisation) -> Vec<Thing> {
    let fact = |key: &str, text: String| (f.words.t(key), text);
    let mut named: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for team in organisation.teams.values() {
        for member in &team.members {
            named.entry(member.person.as_str()).or_default().push(team.name.clone());
        }
    }
    for app in organisation.apps.values() {
        if let Some(owner) = &app.owner {
            named.entry(owner.as_str()).or_default().push(f.words.t1("config.owns", &app.name));
        }
    }
    let one = |person: &Person| {
        let manager = person.manager.as_ref().map(|id| f.name(id)).unwrap_or_default();
        let day = |day: Option<jiff::civil::Date>| day.map(|day| f.times.day(day)).unwrap_or_default();
        let facts = vec![
            fact("card.title", format!("{}, {}", person.title, person.department)),
            fact("card.location", person.location.clone()),
            fact("card.email", person.email.clone()),
            fact("card.manager", manager),
            fact("config.valid-from", day(person.valid.from)),
            fact("config.valid-until", day(person.valid.until)),
        ];
        let named = named.get(person.id.as_str()).cloned().unwrap_or_default();
        Thing { active: person.active, ..thing(&person.id, &person.name, facts, named) }
    };
    organisation.people.values().map(one).collect()
}

fn calendar(f: &Frame, organisation: &Organisation) -> Vec<Thing> {
    let one = |id: &str, calendar: &Calendar| {
        let zone = calendar.zone.iana_name().unwrap_or_default().to_owned();
        let today = calendar.zone.to_datetime(f.times.now).date();
        let holidays = calendar.holidays.iter().filter(|day| **day >= today);
        let holidays = holidays.map(|day| f.times.day(*day)).collect::<Vec<_>>().join(", ");
        let mut facts = vec![(f.words.t("config.zone"), zone)];
        for (day, hours) in DAYS.iter().zip(&calendar.week) {
            let hours =
                hours.iter().map(|open| format!("{} - {}", open.start.strftime("%H:%M"), open.end.strftime("%H:%M")));
            facts.push((f.words.t(&format!("day.{day}")), hours.collect::<Vec<_>>().join(", ")));
        }
        facts.push((f.words.t("config.holidays"), holidays));
        Thing { year: Some(Year::of(f, calendar)), ..thing(&id, id, facts, Vec::new()) }
    };
    let own = organisation.calendars.iter().map(|(id, calendar)| one(id.as_str(), calendar));
    std::iter::once(one(&organisation.name, &organisation.calendar)).chain(own).collect()
}

fn priorities(f: &Frame, organisation: &Organisation) -> Vec<Thing> {
    let span = |minutes: u32| f.times.span(i64::from(minutes));
    let one = |level: &PriorityLevel| {
        let facts = vec![
            (f.words.t("promise.first-response"), span(level.first_response_minutes)),
            (f.words.t("promise.resolution"), span(level.resolution_minutes)),
            (f.words.t("promise.next-update"), level.update_minutes.map(span).unwrap_or_default()),
        ];
        thing(&level.id, &level.name, facts, Vec::new())
    };
    organisation.priorities.iter().map(one).collect()
}

/// When promises that run out are talked about, and how tickets end: by the desk's own policy, and by types that have another.
fn promises(f: &Frame, organisation: &Organisation) -> Vec<Thing> {
    let percent = |shares: &[u16]| shares.iter().map(|share| format!("{share} %")).collect::<Vec<_>>().join(", ");
    let watch = &organisation.watch;
    let of_types = |types: &[RequestTypeId]| {
        if types.is_empty() {
            String::new()
        } else {
            format!(" ({})", types.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
    };
    let at_share = watch.escalate_at.iter().map(|one: &Escalation| {
        format!("{} {} %{}", f.clock(one.clock.code()), one.percent, of_types(&one.request_types))
    });
    let at_turn = watch.escalate_on.iter().map(|one| match &one.on {
        Turn::Tag(tag) => format!("{}{}", tag.as_str(), of_types(&one.request_types)),
        Turn::Priority(priority) => format!("{}{}", f.priority(priority).name, of_types(&one.request_types)),
    });
    let escalates = at_share.chain(at_turn);
    let mut own = vec![
        (f.words.t("config.alert-at"), percent(&watch.alert_at)),
        (f.words.t("config.escalate-at"), escalates.collect::<Vec<_>>().join(", ")),
    ];
    own.extend(watch.further.iter().map(|clock| (clock.name.clone(), within(f, organisation, clock))));
    own.extend(closing(f, &organisation.closing));
    let others = organisation.request_types.values().filter(|form| form.closing != organisation.closing);
    let others = others.map(|form| thing(&form.id, &form.name, closing(f, &form.closing), Vec::new()));
    std::iter::once(thing("desk", &organisation.name, own, Vec::new())).chain(others).collect()
}

/// The time that a further clock promises, by priority.
fn within(f: &Frame, organisation: &Organisation, clock: &FurtherClock) -> String {
    let levels = organisation.priorities.iter();
    let promised = levels.filter_map(|level| Some((&level.name, *clock.minutes.get(&level.id)?)));
    promised
        .map(|(name, minutes)| format!("{name} {}", f.times.span(i64::from(minutes))))
        .collect::<Vec<_>>()
        .join(", ")
}

/// How tickets end, fact by fact.
fn closing(f: &Frame, closing: &Closing) -> Vec<(String, String)> {
    let yes = |is: bool| f.words.t(if is { "value.yes" } else { "value.no" });
    let record = closing.record.iter().map(|part| f.words.t(&format!("record.{}", part.code())));
    vec![
        (f.words.t("config.record"), record.collect::<Vec<_>>().join(", ")),
        (f.words.t("promise.confirmation"), f.times.span(i64::from(closing.confirm_minutes))),
        (
            f.words.t("promise.requester-answer"),
            closing
                .answer_minutes
                .map_or_else(|| f.words.t("config.no-end"), |minutes| f.times.span(i64::from(minutes))),
        ),
        (f.words.t("config.remind"), closing.remind_percent.map(|share| format!("{share} %")).unwrap_or_default()),
        (f.words.t("config.reply"), f.words.t(&format!("config.reply.{}", closing.reply.code()))),
        (f.words.t("config.reopen-days"), closing.reopen_days.map(|days| days.to_string()).unwrap_or_default()),
        (f.words.t("config.thanks"), yes(closing.ignores_thanks)),
    ]
}

fn categories(f: &Frame, organisation: &Organisation) -> Vec<Thing> {
    let mut named: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for form in organisation.request_types.values() {
        if let Some(category) = &form.category {
            named.entry(category.as_str()).or_default().push(form.name.clone());
        }
    }
    let one = |category: &Category| {
        let named = named.get(category.id.as_str()).cloned().unwrap_or_default();
        let promise = |(priority, targets): (&PriorityId, &Targets)| {
            let level = organisation.priority(priority).map(|(_, level)| level.name.clone());
            let spans = [
                ("promise.first-response", Some(targets.first_response)),
                ("promise.resolution", Some(targets.resolution)),
                ("promise.next-update", targets.update),
            ];
            let said = |(word, minutes): (&str, Option<u32>)| {
                minutes.map(|minutes| format!("{} {}", f.words.t(word), f.times.span(i64::from(minutes))))
            };
            (level.unwrap_or_default(), spans.into_iter().filter_map(said).collect::<Vec<_>>().join(" · "))
        };
        thing(&category.id, &category.name, category.promises.iter().map(promise).collect(), named)
    };
    organisation.categories.values().map(one).collect()
}

fn apps(f: &Frame, organisation: &Organisation) -> Vec<Thing> {
    let one = |app: &App| {
        let tier =
            |tier: &Tier| format!("{} ({}, {})", tier.name, tier.risk, f.times.span(i64::from(tier.hours_max) * 60));
        let tiers = app.tiers.iter().map(tier).collect::<Vec<_>>().join(" · ");
        let owner = app.owner.as_ref().map(|id| f.name(id)).unwrap_or_default();
        let facts = vec![(f.words.t("config.tiers"), tiers), (f.words.t("approvals.owner"), owner)];
        thing(&app.id, &app.name, facts, Vec::new())
    };
    organisation.apps.values().map(one).collect()
}

fn macros(f: &Frame, organisation: &Organisation) -> Vec<Thing> {
    let said = |text: &Option<String>| text.clone().unwrap_or_default();
    let step = |(id, step): (&crate::desk::id::MacroId, &crate::desk::organisation::service::Macro)| {
        let facts = vec![
            (f.words.t("reply.label"), said(&step.reply)),
            (f.words.t("note.tag"), said(&step.note)),
            (f.words.t("field.team"), step.team.as_deref().map(|id| f.team(id)).unwrap_or_default()),
        ];
        thing(id, &step.name, facts, Vec::new())
    };
    let canned = organisation.canned_replies.iter();
    let canned = canned.map(|r| thing(&r.id, &r.name, vec![(f.words.t("canned.title"), r.body.clone())], Vec::new()));
    organisation.macros.iter().map(step).chain(canned).collect()
}
