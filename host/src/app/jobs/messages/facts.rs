//! A message's facts, as far as its recipient may see them.

use super::{Correspondence, Ready, name_of};
use crate::desk::access::AccessCase;
use crate::desk::change::message::{AccessNews, Moved, NewDay, Reply};
use crate::desk::organisation::{Organisation, Person};
use crate::desk::ticket::sight::Part;
use crate::desk::ticket::timeline::Field;
use crate::messages::facts::{self, Facts, Recipient};
use crate::messages::{reasons, words};

/// A day in a language; one that cannot be read stays as it is.
fn day_in(locale: &str, day: &str) -> String {
    day.parse().map_or_else(|_| day.to_owned(), |read| words::day(locale, read))
}

/// The facts of one message in a language.
pub fn facts(
    ready: &Ready,
    to: &Person,
    organisation: &Organisation,
    (correspondence, locale): (&Correspondence, &str),
) -> Facts {
    let reply = ready.message.about.reply.as_ref().map(|Reply { by, body }| facts::Reply {
        by: by.as_ref().map_or_else(|| organisation.name.clone(), |by| name_of(organisation, by)),
        body: body.clone(),
    });
    let names = |kind: reasons::Named, id: &str| match kind {
        reasons::Named::Person => organisation.people.get(id).map(|person| person.name.clone()),
        reasons::Named::Time => id.parse().ok().map(|at| words::exact(locale, at, &organisation.calendar.zone)),
        reasons::Named::Clock | reasons::Named::Priority => None,
    };
    // A reason and its stable word: only those that the desk gives by itself are put into the recipient's language, and have one.
    let said = |reason: &str, by_desk: bool| {
        if by_desk {
            (reasons::in_language(locale, reason, &names), reasons::code(reason).to_owned())
        } else {
            (reason.to_owned(), String::new())
        }
    };
    let moved = ready.message.about.moved.as_ref().map(|Moved { from, to, reason, by_desk }| {
        let (reason, reason_code) = said(reason, *by_desk);
        facts::Moved {
            from: words::state(locale, *from).to_owned(),
            to: words::state(locale, *to).to_owned(),
            to_code: to.code().to_owned(),
            reason,
            reason_code,
        }
    });
    let decided = ready.message.about.access.as_ref().map(|AccessNews { outcome, reason, by_desk }| {
        let (reason, reason_code) = said(reason, *by_desk);
        facts::Decided {
            outcome: words::outcome(locale, *outcome).to_owned(),
            outcome_code: outcome.code().to_owned(),
            reason,
            reason_code,
        }
    });
    let day = ready.message.about.day.as_ref();
    let day = day.map(|NewDay { to, reason }| facts::NewDay { to: day_in(locale, to), reason: reason.clone() });
    let link = |page: &str, end: Option<&String>| {
        let url = correspondence.public_url.as_ref()?;
        Some(format!("{url}/{page}/{}", end?))
    };
    Facts {
        organisation: organisation.name.clone(),
        recipient: Recipient { name: to.name.clone() },
        ticket: ticket(ready, organisation, (correspondence, locale)),
        reply,
        moved,
        solution: ready.solution.clone(),
        access: ready.case.as_ref().map(|case| access(case, organisation, locale)),
        decided,
        day,
        delegation: None,
        survey: link("survey", ready.survey.as_ref()),
        decide: link("decide", ready.decide.as_ref()),
    }
}

fn ticket(
    ready: &Ready,
    organisation: &Organisation,
    (correspondence, locale): (&Correspondence, &str),
) -> facts::Ticket {
    let ticket = &ready.ticket;
    let shows = |part: Part| part.visibility() <= ready.sees;
    let of_type = organisation.request_types.get(&ticket.submitted.request_type);
    let level = organisation.priority(&ticket.priority).map(|(_, level)| level.name.clone());
    let team = organisation.teams.get(&ticket.team).map_or_else(|| ticket.team.to_string(), |team| team.name.clone());
    facts::Ticket {
        key: ticket.number.to_string(),
        subject: ticket.submitted.subject.clone(),
        request_type: of_type.map_or_else(|| ticket.submitted.request_type.to_string(), |found| found.name.clone()),
        requester: name_of(organisation, &ticket.submitted.requester),
        priority: level.unwrap_or_else(|| ticket.priority.to_string()),
        state: words::state(locale, ticket.state).to_owned(),
        state_code: ticket.state.code().to_owned(),
        team: shows(Part::Set(Field::Team)).then_some(team),
        assignee: ticket.assignee.as_ref().filter(|_| shows(Part::Assignee)).map(|id| name_of(organisation, id)),
        link: correspondence.public_url.as_ref().map(|url| format!("{url}/tickets/{}", ticket.number)),
    }
}

fn access(case: &AccessCase, organisation: &Organisation, locale: &str) -> facts::Access {
    let request = &case.request;
    let app = organisation.apps.get(&request.app);
    let tier = app.and_then(|app| app.tier(request.tier.as_str())).map(|(_, tier)| tier.name.clone());
    let due = case.due_at().map(|due| words::exact(locale, due, &organisation.calendar.zone));
    facts::Access {
        app: app.map_or_else(|| request.app.to_string(), |app| app.name.clone()),
        tier: tier.unwrap_or_else(|| request.tier.to_string()),
        subject: name_of(organisation, &request.subject),
        hours: request.duration_hours,
        justification: request.justification.clone(),
        due,
    }
}
