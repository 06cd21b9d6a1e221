//! A decision as it was recorded, put together again: the exact input, and one rule's part with the settings that it had.

use serde_json::{Map, Value};

use crate::desk::id::TicketNumber;
use crate::rules::stage::Stage;
use crate::store::{self, Store};

/// One rule's part in a recorded decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The exact input, as the contract has it.
    pub input: Value,
    /// The rule's part of the record: answer or fault, look-ups, and what it cost.
    pub part: Map<String, Value>,
    /// The rule's manifest at that time.
    pub manifest: Option<String>,
}

/// Why there is no such decision.
#[derive(Debug, thiserror::Error)]
pub enum RecordedError {
    #[error("there is no ticket {0}")]
    NoTicket(TicketNumber),
    #[error("no rule was asked about {ticket} at `{stage}`; the record has {known}")]
    NotAsked { ticket: TicketNumber, stage: Stage, known: String },
    #[error("`{rule}` was not asked about {ticket} at `{stage}`; asked were {known}")]
    NoRule { rule: String, ticket: TicketNumber, stage: Stage, known: String },
    #[error("several rules were asked about {ticket} at `{stage}`: choose one with --rule: {known}")]
    WhichRule { ticket: TicketNumber, stage: Stage, known: String },
    #[error("the record of {ticket} at `{stage}` cannot be read: {message}")]
    Unreadable { ticket: TicketNumber, stage: Stage, message: String },
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// The last decision about a ticket at a stage, as one rule saw it.
///
/// # Errors
///
/// Says what there is instead.
pub async fn recorded(
    store: &Store,
    number: TicketNumber,
    stage: Stage,
    rule: Option<&str>,
) -> Result<Recorded, RecordedError> {
    let ticket = store.ticket(number).await?.ok_or(RecordedError::NoTicket(number))?;
    let runs = store.runs(ticket.id).await?;
    let found = runs.iter().rev().find_map(|run| {
        let decision = run.decisions.iter().find(|decision| decision.stage == stage.name())?;
        Some((run, decision))
    });
    let Some((run, decision)) = found else {
        let mut stages: Vec<&str> = runs.iter().flat_map(|r| &r.decisions).map(|d| d.stage.as_str()).collect();
        stages.sort_unstable();
        stages.dedup();
        return Err(RecordedError::NotAsked { ticket: number, stage, known: listed(&stages) });
    };
    let unreadable =
        |error: serde_json::Error| RecordedError::Unreadable { ticket: number, stage, message: error.to_string() };
    let mut input: Map<String, Value> = serde_json::from_str(&run.common).map_err(unreadable)?;
    input.extend(serde_json::from_str::<Map<String, Value>>(&decision.input).map_err(unreadable)?);
    if stage == Stage::Intake {
        // What the stages after it share and it does not see.
        input.remove("so-far");
    }
    let parts: Vec<Map<String, Value>> = serde_json::from_str(&decision.rules).map_err(unreadable)?;
    let part = choose(&parts, rule, number, stage)?.clone();
    let text = |key: &str| part.get(key).and_then(Value::as_str).unwrap_or_default();
    let version = store.rule_version(text("component"), text("manifest")).await?;
    Ok(Recorded { input: Value::Object(input), manifest: version.map(|version| version.manifest), part })
}

fn choose<'a>(
    parts: &'a [Map<String, Value>],
    rule: Option<&str>,
    ticket: TicketNumber,
    stage: Stage,
) -> Result<&'a Map<String, Value>, RecordedError> {
    let name = |part: &'a Map<String, Value>| part.get("rule").and_then(Value::as_str).unwrap_or_default();
    let known = listed(&parts.iter().map(name).collect::<Vec<_>>());
    match (rule, parts) {
        (Some(rule), _) => parts.iter().find(|part| name(part) == rule).ok_or_else(|| RecordedError::NoRule {
            rule: rule.to_owned(),
            ticket,
            stage,
            known,
        }),
        (None, [part]) => Ok(part),
        (None, []) => Err(RecordedError::NotAsked { ticket, stage, known: "no rule there".to_owned() }),
        (None, _) => Err(RecordedError::WhichRule { ticket, stage, known }),
    }
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}
