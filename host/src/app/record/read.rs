//! A decision as it was recorded, put together again: the exact input, and one rule's part with the settings that it had.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::value::MapDeserializer;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::app::Office;
use crate::desk::actor::Actor;
use crate::desk::id::TicketNumber;
use crate::desk::permission;
use crate::desk::refusal::Refusal;
use crate::desk::ticket::Ticket;
use crate::rules::run::stage::{Input, Stage};
use crate::store;
use crate::store::rules::decisions::{Damage, RUNS_AT_ONCE, RunTexts, StoredDecision};

/// The exact input of a recorded stage: its run's shared part with the stage's own laid over it, key by key.
#[derive(Debug)]
pub struct ExactInput<'a>(BTreeMap<Cow<'a, str>, &'a RawValue>);

impl<'a> ExactInput<'a> {
    /// Puts it together of the texts that a run and a decision hold.
    ///
    /// # Errors
    ///
    /// Where one of them is no JSON object.
    pub fn of(common: &'a str, own: &'a str) -> Result<Self, serde_json::Error> {
        let mut whole: BTreeMap<Cow<'a, str>, &'a RawValue> = fields(common)?;
        whole.extend(fields(own)?);
        Ok(Self(whole))
    }

    /// As the contract's JSON.
    ///
    /// # Errors
    ///
    /// Never for what `of` took.
    pub fn json(&self) -> Result<Map<String, Value>, serde_json::Error> {
        self.0.iter().map(|(key, value)| Ok((key.to_string(), serde_json::from_str(value.get())?))).collect()
    }

    /// As rules are asked with it. A rule that did not want the recent tickets was not shown them: `stages::ask_one` sees to that.
    ///
    /// # Errors
    ///
    /// Where it is not an input of that stage.
    pub fn input(&self, stage: Stage) -> Result<Input, serde_json::Error> {
        Input::read(stage, MapDeserializer::new(self.0.iter().map(|(key, value)| (key.as_ref(), *value))))
    }
}

/// A JSON object's fields, each as it is written.
fn fields(text: &str) -> Result<BTreeMap<Cow<'_, str>, &RawValue>, serde_json::Error> {
    #[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
    struct Key<'a>(#[serde(borrow)] Cow<'a, str>);
    let fields: BTreeMap<Key<'_>, &RawValue> = serde_json::from_str(text)?;
    Ok(fields.into_iter().map(|(key, value)| (key.0, value)).collect())
}

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
    Refused(#[from] Refusal),
    #[error(transparent)]
    Damaged(#[from] Damage),
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Office {
    /// The last decision about a ticket at a stage, as one rule saw it.
    ///
    /// # Errors
    ///
    /// Says what there is instead.
    pub async fn recorded_decision(
        &self,
        actor: &Actor,
        number: TicketNumber,
        stage: Stage,
        rule: Option<&str>,
    ) -> Result<Recorded, RecordedError> {
        permission::read_decisions(actor)?;
        let ticket = self.store.ticket(number).await?.ok_or(RecordedError::NoTicket(number))?;
        let (run, decision) = self.last_at(&ticket, stage).await?;
        let unreadable =
            |error: serde_json::Error| RecordedError::Unreadable { ticket: number, stage, message: error.to_string() };
        let input = ExactInput::of(&run.common, &decision.input).and_then(|exact| exact.json()).map_err(unreadable)?;
        let parts: Vec<Map<String, Value>> = serde_json::from_str(&decision.rules).map_err(unreadable)?;
        let part = choose(&parts, rule, number, stage)?.clone();
        let text = |key: &str| part.get(key).and_then(Value::as_str).unwrap_or_default();
        let version = self.store.rule_version(text("component"), text("manifest")).await?;
        Ok(Recorded { input: Value::Object(input), manifest: version.map(|version| version.manifest), part })
    }

    /// The last decision about a ticket at a stage, with the texts of its run: page by page from the newest run.
    async fn last_at(&self, ticket: &Ticket, stage: Stage) -> Result<(RunTexts, StoredDecision), RecordedError> {
        let (mut stages, mut damaged, mut before) = (BTreeSet::new(), None, None);
        loop {
            let page = self.store.runs_page_back(ticket.id, before, RUNS_AT_ONCE).await?;
            for run in page.items {
                match run.recorded {
                    Ok(texts) => {
                        let found = texts.decisions.iter().find(|decision| decision.stage == stage.name()).cloned();
                        if let Some(decision) = found {
                            return Ok((texts, decision));
                        }
                        stages.extend(texts.decisions.into_iter().map(|decision| decision.stage));
                    }
                    Err(damage) => damaged = Some(damage),
                }
            }
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        if let Some(damage) = damaged {
            return Err(damage.into());
        }
        let stages: Vec<&str> = stages.iter().map(String::as_str).collect();
        Err(RecordedError::NotAsked { ticket: ticket.number, stage, known: listed(&stages) })
    }
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
