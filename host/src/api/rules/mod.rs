//! `/api/v1/rules`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::http::auth::Caller;
use super::http::problem::Problem;
use crate::app::App;
use crate::app::rollout::follow::Revisions;
use crate::app::rollout::rules::{Content, Mode, RuleStatus};
use crate::app::rollout::steps::LifeTrial;
use crate::app::rollout::steps::Signatory;

pub(crate) mod deploy;
pub(crate) mod deployments;
pub(crate) mod stats;
pub(crate) mod versions;

/// The rules that are live, and what became of each folder.
#[derive(Serialize, ToSchema)]
pub struct RulesView {
    /// Counts up whenever what is live changes.
    generation: u64,
    revision: RevisionView,
    rules: Vec<RuleView>,
}

/// How far this host has followed the deployments. Both count up with every change of any rule's versions, at any host.
#[derive(Serialize, ToSchema)]
pub struct RevisionView {
    /// As it is in the database.
    wanted: i64,
    /// Whose every rule is in effect here; lower than `wanted` while a version is compiled, or where one is refused.
    serving: i64,
}

/// A folder of the rules directory.
#[derive(Serialize, ToSchema)]
pub struct RuleView {
    folder: String,
    /// What the folder's version is, or the candidate of a rule that is in none: `active`, `off`, `loaded`, `shadow`,
    /// `canary`, `suspended`, `retired`; where the folder has never given a rule, `compiling` or `refused`.
    state: &'static str,
    /// The state of the content of the folder now: `taken`, `compiling`, `refused`, `missing` while the folder is not there and
    /// its rule goes on, or `gone` while the rule has ended with it and has not been retired. `state` is of the
    /// version that the folder gave last.
    content: Option<&'static str>,
    /// `directory` or `api`.
    source: Option<&'static str>,
    active: Option<VersionView>,
    candidate: Option<CandidateView>,
    /// What rolling back returns to, as `COMPONENT/MANIFEST`.
    previous: Option<String>,
    /// A version that failed too often and is not asked.
    suspended: Option<String>,
    /// Who wants the rule retired, while a second person has yet to agree: as a candidate's `proposed_by`.
    #[serde(skip_serializing_if = "Option::is_none")]
    retire_proposed_by: Option<String>,
    /// Since this process began.
    arms: Vec<ArmView>,
    name: Option<String>,
    version: Option<String>,
    stages: Vec<&'static str>,
    order: Option<i32>,
    /// SHA-256 of the component.
    digest: Option<String>,
    manifest_digest: Option<String>,
    /// The generation that the live version came with.
    since_generation: u64,
    /// Whether the settings are part of the component's memory image, so that a call need not read them.
    settings_in_image: Option<bool>,
    /// Whether the live version answers the same whenever it is asked the same; nothing while that is being found out. A rule
    /// that does not decides no access: a person does.
    deterministic: Option<bool>,
    /// Why it is not deterministic.
    deterministic_why: Option<String>,
    /// The limit that stops the live version on the largest text that a form takes.
    runs_out: Option<String>,
    /// Why the folder's present content is not live; the last good version serves on.
    last_error: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_error_at: Option<Timestamp>,
}

/// A version of a rule.
#[derive(Serialize, ToSchema)]
pub struct VersionView {
    version: Option<String>,
    /// `COMPONENT/MANIFEST`, SHA-256.
    id: String,
}

/// A version that is tried.
#[derive(Serialize, ToSchema)]
pub struct CandidateView {
    version: Option<String>,
    id: String,
    /// `loaded`, `shadow` or `canary`.
    state: &'static str,
    /// The canary's share of tickets.
    percent: Option<u8>,
    /// Who wants it active, while a second person has yet to agree: a person's id, `operator:NAME`, `ID via operator:NAME`,
    /// or empty for the directory.
    proposed_by: Option<String>,
}

/// How a version has done in one of its parts.
#[derive(Serialize, ToSchema)]
pub struct ArmView {
    id: String,
    /// The part in which it was asked: `active`, `shadow`, `canary` (it counted), or `beside` (it did not, because a canary did).
    part: &'static str,
    /// The part that this version plays now, if it plays any.
    now: Option<&'static str>,
    calls: u64,
    failures: u64,
    mean_micros: u64,
    /// Answers that differ from the active version's, by the fields that differ.
    disagreements: u64,
    kinds: BTreeMap<String, u64>,
}

fn trial(trial: LifeTrial) -> (&'static str, Option<u8>) {
    match trial {
        LifeTrial::Loaded => ("loaded", None),
        LifeTrial::Shadow => ("shadow", None),
        LifeTrial::Canary(percent) => ("canary", Some(percent)),
    }
}

fn word(content: Content) -> &'static str {
    match content {
        Content::Taken => "taken",
        Content::Compiling => "compiling",
        Content::Refused => "refused",
        Content::Missing => "missing",
        Content::Gone => "gone",
    }
}

/// What the folder's version is.
fn state(status: &RuleStatus) -> &'static str {
    let Some(rule) = &status.live else {
        return match status.content {
            Some(Content::Compiling) => "compiling",
            Some(Content::Gone) => "retired",
            _ => "refused",
        };
    };
    if rule.manifest.mode == Mode::Off {
        return "off";
    }
    let Some(rollout) = &status.rollout else { return "retired" };
    let own = crate::app::rollout::rules::version_of(rule);
    if rollout.active == Some(own) {
        return "active";
    }
    match &rollout.candidate {
        Some(candidate) if candidate.version == own => trial(candidate.trial).0,
        _ if rollout.suspended == Some(own) => "suspended",
        _ => "retired",
    }
}

impl From<RuleStatus> for RuleView {
    fn from(status: RuleStatus) -> Self {
        let state = state(&status);
        let RuleStatus { folder, rollout, active, candidate, health, live, content, since_generation, error } = status;
        let manifest = live.as_ref().map(|live| &live.manifest);
        let verdict = live.as_ref().and_then(|live| live.determinism.verdict());
        let version = |rule: Option<&Arc<_>>| {
            rule.map(|rule: &Arc<crate::app::rollout::rules::Rule>| rule.manifest.version.clone())
        };
        let rollout = rollout.unwrap_or_default();
        Self {
            folder,
            state,
            content: content.map(word),
            source: live.as_ref().map(|_| rollout.source.code()),
            active: rollout.active.map(|id| VersionView { version: version(active.as_ref()), id: id.to_string() }),
            candidate: rollout.candidate.map(|found| CandidateView {
                version: version(candidate.as_ref()),
                id: found.version.to_string(),
                state: trial(found.trial).0,
                percent: trial(found.trial).1,
                proposed_by: found.proposed_by.as_ref().map(Signatory::as_proposer),
            }),
            previous: rollout.previous.map(|id| id.to_string()),
            suspended: rollout.suspended.map(|id| id.to_string()),
            retire_proposed_by: rollout.retiring.as_ref().map(Signatory::as_proposer),
            arms: health
                .into_iter()
                .map(|arm| ArmView {
                    id: arm.version,
                    part: arm.role,
                    now: arm.now,
                    calls: arm.calls,
                    failures: arm.failures,
                    mean_micros: arm.mean_micros,
                    disagreements: arm.disagreements,
                    kinds: arm.kinds,
                })
                .collect(),
            name: manifest.map(|manifest| manifest.name.to_string()),
            version: manifest.map(|manifest| manifest.version.clone()),
            stages: manifest.map(|m| m.stages.iter().map(|s| s.name()).collect()).unwrap_or_default(),
            order: manifest.map(|manifest| manifest.order),
            digest: live.as_ref().map(|live| live.digest.to_string()),
            manifest_digest: live.as_ref().map(|live| live.manifest_digest.to_string()),
            since_generation,
            settings_in_image: live.as_ref().map(|live| live.configure_each_call.is_none()),
            deterministic: verdict.map(Result::is_ok),
            deterministic_why: verdict.and_then(|verdict| verdict.as_ref().err().cloned()),
            runs_out: live.as_ref().and_then(|live| live.largest.get()?.as_ref().map(ToString::to_string)),
            last_error: error.as_ref().map(|(message, _)| message.clone()),
            last_error_at: error.map(|(_, at)| at),
        }
    }
}

/// List the rules, in the order in which they are asked.
#[utoipa::path(get, path = "/api/v1/rules", tag = "rules", security(("token" = [])),
    responses((status = 200, body = RulesView)))]
pub async fn list(State(app): State<Arc<App>>, Caller(actor): Caller) -> Result<axum::Json<RulesView>, Problem> {
    let (generation, rules) = app.rules_status(&actor)?;
    let Revisions { wanted, serving } = app.following.revisions();
    let revision = RevisionView { wanted, serving };
    Ok(axum::Json(RulesView { generation, revision, rules: rules.into_iter().map(RuleView::from).collect() }))
}

/// Look at every folder anew, now. Folders are watched anyway.
#[utoipa::path(post, path = "/api/v1/rules/reload", tag = "rules", security(("token" = [])),
    responses((status = 200, body = RulesView)))]
pub async fn reload(state: State<Arc<App>>, Caller(actor): Caller) -> Result<axum::Json<RulesView>, Problem> {
    state.0.reload_rules(&actor).await?;
    list(state, Caller(actor)).await
}
