//! What the desk counts, for Prometheus.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::follow::Revisions;
use super::record::Sample;
use crate::rules::Rules;
use crate::rules::stage::Stage;

/// From 5 µs, a fresh call's floor, to the deadline's neighbourhood.
const CALL_BUCKETS: [f64; 12] = [5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 5e-3, 2e-2, 1e-1, 1.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    rule: String,
    stage: StageLabel,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RuleLabels {
    rule: String,
    stage: StageLabel,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct StageLabel(Stage);

impl EncodeLabelValue for StageLabel {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        EncodeLabelValue::encode(&self.0.name(), encoder)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ArmLabels {
    rule: String,
    part: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DisagreementLabels {
    rule: String,
    part: &'static str,
    fields: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TakenBackLabels {
    rule: String,
    event: &'static str,
}

/// All counters of a desk.
pub struct Metrics {
    registry: Registry,
    calls: Family<CallLabels, Counter>,
    latency: Family<RuleLabels, Histogram, fn() -> Histogram>,
    fuel: Family<RuleLabels, Counter<u64, AtomicU64>>,
    arms: Family<ArmLabels, Counter>,
    disagreements: Family<DisagreementLabels, Counter>,
    taken_back: Family<TakenBackLabels, Counter>,
    tickets: Family<OutcomeLabels, Counter>,
    reloads: Family<OutcomeLabels, Gauge>,
    generation: Gauge,
    rules_live: Gauge,
    revision_wanted: Gauge,
    revision_serving: Gauge,
    workers_busy: Gauge,
    jobs_waiting: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("ruledesk");
        let calls = Family::default();
        let histogram: fn() -> Histogram = || Histogram::new(CALL_BUCKETS);
        let latency = Family::new_with_constructor(histogram);
        let (fuel, tickets, reloads) = (Family::default(), Family::default(), Family::default());
        let (arms, disagreements, taken_back) = (Family::default(), Family::default(), Family::default());
        let gauges: [Gauge; 6] = Default::default();
        let [generation, rules_live, revision_wanted, revision_serving, workers_busy, jobs_waiting] = gauges;
        registry.register("rule_calls", "Calls of rules, by what came of them", calls.clone());
        registry.register("rule_call_seconds", "Wall clock of a call, its instance included", latency.clone());
        registry.register("rule_fuel", "Fuel that decisions have used", fuel.clone());
        registry.register("rule_arm_calls", "Calls of rules, by the part that the version played", arms.clone());
        registry.register(
            "rule_disagreements",
            "Answers of tried versions that differ from the active version's, by the fields that differ",
            disagreements.clone(),
        );
        registry.register("rule_taken_back", "Versions that the desk took back by itself", taken_back.clone());
        registry.register("tickets", "Submissions, by what came of them", tickets.clone());
        registry.register("rule_reloads", "Folders looked at, by what came of it, since the start", reloads.clone());
        registry.register("rules_generation", "The generation of rules that is live", generation.clone());
        registry.register("rules_live", "Rules that are live", rules_live.clone());
        let help = "The revision of the deployments in the database";
        registry.register("rules_revision_wanted", help, revision_wanted.clone());
        let help = "The revision of the deployments whose every rule is in effect here";
        registry.register("rules_revision_serving", help, revision_serving.clone());
        registry.register("rule_workers_busy", "Threads at work for rules", workers_busy.clone());
        registry.register("rule_jobs_waiting", "Tickets that wait for such a thread", jobs_waiting.clone());
        Self {
            registry,
            calls,
            latency,
            fuel,
            arms,
            disagreements,
            taken_back,
            tickets,
            reloads,
            generation,
            rules_live,
            revision_wanted,
            revision_serving,
            workers_busy,
            jobs_waiting,
        }
    }
}

impl Metrics {
    /// Counts calls of rules.
    pub fn count_calls(&self, samples: &[Sample]) {
        for sample in samples {
            let rule = &sample.rule.name;
            let stage = StageLabel(sample.stage);
            let call = CallLabels { rule: rule.clone(), stage: stage.clone(), outcome: sample.outcome };
            self.calls.get_or_create(&call).inc();
            let labels = RuleLabels { rule: rule.clone(), stage };
            self.latency.get_or_create(&labels).observe(sample.seconds);
            self.fuel.get_or_create(&labels).inc_by(sample.fuel);
            let part = sample.role.code();
            self.arms.get_or_create(&ArmLabels { rule: rule.clone(), part, outcome: sample.outcome }).inc();
            if !sample.disagrees.is_empty() {
                let labels = DisagreementLabels { rule: rule.clone(), part, fields: sample.disagrees.clone() };
                self.disagreements.get_or_create(&labels).inc();
            }
        }
    }

    /// Counts a version that the desk took back by itself: something to alert on.
    pub fn count_taken_back(&self, rule: &str, event: &'static str) {
        self.taken_back.get_or_create(&TakenBackLabels { rule: rule.to_owned(), event }).inc();
    }

    /// Counts a submission.
    pub fn count_ticket(&self, outcome: &'static str) {
        self.tickets.get_or_create(&OutcomeLabels { outcome }).inc();
    }

    /// Everything in Prometheus' text format.
    pub fn render(&self, rules: &Rules, revisions: Revisions) -> String {
        let reloads = rules.catalog().reloads();
        let counts = [("loaded", reloads.loaded), ("refused", reloads.refused), ("retired", reloads.retired)];
        for (outcome, count) in counts {
            let gauge = self.reloads.get_or_create(&OutcomeLabels { outcome });
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        let generation = rules.generation();
        let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.generation.set(i64::try_from(generation.number).unwrap_or(i64::MAX));
        self.rules_live.set(number(generation.rules().len()));
        self.revision_wanted.set(revisions.wanted);
        self.revision_serving.set(revisions.serving);
        self.workers_busy.set(number(rules.workers().busy()));
        self.jobs_waiting.set(number(rules.workers().waiting()));
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
