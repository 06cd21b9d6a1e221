//! What the desk counts, for Prometheus.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::app::record::write::Sample;
use crate::app::rollout::follow::Revisions;
use crate::desk::change::timer::TimerKind;
use crate::rules::Rules;
use crate::rules::live::catalog::Role;
use crate::rules::run::stage::Stage;
use crate::telemetry;

/// From 5 µs, a fresh call's floor, to the deadline's neighbourhood.
const CALL_BUCKETS: [f64; 12] = [5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 5e-3, 2e-2, 1e-1, 1.0];
/// From the memory of a small rule in Rust to the most that a manifest may ask for, in bytes.
const MEMORY_BUCKETS: [f64; 9] = [
    131_072.0,
    524_288.0,
    1_048_576.0,
    2_097_152.0,
    4_194_304.0,
    8_388_608.0,
    16_777_216.0,
    67_108_864.0,
    268_435_456.0,
];
/// From a read of one row to the time at which a request is cut off.
const REQUEST_BUCKETS: [f64; 11] = [5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 1e-1, 0.5, 2.0, 10.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    rule: String,
    stage: StageLabel,
    mode: ModeLabel,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RuleLabels {
    rule: String,
    stage: StageLabel,
    mode: ModeLabel,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct StageLabel(Stage);

impl EncodeLabelValue for StageLabel {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        EncodeLabelValue::encode(&self.0.name(), encoder)
    }
}

/// By its word, so that a further mode is a further value and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct ModeLabel(&'static str);

impl From<Role> for ModeLabel {
    fn from(role: Role) -> Self {
        Self(role.code())
    }
}

impl EncodeLabelValue for ModeLabel {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        EncodeLabelValue::encode(&self.0, encoder)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FolderLabels {
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TableLabels {
    table: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct JobLabels {
    job: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct JobRunLabels {
    job: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    method: &'static str,
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;
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
    latency: Histograms<RuleLabels>,
    fuel: Family<RuleLabels, Counter<u64, AtomicU64>>,
    memory: Histograms<RuleLabels>,
    log_cuts: Family<RuleLabels, Counter>,
    differences: Family<RuleLabels, Counter>,
    arms: Family<ArmLabels, Counter>,
    disagreements: Family<DisagreementLabels, Counter>,
    taken_back: Family<TakenBackLabels, Counter>,
    tickets: Family<OutcomeLabels, Counter>,
    requests: Family<RequestLabels, Counter>,
    request_latency: Histograms<RouteLabels>,
    reloads: Family<OutcomeLabels, Counter<u64, AtomicU64>>,
    generation: Gauge,
    rules_live: Gauge,
    folders: Family<FolderLabels, Gauge>,
    directory_unreadable: Gauge,
    revision_wanted: Gauge,
    revision_serving: Gauge,
    workers_busy: Gauge,
    jobs_waiting: Gauge,
    job_runs: Family<JobRunLabels, Counter>,
    job_lag: Family<JobLabels, Gauge<f64, AtomicU64>>,
    jobs_dead: Family<JobLabels, Gauge>,
    revocations_overdue: Gauge,
    tickets_astray: Gauge,
    not_taken_up: Counter,
    damaged_rows: Family<TableLabels, Gauge>,
    spans: Family<OutcomeLabels, Counter<u64, AtomicU64>>,
    /// Where the traces' thread counts.
    pub traced: Arc<telemetry::Counts>,
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            registry: Registry::with_prefix("ruledesk"),
            calls: Family::default(),
            latency: Family::new_with_constructor(|| Histogram::new(CALL_BUCKETS)),
            fuel: Family::default(),
            memory: Family::new_with_constructor(|| Histogram::new(MEMORY_BUCKETS)),
            log_cuts: Family::default(),
            differences: Family::default(),
            arms: Family::default(),
            disagreements: Family::default(),
            taken_back: Family::default(),
            tickets: Family::default(),
            requests: Family::default(),
            request_latency: Family::new_with_constructor(|| Histogram::new(REQUEST_BUCKETS)),
            reloads: Family::default(),
            generation: Gauge::default(),
            rules_live: Gauge::default(),
            folders: Family::default(),
            directory_unreadable: Gauge::default(),
            revision_wanted: Gauge::default(),
            revision_serving: Gauge::default(),
            workers_busy: Gauge::default(),
            jobs_waiting: Gauge::default(),
            job_runs: Family::default(),
            job_lag: Family::default(),
            jobs_dead: Family::default(),
            revocations_overdue: Gauge::default(),
            tickets_astray: Gauge::default(),
            not_taken_up: Counter::default(),
            damaged_rows: Family::default(),
            spans: Family::default(),
            traced: Arc::default(),
        };
        // A count that is there from the start can be seen to rise.
        for kind in TimerKind::ALL {
            metrics.set_job_lag(kind.code(), Duration::ZERO);
            metrics.set_jobs_dead(kind.code(), 0);
            for outcome in ["done", "failed", "buried"] {
                drop(metrics.job_runs.get_or_create(&JobRunLabels { job: kind.code(), outcome }));
            }
        }
        metrics.registered()
    }
}

impl Metrics {
    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program that runs", build);
        registry.register("rule_calls", "Calls of rules, by what came of them", self.calls.clone());
        let about = "Wall clock of a rule's call, its instance included";
        registry.register("rule_call_seconds", about, self.latency.clone());
        registry.register("rule_fuel", "Fuel that decisions have used", self.fuel.clone());
        registry.register("rule_memory_peak_bytes", "The most memory that a rule's call has held", self.memory.clone());
        registry.register("rule_log_cuts", "Calls whose log was longer than the rule may write", self.log_cuts.clone());
        let about = "Answers that chose something else than their stage came to";
        registry.register("rule_differences", about, self.differences.clone());
        registry.register("rule_arm_calls", "Calls of rules, by the part that the version played", self.arms.clone());
        let about = "Answers of tried versions that differ from the active version's, by the fields that differ";
        registry.register("rule_disagreements", about, self.disagreements.clone());
        registry.register("rule_taken_back", "Versions that the desk took back by itself", self.taken_back.clone());
        registry.register("tickets", "Submissions, by what came of them", self.tickets.clone());
        registry.register("http_requests", "HTTP requests, by route and status", self.requests.clone());
        let about = "From an HTTP request's head to the head of its answer";
        registry.register("http_request_seconds", about, self.request_latency.clone());
        registry.register("rule_reloads", "Folders looked at, by what came of it", self.reloads.clone());
        registry.register("rules_generation", "The generation of rules that is live", self.generation.clone());
        registry.register("rules_live", "Rules that are live", self.rules_live.clone());
        let about = "Folders of the rules directory, by what is the matter with them";
        registry.register("rules_folders", about, self.folders.clone());
        let about = "Whether the rules directory cannot be read";
        registry.register("rules_directory_unreadable", about, self.directory_unreadable.clone());
        let about = "The revision of the deployments in the database";
        registry.register("rules_revision_wanted", about, self.revision_wanted.clone());
        let about = "The revision of the deployments whose every rule is in effect here";
        registry.register("rules_revision_serving", about, self.revision_serving.clone());
        registry.register("rule_workers_busy", "Threads at work for rules", self.workers_busy.clone());
        registry.register("rule_jobs_waiting", "Tickets that wait for such a thread", self.jobs_waiting.clone());
        let about = "Runs of work that was due later, by what came of them";
        registry.register("job_runs", about, self.job_runs.clone());
        let about = "How long the work that is due longest has been due, when this host last looked";
        registry.register("job_lag_seconds", about, self.job_lag.clone());
        registry.register("jobs_dead", "Work that the desk has given up on", self.jobs_dead.clone());
        let about = "Access that is over and was not read back as gone from its app within an hour";
        registry.register("access_revocations_overdue", about, self.revocations_overdue.clone());
        let about = "Open tickets in teams that do not exist";
        registry.register("tickets_in_unknown_teams", about, self.tickets_astray.clone());
        let about = "Tickets that went back to their team because who had them did not take them up in time";
        registry.register("tickets_not_taken_up", about, self.not_taken_up.clone());
        let about = "Damaged rows that lists came upon since the start";
        registry.register("damaged_rows", about, self.damaged_rows.clone());
        registry.register("telemetry_spans", "Spans for the collector, by what came of them", self.spans.clone());
        self
    }

    /// Counts calls of rules.
    pub fn count_calls(&self, samples: &[Sample]) {
        for sample in samples {
            let rule = &sample.rule.name;
            let (stage, mode) = (StageLabel(sample.stage), ModeLabel::from(sample.role));
            let (outcome, labelled) = (sample.outcome, mode.clone());
            let call = CallLabels { rule: rule.clone(), stage: stage.clone(), mode: labelled, outcome };
            self.calls.get_or_create(&call).inc();
            let labels = RuleLabels { rule: rule.clone(), stage, mode };
            self.latency.get_or_create(&labels).observe(sample.took.as_secs_f64());
            self.fuel.get_or_create(&labels).inc_by(sample.fuel);
            let bytes = u32::try_from(sample.memory_peak).unwrap_or(u32::MAX);
            self.memory.get_or_create(&labels).observe(f64::from(bytes));
            self.log_cuts.get_or_create(&labels).inc_by(u64::from(sample.log_cut));
            self.differences.get_or_create(&labels).inc_by(u64::from(sample.differs));
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

    /// Counts a run of work that was due later.
    pub fn count_job(&self, job: &'static str, outcome: &'static str) {
        self.job_runs.get_or_create(&JobRunLabels { job, outcome }).inc();
    }

    /// Notes how long the work that is due longest has been due.
    pub fn set_job_lag(&self, job: &'static str, lag: Duration) {
        self.job_lag.get_or_create(&JobLabels { job }).set(lag.as_secs_f64());
    }

    /// Notes how much work the desk has given up on.
    pub fn set_jobs_dead(&self, job: &'static str, dead: i64) {
        self.jobs_dead.get_or_create(&JobLabels { job }).set(dead);
    }

    /// Notes how much access that is over was not read back as gone in time.
    pub fn set_revocations_overdue(&self, overdue: i64) {
        self.revocations_overdue.set(overdue);
    }

    /// Notes how many open tickets are in teams that do not exist.
    pub fn set_tickets_astray(&self, count: u64) {
        self.tickets_astray.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Counts tickets that went back to their team, because who had them did not take them up in time.
    pub fn count_not_taken_up(&self, count: u64) {
        self.not_taken_up.inc_by(count);
    }

    /// Notes how many damaged rows lists came upon, by table.
    pub fn set_damaged_rows(&self, counts: impl IntoIterator<Item = (&'static str, u64)>) {
        for (table, count) in counts {
            self.damaged_rows.get_or_create(&TableLabels { table }).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    /// Counts an HTTP request. Methods and routes are those that the desk knows: what clients make up is no label.
    pub fn count_request(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        let requests = RequestLabels { method, route: route.to_owned(), status };
        self.requests.get_or_create(&requests).inc();
        let latency = RouteLabels { method, route: requests.route };
        self.request_latency.get_or_create(&latency).observe(took.as_secs_f64());
    }

    /// Everything in Prometheus' text format.
    pub fn render(&self, rules: &Rules, revisions: Revisions) -> String {
        let reloads = rules.catalog().reloads();
        let counts = [("loaded", reloads.loaded), ("refused", reloads.refused), ("retired", reloads.retired)];
        for (outcome, count) in counts {
            self.reloads.get_or_create(&OutcomeLabels { outcome }).inner().store(count, Ordering::Relaxed);
        }
        let traced = &self.traced;
        let counts = [("exported", &traced.exported), ("failed", &traced.failed), ("dropped", &traced.dropped)];
        for (outcome, count) in counts {
            let counter = self.spans.get_or_create(&OutcomeLabels { outcome });
            counter.inner().store(count.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        let generation = rules.generation();
        let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.generation.set(i64::try_from(generation.number).unwrap_or(i64::MAX));
        self.rules_live.set(number(generation.rules().len()));
        let directory = rules.catalog().directory();
        let refused = rules.catalog().folders().values().filter(|status| status.error.is_some()).count();
        let states = [
            ("present", directory.present),
            ("compiling", directory.unread),
            ("refused", refused),
            ("missing", directory.missing.len()),
            ("gone", rules.catalog().gone().len()),
            ("beyond-limit", directory.beyond),
        ];
        for (state, count) in states {
            self.folders.get_or_create(&FolderLabels { state }).set(number(count));
        }
        self.directory_unreadable.set(i64::from(directory.unreadable.is_some()));
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
