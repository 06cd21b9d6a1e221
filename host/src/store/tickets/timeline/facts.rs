//! The facts of an event: a JSON array, in the order in which [`facts`] writes them and [`event`] reads them.

use serde::de::DeserializeOwned;
use serde_json::json;

use super::T;
use crate::desk::id::{AttachmentId, CommentId, TicketNumber};
use crate::desk::organisation::service::RecordPart;
use crate::desk::sla::ClockKind;
use crate::desk::ticket::State;
use crate::desk::ticket::lifecycle::resolution::ResolutionRecord;
use crate::desk::ticket::timeline::{AccessOutcome, Event, Field};
use crate::store::Error;
use crate::store::sql::columns::{at, corrupt, ms, parsed};

/// An event's facts.
pub(super) fn facts(event: &Event) -> String {
    let facts = match event {
        Event::Submitted { channel } => json!([channel]),
        Event::Set { field, from, to, reason } => json!([field.code(), from, to, reason]),
        Event::Assigned { team, assignee, reason } => json!([team, assignee, reason]),
        Event::StateChanged { from, to, reason } => json!([from.code(), to.code(), reason]),
        Event::Commented { comment, body } => json!([comment.to_string(), body]),
        Event::AccessDecided { outcome, detail } => json!([outcome.code(), detail]),
        Event::Acknowledged { to } => json!([to]),
        Event::Resolved { record } => json!(RecordPart::ALL.map(|part| record.part(part))),
        Event::ClockReached { clock, percent } => json!([clock.code(), percent]),
        Event::Retargeted { clock, minutes, from, to } => {
            json!([clock.code(), minutes, from.map(ms), to.map(ms)])
        }
        Event::Reranked { from, to } => json!([from, to]),
        Event::EscalationAsked { reason } => json!([reason]),
        Event::Escalated { from, to, tier, reason } => json!([from, to, tier, reason]),
        Event::Linked { link, other } | Event::Unlinked { link, other } => json!([link, other.0]),
        Event::Attached { attachment, name, size, digest } => json!([attachment.to_string(), name, size, digest]),
        Event::Task { step, text } => json!([step, text]),
        Event::Outage { step } => json!([step]),
        Event::Watched { person } | Event::Unwatched { person } => json!([person.as_str()]),
        Event::TimeSpent { minutes, note } => json!([minutes, note]),
        Event::SurveyAnswered { score, comment } => json!([score, comment]),
        Event::Unreadable => json!([]),
    };
    facts.to_string()
}

fn attached((attachment, name, size, digest): (uuid::Uuid, String, u64, String)) -> Event {
    Event::Attached { attachment: AttachmentId(attachment), name, size, digest }
}

fn retargeted((clock, minutes, from, to): (String, Option<i64>, Option<i64>, Option<i64>)) -> Result<Event, Error> {
    let clock = ClockKind::from_code(&clock).ok_or_else(|| corrupt(T, "details", clock))?;
    let instant = |ms: Option<i64>| ms.map(|ms| at(T, "details", ms)).transpose();
    Ok(Event::Retargeted { clock, minutes, from: instant(from)?, to: instant(to)? })
}

/// The event of this word with these facts.
///
/// # Errors
///
/// Where the word is none of ours, or the facts are not those of its kind.
pub(super) fn event(kind: &str, facts: &str) -> Result<Event, Error> {
    let state = |code: String| State::from_code(&code).ok_or_else(|| corrupt(T, "details", code));
    Ok(match kind {
        "submitted" => {
            let [channel] = read(facts)?;
            Event::Submitted { channel }
        }
        "set" => {
            let (field, from, to, reason): (String, _, _, _) = read(facts)?;
            let field = Field::from_code(&field).ok_or_else(|| corrupt(T, "details", field))?;
            Event::Set { field, from, to, reason }
        }
        "assigned" => {
            let (team, assignee, reason) = read(facts)?;
            Event::Assigned { team, assignee, reason }
        }
        "state-changed" => {
            let (from, to, reason) = read(facts)?;
            Event::StateChanged { from: state(from)?, to: state(to)?, reason }
        }
        "commented" => {
            let (comment, body): (uuid::Uuid, _) = read(facts)?;
            Event::Commented { comment: CommentId(comment), body }
        }
        "access-decided" => {
            let (outcome, detail): (String, _) = read(facts)?;
            let outcome = AccessOutcome::from_code(&outcome).ok_or_else(|| corrupt(T, "details", outcome))?;
            Event::AccessDecided { outcome, detail }
        }
        "acknowledged" => {
            let [to] = read(facts)?;
            Event::Acknowledged { to }
        }
        "resolved" => {
            let [symptom, cause, fix, next_time] = read(facts)?;
            Event::Resolved { record: ResolutionRecord { symptom, cause, fix, next_time } }
        }
        "clock-reached" => {
            let (clock, percent): (String, _) = read(facts)?;
            let clock = ClockKind::from_code(&clock).ok_or_else(|| corrupt(T, "details", clock))?;
            Event::ClockReached { clock, percent }
        }
        "retargeted" => retargeted(read(facts)?)?,
        "reranked" => {
            let (from, to) = read(facts)?;
            Event::Reranked { from, to }
        }
        "escalation-asked" => {
            let [reason] = read(facts)?;
            Event::EscalationAsked { reason }
        }
        "escalated" => {
            let (from, to, tier, reason) = read(facts)?;
            Event::Escalated { from, to, tier, reason }
        }
        _ => return around(kind, facts),
    })
}

/// The event of one of the words for what is around a ticket: others, files, tasks, followers, time, its survey.
fn around(kind: &str, facts: &str) -> Result<Event, Error> {
    Ok(match kind {
        "linked" => {
            let (link, other) = read(facts)?;
            Event::Linked { link, other: TicketNumber(other) }
        }
        "unlinked" => {
            let (link, other) = read(facts)?;
            Event::Unlinked { link, other: TicketNumber(other) }
        }
        "attached" => attached(read(facts)?),
        "task" => {
            let [step, text] = read(facts)?;
            Event::Task { step, text }
        }
        "outage" => {
            let [step] = read(facts)?;
            Event::Outage { step }
        }
        "watched" | "unwatched" => {
            let [person]: [String; 1] = read(facts)?;
            let person = parsed(T, "details", &person)?;
            if kind == "watched" { Event::Watched { person } } else { Event::Unwatched { person } }
        }
        "time-spent" => {
            let (minutes, note) = read(facts)?;
            Event::TimeSpent { minutes, note }
        }
        "survey-answered" => {
            let (score, comment) = read(facts)?;
            Event::SurveyAnswered { score, comment }
        }
        other => return Err(corrupt(T, "kind", other)),
    })
}

fn read<F: DeserializeOwned>(facts: &str) -> Result<F, Error> {
    serde_json::from_str(facts).map_err(|_| corrupt(T, "details", facts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_reads_back_as_it_was_written() {
        let text = || "Zürich \"7\" \\ \n".to_owned();
        let events = [
            Event::Submitted { channel: text() },
            Event::Set { field: Field::Tier, from: None, to: text(), reason: text() },
            Event::Set { field: Field::Tags, from: Some(text()), to: text(), reason: String::new() },
            Event::Assigned { team: text(), assignee: None, reason: text() },
            Event::StateChanged { from: State::New, to: State::Merged, reason: text() },
            Event::Commented { comment: CommentId(uuid::Uuid::from_u128(7)), body: text() },
            Event::AccessDecided { outcome: AccessOutcome::Revoked, detail: text() },
            Event::Acknowledged { to: text() },
            Event::Retargeted {
                clock: ClockKind::Team,
                minutes: Some(90),
                from: Some(jiff::Timestamp::UNIX_EPOCH),
                to: None,
            },
            Event::Reranked { from: 0, to: 2 },
            Event::Outage { step: text() },
            Event::Attached {
                attachment: AttachmentId(uuid::Uuid::from_u128(8)),
                name: text(),
                size: u64::from(u32::MAX),
                digest: text(),
            },
        ];
        for written in events {
            assert_eq!(event(written.kind(), &facts(&written)).unwrap(), written);
        }
        assert!(event("set", "[\"no such field\",null,\"\",\"\"]").is_err());
        assert!(event("no such event", "[]").is_err());
    }
}
