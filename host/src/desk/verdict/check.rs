//! Whether an answer names only what exists: the closed end of the contract's open sets.
//!
//! Each error is a sentence that names what is allowed; it goes into the decision record.

use super::{Changes, Classification, Destination, Rating};
use crate::desk::id::TicketNumber;
use crate::desk::organisation::form::{self, Field, Raw, SUBJECT_CHARS_MAX};
use crate::desk::organisation::{Kind, Organisation, RequestType, Strategy};

/// The longest signal, in bytes.
const SIGNAL_BYTES_MAX: usize = 100;

/// The most that any list of an answer may have. People read these lists; and what the desk does with them takes time
/// that no fuel counts.
pub const LIST_MAX: usize = 100;

/// Refuses a list that is too long for people.
///
/// # Errors
/// A sentence.
pub fn check_length(what: &str, length: usize) -> Result<(), String> {
    if length > LIST_MAX { Err(format!("it has {length} {what}: at most {LIST_MAX}")) } else { Ok(()) }
}

/// Changes as a rule gave them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RawChanges {
    pub subject: Option<String>,
    pub body: Option<String>,
    pub fields: Vec<(String, Raw)>,
    pub tags: Vec<String>,
    pub signals: Vec<String>,
    pub duplicate_of: Option<String>,
}

/// A classification as a rule gave it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawClassification {
    pub category: Option<String>,
    pub tags: Vec<String>,
    pub kind: Option<String>,
}

/// A rating as a rule gave it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawRating {
    pub impact: Option<String>,
    pub urgency: Option<String>,
    pub level: String,
}

/// A destination as a rule gave it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawDestination {
    pub team: Option<String>,
    pub assignee: Option<String>,
    pub skills: Vec<String>,
    pub strategy: Option<String>,
    pub tier: Option<u8>,
}

/// Checks what an intake rule changes.
///
/// # Errors
/// A sentence that says what does not exist or does not fit, and what would.
pub fn changes(organisation: &Organisation, request_type: &RequestType, raw: RawChanges) -> Result<Changes, String> {
    if raw.subject.as_ref().is_some_and(|s| s.chars().count() > SUBJECT_CHARS_MAX) {
        return Err(format!("its subject has more than {SUBJECT_CHARS_MAX} characters"));
    }
    if raw.body.as_ref().is_some_and(|b| b.chars().count() > form::BODY_CHARS_MAX) {
        return Err(format!("its body has more than {} characters", form::BODY_CHARS_MAX));
    }
    let subject = raw.subject.as_deref().and_then(|text| form::check_characters("subject", text));
    let body = raw.body.as_deref().and_then(|text| form::check_long("body", text));
    if let Some(problem) = subject.or(body) {
        return Err(format!("its {}: {}", problem.field, problem.message));
    }
    let is_empty = |text: &Option<String>| text.as_ref().is_some_and(|text| text.trim().is_empty());
    if is_empty(&raw.subject) || (is_empty(&raw.body) && raw.subject.is_none()) {
        return Err("it leaves nothing of what was submitted: a subject has something in it".to_owned());
    }
    check_length("fields", raw.fields.len())?;
    check_length("signals", raw.signals.len())?;
    let mut fields: Vec<Field> = Vec::new();
    for (name, value) in raw.fields {
        let Some(spec) = request_type.fields.iter().find(|spec| spec.name == name) else {
            let known: Vec<&str> = request_type.fields.iter().map(|f| f.name.as_str()).collect();
            return Err(format!(
                "it sets the field `{name}`, which is not in the form: known are {}",
                known.join(", ")
            ));
        };
        let value =
            form::check_field(spec, &value).map_err(|p| format!("it sets the field `{name}`, which {}", p.message))?;
        fields.extend(value.map(|value| (name, value)));
    }
    if raw.signals.iter().any(|signal| form::check_characters("signals", signal).is_some()) {
        return Err("a signal has no control characters".to_owned());
    }
    if let Some(long) = raw.signals.iter().find(|s| s.is_empty() || s.len() > SIGNAL_BYTES_MAX) {
        return Err(format!("a signal has 1 to {SIGNAL_BYTES_MAX} bytes, not {}", long.len()));
    }
    let duplicate_of = match raw.duplicate_of {
        None => None,
        Some(key) => Some(key.parse::<TicketNumber>().map_err(|e| format!("`duplicate-of` is `{key}`: {e}"))?),
    };
    Ok(Changes {
        subject: raw.subject,
        body: raw.body,
        fields,
        tags: tags(organisation, raw.tags)?,
        signals: raw.signals,
        duplicate_of,
    })
}

/// Checks a classification.
///
/// # Errors
/// A sentence that says what does not exist, and what does.
pub fn classification(organisation: &Organisation, raw: RawClassification) -> Result<Classification, String> {
    let category = match raw.category {
        None => None,
        Some(id) => match organisation.categories.get_key_value(id.as_str()) {
            Some((known, _)) => Some(known.clone()),
            None => return Err(unknown("category", &id, organisation.categories.keys())),
        },
    };
    let kind = raw.kind.as_deref().map(kind).transpose()?;
    Ok(Classification { category, tags: tags(organisation, raw.tags)?, kind })
}

fn kind(word: &str) -> Result<Kind, String> {
    Kind::from_code(word).ok_or_else(|| format!("`{word}` is not a kind: use incident, request, problem or change"))
}

fn tags(organisation: &Organisation, raw: Vec<String>) -> Result<Vec<crate::desk::id::Tag>, String> {
    check_length("tags", raw.len())?;
    raw.into_iter()
        .map(|tag| match organisation.tags.get(tag.as_str()) {
            Some(known) => Ok(known.clone()),
            None => Err(unknown("tag", &tag, organisation.tags.iter())),
        })
        .collect()
}

/// Checks a rating.
///
/// # Errors
/// A sentence that says what does not exist, and what does.
pub fn rating(organisation: &Organisation, raw: RawRating) -> Result<Rating, String> {
    let step = |what, scale: Vec<&str>, id: &str| {
        if scale.contains(&id) { Ok(()) } else { Err(unknown(what, id, scale.iter())) }
    };
    if let Some(impact) = &raw.impact {
        step("impact", organisation.impacts.iter().map(|i| i.as_str()).collect(), impact)?;
    }
    if let Some(urgency) = &raw.urgency {
        step("urgency", organisation.urgencies.iter().map(|u| u.as_str()).collect(), urgency)?;
    }
    let levels = &organisation.priorities;
    let found = levels.iter().enumerate().find(|(_, level)| level.id.as_str() == raw.level);
    let Some((rank, level)) = found else {
        return Err(unknown("priority level", &raw.level, levels.iter().map(|l| &l.id)));
    };
    Ok(Rating {
        impact: raw.impact.and_then(|impact| impact.parse().ok()),
        urgency: raw.urgency.and_then(|urgency| urgency.parse().ok()),
        level: level.id.clone(),
        rank,
    })
}

/// Checks a destination.
///
/// # Errors
/// A sentence that says what does not exist, and what does.
pub fn destination(organisation: &Organisation, raw: RawDestination) -> Result<Destination, String> {
    if raw.team.is_none() && raw.assignee.is_none() && raw.skills.is_empty() {
        return Err("it names no team, no person and no skills".to_owned());
    }
    let team = match &raw.team {
        None => None,
        Some(id) => match organisation.teams.get(id.as_str()) {
            Some(team) => Some(team),
            None => return Err(unknown("team", id, organisation.teams.keys())),
        },
    };
    let works = |person: &str| {
        let mut teams = organisation.teams.values();
        teams
            .any(|t| team.is_none_or(|named| named.id == t.id) && t.members.iter().any(|m| m.person.as_str() == person))
    };
    if let Some(person) = raw.assignee.as_deref().filter(|person| !works(person)) {
        return Err(format!("`{person}` is not a member of {}", raw.team.as_deref().unwrap_or("any team")));
    }
    let members = || organisation.teams.values().flat_map(|team| &team.members);
    for skill in &raw.skills {
        if !members().any(|member| super::can(member, skill)) {
            return Err(format!("nobody has the skill `{skill}`"));
        }
    }
    let strategy = match raw.strategy.as_deref() {
        None => None,
        Some("round-robin") => Some(Strategy::RoundRobin),
        Some("least-loaded") => Some(Strategy::LeastLoaded),
        Some(other) => return Err(format!("`{other}` is not a strategy: use round-robin or least-loaded")),
    };
    Ok(Destination {
        team: team.map(|team| team.id.clone()),
        assignee: raw.assignee.and_then(|person| person.parse().ok()),
        skills: raw.skills.into_iter().filter_map(|skill| skill.parse().ok()).collect(),
        strategy,
        tier: raw.tier,
    })
}

/// A sentence about a name that does not exist. Long lists are cut: the record is for people.
fn unknown<T: std::fmt::Display>(what: &str, name: &str, known: impl Iterator<Item = T>) -> String {
    const SHOWN_MAX: usize = 30;
    let known: Vec<String> = known.map(|k| k.to_string()).collect();
    let more = if known.len() > SHOWN_MAX { ", ..." } else { "" };
    let shown: Vec<&str> = known.iter().take(SHOWN_MAX).map(String::as_str).collect();
    let name: String = name.chars().take(100).collect();
    format!("`{name}` is not a {what}: there are {}{more}", shown.join(", "))
}
