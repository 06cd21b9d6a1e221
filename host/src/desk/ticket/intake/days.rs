//! A bundle goes by a day, such as the first one at work. Where that becomes another day, all that hangs on it follows: the days by which
//! its parts are due, the fields and tasks that name it. The order of the parts stays as it is.

use std::sync::Arc;

use jiff::civil::Date;

use super::bundle;
use crate::desk::actor::Author;
use crate::desk::change::Change;
use crate::desk::change::at::At;
use crate::desk::organisation::form::{Fault, Field, Problem, Value};
use crate::desk::organisation::parts::{Part, Pattern};
use crate::desk::organisation::{Organisation, RequestType};
use crate::desk::permission::MayEdit;
use crate::desk::refusal::Refusal;
use crate::desk::text::{normal, quoted};
use crate::desk::ticket::edit::check_reason;
use crate::desk::ticket::lifecycle::tasks::Task;
use crate::desk::ticket::lifecycle::{clocks, tasks};
use crate::desk::ticket::timeline::{Entry, Event, Field as Set};
use crate::desk::ticket::{Submitted, Ticket, changed, sight};

/// How far from today a day may lie, in days: as far as a ticket is promised for one.
const DAYS_MAX: i32 = 2 * 366;

/// Said of a part whose subject or words were written for another day: they are what was submitted, and stay.
const WORDS_KEEP: &str = "its words stay as they were written, and name another day";

/// Another day for a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveDay {
    /// The date of the bundle's form, such as `first-day`.
    pub field: String,
    pub to: Date,
    pub reason: String,
}

/// Why a part stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stays {
    /// It is over.
    Over,
    /// It asks for access, whose times are what people approve: another time is another request.
    Access,
    /// An agent gave it another priority, which it goes by since.
    ByPriority,
    /// Nothing of it hangs on that day.
    OtherDay,
}

impl Stays {
    /// Every reason.
    pub const ALL: [Stays; 4] = [Stays::Over, Stays::Access, Stays::ByPriority, Stays::OtherDay];

    /// The stable word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Stays::Over => "over",
            Stays::Access => "access",
            Stays::ByPriority => "by-priority",
            Stays::OtherDay => "other-day",
        }
    }
}

/// A day that a bundle goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleDay {
    pub field: String,
    pub label: String,
    pub day: Date,
}

/// The days that a ticket goes by; none where it is no bundle.
pub fn days_of(whole: &Ticket, organisation: &Organisation) -> Vec<BundleDay> {
    let Some(form) = organisation.request_types.get(&whole.submitted.request_type) else { return Vec::new() };
    let days = form.fields.iter().filter(|spec| hangs_on(form, &spec.name)).filter_map(|spec| {
        let day = date(&whole.submitted.fields, &spec.name)?;
        Some(BundleDay { field: spec.name.clone(), label: spec.label.clone(), day })
    });
    days.collect()
}

/// The ticket of a bundle with another day; `None` where it has that day already. The tasks are those that it has.
///
/// # Errors
/// [`Refusal::Finished`]; [`Refusal::Problems`] where it goes by no such day, the day is too far, or no reason is given.
pub fn move_whole(
    whole: &Ticket,
    tasks: &[Task],
    wanted: &MoveDay,
    permit: &MayEdit,
    at: &At<'_>,
) -> Result<Option<Change>, Refusal> {
    let author = permit.on(whole)?;
    if !whole.state.is_unfinished() {
        return Err(Refusal::Finished { state: whole.state });
    }
    let from = check(whole, wanted, at)?;
    if from == wanted.to {
        return Ok(None);
    }
    let before = &whole.submitted.fields;
    let fields = with_day(before, wanted);
    let entry = noted((Some(from), wanted.to), wanted, author, at);
    let mut after = changed(whole, at.now);
    after.submitted = Arc::new(Submitted { fields: fields.clone(), ..Submitted::clone(&whole.submitted) });
    let mut change = Change::update(whole, after, vec![entry]);
    let form = at.organisation.request_types.get(&whole.submitted.request_type);
    let patterns = form.into_iter().flat_map(|form| &form.tasks).map(|task| &task.text);
    for pattern in patterns.filter(|pattern| names(pattern, &wanted.field)) {
        let (was, is) = (tasks::as_kept(&pattern.fill(before)), pattern.fill(&fields));
        if let Some(task) = tasks.iter().find(|task| task.done.is_none() && task.text == was) {
            tasks::replace(&mut change, task, &is, author, at);
        }
    }
    Ok(Some(change))
}

/// A part with what hangs on the day of its bundle, which is here as it was before.
///
/// # Errors
/// Why it stays as it is.
pub fn move_part(
    part: &Ticket,
    asks_for_access: bool,
    (whole, wanted): (&Ticket, &MoveDay),
    author: &Author,
    at: &At<'_>,
) -> Result<Change, Stays> {
    if !bundle::is_of(part, whole) {
        return Err(Stays::OtherDay);
    }
    if !bundle::is_open(part) {
        return Err(Stays::Over);
    }
    if asks_for_access {
        return Err(Stays::Access);
    }
    let before = &whole.submitted.fields;
    let planned = planned_as(part, whole, &wanted.field, at).ok_or(Stays::OtherDay)?;
    let fields = with_day(before, wanted);
    let mut after = changed(part, at.now);
    let mut days = (date(before, &wanted.field), wanted.to);
    if let Some(due) = planned.due.as_ref().filter(|due| due.field == wanted.field) {
        let (was, is) = (bundle::day(due, before), bundle::day(due, &fields).ok_or(Stays::OtherDay)?);
        // One whose day was over or very far when it opened was not promised for it.
        let never = was.and_then(|day| bundle::end_of(day, at)).is_some_and(|end| !clocks::was_due_by(part, end, at));
        if part.clocks.resolution.day_end.is_none() && !never {
            return Err(Stays::ByPriority);
        }
        clocks::move_day(&mut after, bundle::end_of(is, at).ok_or(Stays::OtherDay)?, at);
        days = (was, is);
    }
    let filled = filled_anew(planned, &part.submitted.fields, (before, &fields), &wanted.field);
    if filled != part.submitted.fields {
        after.submitted = Arc::new(Submitted { fields: filled, ..Submitted::clone(&part.submitted) });
    }
    let moved = noted(days, wanted, author, at);
    let names_new = |text: &str| text.contains(&wanted.to.to_string());
    let written = [(&planned.subject, &part.submitted.subject), (&planned.body, &part.submitted.body)];
    let keeps = written.into_iter().any(|(pattern, text)| names(pattern, &wanted.field) && !names_new(text));
    let kept =
        keeps.then(|| Entry { author: Author::System, event: with_reason(&moved.event, WORDS_KEEP), ..moved.clone() });
    Ok(Change::update(part, after, std::iter::once(moved).chain(kept).collect()))
}

/// Whether a part that follows has words which name another day, as its change says in the timeline.
pub fn names_other_day(change: &Change) -> bool {
    change.entries().iter().any(|entry| matches!(&entry.event, Event::Set { reason, .. } if reason == WORDS_KEEP))
}

fn with_reason(event: &Event, reason: &str) -> Event {
    match event {
        Event::Set { field, from, to, .. } => {
            Event::Set { field: *field, from: from.clone(), to: to.clone(), reason: reason.to_owned() }
        }
        other => other.clone(),
    }
}

/// The day that is to change, where all that is wanted can be.
fn check(whole: &Ticket, wanted: &MoveDay, at: &At<'_>) -> Result<Date, Refusal> {
    let days = days_of(whole, at.organisation);
    let from = days.iter().find(|day| day.field == wanted.field).map(|day| day.day);
    let mut problems: Vec<Problem> = check_reason("reason", &wanted.reason).into_iter().collect();
    if from.is_none() {
        let known: Vec<&str> = days.iter().map(|day| day.field.as_str()).collect();
        let fault = if known.is_empty() { Fault::NoDays } else { Fault::NoSuchDay };
        problems.push(Problem::of("field", "unknown", fault, &[&quoted(&wanted.field), &known.join(", ")]));
    }
    let today = at.organisation.calendar.zone.to_datetime(at.now).date();
    let is_near = (wanted.to - today).get_days().abs() <= DAYS_MAX;
    if !is_near {
        problems.push(Problem::of("to", "out-of-range", Fault::FarDay, &[&DAYS_MAX]));
    }
    match from {
        Some(from) if problems.is_empty() => Ok(from),
        _ => Err(Refusal::Problems { problems }),
    }
}

fn noted((from, to): (Option<Date>, Date), wanted: &MoveDay, author: &Author, at: &At<'_>) -> Entry {
    let (from, to) = (from.map(|day| day.to_string()), to.to_string());
    let reason = normal(wanted.reason.trim()).into_owned();
    let visibility = sight::Part::Set(Set::Day).visibility();
    at.entry(author.clone(), visibility, Event::Set { field: Set::Day, from, to, reason })
}

fn date(fields: &[Field], name: &str) -> Option<Date> {
    fields.iter().find_map(|(known, value)| match value {
        Value::Date(day) if known == name => Some(*day),
        _ => None,
    })
}

fn with_day(fields: &[Field], wanted: &MoveDay) -> Vec<Field> {
    let one = |(name, value): &Field| {
        if *name == wanted.field { (name.clone(), Value::Date(wanted.to)) } else { (name.clone(), value.clone()) }
    };
    fields.iter().map(one).collect()
}

fn names(pattern: &Pattern, field: &str) -> bool {
    pattern.names().contains(&field)
}

/// Whether anything of a part goes by a field of the bundle's form.
fn goes_by(part: &Part, field: &str) -> bool {
    part.due.as_ref().is_some_and(|due| due.field == field)
        || part.fields.iter().any(|(_, pattern)| names(pattern, field))
}

fn hangs_on(form: &RequestType, field: &str) -> bool {
    form.parts.iter().any(|part| goes_by(part, field)) || form.tasks.iter().any(|task| names(&task.text, field))
}

/// The part of the form as which a ticket was made: by its subject, or where that is said otherwise now by the day that it is due.
fn planned_as<'f>(part: &Ticket, whole: &Ticket, field: &str, at: &At<'f>) -> Option<&'f Part> {
    let form = at.organisation.request_types.get(&whole.submitted.request_type)?;
    let fields = &whole.submitted.fields;
    let is_of_form = |planned: &&Part| planned.request_type == part.submitted.request_type && goes_by(planned, field);
    let has_subject = |planned: &&Part| *normal(planned.subject.fill(fields).trim()) == *part.submitted.subject;
    let day_end = part.clocks.resolution.day_end;
    let has_day = |planned: &&Part| {
        let day = planned.due.as_ref().and_then(|due| bundle::day(due, fields));
        day_end.is_some() && day.and_then(|day| bundle::end_of(day, at)) == day_end
    };
    let by_subject = form.parts.iter().filter(is_of_form).find(has_subject);
    by_subject.or_else(|| form.parts.iter().filter(is_of_form).find(has_day))
}

/// The fields of a part, where the day that they name is another. What a person filled in otherwise stays.
fn filled_anew(planned: &Part, fields: &[Field], (before, after): (&[Field], &[Field]), field: &str) -> Vec<Field> {
    let one = |(name, value): &Field| {
        let pattern = planned.fields.iter().find(|(known, pattern)| known == name && names(pattern, field));
        let Some((_, pattern)) = pattern else { return (name.clone(), value.clone()) };
        let (was, is) = (pattern.fill(before), pattern.fill(after));
        let anew = match value {
            Value::Text(text) if *normal(was.trim()) == *text.trim() => Some(Value::Text(normal(&is).into_owned())),
            Value::Date(day) if day.to_string() == was => is.parse().ok().map(Value::Date),
            _ => None,
        };
        (name.clone(), anew.unwrap_or_else(|| value.clone()))
    };
    fields.iter().map(one).collect()
}
