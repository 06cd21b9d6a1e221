//! How a run of the rules is written down: each rule's part, the shared input, and what the calls cost.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::json;
use serde_json::value::to_raw_value;

use super::part::{ANSWERED, Difference, Part, differ};
use crate::desk::actor::RuleRef;
use crate::rules::contract;
use crate::rules::digest::Digest;
use crate::rules::live::catalog::Role;
use crate::rules::live::rollout::VersionId;
use crate::rules::live::slots::version_of;
use crate::rules::run::call::{Called, Fault};
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
    /// Whether it took so much that others went without, by what it did and not by how busy the machine was.
    pub is_costly: bool,
    /// Whether it failed because the configuration changed under it.
    pub by_configuration: bool,
}

/// A value as JSON.
pub fn text(value: &impl Serialize) -> String {
    // Records of texts and numbers always have a JSON form; were one not to have one, the record would say so.
    serde_json::to_string(value).unwrap_or_else(|error| json!({ "unrecorded": error.to_string() }).to_string())
}

/// The parts of a run's input that several stages share.
#[derive(Serialize)]
pub struct Common<'a> {
    pub now: &'a contract::Moment,
    pub ticket: &'a contract::Ticket,
    pub requester: &'a contract::Person,
}

/// The part of the input that categorization, priority and routing have of their own.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct OwnSoFar<'a> {
    pub so_far: &'a contract::SoFar,
}

/// The beginnings of all parts that these rules can have: what a dictionary for their records is extended by, so that names,
/// versions and digests take no room in each.
pub fn beginnings(rules: &[Arc<Rule>]) -> Vec<u8> {
    let beginning = |rule: &Arc<Rule>| {
        beginning(
            rule.manifest.name.as_str(),
            &rule.manifest.version,
            &rule.digest.to_string(),
            &rule.manifest_digest.to_string(),
        )
    };
    rules.iter().map(beginning).collect::<String>().into_bytes()
}

/// The beginning of a part, as [`Part`] writes it.
pub fn beginning(rule: &str, version: &str, component: &str, manifest: &str) -> String {
    format!(
        "{{\"rule\":\"{rule}\",\"version\":\"{version}\",\"component\":\"{component}\",\"manifest\":\"{manifest}\",\"mode\":\"active\","
    )
}

/// A rule, what it said, and why that does not count.
pub struct RuleCall {
    pub rule: Arc<Rule>,
    pub role: Role,
    pub called: Called,
    /// Where it differs from the stable version's answer, or that from it.
    pub disagrees: Vec<Difference>,
    /// Why its answer does not count.
    pub fault: Option<Fault>,
    /// Whether it would count, were the configuration as it was.
    pub by_configuration: bool,
}

impl RuleCall {
    /// The rule's part of the record.
    pub fn part(&self) -> Part<'_> {
        let manifest = &self.rule.manifest;
        // An answer always has a JSON form; were one not to have one, the part would have no answer.
        let answer = self.called.result.as_ref().ok().and_then(|answer| to_raw_value(answer).ok());
        Part {
            rule: manifest.name.as_str().into(),
            version: manifest.version.as_str().into(),
            component: self.rule.digest.to_string().into(),
            manifest: self.rule.manifest_digest.to_string().into(),
            mode: self.role.code().into(),
            disagrees: self.disagrees.as_slice().into(),
            outcome: self.outcome().into(),
            answer: answer.map(Cow::Owned),
            fault: self.fault.as_ref().map(|fault| fault.to_string().into()),
            fuel: self.called.fuel,
            micros: u64::try_from(self.called.took.as_micros()).unwrap_or(u64::MAX),
            memory_peak: self.called.memory_peak as u64,
            log: self.called.log.as_slice().into(),
            log_cut: self.called.log_cut,
            lookups: self.called.lookups.as_slice().into(),
        }
    }

    /// The answer, where it counts.
    pub fn answer(&self) -> Option<&Answer> {
        self.called.result.as_ref().ok().filter(|_| self.fault.is_none())
    }

    fn outcome(&self) -> &'static str {
        self.fault.as_ref().map_or(ANSWERED, Fault::code)
    }

    /// What the call cost and came to; `chosen` is what the stage did.
    pub fn sample(&self, stage: Stage, chosen: Option<&str>) -> Sample {
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
            differs: differ(self.answer().and_then(Answer::choice), chosen),
            role: self.role,
            version: version_of(&self.rule),
            disagrees: self.disagrees.iter().map(|d| d.field.as_str()).collect::<Vec<_>>().join(", "),
            canary: self.rule.manifest.canary,
            suspend: self.rule.manifest.suspend,
            is_costly: false,
            by_configuration: self.by_configuration,
        }
    }
}

/// The rule and its version.
pub fn rule_ref(rule: &Rule) -> RuleRef {
    RuleRef { name: rule.manifest.name.as_str().to_owned(), version: rule.manifest.version.clone() }
}
