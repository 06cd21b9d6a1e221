//! The desk's words and the contract's, each turned into the other; nowhere else do the two meet.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use super::closing::Said;
use super::facts::Peers;
use crate::desk::access::{AccessRequest, Grant};
use crate::desk::id::PersonId;
use crate::desk::organisation::form::{Field, Problem, Raw, Value};
use crate::desk::organisation::{App, Organisation, Person, Tier};
use crate::desk::sla;
use crate::desk::text::into_normal;
use crate::desk::ticket::intake::attachment::{Content, Scan};
use crate::desk::ticket::intake::{NewTicket, Submission};
use crate::desk::ticket::lifecycle::resolution::ResolutionRecord;
use crate::desk::ticket::lifecycle::words::{Effect, resolved_at};
use crate::desk::ticket::timeline::Visibility;
use crate::desk::ticket::{Attachment, Ticket};
use crate::desk::verdict::access::{RawAccess, RawScope, RawStep};
use crate::desk::verdict::check::{RawChanges, RawClassification, RawDestination, RawRating};
use crate::rules::contract::{self, Attribute, access, categorization, closing, intake, priority, routing};
use crate::rules::text::{REASON_CHARS_MAX, cut, one_line};
use crate::store::access::History;
use crate::store::tickets::endings::StoredResolution;
use crate::store::tickets::recent::RecentTicket;

/// The most that all messages of an intake rule's problems take together, in bytes.
const PROBLEMS_BYTES_MAX: usize = 32 << 10;
/// The longest name of a field, and the longest word for programs, in such a problem, in characters.
const PROBLEM_NAME_CHARS_MAX: usize = 100;

fn ms(at: Timestamp) -> u64 {
    u64::try_from(at.as_millisecond()).unwrap_or_default()
}

fn attributes<'a, K: ToString + 'a, V: ToString + 'a>(pairs: impl Iterator<Item = (K, V)>) -> Vec<Attribute> {
    pairs.map(|(name, value)| Attribute { name: name.to_string(), value: value.to_string() }).collect()
}

/// The decision's time.
pub fn moment(organisation: &Organisation, now: Timestamp) -> contract::Moment {
    let calendar = &organisation.calendar;
    let local = calendar.zone.to_datetime(now);
    let offset = calendar.zone.to_offset(now).seconds() / 60;
    let epoch = Date::constant(1970, 1, 1);
    let days = (local.date() - epoch).get_days();
    contract::Moment {
        at: ms(now),
        utc_offset: i16::try_from(offset).unwrap_or_default(),
        local_day: days,
        weekday: u8::try_from(local.date().weekday().to_monday_one_offset()).unwrap_or(1),
        minute_of_day: u16::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).unwrap_or_default(),
        in_business_hours: sla::is_open(calendar, now),
    }
}

/// Somebody, with the chain of managers.
pub fn person(organisation: &Organisation, id: &PersonId) -> contract::Person {
    match organisation.people.get(id) {
        Some(person) => known_person(organisation, person),
        // Somebody who has left the directory since; rules see the id and nothing else.
        None => contract::Person {
            id: id.to_string(),
            name: id.to_string(),
            email: String::new(),
            department: String::new(),
            title: String::new(),
            location: String::new(),
            groups: Vec::new(),
            managers: Vec::new(),
            vip: false,
            attributes: Vec::new(),
        },
    }
}

fn known_person(organisation: &Organisation, person: &Person) -> contract::Person {
    contract::Person {
        id: person.id.to_string(),
        name: person.name.clone(),
        email: person.email.clone(),
        department: person.department.clone(),
        title: person.title.clone(),
        location: person.location.clone(),
        groups: person.groups.iter().map(ToString::to_string).collect(),
        managers: organisation.managers(person).iter().map(ToString::to_string).collect(),
        vip: person.vip,
        attributes: attributes(person.attributes.iter()),
    }
}

fn field(field: &Field) -> contract::Field {
    let (name, value) = field;
    let value = match value {
        Value::Text(text) => contract::Value::Text(text.clone()),
        Value::Number(number) => contract::Value::Number(*number),
        Value::Flag(flag) => contract::Value::Flag(*flag),
        Value::Date(date) => contract::Value::Date(date.to_string()),
        Value::Choice(choice) => contract::Value::Choice(choice.clone()),
        Value::Choices(choices) => contract::Value::Choices(choices.clone()),
    };
    contract::Field { name: name.clone(), value }
}

/// Files as the rules see them: those of people. That a mail was kept as it came is no fact about a request.
pub fn files(attachments: &[Attachment]) -> Vec<contract::Attachment> {
    let file =
        |a: &Attachment| contract::Attachment { name: a.name.clone(), media_type: a.media_type.clone(), size: a.size };
    attachments.iter().filter(|a| a.is_public()).map(file).collect()
}

/// A submission as the rules see it.
pub fn ticket(new: &NewTicket, now: Timestamp) -> contract::Ticket {
    contract::Ticket {
        request_type: new.request_type.to_string(),
        channel: new.channel.clone(),
        subject: new.subject.clone(),
        body: new.body.clone(),
        fields: new.fields.iter().map(field).collect(),
        tags: new.tags.clone(),
        signals: Vec::new(),
        attachments: files(&new.attachments),
        created_at: ms(now),
        attributes: about_attachments(&new.attachments),
    }
}

/// The name of an attribute about the attachment at a place, counted from 0; rules count from 1, as people do.
fn attribute_of(place: usize, what: &str) -> String {
    format!("attachment-{}-{what}", place + 1)
}

/// The facts about files whose content the desk keeps, which the contract's own record of an attachment has no place for.
fn about_attachments(attachments: &[Attachment]) -> Vec<Attribute> {
    let shown = attachments.iter().filter(|a| a.is_public());
    let kept = shown.enumerate().filter_map(|(place, a)| Some((place, a.content.as_ref()?)));
    let about = |(place, content): (usize, &Content)| {
        let one = |what: &str, value: String| Attribute { name: attribute_of(place, what), value };
        [
            one("id", content.id.to_string()),
            one("digest", content.digest.clone()),
            one("found-type", content.found_type.clone()),
            one("scan", content.scan.code().to_owned()),
        ]
    };
    kept.flat_map(about).collect()
}

/// The content of a recorded attachment, where the attributes tell of one.
fn content(attributes: &[Attribute], place: usize) -> Option<Content> {
    let find = |what: &str| {
        let name = attribute_of(place, what);
        attributes.iter().find(|attribute| attribute.name == name).map(|attribute| attribute.value.clone())
    };
    Some(Content {
        id: find("id")?.parse().ok()?,
        digest: find("digest")?,
        found_type: find("found-type")?,
        scan: Scan::from_code(&find("scan")?)?,
        visibility: Visibility::Public,
    })
}

/// What the channel knows about the message.
pub fn headers(new: &NewTicket) -> Vec<Attribute> {
    attributes(new.headers.iter().map(|(name, value)| (name, value)))
}

/// A recorded ticket as it was submitted.
pub fn submission(draft: contract::Ticket, headers: Vec<Attribute>) -> Submission {
    let known = &draft.attributes;
    let attachment = |(place, a): (usize, contract::Attachment)| Attachment {
        name: a.name,
        media_type: a.media_type,
        size: a.size,
        content: content(known, place),
    };
    Submission {
        request_type: draft.request_type,
        channel: draft.channel,
        channel_named: None,
        subject: draft.subject,
        body: draft.body,
        fields: draft.fields.into_iter().map(|field| (field.name, raw(field.value))).collect(),
        tags: draft.tags,
        attachments: draft.attachments.into_iter().enumerate().map(attachment).collect(),
        uploads: Vec::new(),
        headers: headers.into_iter().map(|header| (header.name, header.value)).collect(),
    }
}

/// The requester's recent tickets.
pub fn recent(tickets: &[RecentTicket]) -> Vec<intake::RecentTicket> {
    let one = |ticket: &RecentTicket| intake::RecentTicket {
        key: ticket.number.to_string(),
        request_type: ticket.request_type.clone(),
        subject: ticket.subject.clone(),
        state: ticket.state.clone(),
        created_at: ms(ticket.created_at),
    };
    tickets.iter().map(one).collect()
}

/// What is asked for.
pub fn request(request: &AccessRequest) -> access::Request {
    access::Request {
        kind: if request.extends { "extend" } else { "new" }.to_owned(),
        app: request.app.to_string(),
        tier: request.tier.to_string(),
        role: request.role.clone(),
        groups: Vec::new(),
        duration_hours: request.duration_hours,
        justification: request.justification.clone(),
    }
}

/// What the catalog says; `held` is how many seats of the tier are taken.
pub fn catalog_item(app: &App, tier: &Tier, held: u32) -> access::CatalogItem {
    access::CatalogItem {
        app: app.id.to_string(),
        name: app.name.clone(),
        tier: tier.id.to_string(),
        risk: tier.risk.clone(),
        max_duration_hours: tier.hours_max,
        owner: app.owner.as_ref().map(ToString::to_string),
        groups: tier.groups.iter().map(ToString::to_string).collect(),
        seats_left: tier.seats.map(|seats| seats.saturating_sub(held)),
        attributes: attributes(app.attributes.iter()),
    }
}

/// The grants that a person holds or has held.
pub fn grants(grants: &[Grant], now: Timestamp) -> Vec<access::Grant> {
    let one = |grant: &Grant| access::Grant {
        app: grant.app.to_string(),
        tier: grant.tier.to_string(),
        role: grant.role.clone(),
        groups: grant.groups.clone(),
        granted_at: ms(grant.granted_at),
        expires_at: ms(grant.expires_at),
        state: if grant.is_effective(now) && grant.state.supports() { "active" } else { "ended" }.to_owned(),
    };
    grants.iter().map(one).collect()
}

/// How a person's requests have ended.
pub fn history(history: History) -> access::History {
    let History { requested, approved, denied, revoked } = history;
    access::History { requested, approved, denied, revoked }
}

/// The people of a department other than the subject, and how many of them hold the tier or a higher one.
pub fn peers(peers: &Peers, app: &App, tier: &Tier) -> access::Peers {
    access::Peers { department_size: peers.size, department_holders: peers.holders_of(app, tier) }
}

/// The decisions before that about access, with how many of the subject's department have the same title, and how many of these
/// hold the tier or a higher one: the contract's own record of peers has no place for them.
pub fn so_far_with_alike(so_far: &contract::SoFar, alike: &Peers, (app, tier): (&App, &Tier)) -> contract::SoFar {
    let counts = [("peers-title-size", alike.size), ("peers-title-holders", alike.holders_of(app, tier))];
    let mut so_far = so_far.clone();
    so_far.attributes.extend(attributes(counts.into_iter()));
    so_far
}

fn raw(value: contract::Value) -> Raw {
    match value {
        contract::Value::Text(text) | contract::Value::Date(text) | contract::Value::Choice(text) => Raw::Text(text),
        contract::Value::Number(number) => Raw::Number(number),
        contract::Value::Flag(flag) => Raw::Flag(flag),
        contract::Value::Choices(choices) => Raw::List(choices.into_iter().map(Raw::Text).collect()),
    }
}

/// What an intake rule says: changes, or problems, each cut to what a form shows.
pub fn intake_answer(decision: intake::Decision) -> Result<RawChanges, Vec<Problem>> {
    match decision {
        intake::Decision::Accept(changes) => Ok(RawChanges {
            subject: changes.subject,
            body: changes.body,
            fields: changes.fields.into_iter().map(|f| (f.name, raw(f.value))).collect(),
            tags: changes.tags,
            signals: changes.signals,
            duplicate_of: changes.duplicate_of,
        }),
        intake::Decision::Reject(problems) => {
            // The requester reads them all, so that the longest of many are cut the shortest.
            let bytes_max = PROBLEMS_BYTES_MAX / problems.len().max(1);
            let line = |text: &str, chars_max| into_normal(one_line(text, chars_max));
            let problem = |p: intake::Problem| Problem {
                field: line(&p.field, PROBLEM_NAME_CHARS_MAX),
                code: line(&p.code, PROBLEM_NAME_CHARS_MAX),
                message: cut(line(&p.message, REASON_CHARS_MAX), bytes_max),
                fault: None,
            };
            Err(problems.into_iter().map(problem).collect())
        }
    }
}

/// What a categorization rule says.
pub fn classification(decision: categorization::Decision) -> RawClassification {
    match decision {
        categorization::Decision::Pass => RawClassification::default(),
        categorization::Decision::Classify(c) => RawClassification { category: c.category, tags: c.tags, kind: c.kind },
    }
}

/// What a priority rule says; `None` is no opinion.
pub fn rating(decision: priority::Decision) -> Option<RawRating> {
    match decision {
        priority::Decision::Pass => None,
        priority::Decision::Rate(r) => Some(RawRating { impact: r.impact, urgency: r.urgency, level: r.level }),
    }
}

/// What a routing rule says; `None` is no opinion.
pub fn destination(decision: routing::Decision) -> Option<RawDestination> {
    match decision {
        routing::Decision::Pass => None,
        routing::Decision::Assign(d) => Some(RawDestination {
            team: d.team,
            assignee: d.assignee,
            skills: d.skills,
            strategy: d.strategy,
            tier: d.tier,
        }),
    }
}

/// What an access rule says.
pub fn access_answer(decision: access::Decision) -> RawAccess {
    let scope =
        |s: access::Scope| RawScope { tier: s.tier, role: s.role, groups: s.groups, duration_hours: s.duration_hours };
    let step =
        |s: access::ApprovalStep| RawStep { approvers: s.approvers, needed: s.needed, due_in_hours: s.due_in_hours };
    match decision {
        access::Decision::Pass => RawAccess::Pass,
        access::Decision::Deny => RawAccess::Deny,
        access::Decision::Approve(s) => RawAccess::Approve(scope(s)),
        access::Decision::RequireApproval(plan) => {
            RawAccess::Require(plan.steps.into_iter().map(step).collect(), scope(plan.scope))
        }
    }
}

/// The effect that a rule for closing names; `None` is no opinion.
pub fn effect(decision: closing::Decision) -> Option<Effect> {
    match decision {
        closing::Decision::Pass => None,
        closing::Decision::Reopen => Some(Effect::Reopens),
        closing::Decision::FollowUp => Some(Effect::FollowsUp),
        closing::Decision::Keep => Some(Effect::Kept),
        closing::Decision::Confirm => Some(Effect::Confirms),
    }
}

/// Words on a ticket that was resolved, as rules are asked about them: with its last resolution, and how often it was taken up again.
pub fn words(
    ticket: &Ticket,
    (text, channel, attachments): (&str, &str, &[Attachment]),
    (last, reopened): (Option<&StoredResolution>, u32),
    now: Timestamp,
) -> Said {
    let resolved_at = resolved_at(ticket);
    let days = now.duration_since(resolved_at).as_hours().max(0) / 24;
    let part = |pick: fn(&ResolutionRecord) -> &String| last.map(|last| pick(&last.record).clone()).unwrap_or_default();
    Said {
        words: closing::Words {
            text: text.to_owned(),
            channel: channel.to_owned(),
            at: ms(now),
            attachments: files(attachments),
        },
        state: ticket.state.code().to_owned(),
        resolution: closing::Resolution {
            at: ms(resolved_at),
            days_since: u32::try_from(days).unwrap_or(u32::MAX),
            resolved_by: last.and_then(|last| last.resolved_by.clone()),
            symptom: part(|record| &record.symptom),
            cause: part(|record| &record.cause),
            fix: part(|record| &record.fix),
            next_time: part(|record| &record.next_time),
        },
        reopened,
    }
}

/// The requester and, for access, the subject: built once for a ticket.
pub fn shared_person(organisation: &Organisation, id: &PersonId) -> Arc<contract::Person> {
    Arc::new(person(organisation, id))
}
