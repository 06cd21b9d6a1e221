//! Tickets and what belongs to them as JSON.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value as Json;
use utoipa::ToSchema;

use crate::app::access::decide::ListedGrant;
use crate::app::record::read::ExactInput;
use crate::app::tickets::work::{RunTexts, StoredRun};
use crate::app::tickets::work::{StoredEntry, StoredMessage};
use crate::desk::access::{AccessCase, EndReason, Grant};
use crate::desk::actor::Author;
use crate::desk::organisation::form::{INTEGER_MAX, Value};
use crate::desk::sla::Clock;
use crate::desk::ticket::Ticket;
use crate::desk::ticket::sight::{Part, Sight};
use crate::desk::ticket::timeline::Field;

/// A ticket.
#[derive(Serialize, ToSchema)]
pub struct TicketView {
    /// The short key, such as `IT-1042`.
    pub key: String,
    /// The id, UUID version 7.
    pub id: String,
    /// Send it back in `If-Match` to change the ticket. Readers of whom something is hidden count what they see.
    pub version: i64,
    pub request_type: String,
    /// `incident`, `request`, `problem` or `change`.
    pub kind: &'static str,
    pub channel: String,
    pub requester: String,
    pub submitted_by: String,
    pub subject: String,
    pub body: String,
    #[schema(value_type = Object)]
    pub fields: BTreeMap<String, Json>,
    /// Absent for readers who do not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// The signals of intake rules. Absent for readers who do not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signals: Option<Vec<String>>,
    pub category: String,
    /// Absent for readers who do not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub impact: Option<Option<String>>,
    /// Absent for readers who do not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub urgency: Option<Option<String>>,
    pub priority: String,
    /// Absent for readers who do not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Absent for readers who do not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub assignee: Option<Option<String>>,
    /// The escalation tier; 1 is the first line. Absent for readers who do not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<u8>,
    pub state: &'static str,
    /// The day on which the ticket is `in_progress` again by itself, where it waits until one: the next on which the desk is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub waits_until: Option<String>,
    /// A ticket that this one seems to repeat. Absent for readers who do not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub duplicate_of: Option<Option<String>>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub resolved_at: Option<Timestamp>,
    pub first_response: ClockView,
    pub resolution: ClockView,
    /// What the ticket asks access to, where it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<AccessView>,
}

/// A promise, in the calendar's open time.
#[derive(Serialize, ToSchema)]
pub struct ClockView {
    pub target_minutes: i64,
    /// When it runs out if nothing pauses it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub due_at: Option<Timestamp>,
    /// When it was kept, in time or late.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub met_at: Option<Timestamp>,
}

impl From<Clock> for ClockView {
    fn from(clock: Clock) -> Self {
        Self { target_minutes: clock.target_ms / 60_000, due_at: clock.due_at, met_at: clock.met_at }
    }
}

/// A request for access.
#[derive(Serialize, ToSchema)]
pub struct AccessView {
    pub app: String,
    pub tier: String,
    /// Who is to have the access.
    pub subject: String,
    /// What for, in the words of who asked.
    pub justification: String,
    /// `awaiting`, `approved`, `denied`, `denied_by_policy` or `cancelled`.
    pub state: &'static str,
    /// Why the rules said so.
    pub reason: String,
    /// What is granted once all agree.
    pub scope: Option<ScopeView>,
    /// Who may decide now.
    pub awaited: Vec<String>,
    pub decisions: Vec<HumanDecisionView>,
}

/// What is granted.
#[derive(Serialize, ToSchema)]
pub struct ScopeView {
    pub tier: String,
    pub role: Option<String>,
    pub groups: Vec<String>,
    pub duration_hours: u32,
}

/// What one approver said.
#[derive(Serialize, ToSchema)]
pub struct HumanDecisionView {
    /// Counted from 1.
    pub step: usize,
    pub approver: String,
    /// Those who let the approver decide for them; none where the approver was asked as well.
    pub in_place_of: Vec<String>,
    pub approve: bool,
    pub reason: String,
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
}

impl From<AccessCase> for AccessView {
    fn from(case: AccessCase) -> Self {
        let awaited = case.awaited().into_iter().map(ToString::to_string).collect();
        Self {
            app: case.request.app.to_string(),
            tier: case.request.tier.to_string(),
            subject: case.request.subject.to_string(),
            justification: case.request.justification,
            state: case.state.code(),
            reason: case.reason,
            scope: case.scope.map(|scope| ScopeView {
                tier: scope.tier.to_string(),
                role: scope.role,
                groups: scope.groups,
                duration_hours: scope.duration_hours,
            }),
            awaited,
            decisions: case
                .decisions
                .into_iter()
                .map(|d| HumanDecisionView {
                    step: d.step + 1,
                    approver: d.approver.to_string(),
                    in_place_of: d.in_place_of.iter().map(ToString::to_string).collect(),
                    approve: d.approve,
                    reason: d.reason,
                    at: d.at,
                })
                .collect(),
        }
    }
}

fn field(value: Value) -> Json {
    match value {
        Value::Text(text) | Value::Choice(text) => Json::from(text),
        Value::Number(number) => whole(number).map_or_else(|| Json::from(number), Json::from),
        Value::Flag(flag) => Json::from(flag),
        Value::Date(date) => Json::from(date.to_string()),
        Value::Choices(choices) => Json::from(choices),
    }
}

/// A number that is whole, as one: `40` and not `40.0`.
fn whole(number: f64) -> Option<i64> {
    let is_whole = number.fract() == 0.0 && number.abs() <= INTEGER_MAX as f64;
    is_whole.then_some(number as i64)
}

impl TicketView {
    /// A ticket and its access request, as one reader sees them.
    pub fn new(ticket: Ticket, access: Option<AccessCase>, sight: &Sight) -> Self {
        let set = |field| Part::Set(field);
        let submitted = Arc::unwrap_or_clone(ticket.submitted);
        Self {
            key: ticket.number.to_string(),
            id: ticket.id.to_string(),
            version: sight.version(ticket.version),
            request_type: submitted.request_type.to_string(),
            kind: ticket.kind.code(),
            channel: submitted.channel,
            requester: submitted.requester.to_string(),
            submitted_by: submitted.submitted_by.to_string(),
            subject: submitted.subject,
            body: submitted.body,
            fields: submitted.fields.into_iter().map(|(name, value)| (name, field(value))).collect(),
            tags: sight.of(set(Field::Tags), ticket.tags.iter().map(ToString::to_string).collect()),
            signals: sight.of(Part::Signals, submitted.signals),
            category: ticket.category.to_string(),
            impact: sight.of(set(Field::Impact), ticket.impact.map(|id| id.to_string())),
            urgency: sight.of(set(Field::Urgency), ticket.urgency.map(|id| id.to_string())),
            priority: ticket.priority.to_string(),
            team: sight.of(set(Field::Team), ticket.team.to_string()),
            assignee: sight.of(Part::Assignee, ticket.assignee.map(|id| id.to_string())),
            tier: sight.of(set(Field::Tier), ticket.tier),
            state: ticket.state.code(),
            waits_until: None,
            duplicate_of: sight.of(Part::DuplicateOf, ticket.duplicate_of.map(|number| number.to_string())),
            created_at: submitted.at,
            updated_at: sight.updated_at(ticket.updated_at),
            resolved_at: ticket.resolved_at,
            first_response: ticket.clocks.first_response.into(),
            resolution: ticket.clocks.resolution.into(),
            access: access.map(AccessView::from),
        }
    }
}

/// One thing that happened to a ticket.
#[derive(Serialize, ToSchema)]
pub struct EntryView {
    /// Its place among the entries that you see, counted from 1.
    pub seq: i64,
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// `person`, `system` or `rule`.
    pub by: &'static str,
    /// The person's id, or the rule's name and version, which only agents and admins see.
    pub author: String,
    /// `public` or `internal`.
    pub visibility: &'static str,
    pub kind: &'static str,
    #[schema(value_type = Object)]
    pub details: Json,
}

impl EntryView {
    /// An entry, as one sees it who works on tickets, or another reader.
    pub fn new(StoredEntry { seq, entry }: StoredEntry, works_on_tickets: bool) -> Self {
        let (by, author) = match entry.author {
            Author::System => ("system", String::new()),
            Author::Person(person) => ("person", person.to_string()),
            Author::Rule(rule) if works_on_tickets => ("rule", rule.to_string()),
            Author::Rule(_) => ("rule", String::new()),
        };
        let details = entry.event.details().into_iter().map(|(name, text)| (name.to_owned(), Json::String(text)));
        Self {
            seq,
            at: entry.at,
            by,
            author,
            visibility: entry.visibility.code(),
            kind: entry.event.kind(),
            details: Json::Object(details.collect()),
        }
    }
}

fn parsed(text: &str) -> Json {
    with_whole_numbers(serde_json::from_str(text).unwrap_or(Json::Null))
}

/// A value in which numbers that are whole are written so.
fn with_whole_numbers(value: Json) -> Json {
    match value {
        Json::Number(number) if number.is_f64() => {
            let whole = number.as_f64().and_then(whole);
            whole.map_or(Json::Number(number), Json::from)
        }
        Json::Array(items) => items.into_iter().map(with_whole_numbers).collect(),
        Json::Object(fields) => {
            Json::Object(fields.into_iter().map(|(name, value)| (name, with_whole_numbers(value))).collect())
        }
        other => other,
    }
}

/// A message that a ticket has queued.
#[derive(Serialize, ToSchema)]
pub struct MessageView {
    pub kind: String,
    pub recipient: String,
    #[schema(value_type = String, format = DateTime)]
    pub queued_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub sent_at: Option<Timestamp>,
    /// `waiting`, `sent`, `not-sent` where its recipient was not to get it, or `given-up`.
    pub state: &'static str,
    /// The words of the mail relay that took it, or why it was not to be sent; empty while it waits.
    pub receipt: String,
    /// How often it was tried.
    pub attempts: i64,
    /// Why the last attempt failed; empty where none has.
    pub last_error: String,
}

impl From<StoredMessage> for MessageView {
    fn from(message: StoredMessage) -> Self {
        let StoredMessage {
            kind, recipient, queued_at, sent_at, receipt, attempts, last_error, is_dead, not_sent, ..
        } = message;
        let state = match sent_at {
            Some(_) if not_sent => "not-sent",
            Some(_) => "sent",
            None if is_dead => "given-up",
            None => "waiting",
        };
        Self { kind, recipient, queued_at, sent_at, state, receipt, attempts, last_error }
    }
}

/// One run of the rules for a ticket.
#[derive(Serialize, ToSchema)]
pub struct RunView {
    pub id: String,
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The generation of rules that decided; it counts within one process.
    pub generation: i64,
    /// The revision of the deployments that these rules were of, which means the same at all hosts; none where the host was
    /// between two of them.
    pub revision: Option<i64>,
    pub cause: String,
    /// What ran the rules: this program's version and the WebAssembly runtime's; empty for runs from before it was recorded.
    pub engine: String,
    pub stages: Vec<StageView>,
    /// Why the record cannot be read; absent where it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub damage: Option<String>,
}

/// One stage of a run.
#[derive(Serialize, ToSchema)]
pub struct StageView {
    pub stage: String,
    /// The combined result, and who set what.
    #[schema(value_type = Object)]
    pub verdict: Json,
    /// Each rule's part: version, digests, outcome, answer, fuel, time, log.
    #[schema(value_type = Vec<Object>)]
    pub rules: Json,
    /// The exact input that the rules of this stage were asked with.
    #[schema(value_type = Object)]
    pub input: Json,
}

impl From<StoredRun> for RunView {
    fn from(run: StoredRun) -> Self {
        let StoredRun { id, at, generation, revision, recorded, .. } = run;
        let (texts, damage) = match recorded {
            Ok(texts) => (texts, None),
            Err(damage) => (RunTexts::default(), Some(damage.to_string())),
        };
        let RunTexts { cause, engine, common, decisions } = texts;
        let mut stages: Vec<StageView> = decisions
            .into_iter()
            .map(|decision| StageView {
                verdict: parsed(&decision.verdict),
                rules: parsed(&decision.rules),
                input: ExactInput::of(&common, &decision.input)
                    .and_then(|exact| exact.json())
                    .map_or(Json::Null, |input| with_whole_numbers(Json::Object(input))),
                stage: decision.stage,
            })
            .collect();
        stages.sort_by_key(|stage| stage_order(&stage.stage));
        Self { id: id.to_string(), at, generation, revision, cause, engine, stages, damage }
    }
}

/// Where a stage stands among those that a ticket passes; one that is none of them comes last.
fn stage_order(name: &str) -> usize {
    const ORDER: [&str; 6] = ["intake", "categorization", "priority", "routing", "access", "closing"];
    ORDER.iter().position(|stage| *stage == name).unwrap_or(ORDER.len())
}

/// Access that somebody holds or has held.
#[derive(Debug, Serialize, ToSchema)]
pub struct GrantView {
    pub id: String,
    pub subject: String,
    pub app: String,
    pub tier: String,
    pub role: Option<String>,
    pub groups: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    pub granted_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// When it was taken back before its time.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub revoked_at: Option<Timestamp>,
    /// Whether it gives access now.
    pub effective: bool,
    /// How far the app has come with it: `provisioning`, `active`, `deprovisioning`, `ended`, `compensating` or `failed`.
    pub state: &'static str,
    /// Why it ended: `expired`, `revoked`, `given-back`, `replaced`, `left`, `refused`, `reviewed`, `moved`, `not-begun` or
    /// `removed-in-app`.
    pub end_reason: Option<&'static str>,
    /// Which of these cannot be read, so that the grant gives no access here; absent where all can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub damage: Option<String>,
}

/// The columns of a row that cannot be read, in words; `None` where there are none.
pub fn damage(columns: &[&str]) -> Option<String> {
    let all = || columns.iter().map(|column| format!("`{column}`")).collect::<Vec<_>>().join(", ");
    (!columns.is_empty()).then(|| format!("{} cannot be read: put the row back from a backup", all()))
}

impl GrantView {
    /// A grant, and whether it gives access now.
    pub fn new((grant, effective): (Grant, bool)) -> Self {
        Self {
            id: grant.id.to_string(),
            subject: grant.subject.to_string(),
            app: grant.app.to_string(),
            tier: grant.tier.to_string(),
            role: grant.role,
            groups: grant.groups,
            granted_at: grant.granted_at,
            expires_at: grant.expires_at,
            revoked_at: grant.revoked_at,
            effective,
            state: grant.state.code(),
            end_reason: grant.end_reason.map(EndReason::code),
            damage: None,
        }
    }

    /// The same of a list.
    pub fn listed((ListedGrant { grant, damaged }, effective): (ListedGrant, bool)) -> Self {
        Self { damage: damage(&damaged), ..Self::new((grant, effective)) }
    }
}
