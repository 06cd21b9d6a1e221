//! How each version of a rule does: counted in this process, judged by the manifest's limits, and acted upon.
//!
//! Judging is by windows of calls and never by the clock, so that the same calls always come to the same. One person's calls count
//! for a third of a limit at most, so that no one of them can have a version taken back for all; and a call that the input's size,
//! the machine or the configuration has stopped counts against no version. One that takes the time of the others does.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, VecDeque};
use std::hash::{Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};

use super::steps::Reason;
use crate::app::record::part::ANSWERED;
use crate::app::record::write::Sample;
use crate::app::{App, Error};
use crate::desk::id::PersonId;
use crate::rules::live::catalog::Role;
use crate::rules::live::rollout::{RolloutStep, Trial, VersionId};
use crate::rules::live::slots::version_of;
use crate::rules::run::rule::Rule;

/// Kinds of disagreement that are counted apart for one version; the rest is counted together.
const KINDS_MAX: usize = 50;

/// So many people's calls at least are needed to have a version taken back, where its limit is as high.
const PEOPLE_MIN: u64 = 3;

/// The bytes of text above which an input is large: a call that runs out of something on it says little about the rule.
pub const LARGE_BYTES: usize = 4 << 10;

/// The submission for which rules were asked, as far as it matters here.
#[derive(Debug, Clone, Copy)]
pub struct Cause {
    /// Stands for the person who submitted.
    person: u64,
    is_large: bool,
}

impl Cause {
    /// The cause that a person's submission with so many bytes of text is.
    pub fn new(person: &PersonId, text_bytes: usize) -> Cause {
        // The same in every process; a person who has another's number by chance counts as that one.
        let mut hasher = DefaultHasher::new();
        person.hash(&mut hasher);
        Cause { person: hasher.finish(), is_large: text_bytes > LARGE_BYTES }
    }

    /// Whether this outcome is the rule's own failure.
    fn blames(self, outcome: &str) -> bool {
        match outcome {
            ANSWERED | "deadline" | "not-started" => false,
            "out-of-fuel" | "out-of-memory" | "stack-overflow" => !self.is_large,
            _ => true,
        }
    }
}

/// The calls of one version since the start of this process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionHealth {
    pub calls: u64,
    pub failures: u64,
    pub micros: u64,
    pub disagreements: u64,
    /// By the fields that differ.
    pub kinds: BTreeMap<String, u64>,
    /// Whether it failed last because the configuration has changed under it.
    pub is_left_behind: bool,
    window: VecDeque<Call>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Call {
    person: u64,
    failed: bool,
    disagreed: bool,
    is_large: bool,
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

    /// How many of these rules failed last because the configuration has changed under them.
    fn left_behind(&self, live: &[Arc<Rule>]) -> usize {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_behind = |rule: &Rule| {
            let (name, id) = (rule.manifest.name.as_str(), version_of(rule));
            all.iter().any(|((other, version, _), health)| health.is_left_behind && other == name && *version == id)
        };
        live.iter().filter(|rule| is_behind(rule)).count()
    }

    /// Counts calls; gives the judgements that they lead to.
    pub fn note(&self, samples: &[Sample], cause: Cause) -> Vec<Judgement> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut judgements = Vec::new();
        for sample in samples {
            let key = (sample.rule.name.clone(), sample.version, sample.role);
            let version = all.entry(key).or_default();
            version.count(sample, cause);
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
    fn count(&mut self, sample: &Sample, cause: Cause) {
        let micros = u64::try_from(sample.took.as_micros()).unwrap_or(u64::MAX);
        let blamed = cause.blames(sample.outcome) && !sample.by_configuration;
        let failed = blamed || (sample.is_costly && !cause.is_large);
        let disagreed = !sample.disagrees.is_empty();
        let call = Call { person: cause.person, failed, disagreed, is_large: cause.is_large, micros };
        if sample.by_configuration || sample.outcome == ANSWERED {
            self.is_left_behind = sample.by_configuration;
        }
        self.calls += 1;
        self.failures += u64::from(sample.outcome != ANSWERED);
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
                let limit = u64::from(sample.suspend.failures);
                let failures = self.weighed(limit, |call| call.failed);
                let within = self.window.len();
                let out = RolloutStep::Suspend { version: sample.version, hold: false };
                (failures >= limit).then(|| (out, format!("it failed at {failures} of its last {within} calls")))
            }
            Role::Shadow | Role::Beside => None,
        }
    }

    /// The calls of the window that are such, where one person's count for a third of a limit at most; none where all are one
    /// person's, however low the limit.
    fn weighed(&self, limit: u64, which: fn(&Call) -> bool) -> u64 {
        let most = limit.div_ceil(PEOPLE_MIN).max(1);
        let mut by_person: BTreeMap<u64, u64> = BTreeMap::new();
        for call in self.window.iter().filter(|call| which(call)) {
            *by_person.entry(call.person).or_default() += 1;
        }
        if by_person.len() < 2 {
            return 0;
        }
        by_person.into_values().map(|count| count.min(most)).sum()
    }

    /// More failures than the whole window may have end a canary before the window is full.
    fn judge_canary(&self, sample: &Sample) -> Option<String> {
        let limits = sample.canary;
        let length = u64::from(limits.after_calls);
        // The least count that is too many.
        let limit = |percent: u8| length * u64::from(percent) / 100 + 1;
        let allowed = limit(limits.failures_max_percent);
        let failures = self.weighed(allowed, |call| call.failed);
        if failures >= allowed {
            return Some(format!("it failed at {failures} of at most {length} calls"));
        }
        let allowed = limits.disagreement_max_percent.map(limit);
        let disagreements = self.weighed(allowed.unwrap_or_default(), |call| call.disagreed);
        if allowed.is_some_and(|allowed| disagreements >= allowed) {
            return Some(format!("it disagreed with the active version at {disagreements} of at most {length} calls"));
        }
        let full = self.window.len() as u64 == length;
        let allowed = limits.latency_max_us.filter(|_| full)?;
        let mean = self.slowness(allowed)?;
        Some(format!("its mean of {length} calls is {mean} us, each person's alike, above {allowed} us"))
    }

    /// The mean time of a call where it is above what is allowed, for so many people that it is not one of them who makes it so.
    /// Each person's calls weigh as one, and a large input says little about how fast a version is.
    fn slowness(&self, allowed: u64) -> Option<u64> {
        let mut by_person: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
        for call in self.window.iter().filter(|call| !call.is_large) {
            let (calls, micros) = by_person.entry(call.person).or_default();
            *calls += 1;
            *micros = micros.saturating_add(call.micros);
        }
        let means: Vec<u64> = by_person.into_values().map(|(calls, micros)| micros / calls.max(1)).collect();
        let slow = means.iter().filter(|mean| **mean > allowed).count() as u64;
        let sum = means.iter().fold(0_u64, |sum, mean| sum.saturating_add(*mean));
        let mean = sum.checked_div(means.len() as u64)?;
        (slow >= PEOPLE_MIN && mean > allowed).then_some(mean)
    }
}

impl App {
    /// How many live rules failed last because the configuration has changed under them.
    pub fn rules_left_behind(&self) -> usize {
        self.health.left_behind(self.rules.generation().rules())
    }

    /// Counts calls and takes back the versions that have earned it. The ticket at hand is decided already and does not wait.
    pub(crate) fn judge(self: &Arc<Self>, samples: &[Sample], cause: Cause) {
        let judgements = self.health.note(samples, cause);
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
            let step = match step {
                RolloutStep::Suspend { version, .. } => {
                    RolloutStep::Suspend { version, hold: self.is_for_access(version).await? }
                }
                step => step,
            };
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
