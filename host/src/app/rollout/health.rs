//! How each version of a rule does: counted in this process, judged by the manifest's limits, and acted upon.
//!
//! Judging is by windows of calls and never by the clock, so that the same calls always come to the same.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use super::steps::Reason;
use crate::app::record::write::Sample;
use crate::app::{App, Error};
use crate::rules::live::catalog::Role;
use crate::rules::live::rollout::{RolloutStep, Trial, VersionId};

/// Kinds of disagreement that are counted apart for one version; the rest is counted together.
const KINDS_MAX: usize = 50;

/// The calls of one version since the start of this process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionHealth {
    pub calls: u64,
    pub failures: u64,
    pub micros: u64,
    pub disagreements: u64,
    /// By the fields that differ.
    pub kinds: BTreeMap<String, u64>,
    window: VecDeque<Call>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Call {
    failed: bool,
    disagreed: bool,
    micros: u64,
}

/// A step that a version has earned, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    pub rule: String,
    pub step: RolloutStep,
    pub why: String,
}

/// All versions that were asked, by rule, version and part.
#[derive(Debug, Default)]
pub struct Health(Mutex<BTreeMap<(String, VersionId, Role), VersionHealth>>);

impl Health {
    /// The figures of a rule.
    pub fn of(&self, rule: &str) -> Vec<(VersionId, Role, VersionHealth)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = all.iter().filter(|((name, ..), _)| name == rule);
        own.map(|((_, id, role), version)| (*id, *role, version.clone())).collect()
    }

    /// Counts calls; gives the judgements that they lead to.
    pub fn note(&self, samples: &[Sample]) -> Vec<Judgement> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut judgements = Vec::new();
        for sample in samples {
            let key = (sample.rule.name.clone(), sample.version, sample.role);
            let version = all.entry(key).or_default();
            version.count(sample);
            if let Some((step, why)) = version.judge(sample) {
                // It starts again with an empty window.
                version.window.clear();
                judgements.push(Judgement { rule: sample.rule.name.clone(), step, why });
            }
        }
        judgements
    }
}

impl VersionHealth {
    fn count(&mut self, sample: &Sample) {
        let micros = u64::try_from(sample.took.as_micros()).unwrap_or(u64::MAX);
        let call = Call { failed: sample.outcome != "answered", disagreed: !sample.disagrees.is_empty(), micros };
        self.calls += 1;
        self.failures += u64::from(call.failed);
        self.micros += micros;
        self.disagreements += u64::from(call.disagreed);
        if call.disagreed {
            let known = self.kinds.len() < KINDS_MAX || self.kinds.contains_key(&sample.disagrees);
            let kind = if known { sample.disagrees.as_str() } else { "other" };
            *self.kinds.entry(kind.to_owned()).or_default() += 1;
        }
        let length = match sample.role {
            Role::Canary => sample.canary.after_calls,
            Role::Active | Role::Shadow | Role::Beside => sample.suspend.within_calls,
        };
        self.window.push_back(call);
        while self.window.len() > usize::try_from(length).unwrap_or(usize::MAX) {
            self.window.pop_front();
        }
    }

    fn judge(&self, sample: &Sample) -> Option<(RolloutStep, String)> {
        match sample.role {
            Role::Canary => {
                let back = RolloutStep::Demote { version: sample.version, trial: Trial::Loaded };
                self.judge_canary(sample).map(|why| (back, why))
            }
            Role::Active => {
                let failures = self.window.iter().filter(|call| call.failed).count() as u64;
                let within = self.window.len();
                let out = RolloutStep::Suspend { version: sample.version };
                (failures >= u64::from(sample.suspend.failures))
                    .then(|| (out, format!("it failed at {failures} of its last {within} calls")))
            }
            Role::Shadow | Role::Beside => None,
        }
    }

    /// More failures than the whole window may have end a canary before the window is full.
    fn judge_canary(&self, sample: &Sample) -> Option<String> {
        let limits = sample.canary;
        let length = u64::from(limits.after_calls);
        let count = |which: fn(&Call) -> bool| self.window.iter().filter(|call| which(call)).count() as u64;
        let too_many = |count: u64, percent: u8| count * 100 > length * u64::from(percent);
        let failures = count(|call| call.failed);
        if too_many(failures, limits.failures_max_percent) {
            return Some(format!("it failed at {failures} of at most {length} calls"));
        }
        let disagreements = count(|call| call.disagreed);
        if limits.disagreement_max_percent.is_some_and(|percent| too_many(disagreements, percent)) {
            return Some(format!("it disagreed with the active version at {disagreements} of at most {length} calls"));
        }
        let mean = self.window.iter().map(|call| call.micros).sum::<u64>() / length.max(1);
        let full = self.window.len() as u64 == length;
        match limits.latency_max_us {
            Some(allowed) if full && mean > allowed => {
                Some(format!("its mean of {length} calls is {mean} us, above {allowed} us"))
            }
            _ => None,
        }
    }
}

impl App {
    /// Counts calls and takes back the versions that have earned it. The ticket at hand is decided already and does not wait.
    pub(crate) fn judge(self: &Arc<Self>, samples: &[Sample]) {
        let judgements = self.health.note(samples);
        if judgements.is_empty() {
            return;
        }
        let app = Arc::clone(self);
        self.begin(async move {
            for judgement in judgements {
                app.take_back(judgement).await;
            }
        });
    }

    async fn take_back(&self, Judgement { rule, step, why }: Judgement) {
        tracing::error!(rule, event = step.code(), why, "a rule is taken back by itself");
        let done = async {
            self.take_step(&rule, &step, &Reason::of_desk(why)).await?;
            self.metrics.count_taken_back(&rule, step.code());
            self.follow().await
        };
        match done.await {
            Ok(()) => {}
            // Another step came first: the version that failed no longer plays that part.
            Err(Error::NotTaken { why, .. }) => tracing::info!(rule, %why, "there is nothing left to take back"),
            Err(error) => tracing::error!(rule, %error, "it could not be taken back"),
        }
    }
}
