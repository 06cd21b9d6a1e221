//! Requests for access: what a form asks for, checked against the catalog and the directory.

use jiff::Timestamp;
use jiff::civil::Time;

use crate::desk::id::{AppId, PersonId, TierId};
use crate::desk::organisation::Organisation;
use crate::desk::organisation::form::{Field, Problem, Value};
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
            Problem::new("app", "unknown", format!("Name an app of the catalog: {}.", known.join(", ")))
        });
        let tier = app.clone().map_err(|_| None).and_then(|app| {
            let tier = text(fields, "tier").and_then(|id| app.tier(id));
            tier.map(|(_, tier)| tier.id.clone()).ok_or_else(|| {
                let known: Vec<&str> = app.tiers.iter().map(|tier| tier.id.as_str()).collect();
                Some(Problem::new("tier", "unknown", format!("{} has the tiers {}.", app.name, known.join(", "))))
            })
        });
        let subject = match text(fields, "for") {
            None => Ok(requester.clone()),
            Some(id) => match organisation.people.get_key_value(id) {
                Some((id, person)) if person.active => Ok(id.clone()),
                _ => Err(Problem::new("for", "unknown", format!("`{id}` is nobody in the directory."))),
            },
        };
        let duration_hours = hours(fields, &mut problems);
        let starts = starts(organisation, fields, &mut problems);
        let emergency = fields.iter().any(|(name, value)| name == "emergency" && *value == Value::Flag(true));
        if emergency && let (Ok(app), Ok(tier)) = (&app, &tier) {
            let allowed = app.tier(tier.as_str()).is_some_and(|(_, tier)| tier.emergency_hours.is_some());
            if !allowed {
                let message = format!("{tier} of {} is not given in an emergency: ask for it without.", app.name);
                problems.push(Problem::new("emergency", "not-for-this", message));
            }
        }
        if emergency && starts.is_some() {
            let message = "What cannot wait begins at once: ask for it without a beginning, or not in an emergency.";
            problems.push(Problem::new("starts", "not-for-this", message));
        }
        if let (Ok(app), Ok(subject)) = (&app, &subject)
            && !organisation.may_request(subject, app)
        {
            let message =
                format!("{} is only for those of certain groups, and {subject} is in none of them.", app.name);
            problems.push(Problem::new("app", "not-for-them", message));
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
        let message = "Give a day such as 2026-03-01, or an instant such as 2026-03-01T08:00:00Z.";
        problems.push(Problem::new("starts", "no-time", message));
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
            let message = "Give a number of hours between 1 and 87600.";
            problems.push(Problem::new("duration-hours", "out-of-range", message));
            None
        }
    }
}
