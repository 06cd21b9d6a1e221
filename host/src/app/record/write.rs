//! How a run of the rules is written down: each rule's part, the shared input, and what the calls cost.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::json;

use crate::app::decide::disagree::Difference;
use crate::app::decide::headline;
use crate::desk::actor::RuleRef;
use crate::rules::contract;
use crate::rules::digest::Digest;
use crate::rules::live::catalog::Role;
use crate::rules::live::rollout::VersionId;
use crate::rules::live::slots::version_of;
use crate::rules::run::call::{Called, Fault};
use crate::rules::run::guest::{LogLine, Lookup};
use crate::rules::run::manifest::{Canary, Suspend};
use crate::rules::run::rule::Rule;
use crate::rules::run::stage::{Answer, Stage};

/// What one call cost and came to, for metrics, traces and the log.
#[derive(Debug, Clone)]
pub struct Sample {
    pub rule: RuleRef,
    pub stage: Stage,
    pub outcome: &'static str,
    /// What went wrong, in words.
    pub fault: Option<String>,
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
    pub role: Role,
    pub version: VersionId,
    /// The fields in which a candidate differs from the stable version; empty where they agree.
    pub disagrees: String,
    pub canary: Canary,
    pub suspend: Suspend,
}

/// One rule's part in a stage, as it is recorded.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Part<'a> {
    rule: &'a str,
    version: &'a str,
    component: String,
    manifest: String,
    mode: Role,
    #[serde(skip_serializing_if = "<[Difference]>::is_empty")]
    disagrees: &'a [Difference],
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
    pub role: Role,
    pub called: Called,
    /// Where it differs from the stable version's answer, or that from it.
    pub disagrees: Vec<Difference>,
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
            mode: self.role,
            disagrees: &self.disagrees,
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
            digest: self.rule.digest,
            started: self.called.started,
            took: self.called.took,
            fuel: self.called.fuel,
            memory_peak: self.called.memory_peak,
            log_cut: self.called.log_cut,
            differs: answer.and_then(headline::of).is_some_and(|choice| chosen.is_some_and(|chosen| chosen != choice)),
            role: self.role,
            version: version_of(&self.rule),
            disagrees: self.disagrees.iter().map(|d| d.field.as_str()).collect::<Vec<_>>().join(", "),
            canary: self.rule.manifest.canary,
            suspend: self.rule.manifest.suspend,
        }
    }
}

/// The rule and its version.
pub fn rule_ref(rule: &Rule) -> RuleRef {
    RuleRef { name: rule.manifest.name.as_str().to_owned(), version: rule.manifest.version.clone() }
}
