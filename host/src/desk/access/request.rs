//! Requests for access: what a form asks for, checked against the catalog and the directory.

use jiff::Timestamp;
use jiff::civil::Time;

use crate::desk::id::{AppId, PersonId, TierId};
use crate::desk::organisation::form::{Fault, Field, Problem, Value};
use crate::desk::organisation::{App, Organisation, Tier};
use crate::desk::text::is_blank;

/// What is asked for, checked against the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessRequest {
    /// Whether it asks for more time on a grant that is held.
    pub extends: bool,
    /// Whether it cannot wait: where the tier allows that, it is given at once for a short time, and reviewed afterwards.
    pub emergency: bool,
    /// When it is to begin; `None` for at once.
    pub starts: Option<Timestamp>,
    pub app: AppId,
    pub tier: TierId,
    pub role: Option<String>,
    pub duration_hours: Option<u32>,
    pub justification: String,
    /// Who is to have the access.
    pub subject: PersonId,
}

impl AccessRequest {
    /// Reads a request out of a form's fields: `app`, `tier`, `role`, `duration-hours`, `justification`, `for`,
    /// `emergency`, `starts`.
    ///
    /// # Errors
    /// A problem for each field that names nothing in the catalog or the directory.
    pub fn from_fields(
        organisation: &Organisation,
        requester: &PersonId,
        fields: &[Field],
    ) -> Result<AccessRequest, Vec<Problem>> {
        let mut problems = Vec::new();
        // Names of nothing that is there come last among the problems.
        let mut unknown = Vec::new();
        let app = kept(app(organisation, fields), &mut unknown);
        // Without an app, nothing can be said of its tier.
        let tier = app.and_then(|app| kept(tier(app, fields), &mut unknown));
        let subject = kept(subject(organisation, requester, fields), &mut unknown);
        let duration_hours = hours(fields, &mut problems);
        let starts = starts(organisation, fields, &mut problems);
        let emergency = fields.iter().any(|(name, value)| name == "emergency" && *value == Value::Flag(true));
        if emergency
            && let (Some(app), Some(tier)) = (app, tier)
            && tier.emergency_hours.is_none()
        {
            problems.push(Problem::of("emergency", "not-for-this", Fault::NoEmergency, &[&tier.id, &app.name]));
        }
        if emergency && starts.is_some() {
            problems.push(Problem::of("starts", "not-for-this", Fault::EmergencyLater, &[]));
        }
        if let (Some(app), Some(subject)) = (app, &subject)
            && !organisation.may_request(subject, app)
        {
            problems.push(Problem::of("app", "not-for-them", Fault::NotForThem, &[&app.name, subject]));
        }
        match (app, tier, subject) {
            (Some(app), Some(tier), Some(subject)) if problems.is_empty() => Ok(AccessRequest {
                extends: false,
                emergency,
                starts,
                app: app.id.clone(),
                tier: tier.id.clone(),
                role: text(fields, "role").map(str::to_owned),
                duration_hours,
                justification: text(fields, "justification").unwrap_or_default().to_owned(),
                subject,
            }),
            _ => {
                problems.extend(unknown);
                Err(problems)
            }
        }
    }
}

/// The value that was found; a problem is kept with the others.
fn kept<T>(found: Result<T, Problem>, problems: &mut Vec<Problem>) -> Option<T> {
    found.map_err(|problem| problems.push(problem)).ok()
}

fn app<'o>(organisation: &'o Organisation, fields: &[Field]) -> Result<&'o App, Problem> {
    text(fields, "app").and_then(|id| organisation.apps.get(id)).ok_or_else(|| {
        let known: Vec<&str> = organisation.apps.keys().map(|id| id.as_str()).collect();
        Problem::of("app", "unknown", Fault::NoApp, &[&known.join(", ")])
    })
}

fn tier<'o>(app: &'o App, fields: &[Field]) -> Result<&'o Tier, Problem> {
    let tier = text(fields, "tier").and_then(|id| app.tier(id));
    tier.map(|(_, tier)| tier).ok_or_else(|| {
        let known: Vec<&str> = app.tiers.iter().map(|tier| tier.id.as_str()).collect();
        Problem::of("tier", "unknown", Fault::NoTier, &[&app.name, &known.join(", ")])
    })
}

/// The person who is to have the access: the requester where the form names none.
fn subject(organisation: &Organisation, requester: &PersonId, fields: &[Field]) -> Result<PersonId, Problem> {
    let Some(id) = text(fields, "for") else { return Ok(requester.clone()) };
    match organisation.people.get_key_value(id) {
        Some((id, person)) if person.active => Ok(id.clone()),
        Some(_) | None => Err(Problem::of("for", "unknown", Fault::Nobody, &[&id])),
    }
}

fn text<'a>(fields: &'a [Field], name: &str) -> Option<&'a str> {
    fields.iter().find(|(field, _)| field == name).and_then(|(_, value)| match value {
        Value::Text(text) | Value::Choice(text) => Some(text.trim()).filter(|text| !is_blank(text)),
        Value::Number(_) | Value::Flag(_) | Value::Date(_) | Value::Choices(_) => None,
    })
}

/// The instant at which it is to begin: of a day, when that begins by the desk's calendar.
fn starts(organisation: &Organisation, fields: &[Field], problems: &mut Vec<Problem>) -> Option<Timestamp> {
    let (_, value) = fields.iter().find(|(name, _)| name == "starts")?;
    let zone = &organisation.calendar.zone;
    let starts = match value {
        Value::Date(day) => zone.to_timestamp(day.to_datetime(Time::midnight())).ok(),
        Value::Text(text) if is_blank(text) => return None,
        Value::Text(text) => text.trim().parse().ok(),
        Value::Number(_) | Value::Flag(_) | Value::Choice(_) | Value::Choices(_) => None,
    };
    if starts.is_none() {
        problems.push(Problem::of("starts", "no-time", Fault::NoInstant, &[]));
    }
    starts
}

fn hours(fields: &[Field], problems: &mut Vec<Problem>) -> Option<u32> {
    let (_, value) = fields.iter().find(|(name, _)| name == "duration-hours")?;
    let hours = match value {
        Value::Number(hours) => Some(*hours),
        Value::Text(text) => text.trim().parse().ok(),
        Value::Flag(_) | Value::Date(_) | Value::Choice(_) | Value::Choices(_) => None,
    };
    match hours {
        // In range, so that the cast is exact.
        Some(hours) if (1.0..=87_600.0).contains(&hours) => Some(hours as u32),
        _ => {
            problems.push(Problem::of("duration-hours", "out-of-range", Fault::NoHours, &[]));
            None
        }
    }
}
