//! `/api/v1/rules/{name}/versions`: the archive of rules.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::{CONTENT_TYPE, ETAG};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use utoipa::{IntoParams, ToSchema};

use crate::api::http::address::Query;
use crate::api::http::auth::Caller;
use crate::api::http::page::{self, List, PageQuery, Paged};
use crate::api::http::problem::{Kind, Problem};
use crate::app::App;
use crate::app::rollout::archive::{Difference, Version};

/// A version of a rule that has decided.
#[derive(Serialize, ToSchema)]
#[schema(as = ArchivedVersionView)]
pub struct VersionView {
    rule: String,
    version: String,
    /// SHA-256 of the component.
    digest: String,
    manifest_digest: String,
    stages: Vec<&'static str>,
    component_bytes: i64,
    /// When it was about to decide for the first time.
    #[schema(value_type = String, format = DateTime)]
    first_seen: Timestamp,
    /// Set where the archive's manifest is not what was archived: then nothing uses it.
    damage: Option<String>,
}

impl From<Version> for VersionView {
    fn from(version: Version) -> Self {
        Self {
            rule: version.rule,
            version: version.version,
            digest: version.component_digest,
            manifest_digest: version.manifest_digest,
            stages: version.stages.iter().map(|stage| stage.name()).collect(),
            component_bytes: version.component_bytes,
            first_seen: version.first_seen,
            damage: version.damage,
        }
    }
}

/// A version with its manifest.
#[derive(Serialize, ToSchema)]
pub struct WholeVersionView {
    #[serde(flatten)]
    version: VersionView,
    /// The manifest as written.
    manifest: String,
    /// The text of its `rule.sig`, where it is signed: with component and manifest all that another desk needs to trust it.
    signature: Option<String>,
}

/// How two versions differ.
#[derive(Serialize, ToSchema)]
pub struct DifferenceView {
    from: VersionView,
    to: VersionView,
    /// Whether the components differ.
    component_changed: bool,
    /// The manifest's keys that differ, settings among them.
    changes: Vec<ChangeView>,
    /// The manifests' lines that differ, as a unified diff.
    lines: String,
}

/// A key of the manifest whose value is another one.
#[derive(Serialize, ToSchema)]
pub struct ChangeView {
    /// The key's path, such as `settings.weights.vpn`.
    key: String,
    /// Its value before; nothing where the key is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    from: Option<Json>,
    /// Its value after; nothing where the key is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    to: Option<Json>,
}

impl From<Difference> for DifferenceView {
    fn from(difference: Difference) -> Self {
        let Difference { from, to, changes, lines } = difference;
        Self {
            component_changed: from.component_digest != to.component_digest,
            from: from.into(),
            to: to.into(),
            changes: changes.into_iter().map(|c| ChangeView { key: c.key, from: c.from, to: c.to }).collect(),
            lines,
        }
    }
}

/// Which versions to compare.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct DifferenceQuery {
    /// A digest, or the beginning of one.
    from: String,
    /// A digest, or the beginning of one.
    to: String,
}

/// List the versions of a rule that have decided, the newest first.
#[utoipa::path(get, path = "/api/v1/rules/{name}/versions", tag = "rules", security(("token" = [])),
    params(("name" = String, Path), PageQuery), responses((status = 200, body = Vec<VersionView>,
        headers(("Link" = Option<String>, description = "the next page, `rel=\"next\"`, if there may be one"))),
        (status = 404, body = Problem)))]
pub async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(name): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Paged<VersionView>, Problem> {
    let (limit, [after]) = (query.limit()?, List::RuleVersions.after(query.after.as_deref())?);
    let page = app.rule_versions(&actor, &name, after, limit).await?;
    let next = page.next.map(|after| List::RuleVersions.write([page::whole(after)]));
    Ok(Paged { items: page.items.into_iter().map(VersionView::from).collect(), next, limit })
}

/// Read a version, by the beginning of its component's or its manifest's digest, or of both with a hyphen between them.
#[utoipa::path(get, path = "/api/v1/rules/{name}/versions/{digest}", tag = "rules", security(("token" = [])),
    params(("name" = String, Path), ("digest" = String, Path)),
    responses((status = 200, body = WholeVersionView), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 500, body = Problem)))]
pub async fn read(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path((name, digest)): Path<(String, String)>,
) -> Result<axum::Json<WholeVersionView>, Problem> {
    let (version, kept) = app.rule_version(&actor, &name, &digest).await?;
    let signature = app.rule_signature(&actor, &version).await?;
    Ok(axum::Json(WholeVersionView { version: version.into(), manifest: kept.manifest, signature }))
}

/// Fetch a version's component, as it was shipped.
#[utoipa::path(get, path = "/api/v1/rules/{name}/versions/{digest}/component", tag = "rules", security(("token" = [])),
    params(("name" = String, Path), ("digest" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/wasm"), (status = 404, body = Problem)))]
pub async fn component(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path((name, digest)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (version, kept) = app.rule_version(&actor, &name, &digest).await?;
    Ok(file("application/wasm", &version.component_digest, kept.component))
}

/// Fetch a version's manifest, as it was written.
#[utoipa::path(get, path = "/api/v1/rules/{name}/versions/{digest}/manifest", tag = "rules", security(("token" = [])),
    params(("name" = String, Path), ("digest" = String, Path)),
    responses((status = 200, body = String, content_type = "application/toml"), (status = 404, body = Problem)))]
pub async fn manifest(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path((name, digest)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (version, kept) = app.rule_version(&actor, &name, &digest).await?;
    Ok(file("application/toml", &version.manifest_digest, kept.manifest))
}

/// Fetch a version's signature, the text of its `rule.sig`; 404 where it has none.
#[utoipa::path(get, path = "/api/v1/rules/{name}/versions/{digest}/signature", tag = "rules", security(("token" = [])),
    params(("name" = String, Path), ("digest" = String, Path)),
    responses((status = 200, body = String, content_type = "application/toml"), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub async fn signature(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path((name, digest)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (version, _) = app.rule_version(&actor, &name, &digest).await?;
    let signature = app.rule_signature(&actor, &version).await?;
    let unsigned = || Problem::new(Kind::NOT_FOUND, format!("this version of `{}` is not signed", version.rule));
    let signature = signature.ok_or_else(unsigned)?;
    Ok(([(CONTENT_TYPE, "application/toml")], signature).into_response())
}

/// A file, with its digest as its `ETag`.
fn file(media_type: &'static str, digest: &str, content: impl IntoResponse) -> Response {
    ([(CONTENT_TYPE, media_type.to_owned()), (ETAG, format!("\"{digest}\""))], content).into_response()
}

/// Compare two versions of a rule: which settings changed, and which lines.
#[utoipa::path(get, path = "/api/v1/rules/{name}/versions/diff", tag = "rules", security(("token" = [])),
    params(("name" = String, Path), DifferenceQuery),
    responses((status = 200, body = DifferenceView), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn diff(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Path(name): Path<String>,
    Query(query): Query<DifferenceQuery>,
) -> Result<axum::Json<DifferenceView>, Problem> {
    Ok(axum::Json(app.rule_difference(&actor, &name, &query.from, &query.to).await?.into()))
}
