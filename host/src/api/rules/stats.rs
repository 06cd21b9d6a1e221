//! `/api/v1/rules/{name}/stats`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::http::address::Query;
use crate::api::http::auth::Caller;
use crate::api::http::problem::Problem;
use crate::app::App;
use crate::app::observe::stats::{RuleStats, Window};

/// Answers that are listed.
const ANSWERS_LISTED: usize = 10;

/// Over which time.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StatsQuery {
    /// `hour`, `day` or `week`, back from now; `day` where nothing is said.
    window: Option<String>,
}

/// What a rule did over some time, by the records.
#[derive(Serialize, ToSchema)]
pub struct RuleStatsView {
    rule: String,
    window: &'static str,
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    calls: u64,
    /// Calls by what came of them: `answered`, or the fault's code.
    outcomes: BTreeMap<String, u64>,
    /// Calls by mode.
    modes: BTreeMap<String, u64>,
    /// Calls by version.
    versions: BTreeMap<String, u64>,
    /// The commonest answers.
    answers: Vec<AnswerCount>,
    /// Answers that are not listed.
    other_answers: u64,
    /// Answers that chose something else than their stage came to: a shadow rule's disagreement, or an overruled rule.
    differences: u64,
    /// In microseconds, the instance included; absent where there was no call. Off by less than 1 %.
    latency_us: Option<Latency>,
    /// Absent where there was no call. The median is off by less than 1 %.
    fuel: Option<Fuel>,
    /// The most memory that a call has held, in bytes.
    memory_peak_bytes: u64,
    /// Calls whose log was longer than the rule may write.
    log_cuts: u64,
}

/// How often a rule gave an answer.
#[derive(Serialize, ToSchema)]
pub struct AnswerCount {
    stage: String,
    /// The category, the level, the team, or what was decided.
    answer: String,
    count: u64,
}

/// How long calls took.
#[derive(Serialize, ToSchema)]
pub struct Latency {
    p50: u64,
    p95: u64,
    p99: u64,
    max: u64,
}

/// What calls cost.
#[derive(Serialize, ToSchema)]
pub struct Fuel {
    min: u64,
    median: u64,
    max: u64,
}

impl RuleStatsView {
    /// The view of what a rule did.
    pub fn new(rule: String, window: Window, stats: RuleStats) -> Self {
        let (answers, other_answers) = stats.commonest(ANSWERS_LISTED);
        let answer = |(stage, answer, count): (&str, &str, u64)| AnswerCount {
            stage: stage.into(),
            answer: answer.into(),
            count,
        };
        let (micros, fuel) = (&stats.micros, &stats.fuel);
        let latency = || {
            let at = |percent| micros.percentile(percent);
            Some(Latency { p50: at(50)?, p95: at(95)?, p99: at(99)?, max: micros.greatest()? })
        };
        let spent = || Some(Fuel { min: fuel.least()?, median: fuel.percentile(50)?, max: fuel.greatest()? });
        Self {
            rule,
            window: window.name(),
            since: stats.since,
            calls: stats.calls,
            answers: answers.into_iter().map(answer).collect(),
            other_answers,
            differences: stats.differences,
            latency_us: latency(),
            fuel: spent(),
            memory_peak_bytes: stats.memory_peak,
            log_cuts: stats.log_cuts,
            outcomes: stats.outcomes,
            modes: stats.modes,
            versions: stats.versions,
        }
    }
}

/// Sum up what a rule did over the last hour, day or week, from the records of all hosts.
#[utoipa::path(get, path = "/api/v1/rules/{name}/stats", tag = "rules", security(("token" = [])),
    params(("name" = String, Path), StatsQuery),
    responses((status = 200, body = RuleStatsView), (status = 404, body = Problem)))]
pub async fn read(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(name): Path<String>,
    Query(query): Query<StatsQuery>,
) -> Result<axum::Json<RuleStatsView>, Problem> {
    let window = query.window.as_deref().unwrap_or("day");
    let window: Window = window.parse().map_err(|e| Problem::bad_query(format!("{e}")))?;
    let stats = app.rule_stats(&actor, &name, window).await?;
    Ok(axum::Json(RuleStatsView::new(name, window, stats)))
}
