//! The effect of rules for access: a candidate over the history and the ledger, and a person's access against the rules as they
//! are now.

use std::sync::Arc;

use axum::extract::{Path, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::api::http::address::Query;
use crate::api::http::auth::Caller;
use crate::api::http::json::Json;
use crate::api::http::problem::{Kind, Problem};
use crate::app::App;
use crate::app::access::people::moves::Reassessed;
use crate::app::replay::policy::{PolicyQuestion, PolicyThen, RuleThen, TrialThen, as_of};
use crate::desk::text::quoted;
use crate::desk::verdict::access::{AccessVerdict, Outcome};

/// The candidate: a live rule with another manifest, such as other settings, or another version of it that the desk has.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyBody {
    /// The rule's name.
    rule: String,
    /// The whole text of the other `rule.toml`.
    #[serde(default)]
    manifest: Option<String>,
    /// The other version, as `GET /api/v1/rules/{rule}/versions` names it.
    #[serde(default)]
    version: Option<String>,
    /// How many days back; 1 to 366. Default 90.
    #[serde(default)]
    days: Option<u16>,
}

/// A grant that is held, against the rules as they are now.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReassessedView {
    grant: String,
    app: String,
    tier: String,
    role: Option<String>,
    /// `stays`, `narrower`, `needs-approval` or `denied`.
    standing: &'static str,
    /// The rules' reason.
    reason: String,
}

impl From<Reassessed> for ReassessedView {
    fn from(Reassessed { grant, standing, reason }: Reassessed) -> Self {
        ReassessedView {
            grant: grant.id.to_string(),
            app: grant.app.to_string(),
            tier: grant.tier.to_string(),
            role: grant.role,
            standing: standing.code(),
            reason,
        }
    }
}

/// Try a rule for access over the history of requests and the ledger, before it goes live: what it would deny, what would lose its
/// approval, how often each approver would be asked, and which grants that are held today it would not have given. Nothing is
/// changed. At most 20,000 decisions are asked about.
#[utoipa::path(post, path = "/api/v1/access/policy/backtest", tag = "access", security(("token" = [])),
    request_body = PolicyBody,
    responses((status = 200, body = Object, description = "the report, as of `ruledesk rules backtest --json`; see `access`"),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn backtest(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Json(body): Json<PolicyBody>,
) -> Result<axum::Json<Value>, Problem> {
    let days = body.days.unwrap_or(90);
    if !(1..=366).contains(&days) || body.manifest.is_some() == body.version.is_some() {
        return Err(Problem::new(Kind::REJECTED, "name a `manifest` or a `version`, and 1 to 366 `days`"));
    }
    let report = app.backtest_access(&actor, (&body.rule, body.manifest, body.version), days).await?;
    Ok(axum::Json(serde_json::to_value(&report).unwrap_or_default()))
}

/// A person, an item and a day.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PolicyAtQuery {
    /// A day, of which its end counts by the desk's calendar, or an instant (RFC 3339).
    at: String,
    person: String,
    app: String,
    tier: String,
    role: Option<String>,
    #[param(minimum = 1)]
    hours: Option<u32>,
}

/// The answer of the rules of a day.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyAtView {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The rules for access that were live.
    rules: Vec<RuleThenView>,
    /// Versions on trial, which answered in the place of one of these for a share of the requests. The answer is without them.
    trials: Vec<TrialThenView>,
    /// The rules are of that day; the directory, the catalog, the tables and what is held are as they are now: always `today`.
    input: &'static str,
    /// `approved`, `awaiting` or `denied`.
    outcome: &'static str,
    reason: String,
    tier: Option<String>,
    role: Option<String>,
    groups: Vec<String>,
    hours: Option<u32>,
    /// The people whom each step would have asked.
    steps: Vec<Vec<String>>,
}

/// A version that was live.
#[derive(Debug, Serialize, ToSchema)]
pub struct RuleThenView {
    rule: String,
    version: String,
    /// The digests of its component and its manifest, as `GET /api/v1/rules/{rule}/versions` names them.
    id: String,
}

/// A version that was on trial.
#[derive(Debug, Serialize, ToSchema)]
pub struct TrialThenView {
    rule: String,
    version: String,
    /// The digests of its component and its manifest.
    id: String,
    /// For how many of a hundred requests it answered.
    percent: u64,
}

impl PolicyAtView {
    /// An answer as of an instant.
    pub fn new(at: Timestamp, then: PolicyThen) -> Self {
        let PolicyThen { rules, trials, verdict: AccessVerdict { outcome, reason, .. } } = then;
        let (word, scope, steps) = match outcome {
            Outcome::Denied => ("denied", None, Vec::new()),
            Outcome::Approved(scope) => ("approved", Some(scope), Vec::new()),
            Outcome::Await(approval) => ("awaiting", Some(approval.scope), approval.steps),
        };
        let view = |one: RuleThen| RuleThenView { rule: one.rule, version: one.version, id: one.id.to_string() };
        let on_trial = |one: TrialThen| {
            let TrialThen { then, percent } = one;
            TrialThenView { rule: then.rule, version: then.version, id: then.id.to_string(), percent }
        };
        PolicyAtView {
            at,
            rules: rules.into_iter().map(view).collect(),
            trials: trials.into_iter().map(on_trial).collect(),
            input: "today",
            outcome: word,
            reason,
            tier: scope.as_ref().map(|scope| scope.tier.to_string()),
            role: scope.as_ref().and_then(|scope| scope.role.clone()),
            groups: scope.as_ref().map(|scope| scope.groups.clone()).unwrap_or_default(),
            hours: scope.map(|scope| scope.duration_hours),
            steps: steps.iter().map(|step| step.approvers.iter().map(ToString::to_string).collect()).collect(),
        }
    }
}

impl PolicyAtView {
    /// The answer as lines for people.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("{}, by the rules that were live at {}: {}", self.outcome, self.at, self.reason)];
        if let (Some(tier), Some(hours)) = (&self.tier, self.hours) {
            let role = self.role.as_ref().map(|role| format!(" as {role}")).unwrap_or_default();
            let groups = self.groups.join(", ");
            let groups = if groups.is_empty() { String::new() } else { format!(", with the groups {groups}") };
            lines.push(format!("  {tier}{role} for {hours} {}{groups}", if hours == 1 { "hour" } else { "hours" }));
        }
        lines.extend(self.steps.iter().map(|step| format!("  asked: {}", step.join(", "))));
        lines.extend(self.rules.iter().map(|rule| format!("  {} {} ({})", rule.rule, rule.version, rule.id)));
        let trial = |one: &TrialThenView| {
            let TrialThenView { rule, version, id, percent } = one;
            format!("  not heard: {rule} {version}, on trial for {percent} % of the requests ({id})")
        };
        lines.extend(self.trials.iter().map(trial));
        lines.push("The directory, the catalog, the tables and what is held are as they are today.".to_owned());
        lines
    }
}

/// Ask what the policy allowed on a day: the versions of the rules for access that were live then answer for a person and an item, as
/// the directory, the catalog and what is held are today. Nothing is changed. For agents and admins.
#[utoipa::path(get, path = "/api/v1/access/policy/at", tag = "access", security(("token" = [])), params(PolicyAtQuery),
    responses((status = 200, body = PolicyAtView), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub async fn at(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Query(query): Query<PolicyAtQuery>,
) -> Result<axum::Json<PolicyAtView>, Problem> {
    let question = query.read(&app)?;
    Ok(axum::Json(PolicyAtView::new(question.at, app.policy_at(&actor, &question).await?)))
}

impl PolicyAtQuery {
    fn read(self, app: &App) -> Result<PolicyQuestion, Problem> {
        let PolicyAtQuery { at, person, app: item, tier, role, hours } = self;
        let no_time = || Problem::bad_query("`at` is a day such as `2026-03-01`, or an instant (RFC 3339)");
        let at = as_of(&at, &app.organisation()).ok_or_else(no_time)?;
        let missing = |_| Problem::new(Kind::NOT_FOUND, format!("there is no person {}", quoted(&person)));
        Ok(PolicyQuestion { person: person.parse().map_err(missing)?, app: item, tier, role, hours, at })
    }
}

/// Hold all that a person has against the rules as they are now. Nothing is changed. For agents and admins.
#[utoipa::path(get, path = "/api/v1/people/{id}/reassessment", tag = "access", security(("token" = [])),
    params(("id" = String, Path)),
    responses((status = 200, body = Vec<ReassessedView>), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn reassess(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<Vec<ReassessedView>>, Problem> {
    let missing = |_| Problem::new(Kind::NOT_FOUND, format!("there is no person {}", quoted(&id)));
    let found = app.reassess(&actor, &id.parse().map_err(missing)?).await?;
    Ok(axum::Json(found.into_iter().map(ReassessedView::from).collect()))
}
