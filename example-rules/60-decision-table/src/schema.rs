//! Every field of every stage's input: its name in the contract, its kind, and how it is read. It knows nothing of rows.

use ruledesk_sdk::types::{Attachment, Attribute, Value};
use ruledesk_sdk::{access, intake};

use crate::stage::{Record, Root, Stage};

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Number,
    Flag,
    /// An instant, in milliseconds.
    Time,
    /// The day of the decision.
    Day,
    Weekday,
    /// The minute of the day.
    Clock,
    Texts,
    /// Form fields by name, of any kind.
    Form,
    /// Texts by name.
    Names,
    Attachments,
    Recent,
    Grants,
}

/// What a field holds for one decision.
#[derive(Debug, Clone, Copy)]
pub enum Got<'a> {
    Absent,
    Text(&'a str),
    /// Two texts; what either has counts.
    Both(&'a str, &'a str),
    Number(f64),
    Flag(bool),
    Time(u64),
    Day(i32),
    Texts(&'a [String]),
    Attachments(&'a [Attachment]),
    Recent(&'a [intake::RecentTicket]),
    Grants(&'a [access::Grant]),
}

/// A field of a record.
#[derive(Debug)]
pub struct Column {
    pub key: &'static str,
    pub kind: Kind,
    /// The second argument is the name of a form field or attribute.
    pub read: for<'a> fn(Record<'a>, &str) -> Got<'a>,
}

macro_rules! columns {
    ($constant:ident $case:ident: $($key:literal $kind:ident |$record:pat_param, $name:pat_param| $got:expr;)+) => {
        pub static $constant: &[Column] = &[$(Column {
            key: $key,
            kind: Kind::$kind,
            read: |record, $name| match record {
                Record::$case($record) => $got,
                _ => Got::Absent,
            },
        }),+];
    };
}

columns! { NOW Now:
    "at" Time |r, _| Got::Time(r.at);
    "date" Day |r, _| Got::Day(r.local_day);
    "time" Clock |r, _| Got::Number(f64::from(r.minute_of_day));
    "weekday" Weekday |r, _| Got::Number(f64::from(r.weekday));
    "in-business-hours" Flag |r, _| Got::Flag(r.in_business_hours);
    "minute-of-day" Number |r, _| Got::Number(f64::from(r.minute_of_day));
    "local-day" Number |r, _| Got::Number(f64::from(r.local_day));
    "utc-offset" Number |r, _| Got::Number(f64::from(r.utc_offset));
}

columns! { TICKET Ticket:
    "request-type" Text |r, _| Got::Text(&r.request_type);
    "channel" Text |r, _| Got::Text(&r.channel);
    "subject" Text |r, _| Got::Text(&r.subject);
    "body" Text |r, _| Got::Text(&r.body);
    "text" Text |r, _| Got::Both(&r.subject, &r.body);
    "fields" Form |r, name| r.field(name).map_or(Got::Absent, form);
    "tags" Texts |r, _| Got::Texts(&r.tags);
    "signals" Texts |r, _| Got::Texts(&r.signals);
    "attachments" Attachments |r, _| Got::Attachments(&r.attachments);
    "created-at" Time |r, _| Got::Time(r.created_at);
    "attributes" Names |r, name| named(&r.attributes, name);
}

columns! { PERSON Person:
    "id" Text |r, _| Got::Text(&r.id);
    "name" Text |r, _| Got::Text(&r.name);
    "email" Text |r, _| Got::Text(&r.email);
    "department" Text |r, _| Got::Text(&r.department);
    "title" Text |r, _| Got::Text(&r.title);
    "location" Text |r, _| Got::Text(&r.location);
    "groups" Texts |r, _| Got::Texts(&r.groups);
    "managers" Texts |r, _| Got::Texts(&r.managers);
    "vip" Flag |r, _| Got::Flag(r.vip);
    "attributes" Names |r, name| named(&r.attributes, name);
}

columns! { SO_FAR SoFar:
    "category" Text |r, _| optional(r.category.as_ref());
    "tags" Texts |r, _| Got::Texts(&r.tags);
    "kind" Text |r, _| Got::Text(&r.kind);
    "impact" Text |r, _| optional(r.impact.as_ref());
    "urgency" Text |r, _| optional(r.urgency.as_ref());
    "priority" Text |r, _| optional(r.priority.as_ref());
    "team" Text |r, _| optional(r.team.as_ref());
    "assignee" Text |r, _| optional(r.assignee.as_ref());
    "attributes" Names |r, name| named(&r.attributes, name);
}

columns! { INTAKE Intake:
    "submitted-by" Text |r, _| Got::Text(&r.submitted_by);
    "headers" Names |r, name| named(&r.headers, name);
    "recent" Recent |r, _| Got::Recent(&r.recent);
}

columns! { RECENT Recent:
    "key" Text |r, _| Got::Text(&r.key);
    "request-type" Text |r, _| Got::Text(&r.request_type);
    "subject" Text |r, _| Got::Text(&r.subject);
    "state" Text |r, _| Got::Text(&r.state);
    "created-at" Time |r, _| Got::Time(r.created_at);
}

columns! { ATTACHMENT Attachment:
    "name" Text |r, _| Got::Text(&r.name);
    "media-type" Text |r, _| Got::Text(&r.media_type);
    "size" Number |r, _| Got::Number(wide(r.size));
}

columns! { ACCESS Access:
    "grants" Grants |r, _| Got::Grants(&r.grants);
}

columns! { REQUEST Request:
    "kind" Text |r, _| Got::Text(&r.kind);
    "app" Text |r, _| Got::Text(&r.app);
    "tier" Text |r, _| Got::Text(&r.tier);
    "role" Text |r, _| optional(r.role.as_ref());
    "groups" Texts |r, _| Got::Texts(&r.groups);
    "duration-hours" Number |r, _| counted(r.duration_hours);
    "justification" Text |r, _| Got::Text(&r.justification);
}

columns! { ITEM Item:
    "app" Text |r, _| Got::Text(&r.app);
    "name" Text |r, _| Got::Text(&r.name);
    "tier" Text |r, _| Got::Text(&r.tier);
    "risk" Text |r, _| Got::Text(&r.risk);
    "max-duration-hours" Number |r, _| counted(Some(r.max_duration_hours));
    "owner" Text |r, _| optional(r.owner.as_ref());
    "groups" Texts |r, _| Got::Texts(&r.groups);
    "seats-left" Number |r, _| counted(r.seats_left);
    "attributes" Names |r, name| named(&r.attributes, name);
}

columns! { GRANT Grant:
    "app" Text |r, _| Got::Text(&r.app);
    "tier" Text |r, _| Got::Text(&r.tier);
    "role" Text |r, _| optional(r.role.as_ref());
    "groups" Texts |r, _| Got::Texts(&r.groups);
    "granted-at" Time |r, _| Got::Time(r.granted_at);
    "expires-at" Time |r, _| Got::Time(r.expires_at);
    "state" Text |r, _| Got::Text(&r.state);
}

columns! { HISTORY History:
    "requested" Number |r, _| counted(Some(r.requested));
    "approved" Number |r, _| counted(Some(r.approved));
    "denied" Number |r, _| counted(Some(r.denied));
    "revoked" Number |r, _| counted(Some(r.revoked));
}

columns! { PEERS Peers:
    "department-size" Number |r, _| counted(Some(r.department_size));
    "department-holders" Number |r, _| counted(Some(r.department_holders));
    "percent" Number |r, _| Got::Number(r.share() * 100.0);
}

fn form(value: &Value) -> Got<'_> {
    match value {
        Value::Text(text) | Value::Choice(text) | Value::Date(text) => Got::Text(text),
        Value::Number(number) => Got::Number(*number),
        Value::Flag(flag) => Got::Flag(*flag),
        Value::Choices(options) => Got::Texts(options),
    }
}

fn optional(text: Option<&String>) -> Got<'_> {
    text.map_or(Got::Absent, |text| Got::Text(text))
}

fn counted<'a>(number: Option<u32>) -> Got<'a> {
    number.map_or(Got::Absent, |number| Got::Number(f64::from(number)))
}

#[expect(clippy::cast_precision_loss, reason = "sizes and counts are far below 2^53")]
pub fn wide(number: u64) -> f64 {
    number as f64
}

fn named<'a>(attributes: &'a [Attribute], name: &str) -> Got<'a> {
    let found = attributes.iter().find(|attribute| attribute.name == name);
    found.map_or(Got::Absent, |attribute| Got::Text(&attribute.value))
}

type Group = (&'static str, Root, &'static [Column]);

/// The groups of fields of a stage's input. What stands at the top of the input is in a group without a name.
pub fn groups(stage: Stage) -> Vec<Group> {
    let mut groups: Vec<Group> =
        vec![("now", Root::Now, NOW), ("ticket", Root::Ticket, TICKET), ("requester", Root::Requester, PERSON)];
    if stage == Stage::Intake {
        groups.push(("", Root::Input, INTAKE));
        return groups;
    }
    groups.push(("so-far", Root::SoFar, SO_FAR));
    if stage == Stage::Access {
        groups.extend([
            ("request", Root::Request, REQUEST),
            ("item", Root::Item, ITEM),
            ("subject", Root::Subject, PERSON),
            ("history", Root::History, HISTORY),
            ("peers", Root::Peers, PEERS),
            ("", Root::Input, ACCESS),
        ]);
    }
    groups
}

/// The fields of one element of a list.
pub fn elements(kind: Kind) -> &'static [Column] {
    match kind {
        Kind::Attachments => ATTACHMENT,
        Kind::Recent => RECENT,
        Kind::Grants => GRANT,
        _ => &[],
    }
}
