//! `/api/v1/rules`.

use std::sync::Arc;

use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::Caller;
use super::problem::Problem;
use crate::app::App;
use crate::app::rules::RuleStatus;

/// The rules that are live, and what became of each folder.
#[derive(Serialize, ToSchema)]
pub struct RulesView {
    /// Counts up whenever what is live changes.
    generation: u64,
    rules: Vec<RuleView>,
}

/// A folder of the rules directory.
#[derive(Serialize, ToSchema)]
pub struct RuleView {
    folder: String,
    /// `active`, `shadow`, `off`, or `refused` where the folder has never given a rule.
    state: &'static str,
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
    /// Why the folder's present content is not live; the last good version serves on.
    last_error: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_error_at: Option<Timestamp>,
}

impl From<RuleStatus> for RuleView {
    fn from(status: RuleStatus) -> Self {
        let RuleStatus { folder, live, since_generation, error } = status;
        let manifest = live.as_ref().map(|live| &live.manifest);
        let verdict = live.as_ref().and_then(|live| live.determinism.verdict());
        Self {
            folder,
            state: manifest.map_or("refused", |manifest| match manifest.mode {
                crate::app::rules::Mode::Active => "active",
                crate::app::rules::Mode::Shadow => "shadow",
                crate::app::rules::Mode::Off => "off",
            }),
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
    Ok(axum::Json(RulesView { generation, rules: rules.into_iter().map(RuleView::from).collect() }))
}

/// Look at every folder anew, now. Folders are watched anyway.
#[utoipa::path(post, path = "/api/v1/rules/reload", tag = "rules", security(("token" = [])),
    responses((status = 200, body = RulesView)))]
pub async fn reload(state: State<Arc<App>>, Caller(actor): Caller) -> Result<axum::Json<RulesView>, Problem> {
    state.0.reload_rules(&actor).await?;
    list(state, Caller(actor)).await
}
