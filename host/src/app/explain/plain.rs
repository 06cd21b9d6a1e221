//! The words that may be said to the requester, in plain sentences: made of the public part of the timeline, and naming categories and
//! levels as people know them, never a team, an agent, an approver or a rule.

use jiff::Timestamp;

use super::Known;
use crate::desk::access::{AccessCase, AccessState};
use crate::desk::id::CategoryId;
use crate::desk::sla::Clock;
use crate::desk::ticket::timeline::{AccessOutcome, Event, Field};

/// The whole text: a line for each thing worth saying.
pub fn text(known: &Known<'_>) -> String {
    let ticket = known.ticket;
    let mut lines = vec![format!("{}: {}", ticket.number, ticket.submitted.subject)];
    lines.extend(set(known, Field::Category, &|id| category(known, id)));
    lines.extend(set(known, Field::Priority, &|id| priority(known, id)));
    lines.extend(access(known));
    if ticket.state.is_unfinished() {
        lines.extend(promise(known, "A first answer", &ticket.clocks.first_response));
        lines.extend(promise(known, "A solution", &ticket.clocks.resolution));
    }
    lines.join("\n")
}

/// What was said about a field: the first word and everything that people changed.
fn set(known: &Known<'_>, field: Field, name: &dyn Fn(&str) -> String) -> Option<String> {
    let told = known.events().filter_map(|event| match event {
        Event::Set { field: set, to, reason, .. } if *set == field => Some((to, reason)),
        _ => None,
    });
    let mut line = String::new();
    for (to, reason) in told {
        let to = name(to);
        line = if line.is_empty() {
            format!("{}: {to}{}.", capital(field.code()), because(reason))
        } else {
            format!("{line} Changed by our staff to {to}{}.", because(reason))
        };
    }
    (!line.is_empty()).then_some(line)
}

/// A reason as the end of a sentence.
fn because(reason: &str) -> String {
    let reason = reason.trim().trim_end_matches('.');
    if reason.is_empty() { String::new() } else { format!(" ({reason})") }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn category(known: &Known<'_>, id: &str) -> String {
    let found = id.parse::<CategoryId>().ok().and_then(|id| known.organisation.categories.get(&id));
    found.map_or_else(|| id.to_owned(), |category| category.name.clone())
}

fn priority(known: &Known<'_>, id: &str) -> String {
    let mut levels = known.organisation.priorities.iter();
    levels.find(|level| level.id.as_str() == id).map_or_else(|| id.to_owned(), |level| level.name.clone())
}

fn access(known: &Known<'_>) -> Option<String> {
    let case = known.case?;
    let app = known.organisation.apps.get(&case.request.app).map_or(case.request.app.as_str(), |app| app.name.as_str());
    let why = |wanted: AccessOutcome| {
        known.events().rev().find_map(|event| match event {
            Event::AccessDecided { outcome, detail } if *outcome == wanted => Some(detail.as_str()),
            _ => None,
        })
    };
    if let Some(reason) = why(AccessOutcome::Revoked) {
        return Some(format!("Access to {app} was taken back{}.", because(reason)));
    }
    let said = match case.state {
        AccessState::Approved => "is granted",
        AccessState::Awaiting => "waits for approval",
        AccessState::Denied => "was not approved",
        AccessState::DeniedByPolicy => "is not given under the access policy",
        AccessState::Cancelled => "was asked for and the request was taken back",
    };
    // Of what a person said, only a denial is for the requester's eyes; the timeline shows it to them too.
    let denied = why(AccessOutcome::Is(case.state)).filter(|_| case.state == AccessState::Denied);
    let reason = denied.unwrap_or(&case.reason);
    let tier = case.scope.as_ref().map_or(&case.request.tier, |scope| &scope.tier);
    let given = matches!(case.state, AccessState::Approved | AccessState::Awaiting);
    let less = narrowed(case).filter(|_| given).unwrap_or_default();
    Some(format!("Access to {app} ({tier}) {said}{}.{less}", because(reason)))
}

/// A sentence about less being given than was asked for, if it is.
fn narrowed(case: &AccessCase) -> Option<String> {
    let (asked, scope) = (&case.request, case.scope.as_ref()?);
    let tier = (scope.tier != asked.tier).then(|| format!("the tier {} instead of {}", scope.tier, asked.tier));
    let hours = asked.duration_hours.filter(|hours| *hours > scope.duration_hours);
    let hours = hours.map(|hours| format!("{} hours instead of {hours}", scope.duration_hours));
    let role = asked.role.as_ref().filter(|role| scope.role.as_ref() != Some(*role));
    let role = role.map(|role| format!("no role {role}"));
    let less: Vec<String> = [tier, hours, role].into_iter().flatten().collect();
    (!less.is_empty()).then(|| format!(" It gives {}.", less.join(", ")))
}

fn promise(known: &Known<'_>, what: &str, clock: &Clock) -> Option<String> {
    if clock.met_at.is_some() {
        return None;
    }
    let local = |at: Timestamp| known.organisation.calendar.zone.to_datetime(at);
    Some(match clock.due_at {
        Some(due) => format!("{what} is due by {}.", local(due).strftime("%A, %-d %B %Y, %H:%M")),
        None => format!("{what} is owed once we have your answer."),
    })
}
