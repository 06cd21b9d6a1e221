//! Whether an answer names only what exists: the closed end of the contract's open sets.

use super::{Changes, Classification, Destination, Rating, Unfit};
use crate::desk::id::{Tag, TicketNumber};
use crate::desk::organisation::form::{self, Field, Raw, SUBJECT_CHARS_MAX};
use crate::desk::organisation::{Kind, Organisation, RequestType, Strategy};
use crate::desk::text::{into_normal, is_blank};

/// The longest signal, in bytes.
const SIGNAL_BYTES_MAX: usize = 100;

/// The most that any list of an answer may have. People read these lists; and what the desk does with them takes time
/// that no fuel counts.
pub const LIST_MAX: usize = 100;

/// Refuses a list that is too long for people.
///
/// # Errors
/// [`Unfit::TooMany`].
pub fn check_length(what: &'static str, length: usize) -> Result<(), Unfit> {
    if length > LIST_MAX { Err(Unfit::TooMany { what, length, length_max: LIST_MAX }) } else { Ok(()) }
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

impl RawChanges {
    /// The same with every text in the one form in which texts are kept, as at every other door.
    fn into_normal(self) -> RawChanges {
        let normal = |texts: Vec<String>| texts.into_iter().map(into_normal).collect();
        RawChanges {
            subject: self.subject.map(into_normal),
            body: self.body.map(into_normal),
            fields: self.fields.into_iter().map(|(name, value)| (into_normal(name), value.into_normal())).collect(),
            tags: normal(self.tags),
            signals: normal(self.signals),
            duplicate_of: self.duplicate_of,
        }
    }
}

/// Checks what an intake rule changes, by the law that holds for people's texts.
///
/// # Errors
/// [`Unfit`]: what does not exist or does not fit, and what would.
pub fn changes(organisation: &Organisation, request_type: &RequestType, raw: RawChanges) -> Result<Changes, Unfit> {
    let raw = raw.into_normal();
    check_texts(&raw)?;
    check_length("fields", raw.fields.len())?;
    check_length("signals", raw.signals.len())?;
    let fields = fields(request_type, raw.fields)?;
    if raw.signals.iter().any(|signal| form::check_characters("signals", signal).is_some()) {
        return Err(Unfit::SignalCharacters);
    }
    if let Some(bad) = raw.signals.iter().find(|signal| is_blank(signal) || signal.len() > SIGNAL_BYTES_MAX) {
        return Err(Unfit::SignalLength { bytes: bad.len(), bytes_max: SIGNAL_BYTES_MAX });
    }
    let duplicate_of = match raw.duplicate_of {
        None => None,
        Some(key) => match key.parse::<TicketNumber>() {
            Ok(number) => Some(number),
            Err(source) => return Err(Unfit::DuplicateOf { key, source }),
        },
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

fn check_texts(raw: &RawChanges) -> Result<(), Unfit> {
    if raw.subject.as_ref().is_some_and(|s| s.chars().count() > SUBJECT_CHARS_MAX) {
        return Err(Unfit::TooLong { text: "subject", chars_max: SUBJECT_CHARS_MAX });
    }
    if raw.body.as_ref().is_some_and(|b| b.chars().count() > form::BODY_CHARS_MAX) {
        return Err(Unfit::TooLong { text: "body", chars_max: form::BODY_CHARS_MAX });
    }
    let subject = raw.subject.as_deref().and_then(|text| form::check_characters("subject", text));
    let body = raw.body.as_deref().and_then(|text| form::check_long("body", text));
    if let Some(problem) = subject.or(body) {
        return Err(Unfit::BadText { text: problem.field, message: problem.message });
    }
    let is_empty = |text: &Option<String>| text.as_deref().is_some_and(is_blank);
    if is_empty(&raw.subject) || (is_empty(&raw.body) && raw.subject.is_none()) {
        return Err(Unfit::NothingLeft);
    }
    Ok(())
}

fn fields(request_type: &RequestType, raw: Vec<(String, Raw)>) -> Result<Vec<Field>, Unfit> {
    let mut fields: Vec<Field> = Vec::new();
    for (name, value) in raw {
        let Some(spec) = request_type.fields.iter().find(|spec| spec.name == name) else {
            let known = request_type.fields.iter().map(|f| f.name.as_str());
            return Err(unknown("field of the form", &name, known));
        };
        match form::check_field(spec, &value) {
            Ok(value) => fields.extend(value.map(|value| (name, value))),
            Err(problem) => return Err(Unfit::BadField { name, message: problem.message }),
        }
    }
    Ok(fields)
}

/// Checks a classification.
///
/// # Errors
/// [`Unfit`]: what does not exist, and what does.
pub fn classification(organisation: &Organisation, raw: RawClassification) -> Result<Classification, Unfit> {
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

fn kind(word: &str) -> Result<Kind, Unfit> {
    Kind::from_code(word).ok_or_else(|| Unfit::Kind { word: word.to_owned() })
}

fn tags(organisation: &Organisation, raw: Vec<String>) -> Result<Vec<Tag>, Unfit> {
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
/// [`Unfit`]: what does not exist, and what does.
pub fn rating(organisation: &Organisation, raw: RawRating) -> Result<Rating, Unfit> {
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
/// [`Unfit`]: what does not exist, and what does.
pub fn destination(organisation: &Organisation, raw: RawDestination) -> Result<Destination, Unfit> {
    if raw.team.is_none() && raw.assignee.is_none() && raw.skills.is_empty() {
        return Err(Unfit::Nowhere);
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
        let team = team.map_or("any team", |team| team.id.as_str()).to_owned();
        return Err(Unfit::NotAMember { person: person.to_owned(), team });
    }
    let members = || organisation.teams.values().flat_map(|team| &team.members);
    for skill in &raw.skills {
        if !members().any(|member| super::can(member, skill)) {
            return Err(Unfit::Skill { skill: skill.clone() });
        }
    }
    let strategy = match raw.strategy.as_deref() {
        None => None,
        Some("round-robin") => Some(Strategy::RoundRobin),
        Some("least-loaded") => Some(Strategy::LeastLoaded),
        Some(other) => return Err(Unfit::Strategy { word: other.to_owned() }),
    };
    Ok(Destination {
        team: team.map(|team| team.id.clone()),
        assignee: raw.assignee.and_then(|person| person.parse().ok()),
        skills: raw.skills.into_iter().filter_map(|skill| skill.parse().ok()).collect(),
        strategy,
        tier: raw.tier,
    })
}

/// A name that does not exist, and those that do. Long lists are cut: the record is for people.
fn unknown<T: std::fmt::Display>(what: &'static str, name: &str, known: impl Iterator<Item = T>) -> Unfit {
    const SHOWN_MAX: usize = 30;
    let known: Vec<String> = known.map(|k| k.to_string()).collect();
    let more = if known.len() > SHOWN_MAX { ", ..." } else { "" };
    let shown: Vec<&str> = known.iter().take(SHOWN_MAX).map(String::as_str).collect();
    Unfit::Unknown { what, name: name.to_owned(), known: format!("{}{more}", shown.join(", ")) }
}
