//! HTTP in JSON: every route and every layer on this screen. Handlers translate; the use cases are in `app`.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_LENGTH;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http_body_util::BodyExt;
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt};
use utoipa_axum::routes;

use crate::app::App;
use crate::app::tables::TABLE_BYTES_MAX;
use crate::telemetry::MaybeTraces;

mod access;
mod auth;
mod config;
pub mod dry_run;
mod edits;
mod error;
mod explain;
mod json;
mod observe;
mod operations;
pub mod page;
pub mod problem;
mod rules;
mod spans;
mod stats;
mod tables;
mod tickets;
mod versions;
mod views;

use observe::Watch;
use problem::{Kind, Problem};

/// What bounds a request.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub body_bytes_max: usize,
    pub request_timeout: Duration,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "RuleDesk",
        description = "An IT service desk whose decisions are made by WebAssembly components. \
                       Errors are `application/problem+json` (RFC 9457) with a stable `type`."
    ),
    modifiers(&Bearer)
)]
struct Document;

struct Bearer;

impl utoipa::Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document.components.get_or_insert_with(Default::default).add_security_scheme("token", scheme);
    }
}

fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(tickets::create, tickets::list))
        .routes(routes!(tickets::read, edits::edit))
        .routes(routes!(tickets::timeline))
        .routes(routes!(tickets::comment))
        .routes(routes!(tickets::transition))
        .routes(routes!(tickets::decisions))
        .routes(routes!(tickets::messages))
        .routes(routes!(explain::explain))
        .routes(routes!(access::awaiting))
        .routes(routes!(access::decide))
        .routes(routes!(access::grants))
        .routes(routes!(edits::revoke))
        .routes(routes!(rules::list))
        .routes(routes!(rules::reload))
        .routes(routes!(tables::list))
        .routes(routes!(tables::read, tables::put, tables::remove).layer(DefaultBodyLimit::max(TABLE_BYTES_MAX)))
        .routes(routes!(tables::history))
        .routes(routes!(tables::version))
        .routes(routes!(tables::compare))
        .routes(routes!(tables::roll_back))
        .routes(routes!(stats::read))
        .routes(routes!(versions::list))
        .routes(routes!(versions::diff))
        .routes(routes!(versions::read))
        .routes(routes!(versions::component))
        .routes(routes!(versions::manifest))
        .routes(routes!(dry_run::dry_run))
        .routes(routes!(config::request_types))
        .routes(routes!(config::categories))
        .routes(routes!(config::teams))
        .routes(routes!(config::priorities))
        .routes(routes!(config::apps))
        .routes(routes!(config::reload))
        .routes(routes!(operations::healthz))
        .routes(routes!(operations::readyz))
        .routes(routes!(operations::metrics))
}

/// The OpenAPI 3.1 document, made from the handlers themselves.
pub fn document() -> utoipa::openapi::OpenApi {
    routes().split_for_parts().1
}

/// The whole interface; requests are traced where there is a place for traces.
pub fn router(app: Arc<App>, limits: Limits, traces: MaybeTraces) -> Router {
    let (router, document) = routes().split_for_parts();
    let document = document.to_json().unwrap_or_default();
    let json = [(axum::http::header::CONTENT_TYPE, "application/json")];
    router
        .route("/openapi.json", get(async move || (json, document).into_response()))
        .fallback(async || Problem::new(Kind::NOT_FOUND, "no such path; see /openapi.json"))
        .method_not_allowed_fallback(async || Problem::new(Kind::NOT_ALLOWED, "see /openapi.json"))
        .with_state(Arc::clone(&app))
        // From the outermost in: an id for everything, then log, counts and trace, then the bounds.
        .layer(DefaultBodyLimit::max(limits.body_bytes_max))
        .layer(middleware::from_fn_with_state(limits, bound_body))
        .layer(middleware::from_fn_with_state(limits, bound_time))
        .layer(middleware::from_fn_with_state(Watch { app, traces }, observe::observe))
        .layer(middleware::from_fn(observe::identify))
}

/// How much of a body that is too large is read and thrown away, so that its sender gets to read the answer.
const DRAINED_BYTES_MAX: usize = 32 << 20;

/// A body that says that it is too large is not kept.
async fn bound_body(State(limits): State<Limits>, request: Request, next: Next) -> Response {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let bytes_max = match request.uri().path().starts_with("/api/v1/tables/") {
        true => limits.body_bytes_max.max(TABLE_BYTES_MAX),
        false => limits.body_bytes_max,
    };
    if length.is_none_or(|length| length <= bytes_max) {
        return next.run(request).await;
    }
    let mut body = request.into_body();
    let mut left = DRAINED_BYTES_MAX;
    while let Some(Ok(frame)) = body.frame().await {
        left = left.saturating_sub(frame.data_ref().map_or(0, |data| data.len()));
        if left == 0 {
            break;
        }
    }
    Problem::too_large().into_response()
}

/// A request that takes too long is answered; what it had begun to write is written or not, never half.
async fn bound_time(State(limits): State<Limits>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(limits.request_timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(Kind::TIMED_OUT, "try again, with the same Idempotency-Key").into_response(),
    }
}

/// What a successful creation answers with.
const CREATED: StatusCode = StatusCode::CREATED;
