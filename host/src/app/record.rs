//! How a run of the rules is written down: each rule's part, the shared input, and what the calls cost.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::json;

use super::choice;
use crate::desk::actor::RuleRef;
use crate::rules::call::{Called, Fault};
use crate::rules::contract;
use crate::rules::digest::Digest;
use crate::rules::guest::{LogLine, Lookup};
use crate::rules::manifest::Mode;
use crate::rules::rule::Rule;
use crate::rules::stage::{Answer, Stage};

/// What one call cost and came to, for metrics, traces and the log.
#[derive(Debug, Clone)]
pub struct Sample {
    pub rule: RuleRef,
    pub stage: Stage,
    pub outcome: &'static str,
    /// What went wrong, in words.
    pub fault: Option<String>,
    pub mode: Mode,
    pub digest: Digest,
    /// Before the call.
    pub started: Instant,
    pub took: Duration,
    pub fuel: u64,
    /// The most memory that the call has held, in bytes.
    pub memory_peak: usize,
    pub log_cut: bool,
    /// Whether it chose something else than the stage came to.
    pub differs: bool,
}

/// One rule's part in a stage, as it is recorded.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Part<'a> {
    rule: &'a str,
    version: &'a str,
    component: String,
    manifest: String,
    mode: Mode,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<&'a Answer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
    fuel: u64,
    micros: u64,
    memory_peak: usize,
    #[serde(skip_serializing_if = "<[LogLine]>::is_empty")]
    log: &'a [LogLine],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    log_cut: bool,
    #[serde(skip_serializing_if = "<[Lookup]>::is_empty")]
    lookups: &'a [Lookup],
}

/// A value as JSON.
pub fn text(value: &impl Serialize) -> String {
    // Records of texts and numbers always have a JSON form; were one not to have one, the record would say so.
    serde_json::to_string(value).unwrap_or_else(|error| json!({ "unrecorded": error.to_string() }).to_string())
}

/// The parts of the input that the stages share.
pub fn common(now: &contract::Moment, ticket: &contract::Ticket, requester: &contract::Person) -> String {
    format!("{{\"now\":{},\"ticket\":{},\"requester\":{}}}", text(now), text(ticket), text(requester))
}

/// Intake saw the ticket before its changes, which the common part no longer shows.
pub fn with_ticket(input: &str, draft: &contract::Ticket) -> String {
    let rest = input.strip_prefix('{').unwrap_or(input);
    format!("{{\"ticket\":{},{rest}", text(draft))
}

/// A rule, what it said, and why that does not count.
pub struct Asking {
    pub rule: Arc<Rule>,
    pub called: Called,
    /// Why its answer does not count.
    pub fault: Option<Fault>,
}

impl Asking {
    /// The rule's part of the record.
    pub fn part(&self) -> Part<'_> {
        let manifest = &self.rule.manifest;
        Part {
            rule: manifest.name.as_str(),
            version: &manifest.version,
            component: self.rule.digest.to_string(),
            manifest: self.rule.manifest_digest.to_string(),
            mode: manifest.mode,
            outcome: self.outcome(),
            answer: self.called.result.as_ref().ok(),
            fault: self.fault.as_ref().map(ToString::to_string),
            fuel: self.called.fuel,
            micros: u64::try_from(self.called.took.as_micros()).unwrap_or(u64::MAX),
            memory_peak: self.called.memory_peak,
            log: &self.called.log,
            log_cut: self.called.log_cut,
            lookups: &self.called.lookups,
        }
    }

    fn outcome(&self) -> &'static str {
        self.fault.as_ref().map_or("answered", Fault::code)
    }

    /// What the call cost and came to; `chosen` is what the stage did.
    pub fn sample(&self, stage: Stage, chosen: Option<&str>) -> Sample {
        let answer = self.called.result.as_ref().ok().filter(|_| self.fault.is_none());
        Sample {
            rule: rule_ref(&self.rule),
            stage,
            outcome: self.outcome(),
            fault: self.fault.as_ref().map(ToString::to_string),
            mode: self.rule.manifest.mode,
            digest: self.rule.digest,
            started: self.called.started,
            took: self.called.took,
            fuel: self.called.fuel,
            memory_peak: self.called.memory_peak,
            log_cut: self.called.log_cut,
            differs: answer.and_then(choice::of).is_some_and(|choice| chosen.is_some_and(|chosen| chosen != choice)),
        }
    }
}

/// The rule and its version.
pub fn rule_ref(rule: &Rule) -> RuleRef {
    RuleRef { name: rule.manifest.name.as_str().to_owned(), version: rule.manifest.version.clone() }
}
