//! `POST /api/v1/rules`: a rule by API.

use std::sync::Arc;

use axum::extract::multipart::MultipartRejection;
use axum::extract::{Multipart, State};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::CREATED;
use crate::api::http::auth::Caller;
use crate::api::http::problem::Problem;
use crate::api::http::upload;
use crate::app::App;
use crate::app::rollout::deploy::Deployed;

/// What an upload sends: the files of one rule.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes the body; `upload` reads its parts one by one")]
pub struct UploadForm {
    /// The text of `rule.toml`.
    manifest: String,
    /// The bytes of `rule.wasm`.
    #[schema(value_type = String, format = Binary)]
    component: Vec<u8>,
    /// The text of `rule.sig`, where the desk asks for a signature.
    signature: Option<String>,
    /// Why it is deployed; kept with who did it.
    why: String,
}

/// A rule that was taken.
#[derive(Serialize, ToSchema)]
pub struct DeployedView {
    name: String,
    version: String,
    stages: Vec<&'static str>,
    /// The component's size in bytes.
    bytes: usize,
    /// SHA-256 of the component.
    digest: String,
    manifest_digest: String,
    /// The interfaces that the component imports.
    imports: Vec<String>,
    /// How many of its manifest's examples it was asked; all of them hold.
    examples_passed: usize,
    /// The desk's name for the key that signed it, where the desk asks for one.
    signed_by: Option<String>,
    /// What it does now: `active`, `shadow`, `canary` or `loaded`.
    state: &'static str,
    /// The revision of all deployments that it came with; each host that serves this one or a later one has it.
    revision: i64,
}

impl From<Deployed> for DeployedView {
    fn from(deployed: Deployed) -> Self {
        let Deployed { rule, imports, bytes, state, revision } = deployed;
        let manifest = &rule.manifest;
        Self {
            name: manifest.name.to_string(),
            version: manifest.version.clone(),
            stages: manifest.stages.iter().map(|stage| stage.name()).collect(),
            bytes,
            digest: rule.digest.to_string(),
            manifest_digest: rule.manifest_digest.to_string(),
            imports,
            examples_passed: manifest.examples.len(),
            signed_by: rule.signed_by.as_deref().map(str::to_owned),
            state,
            revision,
        }
    }
}

/// Deploy a rule: it is checked, compiled and asked its examples, then kept and put where its manifest's `mode` says.
#[utoipa::path(post, path = "/api/v1/rules", tag = "rules", security(("token" = [])),
    request_body(content = inline(UploadForm), content_type = "multipart/form-data"),
    responses((status = 201, body = DeployedView), (status = 422, body = Problem), (status = 409, body = Problem),
        (status = 507, body = Problem)))]
pub async fn upload(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    body: Result<Multipart, MultipartRejection>,
) -> Result<(StatusCode, axum::Json<DeployedView>), Problem> {
    let uploading = app.begin_upload(&actor)?;
    let body = body.map_err(|rejection| Problem::bad_body(&format!("send multipart/form-data: {rejection}")))?;
    let upload = upload::read(body).await?;
    let deployed = app.deploy_rule(&actor, uploading, upload).await?;
    Ok((CREATED, axum::Json(DeployedView::from(deployed))))
}
