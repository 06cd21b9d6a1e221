//! Requests for access: what a form asks for, checked against the catalog and the directory.

use jiff::Timestamp;
use jiff::civil::Time;

use crate::desk::id::{AppId, PersonId, TierId};
use crate::desk::organisation::Organisation;
use crate::desk::organisation::form::{Fault, Field, Problem, Value};
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
        let app = text(fields, "app");
        let app = app.and_then(|id| organisation.apps.get(id)).ok_or_else(|| {
            let known: Vec<&str> = organisation.apps.keys().map(|id| id.as_str()).collect();
            Problem::of("app", "unknown", Fault::NoApp, &[&known.join(", ")])
        });
        let tier = app.clone().map_err(|_| None).and_then(|app| {
            let tier = text(fields, "tier").and_then(|id| app.tier(id));
            tier.map(|(_, tier)| tier.id.clone()).ok_or_else(|| {
                let known: Vec<&str> = app.tiers.iter().map(|tier| tier.id.as_str()).collect();
                Some(Problem::of("tier", "unknown", Fault::NoTier, &[&app.name, &known.join(", ")]))
            })
        });
        let subject = match text(fields, "for") {
            None => Ok(requester.clone()),
            Some(id) => match organisation.people.get_key_value(id) {
                Some((id, person)) if person.active => Ok(id.clone()),
                _ => Err(Problem::of("for", "unknown", Fault::Nobody, &[&id])),
            },
        };
        let duration_hours = hours(fields, &mut problems);
        let starts = starts(organisation, fields, &mut problems);
        let emergency = fields.iter().any(|(name, value)| name == "emergency" && *value == Value::Flag(true));
        if emergency && let (Ok(app), Ok(tier)) = (&app, &tier) {
            let allowed = app.tier(tier.as_str()).is_some_and(|(_, tier)| tier.emergency_hours.is_some());
            if !allowed {
                problems.push(Problem::of("emergency", "not-for-this", Fault::NoEmergency, &[tier, &app.name]));
            }
        }
        if emergency && starts.is_some() {
            problems.push(Problem::of("starts", "not-for-this", Fault::EmergencyLater, &[]));
        }
        if let (Ok(app), Ok(subject)) = (&app, &subject)
            && !organisation.may_request(subject, app)
        {
            problems.push(Problem::of("app", "not-for-them", Fault::NotForThem, &[&app.name, subject]));
        }
        match (app, tier, subject) {
            (Ok(app), Ok(tier), Ok(subject)) if problems.is_empty() => Ok(AccessRequest {
                extends: false,
                emergency,
                starts,
                app: app.id.clone(),
                tier,
                role: text(fields, "role").map(str::to_owned),
                duration_hours,
                justification: text(fields, "justification").unwrap_or_default().to_owned(),
                subject,
            }),
            (app, tier, subject) => {
                problems.extend(app.err());
                problems.extend(tier.err().flatten());
                problems.extend(subject.err());
                Err(problems)
            }
        }
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
