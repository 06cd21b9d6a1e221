//! A manifest's sparse input as a stage's whole input: what is left out is filled in as the builders do.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Question, build, moment};
use crate::types::{Attachment, Attribute, Field, Moment, Person, SoFar, Ticket, Value};
use crate::{access, categorization, intake, priority, routing};

/// An example's `input`.
#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Input {
    now: Now,
    ticket: SparseTicket,
    requester: SparsePerson,
    so_far: SparseSoFar,
    submitted_by: Option<String>,
    headers: BTreeMap<String, String>,
    recent: Vec<Recent>,
    request: Request,
    item: Item,
    subject: Option<SparsePerson>,
    grants: Vec<SparseGrant>,
    history: Counts,
    peers: Peers,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct Now {
    at: Option<u64>,
    utc_offset: Option<i16>,
    local_day: Option<i32>,
    weekday: Option<u8>,
    minute_of_day: Option<u16>,
    in_business_hours: Option<bool>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct SparseTicket {
    request_type: String,
    channel: Option<String>,
    subject: String,
    body: String,
    fields: BTreeMap<String, toml::Value>,
    tags: Vec<String>,
    signals: Vec<String>,
    attachments: Vec<SparseAttachment>,
    created_at: Option<u64>,
    attributes: BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct SparseAttachment {
    name: String,
    media_type: String,
    size: u64,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct SparsePerson {
    id: Option<String>,
    name: Option<String>,
    email: Option<String>,
    department: String,
    title: String,
    location: String,
    groups: Vec<String>,
    managers: Vec<String>,
    vip: bool,
    attributes: BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct SparseSoFar {
    category: Option<String>,
    tags: Vec<String>,
    kind: Option<String>,
    impact: Option<String>,
    urgency: Option<String>,
    priority: Option<String>,
    team: Option<String>,
    assignee: Option<String>,
    attributes: BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct Recent {
    key: String,
    request_type: String,
    subject: String,
    state: String,
    created_at: u64,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct Request {
    kind: Option<String>,
    app: String,
    tier: String,
    role: Option<String>,
    groups: Vec<String>,
    duration_hours: Option<u32>,
    justification: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct Item {
    app: Option<String>,
    name: Option<String>,
    tier: Option<String>,
    risk: Option<String>,
    max_duration_hours: Option<u32>,
    owner: Option<String>,
    groups: Vec<String>,
    seats_left: Option<u32>,
    attributes: BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct SparseGrant {
    app: String,
    tier: String,
    role: Option<String>,
    groups: Vec<String>,
    granted_at: u64,
    expires_at: u64,
    state: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct Counts {
    requested: u32,
    approved: u32,
    denied: u32,
    revoked: u32,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct Peers {
    department_size: u32,
    department_holders: u32,
}

impl Input {
    /// The whole input of a stage; an error says what is wrong.
    pub fn complete(mut self, stage: &str) -> Result<Question, String> {
        let now = std::mem::take(&mut self.now).complete();
        let ticket = std::mem::take(&mut self.ticket).complete(&now)?;
        let requester = std::mem::take(&mut self.requester).complete();
        let so_far = std::mem::take(&mut self.so_far).complete();
        Ok(match stage {
            "intake" => Question::Intake(intake::Input {
                now,
                ticket,
                submitted_by: self.submitted_by.unwrap_or_else(|| requester.id.clone()),
                requester,
                headers: attributes(self.headers),
                recent: self.recent.into_iter().map(Recent::complete).collect(),
            }),
            "categorization" => Question::Categorization(categorization::Input { now, ticket, requester, so_far }),
            "priority" => Question::Priority(priority::Input { now, ticket, requester, so_far }),
            "routing" => Question::Routing(routing::Input { now, ticket, requester, so_far }),
            "access" => Question::Access(self.access(now, ticket, requester, so_far)),
            other => return Err(format!("there is no stage `{other}`")),
        })
    }

    fn access(self, now: Moment, ticket: Ticket, requester: Person, so_far: SoFar) -> access::Input {
        access::Input {
            now,
            ticket,
            subject: self.subject.map_or_else(|| requester.clone(), SparsePerson::complete),
            requester,
            so_far,
            item: self.item.complete(&self.request),
            request: self.request.complete(),
            grants: self.grants.into_iter().map(SparseGrant::complete).collect(),
            history: self.history.complete(),
            peers: access::Peers {
                department_size: self.peers.department_size,
                department_holders: self.peers.department_holders,
            },
        }
    }
}

impl Now {
    fn complete(self) -> Moment {
        let usual = self.at.map_or_else(moment::usual, moment::from_instant);
        Moment {
            at: usual.at,
            utc_offset: self.utc_offset.unwrap_or(usual.utc_offset),
            local_day: self.local_day.unwrap_or(usual.local_day),
            weekday: self.weekday.unwrap_or(usual.weekday),
            minute_of_day: self.minute_of_day.unwrap_or(usual.minute_of_day),
            in_business_hours: self.in_business_hours.unwrap_or(usual.in_business_hours),
        }
    }
}

impl SparseTicket {
    fn complete(self, now: &Moment) -> Result<Ticket, String> {
        let fields = self.fields.into_iter().map(|(name, value)| {
            let value = field_value(value).ok_or(format!("the field `{name}` is of no known kind"))?;
            Ok(Field { name, value })
        });
        let attachments =
            self.attachments.into_iter().map(|a| Attachment { name: a.name, media_type: a.media_type, size: a.size });
        Ok(Ticket {
            request_type: self.request_type,
            channel: self.channel.unwrap_or_else(|| "api".to_owned()),
            subject: self.subject,
            body: self.body,
            fields: fields.collect::<Result<_, String>>()?,
            tags: self.tags,
            signals: self.signals,
            attachments: attachments.collect(),
            created_at: self.created_at.unwrap_or(now.at),
            attributes: attributes(self.attributes),
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers in forms are far below 2^53")]
fn field_value(value: toml::Value) -> Option<Value> {
    Some(match value {
        toml::Value::String(text) => Value::Text(text),
        toml::Value::Integer(number) => Value::Number(number as f64),
        toml::Value::Float(number) => Value::Number(number),
        toml::Value::Boolean(flag) => Value::Flag(flag),
        toml::Value::Array(options) => {
            Value::Choices(options.iter().map(|o| o.as_str().map(str::to_owned)).collect::<Option<_>>()?)
        }
        toml::Value::Table(table) => match (table.get("choice"), table.get("date")) {
            (Some(choice), None) => Value::Choice(choice.as_str()?.to_owned()),
            (None, Some(date)) => Value::Date(date.as_str()?.to_owned()),
            _ => return None,
        },
        toml::Value::Datetime(_) => return None,
    })
}

fn attributes(map: BTreeMap<String, String>) -> Vec<Attribute> {
    map.into_iter().map(|(name, value)| Attribute { name, value }).collect()
}

impl SparsePerson {
    fn complete(self) -> Person {
        let usual = build::person(self.id.as_deref().unwrap_or("somebody")).build();
        Person {
            name: self.name.unwrap_or(usual.name),
            email: self.email.unwrap_or(usual.email),
            id: usual.id,
            department: self.department,
            title: self.title,
            location: self.location,
            groups: self.groups,
            managers: self.managers,
            vip: self.vip,
            attributes: attributes(self.attributes),
        }
    }
}

impl SparseSoFar {
    fn complete(self) -> SoFar {
        SoFar {
            category: self.category,
            tags: self.tags,
            kind: self.kind.unwrap_or_else(|| "request".to_owned()),
            impact: self.impact,
            urgency: self.urgency,
            priority: self.priority,
            team: self.team,
            assignee: self.assignee,
            attributes: attributes(self.attributes),
        }
    }
}

impl Recent {
    fn complete(self) -> intake::RecentTicket {
        intake::RecentTicket {
            key: self.key,
            request_type: self.request_type,
            subject: self.subject,
            state: self.state,
            created_at: self.created_at,
        }
    }
}

impl Request {
    fn complete(self) -> access::Request {
        access::Request {
            kind: self.kind.unwrap_or_else(|| "new".to_owned()),
            app: self.app,
            tier: self.tier,
            role: self.role,
            groups: self.groups,
            duration_hours: self.duration_hours,
            justification: self.justification,
        }
    }
}

impl Item {
    fn complete(self, request: &Request) -> access::CatalogItem {
        let app = self.app.unwrap_or_else(|| request.app.clone());
        access::CatalogItem {
            name: self.name.unwrap_or_else(|| app.clone()),
            app,
            tier: self.tier.unwrap_or_else(|| request.tier.clone()),
            risk: self.risk.unwrap_or_else(|| "low".to_owned()),
            max_duration_hours: self.max_duration_hours.unwrap_or(720),
            owner: self.owner,
            groups: self.groups,
            seats_left: self.seats_left,
            attributes: attributes(self.attributes),
        }
    }
}

impl SparseGrant {
    fn complete(self) -> access::Grant {
        access::Grant {
            app: self.app,
            tier: self.tier,
            role: self.role,
            groups: self.groups,
            granted_at: self.granted_at,
            expires_at: self.expires_at,
            state: self.state,
        }
    }
}

impl Counts {
    fn complete(self) -> access::History {
        access::History {
            requested: self.requested,
            approved: self.approved,
            denied: self.denied,
            revoked: self.revoked,
        }
    }
}
