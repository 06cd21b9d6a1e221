//! The events of a ticket as a story: people's words are large, events between them are a line each.

use super::Seen;
use crate::app::tickets::work::StoredEntry;
use crate::desk::access::AccessCase;
use crate::desk::actor::Author;
use crate::desk::organisation::form::Value;
use crate::desk::organisation::service::RecordPart;
use crate::desk::organisation::{FieldKind, RequestType};
use crate::desk::ticket::lifecycle::resolution::ResolutionRecord;
use crate::desk::ticket::timeline::{Event, Field, Visibility};
use crate::web::frame::Frame;
use crate::web::frame::times::When;

/// One piece of the story.
pub struct Item {
    pub who: String,
    pub when: When,
    /// `words`, `note` for a private one, or `event`.
    pub kind: &'static str,
    /// Whether it is the requester who speaks.
    pub own: bool,
    pub text: String,
    pub reason: String,
    /// The filled-in fields, where it is the submission.
    pub fields: Vec<(String, String)>,
}

/// A value of a form as it is read.
pub fn value(f: &Frame, value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Choice(option) => f.option(option),
        Value::Number(number) => number.to_string(),
        Value::Flag(true) => f.words.t("value.yes"),
        Value::Flag(false) => f.words.t("value.no"),
        Value::Date(date) => f.times.day(*date),
        Value::Choices(options) => options.iter().map(|option| f.option(option)).collect::<Vec<_>>().join(", "),
    }
}

/// The fields that were filled in, by their labels. Apps, their tiers and people have their names where the form offers those.
fn filled_in(f: &Frame, form: Option<&RequestType>, given: &[(String, Value)]) -> Vec<(String, String)> {
    let id = given.iter().find_map(|(name, value)| match value {
        Value::Text(id) if name == "app" => Some(id.trim()),
        _ => None,
    });
    let app = id.and_then(|id| f.organisation.apps.get(id)).filter(|_| form.is_some_and(|form| form.grants_access));
    let one = |(name, given): &(String, Value)| {
        let spec = form.and_then(|form| form.fields.iter().find(|spec| spec.name == *name));
        let text = match (spec.map(|spec| &spec.kind), given, app) {
            (Some(FieldKind::Person), Value::Text(id), _) => f.name_of(id),
            (Some(FieldKind::App), Value::Text(id), _) => f.app(id),
            (_, Value::Text(_), Some(app)) if name == "app" => app.name.clone(),
            (_, Value::Text(id), Some(app)) if name == "tier" => {
                app.tier(id.trim()).map_or_else(|| id.clone(), |(_, tier)| tier.name.clone())
            }
            _ => value(f, given),
        };
        (spec.map_or_else(|| name.clone(), |spec| spec.label.clone()), text)
    };
    given.iter().map(one).collect()
}

/// The story of a ticket, the oldest first.
pub fn items(f: &Frame, seen: &Seen, entries: &[StoredEntry]) -> Vec<Item> {
    let submitted = &seen.ticket.submitted;
    let form = f.organisation.request_types.get(&submitted.request_type);
    let first = Item {
        who: f.name(&submitted.requester),
        when: f.times.ago(submitted.at),
        kind: "words",
        own: true,
        text: submitted.body.clone(),
        reason: String::new(),
        fields: filled_in(f, form, &submitted.fields),
    };
    std::iter::once(first).chain(entries.iter().filter_map(|entry| item(f, seen, entry))).collect()
}

fn who(f: &Frame, author: &Author) -> String {
    match author {
        Author::Person(id) => f.name(id),
        Author::System => f.words.t("who.desk"),
        Author::Rule(rule) => f.words.t1("who.rule", rule),
    }
}

fn item(f: &Frame, seen: &Seen, stored: &StoredEntry) -> Option<Item> {
    let entry = &stored.entry;
    let own = matches!(&entry.author, Author::Person(id) if *id == seen.ticket.submitted.requester);
    let base = |kind: &'static str, text: String, reason: &str| Item {
        who: who(f, &entry.author),
        when: f.times.ago(entry.at),
        kind,
        own,
        text,
        reason: reason.to_owned(),
        fields: Vec::new(),
    };
    // What rules set stands in the short answer to why; the one who asked is not shown it twice.
    if matches!(entry.author, Author::Rule(_)) && !f.works() {
        return None;
    }
    let note = entry.visibility == Visibility::Internal;
    match &entry.event {
        // The story begins with it.
        Event::Submitted { .. } => None,
        Event::Commented { body, .. } => Some(base(if note { "note" } else { "words" }, body.clone(), "")),
        other => {
            let (text, reason) = line(f, other)?;
            // What the desk says of a request for access may be the words of rules.
            let of_case =
                |case: &&AccessCase| matches!(other, Event::AccessDecided { detail, .. } if *detail == case.reason);
            let reason = match seen.case.as_ref().filter(of_case) {
                _ if !entry.says_the_desk_why() => reason,
                Some(case) => f.case_reason(case),
                None => f.own_reason(&reason),
            };
            Some(base("event", text, &reason))
        }
    }
}

/// An event in one line, and its reason.
fn line(f: &Frame, event: &Event) -> Option<(String, String)> {
    let words = &f.words;
    Some(match event {
        Event::Set { field, from, to, reason } => {
            let name = words.t(&format!("field.{}", field.code()));
            let text = match from {
                None => words.t2("event.set", name, named(f, *field, to)),
                Some(_) => words.t2("event.changed", name, named(f, *field, to)),
            };
            (text, reason.clone())
        }
        Event::Assigned { team, assignee, reason } => {
            let text = match assignee {
                Some(person) => words.t1("event.assigned", f.name_of(person)),
                None => words.t1("event.unassigned", f.team(team)),
            };
            (text, reason.clone())
        }
        Event::StateChanged { to, reason, .. } => {
            let key = format!("{}.{}", if f.works() { "state" } else { "plain" }, to.code());
            (words.t1("event.state", words.t(&key)), reason.clone())
        }
        Event::AccessDecided { outcome, detail } => {
            (words.t1("event.access", words.t(&format!("access.{}", outcome.code()))), detail.clone())
        }
        Event::Acknowledged { .. } => (words.t("event.acknowledged"), String::new()),
        Event::Resolved { record } => (words.t("event.record"), told(f, record)),
        Event::ClockReached { clock, percent } => {
            (words.t2("event.clock", f.clock(clock.code()), percent), String::new())
        }
        Event::Retargeted { clock, to, .. } => {
            let promise = f.clock(clock.code());
            let text = match to {
                Some(due) => words.t2("event.retargeted", promise, f.times.exact(*due)),
                None => words.t1("event.retargeted-still", promise),
            };
            (text, String::new())
        }
        Event::Reranked { .. } => (words.t("event.reranked"), String::new()),
        Event::EscalationAsked { reason } => (words.t("event.escalation-asked"), reason.clone()),
        Event::Escalated { to, reason, .. } => (words.t1("event.escalated", f.team(to)), reason.clone()),
        Event::Linked { link, other } => {
            (words.t2("event.linked", words.t(&format!("link.{link}")), other), String::new())
        }
        Event::Unlinked { other, .. } => (words.t1("event.unlinked", other), String::new()),
        Event::Attached { name, .. } => (words.t1("event.attached", name), String::new()),
        Event::Task { step, text } => (words.t2("event.task", step, text), String::new()),
        Event::Outage { step } => (words.t(&format!("event.outage.{step}")), String::new()),
        Event::Watched { person } => (words.t1("event.watched", f.name(person)), String::new()),
        Event::Unwatched { person } => (words.t1("event.unwatched", f.name(person)), String::new()),
        Event::TimeSpent { minutes, note } => (words.t1("event.time-spent", minutes), note.clone()),
        Event::SurveyAnswered { score, comment } => (words.t1("event.survey", score), comment.clone()),
        Event::Unreadable => (words.t("event.unreadable"), String::new()),
        Event::Submitted { .. } | Event::Commented { .. } => return None,
    })
}

/// The parts of a record that say something, each with its name.
fn told(f: &Frame, record: &ResolutionRecord) -> String {
    let part = |part: RecordPart| {
        let text = record.part(part);
        (!text.is_empty()).then(|| format!("{}: {text}", f.words.t(&format!("record.{}", part.code()))))
    };
    RecordPart::ALL.into_iter().filter_map(part).collect::<Vec<_>>().join(" · ")
}

/// A field's value by its name in the organisation.
pub(super) fn named(f: &Frame, field: Field, id: &str) -> String {
    match field {
        Field::Category => f.category(id),
        Field::Team => f.team(id),
        Field::Priority => id.parse().map_or_else(|_| id.to_owned(), |id| f.priority(&id).name),
        Field::Impact | Field::Urgency => f.option(id),
        Field::Tags | Field::Tier | Field::Day => id.to_owned(),
    }
}
