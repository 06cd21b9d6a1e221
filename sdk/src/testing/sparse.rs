//! A manifest's sparse input as a stage's whole input: what is left out is filled in as the desk does, field by field, so that
//! an example holds here exactly where it holds there. `tests/conformance/rust` has the two compared.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::value::{Datetime, Offset};

use super::Question;
use super::moment::days;
use super::spoken::{Resolution, Words};
use crate::types::{Attachment, Attribute, Field, Moment, Person, SoFar, Ticket, Value};
use crate::{access, categorization, closing, intake, priority, routing};

/// A Monday at noon, UTC: the moment of an example that names none.
pub(super) const AT: u64 = 1_767_614_400_000;

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
    subject: SparsePerson,
    grants: Vec<SparseGrant>,
    history: Counts,
    peers: Peers,
    words: Words,
    state: Option<String>,
    resolution: Resolution,
    reopened: u32,
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
    attachments: Vec<WholeAttachment>,
    created_at: Option<u64>,
    attributes: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct WholeAttachment {
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
    department: Option<String>,
    title: Option<String>,
    location: Option<String>,
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
    key: Option<String>,
    request_type: String,
    subject: String,
    state: Option<String>,
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
    app: String,
    name: String,
    tier: String,
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
    state: Option<String>,
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
    /// The same input at an instant: the clock, the day and the hours follow from it, as far as the input does not say them.
    pub fn at(mut self, at: &toml::Value) -> Result<Input, String> {
        let instant = self.now.fill(&at.as_str().map_or_else(|| at.to_string(), str::to_owned))?;
        self.ticket.created_at.get_or_insert(instant);
        Ok(self)
    }

    /// The whole input of a stage; an error says what is wrong.
    pub fn complete(mut self, stage: &str) -> Result<Question, String> {
        let now = std::mem::take(&mut self.now).complete();
        let ticket = std::mem::take(&mut self.ticket).complete()?;
        let requester = std::mem::take(&mut self.requester).complete();
        let so_far = std::mem::take(&mut self.so_far).complete();
        Ok(match stage {
            "intake" => Question::Intake(intake::Input {
                now,
                ticket,
                submitted_by: or(self.submitted_by, "amara"),
                requester,
                headers: attributes(self.headers),
                recent: self.recent.into_iter().map(Recent::complete).collect(),
            }),
            "categorization" => Question::Categorization(categorization::Input { now, ticket, requester, so_far }),
            "priority" => Question::Priority(priority::Input { now, ticket, requester, so_far }),
            "routing" => Question::Routing(routing::Input { now, ticket, requester, so_far }),
            "access" => Question::Access(self.access(now, ticket, requester, so_far)),
            "closing" => Question::Closing(closing::Input {
                now,
                ticket,
                requester,
                so_far,
                words: self.words.complete(),
                state: or(self.state, "resolved"),
                resolution: self.resolution.complete(),
                reopened: self.reopened,
            }),
            other => return Err(format!("there is no stage `{other}`")),
        })
    }

    fn access(self, now: Moment, ticket: Ticket, requester: Person, so_far: SoFar) -> access::Input {
        access::Input {
            now,
            ticket,
            subject: self.subject.complete(),
            requester,
            so_far,
            item: self.item.complete(),
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

pub(super) fn or(given: Option<String>, usual: &str) -> String {
    given.unwrap_or_else(|| usual.to_owned())
}

impl Now {
    /// Fills in what an instant says and the input does not.
    fn fill(&mut self, at: &str) -> Result<u64, String> {
        let wrong = || format!("`at`: `{at}` is no instant with an offset, such as `2026-11-30T19:30:00+01:00`");
        let Datetime { date: Some(date), time: Some(time), offset: Some(offset) } = at.parse().map_err(|_| wrong())?
        else {
            return Err(wrong());
        };
        let east = match offset {
            Offset::Z => 0,
            Offset::Custom { minutes } => minutes,
        };
        let day = days(date.year.into(), date.month.into(), date.day.into());
        let day = i32::try_from(day).map_err(|_| wrong())?;
        let minute = u16::from(time.hour) * 60 + u16::from(time.minute);
        let millisecond = i64::from(time.nanosecond.unwrap_or_default() / 1_000_000);
        let minutes = i64::from(day) * 24 * 60 + i64::from(minute) - i64::from(east);
        let instant = (minutes * 60 + i64::from(time.second.unwrap_or_default())) * 1000 + millisecond;
        let instant = u64::try_from(instant).map_err(|_| wrong())?;
        // 1970 began on a Thursday.
        let weekday = u8::try_from((day + 3).rem_euclid(7) + 1).map_err(|_| wrong())?;
        self.at.get_or_insert(instant);
        self.utc_offset.get_or_insert(east);
        self.local_day.get_or_insert(day);
        self.weekday.get_or_insert(weekday);
        self.minute_of_day.get_or_insert(minute);
        self.in_business_hours.get_or_insert(weekday <= 5 && (8 * 60..18 * 60).contains(&minute));
        Ok(instant)
    }

    fn complete(self) -> Moment {
        Moment {
            at: self.at.unwrap_or(AT),
            utc_offset: self.utc_offset.unwrap_or(0),
            local_day: self.local_day.unwrap_or(20_458),
            weekday: self.weekday.unwrap_or(1),
            minute_of_day: self.minute_of_day.unwrap_or(720),
            in_business_hours: self.in_business_hours.unwrap_or(true),
        }
    }
}

impl SparseTicket {
    fn complete(self) -> Result<Ticket, String> {
        let fields = self.fields.into_iter().map(|(name, value)| {
            let value = field_value(value).ok_or(format!("the field `{name}` is of no known kind"))?;
            Ok(Field { name, value })
        });
        Ok(Ticket {
            request_type: self.request_type,
            channel: or(self.channel, "api"),
            subject: self.subject,
            body: self.body,
            fields: fields.collect::<Result<_, String>>()?,
            tags: self.tags,
            signals: self.signals,
            attachments: files(self.attachments),
            created_at: self.created_at.unwrap_or(AT),
            attributes: attributes(self.attributes),
        })
    }
}

pub(super) fn files(attachments: Vec<WholeAttachment>) -> Vec<Attachment> {
    let file = |a: WholeAttachment| Attachment { name: a.name, media_type: a.media_type, size: a.size };
    attachments.into_iter().map(file).collect()
}

fn field_value(value: toml::Value) -> Option<Value> {
    Some(match value {
        toml::Value::String(text) => Value::Text(text),
        toml::Value::Integer(_) | toml::Value::Float(_) => Value::Number(number(&value)?),
        toml::Value::Boolean(flag) => Value::Flag(flag),
        toml::Value::Array(options) => Value::Choices(choices(&options)?),
        toml::Value::Table(table) => written_out(&table)?,
        toml::Value::Datetime(_) => return None,
    })
}

/// `{ choice = "x" }`: a value that says its kind.
fn written_out(table: &toml::Table) -> Option<Value> {
    let mut cases = table.iter();
    let ((kind, value), None) = (cases.next()?, cases.next()) else { return None };
    Some(match kind.as_str() {
        "text" => Value::Text(value.as_str()?.to_owned()),
        "number" => Value::Number(number(value)?),
        "flag" => Value::Flag(value.as_bool()?),
        "date" => Value::Date(value.as_str()?.to_owned()),
        "choice" => Value::Choice(value.as_str()?.to_owned()),
        "choices" => Value::Choices(choices(value.as_array()?)?),
        _ => return None,
    })
}

#[expect(clippy::cast_precision_loss, reason = "numbers in forms are far below 2^53")]
fn number(value: &toml::Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|number| number as f64))
}

fn choices(options: &[toml::Value]) -> Option<Vec<String>> {
    options.iter().map(|option| option.as_str().map(str::to_owned)).collect()
}

fn attributes(map: BTreeMap<String, String>) -> Vec<Attribute> {
    map.into_iter().map(|(name, value)| Attribute { name, value }).collect()
}

impl SparsePerson {
    fn complete(self) -> Person {
        Person {
            id: or(self.id, "amara"),
            name: or(self.name, "Amara Okafor"),
            email: or(self.email, "amara@example.org"),
            department: or(self.department, "Finance"),
            title: or(self.title, "Controller"),
            location: or(self.location, "Berlin"),
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
            kind: or(self.kind, "incident"),
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
            key: or(self.key, "IT-1"),
            request_type: self.request_type,
            subject: self.subject,
            state: or(self.state, "open"),
            created_at: self.created_at,
        }
    }
}

impl Request {
    fn complete(self) -> access::Request {
        access::Request {
            kind: or(self.kind, "new"),
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
    fn complete(self) -> access::CatalogItem {
        access::CatalogItem {
            app: self.app,
            name: self.name,
            tier: self.tier,
            risk: or(self.risk, "low"),
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
            state: or(self.state, "active"),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The desk makes the same of the same instant.
    #[test]
    fn the_clock_of_an_example_follows_from_one_instant() {
        let now = |at: &str, sparse: &str| {
            let input: Input = toml::from_str(sparse).unwrap();
            let Ok(Question::Priority(input)) =
                input.at(&toml::Value::String(at.to_owned())).unwrap().complete("priority")
            else {
                panic!("it is asked about priority");
            };
            input.now
        };
        let evening = now("2026-11-30T19:30:00+01:00", "");
        assert_eq!((evening.at, evening.utc_offset, evening.local_day), (1_796_063_400_000, 60, 20787));
        assert_eq!((evening.weekday, evening.minute_of_day, evening.in_business_hours), (1, 1170, false));
        assert_eq!(now("2026-01-05T12:00:00Z", ""), Now::default().complete());
        assert!(now("2026-11-30T19:30:00+01:00", "now.in-business-hours = true").in_business_hours);
        let wrong = Input::default().at(&toml::Value::String("tomorrow".to_owned()));
        assert!(wrong.is_err());
    }
}
